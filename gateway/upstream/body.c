/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"

#define PIECE 65536 /* hashed or compared at a time */

static ssize_t
read_at(int fd, uint8_t *p, size_t n, uint64_t at)
{
	ssize_t got;
	do
		got = pread(fd, p, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	return got;
}

int
body_restart(struct body *b)
{
	struct digest *d = digest_new(DIGEST_SHA256);
	if (!d)
		return FG_ENOMEM;
	if (ftruncate(b->fd, 0)) {
		digest_free(d);
		return FG_EIO;
	}
	digest_free(b->digest);
	b->digest = d;
	b->size = b->at = 0;
	return FG_OK;
}

int
body_begin(struct body *b, int fd, uint64_t max)
{
	*b = (struct body){ .fd = fd, .max = max };
	return body_restart(b);
}

int
body_adopt(struct body *b, int fd, uint64_t max, uint64_t n, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	uint8_t piece[PIECE], found[DIGEST_SHA256_LEN];
	*b = (struct body){ .fd = fd, .max = max, .digest = digest_new(DIGEST_SHA256) };
	int err = b->digest ? FG_OK : FG_ENOMEM;
	if (!err && n > max)
		err = FG_EFORMAT;
	while (!err && b->size < n) {
		size_t want = n - b->size < PIECE ? (size_t)(n - b->size) : PIECE;
		ssize_t got = read_at(fd, piece, want, b->size);
		if (got <= 0)
			err = got < 0 ? FG_EIO : FG_EFORMAT;
		else
			err = digest_update(b->digest, view_of(piece, (size_t)got));
		b->size += got > 0 ? (uint64_t)got : 0;
	}
	if (!err)
		err = digest_peek(b->digest, found);
	if (!err && memcmp(found, sha256, sizeof found))
		err = FG_EFORMAT;
	if (!err && ftruncate(fd, (off_t)n))
		err = FG_EIO;
	if (err)
		body_end(b);
	else
		b->at = n;
	return err;
}

uint64_t
body_rewind(struct body *b)
{
	b->at = b->size - (b->size < BODY_OVERLAP ? b->size : BODY_OVERLAP);
	return b->at;
}

/* The part of the piece that came before: is it the same? */
static enum body_outcome
compare(struct body *b, struct view piece)
{
	uint8_t had[PIECE];
	while (piece.n) {
		ssize_t got = read_at(b->fd, had, piece.n < PIECE ? piece.n : PIECE, b->at);
		if (got <= 0)
			return BODY_FAILED;
		if (memcmp(had, piece.p, (size_t)got))
			return BODY_DIFFERS;
		b->at += (uint64_t)got;
		piece = view_of(piece.p + got, piece.n - (size_t)got);
	}
	return BODY_TAKEN;
}

enum body_outcome
body_take(struct body *b, struct view piece)
{
	if (piece.n > b->max - b->at)
		return BODY_FULL;
	if (b->at < b->size) {
		size_t n = b->size - b->at < piece.n ? (size_t)(b->size - b->at) : piece.n;
		enum body_outcome end = compare(b, view_of(piece.p, n));
		if (end != BODY_TAKEN)
			return end;
		piece = view_of(piece.p + n, piece.n - n);
	}
	for (size_t done = 0; done < piece.n;) {
		ssize_t w = pwrite(b->fd, piece.p + done, piece.n - done, (off_t)(b->size + done));
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return BODY_FAILED;
		done += (size_t)w;
	}
	if (!piece.n)
		return BODY_TAKEN;
	b->size += piece.n;
	b->at = b->size;
	return digest_update(b->digest, piece) ? BODY_FAILED : BODY_TAKEN;
}

int
body_sync(const struct body *b)
{
	return fsync(b->fd) ? FG_EIO : FG_OK;
}

int
body_sha256(const struct body *b, uint8_t out[DIGEST_SHA256_LEN])
{
	return digest_peek(b->digest, out);
}

void
body_end(struct body *b)
{
	digest_free(b->digest);
	b->digest = NULL;
}
