/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of mke2fs and debugfs as parts: every generation, every file, rights; what is hidden, damaged or made in bad faith. */
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
	static const char *const kinds[] = { "ext2-1k", "ext2-4k", "ext3", "ext4", "ext4-1k", "ext4-small",
		"ext4-inline", "ext4-meta", "ext4-big", "ext4-old", "index" };
	struct pki_blob list = pki_load("ext4/list");
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		char path[100];
		struct part_rig r;
		snprintf(path, sizeof path, "ext4/%s", kinds[k]);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		part_rig_lists(&r, 0, pki_view(&list));
		if (parts_get(r.tree, 0)->look != PART_LOOK_OPENED)
			fail_msg("%s: %s", kinds[k], parts_get(r.tree, 0)->why);
		assert_int_equal(parts_limits(r.tree), 0);
		assert_string_equal(part_rig_get(&r, "etc/link")->link, "/etc/hostname");
		assert_int_equal(strlen(part_rig_get(&r, "etc/long-link")->link), 151);
		assert_int_equal(part_rig_get(&r, "etc/rc.sh")->mode, 0755);
		assert_int_equal(part_rig_get(&r, "empty")->kind, PART_FOLDER);
		part_rig_close(&r);
		free(image.p);
	}
	free(list.p);
}

static void
rights(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("ext4/rights");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(part_rig_get(&r, "su")->mode, 04755);
	assert_int_equal(part_rig_get(&r, ".")->kind, PART_FOLDER);
	assert_int_equal(part_rig_get(&r, ".")->mode, 0755);
	assert_int_equal(part_rig_get(&r, "su")->uid, 70000);
	assert_int_equal(part_rig_get(&r, "su")->gid, 7);
	assert_true(part_rig_get(&r, "ping")->have_caps);
	assert_false(part_rig_get(&r, "ping")->setlabel);
	assert_true(part_rig_get(&r, "labelled")->setlabel);
	assert_false(part_rig_get(&r, "labelled")->have_caps);
	assert_int_equal(part_rig_get(&r, "disk")->kind, PART_DEVICE);
	assert_true(part_rig_get(&r, "disk")->block);
	assert_true(part_rig_get(&r, "disk")->rdev == ((uint64_t)8 << 32 | 1));
	assert_true(part_rig_get(&r, "tty")->rdev == ((uint64_t)204 << 32 | 300));
	assert_int_equal(part_rig_get(&r, "pipe")->kind, PART_FIFO);
	part_rig_close(&r);
	free(image.p);
}

/* What no name leads to is a part of its own. */
static void
what_is_hidden(void **state)
{
	(void)state;
	static const char words[] = "telnetd -l /bin/sh";
	struct pki_blob image = pki_load("ext4/rights");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_true(part_rig_tells(&r, "words of a file that was deleted"));
	assert_true(part_rig_tells(&r, "system_u:object_r:etc_t:s0"));
	assert_true(part_rig_tells(&r, "xxxxxxxxxx"));
	part_rig_close(&r);
	free(image.p);
	/* At every place that is zero: between entries, behind files, in inodes that are free, in the boot block. */
	image = pki_load("ext4/tiny");
	unsigned tried = 0;
	for (size_t at = 0; at + sizeof words < image.n; at += 509) {
		static const uint8_t zeros[sizeof words];
		if (memcmp(image.p + at, zeros, sizeof zeros) != 0)
			continue;
		memcpy(image.p + at, words, sizeof words - 1);
		part_rig_open(&r, pki_view(&image));
		bool file_has = false;
		for (uint32_t i = 1; i < parts_count(r.tree); i++) {
			const struct part *p = parts_get(r.tree, i);
			file_has = file_has || (p->kind == PART_FILE && p->placed && at >= p->at && at < p->at + p->bytes.size);
		}
		/* An entry of a folder may have become another one, which is told as damaged. */
		if (!file_has && !part_rig_tells(&r, words) && !parts_get(r.tree, 0)->why)
			fail_msg("nothing tells of %zu", at);
		part_rig_close(&r);
		memset(image.p + at, 0, sizeof words - 1);
		tried++;
	}
	assert_true(tried > 30);
	/* And behind it. */
	uint8_t *b = calloc(1, image.n + 9000);
	memcpy(b, image.p, image.n);
	memcpy(b + image.n + 5000, words, sizeof words);
	part_rig_open(&r, view_of(b, image.n + 9000));
	assert_int_equal(part_rig_get(&r, "rest")->at, image.n + 5000);
	part_rig_close(&r);
	free(b);
	free(image.p);
}

static void
pieces(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("ext4/tiny");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	const struct part *b = part_rig_get(&r, "d/b");
	uint32_t i = part_rig_find(&r, "d/b");
	/* Twelve blocks, the block of pointers, three more. */
	assert_int_equal(b->pieces, 2);
	assert_int_equal(parts_piece(r.tree, i, 0).length, 12 * 1024);
	assert_int_equal(parts_piece(r.tree, i, 1).at, parts_piece(r.tree, i, 0).at + 13 * 1024);
	assert_int_equal(parts_piece(r.tree, i, 1).length, 15000 - 12 * 1024);
	assert_true(part_rig_get(&r, "c")->placed);
	assert_string_equal(part_rig_get(&r, "l")->link, "a");
	part_rig_close(&r);
	free(image.p);
}

static void
bad_faith(void **state)
{
	(void)state;
	static const char *const cases[] = { "bad-loop", "bad-overlap", "bad-size", "bad-bomb", "dirty" };
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		char path[64];
		struct part_rig r;
		snprintf(path, sizeof path, "ext4/%s", cases[k]);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		const struct part *root = parts_get(r.tree, 0);
		switch (k) {
		case 0:
			assert_string_equal(root->why, "a folder of its file system has two places");
			assert_int_equal(part_rig_find(&r, "d/loop/b"), PART_NONE_INDEX);
			break;
		case 1:
			/* Either has its bytes, and neither keeps them from the other. */
			assert_string_equal(root->why, "blocks of its file system belong to two files, or twice to one");
			assert_int_equal(part_rig_get(&r, "a")->bytes.size, 1024);
			assert_int_equal(part_rig_get(&r, "c")->bytes.size, 1200);
			assert_false(part_rig_get(&r, "a")->again || part_rig_get(&r, "c")->again);
			break;
		case 2:
			assert_true(part_rig_get(&r, "a")->partial);
			break;
		case 3:
			assert_true(part_rig_get(&r, "a")->partial);
			assert_int_equal(part_rig_get(&r, "d/b")->bytes.size, 15000);
			break;
		default:
			assert_non_null(root->why);
			assert_int_equal(root->look, PART_LOOK_NONE);
			assert_int_equal(part_rig_get(&r, "etc/hostname")->bytes.size, 7);
		}
		part_rig_close(&r);
		free(image.p);
	}
}

/* ---- inodes and entries, found and changed ---- */

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Inode n of a file system of one group in blocks of block bytes. */
static uint8_t *
inode(struct pki_blob *image, uint32_t block, uint32_t n)
{
	const uint8_t *desc = image->p + (block == 1024 ? 2048 : block);
	uint32_t size = image->p[1024 + 88] | (uint32_t)image->p[1024 + 89] << 8;
	return image->p + (uint64_t)get32(desc + 8) * block + (uint64_t)(n - 1) * size;
}

/* The entry of a name in a folder; the first eight bytes of it come before the name. */
static uint8_t *
entry_of(struct pki_blob *image, const char *name)
{
	size_t n = strlen(name);
	for (size_t at = 8; at + n < image->n; at++)
		if (memcmp(image->p + at, name, n) == 0 && image->p[at - 2] == n && image->p[at - 1] < 8 &&
		    image->p[at - 4] % 4 == 0 && get32(image->p + at - 8) > 0 && get32(image->p + at - 8) < 1000)
			return image->p + at - 8;
	print_error("no %s\n", name);
	abort();
}

/* Fields that lead nowhere: no name, no file and no device says what stands in them. */
static void
what_leads_nowhere(void **state)
{
	(void)state;
	struct part_rig r;
	struct pki_blob image = pki_load("ext4/rights");
	/* A device of which a kernel takes sixteen bits, whatever is above and behind them. */
	uint8_t *i = inode(&image, 4096, get32(entry_of(&image, "disk")));
	memcpy(i + 40, "\1\1evil!!", 8);
	part_rig_open(&r, pki_view(&image));
	assert_true(part_rig_get(&r, "disk")->rdev == ((uint64_t)1 << 32 | 1));
	assert_true(part_rig_tells(&r, "evil!!"));
	part_rig_close(&r);
	/* Extents behind the end of a file. */
	i = inode(&image, 4096, get32(entry_of(&image, "ping")));
	assert_int_equal(i[40 + 2], 1);
	i[40 + 2] = 2;
	memcpy(i + 40 + 24, "\xff\xff\0\0\1\0telnet", 12);
	part_rig_shows(pki_view(&image), "telnet");
	/* And places of blocks that were never written. */
	memcpy(i + 40 + 24, "\2\0\0\0\1\x80telnet", 12);
	memset(i + 4, 0, 4);
	i[5] = 0x80;
	part_rig_open(&r, pki_view(&image));
	assert_true(part_rig_get(&r, "ping")->partial);
	part_rig_close(&r);
	/* A name of an inode that there is none of. */
	uint8_t *e = entry_of(&image, "labelled");
	memcpy(e, "\xff\xff\xff\x7f", 4);
	e[7] = 0;
	part_rig_shows(pki_view(&image), "labelled");
	free(image.p);
	/* An inode that is put aside, and nothing uses. */
	image = pki_load("ext4/tiny");
	memcpy(inode(&image, 1024, 9) + 8, "telnet", 6);
	part_rig_shows(pki_view(&image), "telnet");
	free(image.p);
	/* "." and ".." that lead elsewhere. */
	image = pki_load("ext4/tiny");
	for (size_t at = 0; at + 24 < image.n; at += 1024)
		if (memcmp(image.p + at + 6, "\1\2.", 3) == 0)
			memcpy(image.p + at, "evil", 4);
	part_rig_shows(pki_view(&image), "evil");
	free(image.p);
}

/* A bitmap that is said to lie where a file does: the file keeps its bytes. */
static void
tables_over_files(void **state)
{
	(void)state;
	struct part_rig r;
	struct pki_blob image = pki_load("ext4/tiny");
	part_rig_open(&r, pki_view(&image));
	uint32_t block = (uint32_t)(part_rig_get(&r, "a")->at / 1024);
	part_rig_close(&r);
	image.p[2048] = (uint8_t)block;
	part_rig_open(&r, pki_view(&image));
	assert_string_equal(parts_get(r.tree, 0)->why, "tables of its file system lie over files");
	assert_false(part_rig_get(&r, "a")->again);
	assert_int_equal(part_rig_get(&r, "a")->bytes.size, 11);
	part_rig_close(&r);
	free(image.p);
}

/* A link that one kernel reads in its inode and another one in a block. */
static void
links_of_two_minds(void **state)
{
	(void)state;
	struct part_rig r;
	struct pki_blob image = pki_load("ext4/tiny");
	uint8_t *i = inode(&image, 1024, get32(entry_of(&image, "l")));
	part_rig_open(&r, pki_view(&image));
	assert_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	i[28] = 2; /* sectors */
	part_rig_open(&r, pki_view(&image));
	assert_string_equal(parts_get(r.tree, 0)->why, "its file system is damaged");
	assert_true(part_rig_get(&r, "l")->inexact);
	part_rig_close(&r);
	free(image.p);
}

/* What is encrypted is neither damaged nor what it looks like. */
static void
encrypted(void **state)
{
	(void)state;
	static const char *const names[] = { "l", "d" };
	for (unsigned k = 0; k < 2; k++) {
		struct part_rig r;
		struct pki_blob image = pki_load("ext4/tiny");
		uint8_t *i = inode(&image, 1024, get32(entry_of(&image, names[k])));
		assert_int_equal(i[33] & 8, 0);
		i[33] |= 8;
		part_rig_open(&r, pki_view(&image));
		assert_string_equal(parts_get(r.tree, 0)->why, "names and files of it are encrypted");
		assert_int_equal(part_rig_get(&r, "l")->inexact, k == 0);
		assert_int_equal(part_rig_get(&r, "d/b")->inexact, k == 1);
		assert_false(part_rig_get(&r, "d")->inexact || part_rig_get(&r, "a")->inexact);
		part_rig_close(&r);
		free(image.p);
	}
}

/* A file that says it lies in its inode, and has no attribute to say so too: kernels take its blocks. */
static void
inline_without_attribute(void **state)
{
	(void)state;
	struct part_rig r;
	struct pki_blob image = pki_load("ext4/tiny4");
	uint8_t *i = inode(&image, 1024, get32(entry_of(&image, "c")));
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(i[32 + 3] & 0x10, 0);
	part_rig_close(&r);
	i[32 + 3] |= 0x10;
	i[4] = 20;
	i[5] = 0;
	part_rig_open(&r, pki_view(&image));
	assert_true(part_rig_get(&r, "c")->partial);
	part_rig_close(&r);
	free(image.p);
}

/* Which bytes are a file's; malloc'ed. */
static uint8_t *
of_files(struct view image)
{
	struct part_rig r;
	uint8_t *has = calloc(1, image.n);
	part_rig_open(&r, image);
	for (uint32_t i = 1; i < parts_count(r.tree); i++) {
		const struct part *p = parts_get(r.tree, i);
		if (p->kind == PART_FILE && p->placed)
			memset(has + p->at, 1, p->bytes.size);
		for (uint32_t k = 0; k < p->pieces; k++)
			memset(has + parts_piece(r.tree, i, k).at, 1, parts_piece(r.tree, i, k).length);
	}
	part_rig_close(&r);
	return has;
}

/* Cut anywhere, and every byte of what is not a file's changed: a tree comes out, and is whole (part_rig.h). */
static void
damage(void **state)
{
	(void)state;
	static const char *const cases[] = { "ext4/tiny", "ext4/tiny4" };
	for (size_t k = 0; k < 2; k++) {
		struct pki_blob image = pki_load(cases[k]);
		struct part_rig r;
		uint8_t *files = of_files(pki_view(&image));
		for (size_t n = 0; n < image.n; n += n < 4096 ? 61 : 509) {
			uint8_t *b = malloc(n + 1);
			memcpy(b, image.p, n);
			part_rig_open(&r, view_of(b, n));
			assert_true(n < 2048 || parts_get(r.tree, 0)->why);
			part_rig_close(&r);
			free(b);
		}
		for (size_t i = 1024; i < image.n; i++) {
			static const uint8_t flips[] = { 0x01, 0x80, 0xff };
			if (files[i] || (image.p[i] == 0 && i % 53))
				continue;
			image.p[i] ^= flips[i % 3];
			part_rig_open(&r, pki_view(&image));
			part_rig_close(&r);
			image.p[i] ^= flips[i % 3];
		}
		free(files);
		free(image.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file), cmocka_unit_test(rights), cmocka_unit_test(what_is_hidden),
		cmocka_unit_test(pieces), cmocka_unit_test(bad_faith), cmocka_unit_test(damage),
		cmocka_unit_test(what_leads_nowhere), cmocka_unit_test(tables_over_files), cmocka_unit_test(links_of_two_minds),
		cmocka_unit_test(inline_without_attribute), cmocka_unit_test(encrypted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
