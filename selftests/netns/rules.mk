# SPDX-License-Identifier: GPL-2.0
# Clusters in the network namespaces of one guest.

TESTS_BUILD += build/selftests/member_status
CHECK_TARGETS += netns

build/selftests/member_status: selftests/netns/member_status.c selftests/lib/testlib.h \
		uapi/linux/vrseq.h | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Iuapi -o $@ $<

netns: modules tools tests | provision-qemu ## clusters in one guest: faults, forming, memory lost
	@selftests/lib/guests.sh netns $(KVER)
