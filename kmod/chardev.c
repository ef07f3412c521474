// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vrseq: what uapi/linux/vrseq.h promises, of a file. Owns the open file;
 * an operation is checked in operation.c and lives in session.c, reading in reader.c.
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
#include "compat.h"
#include "group.h"
#include "operation.h"
#include "reader.h"
#include "uring.h"

#define RECORD_BYTES_MAX ALIGN(sizeof(struct vrseq_record) + VR_BODY_BYTES_MAX, 8)

/**
 * struct vrseq_file - an open file: a session and a reader
 * @opened:	this file, for the rights it was opened with
 * @net_cookie:	of the namespace it was opened in
 * @attach_lock: makes sure that it attaches once
 * @group:	NULL until attached, then fixed; release and acquire
 * @slot:	of its session in the group
 * @uring:	NULL until the first command of io_uring, then fixed
 * @spare_lock:	of @spare, nothing inside
 * @spare:	for the next message
 * @reader:	of the log
 */
struct vrseq_file {
	const struct file *opened;
	u64 net_cookie;
	struct mutex attach_lock;	/* until attached */
	struct vrseq_group *group;
	u32 slot;
	struct vrseq_uring *uring;

	spinlock_t spare_lock;		/* see above */
	struct vrseq_buffer spare;
	struct vrseq_reader reader;
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
	slot = vrseq_group_attach(file->net_cookie, file->opened, name, &group);
	if (slot < 0)
		return slot;
	file->slot = slot;
	file->reader.state_seen = READ_ONCE(group->engine.state_changes);
	if (file->reader.cursor.next == VRSEQ_NOW)
		vrseq_reader_start_now(&file->reader, &group->engine);
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

/* A message that is not small goes to the call in a buffer that it keeps. */
static int operate_buffer(struct vrseq_file *file, struct vrseq_request *rq,
			  struct iov_iter *from)
{
	int error = -ENOMEM;

	spin_lock(&file->spare_lock);
	swap(rq->buffer, file->spare);
	spin_unlock(&file->spare_lock);
	if (vrseq_buffer_make(&rq->buffer, rq->body_bytes)) {
		rq->body = rq->buffer.bytes;
		error = copy_from_iter_full(rq->buffer.bytes, rq->body_bytes, from) ?
			operate(file, rq) : -EFAULT;
	}
	spin_lock(&file->spare_lock);
	swap(rq->buffer, file->spare);
	spin_unlock(&file->spare_lock);
	vrseq_buffer_free(&rq->buffer);
	return error;
}

/* With a message for its body: fetched before any lock is taken. */
static int operate_message(struct vrseq_file *file, struct vrseq_request *rq,
			   struct iov_iter *from)
{
	u8 small[VRSEQ_SMALL_BYTES];

	if (rq->body_bytes > sizeof(small))
		return operate_buffer(file, rq, from);
	if (!copy_from_iter_full(small, rq->body_bytes, from))
		return -EFAULT;
	rq->body = small;
	return operate(file, rq);
}

/* Of the group; before it is known, of any group. */
static u32 record_max(struct vrseq_file *file)
{
	/* Pairs with the release in attach_locked(). */
	struct vrseq_group *group = smp_load_acquire(&file->group);

	return group ? group->config.record_max : VR_BODY_BYTES_MAX;
}

static u32 files_max(struct vrseq_file *file)
{
	/* Pairs with the release in attach_locked(). */
	struct vrseq_group *group = smp_load_acquire(&file->group);

	return group ? group->config.files_max : VRSEQ_FILES_MAX;
}

/* What is too large for any group is so in whatever group. */
static u32 message_max(struct vrseq_file *file, size_t bytes)
{
	if (bytes <= VR_BODY_BYTES_MAX)
		attached(file);
	return record_max(file);
}

static struct vrseq_request request(const struct file *filp, const struct vrseq_op_hdr *hdr,
				    u8 kind)
{
	struct vrseq_request rq;

	vrseq_request_init(&rq, hdr, kind);
	rq.nonblock = filp->f_flags & O_NONBLOCK;
	return rq;
}

static int ioctl_next(struct file *filp, void __user *user)
{
	struct vrseq_request rq;
	struct vrseq_next next;
	int error;

	if (copy_from_user(&next, user, sizeof(next)))
		return -EFAULT;
	error = vrseq_request_next(&rq, &next);
	rq.nonblock = filp->f_flags & O_NONBLOCK;
	if (!error)
		error = operate(filp->private_data, &rq);
	return vrseq_answer_next(error, &rq, user, &next);
}

static int ioctl_get(struct file *filp, void __user *user)
{
	struct vrseq_request rq;
	struct vrseq_get get;
	int error, bytes;

	if (copy_from_user(&get, user, sizeof(get)))
		return -EFAULT;
	rq = request(filp, &get.hdr, VR_KIND_GET);
	bytes = vrseq_check_counter(get.counter);
	error = vrseq_check_header(&get.hdr);
	if (bytes < 0 || get.mode > VRSEQ_READ_LOCAL || get.reserved)
		error = -EINVAL;
	if (!error) {
		rq.read = get.mode;
		rq.body = get.counter;
		rq.body_bytes = bytes;
		error = operate(filp->private_data, &rq);
	}
	get.value = rq.result.last;
	get.age_ns = get.mode == VRSEQ_READ_LOCAL ? rq.result.first : 0;
	return vrseq_answer(error, &rq, user, &get.hdr, sizeof(get));
}

static int ioctl_result(struct file *filp, void __user *user)
{
	struct vrseq_op_result result;
	struct vrseq_request rq;
	int error;

	if (copy_from_user(&result, user, sizeof(result)))
		return -EFAULT;
	rq = request(filp, &result.hdr, VR_KIND_RESULT);
	error = vrseq_check_header(&result.hdr) ?: operate(filp->private_data, &rq);
	result.kind = rq.kind;
	result.error = -rq.result.error;
	result.first = rq.result.first;
	result.last = rq.result.last;
	return vrseq_answer(error, &rq, user, &result.hdr, sizeof(result));
}

static int ioctl_append(struct file *filp, void __user *user)
{
	struct vrseq_append append;
	struct vrseq_request rq;
	struct iov_iter body;
	int error;

	if (copy_from_user(&append, user, sizeof(append)))
		return -EFAULT;
	error = vrseq_request_append(&rq, &append,
				     message_max(filp->private_data, append.bytes));
	rq.nonblock = filp->f_flags & O_NONBLOCK;
	if (!error) {
		iov_iter_ubuf(&body, ITER_SOURCE, u64_to_user_ptr(append.data), append.bytes);
		error = operate_message(filp->private_data, &rq, &body);
	}
	return vrseq_answer_append(error, &rq, user, &append);
}

/*
 * The index that a quorum confirms is that of the log, whatever is read at it:
 * the group's own counter is always there. At a client its messages come here, too.
 */
static struct vrseq_request barrier_request(const struct file *filp, const struct vrseq_op_hdr *hdr)
{
	struct vrseq_request rq = request(filp, hdr, VR_KIND_GET);

	rq.read = VR_READ_BARRIER;
	rq.body = "";
	return rq;
}

static int ioctl_barrier(struct file *filp, void __user *user)
{
	struct vrseq_file *file = filp->private_data;
	struct vrseq_barrier arg;
	struct vrseq_request rq;
	u64 newest = 0;
	int error;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	rq = barrier_request(filp, &arg.hdr);
	error = vrseq_check_header(&arg.hdr);
	if (arg.reserved)
		error = -EINVAL;
	if (!error)
		error = operate(file, &rq);
	if (!error)
		error = vrseq_engine_newest(&file->group->engine, &newest);
	arg.sequence = newest;
	return vrseq_answer(error, &rq, user, &arg.hdr, sizeof(arg));
}

/* Waits also where O_NONBLOCK is set, as it does elsewhere. */
static int fsync(struct file *filp, loff_t start, loff_t end, int datasync)
{
	struct vrseq_op_hdr hdr = { .flags = 0 };
	struct vrseq_request rq = barrier_request(filp, &hdr);

	rq.nonblock = false;
	return operate(filp->private_data, &rq);
}

static ssize_t write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *filp = iocb->ki_filp;
	struct vrseq_op_hdr hdr = { .flags = 0 };
	struct vrseq_request rq = request(filp, &hdr, VR_KIND_APPEND);
	size_t bytes = iov_iter_count(from);
	int error;

	if (bytes > message_max(filp->private_data, bytes))
		return -EMSGSIZE;
	if (!bytes)
		return 0;
	rq.nonblock |= !!(iocb->ki_flags & IOCB_NOWAIT);
	rq.from_write = true;
	rq.body_bytes = bytes;
	error = operate_message(filp->private_data, &rq, from);
	return error ?: bytes;
}

static struct vrseq_uring *uring_of(struct vrseq_file *file)
{
	struct vrseq_uring *uring = READ_ONCE(file->uring), *new;

	if (uring)
		return uring;
	new = vrseq_uring_create();
	if (!new)
		return NULL;
	uring = cmpxchg(&file->uring, NULL, new);
	if (!uring)
		return new;
	vrseq_uring_destroy(new);
	return uring;
}

static int uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct vrseq_file *file = cmd->file->private_data;
	struct vrseq_group *group;
	struct vrseq_uring *uring;

	if (vrseq_uring_cancel(cmd, issue_flags))
		return 0;
	/* To attach may take a while: io_uring has threads for that. */
	if (!READ_ONCE(file->group) && (issue_flags & IO_URING_F_NONBLOCK))
		return -EAGAIN;
	group = attached(file);
	if (IS_ERR(group))
		return PTR_ERR(group);
	uring = uring_of(file);
	if (!uring)
		return -ENOMEM;
	return vrseq_uring_command(uring, group, file->slot, cmd, issue_flags);
}

/* ---- looking -------------------------------------------------------------- */

static int ioctl_info(struct vrseq_file *file, void __user *user)
{
	const struct vrseq_info info = {
		.message_bytes_max = record_max(file),
		.counters_max = VRSEQ_COUNTERS_MAX,
		.sessions_max = VRSEQ_SESSIONS_MAX,
		.files_max = files_max(file),
		.record_bytes_max = RECORD_BYTES_MAX,
		.wire_version = VR_WIRE_VERSION,
		.window = VR_WINDOW,
		.ring_bytes = VRSEQ_RING_BYTES,
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
	status->self_id = look->self_id;
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
	u32 state_seen;

	if (IS_ERR(group))
		return PTR_ERR(group);
	look = kmalloc(sizeof(*look), GFP_KERNEL);
	status = kzalloc(sizeof(*status), GFP_KERNEL);
	if (!look || !status)
		goto out;
	/* What changes after this is new to whoever polls. */
	state_seen = READ_ONCE(group->engine.state_changes);
	error = vrseq_group_look(group, look);
	if (error)
		goto out;
	fill_status(status, look);
	status->session = READ_ONCE(session_of(file)->id);
	error = vrseq_reader_status(&file->reader, status);
	if (error)
		goto out;
	WRITE_ONCE(file->reader.state_seen, state_seen);
	error = copy_to_user(user, status, sizeof(*status)) ? -EFAULT : 0;
out:
	kfree(status);
	kfree(look);
	return error;
}

/* ---- reading -------------------------------------------------------------- */

static ssize_t read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *filp = iocb->ki_filp;
	struct vrseq_file *file = filp->private_data;
	struct vrseq_group *group = attached(file);
	bool nonblock = (filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT);
	ssize_t ret;

	if (IS_ERR(group))
		return PTR_ERR(group);
	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		ret = vrseq_reader_read(&file->reader, &group->engine, to);
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = wait_event_interruptible(group->engine.readers,
					       vrseq_reader_may_read(&file->reader,
								     &group->engine));
		if (ret)
			return ret;
	}
}

static int ioctl_seek(struct vrseq_file *file, void __user *user)
{
	struct vrseq_group *group = attached(file);
	struct vrseq_seek seek;
	int error;

	if (IS_ERR(group))
		return PTR_ERR(group);
	if (copy_from_user(&seek, user, sizeof(seek)))
		return -EFAULT;
	error = vrseq_reader_seek(&file->reader, &group->engine, &seek);
	if (error)
		return error;
	return copy_to_user(user, &seek, sizeof(seek)) ? -EFAULT : 0;
}

static loff_t llseek(struct file *filp, loff_t offset, int whence)
{
	struct vrseq_file *file = filp->private_data;
	struct vrseq_group *group = attached(file);

	if (IS_ERR(group))
		return PTR_ERR(group);
	return vrseq_reader_llseek(&file->reader, &group->engine, offset, whence);
}

/* ---- waiting for something to do ------------------------------------------- */

static __poll_t poll(struct file *filp, poll_table *table)
{
	struct vrseq_file *file = filp->private_data;
	struct vrseq_group *group = attached(file);
	struct vrseq_reader *reader = &file->reader;
	struct vrseq_engine *e;
	__poll_t events = 0;

	if (IS_ERR(group))
		return EPOLLERR;
	e = &group->engine;
	poll_wait(filp, &e->readers, table);
	poll_wait(filp, &session_of(file)->wait, table);
	if (!vrseq_engine_running(e))
		return EPOLLHUP | EPOLLERR;
	if (vrseq_reader_readable(reader, e))
		events |= EPOLLIN | EPOLLRDNORM;
	if (vrseq_engine_writable(e, file->slot))
		events |= EPOLLOUT | EPOLLWRNORM;
	if (READ_ONCE(e->state_changes) != READ_ONCE(reader->state_seen) ||
	    vrseq_engine_overrun(e, READ_ONCE(reader->cursor.next)))
		events |= EPOLLPRI;
	return events;
}

static int ioctl_ring_wait(struct file *filp, void __user *user)
{
	struct vrseq_file *file = filp->private_data;
	struct vrseq_group *group = attached(file);
	struct vrseq_ring_wait wait;

	if (IS_ERR(group))
		return PTR_ERR(group);
	if (copy_from_user(&wait, user, sizeof(wait)))
		return -EFAULT;
	if (memchr_inv(wait.reserved, 0, sizeof(wait.reserved)))
		return -EINVAL;
	return vrseq_ring_wait(&group->engine, wait.position, wait.deadline_ns,
			       filp->f_flags & O_NONBLOCK);
}

static int mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct vrseq_group *group = attached(filp->private_data);

	if (IS_ERR(group))
		return PTR_ERR(group);
	return vrseq_ring_mmap(&group->engine, vma);
}

/* ---- the device ----------------------------------------------------------- */

static long ioctl(struct file *filp, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (command) {
	case VRSEQ_IOC_INFO:
		return ioctl_info(filp->private_data, user);
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
	case VRSEQ_IOC_SEEK:
		return ioctl_seek(filp->private_data, user);
	case VRSEQ_IOC_BARRIER:
		return ioctl_barrier(filp, user);
	case VRSEQ_IOC_RING_WAIT:
		return ioctl_ring_wait(filp, user);
	default:
		return -ENOTTY;
	}
}

static int open(struct inode *inode, struct file *filp)
{
	struct vrseq_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	file->opened = filp;
	file->net_cookie = current->nsproxy->net_ns->net_cookie;
	mutex_init(&file->attach_lock);
	spin_lock_init(&file->spare_lock);
	vrseq_reader_init(&file->reader);
	filp->private_data = file;
	/* Positions are the reader's business: there is no read or write at one. */
	filp->f_mode &= ~(FMODE_PREAD | FMODE_PWRITE);
	/* Now means now, if there is a group to attach to. */
	if ((filp->f_flags & O_APPEND) && (filp->f_mode & FMODE_READ)) {
		file->reader.cursor.next = VRSEQ_NOW;
		attached(file);
	}
	return 0;
}

static int open_raw(struct inode *inode, struct file *filp)
{
	int error = open(inode, filp);

	if (!error) {
		struct vrseq_file *file = filp->private_data;

		file->reader.flags = VRSEQ_SEEK_RAW;
	}
	return error;
}

/*
 * The last reference to the open file is gone, however it was passed on: by dup(), fork(),
 * SCM_RIGHTS, exec() or a mapping, and dropped by close(), or by the end of a process, killed
 * by whomever, in whatever call, for want of memory too. Why nothing is left behind:
 *
 * a) Nobody is in a call of this file: each holds a reference as long as it lasts, so do a
 *    command of io_uring and a mapping of the ring. A process that is killed leaves its call
 *    first: whatever waits there can be killed, or ends within a second.
 * b) The session ends by itself: its slot is the group's, and stays taken until the core has
 *    none of its operations and SESSION_END was applied, or the group is gone. So do messages
 *    under way; a member without a quorum keeps them until it has one. No new file pays for
 *    that with anything but EDQUOT.
 * c) Not even that holds the group: its list does, until it is deleted, which nothing but
 *    attached files delays, and this one is attached no more when vrseq_group_detach()
 *    returns. The module is held by the file, until after this.
 */
static int release(struct inode *inode, struct file *filp)
{
	struct vrseq_file *file = filp->private_data;

	if (file->group)
		vrseq_group_detach(file->group, file->slot);
	vrseq_uring_destroy(file->uring);
	vrseq_buffer_free(&file->spare);
	vrseq_reader_free(&file->reader);
	kfree(file);
	return 0;
}

#define FILE_OPERATIONS(how) {			\
	.owner = THIS_MODULE,			\
	.open = how,				\
	.release = release,			\
	.llseek = llseek,			\
	.read_iter = read_iter,			\
	.write_iter = write_iter,		\
	.fsync = fsync,				\
	.poll = poll,				\
	.mmap = mmap,				\
	.uring_cmd = uring_cmd,			\
	.unlocked_ioctl = ioctl,		\
	.compat_ioctl = compat_ptr_ioctl,	\
}

static const struct file_operations file_operations = FILE_OPERATIONS(open);
static const struct file_operations raw_operations = FILE_OPERATIONS(open_raw);

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vrseq",
	.mode = 0660,
	.fops = &file_operations,
};

/* The same for programs that know nothing of records. */
static struct miscdevice raw_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vrseq-raw",
	.mode = 0660,
	.fops = &raw_operations,
};

/** vrseq_chardev_init - make the devices appear */
int __init vrseq_chardev_init(void)
{
	int error = misc_register(&device);

	if (error)
		return error;
	error = misc_register(&raw_device);
	if (error)
		misc_deregister(&device);
	return error;
}

/** vrseq_chardev_exit - make them go; no file is open, or we would not be here */
void vrseq_chardev_exit(void)
{
	misc_deregister(&raw_device);
	misc_deregister(&device);
}
