/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/link.h"

#include "crypto/err.h"
#include "gateway/state/db_private.h"

int
db_link_add(struct db *db, const struct db_link *l)
{
	struct db_query q;
	int changes = 0;
	db_query(&q, db, "INSERT INTO link (digest, module, release_id, profile, created, not_after) VALUES (?,?,?,?,?,?)"
			 " ON CONFLICT (digest) DO NOTHING");
	db_put_sha256(&q, l->digest);
	db_put_id(&q, l->module);
	db_put_id(&q, l->release);
	db_put_text(&q, l->profile);
	db_put_i64(&q, l->created);
	db_put_i64(&q, l->not_after);
	int r = db_run(&q, &changes);
	return r ? r : changes ? FG_OK : FG_EEXIST;
}

int
db_link_list(struct db *db, int (*each)(void *arg, const struct db_link *l), void *arg)
{
	struct db_query q;
	int said = 0;
	db_query(&q, db, "SELECT digest, module, release_id, profile, created, not_after FROM link"
			 " ORDER BY module, created, digest");
	while (said == 0 && db_step(&q) > 0) {
		struct db_link l = { 0 };
		db_get_blob(&q, l.digest, sizeof l.digest);
		db_get_blob(&q, l.module, sizeof l.module);
		db_get_blob(&q, l.release, sizeof l.release);
		db_get_text(&q, l.profile, sizeof l.profile);
		l.created = db_get_i64(&q);
		l.not_after = db_get_i64(&q);
		said = q.err ? 0 : each(arg, &l);
	}
	int r = db_done(&q);
	return r ? r : said;
}

int
db_link_trim(struct db *db, int64_t ended_before)
{
	struct db_query q;
	db_query(&q, db, "DELETE FROM link WHERE not_after < ?");
	db_put_i64(&q, ended_before);
	return db_run(&q, NULL);
}
