/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - what the supervisor knows of the configuration: fixed messages of the
 * config child, collected and checked by a small state machine. Pure. The child
 * is unprivileged but parsed text, so its answer is hostile input.
 */
#ifndef FG_GATEWAY_SUPERVISOR_PLAN_H
#define FG_GATEWAY_SUPERVISOR_PLAN_H

#include "gateway/wire/msg.h"

#define PLAN_EDGES_MAX 64      /* processes; four times the cores of a large appliance */
#define PLAN_FILES_MAX 512     /* anchors and CA files that profiles name, each once */
#define PLAN_PROBLEMS_MAX 128  /* printed; the config parser stops at 100 of its own */

enum plan_stage {
	PLAN_EMPTY = 0, /* PLAN or PLAN_ERROR may come */
	PLAN_REFUSED,   /* problems; more of them, or the end */
	PLAN_LISTENERS, /* as many as PLAN announced */
	PLAN_COMPLETE,  /* files that profiles name; then, about the genesis, the end */
	PLAN_DONE,
};

struct plan {
	enum plan_stage stage;
	bool ok; /* only in PLAN_DONE, and only then are the others to be used */
	unsigned problems;
	unsigned listeners_n;
	struct msg_plan main;
	struct msg_plan_listener listeners[MSG_LISTENERS_MAX];
	unsigned files_n;
	struct msg_plan_file files[PLAN_FILES_MAX];
	struct msg_plan_end end;
};

/*
 * One message (PLAN, PLAN_LISTENER, PLAN_FILE, PLAN_ERROR or PLAN_END struct)
 * into a plan that starts as all zero. 0, or
 * FG_EPEER for one out of order or beyond a limit: the child is broken.
 */
int plan_take(struct plan *p, unsigned type, const void *msg);
/* Whether it names a decision hook. */
bool plan_has_hook(const struct plan *p);
/*
 * What of next cannot be had by a reload. NULL when nothing; else a sentence
 * (static) for the operator.
 */
const char *plan_needs_restart(const struct plan *now, const struct plan *next);
/* The user a role runs as by that plan; "" for roles that have none. */
const char *plan_user(const struct plan *p, enum msg_role role);

#endif
