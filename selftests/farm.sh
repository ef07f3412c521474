#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: farm.sh DIR FILE...
# Makes DIR a copy of the tree in links, of just these files: kbuild puts objects beside sources,
# and each kernel needs its own. Links whose file is gone are removed: a deleted header cannot
# linger.
set -eu

farm=$1
shift
find "$farm" -xtype l -delete 2>/dev/null || :
for file; do
	link=$farm/$file
	mkdir -p "${link%/*}"
	[ "$link" -ef "$file" ] || ln -sf "$PWD/$file" "$link"
done
