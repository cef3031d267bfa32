/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What json_parse takes has one canonical form, which is taken too, is its own
 * canonical form, and is never longer than the text. What is refused is refused
 * at a place within the text.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/json.h"
#include "crypto/jsonw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Every accessor on every node, as a careless caller would. */
static void
walk(const struct json_value *v)
{
	struct view s;
	int64_t i;
	uint64_t u;
	bool b;
	char text[16];
	enum json_type type = json_type(v);
	must(type != JSON_NONE);
	must(json_string(v, &s) == (type == JSON_STRING));
	must(json_int(v, &i) == (type == JSON_INT));
	must(type != JSON_INT || (i > -JSON_INT_MAX && i < JSON_INT_MAX));
	must(json_uint(v, &u) == (type == JSON_INT && i >= 0));
	must(json_bool(v, &b) == (type == JSON_BOOL));
	(void)json_cstr(v, text, sizeof text);
	must(!json_at(v, json_count(v)));
	for (size_t k = 0; k < json_count(v); k++) {
		struct view key = json_key_at(v, k);
		must(key.p == NULL || type == JSON_OBJECT);
		if (key.n && key.n < sizeof text && !memchr(key.p, '\0', key.n)) {
			memcpy(text, key.p, key.n);
			text[key.n] = '\0';
			must(json_get(v, text) == json_at(v, k));
		}
		walk(json_at(v, k));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *doc = NULL, *again = NULL;
	struct json_error e = { 0 };
	struct view text = view_of(data, size);
	int err = json_parse(text, &doc, &e);
	if (err) {
		must(!doc && e.what && e.offset <= size);
		must(err == FG_EFORMAT || err == FG_ELIMIT);
		return 0;
	}
	walk(json_root(doc));

	/* Whatever has to be escaped was so already, and no shorter: the text's size is enough. */
	struct writer once, twice;
	writer_init(&once, size);
	writer_init(&twice, size);
	json_canonical(json_root(doc), &once);
	must(writer_err(&once) == 0);
	must(json_parse(writer_view(&once), &again, NULL) == 0);
	must(json_is_canonical(again, writer_view(&once)));
	must(json_is_canonical(doc, text) == view_equal(text, writer_view(&once)));

	struct jsonw j;
	jsonw_init(&j, &twice);
	jsonw_value(&j, json_root(again));
	must(jsonw_done(&j) && view_equal(writer_view(&once), writer_view(&twice)));
	json_free(doc);
	json_free(again);
	writer_free(&once);
	writer_free(&twice);
	return 0;
}
