/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of every generation by its path, as mke2fs put it there; what is no such file; damage at every place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/ext4_find.h"
#include "tests/unit/crypto/pki.h"

#define MOST (8u << 20)

struct disk {
	struct pki_blob image;
	struct source s;
	struct ext4 fs;
	uint64_t work;
};

static void
up(struct disk *d, const char *name)
{
	char path[100];
	const char *why;
	snprintf(path, sizeof path, "ext4/%s", name);
	d->image = pki_load(path);
	d->work = 0;
	source_memory(&d->s, pki_view(&d->image));
	assert_int_equal(ext4_open(&d->s, &d->work, &d->fs, &why), 1);
}

/* Lines of "sha256 size path"; how many of them there were. */
static unsigned
each_of_list(struct disk *d, struct view list)
{
	unsigned n = 0;
	char *text = strndup((const char *)list.p, list.n), *rest = text, *line;
	while ((line = strsep(&rest, "\n"))) {
		char hex[DIGEST_HEX_LEN + 1], path[400];
		uint8_t sum[DIGEST_SHA256_LEN], *bytes = NULL;
		unsigned long size;
		size_t got = 0;
		if (sscanf(line, "%64s %lu %399[^\n]", hex, &size, path) != 3)
			continue;
		assert_int_equal(ext4_find_load(&d->fs, path, MOST, &bytes, &got), 0);
		if (!bytes || got != size)
			fail_msg("%s", path);
		assert_int_equal(digest_sha256(view_of(bytes, got), sum), 0);
		char is[DIGEST_HEX_LEN + 1];
		hex_encode(sum, sizeof sum, is);
		assert_string_equal(is, hex);
		free(bytes);
		n++;
	}
	free(text);
	return n;
}

static void
every_file(void **state)
{
	(void)state;
	static const char *const kinds[] = { "ext2-1k", "ext2-4k", "ext3", "ext4", "ext4-1k", "ext4-small", "ext4-meta", "ext4-big",
		"ext4-old", "index" };
	struct pki_blob list = pki_load("ext4/list");
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct disk d;
		up(&d, kinds[k]);
		assert_true(each_of_list(&d, pki_view(&list)) > 10);
		free(d.image.p);
	}
	free(list.p);
}

static void
what_is_none(void **state)
{
	(void)state;
	static const char *const paths[] = { "etc/link", "etc", "empty", "etc/host", "etc/hostnames", "etc/hostname/x", "nothing",
		"etc/nothing", "", "/etc/hostname", "etc//hostname", "etc/" };
	struct disk d;
	uint8_t *bytes;
	size_t n;
	up(&d, "ext4");
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		assert_int_equal(ext4_find_load(&d.fs, paths[i], MOST, &bytes, &n), 0);
		if (bytes)
			fail_msg("\"%s\"", paths[i]);
	}
	assert_int_equal(ext4_find_load(&d.fs, "etc/hostname", MOST, &bytes, &n), 0);
	assert_non_null(bytes);
	free(bytes);
	/* Longer than is wanted. */
	assert_int_equal(ext4_find_load(&d.fs, "etc/hostname", n - 1, &bytes, &n), 0);
	assert_null(bytes);
	/* It counts what it reads, and each entry that it goes by. */
	uint64_t before = d.work;
	assert_int_equal(ext4_find_load(&d.fs, "many/none", MOST, &bytes, &n), 0);
	assert_true(d.work - before >= 120 * EXT4_ENTRY_COST);
	d.work = EXT4_WORK_MAX;
	assert_int_equal(ext4_find_load(&d.fs, "etc/hostname", MOST, &bytes, &n), FG_ELIMIT);
	assert_null(bytes);
	free(d.image.p);
}

static const char *const tiny[] = { "a", "c", "d/b", "l", "d/loop/loop/b" };

/* Blocks of blocks are followed; data in inodes is not read. */
static void
small_ones(void **state)
{
	(void)state;
	static const size_t sizes[] = { 11, 1200, 15000 };
	for (size_t i = 0; i < 3; i++) {
		struct disk d;
		uint8_t *bytes;
		size_t n;
		up(&d, "tiny");
		assert_int_equal(ext4_find_load(&d.fs, tiny[i], MOST, &bytes, &n), 0);
		assert_non_null(bytes);
		assert_int_equal(n, sizes[i]);
		free(bytes);
		free(d.image.p);
		up(&d, "tiny4");
		assert_int_equal(ext4_find_load(&d.fs, tiny[i], MOST, &bytes, &n), 0);
		assert_true(!bytes || n == sizes[i]);
		free(bytes);
		free(d.image.p);
	}
}

static void
answers(const struct ext4 *fs)
{
	for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++) {
		uint8_t *bytes;
		size_t n;
		int err = ext4_find_load(fs, tiny[i], 40000, &bytes, &n);
		assert_true(err == 0 || (err == FG_ELIMIT && !bytes));
		free(bytes);
	}
}

/* Rings, files over each other, a bomb, every byte changed, cut anywhere: an answer, and no more than that. */
static void
bad_faith(void **state)
{
	(void)state;
	static const char *const kinds[] = { "bad-loop", "bad-overlap", "bad-size", "bad-bomb" };
	struct disk d;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		up(&d, kinds[k]);
		answers(&d.fs);
		free(d.image.p);
	}
	up(&d, "tiny");
	for (size_t i = 0; i < d.image.n; i++) {
		const char *why;
		d.image.p[i] ^= 0x55;
		d.work = 0;
		source_memory(&d.s, view_of(d.image.p, d.image.n - i % 3 * 1000));
		if (ext4_open(&d.s, &d.work, &d.fs, &why) == 1)
			answers(&d.fs);
		d.image.p[i] ^= 0x55;
	}
	free(d.image.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(small_ones),
		cmocka_unit_test(bad_faith),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
