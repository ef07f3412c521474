#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: build.sh [native]
# Builds the UML 6.1 kernel, once per source version, config and patch; native is the one that
# watches nothing (config.native). Prints the directory that holds it: "linux" in it is the kernel,
# and modules build against it with make -C DIR ARCH=um M=... What modprobe is told, also of all
# that is built in, is in root/lib/modules.
set -eu
here=$(realpath "$(dirname "$0")")
. "$here/../rig.sh"
. "$here/../kernel.sh"

build() {
	# Links are enough: patch replaces what it changes.
	rm -rf "$dir/src"
	cp -al "$(rig_source)" "$dir/src"
	patch -s -p1 -d "$dir/src" <"$here/linux.patch"
	kernel_configure "$dir/src" "$dir" um defconfig
	nice make -C "$dir" ARCH=um -j"$(nproc)" linux modules
	make -C "$dir" ARCH=um INSTALL_MOD_PATH="$dir/root" modules_install
}

case ${1-} in
'') kernel_cached uml "$here/config" "$here/linux.patch" ;;
native) kernel_cached uml-native "$here/config.native" "$here/linux.patch" ;;
*) rig_die "no variant $1" ;;
esac
