# SPDX-License-Identifier: GPL-2.0
# Stories told step by step. REWRITE=1 writes down how they go now; read the difference.

scenario_sources := $(wildcard selftests/scenario/*.c) \
	$(addprefix selftests/sim/,world.c node.c disk.c life.c net.c checker.c answer.c votes.c \
		model.c report.c era.c record.c fenced.c remote.c) \
	selftests/lin/lin.c selftests/lin/lin_log.c $(wildcard kmod/core/*.c)
scenario_headers := $(wildcard selftests/scenario/*.h selftests/sim/*.h selftests/lin/lin.h \
	kmod/core/*.h)
scenario_cflags := -O1 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Ikmod/core -Iselftests/lin \
	-Iselftests/sim -Iselftests/scenario -fsanitize=address,undefined -fno-sanitize-recover=all

TESTS_BUILD += build/selftests/scenario/scenario
CHECK_TARGETS += scenario

build/selftests/scenario/scenario: $(scenario_sources) $(scenario_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(scenario_cflags) -o $@ $(scenario_sources)

scenario: build/selftests/scenario/scenario ## the protocol's stories, one after the other: TEST=name
	@build/selftests/scenario/scenario $(if $(REWRITE),--rewrite) \
		$(wildcard selftests/scenario/$(if $(TEST),*$(TEST)*,*).txt)
