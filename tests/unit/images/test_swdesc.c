/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions in an unsigned archive: what is read from them, and what is refused. */
#include "unit/images/cpio_rig.h"

#include "images/swdesc.h"

#define SHA "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" /* of "x" */
#define NOT_SHA "3d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define HEAD "version = \"1.2\"; hardware-compatibility = [ \"1.0\", \"#RE:^2\" ];"
#define F "filename = \"f\"; sha256 = \"" SHA "\"; "
#define IMAGE "{ " F "device = \"/dev/x\"; }"
#define IMAGES "images: ( " IMAGE " );"

/* The report of an archive with this description, its member f and, when wanted, g. */
static struct report *
look(const char *text, bool g)
{
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_add(&w, &(struct rig_file){ .name = "sw-description", .data = text, .crc = true });
	rig_add(&w, &(struct rig_file){ .name = "f", .data = "x", .crc = true });
	if (g)
		rig_add(&w, &(struct rig_file){ .name = "g", .data = "x", .crc = true });
	rig_end(&w);
	struct report *r = rig_walk(writer_view(&w), FORMAT_SWU, NULL);
	writer_free(&w);
	return r;
}

#define TOLD(...) { __VA_ARGS__, FINDING_LIMIT }
#define MALFORMED TOLD(FINDING_FMT_MALFORMED)
#define SOFT "software = { " HEAD
#define ONE(attributes) SOFT "images: ( { " F "device = \"/dev/x\"; " attributes " } ); };"
#define BESIDE(more) SOFT IMAGES more " };"

static const struct {
	const char *what, *text;
	enum finding_id told[4];
} rows[] = {
	{ "an image", ONE(""), TOLD(FINDING_LIMIT) },
	{ "attributes", ONE("compressed = false; offset = 5; installed-directly = true; preserve-attributes = true;"), TOLD(FINDING_LIMIT) },
	{ "offset with a unit", ONE("offset = \"0x10KiB\";"), TOLD(FINDING_LIMIT) },
	{ "unknown attribute", ONE("colour = \"blue\"; properties: { a = \"b\"; };"), TOLD(FINDING_LIMIT) },
	{ "volume", SOFT "images: ( { " F "volume = \"a\"; } ); };", TOLD(FINDING_LIMIT) },
	{ "file", SOFT "files: ( { " F "path = \"/a\"; } ); };", TOLD(FINDING_LIMIT) },
	{ "same file for two", BESIDE("files: ( { " F "} );"), TOLD(FINDING_LIMIT) },
	/* ---- things that run ---- */
	{ "script", SOFT "scripts: ( { " F "} ); };", TOLD(FINDING_MEMBER_RUNS) },
	{ "handler without data", BESIDE("scripts: ( { type = \"readback\"; } );"), TOLD(FINDING_MEMBER_RUNS) },
	{ "partition", BESIDE("partitions: ( { type = \"diskpart\"; device = \"/dev/x\"; } );"), TOLD(FINDING_MEMBER_RUNS) },
	{ "variable", BESIDE("bootenv: ( { name = \"a\"; value = \"b\"; } );"), TOLD(FINDING_MEMBER_RUNS) },
	{ "variable, by the old name", BESIDE("uboot: ( { name = \"a\"; } );"), TOLD(FINDING_MEMBER_RUNS) },
	{ "embedded script", BESIDE("embedded-script = \"f()\";"), TOLD(FINDING_MEMBER_RUNS) },
	{ "delta", ONE("type = \"rdiff_image\";"), TOLD(FINDING_FMT_DELTA) },
	{ "encrypted", ONE("encrypted = true; ivt = \"00\";"), TOLD(FINDING_FMT_ENCRYPTED) },
	/* ---- digests ---- */
	{ "no digest", SOFT "images: ( { filename = \"f\"; device = \"d\"; } ); };", TOLD(FINDING_MEMBER_NO_DIGEST) },
	{ "digest of nothing", SOFT "images: ( { filename = \"f\"; device = \"d\"; sha256 = \""
	    "0000000000000000000000000000000000000000000000000000000000000000\"; } ); };", TOLD(FINDING_MEMBER_NO_DIGEST) },
	{ "another digest", SOFT "images: ( { filename = \"f\"; device = \"d\"; sha256 = \"" NOT_SHA "\"; } ); };", TOLD(FINDING_MEMBER_DIGEST) },
	{ "no digest, no data", BESIDE("scripts: ( { filename = \"g\"; type = \"readback\"; } );"),
	    TOLD(FINDING_MEMBER_NO_DIGEST, FINDING_MEMBER_RUNS) },
	{ "boot script without", BESIDE("bootenv: ( { filename = \"g\"; type = \"uboot\"; } );"),
	    TOLD(FINDING_MEMBER_NO_DIGEST, FINDING_MEMBER_RUNS) },
	/* ---- members ---- */
	{ "missing", BESIDE("files: ( { filename = \"h\"; sha256 = \"" SHA "\"; } );"), TOLD(FINDING_MEMBER_MISSING) },
	{ "folder", BESIDE("files: ( { filename = \"a/h\"; sha256 = \"" SHA "\"; } );"),
	    TOLD(FINDING_MEMBER_MISSING, FINDING_MEMBER_UNSAFE_NAME) },
	{ "two digests", BESIDE("files: ( { filename = \"f\"; sha256 = \"" NOT_SHA "\"; } );"), TOLD(FINDING_FMT_CONFLICT) },
	{ "image and script", BESIDE("scripts: ( { " F "} );"), TOLD(FINDING_FMT_CONFLICT, FINDING_MEMBER_RUNS) },
	{ "streamed to two", BESIDE("files: ( { " F "installed-directly = true; } );"), TOLD(FINDING_FMT_CONFLICT) },
	{ "packed for one", BESIDE("files: ( { " F "compressed = \"zlib\"; } );"), TOLD(FINDING_FMT_CONFLICT) },
	/* ---- what an updater would pass over ---- */
	{ "no filename", BESIDE("files: ( { sha256 = \"" SHA "\"; } );"), TOLD(FINDING_FMT_UNKNOWN_PART) },
	{ "unknown handler", ONE("type = \"magic\";"), TOLD(FINDING_FMT_UNKNOWN_PART) },
	{ "no version", "software = { hardware-compatibility = [ \"1\" ]; " IMAGES " };", TOLD(FINDING_FMT_UNKNOWN_PART) },
	{ "no hardware", "software = { version = \"1\"; " IMAGES " };", TOLD(FINDING_FMT_UNKNOWN_PART) },
	{ "empty list", SOFT "images: ( ); scripts: ( { " F "} ); };", TOLD(FINDING_MEMBER_RUNS) },
	{ "empty filename", BESIDE("files: ( { filename = \"\"; sha256 = \"" SHA "\"; } );"), MALFORMED },
	{ "type is a number", ONE("type = 5;"), MALFORMED },
	{ "flag is text", ONE("encrypted = \"true\";"), MALFORMED },
	{ "flag is a number", ONE("installed-directly = 1;"), MALFORMED },
	{ "compressed", ONE("compressed = \"xz\";"), MALFORMED },
	{ "compressed is a number", ONE("compressed = 1;"), MALFORMED },
	{ "offset", ONE("offset = \"far\";"), MALFORMED },
	{ "offset with two units", ONE("offset = \"5KM\";"), MALFORMED },
	{ "offset is octal", ONE("offset = \"010\";"), MALFORMED },
	{ "offset below zero", ONE("offset = -1;"), MALFORMED },
	{ "offset too long", ONE("offset = \"1234567890123456\";"), MALFORMED },
	{ "no handler", SOFT "images: ( { " F "} ); };", MALFORMED },
	{ "handler of another list", ONE("type = \"shellscript\";"), MALFORMED },
	{ "partition without device", BESIDE("partitions: ( { type = \"diskpart\"; } );"),
	    TOLD(FINDING_FMT_MALFORMED, FINDING_MEMBER_RUNS) },
	{ "version is a number", "software = { version = 1; hardware-compatibility = [ \"1\" ]; " IMAGES " };",
	    TOLD(FINDING_FMT_MALFORMED, FINDING_FMT_UNKNOWN_PART) },
	{ "hardware is text", "software = { version = \"1\"; hardware-compatibility = \"1\"; " IMAGES " };",
	    TOLD(FINDING_FMT_MALFORMED, FINDING_FMT_UNKNOWN_PART) },
	{ "images is a group", SOFT "images: { }; files: ( { " F "} ); };", MALFORMED },
	{ "an image is text", BESIDE("files: ( \"x\" );"), MALFORMED },
	/* ---- links ---- */
	{ "beside", SOFT "images: ( { ref = \"#./l\"; } ); l: ( " IMAGE " ); };", TOLD(FINDING_LIMIT) },
	{ "from the root", SOFT "images: ( { ref = \"#l\"; } ); }; l: ( " IMAGE " );", TOLD(FINDING_MEMBER_UNLISTED, FINDING_FMT_MALFORMED, FINDING_FMT_UNKNOWN_PART) },
	{ "longer, from the root", SOFT "images: ( { ref = \"#lists/l\"; } ); }; lists: { l: ( " IMAGE " ); };", TOLD(FINDING_LIMIT) },
	{ "up", SOFT "a: { b: { images: ( { ref = \"#./../../l\"; } ); }; }; l: ( " IMAGE " ); };", TOLD(FINDING_LIMIT) },
	{ "list to list", SOFT "images: ( { ref = \"#./k\"; } ); k: ( { ref = \"#./l\"; } ); l: ( " IMAGE " ); };", TOLD(FINDING_LIMIT) },
	{ "in a circle", BESIDE("files: ( { ref = \"#./files\"; } );"), MALFORMED },
	{ "nowhere", BESIDE("files: ( { ref = \"#./none\"; } );"), MALFORMED },
	{ "too far up", BESIDE("files: ( { ref = \"#./../../../x\"; } );"), MALFORMED },
	{ "no link", BESIDE("files: ( { ref = \"files\"; } );"), MALFORMED },
	{ "link to no name", BESIDE("files: ( { ref = \"#./..\"; } );"), MALFORMED },
	{ "link is a number", BESIDE("files: ( { ref = 1; } );"), MALFORMED },
	{ "link to a group", BESIDE("files: ( { ref = \"#./x\"; } ); x: { };"), MALFORMED },
	{ "group in a circle", BESIDE("a: { ref = \"#./a\"; };"), MALFORMED },
	/* ---- nothing ---- */
	{ "no software", "hardware: { };", TOLD(FINDING_FMT_MALFORMED, FINDING_MEMBER_UNLISTED) },
	{ "software is a list", "software: ( );", TOLD(FINDING_FMT_MALFORMED, FINDING_MEMBER_UNLISTED) },
	{ "nothing to install", "software = { " HEAD " };", TOLD(FINDING_FMT_MALFORMED, FINDING_MEMBER_UNLISTED) },
	{ "syntax", "software = ", MALFORMED },
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct report *r = look(rows[i].text, strstr(rows[i].text, "\"g\"") != NULL);
		rig_told(r, rows[i].what, rows[i].told);
		report_free(r);
	}
}

/* Each place in which some device would look is looked at, with what it falls back to. */
static void
test_selections(void **state)
{
	(void)state;
	struct report *r = look("software = { hardware-compatibility = [ \"1\" ];"
	                        "  board: { version = \"a\"; images: ( " IMAGE " );"
	                        "    stable: { copy1: { version = \"b\"; images: ( " IMAGE " ); };"
	                        "              copy2: { ref = \"#./copy1\"; }; }; };"
	                        "  stable: { copy1: { version = \"c\"; files: ( { " F "} ); }; }; };",
	    false);
	rig_told(r, "selections", (enum finding_id[])TOLD(FINDING_LIMIT));
	assert_true(rig_fact(r, CONTENTS_FACT_NOTE, "selection software.board"));
	assert_true(rig_fact(r, CONTENTS_FACT_NOTE, "selection software.board.stable.copy1"));
	assert_true(rig_fact(r, CONTENTS_FACT_NOTE, "selection software.board.stable.copy2"));
	assert_true(rig_fact(r, CONTENTS_FACT_NOTE, "selection software.stable.copy1"));
	assert_true(rig_fact(r, CONTENTS_FACT_VERSION, "a"));
	assert_true(rig_fact(r, CONTENTS_FACT_VERSION, "b"));
	assert_true(rig_fact(r, CONTENTS_FACT_VERSION, "c"));
	report_free(r);
	/* A set that no device is asked about is looked at all the same. */
	r = look(SOFT IMAGES " stable: { other: { images: ( { filename = \"f\"; device = \"d\"; } ); }; }; };", false);
	assert_true(report_has(r, FINDING_MEMBER_NO_DIGEST));
	report_free(r);
}

static void
test_facts(void **state)
{
	(void)state;
	struct report *r = look(ONE("name = \"rootfs\"; version = \"3\"; install-if-higher = true;") , false);
	assert_true(rig_fact(r, CONTENTS_FACT_VERSION, "1.2"));
	assert_true(rig_fact(r, CONTENTS_FACT_COMPATIBLE, "1.0"));
	assert_true(rig_fact(r, CONTENTS_FACT_COMPATIBLE, "#RE:^2"));
	assert_true(rig_fact(r, CONTENTS_FACT_NOTE, "rootfs 3 (only if higher)"));
	assert_int_equal(r->contents.facts_n, 4);
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		assert_false(r->contents.fact[i].sure); /* nobody signed it */
	report_free(r);
	assert_string_equal(swdesc_list_name(SWDESC_BOOTENV), "bootenv");
	assert_string_equal(swdesc_list_name(SWDESC_LISTS), "none");
}

/* n times piece between head and tail; malloc'ed. */
static char *
many(const char *head, const char *piece, unsigned n, const char *tail)
{
	char *text = malloc(strlen(head) + n * strlen(piece) + strlen(tail) + 1);
	size_t at = (size_t)sprintf(text, "%s", head);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, "%s", piece);
	sprintf(text + at, "%s", tail);
	return text;
}

static void
test_limits(void **state)
{
	(void)state;
	static const struct {
		const char *head, *piece, *tail;
		unsigned n;
	} over[] = {
		{ "software = { " HEAD "images: ( ", "{" F "device=\"d\";},", IMAGE " ); };", SWDESC_ENTRIES_MAX },
		{ "software = { " HEAD "images: ( ", "{" F "device=\"d\";},", IMAGE " ); };", SWDESC_ENTRIES_MAX + 500 },
		{ "software = { " HEAD "bootenv: ( ", "{name=\"a\";},", "{name=\"b\";} ); };", SWDESC_ENTRIES_MAX + 500 },
		{ "software = { " HEAD "images: ( ", "{ref=\"#./l\";},", "{ref=\"#./l\";} ); l: ( " IMAGE " ); };", 2048 },
	};
	for (size_t i = 0; i < sizeof over / sizeof over[0]; i++) {
		char *text = many(over[i].head, over[i].piece, over[i].n, over[i].tail);
		struct report *r = look(text, false);
		assert_int_equal(r->findings[FINDING_FMT_WALK_LIMIT].count, 1);
		assert_true(r->findings[FINDING_MEMBER_RUNS].count <= SWDESC_ENTRIES_MAX);
		report_free(r);
		free(text);
	}
	/* One list that is referred to by each element of another. */
	char *links = many("images: ( ", "{ref=\"#./l\";},", 999, "{ref=\"#./l\";} ); };");
	char *text = many("software = { " HEAD "l: ( ", "{},", 999, "{} ); ");
	char *both = many(text, links, 1, "");
	struct report *r = look(both, false);
	assert_int_equal(r->findings[FINDING_FMT_WALK_LIMIT].count, 1);
	assert_true(r->findings[FINDING_FMT_UNKNOWN_PART].count <= SWDESC_ENTRIES_MAX);
	report_free(r);
	free(both);
	free(text);
	free(links);
	/* Links that double with every list end at the bound, soon. */
	r = look("software = { " HEAD "images: ({ref=\"#./a\";},{ref=\"#./a\";});"
	                        "a: ({ref=\"#./b\";},{ref=\"#./b\";}); b: ({ref=\"#./c\";},{ref=\"#./c\";});"
	                        "c: ({ref=\"#./d\";},{ref=\"#./d\";}); d: ({ref=\"#./a\";},{ref=\"#./a\";}); };", false);
	assert_true(report_has(r, FINDING_FMT_MALFORMED));
	report_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_selections),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
