// SPDX-License-Identifier: GPL-2.0
/* The module comes and goes. Whoever can be asked appears last and goes first. */
#include <linux/module.h>
#include <linux/vrseq_netlink.h>
#include <net/genetlink.h>

#include "chardev.h"
#include "group.h"
#include "journal.h"
#include "netlink.h"
#include "power.h"
#include "record.h"
#include "vmgen.h"

static int __init vrseq_init(void)
{
	int error = vrseq_udp_init();

	if (error)
		return error;
	error = vrseq_records_init();
	if (error)
		goto err_udp;
	error = vrseq_journals_init();
	if (error)
		goto err_records;
	vrseq_vmgen_init();
	error = vrseq_groups_init();
	if (error)
		goto err_vmgen;
	error = vrseq_chardev_init();
	if (error)
		goto err_groups;
	error = vrseq_netlink_init();
	if (error)
		goto err_chardev;
	error = vrseq_power_init();
	if (error)
		goto err_netlink;
	return 0;

err_netlink:
	vrseq_netlink_exit();
err_chardev:
	vrseq_chardev_exit();
err_groups:
	vrseq_groups_exit();
err_vmgen:
	vrseq_vmgen_exit();
	vrseq_journals_exit();
err_records:
	vrseq_records_exit();
err_udp:
	vrseq_udp_exit();
	return error;
}

/*
 * No file is open. The device and netlink go first: nobody can add a group then
 * or look at one, and each group has only its list's reference.
 */
static void __exit vrseq_exit(void)
{
	vrseq_power_exit();
	vrseq_netlink_exit();
	vrseq_chardev_exit();
	vrseq_groups_exit();
	vrseq_vmgen_exit();
	vrseq_journals_exit();
	vrseq_records_exit();
	vrseq_udp_exit();
}

module_init(vrseq_init);
module_exit(vrseq_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Replicated sequencer and ordered log (Viewstamped Replication)");
MODULE_ALIAS_GENL_FAMILY(VRSEQ_GENL_NAME);
