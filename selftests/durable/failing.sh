# SPDX-License-Identifier: GPL-2.0
# Journals whose disk fails in one respect only: it takes all and flushes nothing, it has no room
# any more; and a memory out of a journal that the machine slept over. Sourced after journal.sh.

# Without a journal of its own, which would take the file system out before ours is tried.
plain_ext4() { # DEVICE DIRECTORY
	mkfs.ext4 -q -b 4096 -O ^resize_inode,^has_journal -E nodiscard -m 0 "$1"
	mkdir -p "$2"
	mount -o errors=continue "$1" "$2"
}

cluster_with_j3() { # DIRECTORY
	links_up 3
	rm -rf "$journals"
	mkdir -p "$journals"
	: >"$1/j3"
	ln -s "$1/j3" "$journals/j3"
	# shellcheck disable=SC2086
	journaled_up $members
	cluster_form
}

halts_with() { # ERROR
	eventually 20 is_halted 3
	$vrseq -n vr3 health >/run/said || true
	grep -q "its journal cannot be written; error $1 of its disk" /run/said ||
		fail "$(cat /run/said)"
	[ "$(group_field 3 journal_error)" = "$1" ]
	fails next 3 timeout 2s 2>/dev/null
}

# The disk is a file on another one: what is written is taken by the page cache of the machine, and
# only a flush has to do with the disk beneath, which fails.
journal_fsync_fails() {
	local inner last writes

	disk_up failing 80M ^resize_inode,^has_journal
	modprobe dm-flakey || skip "no dm-flakey in this guest"
	dd if=/dev/zero of="$disk_mount/image" bs=1M count=64 2>/dev/null
	inner=$(losetup -f --show "$disk_mount/image")
	plain_ext4 "$inner" /run/disk-inner
	cluster_with_j3 /run/disk-inner
	last=$(next 3 timeout "${recovery_s}s")
	sync
	dmesg -C
	writes=$(stat_of 3 journal_writes)
	disk_becomes "0 $disk_sectors flakey $disk_loop 0 0 3600 1 error_writes"
	for _ in $(seq 5); do
		next 1 timeout "${recovery_s}s" >/dev/null
	done
	halts_with 5
	[ "$(stat_of 3 journal_writes)" -gt "$writes" ]
	if dmesg | grep "on dev ${inner#/dev/},.*async page write"; then
		fail "a write failed, not only a flush"
	fi
	disk_linear
	$vrseq -n vr3 group del t
	journaled_up 3
	eventually 20 has_quorum 3
	[ "$(next 3 timeout "${recovery_s}s")" = $((last + 6)) ]
	$vrseq -n vr3 group del t
	umount /run/disk-inner
	losetup -d "$inner"
	disk_down
}

fill() { # DIRECTORY
	fails dd if=/dev/zero of="$1/fill" bs=4k 2>/dev/null
	sync
	fails dd if=/dev/zero of="$1/more" bs=4k count=1 2>/dev/null
}

# All the room it needs was taken when the group was added: that none is left is nothing to it.
journal_disk_full_later() {
	local drawn

	disk_up alone 64M
	links_up 1
	journals=$disk_mount
	journaled_up 1
	$vrseq -n vr1 group form t
	fill "$disk_mount"
	# Laps of the ring, and checkpoints.
	$vrseq -n vr1 bench append size 4K threads 64 duration 4s >/dev/null
	drawn=$(next 1 full)
	$vrseq -n vr1 group del t
	check_journal "$journals/j1"
	[ "$(journal_field "$journals/j1" start)" -gt 0 ]
	journaled_up 1
	eventually 10 has_quorum 1
	[ "$(next 1 full timeout 10s)" = $((drawn + 1)) ]
	$vrseq -n vr1 group del t
	disk_down
}

# A copy of a journal that has holes, as of a program that saves room, on a disk that has none.
journal_sparse() {
	local last

	disk_up alone 64M ^resize_inode,^has_journal
	cluster_with_j3 "$disk_mount"
	last=$(next 3 timeout "${recovery_s}s")
	power_off 3
	cp --sparse=always "$disk_mount/j3" "$disk_mount/copy"
	mv "$disk_mount/copy" "$disk_mount/j3"
	journal_on 3
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 0 ]
	fill "$disk_mount"
	for _ in $(seq 40); do
		last=$(next 1 timeout "${recovery_s}s")
	done
	halts_with 28
	$vrseq -n vr3 group del t
	fails journaled_up 3 2>/run/said
	grep -q 'error 28' /run/said || fail "$(cat /run/said)"
	rm "$disk_mount/fill" "$disk_mount/more"
	sync
	journaled_up 3
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 0 ]
	[ "$(next 3 timeout "${recovery_s}s")" = $((last + 1)) ]
	$vrseq -n vr3 group del t
	disk_down
}

# What was read back waits until all members are named. If the machine sleeps meanwhile it may wake
# up older than its disk, so it is given up, and its member asks the others.
journal_waits_asleep() {
	cluster_journaled 3
	next 1 >/dev/null
	power_off 1 2 3
	# shellcheck disable=SC2086
	$vrseq -n vr3 group add t self 3 listen "$(endpoint 3)" insecure heartbeat 20ms \
		view-timeout 200ms $journal_options durability journal "$journals/j3"
	echo freezer >/sys/power/pm_test || skip "this kernel cannot test sleep"
	echo 0 >/proc/sys/kernel/soft_watchdog
	echo 3 >/proc/sys/vm/drop_caches
	echo disk >/sys/power/state || fail "the kernel does not sleep"
	echo none >/sys/power/pm_test
	echo 1 >/proc/sys/kernel/soft_watchdog
	$vrseq -n vr3 member add 1 "$(endpoint 1)" group t
	$vrseq -n vr3 member add 2 "$(endpoint 2)" group t
	journaled_up 1
	heal 1 3
	sleep 2
	is 3 state 4 || fail "it has a memory"
	fails next 1 timeout 1s 2>/dev/null
	journal_on 2
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 1 ]
	[ "$(group_field 1 recoveries)" = 0 ]
	[ "$(group_field 2 recoveries)" = 0 ]
	[ "$(next 3 timeout "${recovery_s}s")" = 2 ]
}

# Whoever asks from a machine that has no vote lives on when all voters lose their power: of each
# operation it learns what became of it, also of those that were under way.
journal_outcomes() {
	local n round
	local journal_options="log-entries 256 log-bytes 1M messages 4096 message-bytes 1M"

	journal_options="$journal_options clients 16 node-lease 60s"
	cluster_journaled 3
	client_links_up 11
	client_up 11 files 16 messages 4096 message-bytes 1M node-lease 60s
	eventually 10 has_quorum 11
	initial=0
	load 11 -t 8 -p 40000 -D 60000 -l 0
	for round in 1 2 3; do
		sleep "1.${round}7"
		power_off 1 2 3
		journal_on 1 2 3
		for n in $members; do
			$vrseq -n "vr$n" member add 11 "$(endpoint 11)" role client group t
		done
		for n in $members 11; do
			eventually 20 has_quorum "$n"
		done
	done
	load_stop
	set -o pipefail
	check_history | tee /run/said
	fails grep -E '[1-9][0-9]* unknown' /run/said
	for n in $members; do
		[ "$(group_field "$n" recoveries)" = 0 ]
	done
}

# As journal.sh has it, and the disk on a disk.
cleanup() {
	local loop

	cluster_down
	umount /run/disk-inner 2>/dev/null || true
	for loop in $(losetup -n -O NAME,BACK-FILE 2>/dev/null | awk '/\/image$/ { print $1 }'); do
		losetup -d "$loop"
	done
	disks_away
}
