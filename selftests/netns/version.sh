# SPDX-License-Identifier: GPL-2.0
# Members of two versions of the wire format in one group (R34): modules are exchanged one after the
# other while others work, and clients wait until all are new. Sourced by run.sh, after client.sh.

# The module of a member is exchanged for one that speaks this version.
exchange() { # N VERSION OPTIONS
	local n=$1 version=$2

	shift 2
	eventually 5 $vrseq -n "vr$n" group del t
	member_up "$n" wire "$version" "$@"
	[ -z "$clients" ] || $vrseq -n "vr$n" member add 11 "$(endpoint 11)" role client group t
	eventually 10 is_well "$n"
}

# Each member in turn, while all others work; none of what they ask for fails.
exchange_all() { # VERSION OPTIONS
	local n other

	for n in $members; do
		for other in $(others "$n"); do
			load "$other" -t 2 -d 3 >>/run/worked
		done
		sleep 0.5
		exchange "$n" "$@"
		load_wait
	done
}

nothing_failed() {
	[ "$(wc -l </run/worked)" = 6 ]
	grep -q ' not 0 unknown 0 ' /run/worked
	fails grep -v ' not 0 unknown 0 ' /run/worked
}

shows_wire() { # N OTHER VERSION
	$vrseq -j -n "vr$1" group show t >/run/shown.json
	python3 - "$2" "$3" <<-END
	import json, sys
	shown = json.load(open("/run/shown.json"))
	group = shown[0] if isinstance(shown, list) else shown
	wire = [m.get("wire") for m in group["members"] if m["id"] == int(sys.argv[1])]
	sys.exit(wire != [int(sys.argv[2])])
	END
}

version_upgrade() {
	cluster_formed 3 wire 4 clients 4
	: >/run/worked
	$vrseq -n vr1 group show t | grep -q '^  wire 4$'
	exchange_all 5 clients 4
	nothing_failed
	check_history
	client_links_up 11
	client_up 11
	eventually 10 has_quorum 11
	$vrseq -n vr11 counter next served >/dev/null
	fails $vrseq -n vr1 group add other self 1 listen "$net""1:7500" insecure wire 3
	fails $vrseq -n vr1 group add other self 1 listen "$net""1:7500" insecure wire 6
}

version_mixed() {
	links_up 3
	member_up 1 clients 4
	member_up 2 clients 4
	member_up 3 clients 4 wire 4
	cluster_form
	eventually 5 shows_wire 1 3 4
	eventually 5 shows_wire 1 2 5
	client_links_up 11
	client_up 11
	for n in $members; do
		load "$n" -t 2 -d 2
	done
	load_wait
	check_history
	$vrseq -n vr11 group show t |
		grep -q 'clients are not served: not known to be of wire version 5: member 3'
	fails timeout 20 $vrseq -n vr11 counter next refused
	exchange 3 5 clients 4
	eventually 10 has_quorum 11
	$vrseq -n vr11 counter next served >/dev/null
	# Back: it has no place in a log with clients, and the others go on.
	eventually 5 $vrseq -n vr3 group del t
	member_up 3 wire 4 clients 4
	eventually 10 sh -c "$vrseq -n vr3 group show t | grep -q 'too old for the log'"
	$vrseq -n vr11 counter next served >/dev/null
	[ "$(next 1 served)" = 3 ]
}

version_down() {
	cluster_formed 3
	: >/run/worked
	exchange_all 4
	nothing_failed
	check_history
	eventually 5 shows_wire 1 2 4
}
