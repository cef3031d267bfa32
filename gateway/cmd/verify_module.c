/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_module.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"

#define LINE_MAX_BYTES 4096
/* What no log can show, said wherever a conclusion is drawn from one. */
#define NOT_PROVEN                                                                               \
	"This is what the gateway logged. It does not prove which bytes crossed the wire, or that " \
	"nobody else served the module."

bool
verify_module_parse(const char *text, uint8_t ret[ENTRY_DEV_LEN])
{
	return hex_decode(view_str(text), ret, ENTRY_DEV_LEN);
}

static bool
is_about(const struct verify_fact *f, const uint8_t dev[ENTRY_DEV_LEN])
{
	bool kind = f->ev == ENTRY_DEVICE_GRANT || f->ev == ENTRY_DEVICE_SERVED || f->ev == ENTRY_DEVICE_FAILED;
	return kind && f->have_dev && !memcmp(f->dev, dev, ENTRY_DEV_LEN);
}

int
verify_module_find(const struct verify_log *l, const uint8_t dev[ENTRY_DEV_LEN], struct verify_module *ret)
{
	struct verify_index *releases = verify_index_new(0);
	uint64_t n = 0;
	*ret = (struct verify_module){ 0 };
	memcpy(ret->dev, dev, sizeof ret->dev);
	for (uint64_t i = 0; i < l->n; i++)
		n += is_about(&l->fact[i], dev);
	ret->entry = calloc(n ? n : 1, sizeof ret->entry[0]);
	int err = ret->entry && releases ? FG_OK : FG_ENOMEM;
	for (uint64_t i = 0; !err && i < l->n; i++) {
		const struct verify_fact *f = &l->fact[i];
		uint8_t key[VERIFY_INDEX_KEY] = { 0 };
		bool fresh = false;
		if (!is_about(f, dev))
			continue;
		memcpy(key, f->release, sizeof f->release);
		if (f->ev == ENTRY_DEVICE_GRANT)
			err = verify_index_add(releases, key, i, &fresh);
		ret->releases += fresh;
		ret->grants += f->ev == ENTRY_DEVICE_GRANT;
		ret->served += f->ev == ENTRY_DEVICE_SERVED;
		ret->broken += f->ev == ENTRY_DEVICE_FAILED;
		ret->entry[ret->n++] = i;
	}
	verify_index_free(releases);
	return err;
}

bool
verify_module_has(const struct verify_module *m, uint64_t entry)
{
	for (uint64_t i = 0; i < m->n; i++) {
		if (m->entry[i] == entry)
			return true;
	}
	return false;
}

void
verify_module_free(struct verify_module *m)
{
	free(m->entry);
	*m = (struct verify_module){ 0 };
}

void
verify_module_sentence(const struct verify_module *m, const struct verify_log *l, const struct verify_story *s,
    struct writer *w)
{
	char dev[2 * ENTRY_DEV_LEN + 1];
	hex_encode(m->dev, sizeof m->dev, dev);
	if (l->say->problems)
		return;
	writer_textf(w, "module %s was granted %llu release%s%s; ", dev, (unsigned long long)m->releases,
	    m->releases == 1 ? "" : "s",
	    m->releases == 0 ? "" : m->releases == 1 ? ", which was signed for" : ", each signed for");
	if (m->served || m->broken)
		writer_textf(w, "it was logged as served to the end %llu time%s and broken off %llu time%s, each within "
		    "such a grant; nothing else was logged as served to it", (unsigned long long)m->served,
		    m->served == 1 ? "" : "s",
		    (unsigned long long)m->broken, m->broken == 1 ? "" : "s");
	else
		writer_text(w, "nothing was logged as served to it");
	writer_textf(w, ", in entries 0 to %llu without a gap", (unsigned long long)(l->n ? l->n - 1 : 0));
	if (s->only_counted)
		writer_textf(w, "; but the ends of %llu downloads were only counted, because too many came at once: "
		    "whose they were the log does not say", (unsigned long long)s->only_counted);
}

static const char *
what(const struct verify_fact *f)
{
	return f->ev == ENTRY_DEVICE_GRANT ? "granted" : f->ev == ENTRY_DEVICE_SERVED ? "served" : "broken off";
}

static void
tell_entry(const struct verify_log *l, const struct verify_story *s, uint64_t at)
{
	const struct verify_fact *f = &l->fact[at];
	const struct verify_release *r = f->have_release ? verify_story_find(s, f->release) : NULL;
	char stamp[STAMP_US_CAP] = "", id[2 * RELEASE_ID + 1], image[DIGEST_HEX_LEN + 1];
	struct writer w;
	(void)!stamp_format_us(f->t_us, stamp);
	hex_encode(f->release, sizeof f->release, id);
	verify_say_line(l->say, "entry %-8llu %s  %-10s release %s", (unsigned long long)at, stamp, what(f), id);
	if (!r)
		return;
	writer_init(&w, LINE_MAX_BYTES);
	for (uint32_t i = 0; i < r->record->statements_n; i++)
		writer_textf(&w, "%s%s", i ? ", " : "", r->record->statement[i].approver);
	hex_encode(r->record->terms.image, DIGEST_SHA256_LEN, image);
	verify_say_line(l->say, "               %s %s, image sha256:%s", r->record->terms.product, r->record->terms.target, image);
	verify_say_line(l->say, "               released in entry %llu, signed by %.*s", (unsigned long long)r->at, (int)w.n,
	    (const char *)w.p);
	writer_free(&w);
}

void
verify_module_tell(const struct verify_module *m, const struct verify_log *l, const struct verify_story *s)
{
	struct writer w;
	for (uint64_t i = 0; i < m->n; i++)
		tell_entry(l, s, m->entry[i]);
	writer_init(&w, LINE_MAX_BYTES);
	verify_module_sentence(m, l, s, &w);
	if (w.n) {
		verify_say_line(l->say, "%.*s", (int)w.n, (const char *)w.p);
		verify_say_line(l->say, "%s", NOT_PROVEN);
	}
	writer_free(&w);
}

static void
put_entry(const struct verify_log *l, const struct verify_story *s, uint64_t at, struct jsonw *j)
{
	const struct verify_fact *f = &l->fact[at];
	const struct verify_release *r = f->have_release ? verify_story_find(s, f->release) : NULL;
	char stamp[STAMP_US_CAP] = "";
	(void)!stamp_format_us(f->t_us, stamp);
	jsonw_object(j);
	jsonw_kuint(j, "entry", at);
	jsonw_kcstr(j, "event", entry_event_name((enum entry_event)f->ev));
	if (r) {
		jsonw_khex(j, "image", r->record->terms.image, DIGEST_SHA256_LEN);
		jsonw_kcstr(j, "product", r->record->terms.product);
	}
	jsonw_khex(j, "release", f->release, sizeof f->release);
	if (r) {
		jsonw_kuint(j, "release_entry", r->at);
		jsonw_key(j, "signed_by");
		jsonw_array(j);
		for (uint32_t i = 0; i < r->record->statements_n; i++)
			jsonw_cstr(j, r->record->statement[i].approver);
		jsonw_array_end(j);
		jsonw_kcstr(j, "target", r->record->terms.target);
	}
	jsonw_kcstr(j, "time", stamp);
	jsonw_object_end(j);
}

void
verify_module_put(const struct verify_module *m, const struct verify_log *l, const struct verify_story *s,
    struct jsonw *j)
{
	struct writer w;
	writer_init(&w, LINE_MAX_BYTES);
	verify_module_sentence(m, l, s, &w);
	jsonw_key(j, "module");
	jsonw_object(j);
	jsonw_kuint(j, "broken_off", m->broken);
	jsonw_kstring(j, "conclusion", writer_view(&w));
	jsonw_key(j, "entries");
	jsonw_array(j);
	for (uint64_t i = 0; i < m->n; i++)
		put_entry(l, s, m->entry[i], j);
	jsonw_array_end(j);
	jsonw_kuint(j, "grants", m->grants);
	jsonw_kcstr(j, "not_proven", NOT_PROVEN);
	jsonw_khex(j, "pseudonym", m->dev, sizeof m->dev);
	jsonw_kuint(j, "releases", m->releases);
	jsonw_kuint(j, "served", m->served);
	jsonw_object_end(j);
	writer_free(&w);
}
