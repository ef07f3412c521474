# SPDX-License-Identifier: GPL-2.0
# The checker of histories, its own test, and the programs that make histories.

lin_core := $(addprefix selftests/lin/,lin.c lin_log.c lin_file.c)
lin_headers := $(wildcard selftests/lin/*.h selftests/lib/*.h) uapi/linux/vrseq.h
lin_programs := $(addprefix build/selftests/,lin_check lin_client lin_reader lin_clock)

TESTS_BUILD += $(lin_programs) build/selftests/lin_test
CHECK_TARGETS += lin

$(lin_programs): build/selftests/%: selftests/lin/%.c $(lin_core) $(lin_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -pthread -o $@ $< $(lin_core)

lin_test_sources := $(addprefix selftests/lin/,lin_test.c lin_test_log.c) $(lin_core)

build/selftests/lin_test: $(lin_test_sources) $(lin_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -fsanitize=address,undefined \
		-fno-sanitize-recover=all -o $@ $(lin_test_sources)

lin: build/selftests/lin_test ## the checker of histories against an exhaustive search and lies
	@build/selftests/lin_test
