#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs under UML in virtual time (run.sh --time-travel): nothing but the network and sleep takes
# time, so delays can be counted, and an hour takes minutes. TEST=name selects tests.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/../lib/members.sh"
. "$here/delays.sh"
. "$here/storm.sh"

set -e
ktap_begin
module_load

ktap_run delays_of_three "of three members each commits and reads in one round trip"
ktap_run delays_of_five "of five members: the primary in one round trip"
ktap_run hand_over "a primary that leaves hands over in two round trips"
ktap_run crash "a primary that dies is replaced in time"
ktap_run storm_of_three "an hour of faults, partitions, restarts: linearizable"
ktap_run storm_of_five "the same with five members"
ktap_end
