/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/tables.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/control/inventory.h"
#include "gateway/control/links.h"
#include "gateway/wire/memfd.h"
#include "policy/scope.h"

static int
add_module(struct table_builder *b, const struct inventory_module *m)
{
	struct table_module row = {
		.group = inventory_group(m),
		.product = m->product,
		.version = m->sure, /* what a module claims, the edge reads from that request itself */
		.held = m->held,
		.listed = m->listed,
		.first_seen = m->first_seen,
		.placed = m->placed,
		.idents_n = m->idents_n,
	};
	memcpy(row.pseudonym, m->pseudonym, sizeof row.pseudonym);
	for (unsigned i = 0; i < m->idents_n; i++) {
		row.ident[i].kind = m->ident[i].kind;
		row.ident[i].cls = m->ident[i].cls;
		row.ident[i].text = view_str(m->ident[i].text);
	}
	return table_builder_module(b, &row);
}

/* The first link whose module is not lower than that one. */
static size_t
first_of(const struct links *links, const uint8_t module[MSG_ID])
{
	size_t low = 0, high = links_count(links);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (memcmp(links_at(links, mid)->module, module, MSG_ID) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Those of a module that was just added: inventory and links are walked side by side. */
static int
add_links(struct table_builder *b, const struct links *links, const struct inventory_module *m, size_t ordinal)
{
	const struct db_link *l;
	int r = 0;
	if (!links)
		return 0;
	for (size_t i = first_of(links, m->pseudonym);
	    !r && (l = links_at(links, i)) != NULL && !memcmp(l->module, m->pseudonym, MSG_ID); i++) {
		struct table_link row = { .not_after = l->not_after, .profile = l->profile, .module = (uint32_t)ordinal };
		memcpy(row.digest, l->digest, sizeof row.digest);
		memcpy(row.release, l->release, sizeof row.release);
		r = table_builder_link(b, &row);
	}
	return r;
}

static bool
ring_has(const struct rollout_open *o, const char *group)
{
	for (unsigned i = 0; i < o->groups_n; i++)
		if (strcmp(o->group[i], group) == 0)
			return true;
	return false;
}

/* One row for each group of the release; where it is for all of them, one more for each group that a ring lets in whole. */
static int
add_groups(struct table_builder *b, const struct tables_release *r, struct table_decision *d)
{
	const struct approval_terms *t = &r->record->terms;
	int err = 0;
	for (uint32_t k = 0; k < t->groups.n && !err; k++) {
		d->group = t->groups.word[k];
		d->share = ring_has(&r->open, d->group) ? ROLLOUT_PLACES : r->open.share;
		err = table_builder_decision(b, d);
	}
	d->share = ROLLOUT_PLACES;
	for (unsigned k = 0; k < r->open.groups_n && !err && approval_list_has(&t->groups, "*"); k++) {
		d->group = r->open.group[k];
		if (!approval_list_has(&t->groups, d->group))
			err = table_builder_decision(b, d);
	}
	return err;
}

/* The rows of a release. */
static int
add_release(struct table_builder *b, const struct tables_release *r)
{
	const struct approval_terms *t = &r->record->terms;
	if (t->decision != APPROVAL_APPROVE || t->from_versions.n == 0 || t->groups.n == 0)
		return FG_EINVAL;
	struct table_decision d = {
		.profile = t->profile,
		.product = t->product,
		.target = t->target,
		.not_before = t->not_before,
		.not_after = t->not_after,
		.size = r->record->size,
		.last_modified = r->record->issued,
		/* The rollout began with the release. */
		.known_by = r->open.fresh ? SCOPE_WHENEVER : r->record->issued,
		.as_of = r->record->by_standing ? r->record->as_of : SCOPE_WHENEVER,
	};
	memcpy(d.release, r->id, sizeof d.release);
	memcpy(d.resource, t->resource, sizeof d.resource);
	memcpy(d.image, t->image, sizeof d.image);
	for (uint32_t i = 0; i < t->from_versions.n; i++) {
		d.from = t->from_versions.word[i];
		int err = add_groups(b, r, &d);
		if (err)
			return err;
	}
	return 0;
}

/* Takes the builder. */
static int
finish(struct table_builder *b, const struct tables_release *releases, size_t n)
{
	int r = 0, fd = -1;
	for (size_t i = 0; i < n && !r; i++)
		r = releases[i].withheld ? 0 : add_release(b, &releases[i]);
	if (!r) {
		fd = memfd_open("fotagate-table");
		r = fd < 0 ? fd : table_builder_write(b, fd);
	}
	if (!r)
		r = memfd_seal(fd);
	table_builder_free(b);
	if (r && fd >= 0)
		close(fd);
	return r ? r : fd;
}

int
tables_build(const struct inventory *inv, const struct links *links, const struct tables_release *releases, size_t n,
    uint64_t generation)
{
	uint8_t seed[16];
	if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		return FG_EIO;
	struct table_builder *b = table_builder_new(generation, seed, inventory_count(inv));
	if (!b)
		return FG_ENOMEM;
	const struct inventory_module *m;
	for (size_t i = 0; (m = inventory_at(inv, i)) != NULL; i++) {
		int r = add_module(b, m);
		if (!r)
			r = add_links(b, links, m, i);
		if (r) {
			table_builder_free(b);
			return r;
		}
	}
	return finish(b, releases, n);
}

int
tables_redecide(const struct table *from, const struct tables_release *releases, size_t n, uint64_t generation)
{
	if (generation <= table_generation(from))
		return FG_ESTATE;
	struct table_builder *b = table_builder_from(from, generation);
	return b ? finish(b, releases, n) : FG_ENOMEM;
}
