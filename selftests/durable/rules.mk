# SPDX-License-Identifier: GPL-2.0
# Records and journals: what is on disks, in clusters in one guest.

CHECK_TARGETS += durable

durable: modules tools tests | provision-qemu ## clusters in one guest: all power lost, records, journals, bad disks
	@selftests/lib/guests.sh durable $(KVER)
