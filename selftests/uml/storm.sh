# SPDX-License-Identifier: GPL-2.0
# An hour of faults with the real module: lossy links, partitions, members that restart with their
# memory lost, clients that work, are interrupted and killed. In rounds: some faults, drawn from the
# seed; then all is healed, and everybody has to be well again soon. At the end all that any client
# or reader ever saw is checked. Sourced by virtual.sh.
#
# No more members are without memory at once than the protocol allows: what comes of more is
# AMNESIA, which is not a fault but an end (selftests/netns/restart.sh).
#
# A fork costs more here than a second of heartbeats: nothing below forks without need.

# After faults: a view change or two, and a member's recovery.
well_s=5

draw() { # N: sets $drawn, 0 to N-1
	drawn=$((RANDOM % $1))
}

draw_member() { # of $size
	draw "$size"
	drawn=$((drawn + 1))
}

flap() { # N
	local _

	for _ in 1 2 3 4 5 6; do
		cut "$1"
		pause 0.2
		sw link set "v$1" up
		pause 0.3
	done
}

storm_restart() { # N [UNSEEN]
	may_forget "$1" || return 0
	note "  restart $*"
	restart "$@"
}

storm_fault() {
	local a b

	draw_member
	a=$drawn
	draw_member
	b=$drawn
	draw 15
	case $drawn in
	0) note "  cut $a"; cut "$a" ;;
	1) note "  mute $a"; mute "$a" ;;
	2) note "  deafen $a"; deafen "$a" ;;
	3) [ "$a" = "$b" ] || { note "  deafen $a to $b"; deafen_to "$a" "$b"; } ;;
	4)
		note "  partition $a $b"
		heal $members
		partition "$a $b" "$(others "$a" "$b" | xargs)"
		;;
	5) note "  loss $a"; netem "$a" loss 20% limit 10000 ;;
	6) note "  delay $a"; netem "$a" delay 15ms 14ms limit 10000 ;;
	7) note "  all sorts $a"; netem "$a" delay 3ms 2ms loss 5% duplicate 10% corrupt 5% \
		reorder 30% limit 10000 ;;
	8) note "  flap $a"; flap "$a" ;;
	9) note "  heal $a"; heal "$a" ;;
	10 | 11) storm_restart "$a" ;;
	12 | 13) storm_restart "$a" unseen ;;
	14) note "  kill the clients of $a"; work_kill "$a"; member_work "$a" ;;
	esac
}

storm_round() {
	local n faults

	draw 6
	for ((faults = drawn + 1; faults; faults--)); do
		storm_fault
		draw 240
		pause "$((drawn / 10)).$((drawn % 10))"
	done
	heal $members
	# Looking is what costs: once is enough if one waits first.
	pause 2
	for n in $members; do
		eventually $((well_s - 2)) is_well "$n" || {
			status_of "$n"
			fail "member $n is not well after $well_s s: state $s_state view $s_view" \
				"op $s_op commit $s_commit"
		}
		$vrseq -n "vr$n" counter next timeout "${well_s}s" well >/dev/null
	done
}

storm() { # MEMBERS SECONDS
	local n start rounds=0 size=$1

	RANDOM=$seed
	# Half as many heartbeats as usual, which are most of the work.
	GROUP_OPTIONS='heartbeat 40ms view-timeout 240ms'
	# Pauses make an hour of clients affordable.
	work_options='-t 2 -p 4000000 -i 4000 -x 3'
	cluster_formed "$size"
	start=$(now_ms)
	for n in $members; do
		member_work "$n"
	done
	while [ $(($(now_ms) - start)) -lt $(($2 * 1000)) ]; do
		storm_round
		rounds=$((rounds + 1))
	done
	work_end
	status_of 1
	note "$(($(now_ms) - start)) ms, $rounds rounds, $restarts restarts, view $s_view"
}

# From FIRST on. The schedule of faults is the seed's; what the kernel draws is not.
storms() { # TEST MEMBERS SECONDS
	local first=${FIRST:-42}

	for seed in $(seq "$first" $((first + ${SEEDS:-1} - 1))); do
		note "seed $seed; again: make uml TEST=$1 FIRST=$seed"
		storm "$2" "${STORM_S:-$3}"
		cleanup
	done
}

storm_of_three() {
	storms storm_of_three 3 3600
}

storm_of_five() {
	storms storm_of_five 5 600
}
