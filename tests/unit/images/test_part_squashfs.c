/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of both genuine tools as parts: every file, every name, rights; damage and what follows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/part_rig.h"

static void
every_file(void **state)
{
	(void)state;
	static const char *const packers[] = { "gzip", "xz", "zstd", "lz4", "lzma" };
	struct pki_blob list = pki_load("squashfs/list");
	for (size_t k = 0; k < sizeof packers / sizeof packers[0]; k++) {
		char path[100];
		struct part_rig r;
		snprintf(path, sizeof path, "squashfs/%s.sqfs", packers[k]);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		part_rig_lists(&r, 0, pki_view(&list));
		assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPENED);
		assert_int_equal(parts_limits(r.tree), 0);
		assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX); /* what the tools write has none */
		part_rig_close(&r);
		free(image.p);
	}
	free(list.p);
}

static void
what_is_no_file(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("squashfs/gzip.sqfs");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(part_rig_get(&r, "empty")->kind, PART_FOLDER);
	assert_int_equal(part_rig_get(&r, "etc/link")->kind, PART_LINK);
	assert_string_equal(part_rig_get(&r, "etc/link")->link, "/etc/hostname");
	assert_int_equal(part_rig_get(&r, "etc/rc.sh")->mode, 0755);
	/* Two names of one file: its bytes came out once. */
	assert_int_equal(part_rig_get(&r, "lib/text")->bytes.base, part_rig_get(&r, "lib/text2")->bytes.base);
	assert_true(part_rig_get(&r, "lib/random")->packed_length > 200000);
	/* Ends of files lie in one block together. */
	assert_true(part_rig_get(&r, "etc/rc.sh")->shared_length > 0);
	assert_int_equal(part_rig_get(&r, "etc/rc.sh")->packed_length, 0);
	assert_int_equal(part_rig_get(&r, "etc/hostname")->shared_at, part_rig_get(&r, "etc/rc.sh")->shared_at);
	assert_int_equal(part_rig_get(&r, "etc/empty")->shared_length, 0);
	part_rig_close(&r);
	free(image.p);
	image = pki_load("squashfs/caps.sqfs");
	part_rig_open(&r, pki_view(&image));
	assert_true(part_rig_get(&r, "ping")->have_caps);
	assert_false(part_rig_get(&r, "ping")->setlabel);
	assert_true(part_rig_get(&r, "labelled")->setlabel);
	assert_int_equal(part_rig_get(&r, "su")->mode, 04755);
	assert_int_equal(part_rig_get(&r, "su")->gid, 7);
	assert_int_equal(part_rig_get(&r, "disk")->kind, PART_DEVICE);
	assert_int_not_equal(part_rig_get(&r, "disk")->rdev, 0);
	part_rig_close(&r);
	free(image.p);
}

static void
what_follows_is_a_part(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("squashfs/gzip.sqfs");
	uint8_t *b = calloc(1, image.n + 9000);
	struct part_rig r;
	memcpy(b, image.p, image.n);
	part_rig_open(&r, view_of(b, image.n + 9000));
	assert_int_equal(part_rig_find(&r, "rest"), PART_NONE_INDEX);
	part_rig_close(&r);
	memcpy(b + image.n + 5000, "telnetd -l /bin/sh", 18);
	part_rig_open(&r, view_of(b, image.n + 9000));
	assert_int_equal(part_rig_get(&r, "rest")->at, image.n + 5000);
	part_rig_close(&r);
	free(b);
	free(image.p);
}

static uint64_t
word64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

/* Bytes between the blocks and the tables that no file has. */
static void
what_no_file_has(void **state)
{
	(void)state;
	enum { MORE = 600 };
	static const unsigned places[] = { 40, 48, 56, 64, 72, 80, 88 }; /* in the superblock; of the tables of places, three */
	struct pki_blob image = pki_load("pairs/base.sqfs");
	uint8_t *b = calloc(1, image.n + MORE);
	uint64_t inodes = word64(image.p + 64);
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX);
	part_rig_close(&r);
	memcpy(b, image.p, inodes);
	memset(b + inodes, 'T', MORE);
	memcpy(b + inodes + MORE, image.p + inodes, image.n - inodes);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		uint64_t v = word64(image.p + places[i]), moved = v + MORE, at = v;
		if (v == UINT64_MAX)
			continue;
		memcpy(b + places[i], &moved, 8);
		/* Ids, fragments, export: a row of places; of attributes a place, a number, and such a row. */
		for (unsigned k = 0; k < (places[i] == 56 ? 2 : places[i] >= 64 && places[i] <= 72 ? 0 : places[i] > 40); k++) {
			uint64_t to = word64(image.p + at) + MORE;
			memcpy(b + at + MORE, &to, 8);
			at += 16;
		}
	}
	part_rig_open(&r, view_of(b, image.n + MORE));
	assert_null(parts_get(r.tree, 0)->why);
	assert_int_equal(part_rig_get(&r, "gap")->at, inodes);
	assert_int_equal(part_rig_get(&r, "gap")->bytes.size, MORE);
	part_rig_close(&r);
	free(b);
	free(image.p);
}

static void
damage(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("squashfs/gzip.sqfs");
	struct part_rig r;
	memset(image.p + 100, 0x55, 5000); /* blocks of the first files */
	part_rig_open(&r, pki_view(&image));
	unsigned partial = 0;
	for (uint32_t i = 0; i < parts_count(r.tree); i++)
		partial += parts_get(r.tree, i)->partial;
	assert_true(partial > 0);
	part_rig_close(&r);
	memset(image.p + (image.p[64] | image.p[65] << 8 | image.p[66] << 16) + 20, 0x55, 40); /* inodes */
	part_rig_open(&r, pki_view(&image));
	assert_non_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	free(image.p);
	image = pki_load("squashfs/lzo.sqfs");
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_NONE);
	part_rig_close(&r);
	free(image.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file),
		cmocka_unit_test(what_is_no_file),
		cmocka_unit_test(what_follows_is_a_part),
		cmocka_unit_test(what_no_file_has), cmocka_unit_test(damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
