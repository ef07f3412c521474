# SPDX-License-Identifier: GPL-2.0
# Files, namespaces, groups and the module come and go under load, in a guest of two processors
# whose freed memory is poisoned.

lifetime_programs := $(addprefix build/selftests/,hold killed)

TESTS_BUILD += $(lifetime_programs)
CHECK_TARGETS += lifetime

$(lifetime_programs): build/selftests/%: selftests/lifetime/%.c $(harness_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(harness_flags) -o $@ $<

lifetime: modules tools tests | provision-qemu ## files, namespaces, groups, module come and go under load
	@selftests/lib/guests.sh lifetime $(KVER)
