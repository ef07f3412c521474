#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the UML kernel that watches nothing (selftests/uml/run.sh --native): what a commit takes
# on this machine's own processor, by the clock, from the ioctl on; and a UDP echo of two sockets of
# the kernel. Leaves "NAME p50 p90 p99 max" lines in $VRSEQ_OUT/costs, ns, of batches of operations
# one after the other; report.py says what they are.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/groups.sh"

costs=$VRSEQ_OUT/costs
: >"$costs"

cleanup() {
	cluster_down
}

bench() { # NAME NETNS [GROUP]
	"$programs/native_bench" "$@" >>"$costs"
}

echo_loopback() {
	links_up 1
	bench echo-loopback vr1
}

alone() {
	cluster_formed 1
	bench commit-alone vr1 t
}

loopback() {
	local leader backup

	formed_on_loopback
	bench commit-primary-loopback vr1 "$leader"
}

loopback_keyed() {
	local leader backup

	with_key
	formed_on_loopback
	bench commit-primary-loopback-keyed vr1 "$leader"
}

three() {
	GROUP_OPTIONS=$rare
	cluster_formed 3
	bench commit-primary "vr$(primary)" t
}

three_keyed() {
	with_key
	GROUP_OPTIONS=$rare
	cluster_formed 3
	bench commit-primary-keyed "vr$(primary)" t
}

set -e
ktap_begin
module_load
insmod "$build/native_loop/native_loop.ko"
ktap_run echo_loopback "a datagram to another socket and back, over loopback"
ktap_run alone "commits of a group of one"
ktap_run loopback "commits of a group of three over loopback"
ktap_run loopback_keyed "the same, authenticated and encrypted"
ktap_run three "commits of a group of three over veth"
ktap_run three_keyed "the same, authenticated and encrypted"
ktap_end
