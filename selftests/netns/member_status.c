// SPDX-License-Identifier: GPL-2.0
/*
 * STATUS of one member as shell assignments, s_state=2 and so on: what scripts wait for. Fast, and
 * independent of netlink and of the tool. usage: member_status NETNS [GROUP]; NETNS - is
 * the one we are in
 */
#include <inttypes.h>
#include <sys/ioctl.h>
#include <linux/vrseq.h>

#include "../lib/testlib.h"

#define PRINT(field) printf("s_" #field "=%" PRIu64 "\n", (uint64_t)status.field)

int main(int argc, char **argv)
{
	struct vrseq_attach attach = { 0 };
	struct vrseq_status status;
	int fd;

	if (argc < 2)
		die("usage: member_status NETNS [GROUP]");
	if (strcmp(argv[1], "-"))
		enter_netns(argv[1]);
	fd = open("/dev/vrseq", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	if (argc > 2)
		strncpy(attach.group, argv[2], sizeof(attach.group) - 1);
	if (ioctl(fd, VRSEQ_IOC_ATTACH, &attach))
		die("ATTACH: %s", strerror(errno));
	if (ioctl(fd, VRSEQ_IOC_STATUS, &status))
		die("STATUS: %s", strerror(errno));
	PRINT(state);
	PRINT(has_quorum);
	PRINT(self_id);
	PRINT(primary_id);
	PRINT(view);
	PRINT(op);
	PRINT(commit);
	PRINT(commit_hash);
	PRINT(sequence_first);
	PRINT(sequence_last);
	return 0;
}
