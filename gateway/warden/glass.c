/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/glass.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "gateway/warden/records.h"

#define FILE_NAME "breakglass"
#define RECORD_LEN (1 + DIGEST_SHA256_LEN + RELEASE_ID + 4 + 8)

enum kind { KIND_NONE = 0, KIND_RELEASED, KIND_USED, KIND_REVIEWED, KIND_LIMIT };

struct record {
	enum kind kind;
	struct glass_use u; /* of KIND_RELEASED quorum is the number of modules; of KIND_REVIEWED the release alone */
	bool written, reviewed;
};

struct glass {
	struct records file;
	struct record *list;
	size_t n, cap;
};

static struct record *
used(const struct glass *g, const uint8_t release[RELEASE_ID])
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].kind == KIND_USED && !memcmp(g->list[i].u.release, release, RELEASE_ID))
			return &g->list[i];
	return NULL;
}

static int
remember(struct glass *g, const struct record *r)
{
	if (g->n == GLASS_MAX)
		return FG_ELIMIT;
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 16;
		struct record *more = reallocarray(g->list, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		g->list = more;
		g->cap = cap;
	}
	g->list[g->n++] = *r;
	return FG_OK;
}

/*
 * Records that the file still takes: one more than GLASS_MAX would keep the next start from reading it. Each use that was
 * not looked at has a place kept for its review.
 */
static size_t
room(const struct glass *g)
{
	size_t taken = g->n;
	for (size_t i = 0; i < g->n; i++)
		taken += g->list[i].kind == KIND_USED && !g->list[i].reviewed;
	return taken < GLASS_MAX ? GLASS_MAX - taken : 0;
}

static void
encode(const struct record *r, struct writer *w)
{
	writer_u8(w, (uint8_t)r->kind);
	writer_bytes(w, view_of(r->u.image, sizeof r->u.image));
	writer_bytes(w, view_of(r->u.release, sizeof r->u.release));
	writer_u32(w, r->u.quorum);
	writer_u64(w, r->u.log_size);
}

static int
append(struct glass *g, const struct record *r)
{
	struct writer w;
	writer_init(&w, RECORD_LEN);
	encode(r, &w);
	int err = writer_err(&w);
	if (!err)
		err = records_append(&g->file, writer_view(&w));
	writer_free(&w);
	return err ? FG_EIO : FG_OK;
}

/* In memory if it is in the file, so that both count the same. */
static int
note(struct glass *g, const struct record *r)
{
	int err = remember(g, r);
	if (!err) {
		err = append(g, r);
		g->n -= err != FG_OK;
	}
	return err;
}

/* What is of no kind there is was written by no warden: it would be read as less than it was. */
static int
load(void *ctx, struct view bytes)
{
	struct glass *g = ctx;
	struct record r = { .kind = KIND_NONE };
	struct reader rd;
	reader_init(&rd, bytes);
	uint8_t kind = reader_u8(&rd);
	reader_copy(&rd, r.u.image, sizeof r.u.image);
	reader_copy(&rd, r.u.release, sizeof r.u.release);
	r.u.quorum = reader_u32(&rd);
	r.u.log_size = reader_u64(&rd);
	if (kind == KIND_NONE || kind >= KIND_LIMIT)
		return FG_EIO;
	r.kind = (enum kind)kind;
	struct record *of = r.kind == KIND_REVIEWED || r.kind == KIND_USED ? used(g, r.u.release) : NULL;
	if (of && r.kind == KIND_USED)
		return FG_OK; /* said again */
	if (of)
		of->reviewed = true;
	return remember(g, &r);
}

int
glass_open(int dir, struct glass **ret)
{
	struct glass *g = calloc(1, sizeof *g);
	struct writer all;
	bool sure = false;
	if (!g)
		return FG_ENOMEM;
	int err = records_open(&g->file, dir, FILE_NAME, RECORD_LEN, load, g);
	writer_init(&all, (size_t)GLASS_MAX * RECORD_LEN);
	for (size_t i = 0; !err && i < g->n; i++)
		encode(&g->list[i], &all);
	if (!err)
		err = writer_err(&all);
	if (!err)
		err = records_settle(&g->file, writer_view(&all), &sure);
	for (size_t i = 0; i < g->n; i++)
		g->list[i].written = sure;
	writer_free(&all);
	if (err) {
		glass_close(g);
		return err;
	}
	*ret = g;
	return FG_OK;
}

void
glass_close(struct glass *g)
{
	if (!g)
		return;
	records_close(&g->file);
	free(g->list);
	free(g);
}

void
glass_released(struct glass *g, const uint8_t image[DIGEST_SHA256_LEN], uint32_t modules, uint64_t log_size)
{
	struct record r = { .kind = KIND_RELEASED, .u = { .quorum = modules, .log_size = log_size } };
	memcpy(r.u.image, image, sizeof r.u.image);
	if (room(g))
		(void)note(g, &r);
}

uint32_t
glass_modules(const struct glass *g, const uint8_t image[DIGEST_SHA256_LEN], uint64_t newer_than)
{
	uint32_t most = 0;
	for (size_t i = 0; g && i < g->n; i++) {
		const struct record *r = &g->list[i];
		if (r->kind == KIND_RELEASED && r->u.log_size > newer_than && r->u.quorum > most &&
		    !memcmp(r->u.image, image, DIGEST_SHA256_LEN))
			most = r->u.quorum;
	}
	return most;
}

int
glass_used(struct glass *g, const struct glass_use *u)
{
	struct record *r = used(g, u->release);
	if (!r) {
		struct record fresh = { .kind = KIND_USED, .u = *u };
		int err = room(g) > 1 ? remember(g, &fresh) : FG_ELIMIT; /* its review is one as well */
		if (err)
			return err;
		r = &g->list[g->n - 1];
	}
	if (!r->written)
		r->written = append(g, r) == FG_OK;
	return r->written ? FG_OK : FG_EIO;
}

bool
glass_owed(const struct glass *g, struct glass_use *ret)
{
	for (size_t i = 0; g && i < g->n; i++) {
		if (g->list[i].kind != KIND_USED || g->list[i].reviewed)
			continue;
		*ret = g->list[i].u;
		return true;
	}
	return false;
}

int
glass_reviewed(struct glass *g, const uint8_t release[RELEASE_ID])
{
	const struct record *of = used(g, release);
	struct record r = { .kind = KIND_REVIEWED };
	if (!of || of->reviewed)
		return FG_OK;
	memcpy(r.u.release, release, RELEASE_ID);
	size_t at = (size_t)(of - g->list); /* the list may move */
	int err = note(g, &r);
	if (!err)
		g->list[at].reviewed = true;
	return err;
}
