/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this is the log of these files on this machine. */
#include "gateway/audit/audit_private.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/audit/hostbind.h"

static struct hostbind_ids
here(const struct audit *a)
{
	const struct msg_boot *boot = role_boot(a->role);
	struct hostbind_ids ids;
	memcpy(ids.machine, boot->machine, sizeof ids.machine);
	memcpy(ids.product, boot->product, sizeof ids.product);
	return ids;
}

int
audit_host_look(struct audit *a)
{
	const struct hostbind_ids ids = here(a);
	enum hostbind_verdict verdict;
	char why[HOSTBIND_TEXT];
	int err = hostbind_check(a->dir, &ids, &verdict, why);
	if (err)
		return err;
	a->unbound = verdict == HOSTBIND_NONE;
	if (verdict == HOSTBIND_OTHER)
		audit_condemn(a, MSG_LOG_CLONED, a->opened.published, why);
	return FG_OK;
}

static int
put_recovered(struct audit *a, const char *text)
{
	return audit_put_own(a, ENTRY_LOG_RECOVERED, view_str(text), (struct view){ 0 });
}

int
audit_host_entries(struct audit *a, bool *ret_pardoned)
{
	const struct hostbind_ids ids = here(a);
	char how[CONDEMNED_HOW] = "", bound[HOSTBIND_TEXT] = "", text[ENTRY_MSG_MAX];
	int pardoned = condemned_pardoned(a->dir, how);
	int err = pardoned < 0 ? pardoned : FG_OK;
	*ret_pardoned = pardoned > 0;
	if (!err && a->unbound)
		err = hostbind_make(a->dir, &ids, bound);
	if (err || a->opened.size == 0)
		return err;
	if (pardoned && bound[0])
		snprintf(text, sizeof text, "%s; bound now to %s", how, bound);
	else if (pardoned)
		snprintf(text, sizeof text, "%s", how);
	else if (bound[0])
		snprintf(text, sizeof text, "this log was bound to no machine before; bound now to %s", bound);
	else
		return FG_OK;
	return put_recovered(a, text);
}

int
audit_host_settle(struct audit *a)
{
	int err = a->unbound ? hostbind_settle(a->dir) : FG_OK;
	a->unbound = a->unbound && err;
	return err;
}
