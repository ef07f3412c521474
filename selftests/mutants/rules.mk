# SPDX-License-Identifier: GPL-2.0
# Bugs put into the core on purpose: does the simulator see them?

mutants_base := $(sim_sources:%.c=build/mutants/base/%.o)
mutants_cflags := -O2 $(sim_cflags)

CHECK_TARGETS += mutants

build/mutants/base/%.o: %.c $(sim_headers) | provision-build
	@mkdir -p $(@D)
	@$(CC) $(mutants_cflags) -c -o $@ $<

mutants: $(mutants_base) ## bugs put into the core must be seen by the simulator: MUTANT=NN
	@CC="$(CC)" CFLAGS="$(mutants_cflags)" MUTANT=$(MUTANT) selftests/mutants/run.py \
		-j $$(nproc) $(mutants_base)
