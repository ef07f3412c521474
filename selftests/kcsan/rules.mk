# SPDX-License-Identifier: GPL-2.0
# The module on two processors of a kernel that looks for data races.

SOAK_ONCE += kcsan

kcsan_tests := planted_race tokens logs primary_cut restarts_under_load key_rotation client_serves \
	journal_alone kill_clients unload_under_load del_under_load ring uring crowd \
	file_of_three netlink_anything junk

build/kcsan/vrseq.ko: $(module_sources) | provision-kcsan
	@selftests/farm.sh build/kcsan $(module_sources)
	@echo "  KMOD     $@"
	@$(MAKE) -s -C $(shell selftests/kcsan/build.sh)/build ARCH=x86 \
		M=$(CURDIR)/build/kcsan modules
	@touch $@

# What the kernel is to see.
build/kcsan-planted/planted.ko: selftests/kcsan/planted.c | provision-kcsan
	@selftests/farm.sh build/kcsan-planted $<
	@echo "  KMOD     $@"
	@echo 'obj-m := planted.o' >build/kcsan-planted/Kbuild
	@ln -sf selftests/kcsan/planted.c build/kcsan-planted/planted.c
	@$(MAKE) -s -C $(shell selftests/kcsan/build.sh)/build ARCH=x86 \
		M=$(CURDIR)/build/kcsan-planted modules
	@touch $@

kcsan: build/kcsan/vrseq.ko build/kcsan-planted/planted.ko tools tests | provision-qemu ## on a kernel that looks for data races (KCSAN): TEST=name
	@SECONDS=$(or $(SECONDS),30) selftests/kcsan/tests.sh $(or $(TEST),$(kcsan_tests))
