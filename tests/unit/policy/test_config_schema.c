/* SPDX-License-Identifier: Apache-2.0 */
/* The table is well-formed, and fotagate.conf(5) says what it says, both ways. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "policy/config_schema.h"

#define PAGE_MAX (256u << 10)

static char *page;

static int
load_page(void **state)
{
	const char *src = getenv("FG_SRC");
	char path[1024];
	(void)state;
	if (!src)
		return 0;
	snprintf(path, sizeof path, "%s/gateway/man/fotagate.conf.5", src);
	FILE *f = fopen(path, "rb");
	page = calloc(1, PAGE_MAX);
	if (!f || !page)
		return -1;
	size_t n = fread(page, 1, PAGE_MAX - 1, f);
	fclose(f);
	return n > 0 ? 0 : -1;
}

static int
free_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

/* Joins the text lines from *at up to the next macro line with blanks. */
static void
text_lines(const char **at, char *out, size_t cap)
{
	size_t n = 0;
	while (**at != '\0' && **at != '.') {
		size_t len = strcspn(*at, "\n");
		assert_true(n + len + 2 < cap);
		if (n)
			out[n++] = ' ';
		memcpy(out + n, *at, len);
		n += len;
		*at += len + ((*at)[len] == '\n');
	}
	out[n] = '\0';
}

static void
the_manual_lists_every_key(void **state)
{
	(void)state;
	if (!page)
		skip();
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *k = config_schema_at(i);
		char item[256], type[CONFIG_SCHEMA_TYPE_MAX], def[CONFIG_SCHEMA_TYPE_MAX], want[1024], got[1024];
		snprintf(item, sizeof item, "\n.It Ic %s\n", k->path);
		const char *at = strstr(page, item);
		if (!at)
			fail_msg("%s is not in fotagate.conf(5)", k->path);
		at += strlen(item);
		config_schema_type(k, type);
		config_schema_default(k, def);
		snprintf(want, sizeof want, "%s; %s.", type, def);
		text_lines(&at, got, sizeof got);
		assert_string_equal(got, want);
		assert_memory_equal(at, ".Pp\n", 4);
		at += 4;
		text_lines(&at, got, sizeof got);
		assert_string_equal(got, k->doc);
	}
}

static void
the_manual_lists_no_other_key(void **state)
{
	size_t n = 0;
	(void)state;
	if (!page)
		skip();
	for (const char *at = page; (at = strstr(at, "\n.It Ic ")); n++) {
		char path[256];
		at += 8;
		snprintf(path, sizeof path, "%.*s", (int)strcspn(at, "\n"), at);
		if (!config_schema_find(path))
			fail_msg("fotagate.conf(5) has %s, which is no key", path);
	}
	assert_int_equal(n, config_schema_count());
}

static void
the_table_is_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *k = config_schema_at(i);
		char type[CONFIG_SCHEMA_TYPE_MAX];
		int64_t v = 0;
		config_schema_type(k, type);
		assert_ptr_equal(config_schema_find(k->path), k); /* and no second one */
		assert_true(strlen(k->path) < CONFIG_SCHEMA_PATH_MAX);
		assert_true(strlen(k->doc) > 3 && k->doc[strlen(k->doc) - 1] == '.');
		assert_true(strlen(type) < CONFIG_SCHEMA_TYPE_MAX - 1);
		if (k->type == CONFIG_KEY_TEXT || k->type == CONFIG_KEY_TEXTS)
			assert_true(k->form != CONFIG_FORM_NONE && k->stride > 1);
		if (!k->def)
			continue;
		switch (k->type) {
		case CONFIG_KEY_INT:
		case CONFIG_KEY_SIZE:
			assert_true(config_form_size(k->def, &v));
			assert_true(v >= k->min && v <= k->max);
			break;
		case CONFIG_KEY_DURATION:
			assert_true(config_form_duration(k->def, &v));
			assert_true(v >= k->min && v <= k->max);
			break;
		case CONFIG_KEY_ENUM:
			assert_true(config_schema_word(k->words, k->def) >= 0);
			break;
		case CONFIG_KEY_TEXT:
			assert_true(k->def[0] == '\0' || !config_form_check(k->form, k->def));
			assert_true(strlen(k->def) < k->stride);
			break;
		default:
			break;
		}
	}
}

static void
words_and_neighbours(void **state)
{
	(void)state;
	assert_int_equal(config_schema_word("-|a|bc", "bc"), 2);
	assert_int_equal(config_schema_word("-|a|bc", "-"), -1);
	assert_int_equal(config_schema_word("-|a|bc", "b"), -1);
	assert_int_equal(config_schema_word("-|a|bc", ""), -1);
	assert_true(view_is(config_schema_word_at("-|a|bc", 1), "a"));
	assert_int_equal(config_schema_word_at("-|a|bc", 3).n, 0);
	assert_string_equal(config_schema_nearest("profile", "quorom"), "quorum");
	assert_string_equal(config_schema_nearest("listeners[]", "adress"), "address");
	assert_null(config_schema_nearest("", "xylophone"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_lists_every_key),
		cmocka_unit_test(the_manual_lists_no_other_key),
		cmocka_unit_test(the_table_is_well_formed),
		cmocka_unit_test(words_and_neighbours),
	};
	return cmocka_run_group_tests(tests, load_page, free_page);
}
