# SPDX-License-Identifier: GPL-2.0
# Members without a vote: what their processes get while voters come and go. Sourced by run.sh.

clients=

# Namespaces and links of clients; their ids are also the last byte of their addresses.
client_links_up() { # ID...
	local n

	clients="$*"
	for n; do
		ip netns add "vr$n"
	done
	for n; do
		echo "link add v$n type veth peer name eth0 netns vr$n"
		echo "link set v$n master br0 up"
	done | sw -batch -
	for n; do
		printf '%s\n' "addr add 10.77.0.$n/24 dev eth0" "link set lo up" \
			"link set eth0 up" | ip -n "vr$n" -batch -
	done
}

# The group at a client, which knows the voters, who know it.
client_up() { # ID OPTIONS
	local n=$1 other

	shift
	# shellcheck disable=SC2086
	$vrseq -n "vr$n" group add t self "$n" listen "10.77.0.$n:$port" role client \
		${SECURITY:-insecure} \
		${GROUP_OPTIONS:-heartbeat 20ms view-timeout 200ms} "$@"
	for other in $members; do
		$vrseq -n "vr$n" member add "$other" "10.77.0.$other:$port" group t
		$vrseq -n "vr$other" member add "$n" "10.77.0.$n:$port" role client group t
	done
}

served() { # OPTIONS of the voters
	local n

	cluster_formed 3 clients 16 "$@"
	client_links_up 11 12
	for n in $clients; do
		client_up "$n" files 16 messages 1024 message-bytes 64K
	done
	for n in $clients; do
		eventually 10 has_quorum "$n"
	done
}

# Clients read the whole log too, from the oldest message they were sent.
check_clients() {
	local n last

	last=$(sequence_last 1)
	for n in $clients; do
		"$programs/lin_reader" -n "vr$n" -g t -o "$history/r$n" -c "$n" -T 20 -u "$last"
	done
	check_history
}

client_serves() {
	local n

	served
	[ "$(next 11)" = 1 ]
	[ "$(next 1)" = 2 ]
	[ "$(next 12 count 10)" = "3 12" ]
	[ "$($vrseq -n vr11 counter get)" = 12 ]
	[ "$($vrseq -n vr12 counter get mode index)" = 12 ]
	[ "$($vrseq -n vr12 counter get mode local)" -le 12 ]
	for n in 1 11 12; do
		load "$n" -t 2 -N 60 -i 30
	done
	load_wait
	initial=12
	check_clients
}

# Heard of, that is, not read.
knows_message() { # N
	[ "$(sequence_last "$1")" -gt 0 ]
}

# A client is sent the log when somebody reads there, and what is then sent is what a voter has.
client_reads() {
	local n

	served
	$vrseq -n vr11 log append hello >/dev/null
	eventually 5 knows_message 12
	# It is sent what there is as soon as somebody asks for it.
	[ "$($vrseq -n vr12 log tail count 1)" = hello ]
	[ "$($vrseq -j -n vr12 log tail count 1 | tr ',{}' '\n' |
		sed -n 's/^"member_id"://p')" = 11 ]
	# As fast as they can, until the client's 64 KiB of messages have gone round many times.
	$vrseq -n vr12 log tail -f count 3001 >/run/tail &
	loads="$loads $!"
	seq 3000 | $vrseq -n vr11 log append >/dev/null
	load_wait
	{ echo hello; seq 3000; } | cmp - /run/tail
	# The same at one that begins to read only now: what voters keep, and no hole.
	eventually 5 knows_last 11 3001
	$vrseq -n vr11 log tail >/run/tail
	[ "$(tail -n 1 /run/tail)" = 3000 ]
}

knows_last() { # N SEQUENCE
	[ "$(sequence_last "$1")" = "$2" ]
}

client_follows() {
	local old before n

	served
	for n in $members $clients; do
		load "$n" -t 2 -i 40 -x 5 -p 10000 -m 0
	done
	sleep 0.5
	old=$(primary)
	cut "$old"
	before=$(now_ms)
	for n in $clients; do
		$vrseq -n "vr$n" counter next timeout 5s survivors >/dev/null
	done
	note "primary cut: a number at each client took $(($(now_ms) - before)) ms"
	sleep 0.5
	heal "$old"
	# The voter whose messages a client has sent to it.
	cut "$(others "$(primary)" | head -n 1)"
	for n in $clients; do
		$vrseq -n "vr$n" counter next timeout 5s survivors >/dev/null
	done
	sleep 0.5
	heal $members
	load_stop
	check_clients
}
