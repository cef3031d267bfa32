/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/conf.h"

static struct conf *
parse(const char *text)
{
	struct conf_fault fault;
	struct conf *c = NULL;
	int err = conf_parse(view_str(text), &c, &fault);
	if (err)
		fail_msg("%s: %d, line %u: %s", text, err, fault.line, fault.what);
	return c;
}

static void
refused(const char *text, size_t n, int want, unsigned line)
{
	struct conf_fault fault;
	struct conf *c = NULL;
	int err = conf_parse(view_of(text, n), &c, &fault);
	if (err != want || (line && fault.line != line) || !fault.what[0])
		fail_msg("%s: %d instead of %d, line %u: %s", text, err, want, fault.line, fault.what);
}

static const struct conf_node *
get(const struct conf *c, const char *name)
{
	return conf_get(c, conf_root(c), view_str(name));
}

/* Both forms become the same tree. */
static void
both_forms(const char *text)
{
	struct conf *c = parse(text);
	assert_int_equal(get(c, "i")->number, -5);
	assert_int_equal(get(c, "i")->type, CONF_INT);
	assert_int_equal(get(c, "b")->type, CONF_BOOL);
	assert_int_equal(get(c, "b")->number, 1);
	assert_true(view_is(get(c, "s")->string, "a\"b"));
	const struct conf_node *l = get(c, "l"), *g = get(c, "g");
	assert_int_equal(l->type, CONF_LIST);
	assert_int_equal(l->count, 2);
	assert_true(view_is(conf_child(c, l, 1)->string, "y"));
	assert_null(conf_child(c, l, 2));
	assert_int_equal(conf_child(c, l, 0)->name.n, 0);
	assert_int_equal(g->type, CONF_GROUP);
	assert_int_equal(conf_get(c, g, view_str("n"))->type, CONF_GROUP);
	assert_null(conf_get(c, g, view_str("x")));
	assert_null(conf_get(c, l, view_str("x")));
	assert_null(conf_get(c, NULL, view_str("x")));
	conf_free(c);
}

static void
test_forms(void **state)
{
	(void)state;
	both_forms("i = -5; b = TRUE; s = \"a\\\"b\"; l = ( \"x\", \"y\" ); g = { n = { }; };");
	both_forms("# c\ni : -5, b = true\n s = \"a\" \"\\\"b\"; l = [ \"x\", \"y\" ]; g : { n : { } }");
	both_forms(" \n{\"i\":-5,\"b\":true,\"s\":\"a\\\"b\",\"l\":[\"x\",\"y\"],\"g\":{\"n\":{}}}");
}

static void
test_others(void **state)
{
	(void)state;
	struct conf *c = parse("f = 1.5; big = 4294967296L; hex = 0x7F;");
	assert_int_equal(get(c, "f")->type, CONF_OTHER);
	assert_int_equal(get(c, "big")->number, INT64_C(4294967296));
	assert_int_equal(get(c, "hex")->number, 127);
	conf_free(c);
	c = parse("{\"n\":null}");
	assert_int_equal(get(c, "n")->type, CONF_OTHER);
	conf_free(c);
	c = parse("");
	assert_int_equal(conf_root(c)->count, 0);
	conf_free(c);
	conf_free(NULL);
}

static void
test_refused(void **state)
{
	(void)state;
	refused("a = 1;\nb = ;", 12, FG_EFORMAT, 2);
	refused("a = 1; a = 2;", 13, FG_EFORMAT, 1);
	refused("{\"a\":1,\n\"a\":2}", 14, FG_EFORMAT, 2);
	refused("{\"a\":1} x", 9, FG_EFORMAT, 1);
	refused("{\"a\":1.5}", 9, FG_EFORMAT, 1);
	refused("// c\n{\"a\":1}", 12, FG_EFORMAT, 2); /* json-c would skip the comment */
	refused("a = \"x\0y\";", 10, FG_EFORMAT, 0);
	refused("[1]", 3, FG_EFORMAT, 1);
	refused("\xef\xbb\xbf""a = 1;", 9, FG_EFORMAT, 1);
}

static void
test_limits(void **state)
{
	(void)state;
	size_t n = CONF_TEXT_MAX + 1;
	char *text = malloc(n + 1);
	memset(text, ' ', n);
	text[n] = '\0';
	refused(text, n, FG_ELIMIT, 0);
	text[0] = '{';
	refused(text, n, FG_ELIMIT, 0);
	/* Elements: as many as are looked at, and one more. */
	size_t at = (size_t)sprintf(text, "a=(");
	for (unsigned i = 0; i < CONF_NODES_MAX - 2; i++)
		at += (size_t)sprintf(text + at, "1,");
	strcpy(text + at - 1, ");");
	conf_free(parse(text));
	strcpy(text + at - 1, ",1);");
	refused(text, strlen(text), FG_ELIMIT, 0);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
