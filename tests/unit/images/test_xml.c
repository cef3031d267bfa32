/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/xml.h"

/* "<a <b=c> text >a": the tokens in a row; or what is wrong. */
static const char *
tokens(const char *text, char dst[512])
{
	struct xml x;
	struct xml_token t;
	size_t at = 0, n = strlen(text);
	char *exact = malloc(n ? n : 1); /* so that a read beyond is seen */
	memcpy(exact, text, n);
	int more = xml_begin(&x, view_of(exact, n));
	dst[0] = '\0';
	while (more >= 0 && (more = xml_next(&x, &t)) == 1) {
		struct view v = t.kind == XML_TEXT ? t.text : t.name;
		at += (size_t)snprintf(dst + at, 512 - at, "%s%.*s ", t.kind == XML_OPEN ? "<" : t.kind == XML_CLOSE ? ">" : "", (int)v.n, v.p);
		for (unsigned i = 0; i < t.attrs_n; i++)
			at += (size_t)snprintf(dst + at, 512 - at, "%.*s=%.*s ", (int)t.attr[i].name.n, t.attr[i].name.p,
			    (int)t.attr[i].value.n, t.attr[i].value.p);
	}
	free(exact);
	return more < 0 ? "refused" : dst;
}

static void
what_is_read(void **state)
{
	static const char *const table[][2] = {
		{ "<a/>", "<a >a " },
		{ "<?xml version='1.0'?>\n<!-- - -->\n<a>\n <b c=\"d\"  e='f\"'>text &amp; more</b> <!--x--> </a>\n<!--y-->", "<a <b c=d e=f\" text &amp; more >b >a " },
		{ "<a>one<b/>two</a>", "<a one <b >b two >a " },
		{ "<a b=\"&#160;&#xA0;\"/>", "<a b=&#160;&#xA0; >a " },
		{ "<a ></a >", "<a >a " },
	};
	char dst[512];
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_string_equal(tokens(table[i][0], dst), table[i][1]);
}

static void
what_is_refused(void **state)
{
	static const char *const table[] = {
		"", " ", "text", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a/>text", "text<a/>", "<a", "<a b", "<a b=", "<a b=c/>", "<a b='c/>",
		"<a b='1' b='2'/>", "<a b='<'/>", "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>&b;</a>", "<a>&amp</a>",
		"<a>&#;</a>", "<a>&#xFFFFFFFFFF;</a>", "<a b='&c;'/>", "<a><![CDATA[x]]></a>", "<a><?php x?></a>", " <?xml version='1.0'?><a/>",
		"<!-- <a/>", "<a>\xff</a>", "<a b='1'c='2'/>", "< a/>", "<a/ >", "\xef\xbb\xbf<a/>",
	};
	char dst[512], deep[4 * (XML_DEPTH_MAX + 1) + 1] = "";
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(tokens(table[i], dst), "refused") != 0)
			fail_msg("%s: %s", table[i], dst);
	for (unsigned i = 0; i <= XML_DEPTH_MAX; i++)
		strcat(deep, "<a>");
	assert_string_equal(tokens(deep, dst), "refused");
}

static void
an_attribute_with_a_reference_is_not_believed(void **state)
{
	struct xml x;
	struct xml_token t;
	(void)state;
	assert_int_equal(xml_begin(&x, view_str("<a b='1&amp;2' c='3'/>")), 0);
	assert_int_equal(xml_next(&x, &t), 1);
	assert_int_equal(xml_attr(&t, "b").n, 0);
	assert_true(view_is(xml_attr(&t, "c"), "3"));
	assert_int_equal(xml_attr(&t, "d").n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(an_attribute_with_a_reference_is_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
