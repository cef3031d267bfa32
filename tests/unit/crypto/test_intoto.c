/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/intoto.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "crypto/json.h"

/* Byte for byte: signatures of people rest on it. */
static void
test_the_form(void **state)
{
	static const char want[] = "{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{\"a\":1},"
	    "\"predicateType\":\"urn:x:v1\",\"subject\":[{\"digest\":{\"sha256\":"
	    "\"0000000000000000000000000000000000000000000000000000000000000000\"},\"name\":\"some\\\"thing\"}]}";
	const uint8_t sha256[DIGEST_SHA256_LEN] = { 0 };
	struct writer w;
	struct jsonw j;
	struct json *doc = NULL;
	(void)state;
	writer_init(&w, 1024);
	intoto_begin(&j, &w);
	jsonw_object(&j);
	jsonw_kuint(&j, "a", 1);
	jsonw_object_end(&j);
	intoto_end(&j, "urn:x:v1", "some\"thing", sha256);
	assert_int_equal(writer_err(&w), FG_OK);
	assert_int_equal(w.n, sizeof want - 1);
	assert_memory_equal(w.p, want, sizeof want - 1);
	assert_int_equal(json_parse(writer_view(&w), &doc, NULL), FG_OK);
	json_free(doc);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
