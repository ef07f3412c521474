# SPDX-License-Identifier: GPL-2.0
# The real module on a kernel that watches: KASAN, lock order, RCU, object lifetimes. A choice of
# the cluster tests, those that exercise locks and lifetimes most; and what needs virtual time: an
# hour of faults, delays counted. Each in a kernel of its own.

uml_tests := tokens duplicate primary_cut netns_deleted unload_under_load del_under_load \
	delays_of_three delays_of_five hand_over crash storm_of_three storm_of_five

TESTS_BUILD += build/selftests/op_times
CHECK_TARGETS += uml

build/selftests/op_times: selftests/uml/op_times.c selftests/lib/testlib.h uapi/linux/vrseq.h \
		| provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -o $@ $<

uml: build/uml/vrseq.ko tools tests ## on a UML kernel: with KASAN and lockdep; an hour of faults in virtual time
	@selftests/uml/tests.sh $(or $(TEST),$(uml_tests))
