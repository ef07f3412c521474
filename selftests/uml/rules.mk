# SPDX-License-Identifier: GPL-2.0
# The real module on a kernel that watches: KASAN, lock order, RCU, object lifetimes. A choice of
# the cluster tests, those that exercise locks and lifetimes most; and what needs virtual time: an
# hour of faults, delays counted. Each in a kernel of its own.

uml_tests := tokens loss primary_cut
uml_lifetime_tests := netns_deleted unload_under_load del_under_load
uml_time_tests := delays_of_three delays_of_five hand_over crash storm_of_three storm_of_five

TESTS_BUILD += build/selftests/op_times
CHECK_TARGETS += uml

build/selftests/op_times: selftests/uml/op_times.c selftests/lib/testlib.h uapi/linux/vrseq.h \
		| provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -o $@ $<

uml: build/uml/vrseq.ko tools tests ## on a UML kernel: with KASAN and lockdep; an hour of faults in virtual time
	@status=0; for test in $(or $(TEST),$(uml_tests) $(uml_lifetime_tests) $(uml_time_tests)); do \
		case " $(uml_time_tests) : $(uml_lifetime_tests) " in \
		*" $$test "*:*) set -- --time-travel -t $$((1200 * $(or $(SEEDS),1))) \
			selftests/uml/virtual.sh ;; \
		*" $$test "*) set -- selftests/lifetime/run.sh ;; \
		*) set -- selftests/netns/run.sh ;; \
		esac; \
		TEST=$$test selftests/uml/run.sh "$$@" || status=1; \
	done; exit $$status
