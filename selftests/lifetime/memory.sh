# SPDX-License-Identifier: GPL-2.0
# Who pays for what a process holds, and what becomes of one that cannot. Sourced by run.sh.

cgroups=/run/cgroups

cgroup_make() { # NAME [MEMORY_MAX]
	mkdir -p $cgroups
	mountpoint -q $cgroups || mount -t cgroup2 cgroup2 $cgroups
	echo +memory >$cgroups/cgroup.subtree_control
	mkdir "$cgroups/$1"
	[ $# -lt 2 ] || echo "$2" >"$cgroups/$1/memory.max"
}

# What the kernel itself took for those in it.
charged() { # NAME
	awk '$1 == "kernel" { print $2 }' "$cgroups/$1/memory.stat"
}

charged_less() { # NAME BYTES
	[ "$(charged "$1")" -lt "$2" ]
}

killed_by_oom() { # NAME
	[ "$(awk '$1 == "oom_kill" { print $2 }' "$cgroups/$1/memory.events")" -gt 0 ]
}

# One hold in a cgroup; fd $hold_in is its stdin, what it says is in /run/hold.NAME.
hold() { # NAME ARGS
	local name=$1

	shift
	rm -f "/run/hold.$name" /run/hold.in
	mkfifo /run/hold.in
	(
		echo "$BASHPID" >"$cgroups/$name/cgroup.procs"
		exec "$programs/hold" "$@"
	) </run/hold.in >"/run/hold.$name" 2>&1 &
	hold_pid=$!
	exec {hold_in}>/run/hold.in
}

said_hold() { # NAME WORD
	grep -qx "$2" "/run/hold.$1"
}

hold_killed() {
	kill -9 $hold_pid
	wait $hold_pid || true
	exec {hold_in}>&-
}

# All that a process can make the kernel keep for it is its own, and goes with it.
memory_charged() {
	local files=48 before held least pending

	GROUP_OPTIONS='heartbeat 20ms view-timeout 50s' cluster_formed 3 files 64
	"$vrseq" -n vr1 log append "something to read" >/dev/null
	cgroup_make user
	before=$(charged user)
	hold user vr1 $files
	eventually 30 said_hold user held
	held=$(charged user)
	# The ring's 2 MiB, and for each file a buffer of 16 KiB.
	least=$((2 * 1048576 + files * 16384))
	note "charged: $before bytes, with $files readers and the ring $held"
	[ $((held - before)) -ge $least ]
	# 16 messages of 8 KiB are under way on each file of one who is cut off.
	cut 1
	echo >&$hold_in
	eventually 30 said_hold user pending
	pending=$(charged user)
	note "charged: with operations under way $pending"
	[ $((pending - held)) -ge $((files * 16 * 8192)) ]
	hold_killed
	# The ring goes with its mapping; messages under way when somebody hears of their end.
	eventually 20 charged_less user $((pending - 2 * 1048576))
	heal 1
	# What is left are batches that processors keep.
	eventually 30 charged_less user 1048576
	note "charged: $(charged user) bytes in the end"
	eventually 20 no_files 1
	# The slots are free, too: all can be taken again. Who comes first pays for the ring.
	eventually 20 rmdir $cgroups/user
	cgroup_make user
	eventually 30 holds_all user 64
	[ "$(charged user)" -ge $((2 * 1048576 + 64 * 16384)) ]
	hold_killed
	eventually 20 rmdir $cgroups/user
	[ "$(next 2)" -gt 0 ]
}

# Sessions of files that are gone end one by one, and EDQUOT says so until then.
holds_all() { # NAME FILES
	hold "$1" vr1 "$2"
	if ! eventually 5 said_hold "$1" held; then
		hold_killed
		return 1
	fi
}

member_bytes() { # N
	$vrseq -j -n "vr$1" group show t | sed -n 's/.*"memory_bytes":\([0-9]*\).*/\1/p'
}

# The kernel shows a stack when it kills for memory, and that is a complaint anywhere else: the
# log begins anew, if there is nothing else of the kind in it.
forget_oom() {
	dmesg | sed '/invoked oom-killer/,/Killed process/d' >/run/log
	fails grep -E 'WARNING:|BUG:|Oops|Call Trace|refcount_t|general protection' /run/log
	dmesg | grep 'Killed process'
	dmesg -C
	# Who looks for complaints takes an empty log for none that was saved.
	echo "selftests: killed for memory, as they should be" >/dev/kmsg
}

# Who may have too little memory is killed for it, with operations under way, a ring and readers:
# he alone, whether the group works or not, and nothing of him stays.
oom_killed() {
	local bytes n=1 way status other

	for way in served cut_off; do
		GROUP_OPTIONS='heartbeat 20ms view-timeout 50s' cluster_formed 3 files 64
		"$vrseq" -n vr1 log append "something to read" >/dev/null
		bytes=$(member_bytes $n)
		cgroup_make poor $((6 << 20))
		cgroup_make rich
		hold poor vr$n 8
		eventually 30 said_hold poor held
		# Others of the same member, and of other ones, go on.
		for other in $members; do
			load "$other" -t 2 -p 20000 -D 60000
		done
		[ $way = served ] || cut $n
		hold_killed
		hold poor vr$n 8 40
		eventually 30 said_hold poor held
		echo >&$hold_in
		status=0
		wait $hold_pid || status=$?
		exec {hold_in}>&-
		note "$way: $(tr '\n' ' ' </run/hold.poor), exit status $status"
		[ $status = 137 ]
		killed_by_oom poor
		[ $way = served ] || heal $n
		fails killed_by_oom rich
		load_stop
		eventually 20 no_files $n
		eventually 20 rmdir $cgroups/poor
		rmdir $cgroups/rich
		[ "$(member_bytes $n)" = "$bytes" ]
		cgroup_make rich
		eventually 30 holds_all rich 64
		hold_killed
		eventually 20 rmdir $cgroups/rich
		# shellcheck disable=SC2086
		eventually 20 converged $members
		for other in $members; do
			next "$other" timeout 20s >/dev/null
		done
		cluster_down
	done
	forget_oom
}
