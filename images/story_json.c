/* SPDX-License-Identifier: Apache-2.0 */
/* story_json - a story as a part of the report's text: written, and strictly read. */
#include <stdlib.h>

#include "crypto/err.h"
#include "images/story.h"

/* ---- writing ---- */

static void
sums(struct jsonw *j, const char *key, const struct account_sum sum[PAIR_SIDES])
{
	jsonw_key(j, key);
	jsonw_object(j);
	for (unsigned side = PAIR_SIDES; side-- > 0;) { /* "new" before "old" */
		const uint64_t *b = sum[side].bytes;
		jsonw_key(j, side == PAIR_OLD ? "old" : "new");
		jsonw_object(j);
		jsonw_kuint(j, "explained", b[ACCOUNT_EXPLAINED]);
		jsonw_kuint(j, "identical", b[ACCOUNT_IDENTICAL]);
		jsonw_kuint(j, "not_reviewable", b[ACCOUNT_UNREVIEWABLE]);
		jsonw_kuint(j, "unexplained", b[ACCOUNT_UNEXPLAINED]);
		jsonw_object_end(j);
	}
	jsonw_object_end(j);
}

static void
maps(struct jsonw *j, const char *key, const char map[PAIR_SIDES][STORY_CELLS + 1])
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_kcstr(j, "new", map[PAIR_NEW]);
	jsonw_kcstr(j, "old", map[PAIR_OLD]);
	jsonw_object_end(j);
}

/* In the order of their names, as keys have to be. */
static const enum story_class by_name[STORY_CLASSES] = {
	STORY_CODE, STORY_CONFIG, STORY_DATA, STORY_DOC, STORY_KERNEL, STORY_KEYS, STORY_SCRIPT, STORY_SPECIAL,
	STORY_WEB,
};

static void
counts(struct jsonw *j, const struct story *s)
{
	jsonw_key(j, "counts");
	jsonw_object(j);
	for (unsigned i = 0; i < STORY_CLASSES; i++) {
		const struct story_count *c = &s->count[by_name[i]];
		jsonw_key(j, story_class_name(by_name[i]));
		jsonw_object(j);
		jsonw_kuint(j, "added", c->added);
		jsonw_kuint(j, "changed", c->changed);
		jsonw_kuint(j, "gone", c->gone);
		jsonw_kuint(j, "moved", c->moved);
		jsonw_kuint(j, "same", c->same);
		jsonw_object_end(j);
	}
	jsonw_object_end(j);
}

static void
layout(struct jsonw *j, const struct story *s, bool brief)
{
	jsonw_key(j, "layout");
	jsonw_array(j);
	for (unsigned i = 0; i < s->rows_n && !brief; i++) {
		const struct story_row *r = &s->row[i];
		jsonw_object(j);
		jsonw_kuint(j, "at", r->at);
		jsonw_kcstr(j, "format", format_name(r->format));
		jsonw_kcstr(j, "how", pair_how_name(r->how));
		jsonw_kcstr(j, "image", r->side == PAIR_OLD ? "old" : "new");
		jsonw_kbool(j, "inside", r->inside);
		jsonw_kcstr(j, "look", part_look_name(r->look));
		jsonw_kcstr(j, "name", r->name);
		jsonw_kuint(j, "size", r->size);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
	jsonw_kuint(j, "layout_total", s->rows_total);
}

static bool
stays(const struct page_line *l, bool brief)
{
	return !brief || l->severity >= FINDING_WARNING || l->block == PAGE_RED || l->block == PAGE_CONTACT;
}

static void
line(struct jsonw *j, const struct page_line *l, bool bare)
{
	jsonw_object(j);
	jsonw_kcstr(j, "block", page_block_name(l->block));
	jsonw_kcstr(j, "evidence", bare ? "" : l->evidence);
	jsonw_kcstr(j, "id", finding_get(l->id)->id);
	if (l->have_offset)
		jsonw_kuint(j, "offset", l->offset);
	jsonw_kcstr(j, "path", l->path);
	jsonw_kcstr(j, "severity", finding_severity_name(l->severity));
	jsonw_kcstr(j, "sign", page_sign_name(l->sign));
	jsonw_kcstr(j, "text", l->text);
	jsonw_kuint(j, "times", l->times);
	jsonw_kuint(j, "weight", l->weight);
	jsonw_object_end(j);
}

static void
lines(struct jsonw *j, const struct story *s, bool brief, bool bare)
{
	uint64_t lost[PAGE_BLOCK_LIMIT] = { 0 };
	size_t n = page_count(s->page);
	jsonw_key(j, "lines");
	jsonw_array(j);
	for (unsigned b = PAGE_NONE + 1; b < PAGE_BLOCK_LIMIT; b++)
		lost[b] = page_lost(s->page, (enum page_block)b);
	for (size_t i = 0; i < n; i++) {
		const struct page_line *l = page_at(s->page, i);
		if (stays(l, brief))
			line(j, l, bare);
		else
			lost[l->block] += l->times;
	}
	jsonw_array_end(j);
	jsonw_key(j, "lost"); /* in the page's order */
	jsonw_array(j);
	for (unsigned b = PAGE_NONE + 1; b < PAGE_BLOCK_LIMIT; b++)
		jsonw_uint(j, lost[b]);
	jsonw_array_end(j);
}

void
story_write(struct jsonw *j, const struct story *s, bool brief, bool bare)
{
	jsonw_object(j);
	counts(j, s);
	sums(j, "expanded", s->expanded);
	jsonw_kbool(j, "holds", s->holds);
	sums(j, "image", s->image);
	layout(j, s, brief);
	lines(j, s, brief, bare);
	maps(j, "map", s->map);
	maps(j, "strip", s->strip);
	jsonw_object_end(j);
}

/* ---- reading: hostile ---- */

/* Of one line, and lost of a block: what all lines sum up to stays far below 2^53, where writing numbers ends. */
#define TIMES_MAX (UINT64_C(1) << 32)

/* v has exactly n members, of which the callers ask each by its name. */
static bool
has(const struct json_value *v, size_t n)
{
	return json_type(v) == JSON_OBJECT && json_count(v) == n;
}

static bool
number(const struct json_value *v, const char *key, uint64_t *ret)
{
	return json_uint(json_get(v, key), ret);
}

static bool
words(const struct json_value *v, const char *key, char *dst, size_t cap)
{
	const struct json_value *s = json_get(v, key);
	if (!s || !json_cstr(s, dst, cap))
		return false;
	for (const char *c = dst; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return true;
}

static bool
read_sum(const struct json_value *v, struct account_sum *ret)
{
	uint64_t *b = ret->bytes;
	return has(v, ACCOUNT_CLASSES) && number(v, "explained", &b[ACCOUNT_EXPLAINED]) &&
	    number(v, "identical", &b[ACCOUNT_IDENTICAL]) && number(v, "unexplained", &b[ACCOUNT_UNEXPLAINED]) &&
	    number(v, "not_reviewable", &b[ACCOUNT_UNREVIEWABLE]);
}

static bool
read_sums(const struct json_value *v, struct account_sum ret[PAIR_SIDES])
{
	return has(v, 2) && read_sum(json_get(v, "new"), &ret[PAIR_NEW]) &&
	    read_sum(json_get(v, "old"), &ret[PAIR_OLD]);
}

static bool
read_map(const struct json_value *v, const char *letters, const uint64_t size[PAIR_SIDES],
    char ret[PAIR_SIDES][STORY_CELLS + 1])
{
	if (!has(v, 2) || !words(v, "new", ret[PAIR_NEW], STORY_CELLS + 1) ||
	    !words(v, "old", ret[PAIR_OLD], STORY_CELLS + 1))
		return false;
	for (unsigned side = 0; side < PAIR_SIDES; side++) {
		size_t n = strlen(ret[side]);
		if (n != (size[side] < STORY_CELLS ? size[side] : STORY_CELLS) || strspn(ret[side], letters) != n)
			return false;
	}
	return true;
}

static bool
read_counts(const struct json_value *v, struct story *s)
{
	if (!has(v, STORY_CLASSES))
		return false;
	for (unsigned i = 0; i < STORY_CLASSES; i++) {
		const struct json_value *c = json_get(v, story_class_name((enum story_class)i));
		struct story_count *n = &s->count[i];
		if (!c || !has(c, 5) || !number(c, "added", &n->added) || !number(c, "changed", &n->changed) ||
		    !number(c, "gone", &n->gone) || !number(c, "moved", &n->moved) || !number(c, "same", &n->same))
			return false;
	}
	return true;
}

static bool
read_how(struct view word, enum pair_how *ret)
{
	for (unsigned i = PAIR_NONE; i <= PAIR_LIKE; i++)
		if (view_is(word, pair_how_name((enum pair_how)i))) {
			*ret = (enum pair_how)i;
			return true;
		}
	return false;
}

static bool
read_look(struct view word, enum part_look *ret)
{
	for (unsigned i = PART_LOOK_NONE; i <= PART_LOOK_OPENED; i++)
		if (view_is(word, part_look_name((enum part_look)i))) {
			*ret = (enum part_look)i;
			return true;
		}
	return false;
}

static bool
read_row(const struct json_value *v, const uint64_t size[PAIR_SIDES], struct story_row *r)
{
	struct view format, how, image, look;
	if (!has(v, 8) || !number(v, "at", &r->at) || !json_string(json_get(v, "format"), &format) ||
	    !json_string(json_get(v, "how"), &how) || !json_string(json_get(v, "image"), &image) ||
	    !json_bool(json_get(v, "inside"), &r->inside) || !json_string(json_get(v, "look"), &look) ||
	    !words(v, "name", r->name, sizeof r->name) || !number(v, "size", &r->size))
		return false;
	r->side = view_is(image, "old") ? PAIR_OLD : PAIR_NEW;
	r->format = format_find(format);
	/* Both are below 2^53: the sum cannot wrap. */
	return (view_is(image, "old") || view_is(image, "new")) && r->format != FORMAT_NONE &&
	    read_how(how, &r->how) && read_look(look, &r->look) && r->at + r->size <= size[r->side];
}

static bool
read_layout(const struct json_value *v, const uint64_t size[PAIR_SIDES], struct story *s)
{
	const struct json_value *rows = json_get(v, "layout");
	if (!rows || json_type(rows) != JSON_ARRAY || json_count(rows) > STORY_ROWS_MAX ||
	    !number(v, "layout_total", &s->rows_total) || s->rows_total < json_count(rows))
		return false;
	for (size_t i = 0; i < json_count(rows); i++)
		if (!read_row(json_at(rows, i), size, &s->row[s->rows_n++]))
			return false;
	return true;
}

static bool
read_line(const struct json_value *v, struct page_line *l)
{
	const struct json_value *offset = json_get(v, "offset");
	struct view block, id, severity, sign;
	if (!has(v, offset ? 10 : 9) || !json_string(json_get(v, "block"), &block) ||
	    !json_string(json_get(v, "id"), &id) || !json_string(json_get(v, "severity"), &severity) ||
	    !json_string(json_get(v, "sign"), &sign) || !words(v, "path", l->path, sizeof l->path) ||
	    !words(v, "text", l->text, sizeof l->text) || !words(v, "evidence", l->evidence, sizeof l->evidence) ||
	    !number(v, "times", &l->times) || !number(v, "weight", &l->weight))
		return false;
	l->have_offset = offset != NULL;
	if (offset && !json_uint(offset, &l->offset))
		return false;
	l->block = page_block_parse(block);
	l->sign = page_sign_parse(sign);
	l->severity = finding_severity_parse(severity);
	l->id = finding_find(id);
	if (l->block == PAGE_NONE || l->sign == PAGE_SIGN_LIMIT || l->id == FINDING_LIMIT || l->times == 0 ||
	    l->times > TIMES_MAX)
		return false;
	const struct finding_info *info = finding_get(l->id);
	return (info->by & FINDING_BY_EXPLAIN) && l->severity >= info->least && l->severity <= info->severity;
}

static int
read_lines(const struct json_value *v, struct story *s)
{
	const struct json_value *list = json_get(v, "lines"), *lost = json_get(v, "lost");
	if (!list || !lost || json_type(list) != JSON_ARRAY || json_count(list) > PAGE_LINES_MAX ||
	    json_type(lost) != JSON_ARRAY || json_count(lost) != PAGE_BLOCK_LIMIT - PAGE_NONE - 1)
		return FG_EFORMAT;
	for (size_t i = 0; i < json_count(list); i++) {
		struct page_line l = { 0 };
		if (!read_line(json_at(list, i), &l))
			return FG_EFORMAT;
		int err = page_put(s->page, &l);
		if (err)
			return err;
		if (page_count(s->page) != i + 1) /* it stood there twice */
			return FG_EFORMAT;
	}
	for (unsigned b = PAGE_NONE + 1; b < PAGE_BLOCK_LIMIT; b++) {
		uint64_t n;
		if (!json_uint(json_at(lost, b - 1), &n) || n > TIMES_MAX)
			return FG_EFORMAT;
		page_lose(s->page, (enum page_block)b, n);
	}
	return 0;
}

struct story *
story_read(const struct json_value *v, uint64_t old_size, uint64_t new_size, int *ret_err)
{
	const uint64_t size[PAIR_SIDES] = { [PAIR_OLD] = old_size, [PAIR_NEW] = new_size };
	struct story *s = story_new();
	*ret_err = FG_ENOMEM;
	if (!s)
		return NULL;
	*ret_err = FG_EFORMAT;
	if (has(v, 10) && read_counts(json_get(v, "counts"), s) && read_sums(json_get(v, "expanded"), s->expanded) &&
	    json_bool(json_get(v, "holds"), &s->holds) && read_sums(json_get(v, "image"), s->image) &&
	    read_layout(v, size, s) && read_map(json_get(v, "map"), "=eun.", size, s->map) &&
	    read_map(json_get(v, "strip"), "012345678", size, s->strip))
		*ret_err = read_lines(v, s);
	for (unsigned side = 0; side < PAIR_SIDES && !*ret_err; side++)
		if (s->holds && account_total(&s->image[side]) != size[side])
			*ret_err = FG_EFORMAT;
	if (*ret_err) {
		story_free(s);
		return NULL;
	}
	return s;
}
