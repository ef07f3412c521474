// SPDX-License-Identifier: GPL-2.0
/*
 * What the journal of a replica wants from its engine: a look at the replica under
 * core_lock, and to tell it what became of a write. Knows no file; journal.c, which
 * calls this from its work item, does.
 */
#include "engine.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "vr_journal_write.h"

/**
 * vrseq_engine_journal_next - what is to be written now
 * @e:	engine
 * @j:	what was written; nobody else is at it
 * @w:	receives it
 *
 * Return: false if there is nothing, or the group is gone.
 */
bool vrseq_engine_journal_next(struct vrseq_engine *e, struct vr_journal *j, struct vr_write *w)
{
	bool more;

	spin_lock_bh(&e->core_lock);
	more = e->running && vr_journal_next(j, e->replica, w);
	spin_unlock_bh(&e->core_lock);
	return more;
}

/**
 * vrseq_engine_journal_done - what was to be written is, or never will be
 * @e:		engine
 * @j:		as above
 * @w:		what it was
 * @error:	negative errno: nothing will be written any more
 */
void vrseq_engine_journal_done(struct vrseq_engine *e, struct vr_journal *j,
			       const struct vr_write *w, int error)
{
	struct vr_event ev = {
		.type = error ? VR_EVENT_DISK_FAILED : VR_EVENT_DURABLE,
		.log_epoch = w->epoch,
		.op = w->op,
		.promise = w->promise,
	};

	if (!error) {
		spin_lock_bh(&e->core_lock);
		vr_journal_done(j, w);
		spin_unlock_bh(&e->core_lock);
	}
	if (error || w->durable)
		vrseq_engine_post(e, &ev);
}

/**
 * vrseq_engine_journal_close - nothing came for a while
 * @e:	engine
 * @j:	as above; vrseq_engine_journal_next() may have more to do then
 */
void vrseq_engine_journal_close(struct vrseq_engine *e, struct vr_journal *j)
{
	spin_lock_bh(&e->core_lock);
	vr_journal_close(j);
	spin_unlock_bh(&e->core_lock);
}

/**
 * vrseq_engine_restore - a replica with the memory that is in a journal
 * @cfg:	of the replica; valid but for nonce and seed
 * @journal:	journal of a group with these members
 * @extack:	told why not
 *
 * Sleeps, and waits for the disk. Before vrseq_engine_configure() gives it to an
 * engine nobody hears of it, and it hears of nobody.
 *
 * Return: the replica, for vrseq_engine_configure() or kvfree(); a negative error.
 */
struct vr_replica *vrseq_engine_restore(const struct vr_config *cfg,
					struct vrseq_journal *journal,
					struct netlink_ext_ack *extack)
{
	struct vr_effects *fx = kvmalloc(sizeof(*fx), GFP_KERNEL);
	struct vr_replica *replica = fx ? vrseq_engine_birth(cfg) : NULL;
	int error = -ENOMEM;

	if (replica)
		error = vrseq_journal_restore(journal, replica, fx, extack);
	else
		NL_SET_ERR_MSG(extack, "log and messages: there is not enough memory");
	kvfree(fx);
	if (!error)
		return replica;
	kvfree(replica);
	return ERR_PTR(error);
}
