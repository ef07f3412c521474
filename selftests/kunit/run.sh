#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: run.sh MODULE SUITES - in a UML kernel: loads the test module and prints the KTAP that its
# suites left in the kernel's log, under a plan of so many suites.
module=$1
suites=$2

dmesg -C
insmod "$module"
loaded=$?

log=$(mktemp)
dmesg | sed 's/^\[ *[0-9.]*\] \{0,1\}//' >"$log"
echo "TAP version 13"
echo "1..$suites"
cat "$log"
[ $loaded = 0 ] && ! grep -q '^ *not ok' "$log" && rmmod vrseq_kunit
