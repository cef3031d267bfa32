/* SPDX-License-Identifier: Apache-2.0 */
#include "images/fit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/visible.h"
#include "images/fit_internal.h"

/* ---- values ---- */

const char *
fit_name(const struct fit *f, unsigned node, char ret[FIT_SHOWN_MAX])
{
	visible_cstr(view_str(f->t.node[node].name), ret, FIT_SHOWN_MAX);
	return ret;
}

int
fit_text(const struct fit *f, const struct fdtree_prop *p, char *buf, size_t cap, struct view *ret)
{
	size_t n = (size_t)p->value.length;
	if (p->value.length == 0 || p->value.length > cap)
		return FG_EFORMAT;
	int err = source_read(f->w->image, p->value.offset, buf, n);
	if (err)
		return err;
	if (buf[n - 1] != '\0')
		return FG_EFORMAT;
	for (size_t i = 0; i < n; i++)
		if (buf[i] != '\0' && (buf[i] < 0x20 || buf[i] > 0x7e))
			return FG_EFORMAT;
	*ret = view_of(buf, n);
	return 0;
}

int
fit_string(const struct fit *f, const struct fdtree_prop *p, char *buf, size_t cap)
{
	struct view v;
	int err = fit_text(f, p, buf, cap, &v);
	return err ? err : strlen(buf) + 1 == v.n ? 0 : FG_EFORMAT;
}

int
fit_u32(const struct fit *f, const struct fdtree_prop *p, uint32_t *ret)
{
	uint8_t bytes[4];
	struct reader r;
	if (p->value.length != sizeof bytes)
		return FG_EFORMAT;
	int err = source_read(f->w->image, p->value.offset, bytes, sizeof bytes);
	reader_init(&r, view_of(bytes, sizeof bytes));
	*ret = err ? 0 : reader_u32(&r);
	return err;
}

void
fit_structure(struct fit *f, const struct fdtree_prop *p)
{
	walk_structure(f->w, p->token.offset, p->token.length);
}

bool
fit_tell(struct fit *f, enum contents_fact_id id, struct walk_signed by, const char *text)
{
	for (unsigned i = 0; i < f->told_n; i++)
		if (f->told[i].id == id && strcmp(f->told[i].text, text) == 0)
			return true;
	if (f->told_n == FIT_TOLD_MAX)
		return false;
	f->told[f->told_n].id = id;
	snprintf(f->told[f->told_n++].text, CONTENTS_VALUE_MAX, "%s", text);
	walk_fact(f->w, id, by, view_str(text));
	return true;
}

/* ---- the tree as a whole ---- */

/* libfdt takes "kernel" for "kernel@1" where it comes first: two readers, two nodes. */
static void
suffixes(struct fit *f)
{
	char name[FIT_SHOWN_MAX];
	for (unsigned i = 0; i < f->t.nodes && !f->suffixed; i++) {
		if (!strchr(f->t.node[i].name, '@'))
			continue;
		f->suffixed = true;
		walk_raise(f->w, FINDING_FMT_MALFORMED, &f->t.node[i].begin.offset,
		    "node %s: with an @ in a name no U-Boot verifies (CVE-2021-27138)", fit_name(f, i, name));
	}
}

static void
top(struct fit *f)
{
	char name[FIT_SHOWN_MAX];
	f->images_node = fdtree_child(&f->t, 0, view_str("images"));
	f->configs_node = fdtree_child(&f->t, 0, view_str("configurations"));
	for (unsigned i = 1; i < f->t.nodes; i++)
		if (f->t.node[i].parent == 0 && i != f->images_node && i != f->configs_node)
			walk_raise(f->w, FINDING_FMT_UNKNOWN_PART, &f->t.node[i].begin.offset, "node %s of the root",
			    fit_name(f, i, name));
	if (!fdtree_prop(&f->t, 0, "description"))
		walk_raise(f->w, FINDING_FMT_MALFORMED, NULL, "an image tree without a description, which U-Boot refuses");
	if (f->t.hidden)
		walk_raise(f->w, FINDING_FMT_HIDDEN_BYTES, &f->t.hidden_at,
		    "bytes between or behind the parts of the tree, or a field of its header that nothing needs");
}

/* Behind the names that are signed come those of what the tool added: each byte must be of one that is used. */
static int
names(struct fit *f)
{
	size_t n = (size_t)f->t.strings.length;
	bool *used = calloc(n + 1, sizeof *used);
	size_t at = 0;
	if (!used)
		return FG_ENOMEM;
	for (unsigned i = 0; i < f->t.props; i++)
		memset(used + f->t.prop[i].name_at, true, strlen(f->t.prop[i].name) + 1);
	while (at < n && walk_verified(f->w, f->by)) {
		size_t from = at;
		while (at < n && used[at] == used[from])
			at++;
		if (used[from])
			walk_structure(f->w, f->t.strings.offset + from, at - from);
	}
	free(used);
	return 0;
}

static void
configs(struct fit *f)
{
	for (unsigned i = f->configs_node + 1; f->configs_node != FDTREE_NONE && i < f->t.nodes; i++) {
		if (f->t.node[i].parent != f->configs_node)
			continue;
		if (f->configs == FIT_CONFIGS_MAX) {
			walk_raise(f->w, FINDING_FMT_WALK_LIMIT, &f->t.node[i].begin.offset, "more than %u configurations",
			    FIT_CONFIGS_MAX);
			return;
		}
		f->config[f->configs++] = (struct fit_config){ .node = i };
	}
}

/* ---- what is said ---- */

static void
fact_text(struct fit *f, unsigned node, const char *property, enum contents_fact_id id, struct walk_signed by)
{
	const struct fdtree_prop *p = fdtree_prop(&f->t, node, property);
	char text[FIT_TEXT_MAX];
	struct view list;
	if (!p || fit_text(f, p, text, sizeof text, &list))
		return;
	for (size_t at = 0; at < list.n; at += strlen(text + at) + 1)
		walk_fact(f->w, id, by, view_str(text + at));
}

/* A device takes the default unless it has its own mind; nothing signs which one that is. */
static void
default_config(struct fit *f)
{
	const struct fdtree_prop *p = f->configs_node == FDTREE_NONE ? NULL : fdtree_prop(&f->t, f->configs_node, "default");
	struct walk_signed nobody = { .n = 0 };
	char text[FDTREE_NAME_MAX], line[CONTENTS_VALUE_MAX];
	if (!p || fit_string(f, p, text, sizeof text))
		return;
	snprintf(line, sizeof line, "default configuration %.90s", text);
	walk_fact(f->w, CONTENTS_FACT_NOTE, nobody, view_str(line));
	if (fdtree_child(&f->t, f->configs_node, view_str(text)) == FDTREE_NONE)
		walk_raise(f->w, FINDING_MEMBER_MISSING, &p->token.offset, "the default configuration");
	else if (f->configs == 1 && p->clean && walk_verified(f->w, f->by))
		fit_structure(f, p); /* it can name no other */
}

static void
facts(struct fit *f)
{
	const struct fdtree_prop *p = fdtree_prop(&f->t, 0, "timestamp");
	uint32_t when;
	if (p && fit_u32(f, p, &when) == 0)
		walk_fact_uint(f->w, CONTENTS_FACT_TIMESTAMP, f->by, when);
	fact_text(f, 0, "description", CONTENTS_FACT_BUILD, f->by);
	fact_text(f, 0, "version", CONTENTS_FACT_VERSION, f->by);
	for (unsigned i = 0; i < f->configs; i++)
		fact_text(f, f->config[i].node, "compatible", CONTENTS_FACT_COMPATIBLE, f->config[i].by);
	for (unsigned i = 0; i < f->images; i++) {
		const struct fdtree_prop *type = fdtree_prop(&f->t, f->image[i].node, "type");
		char text[64];
		if (type && fit_string(f, type, text, sizeof text) == 0)
			(void)fit_tell(f, CONTENTS_FACT_TYPE, f->image[i].by, text);
	}
	default_config(f);
}

/* Parts that are signed beside others that are not: a device may be given any mix of them. */
static void
parts(struct fit *f)
{
	char name[FIT_SHOWN_MAX];
	unsigned own = 0;
	bool verified = walk_verified(f->w, f->by);
	for (unsigned i = 0; i < f->images; i++)
		own += walk_verified(f->w, f->image[i].own);
	if (own && !verified)
		walk_raise(f->w, FINDING_SIG_PARTS_ONLY, NULL,
		    "%u image%s signed, and no configuration: parts of several releases can be mixed", own,
		    own == 1 ? " is" : "s are");
	for (unsigned i = 0; i < f->configs; i++)
		if (verified && !f->config[i].signed_)
			walk_raise(f->w, FINDING_SIG_PARTS_ONLY, &f->t.node[f->config[i].node].begin.offset,
			    "configuration %s is not signed, others are", fit_name(f, f->config[i].node, name));
}

static int
judge(struct fit *f)
{
	top(f);
	suffixes(f);
	if (f->images_node == FDTREE_NONE) {
		walk_raise(f->w, FINDING_FMT_MALFORMED, NULL, "an image tree without /images");
		return 0;
	}
	configs(f);
	int err = fit_image_read(f);
	if (!err)
		err = fit_sign_judge(f);
	if (err)
		return err;
	for (unsigned i = 0; i < sizeof f->t.gap / sizeof *f->t.gap; i++)
		walk_structure(f->w, f->t.gap[i].offset, f->t.gap[i].length);
	facts(f);
	parts(f);
	err = names(f);
	if (!err)
		err = fit_image_members(f);
	return err ? err : fit_image_rest(f);
}

int
fit_walk(struct walk *w)
{
	struct fit *f = calloc(1, sizeof *f);
	if (!f)
		return FG_ENOMEM;
	f->w = w;
	f->image = calloc(FIT_IMAGES_MAX, sizeof *f->image);
	f->config = calloc(FIT_CONFIGS_MAX, sizeof *f->config);
	int err = f->image && f->config ? fdtree_read(w->image, &f->t) : FG_ENOMEM;
	if (!err && f->t.bad)
		walk_raise(w, f->t.finding, &f->t.where, "%s", f->t.why);
	else if (!err)
		err = judge(f);
	fdtree_drop(&f->t);
	free(f->image);
	free(f->config);
	free(f);
	return err;
}
