/* SPDX-License-Identifier: Apache-2.0 */
/* statement - who handed in which signed statement; the bytes are files (files.h). */
#ifndef FG_GATEWAY_STATE_STATEMENT_H
#define FG_GATEWAY_STATE_STATEMENT_H

#include "gateway/state/db.h"

#define DB_STATEMENTS_MAX 64 /* for one candidate; RELEASE_STATEMENTS_MAX can count */

enum db_statement_state { DB_STATEMENT_OUTDATED = 0, DB_STATEMENT_COUNTED };

struct db_statement {
	uint64_t candidate;
	uint8_t sha256[DIGEST_SHA256_LEN];
	char approver[DB_WHO_MAX];
	int64_t submitted;
	uint32_t uid;
	enum db_statement_state state;
};

/* FG_ENOTFOUND: no such candidate. FG_EEXIST: handed in before. FG_ELIMIT. */
int db_statement_add(struct db *db, const struct db_statement *s);
/* In order of submission. */
int db_statement_list(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_statement *s),
    void *arg);
/* Image, report, policy or scope changed: those of a candidate (of one approver, or NULL: all) no longer count. */
int db_statement_outdate(struct db *db, uint64_t candidate, const char *approver, unsigned *ret_n);
/* Distinct approvers whose statements are counted. For display: only the warden's count permits. */
int db_statement_count(struct db *db, uint64_t candidate, unsigned *ret);

#endif
