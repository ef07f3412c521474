// SPDX-License-Identifier: GPL-2.0
/*
 * The yardstick: a UDP datagram to another process and back, both blocking.
 * usage: udp_echo NAME ADDRESS SERVER_NETNS CLIENT_NETNS
 */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench.h"

static int fd;
static char datagram[64];

static void round_trip(void)
{
	if (send(fd, datagram, sizeof(datagram), 0) != sizeof(datagram) ||
	    recv(fd, datagram, sizeof(datagram), 0) != sizeof(datagram))
		die("echo: %s", strerror(errno));
}

static void serve(void)
{
	struct sockaddr_in from;
	socklen_t bytes = sizeof(from);
	ssize_t got;

	for (;;) {
		got = recvfrom(fd, datagram, sizeof(datagram), 0, (void *)&from, &bytes);
		if (got < 0 || sendto(fd, datagram, got, 0, (void *)&from, bytes) != got)
			die("server: %s", strerror(errno));
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(7777) };
	int ready[2];
	pid_t server;
	char byte;

	if (argc != 5 || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1)
		die("usage: udp_echo NAME ADDRESS SERVER_NETNS CLIENT_NETNS");
	if (pipe(ready))
		die("pipe: %s", strerror(errno));
	server = fork();
	if (!server) {
		enter_netns(argv[3]);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		if (bind(fd, (void *)&address, sizeof(address)))
			die("bind: %s", strerror(errno));
		if (write(ready[1], "", 1) != 1)
			die("pipe: %s", strerror(errno));
		serve();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("the server did not start");
	enter_netns(argv[4]);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(fd, (void *)&address, sizeof(address)))
		die("connect: %s", strerror(errno));
	bench_run(argv[1], round_trip);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
