/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/datacost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/err.h"
#include "gateway/control/requests_private.h"
#include "gateway/edge/siphash.h"

#define SLOTS (2 * DATACOST_ROWS_MAX) /* at most half full: probes are short */
#define WALK 65536                    /* grants at a time */

struct cost {
	bool used;
	uint8_t release[DB_ID];
	const char *group; /* the inventory's, or a profile's: nothing changes them during a request */
	uint64_t modules, bytes;
};

struct costs {
	struct control *c;
	uint8_t key[16]; /* group names are an operator's, and identities the network's */
	struct cost *row; /* SLOTS, by hash */
	size_t n;
	uint64_t other; /* bytes beyond DATACOST_ROWS_MAX rows */
};

static const char *
group_of(struct control *c, const uint8_t module[DB_ID])
{
	const struct inventory_module *m = inventory_by_pseudonym(c->inventory, module);
	if (!m)
		return "";
	const char *own = inventory_group(m);
	const struct policy *p = own[0] ? NULL : policies_find(c->policies, m->profile);
	return own[0] || !p ? own : p->profile->default_group;
}

static void
add(struct cost *row, uint64_t bytes)
{
	row->modules++;
	if (__builtin_add_overflow(row->bytes, bytes, &row->bytes))
		row->bytes = UINT64_MAX;
}

static void
count_one(void *arg, const struct db_grant *what, struct grants_fate *fate)
{
	struct costs *k = arg;
	const char *group = group_of(k->c, what->module);
	uint8_t both[DB_ID + DB_NAME_MAX];
	size_t n = strnlen(group, DB_NAME_MAX);
	(void)fate;
	memcpy(both, what->release, DB_ID);
	memcpy(both + DB_ID, group, n);
	size_t i = (size_t)(siphash_24(k->key, view_of(both, DB_ID + n)) % SLOTS);
	while (k->row[i].used && (memcmp(k->row[i].release, what->release, DB_ID) != 0 || strcmp(k->row[i].group, group) != 0))
		i = (i + 1) % SLOTS;
	if (!k->row[i].used && k->n == DATACOST_ROWS_MAX) {
		k->other += what->bytes;
		return;
	}
	if (!k->row[i].used) {
		k->row[i] = (struct cost){ .used = true, .group = group };
		memcpy(k->row[i].release, what->release, DB_ID);
		k->n++;
	}
	add(&k->row[i], what->bytes);
}

static int
dearest(const void *a, const void *b)
{
	const struct cost *x = a, *y = b;
	if (x->used != y->used)
		return x->used ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	int d = memcmp(x->release, y->release, DB_ID);
	return d || !x->used ? d : strcmp(x->group, y->group);
}

static void
put_cost(struct costs *k, struct jsonw *j, const struct cost *row, struct db_candidate *cand)
{
	char review[DB_REVIEW_CAP] = "";
	if (db_candidate_by_release(k->c->db, row->release, cand) == FG_OK)
		db_candidate_review(cand->id, review);
	jsonw_object(j);
	jsonw_kuint(j, "bytes", row->bytes);
	requests_put_text(j, "group", row->group);
	jsonw_kuint(j, "modules", row->modules);
	jsonw_khex(j, "release", row->release, DB_ID);
	jsonw_kcstr(j, "review", review);
	jsonw_object_end(j);
}

int
datacost_put(struct control *c, struct jsonw *j)
{
	struct costs k = { .c = c, .row = calloc(SLOTS, sizeof *k.row) };
	struct db_candidate *cand = calloc(1, sizeof *cand);
	size_t at = 0;
	int err = k.row && cand ? FG_OK : FG_ENOMEM;
	if (!err && getrandom(k.key, sizeof k.key, 0) != (ssize_t)sizeof k.key)
		err = FG_EIO;
	if (!err) {
		while (grants_walk(c->grants, &at, WALK, count_one, &k))
			;
		qsort(k.row, SLOTS, sizeof *k.row, dearest);
		jsonw_key(j, "data");
		jsonw_array(j);
		for (size_t i = 0; i < k.n; i++)
			put_cost(&k, j, &k.row[i], cand);
		jsonw_array_end(j);
		jsonw_kuint(j, "data_other", k.other);
	}
	free(cand);
	free(k.row);
	return err;
}
