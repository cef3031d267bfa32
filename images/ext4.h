/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ext4 - ext2, ext3 and ext4 as they lie on a device: superblock, groups, inodes,
 * and which blocks are whose. Hostile ones too.
 * Role: part_ext4.c, which goes over the folders.
 *
 * libext2fs is not used. The account needs the place of every byte, of what a
 * block of a folder or an extent tree leaves unused too, which its iterators do not
 * give; and they follow what an image says: a tree of extents may be as deep as its
 * root states, with every index leading to the same block, and the table of groups
 * is allocated as long as the superblock states.
 *
 * Guarantees: nothing is allocated and nothing recurses; blocks of a file must
 * ascend, so that a tree of extents is gone through once at most; what indirect
 * blocks can be made to repeat is bounded by work. Every place that is given lies
 * within the file system.
 */
#ifndef FG_IMAGES_EXT4_H
#define FG_IMAGES_EXT4_H

#include "images/source.h"

#define EXT4_INODE_MAX 4096  /* bytes: mke2fs writes 128 and 256, Android 256 */
#define EXT4_BLOCK_MAX 65536 /* the format's own */
/* Bytes of metadata read in all, of all file systems of one inspection. An honest one has a hundredth of it. */
#define EXT4_WORK_MAX ((uint64_t)8 << 30)

#define EXT4_ENTRY_COST 4096 /* what an entry of a folder counts as: folders can be made to share their blocks */
#define EXT4_BLOCK_COST 16   /* what looking whether a block is taken counts as */

#define EXT4_ROOT 2u /* inode numbers */
#define EXT4_RESIZE 7u
#define EXT4_JOURNAL 8u /* where it is, unless the superblock says otherwise */

#define EXT4_INCOMPAT_FILETYPE 0x2u /* of ext4.incompat: entries say what they lead to */
#define EXT4_RO_CLUSTERS 0x200u    /* of ext4.ro_compat: blocks are given in clusters */
#define EXT4_RO_SUMS 0x400u        /* metadata has checksums */
#define EXT4_RO_SHARED 0x4000u     /* files share blocks */
#define EXT4_FLAG_EXTENTS 0x80000u /* of ext4_inode.flags */
#define EXT4_FLAG_ENCRYPTED 0x800u
#define EXT4_FLAG_INLINE 0x10000000u

struct ext4 {
	const struct source *s;
	uint64_t *work;
	uint64_t blocks;        /* of which those beyond the source are not there */
	uint32_t block;         /* bytes */
	uint32_t first;         /* block of group 0 */
	uint32_t inodes, inodes_group, blocks_group, groups;
	uint32_t inode_size, desc_size, first_meta;
	uint32_t compat, incompat, ro_compat;
	uint32_t journal;       /* inode; 0: none within */
	uint32_t backup[2];
};

/* Places in bytes; UINT64_MAX where it would lie outside. */
struct ext4_group {
	uint64_t super;         /* of a copy of the superblock; UINT64_MAX: it has none */
	uint64_t desc, desc_n;  /* descriptors stored in it */
	uint64_t block_bitmap, inode_bitmap, inodes;
};

struct ext4_inode {
	uint32_t number;
	uint64_t at;            /* place in bytes */
	uint32_t mode, links, uid, gid, flags;
	uint64_t size, acl;     /* acl: place of its block of attributes, 0: none */
	uint32_t sectors;       /* of 512 bytes or blocks that it says it takes, the lower half */
	uint32_t extra;         /* bytes of fields behind the first 128 */
	const uint8_t *block;   /* 60 bytes, in raw */
	uint8_t raw[EXT4_INODE_MAX];
};

/* Who is told what lies where. Either may return an error, which ends the call. */
struct ext4_sink {
	/* The next length bytes of the file lie at at; UINT64_MAX: they are zeros and stored nowhere. */
	int (*data)(void *arg, uint64_t at, uint64_t length);
	/* These bytes are the format's own, and were read. */
	int (*own)(void *arg, uint64_t at, uint64_t length);
	void *arg;
};

/* 1; 0: it is none, or one that is not read, and *ret_why says so. work as part_work() has it. FG_EIO. */
int ext4_open(const struct source *s, uint64_t *work, struct ext4 *ret, const char **ret_why);
/* Would a device have to replay its journal first? */
bool ext4_is_dirty(const struct ext4 *fs);
/* Counts n bytes of reading: 0, or FG_ELIMIT when there were enough (EXT4_WORK_MAX). */
int ext4_work(const struct ext4 *fs, uint64_t n);
/* 1; 0: it lies outside, or g is none. FG_EIO. */
int ext4_group(const struct ext4 *fs, uint32_t g, struct ext4_group *ret);
/* 1; 0: it lies outside, or n is none. FG_EIO, FG_ELIMIT (EXT4_WORK_MAX). */
int ext4_inode(const struct ext4 *fs, uint32_t n, struct ext4_inode *ret);
/*
 * Where its size bytes lie, not those of inline data. 1; 0: damaged, and what was given to sink until then
 * is what there is. FG_EIO, FG_ENOMEM, FG_ELIMIT (EXT4_WORK_MAX), or what sink returned.
 */
int ext4_map(const struct ext4 *fs, const struct ext4_inode *inode, const struct ext4_sink *sink);

#endif
