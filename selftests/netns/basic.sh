# SPDX-License-Identifier: GPL-2.0
# What a healthy cluster does. Sourced by run.sh.

# All at once from every member: $1 numbers each. Prints them.
draw_everywhere() { # COUNT
	local n pids='' pid

	for n in $members; do
		for _ in $(seq "$1"); do
			next "$n"
		done >"$history/drawn$n" &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid"
	done
	cat "$history"/drawn*
}

tokens() {
	local drawn

	cluster_formed 3
	history=$(mktemp -d /run/history.XXXXXX)
	drawn=$(draw_everywhere 8)
	[ "$(echo "$drawn" | wc -l)" = 24 ]
	# Nothing else drew: 24 tokens are 1 to 24, and each member's own only ascend.
	diff <(echo "$drawn" | sort -n) <(seq 24)
	for n in $members; do
		sort -nc "$history/drawn$n"
	done
	rm "$history"/drawn*
	for n in $members; do
		load "$n" -t 2 -N 100 -i 50
	done
	load_wait
	initial=24
	check_history
}

logs() {
	cluster_formed 3
	for n in $members; do
		for i in 1 2 3; do
			$vrseq -n "vr$n" log append "from $n: $i" >/dev/null
		done &
	done
	wait
	for n in $members; do
		eventually 5 is "$n" sequence_last 9
		$vrseq -n "vr$n" log tail >/run/tail"$n"
		[ "$(wc -l </run/tail"$n")" = 9 ]
		cmp /run/tail1 /run/tail"$n"
	done
	converged 1 2 3
}

five() {
	cluster_formed 5
	for n in $members; do
		load "$n" -t 2 -N 50 -a 40
	done
	load_wait
	check_history
}

alone() {
	cluster_formed 1
	[ "$(next 1)" = 1 ]
	[ "$(next 1 count 10)" = "2 11" ]
	[ "$(next 1)" = 12 ]
	[ "$($vrseq -n vr1 counter get)" = 12 ]
	load 1 -t 4 -N 200 -i 20
	load_wait
	initial=12
	check_history
}

named() {
	cluster_formed 3
	[ "$(next 1 apples)" = 1 ]
	[ "$(next 2 apples)" = 2 ]
	[ "$(next 3 pears)" = 1 ]
	[ "$(next 3)" = 1 ]
	[ "$($vrseq -n vr2 counter get apples)" = 2 ]
	[ "$($vrseq -n vr1 counter get pears)" = 1 ]
	[ "$($vrseq -n vr1 counter get nothing)" = 0 ]
}
