/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ubifs - reads the index of an UBIFS file system, hostile ones too: every inode,
 * name and block that it leads to, with its place.
 * Role: part_ubifs.c. Node forms as the kernel's fs/ubifs/ubifs-media.h has them.
 * Own walk: Debian has no library that reads it.
 *
 * Guarantees: nothing recurses; every node is read once, its checksum, its length and its key checked;
 * keys only ascend, so that an index that leads back into itself ends. Memory is 24 bytes a
 * node, UBIFS_NODES_MAX of them, and one node of each level.
 */
#ifndef FG_IMAGES_UBIFS_H
#define FG_IMAGES_UBIFS_H

#include "images/source.h"

#define UBIFS_NODES_MAX (1u << 20)  /* 4 GiB of blocks of 4 KiB */
#define UBIFS_LEVELS_MAX 16         /* eight branches a node are the fewest: 8^16 leaves */
#define UBIFS_NODE_MAX (64u << 10)  /* of the longest, an index node of 256 branches */
#define UBIFS_BLOCK 4096u
#define UBIFS_HEAD 24u              /* of every node */
#define UBIFS_ROOT 1u               /* inode of the root folder */
#define UBIFS_WORK_TIMES 4          /* how often all of it may be read for its index: once is enough for an honest one */
#define UBIFS_BUDS_MAX 4096         /* places in the journal that are looked at */

enum ubifs_key { UBIFS_KEY_INODE = 0, UBIFS_KEY_DATA, UBIFS_KEY_NAME, UBIFS_KEY_XATTR, UBIFS_KEYS };
enum ubifs_type { UBIFS_TYPE_INODE = 0, UBIFS_TYPE_DATA, UBIFS_TYPE_NAME, UBIFS_TYPE_XATTR, UBIFS_TYPE_PAD = 5,
	UBIFS_TYPE_SUPER, UBIFS_TYPE_MASTER, UBIFS_TYPE_REF, UBIFS_TYPE_INDEX, UBIFS_TYPE_COMMIT, UBIFS_TYPE_ANY };

/* What a node of the index's lowest level leads to. */
struct ubifs_leaf {
	uint32_t inode;
	uint32_t word; /* kind of key in the top three bits, number of a block or hash of a name below */
	uint64_t at;
	uint32_t length;
	bool clean; /* bytes of it that nothing uses are zeros */
	bool used; /* for the caller */
};

struct ubifs_place {
	uint64_t at;
	uint32_t length;
};

struct ubifs {
	const struct source *s; /* borrowed */
	uint32_t leb, lebs, page; /* bytes of a block of the volume, how many, bytes written at once */
	uint32_t log, lpt, orphans; /* how many blocks: behind three for superblock and master */
	struct ubifs_place master[2]; /* the youngest in either block; length 0: none */
	uint32_t log_at;        /* block in which the log begins */
	uint64_t commit;        /* number of the last one */
	struct ubifs_place root;
	struct ubifs_leaf *leaf; /* ascending by inode and word; owned */
	size_t n;
	struct ubifs_place *index; /* nodes of it; owned */
	size_t index_n, index_cap;
	const char *why;        /* static sentence: what keeps it from being read to its end; NULL */
	bool limit;             /* that is a bound */
	bool hashed;            /* branches of its index have hashes behind them */
	uint64_t work;          /* bytes of nodes that were read */
	uint8_t *node;          /* the node that was read last, UBIFS_NODE_MAX bytes; owned */
};

struct ubifs_inode {
	uint64_t size;
	uint32_t uid, gid, mode; /* mode with the type of the file, as stat(2) has it */
	struct view data;        /* of a link or device; valid until the next node is read */
};

/* Begins like one. 1, 0 or FG_EIO. */
int ubifs_begins(const struct source *s);
/*
 * s must outlive it. Whatever is damaged is told in .why, and what came before it is there. FG_EFORMAT when it is
 * none; FG_ENOMEM, FG_EIO.
 */
int ubifs_open(const struct source *s, struct ubifs **ret);
void ubifs_free(struct ubifs *u);
/* Reads the node at at into u->node: 1; 0 when it is none of that type, damaged, or not that long; FG_EIO. length 0: any. */
int ubifs_node(struct ubifs *u, uint64_t at, uint32_t length, enum ubifs_type type, uint32_t *ret_length);
/* The first reason stays; limit: it is a bound. */
void ubifs_tell(struct ubifs *u, const char *why, bool limit);
/* The first leaf of an inode, and whether it is the inode's own node. */
size_t ubifs_find(const struct ubifs *u, uint32_t inode, bool *ret_is);
static inline enum ubifs_key
ubifs_key_of(const struct ubifs_leaf *l)
{
	return (enum ubifs_key)(l->word >> 29);
}
/* Reads and decodes the node of an inode: 1, 0: damaged, FG_EIO. */
int ubifs_inode(struct ubifs *u, const struct ubifs_leaf *l, struct ubifs_inode *ret);
/* ubifs_index.c: all that the root leads to, into u->leaf. 0, FG_ENOMEM, FG_EIO; damage in .why. */
int ubifs_index(struct ubifs *u);

#endif
