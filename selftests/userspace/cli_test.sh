#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The vrseq tool without its module: grammar, help, output and exit codes. Knows
# the tool alone ($1) and the tool with a device that a test plays ($2).
#
# usage: cli_test.sh VRSEQ PLAYED_VRSEQ

. "$(dirname "$0")/../lib/ktap.sh"

vrseq=$1
played=$2
out=$(mktemp)
err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT

# Runs a command: its exit code has to be CODE; standard input is that of the call.
exits() { # CODE COMMAND...
	local want=$1 status=0

	shift
	"$@" >"$out" 2>"$err" || status=$?
	[ "$status" = "$want" ] || fail "exit code $status, not $want: $* ($(cat "$err"))"
}

says() { # TEXT (on standard output, all of it)
	[ "$(cat "$out")" = "$1" ] || fail "said '$(cat "$out")', not '$1'"
}

complains() { # PATTERN
	grep -q -- "$1" "$err" || fail "complained '$(cat "$err")', not of '$1'"
}

usage() { # ARGUMENTS...
	exits 2 "$vrseq" "$@"
	[ ! -s "$out" ] || fail "standard output of $*: $(cat "$out")"
	grep -q "^Error: .*Hint: " "$err" || fail "no hint for $*: $(cat "$err")"
}

help_everywhere() {
	local object command

	exits 0 "$vrseq" --help
	exits 0 "$vrseq" -h
	exits 0 "$vrseq" help
	for object in group member counter log key genkey health stats status doctor bench; do
		grep -q "^  $object " "$out" || fail "help does not name $object"
	done
	for object in group member counter log key genkey health stats status doctor bench; do
		exits 0 "$vrseq" "$object" --help
		exits 0 "$vrseq" "$object" help
		grep -q "^vrseq $object " "$out" || fail "no usage of $object"
	done
	while read -r object command; do
		exits 0 "$vrseq" "$object" "$command" help
		exits 0 "$vrseq" "$object" "$command" --help
		grep -q "^vrseq $object $command " "$out" || fail "no usage of $object $command"
		[ ! -s "$err" ] || fail "help complains"
	done <<-END
		group add
		group form
		group show
		group resign
		group reform
		group del
		member add
		member del
		member show
		counter next
		counter get
		log append
		log tail
		bench next
		bench append
		bench tail
		record show
	END
}

version() {
	exits 0 "$vrseq" -V
	grep -q '^vrseq ' "$out"
}

prefixes() {
	exits 0 "$vrseq" gr a help
	grep -q "^vrseq group add " "$out"
	exits 0 "$vrseq" cou n help
	grep -q "^vrseq counter next " "$out"
	exits 0 "$vrseq" l t help
	grep -q "^vrseq log tail " "$out"
	usage ''
	usage g
	usage x
	usage grouper
	usage group x
	usage group addd
	usage group ''
}

usage_errors() {
	usage counter
	usage log
	usage counter next a b
	usage counter next count 0
	usage counter next count -1
	usage counter next count 1x
	usage counter next count 18446744073709551616
	usage counter next repeat 0
	usage counter next timeout 5
	usage counter next count
	usage counter get count 2
	usage counter get mode
	usage counter get mode newest
	complains 'log, index, lease or local'
	usage counter get mode local mode log
	usage counter next mode local
	usage counter next group a group b
	usage log append ''
	usage log append a b
	usage log tail from x
	usage log tail count 0
	usage log tail -x
	usage health fence
	usage stats fence
	usage status fence
	usage doctor fence
	usage doctor watch 1
	usage doctor watch 2h
	usage bench
	usage bench read
	usage bench next threads 0
	usage bench next threads 257
	usage bench next duration 0
	usage bench next duration 10
	usage bench next size 64
	usage bench append a
	usage bench append size 0
	usage bench append count 2
	usage bench tail size 44
	usage member add 1 10.0.0.1:7400
	usage member add 0 10.0.0.1:7400 group g
	usage member add 65536 10.0.0.1:7400 group g
	usage member add 1 10.0.0.1 group g
	usage member add 1 10.0.0.1:0 group g
	usage member add 1 ::1:7400 group g
	usage member add 1 10.0.0.1:7400 role learner group g
	usage member del x group g
	usage member del 1
	usage group add
	usage group add g self 1 insecure
	usage group add g listen 10.0.0.1:7400 insecure
	usage group add g self 0 listen 10.0.0.1:7400 insecure
	usage group add g self 1 listen 10.0.0.1:7400 insecure heartbeat 20
	usage group add g self 1 listen 10.0.0.1:7400 insecure lease 20
	complains 'lease must be a time'
	usage group add g self 1 listen 10.0.0.1:7400 insecure lease
	usage group add g self 1 listen 10.0.0.1:7400 insecure log-bytes 4294967296
	usage group add g self 1 listen 10.0.0.1:7400 insecure log-bytes 4G
	usage group add g self 1 listen 10.0.0.1:7400 insecure uuid
	usage group add g self 1 listen 10.0.0.1:7400 insecure uuid 1
	complains '8-4-4-4-12'
	usage group add g self 1 listen 10.0.0.1:7400 insecure \
		uuid 5e1f0c2a7b348d199a603c8e2f41d7b5
	usage group form
	usage group form g generation 65536
	usage group resign
	usage group reform
	usage record show
	usage group resign g h
	usage group del
	exits 2 "$vrseq" -x
	exits 2 "$vrseq" -n
	usage -n ''
}

key_files() {
	local file=$out.key

	usage group add g self 1 listen 10.0.0.1:7400
	complains 'forge'
	complains 'insecure'
	usage group add g self 1 listen 10.0.0.1:7400 insecure key /etc/key
	usage key set group g
	usage key set /etc/key key-name k group g
	usage key swap
	(umask 077 && "$vrseq" genkey >"$file")
	[ "$(wc -c <"$file")" = 45 ]
	[ "$(base64 -d <"$file" | wc -c)" = 32 ]
	[ "$("$vrseq" genkey)" != "$("$vrseq" genkey)" ]
	for command in "group add g self 1 listen 10.0.0.1:7400 key" "key set group g"; do
		# shellcheck disable=SC2086
		exits 1 "$vrseq" $command /no/such/key
		complains '/no/such/key'
		chmod 640 "$file"
		# shellcheck disable=SC2086
		[ -e /dev/vrseq ] || exits 6 "$vrseq" $command "$file"
		chmod 644 "$file"
		# shellcheck disable=SC2086
		exits 1 "$vrseq" $command "$file"
		complains 'Everybody'
		chmod 600 "$file"
		for bad in "$(head -c 43 "$file")" "$(cat "$file")=" "AAAA" ""; do
			printf '%s\n' "$bad" >"$file.bad"
			chmod 600 "$file.bad"
			# shellcheck disable=SC2086
			exits 1 "$vrseq" $command "$file.bad"
			complains 'base64'
		done
	done
	# What is printed into a file that all can read is no secret.
	(umask 022 && : >"$file.all")
	! "$vrseq" genkey >"$file.all" 2>"$err"
	complains 'Everybody'
	rm -f "$file" "$file.bad" "$file.all"
}

journal_words() {
	usage group add g self 1 listen 10.0.0.1:7400 insecure durability journal
	complains 'journal needs a value'
	usage group add g self 1 listen 10.0.0.1:7400 insecure durability disk
	complains 'durability must be memory or journal'
	usage group add g self 1 listen 10.0.0.1:7400 insecure journal-size 1M
	complains 'journal-size needs durability journal'
}

no_module() {
	[ ! -e /dev/vrseq ] || skip "the module is loaded"
	local command

	for command in "" "group show" "group show g" "member show" "health" "stats" \
		"counter next" "counter get" "log append x" "log tail" "group del g" \
		"group resign g" "group form g" "member del 1 group g" "-j group show" \
		"-j stats" "status" "-j status" "bench next" "bench append" "bench tail"; do
		# shellcheck disable=SC2086
		exits 6 "$vrseq" $command
		complains 'modprobe vrseq'
		[ ! -s "$out" ] || fail "$command: output without a module"
	done
	# To the doctor that is a finding.
	exits 6 "$vrseq" doctor
	says 'serious: the module is not loaded. Do: modprobe vrseq'
	exits 6 "$vrseq" -j doctor group g watch 0
	grep -q '^\[{"severity":"serious","finding":"module-missing","group":null,' "$out" ||
		fail "$(cat "$out")"
	[ ! -s "$err" ] || fail "complained '$(cat "$err")'"
}

no_netns() {
	exits 1 "$vrseq" -n no-such-namespace group show
	complains 'no-such-namespace'
	exits 1 "$vrseq" -n /no/such/path group show
}

counter() {
	exits 0 "$played" counter next
	says 1
	exits 0 "$played" counter next count 3
	says "1 3"
	exits 0 "$played" counter next apples repeat 3 count 2 timeout 0
	says $'1 2\n3 4\n5 6'
	exits 0 "$played" -j counter next apples repeat 2 group played
	says '{"counter":"apples","first":1,"last":1,"index":1,"view":7}
{"counter":"apples","first":2,"last":2,"index":2,"view":7}'
	exits 0 "$played" counter get apples
	says 12
	complains '^read in mode 0$'
	exits 0 "$played" -j counter get
	says '{"counter":"","value":0,"index":1,"view":7,"mode":"log","age_ns":0}'
}

read_modes() {
	local mode number=0

	for mode in log index lease local; do
		exits 0 "$played" counter get apples mode $mode
		says 12
		complains "^read in mode $number\$"
		number=$((number + 1))
	done
	exits 0 "$played" -j counter get mode local apples
	says '{"counter":"apples","value":12,"index":1,"view":7,"mode":"local","age_ns":1500}'
	# the name of a counter may be the word of a mode, or "mode" itself
	exits 0 "$played" -j counter get local mode index
	says '{"counter":"local","value":0,"index":1,"view":7,"mode":"index","age_ns":0}'
	exits 0 "$played" -j counter get name mode mode lease
	says '{"counter":"mode","value":0,"index":1,"view":7,"mode":"lease","age_ns":0}'
}

log_append() {
	exits 0 "$played" log append hello
	says 1
	complains '^appended 5: hello$'
	exits 0 "$played" log append message help
	complains '^appended 4: help$'
	exits 0 "$played" -j log append -x
	says '{"sequence":1,"index":1,"view":7}'
	exits 0 "$played" log append < <(printf 'one\ntwo\nthree')
	says $'1\n2\n3'
	complains '^appended 3: one$'
	complains '^appended 3: two$'
	complains '^appended 5: three$'
	exits 0 "$played" log append - < <(printf 'one\ntwo\n')
	says 1
	complains '^appended 8: one$'
	exits 0 "$played" log append </dev/null
	says ""
	exits 1 "$played" log append < <(printf 'one\n\nthree\n')
	says 1
	complains 'Line 2 is empty'
	exits 1 "$played" log append - </dev/null
	exits 1 "$played" log append - < <(head -c 65 /dev/zero)
	complains 'larger than the group allows'
	exits 0 "$played" log append - < <(head -c 64 /dev/zero)
}

log_tail() {
	export PLAY_MESSAGES=3

	exits 0 "$played" log tail
	says $'message 1\nmessage 2\nmessage 3'
	exits 0 "$played" log tail from 2 count 1
	says 'message 2'
	exits 0 "$played" log tail from 4
	says ''
	exits 0 "$played" -j log tail from 3
	says '{"index":3,"sequence":3,"view":7,"member_id":2,"session":5,"message":"message 3"}'
	exits 0 "$played" log tail -j from 3
	says '{"index":3,"sequence":3,"view":7,"member_id":2,"session":5,"message":"message 3"}'
	exits 0 "$played" log tail -f from 3 count 3
	says $'message 3\nmessage 4\nmessage 5'
	exits 1 "$played" log tail -f timeout 1ms
	says $'message 1\nmessage 2\nmessage 3'
	complains 'The deadline passed'
	PLAY_LOST=2 exits 0 "$played" log tail
	says 'message 3'
	complains '1 to 2'
	PLAY_MESSAGES=0 exits 0 "$played" log tail
	says ''
}

number() { # KEY
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$out"
}

bench() {
	local kind time='[0-9.]+[mun]?s'

	export PLAY_QUIET=1
	for kind in next append tail; do
		exits 0 "$played" bench $kind duration 50ms threads 3
		grep -Eq "^$kind: [1-9][0-9]* [a-z ]+ in [0-9.]+ms, 3 threads.*" "$out" ||
			fail "$(cat "$out")"
		grep -Eq ': [1-9][0-9]* per second$' "$out" || fail "$(cat "$out")"
		grep -Eq "^  p50 $time  p99 $time  p99.9 $time  longest $time\$" "$out" ||
			fail "$(cat "$out")"
		grep -q 'Wall clock of this machine' "$out"
		[ ! -s "$err" ] || fail "standard error is no terminal: $(cat "$err")"
		exits 0 "$played" -j bench $kind duration 50ms
		grep -q "^{\"bench\":\"$kind\",\"threads\":1,.*:\"wall clock of" "$out" ||
			fail "$(cat "$out")"
		[ "$(number operations)" -ge 1 ]
		[ "$(number elapsed_ns)" -ge 50000000 ]
		[ "$(number min_ns)" -le "$(number p50_ns)" ]
		[ "$(number p50_ns)" -le "$(number p99_ns)" ]
		[ "$(number p99_ns)" -le "$(number p999_ns)" ]
		[ "$(number p999_ns)" -le "$(number max_ns)" ]
	done
	exits 0 "$played" -j bench next apples count 5 duration 20ms
	[ "$(number count)" = 5 ]
	exits 1 "$played" bench append size 65 duration 10s
	complains 'bench append failed.*larger than the group allows'
	PLAY_ERRNO=113 PLAY_OUTCOME=2 exits 3 "$played" bench next duration 10s
	complains 'bench next failed'
	PLAY_ERRNO=113 PLAY_OUTCOME=0 exits 3 "$played" bench tail duration 10s
	complains 'may have been applied'
}

# ^C ends it, and what was measured is shown; a terminal gets a bar, and -j none.
bench_on_a_terminal() {
	export PLAY_QUIET=1
	exits 0 timeout --preserve-status -s INT 1 "$played" -j bench next duration 60s
	[ "$(number elapsed_ns)" -lt 50000000000 ]
	[ "$(number operations)" -ge 1 ]
	exits 0 script -qec "'$played' bench append duration 300ms" /dev/null
	grep -q 'append: [1-9]' "$out" || fail "$(cat "$out")"
	grep -Eq 'append \[#* *\] 0 of 0 s, [0-9]+ per second' "$out" || fail "$(cat "$out")"
	exits 0 script -qec "'$played' -j bench append duration 300ms" /dev/null
	! grep -q '\[#' "$out" || fail "$(cat "$out")"
}

exit_codes() {
	# errno, outcome, exit code: EHOSTUNREACH ETIMEDOUT EIO ENETDOWN ESTALE
	# EOVERFLOW ENOTRECOVERABLE EAGAIN ENOTCONN ECANCELED
	while read -r PLAY_ERRNO PLAY_OUTCOME code; do
		export PLAY_ERRNO PLAY_OUTCOME
		exits "$code" "$played" counter next
		says ""
		exits "$code" "$played" log append x
		case $PLAY_OUTCOME in
		0) complains 'The outcome is unknown: it may have been applied' ;;
		2) complains 'was not applied' ;;
		esac
	done <<-END
		113 0 3
		113 2 3
		110 0 5
		110 2 1
		5 0 7
		100 0 5
		100 2 1
		116 2 1
		75 2 1
		131 2 7
		11 2 1
		107 2 6
		125 2 1
	END
	# a read has no effect, so nothing is unknown of it
	PLAY_ERRNO=110 PLAY_OUTCOME=0 exits 1 "$played" counter get
	! grep -q unknown "$err" || fail "$(cat "$err")"
	PLAY_ERRNO=113 PLAY_OUTCOME=2 exits 3 "$played" counter get mode index
	! grep -q unknown "$err" || fail "$(cat "$err")"
	PLAY_ERRNO=125 PLAY_OUTCOME=2 exits 1 "$played" counter next
	complains 'never will be'
	PLAY_ERRNO=131 PLAY_OUTCOME=2 exits 7 "$played" log tail
	complains 'played by a test'
}

not_taking_part() {
	# blank, forming, recovering, halted, amnesia
	PLAY_STATE=0 PLAY_ERRNO=113 PLAY_OUTCOME=2 exits 6 "$played" counter next
	complains 'not formed'
	PLAY_STATE=1 PLAY_ERRNO=113 PLAY_OUTCOME=2 exits 6 "$played" log append x
	PLAY_STATE=0 exits 6 "$played" log tail
	PLAY_STATE=4 PLAY_ERRNO=113 PLAY_OUTCOME=0 exits 6 "$played" counter next
	complains 'gets its memory back'
	complains 'may have been applied'
	PLAY_STATE=6 PLAY_ERRNO=131 PLAY_OUTCOME=2 exits 7 "$played" counter next
	complains 'Too many members lost their memory'
	# no quorum in spite of a memory is just that
	PLAY_STATE=2 PLAY_ERRNO=113 PLAY_OUTCOME=2 exits 3 "$played" counter next
	complains 'No quorum'
	PLAY_STATE=4 exits 6 "$played" log tail
	PLAY_STATE=5 exits 7 "$played" log tail
	complains 'halted'
	PLAY_STATE=6 exits 7 "$played" log tail
	complains 'lost their memory'
	PLAY_STATE=4 PLAY_MESSAGES=1 exits 6 "$played" log tail
	says 'message 1'
	PLAY_STATE=6 PLAY_MESSAGES=1 exits 7 "$played" log tail -f
	says 'message 1'
	# what may pass is waited for
	PLAY_STATE=0 exits 0 "$played" log tail -f count 1
	says 'message 1'
	PLAY_STATE=4 exits 0 "$played" log tail -f count 1
	says 'message 1'
}

opening() {
	PLAY_OPEN_ERRNO=2 exits 6 "$played" counter next
	complains 'modprobe vrseq'
	PLAY_OPEN_ERRNO=13 exits 1 "$played" counter next
	complains 'unix group vrseq'
	exits 6 "$played" counter next group other
	complains "No group 'other'"
}

# What the shell offers after the words, the last of them begun.
completes() { # EXPECTED WORDS...
	local expected=$1 cur

	shift
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_vrseq
	cur=$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')
	[ "${cur% }" = "$expected" ] || fail "$* <tab>: '$cur', not '$expected'"
}

completion() {
	. "$(dirname "$0")/../../userspace/completion/vrseq.bash"
	# it asks the tool for the names of groups
	vrseq() {
		[ "$*" = "group show" ] && printf 'group fence  10.0.0.1\n  1\ngroup other  x\n'
	}

	completes "counter" vrseq co
	completes "reform resign" vrseq group re
	completes "fence help other" vrseq group resign ""
	completes "fence" vrseq -n blue group resign f
	completes "lease listen log-bytes log-entries" vrseq group add g l
	completes "mode" vrseq counter get apples m
	completes "index lease local log" vrseq counter get apples mode ""
	completes "fence other" vrseq counter get mode lease group ""
	completes "fence other" vrseq health group ""
	completes "fence other" vrseq status group ""
	completes "doctor" vrseq d
	completes "fence other" vrseq doctor group ""
	completes "watch" vrseq doctor w
	completes "bench" vrseq b
	completes "threads timeout" vrseq bench tail t
	completes "group help" vrseq stats ""
}

output_that_fails() {
	# shellcheck disable=SC2016
	exits 1 bash -c '"$0" counter next >/dev/full' "$played"
	complains 'standard output'
}

ktap_begin
ktap_run help_everywhere "help at every level"
ktap_run version "-V"
ktap_run prefixes "unique beginnings of objects and commands"
ktap_run usage_errors "usage errors exit with 2 and a hint"
ktap_run key_files "keys: made, refused if others can read them or they are none"
ktap_run journal_words "durability journal takes a file, and journal-size a journal"
ktap_run no_module "without the module: 6 and modprobe"
ktap_run no_netns "a network namespace that is not there"
ktap_run counter "counter next and get"
ktap_run read_modes "counter get in each mode"
ktap_run log_append "log append"
ktap_run log_tail "log tail"
ktap_run bench "bench next, append and tail"
ktap_run bench_on_a_terminal "a bench that is watched, and ended"
ktap_run exit_codes "exit codes of failed operations"
ktap_run not_taking_part "members that are not formed or take no part"
ktap_run opening "a device that cannot be opened"
ktap_run completion "what the shell offers"
ktap_run output_that_fails "output that cannot be written"
ktap_end
