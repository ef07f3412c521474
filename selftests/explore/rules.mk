# SPDX-License-Identifier: GPL-2.0
# The core, compiled small, and every state it can be in within bounds; then with each planted
# defect until it is found.

explore_limits := -DVR_REPLICAS_MAX=3 -DVR_BODY_BYTES_MAX=8 -DVR_PIPELINE_MAX=4 \
	-DVR_PREPARES_MAX=2 -DVR_BATCH_MAX=4 -DVR_PENDING_MAX=16 -DVR_WINDOW=2 \
	-DVR_ENTRIES_MIN=16 -DVR_CHUNK_BYTES_MAX=1280
explore_cflags := -O2 -g -std=gnu11 -Wall -Wextra $(explore_limits)
explore_sources := $(wildcard selftests/explore/*.c) $(wildcard kmod/core/*.c)
explore_headers := $(wildcard selftests/explore/*.h kmod/core/*.h)
explore_run = CC="$(CC)" CFLAGS="$(explore_cflags)" selftests/explore/run.py -j $$(nproc)

TESTS_BUILD += build/selftests/explore/explore
CHECK_TARGETS += explore-small

build/selftests/explore/explore: $(explore_sources) $(explore_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(explore_cflags) -Ikmod/core -Iselftests/explore -o $@ $(explore_sources)

explore: build/selftests/explore/explore ## every state of three members within bounds (an hour): TEST=name
	@$(explore_run) --large $(TEST)

explore-small: build/selftests/explore/explore ## the same within smaller bounds (a minute)
	@$(explore_run) $(TEST)

.PHONY: explore explore-small
