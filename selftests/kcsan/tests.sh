#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: tests.sh TEST... - tests of the functional suite, each in a guest of two processors whose
# kernel looks for data races in the module; prints TAP, fails if one does, or races.
# planted_race: that it would. SECONDS=n for each fuzzer.
span=$SECONDS
cd "$(dirname "$0")/../.." || exit
failed=0
count=0

guest() { # ARGS
	selftests/qemu/guest.sh -k kcsan -m 1G -s 2 -n -t 900 "$@" 2>&1 | sed 's/^/    /'
	return "${PIPESTATUS[0]}"
}

# The guest has to end badly, and to say why; and not because two threads share something.
planted_race() {
	local said

	guest selftests/kcsan/planted.sh marked || return
	if said=$(guest selftests/kcsan/planted.sh race); then
		echo "    # nobody saw the race"
		return 1
	fi
	grep 'BUG: KCSAN: data-race in .*planted_read' <<<"$said" || {
		echo "$said"
		return 1
	}
}

run() { # TEST
	local part=netns

	case $1 in
	planted_race)
		planted_race
		return
		;;
	kill_clients | unload_* | del_*) part=lifetime ;;
	journal_*) part=durable ;;
	file_of_* | netlink_* | junk) part=hostile ;;
	ring | uring | crowd) part=chardev ;;
	esac
	guest -e "TEST=$1" -e "SECONDS=$span" "selftests/$part/run.sh"
}

property() { # TEST
	case $1 in
	planted_race) echo "$1: a race is seen that was planted, and makes a guest fail" ;;
	*) echo "$1, and no race" ;;
	esac
}

echo "TAP version 13"
echo "1..$#"
for test; do
	count=$((count + 1))
	if run "$test"; then
		echo "ok $count - $(property "$test")"
	else
		echo "not ok $count - $(property "$test")"
		failed=1
	fi
done
exit $failed
