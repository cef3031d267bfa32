/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/scope.h"

enum scope_kind
scope_kind_of(uint32_t max_devices, uint32_t canary_max)
{
	if (max_devices == 0)
		return SCOPE_NONE;
	return max_devices <= canary_max ? SCOPE_CANARY : SCOPE_PRODUCTION;
}

uint32_t
scope_quorum(enum scope_kind kind, const struct profile *p, uint32_t floor)
{
	int64_t wanted = 0;
	if (kind == SCOPE_PRODUCTION)
		wanted = p->quorum;
	else if (kind == SCOPE_CANARY)
		wanted = p->canary_quorum > 0 ? p->canary_quorum : p->quorum;
	if (wanted <= 0 || wanted >= SCOPE_QUORUM_NEVER || floor == 0)
		return SCOPE_QUORUM_NEVER;
	return (uint32_t)wanted > floor ? (uint32_t)wanted : floor;
}

static bool
has(const struct view *list, size_t n, struct view word)
{
	for (size_t i = 0; i < n; i++)
		if (view_is(list[i], SCOPE_ANY) || (word.n > 0 && view_equal(list[i], word)))
			return true;
	return false;
}

/* Named, not merely let in by SCOPE_ANY. */
static bool
names(const struct view *list, size_t n, struct view word)
{
	for (size_t i = 0; i < n; i++)
		if (word.n > 0 && view_equal(list[i], word))
			return true;
	return false;
}

static enum scope_answer
by_version(const struct scope_release *r, const struct scope_module *m, const struct profile *p)
{
	struct view current = m->current_version;
	/* "*" is a wildcard of ours, and a module may say what it likes. */
	if (view_is(current, SCOPE_ANY))
		current = view_of(NULL, 0);
	enum version_relation is = version_compare(p->version_order, current, r->target_version);
	if (is == VERSION_SAME)
		return SCOPE_HOLD_SAME_VERSION;
	if (is == VERSION_NEWER)
		return SCOPE_HOLD_NEWER_VERSION;
	if (r->from_n == 0 || (current.n > 0 && !has(r->from, r->from_n, current)))
		return SCOPE_HOLD_FROM_VERSION;
	/* People signed for exactly this step: no order is needed to know it is meant. */
	if (names(r->from, r->from_n, current) || is == VERSION_OLDER)
		return SCOPE_OFFER;
	/* A delta for named versions must not go to a module that might have another. */
	if (!has(r->from, r->from_n, view_of(NULL, 0)))
		return SCOPE_HOLD_UNKNOWN_VERSION;
	return p->unknown_version == PROFILE_OFFER ? SCOPE_OFFER : SCOPE_HOLD_UNKNOWN_VERSION;
}

/* Whether the profile lets that product go from current (empty: unknown) to target. */
static bool
is_allowed_step(const struct profile *p, struct view product, struct view current, struct view target)
{
	bool about = false;
	for (unsigned i = 0; i < p->steps_n; i++) {
		const struct profile_step *s = &p->steps[i];
		if (s->product[0] != '\0' && !view_is(product, s->product))
			continue;
		about = true;
		bool from = strcmp(s->from, SCOPE_ANY) == 0 || (current.n > 0 && view_is(current, s->from));
		if (from && view_is(target, s->to))
			return true;
	}
	return !about;
}

bool
scope_placed_by(int64_t placed, int64_t as_of)
{
	return as_of == SCOPE_WHENEVER || (placed > 0 && placed <= as_of);
}

bool
scope_in_window(const struct profile *p, struct view group, int64_t earliest, int64_t latest)
{
	const struct window_list *l = &p->windows;
	if (group.n == 0)
		group = view_str(p->default_group);
	if (l->n == 0 && l->blackouts_n == 0)
		return true;
	return latest >= earliest && latest < INT64_MAX && window_close(l, group, earliest, latest + 1) > latest;
}

static enum scope_answer
by_step(const struct scope_release *r, const struct scope_module *m, const struct profile *p)
{
	enum scope_answer answer = by_version(r, m, p);
	if (answer == SCOPE_OFFER && !is_allowed_step(p, m->product, m->current_version, r->target_version))
		return SCOPE_HOLD_STEP;
	return answer;
}

enum scope_answer
scope_version(const struct scope_release *r, struct view product, struct view current, const struct profile *p)
{
	const struct scope_module m = { .product = product, .current_version = current };
	return view_equal(r->product, product) ? by_step(r, &m, p) : SCOPE_HOLD_PRODUCT;
}

bool
scope_covers(const struct scope_release *newer, const struct scope_release *older, const struct profile *p)
{
	if (!view_equal(newer->product, older->product) || older->groups_n == 0 || older->from_n == 0 ||
	    version_compare(p->version_order, older->target_version, newer->target_version) != VERSION_OLDER)
		return false;
	if (newer->as_of < older->as_of)
		return false; /* a module that came between them is in the older one's groups alone */
	for (size_t i = 0; i < older->groups_n; i++)
		if (!has(newer->groups, newer->groups_n, older->groups[i]))
			return false;
	for (size_t i = 0; i < older->from_n; i++) {
		/* Every older version: only what is for every older version, too, and takes no step first. */
		bool any = view_is(older->from[i], SCOPE_ANY);
		struct view from = any ? view_of(NULL, 0) : older->from[i];
		if (!has(newer->from, newer->from_n, older->from[i]) ||
		    !is_allowed_step(p, newer->product, from, newer->target_version))
			return false;
	}
	return true;
}

static enum scope_answer
by_ring(const struct scope_release *r, const struct scope_module *m)
{
	bool fresh = m->first_seen <= 0 || m->first_seen > r->known_by;
	if (fresh && r->known_by != SCOPE_WHENEVER)
		return SCOPE_HOLD_RING;
	return r->share >= ROLLOUT_PLACES || m->place < r->share ? SCOPE_OFFER : SCOPE_HOLD_RING;
}

static enum scope_answer
ask(enum scope_link link, const struct scope_release *r, const struct scope_module *m, const struct profile *p,
    int64_t earliest, int64_t latest)
{
	struct view group = m->group.n > 0 ? m->group : view_str(p->default_group);
	enum scope_answer answer = SCOPE_HOLD;
	switch (link) {
	case SCOPE_LINK_RELEASE:
		return r->valid ? SCOPE_OFFER : SCOPE_HOLD_NO_RELEASE;
	case SCOPE_LINK_HALT:
		return r->halted ? SCOPE_HOLD_HALTED : SCOPE_OFFER;
	case SCOPE_LINK_IDENTITY:
		return m->identified ? SCOPE_OFFER : SCOPE_HOLD_UNIDENTIFIED;
	case SCOPE_LINK_LISTING:
		return m->listed || p->unlisted == PROFILE_OFFER ? SCOPE_OFFER : SCOPE_HOLD_UNLISTED;
	case SCOPE_LINK_HOLD:
		return m->held ? SCOPE_HOLD_MODULE : SCOPE_OFFER;
	case SCOPE_LINK_PRODUCT:
		return m->product.n > 0 && view_equal(r->product, m->product) ? SCOPE_OFFER : SCOPE_HOLD_PRODUCT;
	case SCOPE_LINK_GROUP:
		return has(r->groups, r->groups_n, group) && scope_placed_by(m->placed, r->as_of) ? SCOPE_OFFER : SCOPE_HOLD_GROUP;
	case SCOPE_LINK_DAYS:
		if (earliest < r->not_before)
			return SCOPE_HOLD_EARLY;
		return latest >= r->not_after ? SCOPE_HOLD_LATE : SCOPE_OFFER;
	case SCOPE_LINK_VERSION:
		return by_step(r, m, p);
	case SCOPE_LINK_RING:
		return by_ring(r, m);
	case SCOPE_LINK_WINDOW:
		return scope_in_window(p, group, earliest, latest) ? SCOPE_OFFER : SCOPE_HOLD_WINDOW;
	case SCOPE_LINKS:
		break;
	}
	return answer;
}

enum scope_answer
scope_offer(const struct scope_release *r, const struct scope_module *m, const struct profile *p,
    int64_t earliest, int64_t latest)
{
	enum scope_answer answer = SCOPE_OFFER;
	for (unsigned i = 0; i < SCOPE_LINKS && answer == SCOPE_OFFER; i++)
		answer = ask((enum scope_link)i, r, m, p, earliest, latest);
	return answer;
}

enum scope_answer
scope_chain(const struct scope_release *r, const struct scope_module *m, const struct profile *p,
    int64_t earliest, int64_t latest, enum scope_answer ret[SCOPE_LINKS])
{
	enum scope_answer answer = SCOPE_OFFER;
	for (unsigned i = 0; i < SCOPE_LINKS; i++) {
		ret[i] = ask((enum scope_link)i, r, m, p, earliest, latest);
		if (answer == SCOPE_OFFER)
			answer = ret[i];
	}
	return answer;
}

const char *
scope_link_name(enum scope_link link)
{
	static const char *const names[SCOPE_LINKS] = { "release", "halt", "identity", "listing", "hold", "product", "group",
		"days", "version", "ring", "window" };
	return (unsigned)link < SCOPE_LINKS ? names[link] : "?";
}

static const struct {
	const char *name, *text;
} answers[SCOPE_ANSWERS] = {
	[SCOPE_HOLD] = { "undecided", "Nobody has decided about this module yet." },
	[SCOPE_HOLD_NO_RELEASE] = { "no-release", "No released image answers this request." },
	[SCOPE_HOLD_HALTED] = { "halted", "The gateway is halted; it offers nothing until people sign its resumption." },
	[SCOPE_HOLD_UNIDENTIFIED] = { "unidentified", "The request carries no identity that the profile accepts." },
	[SCOPE_HOLD_UNLISTED] = { "unlisted", "The module is not in the inventory, and the profile holds such modules." },
	[SCOPE_HOLD_MODULE] = { "module-held", "An operator holds this module." },
	[SCOPE_HOLD_PRODUCT] = { "other-product", "The released image is for another product." },
	[SCOPE_HOLD_GROUP] = { "other-group", "The release is for other groups than the module's." },
	[SCOPE_HOLD_EARLY] = { "too-early", "The release is not to be offered before its first day." },
	[SCOPE_HOLD_LATE] = { "too-late", "The release has run out." },
	[SCOPE_HOLD_SAME_VERSION] = { "same-version", "The module already has this version." },
	[SCOPE_HOLD_NEWER_VERSION] = { "newer-version", "The module has a newer version than the released one." },
	[SCOPE_HOLD_FROM_VERSION] = { "other-from-version", "The release does not apply to the module's version." },
	[SCOPE_HOLD_UNKNOWN_VERSION] = { "unknown-version",
	    "The module's version is unknown or cannot be compared, and such modules are held." },
	[SCOPE_HOLD_STEP] = { "other-step", "The profile allows no update of this product from the module's version to that one." },
	[SCOPE_HOLD_RING] = { "ring", "The rollout has not come to this module: its ring is not open." },
	[SCOPE_HOLD_WINDOW] = { "outside-window",
	    "It is outside the profile's maintenance windows for the module's group, or in a blackout." },
	[SCOPE_OFFER] = { "offer", "The release is offered to this module." },
};

const char *
scope_answer_name(enum scope_answer answer)
{
	return answers[(unsigned)answer < SCOPE_ANSWERS ? answer : SCOPE_HOLD].name;
}

const char *
scope_answer_text(enum scope_answer answer)
{
	return answers[(unsigned)answer < SCOPE_ANSWERS ? answer : SCOPE_HOLD].text;
}
