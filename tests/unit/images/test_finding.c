/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/finding.h"

static void
ids_are_ordered_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FINDING_LIMIT; i++) {
		const struct finding_info *f = finding_get((enum finding_id)i);
		assert_non_null(f->id);
		assert_int_equal(strspn(f->id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"), strlen(f->id));
		assert_non_null(strchr(f->id, '-'));
		if (i > 0) /* the report's order of findings rests on it */
			assert_true(strcmp(finding_get((enum finding_id)(i - 1))->id, f->id) < 0);
		assert_int_equal(finding_find(view_str(f->id)), i);
	}
	assert_int_equal(finding_find(view_str("SIG-ABSENT ")), FINDING_LIMIT);
	assert_int_equal(finding_find(view_str("")), FINDING_LIMIT);
	assert_int_equal(finding_find(view_str("sig-absent")), FINDING_LIMIT);
}

static void
every_finding_says_what_it_means_and_clears(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FINDING_LIMIT; i++) {
		const struct finding_info *f = finding_get((enum finding_id)i);
		assert_true(f->least > FINDING_NONE && f->least <= f->severity && f->severity <= FINDING_BLOCK);
		assert_true(f->by != 0 && f->by <= 15);
		assert_true(f->means[strlen(f->means) - 1] == '.');
		assert_true(f->clears[strlen(f->clears) - 1] == '.');
		assert_true(strlen(f->means) > 20 && strlen(f->clears) > 10);
	}
}

static void
severities_have_names(void **state)
{
	(void)state;
	for (unsigned i = FINDING_INFO; i < FINDING_SEVERITY_LIMIT; i++)
		assert_int_equal(finding_severity_parse(view_str(finding_severity_name((enum finding_severity)i))), i);
	assert_int_equal(finding_severity_parse(view_str("none")), FINDING_NONE);
	assert_int_equal(finding_severity_parse(view_str("")), FINDING_NONE);
	assert_string_equal(finding_severity_name((enum finding_severity)99), "none");
}

/* ---- the manual page says exactly what the table says ---- */

static char *
page(void)
{
	char path[4096];
	const char *src = getenv("FG_SRC");
	if (!src)
		return NULL;
	snprintf(path, sizeof path, "%s/gateway/man/fotagate-report.5", src);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *text = calloc(1, 1 << 20);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static void
entry(const struct finding_info *f, char *dst, size_t cap)
{
	const char *one = finding_severity_name(f->severity);
	char severity[32];
	if (f->least == f->severity)
		snprintf(severity, sizeof severity, "%s", one);
	else
		snprintf(severity, sizeof severity, "%s or %s", finding_severity_name(f->least), one);
	snprintf(dst, cap, ".It Li %s\n.Pq %s\n%s\n.Em To clear it :\n%s\n", f->id, severity, f->means, f->clears);
}

static void
manual_equals_table(void **state)
{
	(void)state;
	char *text = page();
	unsigned in_page = 0;
	if (!text)
		skip();
	for (unsigned i = 0; i < FINDING_LIMIT; i++) {
		char want[2048];
		entry(finding_get((enum finding_id)i), want, sizeof want);
		if (!strstr(text, want))
			fail_msg("not in fotagate-report.5:\n%s", want);
	}
	for (const char *p = text; (p = strstr(p, "\n.It Li ")) != NULL; p += 8) {
		const char *id = p + 8;
		assert_int_not_equal(finding_find(view_of(id, strcspn(id, "\n"))), FINDING_LIMIT);
		in_page++;
	}
	assert_int_equal(in_page, FINDING_LIMIT);
	free(text);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--page") == 0) { /* what to put into the manual */
		for (unsigned i = 0; i < FINDING_LIMIT; i++) {
			char text[2048];
			entry(finding_get((enum finding_id)i), text, sizeof text);
			fputs(text, stdout);
		}
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_ordered_words),
		cmocka_unit_test(every_finding_says_what_it_means_and_clears),
		cmocka_unit_test(severities_have_names),
		cmocka_unit_test(manual_equals_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
