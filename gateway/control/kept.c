/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/kept.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"

_Static_assert(DB_KEPT_PART_MAX == FILES_PART_CAP, "a row holds the name of a part");

static void
drop(struct control *c, const struct db_kept *k)
{
	/* The row first: a part without a row is swept, a row without a part is found out. */
	(void)db_kept_drop(c->db, k->resource);
	files_part_drop(c->files, k->part);
}

/* ---- limits ---- */

struct pick {
	const uint8_t *but;
	int64_t before;
	const struct fetches *fetches;
	unsigned n;
	bool found;
	struct db_kept row;
};

static int
pick_one(void *arg, const struct db_kept *k)
{
	struct pick *p = arg;
	p->n++;
	if (p->found || k->at >= p->before || (p->but && !memcmp(k->resource, p->but, sizeof k->resource)) ||
	    fetches_busy(p->fetches, k->resource))
		return 0;
	p->found = true;
	p->row = *k;
	return 0;
}

bool
kept_drop_oldest(struct control *c, const uint8_t *resource)
{
	struct pick p = { .but = resource, .before = INT64_MAX, .fetches = c->fetches };
	if (db_kept_list(c->db, pick_one, &p) || !p.found)
		return false;
	drop(c, &p.row);
	return true;
}

static unsigned
count(struct control *c)
{
	struct pick p = { .before = INT64_MIN, .fetches = c->fetches };
	return db_kept_list(c->db, pick_one, &p) ? 0 : p.n;
}

/* ---- one ---- */

int
kept_policy(const struct policy *p, uint8_t ret[DIGEST_SHA256_LEN])
{
	uint8_t both[2 * DIGEST_SHA256_LEN];
	memcpy(both, p->digest, DIGEST_SHA256_LEN);
	int err = digest_sha256(p->ca, both + DIGEST_SHA256_LEN);
	return err ? err : digest_sha256(view_of(both, sizeof both), ret);
}

int
kept_open(struct control *c, const uint8_t resource[MSG_ID], const uint8_t policy[DIGEST_SHA256_LEN],
    struct files_part *ret, struct msg_kept *ret_kept)
{
	struct db_kept k;
	if (db_kept_get(c->db, resource, &k))
		return FG_ENOTFOUND;
	/* Under other pins or another CA the same server might not have been heard. */
	int fd = memcmp(k.policy, policy, sizeof k.policy) ? FG_ENOTFOUND : files_part_open(c->files, k.part);
	if (fd < 0) {
		drop(c, &k);
		return FG_ENOTFOUND;
	}
	snprintf(ret->name, sizeof ret->name, "%s", k.part);
	ret->fd = fd;
	*ret_kept = (struct msg_kept){ .bytes = k.bytes, .total = k.total };
	memcpy(ret_kept->sha256, k.sha256, sizeof ret_kept->sha256);
	snprintf(ret_kept->validator, sizeof ret_kept->validator, "%s", k.validator);
	return FG_OK;
}

int
kept_put(struct control *c, const uint8_t resource[MSG_ID], const uint8_t policy[DIGEST_SHA256_LEN],
    const struct files_part *part, const struct msg_kept *kept, uint64_t max)
{
	struct stat st;
	if (fstat(part->fd, &st))
		return FG_EIO;
	if (kept->bytes > max || kept->bytes > (uint64_t)st.st_size)
		return FG_EPEER;
	struct db_kept k = { .bytes = kept->bytes, .total = kept->total, .at = control_now(c) };
	memcpy(k.resource, resource, sizeof k.resource);
	memcpy(k.sha256, kept->sha256, sizeof k.sha256);
	memcpy(k.policy, policy, sizeof k.policy);
	snprintf(k.part, sizeof k.part, "%s", part->name);
	snprintf(k.validator, sizeof k.validator, "%s", kept->validator);
	int err = db_kept_put(c->db, &k);
	while (!err && count(c) > KEPT_MAX && kept_drop_oldest(c, resource))
		;
	return err;
}

void
kept_release(struct control *c, const uint8_t resource[MSG_ID])
{
	(void)db_kept_drop(c->db, resource);
}

/* ---- all ---- */

void
kept_tidy(struct control *c)
{
	struct pick p = { .before = control_now(c) - KEPT_SECONDS, .fetches = c->fetches };
	if (db_kept_list(c->db, pick_one, &p))
		return;
	/* One in a minute's turn: unlinking a large one takes a moment. */
	if (p.found)
		drop(c, &p.row);
}

struct names {
	char part[KEPT_MAX * 2][FILES_PART_CAP];
	size_t n;
};

static int
add_name(void *arg, const struct db_kept *k)
{
	struct names *l = arg;
	if (l->n < sizeof l->part / sizeof l->part[0])
		snprintf(l->part[l->n++], sizeof l->part[0], "%s", k->part);
	return 0;
}

static bool
is_kept(void *arg, const char *name)
{
	const struct names *l = arg;
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->part[i], name))
			return true;
	}
	return false;
}

int
kept_sweep(struct control *c)
{
	struct names names = { .n = 0 };
	unsigned swept = 0;
	int err = db_kept_list(c->db, add_name, &names);
	return err ? err : files_parts_sweep(c->files, is_kept, &names, &swept);
}
