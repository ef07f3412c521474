#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds the UML 6.1 kernel from Debian's linux-source-6.1, once per source version and config.
# Prints the directory that holds it: "linux" is the kernel, modules build against it with
# make -C DIR ARCH=um M=...
set -eu
. "$(dirname "$0")/../rig.sh"

config=$(dirname "$0")/config
version=$(rig_version linux-source-6.1)
[ -n "$version" ] || rig_die "linux-source-6.1 is not installed: selftests/provision.sh uml"
key=$({ cat "$config"; gcc -dumpfullversion; } | sha256sum | cut -c 1-12)
dir=$rig_cache/uml-$version-$key

if [ ! -e "$dir/complete" ]; then
	source=$(rig_source)
	echo "building the UML kernel (about 5 minutes, once): $dir" >&2
	mkdir -p "$dir"
	exec 9>"$dir/lock"
	flock 9
	if [ ! -e "$dir/complete" ]; then
		make -C "$source" O="$dir" ARCH=um defconfig >"$dir/log" 2>&1
		"$source/scripts/kconfig/merge_config.sh" -m -O "$dir" "$dir/.config" "$config" >>"$dir/log" 2>&1
		make -C "$dir" ARCH=um olddefconfig >>"$dir/log" 2>&1
		grep '^CONFIG_' "$config" | while read -r line; do
			grep -qx "$line" "$dir/.config" || echo "$line"
		done >"$dir/missing"
		[ ! -s "$dir/missing" ] || rig_die "not granted by Kconfig: $(tr '\n' ' ' <"$dir/missing")"
		nice make -C "$dir" ARCH=um -j"$(nproc)" linux modules >>"$dir/log" 2>&1 || {
			tail -n 30 "$dir/log" >&2
			rig_die "the UML kernel did not build: $dir/log"
		}
		touch "$dir/complete"
	fi
fi
echo "$dir"
