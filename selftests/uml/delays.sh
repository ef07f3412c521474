# SPDX-License-Identifier: GPL-2.0
# What operations cost in network delays, counted: in virtual time nothing but the network takes
# time, so a duration is a whole number of delays. Sourced by virtual.sh.

delay_ms=10

# Each datagram takes 10 ms, in any direction.
delayed_cluster() { # N
	local n

	GROUP_OPTIONS=' '
	cluster_formed "$1"
	for n in $members; do
		netem "$n" delay "${delay_ms}ms" limit 10000
	done
	# Let neighbours be resolved, and round trips be measured.
	for n in $members; do
		next "$n" warm >/dev/null
	done
	pause 2
}

# The delays of each operation but the first, which also begins the session; each of them once.
# A clock costs some 256 ns to look at, here: 0.1 ms is far more than all such together.
delays_of() { # N KIND
	"$programs/op_times" -n "vr$1" -g t -k "$2" -N 33 | awk -v delay_ns="${delay_ms}000000" '
		NR > 1 {
			delays = int($2 / delay_ns + 0.5)
			off_ns = $2 - delays * delay_ns
			if (off_ns > 100000 || off_ns < -100000)
				print "not a whole number of delays: " $2 " ns"
			if (!seen[delays]++)
				print delays
		}'
}

# An operation of each KIND takes so many delays at the member.
costs() { # N DELAYS KIND...
	local n=$1 expected=$2 kind got wrong=

	shift 2
	for kind; do
		got=$(delays_of "$n" "$kind" | xargs)
		note "member $n of $(echo $members | wc -w), $kind: $got delays"
		[ "$got" = "$expected" ] || wrong="$wrong $kind"
	done
	[ -z "$wrong" ] || fail "not $expected delays:$wrong"
}

a_backup() {
	others "$(primary)" | head -n 1
}

delays_of_three() {
	delayed_cluster 3
	costs "$(primary)" 2 next append log index
	costs "$(a_backup)" 2 next append log index
	costs "$(primary)" 0 local
	costs "$(a_backup)" 0 local
}

# What a backup of five may answer, others must have held first: one hop more each way.
delays_of_five() {
	delayed_cluster 5
	costs "$(primary)" 2 next append log index
	costs "$(a_backup)" 4 next append log
}

# --- when a primary goes ---

# Clients at each member draw numbers, with a pause of PAUSE_US between two. WHAT is done to the
# primary, and for how long none of the others got a number is noted, in ms, as $gaps. It costs one
# view.
between_two_numbers() { # WHAT PAUSE_US
	local what=$1 pause_us=$2 old view n pids=''

	old=$(primary)
	status_of "$old"
	view=$s_view
	for n in $(others "$old"); do
		"$programs/op_times" -n "vr$n" -g t -p "$pause_us" >"/run/times$n" &
		pids="$pids $!"
	done
	pause 1
	"$what" "$old"
	pause 2
	# shellcheck disable=SC2086
	kill $pids
	wait
	for n in $(others "$old"); do
		gaps="$gaps $(awk '{ end = $1 + $2; if (last && end - last > gap) gap = end - last
			last = end } END { print int(gap / 1000000) }' "/run/times$n")"
		status_of "$n"
		[ "$s_view" = $((view + 1)) ] || fail "member $n went from view $view to $s_view"
	done
}

leave() { # N
	$vrseq -n "vr$1" group del t
}

longest() { # LIMIT_MS
	local gap worst=0

	note "ms between two numbers at each of the others:$gaps"
	for gap in $gaps; do
		[ "$gap" -le "$worst" ] || worst=$gap
	done
	[ "$worst" -le "$1" ]
}

# Two round trips, and the commit of the number itself: nobody waits for a timeout.
hand_over() {
	delayed_cluster 3
	gaps=
	between_two_numbers leave 0
	longest $((6 * delay_ms + 1))
}

# On a local network, with the timers as they are by default.
crash() {
	local _ old

	delay_ms=0.1
	delayed_cluster 3
	gaps=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		old=$(primary)
		between_two_numbers cut 10000
		heal "$old"
		eventually 5 agree_on_primary
		pause 2
	done
	longest 250
}
