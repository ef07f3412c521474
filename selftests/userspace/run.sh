#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the tool and the library on the module, where a played device cannot tell: what
# a member says while it hands over, forgets, and remembers. Knows three members in one kernel.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"

out=/run/tool.out

# Runs the tool at member N: its exit code has to be CODE; all it says goes to $out.
says() { # N CODE ARGUMENTS...
	local n=$1 want=$2 status=0

	shift 2
	$vrseq -n "vr$n" "$@" >$out 2>&1 || status=$?
	[ "$status" = "$want" ] || fail "exit code $status, not $want: $* ($(cat $out))"
}

value() { # N KEY (of the group: its members come behind)
	$vrseq -j -n "vr$1" group show t | grep -o "\"$2\":[^,}]*" | sed 's/.*://;q'
}

handle() {
	cluster_formed 3
	OPEN_IN=vr2 "$programs/handle"
}

# Far apart: 50 ms to the other members and back.
parallel() {
	local n

	GROUP_OPTIONS="heartbeat 100ms view-timeout 2s" cluster_formed 3
	for n in $members; do
		netem "$n" delay 25ms
	done
	OPEN_IN=vr$(primary) DELAY_NS=25000000 "$programs/handle"
}

modes() {
	local mode n

	cluster_up 3 lease 90ms
	cluster_form
	[ "$(value 1 lease_ns)" = 90000000 ]
	[ "$(next 1)" = 1 ]
	for n in $members; do
		for mode in log index lease; do
			says "$n" 0 counter get mode $mode
			[ "$(cat $out)" = 1 ] || fail "member $n, $mode: $(cat $out)"
		done
		says "$n" 0 -j counter get mode local
		grep -Eq '"value":[01],.*"mode":"local","age_ns":[0-9]+}$' $out ||
			fail "$(cat $out)"
	done
}

# A lease that is too long is refused by the kernel, with its sentence.
lease_refused() {
	links_up 1
	says 1 1 group add t self 1 listen 10.77.0.1:7400 insecure \
		view-timeout 200ms lease 101ms
	grep -q 'half of the view timeout' $out || fail "$(cat $out)"
}

resign() {
	local old

	cluster_formed 3
	old=$(primary)
	says "$old" 0 group resign t
	eventually 5 has_other_primary 1 "$old"
	says "$old" 0 health
	[ "$(value "$old" incarnation)" = 1 ]
	[ "$(next "$old")" = 1 ]
	# who leads nobody has nothing to do
	says "$old" 0 group resign t
	says 1 6 group resign no-such-group
}

# With the others behind a cut it recovers and cannot; healed, it comes back by itself.
recovering() {
	local lost=3 other=1

	cluster_formed 3
	[ "$(next $other)" = 1 ]
	$vrseq -n vr$lost group del t
	eventually 10 has_other_primary $other $lost
	[ "$(next $other)" = 2 ]
	deafen_to $lost 2
	member_up $lost
	eventually 10 is $lost state 4
	says $lost 6 health
	says $lost 0 group show t
	grep -q 'RECOVERING' $out || fail "$(cat $out)"
	says $lost 6 counter next timeout 0
	grep -q 'gets its memory back' $out || fail "$(cat $out)"
	heal $lost
	eventually 10 is $lost state 2
	eventually 10 has_quorum $lost
	says $lost 0 health
	[ "$(value $lost recoveries)" = 1 ]
	[ "$(value $lost incarnation)" = 2 ]
	says $lost 0 group show t
	grep -q 'life 2 .*here' $out || fail "$(cat $out)"
	[ "$(next $lost)" -gt 2 ]
}

amnesia() {
	local n

	cluster_formed 3
	[ "$(next 1)" = 1 ]
	cut 1 2 3
	for n in 2 3; do
		$vrseq -n "vr$n" group del t
		member_up "$n"
	done
	heal 1 2 3
	for n in 2 3; do
		eventually 15 is "$n" state 6
		says "$n" 7 health
		grep -q '^amnesia: no memory at member 2, 3' $out || fail "$(cat $out)"
		says "$n" 7 counter next
		says "$n" 7 log tail
	done
	says 1 3 health
}

# All there is to count, of one group and of all.
stats() {
	local name

	cluster_formed 3
	says 1 0 stats group t
	for name in recoveries checkpoints transfers sent_recovery received_recovery_response \
		sent_get_index received_new_index sent_ping received_pong sent_get_checkpoint \
		received_checkpoint drop_incarnation drop_promise drop_checkpoint \
		reader_overrun; do
		grep -Eq "^  $name +[0-9]+\$" $out || fail "no $name: $(cat $out)"
	done
	grep -Eq '^  sent_ping +[1-9]' $out || fail "$(cat $out)"
	says 1 0 -j stats
	[ "$(grep -o '"[a-z_]*":[0-9]' $out | wc -l)" -gt 60 ] || fail "$(cat $out)"
}

number() { # KEY (in $out)
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" $out
}

bench() {
	local kind before

	cluster_formed 3
	before=$(next 1)
	for kind in next append tail; do
		says 2 0 -j bench $kind duration 1s threads 3
		[ "$(number operations)" -ge 3 ] || fail "$(cat $out)"
		[ "$(number elapsed_ns)" -ge 1000000000 ] || fail "$(cat $out)"
		[ "$(number min_ns)" -ge 1000 ] || fail "$(cat $out)"
		[ "$(number max_ns)" -ge "$(number p999_ns)" ] || fail "$(cat $out)"
	done
	# the reader got all there was: counted by those who appended, and by the log
	[ "$(number lost)" = 0 ] || fail "$(cat $out)"
	says 2 0 bench next apples count 10 duration 200ms
	grep -q '10 numbers each' $out || fail "$(cat $out)"
	# the group's own counter is nobody's to bench
	[ "$(next 1)" = $((before + 1)) ]
}

status() {
	cluster_formed 3
	says 1 0 log append hello
	says 1 0 status
	grep -q '^t: READY: member . is primary of view' $out || fail "$(cat $out)"
	grep -Eq '^  members 1.* here.*, 2.*, 3.*; quorum 2$' $out || fail "$(cat $out)"
	grep -Eq '^  commit [1-9][0-9]*, 0 open files, messages 1 to 1$' $out ||
		fail "$(cat $out)"
	says 1 0 -j status
	[ "$(jq -r '.[0] | "\(.name) \(.ready) \(.members | length) \(.sequence_last)"' $out)" = \
		"t true 3 1" ] || fail "$(cat $out)"
	[ "$(jq -c '[.[0].members[].silent]' $out)" = "[false,false,false]" ]
	cut 2 3
	eventually 10 no_quorum 1
	says 1 3 status group t
	grep -q '^t: NO QUORUM' $out || fail "$(cat $out)"
	grep -Eq '2[a-z ]* SILENT for .*3[a-z ]* SILENT for ' $out || fail "$(cat $out)"
	says 1 3 -j status
	[ "$(jq -c '[.[0].members[].silent]' $out)" = "[false,true,true]" ] || fail "$(cat $out)"
	says 1 6 status group nope
	$vrseq -n vr1 group del t
	says 1 6 status
	grep -q 'No group in this network namespace' $out || fail "$(cat $out)"
}

# What is appended anywhere comes out of the pipe while the pipe stays open. They start slowly; once
# they run a line takes no time.
followed() {
	local n

	cluster_formed 3
	: >/run/followed
	$vrseq -n vr2 log tail -f -j count 4 timeout 200s |
		jq --unbuffered -r '"\(.sequence) \(.message)"' >>/run/followed &
	says 1 0 log append one
	eventually 60 grep -q '^1 one$' /run/followed
	for n in two three; do
		says 3 0 log append $n
	done
	eventually 20 grep -q '^3 three$' /run/followed
	says 3 0 log append four
	wait $!
	[ "$(cat /run/followed)" = $'1 one\n2 two\n3 three\n4 four' ] || fail "$(cat /run/followed)"
}

# The programs of the package's README, at three members one after the other: each token once, and
# all of them see the same log.
python() {
	local n program=/run/program.py

	cluster_formed 3
	for n in $members; do
		sed -n '/^```python/,/^```/p' "$here/../../userspace/python/README.md" |
			sed '1d; /^```/,$d' >$program
		ip netns exec "vr$n" env PYTHONDONTWRITEBYTECODE=1 "PYTHONPATH=userspace/python" \
			"VRSEQ_LIBRARY=$build/libvrseq.so.0" python3 $program >$out 2>&1 ||
			fail "$(cat $out)"
	done
	[ "$(cat $out)" = $'1 backup 1 begins\n2 backup 2 begins\n3 backup 3 begins' ] ||
		fail "$(cat $out)"
}

# An operation that is cut off in the middle is not called a failure.
unknown() {
	local n

	cluster_formed 3
	n=$(others "$(primary)" | head -n 1)
	mute "$n"
	says "$n" 5 counter next timeout 50ms
	grep -q 'The outcome is unknown' $out || fail "$(cat $out)"
	says "$n" 1 counter get timeout 50ms
	! grep -q unknown $out || fail "$(cat $out)"
}

set -e
ktap_begin
hold_static_keys
module_load
ktap_run handle "the library: threads on one handle, reads, results"
ktap_run parallel "the library: a window of operations of one thread"
ktap_run modes "counter get in each mode, at each member"
ktap_run lease_refused "a lease of more than half of the view timeout"
ktap_run resign "the primary resigns and stays a backup"
ktap_run recovering "a member that forgot says so, and comes back by itself"
ktap_run amnesia "two of three without memory say so"
ktap_run unknown "an outcome that is not known is called that"
ktap_run stats "everything that is counted is shown"
ktap_run bench "the bench measures what happened"
ktap_run status "the whole picture, in words and in JSON"
ktap_run python "the Python package, at every member"
ktap_run followed "log tail -f -j | jq"
ktap_end
