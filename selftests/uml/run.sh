#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: run.sh [--time-travel | --native] [-t SECONDS] [-m MEMORY] [-o DIR] SCRIPT [ARGS]
# Runs a script under the UML kernel with the host's root (read-only, under an overlay) and returns
# its exit status. In the script: KVER=uml, VRSEQ_KO, VRSEQ_OUT (a writable directory, kept if -o).
# --time-travel: virtual time, which moves only when everything sleeps; a loop that spins until a
# time never ends there. --native: the kernel that watches nothing, and the module built for it.
# Exit status 124: timeout, 125: the kernel died, 126: it complained.
set -u
. "$(dirname "$0")/../rig.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
timeout=300
memory=2G
travel=
variant=
afterwards='&& selftests/uml/clean.sh'
out=
while :; do
	case ${1-} in
	--time-travel)
		travel='time-travel=inf-cpu kmemleak=off'
		afterwards=
		;;
	--native)
		variant=native
		afterwards=
		;;
	-t) timeout=$2; shift ;;
	-m) memory=$2; shift ;;
	-o) out=$2; shift ;;
	-*) rig_die "no option $1" ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || rig_die "no script"
script=$(realpath "$1")
shift

uml=$("$top/selftests/uml/build.sh" $variant) || exit
keep=$out
mkdir -p "$top/build/uml-run"
[ -n "$out" ] || out=$(mktemp -d "$top/build/uml-run/$(basename "$script").XXXXXX")
mkdir -p "$out"
out=$(realpath "$out")
rm -f "$out/status" "$out/dmesg"

quote() {
	for word; do
		printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"
	done
}
{
	echo "export KVER=uml VRSEQ_KO='$top/build/uml${variant:+-$variant}/vrseq.ko'"
	echo "export VRSEQ_OUT='$out' HOME=/root"
	echo "export VRSEQ_PLANTED='$top/build/planted/planted.ko'"
	echo "export PATH='$top/build:/usr/sbin:/usr/bin:/sbin:/bin' LC_ALL=C.UTF-8"
	for name in TEST CALL CROWD SEED SEEDS FIRST SECONDS JUNK RESTARTS STORM_S; do
		eval "value=\${$name-}"
		[ -z "$value" ] || echo "export $name=$(quote "$value")"
	done
	echo "$(quote "$script" "$@") $afterwards"
} >"$out/command"

# tty0 is the kernel's and goes to its log; tty1 is the script's and goes to our stdout.
timeout -k 5 "$timeout" "$uml/linux" mem="$memory" $travel root=/dev/root rootfstype=hostfs \
	rootflags=/ ro con=null con0=null,fd:1 con1=null,fd:3 loglevel=5 panic=-1 panic_on_warn=1 \
	rig_dir="$out" rig_top="$top" rig_kernel="$uml" init="$top/selftests/uml/init.sh" \
	3>&1 </dev/null >"$out/kernel.log" 2>&1
code=$?
[ $code = 124 ] || [ $code = 137 ] && code=124 || code=125
if [ $code = 125 ] && [ -s "$out/status" ]; then
	code=$(cat "$out/status")
	if [ "$code" = 0 ] && grep -qE "$rig_splat" "$out/dmesg"; then
		code=126
	fi
fi

case $code in
0)
	[ -n "$keep" ] || rm -rf "$out"
	;;
*)
	log=$out/dmesg
	[ -s "$log" ] || log=$out/kernel.log
	case $code in
	124) echo "# uml: no end after $timeout s; see $out" ;;
	125) echo "# uml: the kernel died; see $out" ;;
	126) echo "# uml: the kernel complained; see $out" ;;
	esac
	grep -E -B3 -A25 "$rig_splat" "$log" | sed 's/^/# kernel: /'
	;;
esac
exit "$code"
