# SPDX-License-Identifier: GPL-2.0
# The unit tests of the core as KUnit suites, on the UML kernel with KASAN.

kunit_sources := $(filter-out selftests/core/main.c,$(core_sources)) $(core_headers) Kbuild \
	$(auth_tests) kmod/auth.c kmod/segment.c $(wildcard kmod/*.h) \
	selftests/kunit/Kbuild $(wildcard selftests/kunit/*.c)
kunit_module := build/kunit/selftests/kunit/vrseq_kunit.ko

CHECK_TARGETS += kunit

$(kunit_module): $(kunit_sources) | provision-uml
	@selftests/farm.sh build/kunit $(kunit_sources)
	@echo "  KMOD     $@"
	@$(MAKE) -s -C $(shell selftests/uml/build.sh) ARCH=um \
		M=$(CURDIR)/build/kunit/selftests/kunit UBSAN_SANITIZE=y modules
	@touch $@

kunit: $(kunit_module) ## the same unit tests inside a kernel: KUnit on UML
	@selftests/uml/run.sh selftests/kunit/run.sh $(kunit_module) \
		$(words $(filter-out %_storm_test.c,$(wildcard selftests/core/*_test.c)) \
			$(auth_tests))
