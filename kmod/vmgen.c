// SPDX-License-Identifier: GPL-2.0
/*
 * The generation id of a virtual machine (Microsoft's "Virtual Machine
 * Generation ID", ACPI VM_Gen_Counter). The kernel has a driver for it, which
 * keeps it for itself and tells of a change when its work queue gets to it; a
 * datagram may be there first, and be answered out of an old memory. So we look
 * at the bytes themselves.
 */
#include "vmgen.h"

#include <linux/acpi.h>
#include <linux/align.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/io.h>

#ifdef CONFIG_X86
#include <asm/cpufeature.h>
#endif

#define ID_BYTES	16

struct vrseq_vmgen vrseq_vmgen;

#ifdef CONFIG_ACPI
/* ADDR of the device gives the two halves of a physical address. */
static void __init map_id(acpi_handle handle)
{
	struct acpi_buffer buffer = { ACPI_ALLOCATE_BUFFER };
	const union acpi_object *addr;
	phys_addr_t where;
	void *id;

	if (ACPI_FAILURE(acpi_evaluate_object(handle, "ADDR", NULL, &buffer)))
		return;
	addr = buffer.pointer;
	if (addr && addr->type == ACPI_TYPE_PACKAGE && addr->package.count == 2 &&
	    addr->package.elements[0].type == ACPI_TYPE_INTEGER &&
	    addr->package.elements[1].type == ACPI_TYPE_INTEGER) {
		where = addr->package.elements[0].integer.value |
			(phys_addr_t)addr->package.elements[1].integer.value << 32;
		id = IS_ALIGNED(where, 8) ? memremap(where, ID_BYTES, MEMREMAP_WB) : NULL;
		vrseq_vmgen.id = id;
	}
	ACPI_FREE(buffer.pointer);
}

static acpi_status __init find_id(acpi_handle handle, u32 level, void *context, void **result)
{
	map_id(handle);
	return vrseq_vmgen.id ? AE_CTRL_TERMINATE : AE_OK;
}

static void __init find(void)
{
	/* Of the hardware, and of the "compatible" id all hypervisors give it. */
	static const char * const names[] = { "VM_Gen_Counter", "VM_GEN_COUNTER", "VMGENCTR" };
	int i;

	for (i = 0; i < ARRAY_SIZE(names) && !vrseq_vmgen.id && !acpi_disabled; i++)
		acpi_get_devices(names[i], find_id, NULL, NULL);
}

static void forget(void)
{
	memunmap((void *)vrseq_vmgen.id);
}
#else
/* Nor need there be I/O memory to map: UML has none. */
static inline void find(void)
{
}

static inline void forget(void)
{
}
#endif

/* Memory of a machine of its own, or of a process, is what it was. */
static bool __init is_virtual(void)
{
#ifdef CONFIG_X86
	return boot_cpu_has(X86_FEATURE_HYPERVISOR);
#else
	return !IS_ENABLED(CONFIG_UML);
#endif
}

/** vrseq_vmgen_init - find out what this machine would be told */
void __init vrseq_vmgen_init(void)
{
	find();
	vrseq_vmgen.doubtful = !vrseq_vmgen.id && is_virtual();
}

/** vrseq_vmgen_exit - nobody asks any more */
void vrseq_vmgen_exit(void)
{
	forget();
}
