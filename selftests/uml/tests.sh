#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: tests.sh TEST... - each in a UML kernel of its own; prints TAP, fails if one does.
#
# A kernel in virtual time uses one processor, and never waits: an hour of that runs side by side
# with the other one, once the rest is through.
cd "$(dirname "$0")/../.." || exit
status=0
later=

run() { # TEST
	case $1 in
	delays_of_* | hand_over | crash | storm_of_*)
		set -- "$1" --time-travel -t $((2400 * ${SEEDS:-1})) selftests/uml/virtual.sh ;;
	netns_deleted | unload_* | del_*)
		set -- "$1" selftests/lifetime/run.sh ;;
	*)
		set -- "$1" selftests/netns/run.sh ;;
	esac
	TEST=$1 selftests/uml/run.sh "${@:2}"
}

for test; do
	case $test in
	storm_of_*) later="$later $test" ;;
	*) run "$test" || status=1 ;;
	esac
done
trap 'trap - TERM; kill 0' INT TERM
for test in $later; do
	run "$test" >"build/uml-$test.tap" 2>&1 &
done
for test in $later; do
	wait -n || status=1
done
for test in $later; do
	cat "build/uml-$test.tap"
done
exit $status
