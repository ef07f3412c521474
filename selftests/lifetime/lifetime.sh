# SPDX-License-Identifier: GPL-2.0
# Files, namespaces, groups and the module come and go. Sourced by run.sh.

files_of() { # N
	$vrseq -j -n "vr$1" group show t | sed -n 's/.*"files":\([0-9]*\).*/\1/p'
}

has_files() { # N COUNT
	[ "$(files_of "$1")" -ge "$2" ]
}

no_files() { # N
	[ "$(files_of "$1")" = 0 ]
}

# Somebody is at work: it would be too early to take anything away.
has_committed() { # N COUNT
	status_of "$1" && [ "$s_commit" -gt "$2" ]
}

# Namespaces the kernel has not freed yet. Named or not, dead or alive; but not those it only keeps
# for the next one on some processor, or in KASAN's quarantine.
netns_objects() {
	echo 1 >/sys/kernel/slab/net_namespace/shrink
	awk '$1 == "net_namespace" { print $2 }' /proc/slabinfo
}

netns_objects_are() { # N
	[ "$(netns_objects)" -le "$1" ]
}

link_gone() { # LINK
	! sw link show "$1" 2>/dev/null
}

kill_clients() {
	cluster_formed 3
	for _ in $(seq 4); do
		for n in $members; do
			load "$n" -t 3 -p 5000
		done
		sleep 0.4
		load_kill
	done
	for n in $members; do
		eventually 5 no_files "$n"
	done
	check_history
}

netns_deleted() {
	local victim survivors

	cluster_formed 3
	victim=$(primary)
	survivors=$(others "$victim")
	for n in $members; do
		load "$n" -t 2 -p 2000 -m 0
	done
	# The clients hold open files of that namespace, and are in the middle of calls.
	for n in $members; do
		eventually 10 has_files "$n" 2
	done
	eventually 10 has_committed "$victim" 20
	ip netns del "vr$victim"
	eventually 10 link_gone "v$victim"
	for n in $survivors; do
		$vrseq -n "vr$n" counter next timeout 5s survivors >/dev/null
	done
	load_stop
	check_history $survivors
}

netns_all_deleted() {
	local before

	# A first round, so that what stays allocated for good is counted as such.
	cluster_formed 3
	cluster_down
	sleep 1
	before=$(netns_objects)
	for _ in 1 2; do
		cluster_formed 3
		for n in $members; do
			load "$n" -t 2 -p 5000 -m 0
		done
		sleep 0.5
		for n in $members; do
			ip netns del "vr$n"
		done
		for n in $members; do
			eventually 10 link_gone "v$n"
		done
		load_kill
		ip netns del vrsw
	done
	eventually 10 netns_objects_are "$before"
}

open_file_outlives() {
	cluster_formed 3
	# lin_client keeps its files until the group says ENETDOWN, then ends.
	load 3 -t 2 -m 0 >/run/outlived
	eventually 10 has_committed 1 10
	ip netns del vr3
	load_wait
	note "$(cat /run/outlived)"
	grep -q ENETDOWN /run/outlived
	$vrseq -n vr1 counter next >/dev/null
}

unload_refused() {
	cluster_formed 3
	ip netns exec vr1 bash -c 'exec 8<>/dev/vrseq; echo >/run/opened; exec sleep 100' &
	eventually 5 test -e /run/opened
	rm /run/opened
	if rmmod vrseq 2>/run/rmmod; then
		fail "unloaded under an open file"
	fi
	note "rmmod: $(cat /run/rmmod)"
	grep -qi 'in use' /run/rmmod
	[ "$(next 2)" -gt 0 ]
	kill $!
	wait || true
	eventually 5 rmmod vrseq
	[ ! -e /dev/vrseq ]
	module_load
}

unload_under_load() {
	for _ in 1 2; do
		cluster_formed 3
		for n in $members; do
			load "$n" -t 3 -p 5000 -m 0
		done
		sleep 0.5
		load_kill
		# The groups are up and heartbeats fly.
		eventually 5 rmmod vrseq
		module_load
		[ -z "$($vrseq -n vr1 group show)" ]
		cluster_down
	done
	cluster_formed 3
	[ "$(next 1)" = 1 ]
}

# Eight groups of two go with the module, after COMMAND. Sets took, in ms.
many_unloaded() { # COMMAND
	local i n start

	links_up 2
	for i in $(seq 8); do
		for n in 1 2; do
			$vrseq -n "vr$n" group add "g$i" self "$n" insecure \
				listen "10.77.0.$n:$((8000 + i))" heartbeat 100ms view-timeout 50s
			$vrseq -n "vr$n" member add $((3 - n)) \
				"10.77.0.$((3 - n)):$((8000 + i))" group "g$i"
		done
		$vrseq -n vr1 group form "g$i"
	done
	for i in $(seq 8); do
		[ "$($vrseq -n vr2 counter next group "g$i")" = 1 ]
	done
	"$@"
	start=$(now_ms)
	rmmod vrseq
	took=$(($(now_ms) - start))
	module_load
	cluster_down
}

# Groups that nobody answers any more go together, and not one second after the other: that would be
# 16 s more than without waiting. Two for the two namespaces, and a guest takes its time.
many_hand_over() {
	local took heard

	many_unloaded true
	heard=$took
	many_unloaded cut 1
	note "unloaded after $took ms, $heard if somebody answers"
	[ $((took - heard)) -lt 5000 ]
}

add_del() {
	links_up 1
	for _ in $(seq 12); do
		member_up 1
		$vrseq -n vr1 group form t
		[ "$($vrseq -n vr1 counter next)" = 1 ]
		$vrseq -n vr1 group del t
	done
	[ -z "$($vrseq -n vr1 group show)" ]
	# Many side by side, in one namespace.
	for i in $(seq 6); do
		$vrseq -n vr1 group add "g$i" self 1 listen "10.77.0.1:$((8000 + i))" insecure
		$vrseq -n vr1 group form "g$i"
	done
	for i in $(seq 6); do
		[ "$($vrseq -n vr1 counter next group "g$i")" = 1 ]
	done
	for i in $(seq 6); do
		$vrseq -n vr1 group del "g$i"
	done
}

del_under_load() {
	cluster_formed 3
	load 1 -t 2 -p 2000
	load 2 -t 2 -p 2000
	eventually 10 has_committed 3 20
	eventually 5 $vrseq -n vr3 group del t
	next 1 survivors >/dev/null
	# It comes back with nothing: it may not vote, the others go on.
	member_up 3
	sleep 0.5
	load_stop
	check_history 1 2
}

# A configuration that waits for others, who are not there: SIGKILL ends the wait.
killed_tool() { # ARGS of vrseq
	local pid start status=0

	"$vrseq" -n vr1 "$@" >/dev/null 2>&1 &
	pid=$!
	sleep 0.3
	kill -0 $pid 2>/dev/null || fail "vrseq $* did not wait"
	start=$(now_ms)
	kill -9 $pid
	wait $pid || status=$?
	[ $status = 137 ]
	note "vrseq $*: out after $(($(now_ms) - start)) ms"
	[ $(($(now_ms) - start)) -lt 3000 ]
}

# Nobody answers a primary that hands over.
killed_leaving() { # COMMAND of vrseq group
	GROUP_OPTIONS='heartbeat 1s view-timeout 50s' cluster_formed 3
	while [ "$(primary)" != 1 ]; do
		$vrseq -n "vr$(primary)" group resign t || true
		pause 0.2
	done
	eventually 10 has_quorum 1
	# Whom nobody has answered there is nobody to hand over to.
	[ "$(next_soon 1)" -gt 0 ]
	cut 2 3
	killed_tool group "$1" t
}

killed_anywhere() {
	# Nobody is told soon that there is no quorum.
	GROUP_OPTIONS='heartbeat 1s view-timeout 50s' cluster_formed 3
	for _ in 1 2 3; do
		$vrseq -n vr1 log append "something to read" >/dev/null
	done
	cut 1 2 3
	"$programs/killed" vr1
	# Linux 6.1 cannot cancel what io_uring has begun: its file goes when that has ended.
	# shellcheck disable=SC2086
	heal $members
	for n in $members; do
		eventually 10 no_files "$n"
	done
	[ "$(next_soon 2)" -gt 0 ]
	cluster_down

	# Form waits 5 s, a hand-over 1 s, if nobody answers.
	GROUP_OPTIONS='heartbeat 1s view-timeout 50s' cluster_up 3
	cut 2 3
	killed_tool group form t
	cluster_down

	killed_leaving resign
	cluster_down
	killed_leaving del
	[ -z "$($vrseq -n vr1 group show)" ]
}
