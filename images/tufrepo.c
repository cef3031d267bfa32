/* SPDX-License-Identifier: Apache-2.0 */
#include "images/tufrepo.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"
#include "images/tufrepo_internal.h"

int
tufrepo_broken(struct tufrepo *r, enum sig_outcome outcome, enum finding_id finding, const char *fmt, ...)
{
	char text[SIG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	r->fault.outcome = outcome;
	r->fault.finding = finding;
	visible_cstr(view_str(text), r->fault.text, sizeof r->fault.text);
	return TUFREPO_BROKEN;
}

/* ---- files ---- */

static int
order(const void *name, const void *file)
{
	const struct view *a = name;
	const struct view *b = &((const struct tufrepo_file *)file)->name;
	size_t n = a->n < b->n ? a->n : b->n;
	int by = n ? memcmp(a->p, b->p, n) : 0;
	return by ? by : (a->n > b->n) - (a->n < b->n);
}

static const struct tufrepo_file *
find(const struct tufrepo *r, const char *name)
{
	struct view v = view_str(name);
	return r->ask.n ? bsearch(&v, r->ask.file, r->ask.n, sizeof *r->ask.file, order) : NULL;
}

/* A role's name as a file's: python-tuf encodes what URLs cannot hold, others take it as it is. */
static void
quoted(const char *role, char *dst, size_t cap)
{
	size_t n = 0;
	for (const char *p = role; *p && n + 4 < cap; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		             (*p >= '0' && *p <= '9') || strchr("_.-~", *p);
		n += (size_t)snprintf(dst + n, cap - n, plain ? "%c" : "%%%02X", (unsigned char)*p);
	}
	dst[n] = '\0';
}

/* The file of a role in that version, by the repository's rule for names (section 7). */
static const struct tufrepo_file *
find_role(const struct tufrepo *r, const char *role, uint64_t version)
{
	char name[3 * TUFMETA_NAME_MAX], file[sizeof name + 32];
	const struct tufrepo_file *f = NULL;
	for (unsigned i = 0; i < 2 && !f; i++) {
		if (i == 0)
			snprintf(name, sizeof name, "%s", role);
		else
			quoted(role, name, sizeof name);
		if (r->root->consistent)
			snprintf(file, sizeof file, "%" PRIu64 ".%s.json", version, name);
		else
			snprintf(file, sizeof file, "%s.json", name);
		f = find(r, file);
	}
	return f;
}

static int
open_file(struct tufrepo *r, const struct tufrepo_file *f, enum tufmeta_type type, const char *what,
    struct tufmeta **ret)
{
	char why[SIG_TEXT_MAX] = "";
	int err = tufmeta_open(f->bytes, type, ret, why, sizeof why);
	if (err == FG_EFORMAT)
		return tufrepo_broken(r, SIG_INVALID, FINDING_FMT_MALFORMED, "%s is %s", what, why);
	return err;
}

/* ---- rules that all roles share ---- */

/* The threshold of a role's keys; who they were is kept in ret where it is not NULL. */
static int
signed_by(struct tufrepo *r, const struct tufmeta *m, const struct json_value *keys,
    const struct json_value *role, const char *what, struct tufmeta_count *ret)
{
	struct tufmeta_count c;
	char text[SIG_TEXT_MAX];
	int err = tufmeta_count(m, keys, role, r->ask.rsa_bits_min, &c);
	if (err)
		return err;
	if (!tufmeta_met(&c)) {
		tufmeta_explain(&c, text, sizeof text);
		return tufrepo_broken(r, c.broken ? SIG_INVALID : SIG_UNTRUSTED, FINDING_SIG_THRESHOLD,
		    "%s: %s", what, text);
	}
	for (unsigned i = 0; i < c.n; i++)
		r->published |= c.signer[i].published;
	if (ret)
		*ret = c;
	return 0;
}

/* The specification wants the end to be later than the time at which it all began. */
static int
current(struct tufrepo *r, const struct tufmeta *m, const char *what)
{
	char until[STAMP_CAP];
	if (m->expires > r->ask.at)
		return 0;
	if (stamp_format(m->expires, until))
		abort(); /* it was read as a time */
	return tufrepo_broken(r, SIG_EXPIRED, FINDING_META_EXPIRED, "%s was valid until %s", what, until);
}

/*
 * Length and digests that one file gives of another, before that is parsed.
 * Either may be missing, as the specification allows.
 */
static int
as_described(struct tufrepo *r, const struct tufrepo_file *f, const struct json_value *entry,
    const char *what)
{
	static const enum digest_alg algs[] = { DIGEST_SHA256, DIGEST_SHA512 };
	const struct json_value *length = json_get(entry, "length"), *hashes = json_get(entry, "hashes");
	uint8_t sum[DIGEST_LEN_MAX];
	char hex[2 * DIGEST_LEN_MAX + 1];
	unsigned known = 0;
	uint64_t n;
	if (length && (!json_uint(length, &n) || n != f->bytes.n))
		return tufrepo_broken(r, SIG_INVALID, FINDING_FMT_CONFLICT,
		    "%s has %zu bytes, which is not what the one before it says", what, f->bytes.n);
	for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
		const struct json_value *said = json_get(hashes, digest_name(algs[i]));
		struct view text;
		if (!said)
			continue;
		int err = digest_bytes(algs[i], f->bytes, sum);
		if (err)
			return err;
		hex_encode(sum, digest_len(algs[i]), hex);
		if (!json_string(said, &text) || !view_is(text, hex))
			return tufrepo_broken(r, SIG_INVALID, FINDING_MEMBER_DIGEST,
			    "%s has another %s than the one before it says", what, digest_name(algs[i]));
		known++;
	}
	if (hashes && known == 0)
		return tufrepo_broken(r, SIG_INVALID, FINDING_FMT_MALFORMED,
		    "%s is named with digests of which none is known", what);
	return 0;
}

/* Mix and match, and files put back: the version is the one that was named. */
static int
of_version(struct tufrepo *r, const struct tufmeta *m, uint64_t wanted, const char *what)
{
	if (m->version == wanted)
		return 0;
	return tufrepo_broken(r, SIG_INVALID,
	    m->version < wanted ? FINDING_META_ROLLBACK : FINDING_FMT_CONFLICT,
	    "%s has version %" PRIu64 ", where %" PRIu64 " is due", what, m->version, wanted);
}

/*
 * A file that another one names: found, as described there, signed by its role,
 * of that version, not over. *ret is the caller's.
 */
int
tufrepo_load(struct tufrepo *r, const struct tufrepo_due *due, struct tufmeta **ret,
    struct tufmeta_count *ret_by)
{
	char what[TUFMETA_NAME_MAX + 16];
	uint64_t version = 0;
	snprintf(what, sizeof what, "%s%s", due->delegated ? "role " : "", due->name);
	if (!json_uint(json_get(due->entry, "version"), &version) || version == 0)
		return tufrepo_broken(r, SIG_INVALID, FINDING_FMT_MALFORMED, "%s is named without a version", what);
	const struct tufrepo_file *f = find_role(r, due->name, version);
	if (!f)
		return tufrepo_broken(r, SIG_INVALID, FINDING_MEMBER_MISSING,
		    "%s of version %" PRIu64 " is not there", what, version);
	struct tufmeta *m = NULL;
	int err = as_described(r, f, due->entry, what);
	if (!err)
		err = open_file(r, f, due->type, what, &m);
	if (!err)
		err = signed_by(r, m, due->keys, due->role, what, ret_by);
	if (!err)
		err = of_version(r, m, version, what);
	if (!err)
		err = current(r, m, what);
	if (err)
		tufmeta_free(m);
	else
		*ret = m;
	return err;
}

/* ---- the four roles ---- */

static void
reached(struct tufrepo *r, const struct tufmeta *m)
{
	r->version[m->type] = m->version;
	r->expires[m->type] = m->expires;
	r->progress++;
}

/* The step from r->root to the next one: signed by both, one version on. */
static int
next_root(struct tufrepo *r, const struct tufrepo_file *f)
{
	const struct tufmeta *old = r->root;
	struct tufmeta *m = NULL;
	char what[64];
	snprintf(what, sizeof what, "root %" PRIu64, old->version + 1);
	int err = open_file(r, f, TUFMETA_ROOT, what, &m);
	if (!err) {
		snprintf(what, sizeof what, "root %" PRIu64 ", by the keys of root %" PRIu64, old->version + 1,
		    old->version);
		err = signed_by(r, m, tufmeta_keys(old), tufmeta_role(old, TUFMETA_ROOT), what, NULL);
	}
	if (!err) {
		snprintf(what, sizeof what, "root %" PRIu64 ", by its own keys", old->version + 1);
		err = signed_by(r, m, tufmeta_keys(m), tufmeta_role(m, TUFMETA_ROOT), what, NULL);
	}
	if (!err) {
		snprintf(what, sizeof what, "root %" PRIu64, old->version + 1);
		err = of_version(r, m, old->version + 1, what);
	}
	if (err) {
		tufmeta_free(m);
		return err;
	}
	tufmeta_free(r->own_root);
	r->root = r->own_root = m;
	reached(r, m);
	return 0;
}

/* "7.root.json": its number; 0 for any other name. */
static uint64_t
root_number(struct view name)
{
	static const char tail[] = ".root.json";
	uint64_t n = 0;
	size_t digits = name.n > sizeof tail - 1 ? name.n - (sizeof tail - 1) : 0;
	if (digits == 0 || digits > 9 || memcmp(name.p + digits, tail, sizeof tail - 1) != 0)
		return 0;
	for (size_t i = 0; i < digits; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(name.p[i] - '0');
	}
	return n;
}

/*
 * A later root that could not be reached: whoever left out the step between
 * holds the client at keys that were replaced.
 */
static int
none_later(struct tufrepo *r)
{
	uint64_t last = 0;
	struct tufmeta *m = NULL;
	char why[SIG_TEXT_MAX];
	for (unsigned i = 0; i < r->ask.n; i++) {
		uint64_t n = root_number(r->ask.file[i].name);
		last = n > last ? n : last;
	}
	const struct tufrepo_file *f = find(r, "root.json");
	int err = f ? tufmeta_open(f->bytes, TUFMETA_ROOT, &m, why, sizeof why) : 0;
	if (err == FG_EFORMAT)
		return tufrepo_broken(r, SIG_INVALID, FINDING_FMT_MALFORMED, "root.json is %s", why);
	if (err)
		return err;
	if (m && m->version > last)
		last = m->version;
	tufmeta_free(m);
	if (last <= r->root->version)
		return 0;
	return tufrepo_broken(r, SIG_INVALID, FINDING_MEMBER_MISSING,
	    "root %" PRIu64 " is there, but not root %" PRIu64 " that leads to it", last, r->root->version + 1);
}

/* The pinned root, where the repository holds that version too, is the same one. */
static int
same_anchor(struct tufrepo *r)
{
	char name[32];
	struct tufmeta *m = NULL;
	snprintf(name, sizeof name, "%" PRIu64 ".root.json", r->root->version);
	const struct tufrepo_file *f = find(r, name);
	int err = f ? open_file(r, f, TUFMETA_ROOT, name, &m) : 0;
	if (!err && m && !view_equal(writer_view(&m->tbs), writer_view(&r->root->tbs)))
		err = tufrepo_broken(r, SIG_UNTRUSTED, FINDING_LIMIT,
		    "its root %" PRIu64 " is not the one that is pinned", r->root->version);
	tufmeta_free(m);
	return err;
}

/* Section 5.3. */
static int
update_root(struct tufrepo *r)
{
	char name[32];
	int err = same_anchor(r);
	if (!err)
		reached(r, r->root);
	for (unsigned i = 0; !err; i++) {
		snprintf(name, sizeof name, "%" PRIu64 ".root.json", r->root->version + 1);
		const struct tufrepo_file *f = find(r, name);
		if (!f)
			break;
		err = i == TUFREPO_ROOTS_MAX
		          ? tufrepo_broken(r, SIG_INVALID, FINDING_FMT_WALK_LIMIT,
		                "more than %d roots follow the pinned one", TUFREPO_ROOTS_MAX)
		          : next_root(r, f);
	}
	if (!err)
		err = none_later(r);
	return err ? err : current(r, r->root, "root");
}

/* Section 5.4: the one file without a version in its name, and that nobody names. */
static int
load_timestamp(struct tufrepo *r, struct tufmeta **ret)
{
	const struct tufrepo_file *f = find(r, "timestamp.json");
	struct tufmeta *m = NULL;
	if (!f)
		return tufrepo_broken(r, SIG_INVALID, FINDING_MEMBER_MISSING, "timestamp.json is not there");
	int err = open_file(r, f, TUFMETA_TIMESTAMP, "timestamp", &m);
	if (!err)
		err = signed_by(r, m, tufmeta_keys(r->root), tufmeta_role(r->root, TUFMETA_TIMESTAMP), "timestamp",
		    NULL);
	if (!err)
		reached(r, m);
	if (!err)
		err = current(r, m, "timestamp");
	if (err)
		tufmeta_free(m);
	else
		*ret = m;
	return err;
}

/* Sections 5.5 and 5.6. */
static int
load_named(struct tufrepo *r, const struct tufmeta *by, enum tufmeta_type type, struct tufmeta **ret,
    struct tufmeta_count *ret_by)
{
	char name[32];
	struct tufrepo_due due = { .name = tufmeta_type_name(type),
		.type = type,
		.keys = tufmeta_keys(r->root),
		.role = tufmeta_role(r->root, type) };
	snprintf(name, sizeof name, "%s.json", due.name);
	due.entry = json_get(json_get(by->said, "meta"), name);
	int err = tufrepo_load(r, &due, ret, ret_by);
	if (!err)
		reached(r, *ret);
	return err;
}

static int
update(struct tufrepo *r)
{
	struct tufmeta *timestamp = NULL;
	int err = update_root(r);
	if (!err)
		err = load_timestamp(r, &timestamp);
	if (!err)
		err = load_named(r, timestamp, TUFMETA_SNAPSHOT, &r->snapshot, NULL);
	if (!err)
		err = load_named(r, r->snapshot, TUFMETA_TARGETS, &r->targets, &r->targets_by);
	if (!err && r->ask.director && json_get(r->targets->said, "delegations"))
		err = tufrepo_broken(r, SIG_INVALID, FINDING_FMT_MALFORMED,
		    "the director delegates, which it must not");
	tufmeta_free(timestamp);
	return err;
}

int
tufrepo_open(const struct tufrepo_ask *ask, struct tufrepo **ret)
{
	struct tufrepo *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	r->ask = *ask;
	r->root = ask->anchor;
	r->fault.finding = FINDING_LIMIT;
	int err = update(r);
	if (err < 0)
		tufrepo_free(r);
	else
		*ret = r;
	return err < 0 ? err : 0;
}

void
tufrepo_free(struct tufrepo *r)
{
	if (!r)
		return;
	tufmeta_free(r->own_root);
	tufmeta_free(r->snapshot);
	tufmeta_free(r->targets);
	free(r);
}

const struct tufrepo_fault *
tufrepo_fault(const struct tufrepo *r)
{
	return &r->fault;
}

unsigned
tufrepo_progress(const struct tufrepo *r)
{
	return r->progress;
}

uint64_t
tufrepo_version(const struct tufrepo *r, enum tufmeta_type type)
{
	return r->version[type];
}

int64_t
tufrepo_expires(const struct tufrepo *r, enum tufmeta_type type)
{
	return r->expires[type];
}

bool
tufrepo_published(const struct tufrepo *r)
{
	return r->published;
}
