# SPDX-License-Identifier: GPL-2.0
# The machine sleeps. Sourced by run.sh. An image takes as much memory again as is in use: where
# that is scarce the kernel compacts for minutes, and kcompactd does not freeze (EBUSY).

sleep_state() { # STATE
	echo "$1" >/sys/power/state || {
		dmesg | tail -n 40
		fail "the kernel does not sleep: $1"
	}
}

# Tests of sleep are the kernel's own: all but the sleep itself. To RAM, the primary hands over and
# nothing is lost; to disk, nobody knows how old the memory is that comes back.
sleeps() {
	local old n small='record-max 1024 log-entries 256 log-bytes 131072 messages 64'

	small="$small message-bytes 65536"

	echo freezer >/sys/power/pm_test || skip "this kernel cannot test sleep"
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	# The kernel's stand-in for an image is to spin for 5 s of the processor's time, which is
	# many more where that is shared, and no lockup.
	echo 0 >/proc/sys/kernel/soft_watchdog
	echo 3 >/proc/sys/vm/drop_caches
	GROUP_OPTIONS="heartbeat 20ms view-timeout 50s $small" cluster_formed 3
	[ "$(next 1)" = 1 ]
	old=$(primary)
	sleep_state freeze
	eventually 5 has_other_primary 1 "$old"
	[ "$(next_soon 1)" = 2 ]
	sleep_state disk
	for n in $members; do
		eventually 10 is "$n" state 6
	done
	ip netns exec vr1 "$programs/broken" ENOTRECOVERABLE no
	# A group of one owes nobody anything.
	cluster_down
	ip netns add vralone
	ip -n vralone link set lo up
	# shellcheck disable=SC2086
	$vrseq -n vralone group add t self 1 listen 127.0.0.1:$port insecure $small
	$vrseq -n vralone group form t
	[ "$(next alone)" = 1 ]
	echo 3 >/proc/sys/vm/drop_caches
	sleep_state disk
	[ "$(next alone)" = 2 ]
	echo none >/sys/power/pm_test
	echo 1 >/proc/sys/kernel/soft_watchdog
}
