#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in a guest that counts instructions (one is one ns): what a commit costs beside a UDP echo
# between two processes, in the same boot. Prints p50 and the ratios; gates nothing.
#
# A group has one member in a namespace, so there is no commit over loopback alone: veth and a
# bridge are between any two members, and between the processes of the veth echo.
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
		'BEGIN { printf "%-44s %.2f\n", what, a / b }'
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

# Rare heartbeats: their cost is not a commit's.
three() {
	GROUP_OPTIONS='heartbeat 1s view-timeout 10s'
	cluster_formed 3
	"$programs/commit_bench" commit-primary "vr$(primary)" >>$costs
	"$programs/commit_bench" commit-backup "vr$(others "$(primary)" | head -n 1)" >>$costs
}

five() {
	GROUP_OPTIONS='heartbeat 1s view-timeout 10s'
	cluster_formed 5
	"$programs/commit_bench" commit-primary-of-five "vr$(primary)" >>$costs
}

set -e
ktap_begin
module_load
ktap_run echoes "UDP echo between two processes"
ktap_run alone "commits of a group of one"
ktap_run three "commits of a group of three over veth"
ktap_run five "commits of a group of five over veth"
printf '# %-24s %8s %8s %8s %8s  instructions\n' '' p50 p90 p99 max
awk '{ printf "# %-24s %8d %8d %8d %8d\n", $1, $2, $3, $4, $5 }' $costs
ratio "# commit at the primary / echo, veth" commit-primary echo-veth
ratio "# commit at a backup / echo, veth" commit-backup echo-veth
ratio "# commit alone / echo, loopback" commit-alone echo-loopback
ktap_end
