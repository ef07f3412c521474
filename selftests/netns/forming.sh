# SPDX-License-Identifier: GPL-2.0
# A group is formed once, by all of its members, and by nothing else. Sourced by run.sh.

# The tool fails, and its sentence matches.
refused() { # PATTERN COMMAND...
	local pattern=$1

	shift
	if "$@" >/run/refused 2>&1; then
		fail "not refused: $*"
	fi
	note "$(cat /run/refused)"
	grep -Eqi "$pattern" /run/refused
}

state_is() { # N STATE
	is "$1" state "$2"
}

form_unreachable() {
	cluster_up 3
	cut 3
	refused '\b3\b' $vrseq -n vr1 group form t
	# Nothing came of it, anywhere.
	for n in $members; do
		eventually 10 state_is "$n" 0
	done
	heal 3
	cluster_form
	[ "$(next 3)" = 1 ]
}

form_differs() {
	cluster_up 3
	# One more than the others know of.
	$vrseq -n vr3 member add 4 "10.77.0.4:$port" group t
	refused '\b3\b' $vrseq -n vr1 group form t
	# The same number of members, but another one.
	$vrseq -n vr3 member del 2 group t
	refused '\b3\b' $vrseq -n vr1 group form t
	for n in $members; do
		eventually 10 state_is "$n" 0
	done
	$vrseq -n vr3 member del 4 group t
	$vrseq -n vr3 member add 2 "10.77.0.2:$port" group t
	cluster_form
}

form_twice() {
	cluster_formed 3
	for n in $members; do
		refused 'not blank' $vrseq -n "vr$n" group form t
	done
	[ "$(next 1)" = 1 ]
}

form_not_blank() {
	# 3 is formed with 1 and 2; 1 and 2 start again with nothing.
	cluster_formed 3
	for n in 1 2; do
		eventually 5 $vrseq -n "vr$n" group del t
	done
	# Both at once: one alone would get its memory back from the others.
	for n in 1 2; do
		member_up "$n"
	done
	for n in 1 2; do
		refused 'not blank|\b3\b' $vrseq -n "vr$n" group form t
	done
	refused '' next 1 timeout 1s
}

form_lossy() {
	cluster_up 3
	for n in $members; do
		netem "$n" loss 30%
	done
	if $vrseq -n vr2 group form t; then
		note "formed over 30 % loss"
	else
		for n in $members; do
			eventually 10 state_is "$n" 0
		done
	fi
	heal $members
	$vrseq -n vr2 group form t || is 2 state 2
	for n in $members; do
		eventually 10 has_quorum "$n"
	done
	[ "$(next 3)" = 1 ]
}

frozen_members() {
	cluster_formed 3
	refused 'formed|blank' $vrseq -n vr1 member add 4 "10.77.0.4:$port" group t
	refused 'formed|blank' $vrseq -n vr1 member del 2 group t
	[ "$(next 1)" = 1 ]
}
