# SPDX-License-Identifier: GPL-2.0
# Unit tests of the core, by both compilers, under the sanitizers. selftests/kunit builds the same
# sources for the kernel.

core_sources := $(wildcard selftests/core/*.c) $(wildcard kmod/core/*.c)
core_headers := $(wildcard selftests/core/*.h kmod/core/*.h) selftests/lib/vrt.h
core_cflags := -std=gnu11 -O1 -g -Wall -Wextra -Wno-missing-field-initializers \
	-fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Ikmod/core -Iselftests/lib -Iselftests/core
core_programs := $(addprefix build/selftests/core/unit-,gcc clang)

CHECK_TARGETS += unit

$(core_programs): build/selftests/core/unit-%: $(core_sources) $(core_headers) | provision-unit
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$* $(core_cflags) -o $@ $(core_sources)

unit: $(core_programs) ## unit tests of the core: gcc and clang, address and undefined behaviour sanitizers
	@selftests/core/run.sh $(core_programs)
