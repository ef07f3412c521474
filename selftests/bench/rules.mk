# SPDX-License-Identifier: GPL-2.0
# What a commit costs, counted in instructions. Reported; and a few rows judged by what they cost
# when somebody last committed that.

bench_programs := $(addprefix build/selftests/,udp_echo commit_bench offered_bench twin_client \
	peer_bench etcd_failover)
bench_headers := $(wildcard selftests/bench/*.h selftests/lib/*.h kmod/core/*.h uapi/linux/*.h)
bench_cflags := -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -Ikmod/core

TESTS_BUILD += $(bench_programs) build/selftests/deliver_bench build/selftests/failover \
	build/selftests/twin build/selftests/trace_plugin.so

$(bench_programs): build/selftests/%: selftests/bench/%.c $(bench_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(bench_cflags) -o $@ $< -lm

build/selftests/deliver_bench: selftests/bench/deliver_bench.c $(bench_headers) \
		build/libvrseq.a | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(bench_cflags) -Iuserspace/libvrseq -o $@ $< build/libvrseq.a

# Of what only the benchmark installs; nobody else is to need it.
build/selftests/cpg_bench: selftests/bench/cpg_bench.c $(bench_headers) | provision-bench
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(bench_cflags) -o $@ $< $$(pkg-config --libs libcpg)

build/selftests/failover: selftests/bench/failover.c $(wildcard kmod/core/*.[ch]) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -Ikmod/core -o $@ $(filter %.c,$^)

# The core as in the module, where a belief costs nothing.
build/selftests/twin: selftests/bench/twin.c $(bench_headers) $(wildcard kmod/core/*.c) \
		| provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -DNDEBUG $(bench_cflags) -o $@ $(filter %.c,$^)

build/selftests/trace_plugin.so: selftests/bench/trace_plugin.c | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -fPIC -fvisibility=hidden -shared -o $@ $<

bench_runs := $(addprefix bench-,$(KVER))

# One guest for each kernel, all of its rows in one boot; the guests beside each other.
$(bench_runs): bench-%: modules tools tests build/selftests/cpg_bench | provision-qemu
	@selftests/qemu/guest.sh -D -n -k $* -m 2G -t 840 -o build/bench/$* \
		selftests/bench/run.sh

bench: $(bench_runs) ## instructions per operation, beside other services; failover time
	@build/selftests/failover >build/bench/failover
	@python3 selftests/bench/report.py build/bench

profile: modules tools tests build/selftests/cpg_bench | provision-qemu ## what takes them, by function; TEST=row
	@set -e; for kver in $(KVER); do \
		python3 selftests/bench/functions.py -k $$kver $(TEST); done

gate: modules tools tests | provision-qemu ## a commit costs what it did, or which functions changed (COMMIT=1: it may)
	@python3 selftests/bench/gate.py $(if $(COMMIT),--commit) $(KVER)

.PHONY: bench profile gate $(bench_runs)
CHECK_TARGETS += gate
