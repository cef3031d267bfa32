/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jffs2 - every sound node of a JFFS2 file system, hostile ones too, and the bytes
 * of a file out of its nodes.
 * Role: part_jffs2.c. Node forms as the kernel's include/uapi/linux/jffs2.h has
 * them, of either byte order. Own walk: Debian has no library that reads it.
 *
 * As the kernel does it: of two nodes that say the same the one of the greater version
 * counts; a node whose checksum does not fit is none, and what it would have replaced
 * counts; a node marked obsolete is none. Summaries, which a kernel may believe in
 * place of the nodes, are handed out and not believed.
 *
 * Guarantees: goes over the bytes once; memory is 56 bytes a node, JFFS2_NODES_MAX of them, and
 * names (fstree.h); what a file may be read for is bounded by JFFS2_WORK_TIMES.
 */
#ifndef FG_IMAGES_JFFS2_H
#define FG_IMAGES_JFFS2_H

#include "images/flash.h"
#include "images/fstree.h"
#include "images/source.h"

#define JFFS2_NODES_MAX (1u << 20)
#define JFFS2_NODE_MAX (1u << 20)   /* a summary is as long as an erase block may be */
#define JFFS2_ROOT 1u
#define JFFS2_WORK_TIMES 16         /* bytes gone through for files, as often as the whole of it */
#define JFFS2_WORK_MIN ((uint64_t)64 << 20)
#define JFFS2_VAIN_MAX 1000000u     /* bytes of the magic number may stand everywhere: each costs two reads */
#define JFFS2_WINDOW 4096u

enum jffs2_kind {
	JFFS2_NONE = 0,
	JFFS2_INODE,   /* what is known of an inode, and some of its bytes */
	JFFS2_NAME,
	JFFS2_MARK,    /* of an erased block */
	JFFS2_PADDING, /* of either: uniform bytes behind the header, which was checked */
	JFFS2_SUMMARY,
	JFFS2_XATTR,   /* a value: .inode is its number */
	JFFS2_XREF,    /* it belongs to .inode: .offset is its number, .version the greater the younger, odd: taken away */
};

struct jffs2_node {
	enum jffs2_kind kind;
	enum flash_packing packing;
	uint32_t inode, version;
	uint64_t at;
	uint32_t length;       /* of the node */
	uint32_t offset, size; /* of an inode's bytes: where they go, and how many come out */
	uint32_t packed;       /* bytes behind the fixed ones of the node */
	bool clean;            /* of a name: the bytes that nothing uses are zeros */
	bool caps;             /* of a value: it is security.capability */
	uint32_t shown;        /* so many of its bytes jffs2_read() took */
};

struct jffs2 {
	const struct source *s; /* borrowed */
	bool big;               /* big-endian */
	struct jffs2_node *node; /* by kind, inode, version; owned */
	size_t n, cap;
	struct fstree names;    /* sorted; .at is an index into node */
	bool clear;             /* no two names are equally young */
	uint64_t end;           /* behind the last node */
	unsigned *vain;         /* borrowed */
	bool nested;            /* nodes lie in a node that was passed over */
	bool limited;           /* there were more nodes or names than are looked at */
	uint64_t work;
	uint8_t *buf;           /* JFFS2_NODE_MAX bytes, owned */
};

struct jffs2_inode {
	uint32_t mode, uid, gid; /* mode with the type of the file, as stat(2) has it */
	uint64_t size;
	struct jffs2_node *first, *end, *last; /* its nodes; the youngest */
};

/* Of one file, from its start on. */
struct jffs2_file {
	struct jffs2 *fs;
	uint64_t at, size;
	struct jffs2_node **row; /* by offset; owned */
	size_t n, from;
	uint32_t longest;
	bool packed_strangely;
	uint8_t window[JFFS2_WINDOW], block[FLASH_BLOCK_MAX];
	bool covered[JFFS2_WINDOW];
};

/*
 * s must outlive it. *io_vain counts magic numbers of no node, in all file systems that are looked at; from
 * JFFS2_VAIN_MAX on what follows one is not looked at. FG_EFORMAT when no node begins it, or nothing lies in a
 * root; FG_ENOMEM, FG_EIO. What damage there is shows in what has no node.
 */
int jffs2_open(const struct source *s, unsigned *io_vain, struct jffs2 **ret);
void jffs2_free(struct jffs2 *fs);
/* The node of that kind and inode that comes first; fs->n when there is none. */
size_t jffs2_find(const struct jffs2 *fs, enum jffs2_kind kind, uint32_t inode);
/* The one that comes last. */
size_t jffs2_find_last(const struct jffs2 *fs, enum jffs2_kind kind, uint32_t inode);
/* What the youngest node of an inode says. 1, 0: there is none; FG_EIO. */
int jffs2_inode(struct jffs2 *fs, uint32_t inode, struct jffs2_inode *ret);
/* The bytes of one node of an inode, which hold a link or a device: their number, or as flash_unpack(), FG_EIO. */
long jffs2_node_bytes(struct jffs2 *fs, const struct jffs2_node *n, uint8_t out[FLASH_BLOCK_MAX]);

/* ---- jffs2_file.c ---- */

/* NULL without memory. */
struct jffs2_file *jffs2_file_new(struct jffs2 *fs, const struct jffs2_inode *in);
void jffs2_file_free(struct jffs2_file *f);
/* As walk_member.read: FG_EFORMAT for a block that is damaged or packed strangely, FG_ELIMIT for too much work. */
long jffs2_read(void *arg, void *buf, size_t n);

#endif
