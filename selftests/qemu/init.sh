#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The first process of a guest, on the host's root under an overlay. Prepares what a test may
# expect of a machine, runs $rig_dir/command and saves its exit status there. $rig_* come from the
# kernel command line.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

for dir in /tmp /run /dev/shm /dev/pts /sys/kernel/debug /sys/fs/cgroup "$rig_dir"; do
	mkdir -p "$dir" 2>/dev/null
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
mount -t debugfs debugfs /sys/kernel/debug
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/netns
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out "$rig_dir"
mount --bind "$rig_image/lib/modules" /lib/modules
hostname guest
ip link set lo up
modprobe -a udp_tunnel ip6_udp_tunnel libchacha20poly1305 libcurve25519 veth bridge sch_netem \
	sch_ingress cls_flower act_gact dummy virtio_net 2>/dev/null

for port in /sys/class/virtio-ports/*; do
	case $(cat "$port/name") in
	stdout) stdout=/dev/${port##*/} ;;
	esac
done

cd "$rig_top" || exit
sh "$rig_dir/command" </dev/null >"$stdout" 2>&1
status=$?
dmesg >"$rig_dir/dmesg"
echo "$status" >"$rig_dir/status.new"
mv "$rig_dir/status.new" "$rig_dir/status"
sync
echo o >/proc/sysrq-trigger
sleep 60
