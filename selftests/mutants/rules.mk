# SPDX-License-Identifier: GPL-2.0
# Bugs put into the core on purpose: do the simulator and the stories see them?

mutants_sim := $(sim_sources:%.c=build/mutants/base/%.o)
mutants_story := $(scenario_sources:%.c=build/mutants/base/%.o)
mutants_cflags := -O2 $(sim_cflags) -D_GNU_SOURCE -Iselftests/scenario

CHECK_TARGETS += mutants

build/mutants/base/%.o: %.c $(sim_headers) $(scenario_headers) | provision-build
	@mkdir -p $(@D)
	@$(CC) $(mutants_cflags) -c -o $@ $<

# What the simulator is worth is told by the bugs it sees.
mutants: $(sort $(mutants_sim) $(mutants_story)) ## bugs put into the core must be seen by the tests: MUTANT=NN
	@CC="$(CC)" CFLAGS="$(mutants_cflags)" MUTANT=$(MUTANT) selftests/mutants/run.py \
		-j $$(nproc) --sim $(mutants_sim) --story $(mutants_story)
