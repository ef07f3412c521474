# SPDX-License-Identifier: GPL-2.0
# What a cluster does while links fail. Sourced by run.sh.
#
# Each test that has load records it, and ends with the check that the whole history, and the logs
# of all members once healed, are those of one linearizable service.

# Longest a call may wait for a majority to go on: view timeout 200 ms, some rounds, a slow guest.
failover_s=5

# Everybody works until load_stop, interrupted and hurried now and then.
load_everywhere() {
	local n

	for n in $members; do
		load "$n" -t 2 -i 40 -x 5 -p 10000 -m 0
	done
}

lossy() { # NETEM ARGS
	cluster_formed 3
	for n in $members; do
		netem "$n" "$@"
	done
	for n in $members; do
		load "$n" -t 2 -N 50 -i 100 -D 20000
	done
	load_wait
	for n in $members; do
		[ "$(next "$n" lossy)" -gt 0 ]
	done
	heal $members
	check_history
}

loss() {
	lossy loss 5%
}

duplicate() {
	lossy duplicate 20%
}

reorder() {
	lossy delay 4ms 3ms reorder 30% 50%
}

# Without a key: what UDP's checksum sees nobody hears of, and nobody believes what has none.
damaged() {
	local n

	cluster_formed 3
	capture_work /run/frames 40
	load_everywhere
	note "frames damaged: $(ip netns exec vrsw $wire damage br0 /run/frames)"
	load_stop
	for n in $members; do
		eventually 5 grew "$n" drop_checksum 0
		next "$n" damaged >/dev/null
	done
	check_history
}

# Go on at the others while one is cut off; then it comes back.
# ISOLATE is a command that cuts a member's link; bounded, nothing lost, nothing twice.
one_isolated() { # ISOLATE VICTIM
	local isolate=$1 victim=$2 survivors before gap

	survivors=$(others "$victim")
	load_everywhere
	sleep 0.5
	"$isolate" "$victim"
	before=$(now_ms)
	for n in $survivors; do
		$vrseq -n "vr$n" counter next timeout "${failover_s}s" survivors >/dev/null
	done
	gap=$(($(now_ms) - before))
	note "member $victim isolated: a number at each survivor took $gap ms"
	for n in $survivors; do
		eventually "$failover_s" has_quorum "$n"
	done
	sleep 0.5
	heal "$victim"
	sleep 0.5
	load_stop
	check_history
}

primary_cut() {
	local old

	cluster_formed 3
	old=$(primary)
	one_isolated cut "$old"
	eventually 10 agree_on_primary
}

primary_mute() {
	cluster_formed 3
	one_isolated mute "$(primary)"
}

primary_deaf() {
	cluster_formed 3
	one_isolated deafen "$(primary)"
}

backup_cut() {
	cluster_formed 3
	one_isolated cut "$(others "$(primary)" | head -n 1)"
}

# Exit code 3 is "no quorum": EHOSTUNREACH.
refused_without_quorum() { # N
	local status=0 before took

	before=$(now_ms)
	$vrseq -n "vr$1" counter next refused timeout 30s 2>/run/refused || status=$?
	took=$(($(now_ms) - before))
	note "refused at member $1 after $took ms: $(cat /run/refused)"
	[ "$status" = 3 ]
	[ "$took" -lt $((failover_s * 1000)) ]
}

minority() {
	local old

	cluster_formed 3
	old=$(primary)
	# shellcheck disable=SC2046
	set -- $(others "$old")
	cut "$old"
	refused_without_quorum "$old"
	eventually "$failover_s" no_quorum "$old"
	status=0
	$vrseq -n "vr$old" health >/run/health || status=$?
	[ "$status" = 3 ]
	note "health at member $old: $(cat /run/health)"
	grep -q "\b$1\b" /run/health
	grep -q "\b$2\b" /run/health
	eventually "$failover_s" has_other_primary "$1" "$old"
	[ "$(next "$1")" -gt 0 ]
	heal "$old"
	eventually "$failover_s" has_quorum "$old"
	[ "$(next "$old")" -gt 1 ]
	eventually 5 converged $members
}

five_two_lost() {
	cluster_formed 5
	load_everywhere
	sleep 0.5
	cut 1
	sleep 0.3
	cut 2
	$vrseq -n vr3 counter next timeout "${failover_s}s" survivors >/dev/null
	$vrseq -n vr5 counter next timeout "${failover_s}s" survivors >/dev/null
	cut 3
	refused_without_quorum 4
	refused_without_quorum 5
	heal 1
	$vrseq -n vr4 counter next timeout "${failover_s}s" survivors >/dev/null
	$vrseq -n vr1 counter next timeout "${failover_s}s" survivors >/dev/null
	heal 2 3
	load_stop
	check_history
}

two_two_one() {
	local n

	cluster_formed 5
	load_everywhere
	sleep 0.5
	partition "1 2" "3 4" "5"
	for n in 1 3 5; do
		refused_without_quorum "$n"
	done
	heal $members
	for n in $members; do
		$vrseq -n "vr$n" counter next timeout "${failover_s}s" healed >/dev/null
	done
	load_stop
	check_history
}

# 1 and 3 do not hear each other, 2 hears both: a majority exists, so numbers must be had at 2.
bridge_member() {
	cluster_formed 3
	load_everywhere
	sleep 0.5
	deafen_to 1 3
	deafen_to 3 1
	$vrseq -n vr2 counter next timeout 10s middle >/dev/null
	sleep 1
	$vrseq -n vr2 counter next timeout 10s middle >/dev/null
	heal $members
	load_stop
	check_history
}

# --- random schedules ---

random() { # N: 0 to N-1
	echo $((RANDOM % $1))
}

random_member() {
	echo $((1 + RANDOM % $(echo "$members" | wc -w)))
}

random_fault() {
	local a b

	a=$(random_member)
	b=$(random_member)
	case $(random 9) in
	0) note "  cut $a"; cut "$a" ;;
	1) note "  mute $a"; mute "$a" ;;
	2) note "  deafen $a"; deafen "$a" ;;
	3) [ "$a" = "$b" ] || { note "  deafen $a to $b"; deafen_to "$a" "$b"; } ;;
	4) note "  netem $a loss"; netem "$a" loss 20% ;;
	5) note "  netem $a mixed"; netem "$a" delay 10ms 9ms reorder 30% duplicate 10% ;;
	6) note "  heal all"; heal $members ;;
	7) note "  heal $a"; heal "$a" ;;
	8) note "  kill a client"; kill -9 "$load_last" 2>/dev/null || true ;;
	esac
}

random_faults() {
	local seed first=${FIRST:-1} size

	for seed in $(seq "$first" $((first + ${SEEDS:-1} - 1))); do
		SEED=$seed
		RANDOM=$seed
		size=$((seed % 2 ? 3 : 5))
		note "seed $seed, $size members; again: TEST=random_faults SEEDS=1 FIRST=$seed"
		cluster_formed "$size"
		load_everywhere
		load 1 -t 1 -p 10000 -m 0
		for _ in $(seq 8); do
			random_fault
			sleep "0.$((1 + RANDOM % 8))"
		done
		heal $members
		for n in $members; do
			$vrseq -n "vr$n" counter next timeout 10s healed >/dev/null
		done
		load_stop
		check_history
		cluster_down
	done
}
