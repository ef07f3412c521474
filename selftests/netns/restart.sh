# SPDX-License-Identifier: GPL-2.0
# Members that lose their memory, or fall behind, and how they get it back; and what is left when
# too many have lost it. Sourced by run.sh.

# Longest a member may take to be well again, on a slow guest.
recovery_s=10

# Clients that never rest long, in all the ways there are to be interrupted.
busy_options='-t 2 -i 400 -x 5 -p 80000'

work_everywhere() {
	local n

	for n in $members; do
		member_work "$n"
	done
}

# Over and over, each member in turn, both when it can hand over and when it cannot.
restarts_under_load() {
	local i victim before took slowest=0 unseen

	cluster_formed 3
	work_options=$busy_options
	work_everywhere
	for i in $(seq "${RESTARTS:-15}"); do
		victim=$((1 + i % 3))
		unseen=
		[ $((i % 2)) = 0 ] || unseen=unseen
		restart "$victim" $unseen
		before=$(now_ms)
		eventually "$recovery_s" is_well "$victim"
		took=$(($(now_ms) - before))
		[ "$took" -le "$slowest" ] || slowest=$took
	done
	for n in $members; do
		$vrseq -n "vr$n" counter next timeout "${recovery_s}s" survived >/dev/null
	done
	status_of 1
	note "$restarts restarts, the slowest member well again $slowest ms after, view $s_view"
	work_end
}

# One more restart while the first one's memory is not back, but not more than f at once.
five_two_restart() {
	cluster_formed 5
	work_options=$busy_options
	work_everywhere
	sleep 0.5
	for _ in 1 2 3; do
		restart 1 unseen
		restart 4 unseen
		eventually "$recovery_s" is_well 1
		eventually "$recovery_s" is_well 4
		restart 2
		restart 5
		eventually "$recovery_s" is_well 2
		eventually "$recovery_s" is_well 5
	done
	work_end
}

# Clients of every kind for some seconds at N: nothing may be acknowledged.
nothing_applied() { # N...
	local n count

	for n; do
		client_last=$((client_last + 1))
		count=$("$programs/lin_client" -n "vr$n" -g t -o "$history/c$client_last" \
			-c "$client_last" -t 2 -d 3 -m 0 -p 20000 -D 1000 |
			sed 's/.* applied \([0-9]*\).*/\1/')
		[ "$count" = 0 ] || fail "member $n acknowledged $count operations"
	done
}

# Two of three are out of reach: the survivor refuses, and nothing else is ever said.
two_cut_off() {
	local survivor

	cluster_formed 3
	work_options=$busy_options
	work_everywhere
	sleep 1
	for survivor in 1 2 3; do
		# shellcheck disable=SC2046
		cut $(others "$survivor")
		refused_without_quorum "$survivor"
		eventually "$failover_s" no_quorum "$survivor"
		nothing_applied "$survivor"
		# shellcheck disable=SC2086
		heal $members
		for n in $members; do
			eventually "$recovery_s" is_well "$n"
			$vrseq -n "vr$n" counter next timeout "${failover_s}s" back >/dev/null
		done
	done
	work_end
}

# What the tool says of ENOTRECOVERABLE is exit code 7.
refused_in_amnesia() { # N
	local status=0

	$vrseq -n "vr$1" counter next timeout 5s 2>/run/refused || status=$?
	note "refused at member $1: $(cat /run/refused)"
	[ "$status" = 7 ]
	status=0
	$vrseq -n "vr$1" health >/run/health || status=$?
	note "health at member $1: $(cat /run/health)"
	[ "$status" = 7 ]
}

# Two of three lose their memory at once: what they had promised is gone for good.
two_forget() {
	local survivor largest

	cluster_formed 3
	work_options=$busy_options
	work_everywhere
	sleep 1
	survivor=$(primary)
	# shellcheck disable=SC2046
	set -- $(others "$survivor")
	for n; do
		work_kill "$n"
	done
	cut "$@"
	for n; do
		eventually 5 $vrseq -n "vr$n" group del t
	done
	for n; do
		member_up "$n"
	done
	heal "$@"
	for n; do
		eventually "$recovery_s" is "$n" state 6
		refused_in_amnesia "$n"
	done
	refused_without_quorum "$survivor"
	work_kill "$survivor"
	nothing_applied $members
	# All that was said before was true, and still is.
	"$programs/lin_check" "$history"/*

	# The way out: all of it away, and a new generation.
	largest=$(status_of "$survivor" && echo "$s_op")
	for n in $members; do
		eventually 5 $vrseq -n "vr$n" group del t
	done
	for n in $members; do
		member_up "$n"
	done
	$vrseq -n vr2 group form t generation 1
	for n in $members; do
		eventually "$recovery_s" is_well "$n"
		[ "$(next "$n")" -gt $((1 << 48)) ]
		[ "$(next "$n")" -gt "$largest" ]
	done
}

# A majority keeps its memory, and that is enough to vote with again.
memory_back() {
	cluster_formed 3
	[ "$(next 1)" = 1 ]
	eventually 5 $vrseq -n vr3 group del t
	member_up 3
	eventually "$recovery_s" is_well 3
	[ "$(next 3)" = 2 ]
	# It counts again: with one more gone there still is a majority.
	cut 2
	$vrseq -n vr1 counter next timeout "${failover_s}s" >/dev/null
	[ "$(next 3)" = 4 ]
	[ "$($vrseq -n vr3 counter get)" = 4 ]
	heal 2
	eventually 5 converged $members
}

commit_beyond() { # N COMMIT
	status_of "$1" && [ "$s_commit" -ge "$2" ]
}

# What the reader of $victim was told at last, or that it was told it lost.
reader_told() {
	"$programs/lin_check" -d "$history/r$victim" | grep "^reader"
}

reader_lost() {
	reader_told | sed -n 's/.*told it lost \([0-9]*\)\.\.\([0-9]*\).*/\1 \2/p'
}

reader_is_at() { # SEQUENCE
	reader_told | tail -n 1 | grep -qE "(sequence |lost .*\.\.)$1\b"
}

# Sets $victim, which will fall behind, and $ahead.
group_at_work() { # OPTIONS
	GROUP_OPTIONS="heartbeat 20ms view-timeout 200ms log-entries 256 $*"
	cluster_formed 3
	work_options='-t 2 -a 50 -p 5000'
	work_everywhere
	victim=$(others "$(primary)" | tail -n 1)
	ahead=$(others "$victim" | head -n 1)
	eventually 10 commit_beyond "$victim" 100
}

# Cut off until it is behind by more than any log keeps: it will need a checkpoint.
fall_behind() {
	cut "$victim"
	eventually "$failover_s" no_quorum "$victim"
	status_of "$victim"
	eventually 60 commit_beyond "$ahead" $((s_commit + 1000))
}

victim_back() {
	heal "$victim"
	eventually "$recovery_s" is_well "$victim"
	$vrseq -n "vr$victim" counter next timeout "${failover_s}s" after >/dev/null
}

# The messages are in the checkpoint.
left_behind() {
	local victim ahead

	group_at_work
	fall_behind
	victim_back
	work_end
	[ -z "$(reader_lost)" ]
}

# Nobody keeps so many messages. A reader that looks only when all has come is told once, exactly
# what is not there any more; one that looks all the time is told as often as it is overrun, and
# what it read and what it was told make up all there is: lin_check sees to that.
left_far_behind() {
	local victim ahead last first told

	group_at_work messages 128
	writers_end "$victim"
	fall_behind
	last=$(sequence_last "$victim")
	eventually "$recovery_s" reader_is_at "$last"
	kill -STOP "${reader[$victim]}"
	told=$(reader_lost | wc -l)
	writers_end
	victim_back
	# shellcheck disable=SC2086
	eventually "$recovery_s" converged $members
	status_of "$victim"
	first=$s_sequence_first
	kill -CONT "${reader[$victim]}"
	eventually "$recovery_s" reader_is_at "$s_sequence_last"
	note "had read up to $last, there is $first..$s_sequence_last; was told" \
		"$(reader_lost | tail -n "+$((told + 1))")"
	[ "$(reader_lost | tail -n "+$((told + 1))")" = "$((last + 1)) $((first - 1))" ]
	[ $((first - last)) -gt 200 ]
	[ $((s_sequence_last - first)) = 127 ]
	is "$ahead" sequence_first "$first"

	told=$(reader_lost | wc -l)
	for n in $members; do
		member_write "$n"
	done
	fall_behind
	victim_back
	work_end
	note "and under load: $(reader_lost | tail -n "+$((told + 1))" | tr '\n' ';')"
	[ "$(reader_lost | wc -l)" -gt "$told" ]
}
