# SPDX-License-Identifier: GPL-2.0
# KTAP for bash scripts: one function is one test, run in its own shell under "set -eE", so that the
# first command that fails ends it, and is named. Sourced; knows nothing of what is tested.
#
#	ktap_begin
#	ktap_run FUNCTION "the property it shows"	TEST=name: only functions named so
#	ktap_program NAME COMMAND...			a program that prints TAP is one test
#	ktap_end					the plan; fails if a test did
#
# In a test: `skip WHY`, `fail WHY`, `note TEXT`, `fails COMMAND...`, and
# `eventually SECONDS COMMAND...`.

ktap_count=0
ktap_failed=0

ktap_begin() {
	echo "TAP version 13"
}

ktap_end() {
	echo "1..$ktap_count"
	[ "$ktap_failed" = 0 ]
}

ktap_result() { # STATUS NAME SECONDS
	ktap_count=$((ktap_count + 1))
	case $1 in
	0) echo "ok $ktap_count - $2" ;;
	4) echo "ok $ktap_count - $2 # SKIP" ;;
	*)
		ktap_failed=$((ktap_failed + 1))
		echo "not ok $ktap_count - $2"
		;;
	esac
	echo "# $3 s"
}

ktap_run() { # FUNCTION NAME
	local status start=$SECONDS

	# shellcheck disable=SC2254
	case $1 in
	*${TEST:-}*) ;;
	*) return ;;
	esac
	set +e
	(
		set -eE
		trap 'echo "failed: $BASH_COMMAND (${BASH_SOURCE##*/}:$LINENO)"' ERR
		trap 'status=$?; trap - ERR; set +e; cleanup; exit $status' EXIT
		"$1"
	) 2>&1 | sed -u 's/^/# /'
	status=${PIPESTATUS[0]}
	set -e
	ktap_result "$status" "$1: $2" $((SECONDS - start))
}

# A test leaves nothing behind; the sourcing script says how.
cleanup() {
	:
}

ktap_program() { # NAME COMMAND...
	local name=$1 status start=$SECONDS

	shift
	case $name in
	*${TEST:-}*) ;;
	*) return ;;
	esac
	set +e
	"$@" 2>&1 | sed -u 's/^/# /'
	status=${PIPESTATUS[0]}
	set -e
	ktap_result "$status" "$name" $((SECONDS - start))
}

note() {
	echo "$*"
}

fail() {
	echo "$*"
	exit 1
}

# What must not succeed. "! command" would not do: bash does not end at a negated one.
fails() { # COMMAND...
	if "$@"; then
		fail "did not fail: $*"
	fi
}

skip() {
	echo "skipped: $*"
	exit 4
}

# Sleep without a process of its own: in a guest that is most of what a look costs.
exec {ktap_nothing}<> <(:)
pause() { # SECONDS
	read -rt "$1" -u "$ktap_nothing" || true
}

# Try until it succeeds; the last try decides.
eventually() { # SECONDS COMMAND...
	local until=$((${EPOCHREALTIME/./} + $1 * 1000000))

	shift
	while ! "$@" >/dev/null 2>&1; do
		if [ "${EPOCHREALTIME/./}" -ge "$until" ]; then
			"$@"
			return
		fi
		pause 0.1
	done
}

now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}
