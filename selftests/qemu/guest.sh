#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: guest.sh [-k 6.1|6.12] [-s SMP] [-m MEM] [-t SECONDS] [-D] SCRIPT [ARGS]; -h for the rest
exec python3 "$(dirname "$0")/guest.py" "$@"
