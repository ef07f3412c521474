#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The first process of a QEMU guest, on the host's root under an overlay. $rig_* come from the
# kernel command line.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
. "$rig_top/selftests/rig.sh"

rig_machine
mkdir -p "$rig_dir"
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out "$rig_dir"
mount --bind "$rig_image/lib/modules" /lib/modules
modprobe -a udp_tunnel ip6_udp_tunnel libchacha20poly1305 veth bridge sch_netem sch_ingress \
	cls_flower act_gact virtio_net

for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
	[ ! -e "$cpu" ] || echo 1 >"$cpu"
done

for port in /sys/class/virtio-ports/*; do
	case $(cat "$port/name") in
	stdout) stdout=/dev/${port##*/} ;;
	esac
done
rig_command "$stdout"
