# SPDX-License-Identifier: GPL-2.0
# All memory gone at once, and what the records are good for then. A power cut is the group taken
# away at all members without a word to each other, and added again. Sourced by run.sh.

records=/run/records

# Numbers of a shell have 64 bits, and a sign; generations below 32768 fit.
base() { # GENERATION
	echo $(($1 << 48))
}

cluster_recorded() { # N
	local n

	links_up "$1"
	rm -rf "$records"
	mkdir -p "$records"
	for n in $members; do
		member_up "$n" record "$records/r$n"
	done
	cluster_form
}

# The others must not be handed anything over: their links are cut first. Nor must they ever hear
# what still waits in a machine for its neighbour's address.
power_off() { # N...
	local n

	cut "$@"
	for n; do
		$vrseq -n "vr$n" group del t
		printf '%s\n' "link set eth0 down" "link set eth0 up" | ip -n "vr$n" -batch -
	done
}

power_on() { # N...
	local n

	for n; do
		member_up "$n" record "$records/r$n"
	done
	heal "$@"
}

in_generation() { # GENERATION N...
	local generation=$1 n

	shift
	for n; do
		is "$n" state 2 || return
		$vrseq -n "vr$n" -j group show t | grep -q "\"generation\": *$generation," || return
	done
}

recorded() { # N KEY VALUE
	$vrseq -j record show "$records/r$1" | grep -q "\"$2\": *$3[,}]"
}

# Time and again; each number that is drawn is larger than all before, by whomever.
power_loss() {
	local generation last=0 number n took slowest=0 before

	cluster_recorded 3
	for generation in $(seq 0 "${POWER_LOSSES:-4}"); do
		eventually 20 in_generation "$generation" 1 2 3
		for n in 1 2 3; do
			number=$(next "$n" timeout "${recovery_s}s")
			[ "$number" -gt "$last" ] || fail "$number after $last"
			last=$number
			recorded "$n" generation "$generation"
		done
		[ "$last" = $(($(base "$generation") + 3)) ]
		[ "$generation" != "${POWER_LOSSES:-4}" ] || break
		power_off 1 2 3
		power_on 1 2
		is 1 has_quorum 0
		before=$(now_ms)
		power_on 3
		eventually 20 in_generation $((generation + 1)) 1 2 3
		took=$(($(now_ms) - before))
		[ "$took" -le "$slowest" ] || slowest=$took
	done
	note "after the last one was back it took $slowest ms at most"
	# Once for each life and generation, and not for any operation.
	recorded 1 writes '[0-9]\{2,3\}'
}

is_lost() { # N
	is "$1" state 6
}

# Who is missing is named; operations are refused, until he is there or the operator speaks.
power_loss_one_missing() {
	cluster_recorded 3
	next 1 >/dev/null
	$vrseq -n vr2 log append before
	power_off 1 2 3
	power_on 1 2
	eventually 10 is_lost 1
	eventually 10 is_lost 2
	$vrseq -n vr1 health && fail "healthy"
	$vrseq -n vr1 health | grep -q 'member 3 never heard' || fail "$($vrseq -n vr1 health)"
	$vrseq -n vr1 health | grep -q 'vrseq group reform t'
	fails next 1 timeout 2s 2>/run/said
	grep -q 'lost their memory' /run/said || fail "$(cat /run/said)"
	fails $vrseq -n vr1 group reform t </dev/null 2>/run/said
	grep -q 'Nobody is there to be asked' /run/said
	fails $vrseq -n vr1 group reform t confirm other 2>/dev/null
	$vrseq -n vr1 group reform t confirm t 2>/run/said
	grep -q 'member 3' /run/said
	eventually 10 in_generation 1 1 2
	[ "$(next 2)" = $(($(base 1) + 1)) ]
	# It comes back, with an old record, and is one of them.
	power_on 3
	eventually 20 in_generation 1 3
	[ "$(next 3 timeout "${recovery_s}s")" = $(($(base 1) + 2)) ]
}

# With old memory, too: of no use, and no harm.
reform_fences() {
	cluster_recorded 3
	[ "$(next 3)" = 1 ]
	fails $vrseq -n vr1 group reform t confirm t 2>/run/said
	grep -q 'with memory' /run/said || fail "$(cat /run/said)"
	cut 3
	power_off 1 2
	power_on 1 2
	eventually 10 is_lost 1
	eventually 10 is_lost 2
	$vrseq -n vr2 group reform t confirm t 2>/dev/null
	eventually 10 in_generation 1 1 2
	[ "$(next 1)" = $(($(base 1) + 1)) ]
	fails next 3 timeout 2s 2>/dev/null
	heal 3
	eventually 20 in_generation 1 3
	[ "$(next 3 timeout "${recovery_s}s")" = $(($(base 1) + 2)) ]
}

# A record that is no record keeps its member down, and says why.
record_corrupt() {
	cluster_recorded 3
	next 1 >/dev/null
	power_off 1 2 3
	printf x | dd of="$records/r3" bs=1 seek=30 conv=notrunc 2>/dev/null
	$vrseq record show "$records/r3" | grep -q 'one of its two slots'
	printf x | dd of="$records/r3" bs=1 seek=600 conv=notrunc 2>/dev/null
	fails $vrseq record show "$records/r3" >/dev/null
	power_on 1 2
	fails member_up 3 record "$records/r3" 2>/run/said
	grep -q 'damaged' /run/said && grep -q "$records/r3" /run/said || fail "$(cat /run/said)"
	fails member_up 3 record "$records/r1" 2>/run/said
	grep -q 'of another' /run/said || fail "$(cat /run/said)"
	# A new one vouches for nothing.
	rm "$records/r3"
	power_on 3
	eventually 10 is_lost 3
	sleep 2
	is_lost 1
	$vrseq -n vr1 health | grep -q 'a record is missing' || fail "$($vrseq -n vr1 health)"
	$vrseq -n vr2 group reform t confirm t 2>/dev/null
	eventually 20 in_generation 1 1 2 3
	[ "$(next 3 timeout "${recovery_s}s")" = $(($(base 1) + 1)) ]
}

records_missing() {
	cluster_recorded 3
	next 1 >/dev/null
	power_off 1 2 3
	rm "$records"/r*
	power_on 1 2 3
	sleep 1
	is 1 state 0
	fails $vrseq -n vr1 group reform t confirm t 2>/run/said
	grep -q 'no record here' /run/said || fail "$(cat /run/said)"
	$vrseq -n vr1 group form t generation 7
	eventually 10 in_generation 7 1 2 3
	[ "$(next 2)" = $(($(base 7) + 1)) ]
}

# No room for the record: the step that needs it does not happen, and says so.
record_full() {
	links_up 1
	mkdir -p "$records"
	mkdir -p /run/full
	mount -t tmpfs -o size=4k tmpfs /run/full
	dd if=/dev/zero of=/run/full/x bs=4k count=1 2>/dev/null
	fails member_up 1 record /run/full/r 2>/run/said
	grep -q 'cannot be' /run/said || fail "$(cat /run/said)"
	umount /run/full
	member_up 1 record relative
	$vrseq -n vr1 group del t
	fails member_up 1 record /run 2>/run/said
	member_up 1 record "$records/alone"
	fails $vrseq -n vr1 group add u self 1 listen 10.77.0.1:7401 insecure \
		record "$records/alone" 2>/run/said
	grep -q 'of another group here' /run/said || fail "$(cat /run/said)"
	fails $vrseq -n vr1 group add u self 1 listen 10.77.0.1:7401 insecure \
		durability journal "$records/alone" 2>/run/said
	grep -q 'of another group here' /run/said || fail "$(cat /run/said)"
	rm -f relative
}

# The disk of one member hangs: whoever needs no write of its record does not notice.
record_hangs() {
	local loop took

	command -v dmsetup >/dev/null && modprobe -a loop dm-mod 2>/dev/null ||
		skip "no device mapper in this guest"
	cluster_recorded 3
	dd if=/dev/zero of=/run/disk bs=64k count=1 2>/dev/null
	loop=$(losetup -f --show /run/disk) || skip "no loop device in this guest"
	dmsetup create --noudevsync hung --table "0 128 linear $loop 0"
	dmsetup mknodes
	power_off 3
	$vrseq -n vr3 group add t self 3 listen "10.77.0.3:$port" insecure record /dev/mapper/hung
	dmsetup suspend --noflush hung
	$vrseq -n vr3 member add 1 "10.77.0.1:$port" group t
	$vrseq -n vr3 member add 2 "10.77.0.2:$port" group t
	heal 3
	sleep 2
	# It needs the record to live again; the others do not.
	is 3 state 4
	next 1 >/dev/null
	$vrseq -n vr3 group show t >/dev/null
	took=$(now_ms)
	$vrseq -n vr3 group del t
	took=$(($(now_ms) - took))
	[ "$took" -lt 5000 ] || fail "del took $took ms"
	fails rmmod vrseq 2>/dev/null
	dmsetup resume hung
	sleep 1
	dmsetup remove --noudevsync hung
	losetup -d "$loop"
	note "a group with a hung record is deleted in $took ms"
}
