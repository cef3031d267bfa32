/* SPDX-License-Identifier: Apache-2.0 */
/* door_count - counters that a container carries and a module never lets fall. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "images/avb.h"
#include "images/door.h"
#include "images/walk.h"

#define WALKED_MAX                                                                             \
	(64u << 20) /* bytes of an image that is walked once more: those with counters are for \
		       small flashes */
#define METADATA_MAX 65536  /* of Android's text; it has a dozen lines */

static const struct {
	const char *what;
	const char *rises; /* what it means to a module */
	enum finding_severity weight;
} kinds[DOOR_KINDS] = {
    [DOOR_MCUBOOT] = {"security counter",
		      "a module that ran this refuses all with a lower one, for ever",
		      FINDING_WARNING},
    [DOOR_ESP32] =
	{"secure version",
	 "it is burnt into eFuses, of which there are few; lower ones are refused for ever",
	 FINDING_WARNING},
    [DOOR_MBN] = {"anti-rollback version",
		  "it is burnt into fuses; lower ones are refused for ever", FINDING_WARNING},
    [DOOR_AVB] = {"rollback index", "a module that ran this refuses all with a lower one, for ever",
		  FINDING_WARNING},
    [DOOR_SUIT] = {"sequence number",
		   "earlier releases are refused from now on, as after each release",
		   FINDING_NOTICE},
    [DOOR_OTA] = {"build time", "earlier builds are refused from now on, as after each release",
		  FINDING_NOTICE},
};

/* The number that text begins with; of one that is too large the largest there is. */
static uint64_t
decimal(const char *text)
{
	uint64_t v = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
			return UINT64_MAX;
	return v;
}

/* ---- walkers that tell one ---- */

static enum door_kind
kind_of(enum format_id format)
{
	switch (format) {
	case FORMAT_MCUBOOT:
		return DOOR_MCUBOOT;
	case FORMAT_ESP32:
		return DOOR_ESP32;
	case FORMAT_MBN:
		return DOOR_MBN;
	case FORMAT_SUIT:
		return DOOR_SUIT;
	default:
		return DOOR_NONE;
	}
}

/* What its walker says of the container itself, without anybody's key: the highest of several. */
static int
walked(const struct part *p, struct door_count *ret)
{
	const struct trust_policy policy = {.purpose = TRUST_PURPOSE_FIRMWARE};
	struct report *r = report_new(REPORT_VERIFY);
	struct trust *nobody = trust_new();
	int err = r && nobody ? walk_image(&p->bytes, p->format, nobody, &policy, 0, r) : FG_ENOMEM;
	for (unsigned i = 0; !err && i < r->contents.facts_n; i++) {
		const struct contents_fact *f = &r->contents.fact[i];
		if (f->id != CONTENTS_FACT_SECURITY_COUNTER || f->path[0] != '\0')
			continue;
		uint64_t v = decimal(f->value);
		ret->kind = kind_of(p->format);
		ret->value = v > ret->value ? v : ret->value;
	}
	trust_free(nobody);
	report_free(r);
	return err;
}

/* ---- Android ---- */

static int
metadata(const struct part *p, struct door_count *ret)
{
	static const char key[] = "post-timestamp=";
	char text[METADATA_MAX + 1];
	size_t n = (size_t)p->bytes.size;
	int err = source_read(&p->bytes, 0, text, n);
	if (err)
		return err;
	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, key)); at++) {
		if (at != text && at[-1] != '\n')
			continue;
		*ret = (struct door_count){.kind = DOOR_OTA, .value = decimal(at + sizeof key - 1)};
		break;
	}
	return 0;
}

static int
vbmeta_at(const struct source *s, uint64_t at, struct door_count *ret)
{
	struct avb avb;
	bool is;
	int err = avb_read(s, at, &avb, &is);
	if (err || !is)
		return err;
	*ret = (struct door_count){.kind = DOOR_AVB,
				   .value = avb.rollback_index,
				   .location = avb.location,
				   .flags = avb.flags,
				   .have_key = avb.have_key};
	memcpy(ret->key, avb.key, sizeof ret->key);
	return 0;
}

/* A part of its own begins there, which is asked for itself. */
static bool
is_told_there(const struct parts *t, const struct part *p, uint64_t at)
{
	for (uint32_t k = 0; k < p->children; k++) {
		const struct part *c = parts_get(t, p->first + k);
		if (c->placed && !c->again && c->at == at && c->bytes.size >= AVB_HEAD)
			return true;
	}
	return false;
}

static int
vbmeta(const struct parts *t, const struct part *p, struct door_count *ret)
{
	const struct source *s = &p->bytes;
	uint64_t at, length;
	bool is;
	int err = vbmeta_at(s, 0, ret);
	if (err || ret->kind != DOOR_NONE)
		return err;
	err = avb_footer(s, &at, &length, &is);
	return !err && is && !is_told_there(t, p, at) ? vbmeta_at(s, at, ret) : err;
}

int
door_count_read(const struct parts *t, uint32_t i, const char *path, struct door_count *ret)
{
	static const char name[] = "META-INF/com/android/metadata";
	const struct part *p = parts_get(t, i);
	size_t n = strlen(path);
	*ret = (struct door_count){.kind = DOOR_NONE};
	if (p->bytes.size == 0 || p->again)
		return 0;
	if (kind_of(p->format) != DOOR_NONE)
		return p->bytes.size <= WALKED_MAX ? walked(p, ret) : 0;
	if (n >= sizeof name - 1 && strcmp(path + n - (sizeof name - 1), name) == 0 &&
	    p->bytes.size <= METADATA_MAX)
		return metadata(p, ret);
	return vbmeta(t, p, ret);
}

/* ---- the line ---- */

static int
tell(struct page *page, struct page_line *l, const char *path)
{
	l->block = PAGE_DOORS;
	l->id = FINDING_CHG_ONE_WAY_DOOR;
	snprintf(l->path, sizeof l->path, "%.*s", (int)sizeof l->path - 1, path);
	return page_add(page, l);
}

static int
avb(const struct door_count *was, const struct door_count *is, const char *path, struct page *page)
{
	struct page_line key = {.sign = PAGE_CHANGED}, flags = {.sign = PAGE_CHANGED};
	int err = 0;
	if (was->have_key != is->have_key || memcmp(was->key, is->key, sizeof is->key) != 0) {
		page_text(&key, "the key of verified boot is another: a boot loader that knows the "
				"old one starts nothing of this");
		err = tell(page, &key, path);
	}
	if (!err && was->flags != is->flags) {
		page_text(&flags, "flags of verified boot %" PRIu32 " -> %" PRIu32 "%s", was->flags,
			  is->flags,
			  is->flags & 3 ? ": it is switched off, wholly or for file systems" : "");
		err = tell(page, &flags, path);
	}
	return err;
}

int
door_count_page(const struct door_count *was, const struct door_count *is, const char *path,
		struct page *page)
{
	enum door_kind kind = is->kind != DOOR_NONE ? is->kind : was ? was->kind : DOOR_NONE;
	struct page_line l = {.sign = PAGE_CHANGED};
	bool before = was && was->kind == kind;
	if (kind == DOOR_NONE)
		return 0;
	int err = before && is->kind == DOOR_AVB ? avb(was, is, path, page) : 0;
	if (err)
		return err;
	if (is->kind == DOOR_NONE) {
		page_text(
		    &l,
		    "%s %" PRIu64
		    " -> none: modules that hold it against theirs refuse this, or no longer look",
		    kinds[kind].what, was->value);
	} else if (!before) {
		if (is->value == 0)
			return 0; /* a counter that nobody uses */
		l.sign = PAGE_ADDED;
		l.severity = kinds[kind].weight;
		page_text(&l, "%s %" PRIu64 ", none before: %s", kinds[kind].what, is->value,
			  kinds[kind].rises);
	} else if (is->location != was->location) {
		page_text(&l,
			  "%s %" PRIu64 " -> %" PRIu64 ", kept in place %" PRIu32
			  " instead of %" PRIu32,
			  kinds[kind].what, was->value, is->value, is->location, was->location);
	} else if (is->value > was->value) {
		l.severity = kinds[kind].weight;
		page_text(&l, "%s %" PRIu64 " -> %" PRIu64 ": %s", kinds[kind].what, was->value,
			  is->value, kinds[kind].rises);
	} else if (is->value < was->value) {
		page_text(&l,
			  "%s %" PRIu64 " -> %" PRIu64
			  ": a module that ran the higher one refuses this",
			  kinds[kind].what, was->value, is->value);
	} else {
		return 0;
	}
	return tell(page, &l, path);
}
