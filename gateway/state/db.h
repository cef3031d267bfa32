/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db - control's memory between starts: one database, typed queries beside it.
 * Role: only control opens it (the supervisor made the folder); every query is
 * a function db_<noun>_<verb>() declared in gateway/state/<noun>.h; no SQL leaves
 * this folder and no header names a backend, so that another one can stand
 * behind the same functions. The log wins over what is stored here.
 * Guarantees: a commit that returned 0 is on disk; a failed one left nothing;
 * prepared statements and bound values only. Not for threads.
 *
 * Every query: 0; FG_EIO (db_why() says what: full disk, damage, locked);
 * FG_ENOMEM; and what its own comment names. Strings that do not fit their
 * column or hold no text are the caller's mistake: they come from fixed arrays.
 * Callbacks: 0 goes on, any other value stops and is returned. What they are
 * given is borrowed until they return; they may query, not write.
 */
#ifndef FG_GATEWAY_STATE_DB_H
#define FG_GATEWAY_STATE_DB_H

#include "crypto/digest.h"
#include "crypto/signers.h"
#include "crypto/view.h"

/* Sizes with terminator; those of gateway/wire/msg.h, from where the texts come. */
#define DB_NAME_MAX 64
#define DB_VERSION_MAX 96
#define DB_TAGS_MAX 128 /* TAGS_MAX */
#define DB_URL_MAX 1024
#define DB_TEXT_MAX 512
#define DB_IDENT_MAX 129
#define DB_WORD_MAX 16 /* states and kinds, e.g. lifecycle_state_name() */
#define DB_WHO_MAX SIGNERS_PRINCIPAL_MAX
#define DB_ID 16       /* pseudonyms, releases, resources */
#define DB_LIST_MAX 16 /* MSG_FROM_MAX */
#define DB_PAGE_MAX 1000 /* rows a list call hands out at most: answers fit a memfd and a moment */

struct db;

/*
 * Opens (makes if absent) and migrates the database at path. FG_ESTATE when it
 * was written by a newer program or is not ours; ret_why then, and for FG_EIO, holds
 * a sentence.
 */
int db_open(const char *path, struct db **ret, char *ret_why, size_t cap);
void db_close(struct db *db);
/*
 * One write transaction. They nest: only the outermost commits, and a rollback
 * anywhere inside makes that commit roll back and return FG_ESTATE. A write
 * outside any transaction is one of its own.
 */
int db_begin(struct db *db);
/* 0, or the reason why everything since the outermost db_begin() is undone. */
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* Ends a transaction by how it went: commits when r is 0, else rolls back and returns r. */
int db_end(struct db *db, int r);
/*
 * A consistent copy of the whole database, as a read-only file that has no name any more;
 * the caller closes it. Takes as long as writing it takes. FG_ESTATE inside a transaction.
 */
int db_copy(struct db *db, int *ret_fd);
/* The last failure in words. Never NULL; lives until the next call. */
const char *db_why(const struct db *db);
/* Number of the last migration that ran here. */
/* May the write-ahead log still hold rows that were forgotten? Also after a start, until it was emptied once. */
bool db_lingers(const struct db *db);
/* Tries once more to empty it; 0 also when a reader is still in the way. */
int db_settle(struct db *db);
unsigned db_schema(const struct db *db);

#endif
