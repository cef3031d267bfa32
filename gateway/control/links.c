/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/links.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/inventory.h"
#include "gateway/edge/table.h"
#include "gateway/role/oplog.h"

_Static_assert(LINKS_MAX == TABLE_LINKS_MAX, "a table takes all of them");

struct links {
	struct db *db;
	struct db_link *at; /* in order of module */
	size_t n, cap;
};

static int
room(struct links *l)
{
	if (l->n == LINKS_MAX)
		return FG_ELIMIT;
	if (l->n < l->cap)
		return FG_OK;
	size_t cap = l->cap ? l->cap * 2 : 64;
	struct db_link *at = reallocarray(l->at, cap, sizeof *at);
	if (!at)
		return FG_ENOMEM;
	l->at = at;
	l->cap = cap;
	return FG_OK;
}

static int
load(void *arg, const struct db_link *link)
{
	struct links *l = arg;
	int err = room(l);
	if (!err)
		l->at[l->n++] = *link;
	return err;
}

int
links_new(struct db *db, struct links **ret)
{
	struct links *l = calloc(1, sizeof *l);
	if (!l)
		return FG_ENOMEM;
	l->db = db;
	int err = db_link_list(db, load, l);
	if (err) {
		links_free(l);
		return err;
	}
	*ret = l;
	return FG_OK;
}

void
links_free(struct links *l)
{
	if (!l)
		return;
	free(l->at);
	free(l);
}

size_t
links_count(const struct links *l)
{
	return l->n;
}

const struct db_link *
links_at(const struct links *l, size_t i)
{
	return i < l->n ? &l->at[i] : NULL;
}

int
links_add(struct links *l, const struct db_link *link)
{
	int err = room(l);
	if (!err)
		err = db_link_add(l->db, link);
	if (err)
		return err;
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (memcmp(l->at[mid].module, link->module, sizeof link->module) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	memmove(&l->at[low + 1], &l->at[low], (l->n - low) * sizeof *l->at);
	l->at[low] = *link;
	l->n++;
	return FG_OK;
}

void
links_prune(struct links *l, const struct inventory *inv, int64_t now)
{
	size_t kept = 0;
	bool ended = false;
	for (size_t i = 0; i < l->n; i++) {
		bool over = l->at[i].not_after < now - LINKS_KEEP_S;
		ended |= over;
		if (!over && inventory_by_pseudonym(inv, l->at[i].module))
			l->at[kept++] = l->at[i];
	}
	l->n = kept;
	if (ended && db_link_trim(l->db, now - LINKS_KEEP_S))
		oplog(OPLOG_WARNING, "short URLs that ended could not be forgotten: %s", db_why(l->db));
}
