/* SPDX-License-Identifier: Apache-2.0 */
/* Android's boot images of every version, and sparse ones, as parts; sizes that lie; damage at every place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/part_rig.h"

/* The part has the bytes of the file of vectors of that name. */
static void
is_file(const struct part_rig *r, const char *path, const char *name)
{
	char from[64];
	uint8_t sum[DIGEST_SHA256_LEN];
	snprintf(from, sizeof from, "android/%s", name);
	struct pki_blob b = pki_load(from);
	assert_int_equal(digest_sha256(pki_view(&b), sum), 0);
	assert_memory_equal(part_rig_get(r, path)->sha256, sum, sizeof sum);
	free(b.p);
}

static void
every_version(void **state)
{
	(void)state;
	static const char *const names[] = { "boot-0", "boot-1", "boot-2", "boot-3", "boot-4", "vendor-3", "boot-avb", "boot-dt" };
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		char path[64];
		struct part_rig r;
		snprintf(path, sizeof path, "android/%s", names[k]);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		const struct part *root = parts_get(r.tree, 0), *words = part_rig_get(&r, "command line");
		bool boot = names[k][0] == 'b';
		assert_string_equal(part_form(root), boot ? "android-boot" : "vendor-boot");
		assert_null(root->why);
		assert_int_equal(root->look, PART_LOOK_OPENED);
		assert_int_equal(words->bytes.size, strlen("console=ttyMSM0,115200 androidboot.selinux=enforcing"));
		is_file(&r, "ramdisk", "ramdisk");
		if (boot)
			is_file(&r, "kernel", "kernel");
		if (k == 0)
			is_file(&r, "second", "second");
		if (k == 1)
			is_file(&r, "recovery dtbo", "dtbo");
		if (k == 2 || k == 5 || k >= 6)
			is_file(&r, "dtb", "dtb");
		assert_int_equal(part_rig_find(&r, "signature") != PART_NONE_INDEX, k == 4);
		assert_int_equal(part_rig_find(&r, "vbmeta") != PART_NONE_INDEX, k == 6);
		assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX);
		part_rig_close(&r);
		free(image.p);
	}
}

static void
ramdisks_of_a_vendor(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("android/vendor-4");
	struct part_rig r;
	unsigned found = 0;
	part_rig_open(&r, pki_view(&image));
	for (uint32_t i = 1; i < parts_count(r.tree); i++)
		found += strcmp(parts_get(r.tree, i)->name, "ramdisk") == 0;
	assert_int_equal(found, 2);
	is_file(&r, "ramdisk", "ramdisk");
	is_file(&r, "dtb", "dtb");
	assert_int_equal(part_rig_get(&r, "bootconfig")->bytes.size, 16);
	assert_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	/* In the middle of something else too. */
	uint8_t *b = calloc(1, image.n + 20000);
	memset(b, 'x', image.n + 20000);
	memcpy(b + 8192, image.p, image.n);
	part_rig_open(&r, view_of(b, image.n + 20000));
	is_file(&r, "vendor-boot/dtb", "dtb");
	part_rig_close(&r);
	free(b);
	free(image.p);
}

static void
sizes_that_lie(void **state)
{
	(void)state;
	struct part_rig r;
	struct pki_blob image = pki_load("android/boot-2");
	memset(image.p + 16, 0xff, 4); /* ramdisk */
	part_rig_open(&r, pki_view(&image));
	assert_string_equal(parts_get(r.tree, 0)->why, "it is cut off");
	part_rig_close(&r);
	memset(image.p + 36, 0xff, 4); /* page */
	part_rig_open(&r, pki_view(&image));
	assert_non_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	free(image.p);
	/* Bytes between the sections are seen. */
	image = pki_load("android/boot-3");
	memcpy(image.p + 4095 - 20, "hidden in the header", 20);
	part_rig_open(&r, pki_view(&image));
	assert_true(part_rig_get(&r, "gap")->at <= 4095 - 20);
	part_rig_close(&r);
	free(image.p);
}

static void
sparse(void **state)
{
	(void)state;
	static const char *const names[] = { "android/sparse", "android/sparse-sum" };
	struct part_rig r;
	for (unsigned k = 0; k < 2; k++) {
		struct pki_blob image = pki_load(names[k]);
		part_rig_open(&r, pki_view(&image));
		is_file(&r, "image", "plain");
		assert_null(parts_get(r.tree, 0)->why);
		assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPENED);
		assert_true(part_rig_get(&r, "image")->pieces >= 2);
		assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX);
		part_rig_close(&r);
		image.p[28 + 12] ^= 1; /* the first byte of the first chunk */
		part_rig_open(&r, pki_view(&image));
		assert_int_equal(part_rig_get(&r, "image")->partial, k == 1); /* only a sum would say so */
		part_rig_close(&r);
		image.p[28 + 12] ^= 1;
		image.p[16]++; /* one block more than there is */
		part_rig_open(&r, pki_view(&image));
		assert_non_null(parts_get(r.tree, 0)->why);
		assert_int_equal(part_rig_find(&r, "image"), PART_NONE_INDEX);
		part_rig_close(&r);
		image.p[16]--;
		image.p[28 + 2] = 1; /* a field that nothing uses */
		part_rig_open(&r, pki_view(&image));
		assert_int_equal(part_rig_get(&r, "gap")->at, 28);
		part_rig_close(&r);
		free(image.p);
	}
}

/* A chunk of nothing, as long as can be said: a bound, and that is told. */
static void
holes_are_bounded(void **state)
{
	(void)state;
	uint8_t b[40] = { 0x3a, 0xff, 0x26, 0xed, 1, 0, 0, 0, 28, 0, 12, 0, 0, 16, 0, 0, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0,
		0xc3, 0xca, 0, 0, 0xff, 0xff, 0xff, 0x7f, 12, 0, 0, 0 };
	struct part_rig r;
	part_rig_open(&r, view_of(b, sizeof b));
	assert_true(part_rig_get(&r, "image")->partial);
	assert_true(part_rig_get(&r, "image")->bytes.size <= 4u << 20);
	assert_int_equal(parts_limits(r.tree), 1);
	part_rig_close(&r);
}

/* Fillings of no block: four bytes each that nobody is shown. */
static void
fillings_of_nothing(void **state)
{
	(void)state;
	uint8_t b[60] = { 0x3a, 0xff, 0x26, 0xed, 1, 0, 0, 0, 28, 0, 12, 0, 0, 16, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
		0xc2, 0xca, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0, 'g', 'o', 'o', 'd',
		0xc2, 0xca, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 'e', 'v', 'i', 'l' };
	struct part_rig r;
	part_rig_open(&r, view_of(b, sizeof b));
	assert_int_equal(part_rig_get(&r, "image")->bytes.size, 4096);
	assert_int_equal(part_rig_get(&r, "gap")->at, sizeof b - 4);
	part_rig_close(&r);
}

static void
damage_at_every_place(void **state)
{
	(void)state;
	static const char *const names[] = { "boot-2", "boot-4", "vendor-4", "boot-avb", "sparse-sum" };
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		char path[64];
		struct part_rig r;
		snprintf(path, sizeof path, "android/%s", names[k]);
		struct pki_blob image = pki_load(path);
		for (size_t n = 0; n < image.n; n += n < 64 ? 1 : 1021) {
			part_rig_open(&r, view_of(image.p, n));
			part_rig_close(&r);
		}
		for (size_t at = 0; at < image.n; at += at < 64 || (at >= 2076 && at < 2128) ? 1 : 499) {
			image.p[at] ^= (uint8_t)(1u << at % 8);
			part_rig_open(&r, pki_view(&image));
			part_rig_close(&r);
			image.p[at] ^= (uint8_t)(1u << at % 8);
		}
		free(image.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version),
		cmocka_unit_test(ramdisks_of_a_vendor),
		cmocka_unit_test(sizes_that_lie),
		cmocka_unit_test(sparse),
		cmocka_unit_test(holes_are_bounded),
		cmocka_unit_test(fillings_of_nothing),
		cmocka_unit_test(damage_at_every_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
