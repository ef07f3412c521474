// SPDX-License-Identifier: GPL-2.0
/*
 * What a message of corosync's closed process groups takes, from its sending until it is delivered
 * to who sent it, in the order in which everybody gets it.
 * usage: cpg_bench NAME NETNS NODES
 */
#include <corosync/cpg.h>

#include "bench.h"

static cpg_handle_t handle;
static size_t nodes;
static bool delivered;

static void on_message(cpg_handle_t from, const struct cpg_name *name, uint32_t node,
		       uint32_t pid, void *message, size_t bytes)
{
	delivered = true;
	(void)from, (void)name, (void)node, (void)pid, (void)message, (void)bytes;
}

static void on_nodes(cpg_handle_t of, struct cpg_ring_id ring, uint32_t count,
		     const uint32_t *ids)
{
	nodes = count;
	(void)of, (void)ring, (void)ids;
}

static void must(const char *what, cs_error_t error)
{
	if (error != CS_OK)
		die("%s: %d", what, error);
}

static void round_trip(void)
{
	static char message[64];
	struct iovec vector = { message, sizeof(message) };

	delivered = false;
	must("cpg_mcast_joined", cpg_mcast_joined(handle, CPG_TYPE_AGREED, &vector, 1));
	while (!delivered)
		must("cpg_dispatch", cpg_dispatch(handle, CS_DISPATCH_ONE));
}

int main(int argc, char **argv)
{
	cpg_model_v1_data_t model = {
		.cpg_deliver_fn = on_message,
		.cpg_totem_confchg_fn = on_nodes,
		.flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF,
	};
	int tries = 600;
	struct cpg_name name = { .length = 5, .value = "bench" };

	if (argc != 4)
		die("usage: cpg_bench NAME NETNS NODES");
	enter_netns(argv[2]);
	/* It may be about to begin. */
	while (cpg_model_initialize(&handle, CPG_MODEL_V1, (void *)&model, NULL) != CS_OK) {
		if (!tries--)
			die("cpg_model_initialize: corosync does not answer");
		usleep(100000);
	}
	must("cpg_join", cpg_join(handle, &name));
	while (nodes != (size_t)atoi(argv[3]))
		must("cpg_dispatch", cpg_dispatch(handle, CS_DISPATCH_ONE));
	bench_run(argv[1], round_trip);
	must("cpg_finalize", cpg_finalize(handle));
	return 0;
}
