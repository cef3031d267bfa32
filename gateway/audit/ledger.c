/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/receipt.h"
#include "gateway/audit/tilestore.h"
#include "gateway/audit/wal.h"

struct kept { /* a durable entry that is not yet in the tiles, or one of the batch */
	uint8_t leaf[MERKLE_HASH_LEN];
	size_t at, n; /* in bytes */
};

struct ledger {
	const struct note_signer *key;
	struct merkle *m;
	struct wal *wal;
	struct tilestore *tiles;
	struct merkle_range range; /* of what is durable, as far as it was hashed: catch_up() */
	uint64_t durable;
	uint64_t next;             /* index of the next entry to be put */
	uint64_t published;
	struct writer checkpoint;
	/* Entries from tilestore_size() to next, in order. */
	struct writer bytes;
	struct kept *kept;
	size_t kept_n, kept_cap;
	size_t hashed; /* so many of them, from the first, have their leaf */
	bool dead;
};

#define LEDGER_KEPT_BYTES (64u << 20) /* four times what makes a publication due */
#define LEDGER_DUE_ENTRIES 65536 /* a fleet's stampede does not wait for its own tiles */
#define LEDGER_DUE_BYTES (16u << 20)

static int
keep(struct ledger *l, struct view entry)
{
	if (l->kept_n == l->kept_cap) {
		size_t cap = l->kept_cap ? l->kept_cap * 2 : 1024;
		struct kept *more = reallocarray(l->kept, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		l->kept = more;
		l->kept_cap = cap;
	}
	struct kept *k = &l->kept[l->kept_n];
	k->at = l->bytes.n;
	k->n = entry.n;
	writer_bytes(&l->bytes, entry);
	if (writer_err(&l->bytes))
		return writer_err(&l->bytes);
	l->kept_n++;
	return FG_OK;
}

/* Leaves of what is kept, up to the n-th. */
static int
hash_kept(struct ledger *l, size_t n)
{
	int err = FG_OK;
	while (!err && l->hashed < n) {
		struct kept *k = &l->kept[l->hashed];
		err = merkle_leaf(l->m, view_of(l->bytes.p + k->at, k->n), k->leaf);
		l->hashed += !err;
	}
	return err;
}

/* The tree of everything durable. Hashing waits until somebody asks for it: it is no part of a commit. */
static int
catch_up(struct ledger *l)
{
	uint64_t first = l->tiles ? tilestore_size(l->tiles) : 0;
	int err = hash_kept(l, (size_t)(l->durable - first));
	while (!err && l->range.size < l->durable)
		err = merkle_range_push(l->m, &l->range, l->kept[l->range.size - first].leaf);
	return err;
}

/* ---- opening ---- */

struct opening {
	struct ledger *l;
	struct ledger_opened *opened;
	void (*each)(void *ctx, uint64_t index, struct view entry);
	void *ctx;
	struct tile_tree *tree; /* of the published size: what the WAL repeats must agree */
	bool first;
};

static void
not_in_order(struct ledger_opened *o, const char *why)
{
	if (o->state != MSG_LOG_TAMPERED)
		snprintf(o->why, sizeof o->why, "%s", why);
	o->state = MSG_LOG_TAMPERED;
}

static int
replayed(void *ctx, uint64_t seq, struct view entry)
{
	struct opening *o = ctx;
	struct ledger *l = o->l;
	uint8_t leaf[MERKLE_HASH_LEN], there[MERKLE_HASH_LEN];
	if (o->first && seq > l->next)
		not_in_order(o->opened, "entries between the checkpoint and the oldest segment are missing");
	o->first = false;
	if (seq < l->published) {
		int err = merkle_leaf(l->m, entry, leaf);
		if (err)
			return err;
		err = o->tree ? tile_tree_leaf(o->tree, seq, there) : FG_ENOTFOUND;
		if (err == FG_EFORMAT || err == FG_ENOTFOUND)
			not_in_order(o->opened, "tiles of the signed tree are missing or damaged");
		else if (!err && memcmp(leaf, there, sizeof leaf))
			not_in_order(o->opened, "a segment and the tiles tell different entries");
		return err == FG_EFORMAT || err == FG_ENOTFOUND ? FG_OK : err;
	}
	if (seq != l->next)
		return FG_OK; /* a gap, noted above or by the WAL's own check */
	int err = keep(l, entry);
	if (!err) {
		l->durable = ++l->next;
		o->each(o->ctx, seq, entry);
	}
	return err;
}

static int
read_checkpoint(struct ledger *l, int logdir, struct ledger_opened *o, struct checkpoint *ret)
{
	uint8_t buf[NOTE_SIZE_MAX / 8];
	int fd = openat(logdir, TILESTORE_CHECKPOINT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	ssize_t n = read(fd, buf, sizeof buf);
	close(fd);
	if (n < 0)
		return FG_EIO;
	struct checkpoint_opened c;
	int err = checkpoint_open(view_of(buf, (size_t)n), NULL, &l->key->key, NULL, 0, 0, &c);
	if (err)
		return err;
	if (c.outcome != CHECKPOINT_VERIFIED) {
		not_in_order(o, "the checkpoint is not signed by this log's key");
		return FG_ENOTFOUND;
	}
	writer_bytes(&l->checkpoint, view_of(buf, (size_t)n));
	*ret = c.head;
	return writer_err(&l->checkpoint);
}

/* One bundle's entries: hashed, and told on. */
static int
each_of_bundle(struct opening *o, struct view bytes, unsigned width, struct merkle_range *range)
{
	struct tile_bundle b;
	struct view entry;
	uint8_t leaf[MERKLE_HASH_LEN];
	int err = FG_OK, more;
	tile_bundle_begin(&b, bytes, width);
	while (!err && (more = tile_bundle_next(&b, &entry)) != 0) {
		err = more < 0 ? more : merkle_leaf(o->l->m, entry, leaf);
		uint64_t index = range->size;
		if (!err)
			err = merkle_range_push(o->l->m, range, leaf);
		if (!err)
			o->each(o->ctx, index, entry);
	}
	return err;
}

/*
 * Every entry below the published size, from the bundles. They are the log: their
 * root, not the tiles', is held against the signed one.
 */
static int
each_published(struct opening *o, const uint8_t signed_root[MERKLE_HASH_LEN])
{
	struct merkle_range range = { 0 };
	uint8_t root[MERKLE_HASH_LEN];
	struct writer w;
	int err = FG_OK;
	writer_init(&w, TILE_BUNDLE_MAX);
	while (!err && range.size < o->l->published) {
		unsigned width = 0;
		writer_reset(&w);
		err = tilestore_bundle(o->l->tiles, range.size / TILE_WIDTH, &w, &width);
		if (!err)
			err = each_of_bundle(o, writer_view(&w), width, &range);
	}
	writer_free(&w);
	if (!err)
		err = merkle_range_root(o->l->m, &range, root);
	return !err && memcmp(root, signed_root, sizeof root) ? FG_EFORMAT : err;
}

static int
open_tree(struct opening *o, int logdir)
{
	struct ledger *l = o->l;
	struct checkpoint c = { 0 };
	uint8_t root[MERKLE_HASH_LEN];
	int err = read_checkpoint(l, logdir, o->opened, &c);
	if (err && err != FG_ENOTFOUND)
		return err;
	err = tilestore_open(logdir, l->m, c.size, &l->tiles);
	if (err == FG_ENOTFOUND || err == FG_EFORMAT) {
		not_in_order(o->opened, "tiles of the signed tree are missing or damaged");
		return tilestore_open(logdir, l->m, 0, &l->tiles);
	}
	if (err)
		return err;
	l->published = l->next = l->durable = o->opened->published = c.size;
	if (!c.size)
		return FG_OK;
	o->tree = tile_tree_new(l->m, c.size, tilestore_read, l->tiles);
	if (!o->tree)
		return FG_ENOMEM;
	err = tile_tree_range(o->tree, &l->range);
	if (!err)
		err = merkle_range_root(l->m, &l->range, root);
	if (!err && memcmp(root, c.root, sizeof root))
		err = FG_EFORMAT;
	if (!err)
		err = each_published(o, c.root);
	if (err == FG_EFORMAT || err == FG_ENOTFOUND || err == FG_ELIMIT) {
		not_in_order(o->opened, "the entries do not lead to the root that was signed");
		err = FG_OK;
	}
	return err;
}

static int
open_wal(struct opening *o, int waldir)
{
	struct ledger *l = o->l;
	struct wal_found found;
	uint64_t next = 0;
	o->first = true;
	int err = wal_open(waldir, replayed, o, &l->wal, &found);
	if (err)
		return err;
	o->opened->dropped_bytes = found.dropped_bytes;
	if (found.broken)
		not_in_order(o->opened, "a segment is damaged in the middle");
	/* What was signed had been durable here before, and the last segment is never removed. */
	else if (l->published && (!wal_next(l->wal, &next) || next < l->published))
		not_in_order(o->opened, "the segments end before what was signed");
	return o->opened->state == MSG_LOG_OPEN_OK ? wal_cut(l->wal) : FG_OK;
}

int
ledger_open(int waldir, int logdir, const struct note_signer *key,
    void (*each)(void *ctx, uint64_t index, struct view entry), void *ctx, struct ledger **ret,
    struct ledger_opened *opened)
{
	struct ledger *l = calloc(1, sizeof *l);
	if (!l)
		return FG_ENOMEM;
	struct opening o = { .l = l, .opened = opened, .each = each, .ctx = ctx };
	*opened = (struct ledger_opened){ .state = MSG_LOG_OPEN_OK };
	l->key = key;
	l->m = merkle_new();
	writer_init(&l->checkpoint, NOTE_SIZE_MAX);
	writer_init(&l->bytes, LEDGER_KEPT_BYTES);
	int err = l->m ? open_tree(&o, logdir) : FG_ENOMEM;
	if (!err)
		err = open_wal(&o, waldir);
	tile_tree_free(o.tree);
	if (err) {
		ledger_close(l);
		return err;
	}
	l->dead = opened->state != MSG_LOG_OPEN_OK;
	opened->size = l->next;
	*ret = l;
	return FG_OK;
}

void
ledger_close(struct ledger *l)
{
	if (!l)
		return;
	wal_close(l->wal);
	tilestore_close(l->tiles);
	merkle_free(l->m);
	writer_free(&l->checkpoint);
	writer_free(&l->bytes);
	free(l->kept);
	free(l);
}

void
ledger_end(struct ledger *l)
{
	l->dead = true;
}

/* ---- growing ---- */

uint64_t
ledger_size(const struct ledger *l)
{
	return l->durable;
}

uint64_t
ledger_next(const struct ledger *l)
{
	return l->next;
}

uint64_t
ledger_published(const struct ledger *l)
{
	return l->published;
}

bool
ledger_is_due(const struct ledger *l)
{
	return l->kept_n > LEDGER_DUE_ENTRIES || l->bytes.n > LEDGER_DUE_BYTES;
}

size_t
ledger_backlog(const struct ledger *l)
{
	return l->bytes.n;
}

int
ledger_root(struct ledger *l, uint8_t ret[DIGEST_SHA256_LEN])
{
	int err = catch_up(l);
	return err ? err : merkle_range_root(l->m, &l->range, ret);
}

int
ledger_put(struct ledger *l, struct view entry)
{
	if (l->dead)
		return FG_EIO;
	if (!entry.n || entry.n > TILE_ENTRY_MAX)
		return FG_EINVAL; /* what is durable must fit a bundle, or no checkpoint could ever cover it */
	int err = wal_put(l->wal, l->next, entry);
	if (err)
		return err;
	err = keep(l, entry);
	if (err) {
		/* In the batch but not remembered: this process cannot go on consistently. */
		l->dead = true;
		return err;
	}
	l->next++;
	return FG_OK;
}

int
ledger_commit(struct ledger *l)
{
	uint8_t root[MERKLE_HASH_LEN] = { 0 };
	if (l->dead)
		return FG_EIO;
	if (l->next == l->durable)
		return FG_OK;
	int err = wal_needs_root(l->wal) ? ledger_root(l, root) : FG_OK;
	if (!err)
		err = wal_commit(l->wal, root);
	if (!err)
		l->durable = l->next;
	l->dead = err != FG_OK;
	return err;
}

static int
to_tiles(struct ledger *l)
{
	uint64_t n = l->durable - tilestore_size(l->tiles);
	int err = catch_up(l);
	for (size_t i = 0; !err && i < n; i++) {
		const struct kept *k = &l->kept[i];
		err = tilestore_add(l->tiles, view_of(l->bytes.p + k->at, k->n), k->leaf);
	}
	if (err)
		return err;
	/* What is only put, not durable, stays. */
	size_t from = n < l->kept_n ? l->kept[n].at : l->bytes.n;
	memmove(l->kept, l->kept + n, (l->kept_n - n) * sizeof l->kept[0]);
	l->kept_n -= n;
	l->hashed -= n;
	for (size_t i = 0; i < l->kept_n; i++)
		l->kept[i].at -= from;
	if (l->bytes.n > from)
		memmove(l->bytes.p, l->bytes.p + from, l->bytes.n - from);
	l->bytes.n -= from;
	return tilestore_publish(l->tiles);
}

int
ledger_publish(struct ledger *l)
{
	struct checkpoint c = { .size = l->durable };
	struct writer note;
	if (l->dead)
		return FG_EIO;
	if (l->published == l->durable)
		return FG_OK;
	writer_init(&note, NOTE_SIZE_MAX);
	int err = to_tiles(l);
	if (!err)
		err = ledger_root(l, c.root);
	snprintf(c.origin, sizeof c.origin, "%s", l->key->key.name);
	if (!err)
		err = checkpoint_sign(&c, l->key, &note);
	if (!err)
		err = tilestore_write(l->tiles, TILESTORE_CHECKPOINT, writer_view(&note));
	if (!err) {
		writer_free(&l->checkpoint);
		l->checkpoint = note;
		writer_init(&note, 0);
		l->published = c.size;
		tilestore_tidy(l->tiles);
		wal_forget(l->wal, l->published);
	} else {
		l->dead = true;
	}
	writer_free(&note);
	return err;
}

/* ---- reading ---- */

struct view
ledger_checkpoint(const struct ledger *l)
{
	return writer_view(&l->checkpoint);
}

static int
publish_up_to(struct ledger *l, uint64_t size)
{
	if (size > l->durable)
		return FG_ENOTFOUND;
	if (size <= l->published)
		return FG_OK;
	return ledger_publish(l);
}

int
ledger_root_at(struct ledger *l, uint64_t size, uint8_t ret[DIGEST_SHA256_LEN])
{
	if (size == l->durable)
		return ledger_root(l, ret);
	int err = publish_up_to(l, size);
	if (err)
		return err;
	struct tile_tree *t = tile_tree_new(l->m, l->published, tilestore_read, l->tiles);
	if (!t)
		return FG_ENOMEM;
	err = tile_tree_root(t, size, ret);
	tile_tree_free(t);
	return err;
}

/* A tree of what is published; the caller frees it. NULL: no memory. */
static struct tile_tree *
published_tree(struct ledger *l)
{
	return tile_tree_new(l->m, l->published, tilestore_read, l->tiles);
}

int
ledger_root_unsigned(struct ledger *l, uint64_t size, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct merkle_range range;
	if (size > l->durable)
		return FG_ENOTFOUND;
	struct tile_tree *t = published_tree(l);
	if (!t)
		return FG_ENOMEM;
	int err = size <= l->published ? tile_tree_root(t, size, ret) : tile_tree_range(t, &range);
	tile_tree_free(t);
	if (err || size <= l->published)
		return err;
	/* What the tiles do not hold yet is kept, from tilestore_size() on. */
	if (tilestore_size(l->tiles) != l->published)
		return FG_ESTATE;
	err = hash_kept(l, (size_t)(size - l->published));
	for (uint64_t i = l->published; !err && i < size; i++)
		err = merkle_range_push(l->m, &range, l->kept[i - l->published].leaf);
	return err ? err : merkle_range_root(l->m, &range, ret);
}

int
ledger_consistency(struct ledger *l, uint64_t old, struct merkle_proof *ret)
{
	if (old == 0 || old > l->published)
		return FG_EINVAL;
	struct tile_tree *t = published_tree(l);
	if (!t)
		return FG_ENOMEM;
	int err = tile_tree_consistency(t, old, l->published, ret);
	tile_tree_free(t);
	return err;
}

/* The checkpoint without that witness's line: text, and the lines of everybody else. */
static void
without(struct view note, const struct note_key *witness, struct writer *w)
{
	char mark[NOTE_NAME_MAX + 8];
	snprintf(mark, sizeof mark, "\xe2\x80\x94 %s ", witness->name);
	size_t n = strlen(mark);
	while (note.n) {
		const uint8_t *end = memchr(note.p, '\n', note.n);
		struct view line = view_of(note.p, end ? (size_t)(end - note.p) + 1 : note.n);
		if (line.n < n || memcmp(line.p, mark, n) != 0)
			writer_bytes(w, line);
		note = view_of(note.p + line.n, note.n - line.n);
	}
}

/* Still the log's own checkpoint, of the same tree. */
static int
same_head(const struct ledger *l, struct view note)
{
	struct checkpoint_opened was, is;
	int err = checkpoint_open(writer_view(&l->checkpoint), NULL, &l->key->key, NULL, 0, 0, &was);
	if (!err)
		err = checkpoint_open(note, NULL, &l->key->key, NULL, 0, 0, &is);
	if (err)
		return err;
	bool same = is.outcome == CHECKPOINT_VERIFIED && was.outcome == CHECKPOINT_VERIFIED &&
	    is.head.size == was.head.size && memcmp(is.head.root, was.head.root, sizeof is.head.root) == 0;
	return same ? FG_OK : FG_EFORMAT;
}

int
ledger_cosigned(struct ledger *l, uint64_t size, const struct note_key *witness, struct view line)
{
	struct writer note;
	if (l->dead)
		return FG_EIO;
	if (size != l->published)
		return FG_ESTATE;
	/* One line, and not under the log's own name: its signature would go for it. */
	if (!line.n || memchr(line.p, '\n', line.n) != line.p + line.n - 1 || strcmp(witness->name, l->key->key.name) == 0)
		return FG_EFORMAT;
	writer_init(&note, MSG_CHECKPOINT_MAX - 1);
	without(writer_view(&l->checkpoint), witness, &note);
	writer_bytes(&note, line);
	int err = writer_err(&note);
	if (!err)
		err = same_head(l, writer_view(&note));
	/* Whether the file then has the line or not, it is the checkpoint of that size. */
	if (!err)
		err = tilestore_write(l->tiles, TILESTORE_CHECKPOINT, writer_view(&note));
	if (!err) {
		writer_free(&l->checkpoint);
		l->checkpoint = note;
		writer_init(&note, 0);
	}
	writer_free(&note);
	return err;
}

int
ledger_receipt(struct ledger *l, uint64_t index, struct writer *receipt, struct writer *entry)
{
	struct receipt r = { .index = index };
	if (index >= l->durable)
		return FG_ENOTFOUND;
	int err = publish_up_to(l, index + 1);
	if (err)
		return err;
	struct tile_tree *t = tile_tree_new(l->m, l->published, tilestore_read, l->tiles);
	if (!t)
		return FG_ENOMEM;
	err = tile_tree_inclusion(t, index, l->published, &r.proof);
	tile_tree_free(t);
	if (!err)
		err = tilestore_entry(l->tiles, index, entry);
	if (err)
		return err;
	r.note = ledger_checkpoint(l);
	return receipt_encode(&r, receipt);
}

int
ledger_file(struct ledger *l, const char *name)
{
	return tilestore_file(l->tiles, name);
}
