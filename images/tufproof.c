/* SPDX-License-Identifier: Apache-2.0 */
#include "images/tufproof.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/tar.h"
#include "images/tufrepo.h"

#define DIRECTOR "director"
#define MAGIC_AT 257 /* of a tar's first header */
#define SIGNERS_MAX 4 /* keys of one role that are listed one by one; thresholds in use are 1 to 3 */

/* What came out of the bundle. */
struct bundle {
	unsigned n;
	struct tufrepo_file file[TUFPROOF_FILES_MAX]; /* names and bytes are malloc'ed */
	bool whole;
};

/* One repository on its way through judging. */
struct side {
	const char *scheme;  /* of its signatures, and where its claims are said */
	const char *folder;  /* "" anywhere in the bundle */
	bool director;
	struct tufrepo_ask ask;
	struct tufrepo_file *file; /* as the repository sees them: a copy of the list, names without the folder */
	char anchor[TRUST_NAME_MAX];
	struct tufrepo *repo; /* of the anchor that led furthest; NULL: none was there */
	struct tufrepo_fault fault;
	struct tufrepo_entry entry;
	char path[TUFREPO_PATH_MAX];
};

struct judging {
	const struct tufproof_job *job;
	struct report *r;
	struct walk *w;
	struct bundle *bundle;
	struct side side[2];
	unsigned sides;
};

bool
tufproof_recognise(struct view head)
{
	return head.n > MAGIC_AT + 5 && memcmp(head.p + MAGIC_AT, "ustar", 5) == 0;
}

static bool
is_director(const struct trust_root *root)
{
	return strncmp(root->name, DIRECTOR, sizeof DIRECTOR - 1) == 0;
}

bool
tufproof_has_director(const struct trust *t)
{
	for (size_t i = 0; i < trust_roots(t); i++)
		if (is_director(trust_root_at(t, i)))
			return true;
	return false;
}

static void
fail(struct side *s, enum sig_outcome outcome, enum finding_id finding, const char *text)
{
	s->fault = (struct tufrepo_fault){ .outcome = outcome, .finding = finding };
	snprintf(s->fault.text, sizeof s->fault.text, "%s", text);
}

/* ---- the bundle ---- */

static bool
ends(struct view name, const char *tail)
{
	size_t n = strlen(tail);
	return name.n >= n && memcmp(name.p + name.n - n, tail, n) == 0;
}

/* "./a" is "a". */
static struct view
plain(struct view name)
{
	while (name.n > 2 && name.p[0] == '.' && name.p[1] == '/')
		name = view_of(name.p + 2, name.n - 2);
	return name;
}

static int
keep(struct tar *t, const struct tar_member *m, void *arg)
{
	struct bundle *b = arg;
	struct view name = plain(m->name);
	if (m->type != TAR_REGULAR || !ends(name, ".json"))
		return 0;
	if (b->n == TUFPROOF_FILES_MAX || m->size > TUFMETA_TARGETS_MAX) {
		walk_raise(t->w, FINDING_FMT_WALK_LIMIT, NULL,
		    "more than %d metadata files, or one of more than 4 MiB: not looked at", TUFPROOF_FILES_MAX);
		return 0;
	}
	uint8_t *copy = malloc(name.n), *bytes = malloc(m->size ? (size_t)m->size : 1);
	size_t got = 0;
	long k = copy && bytes ? 1 : FG_ENOMEM;
	while (k > 0 && got < m->size) {
		k = tar_read(t, bytes + got, (size_t)m->size - got);
		got += k > 0 ? (size_t)k : 0;
	}
	if (k < 0 || got < m->size) {
		free(copy);
		free(bytes);
		return k < 0 ? (int)k : FG_EFORMAT;
	}
	memcpy(copy, name.p, name.n);
	b->file[b->n++] = (struct tufrepo_file){ view_of(copy, name.n), view_of(bytes, (size_t)m->size) };
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct view *x = &((const struct tufrepo_file *)a)->name;
	const struct view *y = &((const struct tufrepo_file *)b)->name;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n ? memcmp(x->p, y->p, n) : 0;
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

static int
unpack(struct walk *w, struct bundle *b)
{
	struct tar t = { .w = w, .stored = true, .size = w->image->size };
	if (w->image->size > TUFPROOF_BUNDLE_MAX) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, NULL, "longer than 8 MiB");
		return 0;
	}
	int err = tar_members(&t, keep, b, &b->whole);
	if (b->n > 1)
		qsort(b->file, b->n, sizeof b->file[0], by_name);
	for (unsigned i = 1; i < b->n; i++)
		b->whole &= !view_equal(b->file[i - 1].name, b->file[i].name);
	return err;
}

static void
drop(struct bundle *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		free((void *)(uintptr_t)b->file[i].name.p);
		free((void *)(uintptr_t)b->file[i].bytes.p);
	}
	free(b);
}

static bool
begins(struct view name, struct view head)
{
	return name.n >= head.n && (head.n == 0 || memcmp(name.p, head.p, head.n) == 0);
}

/* The one folder below s->folder that holds a timestamp.json: its files, without the folder in their names. */
static int
choose_files(struct side *s, const struct bundle *b)
{
	static const char last[] = "timestamp.json";
	struct view folder = view_str(s->folder), base = folder;
	unsigned folders = 0;
	for (unsigned i = 0; i < b->n; i++) {
		struct view name = b->file[i].name;
		size_t n = name.n - (ends(name, last) ? sizeof last - 1 : 0);
		if (n == name.n || !begins(name, folder) || (n > 0 && name.p[n - 1] != '/'))
			continue;
		base = view_of(name.p, n);
		folders++;
	}
	if (folders > 1)
		fail(s, SIG_INVALID, FINDING_FMT_DUPLICATE, "more than one folder with a timestamp.json is there");
	s->file = calloc(b->n ? b->n : 1, sizeof *s->file);
	if (!s->file)
		return FG_ENOMEM;
	for (unsigned i = 0; i < b->n; i++) {
		struct view name = b->file[i].name;
		if (begins(name, base))
			s->file[s->ask.n++] = (struct tufrepo_file){ view_of(name.p + base.n, name.n - base.n),
				b->file[i].bytes };
	}
	s->ask.file = s->file;
	return 0;
}

/* ---- one repository ---- */

/* Takes it over when it came further than the one before. */
static void
prefer(struct side *s, struct tufrepo *repo, const struct trust_root *root)
{
	bool sound = tufrepo_fault(repo)->outcome == SIG_UNKNOWN;
	bool was_sound = s->repo && tufrepo_fault(s->repo)->outcome == SIG_UNKNOWN;
	if (s->repo && (was_sound || (!sound && tufrepo_progress(repo) <= tufrepo_progress(s->repo)))) {
		tufrepo_free(repo);
		return;
	}
	tufrepo_free(s->repo);
	s->repo = repo;
	s->fault = *tufrepo_fault(repo);
	snprintf(s->anchor, sizeof s->anchor, "%s", root->name);
}

/* Opens it from whichever pinned root leads to its present one. */
static int
open_side(struct judging *j, struct side *s)
{
	const struct tufproof_job *job = j->job;
	int err = choose_files(s, j->bundle);
	if (err || s->fault.outcome != SIG_UNKNOWN)
		return err;
	s->ask.uptane = job->uptane;
	s->ask.director = s->director;
	s->ask.rsa_bits_min = job->policy->rsa_bits_min;
	s->ask.at = job->at;
	s->ask.size = job->size;
	memcpy(s->ask.sha256, job->sha256, sizeof s->ask.sha256);
	memcpy(s->ask.sha512, job->sha512, sizeof s->ask.sha512);
	for (size_t i = 0; i < trust_roots(job->trust) && !err; i++) {
		const struct trust_root *root = trust_root_at(job->trust, i);
		struct tufrepo *repo = NULL;
		if (is_director(root) != s->director)
			continue;
		s->ask.anchor = root->meta;
		err = tufrepo_open(&s->ask, &repo);
		if (!err)
			prefer(s, repo, root);
	}
	if (!err && !s->repo)
		fail(s, SIG_UNTRUSTED, FINDING_LIMIT,
		    s->director ? "the trust set holds no root metadata whose name begins with \"director\""
		                : "the trust set holds no root metadata of a repository");
	return err;
}

/* Follows path; the entry is the image's, or the fault says why not. */
static int
follow(struct side *s, const char *path)
{
	int err = tufrepo_resolve(s->repo, path, &s->entry);
	if (err)
		return err;
	s->fault = *tufrepo_fault(s->repo);
	snprintf(s->path, sizeof s->path, "%s", path);
	return 0;
}

static bool
proven(const struct side *s)
{
	return s->fault.outcome == SIG_UNKNOWN && s->entry.found && s->entry.fits;
}

/* The first name of the image that a client would be led to. */
static int
prove(struct side *s, struct tufrepo_paths *paths)
{
	int err = tufrepo_search(s->repo, paths);
	s->fault = *tufrepo_fault(s->repo);
	for (unsigned i = 0; i < paths->n && !err; i++) {
		err = follow(s, paths->at[i]);
		if (!err && proven(s))
			return 0;
		if (!err && s->fault.outcome == SIG_UNKNOWN)
			fail(s, SIG_INVALID, FINDING_FMT_CONFLICT,
			    "the role that a client is led to lists another image under that name");
	}
	return err;
}

/* ---- two repositories ---- */

/* A director's hardware ids are among those that the image repository has the image for. */
static bool
hardware_agrees(const struct tufrepo_names *wanted, const struct tufrepo_names *made_for)
{
	for (unsigned i = 0; i < wanted->n && made_for->n > 0; i++) {
		unsigned k = 0;
		while (k < made_for->n && strcmp(wanted->at[i], made_for->at[k]) != 0)
			k++;
		if (k == made_for->n)
			return false;
	}
	return true;
}

/* The director may order the image for more ECUs, under other names: they are told with those of this one. */
static int
gather_ecus(struct side *director, const struct tufrepo_paths *paths)
{
	struct tufrepo_entry *other = malloc(sizeof *other);
	struct tufrepo_names *all = &director->entry.ecu;
	int err = other ? 0 : FG_ENOMEM;
	for (unsigned i = 0; i < paths->n && !err; i++) {
		if (strcmp(paths->at[i], director->path) == 0)
			continue;
		err = tufrepo_resolve(director->repo, paths->at[i], other);
		for (unsigned k = 0; k < other->ecu.n && !err && all->n < TUFREPO_NAMES_MAX; k++)
			memcpy(all->at[all->n++], other->ecu.at[k], TUFREPO_NAME_MAX);
	}
	free(other);
	return err;
}

/*
 * Uptane's full verification: what the director orders is what the image
 * repository holds under the same name. Neither is believed alone.
 */
static int
agree(struct judging *j, struct tufrepo_paths *paths)
{
	struct side *director = &j->side[0], *images = &j->side[1];
	int err = prove(director, paths);
	if (err)
		return err;
	if (!proven(director)) {
		bool unlisted = director->fault.finding == FINDING_LIMIT;
		err = prove(images, paths);
		if (!err && unlisted && proven(images))
			fail(director, SIG_INVALID, FINDING_FMT_CONFLICT,
			    "the image repository lists this image, the director does not order it");
		return err;
	}
	for (unsigned i = 0; i < paths->n; i++) {
		err = follow(director, paths->at[i]);
		if (!err)
			err = follow(images, paths->at[i]);
		if (err)
			return err;
		if (images->entry.found && !images->entry.fits)
			fail(images, SIG_INVALID, FINDING_FMT_CONFLICT,
			    "it lists another image under the name that the director orders");
		else if (!images->entry.found && images->fault.finding == FINDING_LIMIT)
			images->fault.finding = FINDING_FMT_CONFLICT; /* the director orders what is not there */
		else if (images->entry.found && images->fault.outcome == SIG_UNKNOWN &&
		         !hardware_agrees(&director->entry.hardware, &images->entry.hardware))
			fail(images, SIG_INVALID, FINDING_FMT_CONFLICT,
			    "the director orders it for hardware that the image repository does not have it for");
		if (proven(director) && proven(images))
			return gather_ecus(director, paths);
	}
	return 0;
}

static int
judge_sides(struct judging *j)
{
	struct tufrepo_paths *paths = calloc(1, sizeof *paths);
	int err = paths ? 0 : FG_ENOMEM;
	bool sound = j->bundle->whole;
	for (unsigned i = 0; i < j->sides && !err; i++) {
		if (!j->bundle->whole)
			fail(&j->side[i], SIG_INVALID, FINDING_LIMIT,
			    "the bundle is no whole tar in which each name is there once");
		else
			err = open_side(j, &j->side[i]);
		sound = sound && j->side[i].fault.outcome == SIG_UNKNOWN;
	}
	if (!err && sound && j->sides == 1)
		err = prove(&j->side[0], paths);
	else if (!err && sound)
		err = agree(j, paths);
	free(paths);
	return err;
}

/* ---- telling ---- */

static struct sig_result *
place(struct judging *j, const struct side *s)
{
	struct sig_set *set = &j->r->signatures;
	if (set->n == SIG_SIGNERS_MAX) {
		set->overflow = true;
		return NULL;
	}
	struct sig_result *is = &set->result[set->n++];
	*is = (struct sig_result){ .revocation = SIG_REVOCATION_NOT_APPLICABLE };
	snprintf(is->scheme, sizeof is->scheme, "%s", s->scheme);
	return is;
}

/* Each key of the role that lists the image, up to a few. */
static void
tell_proven(struct judging *j, const struct side *s)
{
	const struct tufmeta_count *by = &s->entry.by;
	for (unsigned i = 0; i < by->n && i < SIGNERS_MAX; i++) {
		struct sig_result *is = place(j, s);
		if (!is)
			return;
		is->outcome = SIG_VERIFIED;
		is->digest = by->signer[i].digest;
		is->covers[0] = (struct sig_range){ 0, j->job->size };
		is->covers_n = 1;
		is->signer.have_spki = true;
		memcpy(is->signer.spki_sha256, by->signer[i].spki_sha256, sizeof is->signer.spki_sha256);
		snprintf(is->signer.key_type, sizeof is->signer.key_type, "%s", by->signer[i].key_type);
		snprintf(is->signer.anchor, sizeof is->signer.anchor, "%s", s->anchor);
		is->signer.published_key = by->signer[i].published;
		snprintf(is->detail, sizeof is->detail, "one of %u keys that signed the list, %u are needed",
		    by->n, (unsigned)by->threshold);
	}
}

static void
tell_fault(struct judging *j, const struct side *s, bool other)
{
	struct sig_result *is = place(j, s);
	if (s->fault.finding != FINDING_LIMIT)
		walk_raise(j->w, s->fault.finding, NULL, "%s", s->fault.text);
	if (!is)
		return;
	is->outcome = s->fault.outcome;
	snprintf(is->detail, sizeof is->detail, "%s", s->fault.text);
	if (is->outcome != SIG_UNKNOWN)
		return;
	is->outcome = SIG_UNTRUSTED;
	snprintf(is->detail, sizeof is->detail,
	    other ? "nothing is wrong with it, but the other repository does not agree" : "it was not looked into");
}

/* Versions as counters that must not fall from release to release (T22), what changes most often first. */
static void
tell_versions(struct judging *j, const struct side *s, struct walk_signed by)
{
	static const enum tufmeta_type types[] = { TUFMETA_TARGETS, TUFMETA_TIMESTAMP, TUFMETA_SNAPSHOT,
		TUFMETA_ROOT };
	struct walk *w = j->w;
	int64_t first = s->entry.found ? s->entry.expires : INT64_MAX;
	if (s->entry.found && strcmp(s->entry.role, "targets") != 0) {
		char role[CONTENTS_PATH_MAX];
		visible_cstr(view_str(s->entry.role), role, sizeof role);
		snprintf(w->path, sizeof w->path, "%s/targets/%.128s", s->scheme, role);
		walk_fact_uint(w, CONTENTS_FACT_SECURITY_COUNTER, by, s->entry.version);
	}
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		uint64_t version = tufrepo_version(s->repo, types[i]);
		if (version == 0)
			continue;
		snprintf(w->path, sizeof w->path, "%s/%s", s->scheme, tufmeta_type_name(types[i]));
		walk_fact_uint(w, CONTENTS_FACT_SECURITY_COUNTER, by, version);
		if (tufrepo_expires(s->repo, types[i]) < first)
			first = tufrepo_expires(s->repo, types[i]);
	}
	snprintf(w->path, sizeof w->path, "%s", s->scheme);
	if (first < INT64_MAX) /* when the evidence is over: the first of its files that is */
		walk_fact_uint(w, CONTENTS_FACT_EXPIRES, by, (uint64_t)first);
}

#define TOLD_MAX 4 /* hardware ids and ECUs listed one by one: the image's own claims want room too */

static void
tell_names(struct judging *j, const struct side *s, struct walk_signed by)
{
	const struct tufrepo_entry *e = &s->entry;
	if (!e->found)
		return;
	walk_fact(j->w, CONTENTS_FACT_BUILD, by, view_str(s->path));
	for (unsigned i = 0; i < e->hardware.n && i < TOLD_MAX; i++)
		walk_fact(j->w, CONTENTS_FACT_COMPATIBLE, by, view_str(e->hardware.at[i]));
	for (unsigned i = 0; i < e->ecu.n && i < TOLD_MAX; i++)
		walk_fact(j->w, CONTENTS_FACT_TARGET, by, view_str(e->ecu.at[i]));
	if (e->ecu.n > 0)
		walk_raise(j->w, FINDING_META_TARGETED, NULL, "%s is for ECU %s%s", s->path, e->ecu.at[0],
		    e->ecu.n > 1 ? " and others" : " alone");
}

static void
tell(struct judging *j)
{
	bool all = true;
	for (unsigned i = 0; i < j->sides; i++)
		all = all && proven(&j->side[i]);
	for (unsigned i = 0; i < j->sides; i++) {
		const struct side *s = &j->side[i];
		unsigned mark = walk_mark(j->w);
		snprintf(j->w->path, sizeof j->w->path, "%s", s->scheme);
		if (all)
			tell_proven(j, s);
		else
			tell_fault(j, s, j->sides > 1);
		if (!s->repo)
			continue;
		if (tufrepo_published(s->repo))
			walk_raise(j->w, FINDING_SIG_KEY_PUBLISHED, NULL, "the private half of a key that was counted is public");
		tell_names(j, s, walk_since(j->w, mark));
		tell_versions(j, s, walk_since(j->w, mark));
	}
}

static int
judge(struct walk *w, void *arg)
{
	struct judging *j = arg;
	j->w = w;
	int err = unpack(w, j->bundle);
	if (!err)
		err = judge_sides(j);
	if (!err)
		tell(j);
	return err;
}

int
tufproof_judge(const struct tufproof_job *job, struct report *r)
{
	static const struct side plain_side = { .scheme = "tuf", .folder = "" },
	                         director = { .scheme = "uptane-director", .folder = "director/", .director = true },
	                         images = { .scheme = "uptane-image", .folder = "image/" };
	struct judging *j = calloc(1, sizeof *j);
	struct bundle *b = calloc(1, sizeof *b);
	int err = j && b ? 0 : FG_ENOMEM;
	if (!err) {
		*j = (struct judging){ .job = job, .r = r, .bundle = b, .sides = job->uptane ? 2 : 1 };
		j->side[0] = job->uptane ? director : plain_side;
		j->side[1] = images;
		j->side[0].fault.finding = j->side[1].fault.finding = FINDING_LIMIT;
		err = walk_beside(job->bundle, FORMAT_TAR, "signature", job->trust, job->policy, job->at, r, judge, j);
		for (unsigned i = 0; i < 2; i++) {
			tufrepo_free(j->side[i].repo);
			free(j->side[i].file);
		}
	}
	if (b)
		drop(b);
	free(j);
	return err;
}
