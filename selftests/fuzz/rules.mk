# SPDX-License-Identifier: GPL-2.0
# Fuzzers of what comes from the network and from the disk, by libFuzzer. SECONDS=n for each.

fuzz_dir := build/selftests/fuzz
fuzz_targets := wire_fuzz step_fuzz auth_fuzz replay_fuzz journal_fuzz record_fuzz
fuzz_cflags := -std=gnu11 -O1 -g -Wall -Wextra -Wno-missing-field-initializers \
	-fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Ikmod/core -Iselftests/lib -Iselftests/core -Iselftests/fuzz
fuzz_headers := $(wildcard selftests/fuzz/*.h selftests/core/*.h kmod/core/*.h) \
	selftests/lib/vrt.h
fuzz_core := $(patsubst kmod/core/%.c,$(fuzz_dir)/core/%.o,$(wildcard kmod/core/*.c))

# What a target needs besides itself and the core.
fuzz_with_wire_fuzz := selftests/core/sample.c
fuzz_with_step_fuzz := selftests/core/cluster.c selftests/fuzz/forge.c
fuzz_with_auth_fuzz := kmod/auth.c kmod/segment.c selftests/auth/shim/crypto.c
fuzz_sources := $(fuzz_with_wire_fuzz) $(fuzz_with_step_fuzz) $(fuzz_with_auth_fuzz)
fuzz_flags_auth_fuzz := -Iselftests/auth/shim -Ikmod -lcrypto
fuzz_flags_replay_fuzz := -Iselftests/auth/shim -Ikmod

CHECK_TARGETS += fuzz
SOAK_TARGETS += fuzz-long

$(fuzz_core): $(fuzz_dir)/core/%.o: kmod/core/%.c $(fuzz_headers) | provision-unit
	@mkdir -p $(@D)
	@clang -fsanitize=fuzzer-no-link $(fuzz_cflags) -c -o $@ $<

$(addprefix $(fuzz_dir)/,$(fuzz_targets)): $(fuzz_dir)/%: selftests/fuzz/%.c $(fuzz_core) \
		$(fuzz_headers) $(fuzz_sources) $(wildcard kmod/*.h) | provision-unit
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@clang -fsanitize=fuzzer $(fuzz_cflags) -o $@ $< $(fuzz_with_$*) $(fuzz_core) \
		$(fuzz_flags_$*)

fuzz_programs := $(addprefix $(fuzz_dir)/,$(fuzz_targets))

fuzz: $(fuzz_programs) ## fuzzers of messages, replicas, journals and records: SECONDS=n each
	@selftests/fuzz/run.sh $(or $(SECONDS),60) $(fuzz_dir) $(fuzz_targets)

# The processors share the targets.
fuzz_rounds = (($(words $(fuzz_targets)) + $$(nproc) - 1) / $$(nproc))
fuzz-long: $(fuzz_programs) ## the same for MINUTES=n in all; what they found joins the next run
	@selftests/fuzz/run.sh $$(($(or $(MINUTES),60) * 60 / $(fuzz_rounds))) $(fuzz_dir) \
		$(fuzz_targets)

fuzz-corpus: $(fuzz_programs) ## keep in selftests/fuzz/corpus the least of all that was found
	@selftests/fuzz/merge.sh $(fuzz_dir) $(fuzz_targets)

.PHONY: fuzz-corpus
