/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view/journal.h"

#include <inttypes.h>

#include "crypto/base64.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "gateway/view/kinds.h"

/*
 * No value holds a line end (entries are 0x20-0x7e), so the simple form of a field
 * does; what would break out of it is replaced all the same.
 */
static void
put(struct writer *w, const char *key, struct view v)
{
	if (!v.n)
		return;
	writer_textf(w, "%s=", key);
	for (size_t i = 0; i < v.n; i++)
		writer_u8(w, v.p[i] >= 0x20 && v.p[i] <= 0x7e ? v.p[i] : '?');
	writer_u8(w, '\n');
}

static void
put_hex(struct writer *w, const char *key, const uint8_t *p, size_t n)
{
	char hex[2 * DIGEST_SHA256_LEN + 1];
	hex_encode(p, n, hex);
	put(w, key, view_str(hex));
}

static int
put_head(struct writer *w, struct view message, struct view event, unsigned sev)
{
	uint8_t id[KINDS_MESSAGE_ID_LEN];
	int err = kinds_message_id(event, id);
	if (err)
		return err;
	put(w, "MESSAGE", message);
	put_hex(w, "MESSAGE_ID", id, sizeof id);
	writer_textf(w, "PRIORITY=%u\nSYSLOG_FACILITY=13\nSYSLOG_IDENTIFIER=fotagate\n", sev & 7);
	put(w, "FOTAGATE_EVENT", event);
	return 0;
}

/* FOTAGATE_REF_<KEY>: a field's name has capitals, digits and underscores. */
static void
put_ref(struct writer *w, const struct entry_ref *r)
{
	char key[sizeof "FOTAGATE_REF_" + ENTRY_WORD_MAX] = "FOTAGATE_REF_";
	size_t n = strlen(key);
	for (size_t i = 0; i < r->key.n && n < sizeof key - 1; i++) {
		uint8_t c = r->key.p[i];
		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		else if (!(c >= '0' && c <= '9'))
			c = '_';
		key[n++] = (char)c;
	}
	key[n] = '\0';
	if (r->is_number)
		writer_textf(w, "%s=%" PRIu64 "\n", key, r->number);
	else
		put(w, key, r->text);
}

static void
put_facts(const struct record *r, struct writer *w)
{
	const struct entry *e = &r->e;
	char stamp[STAMP_US_CAP];
	if (!stamp_format_us(e->t_us, stamp))
		put(w, "FOTAGATE_TIME", view_str(stamp));
	put(w, "FOTAGATE_CLOCK", view_str(entry_clk_name(e->clk)));
	put(w, "FOTAGATE_SOURCE", e->src);
	put(w, "FOTAGATE_OUTCOME", e->out);
	put(w, "FOTAGATE_ACTOR", e->act);
	put(w, "FOTAGATE_OBJECT", e->obj);
	put(w, "FOTAGATE_IMAGE", record_image(r));
	if (e->have_dev)
		put_hex(w, "FOTAGATE_MODULE", e->dev, sizeof e->dev);
	if (r->have_doc)
		put_hex(w, "FOTAGATE_DOCUMENT", r->doc_sha256, sizeof r->doc_sha256);
	for (unsigned i = 0; i < e->refs; i++)
		put_ref(w, &e->ref[i]);
}

int
journal_put(const struct record *r, struct writer *w)
{
	struct view message = r->known ? r->e.msg : view_str("an entry that this version cannot read");
	if (!message.n)
		message = view_str(kinds_of(r->e.ev)->title);
	int err = put_head(w, message, record_event(r), r->known ? r->e.sev : 5);
	if (err)
		return err;
	if (!r->unlogged) {
		writer_textf(w, "FOTAGATE_SEQ=%" PRIu64 "\n", r->index);
		put_hex(w, "FOTAGATE_LEAF", r->leaf, sizeof r->leaf);
	}
	if (r->known)
		put_facts(r, w);
	return writer_err(w);
}

int
journal_put_checkpoint(struct view note, const struct checkpoint *head, struct writer *w)
{
	int err = put_head(w, view_str(kinds_of(ENTRY_LOG_CHECKPOINT)->title),
	    view_str(entry_event_name(ENTRY_LOG_CHECKPOINT)), 6);
	if (err)
		return err;
	writer_textf(w, "FOTAGATE_SIZE=%" PRIu64 "\n", head->size);
	put_hex(w, "FOTAGATE_ROOT", head->root, sizeof head->root);
	writer_text(w, "FOTAGATE_CHECKPOINT=");
	base64_encode(note, w);
	writer_u8(w, '\n');
	return writer_err(w);
}
