// SPDX-License-Identifier: GPL-2.0
/*
 * The same replica, kmod/core as it is, as a process: what a careful userspace daemon costs where
 * the module does its work in the kernel. One thread, epoll, one UDP socket; all datagrams that
 * are there come with one recvmmsg(), all that follow from them go with one sendmmsg(); nothing is
 * allocated, nothing copied but by the core. No envelope and no key: less than the module does.
 * usage: twin SELF NETNS SOCKET ADDRESS:PORT...	SELF counts the addresses from 0
 */
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

#include "../lib/testlib.h"
#include "twin.h"
#include "vr_replica.h"
#include "vr_wire.h"

#define RECEIVE_MAX	32
#define SEND_MAX	128
/* Rare, as in the groups it is compared with: their cost is not a commit's. */
#define HEARTBEAT_NS	(1000 * VR_NS_PER_MS)
#define VIEW_TIMEOUT_NS	(10000 * VR_NS_PER_MS)
#define FORM_AGAIN_NS	(200 * VR_NS_PER_MS)

enum { FROM_UDP, FROM_CALLERS, FROM_TIMER, FROM_CONNECT };

static const struct vr_wire_group group = { .group = 1, .members = 1 };

static struct sockaddr_in address[VR_REPLICAS_MAX];
static uint8_t self, replicas;
static int udp, timer, wake, listener;
static struct vr_replica *replica;
static struct vr_effects fx;
static struct vr_wire_scratch scratch;
static u64 deadline_ns, armed_ns = U64_MAX, form_ns;
static bool formed;

static struct twin_area *area;
static int area_fd;
static struct {
	int fd;
	u64 session, request;
} caller[TWIN_SLOTS];
static unsigned int callers;

static uint8_t received[RECEIVE_MAX][VR_DATAGRAM_BYTES_MAX];
static struct sockaddr_in source[RECEIVE_MAX];
static struct iovec receive_iov[RECEIVE_MAX];
static struct mmsghdr receives[RECEIVE_MAX];

static uint8_t sent[SEND_MAX][VR_DATAGRAM_BYTES_MAX];
static struct iovec send_iov[SEND_MAX];
static struct mmsghdr sends[SEND_MAX];
static unsigned int send_count;

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* ---- datagrams ------------------------------------------------------------- */

static void flush(void)
{
	unsigned int at = 0;

	while (at < send_count) {
		int count = sendmmsg(udp, sends + at, send_count - at, 0);

		/* What cannot be sent is lost: the one it stopped at. */
		at += count > 0 ? count : 1;
	}
	send_count = 0;
}

static void queue(const struct vr_message *m, u8 to)
{
	if (send_count == SEND_MAX)
		flush();
	send_iov[send_count].iov_len =
		vr_wire_encode(sent[send_count], m, to, vr_replica_version_to(replica, m, to),
			       &group);
	sends[send_count].msg_hdr.msg_name = &address[to];
	send_count++;
}

static void prepare_buffers(void)
{
	int i;

	for (i = 0; i < RECEIVE_MAX; i++) {
		receive_iov[i] = (struct iovec) { received[i], sizeof(received[i]) };
		receives[i].msg_hdr = (struct msghdr) {
			.msg_name = &source[i], .msg_namelen = sizeof(source[i]),
			.msg_iov = &receive_iov[i], .msg_iovlen = 1,
		};
	}
	for (i = 0; i < SEND_MAX; i++) {
		send_iov[i].iov_base = sent[i];
		sends[i].msg_hdr = (struct msghdr) {
			.msg_namelen = sizeof(address[0]),
			.msg_iov = &send_iov[i], .msg_iovlen = 1,
		};
	}
}

/* ---- steps ------------------------------------------------------------------- */

static void finish(const struct vr_done *done)
{
	struct twin_slot *slot = &area->slots[done->handle];

	slot->error = done->result.error;
	slot->first = done->result.first;
	slot->last = done->result.last;
	if (slot->kind == VR_KIND_SESSION_BEGIN && !slot->error)
		caller[done->handle].session = done->result.index;
	atomic_store_explicit(&slot->done, 1, memory_order_release);
	if (eventfd_write(caller[done->handle].fd, 1))
		die("eventfd: %s", strerror(errno));
}

static void look(void)
{
	static struct vr_info info;

	vr_replica_describe(replica, &info);
	atomic_store(&area->primary, info.primary);
	atomic_store(&area->ready, info.has_quorum && info.status == VR_STATUS_NORMAL &&
		     info.primary != VR_NOBODY);
	formed = info.status != VR_STATUS_BLANK && info.status != VR_STATUS_FORMING;
}

static void step(struct vr_event *ev, u64 now)
{
	u32 i;
	u8 to;

	ev->now_ns = now;
	vr_step(replica, ev, &fx);
	deadline_ns = fx.deadline_ns;
	for (i = 0; i < fx.send_count; i++) {
		const struct vr_send *send = &fx.sends[i];

		if (send->message.type == VR_PREPARE)
			atomic_store_explicit(&area->prepares, area->prepares + 1,
					      memory_order_relaxed);
		for (to = 0; to < replicas; to++) {
			if (send->to_mask & 1u << to)
				queue(&send->message, to);
		}
	}
	for (i = 0; i < fx.done_count; i++)
		finish(&fx.done[i]);
	if (fx.status_changed || fx.form_done)
		look();
}

static void receive(u64 now)
{
	struct vr_event ev = { .type = VR_EVENT_RECEIVE, .message = &scratch.message };
	int count, i;

	count = recvmmsg(udp, receives, RECEIVE_MAX, MSG_DONTWAIT, NULL);
	for (i = 0; i < count; i++) {
		u8 from;

		if (vr_wire_decode(&scratch, received[i], receives[i].msg_len, &group,
				   &ev.members_differ))
			continue;
		from = scratch.message.from;
		if (from >= replicas || source[i].sin_port != address[from].sin_port ||
		    source[i].sin_addr.s_addr != address[from].sin_addr.s_addr)
			continue;
		step(&ev, now);
	}
}

static void submit(u32 number, u64 now)
{
	struct twin_slot *slot = &area->slots[number];
	struct vr_event ev = { .type = VR_EVENT_SUBMIT };

	ev.submit.handle = number;
	ev.submit.kind = slot->kind;
	ev.submit.argument = slot->argument;
	if (slot->kind == VR_KIND_SESSION_BEGIN) {
		ev.submit.request = number + 1;
	} else if (slot->kind == VR_KIND_GET && slot->read != VR_READ_LOG) {
		ev.submit.read = slot->read;
	} else {
		ev.submit.session = caller[number].session;
		ev.submit.request = ++caller[number].request;
	}
	ev.submit.body = slot->body;
	ev.submit.body_bytes = slot->bytes < TWIN_BODY ? slot->bytes : TWIN_BODY;
	step(&ev, now);
}

static bool asked(void)
{
	u32 word;

	for (word = 0; word < TWIN_WORDS; word++) {
		if (atomic_load(&area->asked[word]))
			return true;
	}
	return false;
}

static void submit_all(u64 now)
{
	u32 word;

	for (word = 0; word < TWIN_WORDS; word++) {
		u64 asked = atomic_load(&area->asked[word]);

		if (asked)
			asked = atomic_exchange(&area->asked[word], 0);
		for (; asked; asked &= asked - 1)
			submit(word * 64 + __builtin_ctzll(asked), now);
	}
}

static void expire(u64 now)
{
	struct vr_event ev = { .type = VR_EVENT_TIMEOUT };
	uint64_t expired;

	if (read(timer, &expired, sizeof(expired)) != sizeof(expired))
		return;
	armed_ns = U64_MAX;
	if (now >= deadline_ns)
		step(&ev, now);
	if (!self && !formed && now >= form_ns) {
		ev = (struct vr_event) { .type = VR_EVENT_FORM, .form_id = now };
		form_ns = now + FORM_AGAIN_NS;
		step(&ev, now);
	}
}

/* As the module does: a timer that expires too early costs less than moving it. */
static void arm(void)
{
	struct itimerspec at = { 0 };
	u64 wanted_ns = !self && !formed && form_ns < deadline_ns ? form_ns : deadline_ns;

	if (wanted_ns >= armed_ns)
		return;
	armed_ns = wanted_ns;
	at.it_value.tv_sec = wanted_ns / 1000000000;
	at.it_value.tv_nsec = wanted_ns % 1000000000;
	if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL))
		die("timerfd: %s", strerror(errno));
}

/* ---- callers ------------------------------------------------------------------ */

static void admit(void)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(3 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { &callers, sizeof(callers) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), fds[3];

	if (fd < 0)
		die("accept: %s", strerror(errno));
	if (callers == TWIN_SLOTS)
		die("too many callers");
	caller[callers].fd = eventfd(0, EFD_CLOEXEC);
	fds[0] = area_fd;
	fds[1] = wake;
	fds[2] = caller[callers].fd;
	control.head.cmsg_len = CMSG_LEN(sizeof(fds));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	if (fds[2] < 0 || sendmsg(fd, &message, 0) < 0)
		die("caller: %s", strerror(errno));
	close(fd);
	callers++;
}

/* ---- life --------------------------------------------------------------------- */

static void watch(int epoll, int fd, u32 events, u64 what)
{
	struct epoll_event event = { .events = events, .data.u64 = what };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl: %s", strerror(errno));
}

static void create_sockets(const char *path)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	int bytes = 1 << 20;

	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (udp < 0 || bind(udp, (void *)&address[self], sizeof(address[self])))
		die("udp: %s", strerror(errno));
	setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	snprintf(local.sun_path, sizeof(local.sun_path), "%s", path);
	unlink(path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (void *)&local, sizeof(local)) ||
	    listen(listener, TWIN_SLOTS))
		die("%s: %s", path, strerror(errno));
}

static void create_area(void)
{
	area_fd = memfd_create("twin", MFD_CLOEXEC);
	if (area_fd < 0 || ftruncate(area_fd, sizeof(*area)))
		die("memfd: %s", strerror(errno));
	area = mmap(NULL, sizeof(*area), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		    area_fd, 0);
	if (area == MAP_FAILED)
		die("mmap: %s", strerror(errno));
}

/* What the module takes by default, where it matters to a commit. */
static void create_replica(void)
{
	struct vr_event ev = { .type = VR_EVENT_START };
	struct vr_config cfg = {
		.replica_count = replicas, .self = self, .memory_is_durable = true,
		.nonce = now_ns() | 1, .seed = self + 1,
		.heartbeat_ns = HEARTBEAT_NS, .view_timeout_ns = VIEW_TIMEOUT_NS,
		.body_bytes_max = VR_BODY_BYTES_MAX, .log_entries = 8192, .log_bytes = 1 << 21,
		.messages = 4096, .message_bytes = 1 << 21,
		.sessions_max = 1024, .counters_max = 64, .pending_max = TWIN_SLOTS,
	};
	const char *reason = vr_config_invalid(&cfg);

	if (reason)
		die("%s", reason);
	replica = aligned_alloc(64, (vr_replica_size(&cfg) + 63) & ~63ull);
	if (!replica)
		die("no memory");
	memset(replica, 0, vr_replica_size(&cfg));
	replica = vr_replica_init(replica, &cfg);
	step(&ev, now_ns());
	form_ns = now_ns() + FORM_AGAIN_NS;
}

static void parse(int argc, char **argv)
{
	int i;

	if (argc < 5 || argc - 4 > VR_REPLICAS_MAX)
		die("usage: twin SELF NETNS SOCKET ADDRESS:PORT...");
	self = atoi(argv[1]);
	replicas = argc - 4;
	for (i = 0; i < replicas; i++) {
		char *colon = strchr(argv[i + 4], ':');

		if (!colon)
			die("%s: no port", argv[i + 4]);
		*colon = 0;
		address[i].sin_family = AF_INET;
		address[i].sin_port = htons(atoi(colon + 1));
		if (inet_pton(AF_INET, argv[i + 4], &address[i].sin_addr) != 1)
			die("%s: no address", argv[i + 4]);
	}
	if (self >= replicas)
		die("there is no address %u", self);
}

static void serve(int epoll)
{
	struct epoll_event events[4];
	int count, i;
	u64 now;

	for (;;) {
		arm();
		/* Who asks after this wakes us; who asked before has left a bit. */
		atomic_store(&area->sleeps, 1);
		count = epoll_wait(epoll, events, VR_ARRAY_COUNT(events), asked() ? 0 : -1);
		atomic_store(&area->sleeps, 0);
		now = now_ns();
		for (i = 0; i < count; i++) {
			switch (events[i].data.u64) {
			case FROM_UDP:
				receive(now);
				break;
			case FROM_TIMER:
				expire(now);
				break;
			case FROM_CONNECT:
				admit();
				break;
			}
		}
		submit_all(now);
		flush();
	}
}

int main(int argc, char **argv)
{
	int epoll;

	parse(argc, argv);
	enter_netns(argv[2]);
	create_sockets(argv[3]);
	create_area();
	prepare_buffers();
	create_replica();
	flush();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watch(epoll, udp, EPOLLIN, FROM_UDP);
	/* By edges: each write is one, and nobody has to read it. */
	watch(epoll, wake, EPOLLIN | EPOLLET, FROM_CALLERS);
	watch(epoll, timer, EPOLLIN, FROM_TIMER);
	watch(epoll, listener, EPOLLIN, FROM_CONNECT);
	serve(epoll);
}
