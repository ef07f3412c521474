# SPDX-License-Identifier: GPL-2.0
# The MPI example, run. Not of TESTS_BUILD: who only builds needs no MPI.

CHECK_TARGETS += mpi

build/selftests/deal: userspace/examples/mpi/deal.c build/libvrseq.a $(wildcard uapi/linux/*.h) \
		userspace/libvrseq/vrseq.h | provision-mpi
	@mkdir -p $(@D)
	@echo "  MPICC    $@"
	@mpicc $(CFLAGS) -std=gnu11 -Wall -Wextra -Iuapi -Iuserspace/libvrseq -o $@ $< \
		build/libvrseq.a

mpi: modules tools tests build/selftests/deal | provision-qemu ## an MPI job whose ranks draw work items, in a guest
	@selftests/lib/guests.sh mpi $(KVER)
