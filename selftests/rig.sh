# SPDX-License-Identifier: GPL-2.0
# What every rig must agree on: where the cache is and which Debian kernel "6.1" or "6.12" means here.
# Sourced by the shell scripts of selftests/ (POSIX sh); runs nothing by itself.

rig_cache=${VRSEQ_CACHE:-/var/cache/vrseq}

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
