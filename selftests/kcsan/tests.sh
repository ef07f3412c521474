#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: tests.sh TEST... - tests of netns and lifetime, each in a guest of two processors whose
# kernel looks for data races in the module; prints TAP, fails if one does, or races.
cd "$(dirname "$0")/../.." || exit
failed=0
count=0

echo "TAP version 13"
echo "1..$#"
for test; do
	case $test in
	kill_clients | unload_* | del_*) part=lifetime ;;
	journal_*) part=durable ;;
	*) part=netns ;;
	esac
	count=$((count + 1))
	if selftests/qemu/guest.sh -k kcsan -m 1G -s 2 -n -t 900 -e "TEST=$test" \
		"selftests/$part/run.sh" 2>&1 | sed 's/^/    /'; [ "${PIPESTATUS[0]}" = 0 ]; then
		echo "ok $count - $test, and no race"
	else
		echo "not ok $count - $test, and no race"
		failed=1
	fi
done
exit $failed
