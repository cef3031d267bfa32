/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "unit/images/walk_rig.h"

#define OPEN "COV-UNSIGNED-BYTES "

static struct view
made(const char *name)
{
	char file[48];
	snprintf(file, sizeof file, "%s.zck", name);
	return rig_made("zchunk", file);
}

static void
every_rule_has_its_file(void **state)
{
	static const struct {
		const char *name;
		unsigned members;
		const char *findings;
	} table[] = {
		{ "zstd", 1, OPEN "SIG-ABSENT" },
		{ "none", 1, OPEN "SIG-ABSENT" },
		{ "sha256", 1, OPEN "SIG-ABSENT" },
		{ "sha512", 1, OPEN "SIG-ABSENT" },
		{ "dictionary", 1, OPEN "SIG-ABSENT" },
		{ "unpacked-sums", 1, OPEN "SIG-ABSENT" },
		{ "header-changed", 0, OPEN "FMT-INTEGRITY! SIG-ABSENT" },
		{ "data-changed", 0, OPEN "FMT-INTEGRITY! FMT-MALFORMED! SIG-ABSENT" },
		/* The checksum of all data fits again, the chunk's does not. */
		{ "data-and-sum", 0, OPEN "FMT-INTEGRITY! FMT-MALFORMED! SIG-ABSENT" },
		{ "cut", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "trailing", 1, OPEN "FMT-TRAILING-BYTES! SIG-ABSENT" },
		{ "flags", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "streams", 0, OPEN "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "optional", 1, OPEN "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "signature", 1, OPEN "SIG-UNSUPPORTED-SCHEME!" },
		{ "signature-cut", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "packing", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "index-longer", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "kind", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "count-huge", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "plain-shorter", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "endless-number", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[RIG_TEXT_MAX];
		struct view img = made(table[i].name);
		struct report *r = rig_verify(img, view_of(NULL, 0));
		rig_findings(r, text);
		if (strcmp(text, table[i].findings) != 0 || r->contents.members_n != table[i].members)
			fail_msg("%s: [%s] %u members", table[i].name, text, r->contents.members_n);
		report_free(r);
		rig_drop(img);
	}
}

/* However it is packed, the same content comes out. */
static void
content_is_put_together(void **state)
{
	static const char *const names[] = { "none", "zstd", "sha256", "dictionary", "unpacked-sums" };
	uint8_t first[DIGEST_SHA256_LEN] = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct view img = made(names[i]);
		struct report *r = rig_verify(img, view_of(NULL, 0));
		assert_string_equal(r->contents.member[0].path, "content");
		if (i == 0)
			memcpy(first, r->contents.member[0].sha256, sizeof first);
		assert_memory_equal(r->contents.member[0].sha256, first, sizeof first);
		assert_non_null(strstr(rig_value(r, CONTENTS_FACT_NOTE, 0), "chunks named by their SHA-"));
		report_free(r);
		rig_drop(img);
	}
}

static void
cut_or_changed(void **state)
{
	struct view img = made("dictionary");
	(void)state;
	rig_flip_every_byte(img, view_of(NULL, 0), 11);
	rig_cut_everywhere(img, view_of(NULL, 0), 11);
	rig_drop(img);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_has_its_file),
		cmocka_unit_test(content_is_put_together),
		cmocka_unit_test(cut_or_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
