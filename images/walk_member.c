/* SPDX-License-Identifier: Apache-2.0 */
/* walk_member - one member of a container: hashed, compared, listed, walked. */
#include "images/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/largepage.h"
#include "images/retain.h"
#include "images/walk_internal.h"

#define GROW (1u << 20)  /* a kept member grows by at least this */
#define STEP (256u << 10) /* bytes unpacked at once: they are hashed while they are near */
#define HEAD_ROOM (FORMAT_HEAD + STEP)
#define RATIO_ALARM 200  /* SIGNATURES_DELTAS_DIFF.md section 3.3 ... */
#define RATIO_FROM (16u << 20) /* ... for what has any size: small texts of zeros are no bomb */

/* One member at work. */
struct member {
	struct walk *w;
	const struct walk_member *m;
	struct walk_seen seen;
	char path[CONTENTS_PATH_MAX];
	struct digest *name;     /* SHA-256 of the expanded bytes */
	struct digest *promised; /* in the promised algorithm, of the same bytes */
	uint8_t *kept;           /* packed: the expanded bytes, as long as they may be kept */
	size_t kept_n, kept_cap;
	bool dropped; /* too long to be kept */
	bool asked;   /* the head was looked at: */
	bool passing; /* nothing that is walked begins so: of what follows only the end is kept, ... */
	struct view tail; /* ... these bytes, in the room's chunk */
	bool broken;  /* told already, and not to be listed: its bytes did not come out whole */
	bool walked;
};

static void
make_path(struct member *b)
{
	char name[CONTENTS_PATH_MAX];
	visible_cstr(b->m->name, name, sizeof name);
	if (!b->w->path[0])
		memcpy(b->path, name, sizeof b->path);
	else if ((size_t)snprintf(b->path, sizeof b->path, "%s/%s", b->w->path, name) >=
	         sizeof b->path)
		memcpy(b->path + sizeof b->path - 4, "...", 4);
}

/* A name that an extractor could follow out of its folder, or that no file can have. */
static bool
unsafe(struct view name)
{
	size_t start = 0;
	if (name.n == 0 || name.p[0] == '/' || name.p[0] == '\\')
		return true;
	for (size_t i = 0; i <= name.n; i++) {
		uint8_t c = i < name.n ? name.p[i] : '/';
		if (c < 0x20 || c == 0x7f)
			return true;
		if (c != '/' && c != '\\')
			continue;
		if (i - start == 2 && memcmp(name.p + start, "..", 2) == 0)
			return true;
		start = i + 1;
	}
	return false;
}

static void
drop(struct member *b)
{
	free(b->kept);
	b->kept = NULL;
	b->kept_n = b->kept_cap = 0;
}

/*
 * Room for n bytes and those that may come: at first for a head, where that says whether more is wanted. A size that the
 * container says is taken at its word, within the bound: memory that is never written costs nothing.
 */
static int
grow(struct member *b, size_t n)
{
	bool head = b->m->again && !b->asked, fresh = !b->kept || (b->asked && b->kept_cap <= HEAD_ROOM);
	uint64_t said = b->m->size, most = head ? HEAD_ROOM : WALK_KEEP_MAX - b->w->room->kept;
	size_t cap = b->kept_cap * 2 > n + GROW ? b->kept_cap * 2 : n + GROW;
	if (head)
		cap = HEAD_ROOM;
	if (fresh && said >= n && said <= most)
		cap = (size_t)said;
	uint8_t *more = fresh ? largepage_alloc(cap) : realloc(b->kept, cap);
	if (!more)
		return FG_ENOMEM;
	if (fresh && b->kept) {
		memcpy(more, b->kept, b->kept_n);
		free(b->kept);
	}
	b->kept = more;
	b->kept_cap = cap;
	return 0;
}

/* Something will ask for its bytes. */
static bool
is_wanted(const struct member *b, enum format_id format)
{
	return walk_of(format) || retain_wants(b->w->format, format);
}

/*
 * The head is there, and all of it can come again: the rest is not wanted in memory unless the
 * head is that of something with a walker. That the end may yet make such a thing of it
 * is seen when it is there (recognise()).
 */
static int
may_pass(struct member *b, bool *ret)
{
	struct format_ends e = { .head = view_of(b->kept, b->kept_n),
		.size = b->m->size > b->kept_n && b->m->size <= SOURCE_SIZE_MAX ? b->m->size : SOURCE_SIZE_MAX };
	struct format_result f;
	bool sure = false;
	int err = format_recognise_ends(&e, &f, &sure);
	*ret = !err && sure && !is_wanted(b, f.format);
	return err;
}

/* Keeps bytes for walking; too many of them are only hashed. All of them are counted in seen.size already. */
static int
keep(struct member *b, struct view bytes)
{
	if (b->dropped || b->m->plain)
		return 0;
	if (b->seen.size > WALK_KEEP_MAX || b->w->room->kept + b->seen.size > WALK_KEEP_MAX) {
		drop(b);
		b->dropped = true;
		return 0;
	}
	int err = 0;
	if (b->m->again && b->kept_n >= FORMAT_HEAD && !b->asked) {
		err = may_pass(b, &b->passing);
		b->asked = true;
	}
	if (err || b->passing)
		return err;
	err = b->kept_n + bytes.n > b->kept_cap ? grow(b, b->kept_n + bytes.n) : 0;
	if (err)
		return err;
	memcpy(b->kept + b->kept_n, bytes.p, bytes.n);
	b->kept_n += bytes.n;
	return 0;
}

static int
feed(struct member *b, struct view bytes)
{
	int err = digest_update(b->name, bytes);
	if (!err && b->promised)
		err = digest_update(b->promised, bytes);
	b->seen.size += bytes.n;
	return err;
}

static int
hash_stored(struct member *b, uint8_t *chunk)
{
	uint64_t at = b->m->at.offset, left = b->m->at.length;
	int err = 0;
	while (left > 0 && !err) {
		size_t n = left < SOURCE_CHUNK ? (size_t)left : SOURCE_CHUNK;
		err = source_read(b->w->image, at, chunk, n);
		if (!err)
			err = feed(b, view_of(chunk, n));
		at += n;
		left -= n;
	}
	return err;
}

/* The expanded bytes, through the walker's reader; every bound that is met is told. */
static int
hash_packed(struct member *b, uint8_t *chunk)
{
	struct walk_room *room = b->w->room;
	size_t fill = 0;
	int err = 0;
	for (;;) {
		if (fill > SOURCE_CHUNK - STEP) { /* the last bytes stay */
			memmove(chunk, chunk + fill - FORMAT_TAIL, FORMAT_TAIL);
			fill = FORMAT_TAIL;
		}
		uint8_t *to = chunk + fill;
		long n = b->m->read(b->m->arg, to, STEP);
		if (n == FG_EFORMAT || n == FG_ELIMIT) {
			walk_raise(b->w,
			    n == FG_EFORMAT ? FINDING_FMT_MALFORMED : FINDING_FMT_WALK_LIMIT,
			    &b->m->at.offset, "%s: its packed bytes %s", b->path,
			    n == FG_EFORMAT ? "are damaged" : "were not unpacked to their end");
			b->broken = true;
			return 0;
		}
		if (n <= 0) {
			err = (int)n;
			break;
		}
		if ((uint64_t)n > WALK_EXPANDED_MAX - room->expanded) {
			walk_raise(b->w, FINDING_FMT_WALK_LIMIT, &b->m->at.offset,
			    "%s: more than %" PRIu64 " bytes would have to be unpacked", b->path,
			    WALK_EXPANDED_MAX);
			b->broken = true;
			return 0;
		}
		room->expanded += (uint64_t)n;
		fill += (size_t)n;
		err = feed(b, view_of(to, (size_t)n));
		if (!err)
			err = keep(b, view_of(to, (size_t)n));
		if (err)
			break;
	}
	b->tail = view_of(chunk, fill);
	if (!err && b->m->size != UINT64_MAX && b->seen.size != b->m->size) {
		walk_raise(b->w, FINDING_FMT_MALFORMED, &b->m->at.offset,
		    "%s: %" PRIu64 " bytes come out, the container says %" PRIu64, b->path,
		    b->seen.size, b->m->size);
		b->broken = true;
	}
	if (!err && b->m->at.length > 0 && b->seen.size > RATIO_FROM &&
	    b->seen.size / RATIO_ALARM > b->m->at.length)
		walk_raise(b->w, FINDING_FMT_WALK_LIMIT, &b->m->at.offset,
		    "%s: %" PRIu64 " bytes were packed into %" PRIu64, b->path, b->seen.size,
		    b->m->at.length);
	return err;
}

static int
hash(struct member *b)
{
	/* A promised SHA-256 of the same bytes is the one that names them anyway. */
	bool promised = b->m->alg != DIGEST_NONE && b->m->alg != DIGEST_SHA256 && !b->m->digest_packed;
	struct walk_room *room = b->w->room;
	/* One for all: members may be many and empty. No other member is read before this one is hashed. */
	if (!room->chunk)
		room->chunk = malloc(SOURCE_CHUNK);
	uint8_t *chunk = room->chunk;
	b->name = digest_new(DIGEST_SHA256);
	b->promised = promised ? digest_new(b->m->alg) : NULL;
	int err = chunk && b->name && (b->promised || !promised) ? 0 : FG_ENOMEM;
	if (!err)
		err = b->m->read ? hash_packed(b, chunk) : hash_stored(b, chunk);
	if (!err)
		err = digest_final(b->name, b->seen.sha256);
	return err;
}

/* Only digests that nobody can make collide carry a signature's word further. */
static bool
strong(enum digest_alg alg)
{
	return alg == DIGEST_SHA256 || alg == DIGEST_SHA384 || alg == DIGEST_SHA512;
}

static int
vouch(struct member *b)
{
	const struct walk_member *m = b->m;
	uint8_t sum[DIGEST_LEN_MAX];
	bool verified = walk_verified(b->w, m->by), under = walk_verified(b->w, b->w->under);
	if (m->alg == DIGEST_NONE) {
		b->seen.vouch = under || (m->inside && verified) ? CONTENTS_VOUCH_INSIDE
		                                                 : CONTENTS_VOUCH_NONE;
		return 0;
	}
	struct walk_span span = { .range = { m->at }, .n = 1 };
	int err = 0;
	if (m->digest_packed)
		err = walk_digest(b->w, &span, m->alg, sum);
	else if (b->promised)
		err = digest_final(b->promised, sum);
	else
		memcpy(sum, b->seen.sha256, sizeof b->seen.sha256);
	if (err)
		return err;
	if (memcmp(sum, m->digest, digest_len(m->alg)) != 0) {
		b->seen.vouch = CONTENTS_VOUCH_MISMATCH;
		walk_raise(b->w, FINDING_MEMBER_DIGEST, &m->at.offset,
		    "%s: its %s is not the one that the container gives", b->path,
		    digest_name(m->alg));
		return 0;
	}
	b->seen.vouch = verified && strong(m->alg) ? CONTENTS_VOUCH_DIGEST
	                : under                    ? CONTENTS_VOUCH_INSIDE
	                                           : CONTENTS_VOUCH_CHECKED;
	if (b->seen.vouch != CONTENTS_VOUCH_DIGEST)
		return 0;
	/* T20: of what comes out of it a packed form is one spelling of many, and not itself what was signed. */
	if (m->read && !m->digest_packed)
		walk_structure(b->w, m->at.offset, m->at.length);
	else
		walk_covers(b->w, m->by, m->at.offset, m->at.length);
	return 0;
}

/* Who stands behind all bytes of the member, and so behind what is found in it. */
static struct walk_signed
behind(const struct member *b)
{
	bool vouched = b->seen.vouch == CONTENTS_VOUCH_INSIDE || b->seen.vouch == CONTENTS_VOUCH_DIGEST;
	return vouched && walk_verified(b->w, b->m->by) ? b->m->by : b->w->under;
}

static int
descend(struct member *b, const struct source *s)
{
	struct walk *w = b->w;
	struct walk inner = { .room = w->room,
		.image = s,
		.format = b->seen.format,
		.placed = w->placed && !b->m->read,
		.base = w->base + b->m->at.offset,
		.depth = w->depth + 1,
		.under = behind(b) };
	walk_fn *fn = walk_of(b->seen.format);
	memcpy(inner.path, b->path, sizeof inner.path);
	if (!fn && format_kind(b->seen.format) == FORMAT_KIND_CONTAINER)
		walk_raise(w, FINDING_FMT_NOT_WALKED, &b->m->at.offset, "%s: format %s", b->path,
		    format_name(b->seen.format));
	if (format_kind(b->seen.format) == FORMAT_KIND_DELTA)
		walk_raise(w, FINDING_FMT_DELTA, &b->m->at.offset, "%s: format %s", b->path,
		    format_name(b->seen.format));
	int err = retain_tell(&inner, w->format, b->m->name);
	if (err || !fn)
		return err;
	if (inner.depth >= WALK_DEPTH_MAX) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, &b->m->at.offset,
		    "%s: containers are opened %u deep", b->path, WALK_DEPTH_MAX);
		return 0;
	}
	w->room->kept += b->kept_n;
	err = fn(&inner);
	w->room->kept -= b->kept_n;
	b->walked = !err;
	return err;
}

/* All of it is wanted after all: it comes once more, into memory. *ret_there: it did. */
static int
bring_back(struct member *b, bool *ret_there)
{
	struct walk_room *room = b->w->room;
	size_t size = (size_t)b->seen.size; /* at most WALK_KEEP_MAX, or it would have been dropped */
	*ret_there = false;
	if (size > WALK_EXPANDED_MAX - room->expanded) {
		walk_raise(b->w, FINDING_FMT_WALK_LIMIT, &b->m->at.offset,
		    "%s: more than %" PRIu64 " bytes would have to be unpacked", b->path, WALK_EXPANDED_MAX);
		return 0;
	}
	drop(b);
	b->kept = largepage_alloc(size);
	int err = b->kept ? b->m->again(b->m->arg) : FG_ENOMEM;
	room->expanded += size;
	for (;;) {
		uint8_t more;
		bool full = b->kept_n == size;
		long n = err ? err : b->m->read(b->m->arg, full ? &more : b->kept + b->kept_n, full ? 1 : size - b->kept_n);
		if (n == FG_ELIMIT) {
			walk_raise(b->w, FINDING_FMT_WALK_LIMIT, &b->m->at.offset,
			    "%s: its packed bytes were not unpacked to their end", b->path);
			return 0;
		}
		if (n <= 0 || full) {
			*ret_there = n == 0 && full;
			return n < 0 && n != FG_EFORMAT ? (int)n : *ret_there ? 0 : FG_EIO; /* others than before */
		}
		b->kept_n += (size_t)n;
	}
}

/* What it is, and its bytes where these are needed to go on; *ret_there is false when they are not to be had, told. */
static int
recognise(struct member *b, struct source *ret, struct format_result *f, bool *ret_there)
{
	const struct format_ends e = { view_of(b->kept, b->kept_n), b->tail, b->seen.size };
	bool sure = false;
	int err = 0;
	*ret_there = true;
	if (!b->m->read) {
		err = source_window(b->w->image, b->m->at.offset, b->m->at.length, ret);
		return err ? err : format_recognise(ret, f);
	}
	if (b->passing) {
		source_memory(ret, view_of(NULL, 0));
		err = format_recognise_ends(&e, f, &sure);
		if (err || (sure && !is_wanted(b, f->format))) /* nobody will ask for a byte of it */
			return err;
		err = bring_back(b, ret_there);
		if (err || !*ret_there)
			return err;
	}
	source_memory(ret, view_of(b->kept, b->kept_n));
	return format_recognise(ret, f);
}

static int
look_inside(struct member *b)
{
	struct format_result f;
	struct source s;
	bool there;
	b->seen.format = FORMAT_RAW;
	if (b->dropped) {
		walk_raise(b->w, FINDING_FMT_WALK_LIMIT, &b->m->at.offset,
		    "%s: unpacked, it is longer than the 256 MiB that are looked into", b->path);
		return 0;
	}
	if (b->m->plain)
		return 0;
	int err = recognise(b, &s, &f, &there);
	if (err || !there)
		return err;
	b->seen.format = f.format;
	return descend(b, &s);
}

/* Takes the member's line before those of its own members, and fills it when it is known whole. */
static int
list(struct member *b)
{
	struct contents *c = &b->w->room->r->contents;
	struct contents_member *line = NULL;
	c->members_total++;
	if (c->members_n < CONTENTS_MEMBERS_MAX)
		line = &c->member[c->members_n++];
	int err = look_inside(b);
	if (!line || err)
		return err;
	*line = (struct contents_member){ .format = b->seen.format,
		.size = b->seen.size,
		.have_offset = b->w->placed && !b->m->read,
		.vouch = b->seen.vouch,
		.runs = b->m->runs,
		.walked = b->walked };
	line->offset = line->have_offset ? b->w->base + b->m->at.offset : 0;
	memcpy(line->path, b->path, sizeof line->path);
	memcpy(line->sha256, b->seen.sha256, sizeof line->sha256);
	return 0;
}

/* Not those judged further in; a path that was cut short names more than one member. */
static bool
own_verified(const struct member *b, unsigned mark)
{
	const struct sig_set *set = &b->w->room->r->signatures;
	if (strlen(b->path) + 1 >= sizeof b->path)
		return false;
	for (unsigned i = mark; i < set->n; i++)
		if (set->result[i].outcome == SIG_VERIFIED && strcmp(set->result[i].where, b->path) == 0)
			return true;
	return false;
}

int
walk_member(struct walk *w, const struct walk_member *m, struct walk_seen *ret)
{
	unsigned mark = walk_mark(w);
	struct member b = { .w = w, .m = m };
	if (m->at.offset > w->image->size || m->at.length > w->image->size - m->at.offset)
		abort(); /* the walker checks what it was told before it passes it on */
	make_path(&b);
	if (++w->room->members > WALK_MEMBERS_MAX) {
		if (w->room->members == WALK_MEMBERS_MAX + 1)
			walk_raise(w, FINDING_FMT_WALK_LIMIT, &m->at.offset,
			    "%s and what follows: more than %u members", b.path, WALK_MEMBERS_MAX);
		if (ret)
			*ret = (struct walk_seen){ .format = FORMAT_RAW };
		return 0;
	}
	if (unsafe(m->name))
		walk_raise(w, FINDING_MEMBER_UNSAFE_NAME, &m->at.offset, "%s", b.path);
	int err = hash(&b);
	if (!err && !b.broken)
		err = vouch(&b);
	if (!err && !b.broken)
		err = list(&b);
	b.seen.verified = !err && own_verified(&b, mark);
	if (!err && m->runs)
		walk_raise(w, FINDING_MEMBER_RUNS, &m->at.offset, "%s", b.path);
	digest_free(b.name);
	digest_free(b.promised);
	free(b.kept);
	if (!err && ret)
		*ret = b.seen;
	return err;
}

int
walk_follower(struct walk *w, unsigned n, struct sig_range at)
{
	char name[32];
	struct walk_seen seen;
	snprintf(name, sizeof name, "image-%u", n);
	const struct walk_member m = { .name = view_str(name), .at = at };
	int err = walk_member(w, &m, &seen);
	if (!err && (seen.format != w->format || !seen.verified))
		walk_raise(w, FINDING_FMT_TRAILING_BYTES, &at.offset,
		    "another image follows, under no verified signature of its own");
	return err;
}
