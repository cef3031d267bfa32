/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mkdelta.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "images/delta.h"

#define OUT_SIZE (64u << 10)

struct mkdelta {
	struct view from;
	const struct source *to;
	int fd;
	uint64_t flushed;
	size_t n;
	uint8_t out[OUT_SIZE];
};

struct view
mkdelta_from(const struct mkdelta *m)
{
	return m->from;
}

const struct source *
mkdelta_to(const struct mkdelta *m)
{
	return m->to;
}

uint64_t
mkdelta_written(const struct mkdelta *m)
{
	return m->flushed + m->n;
}

static int
write_at(int fd, uint64_t at, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = pwrite(fd, p, n, (off_t)at);
		if (k <= 0)
			return FG_EIO;
		at += (uint64_t)k;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
flush(struct mkdelta *m)
{
	int err = write_at(m->fd, m->flushed, m->out, m->n);
	m->flushed += err ? 0 : m->n;
	m->n = 0;
	return err;
}

int
mkdelta_put(struct mkdelta *m, const void *buf, size_t n)
{
	for (const uint8_t *p = buf; n > 0;) {
		size_t k = OUT_SIZE - m->n < n ? OUT_SIZE - m->n : n;
		memcpy(m->out + m->n, p, k);
		m->n += k;
		p += k;
		n -= k;
		int err = m->n == OUT_SIZE ? flush(m) : 0;
		if (err)
			return err;
	}
	return 0;
}

int
mkdelta_mend(struct mkdelta *m, uint64_t at, const void *buf, size_t n)
{
	int err = flush(m);
	if (at > m->flushed || n > m->flushed - at)
		abort();
	return err ? err : write_at(m->fd, at, buf, n);
}

uint64_t
mkdelta_limit(enum format_id format)
{
	return format == FORMAT_BSDIFF ? MKDELTA_BSDIFF_MAX : format == FORMAT_VCDIFF ? MKDELTA_FROM_MAX : 0;
}

static int
digest_source(const struct source *s, uint8_t out[DIGEST_SHA256_LEN])
{
	size_t chunk = source_chunk(s->size);
	uint8_t *buf = malloc(chunk);
	struct digest *d = digest_new(DIGEST_SHA256);
	int err = !buf ? FG_ENOMEM : d ? 0 : FG_ECRYPTO;
	for (uint64_t at = 0; !err && at < s->size; at += chunk) {
		size_t n = s->size - at < chunk ? (size_t)(s->size - at) : chunk;
		err = source_read(s, at, buf, n);
		if (!err)
			err = digest_update(d, view_of(buf, n));
	}
	if (!err)
		err = digest_final(d, out);
	digest_free(d);
	free(buf);
	return err;
}

int
mkdelta_prove(enum format_id format, const struct source *from, const struct source *to,
    const struct source *delta, struct mkdelta_proof *ret)
{
	struct delta_result r;
	struct mkdelta_proof proof = { 0 };
	int err = delta_apply(format, delta, from, -1, &r);
	if (!err)
		err = digest_source(to, proof.to_sha256);
	if (!err)
		err = digest_source(from, proof.from_sha256);
	if (!err)
		err = digest_source(delta, proof.delta_sha256);
	if (err)
		return err;
	if (r.outcome != DELTA_APPLIED || r.target_size != to->size ||
	    memcmp(r.target_sha256, proof.to_sha256, DIGEST_SHA256_LEN) != 0)
		return FG_ESTATE;
	proof.from_base = r.from_base;
	*ret = proof;
	return 0;
}

int
mkdelta_make(enum format_id format, const struct source *from, const struct source *to, int out)
{
	if (format != FORMAT_BSDIFF && format != FORMAT_VCDIFF)
		return FG_EINVAL;
	if (from->size > mkdelta_limit(format) ||
	    to->size > (format == FORMAT_BSDIFF ? MKDELTA_BSDIFF_MAX : DELTA_TARGET_MAX))
		return FG_ELIMIT;
	if (ftruncate(out, 0))
		return FG_EIO;
	struct mkdelta *m = malloc(sizeof *m);
	uint8_t *bytes = malloc(from->size ? (size_t)from->size : 1);
	int err = m && bytes ? source_read(from, 0, bytes, (size_t)from->size) : FG_ENOMEM;
	if (!err) {
		memset(m, 0, offsetof(struct mkdelta, out));
		m->from = view_of(bytes, (size_t)from->size);
		m->to = to;
		m->fd = out;
		err = format == FORMAT_BSDIFF ? mkdelta_bsdiff(m) : mkdelta_vcdiff(m);
	}
	if (!err)
		err = flush(m);
	free(bytes);
	free(m);
	return err;
}
