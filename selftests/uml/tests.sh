#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: tests.sh TEST... - each in a UML kernel of its own; prints TAP, fails if one does.
#
# A kernel in virtual time keeps one processor busy, and an hour of it takes longer than all the
# rest: that runs beside the others.
cd "$(dirname "$0")/../.." || exit
status=0
hour=

run() { # TEST
	case $1 in
	delays_of_* | hand_over | crash | storm_of_*)
		set -- "$1" --time-travel -t $((1200 * ${SEEDS:-1})) selftests/uml/virtual.sh ;;
	planted_faults | load_unload | fail_load | fail_calls | starved)
		set -- "$1" -t 900 selftests/uml/memory.sh ;;
	netns_deleted | unload_* | del_*)
		set -- "$1" selftests/lifetime/run.sh ;;
	*)
		set -- "$1" selftests/netns/run.sh ;;
	esac
	TEST=$1 selftests/uml/run.sh "${@:2}" && return
	# Also when all that ran in it went well: something was lost, or the kernel complained.
	printf '1..1\nnot ok 1 - %s: its guest ended with %s\n' "$1" $?
	return 1
}

trap 'trap - TERM; kill 0' INT TERM
for test; do
	if [ "$test" = storm_of_three ]; then
		run "$test" >build/uml-hour.tap 2>&1 &
		hour=$!
	fi
done
for test; do
	[ "$test" = storm_of_three ] || run "$test" || status=1
done
if [ -n "$hour" ]; then
	wait "$hour" || status=1
	cat build/uml-hour.tap
fi
exit $status
