// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vrseq: what uapi/linux/vrseq.h promises, checked and copied. Owns the
 * open file and its read cursor; what an operation is lives in session.c.
 */
#include "chardev.h"

#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vrseq.h>
#include <net/net_namespace.h>

#include "call.h"
#include "group.h"

#define RECORD_BYTES_MAX ALIGN(sizeof(struct vrseq_record) + VR_BODY_BYTES_MAX, 8)

/**
 * struct vrseq_file - an open file: a session and a reader
 * @net_cookie:	of the namespace it was opened in
 * @attach_lock: makes sure that it attaches once
 * @group:	NULL until attached, then fixed; release and acquire
 * @slot:	of its session in the group
 * @read_lock:	protects the cursor and @message; never held while waiting
 * @read_next:	sequence of the next message, 0 = the oldest there is
 * @lost_first:	what the reader was told to have lost, at last
 * @lost_last:	its end
 * @message:	on its way out
 */
struct vrseq_file {
	u64 net_cookie;
	struct mutex attach_lock;	/* until attached */
	struct vrseq_group *group;
	u32 slot;

	struct mutex read_lock;		/* the cursor and @message */
	u64 read_next;
	u64 lost_first;
	u64 lost_last;
	struct vrseq_message message;
};

/* The uapi headers and the core do not know each other. */
static_assert(VR_NAME_BYTES_MAX + 1 == VRSEQ_COUNTER_NAME_BYTES);
static_assert(VR_REPLICAS_MAX == VRSEQ_MEMBERS_MAX);
static_assert((int)VR_STATUS_AMNESIA == VRSEQ_STATE_AMNESIA);
static_assert((int)VR_OUTCOME_NOT_APPLIED == VRSEQ_OUTCOME_NOT_APPLIED);
static_assert((int)VR_READ_LOCAL == VRSEQ_READ_LOCAL);
static_assert((int)VR_KIND_NEXT == VRSEQ_KIND_NEXT);
static_assert((int)VR_KIND_GET == VRSEQ_KIND_GET);
static_assert((int)VR_KIND_APPEND == VRSEQ_KIND_APPEND);

/* ---- attaching ------------------------------------------------------------ */

static int attach_locked(struct vrseq_file *file, const char *name)
{
	struct vrseq_group *group = file->group;
	int slot;

	lockdep_assert_held(&file->attach_lock);
	if (group)
		return !*name || !strcmp(name, group->config.name) ? 0 : -EBUSY;
	slot = vrseq_group_attach(file->net_cookie, name, &group);
	if (slot < 0)
		return slot;
	file->slot = slot;
	/* Pairs with the acquire in attached(): the slot goes with the group. */
	smp_store_release(&file->group, group);
	return 0;
}

static int attach(struct vrseq_file *file, const char *name)
{
	int error = mutex_lock_interruptible(&file->attach_lock);

	if (error)
		return -ERESTARTSYS;
	error = attach_locked(file, name);
	mutex_unlock(&file->attach_lock);
	return error;
}

/* The file's group; attaches to the only one there is if need be. */
static struct vrseq_group *attached(struct vrseq_file *file)
{
	/* Pairs with the release in attach_locked(). */
	struct vrseq_group *group = smp_load_acquire(&file->group);
	int error;

	if (group)
		return group;
	error = attach(file, "");
	return error ? ERR_PTR(error) : file->group;
}

static struct vrseq_session *session_of(const struct vrseq_file *file)
{
	return &file->group->engine.sessions.table[file->slot];
}

/* ---- operations ----------------------------------------------------------- */

static int operate(struct vrseq_file *file, struct vrseq_request *rq)
{
	struct vrseq_group *group = attached(file);

	rq->outcome = VR_OUTCOME_NOT_APPLIED;
	if (IS_ERR(group))
		return PTR_ERR(group);
	return vrseq_call(&group->engine, file->slot, rq);
}

/* With a message for its body: fetched before any lock is taken. */
static int operate_message(struct vrseq_file *file, struct vrseq_request *rq,
			   struct iov_iter *from)
{
	u8 message[VR_BODY_BYTES_MAX];

	if (!copy_from_iter_full(message, rq->body_bytes, from))
		return -EFAULT;
	rq->body = message;
	return operate(file, rq);
}

static int check_header(const struct vrseq_op_hdr *hdr)
{
	if (hdr->flags || hdr->reserved16 || memchr_inv(hdr->reserved, 0, sizeof(hdr->reserved)))
		return -EINVAL;
	return 0;
}

/* The length of a counter's name, padded with NUL to the end. */
static int check_counter(const char *name)
{
	int bytes = strnlen(name, VRSEQ_COUNTER_NAME_BYTES), i;

	if (bytes == VRSEQ_COUNTER_NAME_BYTES ||
	    memchr_inv(name + bytes, 0, VRSEQ_COUNTER_NAME_BYTES - bytes))
		return -EINVAL;
	for (i = 0; i < bytes; i++) {
		u8 c = name[i];

		if (c < 0x20 || c == 0x7f)
			return -EINVAL;
	}
	return bytes;
}

static int check_message(size_t bytes)
{
	if (!bytes)
		return -EINVAL;
	return bytes > VR_BODY_BYTES_MAX ? -EMSGSIZE : 0;
}

static struct vrseq_request request(const struct file *filp, const struct vrseq_op_hdr *hdr,
				    u8 kind)
{
	return (struct vrseq_request) {
		.kind = kind,
		.nonblock = filp->f_flags & O_NONBLOCK,
		.op_id = hdr->op_id,
		.deadline_ns = hdr->deadline_ns,
		.outcome = VR_OUTCOME_NOT_APPLIED,
	};
}

/*
 * Give the caller his structure back: all of it after success, the header alone
 * otherwise. If that fails the operation can be joined with the op_id, but only
 * if the caller knows it.
 */
static int answer(int error, const struct vrseq_request *rq, void __user *user,
		  struct vrseq_op_hdr *hdr, size_t bytes)
{
	hdr->op_id = rq->op_id;
	hdr->outcome = rq->outcome;
	hdr->index = rq->result.index;
	hdr->view = rq->result.view;
	if (copy_to_user(user, hdr, error ? sizeof(*hdr) : bytes))
		return -EFAULT;
	return error;
}

static int ioctl_next(struct file *filp, void __user *user)
{
	struct vrseq_request rq;
	struct vrseq_next next;
	int error, bytes;

	if (copy_from_user(&next, user, sizeof(next)))
		return -EFAULT;
	rq = request(filp, &next.hdr, VR_KIND_NEXT);
	bytes = check_counter(next.counter);
	error = check_header(&next.hdr);
	if (bytes < 0 || !next.count)
		error = -EINVAL;
	if (!error) {
		rq.argument = next.count;
		rq.body = next.counter;
		rq.body_bytes = bytes;
		error = operate(filp->private_data, &rq);
	}
	next.first = rq.result.first;
	next.last = rq.result.last;
	return answer(error, &rq, user, &next.hdr, sizeof(next));
}

static int ioctl_get(struct file *filp, void __user *user)
{
	struct vrseq_request rq;
	struct vrseq_get get;
	int error, bytes;

	if (copy_from_user(&get, user, sizeof(get)))
		return -EFAULT;
	rq = request(filp, &get.hdr, VR_KIND_GET);
	bytes = check_counter(get.counter);
	error = check_header(&get.hdr);
	if (bytes < 0 || get.mode >= VR_READ_COUNT || get.reserved)
		error = -EINVAL;
	if (!error) {
		rq.read = get.mode;
		rq.body = get.counter;
		rq.body_bytes = bytes;
		error = operate(filp->private_data, &rq);
	}
	get.value = rq.result.last;
	get.age_ns = get.mode == VRSEQ_READ_LOCAL ? rq.result.first : 0;
	return answer(error, &rq, user, &get.hdr, sizeof(get));
}

static int ioctl_result(struct file *filp, void __user *user)
{
	struct vrseq_op_result result;
	struct vrseq_request rq;
	int error;

	if (copy_from_user(&result, user, sizeof(result)))
		return -EFAULT;
	rq = request(filp, &result.hdr, VR_KIND_RESULT);
	error = check_header(&result.hdr) ?: operate(filp->private_data, &rq);
	result.kind = rq.kind;
	result.error = -rq.result.error;
	result.first = rq.result.first;
	result.last = rq.result.last;
	return answer(error, &rq, user, &result.hdr, sizeof(result));
}

static int ioctl_append(struct file *filp, void __user *user)
{
	struct vrseq_append append;
	struct vrseq_request rq;
	struct iov_iter body;
	int error;

	if (copy_from_user(&append, user, sizeof(append)))
		return -EFAULT;
	rq = request(filp, &append.hdr, VR_KIND_APPEND);
	error = check_header(&append.hdr);
	if (append.reserved)
		error = -EINVAL;
	if (!error)
		error = check_message(append.bytes);
	if (!error) {
		rq.body_bytes = append.bytes;
		iov_iter_ubuf(&body, ITER_SOURCE, u64_to_user_ptr(append.data), append.bytes);
		error = operate_message(filp->private_data, &rq, &body);
	}
	append.sequence = rq.result.last;
	return answer(error, &rq, user, &append.hdr, sizeof(append));
}

static ssize_t write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *filp = iocb->ki_filp;
	struct vrseq_op_hdr hdr = { .flags = 0 };
	struct vrseq_request rq = request(filp, &hdr, VR_KIND_APPEND);
	size_t bytes = iov_iter_count(from);
	int error = check_message(bytes);

	if (error)
		return error;
	rq.nonblock |= !!(iocb->ki_flags & IOCB_NOWAIT);
	rq.from_write = true;
	rq.body_bytes = bytes;
	error = operate_message(filp->private_data, &rq, from);
	return error ?: bytes;
}

/* ---- looking -------------------------------------------------------------- */

static int ioctl_info(void __user *user)
{
	const struct vrseq_info info = {
		.message_bytes_max = VR_BODY_BYTES_MAX,
		.counters_max = VRSEQ_COUNTERS_MAX,
		.sessions_max = VRSEQ_SESSIONS_MAX,
		.files_max = VRSEQ_FILES_MAX,
		.record_bytes_max = RECORD_BYTES_MAX,
		.wire_version = VR_WIRE_VERSION,
		.window = VR_WINDOW,
	};

	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

static int ioctl_attach(struct vrseq_file *file, void __user *user)
{
	struct vrseq_attach arg;
	int error;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (arg.flags || memchr_inv(arg.reserved, 0, sizeof(arg.reserved)) ||
	    strnlen(arg.group, sizeof(arg.group)) == sizeof(arg.group))
		return -EINVAL;
	error = attach(file, arg.group);
	if (error)
		return error;
	memset(&arg, 0, sizeof(arg));
	strscpy(arg.group, file->group->config.name, sizeof(arg.group));
	arg.member_id = file->group->config.self_id;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static void fill_member(struct vrseq_status_member *member, const struct vrseq_snapshot *look,
			u8 slot)
{
	const struct vr_peer_info *peer = &look->info.peers[slot];

	member->id = look->members[slot].id;
	member->state = peer->status == VR_STATUS_COUNT ? 255 : peer->status;
	if (slot == look->self)
		member->flags |= VRSEQ_MEMBER_SELF;
	else
		member->heard_age_ns = peer->heard_ns ? look->now_ns - peer->heard_ns : U64_MAX;
	if (slot == look->info.primary)
		member->flags |= VRSEQ_MEMBER_PRIMARY;
}

static void fill_status(struct vrseq_status *status, const struct vrseq_snapshot *look)
{
	const struct vr_info *info = &look->info;
	u8 slot;

	status->state = info->status;
	status->has_quorum = info->has_quorum;
	status->member_count = look->member_count;
	status->quorum_count = info->quorum;
	status->self_id = look->members[look->self].id;
	if (info->primary != VR_NOBODY)
		status->primary_id = look->members[info->primary].id;
	status->view = info->view;
	status->last_normal_view = info->last_normal_view;
	status->op = info->op;
	status->commit = info->commit;
	status->commit_hash = info->commit_hash;
	status->sequence_first = info->sequence_first;
	status->sequence_last = info->sequence_last;
	status->incarnation = info->incarnation;
	status->checkpoint_op = info->checkpoint_op;
	for (slot = 0; slot < look->member_count; slot++)
		fill_member(&status->members[slot], look, slot);
	strscpy_pad(status->text, look->text, sizeof(status->text));
}

static int ioctl_status(struct vrseq_file *file, void __user *user)
{
	struct vrseq_group *group = attached(file);
	struct vrseq_snapshot *look;
	struct vrseq_status *status;
	int error = -ENOMEM;

	if (IS_ERR(group))
		return PTR_ERR(group);
	look = kmalloc(sizeof(*look), GFP_KERNEL);
	status = kzalloc(sizeof(*status), GFP_KERNEL);
	if (!look || !status)
		goto out;
	error = vrseq_group_look(group, look);
	if (error)
		goto out;
	fill_status(status, look);
	status->session = READ_ONCE(session_of(file)->id);
	mutex_lock(&file->read_lock);
	status->read_next = file->read_next ?: status->sequence_first;
	status->lost_first = file->lost_first;
	status->lost_last = file->lost_last;
	mutex_unlock(&file->read_lock);
	error = copy_to_user(user, status, sizeof(*status)) ? -EFAULT : 0;
out:
	kfree(status);
	kfree(look);
	return error;
}

/* ---- reading -------------------------------------------------------------- */

static int copy_record(struct vrseq_file *file, struct iov_iter *to)
{
	static const u8 padding[8];
	const struct vrseq_message *message = &file->message;
	const struct vr_entry *entry = &message->entry;
	struct vrseq_record record = {
		.size = ALIGN(sizeof(record) + entry->body_bytes, 8),
		.type = VRSEQ_RECORD_MESSAGE,
		.member_id = vrseq_udp_member_id(&file->group->engine.udp, entry->origin),
		.index = entry->op,
		.sequence = message->sequence,
		.view = entry->view,
		.session = entry->session,
		.bytes = entry->body_bytes,
	};
	size_t padding_bytes = record.size - sizeof(record) - record.bytes;

	if (iov_iter_count(to) < record.size)
		return -EINVAL;
	if (copy_to_iter(&record, sizeof(record), to) != sizeof(record) ||
	    copy_to_iter(message->body, record.bytes, to) != record.bytes ||
	    copy_to_iter(padding, padding_bytes, to) != padding_bytes)
		return -EFAULT;
	return record.size;
}

static int read_one(struct vrseq_file *file, struct iov_iter *to)
{
	int ret = vrseq_engine_read(&file->group->engine, file->read_next, &file->message);

	if (ret)
		return ret;
	ret = copy_record(file, to);
	if (ret > 0)
		WRITE_ONCE(file->read_next, file->message.sequence + 1);
	return ret;
}

/* The reader is told once, and goes on with the oldest message there is. */
static void note_loss(struct vrseq_file *file)
{
	file->lost_first = file->read_next;
	file->lost_last = file->message.first - 1;
	WRITE_ONCE(file->read_next, file->message.first);
}

/* As many records as are there and fit; the error of the first if there is none. */
static ssize_t read_some(struct vrseq_file *file, struct iov_iter *to)
{
	ssize_t bytes = 0;
	int ret;

	if (mutex_lock_interruptible(&file->read_lock))
		return -ERESTARTSYS;
	do {
		ret = read_one(file, to);
		if (ret > 0)
			bytes += ret;
	} while (ret > 0 && iov_iter_count(to) >= sizeof(struct vrseq_record));
	if (ret == -EPIPE && !bytes)
		note_loss(file);
	mutex_unlock(&file->read_lock);
	return bytes ?: ret;
}

/* Looked at without read_lock: another thread of the file may read it first. */
static bool is_readable(struct vrseq_file *file)
{
	return vrseq_engine_readable(&file->group->engine, READ_ONCE(file->read_next));
}

static ssize_t read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *filp = iocb->ki_filp;
	struct vrseq_file *file = filp->private_data;
	struct vrseq_group *group = attached(file);
	bool nonblock = (filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT);
	ssize_t ret;

	if (IS_ERR(group))
		return PTR_ERR(group);
	for (;;) {
		ret = read_some(file, to);
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = wait_event_interruptible(group->engine.readers, is_readable(file));
		if (ret)
			return ret;
	}
}

static __poll_t poll(struct file *filp, poll_table *table)
{
	struct vrseq_file *file = filp->private_data;
	struct vrseq_group *group = attached(file);
	__poll_t events = 0;

	if (IS_ERR(group))
		return EPOLLERR;
	poll_wait(filp, &group->engine.readers, table);
	poll_wait(filp, &session_of(file)->wait, table);
	if (!vrseq_engine_running(&group->engine))
		return EPOLLHUP | EPOLLERR;
	if (is_readable(file))
		events |= EPOLLIN | EPOLLRDNORM;
	if (!READ_ONCE(session_of(file)->flying))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* ---- the device ----------------------------------------------------------- */

static long ioctl(struct file *filp, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (command) {
	case VRSEQ_IOC_INFO:
		return ioctl_info(user);
	case VRSEQ_IOC_ATTACH:
		return ioctl_attach(filp->private_data, user);
	case VRSEQ_IOC_STATUS:
		return ioctl_status(filp->private_data, user);
	case VRSEQ_IOC_NEXT:
		return ioctl_next(filp, user);
	case VRSEQ_IOC_GET:
		return ioctl_get(filp, user);
	case VRSEQ_IOC_RESULT:
		return ioctl_result(filp, user);
	case VRSEQ_IOC_APPEND:
		return ioctl_append(filp, user);
	default:
		return -ENOTTY;
	}
}

static int open(struct inode *inode, struct file *filp)
{
	struct vrseq_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	file->net_cookie = current->nsproxy->net_ns->net_cookie;
	mutex_init(&file->attach_lock);
	mutex_init(&file->read_lock);
	filp->private_data = file;
	return stream_open(inode, filp);
}

static int release(struct inode *inode, struct file *filp)
{
	struct vrseq_file *file = filp->private_data;

	if (file->group)
		vrseq_group_detach(file->group, file->slot);
	kfree(file);
	return 0;
}

static const struct file_operations file_operations = {
	.owner = THIS_MODULE,
	.open = open,
	.release = release,
	.read_iter = read_iter,
	.write_iter = write_iter,
	.poll = poll,
	.unlocked_ioctl = ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vrseq",
	.mode = 0660,
	.fops = &file_operations,
};

/** vrseq_chardev_init - make the device appear */
int __init vrseq_chardev_init(void)
{
	return misc_register(&device);
}

/** vrseq_chardev_exit - make it go; no file is open, or we would not be here */
void vrseq_chardev_exit(void)
{
	misc_deregister(&device);
}
