/* SPDX-License-Identifier: Apache-2.0 */
/* The way out of a damaged or shortened log: it goes on, and never forks. */
#include "gateway/audit/rebuild.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/file.h>

#include "crypto/err.h"
#include "gateway/audit/condemned.h"
#include "gateway/audit/ledger.h"
#include "unit/crypto/people.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	struct note_signer key;
	int audit;
	struct rebuild r;
	int64_t now;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->audit = scratch_dir(&f->tmp, "audit");
	close(scratch_dir(&f->tmp, "audit/log"));
	close(scratch_dir(&f->tmp, "audit/wal"));
	f->key = people_log_key();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	close(f->audit);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static void
ignore(void *ctx, uint64_t index, struct view entry)
{
	(void)ctx;
	(void)index;
	(void)entry;
}

static struct ledger *
log_open(struct fixture *f, enum msg_log_state want)
{
	struct ledger *l = NULL;
	struct ledger_opened o;
	int wal = scratch_dir(&f->tmp, "audit/wal"), log = scratch_dir(&f->tmp, "audit/log");
	assert_int_equal(ledger_open(wal, log, &f->key, ignore, NULL, &l, &o), 0);
	assert_int_equal(o.state, want);
	return l; /* the descriptors live as long as the test */
}

static void
append(struct ledger *l, uint64_t n, const char *word)
{
	char text[64];
	for (uint64_t i = 0; i < n; i++) {
		snprintf(text, sizeof text, "%s %llu", word, (unsigned long long)ledger_next(l));
		assert_int_equal(ledger_put(l, view_str(text)), 0);
	}
	assert_int_equal(ledger_commit(l), 0);
}

/* n more entries, signed if need be. */
static void
grow(struct fixture *f, uint64_t n, const char *word, bool sign)
{
	struct ledger *l = log_open(f, MSG_LOG_OPEN_OK);
	append(l, n, word);
	if (sign)
		assert_int_equal(ledger_publish(l), 0);
	ledger_close(l);
}

/* In place of what is there. */
static void
copy(struct fixture *f, const char *from, const char *to)
{
	const char *place = scratch_path(&f->tmp, to);
	nftw(place, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
	scratch_copy(scratch_path(&f->tmp, from), place);
	if (strcmp(to, "audit"))
		return;
	close(f->audit);
	f->audit = scratch_dir(&f->tmp, "audit");
}

static int
repair(struct fixture *f, const char *from)
{
	int dir = scratch_dir(&f->tmp, from);
	int err = rebuild_log(f->audit, dir, &f->key.key, 1767225600 + f->now++, &f->r);
	close(dir);
	return err;
}

static void
root_at(struct fixture *f, uint64_t size, uint8_t root[DIGEST_SHA256_LEN])
{
	struct ledger *l = log_open(f, MSG_LOG_OPEN_OK);
	assert_int_equal(ledger_root_at(l, size, root), 0);
	ledger_close(l);
}

static void
condemn(struct fixture *f, enum msg_log_state state, uint64_t known)
{
	const struct condemned c = { .state = state, .known = known, .why = "test" };
	assert_int_equal(condemned_write(f->audit, &c), 0);
}

static bool
is_condemned(struct fixture *f)
{
	struct condemned c;
	assert_int_equal(condemned_read(f->audit, &c), 0);
	return c.state != MSG_LOG_UNKNOWN;
}

/* A damaged log of the same size; what was durable behind it is kept. */
static void
test_damaged(void **state)
{
	struct fixture *f = *state;
	uint8_t was[DIGEST_SHA256_LEN], is[DIGEST_SHA256_LEN];
	char how[CONDEMNED_HOW];
	grow(f, 700, "entry", true);
	root_at(f, 700, was);
	copy(f, "audit/log", "export");
	grow(f, 3, "tail", false);
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/001"), 99, 1));
	ledger_close(log_open(f, MSG_LOG_TAMPERED));
	condemn(f, MSG_LOG_TAMPERED, 700);
	assert_int_equal(repair(f, "export"), 0);
	assert_int_equal(f->r.size, 700);
	assert_int_equal(f->r.kept, 3);
	assert_false(is_condemned(f));
	assert_int_equal(condemned_pardoned(f->audit, how), 1);
	assert_non_null(strstr(how, "700"));
	assert_non_null(strstr(how, "it was called tampered: test"));
	struct ledger *l = log_open(f, MSG_LOG_OPEN_OK);
	assert_int_equal(ledger_size(l), 703);
	append(l, 400, "more");
	assert_int_equal(ledger_publish(l), 0);
	assert_int_equal(ledger_root_at(l, 700, is), 0);
	assert_memory_equal(was, is, sizeof is);
	ledger_close(l);
	ledger_close(log_open(f, MSG_LOG_OPEN_OK));
	/* What was there before is evidence. */
	assert_int_equal(access(scratch_path(&f->tmp, "audit/log.replaced-1767225600/checkpoint"), F_OK), 0);
	assert_int_equal(condemned_pardon_end(f->audit), 0);
	assert_int_equal(condemned_pardoned(f->audit, how), 0);
	/* Also when it is repaired again within the same second. */
	f->now--;
	copy(f, "audit/log", "export");
	assert_int_equal(repair(f, "export"), 0);
	assert_string_equal(f->r.aside, ".replaced-1767225601");
	assert_int_equal(access(scratch_path(&f->tmp, "audit/log.replaced-1767225600/checkpoint"), F_OK), 0);
	assert_int_equal(access(scratch_path(&f->tmp, "audit/log.replaced-1767225601/checkpoint"), F_OK), 0);
}

/* What was done by hand before and is in no entry yet is told as well; and nobody called this log anything. */
static void
test_restored_before(void **state)
{
	struct fixture *f = *state;
	char how[CONDEMNED_HOW];
	grow(f, 20, "entry", true);
	copy(f, "audit/log", "export");
	assert_int_equal(condemned_pardon(f->audit, "restored from a backup"), 0);
	assert_int_equal(repair(f, "export"), 0);
	assert_int_equal(condemned_pardoned(f->audit, how), 1);
	assert_string_equal(how, "restored from a backup; repaired from an export of 20 entries, 0 more were kept");
}

/* An older log was put back: a newer export brings it to where it was. */
static void
test_rolled_back(void **state)
{
	static const uint64_t sizes[] = { 1, 255, 256, 257, 300, 512, 1000 };
	struct fixture *f = *state;
	uint8_t was[DIGEST_SHA256_LEN], is[DIGEST_SHA256_LEN];
	grow(f, 1, "entry", true);
	for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
		copy(f, "audit", "old");
		grow(f, sizes[i] - sizes[i - 1], "entry", true);
		root_at(f, sizes[i], was);
		copy(f, "audit/log", "export");
		copy(f, "old", "audit");
		condemn(f, MSG_LOG_ROLLED_BACK, sizes[i]);
		assert_int_equal(repair(f, "export"), 0);
		assert_int_equal(f->r.kept, 0);
		root_at(f, sizes[i], is);
		assert_memory_equal(was, is, sizeof is);
	}
	/* And a folder with nothing left in it. */
	close(scratch_dir(&f->tmp, "nothing"));
	copy(f, "nothing", "audit");
	assert_int_equal(repair(f, "export"), 0);
	root_at(f, 1000, is);
	assert_memory_equal(was, is, sizeof is);
}

static void
refused(struct fixture *f, const char *from, const char *why)
{
	assert_int_equal(repair(f, from), FG_EPERM);
	assert_non_null(strstr(f->r.why, why));
	assert_int_equal(faccessat(f->audit, "log.new", F_OK, 0), -1);
	assert_int_equal(faccessat(f->audit, "wal.new", F_OK, 0), -1);
	assert_int_equal(faccessat(f->audit, "log", F_OK, 0), 0);
}

/* Root repairs what another user owns: a link that was left there leads nowhere. */
static void
test_link(void **state)
{
	struct fixture *f = *state;
	close(scratch_dir(&f->tmp, "elsewhere"));
	scratch_write(scratch_path(&f->tmp, "elsewhere/victim"), "stays", 5);
	grow(f, 3, "entry", true);
	copy(f, "audit/log", "export");
	assert_int_equal(symlinkat("../elsewhere", f->audit, "log.new"), 0);
	assert_int_equal(symlinkat("../elsewhere", f->audit, "wal.new"), 0);
	condemn(f, MSG_LOG_TAMPERED, 3);
	assert_int_equal(repair(f, "export"), 0);
	assert_int_equal(access(scratch_path(&f->tmp, "elsewhere/victim"), F_OK), 0);
	assert_int_equal(faccessat(f->audit, "log.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(f->audit, "wal.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	ledger_close(log_open(f, MSG_LOG_OPEN_OK));
}

/* Where that text stands in the write-ahead log. */
static size_t
in_wal(struct fixture *f, const char *text)
{
	size_t n;
	uint8_t *p = scratch_read(scratch_path(&f->tmp, "audit/wal/00000000000000000000.seg"), &n);
	const uint8_t *at = memmem(p, n, text, strlen(text));
	assert_non_null(at);
	n = (size_t)(at - p);
	free(p);
	return n;
}

/* Broken behind what was signed here: what comes before the break still leads there, and no further. */
static void
test_broken_wal(void **state)
{
	struct fixture *f = *state;
	uint8_t was[DIGEST_SHA256_LEN], is[DIGEST_SHA256_LEN];
	grow(f, 300, "entry", true);
	copy(f, "audit/log", "short");
	grow(f, 100, "entry", true);
	root_at(f, 400, was);
	grow(f, 3, "tail", false);
	grow(f, 3, "tail", false);
	copy(f, "audit", "whole");
	const char *wal = "audit/wal/00000000000000000000.seg";
	assert_true(scratch_flip(scratch_path(&f->tmp, wal), (long)in_wal(f, "tail 401"), 1));
	ledger_close(log_open(f, MSG_LOG_TAMPERED));
	condemn(f, MSG_LOG_TAMPERED, 400);
	assert_int_equal(repair(f, "short"), 0);
	assert_int_equal(f->r.size, 400);
	assert_int_equal(f->r.kept, 1);
	root_at(f, 400, is);
	assert_memory_equal(was, is, sizeof is);
	/* Broken before that: it does not get there; the tiles that are here do, unless they are broken as well. */
	copy(f, "whole", "audit");
	assert_true(scratch_flip(scratch_path(&f->tmp, wal), (long)in_wal(f, "entry 350"), 1));
	condemn(f, MSG_LOG_TAMPERED, 400);
	assert_int_equal(repair(f, "short"), 0);
	assert_int_equal(f->r.size, 400);
	assert_int_equal(f->r.kept, 0);
	root_at(f, 400, is);
	assert_memory_equal(was, is, sizeof is);
	copy(f, "whole", "audit");
	assert_true(scratch_flip(scratch_path(&f->tmp, wal), (long)in_wal(f, "entry 350"), 1));
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/001.p/144"), 50, 1));
	condemn(f, MSG_LOG_TAMPERED, 400);
	assert_int_equal(repair(f, "short"), FG_EPERM);
	assert_non_null(strstr(f->r.why, "larger size"));
}

/*
 * A gateway that runs for long has only its last days in the write-ahead log: what was signed between an older export and
 * those is in its tiles, and what was durable behind that is kept all the same.
 */
static void
test_end_from_tiles(void **state)
{
	struct fixture *f = *state;
	uint8_t was[DIGEST_SHA256_LEN], is[DIGEST_SHA256_LEN];
	static const uint64_t sizes[] = { 300, 400, 512, 513, 1100 };
	char name[64];
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		grow(f, sizes[i] - (i ? sizes[i - 1] : 0), "entry", true);
		snprintf(name, sizeof name, "export-%zu", i);
		copy(f, "audit/log", name);
	}
	assert_int_equal(repair(f, "export-4"), 0); /* its write-ahead log begins at the end from now on */
	root_at(f, 1100, was);
	grow(f, 3, "tail", false);
	copy(f, "audit", "whole");
	for (size_t i = 0; i < 4; i++) {
		copy(f, "whole", "audit");
		snprintf(name, sizeof name, "export-%zu", i);
		assert_int_equal(repair(f, name), 0);
		assert_int_equal(f->r.size, 1100);
		assert_int_equal(f->r.kept, 3);
		struct ledger *l = log_open(f, MSG_LOG_OPEN_OK);
		assert_int_equal(ledger_size(l), 1103);
		ledger_close(l);
		root_at(f, 1100, is);
		assert_memory_equal(was, is, sizeof is);
	}
	/* A tile of the middle is broken here, and whole in the export; one of the end is broken, and nowhere else. */
	copy(f, "whole", "audit");
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/000"), 50, 1));
	assert_int_equal(repair(f, "export-1"), 0);
	copy(f, "whole", "audit");
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/003"), 50, 1));
	refused(f, "export-1", "larger size");
	copy(f, "whole", "audit");
	assert_int_equal(unlink(scratch_path(&f->tmp, "audit/log/tile/entries/003")), 0);
	refused(f, "export-1", "larger size");
}

static void
test_never_forks(void **state)
{
	struct fixture *f = *state;
	struct note_signer other, own = f->key;
	grow(f, 300, "entry", true);
	copy(f, "audit/log", "short");
	copy(f, "audit", "common");
	grow(f, 100, "entry", true);
	copy(f, "audit/log", "long");
	/* The write-ahead log leads to what was signed here; without it the export is too old. */
	copy(f, "audit", "whole");
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/000"), 50, 1));
	assert_int_equal(repair(f, "short"), 0);
	assert_int_equal(f->r.size, 400);
	ledger_close(log_open(f, MSG_LOG_OPEN_OK));
	copy(f, "whole", "audit");
	assert_int_equal(unlink(scratch_path(&f->tmp, "audit/wal/00000000000000000000.seg")), 0);
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/001.p/144"), 50, 1));
	refused(f, "short", "larger size");
	/* The same length, and a longer one, of another story. */
	copy(f, "common", "audit");
	grow(f, 100, "fork", true);
	condemn(f, MSG_LOG_TAMPERED, 400);
	refused(f, "long", "fork");
	assert_true(is_condemned(f));
	/* Somebody remembers more than the export has. */
	copy(f, "common", "audit");
	condemn(f, MSG_LOG_ROLLED_BACK, 401);
	refused(f, "long", "somebody holds");
	condemn(f, MSG_LOG_ROLLED_BACK, 400);
	/* Not this log's, not whole, not there. */
	assert_int_equal(note_signer_generate(PEOPLE_ORIGIN, NOTE_TYPE_ED25519, &other), 0);
	f->key = other;
	refused(f, "long", "signed by this log's key");
	f->key = own;
	refused(f, "empty", "no checkpoint");
	assert_true(scratch_flip(scratch_path(&f->tmp, "long/tile/entries/000"), 50, 1));
	refused(f, "long", "do not hash");
	assert_true(scratch_flip(scratch_path(&f->tmp, "long/tile/entries/000"), 50, 1));
	assert_true(is_condemned(f));
	/* The daemon runs, or another repair, whose half-made log is not ours to remove. */
	int wal = scratch_dir(&f->tmp, "audit/wal");
	assert_int_equal(flock(wal, LOCK_EX), 0);
	close(scratch_dir(&f->tmp, "audit/log.new"));
	assert_int_equal(repair(f, "long"), FG_ESTATE);
	assert_int_equal(faccessat(f->audit, "log.new", F_OK, 0), 0);
	close(wal);
	assert_int_equal(repair(f, "long"), 0);
	assert_false(is_condemned(f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restored_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_from_tiles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rolled_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_wal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_forks, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
