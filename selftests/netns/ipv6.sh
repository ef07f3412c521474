# SPDX-License-Identifier: GPL-2.0
# Groups whose members have addresses of IPv6: the socket, the route and the room in a datagram are
# others than with IPv4, and nothing else is. Sourced by run.sh.

six() {
	family 6
	key_make old
	SECURITY="key /run/key.old"
}

# Tokens and messages at all three; nothing to be read on the wire, and nothing to be repeated.
ipv6_order() {
	local n words="what nobody is to see 4712" strangers=()

	six
	cluster_formed 3
	# A member may be spoken to before it was told who the others are, and by nobody later.
	for n in $members; do
		strangers[n]=$(stat_of "$n" drop_address)
	done
	capture /run/frames
	for n in $members; do
		load "$n" -t 2 -N 60
	done
	load_wait
	check_history
	for n in $members; do
		$vrseq -n "vr$n" log append "$words" >/dev/null
	done
	capture_end
	[ "$(stat -c %s /run/frames)" -gt 2000 ]
	fails grep -qaF "$words" /run/frames
	note "frames replayed: $(ip netns exec vrsw $wire replay br0 /run/frames)"
	for n in $members; do
		eventually 5 grew "$n" drop_replay 0
		[ "$(stat_of "$n" drop_forged)" = 0 ]
		[ "$(stat_of "$n" drop_address)" = "${strangers[n]}" ]
	done
	$vrseq -n vr1 group show t | tee /run/show
	grep -qF ' [fd77::1]:7400/udp ' /run/show
	grep -qF ' [fd77::3]:7400 ' /run/show
	$vrseq -n vr1 -j group show t | grep -qF '"address":"fd77::2","port":7400'
}

ipv6_primary_cut() {
	six
	primary_cut
}

# 1280 bytes is the least that IPv6 knows. Parts are ours: the IP layer made no fragments.
ipv6_small_mtu() {
	local n fragments

	six
	small_mtu "$SECURITY" 1280
	for n in $members; do
		fragments=$(ip netns exec "vr$n" awk '$1 == "Ip6FragCreates" { print $2 }' \
			/proc/net/snmp6)
		[ "$fragments" = 0 ]
	done
}

ipv6_client() {
	six
	client_serves
}
