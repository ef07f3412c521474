// SPDX-License-Identifier: GPL-2.0
/*
 * A module in which two threads share a variable, to see that the kernel it is loaded in says so.
 *
 * fault=race: the reader does not say that it is shared. fault=marked: both do, and it is no race.
 */
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#define SPAN_MS 2000

static char *fault = "";
module_param(fault, charp, 0);

static unsigned long shared, seen;

/* On both processors, and without end: a watchpoint is set up for few accesses. */
static int planted_writer(void *unused)
{
	while (!kthread_should_stop()) {
		WRITE_ONCE(shared, shared + 1);
		cond_resched();
	}
	return 0;
}

static noinline void planted_read(bool marked)
{
	seen += marked ? READ_ONCE(shared) : shared;
}

static int __init planted_init(void)
{
	bool marked = !strcmp(fault, "marked");
	unsigned long until = jiffies + msecs_to_jiffies(SPAN_MS);
	struct task_struct *writer;

	if (!marked && strcmp(fault, "race"))
		return -EINVAL;
	writer = kthread_run(planted_writer, NULL, "planted");
	if (IS_ERR(writer))
		return PTR_ERR(writer);
	while (time_before(jiffies, until)) {
		planted_read(marked);
		cond_resched();
	}
	kthread_stop(writer);
	pr_info("planted: %lu seen of %lu\n", seen, shared);
	return 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("One planted race");
