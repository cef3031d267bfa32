/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON, held against what securesystemslib made of the same texts (tests/vectors/tuf.py). */
#include "unit/crypto/pki.h"

#include "crypto/err.h"
#include "crypto/olpc.h"

static struct view
canonical(struct view text, struct writer *w)
{
	struct json *doc = NULL;
	assert_int_equal(json_parse(text, &doc, NULL), 0);
	olpc_write(json_root(doc), w);
	json_free(doc);
	assert_int_equal(writer_err(w), 0);
	return writer_view(w);
}

static void
texts_are_securesystemslibs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		char path[64];
		struct writer w;
		writer_init(&w, JSON_TEXT_MAX);
		snprintf(path, sizeof path, "tuf/canonical/%u.json", i);
		struct pki_blob in = pki_load(path);
		snprintf(path, sizeof path, "tuf/canonical/%u.out", i);
		struct pki_blob out = pki_load(path);
		if (!view_equal(canonical(pki_view(&in), &w), pki_view(&out)))
			fail_msg("%s: %.*s", path, (int)w.n, (const char *)w.p);
		writer_free(&w);
		free(in.p);
		free(out.p);
	}
}

static void
strings_keep_all_but_two_signs(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, 64);
	struct view v = canonical(view_str("\"\\u0000\\n\\\"\\\\\\/\""), &w);
	assert_true(view_equal(v, view_of("\"\0\n\\\"\\\\/\"", 9)));
	writer_free(&w);
}

static void
a_full_writer_is_told(void **state)
{
	(void)state;
	struct json *doc = NULL;
	struct writer w;
	writer_init(&w, 5);
	assert_int_equal(json_parse(view_str("{\"b\":1,\"a\":[2,3]}"), &doc, NULL), 0);
	olpc_write(json_root(doc), &w);
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	writer_free(&w);
	json_free(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_securesystemslibs),
		cmocka_unit_test(strings_keep_all_but_two_signs),
		cmocka_unit_test(a_full_writer_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
