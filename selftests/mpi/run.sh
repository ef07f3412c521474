#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the MPI example, six ranks at three members in their network namespaces. What
# it says of itself is checked against the log of each member. Knows mpirun, and nothing of MPI.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"

items=40
ranks=6
out=/run/mpi.out

# Root without a network: MPI in shared memory, and ranks that wait give up the processor.
mpi() {
	timeout -k 5 240 mpirun --allow-run-as-root --oversubscribe --mca btl self,vader \
		--mca mpi_yield_when_idle 1 --mca plm isolated "$@"
}

job() { # ITEMS
	mpi -n 2 "$programs/deal" -i "$1" -n vr1 : -n 2 "$programs/deal" -i "$1" -n vr2 : \
		-n 2 "$programs/deal" -i "$1" -n vr3
}

# The events of a job that began at SEQUENCE, as member N reads them.
events() { # N SEQUENCE
	$vrseq -n "vr$1" log tail from "$2" | grep "^deal $2: item "
}

# Each item once, in one order at all members, and each rank's share is what it said.
dealt() { # ITEMS
	local begin n rank share

	begin=$($vrseq -j -n vr1 log tail |
		jq -r 'select(.message == "deal begins") | .sequence' | tail -n 1)
	eventually 15 converged 1 2 3
	for n in 1 2 3; do
		events "$n" "$begin" >/run/events.$n
	done
	cmp /run/events.1 /run/events.2
	cmp /run/events.1 /run/events.3
	[ "$(sed 's/.*: item \([0-9]*\) .*/\1/' /run/events.1 | sort -n)" = "$(seq "$1")" ] ||
		fail "$(cat /run/events.1)"
	for rank in $(seq 0 $((ranks - 1))); do
		share=$(grep -c " rank $rank " /run/events.1) || true
		grep -q "^rank $rank at member $((rank / 2 + 1)): $share items, " $out ||
			fail "rank $rank did $share items: $(cat $out)"
	done
	[ "$(sed -n 's/^rank .*, order //p' $out | sort -u | wc -l)" = 1 ] || fail "$(cat $out)"
	grep -q "^$1 items, each drawn once; $ranks ranks read one order$" $out ||
		fail "$(cat $out)"
}

deal() {
	cluster_formed 3
	job $items >$out 2>&1 || fail "$(cat $out)"
	dealt $items
	note "$(cat $out)"
}

# A rank that cannot go on says why, and the job ends with it.
refused() {
	cluster_up 3
	! mpi -n 1 "$programs/deal" -n vr1 >$out 2>&1 || fail "it succeeded: $(cat $out)"
	grep -q 'rank 0: get: No quorum' $out || fail "$(cat $out)"
}

set -e
ktap_begin
hold_static_keys
module_load
ktap_run deal "six ranks at three members: each item once, one order"
ktap_run refused "a group that is not formed ends the job"
ktap_end
