// SPDX-License-Identifier: GPL-2.0
/*
 * A module that does one thing wrong, to see that the kernel it is loaded in says so.
 *
 * fault=leak | overrun | shift | sleep
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *fault = "";
module_param(fault, charp, 0);

static int bits = 31;
module_param(bits, int, 0);

static DEFINE_SPINLOCK(lock);

static void leak(void)
{
	unsigned int i;

	/* More than one: the last address may stay in a register or on a stack. */
	for (i = 0; i < 10; i++) {
		char *lost = kmalloc(100, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(lost);
	}
}

static void overrun(void)
{
	char *bytes = kzalloc(100, GFP_KERNEL);

	if (!bytes)
		return;
	OPTIMIZER_HIDE_VAR(bytes);
	pr_info("planted: %d\n", READ_ONCE(bytes[100]));
	kfree(bytes);
}

static int __init planted_init(void)
{
	if (!strcmp(fault, "leak")) {
		leak();
	} else if (!strcmp(fault, "overrun")) {
		overrun();
	} else if (!strcmp(fault, "shift")) {
		pr_info("planted: %d\n", 1 << (bits + 1));
	} else if (!strcmp(fault, "sleep")) {
		spin_lock(&lock);
		might_sleep();
		spin_unlock(&lock);
	} else {
		return -EINVAL;
	}
	return 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("One planted fault");
