/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view/cef.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/base64.h"
#include "crypto/hex.h"
#include "gateway/view/kinds.h"

/* Syslog's 0 (worst) to 7 as CEF's 10 (worst) to 0. */
static unsigned
severity(unsigned sev)
{
	static const unsigned cef[8] = { 10, 9, 8, 7, 5, 3, 2, 0 };
	return cef[sev & 7];
}

static void
put_escaped(struct writer *w, struct view v, char special)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (c == '\\' || c == (uint8_t)special)
			writer_u8(w, '\\');
		writer_u8(w, c >= 0x20 && c <= 0x7e ? c : '?');
	}
}

static void
put_header(struct writer *w, struct view event, const char *title, unsigned sev)
{
	writer_text(w, "CEF:0|fotagate|fotagate|" FG_VERSION "|");
	put_escaped(w, event, '|');
	writer_u8(w, '|');
	put_escaped(w, view_str(title), '|');
	writer_textf(w, "|%u|", severity(sev));
}

static void
put(struct writer *w, const char *key, struct view v)
{
	if (!v.n)
		return;
	writer_textf(w, " %s=", key);
	put_escaped(w, v, '=');
}

/* A custom string: "cs1Label=leaf cs1=...". */
static void
put_custom(struct writer *w, unsigned n, const char *label, struct view v)
{
	char key[8];
	if (!v.n)
		return;
	snprintf(key, sizeof key, "cs%u", n);
	writer_textf(w, " %sLabel=%s", key, label);
	put(w, key, v);
}

static void
put_custom_hex(struct writer *w, unsigned n, const char *label, const uint8_t *p, size_t len)
{
	char hex[2 * DIGEST_SHA256_LEN + 1];
	hex_encode(p, len, hex);
	put_custom(w, n, label, view_str(hex));
}

/* "key=value key=value", as the text of one field. */
static void
put_refs(struct writer *w, const struct entry *e)
{
	if (!e->refs)
		return;
	writer_text(w, " cs4Label=references cs4=");
	for (unsigned i = 0; i < e->refs; i++) {
		const struct entry_ref *r = &e->ref[i];
		if (i)
			writer_u8(w, ' ');
		writer_bytes(w, r->key);
		writer_text(w, "\\=");
		if (r->is_number)
			writer_textf(w, "%" PRIu64, r->number);
		else
			put_escaped(w, r->text, '=');
	}
}

int
cef_put(const struct record *r, struct writer *w)
{
	const struct entry *e = &r->e;
	put_header(w, record_event(r), kinds_of(e->ev)->title, r->known ? e->sev : 5);
	if (!r->unlogged) {
		writer_textf(w, "cn1Label=seq cn1=%" PRIu64, r->index);
		put_custom_hex(w, 1, "leaf", r->leaf, sizeof r->leaf);
	}
	if (!r->known)
		return writer_err(w);
	writer_textf(w, "%srt=%" PRId64, r->unlogged ? "" : " ", e->t_us / 1000);
	put(w, "cat", e->cat);
	put(w, "dvchost", record_host(r));
	put(w, "deviceProcessName", record_role(r));
	put(w, "outcome", e->out);
	put(w, "suser", e->act);
	put(w, "fileHash", record_image(r));
	put_custom(w, 2, "object", e->obj);
	if (e->have_dev)
		put_custom_hex(w, 3, "module", e->dev, sizeof e->dev);
	put_refs(w, e);
	if (r->have_doc)
		put_custom_hex(w, 5, "document", r->doc_sha256, sizeof r->doc_sha256);
	put(w, "msg", e->msg);
	return writer_err(w);
}

int
cef_put_checkpoint(struct view note, const struct checkpoint *head, int64_t t_us, struct writer *w)
{
	put_header(w, view_str(entry_event_name(ENTRY_LOG_CHECKPOINT)), kinds_of(ENTRY_LOG_CHECKPOINT)->title, 6);
	writer_textf(w, "cn1Label=size cn1=%" PRIu64, head->size);
	put_custom_hex(w, 1, "root", head->root, sizeof head->root);
	writer_textf(w, " rt=%" PRId64, t_us / 1000);
	put(w, "dvchost", view_of(head->origin, strcspn(head->origin, "/")));
	writer_text(w, " cs2Label=note cs2=");
	struct writer text;
	writer_init(&text, 2 * NOTE_SIZE_MAX);
	base64_encode(note, &text);
	int err = writer_err(&text);
	if (!err)
		put_escaped(w, writer_view(&text), '='); /* base64 ends in what an extension escapes */
	writer_free(&text);
	return err ? err : writer_err(w);
}
