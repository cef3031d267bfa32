/* SPDX-License-Identifier: Apache-2.0 */
#include "images/cab.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/openpgp.h"
#include "crypto/visible.h"
#include "images/cab_internal.h"
#include "images/jcat.h"
#include "images/metainfo.h"

#define SMALL_MAX 64 /* files that are read beforehand: Jcat file, metadata, signatures */
#define SHOWN_MAX 80
#define JCAT_NAME "firmware.jcat"

enum { ATTR_EXEC = 0x40, ATTR_PLAIN = 0xa0 /* archive, name in UTF-8 */ };

enum small_kind { SMALL_NONE = 0, SMALL_JCAT, SMALL_METAINFO, SMALL_GPG, SMALL_PKCS7 };

/* A file that says something about the others. */
struct small {
	enum small_kind kind;
	unsigned file;
	uint8_t *bytes;
	bool good; /* a Jcat file or a signature, all of which came to something */
	struct walk_signed by; /* of metadata: judged already */
};

struct archive {
	struct cab cab;
	struct walk *w;
	struct small small[SMALL_MAX];
	unsigned small_n;
	struct jcat *jcat;
	struct metainfo said; /* digests, by the metadata */
	struct walk_signed *by; /* of each file, what stands behind it */
	bool seen[JCAT_ITEMS_MAX];
};

static const char *
shown(struct view v, char dst[SHOWN_MAX])
{
	visible_cstr(v, dst, SHOWN_MAX);
	return dst;
}

static bool
ends(struct view v, const char *with)
{
	size_t n = strlen(with);
	return v.n > n && memcmp(v.p + v.n - n, with, n) == 0;
}

static enum small_kind
kind_of(struct view name)
{
	return ends(name, ".jcat")                                     ? SMALL_JCAT
	       : ends(name, ".metainfo.xml") || ends(name, ".appdata.xml") ? SMALL_METAINFO
	       : ends(name, ".asc")                                    ? SMALL_GPG
	       : ends(name, ".p7b") || ends(name, ".p7c")              ? SMALL_PKCS7
	                                                               : SMALL_NONE;
}

static size_t
small_max(enum small_kind kind)
{
	return kind == SMALL_METAINFO ? METAINFO_TEXT_MAX : kind == SMALL_JCAT ? JCAT_PACKED_MAX : OPENPGP_FILE_MAX;
}

static struct view
small_view(const struct archive *a, const struct small *s)
{
	return view_of(s->bytes, a->cab.file[s->file].size);
}

/* ---- reading files ---- */

/* Up to where a file begins; its folder's files before it are unpacked for that. */
static int
seek(struct cab_stream *s, uint64_t to)
{
	uint8_t skipped[4096];
	while (s->at < to) {
		uint64_t left = to - s->at;
		long n = cab_stream_read(s, skipped, left < sizeof skipped ? (size_t)left : sizeof skipped);
		if (n <= 0)
			return n ? (int)n : FG_EFORMAT;
	}
	return 0;
}

/* The file at which s stands, whole: *ret is malloc'ed. */
static int
load(struct cab_stream *s, const struct cab_file *f, uint8_t **ret)
{
	uint8_t *bytes = malloc(f->size ? f->size : 1);
	size_t n = 0;
	int err = bytes ? 0 : FG_ENOMEM;
	while (!err && n < f->size) {
		long got = cab_stream_read(s, bytes + n, f->size - n);
		if (got <= 0)
			err = got ? (int)got : FG_EFORMAT;
		n += got > 0 ? (size_t)got : 0;
	}
	if (err)
		free(bytes);
	else
		*ret = bytes;
	return err;
}

static int
keep_small(struct archive *a, unsigned i, struct cab_stream *s)
{
	const struct cab_file *f = &a->cab.file[i];
	enum small_kind kind = kind_of(f->name);
	char text[SHOWN_MAX];
	if (kind == SMALL_NONE)
		return 0;
	if (f->size > small_max(kind) || a->small_n == SMALL_MAX) {
		walk_raise(a->w, FINDING_FMT_WALK_LIMIT, NULL, "%s: larger than such a file is read, or one of too many",
		    shown(f->name, text));
		return 0;
	}
	struct small *small = &a->small[a->small_n];
	*small = (struct small){ .kind = kind, .file = i };
	int err = seek(s, f->start);
	if (!err)
		err = load(s, f, &small->bytes);
	a->small_n += !err;
	return err;
}

/* What the files say about each other is read first; a damaged block is told when members are gone over. */
static int
read_small(struct archive *a)
{
	unsigned i = 0;
	int err = 0;
	for (unsigned k = 0; k < a->cab.folders && !err; k++) {
		struct cab_stream *s = cab_stream_new(&a->cab, &a->cab.folder[k]);
		err = s ? 0 : FG_ENOMEM;
		for (; i < a->cab.files && a->cab.file[i].folder == k; i++)
			if (!err)
				err = keep_small(a, i, s);
		cab_stream_free(s);
		err = err == FG_EFORMAT ? 0 : err;
	}
	return err;
}

static int
open_jcat(struct archive *a)
{
	char text[SHOWN_MAX];
	const char *why = "";
	for (unsigned i = 0; i < a->small_n; i++) {
		struct small *s = &a->small[i];
		if (s->kind != SMALL_JCAT)
			continue;
		/* Nobody's word binds its name, so it may have but one. */
		if (!view_is(a->cab.file[s->file].name, JCAT_NAME))
			walk_raise(a->w, FINDING_FMT_UNKNOWN_PART, NULL, "%s: a Jcat file of another name than " JCAT_NAME,
			    shown(a->cab.file[s->file].name, text));
		if (a->jcat) {
			walk_raise(a->w, FINDING_FMT_CONFLICT, NULL, "a second Jcat file: %s is not looked at",
			    shown(a->cab.file[s->file].name, text));
			continue;
		}
		int err = jcat_read(small_view(a, s), &a->jcat, &why);
		if (err && err != FG_EFORMAT)
			return err;
		if (err)
			walk_raise(a->w, FINDING_FMT_MALFORMED, NULL, "%s: %s", shown(a->cab.file[s->file].name, text), why);
		else if (!jcat_is_plain(a->jcat))
			walk_raise(a->w, FINDING_FMT_UNKNOWN_PART, NULL, "%s: it says more than is read",
			    shown(a->cab.file[s->file].name, text));
		s->good = !err && jcat_is_plain(a->jcat);
	}
	return 0;
}

/* ---- judging ---- */

/* Signatures beside a file, as fwupd took them before there were Jcat files. */
static int
judge_beside(struct archive *a, const struct cab_file *f, const struct source *bytes, struct walk_signed *by)
{
	unsigned mark = walk_mark(a->w);
	int err = 0;
	for (unsigned i = 0; i < a->small_n && !err; i++) {
		struct small *s = &a->small[i];
		struct view name = a->cab.file[s->file].name;
		struct walk_signed one = { 0 };
		if ((s->kind != SMALL_GPG && s->kind != SMALL_PKCS7) || name.n != f->name.n + 4 ||
		    memcmp(name.p, f->name.p, f->name.n) != 0)
			continue;
		err = jcat_judge_beside(a->w, s->kind == SMALL_GPG ? JCAT_GPG : JCAT_PKCS7, small_view(a, s),
		    f->name, bytes, &one);
		/* A stranger's in it is that stranger's to choose. */
		s->good = !err && walk_all_verified(a->w, one);
	}
	*by = walk_since(a->w, mark);
	return err;
}

/* What the signatures come to that are over a file's own bytes. */
static int
judge(struct archive *a, const struct cab_file *f, struct view bytes, struct walk_signed *by)
{
	struct jcat_verdict v = { 0 };
	struct source file;
	size_t item;
	char text[SHOWN_MAX];
	*by = (struct walk_signed){ 0 };
	source_memory(&file, bytes);
	if (!a->jcat || !jcat_find(a->jcat, f->name, &item))
		return judge_beside(a, f, &file, by);
	a->seen[item] = true;
	int err = jcat_judge(a->w, a->jcat, item, &file, &v);
	if (err)
		return err;
	if (v.checked)
		*by = v.by;
	else /* told already, if one did not fit */
		walk_raise(a->w, FINDING_MEMBER_NO_DIGEST, NULL,
		    "%s: its item in the Jcat file has no checksum that fits, without which fwupd takes no signature",
		    shown(f->name, text));
	if (!v.complete)
		for (unsigned i = 0; i < a->small_n; i++)
			if (a->small[i].kind == SMALL_JCAT)
				a->small[i].good = false; /* bytes that nothing was made of */
	return 0;
}

/* The digests that the metadata gives for a file; *ret_by: who promised one that fits. */
static int
compare(struct archive *a, const struct cab_file *f, struct view bytes, struct walk_signed *ret_by)
{
	char text[SHOWN_MAX];
	for (unsigned i = 0; i < a->said.n; i++) {
		const struct metainfo_file *m = &a->said.file[i];
		uint8_t sum[DIGEST_LEN_MAX];
		if (!view_equal(m->name, f->name))
			continue;
		int err = digest_bytes(m->alg, bytes, sum);
		if (err)
			return err;
		if (memcmp(sum, m->digest, digest_len(m->alg)) != 0)
			walk_raise(a->w, FINDING_MEMBER_DIGEST, NULL, "%s: its %s is not the one in the metadata",
			    shown(f->name, text), digest_name(m->alg));
		else if (digest_is_strong(m->alg) && walk_verified(a->w, m->by))
			*ret_by = m->by;
	}
	return 0;
}

struct in_memory {
	struct view rest;
};

static long
read_memory(void *arg, void *buf, size_t n)
{
	struct in_memory *m = arg;
	size_t take = n < m->rest.n ? n : m->rest.n;
	if (take)
		memcpy(buf, m->rest.p, take);
	m->rest = view_of(m->rest.p + take, m->rest.n - take);
	return (long)take;
}

/* Lists and walks it; vouched for by the signatures over its bytes, whose digest stands for them. */
static int
list(struct archive *a, const struct cab_file *f, struct view bytes, struct walk_signed by, struct walk_seen *seen)
{
	struct in_memory m = { bytes };
	struct walk_member member = { .name = f->name, .read = read_memory, .arg = &m, .size = f->size, .by = by,
		.runs = (f->attributes & ATTR_EXEC) != 0, .plain = kind_of(f->name) != SMALL_NONE };
	int err = 0;
	if (walk_verified(a->w, by)) {
		member.alg = DIGEST_SHA256;
		err = digest_sha256(bytes, member.digest);
	}
	return err ? err : walk_member(a->w, &member, seen);
}

static struct small *
small_of(struct archive *a, unsigned file)
{
	for (unsigned i = 0; i < a->small_n; i++)
		if (a->small[i].file == file)
			return &a->small[i];
	return NULL;
}

/* One file whose bytes are at hand; *ret_vouched: every byte of it is somebody's word, or carries words. */
static int
one_file(struct archive *a, unsigned i, struct view bytes, bool *ret_vouched)
{
	const struct cab_file *f = &a->cab.file[i];
	const struct small *small = small_of(a, i);
	bool carrier = small && small->kind != SMALL_METAINFO;
	struct walk_signed by = { 0 }, promised = { 0 };
	struct walk_seen seen = { .vouch = CONTENTS_VOUCH_NONE };
	char text[SHOWN_MAX];
	if (f->attributes & ~(unsigned)(ATTR_PLAIN | ATTR_EXEC))
		walk_raise(a->w, FINDING_FMT_UNKNOWN_PART, NULL, "%s: attributes 0x%x", shown(f->name, text), f->attributes);
	int err = 0;
	if (small && small->kind == SMALL_METAINFO)
		by = small->by;
	else
		err = judge(a, f, bytes, &by);
	if (!err)
		err = compare(a, f, bytes, &promised);
	a->by[i] = walk_verified(a->w, by) ? by : promised;
	if (!err)
		err = list(a, f, bytes, a->by[i], &seen);
	if (err)
		return err;
	bool vouched = seen.vouch == CONTENTS_VOUCH_DIGEST || seen.vouch == CONTENTS_VOUCH_INSIDE;
	if (!vouched && !carrier && a->jcat)
		walk_raise(a->w, FINDING_MEMBER_UNLISTED, NULL, "%s: no signature that counts is over it", shown(f->name, text));
	*ret_vouched = vouched || carrier;
	return 0;
}

/* Metadata first: what it promises about other files counts when it is signed itself. */
static int
read_metadata(struct archive *a)
{
	int err = 0;
	for (unsigned i = 0; i < a->small_n && !err; i++) {
		struct small *s = &a->small[i];
		if (s->kind != SMALL_METAINFO)
			continue;
		err = judge(a, &a->cab.file[s->file], small_view(a, s), &s->by);
		if (!err)
			metainfo_read(a->w, small_view(a, s), s->by, &a->said);
	}
	return err;
}

static int
too_long(struct archive *a, const struct cab_file *f)
{
	char text[SHOWN_MAX];
	walk_raise(a->w, FINDING_FMT_WALK_LIMIT, NULL, "%s: longer than the 128 MiB that are judged", shown(f->name, text));
	return 0;
}

static int
one_folder(struct archive *a, unsigned k, unsigned *next)
{
	struct cab_folder *f = &a->cab.folder[k];
	struct cab_stream *s = cab_stream_new(&a->cab, f);
	int err = s ? 0 : FG_ENOMEM;
	f->whole = true;
	for (; *next < a->cab.files && a->cab.file[*next].folder == k && !err; ++*next) {
		const struct cab_file *file = &a->cab.file[*next];
		uint8_t *bytes = NULL;
		bool vouched = false;
		if (file->size > CAB_JUDGED_MAX) {
			err = too_long(a, file);
		} else {
			err = seek(s, file->start);
			if (!err)
				err = load(s, file, &bytes);
			if (!err)
				err = one_file(a, *next, view_of(bytes, file->size), &vouched);
			free(bytes);
		}
		f->whole &= vouched;
	}
	cab_stream_free(s);
	if (err == FG_EFORMAT) {
		walk_raise(a->w, FINDING_FMT_INTEGRITY, &f->start,
		    "cabinet: a block of folder %u is damaged or does not fit its checksum: what follows is not looked at", k);
		f->whole = false;
		while (*next < a->cab.files && a->cab.file[*next].folder == k)
			++*next;
		err = 0;
	}
	return err;
}

/* ---- the whole ---- */

static int
by_name(const void *a, const void *b)
{
	const struct view *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n ? memcmp(x->p, y->p, n) : 0;
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

static int
duplicates(struct archive *a)
{
	char text[SHOWN_MAX];
	struct view *name = malloc(a->cab.files * sizeof *name);
	if (!name)
		return FG_ENOMEM;
	for (unsigned i = 0; i < a->cab.files; i++)
		name[i] = a->cab.file[i].name;
	qsort(name, a->cab.files, sizeof *name, by_name);
	for (unsigned i = 1; i < a->cab.files; i++)
		if (view_equal(name[i - 1], name[i]))
			walk_raise(a->w, FINDING_FMT_DUPLICATE, NULL, "%s: there twice", shown(name[i], text));
	free(name);
	return 0;
}

/*
 * The packed form is structure where every file of the folder is vouched for and
 * all that carries signatures came to something (T20); the head, where that
 * holds of all folders, because its names are then all accounted for.
 */
static void
account(struct archive *a)
{
	bool all = true;
	char text[SHOWN_MAX];
	for (size_t i = 0; a->jcat && i < jcat_items(a->jcat); i++)
		if (!a->seen[i]) {
			walk_raise(a->w, FINDING_MEMBER_MISSING, NULL, "%s: in the Jcat file, and not in the archive",
			    shown(jcat_id(a->jcat, i), text));
			all = false;
		}
	for (unsigned i = 0; i < a->small_n; i++) {
		const struct small *s = &a->small[i];
		if (s->kind != SMALL_METAINFO && !(s->good && all))
			a->cab.folder[a->cab.file[s->file].folder].whole = false;
	}
	for (unsigned k = 0; k < a->cab.folders; k++) {
		const struct cab_folder *f = &a->cab.folder[k];
		all &= f->whole;
		if (f->whole)
			walk_structure(a->w, f->start, f->end - f->start);
	}
	if (!all)
		return;
	walk_structure(a->w, 0, a->cab.head_n);
	/* With nothing else in it, who signs all members signs the archive, by way of their packed form. */
	struct sig_range packed = { a->cab.head_n, a->cab.folder[a->cab.folders - 1].end - a->cab.head_n };
	unsigned n = 0;
	for (unsigned i = 0; i < a->cab.files; i++) {
		const struct small *s = small_of(a, i);
		if (!s || s->kind == SMALL_METAINFO)
			a->by[n++] = a->by[i];
	}
	walk_adopt(a->w, a->by, n, packed);
}

/* Files of this and other cabinets of the inspection, unpacked twice at most each. */
static bool
affordable(struct archive *a)
{
	uint64_t *work = walk_work(a->w);
	for (unsigned k = 0; k < a->cab.folders; k++)
		*work += a->cab.folder[k].size;
	if (*work <= WALK_EXPANDED_MAX)
		return true;
	walk_raise(a->w, FINDING_FMT_WALK_LIMIT, NULL, "cabinet: more than 2 GiB would come out");
	return false;
}

static int
members(struct archive *a)
{
	unsigned next = 0;
	if (!affordable(a))
		return 0;
	a->by = calloc(a->cab.files, sizeof *a->by);
	if (!a->by)
		return FG_ENOMEM;
	int err = duplicates(a);
	if (!err)
		err = read_small(a);
	if (!err)
		err = open_jcat(a);
	if (!err)
		err = read_metadata(a);
	for (unsigned k = 0; k < a->cab.folders && !err; k++)
		err = one_folder(a, k, &next);
	if (!err)
		account(a);
	return err;
}

int
cab_walk(struct walk *w)
{
	bool ok = false;
	struct archive *a = calloc(1, sizeof *a);
	if (!a)
		return FG_ENOMEM;
	a->w = a->cab.w = w;
	a->cab.image = w->image;
	int err = cab_layout_read(&a->cab, &ok);
	if (!err && ok)
		err = members(a);
	for (unsigned i = 0; i < a->small_n; i++)
		free(a->small[i].bytes);
	free(a->by);
	jcat_free(a->jcat);
	cab_layout_free(&a->cab);
	free(a);
	return err;
}
