// SPDX-License-Identifier: GPL-2.0
/*
 * libvrseq on the module: many threads on one handle, every way to read, what
 * became of operations. In namespace $OPEN_IN, at a member that has a quorum. It
 * refuses to know how the group came about.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "../lib/kselftest_harness.h"
#include "../lib/testlib.h"
#include <vrseq.h>

#define THREADS		32	/* more than the window */
#define DRAWS		8
#define SECOND_NS	1000000000ull
#define PATIENCE_NS	(20 * SECOND_NS)

FIXTURE(handle) {
	struct vrseq *handle;
	struct vrseq_info info;
	struct vrseq_result result;
};

FIXTURE_SETUP(handle)
{
	enter_netns(getenv("OPEN_IN"));
	ASSERT_EQ(0, vrseq_open(NULL, 0, &self->handle));
	ASSERT_EQ(0, vrseq_info(self->handle, &self->info));
}

FIXTURE_TEARDOWN(handle)
{
	vrseq_close(self->handle);
}

struct drawer {
	pthread_t thread;
	struct vrseq *handle;
	struct vrseq_result results[DRAWS];
	int error;
};

static void *draw(void *argument)
{
	struct drawer *drawer = argument;
	int i;

	for (i = 0; i < DRAWS && !drawer->error; i++)
		drawer->error = vrseq_next(drawer->handle, "threads", 1,
					   vrseq_deadline(PATIENCE_NS), &drawer->results[i]);
	return NULL;
}

/* Each number once; op_ids, indexes and numbers in one order. */
TEST_F_TIMEOUT(handle, threads, 120)
{
	static struct drawer drawers[THREADS];
	struct vrseq_result of[THREADS * DRAWS + 1] = { 0 };
	struct vrseq_result *result;
	int i, k;

	for (i = 0; i < THREADS; i++) {
		drawers[i].handle = self->handle;
		ASSERT_EQ(0, pthread_create(&drawers[i].thread, NULL, draw, &drawers[i]));
	}
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(drawers[i].thread, NULL));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, drawers[i].error);
		for (k = 0; k < DRAWS; k++) {
			result = &drawers[i].results[k];
			ASSERT_GE(result->op_id, 1);
			ASSERT_LE(result->op_id, THREADS * DRAWS);
			ASSERT_EQ(0, of[result->op_id].op_id);
			ASSERT_EQ(VRSEQ_OUTCOME_APPLIED, result->outcome);
			of[result->op_id] = *result;
		}
	}
	for (i = 1; i <= THREADS * DRAWS; i++) {
		EXPECT_EQ(i, of[i].first);
		EXPECT_EQ(i, of[i].last);
		EXPECT_GT(of[i].index, of[i - 1].index);
	}
}

TEST_F(handle, read_modes)
{
	static const uint32_t modes[] = {
		VRSEQ_READ_INDEX, VRSEQ_READ_LEASE, VRSEQ_READ_LOG, VRSEQ_READ_LOCAL,
	};
	struct vrseq_result drawn;
	size_t i;

	ASSERT_EQ(0, vrseq_next(self->handle, "modes", 5, vrseq_deadline(PATIENCE_NS), &drawn));
	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		ASSERT_EQ(0, vrseq_get(self->handle, "modes", modes[i],
				       vrseq_deadline(PATIENCE_NS), &self->result));
		EXPECT_EQ(drawn.last, self->result.first);
		EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->result.outcome);
		EXPECT_EQ(VRSEQ_KIND_GET, self->result.kind);
		EXPECT_GE(self->result.index, drawn.index);
		EXPECT_EQ(modes[i] == VRSEQ_READ_LOG, !!self->result.op_id);
		if (modes[i] != VRSEQ_READ_LOCAL)
			EXPECT_EQ(0, self->result.age_ns);
	}
	EXPECT_EQ(-EINVAL, vrseq_get(self->handle, "modes", VRSEQ_READ_LOCAL + 1, 0,
				     &self->result));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->result.outcome);
}

TEST_F(handle, barrier)
{
	struct vrseq_result appended;

	ASSERT_EQ(0, vrseq_append(self->handle, "hello", 5, vrseq_deadline(PATIENCE_NS),
				  &appended));
	ASSERT_EQ(0, vrseq_barrier(self->handle, vrseq_deadline(PATIENCE_NS), &self->result));
	EXPECT_EQ(appended.first, self->result.first);
	EXPECT_GE(self->result.index, appended.index);
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->result.outcome);
	EXPECT_EQ(0, self->result.op_id);
}

TEST_F(handle, result)
{
	struct vrseq_result first, drawn;
	uint32_t i;

	EXPECT_EQ(-EINVAL, vrseq_result(self->handle, 1, 0, &self->result));
	ASSERT_EQ(0, vrseq_append(self->handle, "hello", 5, vrseq_deadline(PATIENCE_NS), &first));
	ASSERT_EQ(0, vrseq_result(self->handle, first.op_id, 0, &self->result));
	EXPECT_EQ(VRSEQ_KIND_APPEND, self->result.kind);
	EXPECT_EQ(first.first, self->result.first);
	EXPECT_EQ(first.last, self->result.last);
	EXPECT_EQ(first.index, self->result.index);

	EXPECT_EQ(-EOVERFLOW, vrseq_next(self->handle, "result", UINT64_MAX,
					 vrseq_deadline(PATIENCE_NS), &drawn));
	EXPECT_EQ(-EOVERFLOW, drawn.error);
	ASSERT_EQ(0, vrseq_result(self->handle, drawn.op_id, 0, &self->result));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->result.outcome);
	EXPECT_EQ(-EOVERFLOW, self->result.error);
	EXPECT_EQ(VRSEQ_KIND_NEXT, self->result.kind);

	for (i = 0; i < self->info.window; i++) {
		ASSERT_EQ(0, vrseq_next(self->handle, "result", 2, vrseq_deadline(PATIENCE_NS),
					&drawn));
		ASSERT_EQ(0, vrseq_result(self->handle, drawn.op_id, 0, &self->result));
		EXPECT_EQ(drawn.first, self->result.first);
		EXPECT_EQ(drawn.last, self->result.last);
		/* the oldest of the window can be joined yet */
		if (i + 2 < self->info.window) {
			ASSERT_EQ(0, vrseq_append_join(self->handle, first.op_id, "hello", 5,
						       vrseq_deadline(PATIENCE_NS),
						       &self->result));
			EXPECT_EQ(first.index, self->result.index);
		}
	}
	EXPECT_EQ(-ESTALE, vrseq_result(self->handle, first.op_id, 0, &self->result));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->result.outcome);
}

static void nonblocking(struct vrseq **handle)
{
	vrseq_close(*handle);
	if (vrseq_open(NULL, O_NONBLOCK, handle))
		abort();
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* One thread has a window of operations under way, and gets all of their ends. */
TEST_F_TIMEOUT(handle, submit_and_reap, 120)
{
	struct vrseq_operation operations[64], one_more;
	uint32_t i, k, window = self->info.window;
	struct vrseq_result last = { 0 };
	int error;

	ASSERT_LT(window, ARRAY_SIZE(operations));
	nonblocking(&self->handle);
	for (i = 0; i < 4 * window; i++) {
		k = i % window;
		if (i >= window) {
			ASSERT_EQ(0, vrseq_reap(self->handle, &operations[k],
						vrseq_deadline(PATIENCE_NS), &self->result));
			EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->result.outcome);
			EXPECT_EQ(i - window + 1, self->result.op_id);
			EXPECT_GT(self->result.index, last.index);
			last = self->result;
		}
		error = k % 2 ? vrseq_submit_append(self->handle, "async", 5, &operations[k]) :
				vrseq_submit_next(self->handle, "async", 1, &operations[k]);
		ASSERT_EQ(0, error);
	}
	for (i = 0; i < window; i++)
		ASSERT_EQ(0, vrseq_reap(self->handle, &operations[i],
					vrseq_deadline(PATIENCE_NS), NULL));
	EXPECT_EQ(-EINVAL, vrseq_submit_next(self->handle, "async", 0, &one_more));
	ASSERT_EQ(0, vrseq_submit_next(self->handle, "async", UINT64_MAX, &one_more));
	EXPECT_EQ(-EOVERFLOW, vrseq_reap(self->handle, &one_more, vrseq_deadline(PATIENCE_NS),
					 &self->result));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->result.outcome);
	ASSERT_EQ(0, vrseq_submit_next(self->handle, "async", 1, &one_more));
	ASSERT_EQ(0, vrseq_reap(self->handle, &one_more, VRSEQ_NO_DEADLINE, &self->result));
	EXPECT_EQ(4 * window / 2 + 1, self->result.first);
}

/*
 * $DELAY_NS is what a datagram takes to another member: a window of operations
 * takes little longer than one, if they are really under way at the same time.
 */
TEST_F_TIMEOUT(handle, submit_is_parallel, 120)
{
	uint64_t delay_ns = getenv("DELAY_NS") ? strtoull(getenv("DELAY_NS"), NULL, 10) : 0;
	struct vrseq_operation operations[64];
	uint32_t i, window = self->info.window;
	uint64_t begin;

	if (!delay_ns)
		SKIP(return, "no delay");
	ASSERT_EQ(0, vrseq_next(self->handle, "delay", 1, vrseq_deadline(PATIENCE_NS), NULL));
	begin = now_ns();
	ASSERT_EQ(0, vrseq_next(self->handle, "delay", 1, vrseq_deadline(PATIENCE_NS), NULL));
	EXPECT_GE(now_ns() - begin, 2 * delay_ns);
	nonblocking(&self->handle);
	ASSERT_EQ(0, vrseq_submit_next(self->handle, "delay", 1, &operations[0]));
	EXPECT_EQ(-ETIMEDOUT, vrseq_reap(self->handle, &operations[0], vrseq_deadline(0), NULL));
	ASSERT_EQ(0, vrseq_reap(self->handle, &operations[0], vrseq_deadline(PATIENCE_NS), NULL));
	begin = now_ns();
	for (i = 0; i < window; i++)
		ASSERT_EQ(0, vrseq_submit_next(self->handle, "delay", 1, &operations[i]));
	EXPECT_EQ(-EAGAIN, vrseq_submit_next(self->handle, "delay", 1, &operations[window]));
	for (i = 0; i < window; i++)
		ASSERT_EQ(0, vrseq_reap(self->handle, &operations[i],
					vrseq_deadline(PATIENCE_NS), NULL));
	EXPECT_LT(now_ns() - begin, window * delay_ns);
}

TEST_F(handle, status)
{
	struct vrseq_status status;

	ASSERT_EQ(0, vrseq_status(self->handle, &status));
	EXPECT_EQ(VRSEQ_STATE_NORMAL, status.state);
	EXPECT_EQ(1, status.has_quorum);
	EXPECT_GE(status.incarnation, 1);
}

TEST_HARNESS_MAIN
