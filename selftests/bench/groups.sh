# SPDX-License-Identifier: GPL-2.0
# Groups as they are measured. Over loopback: three members of one group in one namespace, told
# apart by their names and held together by a UUID. Sourced after cluster.sh; does not know what is
# measured.

# Rare heartbeats: their cost is not a commit's.
rare='heartbeat 1s view-timeout 10s'

# Each datagram of the groups to come is sealed and opened.
with_key() {
	(umask 077 && $vrseq genkey >/run/key)
	SECURITY="key /run/key"
}

# A group's name for its member ID at a loopback address.
name_of() { # ID
	echo "m$1"
}

ready_on_loopback() { # ID
	local text

	text=$("$programs/member_status" vr1 "$(name_of "$1")") && eval "$text" &&
		[ "$s_has_quorum" = 1 ] && [ "$s_primary_id" != 0 ]
}

# Sets $leader and $backup to their names.
formed_on_loopback() {
	local id other

	links_up 1
	for id in 1 2 3; do
		# shellcheck disable=SC2086
		$vrseq -n vr1 group add "$(name_of $id)" self $id listen 127.0.0.1:$((port + id)) \
			${SECURITY:-insecure} uuid 6c6f6f70-6261-436b-8000-000000000001 $rare
		for other in 1 2 3; do
			[ $other = $id ] || $vrseq -n vr1 member add $other \
				127.0.0.1:$((port + other)) group "$(name_of $id)"
		done
	done
	$vrseq -n vr1 group form "$(name_of 1)"
	for id in 3 2 1; do
		eventually 10 ready_on_loopback $id
	done
	leader=$(name_of "$s_primary_id")
	backup=$(name_of $((s_primary_id % 3 + 1)))
}
