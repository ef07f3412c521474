# SPDX-License-Identifier: GPL-2.0
# The real module on a kernel that watches: KASAN, lock order, RCU, object lifetimes. A choice of
# the cluster tests, those that exercise locks and lifetimes most; each in a kernel of its own.

uml_tests := tokens loss primary_cut netns_deleted unload_under_load del_under_load

CHECK_TARGETS += uml

uml: build/uml/vrseq.ko tools tests ## cluster tests on a UML kernel with KASAN and lockdep
	@status=0; for test in $(or $(TEST),$(uml_tests)); do \
		TEST=$$test selftests/uml/run.sh selftests/netns/run.sh || status=1; \
	done; exit $$status
