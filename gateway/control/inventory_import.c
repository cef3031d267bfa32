/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an operator's list. Two passes over the same bytes: judge all of it, then change something. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"
#include "crypto/visible.h"
#include "gateway/control/inventory_private.h"
#include "policy/identity.h"
#include "policy/tags.h"

_Static_assert(TAGS_MAX == DB_TAGS_MAX, "a row holds the tags of a module, and no more");

#define COLUMNS 6
#define COLUMNS_DUE 5 /* tags may be left out */
#define HEADER "kind,identity,group,product,version" /* and perhaps tags */
#define FIELD_MAX 160 /* the longest, an identity, has 128 */

enum { COL_KIND, COL_IDENTITY, COL_GROUP, COL_PRODUCT, COL_VERSION, COL_TAGS };
static const char *const columns[COLUMNS] = { "kind", "identity", "group", "product", "version", "tags" };

struct row {
	char field[COLUMNS][FIELD_MAX];
	unsigned n;
};

struct reading {
	struct inventory *inv;
	struct view csv;
	bool objects; /* JSON, an object a line */
	unsigned columns; /* of CSV, as its header has it */
	size_t at;
	unsigned line; /* of the row being read */
	unsigned next_line;
	struct inventory_import *ret;
};

static void
problem(struct reading *r, const char *what)
{
	struct inventory_import *ret = r->ret;
	if (ret->problems_n < INVENTORY_PROBLEMS_MAX) {
		ret->problem[ret->problems_n].line = r->line;
		snprintf(ret->problem[ret->problems_n].text, sizeof ret->problem[0].text, "%s", what);
	}
	ret->problems_n++;
}

/* One field (RFC 4180); false with why for what is none. *ret_last: the row ends behind it. */
static bool
read_field(struct reading *r, char *dst, bool *ret_last, const char **ret_why)
{
	const uint8_t *p = r->csv.p;
	size_t n = 0;
	bool quoted = r->at < r->csv.n && p[r->at] == '"';
	r->at += quoted;
	for (;;) {
		bool end = r->at >= r->csv.n;
		uint8_t c = end ? '\n' : p[r->at];
		if (quoted && end) {
			*ret_why = "a quote is not closed";
			return false;
		}
		if (quoted && c == '"') {
			if (r->at + 1 < r->csv.n && p[r->at + 1] == '"') {
				r->at++;
			} else {
				quoted = false;
				r->at++;
				continue;
			}
		} else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
			bool cr = c == '\r';
			r->at += !end;
			if (cr && r->at < r->csv.n && p[r->at] == '\n')
				r->at++;
			*ret_last = c != ',';
			r->next_line += *ret_last;
			dst[n] = '\0';
			return true;
		}
		if (n == FIELD_MAX - 1) {
			*ret_why = "a field is longer than 159 characters";
			return false;
		}
		r->next_line += quoted && c == '\n';
		dst[n++] = (char)c;
		r->at++;
	}
}

/* The next row that is not empty; false at the end. A broken row is told and skipped. */
static bool
read_row(struct reading *r, struct row *row)
{
	while (r->at < r->csv.n && r->ret->problems_n <= INVENTORY_PROBLEMS_MAX) {
		const char *why = NULL;
		bool last = false;
		char field[FIELD_MAX];
		r->line = r->next_line;
		row->n = 0;
		while (!last && !why) {
			if (!read_field(r, field, &last, &why))
				break;
			if (row->n == r->columns)
				why = "more columns than the first row has, or than " HEADER ",tags";
			else
				memcpy(row->field[row->n++], field, sizeof field);
		}
		if (why) {
			problem(r, why);
			while (!last && r->at < r->csv.n && r->csv.p[r->at] != '\n')
				r->at++;
			if (!last) {
				r->at++;
				r->next_line++;
			}
			continue;
		}
		if (row->n == 1 && !row->field[0][0])
			continue;
		for (unsigned i = row->n; i < COLUMNS; i++)
			row->field[i][0] = '\0';
		return true;
	}
	return false;
}

/* One JSON object. NULL, or what is wrong with it. */
static const char *
read_object(struct view line, struct row *row)
{
	struct json *doc = NULL;
	const char *why = NULL;
	if (json_parse(line, &doc, NULL))
		return "the line is no JSON object";
	const struct json_value *root = json_root(doc);
	if (json_type(root) != JSON_OBJECT)
		why = "the line is no JSON object";
	for (unsigned i = 0; i < COLUMNS; i++)
		row->field[i][0] = '\0';
	for (size_t k = 0; k < json_count(root) && !why; k++) {
		unsigned i = 0;
		while (i < COLUMNS && !view_is(json_key_at(root, k), columns[i]))
			i++;
		if (i == COLUMNS)
			why = "a member is none of kind, identity, group, product, version, tags";
		else if (!json_cstr(json_at(root, k), row->field[i], FIELD_MAX))
			why = "a member is no text of at most 159 characters";
	}
	row->n = COLUMNS;
	json_free(doc);
	return why;
}

/* As read_row(). */
static bool
read_line(struct reading *r, struct row *row)
{
	while (r->at < r->csv.n && r->ret->problems_n <= INVENTORY_PROBLEMS_MAX) {
		const uint8_t *p = r->csv.p + r->at, *end = memchr(p, '\n', r->csv.n - r->at);
		struct view line = view_of(p, end ? (size_t)(end - p) : r->csv.n - r->at);
		r->at += line.n + (end != NULL);
		r->line = r->next_line++;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			continue;
		const char *why = read_object(line, row);
		if (!why)
			return true;
		problem(r, why);
	}
	return false;
}

static bool
next_module(struct reading *r, struct row *row)
{
	return r->objects ? read_line(r, row) : read_row(r, row);
}

static bool
is_header(const struct row *row)
{
	for (unsigned i = 0; i < row->n; i++) {
		if (strcmp(row->field[i], columns[i]))
			return false;
	}
	return row->n >= COLUMNS_DUE;
}

/* Canonical kind and identity, tags in place; the sentence if it is none. */
static const char *
judge(struct row *row, enum identity_kind *ret_kind, char text[IDENTITY_TEXT_MAX + 1])
{
	static const struct {
		unsigned column;
		size_t cap;
		const char *why;
	} texts[] = {
		{ COL_GROUP, DB_NAME_MAX, "group is longer than 63 characters or holds characters outside printable ASCII" },
		{ COL_PRODUCT, DB_NAME_MAX, "product is longer than 63 characters or holds characters outside printable ASCII" },
		{ COL_VERSION, DB_VERSION_MAX, "version is longer than 95 characters or holds characters outside printable ASCII" },
	};
	*ret_kind = identity_kind_parse(view_str(row->field[COL_KIND]));
	if (*ret_kind == IDENTITY_KIND_NONE)
		return "kind is none of imei, iccid, token, cert, address, serial";
	enum identity_check check = *ret_kind == IDENTITY_IMEI ? IDENTITY_CHECK_LUHN : IDENTITY_CHECK_NONE;
	if (!identity_canonical(*ret_kind, check, view_str(row->field[COL_IDENTITY]), text))
		return *ret_kind == IDENTITY_IMEI ? "identity is no IMEI: 15 digits with the right check digit"
		                                  : "identity is not one of that kind";
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *s = row->field[texts[i].column];
		if (strlen(s) >= texts[i].cap || !visible_is_plain(view_str(s)))
			return texts[i].why;
	}
	char tags[TAGS_MAX];
	if (!tags_canonical(view_str(row->field[COL_TAGS]), tags))
		return "tags are words of a-z, 0-9 and \"-\" with blanks between, 127 characters in all; \"-\" is none";
	/* Spelled so that it can be told from the empty field, which leaves what is known. */
	if (strcmp(row->field[COL_TAGS], "-") != 0)
		snprintf(row->field[COL_TAGS], FIELD_MAX, "%s", tags);
	if (*ret_kind == IDENTITY_TOKEN) {
		uint8_t digest[DIGEST_SHA256_LEN];
		if (digest_sha256(view_str(text), digest))
			return "token could not be hashed";
		hex_encode(digest, sizeof digest, text);
	}
	return NULL;
}

/* What the row gives it, after judge(). */
static const char *
tags_of(const struct row *row)
{
	const char *tags = row->field[COL_TAGS];
	return strcmp(tags, "-") ? tags : "";
}

/* What the row would change of m. */
static bool
differs(const struct inventory_module *m, const struct row *row)
{
	const char *const now[] = { m->group, m->product, m->version };
	for (unsigned i = 0; i < 3; i++) {
		const char *want = row->field[COL_GROUP + i];
		if (want[0] && strcmp(want, now[i]))
			return true;
	}
	return !m->listed || (row->field[COL_TAGS][0] && strcmp(tags_of(row), m->tags));
}

static enum identity_class
class_of(enum identity_kind kind)
{
	switch (kind) {
	case IDENTITY_CERT:
		return IDENTITY_A;
	case IDENTITY_TOKEN:
		return IDENTITY_B;
	case IDENTITY_ADDRESS:
		return IDENTITY_C;
	default:
		return IDENTITY_D;
	}
}

/* An empty field leaves what is known. */
static int
apply(struct reading *r, const struct row *row, enum identity_kind kind, const char *text, const char *profile)
{
	struct inventory *inv = r->inv;
	struct inventory_module *m = inventory_lookup(inv, kind, view_str(text));
	const char *version = row->field[COL_VERSION];
	int err = FG_OK;
	if (!m) {
		err = inventory_make(inv, kind, class_of(kind), text, &m);
		if (!err)
			err = inventory_change(inv, m, &m->profile, profile, NULL);
	}
	if (!err && row->field[COL_GROUP][0])
		err = inventory_change(inv, m, &m->group, row->field[COL_GROUP], NULL);
	if (!err && row->field[COL_PRODUCT][0])
		err = inventory_change(inv, m, &m->product, row->field[COL_PRODUCT], NULL);
	if (!err && row->field[COL_TAGS][0])
		err = inventory_change(inv, m, &m->tags, tags_of(row), NULL);
	if (!err && version[0]) {
		err = inventory_change(inv, m, &m->version, version, NULL);
		if (!err)
			err = inventory_change(inv, m, &m->sure, version, NULL);
		m->version_cls = IDENTITY_CLASS_NONE;
	}
	if (!err && !m->listed) {
		m->listed = true;
		m->placed = 0; /* as a stranger nobody had put it there */
		inv->unplaced = true;
		inv->stale = true;
		inventory_touch(inv, m);
		err = inventory_regroup(inv, m);
		/* What it was given as a stranger is nobody's decision: a rule is. */
		if (!err && m->ruled[0] && !row->field[COL_GROUP][0])
			err = inventory_change(inv, m, &m->group, "", NULL);
	}
	return err;
}

/* One pass; profile NULL only judges and counts. */
static int
pass(struct reading *r, const char *profile)
{
	struct row *row = calloc(1, sizeof *row);
	int err = row ? FG_OK : FG_ENOMEM;
	/* Spreadsheets put a byte order mark in front. */
	r->at = r->csv.n >= 3 && memcmp(r->csv.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	r->line = r->next_line = 1;
	r->columns = COLUMNS;
	/* A header of CSV begins with a letter. */
	r->objects = r->at < r->csv.n && r->csv.p[r->at] == '{';
	if (!err && !r->objects && (!read_row(r, row) || !is_header(row)))
		problem(r, "the first row must be: " HEADER ", perhaps with tags behind it");
	bool header_good = !r->ret->problems_n;
	if (!err && !r->objects)
		r->columns = row->n;
	while (!err && header_good && next_module(r, row)) {
		enum identity_kind kind;
		char text[IDENTITY_TEXT_MAX + 1];
		const char *bad = judge(row, &kind, text);
		if (bad) {
			problem(r, bad); /* and go on looking: a person mends all of it at once */
			continue;
		}
		if (profile) {
			err = apply(r, row, kind, text, profile);
			r->ret->taken += !err;
			continue;
		}
		const struct inventory_module *m = inventory_lookup(r->inv, kind, view_str(text));
		r->ret->rows++;
		if (!m)
			r->ret->created++;
		else if (differs(m, row))
			r->ret->changed++;
		else
			r->ret->same++;
	}
	free(row);
	return err;
}

int
inventory_import(struct inventory *inv, struct view csv, const char *profile, bool dry_run,
    struct inventory_import *ret)
{
	struct reading r = { .inv = inv, .csv = csv, .ret = ret };
	*ret = (struct inventory_import){ 0 };
	if (csv.n > INVENTORY_IMPORT_MAX)
		return FG_ELIMIT;
	int err = pass(&r, NULL);
	if (err || dry_run || ret->problems_n)
		return err;
	err = pass(&r, profile);
	return err ? err : inventory_flush(inv);
}
