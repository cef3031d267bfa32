/* SPDX-License-Identifier: Apache-2.0 */
#include "images/metainfo.h"

#include <stdio.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "images/xml.h"

#define SHOWN_MAX 80
#define CLAIM_MAX 200

/* Where the reading is. */
struct reading {
	struct walk *w;
	struct walk_signed by;
	struct metainfo *m;
	struct xml x;
	bool in_requires, in_releases, in_artifact, told_version;
	unsigned releases;
	struct view element;  /* the innermost that is open and may have text */
	struct xml_token at;  /* its opening */
	struct view artifact; /* file name of the artifact at hand */
	struct metainfo_file pending; /* its digest, whose file may be named later */
	bool have_pending;
};

static const char *
shown(struct view v, char dst[SHOWN_MAX])
{
	visible_cstr(v, dst, SHOWN_MAX);
	return dst;
}

static enum digest_alg
alg_of(struct view hex)
{
	return hex.n == 64 ? DIGEST_SHA256 : hex.n == 40 ? DIGEST_SHA1 : hex.n == 96 ? DIGEST_SHA384
	       : hex.n == 128                               ? DIGEST_SHA512
	                                                    : DIGEST_NONE;
}

static void
promise(struct reading *r, const struct metainfo_file *f)
{
	if (r->m->n < METAINFO_FILES_MAX)
		r->m->file[r->m->n++] = *f;
	else
		walk_raise(r->w, FINDING_FMT_WALK_LIMIT, NULL,
		    "metainfo: more than %d digests: what follows is not looked at", METAINFO_FILES_MAX);
}

/* <checksum filename= target="content">hex</checksum>, of the release itself or of an artifact. */
static void
checksum(struct reading *r, struct view hex)
{
	struct metainfo_file f = { .alg = alg_of(hex), .by = r->by, .name = xml_attr(&r->at, "filename") };
	char text[SHOWN_MAX];
	bool ok = f.alg != DIGEST_NONE && hex_decode(hex, f.digest, digest_len(f.alg));
	if (!r->in_artifact && view_is(xml_attr(&r->at, "target"), "container"))
		return; /* of the archive itself, in a catalogue */
	if (!ok) {
		walk_raise(r->w, FINDING_FMT_MALFORMED, NULL, "metainfo: a checksum that is none: %s", shown(hex, text));
		return;
	}
	walk_fact(r->w, CONTENTS_FACT_DIGEST, r->by, hex);
	if (r->in_artifact) {
		r->pending = f;
		r->have_pending = true;
		return;
	}
	if (!f.name.n)
		f.name = view_str("firmware.bin"); /* what fwupd takes then */
	promise(r, &f);
}

static void
claim(struct reading *r, enum contents_fact_id id, const char *word, struct view a, struct view b, struct view c)
{
	char text[CLAIM_MAX], sa[SHOWN_MAX], sb[SHOWN_MAX], sc[SHOWN_MAX];
	snprintf(text, sizeof text, "%s%s%s%s%s%s", word, shown(a, sa), b.n ? " " : "", shown(b, sb), c.n ? " " : "",
	    shown(c, sc));
	walk_fact(r->w, id, r->by, view_str(text));
}

static bool
is_number(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n > 0 && v.n < 12;
}

/* The first release is what the archive holds; a history may follow. */
static void
release(struct reading *r, const struct xml_token *t)
{
	struct view version = xml_attr(t, "version"), when = xml_attr(t, "timestamp"), urgency = xml_attr(t, "urgency");
	if (r->releases++ > 0)
		return;
	if (version.n)
		walk_fact(r->w, CONTENTS_FACT_VERSION, r->by, version);
	if (is_number(when))
		walk_fact(r->w, CONTENTS_FACT_TIMESTAMP, r->by, when);
	else if (xml_attr(t, "date").n)
		claim(r, CONTENTS_FACT_NOTE, "released ", xml_attr(t, "date"), view_str(""), view_str(""));
	if (urgency.n)
		claim(r, CONTENTS_FACT_NOTE, "urgency ", urgency, view_str(""), view_str(""));
}

static void
open_element(struct reading *r, const struct xml_token *t)
{
	r->element = t->name;
	r->at = *t;
	if (view_is(t->name, "requires"))
		r->in_requires = true;
	else if (view_is(t->name, "releases"))
		r->in_releases = true;
	else if (view_is(t->name, "release") && r->in_releases)
		release(r, t);
	else if (view_is(t->name, "artifact")) {
		r->in_artifact = true;
		r->have_pending = false;
		r->artifact = view_of(NULL, 0);
	}
}

static void
close_element(struct reading *r, struct view name)
{
	r->element = view_of(NULL, 0);
	if (view_is(name, "requires"))
		r->in_requires = false;
	else if (view_is(name, "releases"))
		r->in_releases = false;
	else if (view_is(name, "artifact")) {
		r->in_artifact = false;
		r->pending.name = r->artifact;
		if (r->have_pending && r->artifact.n)
			promise(r, &r->pending);
		r->have_pending = false;
	}
}

static void
text(struct reading *r, struct view v)
{
	if (!xml_is_plain(v) || !r->element.n)
		return;
	if (r->in_requires)
		claim(r, CONTENTS_FACT_REQUIRES, "", v, xml_attr(&r->at, "compare"), xml_attr(&r->at, "version"));
	else if (view_is(r->element, "id") && r->x.depth == 2)
		walk_fact(r->w, CONTENTS_FACT_BUILD, r->by, v);
	else if (view_is(r->element, "firmware"))
		walk_fact(r->w, CONTENTS_FACT_COMPATIBLE, r->by, v);
	else if (view_is(r->element, "checksum") && r->releases == 1)
		checksum(r, v);
	else if (view_is(r->element, "filename") && r->in_artifact)
		r->artifact = v;
}

void
metainfo_read(struct walk *w, struct view all, struct walk_signed by, struct metainfo *ret)
{
	struct reading r = { .w = w, .by = by, .m = ret };
	struct xml_token t;
	unsigned before = ret->n;
	int more = xml_begin(&r.x, all);
	while (more >= 0 && (more = xml_next(&r.x, &t)) == 1) {
		if (t.kind == XML_OPEN)
			open_element(&r, &t);
		else if (t.kind == XML_CLOSE)
			close_element(&r, t.name);
		else
			text(&r, t.text);
	}
	if (more < 0) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "metainfo: %s", r.x.why);
		ret->n = before;
	}
}
