/* SPDX-License-Identifier: Apache-2.0 */
#include "images/ext4_find.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define ENTRY 8u /* bytes of an entry before its name */

struct search {
	const struct ext4 *fs;
	struct view name;
	uint32_t found; /* inode; 0: not yet */
	uint8_t block[EXT4_BLOCK_MAX];
	struct ext4_inode inode;
};

/* Entries of one block. Interior nodes of an index look like entries of nobody. */
static int
look(struct search *s, uint32_t n)
{
	struct reader r;
	for (uint32_t pos = 0; pos < n && !s->found;) {
		reader_init(&r, view_of(s->block + pos, n - pos));
		uint32_t number = reader_u32le(&r), length = reader_u16le(&r);
		if (n == EXT4_BLOCK_MAX && (length == 0 || length == 65535))
			length = EXT4_BLOCK_MAX;
		if (n - pos < 12 || length < 12 || length > n - pos || s->block[pos + 6] > length - ENTRY)
			return 0; /* damaged: what stands behind it is nobody's */
		int err = ext4_work(s->fs, EXT4_ENTRY_COST);
		if (err)
			return err;
		if (number && view_equal(view_of(s->block + pos + ENTRY, s->block[pos + 6]), s->name))
			s->found = number;
		pos += length;
	}
	return 0;
}

static int
on_blocks(void *arg, uint64_t at, uint64_t length)
{
	struct search *s = arg;
	uint32_t step = s->fs->block;
	int err = 0;
	for (uint64_t done = 0; at != UINT64_MAX && done < length && !s->found && !err; done += step) {
		uint32_t n = length - done < step ? (uint32_t)(length - done) : step;
		err = ext4_work(s->fs, n);
		if (!err)
			err = source_read(s->fs->s, at + done, s->block, n);
		if (!err)
			err = look(s, n);
	}
	return err;
}

static int
no_matter(void *arg, uint64_t at, uint64_t length)
{
	(void)arg;
	(void)at;
	(void)length;
	return 0;
}

/* Inode of the name in the folder that s->inode is; *ret is 0 where there is none. */
static int
in_folder(struct search *s, struct view name, uint32_t *ret)
{
	const struct ext4_sink sink = { on_blocks, no_matter, s };
	s->name = name;
	s->found = 0;
	int got = ext4_map(s->fs, &s->inode, &sink);
	*ret = s->found;
	return got < 0 ? got : 0;
}

/* The inode of that number, if it is of that kind and its blocks are its bytes. 1, 0 or an error. */
static int
load(struct search *s, uint32_t number, mode_t kind)
{
	int got = ext4_inode(s->fs, number, &s->inode);
	if (got <= 0)
		return got;
	return (s->inode.mode & S_IFMT) == kind && s->inode.links > 0 &&
	    !(s->inode.flags & (EXT4_FLAG_ENCRYPTED | EXT4_FLAG_INLINE));
}

/* Leaves it in s->inode. 1, 0 or an error. */
static int
descend(struct search *s, const char *path)
{
	uint32_t number = EXT4_ROOT;
	for (;;) {
		size_t n = strcspn(path, "/");
		int got = load(s, number, S_IFDIR);
		if (got <= 0)
			return got;
		int err = in_folder(s, view_of(path, n), &number);
		if (err || number == 0)
			return err;
		if (path[n] == '\0')
			return load(s, number, S_IFREG);
		path += n + 1;
	}
}

/* ---- its bytes ---- */

struct copy {
	const struct ext4 *fs;
	uint8_t *to;
	size_t n, size;
};

static int
on_bytes(void *arg, uint64_t at, uint64_t length)
{
	struct copy *c = arg;
	size_t n = length < c->size - c->n ? (size_t)length : c->size - c->n;
	int err = 0;
	if (at == UINT64_MAX)
		memset(c->to + c->n, 0, n);
	else
		err = ext4_work(c->fs, n);
	if (!err && at != UINT64_MAX)
		err = source_read(c->fs->s, at, c->to + c->n, n);
	c->n += err ? 0 : n;
	return err;
}

int
ext4_find_load(const struct ext4 *fs, const char *path, size_t max, uint8_t **ret, size_t *ret_n)
{
	struct search *s = calloc(1, sizeof *s);
	struct copy c = { .fs = fs };
	*ret = NULL;
	if (!s)
		return FG_ENOMEM;
	s->fs = fs;
	int got = descend(s, path);
	if (got > 0 && s->inode.size <= max) {
		const struct ext4_sink sink = { on_bytes, no_matter, &c };
		c.size = (size_t)s->inode.size;
		c.to = malloc(c.size + 1);
		got = c.to ? ext4_map(fs, &s->inode, &sink) : FG_ENOMEM;
		if (got > 0 && c.n == c.size) {
			*ret = c.to;
			*ret_n = c.n;
			c.to = NULL;
		}
	}
	free(c.to);
	free(s);
	return got < 0 ? got : 0;
}
