/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view/record.h"

#include "crypto/err.h"

#define SHA256 "sha256:"

int
record_read(struct merkle *m, uint64_t index, struct view line, struct record *ret)
{
	struct record r = { .index = index };
	int err = merkle_leaf(m, line, r.leaf);
	if (err)
		return err;
	err = entry_parse(line, &r.doc, &r.e, NULL);
	if (err == FG_ENOMEM)
		return err;
	r.known = !err;
	if (err)
		r.e = (struct entry){ .seq = index };
	r.have_doc = r.e.doc.n > 0;
	if (r.have_doc && (err = digest_sha256(r.e.doc, r.doc_sha256))) {
		json_free(r.doc);
		return err;
	}
	*ret = r;
	return 0;
}

void
record_free(struct record *r)
{
	json_free(r->doc);
	*r = (struct record){ .known = false };
}

struct record
record_alarm(struct view src, const char *msg, int64_t t_us)
{
	return (struct record){ .known = true, .unlogged = true, .e = {
		.t_us = t_us, .src = src, .ev = ENTRY_LOG_TAMPER, .cat = view_str("log"),
		.ev_text = view_str(entry_event_name(ENTRY_LOG_TAMPER)), .sev = entry_event_severity(ENTRY_LOG_TAMPER),
		.out = view_str("failed"), .msg = view_str(msg) } };
}

static size_t
slash(struct view src)
{
	const uint8_t *at = src.n ? memchr(src.p, '/', src.n) : NULL;
	return at ? (size_t)(at - src.p) : src.n;
}

struct view
record_host(const struct record *r)
{
	return view_of(r->e.src.p, slash(r->e.src));
}

struct view
record_role(const struct record *r)
{
	size_t at = slash(r->e.src);
	return at < r->e.src.n ? view_of(r->e.src.p + at + 1, r->e.src.n - at - 1) : view_of(NULL, 0);
}

struct view
record_event(const struct record *r)
{
	return r->known ? r->e.ev_text : view_str("unknown");
}

static bool
is_hex(struct view v)
{
	if (v.n != DIGEST_HEX_LEN)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static struct view
digest_of(struct view v)
{
	size_t n = sizeof SHA256 - 1;
	if (v.n > n && memcmp(v.p, SHA256, n) == 0)
		v = view_of(v.p + n, v.n - n);
	else
		v.n = 0;
	return is_hex(v) ? v : view_of(NULL, 0);
}

struct view
record_image(const struct record *r)
{
	struct view found = digest_of(r->e.obj);
	for (unsigned i = 0; !found.n && i < r->e.refs; i++) {
		const struct entry_ref *ref = &r->e.ref[i];
		if (ref->is_number || !view_is(ref->key, "image"))
			continue;
		found = digest_of(ref->text);
		if (!found.n && is_hex(ref->text))
			found = ref->text;
	}
	return found;
}
