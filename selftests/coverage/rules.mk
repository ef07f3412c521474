# SPDX-License-Identifier: GPL-2.0
# Which lines and branches of the core do its own tests reach? Unit tests, stories and some seeds of
# the simulator are linked once more, with the core instrumented by clang.

coverage_dir := build/selftests/coverage
coverage_seeds := 600
coverage_core := $(patsubst kmod/core/%.c,$(coverage_dir)/core/%.o,$(wildcard kmod/core/*.c))
coverage_cflags := -std=gnu11 -O1 -g -D_GNU_SOURCE -Wno-missing-field-initializers -Ikmod/core \
	-Iselftests/lib -Iselftests/lin -Iselftests/sim -Iselftests/core -Iselftests/scenario
coverage_map := -fprofile-instr-generate -fcoverage-mapping

# Each with the core taken out of its sources, to be linked with the instrumented one.
coverage_programs := $(addprefix $(coverage_dir)/,unit scenario sim)
coverage_unit := $(filter-out kmod/core/%,$(core_sources))
coverage_scenario := $(filter-out kmod/core/%,$(scenario_sources))
coverage_sim := $(filter-out kmod/core/%,$(sim_sources))

CHECK_TARGETS += coverage

$(coverage_core): $(coverage_dir)/core/%.o: kmod/core/%.c $(wildcard kmod/core/*.h) | provision-unit
	@mkdir -p $(@D)
	@clang $(coverage_cflags) $(coverage_map) -c -o $@ $<

$(coverage_dir)/unit: $(coverage_unit) $(core_headers)
$(coverage_dir)/scenario: $(coverage_scenario) $(scenario_headers)
$(coverage_dir)/sim: $(coverage_sim) $(sim_headers)
$(coverage_programs): $(coverage_dir)/%: $(coverage_core)
	@echo "  CC       $@"
	@clang $(coverage_cflags) -fprofile-instr-generate -o $@ $(coverage_$*) $(coverage_core)

coverage: $(coverage_programs) ## lines and branches of the core that its tests reach
	@selftests/coverage/coverage.py --seeds $(coverage_seeds) $(coverage_dir)
