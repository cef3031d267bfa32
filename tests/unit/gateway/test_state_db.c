/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/state/incident.h"
#include "gateway/state/meta.h"
#include "gateway/state/migrations.h"
#include "unit/gateway/state_rig.h"

/* A second pair of hands on the same file, as a backup or an attacker would have. */
static void
by_hand(const struct rig *r, const char *sql)
{
	sqlite3 *h = NULL;
	assert_int_equal(sqlite3_open(r->path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
}

static int64_t
number_by_hand(const struct rig *r, const char *sql)
{
	sqlite3 *h = NULL;
	sqlite3_stmt *s = NULL;
	assert_int_equal(sqlite3_open(r->path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(h);
	return n;
}

static void
test_db_migrations_are_numbered(void **state)
{
	(void)state;
	unsigned n = 0, last = 0;
	/* A number may be left out, but none comes behind a larger one: a database that has that would never get it. */
	for (const struct migration *m; (m = migrations_at(n)) != NULL; n++) {
		assert_true(m->number > last);
		last = m->number;
		assert_non_null(m->what);
		assert_non_null(m->sql);
	}
	assert_int_equal(last, migrations_newest());
}

static void
test_db_migrates_from_empty_once(void **state)
{
	struct rig *r = *state;
	assert_int_equal(db_schema(r->db), migrations_newest());
	assert_int_equal(db_meta_set(r->db, "k", "v"), 0);
	rig_again(r);
	char value[8];
	assert_int_equal(db_schema(r->db), migrations_newest());
	assert_int_equal(db_meta_get(r->db, "k", value, sizeof value), 0);
	assert_string_equal(value, "v");
	assert_int_equal(number_by_hand(r, "PRAGMA user_version"), migrations_newest());
}

static void
test_db_refuses_a_newer_schema(void **state)
{
	struct rig *r = *state;
	char why[256] = "", sql[64];
	struct db *other = NULL;
	db_close(r->db);
	snprintf(sql, sizeof sql, "PRAGMA user_version = %u", migrations_newest() + 1);
	by_hand(r, sql);
	assert_int_equal(db_open(r->path, &other, why, sizeof why), FG_ESTATE);
	assert_null(other);
	assert_non_null(strstr(why, "newer"));
	by_hand(r, "PRAGMA user_version = -1");
	assert_int_equal(db_open(r->path, &other, why, sizeof why), FG_ESTATE);
	snprintf(sql, sizeof sql, "PRAGMA user_version = %u", migrations_newest());
	by_hand(r, sql);
	rig_open(r);
}

static void
test_db_refuses_what_is_not_ours(void **state)
{
	struct rig *r = *state;
	char path[128], why[256] = "";
	struct db *other = NULL;
	struct rig strange = { 0 };
	snprintf(path, sizeof path, "%s/other.db", r->dir);
	snprintf(strange.path, sizeof strange.path, "%s", path);
	by_hand(&strange, "CREATE TABLE somebody (x)");
	assert_int_equal(db_open(path, &other, why, sizeof why), FG_ESTATE);
	assert_non_null(strstr(why, "another program"));
	/* Neither is a file of noise, nor a symbolic link to a good one. */
	snprintf(path, sizeof path, "%s/noise.db", r->dir);
	FILE *f = fopen(path, "w");
	for (unsigned i = 0; i < 1000; i++)
		fputs("not a database ", f);
	fclose(f);
	assert_int_equal(db_open(path, &other, why, sizeof why), FG_EIO);
	assert_true(why[0] != '\0');
	snprintf(path, sizeof path, "%s/link.db", r->dir);
	assert_int_equal(symlink(r->path, path), 0);
	assert_int_equal(db_open(path, &other, why, sizeof why), FG_EIO);
	assert_int_equal(db_open("/nonexistent/state.db", &other, why, sizeof why), FG_EIO);
}

static void
test_db_opened_twice(void **state)
{
	struct rig *r = *state;
	struct db *second = NULL;
	char why[256], value[8];
	assert_int_equal(db_open(r->path, &second, why, sizeof why), 0);
	assert_int_equal(db_meta_set(r->db, "k", "1"), 0);
	assert_int_equal(db_meta_get(second, "k", value, sizeof value), 0);
	assert_string_equal(value, "1");
	/* Two writers do not mix: the second is told, after the named wait. */
	assert_int_equal(db_begin(r->db), 0);
	assert_int_equal(db_meta_set(r->db, "k", "2"), 0);
	assert_int_equal(db_begin(second), FG_EIO);
	assert_non_null(strstr(db_why(second), "locked"));
	assert_int_equal(db_commit(r->db), 0);
	assert_int_equal(db_begin(second), 0);
	assert_int_equal(db_meta_set(second, "k", "3"), 0);
	assert_int_equal(db_commit(second), 0);
	db_close(second);
	assert_int_equal(db_meta_get(r->db, "k", value, sizeof value), 0);
	assert_string_equal(value, "3");
}

static void
test_db_transactions_nest(void **state)
{
	struct rig *r = *state;
	char value[8];
	assert_int_equal(db_begin(r->db), 0);
	assert_int_equal(db_begin(r->db), 0);
	assert_int_equal(db_meta_set(r->db, "a", "1"), 0);
	assert_int_equal(db_commit(r->db), 0);
	db_rollback(r->db);
	assert_int_equal(db_meta_get(r->db, "a", value, sizeof value), FG_ENOTFOUND);
	/* An inner rollback dooms the outer one. */
	assert_int_equal(db_begin(r->db), 0);
	assert_int_equal(db_meta_set(r->db, "a", "1"), 0);
	assert_int_equal(db_begin(r->db), 0);
	assert_int_equal(db_end(r->db, FG_EPERM), FG_EPERM);
	assert_int_equal(db_commit(r->db), FG_ESTATE);
	assert_int_equal(db_meta_get(r->db, "a", value, sizeof value), FG_ENOTFOUND);
	/* And the next one is not touched by it. */
	assert_int_equal(db_begin(r->db), 0);
	assert_int_equal(db_meta_set(r->db, "a", "1"), 0);
	assert_int_equal(db_end(r->db, 0), 0);
	assert_int_equal(db_meta_get(r->db, "a", value, sizeof value), 0);
}

/* A process that dies inside and outside a transaction, without a word. */
static void
test_db_survives_being_killed(void **state)
{
	struct rig *r = *state;
	char value[8];
	db_close(r->db);
	r->db = NULL;
	pid_t child = fork();
	if (child == 0) {
		struct db *db = NULL;
		char why[64];
		if (db_open(r->path, &db, why, sizeof why) || db_meta_set(db, "done", "1") || db_begin(db) ||
		    db_meta_set(db, "undone", "1"))
			_exit(1);
		_exit(0); /* nothing is closed */
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	rig_open(r);
	assert_int_equal(db_meta_get(r->db, "done", value, sizeof value), 0);
	assert_int_equal(db_meta_get(r->db, "undone", value, sizeof value), FG_ENOTFOUND);
}

static int
fill(struct db *db, unsigned n)
{
	struct db_incident i = { .at = 1, .kind = "test" };
	memset(i.detail, 'x', sizeof i.detail - 1);
	int r = db_begin(db);
	if (r)
		return r;
	for (unsigned k = 0; k < n && !r; k++)
		r = db_incident_add(db, &i);
	return db_end(db, r);
}

/* Files of at most 400 kB: what a full disk looks like to SQLite, without being root. */
static void
test_db_disk_full(void **state)
{
	struct rig *r = *state;
	db_close(r->db);
	r->db = NULL;
	pid_t child = fork();
	if (child == 0) {
		struct rlimit limit = { 400000, 400000 };
		char why[64], value[8];
		struct db *db = NULL;
		signal(SIGXFSZ, SIG_IGN);
		int bad = db_open(r->path, &db, why, sizeof why) || db_meta_set(db, "before", "1") ||
		    setrlimit(RLIMIT_FSIZE, &limit);
		if (bad)
			_exit(1);
		int err = fill(db, 3000);
		if (err != FG_EIO || strlen(db_why(db)) < 5)
			_exit(2);
		/* Reading goes on, and small things may. */
		if (db_meta_get(db, "before", value, sizeof value))
			_exit(3);
		db_close(db);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	rig_open(r);
	assert_int_equal(number_by_hand(r, "SELECT count(*) FROM incident"), 0); /* all or nothing */
	assert_int_equal(fill(r->db, 10), 0);
}

/* The same on a file system that is really full, where the test may make one. */
static void
test_db_disk_full_tmpfs(void **state)
{
	struct rig *r = *state;
	char dir[128], why[256];
	struct rig small = { 0 };
	snprintf(dir, sizeof dir, "%s/small", r->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	if (geteuid() != 0 || mount("none", dir, "tmpfs", 0, "size=600k"))
		skip();
	snprintf(small.path, sizeof small.path, "%.60s/state.db", dir);
	int opened = db_open(small.path, &small.db, why, sizeof why);
	int filled = opened ? 0 : fill(small.db, 5000);
	int later = opened ? 0 : db_meta_set(small.db, "k", "v");
	bool said = !opened && strstr(db_why(small.db), "full");
	db_close(small.db);
	umount2(dir, MNT_DETACH);
	assert_int_equal(opened, 0);
	assert_int_equal(filled, FG_EIO);
	assert_true(later == 0 || later == FG_EIO);
	assert_true(later == 0 || said);
}

static int
ask_again(void *arg, const struct db_resource *row)
{
	struct rig *r = arg;
	struct db_resource other;
	uint64_t n;
	/* The same statements from inside their own walk. */
	assert_int_equal(db_resource_get(r->db, row->id, &other), 0);
	assert_memory_equal(other.id, row->id, sizeof other.id);
	assert_int_equal(db_resource_count(r->db, NULL, &n), 0);
	if (row->id[0] < 3)
		assert_int_equal(db_resource_list(r->db, NULL, NULL, row->id, 1, ask_again, r), 0);
	return 0;
}

static void
test_db_queries_nest(void **state)
{
	struct rig *r = *state;
	for (uint8_t i = 1; i < 6; i++)
		rig_add_resource(r, i, "p");
	assert_int_equal(db_resource_list(r->db, NULL, NULL, NULL, 0, ask_again, r), 0);
}

/* What somebody else wrote into the file is damage, not an overflow. */
static void
test_db_damaged_values(void **state)
{
	struct rig *r = *state;
	struct db_resource got;
	uint8_t id[DB_ID];
	rig_add_resource(r, 1, "p");
	memset(id, 1, sizeof id);
	by_hand(r, "UPDATE resource SET profile = printf('%.*c', 5000, 'x')");
	assert_int_equal(db_resource_get(r->db, id, &got), FG_EIO);
	by_hand(r, "UPDATE resource SET profile = 'p', sightings = -1");
	assert_int_equal(db_resource_get(r->db, id, &got), FG_EIO);
	by_hand(r, "UPDATE resource SET sightings = 1, url = 'a' || char(0) || 'b'");
	assert_int_equal(db_resource_get(r->db, id, &got), FG_EIO);
	by_hand(r, "UPDATE resource SET url = 'a'");
	assert_int_equal(db_resource_get(r->db, id, &got), 0);
}

static void
test_db_meta(void **state)
{
	struct rig *r = *state;
	char value[DB_META_VALUE_MAX], big[DB_META_VALUE_MAX + 1];
	uint64_t n = 7;
	assert_int_equal(db_meta_get(r->db, "none", value, sizeof value), FG_ENOTFOUND);
	assert_int_equal(db_meta_get_u64(r->db, DB_META_GENERATION, &n), FG_ENOTFOUND);
	assert_int_equal(n, 7);
	assert_int_equal(db_meta_set_u64(r->db, DB_META_GENERATION, UINT64_MAX), 0);
	assert_int_equal(db_meta_get_u64(r->db, DB_META_GENERATION, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(db_meta_set(r->db, DB_META_GENERATION, "18446744073709551616"), 0);
	assert_int_equal(db_meta_get_u64(r->db, DB_META_GENERATION, &n), FG_EFORMAT);
	assert_int_equal(db_meta_set(r->db, "word", ""), 0);
	assert_int_equal(db_meta_get_u64(r->db, "word", &n), FG_EFORMAT);
	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	assert_int_equal(db_meta_set(r->db, "word", big), FG_ELIMIT);
	assert_int_equal(db_meta_set(r->db, "word", big + 1), 0);
	assert_int_equal(db_meta_get(r->db, "word", value, 16), FG_ELIMIT);
	assert_int_equal(db_meta_get(r->db, "word", value, sizeof value), 0);
	assert_string_equal(value, big + 1);
}

static void
test_db_log_head_only_goes_forward(void **state)
{
	struct rig *r = *state;
	struct db_log_head a = { .size = 10, .root = { 1 } }, b = { .size = 10, .root = { 2 } }, got;
	struct db_log_head c = { .size = 9, .root = { 1 } }, d = { .size = 11, .root = { 3 } };
	assert_int_equal(db_meta_log_get(r->db, &got), FG_ENOTFOUND);
	assert_int_equal(db_meta_log_set(r->db, &a), 0);
	assert_int_equal(db_meta_log_set(r->db, &a), 0);
	assert_int_equal(db_meta_log_set(r->db, &b), FG_ESTATE); /* a fork */
	assert_int_equal(db_meta_log_set(r->db, &c), FG_ESTATE); /* a rollback */
	assert_int_equal(db_meta_log_get(r->db, &got), 0);
	assert_memory_equal(&got.root, &a.root, sizeof a.root);
	assert_int_equal(db_meta_log_set(r->db, &d), 0);
	rig_again(r);
	assert_int_equal(db_meta_log_get(r->db, &got), 0);
	assert_int_equal(got.size, 11);
	assert_int_equal(got.root[0], 3);
	d.size = UINT64_MAX;
	assert_int_equal(db_meta_log_set(r->db, &d), FG_ELIMIT);
}

static void
test_db_copy_is_another_database(void **state)
{
	struct rig *r = *state;
	char to[sizeof r->path + 8], value[8], why[256] = "";
	struct db *copy = NULL;
	uint8_t block[4096];
	ssize_t n;
	int fd = -1;
	assert_int_equal(db_meta_set(r->db, "k", "then"), 0);
	assert_int_equal(db_begin(r->db), 0);
	assert_int_equal(db_copy(r->db, &fd), FG_ESTATE);
	db_rollback(r->db);
	assert_int_equal(db_copy(r->db, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	snprintf(to, sizeof to, "%s.copy", r->path);
	assert_int_not_equal(access(to, F_OK), 0); /* it has no name */
	assert_int_equal(db_meta_set(r->db, "k", "now"), 0);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	while ((n = read(fd, block, sizeof block)) > 0)
		assert_int_equal(write(out, block, (size_t)n), n);
	close(out);
	close(fd);
	assert_int_equal(db_open(to, &copy, why, sizeof why), 0);
	assert_int_equal(db_meta_get(copy, "k", value, sizeof value), 0);
	assert_string_equal(value, "then");
	db_close(copy);
	/* What a copy cut short left behind is in nobody's way. */
	assert_int_equal(db_copy(r->db, &fd), 0);
	close(fd);
	assert_int_equal(db_meta_get(r->db, "k", value, sizeof value), 0);
	assert_string_equal(value, "now");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_db_migrations_are_numbered),
		T(test_db_migrates_from_empty_once),
		T(test_db_refuses_a_newer_schema),
		T(test_db_refuses_what_is_not_ours),
		T(test_db_opened_twice),
		T(test_db_transactions_nest),
		T(test_db_survives_being_killed),
		T(test_db_disk_full),
		T(test_db_disk_full_tmpfs),
		T(test_db_queries_nest),
		T(test_db_damaged_values),
		T(test_db_meta),
		T(test_db_log_head_only_goes_forward),
		T(test_db_copy_is_another_database),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
