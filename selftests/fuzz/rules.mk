# SPDX-License-Identifier: GPL-2.0
# Fuzzers of the wire format, of the step function, of the journal and of what opens datagrams, by
# libFuzzer. SECONDS=n for each.

fuzz_dir := build/selftests/fuzz
fuzz_targets := wire_fuzz step_fuzz journal_fuzz auth_fuzz
fuzz_cflags := -std=gnu11 -O1 -g -Wall -Wextra -Wno-missing-field-initializers \
	-fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Ikmod/core -Iselftests/lib -Iselftests/core -Iselftests/fuzz
fuzz_core := $(wildcard kmod/core/*.c)
fuzz_headers := $(wildcard selftests/fuzz/*.h selftests/core/*.h kmod/core/*.h) \
	selftests/lib/vrt.h

fuzz_with_wire_fuzz := selftests/core/sample.c
fuzz_with_step_fuzz := selftests/core/cluster.c
fuzz_with_auth_fuzz := -Iselftests/auth/shim -Ikmod kmod/auth.c kmod/segment.c \
	selftests/auth/shim/crypto.c -lcrypto

CHECK_TARGETS += fuzz

$(addprefix $(fuzz_dir)/,$(fuzz_targets)): $(fuzz_dir)/%: selftests/fuzz/%.c $(fuzz_core) \
		$(fuzz_headers) selftests/core/sample.c selftests/core/cluster.c \
		kmod/auth.c kmod/segment.c selftests/auth/shim/crypto.c | provision-unit
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@clang -fsanitize=fuzzer $(fuzz_cflags) -o $@ $< $(fuzz_with_$*) $(fuzz_core)

$(fuzz_dir)/seeds/complete: selftests/fuzz/seeds.c selftests/core/sample.c $(fuzz_core) \
		$(fuzz_headers) | provision-unit
	@mkdir -p $(addprefix $(@D)/,$(fuzz_targets))
	@clang $(fuzz_cflags) -o $(fuzz_dir)/make_seeds $< selftests/core/sample.c $(fuzz_core)
	@$(fuzz_dir)/make_seeds $(addprefix $(@D)/,$(fuzz_targets))
	@touch $@

fuzz: $(addprefix $(fuzz_dir)/,$(fuzz_targets)) $(fuzz_dir)/seeds/complete ## fuzzers of wire format and replicas: SECONDS=n each
	@selftests/fuzz/run.sh $(or $(SECONDS),10) $(fuzz_dir) $(fuzz_targets)
