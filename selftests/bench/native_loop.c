// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of an open /dev/vrseq one after the other, called in the kernel: on UML the entry of a
 * system call takes longer than a commit. And what they are compared with, a datagram to another
 * socket and back. Owns /dev/native_loop; native_bench.c takes the time.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/uaccess.h>
#include <linux/vrseq.h>
#include <net/sock.h>

#include "native.h"

/* Nobody else asks: each number is the next one. */
static int commit(struct file *file, struct vrseq_next __user *next, u64 *number)
{
	u64 before = *number;
	int error;

	/* Another operation, and not the one before joined. */
	if (put_user(0, &next->hdr.op_id))
		return -EFAULT;
	error = vfs_ioctl(file, VRSEQ_IOC_NEXT, (unsigned long)next);
	if (error)
		return error;
	if (get_user(*number, &next->first))
		return -EFAULT;
	return before && *number != before + 1 ? -EILSEQ : 0;
}

static int commits(const struct native_run *run)
{
	struct fd vrseq = fdget(run->fd);
	u64 number = 0;
	int error = 0;
	u32 i;

	if (!vrseq.file)
		return -EBADF;
	for (i = 0; i < run->count && !error; i++)
		error = commit(vrseq.file, u64_to_user_ptr(run->next), &number);
	fdput(vrseq);
	return error;
}

static int create(struct socket **sock)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int error = sock_create_kern(current->nsproxy->net_ns, AF_INET, SOCK_DGRAM, IPPROTO_UDP,
				     sock);

	return error ?: kernel_bind(*sock, (struct sockaddr *)&any, sizeof(any));
}

static int connect(struct socket *from, struct socket *to)
{
	struct sockaddr_in address;
	int bytes = kernel_getsockname(to, (struct sockaddr *)&address);

	return bytes < 0 ? bytes : kernel_connect(from, (struct sockaddr *)&address, bytes, 0);
}

/* Over loopback it is there when it has been sent, and nobody waits, but rarely for ksoftirqd. */
static int carry(struct socket *from, struct socket *to)
{
	char datagram[64] = "";
	struct kvec vector = { datagram, sizeof(datagram) };
	struct msghdr message = { .msg_flags = 0 };
	int bytes;

	bytes = kernel_sendmsg(from, &message, &vector, 1, sizeof(datagram));
	if (bytes < 0)
		return bytes;
	bytes = kernel_recvmsg(to, &message, &vector, 1, sizeof(datagram), 0);
	return bytes < 0 ? bytes : bytes == sizeof(datagram) ? 0 : -EMSGSIZE;
}

static int echoes(const struct native_run *run)
{
	struct socket *one = NULL, *other = NULL;
	int error;
	u32 i;

	error = create(&one) ?: create(&other) ?: connect(one, other) ?: connect(other, one);
	for (i = 0; i < run->count && !error; i++)
		error = carry(one, other) ?: carry(other, one);
	if (other)
		sock_release(other);
	if (one)
		sock_release(one);
	return error;
}

static long ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct native_run run;

	if (copy_from_user(&run, (void __user *)argument, sizeof(run)))
		return -EFAULT;
	switch (command) {
	case NATIVE_COMMITS:
		return commits(&run);
	case NATIVE_ECHOES:
		return echoes(&run);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations file_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "native_loop",
	.fops = &file_operations,
};
module_misc_device(device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Operations of /dev/vrseq without a system call for each");
