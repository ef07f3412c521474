#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds the UML 6.1 kernel from Debian's linux-source-6.1, once per source version, config and
# patch. Prints the directory that holds it: "linux" in it is the kernel, and modules build against
# it with make -C DIR ARCH=um M=...
set -eu
. "$(dirname "$0")/../rig.sh"

config=$(dirname "$0")/config
patch=$(realpath "$(dirname "$0")/linux.patch")
version=$(rig_version linux-source-6.1)
[ -n "$version" ] || rig_die "linux-source-6.1 is not installed: selftests/provision.sh uml"
key=$({ cat "$config" "$patch"; gcc -dumpfullversion; } | sha256sum | cut -c 1-12)
dir=$rig_cache/uml-$version-$key

build() {
	# Links are enough: patch replaces what it changes.
	rm -rf "$dir/src"
	cp -al "$(rig_source)" "$dir/src"
	patch -s -p1 -d "$dir/src" <"$patch"
	make -C "$dir/src" O="$dir" ARCH=um defconfig
	"$dir/src/scripts/kconfig/merge_config.sh" -m -O "$dir" "$dir/.config" "$config"
	make -C "$dir" ARCH=um olddefconfig
	grep '^CONFIG_' "$config" | while read -r line; do
		grep -qx "$line" "$dir/.config" || rig_die "not granted by Kconfig: $line"
	done
	nice make -C "$dir" ARCH=um -j"$(nproc)" linux modules
	touch "$dir/complete"
}

if [ ! -e "$dir/complete" ]; then
	mkdir -p "$dir"
	exec 9>"$dir/lock"
	flock 9
	if [ ! -e "$dir/complete" ]; then
		echo "building the UML kernel (about 8 minutes, once): $dir" >&2
		# Not as a part of the make that may have called us.
		unset MAKEFLAGS MFLAGS MAKELEVEL
		(build) >"$dir/log" 2>&1 || {
			tail -n 30 "$dir/log" >&2
			rig_die "the UML kernel did not build: $dir/log"
		}
	fi
fi
echo "$dir"
