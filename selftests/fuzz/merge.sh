#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: merge.sh DIR TARGET... - corpus/TARGET becomes the smallest set of files, of those that
# are there and of those that run.sh left in DIR/new/TARGET, that reach what all of them reach.
set -eu
dir=$1
shift
here=$(dirname "$0")

for target; do
	corpus=$here/corpus/$target
	merged=$dir/merged/$target
	rm -rf "$merged"
	mkdir -p "$merged" "$corpus" "$dir/new/$target"
	"$dir/$target" -set_cover_merge=1 -use_counters=0 -max_len=1500 -timeout=20 "$merged" \
		"$corpus" "$dir/new/$target" >"$dir/$target.merge.log" 2>&1
	rm -rf "$corpus"
	cp -r "$merged" "$corpus"
	rm -rf "${dir:?}/new/$target"
	echo "$target: $(find "$corpus" -type f | wc -l) files," \
		"$(cat "$corpus"/* | wc -c) bytes"
done
