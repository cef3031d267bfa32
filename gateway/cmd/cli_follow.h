/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_follow - the log, entry by entry and proven, to somebody elsewhere, for as
 * long as it runs. A loop of two ends that can both go away: the gateway's
 * control socket and whoever takes. Role: `audit forward` and `audit notify`.
 * Guarantees: neither end costs an entry: what is not known to have been
 * taken is handed on again, from a cursor that moves only behind what was; what the
 * log's signature does not cover is not handed on at all; the gateway waits for nothing.
 */
#ifndef FG_GATEWAY_CMD_CLI_FOLLOW_H
#define FG_GATEWAY_CMD_CLI_FOLLOW_H

#include "crypto/checkpoint.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/view/record.h"

#define CLI_FOLLOW_FROM_NOW (-1)

/* Who takes. Functions that fail return a negative fg_err. All but entry() and why() may be NULL, and are left out then. */
struct cli_follow_taker {
	/* Whether it is there; open() brings it, before anything else is asked of it. With neither it always is. */
	bool (*is_open)(void *ctx);
	int (*open)(void *ctx);
	int (*entry)(void *ctx, const struct record *r);
	/* The newest head, once for each change of its note. */
	int (*checkpoint)(void *ctx, struct view note, const struct checkpoint *head);
	/* 0 when all that was handed on has arrived for certain. */
	int (*settle)(void *ctx);
	/* What the gateway shows is not what it signed: told once, and the loop ends. */
	void (*alarm)(void *ctx, const struct record *r);
	/* Each round, with the gateway there: what the log does not say. */
	int (*round)(void *ctx, struct cli_call *call);
	/* Why the last of these failed; "" for nothing to say. */
	const char *(*why)(void *ctx);
	void *ctx;
};

struct cli_follow {
	const struct cli_common *c;
	const char *word;   /* what this is called: "forwarding" */
	const char *cursor; /* file; NULL: none is kept */
	const char *vkey;   /* the log's key as a person said it; NULL: the gateway's word */
	int64_t from;       /* where to begin without a cursor; or CLI_FOLLOW_FROM_NOW */
	int64_t resend;     /* entries handed on again when the taker comes back */
	bool once;          /* one round, and done */
};

/* Runs until something only a person can mend, or with once until all is handed on. Returns the exit status. */
int cli_follow(const struct cli_follow *asked, const struct cli_follow_taker *taker);

#endif
