# SPDX-License-Identifier: GPL-2.0
# What a commit costs, counted in instructions, and by the clock. Reported; and a few rows of the
# former judged by what they cost when somebody last committed that.

bench_programs := $(addprefix build/selftests/,udp_echo commit_bench offered_bench twin_client \
	peer_bench etcd_failover native_bench)
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

build/uml-native/vrseq.ko: $(module_sources) | provision-uml-native
	@selftests/farm.sh build/uml-native $(module_sources)
	@echo "  KMOD     $@"
	@$(MAKE) -s -C $(shell selftests/uml/build.sh native) ARCH=um \
		M=$(CURDIR)/build/uml-native modules
	@touch $@

native_sources := selftests/bench/native_loop.c selftests/bench/native.h uapi/linux/vrseq.h

build/native_loop/native_loop.ko: $(native_sources) | provision-uml-native
	@selftests/farm.sh build/native_loop $(native_sources)
	@echo "  KMOD     $@"
	@printf '%s\n' 'obj-m := native_loop.o' 'native_loop-y := selftests/bench/native_loop.o' \
		'ccflags-y := -I$$(src)/uapi' >build/native_loop/Kbuild
	@$(MAKE) -s -C $(shell selftests/uml/build.sh native) ARCH=um \
		M=$(CURDIR)/build/native_loop W=1 modules
	@touch $@

native_builds := build/uml-native/vrseq.ko build/native_loop/native_loop.ko build/vrseq \
	build/selftests/native_bench build/selftests/member_status
native_run = selftests/uml/run.sh --native -o build/bench/native selftests/bench/native.sh

native: $(native_builds) ## ns per commit by the clock, on a UML kernel that watches nothing
	@$(native_run)
	@python3 selftests/bench/report.py --native build/bench

# By the clock is last, when nothing else runs; what it needs is built before guests count seconds.
$(bench_runs): | $(native_builds)
bench: $(bench_runs) ## instructions per operation, beside other services; ns; failover time
	@build/selftests/failover >build/bench/failover
	@$(native_run)
	@python3 selftests/bench/report.py build/bench

profile: modules tools tests build/selftests/cpg_bench | provision-qemu ## what takes them, by function; TEST=row
	@set -e; for kver in $(KVER); do \
		python3 selftests/bench/functions.py -k $$kver $(TEST); done

gate: modules tools tests | provision-qemu ## a commit costs what it did, or which functions changed (COMMIT=1: it may)
	@python3 selftests/bench/gate.py $(if $(COMMIT),--commit) $(KVER)

.PHONY: bench native profile gate $(bench_runs)
CHECK_TARGETS += gate
