/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/vault.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	struct vault *v;
	unsigned told;
	uint8_t last[RELEASE_ID];
};

static void
reopen(struct fixture *f)
{
	vault_close(f->v);
	f->v = NULL;
	assert_int_equal(vault_open(f->tmp.dir, &f->v), 0);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	reopen(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	vault_close(f->v);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static struct vault_restriction
restriction(uint8_t image, uint8_t release, uint64_t size)
{
	struct vault_restriction r = { .log_size = size, .kind = 1 };
	memset(r.image, image, sizeof r.image);
	memset(r.release, release, sizeof r.release);
	return r;
}

static uint64_t
restricted(const struct fixture *f, uint8_t image, int release)
{
	uint8_t i[32], r[RELEASE_ID];
	memset(i, image, sizeof i);
	memset(r, release, sizeof r);
	return vault_restricted(f->v, i, release < 0 ? NULL : r);
}

static void
test_restrictions(void **state)
{
	struct fixture *f = *state;
	struct vault_restriction list[] = { restriction(1, 0, 10), restriction(2, 5, 20), restriction(2, 6, 30) };
	assert_int_equal(restricted(f, 1, -1), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(vault_restrict(f->v, &list[i]), 0);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(restricted(f, 1, -1), 10);
		assert_int_equal(restricted(f, 1, 9), 10); /* of every release */
		assert_int_equal(restricted(f, 2, -1), 30);
		assert_int_equal(restricted(f, 2, 5), 20);
		assert_int_equal(restricted(f, 2, 7), 0);
		assert_int_equal(restricted(f, 3, -1), 0);
		reopen(f);
	}
	/* The later one counts, and an earlier date never takes it back. */
	struct vault_restriction later = restriction(1, 0, 50), earlier = restriction(1, 0, 3);
	assert_int_equal(vault_restrict(f->v, &later), 0);
	assert_int_equal(vault_restrict(f->v, &earlier), 0);
	assert_int_equal(restricted(f, 1, -1), 50);
	reopen(f);
	assert_int_equal(restricted(f, 1, -1), 50);
}

static size_t
list_size(const struct fixture *f)
{
	size_t n;
	free(scratch_read(scratch_path(&f->tmp, "restrictions"), &n));
	return n;
}

/* Only what says more takes room, and a start leaves one record for each image and release. */
static void
test_said_again(void **state)
{
	struct fixture *f = *state;
	for (uint64_t life = 1; life < 5; life++) {
		struct vault_restriction same = restriction(1, 0, 10), less = restriction(1, 0, 9), more = restriction(2, 5, life);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(vault_restrict(f->v, &same), 0);
			assert_int_equal(vault_restrict(f->v, &less), 0);
			assert_int_equal(vault_restrict(f->v, &more), 0);
		}
		assert_int_equal(list_size(f), life == 1 ? 2 * 64 : 3 * 64);
		reopen(f);
		assert_int_equal(list_size(f), 2 * 64);
		assert_int_equal(restricted(f, 1, -1), 10);
		assert_int_equal(restricted(f, 2, 5), life);
	}
}

/* A torn write at the end is cut; what stands before is kept and what comes after is read. */
static void
test_torn(void **state)
{
	struct fixture *f = *state;
	struct vault_restriction a = restriction(1, 0, 10), b = restriction(2, 0, 20);
	assert_int_equal(vault_restrict(f->v, &a), 0);
	size_t n;
	uint8_t *p = scratch_read(scratch_path(&f->tmp, "restrictions"), &n);
	assert_int_equal(n, 64);
	for (size_t cut = 1; cut < 64; cut++) {
		uint8_t two[128];
		memcpy(two, p, 64);
		memcpy(two + 64, p, 64);
		scratch_write(scratch_path(&f->tmp, "restrictions"), two, 64 + cut);
		reopen(f);
		assert_int_equal(restricted(f, 1, -1), 10);
		assert_int_equal(vault_restrict(f->v, &b), 0);
		reopen(f);
		assert_int_equal(restricted(f, 2, -1), 20);
	}
	free(p);
}

static void
one(void *ctx, const uint8_t id[RELEASE_ID], struct view record, struct view bundle)
{
	struct fixture *f = ctx;
	if (!bundle.n)
		return; /* without its statements */
	f->told++;
	memcpy(f->last, id, RELEASE_ID);
	assert_true(view_is(record, "record"));
	assert_true(view_is(bundle, "bundle"));
}

static unsigned
each(struct fixture *f)
{
	f->told = 0;
	assert_int_equal(vault_each(f->v, one, f), 0);
	return f->told;
}

static void
test_releases(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	memset(id, 0xcd, sizeof id);
	assert_int_equal(each(f), 0);
	assert_int_equal(vault_keep_release(f->v, id, view_str("record"), view_str("bundle")), 0);
	reopen(f);
	assert_int_equal(each(f), 1);
	assert_memory_equal(f->last, id, sizeof id);
	/* A record without its statements, other names, a link, something too large: nothing of ours. */
	scratch_write(scratch_path(&f->tmp, "00000000000000000000000000000001.json"), "record", 6);
	scratch_write(scratch_path(&f->tmp, "0000000000000000000000000000000X.json"), "record", 6);
	scratch_write(scratch_path(&f->tmp, "note.json"), "record", 6);
	scratch_write(scratch_path(&f->tmp, "00000000000000000000000000000002.json"), "record", 6);
	scratch_write(scratch_path(&f->tmp, "00000000000000000000000000000002.signed"), "bundle", 6);
	assert_int_equal(truncate(scratch_path(&f->tmp, "00000000000000000000000000000002.signed"), VAULT_BUNDLE_MAX + 1), 0);
	assert_int_equal(each(f), 1);
	vault_drop_release(f->v, id);
	assert_int_equal(each(f), 0);
	reopen(f);
	assert_int_equal(each(f), 0);
}

static bool
wanted(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	return !memcmp(ctx, sha256, DIGEST_SHA256_LEN);
}

static void
test_images_and_leftovers(void **state)
{
	struct fixture *f = *state;
	uint8_t sha[32];
	char name[80], path[200];
	memset(sha, 0xee, sizeof sha);
	vault_image_name(sha, name, sizeof name);
	assert_int_equal(vault_image(f->v, sha), FG_ENOTFOUND);
	snprintf(path, sizeof path, "%s/%s.copy", f->tmp.dir, name);
	scratch_write(path, "image", 5);
	assert_int_equal(vault_keep_image(f->v, "nothing.copy", sha), FG_EIO);
	snprintf(path, sizeof path, "%s.copy", name);
	assert_int_equal(vault_keep_image(f->v, path, sha), 0);
	int fd = vault_image(f->v, sha);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	/* Half-made things of a crash go at the next start; what has its name stays. */
	scratch_write(scratch_path(&f->tmp, "x.img.copy"), "part", 4);
	scratch_write(scratch_path(&f->tmp, "00000000000000000000000000000002.json.new"), "part", 4);
	reopen(f);
	assert_int_equal(access(scratch_path(&f->tmp, "x.img.copy"), F_OK), -1);
	assert_int_equal(access(scratch_path(&f->tmp, "00000000000000000000000000000002.json.new"), F_OK), -1);
	fd = vault_image(f->v, sha);
	assert_true(fd >= 0);
	close(fd);
	vault_sweep_images(f->v, wanted, sha);
	fd = vault_image(f->v, sha);
	assert_true(fd >= 0);
	close(fd);
	uint8_t other[32] = { 0 };
	vault_sweep_images(f->v, wanted, other);
	assert_int_equal(vault_image(f->v, sha), FG_ENOTFOUND);
	scratch_write(scratch_path(&f->tmp, name), "image", 5);
	vault_drop_image(f->v, sha);
	assert_int_equal(vault_image(f->v, sha), FG_ENOTFOUND);
	assert_int_equal(symlink("/etc/passwd", scratch_path(&f->tmp, name)), 0);
	assert_int_equal(vault_image(f->v, sha), FG_EIO); /* never through a link */
}

static void
test_no_directory(void **state)
{
	struct fixture *f = *state;
	struct vault *v = NULL;
	assert_int_equal(vault_open(scratch_path(&f->tmp, "none"), &v), FG_EIO);
	assert_null(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restrictions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_said_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_releases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_images_and_leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
