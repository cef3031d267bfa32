/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around appliers, driven by small ones of the test's own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "crypto/err.h"
#include "unit/images/delta_rig.h"

#define BASE_LEN (600u << 10) /* more than any buffer of the frame */

static uint8_t base_bytes[BASE_LEN];

static int
setup(void **state)
{
	uint32_t x = 7;
	(void)state;
	for (size_t i = 0; i < BASE_LEN; i++) {
		x = x * 1664525u + 1013904223u;
		base_bytes[i] = (uint8_t)(x >> 24);
	}
	return 0;
}

/* As a file, so that what keeps pieces of the base in memory has work to do. */
static int
base_file(struct source *ret)
{
	int fd = memfd_create("base", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, base_bytes, BASE_LEN), BASE_LEN);
	assert_int_equal(source_open(ret, fd), 0);
	return fd;
}

static struct delta_result
run_into(delta_fn *fn, int out)
{
	struct delta_result r;
	struct source patch, base;
	int fd = base_file(&base);
	source_memory(&patch, view_str("0123456789"));
	assert_int_equal(delta_apply_by(fn, &patch, &base, out, &r), 0);
	close(fd);
	return r;
}

static struct delta_result
run(delta_fn *fn)
{
	return run_into(fn, -1);
}

static void
refused(delta_fn *fn, enum delta_outcome outcome, const char *words)
{
	struct delta_result r = run(fn);
	if (r.outcome != outcome || !strstr(r.detail, words))
		fail_msg("%s: \"%s\" instead of %s: \"%s\"", delta_outcome_name(r.outcome), r.detail,
		    delta_outcome_name(outcome), words);
	assert_int_equal(r.target_size, 0);
	assert_int_equal(r.from_base + r.from_patch, 0);
}

/* ---- what appliers do ---- */

/* Everything, in many small steps back and forth: the target is the base, reversed by pages. */
static int
makes_pages(struct delta *d)
{
	delta_applier(d, "pages/1");
	int err = delta_declare(d, BASE_LEN);
	for (uint64_t at = BASE_LEN; !err && at > 0;) {
		uint8_t buf[1000], back[1000];
		uint64_t n = at < sizeof buf ? at : sizeof buf, written = delta_written(d);
		at -= n;
		memset(buf, 0, sizeof buf);
		if (at % 3 == 0)
			err = delta_copy(d, at, n);
		else if (at % 3 == 1)
			err = delta_add(d, at, buf, (size_t)n);
		else if (!(err = delta_base_read(d, at, buf, (size_t)n)))
			err = delta_put(d, buf, (size_t)n);
		if (!err)
			err = delta_target_read(d, written, back, (size_t)n);
		if (!err && memcmp(back, base_bytes + at, n) != 0)
			abort();
		/* And something from far back, flushed long ago. */
		uint64_t early = written / 2, k = n < written - early ? n : written - early;
		if (!err)
			err = delta_target_read(d, early, back, (size_t)k);
	}
	return err;
}

static void
writes(void **state)
{
	struct view want = view_of(malloc(BASE_LEN), BASE_LEN);
	uint8_t sum[DIGEST_SHA256_LEN];
	int fd = memfd_create("target", MFD_CLOEXEC);
	struct source made;
	(void)state;
	for (size_t at = BASE_LEN, to = 0; at > 0;) {
		size_t n = at < 1000 ? at : 1000;
		at -= n;
		memcpy(rig_bytes(want) + to, base_bytes + at, n);
		to += n;
	}
	assert_int_equal(digest_sha256(want, sum), 0);
	/* What was there before is gone. */
	assert_int_equal(ftruncate(fd, 4 * BASE_LEN), 0);
	struct delta_result r = run_into(makes_pages, fd);
	assert_string_equal(r.detail, "");
	assert_int_equal(r.outcome, DELTA_APPLIED);
	assert_string_equal(r.applier, "pages/1");
	assert_memory_equal(r.target_sha256, sum, sizeof sum);
	assert_int_equal(source_open(&made, fd), 0);
	assert_int_equal(made.size, BASE_LEN);
	uint8_t *got = malloc(BASE_LEN);
	assert_int_equal(source_read(&made, 0, got, BASE_LEN), 0);
	assert_memory_equal(got, want.p, BASE_LEN);
	assert_int_equal(r.from_base + r.from_patch, BASE_LEN);
	assert_true(r.from_base > BASE_LEN / 2 && r.from_patch > BASE_LEN / 4);
	free(got);
	rig_drop(want);
	close(fd);
}

static int
reads_back(struct delta *d)
{
	uint8_t c;
	int err = delta_declare(d, 4);
	if (!err)
		err = delta_put(d, "abc", 3);
	return err ? err : delta_target_read(d, 0, &c, 1);
}

/* Nowhere to read back from is the caller's mistake, and no finding. */
static void
nowhere(void **state)
{
	struct delta_result r;
	struct source none;
	(void)state;
	source_memory(&none, view_of(NULL, 0));
	assert_int_equal(delta_apply_by(reads_back, &none, &none, -1, &r), FG_EINVAL);
	assert_int_equal(delta_apply(FORMAT_RAW, &none, &none, -1, &r), FG_EINVAL);
	assert_null(delta_of(FORMAT_RAW));
	assert_null(delta_of(FORMAT_LIMIT));
}

static int
ahead(struct delta *d)
{
	uint8_t c;
	int err = delta_declare(d, 4);
	if (!err)
		err = delta_put(d, "abc", 3);
	return err ? err : delta_target_read(d, 3, &c, 1);
}

static int
too_little(struct delta *d)
{
	int err = delta_declare(d, 4);
	return err ? err : delta_put(d, "abc", 3);
}

static int
too_much(struct delta *d)
{
	int err = delta_declare(d, 2);
	return err ? err : delta_put(d, "abc", 3);
}

static int
copies_too_much(struct delta *d)
{
	int err = delta_declare(d, 2);
	return err ? err : delta_copy(d, 0, 3);
}

static int
copies_outside(struct delta *d)
{
	int err = delta_declare(d, BASE_LEN);
	return err ? err : delta_copy(d, BASE_LEN - 2, 3);
}

static int
copies_far_outside(struct delta *d)
{
	int err = delta_declare(d, BASE_LEN);
	return err ? err : delta_copy(d, UINT64_MAX, 3);
}

static int
adds_outside(struct delta *d)
{
	uint8_t zeros[3] = { 0 };
	int err = delta_declare(d, BASE_LEN);
	return err ? err : delta_add(d, BASE_LEN - 2, zeros, 3);
}

static int
reads_outside(struct delta *d)
{
	uint8_t c;
	int err = delta_declare(d, 0);
	return err ? err : delta_base_read(d, BASE_LEN, &c, 1);
}

static int
reads_past_patch(struct delta *d)
{
	uint8_t c[2];
	return delta_patch_read(d, 9, c, 2);
}

static int
reads_far_past_patch(struct delta *d)
{
	uint8_t c[2];
	return delta_patch_read(d, UINT64_MAX, c, 2);
}

static int
declares_too_much(struct delta *d)
{
	return delta_declare(d, DELTA_TARGET_MAX + 1);
}

static int
takes_too_much(struct delta *d)
{
	int err = delta_charge(d, DELTA_MEMORY_MAX - 1, "a window");
	if (!err)
		err = delta_charge(d, 1, "a table");
	return err ? err : delta_charge(d, 1, "one byte");
}

static int
refuses_twice(struct delta *d)
{
	delta_wants(d, "sha256 %s\n", "ab");
	(void)delta_refuse(d, DELTA_WRONG_BASE, "first \x1b[0m");
	(void)delta_refuse(d, DELTA_LIMIT, "second");
	return delta_copy(d, 0, 1);
}

static void
bounds(void **state)
{
	(void)state;
	refused(ahead, DELTA_MALFORMED, "of which 3 are written");
	refused(too_little, DELTA_MALFORMED, "makes 3 of the 4");
	refused(too_much, DELTA_MALFORMED, "past the 2 bytes");
	refused(copies_too_much, DELTA_MALFORMED, "past the 2 bytes");
	refused(copies_outside, DELTA_MALFORMED, "another base, or damaged");
	refused(copies_far_outside, DELTA_MALFORMED, "another base, or damaged");
	refused(adds_outside, DELTA_MALFORMED, "another base, or damaged");
	refused(reads_outside, DELTA_MALFORMED, "another base, or damaged");
	refused(reads_past_patch, DELTA_MALFORMED, "the patch ends at 10, before byte 11");
	refused(reads_far_past_patch, DELTA_MALFORMED, "the patch ends at 10");
	refused(declares_too_much, DELTA_LIMIT, "2147483649");
	refused(takes_too_much, DELTA_LIMIT, "one byte");
	refused(refuses_twice, DELTA_WRONG_BASE, "first <1B>[0m");
	assert_string_equal(run(refuses_twice).wants, "sha256 ab<0A>");
}

static int
checks(struct delta *d)
{
	delta_checked(d);
	int err = delta_declare(d, 3);
	return err ? err : delta_put(d, "abc", 3);
}

static void
into_memory(void **state)
{
	struct delta_result r;
	struct source none, patch;
	struct view bsdiff = rig_made("delta", "bsdiff40"), old = rig_made("delta", "old"),
	            new = rig_made("delta", "new");
	uint8_t *out = malloc(new.n);
	(void)state;
	assert_true(run(checks).checked);
	source_memory(&none, old);
	source_memory(&patch, bsdiff);
	assert_int_equal(delta_apply_memory(FORMAT_BSDIFF, &patch, &none, out, new.n, &r), 0);
	assert_int_equal(r.outcome, DELTA_APPLIED);
	assert_memory_equal(out, new.p, new.n);
	assert_int_equal(delta_apply_memory(FORMAT_BSDIFF, &patch, &none, out, new.n - 1, &r), 0);
	assert_int_equal(r.outcome, DELTA_LIMIT);
	assert_int_equal(delta_apply_within(FORMAT_BSDIFF, &patch, &none, -1, new.n, &r), 0);
	assert_int_equal(r.outcome, DELTA_APPLIED);
	assert_int_equal(delta_apply_within(FORMAT_BSDIFF, &patch, &none, -1, new.n - 1, &r), 0);
	assert_int_equal(r.outcome, DELTA_LIMIT);
	free(out);
	rig_drop(bsdiff);
	rig_drop(old);
	rig_drop(new);
}

/* Failures of the machine are no words about the patch. */
static void
local_failure(void **state)
{
	struct delta_result r;
	struct source patch, base;
	struct rlimit was, limit;
	int fd = memfd_create("target", MFD_CLOEXEC), base_fd = base_file(&base);
	(void)state;
	source_memory(&patch, view_of(NULL, 0));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = 100 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	errno = 0;
	assert_int_equal(delta_apply_by(makes_pages, &patch, &base, fd, &r), FG_EIO);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	/* A base that became shorter. */
	assert_int_equal(ftruncate(base_fd, 1000), 0);
	assert_int_equal(delta_apply_by(makes_pages, &patch, &base, fd, &r), FG_EIO);
	close(base_fd);
	close(fd);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(delta_outcome_name(DELTA_MALFORMED), "malformed");
	assert_string_equal(delta_outcome_name(DELTA_WRONG_BASE), "wrong-base");
	assert_string_equal(delta_outcome_name(DELTA_UNSUPPORTED), "unsupported");
	assert_string_equal(delta_outcome_name(DELTA_OPAQUE), "opaque");
	assert_string_equal(delta_outcome_name(DELTA_LIMIT), "limit");
	assert_string_equal(delta_outcome_name(DELTA_APPLIED), "applied");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(nowhere),
		cmocka_unit_test(bounds),
		cmocka_unit_test(into_memory),
		cmocka_unit_test(local_failure),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
