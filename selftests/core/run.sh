#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: run.sh PROGRAM... - runs each as a subtest of one TAP plan. TEST=WORD: only cases with WORD
# in their names.
set -u -o pipefail

echo "TAP version 13"
echo "1..$#"
number=0
status=0
for program; do
	number=$((number + 1))
	if "$program" "${TEST-}" 2>&1 | sed 's/^/    /'; then
		echo "ok $number - $(basename "$program")"
	else
		echo "not ok $number - $(basename "$program")"
		status=1
	fi
done
exit $status
