#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: guests.sh PART KVER...
# Runs selftests/PART/run.sh in a guest of each kernel, one subtest each.
# TEST, SEEDS, FIRST, SECONDS, RESTARTS, SEED and JUNK go in.
top=$(cd "$(dirname "$0")/../.." && pwd)
part=$1
shift
failed=0
count=0
case $part in
chardev) guest='-m 448M' ;;	# one test wants more than there is
# The members race over the network: half the time.
netns | durable | userspace | hostile) guest='-m 1G -s 1 -n' ;;
*) guest='-m 1G' ;;
esac

# shellcheck disable=SC3028
timeout=$((1200 + 5 * ${SECONDS:-0}))

boot() {
	# shellcheck disable=SC2086
	"$top/selftests/qemu/guest.sh" -k "$1" $guest -t $timeout -e "TEST=${TEST:-}" \
		-e "SEEDS=${SEEDS:-}" -e "FIRST=${FIRST:-}" -e "RESTARTS=${RESTARTS:-}" \
		-e "SEED=${SEED:-}" -e "JUNK=${JUNK:-}" \
		"$top/selftests/$part/run.sh" >"$top/build/$part-$1.tap" 2>&1
	echo $? >"$top/build/$part-$1.status"
}

# Side by side: a guest waits more than it works.
trap 'trap - TERM; kill 0' INT TERM
for kver; do
	boot "$kver" &
done
wait

echo "TAP version 13"
echo "1..$#"
for kver; do
	count=$((count + 1))
	status=$(cat "$top/build/$part-$kver.status")
	echo "# Subtest: $part on $kver"
	sed 's/^/    /' "$top/build/$part-$kver.tap"
	if [ "$status" = 0 ]; then
		echo "ok $count - $part on $kver"
	else
		echo "not ok $count - $part on $kver"
		echo "# the guest's exit status was $status"
		failed=1
	fi
done
exit $failed
