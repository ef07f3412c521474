# SPDX-License-Identifier: GPL-2.0
# Whoever can open the device, speak netlink or send a datagram, and means no good. SEED=n another
# course of events, SECONDS=n for each of the fuzzers, JUNK=n datagrams.

hostile_programs := $(addprefix build/selftests/,hostile_file hostile_netlink hostile_udp)
hostile_sources := $(addprefix selftests/hostile/,hostile_calls.c hostile_ioctl.c)

TESTS_BUILD += $(hostile_programs)
CHECK_TARGETS += hostile

$(hostile_programs): build/selftests/%: selftests/hostile/%.c selftests/hostile/hostile.h \
		$(hostile_sources) $(harness_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(harness_flags) -o $@ $< $(hostile_with)

build/selftests/hostile_file: private hostile_with := $(hostile_sources)
build/selftests/hostile_netlink: private hostile_with := -lmnl

hostile: modules tools tests | provision-qemu ## fuzzers of device and netlink, junk on the wire, in a guest
	@selftests/lib/guests.sh hostile $(KVER)

# Longer than a merge has time for.
SOAK_ONCE += hostile-long
hostile-long: modules tools tests | provision-qemu ## the same for SECONDS=300 each, and a million datagrams
	@SECONDS=$(or $(SECONDS),300) JUNK=$(or $(JUNK),1000000) \
		selftests/lib/guests.sh hostile $(KVER)
