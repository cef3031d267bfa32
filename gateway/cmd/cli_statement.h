/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_statement - what a person is about to sign, checked and told before they
 * sign it. Control proposes the statement; here its parts are derived again from
 * the report's own bytes and from what the person asked for, so that a taken-over
 * control cannot have something else signed unnoticed.
 */
#ifndef FG_GATEWAY_CMD_CLI_STATEMENT_H
#define FG_GATEWAY_CMD_CLI_STATEMENT_H

#include "crypto/approval.h"
#include "gateway/cmd/cli_call.h"

/* What the person said on the command line; NULL, 0 and -1 are not said. */
struct cli_statement_asked {
	const char *approver, *reason;
	const char *standing; /* a standing statement's name: it is about that one, and about no review */
	struct cli_opt_list groups, from, ticks;
	int64_t max_devices, days, hours;
	bool glass; /* by this person alone */
	enum approval_outcome outcome; /* of an after-review; NONE: it is none */
	const char *out;  /* file to write; NULL: the name control proposes, here */
	const char *sign; /* key file: sign and hand in at once */
	enum approval_step step; /* of a rollout that is to go on; NONE: it is about a review or a halt */
	const char *release;     /* its id, or NULL: a review was named, and control says which that is */
	const char *ring;        /* the one that was held */
};

/*
 * Takes the proposal of control (a reply of review.statement or resume.statement)
 * through everything: check, summary on stderr, file, and with asked->sign the
 * signature and its hand-in by the request `submit`. report is the report's bytes
 * (empty for a resume), review its id (NULL for a resume). Returns the exit status.
 */
int cli_statement_take(const struct cli_common *c, struct cli_call *call, const struct cli_reply *proposal,
    const char *review, struct view report, const struct cli_statement_asked *asked, const char *submit);
/*
 * The same for what is about no report: asks control for its proposal by that request, with the members begun in r,
 * and takes it through all of the above. Returns the exit status.
 */
int cli_statement_of(const struct cli_common *c, const char *request, struct cli_request *r,
    const struct cli_statement_asked *asked, const char *submit);
/* One statement and one signature to the request of that name; prints how it stands. Returns the exit status. */
int cli_statement_hand_in(const struct cli_common *c, struct cli_call *call, const char *request, struct view statement,
    struct view signature);
/* A file name that another process proposes: nothing but a name, in this folder. */
bool cli_statement_name(const char *name);
/*
 * Hands in a statement file and its signature file: one that decides so, about
 * that review or standing statement, or, where that is NULL, about no one. Returns the exit status.
 */
int cli_statement_submit(const struct cli_common *c, const char *statement, const char *signature, const char *review,
    enum approval_decision decision, const char *submit);

#endif
