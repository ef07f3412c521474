# SPDX-License-Identifier: GPL-2.0
# A cluster in one kernel: each member in a network namespace of its own.
#
#   netns vr1              netns vr2              netns vr3   ...
#   eth0 10.77.0.1         eth0 10.77.0.2         eth0 10.77.0.3
#      |                      |                      |
#     v1 ------- bridge ---- v2 ------- br0 ------- v3          netns vrsw
#
# A test that says "family 6" has fd77::1 and so on instead. A link is cut, or made lossy, at its vN
# in vrsw. Sourced after ktap.sh; knows how to build and break a cluster, and not what is then
# expected of it.

build=${VRSEQ_BUILD:-build}
vrseq=$build/vrseq
programs=$build/selftests
port=7400
members=
history=

# What is around the number of a member in its address, and how tc calls the protocol.
family() { # 4 | 6
	case $1 in
	4) net=10.77.0. bits=24 open='' close='' protocol=ip ;;
	6) net=fd77:: bits='64 nodad' open='[' close=']' protocol=ipv6 ;;
	esac
}
family 4

endpoint() { # N
	echo "$open$net$1$close:$port"
}

# --- module ---

module_load() {
	grep -q '^vrseq ' /proc/modules || insmod "$VRSEQ_KO"
	eventually 5 test -c /dev/vrseq
}

# An emulated processor may still run an instruction that the other one is patching, and the kernel
# then dies of a stray int3. So whatever switches branches of the packet path on and off (filters,
# qdiscs, UDP encapsulation) is switched on once, before there is any traffic, and stays so.
hold_static_keys() {
	[ "$(nproc)" -gt 1 ] || return 0
	ip link add hold type dummy
	tc qdisc add dev hold clsact
	tc filter add dev hold ingress protocol ip flower action drop
	tc filter add dev hold egress protocol ip flower action drop
	ip link add holdvx type vxlan id 1 dstport 4789 dev lo
	ip link add holdvx6 type vxlan id 2 dstport 4790 local ::1 dev lo
	ip link set hold up
	ip link set holdvx up
	ip link set holdvx6 up
}

# --- members ---

sw() {
	ip -n vrsw "$@"
}

# Namespaces and links alone. Batches: a guest starts few processes in a second.
links_of() { # N...
	local n

	for n; do
		ip netns add "vr$n"
	done
	for n; do
		echo "link add v$n type veth peer name eth0 netns vr$n"
		echo "link set v$n master br0 up"
	done | sw -batch -
	for n; do
		printf '%s\n' "addr add $net$n/$bits dev eth0" "link set lo up" \
			"link set eth0 up" | ip -n "vr$n" -batch -
	done
}

links_up() { # N
	members=$(seq "$1")
	ip netns add vrsw
	printf '%s\n' "link add br0 type bridge" "link set br0 up" | sw -batch -
	# shellcheck disable=SC2086
	links_of $members
}

# One blank member that knows all the others. OPTIONS go to group add.
member_up() { # N OPTIONS
	local n=$1 other

	shift
	# shellcheck disable=SC2086
	$vrseq -n "vr$n" group add t self "$n" listen "$(endpoint "$n")" \
		${SECURITY:-insecure} \
		${GROUP_OPTIONS:-heartbeat 20ms view-timeout 200ms} "$@" || return
	for other in $members; do
		[ "$other" = "$n" ] || $vrseq -n "vr$n" member add "$other" \
			"$(endpoint "$other")" group t || return
	done
}

cluster_up() { # N OPTIONS
	local n

	links_up "$1"
	shift
	for n in $members; do
		member_up "$n" "$@"
	done
}

cluster_form() {
	$vrseq -n vr1 group form t
	for n in $members; do
		eventually 10 has_quorum "$n"
	done
}

cluster_formed() { # N OPTIONS
	cluster_up "$@"
	cluster_form
}

# Everything this library may have made; also after a test that failed half way.
cluster_down() {
	local ns

	load_kill
	for ns in $(ip netns list | sed -n 's/^\(vr[0-9a-z]*\).*/\1/p'); do
		ip netns del "$ns"
	done
	[ -z "$history" ] || rm -rf "$history"
	history=
}

cleanup() {
	cluster_down
}

# --- what a member says ---

# Sets s_state, s_has_quorum, s_primary_id, s_commit ...
status_of() { # N
	local text

	text=$("$programs/member_status" "vr$1" t) && eval "$text"
}

is() { # N KEY VALUE
	status_of "$1" && eval "[ \"\$s_$2\" = \"$3\" ]"
}

has_quorum() { # N
	is "$1" has_quorum 1 && [ "$s_primary_id" != 0 ]
}

no_quorum() { # N
	is "$1" has_quorum 0
}

primary() { # as member N sees it
	status_of "${1:-1}" && echo "$s_primary_id"
}

# At one moment: a view may change between two looks, and then they are taken again.
agree_on_primary() {
	local n leader

	leader=$(primary) || return
	for n in $members; do
		is "$n" primary_id "$leader" || return
	done
}

has_other_primary() { # N OLD
	has_quorum "$1" && [ "$s_primary_id" != "$2" ]
}

others() { # N...
	local n

	for n in $members; do
		case " $* " in
		*" $n "*) ;;
		*) echo "$n" ;;
		esac
	done
}

# All the given members have committed the same, and all they hold.
converged() { # N...
	local n want=

	for n; do
		status_of "$n" || return
		[ "$s_op" = "$s_commit" ] && [ "$s_state" = 2 ] || return
		want=${want:-$s_commit/$s_commit_hash}
		[ "$want" = "$s_commit/$s_commit_hash" ] || return
	done
}

next() { # N ARGS
	local n=$1

	shift
	$vrseq -n "vr$n" counter next "$@"
}

next_soon() { # N
	timeout 5 "$vrseq" -n "vr$1" counter next
}

# --- links ---

cut() { # N...
	local n

	for n; do
		sw link set "v$n" down
	done
}

# What netem was told for a member; to look for it would cost a process each.
declare -A impaired

heal() { # N...
	local n

	for n; do
		echo "link set v$n up"
	done | sw -batch -
	for n; do
		echo "qdisc del dev v$n clsact"
	done | tc -n vrsw -force -batch - 2>/dev/null || true
	for n; do
		[ -z "${impaired[$n]-}" ] || tc -n "vr$n" qdisc del dev eth0 root 2>/dev/null ||
			true
		unset "impaired[$n]"
	done
}

clsact() { # N
	tc -n vrsw qdisc replace dev "v$1" clsact
}

# Nobody hears N any more; N hears everybody.
mute() { # N
	clsact "$1"
	tc -n vrsw filter add dev "v$1" ingress protocol $protocol flower action drop
}

# N hears nobody any more; everybody hears N.
deafen() { # N
	clsact "$1"
	tc -n vrsw filter add dev "v$1" egress protocol $protocol flower action drop
}

# N does not hear OTHER.
deafen_to() { # N OTHER
	clsact "$1"
	tc -n vrsw filter add dev "v$1" egress protocol $protocol flower \
		src_ip "$net$2" action drop
}

# Groups of members that hear only their own: partition "1 2" "3 4" "5"
partition() {
	local a b group

	for a in $members; do
		echo "qdisc add dev v$a clsact"
		for group; do
			case " $group " in
			*" $a "*) continue ;;
			esac
			for b in $group; do
				echo "filter add dev v$a egress protocol $protocol flower" \
					"src_ip $net$b action drop"
			done
		done
	done | tc -n vrsw -batch -
}

netem() { # N ARGS
	local n=$1

	shift
	tc -n "vr$n" qdisc replace dev eth0 root netem "$@"
	impaired[$n]=yes
}

# --- load, and what became of it ---

loads=
load_files=
client=0

# One lin_client on member N in the background; ARGS are its options.
load() { # N ARGS
	local n=$1

	shift
	[ -n "$history" ] || history=$(mktemp -d /run/history.XXXXXX)
	client=$((client + 1))
	# Nice: what the script does to the cluster must not wait for them.
	nice -n 19 "$programs/lin_client" -n "vr$n" -g t -o "$history/c$client" -c "$client" \
		-s "$((${SEED:-1} * 100 + client))" "$@" &
	loads="$loads $!"
	load_files="$load_files $history/c$client"
	load_last=$!
}

# They end by themselves (-d, -N), on SIGTERM, or by kill -9, and nothing else.
load_wait() {
	local pid status

	for pid in $loads; do
		status=0
		wait "$pid" || status=$?
		[ "$status" = 0 ] || [ "$status" = 137 ] || fail "a client ended with $status"
	done
	loads=
	load_files=
}

# They end when told to, with what they are at: none is told before it can hear it, which is when
# it has begun to record.
load_stop() {
	local file

	for file in $load_files; do
		eventually 20 test -e "$file"
	done
	# shellcheck disable=SC2086
	kill -TERM $loads 2>/dev/null || true
	load_wait
}

load_kill() {
	local pid

	for pid in $loads; do
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	loads=
	load_files=
}

# After the load: the given members (default all) come to one state, their logs are read to the end,
# and all that was recorded is linearizable, from $initial on (default 0).
check_history() { # N...
	local n

	# shellcheck disable=SC2086
	[ $# -gt 0 ] || set -- $members
	eventually 15 converged "$@" || {
		for n; do status_of "$n"; note "member $n: state $s_state view $s_view op $s_op" \
			"commit $s_commit $s_commit_hash"; done
		fail "members do not converge"
	}
	for n; do
		"$programs/lin_reader" -n "vr$n" -g t -o "$history/r$n" -c "$n" -T 20 \
			-u "$(sequence_last "$n")"
	done
	"$programs/lin_check" -i "${initial:-0}" "$history"/*
}

sequence_last() { # N
	status_of "$1" && echo "$s_sequence_last"
}

# --- the kernel ---

kernel_log() {
	local complaint='BUG:|WARNING:|Oops|unregister_netdevice|blocked for more|scheduling while'

	if dmesg | grep -E "$complaint"; then
		return 1
	fi
}
