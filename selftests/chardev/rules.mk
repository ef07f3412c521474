# SPDX-License-Identifier: GPL-2.0
# The interface: device, netlink family, headers. One guest of each kernel runs all of it.

chardev_programs := $(addprefix build/selftests/,abi file log limits slow lease settle crowd \
	broken ring uring uring_cut rights bytes)
harness_flags := -std=gnu11 -Wall -Wextra -Wno-sign-compare -Wno-unused-parameter \
	-Wno-override-init -Wno-nonnull -D_GNU_SOURCE -Iuapi
harness_headers := $(wildcard selftests/lib/*.h selftests/chardev/*.h uapi/linux/*.h)

TESTS_BUILD += $(chardev_programs) build/selftests/netlink build/selftests/forge
CHECK_TARGETS += header chardev

$(chardev_programs): build/selftests/%: selftests/chardev/%.c $(harness_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(harness_flags) -pthread -o $@ $< $(libraries)

# The ring is read with the library.
build/selftests/ring: build/libvrseq.a
build/selftests/ring: private libraries := build/libvrseq.a
build/selftests/ring: private CFLAGS += -Iuserspace/libvrseq

build/selftests/netlink: selftests/netlink/netlink.c $(harness_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(harness_flags) -o $@ $< -lmnl

# The forger speaks with the core's own tongue.
forge_sources := $(addprefix kmod/core/,vr_wire.c vr_wire_client.c vr_message.c)

build/selftests/forge: selftests/chardev/forge.c $(forge_sources) $(wildcard kmod/core/*.h) \
		kmod/envelope.h selftests/lib/testlib.h | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -D_GNU_SOURCE -Ikmod/core \
		-o $@ $< $(forge_sources)

header: | provision-unit ## the interface headers as C and C++, for 64 and 32 bits
	@selftests/chardev/header.sh

chardev: modules tools tests | provision-qemu ## device and netlink in a guest, every errno provoked
	@selftests/lib/guests.sh chardev $(KVER)
