/* SPDX-License-Identifier: Apache-2.0 */
#include "images/tuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/tufmeta.h"

#define SCHEME "tuf/metadata"
#define ROLES_TOLD 16 /* delegated roles told one by one; real lists have fewer, or thousands of bins */

static const struct walk_signed nobody = { 0, 0 };

/* "snapshot needs 2 of 3 keys" */
static void
role(struct walk *w, const char *what, struct view name, const struct json_value *r)
{
	char text[2 * CONTENTS_VALUE_MAX];
	uint64_t threshold = 0;
	(void)json_uint(json_get(r, "threshold"), &threshold);
	snprintf(text, sizeof text, "%s%.*s needs %" PRIu64 " of %zu keys", what,
	    (int)(name.n < 64 ? name.n : 64), (const char *)name.p, threshold, json_count(json_get(r, "keyids")));
	walk_fact(w, CONTENTS_FACT_NOTE, nobody, view_str(text));
}

/* Whether its own keys signed a root, and what each role needs. */
static int
root(struct walk *w, const struct tufmeta *m)
{
	struct tufmeta_count *c = calloc(1, sizeof *c);
	char text[SIG_TEXT_MAX];
	if (!c)
		return FG_ENOMEM;
	int err = tufmeta_count(m, tufmeta_keys(m), tufmeta_role(m, TUFMETA_ROOT), 0, c);
	if (!err && !tufmeta_met(c)) {
		tufmeta_explain(c, text, sizeof text);
		walk_raise(w, FINDING_SIG_THRESHOLD, NULL, "the root's own keys: %s", text);
	}
	free(c);
	for (unsigned i = TUFMETA_ROOT; i <= TUFMETA_TARGETS && !err; i++) {
		const char *name = tufmeta_type_name((enum tufmeta_type)i);
		role(w, "role ", view_str(name), tufmeta_role(m, (enum tufmeta_type)i));
	}
	return err;
}

static void
targets(struct walk *w, const struct tufmeta *m)
{
	const struct json_value *roles = json_get(json_get(m->said, "delegations"), "roles");
	char text[CONTENTS_VALUE_MAX];
	snprintf(text, sizeof text, "lists %zu targets, delegates to %zu roles",
	    json_count(json_get(m->said, "targets")), json_count(roles));
	walk_fact(w, CONTENTS_FACT_NOTE, nobody, view_str(text));
	for (size_t i = 0; i < json_count(roles) && i < ROLES_TOLD; i++) {
		struct view name;
		if (json_string(json_get(json_at(roles, i), "name"), &name))
			role(w, "delegated role ", name, json_at(roles, i));
	}
}

static int
explain(struct walk *w, const struct tufmeta *m)
{
	size_t signatures = json_count(json_get(json_root(m->doc), "signatures"));
	int err = 0;
	walk_fact(w, CONTENTS_FACT_TYPE, nobody, view_str(tufmeta_type_name(m->type)));
	walk_fact_uint(w, CONTENTS_FACT_VERSION, nobody, m->version);
	walk_fact_uint(w, CONTENTS_FACT_EXPIRES, nobody, (uint64_t)m->expires);
	if (m->type == TUFMETA_ROOT)
		err = root(w, m);
	else if (m->type == TUFMETA_TARGETS)
		targets(w, m);
	walk_settle(w, SCHEME, SIG_UNTRUSTED,
	    "%zu signatures, which count only where the metadata is evidence for a target", signatures);
	return err;
}

int
tuf_walk(struct walk *w)
{
	struct sig_range all = { 0, w->image->size };
	struct tufmeta *m = NULL;
	uint8_t *text = NULL;
	char why[SIG_TEXT_MAX] = "";
	int err = walk_load(w, all, TUFMETA_TARGETS_MAX, &text);
	if (err == FG_EFORMAT) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, NULL, "longer than any metadata that is read");
		return 0;
	}
	if (!err)
		err = tufmeta_open(view_of(text, (size_t)all.length), TUFMETA_NONE, &m, why, sizeof why);
	free(text);
	if (err == FG_EFORMAT) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "metadata %s", why);
		return 0;
	}
	if (!err)
		err = explain(w, m);
	tufmeta_free(m);
	return err;
}
