// SPDX-License-Identifier: GPL-2.0
/*
 * What a group keeps on disks, a record or a journal, as far as its beginning goes:
 * they are opened and read when the group is added, and what they bring back waits
 * until the list of members is the one it was of. Formats and writes are not seen here.
 */
#include "group_private.h"

#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/string.h>

#include "vmgen.h"
#include "vr_restore.h"

static int open_record(struct vrseq_group *group, struct netlink_ext_ack *extack)
{
	const struct vrseq_group_config *config = &group->config;
	struct vrseq_record *record;

	if (!*config->record)
		return 0;
	record = vrseq_record_open(config->record, config->uuid.b, config->self_id,
				   &group->found, extack);
	if (IS_ERR(record))
		return PTR_ERR(record);
	group->engine.record = record;
	vrseq_record_attach(record, &group->engine);
	return 0;
}

/*
 * All that is to be read of the journal is read now, without a lock. Its members are
 * not in our list yet: what it brings back waits until they are.
 */
static int restore(struct vrseq_group *group, struct netlink_ext_ack *extack)
{
	const struct vr_journal_owner *owner = vrseq_journal_members(group->engine.journal);
	struct vrseq_member members[VR_REPLICAS_MAX] = {};
	struct vr_wire_group identity;
	struct vr_replica *replica;
	struct vr_config cfg;
	int error;
	u8 slot;

	if (!owner)
		return 0;
	for (slot = 0; slot < owner->member_count; slot++)
		members[slot].id = owner->member_ids[slot];
	error = vrseq_group_configure(group, members, owner->member_count, &identity, &cfg,
				      extack);
	if (error)
		return error;
	group->restored_vmgen_id = vrseq_vmgen_id();
	replica = vrseq_engine_restore(&cfg, group->engine.journal, extack);
	if (IS_ERR(replica))
		return PTR_ERR(replica);
	group->restored = replica;
	return 0;
}

static int open_journal(struct vrseq_group *group, const struct vrseq_member *self,
			struct netlink_ext_ack *extack)
{
	const struct vrseq_group_config *config = &group->config;
	struct vr_wire_group identity;
	struct vrseq_journal *journal;
	struct vr_config cfg;
	int error;

	if (!*config->journal)
		return 0;
	error = vrseq_group_configure(group, self, 1, &identity, &cfg, extack);
	if (error)
		return error;
	journal = vrseq_journal_open(config->journal, config->journal_bytes, &cfg,
				     config->uuid.b, config->self_id, extack);
	if (IS_ERR(journal))
		return PTR_ERR(journal);
	group->engine.journal = journal;
	error = restore(group, extack);
	if (!error)
		vrseq_journal_attach(journal, &group->engine);
	return error;
}

/**
 * vrseq_group_open_storage - open and read what the group keeps on disks
 * @group:	new, known to nobody
 * @self:	this member
 * @extack:	told why not
 *
 * Without a lock, in the context of the caller, who waits for the disks himself.
 *
 * Return: 0, -EINVAL or -ENOMEM, or what vrseq_record_open() and vrseq_journal_open() say.
 */
int vrseq_group_open_storage(struct vrseq_group *group, const struct vrseq_member *self,
			     struct netlink_ext_ack *extack)
{
	return open_record(group, extack) ?: open_journal(group, self, extack);
}

/** vrseq_group_journal_is_of - is the journal a memory of these, or of nobody? */
bool vrseq_group_journal_is_of(const struct vrseq_group *group, const u16 *ids, u8 count)
{
	const struct vrseq_journal *journal = group->engine.journal;
	const struct vr_journal_owner *owner = journal ? vrseq_journal_members(journal) : NULL;

	return !owner || (owner->member_count == count &&
			  !memcmp(owner->member_ids, ids, count * sizeof(*ids)));
}

/**
 * vrseq_group_check_restored - what was read back is forgotten if it is of another time
 * @group:	group
 * @cfg:	what its replica is to know
 * @extack:	told why not
 *
 * R25 holds for what was read back and waits, too: it may be older than its file.
 *
 * Return: 0 or -ENOMEM.
 */
int vrseq_group_check_restored(struct vrseq_group *group, const struct vr_config *cfg,
			       struct netlink_ext_ack *extack)
{
	struct vr_replica *lost;

	lockdep_assert_held(&vrseq_groups_lock);
	if (!group->restored || (!group->restored_old &&
				 group->restored_vmgen_id == vrseq_vmgen_id()))
		return 0;
	lost = vrseq_engine_birth(cfg);
	if (!lost) {
		NL_SET_ERR_MSG(extack, "log and messages: there is not enough memory");
		return -ENOMEM;
	}
	vr_restore_lost(lost);
	kvfree(group->restored);
	group->restored = lost;
	return 0;
}
