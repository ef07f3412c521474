# SPDX-License-Identifier: GPL-2.0
# The simulator: as it is shipped, with small bounds, and with the sanitizers.

SEEDS ?= 20000
FIRST ?= 1

sim_sources := $(wildcard selftests/sim/*.c) selftests/lin/lin.c selftests/lin/lin_log.c \
	$(wildcard kmod/core/*.c)
sim_headers := $(wildcard selftests/sim/*.h selftests/lin/lin.h kmod/core/*.h)
sim_cflags := -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Ikmod/core -Iselftests/lin \
	-Iselftests/sim
sanitize_cflags := -fsanitize=address,undefined -fno-sanitize-recover=all

# What takes thousands of operations to fill takes dozens.
sim_small := -DVR_REPLICAS_MAX=7 -DVR_BODY_BYTES_MAX=128 -DVR_PIPELINE_MAX=8 -DVR_PREPARES_MAX=2 \
	-DVR_BATCH_MAX=4 -DVR_PENDING_MAX=8192 -DVR_WINDOW=4 -DVR_ENTRIES_MIN=32 \
	-DVR_CHUNK_BYTES_MAX=256 -DVR_JOURNAL_WRITE_BYTES_MAX=2048

sim_programs := $(addprefix build/selftests/sim/,sim sim-small sim-sanitized)
sim_run = build/selftests/sim/sim -j $$(nproc) --small build/selftests/sim/sim-small \
	--sanitized build/selftests/sim/sim-sanitized

TESTS_BUILD += $(sim_programs)
CHECK_TARGETS += sim

build/selftests/sim/sim: $(sim_sources) $(sim_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) -O2 -flto=auto $(sim_cflags) -o $@ $(sim_sources)

build/selftests/sim/sim-small: $(sim_sources) $(sim_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) -O2 -flto=auto $(sim_cflags) $(sim_small) -o $@ $(sim_sources)

build/selftests/sim/sim-sanitized: $(sim_sources) $(sim_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) -O1 $(sim_cflags) $(sanitize_cflags) -o $@ $(sim_sources)

# What a run must have met is asked of the standard run only: few seeds meet little.
sim_coverage = $(if $(filter 20000-1,$(SEEDS)-$(FIRST)),--coverage)

# A failing seed made small is replayed with what is left of it.
sim_limits = $(addprefix --faults ,$(FAULTS)) $(addprefix --clients ,$(CLIENTS))

sim: $(sim_programs) ## the simulator: SEEDS=n FIRST=seed TRACE=1 FAULTS=mask CLIENTS=n
	@$(sim_run) --first $(FIRST) --seeds $(SEEDS) $(if $(TRACE),--trace) \
		$(if $(FAULTS)$(CLIENTS),$(sim_limits),$(sim_coverage))

# What the simulator is worth is told by the bugs it sees.
include selftests/mutants/rules.mk

SOAK_TARGETS += sim-long

sim-long: $(sim_programs) ## the simulator on seeds nobody has run, for MINUTES=n, until a failure
	@first=$$(($$(date +%s) * 1000)); end=$$(($$(date +%s) + $(or $(MINUTES),60) * 60)); \
	while [ $$(date +%s) -lt $$end ]; do \
		$(sim_run) --first $$first --seeds 20000 || exit; \
		first=$$((first + 20000)); \
	done
