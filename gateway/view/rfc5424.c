/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view/rfc5424.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/base64.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "gateway/view/kinds.h"

/* RFC 5424 section 6: the longest header fields. */
#define HOST_MAX 255
#define PROCID_MAX 128
#define MSGID_MAX 32
#define APP "fotagate"
#define NOTICE 5
#define INFO 6

/* How much of an entry is said. */
enum fullness { HEADER = 0, FACTS, REFS };

/* PRINTUSASCII: no blanks; nothing at all is "-". */
static void
put_word(struct writer *w, struct view v, size_t max)
{
	writer_u8(w, ' ');
	if (!v.n)
		writer_u8(w, '-');
	for (size_t i = 0; i < v.n && i < max; i++)
		writer_u8(w, v.p[i] > 0x20 && v.p[i] <= 0x7e ? v.p[i] : '_');
}

static void
put_header(struct writer *w, unsigned sev, int64_t t_us, struct view host, struct view role, struct view event)
{
	char stamp[STAMP_US_CAP];
	bool timed = t_us > 0 && stamp_format_us(t_us, stamp) == 0;
	writer_textf(w, "<%u>1 %s", RFC5424_FACILITY * 8 + (sev & 7), timed ? stamp : "-");
	put_word(w, host, HOST_MAX);
	writer_text(w, " " APP);
	put_word(w, role, PROCID_MAX);
	put_word(w, event, MSGID_MAX);
}

static void
put_record_header(const struct record *r, struct writer *w)
{
	put_header(w, r->known ? r->e.sev : NOTICE, r->known ? r->e.t_us : 0, record_host(r), record_role(r), record_event(r));
}

/* PARAM-VALUE: three characters are escaped (section 6.3.3). */
static void
put_value(struct writer *w, struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (c == '"' || c == '\\' || c == ']')
			writer_u8(w, '\\');
		writer_u8(w, c >= 0x20 && c <= 0x7e ? c : '?');
	}
}

/* An absent fact has no parameter; name is one of ours or a reference's key (no '=', ']', '"' or blank in it). */
static void
put_param(struct writer *w, struct view name, struct view v)
{
	if (!v.n)
		return;
	writer_u8(w, ' ');
	writer_bytes(w, name);
	writer_text(w, "=\"");
	put_value(w, v);
	writer_u8(w, '"');
}

static void
put_hex(struct writer *w, const char *name, const uint8_t *p, size_t n)
{
	char hex[2 * DIGEST_SHA256_LEN + 1];
	hex_encode(p, n, hex);
	put_param(w, view_str(name), view_str(hex));
}

static void
put_facts(const struct record *r, const struct record_frame *f, enum fullness all, struct writer *w)
{
	const struct entry *e = &r->e;
	writer_textf(w, " [fg@%" PRIu32, f->pen);
	if (!r->unlogged) {
		writer_textf(w, " seq=\"%" PRIu64 "\"", r->index);
		put_hex(w, "leaf", r->leaf, sizeof r->leaf);
	}
	if (all != REFS)
		writer_text(w, " cut=\"1\"");
	if (r->known && all != HEADER) {
		put_param(w, view_str("clk"), view_str(entry_clk_name(e->clk)));
		put_param(w, view_str("out"), e->out);
		put_param(w, view_str("act"), e->act);
		put_param(w, view_str("obj"), e->obj);
		if (e->have_dev)
			put_hex(w, "dev", e->dev, sizeof e->dev);
		if (r->have_doc)
			put_hex(w, "doc", r->doc_sha256, sizeof r->doc_sha256);
	}
	writer_u8(w, ']');
}

static void
put_refs(const struct entry *e, const struct record_frame *f, struct writer *w)
{
	char number[24];
	if (!e->refs)
		return;
	writer_textf(w, "[ref@%" PRIu32, f->pen);
	for (unsigned i = 0; i < e->refs; i++) {
		const struct entry_ref *ref = &e->ref[i];
		snprintf(number, sizeof number, "%" PRIu64, ref->number);
		put_param(w, ref->key, ref->is_number ? view_str(number) : ref->text);
	}
	writer_u8(w, ']');
}

static void
put_text(const struct record *r, struct writer *w)
{
	writer_u8(w, ' ');
	if (r->known && r->e.msg.n)
		writer_bytes(w, r->e.msg);
	else
		writer_text(w, r->known ? kinds_of(r->e.ev)->title : "an entry that this version cannot read");
}

/* False: it does not fit and w is as it was. */
static bool
put_at(const struct record *r, const struct record_frame *f, enum fullness all, struct writer *w)
{
	size_t start = w->n;
	put_record_header(r, w);
	put_facts(r, f, all, w);
	if (all == REFS)
		put_refs(&r->e, f, w);
	if (all != HEADER)
		put_text(r, w);
	if (writer_err(w) || w->n - start <= RFC5424_MAX)
		return true;
	w->n = start;
	return false;
}

int
rfc5424_put(const struct record *r, const struct record_frame *f, struct writer *w)
{
	/* The header alone always fits: its fields have their limits. */
	if (!put_at(r, f, REFS, w) && !put_at(r, f, FACTS, w))
		(void)put_at(r, f, HEADER, w);
	return writer_err(w);
}

int
rfc5424_wrap(const struct record *r, struct view text, struct writer *w)
{
	put_record_header(r, w);
	writer_text(w, " - ");
	writer_bytes(w, text);
	return writer_err(w);
}

int
rfc5424_put_checkpoint(struct view note, const struct checkpoint *head, int64_t t_us, const struct record_frame *f,
    struct writer *w)
{
	const char *name = entry_event_name(ENTRY_LOG_CHECKPOINT);
	size_t host = strcspn(head->origin, "/");
	put_header(w, INFO, t_us, view_of(head->origin, host), view_str("audit"), view_str(name));
	writer_textf(w, " [fg@%" PRIu32 " size=\"%" PRIu64 "\"", f->pen, head->size);
	put_hex(w, "root", head->root, sizeof head->root);
	put_param(w, view_str("origin"), view_str(head->origin));
	writer_text(w, " note=\"");
	base64_encode(note, w); /* no character of it needs escaping */
	writer_textf(w, "\"] checkpoint of %" PRIu64 " entries", head->size);
	return writer_err(w);
}
