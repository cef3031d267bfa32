/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/suspensions.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "gateway/warden/records.h"

#define FILE_NAME "suspended"
#define RECORD_LEN 48 /* number, 4 zero, time, key */

struct record {
	uint32_t number;
	int64_t at;
	uint8_t key[DIGEST_SHA256_LEN];
	bool written;
};

struct suspensions {
	struct records file;
	struct record *list;
	size_t n, cap;
};

/* The one that holds already, or NULL. */
static struct record *
known(const struct suspensions *s, uint32_t number, const uint8_t key[DIGEST_SHA256_LEN])
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].number >= number && !memcmp(s->list[i].key, key, DIGEST_SHA256_LEN))
			return &s->list[i];
	}
	return NULL;
}

static int
remember(struct suspensions *s, const struct record *r)
{
	if (s->n == SUSPENSIONS_MAX)
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

/* ---- the file ---- */

static void
encode(const struct record *r, struct writer *w)
{
	writer_u32(w, r->number);
	writer_u32(w, 0);
	writer_u64(w, (uint64_t)r->at);
	writer_bytes(w, view_of(r->key, sizeof r->key));
}

static int
load(void *ctx, struct view record)
{
	struct suspensions *s = ctx;
	struct record r = { .written = false };
	struct reader rd;
	reader_init(&rd, record);
	r.number = reader_u32(&rd);
	reader_take(&rd, 4);
	r.at = (int64_t)reader_u64(&rd);
	reader_copy(&rd, r.key, sizeof r.key);
	/* More than once there when it was spoken again since the file was written anew: the latest word is the one. */
	struct record *before = known(s, r.number, r.key);
	if (before && r.at > before->at)
		before->at = r.at;
	return before ? FG_OK : remember(s, &r);
}

int
suspensions_open(int dir, struct suspensions **ret)
{
	struct suspensions *s = calloc(1, sizeof *s);
	struct writer all;
	bool sure = false;
	if (!s)
		return FG_ENOMEM;
	int err = records_open(&s->file, dir, FILE_NAME, RECORD_LEN, load, s);
	writer_init(&all, (size_t)SUSPENSIONS_MAX * RECORD_LEN);
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
		suspensions_close(s);
		return err;
	}
	*ret = s;
	return FG_OK;
}

void
suspensions_close(struct suspensions *s)
{
	if (!s)
		return;
	records_close(&s->file);
	free(s->list);
	free(s);
}

static bool
write_down(struct suspensions *s, const struct record *r)
{
	struct writer w;
	writer_init(&w, RECORD_LEN);
	encode(r, &w);
	bool ok = !writer_err(&w) && records_append(&s->file, writer_view(&w)) == FG_OK;
	writer_free(&w);
	return ok;
}

/* ---- keys ---- */

int
suspensions_add(struct suspensions *s, uint32_t number, const uint8_t key[DIGEST_SHA256_LEN], int64_t at)
{
	struct record *r = known(s, number, key);
	if (!r) {
		struct record fresh = { .number = number, .at = at };
		memcpy(fresh.key, key, sizeof fresh.key);
		int err = remember(s, &fresh);
		if (err)
			return err;
		r = &s->list[s->n - 1];
	} else if (at > r->at) {
		/* A later word stands against every set written before it, also one that would have ended the first. */
		r->at = at;
		r->written = false;
	}
	if (!r->written)
		r->written = write_down(s, r);
	return r->written ? FG_OK : FG_EIO;
}

int
suspensions_of(const struct suspensions *s, const struct signers *set, struct signers_suspended ret[SIGNERS_MAX])
{
	int n = 0;
	for (uint32_t i = 0; i < set->n; i++) {
		struct signers_suspended one = { .at = INT64_MIN };
		bool found = false;
		int err = sshkey_digest(&set->signer[i].key, one.key);
		if (err)
			return err;
		for (size_t k = 0; k < s->n; k++) {
			const struct record *r = &s->list[k];
			if (!signers_suspension_holds(set, r->number, r->at) || memcmp(r->key, one.key, sizeof one.key))
				continue;
			found = true;
			one.at = r->at > one.at ? r->at : one.at;
		}
		if (found)
			ret[n++] = one;
	}
	return n;
}
