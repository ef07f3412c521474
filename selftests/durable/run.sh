#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: what members keep on disks, and what of it is there after all power was lost,
# one KTAP result for each property. TEST=name selects tests.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/../lib/members.sh"
. "$here/../netns/forming.sh"
. "$here/../netns/restart.sh"
. "$here/../netns/client.sh"
. "$here/power.sh"
. "$here/journal.sh"
. "$here/failing.sh"

set -e
ktap_begin
hold_static_keys
module_load

ktap_run power_loss "all power gone, time and again: numbers only ever rise"
ktap_run power_loss_one_missing "one is missing after a power cut: named, and waited for"
ktap_run reform_fences "no reform while a majority remembers; after it old memory is void"
ktap_run record_corrupt "a damaged record keeps its member down, by name"
ktap_run records_missing "all records missing: formed in a higher generation"
ktap_run record_full "a record that cannot be made, written or shared"
ktap_run record_hangs "a record's disk hangs, and nothing else does"
ktap_run journal_alone "a group of one goes on where its journal ends"
ktap_run journal_alone_disk "the same on a disk with a file system"
ktap_run journal_group_commit "64 writers: an fsync for many operations"
ktap_run journal_waits "a journal of other members waits until they are named"
ktap_run journal_refused "a journal that is another one's, or has no room, is refused by name"
ktap_run journal_power_loss "all power gone under load: nothing acknowledged is lost"
ktap_run journal_torn "a write under way when the power went is dropped"
ktap_run journal_rotten "rot in a journal: no vote, and the others give it its memory back"
ktap_run journal_rotten_alone "the same alone: no number, and the reason said"
ktap_run journal_superblock "a superblock damaged: not started, and not taken for a new one"
ktap_run journal_disk_error "a journal's disk fails: its member halts, the others go on"
ktap_run journal_disk_writes_fail "what only the page cache has is not read back"
ktap_run journal_disk_lies "writes a disk lost are found out, and given back by the others"
ktap_run journal_hangs "a journal's disk hangs, and nothing else does"
ktap_run journal_outcomes "who outlives a loss of all power learns of each outcome"
ktap_run journal_fsync_fails "all is written and nothing is flushed: its member halts"
ktap_run journal_disk_full_later "a disk that is full later is nothing to a journal"
ktap_run journal_sparse "a copy with holes and no room: its member halts, and comes back"
ktap_run journal_waits_asleep "what was read back and slept over is given up"

ktap_run kernel_log "the kernel has nothing to complain about"
ktap_end
