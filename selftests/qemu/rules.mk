# SPDX-License-Identifier: GPL-2.0
# Whole machines: the demo, and a cluster of guests that fail in every way a machine can.

demo_kver := $(lastword $(KVER))
guest_needs = build/$(1)/vrseq.ko build/vrseq $(lin_programs) build/selftests/member_status

demo: $(call guest_needs,$(demo_kver)) | provision-qemu ## three virtual machines, a group, a crash: watch it work
	@python3 selftests/qemu/demo.py $(demo_kver)

demo-tap: $(call guest_needs,$(demo_kver)) | provision-qemu
	@echo 1..1; if python3 selftests/qemu/demo.py $(demo_kver) | sed 's/^/# /'; \
		then echo ok 1 - demo; else echo not ok 1 - demo; exit 1; fi

switch: ## the switch between guests, without guests
	@python3 selftests/qemu/switch_test.py

cluster: $(call guest_needs,$(demo_kver)) | provision-qemu ## whole machines fail; TEST=kill-loop|power-loss|disk|pause|partition|... SEEDS, FIRST, KILLS, RESTARTS, LOSSES
	@python3 selftests/qemu/cluster.py $(demo_kver)

# What make check has time for.
comma := ,
space := $() $()
cluster_few := $(subst $(space),$(comma),kill_loop reloads power_loss_two power_loss_recorded \
	power_loss_journal minority nobody)

cluster-check: $(call guest_needs,$(demo_kver)) | provision-qemu
	@TEST=$(or $(TEST),$(cluster_few)) KILLS=$(or $(KILLS),4) \
		RESTARTS=$(or $(RESTARTS),15) LOSSES=$(or $(LOSSES),1) \
		python3 selftests/qemu/cluster.py $(demo_kver)

SOAK_ONCE += cluster-long
cluster-long: $(foreach kver,$(KVER),$(call guest_needs,$(kver))) | provision-qemu
	@for kver in $(KVER); do python3 selftests/qemu/cluster.py $$kver long || exit; done

.PHONY: demo cluster cluster-long
CHECK_TARGETS += switch demo-tap cluster-check
