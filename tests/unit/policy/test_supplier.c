/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/supplier.h"
#include "unit/policy/sample.h"

#define MAIN(supplier) \
	"listeners = ( { name = \"plain\"; address = \"127.0.0.1\"; port = 8080; } );\n" \
	"suppliers = ( { name = \"acme\"; " supplier " } );\n"
#define KNOWN "legal_entity = \"ACME Wireless Co., Ltd.\"; country = \"CN\";"
#define LIST(more) "list = { name = \"own\"; source = \"https://lists.example/own\"; date = \"2026-01-31\"; " more " };\n"
#define DAY_ONE (zone_day(2026, 1, 31) * ZONE_DAY)

static struct config_problems problems;

static struct config *
parsed(const char *main_text, const char *list)
{
	const struct config_file f[] = { { "fotagate.conf", view_str(main_text) }, { "lists.d/own.conf", view_str(list) } };
	struct config *c = NULL;
	if (config_parse(f, 2, &c, &problems))
		fail_msg("%s:%u: %s", problems.at[0].file, problems.at[0].line, problems.at[0].text);
	return c;
}

static void
lists_name_suppliers(void **state)
{
	static const struct {
		const char *main_text, *list;
		enum supplier_listed is;
	} cases[] = {
		{ MAIN(KNOWN), LIST("entities = ( { legal_entity = \"ACME Wireless Co., Ltd.\"; } );"), SUPPLIER_LISTED },
		{ MAIN(KNOWN), LIST("entities = ( { legal_entity = \"acme wireless co ltd\"; } );"), SUPPLIER_LISTED },
		{ MAIN(KNOWN), LIST("entities = ( { legal_entity = \"Acme*\"; } );"), SUPPLIER_LISTED },
		{ MAIN(KNOWN), LIST("entities = ( { legal_entity = \". a*\"; } );"), SUPPLIER_LISTED },
		{ MAIN(KNOWN), LIST("entities = ( { country = \"CN\"; } );"), SUPPLIER_LISTED },
		{ MAIN(KNOWN), LIST("entities = ( { supplier = \"acme\"; } );"), SUPPLIER_LISTED },
		{ MAIN(KNOWN), LIST("entities = ( { supplier = \"other\"; }, { legal_entity = \"acme*\"; country = \"CN\"; } );"),
		    SUPPLIER_LISTED },
		/* All that an entity says has to fit. */
		{ MAIN(KNOWN), LIST("complete = true; entities = ( { legal_entity = \"acme*\"; country = \"US\"; } );"),
		    SUPPLIER_NOT_LISTED },
		{ MAIN(KNOWN), LIST("complete = true; entities = ( { legal_entity = \"ACME Wireless\"; } );"),
		    SUPPLIER_NOT_LISTED },
		{ MAIN(KNOWN), LIST("complete = true; entities = ( { legal_entity = \"ACME Wireless Co., Ltd. Shenzhen\"; } );"),
		    SUPPLIER_NOT_LISTED },
		{ MAIN(KNOWN), LIST("complete = true; entities = ( { legal_entity = \"ac*me\"; } );"), SUPPLIER_NOT_LISTED },
		{ MAIN(KNOWN), LIST("complete = true; entities = ( );"), SUPPLIER_NOT_LISTED },
		/* A list that does not hold everything says nothing of whom it does not name. */
		{ MAIN(KNOWN), LIST("entities = ( { legal_entity = \"Other\"; } );"), SUPPLIER_LISTED_UNKNOWN },
		{ MAIN(KNOWN), LIST("entities = ( );"), SUPPLIER_LISTED_UNKNOWN },
		/* Nor does one that goes by what nobody knows. */
		{ MAIN("legal_entity = \"ACME\"; country = \"unknown\";"), LIST("complete = true; entities = ( { country = \"CN\"; } );"),
		    SUPPLIER_LISTED_UNKNOWN },
		{ MAIN(KNOWN), LIST("complete = true; entities = ( { legal_entity = \"acme*\"; country = \"unknown\"; } );"),
		    SUPPLIER_LISTED_UNKNOWN },
		{ MAIN("legal_entity = \"ACME\"; country = \"unknown\";"),
		    LIST("complete = true; entities = ( { legal_entity = \"Other\"; country = \"CN\"; } );"), SUPPLIER_NOT_LISTED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *c = parsed(cases[i].main_text, cases[i].list);
		const struct config_list_entity *by = NULL;
		enum supplier_listed is = supplier_listed(&c->suppliers[0], &c->lists[0], &by);
		if (is != cases[i].is || (by != NULL) != (is == SUPPLIER_LISTED))
			fail_msg("%s: %s", cases[i].list, supplier_listed_name(is));
		config_free(c);
	}
}

static void
words_say_what_is_not_known(void **state)
{
	static const char *const known[] = { "country:CN", "hosting:CN", "hosting:US", "listed:own", "support:current" };
	static const char *const unknown[] = { "country:unknown", "hosting:unknown", "unknown:own", "support:unknown" };
	struct supplier_words w;
	(void)state;
	struct config *c = parsed(MAIN(KNOWN " hosting = [ \"CN\", \"US\" ]; support_until = \"2026-01-31\";"),
	    LIST("entities = ( { supplier = \"acme\"; } );"));
	supplier_words(c, &c->suppliers[0], DAY_ONE + ZONE_DAY - 1, &w);
	assert_int_equal(w.n, 5);
	for (unsigned i = 0; i < w.n; i++)
		assert_string_equal(w.word[i], known[i]);
	supplier_words(c, &c->suppliers[0], DAY_ONE + ZONE_DAY, &w);
	assert_string_equal(w.word[4], "support:over");
	config_free(c);
	c = parsed(MAIN("legal_entity = \"ACME\"; country = \"unknown\";"), LIST("entities = ( { country = \"CN\"; } );"));
	supplier_words(c, &c->suppliers[0], DAY_ONE, &w);
	assert_int_equal(w.n, 4);
	for (unsigned i = 0; i < w.n; i++)
		assert_string_equal(w.word[i], unknown[i]);
	config_free(c);
}

static void
lists_grow_old(void **state)
{
	struct config *c = parsed(MAIN(KNOWN), LIST("entities = ( );"));
	const struct config_list *l = &c->lists[0];
	(void)state;
	assert_int_equal(l->dated, DAY_ONE);
	assert_int_equal(c->listings_max_age, 180 * ZONE_DAY);
	assert_false(supplier_list_is_old(l, 10, DAY_ONE + 10));
	assert_true(supplier_list_is_old(l, 10, DAY_ONE + 11));
	assert_false(supplier_list_is_old(l, 10, 0));
	config_free(c);
}

static void
lists_are_checked(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "no group named list" },
		{ "profile = { };", "holds one group named list" },
		{ LIST("entities = ( );") "edges = 2;", "belongs into fotagate.conf" },
		{ "list = { name = \"own\"; date = \"2026-01-31\"; entities = ( ); };", "list.source is missing" },
		{ "list = { name = \"own\"; source = \"x\"; entities = ( ); };", "list.date is missing" },
		{ LIST(""), "list.entities is missing" },
		{ LIST("entities = ( { } );"), "names nobody" },
		{ LIST("entities = ( { note = \"why\"; } );"), "names nobody" },
		{ LIST("entities = ( { legal_entity = \"*\"; } );"), "would name everybody" },
		{ LIST("entities = ( { legal_entity = \".*\"; } );"), "would name everybody" },
		{ LIST("entities = ( { legal_entity = \"*ACME\"; } );"), "would name everybody" },
		{ LIST("entities = ( { legal_entity = \"( ). **\"; } );"), "would name everybody" },
		{ LIST("entities = ( { country = \"China\"; } );"), "write two capital letters" },
		{ LIST("entities = ( { legal_entiy = \"x\"; } );"), "did you mean legal_entity" },
	};
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct config_file f[] = { { "fotagate.conf", view_str(MAIN(KNOWN)) },
			{ "lists.d/own.conf", view_str(cases[i].text) } };
		assert_int_equal(config_parse(f, 2, &c, &problems), FG_EFORMAT);
		if (!sample_says(&problems, "lists.d/own.conf", 0, cases[i].says))
			fail_msg("%s: %s", cases[i].text, problems.at[0].text);
	}
	const struct config_file twice[] = { { "fotagate.conf", view_str(MAIN(KNOWN)) },
		{ "lists.d/a.conf", view_str(LIST("entities = ( );")) }, { "lists.d/b.conf", view_str(LIST("entities = ( );")) } };
	assert_int_equal(config_parse(twice, 3, &c, &problems), FG_EFORMAT);
	assert_true(sample_says(&problems, "lists.d/b.conf", 1, "already another file's"));
	const struct config_file astray = { "fotagate.conf", view_str(MAIN(KNOWN) LIST("entities = ( );")) };
	assert_int_equal(config_parse(&astray, 1, &c, &problems), FG_EFORMAT);
	assert_true(sample_says(&problems, "fotagate.conf", 3, "move it to lists.d"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_name_suppliers),
		cmocka_unit_test(words_say_what_is_not_known),
		cmocka_unit_test(lists_grow_old),
		cmocka_unit_test(lists_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
