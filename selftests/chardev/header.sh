#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Compiles header.c, which asserts the interface's layout, as every language and width it is for.
cd "$(dirname "$0")/../.." || exit
count=0
failed=0

compile() { # NAME COMPILER...
	name=$1
	shift
	count=$((count + 1))
	# Debian keeps the 64-bit <asm/types.h> where a 32-bit compiler does not look.
	if "$@" -fsyntax-only -Wall -Werror -Iuapi \
		-isystem "/usr/include/$(gcc -print-multiarch)" selftests/chardev/header.c; then
		echo "ok $count - header: $name"
	else
		echo "not ok $count - header: $name"
		failed=1
	fi
}

echo "TAP version 13"
compile "C" gcc -std=gnu11
compile "C90" gcc -std=gnu90
compile "C, 32 bits" gcc -m32
compile "C, clang" clang-14
compile "C++" clang-14 -x c++ -std=c++17
compile "C++, 32 bits" clang-14 -x c++ -std=c++17 -m32
echo "1..$count"
exit $failed
