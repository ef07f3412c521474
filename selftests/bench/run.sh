#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in a guest that counts instructions (one is one ns): what a commit costs beside a UDP echo
# between two processes, in the same boot. Prints p50 and the ratios; gates nothing.
#
# Over loopback: three members of one group in one namespace, told apart by their names and held
# together by a UUID. Over veth: one namespace each, and a bridge between any two, as between the
# processes of the veth echo.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"

costs=/run/costs
: >$costs

cost() { # NAME: p50
	awk -v name="$1" '$1 == name { print $2 }' $costs
}

ratio() { # WHAT NAME BASE
	awk -v a="$(cost "$2")" -v b="$(cost "$3")" -v what="$1" \
		'BEGIN { if (a && b) printf "%-44s %.2f\n", what, a / b }'
}

echoes() {
	links_up 3
	"$programs/udp_echo" echo-loopback 127.0.0.1 vr1 vr1 >>$costs
	"$programs/udp_echo" echo-veth 10.77.0.2 vr2 vr1 >>$costs
}

alone() {
	cluster_formed 1
	"$programs/commit_bench" commit-alone vr1 >>$costs
}

# In a group of one, where a commit is least of what an operation costs.
delivery() {
	cluster_formed 1 messages 4096
	"$programs/deliver_bench" alone vr1 >>$costs
}

# Rare heartbeats: their cost is not a commit's.
rare='heartbeat 1s view-timeout 10s'

# A group's name for its member ID at a loopback address.
name_of() { # ID
	echo "m$1"
}

ready_on_loopback() { # ID
	local text

	text=$("$programs/member_status" vr1 "$(name_of "$1")") && eval "$text" &&
		[ "$s_has_quorum" = 1 ] && [ "$s_primary_id" != 0 ]
}

loopback() {
	local id other

	links_up 1
	for id in 1 2 3; do
		# shellcheck disable=SC2086
		$vrseq -n vr1 group add "$(name_of $id)" self $id listen 127.0.0.1:$((port + id)) \
			insecure uuid 6c6f6f70-6261-436b-8000-000000000001 $rare
		for other in 1 2 3; do
			[ $other = $id ] || $vrseq -n vr1 member add $other \
				127.0.0.1:$((port + other)) group "$(name_of $id)"
		done
	done
	$vrseq -n vr1 group form "$(name_of 1)"
	for id in 3 2 1; do
		eventually 10 ready_on_loopback $id
	done
	id=$s_primary_id
	other=$((id % 3 + 1))
	"$programs/commit_bench" commit-primary-loopback vr1 "$(name_of "$id")" >>$costs
	"$programs/commit_bench" commit-backup-loopback vr1 "$(name_of $other)" >>$costs
	"$programs/commit_bench" eight-callers-loopback vr1 "$(name_of "$id")" 8 >>$costs
}

three() {
	GROUP_OPTIONS=$rare
	cluster_formed 3
	"$programs/commit_bench" commit-primary "vr$(primary)" >>$costs
	"$programs/commit_bench" commit-backup "vr$(others "$(primary)" | head -n 1)" >>$costs
	"$programs/commit_bench" eight-callers "vr$(primary)" t 8 >>$costs
}

# The same, each datagram sealed and opened.
keyed() {
	(umask 077 && $vrseq genkey >/run/key)
	SECURITY="key /run/key" GROUP_OPTIONS=$rare
	cluster_formed 3
	"$programs/commit_bench" commit-primary-keyed "vr$(primary)" >>$costs
	"$programs/commit_bench" commit-backup-keyed "vr$(others "$(primary)" | head -n 1)" >>$costs
}

delivery_of_three() {
	GROUP_OPTIONS=$rare
	cluster_formed 3 messages 4096
	"$programs/deliver_bench" three "vr$(primary)" >>$costs
}

five() {
	GROUP_OPTIONS=$rare
	cluster_formed 5
	"$programs/commit_bench" commit-primary-of-five "vr$(primary)" >>$costs
}

set -e
ktap_begin
module_load
ktap_run echoes "UDP echo between two processes"
ktap_run alone "commits of a group of one"
ktap_run delivery "a record to its reader, an operation by io_uring, in a group of one"
ktap_run loopback "commits of a group of three over loopback"
ktap_run three "commits of a group of three over veth"
ktap_run keyed "the same, authenticated and encrypted"
ktap_run delivery_of_three "the same at the primary of three, over veth"
ktap_run five "commits of a group of five over veth"
printf '# %-24s %8s %8s %8s %8s  instructions\n' '' p50 p90 p99 max
awk 'NF == 5 { printf "# %-24s %8d %8d %8d %8d\n", $1, $2, $3, $4, $5 }' $costs
awk 'NF == 2 { printf "# %-24s %8d  mean\n", $1, $2 }' $costs
ratio "# commit at the primary / echo, loopback" commit-primary-loopback echo-loopback
ratio "# commit at a backup / echo, loopback" commit-backup-loopback echo-loopback
ratio "# commit at the primary / echo, veth" commit-primary echo-veth
ratio "# commit at a backup / echo, veth" commit-backup echo-veth
ratio "# commit at the primary, keyed / echo, veth" commit-primary-keyed echo-veth
ratio "# commit at the primary, keyed / plain" commit-primary-keyed commit-primary
ratio "# commit alone / echo, loopback" commit-alone echo-loopback
if [ -n "${PROFILE:-}" ]; then
	cp /proc/kallsyms "$VRSEQ_OUT/kallsyms"
	awk 'NF == 5 { print $1 }' $costs >"$VRSEQ_OUT/traced"
fi
ktap_end
