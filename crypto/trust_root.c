/* SPDX-License-Identifier: Apache-2.0 */
/* trust_root - root metadata of TUF repositories as anchors. */
#include "crypto/trust_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/tufmeta.h"
#include "crypto/visible.h"

/*
 * A root that its own keys did not sign is damaged or a draft. Its end does not
 * matter here: the way to the current root begins at an old one.
 */
static int
signed_by_itself(const struct tufmeta *m, char *ret_why, size_t cap)
{
	struct tufmeta_count *c = calloc(1, sizeof *c);
	char text[SIG_TEXT_MAX];
	if (!c)
		return FG_ENOMEM;
	int err = tufmeta_count(m, tufmeta_keys(m), tufmeta_role(m, TUFMETA_ROOT), 0, c);
	if (!err && !tufmeta_met(c)) {
		tufmeta_explain(c, text, sizeof text);
		snprintf(ret_why, cap, "TUF root that may not be an anchor: %s", text);
		err = FG_EINVAL;
	}
	free(c);
	return err;
}

int
trust_root_enrol(struct trust *batch, const char *name, struct view json, char *ret_why, size_t cap)
{
	struct trust_pinned *slot = &batch->pinned[batch->pinned_n];
	struct tufmeta *m = NULL;
	char why[SIG_TEXT_MAX] = "";
	int err = tufmeta_open(json, TUFMETA_ROOT, &m, why, sizeof why);
	if (err == FG_EFORMAT)
		snprintf(ret_why, cap, "no root metadata of a TUF repository: %s", why);
	if (!err)
		err = signed_by_itself(m, ret_why, cap);
	/* What is signed, not the file's spelling of it: one root, one object. */
	if (!err)
		err = trust_object_id('t', TRUST_SCHEME_NONE, writer_view(&m->tbs), slot->id);
	if (err) {
		tufmeta_free(m);
		return err;
	}
	visible_cstr(view_str(name), slot->root.name, sizeof slot->root.name);
	slot->root.meta = m;
	batch->pinned_n++;
	return 0;
}
