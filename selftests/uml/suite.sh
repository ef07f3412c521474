#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: suite.sh PART... - parts of the functional suite, each in a UML kernel of its own; prints
# TAP, fails if one does. SECONDS=n for each fuzzer. A part also fails when all its tests passed,
# but something was lost or the kernel complained; or when it has none.
span=$SECONDS
cd "$(dirname "$0")/../.." || exit
failed=0
count=0

# What became of the tests in a log: "N passed, N failed, N skipped"
tally() { # LOG
	awk '/^ok [0-9]+ .*# SKIP/ { skipped++; next } /^ok [0-9]/ { passed++ }
		/^not ok [0-9]/ { failed++ }
		END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$1"
}

mkdir -p build/uml-suite
echo "TAP version 13"
echo "1..$#"
for part; do
	count=$((count + 1))
	log=build/uml-suite/$part.log
	begin=$SECONDS
	# One test of chardev wants more memory than there is.
	[ "$part" = chardev ] && memory=448M || memory=2G
	# A kernel that checks each access is slow: so many clients would not be heard in time.
	SECONDS=$span CROWD=${CROWD:-50} selftests/uml/run.sh -t 7200 -m "$memory" \
		"selftests/$part/run.sh" 2>&1 |
		tee "$log" | sed -u 's/^/    /'
	status=${PIPESTATUS[0]}
	became=$(tally "$log")
	note="$became in $((SECONDS - begin)) s, exit status $status: $log"
	case $became in
	"0 passed, "*) status=1 ;;
	esac
	if [ "$status" = 0 ]; then
		echo "ok $count - $part: $note"
	else
		echo "not ok $count - $part: $note"
		failed=1
	fi
done
exit $failed
