#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: netns.sh KVER...	run.sh in a guest of each kernel, each one subtest. TEST, SEEDS, FIRST.
top=$(cd "$(dirname "$0")/../.." && pwd)
failed=0
count=0

echo "TAP version 13"
echo "1..$#"
for kver; do
	count=$((count + 1))
	echo "# Subtest: netns on $kver"
	"$top/selftests/qemu/guest.sh" -k "$kver" -t 900 -e "TEST=${TEST:-}" -e "SEEDS=${SEEDS:-}" \
		-e "FIRST=${FIRST:-}" "$top/selftests/netns/run.sh" >"$top/build/netns-$kver.tap" 2>&1
	status=$?
	sed 's/^/    /' "$top/build/netns-$kver.tap"
	if [ "$status" = 0 ]; then
		echo "ok $count - netns on $kver"
	else
		echo "not ok $count - netns on $kver"
		echo "# the guest's exit status was $status"
		failed=1
	fi
done
exit $failed
