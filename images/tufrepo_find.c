/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tufrepo_find - which list names the image, and whether a client that asks for
 * that name would be led there (section 5.6.7).
 */
#include "images/tufrepo_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"

#define WORK_MAX (UINT64_C(1) << 26) /* steps of matching patterns for one path: a second at most */

/* What visiting a role comes to, beside TUFREPO_BROKEN and local failure. */
enum { GO_ON = 0, FOUND = 2, STOP = 3 };

/* How an entry of a list and the image go together. */
enum fit {
	FIT_NO = 0,
	FIT_WEAK, /* of its length, but without a digest that says anything */
	FIT_LIES, /* one digest is the image's, length or the other one is not */
	FIT_YES,
};

/* One search through all delegations. */
struct search {
	struct tufrepo *r;
	struct tufrepo_paths *paths; /* every path of the image is wanted, ... */
	const char *path;            /* ... or the one entry of this path */
	char path_hash[DIGEST_HEX_LEN + 1];
	struct tufrepo_entry *entry;
	char visited[TUFREPO_ROLES_MAX][TUFMETA_NAME_MAX];
	unsigned visited_n;
	uint64_t work;
	struct tufrepo_fault near; /* what came nearest, while every path is wanted */
	unsigned nearness;
};

/* A role's list, and who signed it. */
struct place {
	const struct tufmeta *meta;
	const char *name;
	const struct tufmeta_count *by;
	unsigned depth;
};

static enum fit
fit(const struct tufrepo_ask *image, const struct json_value *target)
{
	static const struct {
		const char *name;
		size_t n;
	} algs[] = { { "sha256", DIGEST_SHA256_LEN }, { "sha512", DIGEST_LEN_MAX } };
	const struct json_value *hashes = json_get(target, "hashes");
	unsigned same = 0, differ = 0;
	uint64_t length = 0;
	bool long_as = json_uint(json_get(target, "length"), &length) && length == image->size;
	for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
		char hex[2 * DIGEST_LEN_MAX + 1];
		struct view text;
		const struct json_value *said = json_get(hashes, algs[i].name);
		if (!said)
			continue;
		hex_encode(i == 0 ? image->sha256 : image->sha512, algs[i].n, hex);
		if (json_string(said, &text) && view_is(text, hex))
			same++;
		else
			differ++;
	}
	if (same == 0)
		return differ == 0 && long_as ? FIT_WEAK : FIT_NO;
	return differ == 0 && long_as ? FIT_YES : FIT_LIES;
}

/* ---- patterns ---- */

static size_t
code_point(const char *p)
{
	size_t n = 1;
	while (((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/*
 * Shell-style, where neither wildcard stands for a slash (section 4.5). Of sets
 * in brackets the specification says nothing, but python-tuf has them: see concerns().
 */
static bool
matches(struct search *s, const char *pattern, const char *path)
{
	const char *star = NULL, *from = NULL;
	while (*path) {
		if (s->work++ > WORK_MAX)
			return false;
		if (*pattern == '*') {
			star = pattern++;
			from = path;
		} else if (*pattern == '?' && *path != '/') {
			pattern++;
			path += code_point(path);
		} else if (*pattern == *path && *pattern != '\0') {
			pattern++;
			path++;
		} else if (star && *from != '/') {
			from += code_point(from);
			path = from;
			pattern = star + 1;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/*
 * Is the path among those that were delegated? FG_EFORMAT when the delegation does
 * not say which, or says it in a way that two clients may read differently:
 * passing over it could lead to another role than theirs.
 */
static int
concerns(struct search *s, const struct json_value *delegation, bool *ret)
{
	const struct json_value *paths = json_get(delegation, "paths");
	const struct json_value *prefixes = json_get(delegation, "path_hash_prefixes");
	const struct json_value *list = paths ? paths : prefixes;
	*ret = false;
	if ((paths && prefixes) || json_type(list) != JSON_ARRAY)
		return FG_EFORMAT;
	for (size_t i = 0; i < json_count(list) && !*ret; i++) {
		char text[TUFREPO_PATH_MAX];
		if (!json_cstr(json_at(list, i), text, sizeof text) || (paths && strchr(text, '[')))
			return FG_EFORMAT;
		if (paths)
			*ret = matches(s, text, s->path);
		else
			*ret = text[0] && strncmp(s->path_hash, text, strlen(text)) == 0;
	}
	return 0;
}

/* ---- what an entry says ---- */

static bool
add_name(struct tufrepo_names *l, const struct json_value *v)
{
	if (l->n == TUFREPO_NAMES_MAX || !json_cstr(v, l->at[l->n], TUFREPO_NAME_MAX))
		return false;
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->at[i], l->at[l->n]) == 0)
			return true;
	l->n++;
	return true;
}

static bool
add_key(struct tufrepo_names *l, struct view key)
{
	if (l->n == TUFREPO_NAMES_MAX || key.n >= TUFREPO_NAME_MAX || memchr(key.p, '\0', key.n))
		return false;
	memcpy(l->at[l->n], key.p, key.n);
	l->at[l->n++][key.n] = '\0';
	return true;
}

/*
 * Uptane's custom fields, in the form of aktualizr and its servers:
 * ecuIdentifiers {serial: {hardwareId}} of a director, hardwareIds [...] of an
 * image repository, and the single ones. False for another form, or more than
 * there is room for.
 */
static bool
custom(const struct json_value *c, struct tufrepo_names *hardware, struct tufrepo_names *ecu)
{
	const struct json_value *ecus = json_get(c, "ecuIdentifiers"), *ids = json_get(c, "hardwareIds");
	bool ok = !ecus || json_type(ecus) == JSON_OBJECT;
	ok = ok && (!ids || json_type(ids) == JSON_ARRAY);
	for (size_t i = 0; i < json_count(ecus) && ok; i++) {
		const struct json_value *id = json_get(json_at(ecus, i), "hardwareId");
		ok = add_key(ecu, json_key_at(ecus, i)) && (!id || add_name(hardware, id));
	}
	for (size_t i = 0; i < json_count(ids) && ok; i++)
		ok = add_name(hardware, json_at(ids, i));
	static const char *const serials[] = { "ecuIdentifier", "ecu_serial" };
	for (size_t i = 0; i < sizeof serials / sizeof serials[0] && ok; i++)
		if (json_get(c, serials[i]))
			ok = add_name(ecu, json_get(c, serials[i]));
	if (ok && json_get(c, "hardwareId"))
		ok = add_name(hardware, json_get(c, "hardwareId"));
	return ok;
}

/* Does another entry of the director's list name one of these ECUs? */
static bool
named_elsewhere(const struct json_value *targets, const char *path, const struct tufrepo_names *ecu,
    const char **ret_ecu)
{
	for (size_t i = 0; i < json_count(targets); i++) {
		const struct json_value *c = json_get(json_at(targets, i), "custom");
		if (view_is(json_key_at(targets, i), path))
			continue;
		for (unsigned k = 0; k < ecu->n; k++) {
			struct view one;
			*ret_ecu = ecu->at[k];
			if (json_get(json_get(c, "ecuIdentifiers"), ecu->at[k]) ||
			    (json_string(json_get(c, "ecuIdentifier"), &one) && view_is(one, ecu->at[k])) ||
			    (json_string(json_get(c, "ecu_serial"), &one) && view_is(one, ecu->at[k])))
				return true;
		}
	}
	return false;
}

/* The entry that a client is given. */
static int
take(struct search *s, const struct place *p, const struct json_value *targets, const struct json_value *target)
{
	struct tufrepo_entry *e = s->entry;
	const char *twice = NULL;
	e->found = true;
	e->fits = fit(&s->r->ask, target) == FIT_YES;
	snprintf(e->role, sizeof e->role, "%s", p->name);
	e->version = p->meta->version;
	e->expires = p->meta->expires;
	e->by = *p->by;
	if (!custom(json_get(target, "custom"), &e->hardware, &e->ecu) && s->r->ask.uptane)
		return tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_MALFORMED,
		    "role %s: custom fields of %s are of another form, or name more than %d devices", p->name,
		    s->path, TUFREPO_NAMES_MAX);
	if (s->r->ask.director && named_elsewhere(targets, s->path, &e->ecu, &twice))
		return tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_CONFLICT,
		    "the director gives ECU %s more than one image", twice);
	return FOUND;
}

/* ---- searching ---- */

/* Keeps the reason that tells most, for when nothing is found. */
static void
note(struct search *s, unsigned nearness)
{
	if (nearness > s->nearness) {
		s->near = s->r->fault;
		s->nearness = nearness;
	}
	s->r->fault = (struct tufrepo_fault){ .finding = FINDING_LIMIT };
}

/* All entries of one list that are the image. */
static int
list(struct search *s, const struct place *p)
{
	const struct json_value *targets = json_get(p->meta->said, "targets");
	for (size_t i = 0; i < json_count(targets); i++) {
		char path[TUFREPO_PATH_MAX] = "";
		struct view key = json_key_at(targets, i);
		enum fit how = fit(&s->r->ask, json_at(targets, i));
		bool usable = key.n > 0 && key.n < sizeof path && !memchr(key.p, '\0', key.n);
		if (how == FIT_NO)
			continue;
		memcpy(path, key.p, usable ? key.n : 0);
		if (how == FIT_YES && usable && s->paths->n < TUFREPO_PATHS_MAX) {
			memcpy(s->paths->at[s->paths->n++], path, sizeof path);
		} else if (how == FIT_YES) {
			tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_WALK_LIMIT,
			    "role %s lists it under more names than are looked up, or under one of more than %d bytes",
			    p->name, TUFREPO_PATH_MAX - 1);
			note(s, 3);
		} else if (how == FIT_LIES) {
			tufrepo_broken(s->r, SIG_INVALID, FINDING_MEMBER_DIGEST,
			    "role %s lists %s with one of its digests, but with another length or digest beside it",
			    p->name, path);
			note(s, 5);
		} else {
			tufrepo_broken(s->r, SIG_WEAK, FINDING_SIG_WEAK_DIGEST,
			    "role %s lists %s of this length, but with neither SHA-256 nor SHA-512", p->name, path);
			note(s, 1);
		}
	}
	return GO_ON;
}

static int
look_up(struct search *s, const struct place *p)
{
	const struct json_value *targets = json_get(p->meta->said, "targets");
	const struct json_value *target = json_get(targets, s->path);
	return target ? take(s, p, targets, target) : GO_ON;
}

static int visit(struct search *s, const struct place *p);

static bool
was_visited(const struct search *s, const char *name)
{
	if (strcmp(name, "targets") == 0) /* where it began */
		return true;
	for (unsigned i = 0; i < s->visited_n; i++)
		if (strcmp(s->visited[i], name) == 0)
			return true;
	return false;
}

/* Into a delegated role, if it is what the one above says. */
static int
descend(struct search *s, const struct place *above, const struct json_value *delegation, const char *name)
{
	char entry[TUFMETA_NAME_MAX + 8];
	struct tufrepo_due due = { .name = name,
		.type = TUFMETA_TARGETS,
		.delegated = true,
		.keys = json_get(json_get(above->meta->said, "delegations"), "keys"),
		.role = delegation };
	struct tufmeta_count by;
	struct tufmeta *m = NULL;
	if (!tufmeta_is_role(delegation))
		return tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_MALFORMED,
		    "role %s delegates to %s without a threshold, or to a key twice", above->name, name);
	if (above->depth == TUFREPO_DEPTH_MAX || s->visited_n == TUFREPO_ROLES_MAX)
		return tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_WALK_LIMIT,
		    "more than %d delegated roles, or %d one below the other: %s is not looked into",
		    TUFREPO_ROLES_MAX, TUFREPO_DEPTH_MAX, name);
	memcpy(s->visited[s->visited_n++], name, TUFMETA_NAME_MAX);
	snprintf(entry, sizeof entry, "%s.json", name);
	due.entry = json_get(json_get(s->r->snapshot->said, "meta"), entry);
	int got = due.entry ? tufrepo_load(s->r, &due, &m, &by)
	                    : tufrepo_broken(s->r, SIG_INVALID, FINDING_MEMBER_MISSING,
	                          "the snapshot does not name the delegated role %s", name);
	if (got == 0) {
		struct place below = { .meta = m, .name = name, .by = &by, .depth = above->depth + 1 };
		got = visit(s, &below);
	}
	tufmeta_free(m);
	return got;
}

static int
delegate(struct search *s, const struct place *p, const struct json_value *delegation)
{
	char name[TUFMETA_NAME_MAX] = "";
	bool terminating = false, relevant = true;
	if (!json_cstr(json_get(delegation, "name"), name, sizeof name) || name[0] == '\0' ||
	    !json_bool(json_get(delegation, "terminating"), &terminating))
		return tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_MALFORMED,
		    "role %s delegates in a form that it may not have", p->name);
	if (s->path && concerns(s, delegation, &relevant))
		return tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_MALFORMED,
		    "role %s does not say in a form that is read here which paths it delegates to %s", p->name, name);
	if (s->work > WORK_MAX)
		return tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_WALK_LIMIT,
		    "role %s delegates by more patterns than are tried", p->name);
	if (!relevant)
		return GO_ON;
	int got = was_visited(s, name) ? GO_ON : descend(s, p, delegation, name);
	return got == GO_ON && s->path && terminating ? STOP : got;
}

/* A role's own list first, then what it delegates, in its order. */
static int
visit(struct search *s, const struct place *p)
{
	const struct json_value *delegations = json_get(p->meta->said, "delegations");
	const struct json_value *roles = json_get(delegations, "roles");
	int got = s->paths ? list(s, p) : look_up(s, p);
	if (got == GO_ON && json_get(delegations, "succinct_roles"))
		got = tufrepo_broken(s->r, SIG_INVALID, FINDING_FMT_UNKNOWN_PART,
		    "role %s delegates to bins by succinct_roles, which are not followed", p->name);
	for (size_t i = 0; i < json_count(roles) && got == GO_ON; i++) {
		got = delegate(s, p, json_at(roles, i));
		if (got == TUFREPO_BROKEN && s->paths) { /* others may be sound */
			note(s, s->r->fault.finding == FINDING_MEMBER_MISSING ? 2 : 4);
			got = GO_ON;
		}
	}
	if (got == TUFREPO_BROKEN && s->paths) {
		note(s, 4);
		got = GO_ON;
	}
	return got;
}

static int
start(struct search *s)
{
	struct place top = { .meta = s->r->targets, .name = "targets", .by = &s->r->targets_by };
	return visit(s, &top);
}

int
tufrepo_search(struct tufrepo *r, struct tufrepo_paths *ret)
{
	struct search *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	ret->n = 0;
	s->r = r;
	s->paths = ret;
	int got = start(s);
	if (got >= 0 && ret->n == 0 && s->nearness > 0)
		r->fault = s->near;
	else if (got >= 0 && ret->n == 0)
		tufrepo_broken(r, SIG_INVALID, FINDING_LIMIT,
		    "no role lists an image of this length and digest");
	free(s);
	return got < 0 ? got : 0;
}

int
tufrepo_resolve(struct tufrepo *r, const char *path, struct tufrepo_entry *ret)
{
	uint8_t sum[DIGEST_SHA256_LEN];
	struct search *s = calloc(1, sizeof *s);
	int got = s ? digest_sha256(view_str(path), sum) : FG_ENOMEM;
	*ret = (struct tufrepo_entry){ .found = false };
	if (!got) {
		hex_encode(sum, sizeof sum, s->path_hash);
		s->r = r;
		s->path = path;
		s->entry = ret;
		r->fault = (struct tufrepo_fault){ .finding = FINDING_LIMIT };
		got = start(s);
	}
	if (got >= 0 && got != TUFREPO_BROKEN && !ret->found)
		tufrepo_broken(r, SIG_INVALID, FINDING_LIMIT, "no role to which %s is delegated lists it", path);
	free(s);
	return got < 0 ? got : 0;
}
