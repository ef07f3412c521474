# SPDX-License-Identifier: GPL-2.0
# Members with a journal: what they acknowledged is there again after a power cut, whatever the disk
# did to it that it can be told by. A power cut is as in power.sh, and the kernel's, so the page
# cache stays: what only a disk can lose is lost by the device mapper. Sourced by run.sh.

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

# Nobody is told anything: what is not on the disk is lost.
journal_off() { # N...
	local n

	cut "$@"
	for n; do
		$vrseq -n "vr$n" group del t
		printf '%s\n' "link set eth0 down" "link set eth0 up" | ip -n "vr$n" -batch -
	done
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
disk_up() { # NAME BYTES
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
	mkfs.ext4 -q -b 4096 -O ^resize_inode -m 0 "/dev/mapper/$1"
	mkdir -p "$disk_mount"
	mount -o errors=continue "/dev/mapper/$1" "$disk_mount"
}

# From now on the device does as TABLE says; what is in the page cache stays there.
disk_becomes() { # TABLE
	dmsetup suspend --noflush --nolockfs "$disk_name"
	dmsetup load "$disk_name" --table "$1"
	dmsetup resume --noudevsync "$disk_name"
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

	cluster_journaled 3
	initial=0
	for round in $(seq "${POWER_LOSSES:-3}"); do
		load 1 -t 4
		load 2 -t 4
		load 3 -t 4
		sleep "$((1 + round % 2)).${round}3"
		load_kill
		journal_off 1 2 3
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
