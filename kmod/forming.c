// SPDX-License-Identifier: GPL-2.0
/*
 * What the operator does once in a group's life, and what he does when too much
 * of it is lost. Waits for the engine, and puts its answer into words.
 */
#include <linux/netlink.h>

#include "compat.h"
#include "group.h"

static int explain(const struct vrseq_form *form, u16 id, struct netlink_ext_ack *extack)
{
	switch (form->error) {
	case VR_FORM_OKAY:
		return 0;
	case VR_FORM_NOT_BLANK_HERE:
		NL_SET_ERR_MSG(extack, "name: this member is not blank, see vrseq group show");
		return -EBUSY;
	case VR_FORM_UNREACHABLE:
		NL_SET_ERR_MSG_FMT(extack, "member %u does not answer: is it added there?", id);
		return -EHOSTUNREACH;
	case VR_FORM_NOT_BLANK:
		NL_SET_ERR_MSG_FMT(extack, "member %u is not blank: it was in a group", id);
		return -EBUSY;
	case VR_FORM_BUSY:
		NL_SET_ERR_MSG_FMT(extack, "member %u takes part in another forming", id);
		return -EBUSY;
	case VR_FORM_RECORD:
		NL_SET_ERR_MSG(extack, "record: cannot be written, see vrseq group show");
		return -EIO;
	case VR_FORM_LIVES:
		NL_SET_ERR_MSG_FMT(extack, "members with memory answer, %u is one: let them recover",
				   id);
		return -EBUSY;
	case VR_FORM_NO_RECORD:
		NL_SET_ERR_MSG(extack, "no record here knows the generation: reform where one does");
		return -ENOTRECOVERABLE;
	case VR_FORM_FEW_RECORDS:
		NL_SET_ERR_MSG_FMT(extack, "%u members with a good record answer, too few to keep order",
				   form->slot);
		return -ENOTRECOVERABLE;
	case VR_FORM_RACED:
		NL_SET_ERR_MSG_FMT(extack, "member %u is at it too, see vrseq group show", id);
		return -EAGAIN;
	case VR_FORM_GENERATION:
		NL_SET_ERR_MSG(extack, "there is no generation after 32767");
		return -EOVERFLOW;
	default:
		NL_SET_ERR_MSG_FMT(extack, "member %u has another list of members", id);
		return -EINVAL;
	}
}

static int finish(struct vrseq_group *group, int error, const struct vrseq_form *form,
		  struct netlink_ext_ack *extack)
{
	switch (error) {
	case 0:
		error = explain(form, vrseq_udp_member_id(&group->engine.udp, form->slot),
				extack);
		break;
	case -EBUSY:
		NL_SET_ERR_MSG(extack, "name: the group is being formed right now");
		break;
	case -ENETDOWN:
		NL_SET_ERR_MSG(extack, "name: the group was deleted meanwhile");
		break;
	default:
		NL_SET_ERR_MSG(extack, "forming goes on, see vrseq group show");
	}
	vrseq_group_put(group);
	return error;
}

static int refuse_client(struct vrseq_group *group, struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "name: this member is a client, say that at a voter");
	vrseq_group_put(group);
	return -EOPNOTSUPP;
}

/**
 * vrseq_group_form - form the group, once in its life
 * @net:	where
 * @name:	which
 * @generation:	in which its numbers start
 * @extack:	told why not
 *
 * Waits without a lock, 5 s at most.
 *
 * Return: 0, -ENOENT, -EBUSY, -EHOSTUNREACH, -EINVAL, -EOPNOTSUPP, -ENETDOWN,
 * -ETIMEDOUT or -EINTR; after the last two the forming may still succeed.
 */
int vrseq_group_form(struct net *net, const char *name, u16 generation,
		     struct netlink_ext_ack *extack)
{
	struct vrseq_group *group = vrseq_group_hold(net, name, extack);
	struct vrseq_form form;
	int error;

	if (!group)
		return -ENOENT;
	if (group->config.client)
		return refuse_client(group, extack);
	error = vrseq_engine_form(&group->engine, generation, &form);
	return finish(group, error, &form, extack);
}

/**
 * vrseq_group_reform - give up what a lost majority knew
 * @net:	where
 * @name:	which
 * @extack:	told why not
 *
 * Waits without a lock, 5 s at most.
 *
 * Return: 0, -ENOENT, -EBUSY while enough members remember, -ENOTRECOVERABLE
 * without enough records, -EOPNOTSUPP at a client, -EIO, -EAGAIN, -EOVERFLOW,
 * -ENETDOWN, -ETIMEDOUT or -EINTR; after the last two the group may still begin again.
 */
int vrseq_group_reform(struct net *net, const char *name, struct netlink_ext_ack *extack)
{
	struct vrseq_group *group = vrseq_group_hold(net, name, extack);
	struct vrseq_form form;
	int error;

	if (!group)
		return -ENOENT;
	if (group->config.client)
		return refuse_client(group, extack);
	error = vrseq_engine_reform(&group->engine, &form);
	return finish(group, error, &form, extack);
}
