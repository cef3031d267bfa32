/* SPDX-License-Identifier: Apache-2.0 */
/* requests_privacy - showing an identity whole, and forgetting it: both only with an entry that says who and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/stamp.h"
#include "gateway/control/privacy.h"
#include "gateway/control/requests_private.h"

#define BEFORE_MIN 2000
#define BEFORE_MAX 9999

/* False: the call is answered. */
static bool
reason_of(struct call *call, const struct inventory_module *m, char reason[DB_TEXT_MAX])
{
	(void)call_text(call, "reason", reason, DB_TEXT_MAX);
	if (!reason[0])
		call_fail(call, CALL_USAGE, "USAGE", "", "a reason is missing");
	else if (m && privacy_names(m, reason))
		call_fail(call, CALL_USAGE, "USAGE", "name it by its pseudonym",
		    "the reason holds the module's identity, and the log is kept for years");
	else
		return true;
	return false;
}

static void
away(struct control *c, struct call *call, int err, const char *what)
{
	if (err == FG_ENOMEM)
		call_fail_err(call, err);
	else
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
		    "%s: the audit log is %s", what, logbook_state(c->logbook));
}

/* ---- reveal ---- */

struct revealing { /* waits for its entry */
	struct control *c;
	struct call *call;
	uint8_t module[MSG_ID];
};

static void
on_reveal_logged(void *ctx, int err, uint64_t index)
{
	struct revealing *r = ctx;
	const struct inventory_module *m = err ? NULL : inventory_by_pseudonym(r->c->inventory, r->module);
	(void)index;
	if (err)
		call_fail(r->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it: nothing is shown");
	else if (!m)
		call_fail_err(r->call, FG_ENOTFOUND);
	else
		requests_answer_module(r->c, r->call, m, true);
	free(r);
}

void
requests_module_reveal(struct control *c, struct call *call)
{
	char reason[DB_TEXT_MAX];
	const struct inventory_module *m = requests_module_of(c, call);
	if (!m || !reason_of(call, m, reason))
		return;
	struct revealing *r = calloc(1, sizeof *r);
	struct msg_append *e = r ? logbook_entry(ENTRY_DEVICE_REVEALED, "ok", requests_actor(c, call), "identity") : NULL;
	int err = e ? 0 : FG_ENOMEM;
	if (!err) {
		*r = (struct revealing){ .c = c, .call = call };
		memcpy(r->module, m->pseudonym, sizeof r->module);
		logbook_dev(e, m->pseudonym);
		logbook_say(e, "%s", reason);
		err = logbook_append(c->logbook, e, on_reveal_logged, r);
	}
	free(e);
	if (!err)
		return;
	free(r);
	away(c, call, err, "nothing is shown");
}

/* ---- erase ---- */

/* The modules that are meant; false: the call is answered. */
static bool
one_module(struct control *c, struct call *call, uint8_t (**ret)[MSG_ID], char reason[DB_TEXT_MAX])
{
	const struct inventory_module *m = requests_module_of(c, call);
	if (!m || !reason_of(call, m, reason))
		return false;
	if (m->held) {
		call_fail(call, CALL_REFUSED, "HELD", "fotagate module unhold",
		    "the module is held: forgetting it would let it have updates again");
		return false;
	}
	*ret = malloc(sizeof **ret);
	if (!*ret)
		call_fail_err(call, FG_ENOMEM);
	else
		memcpy((*ret)[0], m->pseudonym, MSG_ID);
	return *ret != NULL;
}

static bool
silent_since(struct control *c, struct call *call, uint64_t year, uint8_t (**ret)[MSG_ID], size_t *ret_n,
    char reason[DB_TEXT_MAX])
{
	char stamp[STAMP_CAP];
	int64_t before;
	if (year < BEFORE_MIN || year > BEFORE_MAX) {
		call_fail(call, CALL_USAGE, "USAGE", "", "before is a year, %d to %d", BEFORE_MIN, BEFORE_MAX);
		return false;
	}
	if (!reason_of(call, NULL, reason))
		return false;
	snprintf(stamp, sizeof stamp, "%04u-01-01T00:00:00Z", (unsigned)year);
	if (!stamp_parse(view_str(stamp), &before))
		abort(); /* every such year has a first of January */
	/* What is forgotten stays forgotten: a slip of the finger must not mean everybody. */
	if (before > control_now(c)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "the year %u has not begun: every module was last heard of before it",
		    (unsigned)year);
		return false;
	}
	int err = privacy_silent(c->inventory, before, SIZE_MAX, ret, ret_n);
	if (err) {
		call_fail_err(call, err);
	} else if (!*ret_n) {
		free(*ret);
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "", "no module that is not held was last heard of before %s", stamp);
	}
	return !err && *ret_n;
}

void
requests_privacy_erase(struct control *c, struct call *call)
{
	char reason[DB_TEXT_MAX];
	uint8_t(*ids)[MSG_ID] = NULL;
	size_t n = 1;
	bool by_name = call_arg(call, "module") != NULL;
	uint64_t year = call_number(call, "before", 0);
	if (by_name == (call_arg(call, "before") != NULL)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "either module or before says what is to be erased");
		return;
	}
	if (by_name ? !one_module(c, call, &ids, reason) : !silent_since(c, call, year, &ids, &n, reason))
		return;
	int err = privacy_forget(c, call, ids, n, requests_actor(c, call), reason);
	if (err)
		away(c, call, err, "nothing was erased");
}
