# SPDX-License-Identifier: GPL-2.0
# What vrseq doctor finds on real clusters that something is done to, in its text and in its JSON,
# and that it finds nothing else. Sourced by run.sh, after keys.sh and power.sh.

# Sets $code, and leaves one finding of the JSON in each line of /run/doctor.
diagnose() { # N
	code=0
	$vrseq -n "vr$1" -j doctor watch 100ms >/run/doctor.json || code=$?
	sed 's/},{/},\n{/g' /run/doctor.json >/run/doctor
}

# A finding at N, among others, and perhaps more of its line.
finds() { # N SEVERITY FINDING [PATTERN]
	diagnose "$1"
	grep "^[[]*{\"severity\":\"$2\",\"finding\":\"$3\"," /run/doctor >/run/found &&
		grep -q -- "${4:-.}" /run/found
}

exits_with() { # CODE N SEVERITY FINDING [PATTERN]
	local want=$1

	shift
	finds "$@" && [ "$code" = "$want" ]
}

# The same in words, in a line that ends with what there is to do.
tells() { # N PATTERN [ADVICE]
	$vrseq -n "vr$1" doctor watch 0 >/run/told || true
	grep -E "^$2.*\. Do: .*${3:-.}" /run/told || fail "$(cat /run/told)"
}

# A second key at N, which is told apart from the first: one of 256 is not, and is refused.
set_other_key() { # N
	key_make other
	$vrseq -n "vr$1" key set /run/key.other group t
}

# A first try that failed may still come to its end.
form_or_formed() { # N
	$vrseq -n "vr$1" group form t || is "$1" state 2
}

# Notes there may be: this machine is virtual, and its timers were late before.
is_fine() { # N
	diagnose "$1"
	[ "$code" = 0 ] || return
	if grep -q -e '"severity":"warning"' -e '"severity":"serious"' /run/doctor; then
		return 1
	fi
	$vrseq -n "vr$1" doctor watch 0 | grep -qx 'nothing wrong'
}

# With all there is to have: not formed, a record without room, well, a change of keys, a member
# that is silent, and then has another key.
doctor_keyed() {
	local n

	key_make old
	SECURITY="key /run/key.old"
	rm -rf "$records"
	mkdir -p "$records"
	links_up 3
	mkdir -p /run/small
	mount -t tmpfs -o size=8k tmpfs /run/small
	for n in 1 2; do
		member_up "$n" record "$records/r$n"
	done
	member_up 3 record /run/small/r
	exits_with 6 1 serious not-formed '"group":"t"'
	tells 1 'serious: t: the group is not formed' 'vrseq group form t'
	fails grep -q insecure /run/doctor

	fallocate -p -o 0 -l 4096 /run/small/r
	cat /dev/zero >/run/small/full 2>/dev/null || true
	fails $vrseq -n vr3 group form t
	eventually 10 finds 3 warning record-failing
	tells 3 "warning: t: the record /run/small/r cannot be written: No space left"
	rm /run/small/full
	eventually 20 form_or_formed 3
	for n in $members; do
		eventually 10 has_quorum "$n"
		eventually 10 is_fine "$n"
	done

	eventually 5 set_other_key 1
	finds 1 warning second-key
	tells 1 'warning: t: a change of keys is not finished: ' 'vrseq key del'
	$vrseq -n vr1 key del group t

	cut 3
	eventually 10 exits_with 1 1 warning member-silent '"member_id":3,"age_ns":[1-9]'
	tells 1 'warning: t: member 3 is silent for [0-9.]+m?s'
	eventually 10 exits_with 3 3 serious no-quorum '"age_ns":[1-9]'
	tells 3 'serious: t: no quorum: reach 1 of 3, need 2, for [0-9.]+m?s'

	$vrseq -n vr3 group del t
	SECURITY="key /run/key.other"
	member_up 3 record /run/small/r
	heal 3
	eventually 10 exits_with 1 1 warning member-other-key '"member_id":3'
	eventually 10 finds 1 warning drop_key '"recent":[1-9]'
	tells 1 "warning: t: member 3 has another key: ours is $(key_tag 1)"
	fails finds 1 warning member-silent
	eventually 10 finds 3 warning member-other-key '"member_id":1'
	[ "$(key_tag 3)" != "$(key_tag 1)" ]
	tells 3 "warning: t: member 1 has another key: ours is $(key_tag 3)"
	diagnose 3
	[ "$code" = 6 ]

	eventually 5 $vrseq -n vr3 group del t
	eventually 5 umount /run/small
}

key_tag() { # N
	$vrseq -n "vr$1" group show t | sed -n 's/^  key \([0-9a-f]*\).*/\1/p'
}

# With nothing: no key, no record, a list that differs, no quorum, and at last no memory.
doctor_bare() {
	local n

	cluster_up 3
	$vrseq -n vr3 member add 4 "$(endpoint 4)" group t
	eventually 10 exits_with 6 1 warning member-other-list '"member_id":3'
	tells 1 'warning: t: member 3 was given another list of members'
	finds 3 warning member-never-heard '"member_id":4,"age_ns":null'
	finds 3 note even-voters
	tells 3 'warning: t: member 4 was never heard'
	$vrseq -n vr3 member del 4 group t
	cluster_form

	eventually 10 exits_with 1 1 warning insecure
	eventually 10 has_none 1 serious
	eventually 10 has_none 1 warning member
	finds 1 note no-record
	tells 1 'warning: t: the group is insecure'
	tells 1 'note: t: no record is kept here'

	# Nobody needs to be anybody to be told, but for the way into another namespace.
	code=0
	install -m 755 "$vrseq" /run/vrseq
	ip netns exec vr1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		/run/vrseq -j doctor watch 0 >/run/doctor || code=$?
	[ "$code" = 1 ]
	grep -q '"finding":"device-permission"' /run/doctor
	grep -q '"finding":"insecure"' /run/doctor
	code=0
	$vrseq -n vrsw doctor >/run/told || code=$?
	[ "$code" = 6 ]
	grep -q '^serious: no group in this network namespace\. Do: ' /run/told
	code=0
	$vrseq -n vr1 -j doctor group other >/run/doctor || code=$?
	[ "$code" = 6 ]
	grep -q '"finding":"no-group","group":null' /run/doctor

	cut 2 3
	eventually 10 exits_with 3 1 serious no-quorum '"age_ns":[1-9]'
	finds 1 warning member-silent '"member_id":2'
	finds 1 warning member-silent '"member_id":3'
	for n in 2 3; do
		eventually 5 $vrseq -n "vr$n" group del t
		member_up "$n"
	done
	heal 2 3
	for n in 2 3; do
		eventually "$recovery_s" exits_with 7 "$n" serious amnesia
	done
	tells 2 'serious: t: amnesia: ' 'form it with a generation higher than 0'
}

# No line of that severity, whose finding begins so.
has_none() { # N SEVERITY [FINDING]
	diagnose "$1"
	if grep -q "\"severity\":\"$2\",\"finding\":\"${3:-}" /run/doctor; then
		return 1
	fi
}
