# SPDX-License-Identifier: GPL-2.0
# Members at work: clients and a reader at each, all recorded; and the restart of a member, by which
# all of its machine goes: its memory, and whoever worked there. Sourced after cluster.sh; does not
# know why one restarts.

declare -A worker reader history_of
client_last=0
reader_last=0
restarts=0

# Clients at one member.
member_write() { # N
	local n=$1

	client_last=$((client_last + 1))
	# shellcheck disable=SC2086
	nice -n 19 "$programs/lin_client" -n "vr$n" -g t -o "$history/c$client_last" \
		-c "$client_last" -s "$((${seed:-1} * 1000 + client_last))" -m 0 \
		${work_options--t 2} >>"$history.clients" &
	worker[$n]=$!
	history_of[$n]="$history/c$client_last"
}

# Clients and a reader at one member, until work_kill or work_end.
member_work() { # N
	local n=$1

	[ -n "$history" ] || history=$(mktemp -d /run/history.XXXXXX)
	member_write "$n"
	reader_last=$((reader_last + 1))
	nice -n 19 "$programs/lin_reader" -n "vr$n" -g t -o "$history/r$reader_last" \
		-c "$reader_last" >>"$history.readers" &
	reader[$n]=$!
	history_of[$n]+=" $history/r$reader_last"
}

work_kill() { # N
	# shellcheck disable=SC2086
	kill -9 ${worker[$1]-} ${reader[$1]} 2>/dev/null || true
	# shellcheck disable=SC2086
	wait ${worker[$1]-} ${reader[$1]} 2>/dev/null || true
	unset "worker[$1]" "reader[$1]" "history_of[$1]"
}

# Nothing but a client's or reader's own complaint makes it end badly.
work_join() { # N PID...
	local n=$1 status=0

	shift
	wait "$1" || status=$?
	[ "$status" = 0 ] || fail "client or reader of member $n: exit status $status"
}

# The clients of the given members (default all) end what they are at.
writers_end() { # N...
	local n file

	# shellcheck disable=SC2086
	[ $# -gt 0 ] || set -- ${!worker[*]}

	# Who has a file listens to signals.
	for file in ${history_of[*]}; do
		eventually 10 test -e "$file"
	done
	for n; do
		kill -TERM "${worker[$n]}"
	done
	for n; do
		work_join "$n" "${worker[$n]}"
		unset "worker[$n]"
	done
}

# All end what they are at, the readers with all there is; and all of it is checked.
work_end() {
	local n

	writers_end
	# shellcheck disable=SC2046
	eventually 15 converged "${!reader[@]}"
	kill -TERM "${reader[@]}"
	for n in "${!reader[@]}"; do
		work_join "$n" "${reader[$n]}"
	done
	reader=()
	history_of=()
	awk '{ for (i = 3; i < NF; i += 2) sum[$i] += $(i + 1) }
		END { for (i in sum) printf "%s %d ", i, sum[i]; print "" }' "$history.clients"
	"$programs/lin_check" "$history"/*
}

cleanup() {
	local n

	for n in "${!reader[@]}"; do
		work_kill "$n"
	done
	rm -f "$history.clients" "$history.readers"
	cluster_down
}

remembers() { # N
	status_of "$1" && { [ "$s_state" = 2 ] || [ "$s_state" = 3 ]; }
}

is_well() { # N
	status_of "$1" && [ "$s_state $s_has_quorum" = "2 1" ] && [ "$s_primary_id" != 0 ]
}

# May one more member lose its memory? Those who have not got theirs back count.
may_forget() { # N
	local n all=1 without=1

	for n in $(others "$1"); do
		all=$((all + 1))
		remembers "$n" || without=$((without + 1))
	done
	[ $((2 * without)) -lt "$all" ]
}

# The member is gone and comes back with nothing. UNSEEN: it has no time to hand anything over.
restart() { # N [UNSEEN]
	local n=$1

	work_kill "$n"
	[ -z "${2-}" ] || cut "$n"
	eventually 5 $vrseq -n "vr$n" group del t
	member_up "$n"
	[ -z "${2-}" ] || sw link set "v$n" up
	member_work "$n"
	restarts=$((restarts + 1))
}
