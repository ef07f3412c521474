#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the device and the netlink family, down to each errno of the interface's table.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"

VRSEQ_ERRNO_LOG=/run/errnos
VRSEQ=$(realpath "$build/vrseq")
export VRSEQ_ERRNO_LOG VRSEQ
: >$VRSEQ_ERRNO_LOG
chmod 666 $VRSEQ_ERRNO_LOG
headers="$here/../../uapi/linux/vrseq.h"

# A group of one in a namespace of its own, for one program.
alone() { # PROGRAM GROUP OPTIONS
	local program=$1

	shift
	ip netns add "vr$program"
	ip -n "vr$program" link set lo up
	$vrseq -n "vr$program" group add t self 1 listen "127.0.0.1:$port" insecure "$@"
	$vrseq -n "vr$program" group form t
	ip netns exec "vr$program" "$programs/$program"
}

abi() {
	alone abi
}

file() {
	alone file
}

log() {
	alone log messages 64
}

ring() {
	alone ring
}

bytes() {
	alone bytes messages 64
}

# The device and the group are for two Unix groups; what udev does is done by hand.
rights() {
	local device=4242 group=4343

	chgrp $device /dev/vrseq
	[ "$(stat -c %a:%U /dev/vrseq)" = 660:root ]
	[ "$(stat -c %a:%U /dev/vrseq-raw)" = 660:root ]
	ip netns add vrrights
	ip -n vrrights link set lo up
	$vrseq -n vrrights group add t self 1 listen "127.0.0.1:$port" insecure files 2 gid $group
	$vrseq -n vrrights group form t
	$vrseq -n vrrights group show t | grep -qx "  gid $group"
	DEVICE_GID=$device GROUP_GID=$group ip netns exec vrrights "$programs/rights"
	# The tool says what is to be done about it.
	fails ip netns exec vrrights setpriv --reuid=nobody --regid=nogroup --groups=$device \
		"$vrseq" counter next 2>/run/refused
	cat /run/refused
	grep -q 'use this group' /run/refused
	ip netns exec vrrights setpriv --reuid=nobody --regid=nogroup --groups=$device,$group \
		"$vrseq" counter next
	chgrp root /dev/vrseq
}

limits() {
	alone limits messages 64
}

# Three members, 100 ms apart; the program is on one that has to ask the primary.
slow() {
	local n delay_ms=100

	GROUP_OPTIONS='heartbeat 100ms view-timeout 5s'
	cluster_formed 3
	for n in $members; do
		netem "$n" delay ${delay_ms}ms
	done
	n=$(others "$(primary)" | head -n 1)
	DELAY_MS=$delay_ms ip netns exec "vr$n" "$programs/slow"
}

# The same, for commands of io_uring. In the end nobody holds the group.
uring() {
	local n delay_ms=50

	GROUP_OPTIONS='heartbeat 100ms view-timeout 5s'
	cluster_formed 3
	for n in $members; do
		netem "$n" delay ${delay_ms}ms
	done
	n=$(others "$(primary)" | head -n 1)
	DELAY_MS=$delay_ms ip netns exec "vr$n" "$programs/uring"
	eventually 10 $vrseq -n "vr$n" group del t
}

# A window of commands at a member that hears nobody any more. Commands end as operations do, within
# eight view timeouts; a ring or a process that goes does not wait for that; and when all is over
# nobody holds the group, on a kernel that cancels at once.
uring_cut() {
	local n start how

	for how in wait close kill; do
		# Long, so that what does not wait for it can be told from what does.
		GROUP_OPTIONS='heartbeat 40ms view-timeout 1s'
		[ $how != wait ] || GROUP_OPTIONS=$unhurried
		cluster_formed 3
		n=$(others "$(primary)" | head -n 1)
		start=$(now_ms)
		OPEN_IN=vr$n TROUBLE="ip -n vrsw link set v$n down" \
			timeout 60 "$programs/uring_cut" $how
		note "$how: the program took $(($(now_ms) - start)) ms"
		eventually 60 $vrseq -n "vr$n" group del t
		note "$how: nobody holds the group after $(($(now_ms) - start)) ms"
		cluster_down
	done
	GROUP_OPTIONS='heartbeat 40ms view-timeout 2s' cluster_formed 3
	n=$(others "$(primary)" | head -n 1)
	OPEN_IN=vr$n TROUBLE="ip -n vrsw link set v$n down" GONE="ip netns del vr$n" \
		timeout 30 "$programs/uring_cut" gone
}

# The lease is much longer than a round trip.
leased() {
	local n delay_ms=100 lease_ms=1000

	GROUP_OPTIONS="heartbeat 50ms view-timeout 2s lease ${lease_ms}ms"
	cluster_formed 3
	for n in $members; do
		netem "$n" delay ${delay_ms}ms
	done
	n=$(primary)
	DELAY_MS=$delay_ms LEASE_MS=$lease_ms OPEN_IN=vr$n CUT="ip -n vrsw link set v$n down" \
		"$programs/lease"
}

# Links come and go while many threads share few files; heal() would end their delay.
crowd() {
	local n old pid

	cluster_formed 3
	old=$(primary)
	n=$(others "$old" | head -n 1)
	for i in $members; do
		netem "$i" delay 2ms
	done
	ip netns exec "vr$n" "$programs/crowd" 20 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		for i in $n $old; do
			sleep 0.5
			sw link set "v$i" down
			sleep 0.5
			sw link set "v$i" up
		done
		old=$(primary "$n")
		[ "$old" != 0 ] || old=$n
	done
	wait $pid
}

netlink() {
	"$programs/netlink"
}

broken() { # N ERRNO OUTCOME [read]
	local n=$1

	shift
	ip netns exec "vr$n" "$programs/broken" "$@"
}

no_group() {
	links_up 1
	broken 1 ENOTCONN no
}

# Formed by nobody: an operation has nowhere to go.
blank() {
	cluster_up 3
	broken 1 EHOSTUNREACH no
}

no_quorum() {
	cluster_formed 3
	n=$(primary)
	cut "$n"
	broken "$n" EHOSTUNREACH either
	# shellcheck disable=SC2046
	set -- $(others "$n")
	cut "$1"
	broken "$2" EHOSTUNREACH either
}

# It gets its memory back from the others, and then knows what they know.
memory_lost() {
	cluster_formed 3
	[ "$(next 1)" = 1 ]
	$vrseq -n vr3 group del t
	[ "$(next 1)" = 2 ]
	member_up 3
	eventually 10 is 3 state 2
	[ "$(next 3)" = 3 ]
}

# Two of three lost theirs: who has none refuses, who has one finds no quorum.
amnesia() {
	local n keeper

	cluster_formed 3
	[ "$(next 1)" = 1 ]
	keeper=$(primary)
	# shellcheck disable=SC2046
	set -- $(others "$keeper")
	cut 1 2 3
	for n; do
		$vrseq -n "vr$n" group del t
		member_up "$n"
	done
	heal 1 2 3
	for n; do
		eventually 10 is "$n" state 6
		eventually 10 said "$n" "no memory at member $1, $2"
		broken "$n" ENOTRECOVERABLE no
	done
	broken "$keeper" EHOSTUNREACH either
}

said() { # N TEXT
	$vrseq -n "vr$1" group show t | grep -q "$2"
}

# After the cut there must be time to begin something before the quorum is missed.
unhurried='heartbeat 40ms view-timeout 600ms'

# Of a primary that nobody hears any more: its log is replaced. It is a backup in the next test.
settled_cancelled() {
	local n

	GROUP_OPTIONS=$unhurried cluster_formed 3
	n=$(primary)
	OPEN_IN=vr$n EXPECT=cancelled CUT="ip -n vrsw link set v$n down" \
		HEAL="ip -n vrsw link set v$n up" "$programs/settle"
}

# Of a backup that hears nobody, and is heard.
settled_applied() {
	local n filter

	GROUP_OPTIONS=$unhurried cluster_formed 3
	n=$(others "$(primary)" | head -n 1)
	clsact "$n"
	filter="dev v$n egress protocol ip pref 1"
	OPEN_IN=vr$n EXPECT=applied CUT="tc -n vrsw filter add $filter flower action drop" \
		HEAL="tc -n vrsw filter del $filter 2>/dev/null || true" "$programs/settle"
}

# A forged datagram shows member N two logs of one view: it stops, the others go on.
halted() {
	local old victim third status=0

	cluster_formed 3
	[ "$(next 1)" = 1 ]
	old=$(primary)
	# shellcheck disable=SC2046
	set -- $(others "$old")
	victim=$1
	third=$2
	ip netns exec "vr$old" "$programs/forge" "10.77.0.$victim" >/run/forged &
	eventually 5 grep -q listening /run/forged
	next "$old" >/dev/null
	next "$old" >/dev/null
	wait $!
	note "$(cat /run/forged)"
	eventually 5 is "$victim" state 5
	broken "$victim" EIO no
	$vrseq -n "vr$victim" health || status=$?
	[ "$status" = 7 ]
	[ "$(next "$third")" -gt 3 ]
}

# With a view timeout that would be missed: whoever goes hands over first.
patient='heartbeat 20ms view-timeout 50s'

primary_goes() {
	local n

	GROUP_OPTIONS=$patient cluster_formed 3
	n=$(primary)
	[ "$(next 1)" = 1 ]
	ip netns del "vr$n"
	# shellcheck disable=SC2046
	set -- $(others "$n")
	[ "$(next_soon "$1")" = 2 ]
	[ "$(next_soon "$2")" = 3 ]
}

# All groups of the machine, one after the other; the last one has nobody to hand over to.
module_goes() {
	local start

	GROUP_OPTIONS=$patient cluster_formed 3
	[ "$(next 1)" = 1 ]
	start=$(now_ms)
	rmmod vrseq
	note "unloaded after $(($(now_ms) - start)) ms"
	[ $(($(now_ms) - start)) -lt 10000 ]
	module_load
}

netns_gone() {
	cluster_formed 3
	# The program opens the device inside, then nothing but the open file is left there.
	OPEN_IN=vr3 TROUBLE='ip netns del vr3' "$programs/broken" ENETDOWN either read
}

all_errnos() {
	local errno missing=

	for errno in $(sed -n 's/^ \*   \(E[A-Z]*\) .*/\1/p' "$headers" | grep -v '^ERRNO$'); do
		grep -qx "$errno" $VRSEQ_ERRNO_LOG || missing="$missing $errno"
	done
	note "provoked: $(sort -u $VRSEQ_ERRNO_LOG | tr '\n' ' ')"
	[ -z "$missing" ] || fail "not provoked by any test:$missing"
}

set -e
ktap_begin
hold_static_keys
module_load
ktap_run abi "operations, arguments, refusals"
ktap_run file "write, read, poll, signals, dup, fork"
ktap_run log "places, topics, losses, streams"
ktap_run ring "the mapped ring: what cannot be mapped, readers, overrun, sleep"
ktap_run bytes "no byte is given out that is not meant, by 64 and by 32 bits"
ktap_run rights "who may use a group; files in flight, across exec"
ktap_run limits "counters, files, sessions, messages kept"
ktap_run slow "deadlines, signals, O_NONBLOCK, joining"
ktap_run uring "io_uring: a window of operations from one thread"
ktap_run uring_cut "io_uring without a quorum, killed, or with the group gone"
ktap_run leased "a primary answers alone while its lease holds"
ktap_run crowd "many threads in a hurry while links come and go"
ktap_run netlink "configuration, every refusal with a sentence"
ktap_run no_group "no group: ENOTCONN"
ktap_run blank "group not formed: EHOSTUNREACH"
ktap_run no_quorum "no majority: EHOSTUNREACH"
ktap_run settled_applied "unknown, and RESULT says: applied"
ktap_run settled_cancelled "unknown, and RESULT says: cancelled"
ktap_run memory_lost "a member without its memory gets it back"
ktap_run amnesia "two members of three without theirs: ENOTRECOVERABLE"
ktap_run halted "a member shown two logs of one view halts: EIO"
ktap_run primary_goes "a primary whose namespace goes hands over"
ktap_run module_goes "unloading takes no view timeout"
ktap_run netns_gone "namespace gone under an open file: ENETDOWN"
[ -n "${TEST:-}" ] || ktap_run all_errnos "every errno of the table was provoked"
ktap_end
