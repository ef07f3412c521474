#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs under UML: memory that is lost, and memory that there is not. TEST=name selects tests.
here=$(dirname "$0")
. "$here/../rig.sh"
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/../lib/members.sh"
. "$here/../netns/keys.sh"

debug=/sys/kernel/debug

nothing_lost() {
	"$here/clean.sh"
}

# Lock order and lives of objects are not looked at any more when there is no memory for that.
still_watched() {
	grep -q 'debug_locks: *1' /proc/lockdep_stats
	fails grep -q 'ODEBUG disabled' <(dmesg)
}

# ---- what the kernel sees ----

# The kernel says so, is not to die of it this time, and forgets it: it was ours.
plant() { # FAULT WORDS
	insmod "$planted" fault="$1"
	rmmod planted
	dmesg | grep "$2" || fail "the kernel does not see: $1"
	dmesg -C
}

planted_faults() {
	planted=$VRSEQ_PLANTED
	echo 0 >/proc/sys/kernel/panic_on_warn
	plant shift 'UBSAN: shift-out-of-bounds'
	plant sleep 'BUG: sleeping function called from invalid context'
	plant overrun 'BUG: KASAN: slab-out-of-bounds'
	nothing_lost
	insmod "$planted" fault=leak
	rmmod planted
	fails nothing_lost >/dev/null
	[ "$(grep -c 'size 128' $debug/kmemleak)" -ge 8 ]
	echo clear >$debug/kmemleak
	echo 1 >/proc/sys/kernel/panic_on_warn
}

# ---- coming and going ----

# Objects in use, exactly: what was freed is neither kept by a processor nor in quarantine.
slabs() {
	local cache

	for cache in /sys/kernel/slab/*; do
		case ${cache##*/} in
		kmalloc-* | skbuff_* | UDP* | sock_inode_cache | net_namespace)
			echo 1 >"$cache/shrink" ;;
		esac
	done
	awk '$1 ~ /^(kmalloc-|skbuff_|UDP|sock_inode_cache|net_namespace)/ { print $1, $2 }' \
		/proc/slabinfo
}

# Three members, in use.
used() {
	local n

	cluster_formed 3
	for n in $members; do
		load "$n" -t 1 -N 10
	done
	load_wait
	check_history
	cluster_down
}

# In the last 80 rounds: of what is lost in each of them, or in each eighth one, there are as many
# objects more. The rest of the kernel does not take half as many.
load_unload() {
	local round

	rmmod vrseq
	for round in $(seq 100); do
		module_load
		[ $((round % 10)) != 0 ] || used
		eventually 10 rmmod vrseq
		[ "$round" != 20 ] || slabs >/run/slabs.before
	done
	fails grep vrseq /proc/slabinfo
	nothing_lost
	still_watched
	slabs >/run/slabs.after
	join /run/slabs.before /run/slabs.after |
		awk '$3 != $2 { print $1, $3 - $2 } $3 - $2 >= 40 { lost = 1 } END { exit lost }'
}

# ---- none is there ----

# Whatever is allocated can fail, objects as well as pages, if the caller could wait as well as if
# not. No stack is dumped: that looks like a fault.
faults_may_come() { # failslab | fail_page_alloc ...
	local of

	for of; do
		echo N >$debug/$of/ignore-gfp-wait
		echo N >$debug/$of/task-filter
		echo 0 >$debug/$of/verbose
		echo 0 >$debug/$of/probability
		echo -1 >$debug/$of/times
	done
	echo N >$debug/fail_page_alloc/ignore-gfp-highmem
	echo 0 >$debug/fail_page_alloc/min-order
}

# To open the file takes memory, too, so it is open; and so does to write.
fail_in() { # PERCENT FD
	until echo "$1" >&"$2"; do
		:
	done
}

# That the kernel itself had no memory for a module it says with its stack; that is no fault. If it
# said anything else, all of it stays where it is seen.
forget_no_memory() {
	local said excused

	said=$(dmesg | grep -cE "$rig_splat" || true)
	excused=$(dmesg | grep -c 'vmalloc error: .*vm_struct allocation failed' || true)
	[ "$said" != "$excused" ] || dmesg -C
}

# Each allocation of loading in its turn; not each page of the module, which is the kernel's.
fail_load() {
	eventually 10 rmmod vrseq
	faults_may_come failslab
	cp "$VRSEQ_KO" /run/vrseq.ko
	"$programs/fail_nth" load /run/vrseq.ko
	forget_no_memory
	fails grep '^vrseq' /proc/modules
	[ ! -e /dev/vrseq ]
	nothing_lost
	still_watched
	module_load
	used
}

# Each of each call.
fail_calls() {
	faults_may_come failslab fail_page_alloc
	ip netns add vr1
	ip -n vr1 link set lo up
	ip netns exec vr1 "$programs/fail_nth" calls
	cluster_down
	nothing_lost
	still_watched
	module_load
}

# Every tenth object, whoever asks, in softirqs as well: what is not there is lost, and that is all.
# Nobody starts a process meanwhile, or opens a file.
starved() {
	local before n probability

	cluster_formed 3
	faults_may_come failslab
	exec {probability}>$debug/failslab/probability
	for n in $members; do
		load "$n" -t 2
	done
	for n in $members; do
		eventually 20 has_files "$n" 2
		eventually 20 has_committed "$n" 20
	done
	before=$s_commit
	fail_in 10 "$probability"
	pause 20
	fail_in 0 "$probability"
	exec {probability}>&-
	status_of 1
	note "$((s_commit - before)) commits while every tenth allocation failed"
	[ "$s_commit" -gt $((before + 100)) ]
	for n in $members; do
		note "member $n: $(stat_of "$n" send_no_memory) not sent for want of memory"
	done
	load_stop
	check_history
	cluster_down
	nothing_lost
	still_watched
	module_load
}

has_files() { # N COUNT
	[ "$($vrseq -j -n "vr$1" group show t | sed -n 's/.*"files":\([0-9]*\).*/\1/p')" -ge "$2" ]
}

has_committed() { # N COUNT
	status_of "$1" && [ "$s_commit" -gt "$2" ]
}

set -e
ktap_begin
module_load
ktap_run planted_faults "the kernel sees a leak, an overrun, a shift, a sleep that was planted"
ktap_run load_unload "loaded and unloaded 100 times, in use in between, nothing is left"
ktap_run fail_load "each allocation of loading fails in its turn, and nothing is left"
ktap_run fail_calls "each allocation of each call fails in its turn, and nothing is left"
ktap_run starved "every tenth allocation fails under load: linearizable, nothing is left"
ktap_end
