# SPDX-License-Identifier: GPL-2.0
# The demo: three guests. As a stage of make check it is the one test with whole machines.

demo_kver := $(lastword $(KVER))

demo: build/$(demo_kver)/vrseq.ko build/vrseq | provision-qemu ## three virtual machines, a group, a crash: watch it work
	@python3 selftests/qemu/demo.py $(demo_kver)

demo-tap: build/$(demo_kver)/vrseq.ko build/vrseq | provision-qemu
	@echo 1..1; if python3 selftests/qemu/demo.py $(demo_kver) | sed 's/^/# /'; \
		then echo ok 1 - demo; else echo not ok 1 - demo; exit 1; fi

.PHONY: demo
CHECK_TARGETS += demo-tap
