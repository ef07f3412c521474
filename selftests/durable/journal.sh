# SPDX-License-Identifier: GPL-2.0
# Members with a journal: what they acknowledged is there again after a power cut, whatever the disk
# did to it that it can be told by. A power cut is as in power.sh, and the kernel's, so the page
# cache stays: what only a disk can lose is lost by the device mapper. Sourced by run.sh, after it.

journals=/run/journals

# Small rings, so that a journal is small and a lap of it short.
journal_options="log-entries 256 log-bytes 1M messages 64 message-bytes 64K"

journaled_up() { # N...
	local n

	for n; do
		# shellcheck disable=SC2086
		member_up "$n" $journal_options durability journal "$journals/j$n"
	done
}

cluster_journaled() { # N
	links_up "$1"
	rm -rf "$journals"
	mkdir -p "$journals"
	# shellcheck disable=SC2086
	journaled_up $members
	cluster_form
}

journal_on() { # N...
	journaled_up "$@"
	heal "$@"
}

check_journal() { # FILE
	$vrseq journal check "$1" >/run/said || fail "$(cat /run/said)"
}

group_field() { # N KEY
	$vrseq -n "vr$1" -j group show t | jq -r ".[0].$2"
}

stat_of() { # N NAME
	$vrseq -n "vr$1" stats group t | awk -v name="$2" '$1 == name { print $2 }'
}

read_log() { # N
	timeout 10 "$vrseq" -n "vr$1" log tail
}

# A file system of its own on a device that can be made to fail. Sets $disk_mount.
disk_up() { # NAME BYTES [FEATURES]
	command -v dmsetup >/dev/null && command -v mkfs.ext4 >/dev/null &&
		modprobe -a loop dm-mod ext4 2>/dev/null ||
		skip "no device mapper or no ext4 in this guest"
	disk_name=$1
	disk_mount=/run/disk-$1
	dd if=/dev/zero of="/run/image-$1" bs=1 count=0 seek="$2" 2>/dev/null
	disk_loop=$(losetup -f --show "/run/image-$1") || skip "no loop device in this guest"
	disk_sectors=$(blockdev --getsz "$disk_loop")
	dmsetup create --noudevsync "$1" --table "0 $disk_sectors linear $disk_loop 0"
	dmsetup mknodes
	mkfs.ext4 -q -b 4096 -O "${3:-^resize_inode}" -E nodiscard -m 0 "/dev/mapper/$1"
	mkdir -p "$disk_mount"
	mount -o errors=continue "/dev/mapper/$1" "$disk_mount"
}

# From now on the device does as TABLE says; what is in the page cache stays there.
disk_becomes() { # TABLE
	dmsetup suspend --noflush --nolockfs "$disk_name"
	dmsetup load "$disk_name" --table "$1"
	dmsetup resume --noudevsync "$disk_name"
}

# Also after a test that failed half way; there is no group any more.
disks_away() {
	local name

	for name in alone failing lying hung; do
		[ -e "/dev/mapper/$name" ] || continue
		dmsetup resume "$name" 2>/dev/null || true
		eventually 5 umount "/run/disk-$name" 2>/dev/null || true
		dmsetup remove --noudevsync "$name" 2>/dev/null || true
	done
}

disk_linear() {
	disk_becomes "0 $disk_sectors linear $disk_loop 0"
}

disk_down() {
	umount "$disk_mount"
	dmsetup remove --noudevsync "$disk_name"
	losetup -d "$disk_loop"
	rm -f "/run/image-$disk_name"
}

# Goes on where it was: numbers, messages, and the room of a checkpoint and more.
alone_again() { # DIRECTORY
	local number last=0 round life

	links_up 1
	journals=$1
	journaled_up 1
	$vrseq -n vr1 group form t
	life=$(($(group_field 1 incarnation) % 65536))
	for round in 1 2 3 4; do
		eventually 10 has_quorum 1
		number=$(next 1 count 3 timeout 10s)
		[ "${number%%[!0-9]*}" -gt "$last" ] || fail "$number after $last"
		last=${number##*[!0-9]}
		$vrseq -n vr1 log append "round $round" >/dev/null
		[ "$(read_log 1 | tail -n 1)" = "round $round" ]
		[ "$(read_log 1 | wc -l)" = "$round" ]
		$vrseq -n vr1 group del t
		check_journal "$1/j1"
		journaled_up 1
	done
	# Each life that a journal brings back has the next number.
	[ "$(($(group_field 1 incarnation) % 65536))" = "$((life + 4))" ]
	eventually 10 has_quorum 1
	[ "$(next 1)" = $((last + 1)) ]
	[ "$(stat -c %a "$1/j1")" = 600 ]
	[ "$(group_field 1 journal_bytes)" = "$(stat -c %s "$1/j1")" ]
	$vrseq -n vr1 group del t
}

journal_alone() {
	rm -rf /run/journals
	mkdir -p /run/journals
	alone_again /run/journals
}

journal_alone_disk() {
	disk_up alone 64M
	alone_again "$disk_mount"
	disk_down
}

# One fsync for all that came during the one before; and the file has been begun anew meanwhile.
journal_group_commit() {
	local threads before operations fsyncs drawn

	disk_up alone 64M
	links_up 1
	journals=$disk_mount
	journaled_up 1
	$vrseq -n vr1 group form t
	for threads in 1 64; do
		before=$(stat_of 1 journal_fsyncs)
		operations=$($vrseq -n vr1 -j bench next threads "$threads" duration 2s |
			jq .operations)
		fsyncs=$(($(stat_of 1 journal_fsyncs) - before))
		note "$threads writers: $operations operations, $fsyncs fsyncs"
	done
	[ "$operations" -gt $((4 * fsyncs)) ]
	# Messages of a size that fills the ring, which has four times the room of the log.
	$vrseq -n vr1 bench append size 4K threads 64 duration 4s >/dev/null
	drawn=$(next 1 bench)
	$vrseq -n vr1 group del t
	check_journal "$journals/j1"
	[ "$(journal_field "$journals/j1" start)" -gt 0 ]
	[ "$(journal_field "$journals/j1" checkpoint_bytes)" -gt 0 ]
	journaled_up 1
	eventually 10 has_quorum 1
	[ "$(next 1 bench timeout 10s)" = $((drawn + 1)) ]
	$vrseq -n vr1 group del t
	disk_down
}

# Until it is told of the members that its journal names it takes part in nothing.
journal_waits() {
	cluster_journaled 3
	next 1 >/dev/null
	power_off 3
	heal 3
	# shellcheck disable=SC2086
	$vrseq -n vr3 group add t self 3 listen "$(endpoint 3)" insecure heartbeat 20ms \
		view-timeout 200ms $journal_options durability journal "$journals/j3"
	$vrseq -n vr3 health >/run/said || true
	grep -q 'the journal is of a group of other members' /run/said || fail "$(cat /run/said)"
	fails $vrseq -n vr3 group form t 2>/run/said
	grep -q 'not blank' /run/said || fail "$(cat /run/said)"
	$vrseq -n vr3 member add 1 "$(endpoint 1)" group t
	is 3 state 0
	$vrseq -n vr3 member add 2 "$(endpoint 2)" group t
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 0 ]
	[ "$(next 3 timeout "${recovery_s}s")" = 2 ]
}

# One that is no member's own, and what there is no room for: refused, by name.
journal_refused() {
	local file=/run/journals/j1

	cluster_journaled 1
	fails $vrseq -n vr1 group add u self 1 listen 10.77.0.1:7401 insecure \
		durability journal "$file" 2>/run/said
	grep -q 'of another group here' /run/said || fail "$(cat /run/said)"
	$vrseq -n vr1 group del t
	refused() { # WHY OPTIONS
		local why=$1

		shift
		fails $vrseq -n vr1 group add "$@" listen 10.77.0.1:7401 insecure 2>/run/said
		grep -q "$why" /run/said || fail "$why: $(cat /run/said)"
	}
	# shellcheck disable=SC2086
	{
	refused 'of another group' u self 1 $journal_options durability journal "$file"
	refused 'of another member' t self 2 $journal_options durability journal "$file"
	refused 'made for smaller rings' t self 1 durability journal "$file"
	refused 'of another size' t self 1 $journal_options journal-size 900M \
		durability journal "$file"
	refused 'these rings need' t self 1 journal-size 1M durability journal /run/journals/new
	refused 'must be a file' t self 1 durability journal /dev/null
	refused 'cannot be opened' t self 1 durability journal /run/nowhere/j
	echo something >/run/journals/text
	refused 'not one' t self 1 durability journal /run/journals/text
	[ "$(cat /run/journals/text)" = something ]
	mkdir -p /run/full
	mount -t tmpfs -o size=1M tmpfs /run/full
	refused 'no room for its' t self 1 durability journal /run/full/j
	[ ! -s /run/full/j ]
	umount /run/full
	}
	journaled_up 1
	eventually 10 has_quorum 1
	next 1 >/dev/null
}

# Time and again, under load; nobody had the time to say good-bye.
journal_power_loss() {
	local round n took slowest=0 before
	# The whole log is read in the end.
	local journal_options="log-entries 256 log-bytes 1M messages 4096 message-bytes 1M"

	cluster_journaled 3
	initial=0
	for round in $(seq "${POWER_LOSSES:-3}"); do
		load 1 -t 4
		load 2 -t 4
		load 3 -t 4
		sleep "$((1 + round % 2)).${round}3"
		load_kill
		power_off 1 2 3
		for n in $members; do
			check_journal "$journals/j$n"
		done
		before=$(now_ms)
		journal_on 1 2 3
		for n in $members; do
			eventually 20 has_quorum "$n"
			in_generation 0 "$n"
		done
		took=$(($(now_ms) - before))
		[ "$took" -le "$slowest" ] || slowest=$took
	done
	next 1 timeout 10s >/dev/null
	# shellcheck disable=SC2086
	eventually 15 converged $members
	for n in 1 2 3; do
		read_log "$n" >"/run/log$n"
	done
	cmp /run/log1 /run/log2
	cmp /run/log1 /run/log3
	check_history
	for n in 1 2 3; do
		[ "$(group_field "$n" recoveries)" = 0 ]
		note "member $n: $(stat_of "$n" journal_writes) writes," \
			"$(stat_of "$n" journal_fsyncs) fsyncs"
	done
	note "all three are back within $slowest ms"
}

# --- damage ---

# A byte of FILE turns over.
flip() { # FILE OFFSET
	local byte

	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\x$(printf %x $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

journal_field() { # FILE KEY
	$vrseq -j journal check "$1" | jq -r ".$2" || true
}

# Where in FILE a position of the ring is.
ring_offset() { # FILE POSITION
	local ring bytes

	ring=$(journal_field "$1" ring_bytes)
	bytes=$(stat -c %s "$1")
	echo $((bytes - ring + $2 % ring))
}

# Of three members one comes back with a journal that DAMAGE changed; numbers go on.
one_damaged() { # DAMAGE
	local file=$journals/j3 last

	cluster_journaled 3
	for _ in 1 2 3; do
		next 1 >/dev/null
		$vrseq -n vr2 log append hello >/dev/null
	done
	last=$(next 3)
	# What is newest is guarded a second after it.
	sleep 2.5
	power_off 1 2 3
	"$1" "$file"
	cp "$file" /run/damaged
	journal_on 1 2 3
	for n in 1 2 3; do
		eventually 20 has_quorum "$n"
	done
	[ "$(next 3 timeout "${recovery_s}s")" = $((last + 1)) ]
	[ "$(read_log 3 | wc -l)" = 3 ]
}

# A frame that was being written when the power went.
tear() { # FILE
	local at

	at=$(ring_offset "$1" "$(journal_field "$1" end)")
	printf 'VJF1 and then it was dark' | dd of="$1" bs=1 seek="$at" conv=notrunc 2>/dev/null
	check_journal "$1"
}

# In the middle: what it takes away was said to be safe.
rot() { # FILE
	local position

	position=$($vrseq -j journal dump "$1" | jq -r '.records[2].position')
	flip "$1" $(($(ring_offset "$1" "$position") + 100))
	fails $vrseq journal check "$1" >/run/said
	grep -q damaged /run/said || fail "$(cat /run/said)"
}

journal_torn() {
	one_damaged tear
	[ "$(group_field 3 recoveries)" = 0 ]
}

# It does not vote, and others give it its memory back; then its journal is one again.
journal_rotten() {
	one_damaged rot
	[ "$(group_field 3 recoveries)" = 1 ]
	sleep 1
	power_off 3
	check_journal "$journals/j3"
	journal_on 3
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 0 ]
}

# Alone there is nobody to ask: it says so, and gives no number.
journal_rotten_alone() {
	cluster_journaled 1
	next 1 >/dev/null
	sleep 2.5
	$vrseq -n vr1 group del t
	rot "$journals/j1"
	journaled_up 1
	fails $vrseq -n vr1 health >/run/said
	grep -q 'the journal was damaged' /run/said || fail "$(cat /run/said)"
	fails next 1 timeout 2s 2>/dev/null
	# Both superblocks: it is no journal.
	$vrseq -n vr1 group del t
	flip "$journals/j1" 40
	flip "$journals/j1" $((4096 + 40))
	fails journaled_up 1 2>/run/said
	grep -q 'superblocks damaged' /run/said || fail "$(cat /run/said)"
}

# The first one that says what there is; the other one is from before there was a group. Nobody
# takes that for the truth: without the file it is a member like any other one without memory.
journal_superblock() {
	local file=$journals/j3

	cluster_journaled 3
	next 3 >/dev/null
	sleep 2.5
	power_off 3
	[ "$(journal_field "$file" sequence)" = 2 ]
	flip "$file" 104
	fails journaled_up 3 2>/run/said
	grep -q 'a superblock is damaged' /run/said || fail "$(cat /run/said)"
	rm "$file"
	journal_on 3
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 1 ]
	[ "$(next 3 timeout "${recovery_s}s")" = 2 ]
}

# --- disks that fail ---

is_halted() { # N
	is "$1" state 5
}

# Of three members the third one has its journal on a disk of its own. That has no journal itself,
# which would take the whole file system out before ours does.
cluster_on_disk() { # NAME
	links_up 3
	rm -rf "$journals"
	mkdir -p "$journals"
	disk_up "$1" 64M ^resize_inode,^has_journal
	# What an empty file becomes; a link to nothing is not followed.
	: >"$disk_mount/j3"
	ln -s "$disk_mount/j3" "$journals/j3"
	# shellcheck disable=SC2086
	journaled_up $members
	cluster_form
}

# SPOIL does something to that disk.
disk_fails() { # SPOIL
	local last

	cluster_on_disk failing
	last=$(next 3 timeout "${recovery_s}s")
	"$1"
	for _ in $(seq 5); do
		next 1 timeout "${recovery_s}s" >/dev/null
	done
	eventually 20 is_halted 3
	$vrseq -n vr3 health >/run/said || true
	grep -q 'its journal cannot be written; error 5 of its disk' /run/said ||
		fail "$(cat /run/said)"
	[ "$(group_field 3 journal_error)" = 5 ]
	fails next 3 timeout 2s 2>/dev/null
	[ "$(next 1 timeout "${recovery_s}s")" = $((last + 6)) ]
	$vrseq -n vr3 group del t
}

spoil_all() {
	disk_becomes "0 $disk_sectors error"
}

# Nothing can be written, all can be read.
spoil_writes() {
	modprobe dm-flakey || skip "no dm-flakey in this guest"
	disk_becomes "0 $disk_sectors flakey $disk_loop 0 0 3600 1 error_writes"
}

journal_disk_error() {
	disk_fails spoil_all
	disk_linear
	disk_down
}

# The page cache has what the disk has not: what is read back is what the disk has.
journal_disk_writes_fail() {
	disk_fails spoil_writes
	disk_linear
	journaled_up 3
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 0 ]
	next 3 timeout "${recovery_s}s" >/dev/null
	# shellcheck disable=SC2086
	eventually 15 converged $members
	sleep 2.5
	$vrseq -n vr3 group del t
	# Had it gone on behind what is in the page cache alone, there would be a hole on the disk.
	umount "$disk_mount"
	mount "/dev/mapper/$disk_name" "$disk_mount"
	check_journal "$disk_mount/j3"
	disk_down
}

# The disk says that it wrote, and did not: the worst, and told only where a later write is there.
journal_disk_lies() {
	local last

	modprobe dm-flakey || skip "no dm-flakey in this guest"
	cluster_on_disk lying
	next 3 timeout "${recovery_s}s" >/dev/null
	disk_becomes "0 $disk_sectors flakey $disk_loop 0 0 3600 1 drop_writes"
	for _ in $(seq 5); do
		last=$(next 3 timeout "${recovery_s}s")
	done
	disk_linear
	# Later frames, with what was dropped before them.
	echo 3 >/proc/sys/vm/drop_caches
	for _ in $(seq 5); do
		last=$(next 3 timeout "${recovery_s}s")
	done
	sleep 2.5
	power_off 3
	umount "$disk_mount"
	mount "/dev/mapper/$disk_name" "$disk_mount"
	fails $vrseq journal check "$disk_mount/j3" >/run/said
	journal_on 3
	eventually 20 has_quorum 3
	[ "$(group_field 3 recoveries)" = 1 ]
	[ "$(next 3 timeout "${recovery_s}s")" = $((last + 1)) ]
	$vrseq -n vr3 group del t
	disk_down
}

# It delays its member alone; the group is deleted, and the module stays until it answers.
journal_hangs() {
	local took last

	cluster_on_disk hung
	last=$(next 3 timeout "${recovery_s}s")
	dmsetup suspend --noflush --nolockfs hung
	for _ in $(seq 5); do
		last=$(next 1 timeout "${recovery_s}s")
	done
	sleep 2
	$vrseq -n vr3 group show t >/run/said
	grep -q 'the disk of the journal silent' /run/said || fail "$(cat /run/said)"
	took=$(now_ms)
	$vrseq -n vr3 group del t
	took=$(($(now_ms) - took))
	[ "$took" -lt 5000 ] || fail "del took $took ms"
	fails rmmod vrseq 2>/dev/null
	fails journaled_up 3 2>/run/said
	grep -q 'of another group here' /run/said || fail "$(cat /run/said)"
	dmsetup resume --noudevsync hung
	sleep 1
	journaled_up 3
	eventually 20 has_quorum 3
	[ "$(next 3 timeout "${recovery_s}s")" = $((last + 1)) ]
	$vrseq -n vr3 group del t
	disk_down
	note "a group with a hung journal is deleted in $took ms"
}

# As cluster.sh has it, and the disks.
cleanup() {
	cluster_down
	disks_away
}
