#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In a guest: serves each virtio port named control*. A line read is a command; its output goes
# back as it comes, then a line with ^A and the exit status.
serve() {
	exec 3<>"$1"
	printf '\n\001ready\n' >&3
	while IFS= read -r line <&3; do
		bash -c "$line" </dev/null >&3 2>&3 3>&-
		printf '\n\001%d\n' $? >&3
	done
}

for port in /sys/class/virtio-ports/*; do
	case $(cat "$port/name") in
	control*) serve "/dev/${port##*/}" & ;;
	esac
done
wait
