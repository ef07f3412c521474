#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The first process of a UML kernel whose root is the host's, read-only. Puts an overlay over it,
# then does what a QEMU guest's does. $rig_* come from the kernel command line.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
. "$rig_top/selftests/rig.sh"

if [ $$ = 1 ] && [ -z "${rig_overlaid-}" ]; then
	mount -t tmpfs tmpfs /mnt
	mkdir /mnt/upper /mnt/work /mnt/root
	mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
	cd /mnt/root || exit
	pivot_root . mnt
	export rig_overlaid=yes
	exec chroot . "$rig_top/selftests/uml/init.sh"
fi

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
rig_machine
mkdir -p /lib/modules
ln -s "$rig_kernel/root/lib/modules/$(uname -r)" /lib/modules/
# It is told when (clean.sh), where there is one.
[ ! -e /sys/kernel/debug/kmemleak ] || echo scan=off >/sys/kernel/debug/kmemleak
mkdir -p "$rig_dir"
mount -t hostfs -o "$rig_dir" none "$rig_dir"
rig_command /dev/tty1
