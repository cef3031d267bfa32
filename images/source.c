/* SPDX-License-Identifier: Apache-2.0 */
#include "images/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"

int
source_open(struct source *ret, int fd)
{
	struct stat st;
	if (fstat(fd, &st))
		return FG_EIO;
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return FG_EINVAL;
	if ((uint64_t)st.st_size > SOURCE_SIZE_MAX)
		return FG_ELIMIT;
	*ret = (struct source){ .fd = fd, .size = (uint64_t)st.st_size };
	return 0;
}

void
source_memory(struct source *ret, struct view bytes)
{
	*ret = (struct source){ .fd = -1, .mem = bytes.p, .size = bytes.n };
}

int
source_window(const struct source *s, uint64_t offset, uint64_t length, struct source *ret)
{
	if (offset > s->size || length > s->size - offset)
		return FG_ELIMIT;
	*ret = *s;
	ret->size = length;
	if (s->fd < 0)
		ret->mem = s->mem + offset;
	else
		ret->base = s->base + offset;
	return 0;
}

static int
pread_all(int fd, uint64_t offset, uint8_t *buf, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = pread(fd, buf + got, n - got, (off_t)(offset + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) /* an end before size: somebody cut the file */
			return FG_EIO;
		got += (size_t)r;
	}
	return 0;
}

int
source_read(const struct source *s, uint64_t offset, void *buf, size_t n)
{
	if (offset > s->size || n > s->size - offset)
		return FG_ELIMIT;
	if (n == 0)
		return 0;
	if (s->fd < 0) {
		memcpy(buf, s->mem + offset, n);
		return 0;
	}
	return pread_all(s->fd, s->base + offset, buf, n);
}

long
source_read_some(const struct source *s, uint64_t offset, void *buf, size_t n)
{
	if (offset >= s->size)
		return 0;
	if (n > s->size - offset)
		n = (size_t)(s->size - offset);
	int err = source_read(s, offset, buf, n);
	return err ? err : (long)n;
}

size_t
source_chunk(uint64_t length)
{
	if (length == 0)
		return 1;
	return length < SOURCE_CHUNK ? (size_t)length : SOURCE_CHUNK;
}

void
source_sequential(const struct source *s)
{
	if (s->fd >= 0)
		(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

int
source_digest(const struct source *s, uint8_t ret[DIGEST_SHA256_LEN])
{
	size_t chunk_n = source_chunk(s->size);
	uint8_t *chunk = malloc(chunk_n);
	struct digest *d = digest_new(DIGEST_SHA256);
	int err = chunk && d ? 0 : FG_ENOMEM;
	source_sequential(s);
	for (uint64_t at = 0; !err && at < s->size;) {
		long n = source_read_some(s, at, chunk, chunk_n);
		err = n < 0 ? (int)n : digest_update(d, view_of(chunk, (size_t)n));
		at += n > 0 ? (uint64_t)n : 0;
	}
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	free(chunk);
	return err;
}
