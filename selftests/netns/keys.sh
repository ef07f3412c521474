# SPDX-License-Identifier: GPL-2.0
# Groups with a key: what others on the wire can see and do, and how a key changes; and messages in
# parts. Sourced by run.sh.

wire="python3 $(dirname "${BASH_SOURCE[0]}")/wire.py"

key_make() { # NAME
	(umask 077 && $vrseq genkey >"/run/key.$1")
}

keyed() { # N OPTIONS
	key_make old
	SECURITY="key /run/key.old"
	cluster_formed "$@"
}

stat_of() { # N NAME
	$vrseq -n "vr$1" stats group t | awk -v name="$2" '$1 == name { print $2 }'
}

# What everybody on the bridge sees, into FILE, until capture_end or the end of the test.
capture() { # FILE
	sw link set br0 promisc on
	rm -f "$1"
	ip netns exec vrsw $wire capture br0 "$1" >/dev/null 2>&1 &
	capturing=$!
	eventually 30 test -e "$1"
}

capture_end() {
	kill "$capturing"
	wait "$capturing" || true
	capturing=
}

# What members say while each draws so many numbers.
capture_work() { # FILE NUMBERS
	local n

	capture "$1"
	for n in $members; do
		load "$n" -t 1 -N "$2"
	done
	load_wait
	capture_end
}

# The same words, sent in a group with a key and in one without: only the latter shows them.
key_hides() {
	local words="what nobody is to see 4711"

	keyed 3
	capture /run/frames
	for n in $members; do
		$vrseq -n "vr$n" log append "$words" >/dev/null
		next "$n" >/dev/null
	done
	for n in $members; do
		$vrseq -n "vr$n" log tail count 3 >/run/tail
		[ "$(grep -cxF "$words" /run/tail)" = 3 ]
	done
	capture_end
	[ "$(stat -c %s /run/frames)" -gt 2000 ]
	fails grep -qaF "$words" /run/frames
	$vrseq -n vr1 group show t | tee /run/show
	grep -q '^  key [0-9a-f][0-9a-f]$' /run/show
	fails grep -qi insecure /run/show
	[ "$(stat_of 1 drop_forged)" = 0 ]

	cluster_down
	unset SECURITY
	cluster_formed 3
	capture /run/frames
	$vrseq -n vr1 log append "$words" >/dev/null
	capture_end
	grep -qaF "$words" /run/frames
}

# Nobody who works with the group notices that its key changes, twice.
key_rotation() {
	local n round

	keyed 3
	for n in $members; do
		load "$n" -t 2 -m 0
	done
	sleep 1
	for round in 1 2; do
		key_make "new$round"
		for n in $members; do
			$vrseq -n "vr$n" key set "/run/key.new$round" group t
		done
		sleep 0.3
		for n in $members; do
			$vrseq -n "vr$n" key swap group t
			sleep 0.3
		done
		for n in $members; do
			$vrseq -n "vr$n" key del group t
		done
		sleep 0.3
	done
	load_stop
	check_history
	for n in $members; do
		[ "$(stat_of "$n" drop_forged)" = 0 ]
		$vrseq -n "vr$n" group show t >/run/show
		fails grep -q 'second key' /run/show
		grep '^  key' /run/show >>/run/tags
	done
	[ "$(sort -u /run/tags | wc -l)" = 1 ]
	rm /run/tags
	# Who still has the first key is nobody.
	eventually 5 $vrseq -n vr3 group del t
	member_up 3
	eventually 5 other_key 1 3
	fails $vrseq -n vr3 counter next timeout 300ms
}

other_key() { # N OTHER
	$vrseq -n "vr$1" health >/run/health || true
	grep -q "member $2 has another key" /run/health
}

# Another key is told apart from silence, at both ends, and the group is not formed.
key_differs() {
	key_make old
	key_make other
	SECURITY="key /run/key.old"
	cluster_up 3
	$vrseq -n vr3 group del t
	SECURITY="key /run/key.other"
	member_up 3
	fails $vrseq -n vr1 group form t
	eventually 10 other_key 1 3
	eventually 10 other_key 3 1
	$vrseq -n vr1 -j group show t | grep -q '"trust":"other-key"'
	$vrseq -n vr3 group del t
	SECURITY="key /run/key.old"
	member_up 3
	$vrseq -n vr1 group form t
	for n in $members; do
		eventually 10 has_quorum "$n"
	done
	# One without a key is not heard, and hears nobody.
	eventually 5 $vrseq -n vr2 group del t
	SECURITY=insecure
	member_up 2
	sleep 1
	[ "$(stat_of 2 drop_envelope)" -gt 0 ]
	fails $vrseq -n vr2 health
	is 2 state 0
	[ "$(next 1)" -gt 0 ]
}

grew() { # N NAME THAN
	[ "$(stat_of "$1" "$2")" -gt "$3" ]
}

# All that was said, said again: in this life of the members, and in the next.
key_replay() {
	local before victim

	keyed 3
	capture_work /run/frames 40
	note "frames replayed: $(ip netns exec vrsw $wire replay br0 /run/frames)"
	for n in $members; do
		eventually 5 grew "$n" drop_replay 0
		[ "$(stat_of "$n" drop_forged)" = 0 ]
	done
	victim=$(others "$(primary)" | tail -n 1)
	eventually 5 $vrseq -n "vr$victim" group del t
	member_up "$victim"
	eventually 10 has_quorum "$victim"
	for n in $members; do
		next "$n" >/dev/null
	done
	before=$(stat_of "$victim" drop_session)
	ip netns exec vrsw $wire replay br0 /run/frames
	eventually 5 grew "$victim" drop_session "$before"
	for n in $members; do
		next "$n" >/dev/null
		[ "$(stat_of "$n" drop_forged)" = 0 ]
	done
	check_history
}

# Where no long datagram gets through messages go in parts, and lost parts are lost messages.
small_mtu() { # SECURITY MTU
	local n last

	SECURITY=$1
	cluster_up 3
	for n in $members; do
		ip -n "vr$n" link set eth0 mtu "$2"
		sw link set "v$n" mtu "$2"
	done
	cluster_form
	for n in $members; do
		netem "$n" loss 2%
		# Fewer than rings keep: readers come when all is over.
		load "$n" -t 2 -a 60 -b 4000 -N 140 -d "${DURATION:-3}"
	done
	load_wait
	# shellcheck disable=SC2086
	heal $members
	check_history
	# The longest messages are all there, too.
	last=$(sequence_last 1)
	for n in $members; do
		head -c 8192 /dev/zero | tr '\0' "$n" | $vrseq -n "vr$n" log append - >/dev/null
	done
	for n in $members; do
		$vrseq -n "vr$n" log tail from $((last + 1)) count 3 >/run/tail
		[ "$(tr -d '\n' </run/tail | wc -c)" = 24576 ]
		[ "$(tr -s 123 </run/tail | tr -d '\n')" = 123 ]
	done
}

small_mtu_keyed() {
	key_make old
	small_mtu "key /run/key.old" 576
}

small_mtu_insecure() {
	small_mtu insecure 576
}
