/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/meta.h"

#include <stdio.h>

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_meta_get(struct db *db, const char *key, char *dst, size_t cap)
{
	struct db_query q;
	db_query(&q, db, "SELECT value FROM meta WHERE key = ?");
	db_put_text(&q, key);
	int r = db_first(&q);
	if (r)
		return r;
	struct view v = db_get_view(&q);
	if (v.n >= cap) {
		db_done(&q);
		return db_fail(db, FG_ELIMIT, "the value is longer than its reader allows");
	}
	if (v.n)
		memcpy(dst, v.p, v.n);
	dst[v.n] = '\0';
	return db_done(&q);
}

int
db_meta_set(struct db *db, const char *key, const char *value)
{
	struct db_query q;
	if (strnlen(value, DB_META_VALUE_MAX) == DB_META_VALUE_MAX)
		return db_fail(db, FG_ELIMIT, "the value is too long");
	db_query(&q, db, "INSERT INTO meta (key, value) VALUES (?, ?)"
			 " ON CONFLICT (key) DO UPDATE SET value = excluded.value");
	db_put_text(&q, key);
	db_put_text(&q, value);
	return db_run(&q, NULL);
}

int
db_meta_get_u64(struct db *db, const char *key, uint64_t *ret)
{
	char text[DB_META_VALUE_MAX];
	uint64_t n = 0;
	int r = db_meta_get(db, key, text, sizeof text);
	if (r)
		return r;
	bool ok = text[0] != '\0';
	for (const char *p = text; ok && *p; p++)
		ok = *p >= '0' && *p <= '9' && !__builtin_mul_overflow(n, (uint64_t)10, &n) &&
		    !__builtin_add_overflow(n, (uint64_t)(*p - '0'), &n);
	if (!ok)
		return db_fail(db, FG_EFORMAT, "the value is not a number");
	*ret = n;
	return 0;
}

int
db_meta_set_u64(struct db *db, const char *key, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	return db_meta_set(db, key, text);
}

int
db_meta_log_get(struct db *db, struct db_log_head *ret)
{
	struct db_query q;
	struct db_log_head head;
	db_query(&q, db, "SELECT size, root FROM log_head WHERE one = 1");
	int r = db_first(&q);
	if (r)
		return r;
	head.size = db_get_u64(&q);
	db_get_blob(&q, head.root, sizeof head.root);
	r = db_done(&q);
	if (!r)
		*ret = head;
	return r;
}

int
db_meta_log_set(struct db *db, const struct db_log_head *head)
{
	struct db_query q;
	int changes = 0;
	/* Forward only, in one statement: what is remembered is the evidence against a shorter log. */
	db_query(&q, db, "INSERT INTO log_head (one, size, root) VALUES (1, ?, ?)"
			 " ON CONFLICT (one) DO UPDATE SET size = excluded.size, root = excluded.root"
			 " WHERE excluded.size > size OR (excluded.size = size AND excluded.root = root)");
	db_put_u64(&q, head->size);
	db_put_sha256(&q, head->root);
	int r = db_run(&q, &changes);
	if (!r && changes == 0)
		return db_fail(db, FG_ESTATE, "the log head is behind or beside the one remembered");
	return r;
}
