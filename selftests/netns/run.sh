#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: clusters of network namespaces, one KTAP result for each property.
# TEST=name selects tests, SEEDS=n the number of random fault schedules from FIRST on.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/../lib/members.sh"
. "$here/basic.sh"
. "$here/faults.sh"
. "$here/forming.sh"
. "$here/restart.sh"
. "$here/keys.sh"
. "$here/client.sh"
. "$here/ipv6.sh"
. "$here/../durable/power.sh"
. "$here/doctor.sh"
. "$here/version.sh"

set -e
ktap_begin
hold_static_keys
module_load

ktap_run tokens "tokens drawn at all three members at once never repeat"
ktap_run logs "all members read the same messages in the same order"
ktap_run five "five members: one order of tokens and messages"
ktap_run alone "a group of one is its own majority"
ktap_run named "each named counter counts alone, wherever it is drawn"

ktap_run loss "5 % loss: linearizable, and nobody is refused for good"
ktap_run duplicate "duplicated datagrams: nothing is applied twice"
ktap_run damaged "damaged datagrams, with a checksum and without: nobody believes them"
ktap_run reorder "reordered and delayed datagrams: linearizable"
ktap_run primary_cut "the primary's link cut and healed: tokens go on, none twice"
ktap_run minority "a minority refuses in bounded time and says who is silent"
ktap_run primary_mute "one-way cut: nobody hears the primary"
ktap_run primary_deaf "one-way cut: the primary hears nobody"
ktap_run backup_cut "a backup's link cut and healed: it catches up"
ktap_run five_two_lost "five members go on with two lost, and stop at three"
ktap_run two_two_one "partition 2-2-1: nobody commits; healed: nothing lost"
ktap_run bridge_member "a partial partition: one member hears both sides"
ktap_run random_faults "random faults under load: linearizable after each"

ktap_run form_unreachable "form is refused, by name, while a member is unreachable"
ktap_run form_differs "form is refused when a member has another list"
ktap_run form_twice "form is refused a second time, at every member"
ktap_run form_not_blank "form is refused when a member is not blank"
ktap_run form_lossy "form works over a lossy link, or leaves all blank"
ktap_run frozen_members "a formed group's member list cannot be changed"

ktap_run memory_back "a member that lost its memory gets it back, and votes"
ktap_run restarts_under_load "restarts with memory lost, under load: linearizable"
ktap_run five_two_restart "five members, two of them without memory at once"
ktap_run two_cut_off "two of three cut off: the survivor refuses, until they return"
ktap_run two_forget "two of three forget: refused for good, until formed anew"
ktap_run left_behind "a member behind by more than the log gets a checkpoint"
ktap_run left_far_behind "the same beyond all messages: readers know what they lost"

ktap_run key_hides "with a key nothing can be read on the wire"
ktap_run key_differs "another key is told apart from silence"
ktap_run key_rotation "a key changes under load, and nobody notices"
ktap_run key_replay "what was captured opens again in no life of anybody"
ktap_run small_mtu_keyed "small datagrams, some lost: messages in sealed parts"
ktap_run small_mtu_insecure "the same without a key"
ktap_run doctor_keyed "the doctor tells a silent member, one with another key, a bad record"
ktap_run doctor_bare "the doctor names what a group without key and records lacks, and amnesia"
ktap_run ipv6_order "IPv6: one order of tokens and messages, sealed"
ktap_run ipv6_primary_cut "IPv6: the primary's link cut and healed"
ktap_run ipv6_small_mtu "IPv6: datagrams of 1280 bytes, some lost: messages in parts"
ktap_run ipv6_client "IPv6: clients without a vote"
ktap_run client_serves "clients without a vote: one order of tokens and messages"
ktap_run client_reads "clients are sent the log when somebody reads it, all of it and in order"
ktap_run client_follows "clients follow a view change and lose nothing"
ktap_run client_dies "a client's sessions end with its process, or with its node's lease"
ktap_run client_minute "64 threads at each voter and client for a minute, and SIGKILL at random"
ktap_run client_crowd "${CROWD:-200} client nodes in one kernel, and what each of them costs"
ktap_run client_refused "what a client is not, and who is none, is refused by name"
ktap_run version_upgrade "modules of a newer version, one member after the other, under load"
ktap_run version_mixed "two versions in one group: clients are served when all are new"
ktap_run version_down "and back to the older version, under load"

ktap_run kernel_log "the kernel has nothing to complain about"
ktap_end
