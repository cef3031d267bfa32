/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/checkpoint.h"
#include "crypto/err.h"
#include "gateway/audit/condemned.h"
#include "gateway/audit/tilestore.h"
#include "gateway/audit/wal.h"

#define NEW_LOG "log.new"
#define NEW_WAL "wal.new"
#define ASIDE_TRIES 64 /* seconds: nobody repairs more often by hand */
#define TAIL_BYTES (64u << 20) /* unsigned entries kept: four times what audit leaves unsigned */
#define NOTE_BYTES (NOTE_SIZE_MAX / 8)

struct work {
	int audit, from, log, wal, old_wal; /* log and wal: the new ones */
	const struct note_key *key;
	struct merkle *m;
	struct rebuild *ret;
	struct checkpoint head, here; /* of the export; of the log in place, size 0 if nothing of it is signed */
	struct writer note, here_note;
	struct tilestore *source, *target;
	struct tile_tree *tree;       /* of target */
	struct merkle_range before;   /* without the last entry */
	struct merkle_range range;
	struct writer last;
	/* Of the old WAL: entries that continue the export. */
	struct writer tail, tail_sizes;
	uint64_t tail_first;          /* of these, the first that is not in the new tiles */
	size_t tail_at;               /* and where its bytes are */
	bool differs, forked;
	bool locked;                  /* nobody else is at work here */
};

static int
refuse(struct work *w, const char *why)
{
	if (!w->ret->why[0])
		snprintf(w->ret->why, sizeof w->ret->why, "%s", why);
	return FG_EPERM;
}

/* ---- what is signed ---- */

/* FG_ENOTFOUND: none, or none of this log's key. */
static int
read_head(struct work *w, int dir, const char *name, struct writer *note, struct checkpoint *ret)
{
	uint8_t buf[NOTE_BYTES];
	struct checkpoint_opened c;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* a FIFO is nothing to wait for */
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? FG_ENOTFOUND : FG_EIO;
	ssize_t n = read(fd, buf, sizeof buf);
	close(fd);
	if (n < 0)
		return FG_EIO;
	int err = checkpoint_open(view_of(buf, (size_t)n), NULL, w->key, NULL, 0, 0, &c);
	if (err)
		return err;
	if (c.outcome != CHECKPOINT_VERIFIED)
		return FG_ENOTFOUND;
	*ret = c.head;
	if (note)
		writer_bytes(note, view_of(buf, (size_t)n));
	return note ? writer_err(note) : FG_OK;
}

static int
read_heads(struct work *w)
{
	int err = read_head(w, w->from, TILESTORE_CHECKPOINT, &w->note, &w->head);
	if (err == FG_ENOTFOUND)
		return refuse(w, "it holds no checkpoint signed by this log's key");
	if (!err && !w->head.size)
		return refuse(w, "its checkpoint is of an empty log");
	if (!err)
		err = read_head(w, w->audit, "log/" TILESTORE_CHECKPOINT, &w->here_note, &w->here);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* ---- the new tiles ---- */

/* Where the log in place was signed, the export must have had the same root. */
static int
hold_against_here(struct work *w)
{
	uint8_t root[MERKLE_HASH_LEN];
	if (!w->here.size || w->range.size != w->here.size)
		return FG_OK;
	int err = merkle_range_root(w->m, &w->range, root);
	w->forked = !err && memcmp(root, w->here.root, sizeof root);
	return err;
}

static int
take_entry(struct work *w, struct view entry)
{
	uint8_t leaf[MERKLE_HASH_LEN];
	w->before = w->range;
	int err = merkle_leaf(w->m, entry, leaf);
	if (!err)
		err = merkle_range_push(w->m, &w->range, leaf);
	if (!err)
		err = tilestore_add(w->target, entry, leaf);
	if (!err)
		err = hold_against_here(w);
	if (!err) {
		writer_reset(&w->last);
		writer_bytes(&w->last, entry);
		err = writer_err(&w->last);
	}
	return err;
}

/* Of the bundle in which the next entry stands, whatever is not taken yet. */
static int
take_bundle(struct work *w, struct tilestore *source, struct writer *bytes)
{
	struct tile_bundle b;
	struct view entry;
	unsigned width = 0, skip = (unsigned)(w->range.size % TILE_WIDTH);
	const uint64_t before = w->range.size;
	int more;
	writer_reset(bytes);
	int err = tilestore_bundle(source, w->range.size / TILE_WIDTH, bytes, &width);
	if (err)
		return err;
	tile_bundle_begin(&b, writer_view(bytes), width);
	while (!err && (more = tile_bundle_next(&b, &entry)) != 0) {
		if (more < 0)
			err = FG_EFORMAT;
		else if (skip)
			skip--;
		else
			err = take_entry(w, entry);
	}
	return !err && w->range.size == before ? FG_EFORMAT : err;
}

static int
make_tiles(struct work *w)
{
	struct writer bytes;
	uint8_t root[MERKLE_HASH_LEN];
	int err = tilestore_open(w->from, w->m, w->head.size, &w->source);
	if (!err)
		err = tilestore_open(w->log, w->m, 0, &w->target);
	writer_init(&bytes, TILE_BUNDLE_MAX);
	while (!err && w->range.size < w->head.size)
		err = take_bundle(w, w->source, &bytes);
	writer_free(&bytes);
	if (!err)
		err = merkle_range_root(w->m, &w->range, root);
	if (!err && memcmp(root, w->head.root, sizeof root))
		err = FG_EFORMAT;
	if (err == FG_ENOTFOUND || err == FG_EFORMAT || err == FG_ELIMIT)
		return refuse(w, "its entries do not hash to the root that its checkpoint signs");
	if (!err && w->forked)
		return refuse(w, "it contradicts a checkpoint that was signed here: one of the two is a fork");
	return err ? err : tilestore_publish(w->target);
}

/* ---- the new WAL ---- */

/* Of the old one: what continues the export, as long as it agrees with it. */
static int
replayed(void *ctx, uint64_t seq, struct view entry)
{
	struct work *w = ctx;
	uint8_t leaf[MERKLE_HASH_LEN], there[MERKLE_HASH_LEN];
	if (w->differs || (seq >= w->head.size && seq != w->head.size + w->ret->kept))
		return FG_OK;
	int err = merkle_leaf(w->m, entry, leaf);
	if (!err && seq < w->head.size) {
		err = tile_tree_leaf(w->tree, seq, there);
		w->differs = !err && memcmp(leaf, there, sizeof leaf);
		return err;
	}
	if (err || w->tail.n + entry.n > TAIL_BYTES)
		return err;
	writer_bytes(&w->tail, entry);
	writer_u32(&w->tail_sizes, (uint32_t)entry.n);
	w->ret->kept++;
	return writer_err(&w->tail) ? writer_err(&w->tail) : writer_err(&w->tail_sizes);
}

static int
find_tail(struct work *w)
{
	struct wal *old = NULL;
	struct wal_found found = { 0 };
	writer_reset(&w->tail);
	writer_reset(&w->tail_sizes);
	w->tail_first = w->tail_at = w->ret->kept = 0;
	w->differs = false;
	tile_tree_free(w->tree);
	w->tree = tile_tree_new(w->m, w->head.size, tilestore_read, w->target);
	if (!w->tree)
		return FG_ENOMEM;
	int err = w->old_wal < 0 ? FG_ENOTFOUND : wal_open(w->old_wal, replayed, w, &old, &found);
	wal_close(old);
	/*
	 * A WAL that cannot be read, or tells another story, has nothing that could be trusted behind it. Of a broken
	 * one stands what comes before the break; what was signed of it has to lead to that root (extend).
	 */
	if (err || w->differs)
		w->ret->kept = 0;
	return err == FG_ENOMEM ? err : FG_OK;
}

static struct view
tail_next(struct work *w)
{
	const uint8_t *p = w->tail_sizes.p + 4 * w->tail_first++;
	struct view v = view_of(w->tail.p + w->tail_at, (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
	w->tail_at += v.n;
	w->ret->kept--;
	return v;
}

/* The checkpoint that is here stands: what was taken leads to its root. */
static int
stand(struct work *w)
{
	w->head = w->here;
	writer_reset(&w->note);
	writer_bytes(&w->note, writer_view(&w->here_note));
	int err = writer_err(&w->note);
	return err ? err : tilestore_publish(w->target);
}

/* The end from the tiles that are here; what the WAL holds is then looked at once more, behind that. */
static int
extend_by_tiles(struct work *w)
{
	static const char lost[] = "the log here was signed at a larger size, and its end is lost here: a newer export is needed";
	struct tilestore *here = NULL;
	struct writer bytes;
	int log = openat(w->audit, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int err = log < 0 ? FG_ENOTFOUND : tilestore_open(log, w->m, w->here.size, &here);
	writer_init(&bytes, TILE_BUNDLE_MAX);
	while (!err && w->range.size < w->here.size)
		err = take_bundle(w, here, &bytes);
	writer_free(&bytes);
	tilestore_close(here);
	if (log >= 0)
		close(log);
	if (err == FG_ENOTFOUND || err == FG_EFORMAT || err == FG_ELIMIT || (!err && w->forked))
		return refuse(w, lost);
	if (!err)
		err = stand(w);
	return err ? err : find_tail(w);
}

/*
 * More was signed here than the export has. What the WAL, or else the log that is here, still holds must lead to that
 * very root; then the checkpoint that is here stands.
 */
static int
extend(struct work *w)
{
	int err = FG_OK;
	if (w->here.size <= w->head.size)
		return FG_OK;
	if (w->ret->kept < w->here.size - w->head.size)
		return extend_by_tiles(w);
	while (!err && w->range.size < w->here.size)
		err = take_entry(w, tail_next(w));
	if (!err && w->forked)
		return refuse(w, "it and the write-ahead log do not lead to the checkpoint that was signed here");
	return err ? err : stand(w);
}

static int
finish_tiles(struct work *w)
{
	struct condemned c;
	int err = find_tail(w);
	if (!err)
		err = extend(w);
	if (!err)
		err = condemned_read(w->audit, &c);
	if (!err && c.known > w->head.size)
		return refuse(w, "somebody holds a checkpoint of a larger size: a newer export is needed");
	if (!err)
		err = tilestore_write(w->target, TILESTORE_CHECKPOINT, writer_view(&w->note));
	if (!err)
		tilestore_tidy(w->target);
	return err;
}

static int
commit(struct work *w, struct wal *wal, const struct merkle_range *range)
{
	uint8_t root[MERKLE_HASH_LEN];
	int err = merkle_range_root(w->m, range, root);
	return err ? err : wal_commit(wal, root);
}

static int
nothing(void *ctx, uint64_t seq, struct view entry)
{
	(void)ctx;
	(void)seq;
	(void)entry;
	return FG_EFORMAT; /* a new one is empty */
}

/* begun: the tree before the batch's first entry; range: with all that was put. */
static int
put(struct work *w, struct wal *wal, struct merkle_range *begun, struct merkle_range *range, struct view entry)
{
	uint8_t leaf[MERKLE_HASH_LEN];
	int err = wal_put(wal, range->size, entry);
	if (err == FG_ELIMIT) {
		err = commit(w, wal, begun);
		*begun = *range;
		if (!err)
			err = wal_put(wal, range->size, entry);
	}
	if (!err)
		err = merkle_leaf(w->m, entry, leaf);
	return err ? err : merkle_range_push(w->m, range, leaf);
}

/* The last signed entry, for a log must reach what it signed, and the tail. */
static int
make_wal(struct work *w)
{
	struct wal *wal = NULL;
	struct wal_found found;
	struct merkle_range begun = w->before, range = w->before;
	uint64_t n = w->ret->kept;
	int err = wal_open(w->wal, nothing, NULL, &wal, &found);
	if (!err)
		err = put(w, wal, &begun, &range, writer_view(&w->last));
	while (!err && w->ret->kept)
		err = put(w, wal, &begun, &range, tail_next(w));
	w->ret->kept = n;
	if (!err)
		err = commit(w, wal, &begun);
	wal_close(wal);
	return err;
}

/* ---- in place ---- */

/*
 * Removes name and what lies below it, or gives it to the owner of audit/. Started by root, in a folder of another
 * user's: a link is itself, also where name is one, never what it points to.
 */
static int
walk(const struct work *w, const char *name, bool removing)
{
	char path[64];
	struct stat owner;
	int err = FG_OK;
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", w->audit, name);
	if (fstat(w->audit, &owner))
		return FG_EIO;
	char *const paths[] = { path, NULL };
	FTS *f = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!f)
		return FG_EIO;
	for (FTSENT *e; !err && (e = fts_read(f));) {
		bool dir = e->fts_info == FTS_D || e->fts_info == FTS_DP;
		if (e->fts_info == FTS_NS && e->fts_errno == ENOENT)
			break;
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
			err = FG_EIO;
		else if (removing && e->fts_info != FTS_D)
			err = unlinkat(AT_FDCWD, e->fts_path, dir ? AT_REMOVEDIR : 0) ? FG_EIO : FG_OK;
		else if (!removing && geteuid() == 0 && e->fts_info != FTS_DP)
			err = lchown(e->fts_path, owner.st_uid, owner.st_gid) ? FG_EIO : FG_OK;
	}
	fts_close(f);
	return err;
}

static int
new_dir(const struct work *w, const char *name, int *ret)
{
	int err = walk(w, name, true);
	if (!err && mkdirat(w->audit, name, 0755))
		err = FG_EIO;
	*ret = err ? -1 : openat(w->audit, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return !err && *ret < 0 ? FG_EIO : err;
}

static int
swap(const struct work *w, const char *new, const char *name)
{
	char aside[64];
	snprintf(aside, sizeof aside, "%s%s", name, w->ret->aside);
	if (renameat(w->audit, name, w->audit, aside) && errno != ENOENT)
		return FG_EIO;
	return renameat(w->audit, new, w->audit, name) ? FG_EIO : FG_OK;
}

/* From the first rename to the end a crash leaves a log that is marked, and a repair that can be run again. */
static int
put_in_place(struct work *w, int64_t now)
{
	struct condemned was;
	char how[CONDEMNED_HOW], before[CONDEMNED_HOW] = "", called[CONDEMNED_WHY] = "";
	int err = walk(w, NEW_LOG, false);
	if (!err)
		err = walk(w, NEW_WAL, false);
	if (!err)
		err = condemned_read(w->audit, &was);
	/* What was done by hand since the last start is not in the log yet, and goes there with this. */
	int waits = err ? 0 : condemned_pardoned(w->audit, before);
	if (!err && waits < 0)
		err = waits;
	if (!err && was.state != MSG_LOG_UNKNOWN)
		snprintf(called, sizeof called, "; it was called %s: %.80s", msg_log_state_name(was.state), was.why);
	if (!err && was.state == MSG_LOG_UNKNOWN) {
		struct condemned c = { .state = MSG_LOG_TAMPERED, .known = w->head.size, .since = now };
		snprintf(c.why, sizeof c.why, "a repair was begun and did not end");
		err = condemned_write(w->audit, &c);
	}
	if (!err)
		err = swap(w, NEW_LOG, "log");
	if (!err)
		err = swap(w, NEW_WAL, "wal");
	if (!err && fsync(w->audit))
		err = FG_EIO;
	snprintf(how, sizeof how, "%.400s%srepaired from an export of %" PRIu64 " entries, %" PRIu64 " more were kept%s", before,
	    waits > 0 ? "; " : "", w->head.size, w->ret->kept, called);
	return err ? err : condemned_pardon(w->audit, how);
}

static bool
is_free(const struct work *w, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "%s%s", name, w->ret->aside);
	return faccessat(w->audit, path, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

/* What an earlier repair of this very second kept stays where it is. */
static void
name_aside(struct work *w, int64_t now)
{
	for (unsigned i = 0; i < ASIDE_TRIES; i++) {
		snprintf(w->ret->aside, sizeof w->ret->aside, ".replaced-%" PRId64, now + i);
		if (is_free(w, "log") && is_free(w, "wal"))
			return;
	}
}

static int
prepare(struct work *w)
{
	writer_init(&w->note, NOTE_SIZE_MAX);
	writer_init(&w->here_note, NOTE_SIZE_MAX);
	writer_init(&w->last, TILE_ENTRY_MAX);
	writer_init(&w->tail, TAIL_BYTES);
	writer_init(&w->tail_sizes, TAIL_BYTES);
	w->m = merkle_new();
	w->old_wal = openat(w->audit, "wal", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (!w->m)
		return FG_ENOMEM;
	if (w->old_wal < 0 && errno != ENOENT)
		return FG_EIO;
	w->locked = w->old_wal < 0 || flock(w->old_wal, LOCK_EX | LOCK_NB) == 0;
	return w->locked ? FG_OK : FG_ESTATE;
}

static void
clean(struct work *w)
{
	int fds[] = { w->log, w->wal, w->old_wal };
	tile_tree_free(w->tree);
	tilestore_close(w->source);
	tilestore_close(w->target);
	merkle_free(w->m);
	writer_free(&w->note);
	writer_free(&w->here_note);
	writer_free(&w->last);
	writer_free(&w->tail);
	writer_free(&w->tail_sizes);
	if (w->locked) {
		(void)walk(w, NEW_LOG, true);
		(void)walk(w, NEW_WAL, true);
	}
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

int
rebuild_log(int auditdir, int fromdir, const struct note_key *key, int64_t now, struct rebuild *ret)
{
	struct work w = { .audit = auditdir, .from = fromdir, .log = -1, .wal = -1, .old_wal = -1, .key = key, .ret = ret };
	*ret = (struct rebuild){ 0 };
	name_aside(&w, now);
	int err = prepare(&w);
	if (!err)
		err = read_heads(&w);
	if (!err)
		err = new_dir(&w, NEW_LOG, &w.log);
	if (!err)
		err = make_tiles(&w);
	if (!err)
		err = finish_tiles(&w);
	if (!err)
		err = new_dir(&w, NEW_WAL, &w.wal);
	if (!err)
		err = make_wal(&w);
	if (!err)
		err = put_in_place(&w, now);
	ret->size = w.head.size;
	int saved = errno;
	clean(&w);
	errno = saved; /* the caller says why */
	return err;
}
