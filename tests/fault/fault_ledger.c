/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log's files (gateway/audit: wal, ledger, tilestore) under every fault.
 * Held: what was acknowledged is there, in order; the log opens as in order; every
 * checkpoint anyone could ever read is of this very log, and no two of one size
 * differ; the log goes on from there and verifies.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/receipt.h"
#include "fault/fault.h"
#include "gateway/audit/ledger.h"
#include "gateway/audit/wal.h"
#include "unit/crypto/people.h"
#include "unit/gateway/scratch.h"

struct seen { /* a checkpoint that somebody may have read */
	uint64_t size;
	uint8_t root[MERKLE_HASH_LEN];
};

struct oracle {
	uint8_t (*leaf)[MERKLE_HASH_LEN]; /* of what was acknowledged */
	uint64_t acked;
	struct seen *seen;
	size_t seen_n;
};

struct log {
	char dir[128];
	int waldir, logdir;
	struct ledger *l;
	struct ledger_opened opened;
	const struct oracle *held; /* while opening: what must be there */
	struct merkle_range range; /* of what opening tells */
	uint8_t (*leaf)[MERKLE_HASH_LEN]; /* of everything that opening told and that was put since */
	uint64_t leaf_n, leaf_cap;
};

static struct note_signer key;
static struct merkle *merkle;
static unsigned life; /* entries of two lives differ: what was never acknowledged may come again otherwise */

/* ---- what must hold ---- */

static void
oracle_copy(struct oracle *to, const struct oracle *from)
{
	*to = *from;
	to->leaf = malloc((from->acked + 1) * sizeof *to->leaf);
	to->seen = malloc((from->seen_n + 1) * sizeof *to->seen);
	if (!to->leaf || !to->seen)
		abort();
	if (from->acked)
		memcpy(to->leaf, from->leaf, from->acked * sizeof *to->leaf);
	if (from->seen_n)
		memcpy(to->seen, from->seen, from->seen_n * sizeof *to->seen);
}

static void
oracle_free(struct oracle *o)
{
	free(o->leaf);
	free(o->seen);
	*o = (struct oracle){ 0 };
}

/* Everything the log holds now: an acknowledgement stands for what is before it too. */
static void
acknowledged(struct oracle *o, const struct log *g)
{
	o->leaf = reallocarray(o->leaf, g->leaf_n + 1, sizeof *o->leaf);
	if (!o->leaf)
		abort();
	o->acked = g->leaf_n;
	memcpy(o->leaf, g->leaf, g->leaf_n * sizeof *o->leaf);
}

static void
saw(struct oracle *o, struct view note)
{
	struct checkpoint_opened c;
	if (!fault_check(checkpoint_open(note, NULL, &key.key, NULL, 0, 0, &c) == 0 && c.outcome == CHECKPOINT_VERIFIED,
		"a checkpoint is not signed by the log"))
		return;
	for (size_t i = 0; i < o->seen_n; i++) {
		if (o->seen[i].size != c.head.size)
			continue;
		fault_check(!memcmp(o->seen[i].root, c.head.root, MERKLE_HASH_LEN),
		    "two checkpoints of size %" PRIu64 " differ", c.head.size);
		return;
	}
	o->seen = reallocarray(o->seen, o->seen_n + 1, sizeof *o->seen);
	if (!o->seen)
		abort();
	o->seen[o->seen_n].size = c.head.size;
	memcpy(o->seen[o->seen_n++].root, c.head.root, MERKLE_HASH_LEN);
}

/* What a reader of the folder sees now. */
static void
look(const struct log *g, struct oracle *o)
{
	char path[160];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/log/checkpoint", g->dir);
	uint8_t *note = scratch_read(path, &n);
	if (note)
		saw(o, view_of(note, n));
	free(note);
}

/* ---- a log ---- */

static void
remember(struct log *g, const uint8_t leaf[MERKLE_HASH_LEN])
{
	if (g->leaf_n == g->leaf_cap) {
		g->leaf_cap = g->leaf_cap ? 2 * g->leaf_cap : 256;
		g->leaf = reallocarray(g->leaf, g->leaf_cap, sizeof *g->leaf);
		if (!g->leaf)
			abort();
	}
	memcpy(g->leaf[g->leaf_n++], leaf, MERKLE_HASH_LEN);
}

static void
told(void *ctx, uint64_t index, struct view entry)
{
	struct log *g = ctx;
	const struct oracle *o = g->held;
	uint8_t leaf[MERKLE_HASH_LEN], root[MERKLE_HASH_LEN];
	if (!fault_check(index == g->range.size, "entry %" PRIu64 " is told after %" PRIu64, index, g->range.size) ||
	    merkle_leaf(merkle, entry, leaf) || merkle_range_push(merkle, &g->range, leaf))
		return;
	remember(g, leaf);
	if (index < o->acked)
		fault_check(!memcmp(leaf, o->leaf[index], sizeof leaf), "entry %" PRIu64 " is another than was acknowledged",
		    index);
	for (size_t i = 0; i < o->seen_n; i++) {
		if (o->seen[i].size == g->range.size && merkle_range_root(merkle, &g->range, root) == 0)
			fault_check(!memcmp(root, o->seen[i].root, sizeof root),
			    "the first %" PRIu64 " entries are not those a checkpoint covered", g->range.size);
	}
}

static int
log_open(struct log *g, const char *dir, const struct oracle *held)
{
	char path[160];
	*g = (struct log){ .held = held };
	snprintf(g->dir, sizeof g->dir, "%s", dir);
	snprintf(path, sizeof path, "%s/wal", dir);
	g->waldir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/log", dir);
	g->logdir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->waldir < 0 || g->logdir < 0)
		abort();
	return ledger_open(g->waldir, g->logdir, &key, told, g, &g->l, &g->opened);
}

static void
log_close(struct log *g)
{
	ledger_close(g->l);
	close(g->waldir);
	close(g->logdir);
	free(g->leaf);
	g->leaf = NULL;
	g->l = NULL;
}

static bool
log_holds(struct log *g, const char *dir, const struct oracle *o)
{
	int err = log_open(g, dir, o);
	uint64_t highest = 0;
	for (size_t i = 0; i < o->seen_n; i++)
		highest = o->seen[i].size > highest ? o->seen[i].size : highest;
	return fault_check(err == 0, "the log does not open: %s", err_name(err)) &&
	    fault_check(g->opened.state == MSG_LOG_OPEN_OK, "the log is not in order: %s", g->opened.why) &&
	    fault_check(g->opened.size >= o->acked && g->range.size == g->opened.size,
		"%" PRIu64 " of %" PRIu64 " acknowledged entries are there", g->opened.size, o->acked) &&
	    fault_check(g->opened.size >= highest, "signed up to %" PRIu64 ", only %" PRIu64 " are there", highest,
		g->opened.size) &&
	    fault_check(g->opened.published <= g->opened.size, "the checkpoint is ahead of the entries");
}

/* n entries, one batch; those that are acknowledged are added to the oracle. */
static int
append(struct log *g, struct oracle *o, unsigned n)
{
	uint8_t leaf[MERKLE_HASH_LEN];
	char text[512];
	for (unsigned i = 0; i < n; i++) {
		uint64_t index = ledger_next(g->l);
		int len = snprintf(text, sizeof text, "life %u, entry %" PRIu64 " ", life, index);
		size_t pad = fault_mix(index, life) % 300;
		memset(text + len, '.', pad);
		struct view entry = view_of(text, (size_t)len + pad);
		int err = ledger_put(g->l, entry);
		if (err)
			return err;
		if (merkle_leaf(merkle, entry, leaf))
			abort();
		remember(g, leaf);
	}
	int err = ledger_commit(g->l);
	if (!err && (!disk_watched() || !disk_is_gone(disk_watched())))
		acknowledged(o, g);
	return err;
}

static int
publish(struct log *g, struct oracle *o)
{
	int err = ledger_publish(g->l);
	if (!err && (!disk_watched() || !disk_is_gone(disk_watched())))
		saw(o, ledger_checkpoint(g->l));
	return err;
}

static void
receipt_holds(struct log *g, uint64_t index)
{
	struct writer text, line, store;
	struct receipt r;
	struct receipt_checked c;
	writer_init(&text, RECEIPT_SIZE_MAX);
	writer_init(&line, 65535);
	writer_init(&store, RECEIPT_EXTRA_MAX);
	int err = ledger_receipt(g->l, index, &text, &line);
	if (!err)
		err = receipt_parse(writer_view(&text), &store, &r);
	if (!err)
		err = receipt_verify(merkle, &r, writer_view(&line), NULL, &key.key, NULL, 0, &c);
	fault_check(!err && c.outcome == RECEIPT_VERIFIED && r.index == index, "no receipt of entry %" PRIu64, index);
	writer_free(&text);
	writer_free(&line);
	writer_free(&store);
}

/* The log in dir holds, goes on, and holds again. dir may be changed. */
static void
judge(const char *dir, const struct oracle *o, bool goes_on)
{
	struct oracle own;
	struct log g;
	fault_case();
	bool good = log_holds(&g, dir, o);
	if (!good || !goes_on) {
		log_close(&g);
		return;
	}
	oracle_copy(&own, o);
	life++;
	int err = append(&g, &own, 2);
	if (!err)
		err = publish(&g, &own);
	if (fault_check(err == 0, "the log does not go on: %s", err_name(err))) {
		receipt_holds(&g, fault_mix(own.acked, life) % own.acked);
		receipt_holds(&g, own.acked - 1);
	}
	log_close(&g);
	log_holds(&g, dir, &own);
	log_close(&g);
	oracle_free(&own);
}

/* ---- a story, and where the power goes ---- */

/* The power goes again, at every change that recovery makes. */
struct again {
	struct disk *d;
	const struct oracle *o;
};

static void
after_again(void *ctx, enum disk_op op)
{
	const struct again *a = ctx;
	const char *image = fault_path("image2");
	(void)op;
	for (unsigned kind = DISK_CUT_NONE; kind <= DISK_CUT_RANDOM; kind++) {
		disk_image(a->d, kind + (kind == DISK_CUT_RANDOM ? (unsigned)disk_count(a->d, DISK_CHANGES) : 0), image);
		judge(image, a->o, true);
		fault_remove(image);
	}
}

static void
cut_again(const char *image, const struct oracle *o)
{
	struct log g;
	struct disk *d = disk_new(image);
	disk_set_hook(d, after_again, &(struct again){ d, o });
	disk_watch(d);
	log_open(&g, image, o);
	disk_watch(NULL);
	log_close(&g);
	disk_free(d);
}

struct cuts {
	struct disk *d;
	struct log *g;
	struct oracle *o;
	unsigned lots;  /* by lot, after the kinds that are always tried; 0: no cut at all */
	bool always;    /* the kinds that are always tried */
	unsigned every; /* only at one of so many changes */
	uint64_t turn;
};

static void
after(void *ctx, enum disk_op op)
{
	struct cuts *c = ctx;
	const char *image = fault_path("image");
	if (op == DISK_RENAME)
		look(c->g, c->o);
	if (!c->every || ++c->turn % c->every)
		return;
	unsigned kinds = (c->always ? DISK_CUT_RANDOM : 0) + (disk_unsafe(c->d) ? c->lots : 0);
	for (unsigned i = 0; i < kinds; i++) {
		unsigned kind = c->always ? i : DISK_CUT_RANDOM + i;
		if (kind >= DISK_CUT_RANDOM)
			kind += fault_mix(c->turn, i) % 100000;
		disk_image(c->d, kind, image);
		if (c->always && c->turn % (fault_deep() > 1 ? 5 : 31) == 0 && kind >= DISK_CUT_NAMES)
			cut_again(image, c->o);
		judge(image, c->o, kind < DISK_CUT_RANDOM || c->turn % 3 == 0);
		fault_remove(image);
	}
}

/* A word a letter: an append of so many entries, p to publish. Ends at the first error. */
static int
tell(struct log *g, struct oracle *o, const char *story)
{
	int err = FG_OK;
	for (; !err && *story; story++)
		err = *story == 'p' ? publish(g, o) : append(g, o, (unsigned)(*story - '0'));
	return err;
}

struct base {
	const char *name;
	unsigned entries; /* there already, published but for the last few */
	const char *story;
};

static void
make_base(const struct base *b, const char *dir, struct oracle *o)
{
	struct log g;
	char path[160];
	life = 1;
	if (mkdir(dir, 0755))
		abort();
	snprintf(path, sizeof path, "%s/wal", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/log", dir);
	mkdir(path, 0755);
	if (!b->entries)
		return;
	log_open(&g, dir, o);
	for (unsigned n = 0; n < b->entries; n++) {
		if (append(&g, o, 1) || ((n % 16 == 0 || n + 3 == b->entries) && publish(&g, o)))
			abort();
	}
	log_close(&g);
}

/* The power goes after every single change of the story. */
static void
cut_everywhere(const struct base *b, const char *base, const struct oracle *o)
{
	struct log g;
	struct oracle own;
	const char *dir = fault_path("live");
	oracle_copy(&own, o);
	fault_copy(base, dir);
	struct disk *d = disk_new(dir);
	struct cuts c = { .d = d, .g = &g, .o = &own, .lots = 8 * fault_deep(), .always = true, .every = 1 };
	disk_set_hook(d, after, &c);
	disk_watch(d);
	life++;
	int err = log_open(&g, dir, &own);
	fault_where("%s, power cut", b->name);
	if (!err)
		err = tell(&g, &own, b->story);
	disk_watch(NULL);
	fault_check(err == 0, "the story itself fails: %s", err_name(err));
	log_close(&g);
	disk_free(d);
	oracle_free(&own);
	fault_remove(dir);
}

/*
 * One fault, then the process ends (as the role does), is started again on what
 * the disk shows, goes on, and somewhere there the power goes. False when the
 * story does not reach the fault.
 */
static bool
strike(const struct base *b, const char *base, const struct oracle *o, const struct fault_kind *k, uint64_t at)
{
	struct log g;
	struct oracle own;
	const char *dir = fault_path("live");
	oracle_copy(&own, o);
	fault_copy(base, dir);
	struct disk *d = disk_new(dir);
	struct disk_plan plan = k->plan;
	struct cuts c = { .d = d, .g = &g, .o = &own };
	plan.at = at;
	fault_where("%s, %s number %" PRIu64, b->name, k->name, at);
	disk_set_hook(d, after, &c);
	disk_set_plan(d, &plan);
	disk_watch(d);
	life++;
	int err = log_open(&g, dir, &own);
	if (!err)
		err = tell(&g, &own, b->story);
	log_close(&g);
	bool struck = disk_struck(d);
	if (struck) {
		/* A restart while the fault lasts may fail, and may lose nothing either. */
		if (plan.mode == DISK_FULL && log_open(&g, dir, &own) == 0)
			log_close(&g);
		else if (plan.mode == DISK_FULL)
			log_close(&g);
		disk_set_plan(d, &(struct disk_plan){ 0 });
		c = (struct cuts){ .d = d, .g = &g, .o = &own, .lots = 2, .always = at % 4 == 0, .every = 1 };
		after(&c, DISK_SYNC); /* the power goes at once */
		c.always = false;
		c.every = fault_deep() > 1 ? 1 : 11;
		c.lots = 3;
		c.turn = at;
		life++;
		fault_where("%s, %s number %" PRIu64 ", restart", b->name, k->name, at);
		fault_case();
		if (log_holds(&g, dir, &own)) {
			err = tell(&g, &own, "2p1");
			fault_check(err == 0, "the log does not go on: %s", err_name(err));
		}
		log_close(&g);
		disk_watch(NULL);
		c.every = 0;
		judge(dir, &own, true);
	}
	disk_watch(NULL);
	disk_free(d);
	oracle_free(&own);
	fault_remove(dir);
	return struck;
}

int
main(void)
{
	static const struct base bases[] = {
		{ "first entries", 0, "21p3p" },
		{ "a tile fills", 253, "1p2p2p" },
		{ "a segment fills", 0, "" },
	};
	fault_begin("ledger");
	key = people_log_key();
	merkle = merkle_new();
	struct base all[3];
	memcpy(all, bases, sizeof all);
	/* As many entries as leave the segment (small here, see CMakeLists.txt) with room for few. */
	all[2].entries = WAL_SEGMENT / 200 - 6;
	all[2].story = "44p442p";
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct oracle o = { 0 };
		const char *kept = fault_path("base");
		fault_where("%s", all[i].name);
		make_base(&all[i], kept, &o);
		cut_everywhere(&all[i], kept, &o);
		for (size_t k = 0; k < fault_kinds_n; k++) {
			for (uint64_t at = 1; strike(&all[i], kept, &o, &fault_kinds[k], at); at++)
				;
		}
		fault_remove(kept);
		oracle_free(&o);
	}
	merkle_free(merkle);
	return fault_end();
}
