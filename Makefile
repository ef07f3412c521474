# SPDX-License-Identifier: GPL-2.0
# The front door: builds everything under build/, runs every check. Installs what it needs itself
# (Debian 12, as root). The module's own object list is in Kbuild.

KVER ?= 6.1 6.12
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
MAKEFLAGS += --no-print-directory -j$(shell nproc)
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

help: ## this list
	@echo "vrseq $(VERSION): a replicated sequencer and log in the Linux kernel"
	@echo
	@echo "  make demo     three virtual machines, a group, a crash: the whole story in minutes"
	@echo "  make check    everything a merge needs; ends with 'N passed, N failed, N skipped'"
	@echo
	@sed -n 's/^\([a-z.-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | \
		awk -F '\t' '{ printf "  %-12s  %s\n", $$1, $$2 }'
	@echo
	@echo "  KVER=6.1|6.12 (one kernel only)  TEST=name  SEEDS=n FIRST=seed  SECONDS=n  HOURS=n"

all: modules tools tests ## both kernels' modules, library, tool, tests (the default)

# What a target needs from the distribution; quick when it is there.
provision-%:
	@selftests/provision.sh $*

# --- the module, once per kernel, in a farm of links so that no object is shared ---

module_sources := Kbuild $(wildcard kmod/*.[ch] kmod/core/*.[ch] uapi/linux/*.h)

modules: $(KVER:%=build/%/vrseq.ko) ## the module alone

build/6.1/vrseq.ko build/6.12/vrseq.ko: build/%/vrseq.ko: $(module_sources) | provision-build
	@selftests/farm.sh build/$* $(module_sources)
	@echo "  KMOD     $@"
	@$(MAKE) -s -C $(shell . selftests/rig.sh && rig_headers $*) M=$(CURDIR)/build/$* W=1 \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules
	@touch $@

build/uml/vrseq.ko: $(module_sources) | provision-uml
	@selftests/farm.sh build/uml $(module_sources)
	@echo "  KMOD     $@"
	@$(MAKE) -s -C $(shell selftests/uml/build.sh) ARCH=um M=$(CURDIR)/build/uml \
		UBSAN_SANITIZE=y modules
	@touch $@

# --- library and tool ---

CC ?= gcc
CFLAGS ?= -O2 -g
user_cflags := -std=gnu11 -Wall -Wextra -Iuapi -Iuserspace/libvrseq -Ikmod/core -MMD -MP
lib_objects := $(patsubst %.c,build/%.o,$(wildcard userspace/libvrseq/*.c))
# The tool reads journals and records with the core's own eyes.
tool_core := kmod/core/vr_journal.c kmod/core/vr_record.c
tool_objects := $(patsubst %.c,build/%.o,$(wildcard userspace/vrseq/*.c) $(tool_core))

tools: build/vrseq build/libvrseq.so build/libvrseq.a ## the library and the vrseq tool

build/userspace/libvrseq/%.o: user_cflags += -fPIC -fvisibility=hidden
build/userspace/%.o: userspace/%.c | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(user_cflags) -c -o $@ $<

$(tool_core:%.c=build/%.o): build/%.o: %.c | provision-build
	@mkdir -p $(@D)
	@echo "  CC       $@"
	@$(CC) $(CFLAGS) $(user_cflags) -c -o $@ $<

build/libvrseq.a: $(lib_objects)
	@echo "  AR       $@"
	@rm -f $@ && $(AR) rcs $@ $^

build/libvrseq.so.0: $(lib_objects) userspace/libvrseq/libvrseq.map
	@echo "  LD       $@"
	@$(CC) $(CFLAGS) -shared -Wl,-soname,libvrseq.so.0 -Wl,-z,defs \
		-Wl,--version-script=userspace/libvrseq/libvrseq.map -o $@ $(lib_objects)

build/libvrseq.so: build/libvrseq.so.0
	@ln -sf libvrseq.so.0 $@

build/vrseq: $(tool_objects) build/libvrseq.a
	@echo "  LD       $@"
	@$(CC) $(CFLAGS) -pthread -o $@ $^ -lmnl

-include $(lib_objects:.o=.d) $(tool_objects:.o=.d)

# --- tests ---
# A part of the tests is a directory of selftests/ with a rules.mk, which may
#	TESTS_BUILD   += files under build/selftests/ that `make` builds
#	CHECK_TARGETS += phony targets that `make check` runs, in this order, one stage each
#	SOAK_TARGETS  += phony targets that go on for MINUTES=n, or until a failure
#	SOAK_ONCE     += phony targets that take long, and end by themselves
# and defines them. A stage prints TAP on stdout, its plan included, and fails if a test did. A part
# that does not exist has no target: nothing here passes by being absent.

TESTS_BUILD :=
CHECK_TARGETS :=
SOAK_TARGETS :=
SOAK_ONCE :=
-include $(wildcard $(patsubst %,selftests/%/rules.mk, \
	tidy core auth userspace scenario sim explore coverage fuzz lin kunit chardev netlink \
	lifetime hostile uml kcsan netns durable mpi qemu bench))

tests: $(TESTS_BUILD) ## the test programs alone

# What `make` builds, as a stage of check.
build-tap:
	@$(MAKE) all
	@printf '1..1\nok 1 - everything builds\n'

check: | provision-build ## everything a merge needs
	@selftests/tally --beside uml build-tap $(CHECK_TARGETS)

soak_minutes = $$(($(or $(HOURS),1) * 60 / $(words $(SOAK_TARGETS))))
soak: | provision-build ## what takes long, once; then what nobody has run, for HOURS=n or until a failure
	@selftests/tally $(SOAK_ONCE)
	@for target in $(SOAK_TARGETS); do \
		$(MAKE) --no-print-directory $$target MINUTES=$(soak_minutes) || exit; \
	done

# --- install ---

PREFIX ?= /usr/local
source_dir := $(DESTDIR)/usr/src/vrseq-$(VERSION)
put = install -D -m 644 -t $(DESTDIR)$(PREFIX)/$(1) $(2)

install: tools $(if $(DESTDIR),,| provision-dkms) ## module by DKMS, library, tool, manual pages, udev rule (PREFIX=, DESTDIR=)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin build/vrseq
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/lib build/libvrseq.so.0
	ln -sf libvrseq.so.0 $(DESTDIR)$(PREFIX)/lib/libvrseq.so
	$(call put,lib,build/libvrseq.a)
	$(call put,include,$(wildcard userspace/libvrseq/vrseq*.h))
	$(call put,include/linux,$(wildcard uapi/linux/*.h))
	$(call put,share/doc/vrseq/python,$(wildcard userspace/python/*.*))
	$(call put,share/doc/vrseq/python/vrseq,userspace/python/vrseq/__init__.py)
	$(call put,share/doc/vrseq/mpi,$(wildcard userspace/examples/mpi/*))
	$(call put,share/man/man3,$(wildcard userspace/man/*.3))
	$(call put,share/man/man4,$(wildcard userspace/man/*.4))
	$(call put,share/man/man7,$(wildcard userspace/man/*.7))
	$(call put,share/man/man8,$(wildcard userspace/man/*.8))
	$(call put,share/bash-completion/completions,userspace/completion/vrseq.bash)
	$(call put,lib/udev/rules.d,$(wildcard userspace/udev/*.rules))
	$(call put,lib/sysusers.d,$(wildcard userspace/sysusers/*.conf))
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	sed -e 's,@prefix@,$(PREFIX),; s,@version@,$(VERSION),; s,@libdir@,$(PREFIX)/lib,' \
		-e 's,@includedir@,$(PREFIX)/include,' userspace/libvrseq/vrseq.pc.in \
		>$(DESTDIR)$(PREFIX)/lib/pkgconfig/vrseq.pc
	rm -rf $(source_dir)
	for file in $(module_sources) dkms.conf COPYING; do \
		install -D -m 644 $$file $(source_dir)/$$file || exit; done
ifeq ($(DESTDIR),)
	ldconfig
	systemd-sysusers 2>/dev/null || groupadd -f --system vrseq
	-dkms remove vrseq/$(VERSION) --all >/dev/null 2>&1
	dkms add vrseq/$(VERSION)
	for build in /lib/modules/*/build; do \
		release=$${build#/lib/modules/}; \
		dkms install vrseq/$(VERSION) -k $${release%/build} || exit; done
endif

# --- the rest ---

clean: ## remove build/ (the cache of kernels stays: /var/cache/vrseq)
	rm -rf build

.PHONY: help all modules tools tests build-tap check soak install clean $(CHECK_TARGETS) \
	$(SOAK_ONCE) $(SOAK_TARGETS)
