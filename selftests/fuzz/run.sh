#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: run.sh SECONDS DIR TARGET... - each fuzzer for so long, as TAP, beginning with
# DIR/seeds/TARGET. What it finds stays in DIR/found/TARGET: a crash is replayed by giving the file
# to the program.
set -u
seconds=$1
dir=$2
shift 2

echo "TAP version 13"
echo "1..$#"
number=0
failed=0
for target; do
	number=$((number + 1))
	found=$dir/found/$target
	log=$dir/$target.log
	mkdir -p "$found"
	"$dir/$target" -max_total_time="$seconds" -max_len=1500 -timeout=20 -rss_limit_mb=1500 \
		-print_final_stats=1 -artifact_prefix="$found/" "$found" "$dir/seeds/$target" \
		>"$log" 2>&1
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
	grep -o 'INFO: Seed: [0-9]*' "$log" | sed 's/^INFO:/#/'
	echo "# ${runs:-0} runs, $(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
	# A fuzzer that ran next to nothing has shown nothing.
	if [ $status = 0 ] && [ "${runs:-0}" -ge 500 ]; then
		echo "ok $number - $target: nothing breaks in $seconds s"
	else
		tail -n 40 "$log" | sed 's/^/# /'
		echo "not ok $number - $target: nothing breaks in $seconds s"
		failed=1
	fi
done
exit $failed
