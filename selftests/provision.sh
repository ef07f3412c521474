#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what the named parts need from Debian 12 and nothing that is already there, then brings
# the stock kernel images (qemu), the UML kernels (uml; uml-native, which watches nothing) or the
# one with KCSAN (kcsan) into the cache. Knows packages; does not know what is done with them.
#
# usage: provision.sh [build|unit|lint|qemu|uml|uml-native|kcsan|bench|mpi|dkms ...]
#	(default: all but uml-native, kcsan, bench, mpi and dkms)
set -eu
. "$(dirname "$0")/rig.sh"

[ $# -gt 0 ] || set -- build unit lint qemu uml

packages() {
	case $1 in
	build) echo gcc make perl libc6-dev pkg-config libmnl-dev python3 kmod \
		linux-headers-amd64 linux-headers-6.12-amd64 ;;
	unit) echo gcc libc6-dev libssl-dev clang clang-14 libclang-rt-14-dev llvm-14 ;;
	lint) echo sparse git python3 binutils mandoc linux-source-6.1 xz-utils ;;
	dkms) echo dkms ;;
	bench) echo gcc libc6-dev pkg-config redis-tools etcd-server etcd-client zookeeper \
		corosync libcpg-dev gnuplot-nox ;;
	mpi) echo openmpi-bin libopenmpi-dev ;;
	qemu) echo qemu-system-x86 busybox-static cpio kmod iproute2 dmsetup jq python3 xz-utils ;;
	kcsan) echo gcc make bc flex bison libelf-dev libc6-dev kmod xz-utils linux-source-6.1 ;;
	uml | uml-native) echo gcc make bc flex bison patch cpio kmod xz-utils iproute2 \
		linux-source-6.1 ;;
	*) rig_die "no part named '$1'" ;;
	esac
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@"
}

apt_install() {
	[ "$(id -u)" = 0 ] || rig_die "not root, and these packages are missing: $*"
	echo "installing: $*" >&2
	apt install -y --no-install-recommends "$@" >/dev/null 2>&1 && return
	apt update >/dev/null
	apt install -y --no-install-recommends "$@" >/dev/null
}

install_missing() {
	have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^ii *//p')
	missing=
	for package; do
		echo "$have" | grep -qxF "$package" || missing="$missing $package"
	done
	# shellcheck disable=SC2086
	[ -z "$missing" ] || apt_install $missing
}

download_image() {
	(cd "$1" && apt download "linux-image-$2=$3" >/dev/null 2>&1)
}

# The image must be of the very version of the headers, or modules built here will not load in it.
fetch_image() {
	release=$(rig_release "$1")
	image=$(rig_image "$release")
	[ ! -e "$image/complete" ] || return 0
	echo "fetching the stock kernel $release" >&2
	temporary=$(mktemp -d "$rig_cache/image.XXXXXX")
	version=$(rig_version "linux-headers-$release")
	if ! download_image "$temporary" "$release" "$version"; then
		# An archive keeps few versions: take its newest headers, then their image.
		apt update >/dev/null
		apt install -y linux-headers-amd64 linux-headers-6.12-amd64 >/dev/null
		release=$(rig_release "$1")
		image=$(rig_image "$release")
		version=$(rig_version "linux-headers-$release")
		download_image "$temporary" "$release" "$version" ||
			rig_die "cannot download linux-image-$release=$version"
	fi
	dpkg-deb -x "$temporary"/*.deb "$temporary"
	rm "$temporary"/*.deb
	depmod -b "$temporary" "$release"
	chmod 755 "$temporary"
	touch "$temporary/complete"
	rm -rf "$image"
	mv "$temporary" "$image"
}

unpack_source() {
	source=$(rig_source)
	[ ! -e "$source/MAINTAINERS" ] || return 0
	echo "unpacking linux-source-6.1" >&2
	temporary=$(mktemp -d "$rig_cache/source.XXXXXX")
	tar -xJf /usr/src/linux-source-6.1.tar.xz -C "$temporary" --strip-components=1
	mv "$temporary" "$source"
}

mkdir -p "$rig_cache" 2>/dev/null || rig_die "cannot write $rig_cache: set VRSEQ_CACHE"
# shellcheck disable=SC2046
install_missing $(for part; do packages "$part"; done | tr ' ' '\n' | sort -u)

exec 9>"$rig_cache/lock"
flock 9
for part; do
	case $part in
	lint) unpack_source ;;
	qemu)
		fetch_image 6.1
		fetch_image 6.12
		;;
	kcsan)
		unpack_source
		"$(dirname "$0")/kcsan/build.sh" >/dev/null 9>&-
		;;
	uml)
		unpack_source
		"$(dirname "$0")/uml/build.sh" >/dev/null 9>&-
		;;
	uml-native)
		unpack_source
		"$(dirname "$0")/uml/build.sh" native >/dev/null 9>&-
		;;
	esac
done
