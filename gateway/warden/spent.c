/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/spent.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "gateway/warden/records.h"

#define FILE_NAME "standing"
#define RECORD_LEN (DIGEST_SHA256_LEN + RELEASE_ID)

struct record {
	uint8_t key[DIGEST_SHA256_LEN], release[RELEASE_ID];
	bool written;
};

struct spent {
	struct records file;
	struct record *list;
	size_t n, cap;
};

static struct record *
known(const struct spent *s, const uint8_t key[DIGEST_SHA256_LEN], const uint8_t release[RELEASE_ID])
{
	for (size_t i = 0; i < s->n; i++)
		if (!memcmp(s->list[i].key, key, DIGEST_SHA256_LEN) && !memcmp(s->list[i].release, release, RELEASE_ID))
			return &s->list[i];
	return NULL;
}

static int
remember(struct spent *s, const struct record *r)
{
	if (s->n == SPENT_MAX)
		return FG_ELIMIT;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		struct record *more = reallocarray(s->list, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		s->list = more;
		s->cap = cap;
	}
	s->list[s->n++] = *r;
	return FG_OK;
}

static void
encode(const struct record *r, struct writer *w)
{
	writer_bytes(w, view_of(r->key, sizeof r->key));
	writer_bytes(w, view_of(r->release, sizeof r->release));
}

/* Twice there when it was said again: remembered once a release, counted so. */
static int
load(void *ctx, struct view record)
{
	struct spent *s = ctx;
	struct record r = { .written = false };
	struct reader rd;
	reader_init(&rd, record);
	reader_copy(&rd, r.key, sizeof r.key);
	reader_copy(&rd, r.release, sizeof r.release);
	return remember(s, &r);
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, RECORD_LEN);
}

static void
drop_twins(struct spent *s)
{
	size_t n = 0;
	if (s->n)
		qsort(s->list, s->n, sizeof s->list[0], by_bytes);
	for (size_t i = 0; i < s->n; i++)
		if (!n || by_bytes(&s->list[n - 1], &s->list[i]))
			s->list[n++] = s->list[i];
	s->n = n;
}

int
spent_open(int dir, struct spent **ret)
{
	struct spent *s = calloc(1, sizeof *s);
	struct writer all;
	bool sure = false;
	if (!s)
		return FG_ENOMEM;
	int err = records_open(&s->file, dir, FILE_NAME, RECORD_LEN, load, s);
	drop_twins(s);
	writer_init(&all, (size_t)SPENT_MAX * RECORD_LEN);
	for (size_t i = 0; !err && i < s->n; i++)
		encode(&s->list[i], &all);
	if (!err)
		err = writer_err(&all);
	if (!err)
		err = records_settle(&s->file, writer_view(&all), &sure);
	for (size_t i = 0; i < s->n; i++)
		s->list[i].written = sure;
	writer_free(&all);
	if (err) {
		spent_close(s);
		return err;
	}
	*ret = s;
	return FG_OK;
}

void
spent_close(struct spent *s)
{
	if (!s)
		return;
	records_close(&s->file);
	free(s->list);
	free(s);
}

size_t
spent_room(const struct spent *s)
{
	return SPENT_MAX - s->n;
}

uint32_t
spent_count(const struct spent *s, const uint8_t key[DIGEST_SHA256_LEN])
{
	uint32_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += !memcmp(s->list[i].key, key, DIGEST_SHA256_LEN);
	return n;
}

int
spent_add(struct spent *s, const uint8_t key[DIGEST_SHA256_LEN], const uint8_t release[RELEASE_ID])
{
	struct record *r = known(s, key, release);
	struct writer w;
	if (!r) {
		struct record fresh = { .written = false };
		memcpy(fresh.key, key, sizeof fresh.key);
		memcpy(fresh.release, release, sizeof fresh.release);
		int err = remember(s, &fresh);
		if (err)
			return err;
		r = &s->list[s->n - 1];
	}
	if (r->written)
		return FG_OK;
	writer_init(&w, RECORD_LEN);
	encode(r, &w);
	r->written = !writer_err(&w) && records_append(&s->file, writer_view(&w)) == FG_OK;
	writer_free(&w);
	return r->written ? FG_OK : FG_EIO;
}
