#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: those who mean no good, one KTAP result for each property. SECONDS=n for each
# fuzzer, SEED=n, JUNK=n datagrams.
here=$(dirname "$0")
span=$SECONDS
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/../netns/keys.sh"

# The shell counts in it from 0 unless told otherwise.
[ "$span" -ge 5 ] || span=10
seed=${SEED:-1}
junk=${JUNK:-200000}

# What the kernel holds, without what it would give back.
memory_kib() {
	echo 2 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed|Percpu|KernelStack)/ { sum += $2 } END { print sum }' \
		/proc/meminfo
}

# KIB are none but what the page and slab allocators keep for later.
memory_is_back() { # KIB
	local now

	now=$(memory_kib)
	note "kernel memory: $1 KiB before, $now KiB after"
	[ "$now" -lt $(($1 + 4096)) ]
}

group_bytes() { # N
	$vrseq -j -n "vr$1" group show t | sed -n 's/.*"memory_bytes":\([0-9]*\).*/\1/p'
}

no_files() { # N
	$vrseq -j -n "vr$1" group show t | grep -q '"files":0[,}]'
}

# Also that it unloads: whoever was killed holds nothing any more.
nothing_is_left() {
	local n

	for n in $members; do
		eventually 30 $vrseq -n "vr$n" group del t
	done
	cluster_down
	eventually 10 rmmod vrseq
	kernel_log
	module_load
}

hostile_file() { # MEMBERS
	local n bytes kib

	GROUP_OPTIONS='heartbeat 20ms view-timeout 400ms' cluster_formed "$1"
	# A first round, so that what is made once is there.
	# shellcheck disable=SC2046,SC2086
	"$programs/hostile_file" 2 $((seed + 1000)) $(printf 'vr%s ' $members)
	for n in $members; do
		eventually 30 no_files "$n"
	done
	bytes=$(group_bytes 1)
	kib=$(memory_kib)
	# shellcheck disable=SC2046,SC2086
	"$programs/hostile_file" "$span" "$seed" $(printf 'vr%s ' $members)
	for n in $members; do
		eventually 30 no_files "$n"
	done
	[ "$(group_bytes 1)" = "$bytes" ]
	eventually 20 memory_is_back "$kib"
	memory_is_back "$kib"
	# shellcheck disable=SC2086
	eventually 20 converged $members
	nothing_is_left
}

file_of_one() {
	hostile_file 1
}

file_of_three() {
	hostile_file 3
}

config_of() { # N
	$vrseq -n "vr$1" group show t | grep -E '^  (key|second|member)|^group'
}

# A group is there that somebody who may not change it speaks of.
netlink_unprivileged() {
	cluster_formed 1
	[ "$(next 1)" = 1 ]
	ip netns exec vr1 "$programs/hostile_netlink" --refused 3000 "$seed"
	ip netns exec vr1 "$programs/hostile_netlink" --refused 3000 $((seed + 1))
	[ "$($vrseq -n vr1 group show | grep -c '^group')" = 1 ]
	[ "$(next 1)" = 2 ]
	nothing_is_left
}

# A namespace of their own, and it goes when they have gone, with all groups that are left in it.
netlink_anything() {
	local kib

	rm -f /run/hostile.*
	links_up 1
	ip netns exec vr1 "$programs/hostile_netlink" 3 $((seed + 1000))
	cluster_down
	eventually 10 rmmod vrseq
	module_load
	kib=$(memory_kib)
	links_up 1
	ip netns exec vr1 "$programs/hostile_netlink" "$span" "$seed"
	note "groups left: $($vrseq -n vr1 group show | grep -c '^group' || true)"
	cluster_down
	eventually 10 rmmod vrseq
	eventually 20 memory_is_back "$kib"
	memory_is_back "$kib"
	kernel_log
	module_load
	cluster_formed 1
	[ "$(next 1)" = 1 ]
}

# All that a datagram can be dropped for before it is opened.
drops_of() { # N
	local names='address|size|no_memory|envelope|key|session|forged|replay|busy'

	$vrseq -n "vr$1" stats group t | awk -v names="^drop_($names)\$" \
		'$1 ~ names { sum += $2 } END { print sum + 0 }'
}

hellos_sent() {
	local n sum=0

	for n in $members; do
		sum=$((sum + $(stat_of "$n" hello_sent)))
	done
	echo $sum
}

# No answer, no memory, and commits go on; each datagram is one more of some counter.
junk() {
	local n victim drops hellos answered kib bytes first last start quiet sent lost answers ms

	keyed 3
	capture_work /run/frames 20
	# All queues together hold what one batch is.
	echo 10000 >/proc/sys/net/core/netdev_max_backlog
	load 2 -t 1 -m 0
	victim=1
	start=$(now_ms)
	first=$(status_of $victim && echo "$s_commit")
	sleep 2
	last=$(status_of $victim && echo "$s_commit")
	quiet=$(((last - first) * 1000 / ($(now_ms) - start)))

	drops=$(drops_of $victim)
	hellos=$(hellos_sent)
	answered=$(stat_of $victim hello_answered)
	bytes=$(group_bytes $victim)
	kib=$(memory_kib)
	first=$(status_of $victim && echo "$s_commit")
	ip netns exec vrsw "$programs/hostile_udp" v$victim 10.77.0.$victim 10.77.0.99 \
		/run/frames "$junk" "$seed" >/run/sent
	last=$(status_of $victim && echo "$s_commit")
	eval "$(cat /run/sent)"
	drops=$(($(drops_of $victim) - drops))
	hellos=$(($(hellos_sent) - hellos))
	answered=$(($(stat_of $victim hello_answered) - answered))
	note "$sent datagrams in $ms ms, $lost lost in queues, $drops dropped, $answers answers," \
		"$answered of $hellos HELLOs answered"
	note "commits a second: $quiet before, $(((last - first) * 1000 / ms)) meanwhile"
	[ "$sent" = "$junk" ]
	[ $((drops + lost)) = "$sent" ]
	[ "$answers" = 0 ]
	[ "$answered" -le "$hellos" ]
	[ "$last" -gt "$first" ]
	[ "$(group_bytes $victim)" = "$bytes" ]
	load_stop
	eventually 20 memory_is_back "$kib"
	memory_is_back "$kib"
	check_history
}

set -e
ktap_begin
hold_static_keys
module_load
ktap_run file_of_one "processes that throw anything at the device of a group of one"
ktap_run file_of_three "the same in a group of three"
ktap_run netlink_unprivileged "who has no privilege changes nothing, whatever he says"
ktap_run netlink_anything "any netlink message is answered, and nothing of it stays"
ktap_run junk "junk on the wire: no answer, no memory, all counted, commits go on"
ktap_run kernel_log "the kernel has nothing to complain about"
ktap_end
