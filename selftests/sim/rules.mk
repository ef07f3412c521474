# SPDX-License-Identifier: GPL-2.0
# The simulator: plain, and with the sanitizers for some seeds.

SEEDS ?= 20000
FIRST ?= 1

sim_sources := $(wildcard selftests/sim/*.c) selftests/lin/lin.c selftests/lin/lin_log.c \
	$(wildcard kmod/core/*.c)
sim_headers := $(wildcard selftests/sim/*.h selftests/lin/lin.h kmod/core/*.h)
sim_cflags := -std=gnu11 -g -Wall -Wextra -Ikmod/core -Iselftests/lin -Iselftests/sim
sanitize_cflags := -fsanitize=address,undefined -fno-sanitize-recover=all

TESTS_BUILD += build/selftests/sim/sim build/selftests/sim/sim-sanitized
CHECK_TARGETS += sim

build/selftests/sim/sim: $(sim_sources) $(sim_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) -O2 $(sim_cflags) -o $@ $(sim_sources)

build/selftests/sim/sim-sanitized: $(sim_sources) $(sim_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) -O1 $(sim_cflags) $(sanitize_cflags) -o $@ $(sim_sources)

# What a run must have met is asked of the standard run only: few seeds meet little.
sim_coverage = $(if $(filter 20000-1,$(SEEDS)-$(FIRST)),--coverage)

# A failing seed made small is replayed with what is left of it.
sim_limits = $(addprefix --faults ,$(FAULTS)) $(addprefix --clients ,$(CLIENTS))

sim: build/selftests/sim/sim build/selftests/sim/sim-sanitized ## the simulator: SEEDS=n FIRST=seed TRACE=1 FAULTS=mask CLIENTS=n
	@build/selftests/sim/sim --first $(FIRST) --seeds $(SEEDS) -j $$(nproc) \
		--sanitized build/selftests/sim/sim-sanitized $(if $(TRACE),--trace) \
		$(if $(FAULTS)$(CLIENTS),$(sim_limits),$(sim_coverage))

# What the simulator is worth is told by the bugs it sees.
include selftests/mutants/rules.mk

soak: build/selftests/sim/sim build/selftests/sim/sim-sanitized ## the simulator on seeds nobody has run, for HOURS=n, until a failure
	@first=$$(($$(date +%s) * 1000)); end=$$(($$(date +%s) + $(or $(HOURS),1) * 3600)); \
	while [ $$(date +%s) -lt $$end ]; do \
		build/selftests/sim/sim --first $$first --seeds 20000 -j $$(nproc) \
			--sanitized build/selftests/sim/sim-sanitized || exit; \
		first=$$((first + 20000)); \
	done

.PHONY: soak
