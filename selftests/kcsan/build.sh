#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds an x86_64 6.1 with KCSAN, once per source version and config. Prints the directory that
# holds it: as an image of a stock kernel does (boot, lib/modules), and build, to build modules
# against. Of the kernel itself nothing is instrumented: its own races are others' business, and it
# would be several times slower.
set -eu
here=$(realpath "$(dirname "$0")")
. "$here/../rig.sh"
. "$here/../kernel.sh"

build() {
	mkdir -p "$dir/build" "$dir/boot"
	kernel_configure "$(rig_source)" "$dir/build" x86 tinyconfig
	nice make -C "$dir/build" ARCH=x86 KCSAN_SANITIZE=n -j"$(nproc)" bzImage modules
	release=$(make -s -C "$dir/build" ARCH=x86 kernelrelease)
	make -C "$dir/build" ARCH=x86 INSTALL_MOD_PATH="$dir" modules_install
	cp "$dir/build/arch/x86/boot/bzImage" "$dir/boot/vmlinuz-$release"
	echo "$release" >"$dir/release"
}

kernel_cached kcsan "$here/config"
