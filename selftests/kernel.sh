# SPDX-License-Identifier: GPL-2.0
# A kernel of our own from Debian's linux-source-6.1: built once for each version of it and of what
# else decides what comes out, then kept in the cache. Sourced after rig.sh (POSIX sh, set -e); does
# not know what the kernel is for.
#
#	kernel_cached NAME FILE...	prints the directory that holds it. If nothing is there,
#					`build` is called; FILEs decide what comes out, and the
#					first is the configuration
#
# In build $dir is that directory, empty but for what a build that failed has left.

kernel_cached() { # NAME FILE...
	name=$1
	shift
	config=$1
	version=$(rig_version linux-source-6.1)
	[ -n "$version" ] ||
		rig_die "linux-source-6.1 is not installed: selftests/provision.sh $name"
	key=$({ cat "$@"; gcc -dumpfullversion; } | sha256sum | cut -c 1-12)
	dir=$rig_cache/$name-$version-$key
	if [ ! -e "$dir/complete" ]; then
		mkdir -p "$dir"
		exec 9>"$dir/lock"
		flock 9
		[ -e "$dir/complete" ] || kernel_build
	fi
	echo "$dir"
}

kernel_build() {
	echo "building the $name kernel (4 to 8 minutes, once): $dir" >&2
	# Not as a part of the make that may have called us.
	unset MAKEFLAGS MFLAGS MAKELEVEL
	# In "build || ..." no command that fails would end it.
	set +e
	(set -e; build) >"$dir/log" 2>&1
	status=$?
	set -e
	if [ $status != 0 ]; then
		tail -n 30 "$dir/log" >&2
		rig_die "the $name kernel did not build: $dir/log"
	fi
	touch "$dir/complete"
}

# As BASE says, and the configuration on top of it, of which everything has to be granted.
kernel_configure() { # SOURCE OBJECTS ARCH BASE
	make -C "$1" O="$2" ARCH="$3" "$4"
	"$1/scripts/kconfig/merge_config.sh" -m -O "$2" "$2/.config" "$config"
	make -C "$2" ARCH="$3" olddefconfig
	grep '^CONFIG_' "$config" | while read -r line; do
		grep -qx "$line" "$2/.config" || rig_die "not granted by Kconfig: $line"
	done
}
