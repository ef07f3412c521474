#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: run.sh SECONDS DIR TARGET... - each fuzzer for so long, as many side by side as there are
# processors, as TAP. First each file of regress/TARGET, which crashed it once; then on from
# corpus/TARGET. What is worth keeping goes to DIR/new/TARGET, for merge.sh and the next run, and
# what crashes to DIR/found/TARGET: it is replayed by giving the file to the program.
set -u
seconds=$1
dir=$2
shift 2
here=$(dirname "$0")
limits="-timeout=20 -rss_limit_mb=1500"

fuzz()
{
	local target=$1 new=$dir/new/$1 found=$dir/found/$1

	mkdir -p "$new" "$found"
	if compgen -G "$here/regress/$target/*" >/dev/null; then
		"$dir/$target" $limits "$here/regress/$target"/* || return
	fi
	"$dir/$target" $limits -max_total_time="$seconds" -max_len=1500 -print_final_stats=1 \
		-artifact_prefix="$found/" "$new" "$here/corpus/$target"
}

# What did not hold, and the input: a machine that is gone cannot be asked for the file.
crash()
{
	local target=$1 file

	tail -n 40 "$dir/$target.log"
	for file in "$dir/found/$target"/*; do
		[ "$file" -nt "$dir/$target.begun" ] || continue
		echo "input: base64 -d <<<$(base64 -w 0 "$file") >FILE; $dir/$target FILE"
	done
	grep -a -h -A 2 -e 'not so:' -e '^==.*ERROR' -e 'runtime error' "$dir/$target.log"
}

echo "TAP version 13"
echo "1..$#"
running=0
for target; do
	if [ $running -ge "$(nproc)" ]; then
		wait -n
		running=$((running - 1))
	fi
	: >"$dir/$target.begun"
	(fuzz "$target" >"$dir/$target.log" 2>&1; echo $? >"$dir/$target.status") &
	running=$((running + 1))
done
wait

number=0
failed=0
for target; do
	number=$((number + 1))
	log=$dir/$target.log
	runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
	grep -o 'INFO: Seed: [0-9]*' "$log" | tail -n 1 | sed 's/^INFO:/#/'
	echo "# ${runs:-0} runs, $(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
	# A fuzzer that ran next to nothing has shown nothing.
	if [ "$(cat "$dir/$target.status")" = 0 ] && [ "${runs:-0}" -ge 500 ]; then
		echo "ok $number - $target: nothing breaks in $seconds s"
	else
		crash "$target" | sed 's/^/# /'
		echo "not ok $number - $target: nothing breaks in $seconds s"
		failed=1
	fi
done
exit $failed
