/* SPDX-License-Identifier: Apache-2.0 */
#include "images/ext4.h"

#include "crypto/err.h"
#include "crypto/reader.h"

#define SUPER_AT 1024u
#define SUPER_N 1024u
#define COMPAT_SPARSE2 0x200u
#define INCOMPAT_RECOVER 0x4u
#define INCOMPAT_META_BG 0x10u
#define INCOMPAT_64BIT 0x80u
/* File types in entries, journal to replay, groups of descriptors, extents, 64 bits, MMP, flex_bg, attributes in inodes,
 * seed of checksums, large folders, inline data, encryption (of files, told), names without case. */
#define INCOMPAT_READ (EXT4_INCOMPAT_FILETYPE | INCOMPAT_RECOVER | INCOMPAT_META_BG | 0x40u | INCOMPAT_64BIT | 0x100u | \
	0x200u | 0x400u | 0x2000u | 0x4000u | 0x8000u | 0x10000u | 0x20000u)
#define RO_SPARSE 0x1u
#define GROUPS_MAX (1u << 24) /* 2 PiB in groups of 128 MiB */
#define READ_COST 512         /* what one read of a few bytes counts as */

/* ---- superblock ---- */

static bool
is_power_of(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

static bool
has_super(const struct ext4 *fs, uint32_t g)
{
	if (g == 0)
		return true;
	if (fs->compat & COMPAT_SPARSE2)
		return g == fs->backup[0] || g == fs->backup[1];
	if (!(fs->ro_compat & RO_SPARSE) || g == 1)
		return true;
	return is_power_of(g, 3) || is_power_of(g, 5) || is_power_of(g, 7);
}

static void
read_super(const uint8_t raw[SUPER_N], struct ext4 *fs, uint32_t *ret_log)
{
	struct reader r;
	reader_init(&r, view_of(raw, SUPER_N));
	fs->inodes = reader_u32le(&r);
	fs->blocks = reader_u32le(&r);
	(void)reader_take(&r, 12);
	fs->first = reader_u32le(&r);
	*ret_log = reader_u32le(&r);
	(void)reader_u32le(&r);
	fs->blocks_group = reader_u32le(&r);
	(void)reader_u32le(&r);
	fs->inodes_group = reader_u32le(&r);
	(void)reader_take(&r, 32);
	uint32_t revision = reader_u32le(&r);
	(void)reader_u32le(&r);
	(void)reader_u32le(&r); /* first inode that is no special one */
	fs->inode_size = reader_u16le(&r);
	(void)reader_u16le(&r);
	fs->compat = reader_u32le(&r);
	fs->incompat = reader_u32le(&r);
	fs->ro_compat = reader_u32le(&r);
	reader_init(&r, view_of(raw + 224, SUPER_N - 224));
	fs->journal = reader_u32le(&r);
	(void)reader_take(&r, 26);
	fs->desc_size = reader_u16le(&r);
	(void)reader_u32le(&r);
	fs->first_meta = reader_u32le(&r);
	(void)reader_take(&r, 72);
	uint64_t high = reader_u32le(&r);
	reader_init(&r, view_of(raw + 0x24c, 8));
	fs->backup[0] = reader_u32le(&r);
	fs->backup[1] = reader_u32le(&r);
	if (revision == 0) { /* none of the later fields are there */
		fs->inode_size = 128;
		fs->compat = fs->incompat = fs->ro_compat = fs->journal = 0;
	}
	if (fs->incompat & INCOMPAT_64BIT)
		fs->blocks |= high << 32;
	else
		fs->desc_size = 32;
}

int
ext4_open(const struct source *s, uint64_t *work, struct ext4 *ret, const char **ret_why)
{
	uint8_t raw[SUPER_N];
	uint32_t log;
	int err = source_read(s, SUPER_AT, raw, sizeof raw);
	*ret_why = "its superblock is damaged";
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	*ret = (struct ext4){ .s = s, .work = work };
	read_super(raw, ret, &log);
	if (raw[56] != 0x53 || raw[57] != 0xef || log > 6)
		return 0;
	ret->block = 1024u << log;
	uint32_t size = ret->inode_size, bits = 8 * ret->block;
	if (ret->first != (log == 0) || ret->blocks <= ret->first || ret->blocks > SOURCE_SIZE_MAX / ret->block ||
	    ret->blocks_group == 0 || (ret->blocks_group > bits && !(ret->ro_compat & EXT4_RO_CLUSTERS)) ||
	    ret->inodes_group == 0 || ret->inodes_group > bits || size < 128 || size > ret->block || (size & (size - 1)) ||
	    ret->desc_size < 32 || ret->desc_size > 1024 || (ret->desc_size & (ret->desc_size - 1)))
		return 0;
	uint64_t groups = (ret->blocks - ret->first + ret->blocks_group - 1) / ret->blocks_group;
	if (groups > GROUPS_MAX || groups * ret->inodes_group != ret->inodes)
		return 0;
	ret->groups = (uint32_t)groups;
	if ((ret->incompat & ~INCOMPAT_READ) || size > EXT4_INODE_MAX) {
		*ret_why = "its file system is of a kind that nothing here reads";
		return 0;
	}
	return 1;
}

bool
ext4_is_dirty(const struct ext4 *fs)
{
	return (fs->incompat & INCOMPAT_RECOVER) != 0;
}

/* ---- places ---- */

int
ext4_work(const struct ext4 *fs, uint64_t n)
{
	*fs->work += n;
	return *fs->work > EXT4_WORK_MAX ? FG_ELIMIT : 0;
}

/* n bytes from block b on; UINT64_MAX where they do not lie within both file system and source. */
static uint64_t
place(const struct ext4 *fs, uint64_t b, uint64_t n)
{
	uint64_t end = fs->blocks * fs->block;
	end = end < fs->s->size ? end : fs->s->size;
	if (b >= fs->blocks || b * fs->block > end || n > end - b * fs->block)
		return UINT64_MAX;
	return b * fs->block;
}

static uint64_t
group_start(const struct ext4 *fs, uint32_t g)
{
	return fs->first + (uint64_t)g * fs->blocks_group;
}

/* The block that descriptor block k is stored in, of group's copy where there are several. */
static uint64_t
desc_block(const struct ext4 *fs, uint32_t k)
{
	if (!(fs->incompat & INCOMPAT_META_BG) || k < fs->first_meta)
		return fs->first + 1 + (uint64_t)k;
	uint32_t g = k * (fs->block / fs->desc_size);
	/* Behind the superblock, which the first group of blocks of 1 KiB has in its first block, others within. */
	return group_start(fs, g) + has_super(fs, g);
}

/* Where g has descriptors: all of them behind a superblock, or one block in three groups of a meta group. */
static void
stored_descriptors(const struct ext4 *fs, uint32_t g, struct ext4_group *ret)
{
	uint32_t each = fs->block / fs->desc_size, all = (fs->groups + each - 1) / each;
	bool meta = (fs->incompat & INCOMPAT_META_BG) != 0;
	uint32_t together = meta && fs->first_meta < all ? fs->first_meta : all;
	ret->desc_n = 0;
	ret->desc = UINT64_MAX;
	if (has_super(fs, g) && (!meta || g / each < fs->first_meta)) {
		ret->desc_n = (uint64_t)together * fs->block;
		ret->desc = place(fs, group_start(fs, g) + 1, ret->desc_n);
	} else if (meta && g / each >= fs->first_meta && (g % each <= 1 || g % each == each - 1)) {
		ret->desc_n = fs->block;
		ret->desc = place(fs, group_start(fs, g) + has_super(fs, g), ret->desc_n);
	}
}

int
ext4_group(const struct ext4 *fs, uint32_t g, struct ext4_group *ret)
{
	uint8_t raw[64] = { 0 };
	struct reader r;
	uint32_t each = fs->block / fs->desc_size;
	if (g >= fs->groups)
		return 0;
	uint64_t at = place(fs, desc_block(fs, g / each), fs->block);
	if (at == UINT64_MAX)
		return 0;
	int err = source_read(fs->s, at + (uint64_t)(g % each) * fs->desc_size, raw, fs->desc_size < 64 ? 32 : 64);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(raw, sizeof raw));
	uint64_t blocks = reader_u32le(&r), inodes = reader_u32le(&r), table = reader_u32le(&r);
	(void)reader_take(&r, 20);
	blocks |= (uint64_t)reader_u32le(&r) << 32;
	inodes |= (uint64_t)reader_u32le(&r) << 32;
	table |= (uint64_t)reader_u32le(&r) << 32;
	ret->block_bitmap = place(fs, blocks, fs->block);
	ret->inode_bitmap = place(fs, inodes, fs->block);
	ret->inodes = place(fs, table, (uint64_t)fs->inodes_group * fs->inode_size);
	ret->super = UINT64_MAX;
	/* The first one lies behind the boot block, which blocks of 1 KiB have a block for. */
	if (g == 0)
		ret->super = SUPER_AT;
	else if (has_super(fs, g))
		ret->super = place(fs, group_start(fs, g), SUPER_N);
	stored_descriptors(fs, g, ret);
	return 1;
}

int
ext4_inode(const struct ext4 *fs, uint32_t n, struct ext4_inode *ret)
{
	struct ext4_group g;
	struct reader r;
	if (n == 0 || n > fs->inodes)
		return 0;
	int err = ext4_work(fs, 2 * READ_COST);
	if (err)
		return err;
	int got = ext4_group(fs, (n - 1) / fs->inodes_group, &g);
	if (got <= 0 || g.inodes == UINT64_MAX)
		return got < 0 ? got : 0;
	ret->number = n;
	ret->at = g.inodes + (uint64_t)((n - 1) % fs->inodes_group) * fs->inode_size;
	err = source_read(fs->s, ret->at, ret->raw, fs->inode_size);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(ret->raw, fs->inode_size));
	ret->mode = reader_u16le(&r);
	ret->uid = reader_u16le(&r);
	ret->size = reader_u32le(&r);
	(void)reader_take(&r, 12);
	(void)reader_u32le(&r); /* when it was deleted */
	ret->gid = reader_u16le(&r);
	ret->links = reader_u16le(&r);
	ret->sectors = reader_u32le(&r);
	ret->flags = reader_u32le(&r);
	(void)reader_u32le(&r);
	ret->block = reader_take(&r, 60).p;
	(void)reader_u32le(&r);
	uint64_t acl = reader_u32le(&r);
	ret->size |= (uint64_t)reader_u32le(&r) << 32;
	(void)reader_take(&r, 6);
	acl |= (uint64_t)reader_u16le(&r) << 32;
	ret->uid |= (uint32_t)reader_u16le(&r) << 16;
	ret->gid |= (uint32_t)reader_u16le(&r) << 16;
	(void)reader_u32le(&r);
	ret->extra = fs->inode_size > 128 ? reader_u16le(&r) : 0;
	if (ret->extra > fs->inode_size - 128)
		ret->extra = 0;
	ret->acl = acl ? place(fs, acl, fs->block) : 0;
	return 1;
}

/* ---- which blocks are whose ---- */

struct map {
	const struct ext4 *fs;
	const struct ext4_sink *sink;
	uint64_t left; /* bytes of the file that were not given yet */
	uint64_t next; /* block of the file that comes next */
};

/* n blocks of the file from block b on; UINT64_MAX: zeros. What lies behind its size is not given. */
static int
give(struct map *m, uint64_t b, uint64_t n)
{
	uint64_t length = n > m->left / m->fs->block ? m->left : n * m->fs->block;
	uint64_t at = b;
	m->next += n;
	if (length == 0)
		return 0;
	if (b != UINT64_MAX) {
		/* It may end within its last block, and that at the end of what there is. */
		at = place(m->fs, b, length);
		if (at == UINT64_MAX)
			return FG_EFORMAT;
	}
	m->left -= length;
	return m->sink->data(m->sink->arg, at, length);
}

/* Zeros up to block to of the file. */
static int
skip(struct map *m, uint64_t to)
{
	return to > m->next ? give(m, UINT64_MAX, to - m->next) : 0;
}

#define EXTENT_DEPTH_MAX 5
#define EXTENT_N 12u /* bytes of a header and of an entry */

struct node {
	uint64_t at;       /* of its header */
	unsigned k, n;     /* next entry, and how many */
	unsigned depth;    /* 0: its entries are extents */
};

/* The header at at, of a node in room bytes. 1, 0: damaged. */
static int
open_node(struct map *m, uint64_t at, uint64_t room, struct node *ret)
{
	uint8_t raw[EXTENT_N];
	struct reader r;
	int err = ext4_work(m->fs, READ_COST);
	if (!err)
		err = source_read(m->fs->s, at, raw, sizeof raw);
	if (err)
		return err;
	reader_init(&r, view_of(raw, sizeof raw));
	uint16_t magic = reader_u16le(&r), n = reader_u16le(&r), most = reader_u16le(&r);
	*ret = (struct node){ .at = at, .n = n, .depth = reader_u16le(&r) };
	if (magic != 0xf30a || n > most || most > (room - EXTENT_N) / EXTENT_N || ret->depth > EXTENT_DEPTH_MAX)
		return 0;
	/* Of its entries those that lead to something: each in its turn. */
	err = m->sink->own(m->sink->arg, at, EXTENT_N);
	/* A checksum ends a node that is a block. */
	uint64_t end = EXTENT_N * (1 + (uint64_t)most);
	if (!err && (m->fs->ro_compat & EXT4_RO_SUMS) && room == m->fs->block && room - end >= 4)
		err = m->sink->own(m->sink->arg, at + end, 4);
	return err ? err : 1;
}

static int
take_extent(struct map *m, uint32_t from, uint16_t length, uint64_t b)
{
	bool unwritten = length > 32768;
	uint32_t n = unwritten ? length - 32768u : length;
	if (n == 0 || from < m->next)
		return FG_EFORMAT;
	int err = skip(m, from);
	/* What was never written reads as zeros; what is in its blocks is nobody's, but they are there. */
	if (!err && unwritten && m->left > 0 && place(m->fs, b, 1) == UINT64_MAX)
		return FG_EFORMAT;
	return err ? err : give(m, unwritten ? UINT64_MAX : b, n);
}

/* Every node's entries ascend, over the whole tree: none is gone through twice. */
static int
map_extents(struct map *m, const struct ext4_inode *inode)
{
	struct node row[EXTENT_DEPTH_MAX + 1];
	unsigned level = 0;
	int got = open_node(m, inode->at + 40, 60, &row[0]);
	uint64_t least = 0; /* block of the file that the next index may begin with */
	while (got > 0) {
		struct node *node = &row[level];
		uint8_t raw[EXTENT_N];
		struct reader r;
		if (node->k == node->n) {
			if (level == 0)
				return 1;
			level--;
			continue;
		}
		uint64_t entry = node->at + EXTENT_N * (1 + (uint64_t)node->k++);
		bool within = m->left > 0; /* entries behind the file's end lead nowhere, and are no structure */
		int err = ext4_work(m->fs, READ_COST);
		if (!err)
			err = source_read(m->fs->s, entry, raw, sizeof raw);
		if (err)
			return err;
		reader_init(&r, view_of(raw, sizeof raw));
		uint32_t from = reader_u32le(&r);
		if (node->depth == 0) {
			uint16_t n = reader_u16le(&r);
			uint64_t high = reader_u16le(&r);
			err = take_extent(m, from, n, high << 32 | reader_u32le(&r));
			if (!err && within)
				err = m->sink->own(m->sink->arg, entry, EXTENT_N);
			if (err)
				return err == FG_EFORMAT ? 0 : err;
			continue;
		}
		uint64_t low = reader_u32le(&r), high = reader_u16le(&r);
		uint64_t at = place(m->fs, high << 32 | low, m->fs->block);
		if (at == UINT64_MAX || from < least || from < m->next)
			return 0;
		least = from;
		if (within)
			err = m->sink->own(m->sink->arg, entry, EXTENT_N);
		if (err)
			return err;
		got = open_node(m, at, m->fs->block, &row[level + 1]);
		/* A node without entries would be no step forward. */
		if (got > 0 && (row[level + 1].depth != node->depth - 1 || row[level + 1].n == 0))
			return 0;
		level++;
	}
	return got;
}

/* One pointer that leads, over depth levels, to span blocks. */
struct pointer {
	uint64_t block;
	unsigned depth;
};

static uint64_t
reach(const struct ext4 *fs, unsigned depth)
{
	uint64_t n = 1;
	while (depth-- > 0)
		n *= fs->block / 4;
	return n;
}

/* Blocks that a pointer leads to: of depth levels, gone through with one place on each. */
static int
map_pointer(struct map *m, struct pointer top)
{
	struct { uint64_t at; uint32_t k, n; } row[3];
	unsigned level = 0;
	struct pointer p = top;
	uint32_t each = m->fs->block / 4;
	for (;;) {
		int err = 0;
		if (p.block == 0)
			err = skip(m, m->next + reach(m->fs, p.depth));
		else if (p.depth == 0)
			err = give(m, p.block, 1);
		if (err)
			return err;
		if (p.block != 0 && p.depth > 0) {
			uint64_t at = place(m->fs, p.block, m->fs->block);
			if (at == UINT64_MAX)
				return FG_EFORMAT;
			/* Pointers behind the file's end are not followed, and are no structure. */
			uint64_t blocks = (m->left + m->fs->block - 1) / m->fs->block, one = reach(m->fs, p.depth - 1);
			uint64_t n = blocks / one + (blocks % one != 0);
			row[level].at = at;
			row[level].k = 0;
			row[level].n = n < each ? (uint32_t)n : each;
			err = m->sink->own(m->sink->arg, at, 4 * (uint64_t)row[level].n);
			if (err)
				return err;
			level++;
		}
		while (level > 0 && (row[level - 1].k == row[level - 1].n || m->left == 0))
			level--;
		if (level == 0)
			return 0;
		uint8_t raw[4];
		struct reader r;
		err = ext4_work(m->fs, READ_COST);
		if (!err)
			err = source_read(m->fs->s, row[level - 1].at + 4 * (uint64_t)row[level - 1].k++, raw, sizeof raw);
		if (err)
			return err;
		reader_init(&r, view_of(raw, sizeof raw));
		p = (struct pointer){ reader_u32le(&r), top.depth - level };
	}
}

static int
map_indirect(struct map *m, const struct ext4_inode *inode)
{
	struct reader r;
	unsigned k = 0;
	int err = 0;
	reader_init(&r, view_of(inode->block, 60));
	for (; k < 15 && m->left > 0 && !err; k++)
		err = map_pointer(m, (struct pointer){ reader_u32le(&r), k < 12 ? 0 : k - 11 });
	if (!err)
		err = m->sink->own(m->sink->arg, inode->at + 40, 4 * (uint64_t)k);
	return err == FG_EFORMAT ? 0 : err ? err : 1;
}

int
ext4_map(const struct ext4 *fs, const struct ext4_inode *inode, const struct ext4_sink *sink)
{
	struct map m = { .fs = fs, .sink = sink, .left = inode->size };
	if (inode->size > SOURCE_SIZE_MAX)
		return 0;
	int got = inode->flags & EXT4_FLAG_EXTENTS ? map_extents(&m, inode) : map_indirect(&m, inode);
	if (got > 0 && m.left > 0) {
		if (!(inode->flags & EXT4_FLAG_EXTENTS))
			return 0; /* three levels do not reach so far */
		int err = sink->data(sink->arg, UINT64_MAX, m.left);
		return err ? err : 1;
	}
	return got;
}
