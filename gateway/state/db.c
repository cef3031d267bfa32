/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state/db.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/state/db_private.h"
#include "gateway/state/migrations.h"

#define APPLICATION_ID 0x46474442 /* "FGDB": tells our files from others */
#define BUSY_MS 2000              /* a backup reading at the side; control's loop waits no longer */
#define CACHE_MAX 160             /* more than there are statements in this folder */
#define LENGTH_MAX (1 << 20)      /* one value; the largest is a release record */

struct db {
	sqlite3 *handle;
	unsigned depth;   /* of db_begin() */
	bool lingers;     /* the write-ahead log may hold what was forgotten */
	bool broken;      /* an inner rollback: the whole must not be committed */
	unsigned schema;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} cache[CACHE_MAX];
	unsigned cache_n;
	char why[256];
};

/* ---- failing ---- */

int
db_fail(struct db *db, int err, const char *why)
{
	snprintf(db->why, sizeof db->why, "%s", why);
	return err;
}

/* What SQLite said, as one of ours. */
static int
failed(struct db *db)
{
	int code = sqlite3_extended_errcode(db->handle);
	db_fail(db, 0, sqlite3_errmsg(db->handle));
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return FG_EEXIST;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return FG_ENOTFOUND;
	case SQLITE_TOOBIG:
		return FG_ELIMIT;
	default:
		return (code & 0xff) == SQLITE_NOMEM ? FG_ENOMEM : FG_EIO;
	}
}

const char *
db_why(const struct db *db)
{
	return db->why[0] ? db->why : "no failure";
}

/* ---- statements ---- */

static sqlite3_stmt *
prepare(struct db *db, const char *sql, unsigned flags)
{
	sqlite3_stmt *s = NULL;
	return sqlite3_prepare_v3(db->handle, sql, -1, flags, &s, NULL) == SQLITE_OK ? s : NULL;
}

void
db_query(struct db_query *q, struct db *db, const char *sql)
{
	*q = (struct db_query){ .db = db };
	if (db->depth && sqlite3_get_autocommit(db->handle)) {
		/* SQLite gave the transaction up (disk full): what follows must not be committed alone. */
		q->err = FG_EIO;
		return;
	}
	unsigned i = 0;
	while (i < db->cache_n && db->cache[i].sql != sql)
		i++;
	if (i < db->cache_n && !sqlite3_stmt_busy(db->cache[i].statement)) {
		q->statement = db->cache[i].statement;
		q->cached = true;
		return;
	}
	q->cached = i == db->cache_n && i < CACHE_MAX;
	q->statement = prepare(db, sql, q->cached ? SQLITE_PREPARE_PERSISTENT : 0);
	if (!q->statement) {
		q->err = failed(db);
		q->cached = false;
	} else if (q->cached) {
		db->cache[db->cache_n].sql = sql;
		db->cache[db->cache_n++].statement = q->statement;
	}
}

static void
bound(struct db_query *q, int code)
{
	if (code == SQLITE_RANGE || code == SQLITE_MISUSE)
		abort(); /* more values than the statement has places */
	if (code != SQLITE_OK && !q->err)
		q->err = failed(q->db);
}

void
db_put_i64(struct db_query *q, int64_t v)
{
	if (!q->err)
		bound(q, sqlite3_bind_int64(q->statement, ++q->binds, v));
}

void
db_put_u64(struct db_query *q, uint64_t v)
{
	if (v > INT64_MAX && !q->err)
		q->err = db_fail(q->db, FG_ELIMIT, "a number is beyond what the database can hold");
	db_put_i64(q, (int64_t)v);
}

void
db_put_text(struct db_query *q, const char *s)
{
	if (!q->err)
		bound(q, sqlite3_bind_text(q->statement, ++q->binds, s, -1, SQLITE_STATIC));
}

void
db_put_blob(struct db_query *q, const void *p, size_t n)
{
	if (!q->err)
		bound(q, sqlite3_bind_blob64(q->statement, ++q->binds, p, n, SQLITE_STATIC));
}

void
db_put_id(struct db_query *q, const uint8_t *id)
{
	db_put_blob(q, id, DB_ID);
}

void
db_put_sha256(struct db_query *q, const uint8_t *sha256)
{
	db_put_blob(q, sha256, DIGEST_SHA256_LEN);
}

int
db_step(struct db_query *q)
{
	if (q->err)
		return q->err;
	q->columns = 0;
	int code = sqlite3_step(q->statement);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		q->err = failed(q->db);
	return q->err;
}

/* ---- columns ---- */

static void
damaged(struct db_query *q)
{
	if (!q->err)
		q->err = db_fail(q->db, FG_EIO, "a stored value is not of its column's form");
}

int64_t
db_get_i64(struct db_query *q)
{
	return sqlite3_column_int64(q->statement, q->columns++);
}

static uint64_t
up_to(struct db_query *q, uint64_t max)
{
	int64_t v = db_get_i64(q);
	if (v >= 0 && (uint64_t)v <= max)
		return (uint64_t)v;
	damaged(q);
	return 0;
}

uint64_t
db_get_u64(struct db_query *q)
{
	return up_to(q, INT64_MAX);
}

uint32_t
db_get_u32(struct db_query *q)
{
	return (uint32_t)up_to(q, UINT32_MAX);
}

uint8_t
db_get_u8(struct db_query *q)
{
	return (uint8_t)up_to(q, UINT8_MAX);
}

bool
db_get_bool(struct db_query *q)
{
	return up_to(q, 1) == 1;
}

void
db_get_text(struct db_query *q, char *dst, size_t cap)
{
	int column = q->columns++;
	const char *s = (const char *)sqlite3_column_text(q->statement, column);
	size_t n = (size_t)sqlite3_column_bytes(q->statement, column);
	dst[0] = '\0';
	if (!s)
		return;
	if (n >= cap || memchr(s, '\0', n)) {
		damaged(q);
		return;
	}
	memcpy(dst, s, n);
	dst[n] = '\0';
}

struct view
db_get_view(struct db_query *q)
{
	int column = q->columns++;
	const void *p = sqlite3_column_blob(q->statement, column);
	return view_of(p, p ? (size_t)sqlite3_column_bytes(q->statement, column) : 0);
}

bool
db_get_blob(struct db_query *q, void *dst, size_t n)
{
	struct view v = db_get_view(q);
	memset(dst, 0, n);
	if (!v.p)
		return false;
	if (v.n != n) {
		damaged(q);
		return false;
	}
	memcpy(dst, v.p, n);
	return true;
}

int
db_done(struct db_query *q)
{
	if (q->statement && q->cached) {
		sqlite3_reset(q->statement);
		sqlite3_clear_bindings(q->statement);
	} else {
		sqlite3_finalize(q->statement);
	}
	q->statement = NULL;
	return q->err;
}

int
db_run(struct db_query *q, int *ret_changes)
{
	int r;
	while ((r = db_step(q)) > 0)
		;
	if (r == 0 && ret_changes)
		*ret_changes = sqlite3_changes(q->db->handle);
	return db_done(q);
}

int
db_first(struct db_query *q)
{
	int r = db_step(q);
	if (r > 0)
		return 0;
	db_done(q);
	return r ? r : db_fail(q->db, FG_ENOTFOUND, "no such row");
}

int
db_exec(struct db *db, const char *sql)
{
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db);
}

int
db_forget(struct db *db)
{
	db->lingers = true;
	if (db->depth)
		return 0;
	int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db->lingers = code != SQLITE_OK;
	return code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED ? 0 : failed(db);
}

int
db_settle(struct db *db)
{
	return db_forget(db);
}

bool
db_lingers(const struct db *db)
{
	return db->lingers;
}

uint64_t
db_last_id(const struct db *db)
{
	return (uint64_t)sqlite3_last_insert_rowid(db->handle);
}

unsigned
db_limit(unsigned limit)
{
	return limit == 0 || limit > DB_PAGE_MAX ? DB_PAGE_MAX : limit;
}

/* ---- transactions ---- */

int
db_begin(struct db *db)
{
	if (db->depth == 0) {
		/* Takes the write lock now: a transaction that began can be carried through. */
		int r = db_exec(db, "BEGIN IMMEDIATE");
		if (r)
			return r;
		db->broken = false;
	}
	db->depth++;
	return 0;
}

static void
undo(struct db *db)
{
	/* After some failures (disk full) SQLite has rolled back already. */
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int
db_commit(struct db *db)
{
	if (db->depth == 0)
		abort();
	if (--db->depth > 0)
		return db->broken ? FG_ESTATE : 0;
	if (db->broken) {
		undo(db);
		return FG_ESTATE;
	}
	if (sqlite3_get_autocommit(db->handle))
		return FG_EIO; /* db_why() still has the failure that ended it */
	int r = db_exec(db, "COMMIT");
	if (r)
		undo(db);
	return r;
}

void
db_rollback(struct db *db)
{
	if (db->depth == 0)
		abort();
	db->broken = true;
	if (--db->depth == 0)
		undo(db);
}

int
db_end(struct db *db, int r)
{
	if (r == 0)
		return db_commit(db);
	db_rollback(db);
	return r;
}

/* ---- copying ---- */

#define COPY_SUFFIX ".copy"
#define COPY_PATH_MAX 4096

static int
copy_pages(struct db *db, const char *path)
{
	sqlite3 *to = NULL;
	int code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW, NULL);
	/* Whoever takes the copy away makes it durable; here it is never found again. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
	sqlite3_backup *b = code == SQLITE_OK ? sqlite3_backup_init(to, "main", db->handle, "main") : NULL;
	if (b) {
		(void)sqlite3_backup_step(b, -1);
		code = sqlite3_backup_finish(b);
	} else if (code == SQLITE_OK) {
		code = sqlite3_errcode(to);
	}
	if (code != SQLITE_OK)
		db_fail(db, 0, to ? sqlite3_errmsg(to) : sqlite3_errstr(code));
	sqlite3_close(to);
	return code == SQLITE_OK ? FG_OK : code == SQLITE_NOMEM ? FG_ENOMEM : FG_EIO;
}

int
db_copy(struct db *db, int *ret_fd)
{
	char path[COPY_PATH_MAX];
	const char *own = sqlite3_db_filename(db->handle, "main");
	if (db->depth)
		return db_fail(db, FG_ESTATE, "a change is under way");
	if (!own || snprintf(path, sizeof path, "%s" COPY_SUFFIX, own) >= (int)sizeof path)
		return db_fail(db, FG_EIO, "the database has no path, or one too long");
	unlink(path); /* of a copy that a crash cut short */
	int err = copy_pages(db, path);
	int fd = err ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	unlink(path);
	if (!err && fd < 0)
		err = db_fail(db, FG_EIO, "the copy cannot be read");
	if (!err)
		*ret_fd = fd;
	return err;
}

/* ---- opening ---- */

static int
pragma_number(struct db *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *s = prepare(db, sql, 0);
	int r = 0;
	if (s && sqlite3_step(s) == SQLITE_ROW)
		*ret = sqlite3_column_int64(s, 0);
	else
		r = failed(db);
	sqlite3_finalize(s);
	return r;
}

static int
migrate_one(struct db *db, const struct migration *m)
{
	char mark[64];
	int r = db_begin(db);
	if (r)
		return r;
	r = db_exec(db, m->sql);
	/* Inside the transaction: the number and what it stands for arrive together. */
	snprintf(mark, sizeof mark, "PRAGMA user_version = %u", m->number);
	if (!r)
		r = db_exec(db, mark);
	return db_end(db, r);
}

static int
migrate(struct db *db)
{
	int64_t id = 0, version = 0, tables = 0;
	char text[160];
	int r = pragma_number(db, "PRAGMA application_id", &id);
	if (!r)
		r = pragma_number(db, "PRAGMA user_version", &version);
	if (!r)
		r = pragma_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r)
		return r;
	if (id != APPLICATION_ID && (id || version || tables))
		return db_fail(db, FG_ESTATE, "this is the database of another program");
	if (version < 0 || version > (int64_t)migrations_newest()) {
		snprintf(text, sizeof text,
		    "the database was written by a newer fotagate (schema %lld, this one knows %u): start that one, "
		    "or restore the older database",
		    (long long)version, migrations_newest());
		return db_fail(db, FG_ESTATE, text);
	}
	if (id == 0) {
		snprintf(text, sizeof text, "PRAGMA application_id = %d", APPLICATION_ID);
		r = db_exec(db, text);
	}
	db->schema = (unsigned)version;
	const struct migration *m;
	for (unsigned i = 0; !r && (m = migrations_at(i)) != NULL; i++) {
		if (m->number <= db->schema)
			continue;
		r = migrate_one(db, m);
		if (!r)
			db->schema = m->number;
	}
	return r;
}

static int
set_up(struct db *db)
{
	sqlite3 *h = db->handle;
	sqlite3_busy_timeout(h, BUSY_MS);
	sqlite3_limit(h, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
	/* A database file is input like any other: no code may come out of its schema. */
	if (sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL) != SQLITE_OK)
		return failed(db);
	sqlite3_stmt *s = prepare(db, "PRAGMA journal_mode = WAL", 0);
	int r = 0;
	if (!s || sqlite3_step(s) != SQLITE_ROW)
		r = failed(db);
	else if (strcmp((const char *)sqlite3_column_text(s, 0), "wal") != 0)
		r = db_fail(db, FG_EIO, "the file system does not let SQLite keep a write-ahead log");
	sqlite3_finalize(s);
	/* secure_delete: an erased identity is overwritten; no temporary files in the jail. */
	if (!r)
		r = db_exec(db, "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
				"PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 16777216");
	return r;
}

/*
 * What SQLite recovered may lie in the page cache only: the process before was killed
 * between a write and its sync, or its sync failed, after which the kernel takes the
 * pages for clean. Moved into the database it is written and synced anew. A disk
 * that has no room for that is no reason not to start.
 */
static int
recovered(struct db *db)
{
	int r = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db->lingers = r != SQLITE_OK;
	return r == SQLITE_OK || r == SQLITE_BUSY || (r & 0xff) == SQLITE_FULL ? 0 : failed(db);
}

int
db_open(const char *path, struct db **ret, char *ret_why, size_t cap)
{
	struct db *db = calloc(1, sizeof *db);
	if (!db)
		return FG_ENOMEM;
	int r = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL);
	if (!db->handle)
		r = FG_ENOMEM;
	else if (r != SQLITE_OK)
		r = failed(db);
	else
		r = set_up(db);
	if (!r)
		r = recovered(db);
	if (!r)
		r = migrate(db);
	if (r) {
		if (cap)
			snprintf(ret_why, cap, "%s: %s", path, db_why(db));
		db_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	for (unsigned i = 0; i < db->cache_n; i++)
		sqlite3_finalize(db->cache[i].statement);
	sqlite3_close(db->handle);
	free(db);
}

unsigned
db_schema(const struct db *db)
{
	return db->schema;
}
