#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: what comes and goes under load, one KTAP result for each property.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/lifetime.sh"
. "$here/sleep.sh"
. "$here/memory.sh"
. "$here/namespaces.sh"

set -e
ktap_begin
hold_static_keys
module_load

ktap_run kill_clients "killed clients: their files are gone, nothing is twice"
ktap_run netns_deleted "a namespace deleted under load dies; the others go on"
ktap_run netns_all_deleted "all namespaces deleted under load die"
ktap_run open_file_outlives "an open file outlives its namespace and says ENETDOWN"
ktap_run unload_refused "unload is refused while a file is open, clean otherwise"
ktap_run unload_under_load "unload with groups up and peers sending; load again"
ktap_run many_hand_over "many groups hand over at the same time"
ktap_run add_del "groups made and deleted in a loop leave nothing"
ktap_run del_under_load "a member deleted while its peers send"
ktap_run killed_anywhere "SIGKILL gets a process out of each call that waits"
ktap_run interface_moved "an interface moved to another namespace and back under load"
ktap_run containers "a container for each member: unprivileged, none can configure"
ktap_run memory_charged "what a process holds is charged to its cgroup, and given back"
ktap_run oom_killed "only who has no memory is killed for it; nothing of him stays"

ktap_run sleeps "a machine that sleeps hands over; memory from a disk is not trusted"

ktap_run kernel_log "the kernel has nothing to complain about"
ktap_end
