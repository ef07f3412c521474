// SPDX-License-Identifier: GPL-2.0
/*
 * Who may use a group, and how long an open file goes on: by SCM_RIGHTS, in flight, by fork
 * and exec. The device is for the Unix group $DEVICE_GID, the only group here is for
 * $GROUP_GID and has room for two files.
 */
#include <grp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../lib/kselftest_harness.h"
#include "dev.h"

#define NOBODY 65534

/* In a process of its own: this cannot be taken back. */
static int become(gid_t first, gid_t second)
{
	gid_t gids[] = { first, second };

	return setgroups(second ? 2 : 1, gids) || setresgid(NOBODY, NOBODY, NOBODY) ||
	       setresuid(NOBODY, NOBODY, NOBODY);
}

static int send_file(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_file(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

FIXTURE(rights) {
	gid_t device_gid;
	gid_t group_gid;
	int socket[2];
	struct vrseq_next next;
};

FIXTURE_SETUP(rights)
{
	ASSERT_NE(NULL, getenv("DEVICE_GID"));
	ASSERT_NE(NULL, getenv("GROUP_GID"));
	self->device_gid = atoi(getenv("DEVICE_GID"));
	self->group_gid = atoi(getenv("GROUP_GID"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, self->socket));
}

FIXTURE_TEARDOWN(rights)
{
	close(self->socket[0]);
	close(self->socket[1]);
}

/* How many more files find room. */
static unsigned int room(void)
{
	int fds[3], error, count = 0, i;

	do {
		fds[count] = dev_open(O_RDWR);
		error = dev_attach(fds[count++], "t");
	} while (!error && count < 3);
	for (i = 0; i < count; i++)
		close(fds[i]);
	return error ? count - 1 : count;
}

/* A slot is free when the end of its session is in the log. */
static bool has_room(unsigned int files)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (room() == files)
			return true;
		usleep(50000);
	}
	return false;
}

TEST_F(rights, device)
{
	ASSERT_EQ(0, become(self->group_gid, 0));
	EXPECT_EQ(-1, dev_open(O_RDONLY));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(rights, of_the_group)
{
	int fd;

	ASSERT_EQ(0, become(self->device_gid, self->group_gid));
	fd = dev_open(O_RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, dev_next(fd, "", 1, &self->next));
	close(fd);
}

/* Whatever it is that would attach the file. */
TEST_F(rights, of_no_group)
{
	unsigned char buffer[128];
	struct vrseq_status status;
	struct vrseq_append append;
	int fd;

	ASSERT_EQ(0, become(self->device_gid, 0));
	fd = dev_open(O_RDWR);
	ASSERT_GE(fd, 0);
	PROVOKE(EACCES, dev_attach(fd, "t"));
	PROVOKE(EACCES, dev_attach(fd, ""));
	PROVOKE(EACCES, dev_next(fd, "", 1, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	PROVOKE(EACCES, dev_append(fd, "no", 2, &append));
	PROVOKE(EACCES, dev_write(fd, "no", 2));
	PROVOKE(EACCES, dev_read(fd, buffer, sizeof(buffer)));
	PROVOKE(EACCES, dev_ioctl(fd, VRSEQ_IOC_STATUS, &status));
	EXPECT_EQ(POLLERR, dev_poll(fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	close(fd);
	fd = dev_open(O_RDONLY | O_APPEND);
	ASSERT_GE(fd, 0);
	PROVOKE(EACCES, dev_read(fd, buffer, sizeof(buffer)));
}

/* What somebody without rights opened is no more in the hands of somebody who has them. */
TEST_F(rights, opener_counts)
{
	unsigned int files = room();
	int fd;

	if (!fork()) {
		if (become(self->device_gid, 0))
			_exit(1);
		_exit(send_file(self->socket[0], dev_open(O_RDWR)) ? 1 : 0);
	}
	fd = receive_file(self->socket[1]);
	ASSERT_GE(fd, 0);
	PROVOKE(EACCES, dev_attach(fd, "t"));
	PROVOKE(EACCES, dev_write(fd, "sudo: no such command", 21));
	/* As somebody's stderr. */
	fflush(NULL);
	if (!fork()) {
		dup2(fd, 2);
		execl("/bin/sh", "sh", "-c", "echo no >&2", NULL);
		_exit(127);
	}
	wait(NULL);
	wait(NULL);
	PROVOKE(EACCES, dev_next(fd, "", 1, &self->next));
	close(fd);
	EXPECT_EQ(files, room());
}

/* And what somebody with rights opened, and gives away, is good. */
TEST_F(rights, given_away)
{
	int fd = dev_open(O_RDWR), status;

	ASSERT_EQ(0, send_file(self->socket[0], fd));
	close(fd);
	if (!fork()) {
		fd = receive_file(self->socket[1]);
		if (become(NOBODY, 0))
			_exit(1);
		_exit(dev_next(fd, "", 1, &self->next) ? 2 : 0);
	}
	wait(&status);
	EXPECT_EQ(0, status);
}

/* A file that only a socket holds is open, session and all; with the socket it goes. */
TEST_F(rights, in_flight)
{
	int fd = dev_open(O_RDWR);
	__u64 op_id, first;

	ASSERT_TRUE(has_room(2));
	ASSERT_EQ(0, dev_next(fd, "flight", 3, &self->next));
	op_id = self->next.hdr.op_id;
	first = self->next.first;
	ASSERT_EQ(0, send_file(self->socket[0], fd));
	close(fd);
	EXPECT_EQ(1, room());
	fd = receive_file(self->socket[1]);
	ASSERT_GE(fd, 0);
	/* The same session: what it did can be asked for again, and is not done twice. */
	memset(&self->next, 0, sizeof(self->next));
	strcpy(self->next.counter, "flight");
	self->next.count = 3;
	self->next.hdr.op_id = op_id;
	ASSERT_EQ(0, dev_ioctl(fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(first, self->next.first);
	/* Into a socket that is itself in flight, both ways: nobody can get it out again. */
	ASSERT_EQ(0, send_file(self->socket[0], fd));
	ASSERT_EQ(0, send_file(self->socket[0], self->socket[1]));
	close(fd);
	EXPECT_EQ(1, room());
	close(self->socket[0]);
	close(self->socket[1]);
	/* The kernel looks for such circles when the next socket goes. */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, self->socket));
	close(self->socket[0]);
	EXPECT_TRUE(has_room(2));
}

static pid_t run_sleep(int fd, bool keep)
{
	pid_t child;

	fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
	fflush(NULL);
	child = fork();
	if (!child) {
		execlp("sleep", "sleep", "100", NULL);
		_exit(127);
	}
	return child;
}

/* A program that is given the file holds it until it ends; one that is not does not. */
TEST_F(rights, exec)
{
	int fd = dev_open(O_RDWR);
	pid_t child;

	ASSERT_TRUE(has_room(2));
	ASSERT_EQ(0, dev_next(fd, "", 1, &self->next));
	child = run_sleep(fd, true);
	close(fd);
	usleep(300000);
	EXPECT_EQ(1, room());
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_TRUE(has_room(2));

	fd = dev_open(O_RDWR);
	ASSERT_EQ(0, dev_next(fd, "", 1, &self->next));
	child = run_sleep(fd, false);
	close(fd);
	EXPECT_TRUE(has_room(2));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST_HARNESS_MAIN
