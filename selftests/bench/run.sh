#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in a guest that counts instructions (one is one ns): what an operation costs beside a UDP
# echo between two processes, the same core in userspace, and other services, all in one boot.
# Leaves "NAME p50 p90 p99 max" and "NAME mean" lines in $VRSEQ_OUT/costs; report.py says what they
# are, and gate.py judges those that come first, which are all if GATE is set.
#
# Over loopback: three members of one group in one namespace. Over veth: one namespace each, and a
# bridge between any two, as between the processes of the veth echo.
here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/cluster.sh"
. "$here/groups.sh"

costs=$VRSEQ_OUT/costs
: >"$costs"

cleanup() {
	cluster_down
}

# A process that ends with the test.
daemon() { # COMMAND...
	"$@" >>/run/daemons.log 2>&1 &
	loads="$loads $!"
}

bench() { # NAME NETNS [GROUP [CALLERS [OPERATION]]]
	"$programs/commit_bench" "$@" >>"$costs"
}

echoes() {
	links_up 3
	"$programs/udp_echo" echo-loopback 127.0.0.1 vr1 vr1 >>"$costs"
	"$programs/udp_echo" echo-veth 10.77.0.2 vr2 vr1 >>"$costs"
}

alone() {
	cluster_formed 1
	bench commit-alone vr1
	bench range-1-alone vr1 t 1 next:1
	bench range-64-alone vr1 t 1 next:64
	bench range-4096-alone vr1 t 1 next:4096
}

# In a group of one, where a commit is least of what an operation costs.
delivery() {
	cluster_formed 1 messages 4096
	"$programs/deliver_bench" alone vr1 >>"$costs"
}

op_of() { # NETNS GROUP
	local text

	text=$("$programs/member_status" "$1" "$2") && eval "$text" && echo "$s_op"
}

prepares_at() { # NETNS GROUP
	$vrseq -n "$1" stats group "$2" | awk '$1 == "received_prepare" { print $2 }'
}

# So many callers at one member, and how many entries a PREPARE then had at another.
callers_at() { # NAME CALLERS NETNS GROUP NETNS GROUP
	local before after ops

	ops=$(op_of "$3" "$4")
	before=$(prepares_at "$5" "$6")
	bench "$1" "$3" "$4" "$2"
	ops=$(($(op_of "$3" "$4") - ops))
	after=$(prepares_at "$5" "$6")
	awk -v name="$1-per-prepare" -v ops="$ops" -v prepares=$((after - before)) \
		'BEGIN { printf "%s %.2f\n", name, ops / prepares }' >>"$costs"
}

loopback() {
	local leader backup

	formed_on_loopback
	bench commit-primary-loopback vr1 "$leader"
	bench commit-backup-loopback vr1 "$backup"
	callers_at callers-8 8 vr1 "$leader" vr1 "$backup"
	callers_at callers-64 64 vr1 "$leader" vr1 "$backup"
}

three() {
	local leader backup

	GROUP_OPTIONS=$rare
	cluster_formed 3 messages 4096 message-bytes 1M log-bytes 1M record-max 8192
	leader=vr$(primary)
	backup=vr$(others "$(primary)" | head -n 1)
	bench commit-primary "$leader"
	bench commit-backup "$backup"
	bench range-64 "$leader" t 1 next:64
	bench range-4096 "$leader" t 1 next:4096
	bench append-64 "$leader" t 1 append:64
	bench append-1024 "$leader" t 1 append:1024
	bench append-8192 "$leader" t 1 append:8192
	bench callers-8-veth "$leader" t 8
}

# A network that takes its time: what then comes together while all wait.
delayed() {
	local n callers rate leader backup

	GROUP_OPTIONS=$rare
	cluster_formed 3
	leader=vr$(primary)
	backup=vr$(others "$(primary)" | head -n 1)
	for n in $members; do
		netem "$n" delay 50us
	done
	for callers in 1 8 64; do
		callers_at "delayed-$callers" $callers "$leader" t "$backup" t
	done
	for rate in 1000 5000 10000 20000 40000; do
		"$programs/offered_bench" offered-$rate "$leader" t $rate >>"$costs"
	done
}

keyed() {
	with_key
	GROUP_OPTIONS=$rare
	cluster_formed 3
	bench commit-primary-keyed "vr$(primary)"
	bench commit-backup-keyed "vr$(others "$(primary)" | head -n 1)"
}

loopback_keyed() {
	local leader backup

	with_key
	formed_on_loopback
	bench commit-primary-loopback-keyed vr1 "$leader"
}

reads() {
	local leader backup mode

	GROUP_OPTIONS="$rare lease 4s"
	cluster_formed 3
	leader=vr$(primary)
	backup=vr$(others "$(primary)" | head -n 1)
	for mode in log index lease local; do
		bench "get-$mode-primary" "$leader" t 1 get:$mode
		bench "get-$mode-backup" "$backup" t 1 get:$mode
	done
	bench barrier-backup "$backup" t 1 barrier
}

delivery_of_three() {
	GROUP_OPTIONS=$rare
	cluster_formed 3 messages 4096
	"$programs/deliver_bench" three "vr$(primary)" >>"$costs"
}

five() {
	GROUP_OPTIONS=$rare
	cluster_formed 5
	bench commit-primary-of-five "vr$(primary)"
}

seven() {
	GROUP_OPTIONS=$rare
	cluster_formed 7
	bench commit-primary-of-seven "vr$(primary)"
}

# A file system on a disk that is memory, and flushes at once: what it costs to ask for durability
# beside what a disk takes for it.
mount_ext4() { # N
	truncate -s 64M "/run/image$1"
	mkfs.ext4 -q -m 0 "/run/image$1"
	mount -o loop "/run/image$1" "/run/disk$1"
}

# And one where to ask for it costs nothing: what is left is the journal.
mount_tmpfs() { # N
	mount -t tmpfs tmpfs "/run/disk$1"
}

# A row, and how many times the disk was asked to flush for each entry of the log.
bench_journal() { # NAME NETNS CALLERS
	local before fsyncs ops

	status_of "${2#vr}"
	ops=$s_op
	before=$($vrseq -n "$2" stats group t | awk '$1 == "journal_fsyncs" { print $2 }')
	bench "$1" "$2" t "$3"
	status_of "${2#vr}"
	fsyncs=$($vrseq -n "$2" stats group t | awk '$1 == "journal_fsyncs" { print $2 }')
	awk -v name="$1-fsyncs" -v ops=$((s_op - ops)) -v fsyncs=$((fsyncs - before)) \
		'BEGIN { printf "%s %.3f\n", name, fsyncs / ops }' >>"$costs"
}

journals() { # FILESYSTEM N SUFFIX
	local n leader

	modprobe -a loop ext4
	GROUP_OPTIONS="$rare log-entries 1024 log-bytes 1M messages 64 message-bytes 64K"
	links_up "$2"
	for n in $members; do
		mkdir -p "/run/disk$n"
		"mount_$1" "$n"
		member_up "$n" durability journal "/run/disk$n/journal"
	done
	cluster_form
	leader=vr$(primary)
	bench_journal "journal-1$3" "$leader" 1
	bench_journal "journal-64$3" "$leader" 64
	cluster_down
	for n in $members; do
		eventually 10 umount "/run/disk$n"
		rm -f "/run/image$n"
	done
}

journaled() {
	journals ext4 1 -alone
	journals ext4 3 ""
	journals tmpfs 1 -alone-tmpfs
	journals tmpfs 3 -tmpfs
}

# Whoever allocates in every commit. From 1,100 of them: what happens once is none, and the tracer
# itself is left out.
allocations() {
	local tracing=/sys/kernel/tracing event

	GROUP_OPTIONS=$rare
	cluster_formed 3
	[ -d $tracing/events ] || mount -t tracefs tracefs $tracing
	for event in kmalloc kmalloc_node kmem_cache_alloc kmem_cache_alloc_node; do
		[ ! -d $tracing/events/kmem/$event ] ||
			echo 'hist:keys=call_site.sym' >$tracing/events/kmem/$event/trigger
	done
	"$programs/commit_bench" traced "vr$(primary)" >/dev/null
	for event in $tracing/events/kmem/*/; do
		cat "$event/hist" 2>/dev/null || true
	done | awk '/tracing_map|hist_trigger/ { next }
		/^{.*hitcount:/ {
			count = $0
			sub(/.*hitcount: */, "", count)
			count += 0
			if (count < 1000)
				next
			site = $0
			sub(/ *}.*/, "", site)
			sub(/.*\] */, "", site)
			print "# " site, count
			sum += int(count / 1100 + 0.5)
		}
		END { print "allocations-per-commit", sum + 0 }' >/run/allocations
	grep '^#' /run/allocations || true
	grep -v '^#' /run/allocations >>"$costs"
}

# --- beside it ---

# Three processes of twin.c.
twins() { # SUFFIX NETNS... : ADDRESS...
	local name=$1 n=0 netns=() sockets=()

	shift
	while [ "$1" != : ]; do
		netns+=("$1")
		shift
	done
	shift
	for ns in "${netns[@]}"; do
		daemon "$programs/twin" $n "$ns" /run/$name-$n "$@"
		sockets+=("/run/$name-$n")
		n=$((n + 1))
	done
	eventually 5 test -S "/run/$name-2"
	"$programs/twin_client" "twin-primary$name" primary 1 "${sockets[@]}" >>"$costs"
	"$programs/twin_client" "twin-backup$name" backup 1 "${sockets[@]}" >>"$costs"
	[ "$name" = -loopback ] || return 0
	"$programs/twin_client" twin-callers-8 primary 8 "${sockets[@]}" >>"$costs"
	"$programs/twin_client" twin-callers-64 primary 64 "${sockets[@]}" >>"$costs"
}

twin_loopback() {
	links_up 1
	twins -loopback vr1 vr1 vr1 : 127.0.0.1:7501 127.0.0.1:7502 127.0.0.1:7503
}

twin_veth() {
	links_up 3
	twins "" vr1 vr2 vr3 : 10.77.0.1:7500 10.77.0.2:7500 10.77.0.3:7500
}

redis() {
	links_up 1
	# The server is in redis-tools, under the name of a tool: Debian's redis-server would
	# have begun to serve where it was installed.
	ln -s /usr/bin/redis-check-rdb /run/redis-server
	daemon ip netns exec vr1 /run/redis-server --port 7600 --save "" --appendonly no --dir /run
	eventually 60 ip netns exec vr1 redis-cli -p 7600 ping
	"$programs/peer_bench" redis-incr vr1 incr 127.0.0.1 7600 >>"$costs"
	"$programs/peer_bench" redis-incr-16 vr1 incr16 127.0.0.1 7600 >>"$costs"
}

etcd_leader() {
	leader=$(ETCDCTL_API=3 ip netns exec vr1 etcdctl --endpoints="$endpoints" endpoint status |
		awk -F ', ' '$5 == "true" { gsub("http://10.77.0.|:7601", "", $1); print $1 }')
	[ -n "$leader" ]
}

# Three members, all they write on tmpfs, asked at the leader.
etcd() {
	local n peers endpoints leader

	links_up 3
	peers=$(for n in $members; do echo "e$n=http://10.77.0.$n:7602"; done | paste -sd ,)
	endpoints=$(for n in $members; do echo "http://10.77.0.$n:7601"; done | paste -sd ,)
	for n in $members; do
		mkdir -p "/dev/shm/e$n"
		daemon ip netns exec "vr$n" etcd --name "e$n" --data-dir "/dev/shm/e$n" \
			--initial-cluster "$peers" \
			--listen-peer-urls "http://10.77.0.$n:7602" \
			--initial-advertise-peer-urls "http://10.77.0.$n:7602" \
			--listen-client-urls "http://10.77.0.$n:7601" \
			--advertise-client-urls "http://10.77.0.$n:7601"
	done
	eventually 120 etcd_leader
	"$programs/peer_bench" etcd-put "vr$leader" put "10.77.0.$leader" 7601 >>"$costs"
	"$programs/peer_bench" etcd-get "vr$leader" get "10.77.0.$leader" 7601 >>"$costs"
	[ -z "${PROFILE:-}" ] || return 0
	# The daemons are in the order of the members.
	# shellcheck disable=SC2086
	"$programs/etcd_failover" vr1 10.77.0. 7601 $loads >>"$costs"
}

zookeeper_mode() { # N
	# shellcheck disable=SC2016
	ip netns exec "vr$1" bash -c '
		exec 3<>"/dev/tcp/10.77.0.$1/7611" && echo srvr >&3 &&
			sed -n "s/^Mode: //p" <&3' - "$1"
}

zookeeper_leader() {
	for leader in $members; do
		[ "$(zookeeper_mode "$leader")" != leader ] || return 0
	done
	return 1
}

zookeeper_conf() { # N
	local n

	printf '%s\n' tickTime=2000 initLimit=60 syncLimit=60 "dataDir=/dev/shm/z$1" \
		"clientPortAddress=10.77.0.$1" clientPort=7611 admin.enableServer=false
	for n in $members; do
		echo "server.$n=10.77.0.$n:7612:7613"
	done
}

# Three members, all they write on tmpfs, asked at the leader; twice as often before, as what runs
# often is compiled.
zookeeper() {
	local n leader

	links_up 3
	for n in $members; do
		mkdir -p "/dev/shm/z$n"
		echo "$n" >"/dev/shm/z$n/myid"
		zookeeper_conf "$n" >"/dev/shm/z$n/zoo.cfg"
		daemon ip netns exec "vr$n" java -Xmx128m -XX:+UseSerialGC \
			-XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar \
			-Dzookeeper.jmx.log4j.disable=true \
			org.apache.zookeeper.server.quorum.QuorumPeerMain "/dev/shm/z$n/zoo.cfg"
	done
	eventually 300 zookeeper_leader
	for n in 1 2; do
		"$programs/peer_bench" warm-up "vr$leader" set "10.77.0.$leader" 7611 >/dev/null
	done
	"$programs/peer_bench" zookeeper-set "vr$leader" set "10.77.0.$leader" 7611 >>"$costs"
}

# A ring of three. Each keeps what it writes in places of the same names: its own by its mounts.
corosync_node() { # N
	cat >"/run/corosync-$1.conf" <<-END
		totem {
			version: 2
			cluster_name: bench
			transport: udpu
		}
		nodelist {
			$(for n in $members; do
				printf '%s\n' 'node {' "nodeid: $n" "ring0_addr: 10.77.0.$n" '}'
			done)
		}
		logging {
			to_stderr: yes
			to_syslog: no
			to_logfile: no
		}
	END
	# shellcheck disable=SC2016
	ip netns exec "vr$1" sh -c '
		mkdir -p /var/lib/corosync
		mount -t tmpfs tmpfs /var/lib/corosync
		cp "$1" /dev/shm/ && mount -t tmpfs tmpfs /run
		exec corosync -f -c "/dev/shm/${1##*/}"' - "/run/corosync-$1.conf"
}

corosync() {
	local n

	links_up 3
	for n in $members; do
		daemon corosync_node "$n"
	done
	"$programs/cpg_bench" corosync-cpg vr1 3 >>"$costs" || {
		cat /run/daemons.log
		return 1
	}
}

set -e
ktap_begin
module_load
ktap_run loopback "commits of a group of three over loopback"
ktap_run three "commits of a group of three over veth"
ktap_run alone "commits of a group of one"
ktap_run keyed "commits, authenticated and encrypted"
if [ -z "${GATE:-}" ]; then
	ktap_run echoes "UDP echo between two processes"
	ktap_run twin_loopback "the same core in three processes"
	ktap_run delayed "the same with 50 us from member to member, and several callers"
	ktap_run twin_veth "the same core in three processes"
	ktap_run redis "redis, one server, not replicated, over loopback"
	ktap_run etcd "etcd, three members over veth"
	ktap_run zookeeper "ZooKeeper, three members over veth"
	ktap_run corosync "corosync, a ring of three over veth"
	ktap_run loopback_keyed "commits over loopback, authenticated and encrypted"
	ktap_run reads "a read in each way"
	ktap_run five "commits of a group of five over veth"
	ktap_run seven "and of seven"
	ktap_run journaled "commits with journals, of a group of one and of three over veth"
	ktap_run delivery "a record to its reader, an operation by io_uring, in a group of one"
	ktap_run delivery_of_three "the same at the primary of three, over veth"
	ktap_run allocations "what a commit allocates"
fi
if [ -n "${PROFILE:-}" ]; then
	cp /proc/kallsyms "$VRSEQ_OUT/kallsyms"
	awk 'NF == 5 { print $1 }' "$costs" >"$VRSEQ_OUT/traced"
fi
ktap_end
