# SPDX-License-Identifier: GPL-2.0
# What a commit costs, counted in instructions. Reported, not judged: no part of check.

bench_programs := $(addprefix build/selftests/,udp_echo commit_bench)

TESTS_BUILD += $(bench_programs) build/selftests/deliver_bench build/selftests/failover \
	build/selftests/trace_plugin.so

$(bench_programs): build/selftests/%: selftests/bench/%.c selftests/bench/bench.h \
		selftests/lib/testlib.h uapi/linux/vrseq.h | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -o $@ $<

build/selftests/deliver_bench: selftests/bench/deliver_bench.c selftests/bench/bench.h \
		$(wildcard selftests/lib/*.h) uapi/linux/vrseq.h build/libvrseq.a | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -Iuserspace/libvrseq \
		-o $@ $< build/libvrseq.a

build/selftests/failover: selftests/bench/failover.c $(wildcard kmod/core/*.[ch]) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -Ikmod/core -o $@ $(filter %.c,$^)

build/selftests/trace_plugin.so: selftests/bench/trace_plugin.c | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -fPIC -fvisibility=hidden -shared -o $@ $<

profile: modules tools tests | provision-qemu ## where they go, function by function; TEST=row, as in selftests/bench/run.sh
	@set -e; for kver in $(KVER); do \
		python3 selftests/bench/functions.py -k $$kver $(TEST); done

bench: modules tools tests | provision-qemu ## instructions per commit beside a UDP echo; failover time
	@build/selftests/failover
	@set -e; for kver in $(KVER); do \
		selftests/qemu/guest.sh -D -n -k $$kver -t 600 selftests/bench/run.sh; done

.PHONY: bench profile
