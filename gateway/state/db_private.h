/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_private - what the queries of this folder are written with: a statement
 * taken from the cache, values bound in order, columns read in order, errors
 * kept until the end. Nothing of it is for other folders.
 */
#ifndef FG_GATEWAY_STATE_DB_PRIVATE_H
#define FG_GATEWAY_STATE_DB_PRIVATE_H

#include <sqlite3.h>

#include "gateway/state/db.h"

struct db_query {
	struct db *db;
	sqlite3_stmt *statement;
	bool cached; /* goes back instead of being finalised */
	int binds, columns;
	int err;     /* first failure; db_step() returns it */
};

/*
 * Begins a query. sql must be a constant of the program: the cache knows it by
 * its address. A statement that is running already (a callback that asks the same
 * again) gets a copy.
 */
void db_query(struct db_query *q, struct db *db, const char *sql);
/* Bind the next parameter. What is pointed to must live until db_done(). */
void db_put_i64(struct db_query *q, int64_t v);
void db_put_u64(struct db_query *q, uint64_t v); /* above 2^63 is FG_ELIMIT */
void db_put_text(struct db_query *q, const char *s); /* NULL is SQL NULL */
void db_put_blob(struct db_query *q, const void *p, size_t n);
void db_put_id(struct db_query *q, const uint8_t *id);       /* DB_ID bytes; NULL is SQL NULL */
void db_put_sha256(struct db_query *q, const uint8_t *sha256); /* likewise */
/* 1: a row; 0: no more; or an error. */
int db_step(struct db_query *q);
/* Read the next column. What does not fit its place is damage: the next db_step() or db_done() says FG_EIO. */
int64_t db_get_i64(struct db_query *q);
uint64_t db_get_u64(struct db_query *q);
uint32_t db_get_u32(struct db_query *q);
uint8_t db_get_u8(struct db_query *q);
bool db_get_bool(struct db_query *q);
void db_get_text(struct db_query *q, char *dst, size_t cap);
/* False, dst zeroed, for SQL NULL. */
bool db_get_blob(struct db_query *q, void *dst, size_t n);
struct view db_get_view(struct db_query *q); /* borrowed until the next step */
/* Ends the query; the first error, or 0. Every db_query() has one. */
int db_done(struct db_query *q);
/* Steps to the end and ends: for writes. ret_changes may be NULL. */
int db_run(struct db_query *q, int *ret_changes);
/* Steps once: 0 with a row to read, FG_ENOTFOUND or an error, both already ended. */
int db_first(struct db_query *q);
/* Statements without parameters or results, one or several. */
int db_exec(struct db *db, const char *sql);
/*
 * Empties the write-ahead log, so that what was deleted is nowhere any longer.
 * 0 also when a reader holds it up and inside a transaction: db_lingers() says so until db_settle() has done it.
 */
int db_forget(struct db *db);
uint64_t db_last_id(const struct db *db);
/* Notes a reason and returns err. */
int db_fail(struct db *db, int err, const char *why);
unsigned db_limit(unsigned limit); /* 0 or too many: DB_PAGE_MAX */

#endif
