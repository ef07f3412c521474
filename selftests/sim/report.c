// SPDX-License-Identifier: GPL-2.0
/* Words for people: traces, failures, coverage. Decides nothing. */
#include <stdarg.h>

#include "sim.h"

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (sim->failed)
		return;
	sim->failed = true;
	va_start(arguments, format);
	vsnprintf(sim->failure, sizeof(sim->failure), format, arguments);
	va_end(arguments);
	sim_trace(sim, NULL, "FAILURE %s", sim->failure);
}

void sim_trace(struct sim *sim, const struct sim_node *node, const char *format, ...)
{
	va_list arguments;

	if (!sim->trace)
		return;
	printf("%13.6f  ", (double)sim->now_ns / SIM_NS_PER_MS);
	if (node)
		printf("r%u  ", node->slot);
	else
		printf("--  ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

const char *sim_status_name(u8 status)
{
	static const char * const names[VR_STATUS_COUNT] = {
		"BLANK", "FORMING", "NORMAL", "VIEW_CHANGE", "RECOVERING", "HALTED", "AMNESIA",
	};

	return status < VR_STATUS_COUNT ? names[status] : "?";
}

const char *sim_kind_name(u8 kind)
{
	static const char * const names[VR_KIND_COUNT] = {
		"-", "BEGIN", "END", "NEXT", "GET", "APPEND", "RESULT", "NODE_END",
	};

	return kind < VR_KIND_COUNT ? names[kind] : "?";
}

const char *sim_message_text(const struct vr_message *m, char *text, size_t room)
{
	unsigned long long view = m->view, op = m->op & VR_COUNT_MASK;
	unsigned long long commit = m->commit & VR_COUNT_MASK;
	const char *name = vr_type_name(m->type);

	switch (m->type) {
	case VR_REQUEST:
		snprintf(text, room, "%s(%s session %llu request %llu)", name,
			 sim_kind_name(m->entries[0]->kind),
			 (unsigned long long)(m->entries[0]->session & VR_COUNT_MASK),
			 (unsigned long long)m->entries[0]->request);
		break;
	case VR_PREPARE:
		snprintf(text, room, "%s(view %llu, %llu +%u, commit %llu)", name, view, op,
			 m->entry_count, commit);
		break;
	case VR_NEW_STATE:
		snprintf(text, room, "%s(view %llu, log view %llu, %llu +%u, commit %llu)", name,
			 view, (unsigned long long)m->log_view, op, m->entry_count, commit);
		break;
	case VR_PREPARE_OK:
		snprintf(text, room, "%s(view %llu, op %llu)", name, view, op);
		break;
	case VR_COMMIT:
		snprintf(text, room, "%s(view %llu, commit %llu)", name, view, commit);
		break;
	case VR_DO_VIEW_CHANGE:
		snprintf(text, room, "%s(view %llu, log view %llu, op %llu, commit %llu)", name,
			 view, (unsigned long long)m->log_view, op, commit);
		break;
	case VR_GET_STATE:
		snprintf(text, room, "%s(view %llu, log view %llu, from %llu)", name, view,
			 (unsigned long long)m->log_view, op);
		break;
	case VR_RECOVERY:
	case VR_RECOVERY_RESPONSE:
		snprintf(text, room, "%s(attempt %llu, view %llu, op %llu, commit %llu%s)", name,
			 (unsigned long long)m->nonces[1], view, op, commit,
			 m->hash_count ? ", leads" : "");
		break;
	case VR_GET_CHECKPOINT:
	case VR_CHECKPOINT:
		snprintf(text, room, "%s(view %llu, op %llu, from byte %u of %u)", name, view, op,
			 m->offset, m->total_bytes);
		break;
	case VR_GET_INDEX:
	case VR_NEW_INDEX:
		snprintf(text, room, "%s(view %llu, read %llu, index %llu)", name, view,
			 (unsigned long long)m->read_id, op);
		break;
	case VR_START_VIEW:
	case VR_PING:
		snprintf(text, room, "%s(view %llu, op %llu, commit %llu%s%s)", name, view, op,
			 commit, m->type == VR_PING ? ", " : "",
			 m->type == VR_PING ? sim_status_name(m->status) : "");
		break;
	default:
		snprintf(text, room, "%s(view %llu)", name, view);
	}
	return text;
}

static void event_text(const struct vr_event *event, char *text, size_t room)
{
	static const char * const names[VR_EVENT_COUNT] = {
		[VR_EVENT_START] = "START",
		[VR_EVENT_TIMEOUT] = "TIMEOUT",
		[VR_EVENT_FORM] = "FORM",
		[VR_EVENT_LEAVE] = "LEAVE",
		[VR_EVENT_DISK_FAILED] = "DISK_FAILED",
		[VR_EVENT_DEMOTE] = "DEMOTE",
		[VR_EVENT_RECORDED] = "RECORDED",
		[VR_EVENT_REFORM] = "REFORM",
	};
	static const char * const reads[VR_READ_COUNT] = { "", " INDEX", " LEASE", " LOCAL" };
	char message[160];

	switch (event->type) {
	case VR_EVENT_RECEIVE:
		snprintf(text, room, "<%u %s", event->message->from,
			 sim_message_text(event->message, message, sizeof(message)));
		break;
	case VR_EVENT_SUBMIT:
		snprintf(text, room, "SUBMIT %u %s%s session %llu request %llu%s +%llu %.*s",
			 event->submit.handle, sim_kind_name(event->submit.kind),
			 reads[event->submit.read],
			 (unsigned long long)(event->submit.session & VR_COUNT_MASK),
			 (unsigned long long)event->submit.request,
			 event->submit.again ? " again" : "",
			 (unsigned long long)event->submit.argument,
			 event->submit.kind == VR_KIND_APPEND ? 0 : event->submit.body_bytes,
			 (const char *)event->submit.body);
		break;
	case VR_EVENT_DURABLE:
		snprintf(text, room, "DURABLE %llu",
			 (unsigned long long)(event->op & VR_COUNT_MASK));
		break;
	default:
		snprintf(text, room, "%s", names[event->type]);
	}
}

void sim_trace_step(struct sim *sim, const struct sim_node *node, const struct vr_event *event,
		    const struct vr_effects *fx)
{
	const struct vr_info *info = &node->info;
	char text[256];
	u32 i;

	event_text(event, text, sizeof(text));
	sim_trace(sim, node, "%-62s %-11s v%llu/%llu op %llu commit %llu", text,
		  sim_status_name(info->status), (unsigned long long)info->view,
		  (unsigned long long)info->last_normal_view,
		  (unsigned long long)(info->op & VR_COUNT_MASK),
		  (unsigned long long)(info->commit & VR_COUNT_MASK));
	for (i = 0; i < fx->send_count; i++) {
		const struct vr_send *send = &fx->sends[i];

		printf("%22s>%02x %s\n", "", send->to_mask,
		       sim_message_text(&send->message, text, sizeof(text)));
	}
	for (i = 0; i < fx->done_count; i++) {
		const struct vr_done *done = &fx->done[i];

		printf("%22s=%u request %llu outcome %u error %d index %llu %llu..%llu\n", "",
		       done->handle, (unsigned long long)done->request, done->outcome,
		       done->outcome ? done->result.error : 0,
		       (unsigned long long)(done->result.index & VR_COUNT_MASK),
		       (unsigned long long)(done->result.first & VR_COUNT_MASK),
		       (unsigned long long)(done->result.last & VR_COUNT_MASK));
	}
	if (fx->form_done)
		printf("%22sFORM DONE error %u slot %u\n", "", fx->form_error, fx->form_slot);
}

const char *sim_fault_name(enum sim_fault fault)
{
	static const char * const names[FAULT_COUNT] = {
		[FAULT_LOSS] = "loss",
		[FAULT_DUPLICATE] = "duplicate",
		[FAULT_DELAY] = "delay",
		[FAULT_SIZE] = "size",
		[FAULT_TYPE] = "type",
		[FAULT_PARTITION] = "partition",
		[FAULT_HUNT] = "hunt",
		[FAULT_REPLAY] = "replay",
		[FAULT_GARBAGE] = "garbage",
		[FAULT_CRASH] = "crash",
		[FAULT_RESTART] = "restart",
		[FAULT_PAUSE] = "pause",
		[FAULT_SLOW_DISK] = "slow_disk",
		[FAULT_LATE_TIMER] = "late_timer",
		[FAULT_CLOCK] = "clock",
		[FAULT_FORM] = "form",
		[FAULT_ABANDON] = "abandon",
		[FAULT_OLD_LIFE] = "old_life",
		[FAULT_DEMOTE] = "demote",
		[FAULT_ROLLBACK] = "rollback",
		[FAULT_LEAVE] = "leave",
		[FAULT_BLACKOUT] = "blackout",
		[FAULT_POWER] = "power",
		[FAULT_DISK] = "disk",
		[FAULT_OUTAGE] = "outage",
		[FAULT_RECORD] = "record",
		[FAULT_REFORM] = "reform",
		[FAULT_REMOTE] = "remote",
		[FAULT_EXCHANGE] = "exchange",
	};

	return names[fault];
}

const char *sim_mark_name(enum sim_mark mark)
{
	static const char * const names[MARK_COUNT] = {
		[MARK_FORMED] = "formed",
		[MARK_FORM_REFUSED] = "form_refused",
		[MARK_FORM_RACE] = "form_race",
		[MARK_UNFORMABLE] = "unformable",
		[MARK_CRASH] = "crash",
		[MARK_RESTART] = "restart",
		[MARK_RESTART_UNFORMED] = "restart_unformed",
		[MARK_BLACKOUT] = "blackout",
		[MARK_PAUSE] = "pause",
		[MARK_FREEZE] = "freeze",
		[MARK_DEMOTE] = "demote",
		[MARK_ROLLBACK] = "rollback",
		[MARK_LEAVE] = "leave",
		[MARK_LEFT] = "left",
		[MARK_PARTITION] = "partition",
		[MARK_ONE_WAY] = "one_way",
		[MARK_HUNT] = "hunt",
		[MARK_CHAIN] = "chain",
		[MARK_REPLAY] = "replay",
		[MARK_WITHHELD] = "withheld",
		[MARK_MEMORY_LOST] = "memory_lost",
		[MARK_RECOVERED] = "recovered",
		[MARK_RECOVERED_TWICE] = "recovered_twice",
		[MARK_AMNESIA] = "amnesia",
		[MARK_AMNESIA_OVER] = "amnesia_over",
		[MARK_DOOMED] = "doomed",
		[MARK_CHECKPOINT] = "checkpoint",
		[MARK_CHECKPOINTS_MET] = "checkpoints_met",
		[MARK_CHECKPOINT_FETCHED] = "checkpoint_fetched",
		[MARK_CHECKPOINT_RECOVERED] = "checkpoint_recovered",
		[MARK_RING_WRAPPED] = "ring_wrapped",
		[MARK_READER_OVERRUN] = "reader_overrun",
		[MARK_MEMBERS_DIFFER] = "members_differ",
		[MARK_DONE_APPLIED] = "done_applied",
		[MARK_DONE_NOT_APPLIED] = "done_not_applied",
		[MARK_DONE_UNKNOWN] = "done_unknown",
		[MARK_DONE_AT_BACKUP] = "done_at_backup",
		[MARK_DONE_EARLY] = "done_early",
		[MARK_JOIN] = "join",
		[MARK_ASKED_AGAIN] = "asked_again",
		[MARK_ABANDONED] = "abandoned",
		[MARK_TAKEN_BACK] = "taken_back",
		[MARK_WINDOW_FULL] = "window_full",
		[MARK_PASSED_OVER] = "passed_over",
		[MARK_SETTLED_APPLIED] = "settled_applied",
		[MARK_SETTLED_NOT] = "settled_not",
		[MARK_READ_INDEX] = "read_index",
		[MARK_READ_LEASE] = "read_lease",
		[MARK_READ_LOCAL] = "read_local",
		[MARK_READ_LOCAL_OLD] = "read_local_old",
		[MARK_EVICTED] = "evicted",
		[MARK_COUNTERS_FULL] = "counters_full",
		[MARK_OVERFLOW] = "overflow",
		[MARK_NOT_NEXT] = "not_next",
		[MARK_BATCH] = "batch",
		[MARK_PIPELINE_DEEP] = "pipeline_deep",
		[MARK_LOG_REPLACED] = "log_replaced",
		[MARK_SUFFIX_FETCHED] = "suffix_fetched",
		[MARK_STALE_DURABLE] = "stale_durable",
		[MARK_VIEW_SKIPPED] = "view_skipped",
		[MARK_POWER] = "power",
		[MARK_TORN] = "torn",
		[MARK_RESTORED] = "restored",
		[MARK_RESTORED_TORN] = "restored_torn",
		[MARK_DISK_FAILED] = "disk_failed",
		[MARK_ROT] = "rot",
		[MARK_DAMAGED] = "damaged",
		[MARK_JOURNAL_BASE] = "journal_base",
		[MARK_OUTAGE] = "outage",
		[MARK_MAROON] = "maroon",
		[MARK_RECORD_TORN] = "record_torn",
		[MARK_RECORD_FAILED] = "record_failed",
		[MARK_RECORD_HALF] = "record_half",
		[MARK_RECORD_DAMAGED] = "record_damaged",
		[MARK_RECORD_GONE] = "record_gone",
		[MARK_RECORDS_GONE] = "records_gone",
		[MARK_COLD_NAMED] = "cold_named",
		[MARK_COLD_REFUSED] = "cold_refused",
		[MARK_COLD_STARTED] = "cold_started",
		[MARK_COLD_JOINED] = "cold_joined",
		[MARK_REFORM_NAMED] = "reform_named",
		[MARK_REFORMED] = "reformed",
		[MARK_REFORM_REFUSED] = "reform_refused",
		[MARK_FORMED_ANEW] = "formed_anew",
		[MARK_FENCED] = "fenced",
		[MARK_STRANDED] = "stranded",
		[MARK_TWICE] = "run_twice",
		[MARK_DONE_REMOTE] = "done_remote",
		[MARK_REMOTE_MESSAGE] = "remote_message",
		[MARK_REMOTE_GAP] = "remote_gap",
		[MARK_REMOTE_RESTART] = "remote_restart",
		[MARK_NODE_END] = "node_end",
		[MARK_UPGRADE] = "upgrade",
		[MARK_DOWNGRADE] = "downgrade",
		[MARK_WITHHELD_SERVICE] = "withheld_service",
		[MARK_TOO_OLD] = "too_old",
	};

	return names[mark];
}

void report_seed(FILE *out, const struct sim *sim)
{
	const struct sim_options *o = &sim->options;
	u32 fault;

	fprintf(out, "# seed %llu: %u replicas, %.1f s of faults, heartbeat %.1f ms, view time-out %.1f ms\n",
		(unsigned long long)o->seed, o->replica_count,
		(double)o->faulty_ns / SIM_NS_PER_S, (double)o->heartbeat_ns / SIM_NS_PER_MS,
		(double)o->view_timeout_ns / SIM_NS_PER_MS);
	fprintf(out, "# %u clients of %u operations, up to %u in a process, %u sessions, %u counters\n",
		o->client_count, o->client_budget, o->process_threads, o->sessions_max,
		o->counters_max);
	fprintf(out, "# generation %u, lease %.1f ms, memory is %sdurable\n", o->generation,
		(double)o->lease_ns / SIM_NS_PER_MS, o->memory_is_durable ? "" : "not ");
	if (o->journal)
		fprintf(out, "# journals on disks\n");
	if (o->records)
		fprintf(out, "# records of %x, a slot in %.3f ms\n", o->records,
			(double)o->record_ns / SIM_NS_PER_MS);
	fprintf(out, "# faults:");
	for (fault = 0; fault < FAULT_COUNT; fault++) {
		if (sim_has(sim, fault))
			fprintf(out, " %s", sim_fault_name(fault));
	}
	fprintf(out, "\n# loss %u ppm, delay %.3f + %.3f ms, spikes %u ppm of %.1f ms, disk %.3f ms\n",
		o->loss_ppm, (double)o->delay_ns / SIM_NS_PER_MS,
		(double)o->jitter_ns / SIM_NS_PER_MS, o->spike_ppm,
		(double)o->spike_ns / SIM_NS_PER_MS, (double)o->disk_ns / SIM_NS_PER_MS);
}

void report_totals(FILE *out, const struct sim_totals *t)
{
	double hours = (double)t->virtual_ns / SIM_NS_PER_S / 3600;
	u32 i;

	fprintf(out, "# %llu seeds, %.1f simulated hours, %.0f in an hour of processor time\n",
		(unsigned long long)t->seeds, hours,
		t->cpu_ns ? hours * 3600 * SIM_NS_PER_S / t->cpu_ns : 0);
	fprintf(out, "# %llu steps, %llu operations, %llu view changes\n",
		(unsigned long long)t->steps, (unsigned long long)t->operations,
		(unsigned long long)t->view_changes);
	fprintf(out, "# after the last fault: at most %llu view time-outs and %llu view changes until all was well\n",
		(unsigned long long)t->heal_timeouts_max,
		(unsigned long long)t->views_after_heal_max);
	fprintf(out, "# a group without memory has begun again after at most %llu view time-outs\n",
		(unsigned long long)t->cure_timeouts_max);
	fprintf(out, "# where nothing else happens a member has left after at most %llu round trips\n",
		(unsigned long long)t->leave_trips_max);
	fprintf(out, "# messages sent:");
	for (i = 1; i < VR_TYPE_COUNT; i++)
		fprintf(out, " %s %llu", vr_type_name(i), (unsigned long long)t->sent[i]);
	fprintf(out, "\n# drops:");
	for (i = 1; i < VR_DROP_COUNT; i++)
		fprintf(out, " %s %llu", vr_drop_name(i), (unsigned long long)t->drops[i]);
	fprintf(out, "\n# statuses:");
	for (i = 0; i < VR_ARRAY_COUNT(t->transitions); i++) {
		if (t->transitions[i])
			fprintf(out, " %s>%s %llu", sim_status_name(i / VR_STATUS_COUNT),
				sim_status_name(i % VR_STATUS_COUNT),
				(unsigned long long)t->transitions[i]);
	}
	fprintf(out, "\n# marks:");
	for (i = 0; i < MARK_COUNT; i++)
		fprintf(out, " %s %llu", sim_mark_name(i), (unsigned long long)t->marks[i]);
	fprintf(out, "\n");
}

/*
 * What a standard run must have met. Fields and hash chains that contradict
 * each other are not made by damage at random: the unit tests make them.
 */
static bool may_miss_drop(u32 drop)
{
	/* There is always room for all client nodes. */
	return drop == VR_DROP_FIELD || drop == VR_DROP_CHAIN || drop == VR_DROP_CLIENT;
}

/* Every way from one status to another that the protocol knows; HALTED is none. */
static const u8 ways[][2] = {
	{ VR_STATUS_BLANK, VR_STATUS_FORMING },
	{ VR_STATUS_BLANK, VR_STATUS_NORMAL },	/* a group of one */
	{ VR_STATUS_BLANK, VR_STATUS_RECOVERING },
	{ VR_STATUS_BLANK, VR_STATUS_AMNESIA },
	{ VR_STATUS_FORMING, VR_STATUS_BLANK },
	{ VR_STATUS_FORMING, VR_STATUS_NORMAL },
	{ VR_STATUS_FORMING, VR_STATUS_RECOVERING },
	{ VR_STATUS_NORMAL, VR_STATUS_VIEW_CHANGE },
	{ VR_STATUS_NORMAL, VR_STATUS_RECOVERING },
	{ VR_STATUS_NORMAL, VR_STATUS_AMNESIA },
	{ VR_STATUS_VIEW_CHANGE, VR_STATUS_NORMAL },
	{ VR_STATUS_VIEW_CHANGE, VR_STATUS_RECOVERING },
	{ VR_STATUS_RECOVERING, VR_STATUS_NORMAL },
	{ VR_STATUS_RECOVERING, VR_STATUS_AMNESIA },
	{ VR_STATUS_AMNESIA, VR_STATUS_RECOVERING },
	{ VR_STATUS_AMNESIA, VR_STATUS_NORMAL },
};

u32 report_missed(FILE *out, const struct sim_totals *t)
{
	u32 missed = 0;
	u32 i;

	for (i = 1; i < VR_DROP_COUNT; i++) {
		if (!t->drops[i] && !may_miss_drop(i)) {
			fprintf(out, "# missed: drop reason %s\n", vr_drop_name(i));
			missed++;
		}
	}
	for (i = 1; i < VR_TYPE_COUNT; i++) {
		if (!t->received[i]) {
			fprintf(out, "# missed: message %s\n", vr_type_name(i));
			missed++;
		}
	}
	for (i = 0; i < VR_ARRAY_COUNT(ways); i++) {
		if (!t->transitions[ways[i][0] * VR_STATUS_COUNT + ways[i][1]]) {
			fprintf(out, "# missed: from %s to %s\n", sim_status_name(ways[i][0]),
				sim_status_name(ways[i][1]));
			missed++;
		}
	}
	for (i = 0; i < MARK_COUNT; i++) {
		/* What can never be formed, or never come in, is bad luck, not a duty. */
		if (!t->marks[i] && i != MARK_UNFORMABLE && i != MARK_STRANDED) {
			fprintf(out, "# missed: %s\n", sim_mark_name(i));
			missed++;
		}
	}
	return missed;
}
