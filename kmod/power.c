// SPDX-License-Identifier: GPL-2.0
/*
 * The machine goes down, falls asleep, wakes up, is put back: all groups are
 * told. Knows when that is, and not what they do about it.
 */
#include "power.h"

#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "group.h"

/*
 * Restart, halt, power off, and nothing else: networks are still up. Nothing is torn
 * down: the machine ends with all that is in it, and who depended on this member has
 * been given another primary, within a second for all groups together, or waits for
 * its timeout as after a crash.
 */
static int going_down(struct notifier_block *block, unsigned long action, void *data)
{
	vrseq_groups_hand_over();
	return NOTIFY_DONE;
}

/*
 * A primary that sleeps is a primary that is missed. Memory that was on a disk
 * meanwhile may be an image of any age, so nobody's promises are in it for
 * certain; memory that stayed where it was is as good as before, and the clock
 * of the protocol counts the time asleep.
 *
 * Nothing can be lost on the way: the kernel calls this before it freezes anybody,
 * so who takes over can still be heard, and waits for our return, a second at most
 * for all groups together. Whoever waits for an operation is frozen in it and goes
 * on with it afterwards: a session lasts as long as its file.
 */
static int sleeping(struct notifier_block *block, unsigned long action, void *data)
{
	switch (action) {
	case PM_HIBERNATION_PREPARE:
	case PM_SUSPEND_PREPARE:
		vrseq_groups_hand_over();
		break;
	case PM_POST_HIBERNATION:
		vrseq_groups_demote(VRSEQ_STAT_DEMOTED_SLEEP);
		break;
	}
	return NOTIFY_DONE;
}

/*
 * Rolled back, or one of several that were one machine. Whoever steps sees it
 * for himself, see vmgen.h; this is for those who had nothing to do, and if the
 * kernel found an id that we did not.
 */
static int forked(struct notifier_block *block, unsigned long action, void *data)
{
	vrseq_groups_demote(VRSEQ_STAT_DEMOTED_ROLLBACK);
	return NOTIFY_DONE;
}

static struct notifier_block fork_block = { .notifier_call = forked };
static struct notifier_block reboot_block = { .notifier_call = going_down };
static struct notifier_block sleep_block = { .notifier_call = sleeping };

/** vrseq_power_init - be told from now on */
int __init vrseq_power_init(void)
{
	int error = register_reboot_notifier(&reboot_block);

	if (error)
		return error;
	error = register_pm_notifier(&sleep_block);
	if (error)
		goto err_reboot;
	error = register_random_vmfork_notifier(&fork_block);
	if (error)
		goto err_sleep;
	return 0;

err_sleep:
	unregister_pm_notifier(&sleep_block);
err_reboot:
	unregister_reboot_notifier(&reboot_block);
	return error;
}

/** vrseq_power_exit - nobody is told any more, or being told */
void vrseq_power_exit(void)
{
	unregister_random_vmfork_notifier(&fork_block);
	unregister_pm_notifier(&sleep_block);
	unregister_reboot_notifier(&reboot_block);
}
