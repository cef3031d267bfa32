/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdtree - a flattened device tree as tables of its nodes and properties, with the
 * place of each in the file; values stay there.
 * Role: images/fit.c. The blob is read by libfdt, after its fdt_check_full(); held
 * against here is what libfdt and U-Boot leave open, because a signature over
 * parts of a tree is worth no more than every reader's agreement on what the tree
 * is: no name twice, no property behind a subnode (libfdt does not see it), no NOP,
 * every part where dtc(1) puts it.
 * Guarantees: the blob is held in memory only while it is read, and is at most
 * FDTREE_MAX; counts and lengths are bounded; bytes of the blob that are in no part
 * are told as hidden.
 */
#ifndef FG_IMAGES_FDTREE_H
#define FG_IMAGES_FDTREE_H

#include <limits.h>

#include "crypto/sig.h"
#include "images/finding.h"
#include "images/source.h"

#define FDTREE_MAX (256u << 20)       /* as much as U-Boot takes where it verifies (FIT_SIGNATURE_MAX_SIZE) */
#define FDTREE_NODES_MAX 2048         /* images, configurations and their hashes; U-Boot signs at most 100 together */
#define FDTREE_PROPS_MAX 16384
#define FDTREE_NODE_PROPS_MAX 256     /* of one node */
#define FDTREE_DEPTH_MAX 32           /* U-Boot's */
#define FDTREE_NAME_MAX 128           /* the specification allows 31 characters */
#define FDTREE_STRINGS_MAX (64u << 10) /* names of properties: a few dozen */
#define FDTREE_HEADER 40u
#define FDTREE_NONE UINT_MAX

struct fdtree_node {
	unsigned parent; /* FDTREE_NONE of the root, which is node 0 */
	char name[FDTREE_NAME_MAX];
	struct sig_range begin, end; /* its two tokens, name and padding too */
	unsigned first, props;       /* its properties */
};

struct fdtree_prop {
	const char *name;       /* within strings */
	uint32_t name_at;       /* offset in the strings block */
	struct sig_range token; /* all of it, with head and padding */
	struct sig_range value;
	bool clean;             /* its padding is zeros; libfdt leaves there what there was */
};

struct fdtree {
	bool bad; /* it breaks the rules: then only the three fields below are filled */
	enum finding_id finding;
	uint64_t where;
	char why[128];
	bool hidden; /* bytes lie between or behind its parts, or a header field is nobody's */
	uint64_t hidden_at;
	uint64_t total; /* bytes of the blob; the file may go on */
	struct fdtree_node *node; /* in the order of the file: a parent before its children */
	unsigned nodes;
	struct fdtree_prop *prop;
	unsigned props;
	struct sig_range end_token; /* the last of the structure */
	struct sig_range strings;   /* the block in the file ... */
	char *names;                /* ... and its bytes */
	struct sig_range gap[4];    /* header and padding that can be nothing else; length 0 where it is not sure */
};

/* Reads the blob that starts at byte 0. 0 also for a bad one; FG_ENOMEM, FG_EIO. Ends with fdtree_drop(). */
int fdtree_read(const struct source *s, struct fdtree *ret);
void fdtree_drop(struct fdtree *t);
/* The child of node with that name; FDTREE_NONE when there is none. */
unsigned fdtree_child(const struct fdtree *t, unsigned node, struct view name);
/* NULL when node has no such property. */
const struct fdtree_prop *fdtree_prop(const struct fdtree *t, unsigned node, const char *name);

#endif
