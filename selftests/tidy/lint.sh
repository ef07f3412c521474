#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: lint.sh [KVER...] - everything that reads the source, as TAP: each finding fails its test.
. "$(dirname "$0")/../rig.sh"
cd "$(dirname "$0")/../.." || exit
tidy=selftests/tidy

[ $# -gt 0 ] || set -- 6.1 6.12
work=$(mktemp -d)
unset MAKEFLAGS MFLAGS MAKELEVEL
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# A test passes if its command prints nothing and does not fail.
silent() {
	local name=$1 status
	shift
	"$@" >"$work/output" 2>&1
	status=$?
	count=$((count + 1))
	if [ $status = 0 ] && [ ! -s "$work/output" ]; then
		echo "ok $count - $name"
	else
		failed=1
		sed 's/^/# /' "$work/output"
		echo "not ok $count - $name"
	fi
}

# Everything anew: what was built before gave its warnings then.
module() {
	local farm=build/lint-$1
	rm -rf "$farm"
	selftests/farm.sh "$farm" Kbuild kmod/*.[ch] kmod/core/*.[ch] uapi/linux/*.h
	make -s -C "$(rig_headers "$1")" M="$PWD/$farm" W=1 C=2 CONFIG_DEBUG_INFO_BTF_MODULES= \
		-j"$(nproc)" modules
	rm -rf "$farm"
}

files() {
	git ls-files --cached --others --exclude-standard -- "$@" |
		grep -vxE 'selftests/lib/kselftest(_harness)?\.h'
}

# A message stays in one piece even if it is long, so that it can be searched for.
ignore=LONG_LINE_STRING
# BIT() is not for uapi, nor in userspace.
ignore_uapi=$ignore,BIT_MACRO
# Userspace has stdint's names and no __printf; what a signal handler sets is volatile; a test
# states expected text line by line, and its macros take no arguments with side effects; the
# standard spells static_assert in camels.
ignore_user=$ignore_uapi,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE
ignore_user=$ignore_user,SPLIT_STRING,STRING_FRAGMENTS,MACRO_ARG_REUSE,CAMELCASE

checkpatch() {
	local types=$1
	shift
	# shellcheck disable=SC2046
	perl "$(rig_source)/scripts/checkpatch.pl" --no-tree --strict --terse --show-types \
		--no-summary --ignore "$types" --file $(files "$@")
	rm -f .checkpatch-camelcase.*
}

compiles() {
	local file
	for file in $(files '*.py'); do
		python3 -c "compile(open('$file').read(), '$file', 'exec')"
	done
	for file in $(files '*.sh'); do
		bash -n "$file"
	done
}

userspace() {
	gcc -std=gnu11 -O2 -Wall -Wextra -Iuapi -Iuserspace/libvrseq -Ikmod/core \
		-fsyntax-only \
		$(files 'userspace/*.c' ':!userspace/examples')
}

manuals() {
	mandoc -T lint -W warning $(files 'userspace/man/*.[1-9]')
}

echo "1..$(($# + 7))"
for kver; do
	silent "Linux $kver: the module, W=1 and sparse" module "$kver"
done
# vr_platform.h makes the kernel's names for types out of userspace's.
silent "checkpatch --strict: kmod" checkpatch $ignore 'kmod/*.[ch]' ':!kmod/core/vr_platform.h'
silent "checkpatch --strict: uapi" checkpatch $ignore_uapi 'uapi/*.h'
silent "checkpatch --strict: the rest" checkpatch "$ignore_user" \
	'userspace/*.[ch]' 'selftests/*.[ch]' kmod/core/vr_platform.h
silent "the library and the tool compile without a warning" userspace
silent "manual pages" manuals
silent "scripts parse" compiles
count=$((count + 1))
{
	python3 $tidy/tidy_test.py && python3 $tidy/tally_test.py
} >"$work/output" 2>&1 && echo "ok $count - the checks themselves" || {
	failed=1
	sed 's/^/# /' "$work/output"
	echo "not ok $count - the checks themselves"
}
python3 $tidy/tidy.py || failed=1
exit $failed
