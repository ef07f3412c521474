# SPDX-License-Identifier: GPL-2.0
# Keys, sessions and parts of messages, in userspace with OpenSSL's crypto in place of the
# kernel's; selftests/kunit runs the same bodies on the kernel's own.

auth_tests := $(wildcard selftests/auth/*_test.c)
auth_sources := $(auth_tests) selftests/auth/shim/crypto.c selftests/core/main.c \
	kmod/auth.c kmod/segment.c
auth_headers := $(wildcard selftests/auth/shim/*/*.h kmod/*.h kmod/core/*.h) selftests/lib/vrt.h
auth_cflags := $(filter-out -I%,$(core_cflags)) -Iselftests/auth/shim -Ikmod -Ikmod/core \
	-Iselftests/lib
auth_programs := $(addprefix build/selftests/auth/auth-,gcc clang)

CHECK_TARGETS += auth

$(auth_programs): build/selftests/auth/auth-%: $(auth_sources) $(auth_headers) | provision-unit
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$* $(auth_cflags) -o $@ $(auth_sources) -lcrypto

auth: $(auth_programs) ## keys, sessions, parts of messages: gcc and clang, sanitizers
	@selftests/core/run.sh $(auth_programs)
