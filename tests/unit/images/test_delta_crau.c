/* SPDX-License-Identifier: Apache-2.0 */
/* Incremental payloads: AOSP's own sample, and those that tests/vectors/craudelta.py puts together, with their hostile cousins. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/delta_crau.h"
#include "unit/images/delta_rig.h"

#define FOLDER "craudelta"
#define FORMAT FORMAT_ANDROID_PAYLOAD

/* The old kernel is in no archive of AOSP's; craudelta.py says how it was found, and its hash is the sample's. */
static void
aosp(void **state)
{
	struct view full = rig_genuine("android-payload/full_payload.bin"), p = rig_genuine("android-payload/delta_payload.bin");
	(void)state;
	if (!p.p || !full.p) {
		print_message("skipped: ../shared/vectors/android-payload is not there\n");
		skip();
	}
	struct view kernel = rig_made(FOLDER, "aosp-old"), want, got;
	/* Two partitions, of which one is read: an archive of that one. */
	struct writer base;
	static const uint8_t end[1024];
	uint8_t h[512] = "kernel";
	unsigned sum = 0;
	snprintf((char *)h + 124, 12, "%011zo", kernel.n);
	memset(h + 148, ' ', 8);
	memcpy(h + 257, "ustar\00000", 8);
	for (unsigned i = 0; i < sizeof h; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	writer_init(&base, 8 << 20);
	writer_bytes(&base, view_of(h, sizeof h));
	writer_bytes(&base, kernel);
	writer_bytes(&base, view_of(end, sizeof end));
	struct delta_result r = rig_apply(FORMAT, full, view_of(NULL, 0), &want);
	assert_string_equal(r.detail, "");
	r = rig_makes(FORMAT, p, writer_view(&base), want);
	assert_true(r.checked && r.named);
	/* Four blocks are copied, and much of five is as it was. */
	assert_true(r.from_base >= 4 * 4096 + 15000);
	r = rig_apply(FORMAT, p, kernel, &got);
	assert_int_equal(r.outcome, DELTA_WRONG_BASE);
	assert_string_equal(r.wants, "partition kernel: 4194304 bytes, sha256 "
	                             "42a879e9d112c81619d2ee9a108d99d09b85144c18297f3c148747758da56d03");
	rig_drop(want);
	rig_drop(kernel);
	rig_drop(full);
	rig_drop(p);
	writer_free(&base);
}

static void
one_partition(void **state)
{
	struct view old = rig_made(FOLDER, "one-old"), new = rig_made(FOLDER, "one-new"), p = rig_made(FOLDER, "one");
	(void)state;
	struct delta_result r = rig_makes(FORMAT, p, old, new);
	assert_true(r.checked);
	assert_string_equal(r.applier, "android-payload/1");
	assert_true(r.from_base > 100000 && r.from_patch > 3 * 4096);
	rig_drop(p);
	p = rig_made(FOLDER, "one-no-source-hash");
	rig_makes(FORMAT, p, old, new);
	/* As a member of an archive. */
	struct view archive = rig_made(FOLDER, "two.tar");
	rig_makes(FORMAT, p, archive, new);
	rig_drop(archive);
	rig_drop(p);
	rig_drop(new);
	rig_drop(old);
}

static void
several_partitions(void **state)
{
	struct view old = rig_made(FOLDER, "two.tar"), new = rig_made(FOLDER, "two-new.tar"), p = rig_made(FOLDER, "two");
	(void)state;
	assert_true(rig_makes(FORMAT, p, old, new).checked);
	/* What was made is a base in its turn, though not of this. */
	rig_refuses(FORMAT, p, new, DELTA_WRONG_BASE, "partition system: the base's is another one");
	/* A full one needs none. */
	struct view full = rig_made(FOLDER, "full");
	struct delta_result r = rig_makes(FORMAT, full, view_of(NULL, 0), new);
	assert_int_equal(r.from_base, 0);
	rig_drop(full);
	rig_drop(p);
	rig_drop(new);
	rig_drop(old);
}

/* Each is told as a wrong base, with the digest that is wanted. */
static void
other_bases(void **state)
{
	struct view old = rig_made(FOLDER, "one-old"), p = rig_made(FOLDER, "one");
	struct view archive = rig_made(FOLDER, "two.tar"), several = rig_made(FOLDER, "two"), none = view_of(NULL, 0);
	(void)state;
	rig_bytes(old)[70000] ^= 1;
	struct delta_result r = rig_apply(FORMAT, p, old, NULL);
	assert_int_equal(r.outcome, DELTA_WRONG_BASE);
	assert_non_null(strstr(r.wants, "partition system: 163840 bytes, sha256 "));
	rig_bytes(old)[70000] ^= 1;
	rig_refuses(FORMAT, p, view_of(old.p, old.n - 1), DELTA_WRONG_BASE, "the base has another size");
	rig_refuses(FORMAT, p, none, DELTA_WRONG_BASE, "the base has another size");
	rig_refuses(FORMAT, several, old, DELTA_WRONG_BASE, "no tar archive");
	rig_refuses(FORMAT, several, none, DELTA_WRONG_BASE, "no tar archive");
	/* "./notes", "vendor_a", "./system.img": of 11, 8192 and 163840 bytes. */
	size_t vendor = 2 * 512, system = vendor + 512 + 8192;
	rig_bytes(archive)[system + 512 + 70000] ^= 1;
	rig_refuses(FORMAT, several, archive, DELTA_WRONG_BASE, "partition system: the base's is another one");
	rig_bytes(archive)[system + 512 + 70000] ^= 1;
	rig_bytes(archive)[system] ^= 1;
	rig_refuses(FORMAT, several, archive, DELTA_WRONG_BASE, "an archive that cannot be read to its end");
	rig_bytes(archive)[system] ^= 1;
	rig_refuses(FORMAT, several, view_of(archive.p, system), DELTA_WRONG_BASE, "the base's archive does not have it");
	rig_refuses(FORMAT, several, view_of(archive.p, system + 5000), DELTA_WRONG_BASE, "an archive that cannot be read to its end");
	struct writer twice;
	writer_init(&twice, 1 << 20);
	writer_bytes(&twice, view_of(archive.p, system + 512 + 163840));
	writer_bytes(&twice, archive);
	rig_refuses(FORMAT, several, writer_view(&twice), DELTA_WRONG_BASE, "the base's archive has it twice");
	writer_free(&twice);
	rig_drop(several);
	rig_drop(archive);
	rig_drop(p);
	rig_drop(old);
}

/* Name, outcome and words of each; a line of hostile/list. */
static void
hostile(void **state)
{
	struct view list = rig_made(FOLDER, "hostile/list"), old = rig_made(FOLDER, "one-old");
	char *text = strndup((const char *)list.p, list.n), *next = text;
	unsigned n = 0;
	(void)state;
	for (char *line; (line = strsep(&next, "\n")) && *line; n++) {
		char *name = strsep(&line, " "), *outcome = strsep(&line, " "), path[RIG_PATH_MAX];
		snprintf(path, sizeof path, "hostile/%s", name);
		struct view p = rig_made(FOLDER, path);
		struct delta_result r = rig_apply(FORMAT, p, old, NULL);
		if (strcmp(delta_outcome_name(r.outcome), outcome) != 0 || !strstr(r.detail, line))
			fail_msg("%s: %s: \"%s\" instead of %s: \"%s\"", name, delta_outcome_name(r.outcome), r.detail, outcome, line);
		rig_drop(p);
	}
	assert_true(n > 40);
	free(text);
	rig_drop(list);
	rig_drop(old);
}

/* The base is what stops a part; the patch is what stops the rest. Only what nobody signs here changes nothing. */
static void
every_byte(void **state)
{
	struct view old = rig_made(FOLDER, "one-old"), new = rig_made(FOLDER, "one-new"), p = rig_made(FOLDER, "one");
	(void)state;
	/*
	 * Three flips each: the minor version, with its tag, and the timestamp change nothing; nor do tags of fields that are
	 * passed over then (hashes of what is read), and letters of the partition's name.
	 */
	unsigned same = rig_tries(FORMAT, p, old, new, 7);
	print_message("%u changes made the same target\n", same);
	assert_true(same < 12);
	rig_drop(p);
	rig_drop(new);
	rig_drop(old);
}

/* A base in a file that becomes shorter is no outcome. */
static void
local_failure(void **state)
{
	struct view old = rig_made(FOLDER, "one-old"), p = rig_made(FOLDER, "one");
	struct source patch, base;
	struct delta_result r;
	int fd = memfd_create("base", MFD_CLOEXEC);
	(void)state;
	assert_int_equal(write(fd, old.p, old.n), old.n);
	assert_int_equal(source_open(&base, fd), 0);
	source_memory(&patch, p);
	assert_int_equal(delta_apply(FORMAT, &patch, &base, -1, &r), 0);
	assert_int_equal(r.outcome, DELTA_APPLIED);
	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_int_equal(delta_apply(FORMAT, &patch, &base, -1, &r), FG_EIO);
	close(fd);
	rig_drop(p);
	rig_drop(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aosp),
		cmocka_unit_test(one_partition),
		cmocka_unit_test(several_partitions),
		cmocka_unit_test(other_bases),
		cmocka_unit_test(hostile),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(local_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
