# SPDX-License-Identifier: GPL-2.0
# Three guests: the demo, which is also a stage of make check, and machines that lose their memory.

demo_kver := $(lastword $(KVER))

demo: build/$(demo_kver)/vrseq.ko build/vrseq | provision-qemu ## three virtual machines, a group, a crash: watch it work
	@python3 selftests/qemu/demo.py $(demo_kver)

demo-tap: build/$(demo_kver)/vrseq.ko build/vrseq | provision-qemu
	@echo 1..1; if python3 selftests/qemu/demo.py $(demo_kver) | sed 's/^/# /'; \
		then echo ok 1 - demo; else echo not ok 1 - demo; exit 1; fi

guests: build/$(demo_kver)/vrseq.ko build/vrseq | provision-qemu ## three virtual machines that forget, RESTARTS=n times (100)
	@python3 selftests/qemu/restart.py $(demo_kver) $(or $(RESTARTS),100)

.PHONY: demo
CHECK_TARGETS += demo-tap guests
