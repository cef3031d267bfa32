/* SPDX-License-Identifier: Apache-2.0 */
/* ubifs_index - the tree of nodes that leads to all others, from its root down. */
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/ubifs.h"

#define INDEX_LEN 28u  /* of a node without its branches */
#define BRANCH_LEN 20u /* place, length, key; a hash behind it where the file system is signed */
#define HASH_MAX 64u
#define KEY_AT 24u     /* of every node that a leaf leads to */
#define FIRST 1024

/* An index node that is being gone through. */
struct level {
	uint8_t *node; /* UBIFS_NODE_MAX bytes, owned */
	uint32_t branches, next, step;
	unsigned level;
};

struct walk {
	struct ubifs *u;
	struct level row[UBIFS_LEVELS_MAX];
	unsigned depth;
	size_t cap; /* of leaves */
};

static int
bad(struct ubifs *u, const char *why)
{
	ubifs_tell(u, why, false);
	return FG_EFORMAT;
}

static int
too_many(struct ubifs *u)
{
	ubifs_tell(u, "its index leads to more nodes than are looked at", true);
	return FG_EFORMAT;
}

/* Reads the index node there. level: which it has to be, or UBIFS_LEVELS_MAX for the root. */
static int
enter(struct walk *w, struct ubifs_place p, unsigned level)
{
	struct ubifs *u = w->u;
	struct level *l = &w->row[w->depth];
	struct reader r;
	int got = ubifs_node(u, p.at, p.length, UBIFS_TYPE_INDEX, NULL);
	if (got <= 0)
		return got ? got : bad(u, "a node of its index is damaged");
	reader_init(&r, view_of(u->node, p.length));
	(void)reader_take(&r, UBIFS_HEAD);
	l->branches = reader_u16le(&r);
	l->level = reader_u16le(&r);
	l->next = 0;
	l->step = l->branches && p.length >= INDEX_LEN ? (p.length - INDEX_LEN) / l->branches : 0;
	if (r.bad || l->step < BRANCH_LEN || l->step > BRANCH_LEN + (u->hashed ? HASH_MAX : 0) ||
	    l->step * l->branches + INDEX_LEN != p.length ||
	    (level < UBIFS_LEVELS_MAX ? l->level != level : l->level >= UBIFS_LEVELS_MAX))
		return bad(u, "a node of its index is damaged");
	if (!l->node && !(l->node = malloc(UBIFS_NODE_MAX)))
		return FG_ENOMEM;
	memcpy(l->node, u->node, p.length);
	if (u->index_n == UBIFS_NODES_MAX)
		return too_many(u);
	if (u->index_n == u->index_cap) {
		size_t cap = u->index_cap ? u->index_cap * 2 : FIRST;
		struct ubifs_place *more = realloc(u->index, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		u->index = more;
		u->index_cap = cap;
	}
	u->index[u->index_n++] = p;
	w->depth++;
	return 0;
}

/* Names whose hashes are equal share a key; no other leaf does. */
static bool
ascends(const struct ubifs_leaf *last, const struct ubifs_leaf *l)
{
	if (last->inode != l->inode)
		return last->inode < l->inode;
	if (last->word != l->word)
		return last->word < l->word;
	return ubifs_key_of(l) == UBIFS_KEY_NAME || ubifs_key_of(l) == UBIFS_KEY_XATTR;
}

/* Are the bytes zeros that no field takes: of the header, of the key, of the fields of each type? */
static bool
is_clean(const uint8_t *node, const struct ubifs_leaf *l)
{
	static const struct { uint8_t kind, at, n; } spare[] = {
		{ UBIFS_KEY_INODE, 124, 4 }, { UBIFS_KEY_INODE, 134, 26 }, { UBIFS_KEY_DATA, 46, 2 }, { UBIFS_KEY_NAME, 48, 1 },
		{ UBIFS_KEY_XATTR, 48, 1 }, { UBIFS_KEYS, 22, 2 }, { UBIFS_KEYS, 32, 8 },
	};
	bool clean = true;
	for (size_t i = 0; i < sizeof spare / sizeof spare[0]; i++)
		for (uint32_t k = spare[i].at; k < spare[i].at + (uint32_t)spare[i].n && k < l->length; k++)
			clean = clean && (node[k] == 0 || (spare[i].kind != UBIFS_KEYS && spare[i].kind != ubifs_key_of(l)));
	return clean;
}

static int
add(struct walk *w, const struct ubifs_leaf *l)
{
	static const enum ubifs_type types[UBIFS_KEYS] = { UBIFS_TYPE_INODE, UBIFS_TYPE_DATA, UBIFS_TYPE_NAME,
		UBIFS_TYPE_XATTR };
	struct ubifs *u = w->u;
	struct reader r;
	if (u->n == UBIFS_NODES_MAX)
		return too_many(u);
	if (ubifs_key_of(l) >= UBIFS_KEYS || (u->n > 0 && !ascends(&u->leaf[u->n - 1], l)))
		return bad(u, "the keys of its index are out of order");
	int got = ubifs_node(u, l->at, l->length, types[ubifs_key_of(l)], NULL);
	if (got < 0)
		return got;
	reader_init(&r, view_of(u->node, l->length));
	(void)reader_take(&r, KEY_AT);
	uint32_t inode = reader_u32le(&r), word = reader_u32le(&r);
	if (got == 0 || r.bad || inode != l->inode || word != l->word) {
		/* The others of it are as good as before. */
		(void)bad(u, "a node that its index leads to is damaged, or is another one");
		return 0;
	}
	if (u->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : FIRST;
		struct ubifs_leaf *more = realloc(u->leaf, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		u->leaf = more;
		w->cap = cap;
	}
	u->leaf[u->n] = *l;
	u->leaf[u->n++].clean = is_clean(u->node, l);
	return 0;
}

/* The next branch of the lowest node that is open. */
static int
step(struct walk *w)
{
	struct ubifs *u = w->u;
	struct level *l = &w->row[w->depth - 1];
	struct reader r;
	if (u->work / UBIFS_WORK_TIMES > u->s->size) /* it leads to the same nodes over and over */
		return too_many(u);
	if (l->next == l->branches) {
		w->depth--;
		return 0;
	}
	reader_init(&r, view_of(l->node + INDEX_LEN + (size_t)l->next++ * l->step, BRANCH_LEN));
	uint32_t leb = reader_u32le(&r), off = reader_u32le(&r), length = reader_u32le(&r);
	struct ubifs_leaf leaf = { .at = (uint64_t)leb * u->leb + off, .length = length };
	leaf.inode = reader_u32le(&r);
	leaf.word = reader_u32le(&r);
	if (leb >= u->lebs || length < UBIFS_HEAD || length > UBIFS_NODE_MAX || off > u->leb || length > u->leb - off ||
	    off % 8)
		return bad(u, "its index leads out of it");
	return l->level == 0 ? add(w, &leaf) : enter(w, (struct ubifs_place){ leaf.at, length }, l->level - 1);
}

int
ubifs_index(struct ubifs *u)
{
	struct walk w = { .u = u };
	int err = enter(&w, u->root, UBIFS_LEVELS_MAX);
	while (!err && w.depth > 0)
		err = step(&w);
	for (unsigned i = 0; i < UBIFS_LEVELS_MAX; i++)
		free(w.row[i].node);
	return err == FG_EFORMAT ? 0 : err;
}
