# SPDX-License-Identifier: GPL-2.0
# Files, namespaces, groups and the module come and go under load, in a guest of two processors
# whose freed memory is poisoned.

CHECK_TARGETS += lifetime

lifetime: modules tools tests | provision-qemu ## files, namespaces, groups, module come and go under load
	@selftests/lib/guests.sh lifetime $(KVER)
