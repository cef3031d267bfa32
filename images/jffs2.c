/* SPDX-License-Identifier: Apache-2.0 */
#include "images/jffs2.h"

#include <stdlib.h>

#include "crypto/err.h"

#define MAGIC 0x1985u
#define ACCURATE 0x2000u /* bit of a node's type that is cleared when it is obsolete */
#define HEAD 12u
#define NAME_LEN 40u
#define INODE_LEN 68u
#define XATTR_LEN 32u
#define XREF_LEN 28u
#define SUMMARY_LEN 32u
#define SECURITY 2u      /* prefix of an attribute's name */
#define FIRST 1024
#define CHUNK (64u << 10)
#define CHUNK_FIRST 64u

enum { TYPE_NAME = 0xe001, TYPE_INODE = 0xe002, TYPE_MARK = 0x2003, TYPE_PADDING = 0x2004, TYPE_SUMMARY = 0x2006,
	TYPE_XATTR = 0xe008, TYPE_XREF = 0xe009 };

static unsigned
u16(const struct jffs2 *fs, size_t at)
{
	const uint8_t *p = fs->buf + at;
	return fs->big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static uint32_t
u32(const struct jffs2 *fs, size_t at)
{
	uint32_t a = u16(fs, at), b = u16(fs, at + 2);
	return fs->big ? a << 16 | b : b << 16 | a;
}

static bool
sum_fits(const struct jffs2 *fs, size_t from, size_t n, size_t sum_at)
{
	return flash_crc_zeros(view_of(fs->buf + from, n)) == u32(fs, sum_at);
}

/* ---- one node after the other ---- */

static int
add(struct jffs2 *fs, struct jffs2_node n)
{
	if (fs->n == JFFS2_NODES_MAX) {
		fs->limited = true;
		return 0;
	}
	if (fs->n == fs->cap) {
		size_t cap = fs->cap ? fs->cap * 2 : FIRST;
		struct jffs2_node *more = realloc(fs->node, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		fs->node = more;
		fs->cap = cap;
	}
	fs->node[fs->n++] = n;
	return 0;
}

static int
add_name(struct jffs2 *fs, struct jffs2_node n)
{
	size_t name_n = fs->buf[28];
	if (n.length < NAME_LEN || !sum_fits(fs, 0, 32, 32) || NAME_LEN + name_n != n.length ||
	    !sum_fits(fs, NAME_LEN, name_n, 36))
		return 0;
	if (fs->n == JFFS2_NODES_MAX) {
		fs->limited = true;
		return 0;
	}
	n.kind = JFFS2_NAME;
	struct fstree_name e = { .folder = u32(fs, 12), .version = u32(fs, 16), .file = u32(fs, 20) };
	n.clean = fs->buf[30] == 0 && fs->buf[31] == 0;
	int err = fstree_add(&fs->names, view_of(fs->buf + NAME_LEN, name_n), e);
	fs->limited = fs->limited || err == FG_ELIMIT;
	return err ? (err == FG_ELIMIT ? 0 : err) : add(fs, n);
}

static int
add_inode(struct jffs2 *fs, struct jffs2_node n)
{
	static const enum flash_packing known[] = { FLASH_PLAIN, FLASH_ZEROS, FLASH_RTIME, FLASH_UNKNOWN, FLASH_PLAIN,
		FLASH_UNKNOWN, FLASH_ZLIB, FLASH_LZO };
	if (n.length < INODE_LEN || !sum_fits(fs, 0, 60, 64))
		return 0;
	n.kind = JFFS2_INODE;
	n.inode = u32(fs, 12);
	n.version = u32(fs, 16);
	n.offset = u32(fs, 44);
	n.packed = u32(fs, 48);
	n.size = u32(fs, 52);
	unsigned packing = fs->buf[56];
	n.packing = packing < sizeof known / sizeof known[0] ? known[packing] : FLASH_UNKNOWN;
	bool fits = n.packed == n.length - INODE_LEN && n.size <= UINT32_MAX - n.offset &&
	            sum_fits(fs, INODE_LEN, n.packed, 60) && (n.packing != FLASH_PLAIN || n.size == n.packed) &&
	            (n.packing != FLASH_ZEROS || n.packed == 0) && (n.packing == FLASH_ZEROS || n.size <= FLASH_BLOCK_MAX);
	return fits ? add(fs, n) : 0;
}

static int
add_attribute(struct jffs2 *fs, struct jffs2_node n, unsigned type)
{
	if (type == TYPE_XREF) {
		if (n.length != XREF_LEN || !sum_fits(fs, 0, 24, 24))
			return 0;
		n.kind = JFFS2_XREF;
		n.inode = u32(fs, 12);
		n.offset = u32(fs, 16);
		n.version = u32(fs, 20);
		return add(fs, n);
	}
	if (n.length < XATTR_LEN || !sum_fits(fs, 0, 28, 28) || !sum_fits(fs, XATTR_LEN, n.length - XATTR_LEN, 24) ||
	    XATTR_LEN + fs->buf[21] + 1u + u16(fs, 22) != n.length)
		return 0;
	n.kind = JFFS2_XATTR;
	n.inode = u32(fs, 12);
	n.version = u32(fs, 16);
	bool caps = fs->buf[20] == SECURITY && view_equal(view_of(fs->buf + XATTR_LEN, fs->buf[21]), view_of("capability", 10));
	n.caps = caps;
	return add(fs, n);
}

static int
add_other(struct jffs2 *fs, struct jffs2_node n, unsigned type)
{
	bool ok = true;
	n.kind = type == TYPE_MARK ? JFFS2_MARK : type == TYPE_PADDING ? JFFS2_PADDING : JFFS2_SUMMARY;
	if (type != TYPE_SUMMARY) {
		for (size_t i = HEAD + 1; i < n.length; i++)
			ok = ok && fs->buf[i] == fs->buf[HEAD];
	} else {
		ok = n.length >= SUMMARY_LEN && sum_fits(fs, 0, 24, 28);
	}
	return ok ? add(fs, n) : 0;
}

static int
add_type(struct jffs2 *fs, struct jffs2_node n, unsigned type)
{
	switch (type) {
	case TYPE_NAME:
		return add_name(fs, n);
	case TYPE_INODE:
		return add_inode(fs, n);
	case TYPE_XATTR:
	case TYPE_XREF:
		return add_attribute(fs, n, type);
	case TYPE_MARK:
	case TYPE_PADDING:
	case TYPE_SUMMARY:
		return add_other(fs, n, type);
	}
	return 0;
}

/*
 * Does the header of a node lie in these bytes of one that was passed over? A kernel finds it where the outer one crosses
 * the border of an erase block, and how large those are no image says.
 */
static bool
holds_nodes(const struct jffs2 *fs, uint32_t length)
{
	for (uint32_t at = HEAD; at + HEAD <= length; at += 4)
		if (u16(fs, at) == MAGIC && (u16(fs, at + 2) == TYPE_NAME || u16(fs, at + 2) == TYPE_INODE) &&
		    sum_fits(fs, at, 8, at + 8))
			return true;
	return false;
}

/* The node at at. *ret_length: how far to go on; 0: none is there. */
static int
take(struct jffs2 *fs, uint64_t at, uint32_t *ret_length)
{
	*ret_length = 0;
	int err = source_read(fs->s, at, fs->buf, HEAD);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	unsigned type = u16(fs, 2), stored = type;
	struct jffs2_node n = { .at = at, .length = u32(fs, 4) };
	/* The checksum is that of the type before it was marked. */
	type |= ACCURATE;
	if (fs->big)
		fs->buf[2] = (uint8_t)(type >> 8);
	else
		fs->buf[3] = (uint8_t)(type >> 8);
	if (u16(fs, 0) != MAGIC || !sum_fits(fs, 0, 8, 8) || n.length < HEAD || n.length > JFFS2_NODE_MAX ||
	    n.length > fs->s->size - at)
		return 0;
	*ret_length = n.length;
	err = source_read(fs->s, at + HEAD, fs->buf + HEAD, n.length - HEAD);
	if (err)
		return err;
	memset(fs->buf + n.length, 0, n.length < INODE_LEN ? INODE_LEN - n.length : 0);
	size_t before = fs->n;
	err = stored == type ? add_type(fs, n, type) : 0;
	if (!err && (fs->n == before || type == TYPE_SUMMARY))
		fs->nested = fs->nested || holds_nodes(fs, n.length);
	return err;
}

/* The next place from at on where a node may begin. */
static int
seek(struct jffs2 *fs, uint64_t at, uint64_t *ret)
{
	uint8_t first = fs->big ? 0x19 : 0x85, second = fs->big ? 0x85 : 0x19;
	/* Ever more at once: where they stand in a row, little is read for each. */
	size_t chunk = CHUNK_FIRST;
	for (; at + HEAD <= fs->s->size; at += chunk, chunk = chunk < CHUNK ? chunk * 4 : chunk) {
		long n = source_read_some(fs->s, at, fs->buf, chunk);
		if (n < 0)
			return (int)n;
		for (long i = 0; i + 4 <= n; i += 4)
			if (fs->buf[i] == first && fs->buf[i + 1] == second) {
				*ret = at + (uint64_t)i;
				return 0;
			}
	}
	*ret = fs->s->size;
	return 0;
}

static int
scan(struct jffs2 *fs)
{
	uint64_t at = 0;
	uint32_t length;
	while (at < fs->s->size) {
		int err = take(fs, at, &length);
		if (err)
			return err;
		if (at == 0 && length == 0)
			return FG_EFORMAT;
		if (length > 0) {
			fs->end = at + length;
			at += ((uint64_t)length + 3) & ~UINT64_C(3);
			continue;
		}
		if (++*fs->vain >= JFFS2_VAIN_MAX) {
			fs->limited = true;
			return 0;
		}
		err = seek(fs, at + 4, &at);
		if (err)
			return err;
	}
	return 0;
}

/* ---- asking ---- */

static int
node_order(const void *a, const void *b)
{
	const struct jffs2_node *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == JFFS2_NAME) /* as they came: names say which one they are */
		return x->at < y->at ? -1 : x->at > y->at;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* The first that is not before that kind and inode. */
static size_t
bound(const struct jffs2 *fs, enum jffs2_kind kind, uint64_t inode)
{
	size_t low = 0, high = fs->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct jffs2_node *n = &fs->node[mid];
		if (n->kind < kind || (n->kind == kind && n->inode < inode))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
jffs2_find(const struct jffs2 *fs, enum jffs2_kind kind, uint32_t inode)
{
	size_t low = bound(fs, kind, inode);
	return low < fs->n && fs->node[low].kind == kind && fs->node[low].inode == inode ? low : fs->n;
}

size_t
jffs2_find_last(const struct jffs2 *fs, enum jffs2_kind kind, uint32_t inode)
{
	size_t end = bound(fs, kind, (uint64_t)inode + 1);
	return end > 0 && fs->node[end - 1].kind == kind && fs->node[end - 1].inode == inode ? end - 1 : fs->n;
}

int
jffs2_inode(struct jffs2 *fs, uint32_t inode, struct jffs2_inode *ret)
{
	size_t first = bound(fs, JFFS2_INODE, inode), end = bound(fs, JFFS2_INODE, (uint64_t)inode + 1);
	if (first == end)
		return 0;
	ret->first = &fs->node[first];
	ret->end = &fs->node[end];
	ret->last = &fs->node[end - 1];
	int err = source_read(fs->s, ret->last->at, fs->buf, INODE_LEN);
	if (err)
		return err;
	ret->mode = u32(fs, 20);
	ret->uid = u16(fs, 24);
	ret->gid = u16(fs, 26);
	ret->size = u32(fs, 28);
	return 1;
}

long
jffs2_node_bytes(struct jffs2 *fs, const struct jffs2_node *n, uint8_t out[FLASH_BLOCK_MAX])
{
	if (n->packing != FLASH_ZEROS) {
		int err = source_read(fs->s, n->at + INODE_LEN, fs->buf, n->packed);
		if (err)
			return err;
	}
	if (n->size == 0)
		return 0;
	int err = flash_unpack(n->packing, view_of(fs->buf, n->packed), out, n->size);
	return err ? err : (long)n->size;
}

int
jffs2_open(const struct source *s, unsigned *io_vain, struct jffs2 **ret)
{
	uint8_t start[2];
	struct jffs2 *fs;
	int err = source_read(s, 0, start, sizeof start);
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	bool little = start[0] == 0x85 && start[1] == 0x19, big = start[0] == 0x19 && start[1] == 0x85;
	if (!little && !big)
		return FG_EFORMAT;
	fs = calloc(1, sizeof *fs);
	if (!fs)
		return FG_ENOMEM;
	fs->s = s;
	fs->big = big;
	fs->vain = io_vain;
	fs->buf = malloc(JFFS2_NODE_MAX + INODE_LEN);
	err = fs->buf ? scan(fs) : FG_ENOMEM;
	bool rooted = false;
	if (!err) {
		size_t names = 0, first = 0;
		if (fs->n > 1)
			qsort(fs->node, fs->n, sizeof *fs->node, node_order);
		while (first < fs->n && fs->node[first].kind != JFFS2_NAME)
			first++;
		/* Names came in the order of their nodes. */
		for (; names < fs->names.n; names++) {
			fs->names.name[names].at = first + names;
			rooted = rooted || fs->names.name[names].folder == JFFS2_ROOT;
		}
		fs->clear = fstree_sort(&fs->names);
	}
	if (err || !rooted) {
		jffs2_free(fs);
		return err ? err : FG_EFORMAT;
	}
	*ret = fs;
	return 0;
}

void
jffs2_free(struct jffs2 *fs)
{
	if (!fs)
		return;
	fstree_free(&fs->names);
	free(fs->node);
	free(fs->buf);
	free(fs);
}
