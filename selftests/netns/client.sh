# SPDX-License-Identifier: GPL-2.0
# Members without a vote: what their processes get while voters come and go, and what becomes of
# what a client held that is gone. Sourced by run.sh.

clients=

# Namespaces and links of clients; their ids are also the last byte of their addresses.
client_links_up() { # ID...
	clients="$*"
	links_of "$@"
}

# The group at a client, which knows the voters, who know it.
client_up() { # ID OPTIONS
	local n=$1 other

	shift
	# shellcheck disable=SC2086
	$vrseq -n "vr$n" group add t self "$n" listen "$(endpoint "$n")" role client \
		${SECURITY:-insecure} \
		${GROUP_OPTIONS:-heartbeat 20ms view-timeout 200ms} "$@"
	for other in $members; do
		$vrseq -n "vr$n" member add "$other" "$(endpoint "$other")" group t
		$vrseq -n "vr$other" member add "$n" "$(endpoint "$n")" role client group t
	done
}

# A client keeps all that a test says, unless the test says otherwise in $client_options: who reads
# there afterwards begins with the first message.
served() { # OPTIONS of the voters
	local n

	cluster_formed 3 clients 16 "$@"
	client_links_up 11 12
	for n in $clients; do
		# shellcheck disable=SC2086
		client_up "$n" files 16 ${client_options:-messages 4096 message-bytes 2M}
	done
	for n in $clients; do
		eventually 10 has_quorum "$n"
	done
}

value() { # N KEY
	$vrseq -j -n "vr$1" group show t | tr ',{}' '\n' | sed -n "s/^\"$2\"://p"
}

# Clients read the whole log too, from the oldest message they were sent.
check_clients() {
	local n last

	eventually 15 converged $members
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
	local n client_options='messages 1024 message-bytes 64K'

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

ended_leases() { # COUNT
	[ $(($(value 1 node_ends) + $(value 2 node_ends) + $(value 3 node_ends))) = "$1" ]
}

client_dies() {
	local before

	served node-lease 1s
	# A process that dies ends its session at once, and nobody's lease does.
	next 11 >/dev/null
	load 12 -t 1 -m 0
	sleep 1
	kill -9 "$load_last"
	load_wait
	sleep 1.5
	ended_leases 0
	# A session is held open while the whole node goes.
	load 12 -t 1 -m 0
	sleep 0.5
	cut 12
	before=$(now_ms)
	eventually 10 ended_leases 1
	note "a silent client's sessions ended after $(($(now_ms) - before)) ms, the lease is 1 s"
	[ $(($(now_ms) - before)) -ge 700 ]
	# It comes back, is told that what it held is over, and goes on with new files.
	heal 12
	load_stop
	eventually 10 has_quorum 12
	next 12 >/dev/null
	next 11 >/dev/null
	initial=1
	check_history
}

client_refused() {
	local status

	served
	fails $vrseq -n vr11 group form t 2>/run/refused
	grep -q 'client, say that at a voter' /run/refused
	fails $vrseq -n vr11 member add 13 "10.77.0.13:$port" role client group t 2>/run/refused
	grep -q 'the voters only' /run/refused
	fails $vrseq -n vr1 member add 7 "10.77.0.13:$port" role client group t 2>/run/refused
	grep -q '8 or more' /run/refused
	fails $vrseq -n vr1 member add 11 "10.77.0.13:$port" role client group t 2>/run/refused
	grep -q 'in the list already' /run/refused
	fails $vrseq -n vr1 member add 13 "10.77.0.12:$port" role client group t 2>/run/refused
	grep -q 'listens there' /run/refused
	# Taken off the lists it is a stranger, and on them again it is none.
	for n in $members; do
		$vrseq -n "vr$n" member del 12 group t
	done
	status=0
	$vrseq -n vr12 counter next timeout 1s 2>/run/refused || status=$?
	[ "$status" != 0 ]
	for n in $members; do
		$vrseq -n "vr$n" member add 12 "10.77.0.12:$port" role client group t
	done
	eventually 5 has_quorum 12
	next 12 >/dev/null
	[ "$(value 1 clients)" = 2 ]
}

# A reader that sees all from now on; it ends as a load does.
reader() { # N
	client=$((client + 1))
	nice -n 19 "$programs/lin_reader" -n "vr$1" -g t -o "$history/reader$client" \
		-c "$((1000 + client))" &
	loads="$loads $!"
	load_last=$!
}

# All that is said is read everywhere, but by who is killed.
client_minute() {
	local n end readers

	# All of a minute: readers come again when it is over.
	cluster_formed 3 clients 16 messages 65536 message-bytes 32M
	client_links_up 11 12
	for n in $clients; do
		client_up "$n" files 80 messages 4096 message-bytes 2M
	done
	for n in $clients; do
		eventually 10 has_quorum "$n"
	done
	history=$(mktemp -d /run/history.XXXXXX)
	readers=
	for n in $members $clients; do
		reader "$n"
		readers="$readers $load_last"
	done
	loads=
	RANDOM=${SEED:-1}
	end=$(($(now_ms) + 60000))
	for n in $members $clients; do
		load "$n" -t 64 -d 60 -p 4000000 -a 50 -r 10 -D 10000 -m 64
	done
	while [ "$(now_ms)" -lt "$end" ]; do
		# shellcheck disable=SC2086
		set -- $members $clients
		shift $((RANDOM % $#))
		n=$1
		reader "$n"
		sleep "0.$((RANDOM % 9 + 1))"
		kill -9 "$load_last"
		load "$n" -t 4 -m 0
		sleep "1.$((RANDOM % 9))"
		kill -9 "$load_last"
	done
	load_wait
	loads=$readers
	load_stop
	check_history
	note "$(sequence_last 1) messages"
}

# Datagrams that a member has received and taken.
received() { # N
	$vrseq -n "vr$1" stats group t | awk '$1 ~ /^received_/ { sum += $2 } END { print sum }'
}

probe_bytes() { # CLIENTS SECURITY
	# shellcheck disable=SC2086
	$vrseq -n vr1 group add probe self 1 listen "10.77.0.1:$((port + 1))" $2 clients "$1"
	$vrseq -j -n vr1 group show probe | tr ',{}' '\n' | sed -n 's/^"memory_bytes"://p'
	$vrseq -n vr1 group del probe
}

# What one client takes at a voter, all in all: of groups alike but for the room for them.
client_bytes() { # SECURITY
	echo $((($(probe_bytes 1000 "$1") - $(probe_bytes 0 "$1")) / 1000))
}

client_crowd() {
	local count=${CROWD:-200} memory plain keyed before after

	key_make crowd
	SECURITY="key /run/key.crowd"
	GROUP_OPTIONS="heartbeat 20ms view-timeout 1s"
	cluster_formed 3 clients "$count"
	memory=$(value 1 memory_bytes)
	"$here/crowd.py" 3 "$count" /run/key.crowd
	[ "$(value 1 clients)" = "$count" ]
	# All of it was taken when the group was added.
	[ "$(value 1 memory_bytes)" = "$memory" ]
	plain=$(client_bytes insecure)
	keyed=$(client_bytes "$SECURITY")
	note "a client takes $plain bytes at a voter, $keyed with a key"
	[ "$plain" -le 512 ]
	[ "$keyed" -le 1536 ]
	before=$(received "$(primary)")
	sleep 4
	after=$(received "$(primary)")
	note "$count idle clients: the primary takes $(((after - before) / 4)) datagrams a second"
}
