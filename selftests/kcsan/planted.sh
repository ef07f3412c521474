#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: planted.sh marked | race - runs in the guest: two threads share a variable.
exec insmod "build/kcsan-planted/planted.ko" fault="$1"
