# SPDX-License-Identifier: GPL-2.0
# Namespaces of all kinds under a group. Sourced by run.sh.

# The interface of a member goes to another namespace, under load, and comes back.
interface_moved() {
	local n start status

	cluster_formed 3
	for n in $members; do
		load "$n" -t 2 -p 5000 -m 0
	done
	ip netns add vrparked
	for n in $(primary) $(others "$(primary)" | head -n 1); do
		eventually 10 has_quorum "$n"
		ip -n "vr$n" link set eth0 netns vrparked
		start=$(now_ms)
		status=0
		# Not of the counters that are in the history.
		$vrseq -n "vr$n" counter next moved timeout 60s || status=$?
		note "member $n refused after $(($(now_ms) - start)) ms: exit status $status"
		# No quorum: EHOSTUNREACH, after eight view timeouts, in a guest that is slow.
		[ $status = 3 ]
		[ $(($(now_ms) - start)) -lt 30000 ]
		status=0
		$vrseq -n "vr$n" counter get moved timeout 60s || status=$?
		[ $status = 3 ]
		$vrseq -n "vr$n" health >/run/health || true
		cat /run/health
		grep -qi 'quorum' /run/health
		for other in $(others "$n"); do
			next "$other" moved timeout 20s >/dev/null
		done
		ip -n vrparked link set eth0 netns "vr$n"
		printf '%s\n' "addr add $net$n/$bits dev eth0" "link set eth0 up" |
			ip -n "vr$n" -batch -
		eventually 20 has_quorum "$n"
		next "$n" moved timeout 20s >/dev/null
	done
	load_stop
	check_history
}

# Sets container: what comes before a command in that of member N. Root there, nobody here, and of
# the device's Unix group.
container_of() { # N
	container=(ip netns exec "vr$1" setpriv --reuid=nobody --regid=nogroup --groups=4242
		unshare --user --map-root-user --pid --mount --uts --ipc --fork --kill-child)
}

in_container() { # N COMMAND...
	container_of "$1"
	shift
	"${container[@]}" "$@"
}

# A container for each member, with namespaces of its own; the machine has made the groups.
containers() {
	local n i what begun=

	chgrp 4242 /dev/vrseq
	GROUP_OPTIONS='heartbeat 20ms view-timeout 200ms gid 4242' cluster_formed 3
	rm -f /run/numbers.*
	for n in $members; do
		container_of "$n"
		# shellcheck disable=SC2016
		"${container[@]}" bash -c '[ "$(id -u)" = 0 ] && [ $$ = 1 ] || exit 9
			for i in $(seq 20); do "$0" counter next timeout 20s || exit; done
			"$0" log append "of container $1" >/dev/null || exit
			exec 7<>/dev/vrseq
			echo held >&7
			"$0" counter next timeout 20s
			exec sleep 1000' "$vrseq" "$n" >"/run/numbers.$n" 2>&1 &
		begun="$begun $!"
	done
	for n in $members; do
		eventually 120 has_lines 21 "/run/numbers.$n" || fail "$(cat "/run/numbers.$n")"
	done
	[ "$(cat /run/numbers.* | sort -n | uniq | wc -l)" = 63 ]
	[ "$(cat /run/numbers.* | sort -n | tail -n 1)" = 63 ]
	for n in $members; do
		in_container "$n" "$vrseq" log tail from 1 count 6 >/run/tail
		for i in $members; do
			grep -qx "of container $i" /run/tail
		done
		# Whatever it may do with its own namespaces: the group is the machine's.
		for what in "group del t" "group add u self 1 listen 127.0.0.1:7500 insecure" \
			"member del 2 group t" "group resign t"; do
			# shellcheck disable=SC2086
			fails in_container "$n" "$vrseq" $what >/run/refused 2>&1
			grep -q CAP_NET_ADMIN /run/refused
		done
		fails in_container "$n" unshare --net "$vrseq" group add u self 1 \
			listen 127.0.0.1:7500 insecure >/run/refused 2>&1
		cat /run/refused
		grep -q CAP_NET_ADMIN /run/refused
		# In a network of its own there is no group, and none of other containers.
		fails in_container "$n" unshare --net "$vrseq" counter next >/run/refused 2>&1
		grep -q 'No group' /run/refused
	done
	# A container ends as a whole, with its files; the group goes on.
	for n in $members; do
		has_files "$n" 1
	done
	# shellcheck disable=SC2086
	kill -9 $begun
	wait
	for n in $members; do
		eventually 10 no_files "$n"
	done
	[ "$(next 1)" = 64 ]
	chgrp root /dev/vrseq
}

has_lines() { # COUNT FILE
	[ "$(wc -l <"$2")" -ge "$1" ]
}
