/* SPDX-License-Identifier: Apache-2.0 */
/* call_rig - one request put to its handler, and what it answered. After cmocka.h. */
#ifndef FG_TESTS_CALL_RIG_H
#define FG_TESTS_CALL_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "gateway/control/call.h"

struct control;

struct call_heard {
	unsigned replies, status;
	char json[16384];
};

static inline void
call_rig_reply(void *ctx, const struct msg_reply *m, const int *fds, unsigned fds_n)
{
	struct call_heard *h = ctx;
	(void)fds;
	assert_int_equal(fds_n, 0);
	h->replies++;
	h->status = m->status;
	snprintf(h->json, sizeof h->json, "%.*s", (int)m->json.n, (const char *)m->json.p);
}

static inline void
call_rig_over(void *ctx, struct call *c)
{
	(void)ctx;
	(void)c;
}

/* free() it. */
static inline struct call_heard *
call_rig_ask(struct control *c, void (*handle)(struct control *c, struct call *call), const char *args)
{
	struct call_heard *h = calloc(1, sizeof *h);
	const struct call_line line = { h, call_rig_reply, call_rig_over };
	const struct caller who = { .means = CALLERS_MEANS_UID, .uid = 1000, .roles = CALLERS_OPERATOR, .user = "somebody" };
	const struct msg_call m = { .token = 5, .request = "test", .json = view_str(args) };
	struct wire_frame f = { .fds_n = 0 };
	struct call *call = NULL;
	assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
	handle(c, call);
	assert_int_equal(h->replies, 1);
	return h;
}

#endif
