/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests - the one table of what can be asked of the gateway: name, what kind
 * of thing it is, who may, arguments, descriptors, handler. Whatever is not in
 * the table does not exist; whatever is refused is logged, gathered by minute.
 * A role may view, restrict and set in motion; only signatures permit, and the
 * rows that take signatures are marked so.
 */
#ifndef FG_GATEWAY_CONTROL_REQUESTS_H
#define FG_GATEWAY_CONTROL_REQUESTS_H

#include "gateway/control/call.h"

struct control;

enum requests_kind {
	REQUESTS_NONE = 0,
	REQUESTS_VIEW,     /* changes nothing */
	REQUESTS_CHANGE,   /* sets in motion, gives no right */
	REQUESTS_RESTRICT, /* takes effect first, is logged after */
	REQUESTS_PERMIT,   /* brings signatures: only they permit */
	REQUESTS_PERSONAL, /* changes accounts or tokens themselves, or is a person's own word: neither token nor front does */
	REQUESTS_OWN,      /* ends a session: no token does */
	REQUESTS_LOCAL,    /* hands out what nobody gets over the network: an account of this machine asks for it */
};

enum requests_type { REQUESTS_TEXT = 1, REQUESTS_NUMBER, REQUESTS_FLAG, REQUESTS_TEXTS, REQUESTS_LINES };

#define REQUESTS_ARGS_MAX 11
#define REQUESTS_SIGNED_FDS 2 /* statement and signature */
#define REQUESTS_WHATIF_MAX 40960 /* bytes of a configuration that is tried: its JSON fits a message beside the rest */
#define REQUESTS_EXPORT_TEXTS_MAX 11 /* references of one entry, which has 16: VERIFY.md and its scripts are eleven */

struct requests_arg {
	const char *key;
	enum requests_type type;
	unsigned max; /* bytes of a text, elements of a list */
	bool required;
};

struct requests_row {
	const char *name;
	enum requests_kind kind;
	unsigned who;          /* callers_role bits */
	unsigned fds_min, fds_max;
	void (*handle)(struct control *c, struct call *call);
	struct requests_arg arg[REQUESTS_ARGS_MAX];
};

/*
 * What a request may come to. Zero denies. Nothing a caller is (account, root, session, token,
 * whom a front vouches for) permits: a row that brings signatures is taken in, and the warden counts those.
 */
enum requests_verdict {
	REQUESTS_DENIED = 0,
	REQUESTS_ALLOWED, /* views, sets in motion, restricts */
	REQUESTS_COUNTED, /* has the effect that the signatures it brings have, and none without them */
};
/*
 * For a caller of those means and roles, with or without a signed statement in hand. A guest is denied whatever does not
 * name guests, and a token whatever brings signatures: no machine hands in a person's vote. Who came by single sign-on
 * hands in signatures like anybody, for those are the person's own; accounts are not changed on a front's word.
 */
enum requests_verdict requests_may(const struct requests_row *row, const struct caller *who, bool statement);

/* The table, for the dispatcher and its test. */
size_t requests_count(void);
const struct requests_row *requests_at(size_t i);
const struct requests_row *requests_find(const char *name);

/* ctx is struct control. Answers the call, at once or later. */
void requests_handle(void *ctx, struct call *call);
/* Answers a call by somebody who is not known, or no longer. */
void requests_sign_in(struct control *c, struct call *call);
/* Tells the log how many were refused since the last time. */
void requests_report_denied(struct control *c);

#endif
