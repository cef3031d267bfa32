/* SPDX-License-Identifier: Apache-2.0 */
/* Cabinets of gcab and of our own script as parts: every file; what their walker refuses is told; damage at every place. */
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
	static const char *const files[] = { "etc/init.d/rcS", "etc/passwd", "usr/bin/agent", "usr/lib/libmodem.so",
		"usr/share/www/logo.png" };
	struct pki_blob image = pki_load("pairs/base.cab");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char path[100];
		uint8_t sum[DIGEST_SHA256_LEN];
		snprintf(path, sizeof path, "pairs/base/tree/%s", files[i]);
		struct pki_blob want = pki_load(path);
		assert_int_equal(digest_sha256(pki_view(&want), sum), 0);
		assert_memory_equal(part_rig_get(&r, files[i])->sha256, sum, sizeof sum);
		assert_false(part_rig_get(&r, files[i])->have_mode); /* it has none to give */
		free(want.p);
	}
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPENED);
	assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX);
	(void)part_rig_get(&r, "entries");
	part_rig_close(&r);
	free(image.p);
}

static void
of_our_own(void **state)
{
	(void)state;
	static const struct { const char *name; bool opened, partial, behind; } row[] = {
		{ "plain", true, false, false },
		{ "stored", true, false, false },
		{ "folders", true, false, false },
		{ "checksums", true, false, false },
		{ "behind", true, false, true },
		{ "wrong-sum", true, true, false },
		{ "inside-a-block", true, true, false },
		{ "gap", false, false, false },
		{ "reserved-areas", false, false, false },
		{ "of-a-set", false, false, false },
		{ "lzx", false, false, false },
	};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		char path[64];
		struct part_rig r;
		bool partial = false;
		snprintf(path, sizeof path, "cab/%s.cab", row[i].name);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		const struct part *root = parts_get(r.tree, 0);
		if ((root->look == PART_LOOK_OPENED) != row[i].opened || (root->why == NULL) != row[i].opened)
			fail_msg("%s: %s", row[i].name, root->why ? root->why : "opened");
		for (uint32_t k = 1; k < parts_count(r.tree); k++)
			partial = partial || parts_get(r.tree, k)->partial;
		assert_int_equal(partial, row[i].partial);
		assert_int_equal(part_rig_find(&r, "gap") != PART_NONE_INDEX, row[i].behind);
		if (row[i].opened && !row[i].partial)
			assert_true(part_rig_get(&r, "firmware.bin")->bytes.size == 70000);
		part_rig_close(&r);
		free(image.p);
	}
}

static void
damage_at_every_place(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("cab/folders.cab");
	struct part_rig r;
	for (size_t n = 0; n < image.n; n += n < 300 ? 1 : 401) {
		part_rig_open(&r, view_of(image.p, n));
		part_rig_close(&r);
	}
	for (size_t at = 0; at < image.n; at += at < 300 ? 1 : 97) {
		image.p[at] ^= (uint8_t)(1u << at % 8);
		part_rig_open(&r, pki_view(&image));
		part_rig_close(&r);
		image.p[at] ^= (uint8_t)(1u << at % 8);
	}
	free(image.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file),
		cmocka_unit_test(of_our_own),
		cmocka_unit_test(damage_at_every_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
