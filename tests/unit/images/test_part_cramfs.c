/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of mkfs.cramfs as parts: both byte orders, every file, rights; what is hidden, damaged or made in bad faith. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <zlib.h>
#include <cmocka.h>

#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/part_rig.h"

static void
every_file(void **state)
{
	(void)state;
	static const char *const kinds[] = { "little", "big", "holes", "boot" };
	struct pki_blob list = pki_load("cramfs/list");
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		char path[100];
		struct part_rig r;
		snprintf(path, sizeof path, "cramfs/%s", kinds[k]);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		part_rig_lists(&r, 0, pki_view(&list));
		assert_string_equal(part_form(parts_get(r.tree, 0)), "cramfs");
		if (parts_get(r.tree, 0)->look != PART_LOOK_OPENED)
			fail_msg("%s: %s", kinds[k], parts_get(r.tree, 0)->why);
		assert_int_equal(part_rig_get(&r, "bin/su")->mode, 04755);
		assert_string_equal(part_rig_get(&r, "etc/link")->link, "/etc/hostname");
		assert_int_equal(part_rig_get(&r, "void")->kind, PART_FOLDER);
		assert_int_equal(part_rig_get(&r, ".")->kind, PART_FOLDER);
		assert_int_equal(part_rig_get(&r, ".")->mode, 0751);
		/* One content, two names: it came out once. */
		assert_int_equal(part_rig_get(&r, "same")->bytes.base, part_rig_get(&r, "etc/hostname")->bytes.base);
		/* What the tool writes leaves nothing. */
		assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX);
		part_rig_close(&r);
		free(image.p);
	}
	free(list.p);
}

/* ---- in bad faith, out of the small one ---- */

static uint32_t
get(const struct pki_blob *b, size_t at)
{
	return (uint32_t)b->p[at] | (uint32_t)b->p[at + 1] << 8 | (uint32_t)b->p[at + 2] << 16 | (uint32_t)b->p[at + 3] << 24;
}

static void
set(struct pki_blob *b, size_t at, uint32_t v)
{
	for (unsigned k = 0; k < 4; k++)
		b->p[at + k] = (uint8_t)(v >> 8 * k);
}

/* So that the checksum fits again. */
static void
seal(struct pki_blob *b)
{
	set(b, 32, 0);
	set(b, 32, (uint32_t)crc32(0, b->p, (uInt)b->n));
}

/* Entries of the root, all with names of up to four letters: a, c, d, l. */
static size_t
entry_at(unsigned k)
{
	return 76 + 16 * k;
}

static void
bad_faith(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 9; k++) {
		struct pki_blob b = pki_load("cramfs/tiny");
		struct part_rig r;
		uint32_t data = get(&b, entry_at(1) + 8) >> 6 << 2;
		switch (k) {
		case 0: /* a folder in itself */
			set(&b, entry_at(2) + 8, 1u | 76 / 4 << 6);
			set(&b, entry_at(2) + 4, 64);
			break;
		case 1: /* a device */
			b.p[entry_at(1)] = 0xa4;
			b.p[entry_at(1) + 1] = 0x21;
			set(&b, entry_at(1) + 4, 5 << 8 | 1);
			set(&b, entry_at(1) + 8, 1);
			break;
		case 2: /* a size of 16 MiB */
			set(&b, entry_at(1) + 4, 0xffffff);
			break;
		case 3: /* its block ends before it begins */
			set(&b, data, 3);
			break;
		case 4: /* and far outside */
			set(&b, data, 0xffffffff);
			break;
		case 5: /* blocks far outside */
			set(&b, entry_at(1) + 8, 1u | 0x3ffffffu << 6);
			break;
		case 6: /* bytes behind a block's stream */
			set(&b, entry_at(0) + 8, 1u | (get(&b, entry_at(1) + 8) >> 6) << 6);
			break;
		case 7: /* features of later kernels */
			b.p[9] |= 0x8;
			break;
		default: /* changed, and not sealed */
			b.p[entry_at(0)] ^= 1;
		}
		if (k != 8)
			seal(&b);
		part_rig_open(&r, pki_view(&b));
		const struct part *top = parts_get(r.tree, 0);
		switch (k) {
		case 0:
			assert_string_equal(top->why, "a folder of its file system has two places");
			break;
		case 1:
			assert_true(part_rig_get(&r, "c")->rdev == ((uint64_t)5 << 32 | 1));
			assert_false(part_rig_get(&r, "c")->block);
			/* Its bytes are nobody's now. */
			assert_int_not_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX);
			break;
		case 2:
		case 3:
		case 4:
		case 5:
			assert_true(part_rig_get(&r, "c")->partial);
			assert_int_equal(part_rig_get(&r, "d/b")->bytes.size, 9600);
			break;
		case 6: /* another file's blocks under a size that is not theirs */
			assert_true(part_rig_get(&r, "a")->partial);
			break;
		case 7:
			assert_string_equal(top->why, "its file system is of a kind that nothing here reads");
			break;
		default:
			assert_string_equal(top->why, "the checksum of its file system is another one");
		}
		part_rig_close(&r);
		free(b.p);
	}
}

/* A block with something behind its stream. */
static void
behind_a_stream(void **state)
{
	(void)state;
	uint8_t image[4096] = { 0 };
	struct pki_blob b = { image, sizeof image };
	struct part_rig r;
	uLongf n = 400;
	for (unsigned more = 0; more < 2; more++) {
		memset(image, 0, sizeof image);
		set(&b, 0, 0x28cd3d45);
		set(&b, 4, sizeof image);
		set(&b, 8, 3);
		memcpy(image + 16, "Compressed ROMFS", 16);
		set(&b, 64, 040755);
		set(&b, 68, 16);
		set(&b, 72, 76 / 4 << 6);
		set(&b, 76, 0100644);
		set(&b, 80, 11);
		set(&b, 84, 1u | 92 / 4 << 6);
		memcpy(image + 88, "file", 4);
		n = 400;
		assert_int_equal(compress(image + 96, &n, (const uint8_t *)"some words\n", 11), Z_OK);
		if (more)
			memcpy(image + 96 + n, "telnetd", 7);
		set(&b, 92, 96 + (uint32_t)n + 7 * more);
		seal(&b);
		part_rig_open(&r, pki_view(&b));
		assert_int_equal(part_rig_get(&r, "file")->partial, more);
		assert_null(parts_get(r.tree, 0)->why);
		part_rig_close(&r);
	}
}

static void
found_in_a_flash(void **state)
{
	(void)state;
	static const char *const kinds[] = { "cramfs/little", "cramfs/big", "cramfs/boot" };
	for (unsigned k = 0; k < 3; k++) {
		struct pki_blob image = pki_load(kinds[k]);
		size_t n = image.n + 32768;
		uint8_t *b = malloc(n);
		struct part_rig r;
		memset(b, 0xff, n);
		memcpy(b, "boot code of somebody's", 23);
		memcpy(b + 8192, image.p, image.n);
		part_rig_open(&r, view_of(b, n));
		assert_int_equal(part_rig_get(&r, "cramfs/bin/su")->mode, 04755);
		assert_null(part_rig_get(&r, "cramfs")->why);
		part_rig_close(&r);
		memcpy(b + 8192 + image.n + 1000, "telnetd", 7);
		part_rig_open(&r, view_of(b + 8192, n - 8192));
		assert_int_equal(part_rig_get(&r, "rest")->at, image.n + 1000);
		part_rig_close(&r);
		free(b);
		free(image.p);
	}
}

/* What its header claims to take is not what was done to see that it is cut off: the search goes on behind it. */
static void
cut_in_a_flash(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("cramfs/tiny"), packed = pki_load("pairs/base.cpio.gz");
	struct pki_blob b = { .n = 8192 + image.n + packed.n };
	struct part_rig r;
	b.p = malloc(b.n);
	memset(b.p, 0xff, 8192);
	memcpy(b.p + 8192, image.p, image.n);
	memcpy(b.p + 8192 + image.n, packed.p, packed.n);
	set(&b, 8192 + 4, 0x7fffffff);
	part_rig_open(&r, pki_view(&b));
	assert_int_equal(part_rig_get(&r, "gzip")->kind, PART_STREAM);
	assert_int_equal(parts_limits(r.tree), 0);
	part_rig_close(&r);
	free(b.p);
	free(packed.p);
	free(image.p);
}

static void
what_is_hidden(void **state)
{
	(void)state;
	static const char words[] = "telnetd -l /bin/sh";
	struct pki_blob image = pki_load("cramfs/tiny");
	struct part_rig r;
	unsigned tried = 0;
	for (size_t at = 76; at + sizeof words < image.n; at += 67) {
		static const uint8_t zeros[sizeof words];
		if (memcmp(image.p + at, zeros, sizeof zeros) != 0)
			continue;
		memcpy(image.p + at, words, sizeof words - 1);
		seal(&image);
		part_rig_open(&r, pki_view(&image));
		if (!part_rig_tells(&r, words))
			fail_msg("nothing tells of %zu", at);
		part_rig_close(&r);
		memset(image.p + at, 0, sizeof words - 1);
		tried++;
	}
	assert_true(tried > 20);
	free(image.p);
}

static void
damage(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("cramfs/tiny");
	struct part_rig r;
	for (size_t n = 0; n < image.n; n += 13) {
		uint8_t *b = malloc(n + 1);
		memcpy(b, image.p, n);
		part_rig_open(&r, view_of(b, n));
		part_rig_close(&r);
		free(b);
	}
	for (size_t i = 0; i < image.n; i++) {
		static const uint8_t flips[] = { 0x01, 0x80, 0xff };
		if (image.p[i] == 0 && i % 7)
			continue;
		image.p[i] ^= flips[i % 3];
		part_rig_open(&r, pki_view(&image));
		/* Nothing of it is believed unseen: the checksum, if nothing else. */
		assert_true(parts_get(r.tree, 0)->why || strcmp(part_form(parts_get(r.tree, 0)), "cramfs") != 0);
		part_rig_close(&r);
		image.p[i] ^= flips[i % 3];
	}
	free(image.p);
}

/* Thousands of folders over each other, each as long as there are entries, and those are none: time is bounded. */
static void
folders_over_each_other(void **state)
{
	(void)state;
	enum { FOLDERS = 20000, NONE = 40000, EACH = 16 };
	struct pki_blob b = { .n = 76 + (size_t)(FOLDERS + NONE) * EACH };
	struct part_rig r;
	b.p = calloc(1, b.n);
	set(&b, 0, 0x28cd3d45);
	set(&b, 4, (uint32_t)b.n);
	set(&b, 8, 3);
	memcpy(b.p + 16, "Compressed ROMFS", 16);
	set(&b, 64, 040755);
	set(&b, 68, FOLDERS * EACH);
	set(&b, 72, 76 / 4 << 6);
	for (uint32_t k = 0; k < FOLDERS; k++) {
		uint32_t at = 76 + k * EACH, to = 76 + FOLDERS * EACH + k * 4;
		set(&b, at, 040755);
		set(&b, at + 4, (uint32_t)b.n - to);
		set(&b, at + 8, (to / 4) << 6 | 1);
		memcpy(b.p + at + 12, "name", 4);
	}
	for (size_t at = 76 + (size_t)FOLDERS * EACH; at < b.n; at += 4)
		set(&b, at, 1); /* no type of file, four bytes of name, whichever word an entry begins with */
	seal(&b);
	part_rig_open(&r, pki_view(&b));
	assert_string_equal(part_form(parts_get(r.tree, 0)), "cramfs");
	assert_non_null(parts_get(r.tree, 0)->why);
	assert_true(parts_count(r.tree) > FOLDERS);
	part_rig_close(&r);
	free(b.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file), cmocka_unit_test(bad_faith), cmocka_unit_test(behind_a_stream),
		cmocka_unit_test(found_in_a_flash), cmocka_unit_test(cut_in_a_flash), cmocka_unit_test(what_is_hidden),
		cmocka_unit_test(damage), cmocka_unit_test(folders_over_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
