// SPDX-License-Identifier: GPL-2.0
/* What the nouns on the device share: opening it, and explaining its errors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tool.h"

int device_open(const char *group, int flags, struct vrseq **handle)
{
	int error = vrseq_open(group, O_CLOEXEC | VRSEQ_RESTART | flags, handle);

	switch (error) {
	case 0:
		return EXIT_OK;
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return fail(EXIT_NOT_YET, "The module is not loaded",
			    "modprobe vrseq", "No /dev/vrseq");
	case -EACCES:
		return fail(EXIT_FAILED, vrseq_strerror(error),
			    "join the unix group vrseq, or the one that vrseq group show names, or be root",
			    "Cannot use /dev/vrseq");
	case -ENOTCONN:
		if (group)
			return fail(EXIT_NOT_YET, NULL, "vrseq group show",
				    "No group '%s' in this network namespace", group);
		return fail(EXIT_NOT_YET,
			    "Without a name there must be exactly one",
			    "vrseq group show, then say group NAME",
			    "No group in this network namespace, or several");
	default:
		return fail(exit_code_of(error), vrseq_strerror(error),
			    "vrseq group show", "Cannot use /dev/vrseq");
	}
}

uint64_t device_deadline(uint64_t timeout_ns)
{
	return timeout_ns ? vrseq_deadline(timeout_ns) : VRSEQ_NO_DEADLINE;
}

/* The member's own words, where they say more than the errno. */
static bool wants_status(int error)
{
	return error == -EHOSTUNREACH || error == -ETIMEDOUT ||
	       error == -ENOTRECOVERABLE || error == -EIO;
}

/* To the kernel a member that has no part yet is one without a quorum. */
static const char *not_yet(int error, const struct vrseq_status *status)
{
	if (error != -EHOSTUNREACH)
		return NULL;
	switch (status->state) {
	case VRSEQ_STATE_BLANK:
	case VRSEQ_STATE_FORMING:
		return "The group is not formed";
	case VRSEQ_STATE_RECOVERING:
		return "This member gets its memory back from the others";
	default:
		return NULL;
	}
}

/**
 * device_fail - say why an operation failed
 * @handle:	where it failed
 * @error:	negative errno
 * @result:	its result; NULL = it changes nothing
 * @what:	its name
 *
 * Return: the exit code.
 */
int device_fail(struct vrseq *handle, int error,
		const struct vrseq_result *result, const char *what)
{
	struct vrseq_status status = { .state = VRSEQ_STATE_NORMAL };
	enum exit_code code = exit_code_of(error);
	const char *sentence = vrseq_strerror(error);
	const char *outcome = "";
	char why[512];

	if (wants_status(error) && !vrseq_status(handle, &status))
		status.text[sizeof(status.text) - 1] = '\0';
	if (not_yet(error, &status)) {
		code = EXIT_NOT_YET;
		sentence = not_yet(error, &status);
	}
	if (result && result->outcome == VRSEQ_OUTCOME_UNKNOWN) {
		outcome = ". The outcome is unknown: it may have been applied, or still be";
		if (code == EXIT_FAILED)
			code = EXIT_UNKNOWN_OUTCOME;
	} else if (result && result->outcome == VRSEQ_OUTCOME_NOT_APPLIED) {
		outcome = ". It was not applied";
	}
	snprintf(why, sizeof(why), "%s%s%s%s", sentence, outcome,
		 status.text[0] ? ". Status: " : "", status.text);
	return fail(code, why, "vrseq health", "%s failed in group %s", what,
		    vrseq_group(handle));
}
