/* SPDX-License-Identifier: Apache-2.0 */
#include "images/ubifs.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/flash.h"

#define MAGIC 0x06101831u
#define SUPER_LEN 4096u
#define MASTER_LEN 512u
#define REF_LEN 64u
#define COMMIT_LEN 32u
#define INODE_LEN 160u
#define LEB_MIN 15360u       /* the kernel's UBIFS_MIN_LEB_SZ */
#define LEB_MAX (16u << 20)
#define VERSION_MAX 5u
#define FLAG_ENCRYPTED 0x10u
#define FLAG_HASHED 0x20u
#define MASTER_DIRTY 1u

void
ubifs_tell(struct ubifs *u, const char *why, bool limit)
{
	u->limit = u->why ? u->limit : limit;
	u->why = u->why ? u->why : why;
}

/* ---- nodes ---- */

int
ubifs_node(struct ubifs *u, uint64_t at, uint32_t length, enum ubifs_type type, uint32_t *ret_length)
{
	struct reader r;
	int err = source_read(u->s, at, u->node, UBIFS_HEAD);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(u->node, UBIFS_HEAD));
	uint32_t magic = reader_u32le(&r), crc = reader_u32le(&r);
	(void)reader_u64le(&r); /* order */
	uint32_t n = reader_u32le(&r);
	unsigned is = reader_u8(&r);
	if (magic != MAGIC || (type != UBIFS_TYPE_ANY && is != type) || n < UBIFS_HEAD || n > UBIFS_NODE_MAX ||
	    (length > 0 && n != length))
		return 0;
	u->work += n;
	err = source_read(u->s, at + UBIFS_HEAD, u->node + UBIFS_HEAD, n - UBIFS_HEAD);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	if (ret_length)
		*ret_length = n;
	return flash_crc_ones(view_of(u->node + 8, n - 8)) == crc;
}

static struct reader
body(const struct ubifs *u, uint32_t length)
{
	struct reader r;
	reader_init(&r, view_of(u->node, length));
	(void)reader_take(&r, UBIFS_HEAD);
	return r;
}

static uint64_t
order_of(const struct ubifs *u)
{
	struct reader r;
	reader_init(&r, view_of(u->node + 8, 8));
	return reader_u64le(&r);
}

/* ---- superblock, masters, log ---- */

int
ubifs_begins(const struct source *s)
{
	uint8_t h[UBIFS_HEAD];
	struct reader r;
	int err = source_read(s, 0, h, sizeof h);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(h, sizeof h));
	uint32_t magic = reader_u32le(&r);
	(void)reader_take(&r, 12);
	uint32_t length = reader_u32le(&r);
	return magic == MAGIC && length == SUPER_LEN && reader_u8(&r) == UBIFS_TYPE_SUPER;
}

static int
read_super(struct ubifs *u)
{
	int got = ubifs_node(u, 0, SUPER_LEN, UBIFS_TYPE_SUPER, NULL);
	if (got <= 0)
		return got ? got : FG_EFORMAT;
	struct reader r = body(u, SUPER_LEN);
	(void)reader_take(&r, 3); /* how names are hashed: they are not looked up */
	uint8_t keys = reader_u8(&r);
	uint32_t flags = reader_u32le(&r);
	u->page = reader_u32le(&r);
	u->leb = reader_u32le(&r);
	u->lebs = reader_u32le(&r);
	(void)reader_u32le(&r); /* how many it may grow to */
	(void)reader_u64le(&r);
	u->log = reader_u32le(&r);
	u->lpt = reader_u32le(&r);
	u->orphans = reader_u32le(&r);
	(void)reader_take(&r, 12);
	uint32_t version = reader_u32le(&r);
	if (u->leb < LEB_MIN || u->leb > LEB_MAX || u->leb % 8 || u->page < 8 || u->page > u->leb || u->page % 8 ||
	    u->log < 2 || u->lpt < 2 || u->orphans < 1 ||
	    (uint64_t)u->log + u->lpt + u->orphans + 3 >= u->lebs || version == 0)
		return FG_EFORMAT;
	u->hashed = (flags & FLAG_HASHED) != 0;
	if (version > VERSION_MAX || keys != 0)
		ubifs_tell(u, "its form is younger than what is read here", false);
	else if (flags & FLAG_ENCRYPTED)
		ubifs_tell(u, "its names and files are encrypted", false);
	return 0;
}

/* The last sound one of a block: each is written behind the one before. */
static int
last_master(struct ubifs *u, unsigned k)
{
	uint32_t step = (MASTER_LEN + u->page - 1) / u->page * u->page;
	uint64_t start = (uint64_t)(k + 1) * u->leb;
	for (uint32_t off = 0; off + MASTER_LEN <= u->leb; off += step) {
		int got = ubifs_node(u, start + off, MASTER_LEN, UBIFS_TYPE_MASTER, NULL);
		if (got < 0)
			return got;
		if (got == 0)
			break;
		u->master[k] = (struct ubifs_place){ start + off, MASTER_LEN };
	}
	return 0;
}

static int
read_masters(struct ubifs *u)
{
	uint8_t first[MASTER_LEN];
	for (unsigned k = 0; k < 2; k++) {
		int err = last_master(u, k);
		if (err)
			return err;
		if (u->master[k].length == 0) {
			ubifs_tell(u, "one of its two masters is missing or damaged", false);
			continue;
		}
		int got = ubifs_node(u, u->master[k].at, MASTER_LEN, UBIFS_TYPE_MASTER, NULL);
		if (got <= 0)
			return got ? got : FG_EIO;
		/* But for checksum and order they are the same; the kernel mends it when they are not. */
		if (k == 1 && u->master[0].length && memcmp(first + 16, u->node + 16, MASTER_LEN - 16) != 0)
			ubifs_tell(u, "its two masters differ", false);
		if (k == 1 && u->master[0].length)
			break;
		memcpy(first, u->node, MASTER_LEN);
		struct reader r = body(u, MASTER_LEN);
		(void)reader_u64le(&r);
		u->commit = reader_u64le(&r);
		if (reader_u32le(&r) & MASTER_DIRTY)
			ubifs_tell(u, "it was not left in order: what a kernel makes of its journal is not looked at", false);
		u->log_at = reader_u32le(&r);
		uint32_t leb = reader_u32le(&r), off = reader_u32le(&r);
		u->root = (struct ubifs_place){ (uint64_t)leb * u->leb + off, reader_u32le(&r) };
		if (leb >= u->lebs || off >= u->leb || u->log_at < 3 || u->log_at >= 3 + u->log) {
			ubifs_tell(u, "its master is damaged", false);
			u->root.length = 0;
		}
	}
	return 0;
}

/* Is there a node at all in a block of the volume from off on? */
static int
is_written(struct ubifs *u, uint32_t leb, uint32_t off, bool *ret)
{
	uint64_t at = (uint64_t)leb * u->leb + off, end = ((uint64_t)leb + 1) * u->leb;
	*ret = false;
	while (at < end && !*ret) {
		size_t n = end - at < UBIFS_NODE_MAX ? (size_t)(end - at) : UBIFS_NODE_MAX;
		long got = source_read_some(u->s, at, u->node, n);
		if (got <= 0)
			return (int)got;
		u->work += (uint64_t)got;
		for (long i = 0; i < got && !*ret; i++)
			*ret = u->node[i] != 0xff;
		at += (uint64_t)got;
	}
	return 0;
}

/* What was written since the last commit is no part of the index, but a kernel takes it in. */
static int
read_log(struct ubifs *u)
{
	unsigned refs = 0;
	uint32_t length;
	int got = ubifs_node(u, (uint64_t)u->log_at * u->leb, COMMIT_LEN, UBIFS_TYPE_COMMIT, NULL);
	if (got < 0)
		return got;
	struct reader r = body(u, COMMIT_LEN);
	if (got == 0 || reader_u64le(&r) != u->commit) {
		ubifs_tell(u, "its log is damaged", false);
		return 0;
	}
	uint64_t since = order_of(u);
	for (uint32_t leb = 3; leb < 3 + u->log && (uint64_t)leb * u->leb < u->s->size; leb++)
		for (uint32_t off = 0; off < u->leb; off += (length + 7) & ~7u) {
			got = ubifs_node(u, (uint64_t)leb * u->leb + off, 0, UBIFS_TYPE_ANY, &length);
			if (got < 0)
				return got;
			if (got == 0)
				break;
			if (u->node[20] != UBIFS_TYPE_REF || length < REF_LEN || order_of(u) < since)
				continue;
			r = body(u, length);
			uint32_t bud = reader_u32le(&r), from = reader_u32le(&r);
			bool written = true;
			int err = bud < u->lebs && from <= u->leb ? is_written(u, bud, from, &written) : 0;
			if (err)
				return err;
			bool enough = ++refs == UBIFS_BUDS_MAX || u->work / UBIFS_WORK_TIMES > u->s->size;
			if (written)
				ubifs_tell(u, "its journal holds what is not in its index yet, which is not looked at", false);
			else if (enough)
				ubifs_tell(u, "its log leads to more of its journal than is looked at", true);
			if (written || enough)
				return 0;
		}
	return 0;
}

/* ---- inodes ---- */

size_t
ubifs_find(const struct ubifs *u, uint32_t inode, bool *ret_is)
{
	size_t low = 0, high = u->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (u->leaf[mid].inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_is = low < u->n && u->leaf[low].inode == inode && u->leaf[low].word == 0;
	return low;
}

int
ubifs_inode(struct ubifs *u, const struct ubifs_leaf *l, struct ubifs_inode *ret)
{
	int got = ubifs_node(u, l->at, l->length, UBIFS_TYPE_INODE, NULL);
	if (got <= 0 || l->length < INODE_LEN)
		return got < 0 ? got : 0;
	struct reader r = body(u, l->length);
	(void)reader_take(&r, 16 + 8); /* key, when it was made */
	ret->size = reader_u64le(&r);
	(void)reader_take(&r, 3 * 8 + 3 * 4 + 4); /* times, number of names */
	ret->uid = reader_u32le(&r);
	ret->gid = reader_u32le(&r);
	ret->mode = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint32_t n = reader_u32le(&r);
	(void)reader_take(&r, INODE_LEN - 116);
	ret->data = reader_take(&r, n);
	return reader_end(&r);
}

/* ---- all of it ---- */

int
ubifs_open(const struct source *s, struct ubifs **ret)
{
	struct ubifs *u = calloc(1, sizeof *u);
	if (!u)
		return FG_ENOMEM;
	u->s = s;
	u->node = malloc(UBIFS_NODE_MAX);
	int err = u->node ? read_super(u) : FG_ENOMEM;
	if (!err && !u->why)
		err = read_masters(u);
	if (!err && u->root.length)
		err = ubifs_index(u);
	if (!err && u->root.length)
		err = read_log(u);
	if (err) {
		ubifs_free(u);
		return err;
	}
	*ret = u;
	return 0;
}

void
ubifs_free(struct ubifs *u)
{
	if (!u)
		return;
	free(u->leaf);
	free(u->index);
	free(u->node);
	free(u);
}
