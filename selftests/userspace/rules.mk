# SPDX-License-Identifier: GPL-2.0
# The library and the tool without a module: parsing, JSON, output, exit codes, documents.

userspace_sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
userspace_flags := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	$(userspace_sanitize) -Iuapi -Iuserspace/libvrseq -Ikmod/core
userspace_headers := $(wildcard userspace/*/*.h selftests/userspace/*.h selftests/lib/*.h \
	uapi/linux/*.h)
userspace_units := $(addprefix build/selftests/userspace_,args_test json_test show_test lib_test \
	fence_test histogram_test doctor_test)
userspace_tools := $(addprefix build/selftests/userspace_,tool played)
userspace_library := build/selftests/libvrseq_played.so

TESTS_BUILD += $(userspace_units) $(userspace_tools) $(userspace_library) build/selftests/handle
CHECK_TARGETS += userspace spec tool

# What each program is made of besides its own source.
userspace_args_test := $(addprefix userspace/vrseq/,args.c fail.c)
userspace_json_test := userspace/vrseq/json.c
userspace_show_test := $(addprefix userspace/vrseq/,show.c json.c nl.c fail.c) \
	userspace/libvrseq/vrseq.c
userspace_lib_test := $(addprefix userspace/libvrseq/,vrseq.c async.c)
userspace_histogram_test := userspace/vrseq/histogram.c
userspace_doctor_test := $(addprefix userspace/vrseq/,doctor.c doctor_group.c stats.c show.c \
	json.c nl.c args.c fail.c) userspace/libvrseq/vrseq.c
userspace_wrap_lib_test := -Wl,--wrap=open,--wrap=close,--wrap=ioctl,--wrap=read

userspace_sources := $(wildcard userspace/vrseq/*.c userspace/libvrseq/*.c) \
	kmod/core/vr_journal.c kmod/core/vr_record.c

$(userspace_units): build/selftests/userspace_%: selftests/userspace/%.c \
		$(userspace_sources) $(userspace_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(userspace_flags) $(userspace_wrap_$*) -pthread -o $@ $< $(userspace_$*) -lmnl

# The whole tool under the sanitizers, and once more with a device that a test plays.
build/selftests/userspace_tool: $(userspace_sources) $(userspace_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(userspace_flags) -pthread -o $@ $(userspace_sources) -lmnl

build/selftests/userspace_played: selftests/userspace/played.c $(userspace_sources) \
		$(userspace_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(userspace_flags) -pthread -Wl,--wrap=open,--wrap=ioctl,--wrap=read,--wrap=ppoll \
		-o $@ $< $(userspace_sources) -lmnl

# The library on the played device, for other languages: no sanitizers, which they do not load.
$(userspace_library): selftests/userspace/played.c \
		$(wildcard userspace/libvrseq/*.c) $(userspace_headers) | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -Iuapi -Iuserspace/libvrseq -fPIC -shared \
		-pthread -Wl,--wrap=open,--wrap=ioctl,--wrap=read,--wrap=ppoll \
		-o $@ $(filter %.c,$^)

userspace: tools $(userspace_units) $(userspace_tools) $(userspace_library) ## library, tool and man pages, without a module
	@status=0; for program in $(userspace_units) \
		"selftests/userspace/cli_test.sh $(userspace_tools)" \
		"selftests/userspace/docs_test.py build/selftests/userspace_tool" \
		"selftests/userspace/python_test.py $(userspace_library)" \
		selftests/userspace/install_test.sh; do \
		$$program || status=1; done; exit $$status

build/selftests/handle: selftests/userspace/handle.c build/libvrseq.a $(userspace_headers)
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) -D_GNU_SOURCE -std=gnu11 -Wall -Wextra -Wno-sign-compare \
		-Wno-unused-parameter -Iuapi -Iuserspace/libvrseq -pthread -o $@ $< build/libvrseq.a

tool: modules tools tests | provision-qemu ## the tool and the library on the module, in a guest
	@selftests/lib/guests.sh userspace $(KVER)

spec: ## the netlink specification against the header, the tool and the module
	@selftests/netlink/spec_test.py
