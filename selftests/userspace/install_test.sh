#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What `make install` lays out is complete and works from there: a program is built with nothing but
# pkg-config, and every page, header and example has come along. Knows no module.
#
# usage: install_test.sh

. "$(dirname "$0")/../lib/ktap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

installs() {
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$top" install "DESTDIR=$root" PREFIX=/usr
}

pages() {
	local page section

	for page in "$top"/userspace/man/*.[1-9]; do
		section=${page##*.}
		cmp "$page" "$root/usr/share/man/man$section/${page##*/}"
	done
}

# The Python package works from where it lies, and finds that it has no module.
python() {
	local says

	[ ! -e /dev/vrseq ] || skip "the module is loaded"
	says=$(VRSEQ_LIBRARY=$root/usr/lib/libvrseq.so.0 PYTHONDONTWRITEBYTECODE=1 \
		PYTHONPATH=$root/usr/share/doc/vrseq/python \
		python3 -c 'import vrseq; vrseq.Session()' 2>&1) && fail "no error"
	[ "${says##*$'\n'}" = "vrseq.Error: [Errno 2] There is no such thing" ] || fail "$says"
}

flags() {
	PKG_CONFIG_PATH=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root pkg-config "$@" vrseq
}

# The program of libvrseq(3): it ends with a sentence where there is no module.
program() {
	local says status=0

	sed -n '/^#include <err.h>/,/^\.Ed/p' "$root/usr/share/man/man3/libvrseq.3" |
		sed 's/^\.Ed$//; s/\\e/\\/g' >"$root/program.c"
	# shellcheck disable=SC2046
	cc -Wall -Wextra -Werror $(flags --cflags) -o "$root/program" "$root/program.c" \
		$(flags --libs)
	grep -qx "PACKAGE_VERSION=\"$(flags --modversion)\"" "$top/dkms.conf"
	[ ! -e /dev/vrseq ] || return 0
	says=$(LD_LIBRARY_PATH=$root/usr/lib "$root/program" 2>&1) || status=$?
	[ $status = 1 ] && [ "$says" = "program: open: There is no such thing" ] ||
		fail "$status: $says"
}

# Each exported symbol has a version, and nothing else is exported.
versions() {
	local symbols

	symbols=$(nm -D --defined-only "$root/usr/lib/libvrseq.so.0" | sed 's/.* //')
	! echo "$symbols" | grep -vE '^(vrseq_[a-z_]+@@LIBVRSEQ_0|LIBVRSEQ_0)$' ||
		fail "exported without a version, or by accident"
	[ "$(echo "$symbols" | grep -c '@@')" = "$(grep -c '^	vrseq_' \
		"$top/userspace/libvrseq/libvrseq.map")" ]
}

# Who may open the device: root and a Unix group that is made for it.
device() {
	local rule=$root/usr/lib/udev/rules.d/60-vrseq.rules
	local users=$root/usr/lib/sysusers.d/vrseq.conf

	grep -v '^#' "$rule" | tee "$root/rule"
	[ "$(wc -l <"$root/rule")" = 1 ]
	grep -q '^KERNEL=="vrseq|vrseq-raw", SUBSYSTEM=="misc"' "$root/rule"
	grep -q 'GROUP="vrseq"' "$root/rule"
	grep -q 'MODE="0660"' "$root/rule"
	grep -qx 'g vrseq -' "$users"
}

ktap_begin
ktap_run installs "make install into a directory"
ktap_run pages "every manual page is there"
ktap_run program "a program builds with pkg-config, and runs"
ktap_run device "the device is for root and the group vrseq"
ktap_run versions "every symbol has its version"
ktap_run python "the Python package"
ktap_end
