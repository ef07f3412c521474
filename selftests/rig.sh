# SPDX-License-Identifier: GPL-2.0
# What every rig must agree on: where the cache is, which Debian kernel "6.1" or "6.12" means here,
# what a machine is before a test. Sourced (POSIX sh); runs nothing by itself.

rig_cache=${VRSEQ_CACHE:-/var/cache/vrseq}

# The kernel's own words for "this went wrong", whatever a test says.
rig_splat='WARNING:|BUG:|Oops|Call Trace|refcount_t|Kernel panic|general protection|KASAN|UBSAN'
rig_splat="$rig_splat|unregister_netdevice: waiting|blocked for more than"

rig_die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# The headers directory of the stock amd64 kernel of a series; of several, the newest.
rig_headers() {
	case $1 in
	6.1) set -- /usr/src/linux-headers-6.1.0-*-amd64 ;;
	6.12) set -- /usr/src/linux-headers-6.12.*-amd64 ;;
	*) rig_die "KVER must be 6.1 or 6.12, not '$1'" ;;
	esac
	for dir; do
		case $dir in
		*-rt-amd64 | *-cloud-amd64 | *'*'*) ;;
		*) echo "$dir" ;;
		esac
	done | sort -V | tail -n 1
}

# The release (uname -r) those headers are for; empty when they are not installed.
rig_release() {
	rig_headers "$1" | sed 's,.*/linux-headers-,,'
}

# Where the stock image of a release is unpacked: boot/vmlinuz-*, lib/modules/*.
rig_image() {
	echo "$rig_cache/image-$1"
}

# The version of an installed Debian package; empty when it is not installed.
rig_version() {
	dpkg-query -W -f '${db:Status-Abbrev}${Version}\n' "$1" 2>/dev/null | sed -n 's/^ii *//p'
}

# linux-source-6.1, unpacked once per version.
rig_source() {
	echo "$rig_cache/linux-source-6.1-$(rig_version linux-source-6.1)"
}

# In a guest, as its first process, on the host's root under an overlay: what a test may expect.
rig_machine() {
	for dir in /run /dev/shm /dev/pts; do
		mkdir -p $dir
	done
	mount -t tmpfs tmpfs /run
	mount -t tmpfs tmpfs /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mkdir -p /run/netns
	for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
		[ -e "/dev/${link%:*}" ] || ln -s "/proc/self/${link#*:}" "/dev/${link%:*}"
	done
	echo guest >/proc/sys/kernel/hostname
	ip link set lo up
}

# Run $rig_dir/command with its output on $1, save what became of it, and power off.
rig_command() {
	cd "$rig_top" || exit
	sh "$rig_dir/command" </dev/null >"$1" 2>&1
	status=$?
	dmesg >"$rig_dir/dmesg"
	echo "$status" >"$rig_dir/status.new"
	mv "$rig_dir/status.new" "$rig_dir/status"
	echo o >/proc/sysrq-trigger
	sleep 60
}
