/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/suspensions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define FILE_NAME "suspended"
#define RECORD_LEN 48 /* number, 4 zero, time, key */

struct record {
	uint32_t number;
	int64_t at;
	uint8_t key[DIGEST_SHA256_LEN];
	bool written;
};

struct suspensions {
	int fd;
	struct record *list;
	size_t n, cap;
	off_t written; /* end of the last whole record: a failed write never shifts the next */
};

/* The one that holds already, or NULL: spoken once more it is the same word, not a later one. */
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

static int
load(struct suspensions *s)
{
	uint8_t raw[RECORD_LEN];
	for (;;) {
		ssize_t n = pread(s->fd, raw, sizeof raw, s->written);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FG_EIO;
		if (n < (ssize_t)sizeof raw)
			/* A torn last record: control says it again at our start. */
			return n && ftruncate(s->fd, s->written) ? FG_EIO : FG_OK;
		struct record r = { .written = true };
		struct reader rd;
		reader_init(&rd, view_of(raw, sizeof raw));
		r.number = reader_u32(&rd);
		reader_take(&rd, 4);
		r.at = (int64_t)reader_u64(&rd);
		reader_copy(&rd, r.key, sizeof r.key);
		int err = remember(s, &r);
		if (err)
			return err;
		s->written += n;
	}
}

int
suspensions_open(int dir, struct suspensions **ret)
{
	struct suspensions *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	s->fd = openat(dir, FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err = s->fd < 0 || fsync(dir) ? FG_EIO : load(s);
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
	if (s->fd >= 0)
		close(s->fd);
	free(s->list);
	free(s);
}

static bool
write_down(struct suspensions *s, const struct record *r)
{
	struct writer w;
	writer_init(&w, RECORD_LEN);
	writer_u32(&w, r->number);
	writer_u32(&w, 0);
	writer_u64(&w, (uint64_t)r->at);
	writer_bytes(&w, view_of(r->key, sizeof r->key));
	struct view raw = writer_view(&w);
	bool ok = raw.n == RECORD_LEN && pwrite(s->fd, raw.p, raw.n, s->written) == (ssize_t)raw.n && fdatasync(s->fd) == 0;
	if (ok)
		s->written += RECORD_LEN;
	writer_free(&w);
	return ok;
}

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
