#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a UML kernel, when a script has ended: the module unloads, and of all memory that was ever
# allocated none is without an owner. Prints what is; fails then.
leaks=/sys/kernel/debug/kmemleak

# kmemleak believes that something is lost if it finds it twice, unchanged, and older than 5 s.
orphans() {
	echo scan >$leaks && sleep 5.5 && echo scan >$leaks && cat $leaks
}

if grep -q '^vrseq ' /proc/modules; then
	rmmod vrseq || exit
fi
# kmemleak turns itself off when it has no memory of its own; then it cannot be told to scan.
lost=$(orphans) || {
	echo "kmemleak does not work"
	exit 1
}
[ -z "$lost" ] || {
	echo "$lost"
	exit 1
}
