#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds an x86_64 6.1 with KCSAN from Debian's linux-source-6.1, once per source version and
# config. Prints the directory that holds it: as an image of a stock kernel does (boot,
# lib/modules), and build, to build modules against. Of the kernel itself nothing is instrumented:
# its own races are others' business, and it would be several times slower.
set -eu
. "$(dirname "$0")/../rig.sh"

config=$(dirname "$0")/config
version=$(rig_version linux-source-6.1)
[ -n "$version" ] || rig_die "linux-source-6.1 is not installed: selftests/provision.sh kcsan"
key=$({ cat "$config"; gcc -dumpfullversion; } | sha256sum | cut -c 1-12)
dir=$rig_cache/kcsan-$version-$key

build() {
	make -C "$(rig_source)" O="$dir/build" ARCH=x86 tinyconfig
	"$(rig_source)/scripts/kconfig/merge_config.sh" -m -O "$dir/build" "$dir/build/.config" \
		"$config"
	make -C "$dir/build" ARCH=x86 olddefconfig
	grep '^CONFIG_' "$config" | while read -r line; do
		grep -qx "$line" "$dir/build/.config" || rig_die "not granted by Kconfig: $line"
	done
	nice make -C "$dir/build" ARCH=x86 KCSAN_SANITIZE=n -j"$(nproc)" bzImage modules
	release=$(make -s -C "$dir/build" ARCH=x86 kernelrelease)
	make -C "$dir/build" ARCH=x86 INSTALL_MOD_PATH="$dir" modules_install
	mkdir -p "$dir/boot"
	cp "$dir/build/arch/x86/boot/bzImage" "$dir/boot/vmlinuz-$release"
	echo "$release" >"$dir/release"
	touch "$dir/complete"
}

if [ ! -e "$dir/complete" ]; then
	mkdir -p "$dir/build"
	exec 9>"$dir/lock"
	flock 9
	if [ ! -e "$dir/complete" ]; then
		echo "building the KCSAN kernel (some 8 minutes, once): $dir" >&2
		unset MAKEFLAGS MFLAGS MAKELEVEL
		(build) >"$dir/log" 2>&1 || {
			tail -n 30 "$dir/log" >&2
			rig_die "the KCSAN kernel did not build: $dir/log"
		}
	fi
fi
echo "$dir"
