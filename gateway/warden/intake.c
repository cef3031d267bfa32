/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"

enum phase { COPYING, HASHING, DONE };

struct intake {
	enum phase phase;
	int source;  /* borrowed */
	uint64_t size; /* of it when we began */
	int dirfd;   /* borrowed, or -1 */
	char name[128];
	int file;    /* read-write while copying; -1 without a file */
	int mem;     /* -1 when not hot */
	uint64_t copied, hashed;
	struct digest *whole;
	struct writer blocks;
	uint8_t *buf;
};

static void
destroy(struct intake *in, bool remove)
{
	if (in->file >= 0) {
		close(in->file);
		if (remove)
			unlinkat(in->dirfd, in->name, 0);
	}
	if (in->mem >= 0)
		close(in->mem);
	digest_free(in->whole);
	writer_free(&in->blocks);
	free(in->buf);
	free(in);
}

void
intake_abort(struct intake *in)
{
	if (in)
		destroy(in, true);
}

_Static_assert(INTAKE_SLICE % MEMFD_LARGE == 0, "a slice is made of whole large pages");

struct intake *
intake_new(int source, uint64_t size, int dirfd, const char *name, bool hot, int *ret_err)
{
	*ret_err = FG_ELIMIT;
	if (size > INTAKE_IMAGE_MAX)
		return NULL;
	struct intake *in = calloc(1, sizeof *in);
	*ret_err = FG_ENOMEM;
	if (!in)
		return NULL;
	in->source = source;
	in->size = size;
	in->dirfd = dirfd;
	in->file = in->mem = -1;
	snprintf(in->name, sizeof in->name, "%s", name);
	writer_init(&in->blocks, (INTAKE_IMAGE_MAX / RELEASE_BLOCK + 1) * DIGEST_SHA256_LEN);
	in->whole = digest_new(DIGEST_SHA256);
	in->buf = malloc(RELEASE_BLOCK);
	if (!in->whole || !in->buf)
		goto fail;
	*ret_err = FG_EIO;
	if (dirfd >= 0) {
		/* O_EXCL: an inode nobody else ever opened for writing. */
		unlinkat(dirfd, name, 0);
		in->file = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0440);
		if (in->file < 0)
			goto fail;
	}
	if (hot && (in->mem = memfd_open("fotagate-image")) < 0)
		goto fail;
	/* Neither: the source is our own file, opened read-only, and only hashed. */
	in->phase = in->file < 0 && in->mem < 0 ? HASHING : COPYING;
	*ret_err = FG_OK;
	return in;
fail:
	destroy(in, true);
	return NULL;
}

static int
write_all(int fd, const uint8_t *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return FG_EIO;
		p += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return FG_OK;
}

/* Fills buf from at; fewer bytes than want only at the end. Negative fg_err on failure. */
static ssize_t
read_block(int fd, uint8_t *buf, size_t want, uint64_t at)
{
	size_t n = 0;
	while (n < want) {
		ssize_t r = pread(fd, buf + n, want - n, (off_t)(at + n));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return FG_EIO;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

/* The copy is complete: nobody, this process included, can change it any more. */
static int
freeze(struct intake *in)
{
	if (in->file >= 0) {
		if (fsync(in->file))
			return FG_EIO;
		/* The only descriptor with write access ends here, before a byte is hashed. */
		int readonly = openat(in->dirfd, in->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (readonly < 0)
			return FG_EIO;
		close(in->file);
		in->file = readonly;
	}
	if (in->mem >= 0 && memfd_seal(in->mem))
		return FG_EIO;
	in->phase = HASHING;
	return FG_OK;
}

/* For edges, who send from it: a third less of their time for a whole image. */
static void
enlarge(const struct intake *in, uint64_t from)
{
	if (in->mem >= 0)
		(void)memfd_enlarge(in->mem, from, in->copied);
}

static int
copy_some(struct intake *in)
{
	uint64_t before = in->copied;
	for (size_t done = 0; done < INTAKE_SLICE; done += RELEASE_BLOCK) {
		uint64_t left = in->size - in->copied;
		ssize_t n = read_block(in->source, in->buf, left < RELEASE_BLOCK ? (size_t)left : RELEASE_BLOCK, in->copied);
		if (n < 0)
			return FG_EIO;
		if (in->file >= 0 && write_all(in->file, in->buf, (size_t)n, in->copied))
			return FG_EIO;
		if (in->mem >= 0 && write_all(in->mem, in->buf, (size_t)n, in->copied))
			return FG_EIO;
		in->copied += (uint64_t)n;
		if (n < (ssize_t)RELEASE_BLOCK) {
			enlarge(in, before);
			return freeze(in);
		}
	}
	enlarge(in, before);
	return FG_OK;
}

/* What edges will send from. */
static int
frozen(const struct intake *in)
{
	if (in->mem >= 0)
		return in->mem;
	return in->file >= 0 ? in->file : in->source;
}

static int
hash_some(struct intake *in)
{
	for (size_t done = 0; done < INTAKE_SLICE; done += RELEASE_BLOCK) {
		uint8_t digest[DIGEST_SHA256_LEN];
		ssize_t n = read_block(frozen(in), in->buf, RELEASE_BLOCK, in->hashed);
		if (n < 0)
			return FG_EIO;
		if (n == 0) {
			in->phase = DONE;
			return FG_OK;
		}
		struct view block = view_of(in->buf, (size_t)n);
		if (digest_update(in->whole, block) || digest_sha256(block, digest))
			return FG_ECRYPTO;
		writer_bytes(&in->blocks, view_of(digest, sizeof digest));
		in->hashed += (uint64_t)n;
		if (in->hashed > INTAKE_IMAGE_MAX)
			return FG_ELIMIT;
		if (n < (ssize_t)RELEASE_BLOCK) {
			in->phase = DONE;
			return FG_OK;
		}
	}
	return FG_OK;
}

int
intake_step(struct intake *in)
{
	int err = FG_OK;
	if (in->phase == COPYING)
		err = copy_some(in);
	else if (in->phase == HASHING)
		err = hash_some(in);
	if (!err && writer_err(&in->blocks))
		err = writer_err(&in->blocks);
	if (err)
		return err;
	return in->phase == DONE ? FG_OK : FG_EAGAIN;
}

int
intake_finish(struct intake *in, struct intake_result *ret)
{
	struct intake_result r = { .size = in->hashed, .image_fd = -1, .blocks_fd = -1, .hot = in->mem >= 0 };
	struct view list = writer_view(&in->blocks);
	int err = in->phase == DONE ? FG_OK : FG_ESTATE;
	r.blocks = list.n / DIGEST_SHA256_LEN;
	if (!err && r.size == 0)
		err = FG_ELIMIT; /* an empty image releases nothing */
	if (!err)
		err = digest_final(in->whole, r.sha256);
	if (!err)
		err = digest_sha256(list, r.blocks_sha256);
	if (!err) {
		r.blocks_fd = memfd_sealed("fotagate-blocks", list);
		r.image_fd = fcntl(frozen(in), F_DUPFD_CLOEXEC, 0);
		if (r.blocks_fd < 0 || r.image_fd < 0)
			err = FG_EIO;
	}
	if (err) {
		if (r.blocks_fd >= 0)
			close(r.blocks_fd);
		if (r.image_fd >= 0)
			close(r.image_fd);
	} else {
		*ret = r;
	}
	destroy(in, err != FG_OK);
	return err;
}
