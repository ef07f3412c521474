#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: guests.sh PART KVER...
# Runs selftests/PART/run.sh in a guest of each kernel, one subtest each.
# TEST, SEEDS and FIRST go in.
top=$(cd "$(dirname "$0")/../.." && pwd)
part=$1
shift
failed=0
count=0
memory=1G
[ "$part" != chardev ] || memory=256M # one test wants more than there is

echo "TAP version 13"
echo "1..$#"
for kver; do
	count=$((count + 1))
	tap=$top/build/$part-$kver.tap
	echo "# Subtest: $part on $kver"
	"$top/selftests/qemu/guest.sh" -k "$kver" -m "$memory" -t 900 -e "TEST=${TEST:-}" \
		-e "SEEDS=${SEEDS:-}" -e "FIRST=${FIRST:-}" \
		"$top/selftests/$part/run.sh" >"$tap.new" 2>&1
	status=$?
	mv "$tap.new" "$tap"
	sed 's/^/    /' "$tap"
	if [ "$status" = 0 ]; then
		echo "ok $count - $part on $kver"
	else
		echo "not ok $count - $part on $kver"
		echo "# the guest's exit status was $status"
		failed=1
	fi
done
exit $failed
