#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In a guest: serves each virtio port named control*. A line read is a command; its output goes
# back as it comes, then a line with ^A and the exit status. While nobody has the other end of a
# port, which is so when a guest is rolled back, there is nothing to read, and we wait.
serve() {
	exec 3<>"$1"
	printf '\n\001ready\n' >&3
	while :; do
		while IFS= read -r line <&3; do
			bash -c "$line" </dev/null >&3 2>&3 3>&-
			printf '\n\001%d\n' $? >&3
		done
		sleep 0.1
	done
}

for port in /sys/class/virtio-ports/*; do
	case $(cat "$port/name") in
	control*) serve "/dev/${port##*/}" & ;;
	esac
done
wait
