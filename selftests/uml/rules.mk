# SPDX-License-Identifier: GPL-2.0
# The real module on a kernel that watches: KASAN, UBSAN, lock order, RCU, object lifetimes, sleep,
# leaks. A choice of the cluster tests, those that exercise locks and lifetimes most; memory that is
# lost or not there; and what needs virtual time: an hour of faults, delays counted. Each in a
# kernel of its own.

uml_tests := tokens duplicate primary_cut netns_deleted unload_under_load del_under_load \
	planted_faults load_unload fail_load fail_calls starved \
	delays_of_three delays_of_five hand_over crash storm_of_three storm_of_five

TESTS_BUILD += build/selftests/op_times build/selftests/fail_nth
CHECK_TARGETS += uml

build/selftests/op_times: selftests/uml/op_times.c selftests/lib/testlib.h uapi/linux/vrseq.h \
		| provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -o $@ $<

fail_nth_sources := selftests/uml/fail_nth.c selftests/uml/fail_netlink.c

build/selftests/fail_nth: $(fail_nth_sources) selftests/uml/fail_nth.h selftests/lib/uring.h \
		selftests/lib/testlib.h selftests/chardev/dev.h $(wildcard uapi/linux/*.h) \
		| provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(harness_flags) -o $@ $(fail_nth_sources) -lmnl

# What the kernel is to see.
build/planted/planted.ko: selftests/uml/planted.c | provision-uml
	@selftests/farm.sh build/planted $<
	@echo "  KMOD     $@"
	@echo 'obj-m := planted.o' >build/planted/Kbuild
	@ln -sf selftests/uml/planted.c build/planted/planted.c
	@$(MAKE) -s -C $(shell selftests/uml/build.sh) ARCH=um M=$(CURDIR)/build/planted \
		UBSAN_SANITIZE=y modules
	@touch $@

uml: build/uml/vrseq.ko build/planted/planted.ko tools tests ## on a UML kernel: with KASAN and lockdep; an hour of faults in virtual time
	@selftests/uml/tests.sh $(or $(TEST),$(uml_tests))

# All the guests run, which a merge has no time for. Fuzzers get little done in a second.
SOAK_ONCE += uml-suite
uml_parts := chardev lifetime netns durable hostile

uml-suite: build/uml/vrseq.ko tools tests ## the functional suite and fuzzers on the UML kernel (PART=name)
	@SECONDS=$(or $(SECONDS),30) selftests/uml/suite.sh $(or $(PART),$(uml_parts))
