/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/policy/sample.h"

static struct config_problems problems;

static int
draft(const char *host, const char *path, const char *query, struct writer *w)
{
	struct profile_sighting s = { view_str("plain"), view_str(host), view_str(path), view_str(query) };
	writer_init(w, 1 << 16);
	return profile_draft(&s, "draft-1", w);
}

/* What a person would do: takes the comment mark from the named lines. */
static char *
filled(struct writer *w)
{
	static const char *const keys[][2] = { { "#supplier = \"...\"", " supplier = \"acme\"" }, { "#quorum", " quorum" },
		{ "#signature = { scheme = \"cms-detached\"; anchors = [ \"....pem\"", " signature = { scheme = \"cms-detached\"; anchors = [ \"ca.pem\"" },
		{ "#identity", " identity" } };
	size_t n;
	char *text = (char *)writer_take(w, &n);
	assert_non_null(text);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char *at = strstr(text, keys[i][0]);
		size_t old = strlen(keys[i][0]), new = strlen(keys[i][1]);
		if (!at)
			continue;
		assert_true(new <= old + 4);
		char *out = calloc(1, strlen(text) + 8);
		assert_non_null(out);
		memcpy(out, text, (size_t)(at - text));
		strcat(out, keys[i][1]);
		strcat(out, at + old);
		free(text);
		text = out;
	}
	return text;
}

static const char *const requests[][3] = {
	{ "fota.example:80", "/fw/EG25/1.2.3/490154203237518.bin", "v=1.2.0&x=1" },
	{ "", "/a", "" },
	{ "iot.openluat.com", "/api/site/firmware_upgrade", "imei=490154203237518&project_key=abc&version=2001.1.0" },
	{ "iotapi.adups.com", "/product/1592/867962040000000/ota/v.bin", "0123456789abcdef" },
	{ "[2001:db8::1]:8080", "/1.2/1.3/1.4/1.5/1.6/1.7/1.8/1.9/1.10/1.11/1.12/1.13/1.14/1.15/1.16", "" },
	{ "x.example", "/~a/'(),;:@!$&*=/89010000000000000001-b/file.name.tar.gz", "a=1&&b" },
};

static void
a_draft_waits_for_a_person(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct writer w;
		struct config *c = NULL;
		assert_int_equal(draft(requests[i][0], requests[i][1], requests[i][2], &w), 0);
		writer_u8(&w, 0);
		assert_int_equal(sample_parse(SAMPLE_MAIN, (const char *)w.p, &c, &problems), FG_EFORMAT);
		assert_true(sample_says(&problems, NULL, 0, "profile.quorum is missing"));
		assert_true(sample_says(&problems, NULL, 0, "profile.supplier is missing"));
		assert_true(sample_says(&problems, NULL, 0, "profile.signature is missing"));
		writer_free(&w);
	}
}

static void
once_filled_in_it_fits_the_request(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct writer w;
		struct config *c = NULL;
		struct profile_hit hit;
		enum profile_miss why;
		const char *main_text = SAMPLE_MAIN;
		assert_int_equal(draft(requests[i][0], requests[i][1], requests[i][2], &w), 0);
		char *text = filled(&w);
		char *tls = strstr(text, " identity = ( { class = \"A\"") ? strstr(text, "\"plain\"") : NULL;
		if (tls)
			memcpy(tls, "\"tls\"  ", 7); /* a certificate needs a listener that asks for it */
		if (sample_parse(main_text, text, &c, &problems))
			fail_msg("line %u: %s\n%s", problems.at[0].line, problems.at[0].text, text);
		struct profile_request r = { .listener = view_str(tls ? "tls" : "plain"), .host = view_str(requests[i][0]),
			.path = view_str(requests[i][1]), .query = view_str(requests[i][2]) };
		if (profile_match(c, &r, &hit, &why))
			fail_msg("%s does not fit its own draft\n%s", requests[i][1], text);
		config_free(c);
		free(text);
		writer_free(&w);
	}
}

static void
shapes_are_recognised(void **state)
{
	struct writer w;
	(void)state;
	assert_int_equal(draft(requests[0][0], requests[0][1], requests[0][2], &w), 0);
	writer_u8(&w, 0);
	const char *text = (const char *)w.p;
	assert_non_null(strstr(text, "path = \"/fw/EG25/{version}/{imei}.bin\";"));
	assert_non_null(strstr(text, "query = [ \"v={version2}\" ];"));
	assert_non_null(strstr(text, "from = \"capture:imei\"; check = \"luhn\""));
	assert_non_null(strstr(text, "hosts = [ \"fota.example\" ];"));
	assert_null(strstr(text, "490154203237518")); /* a draft is for many modules, and names none */
	writer_free(&w);
}

static void
hostile_requests_give_no_draft(void **state)
{
	static const char *const bad[][3] = { { "a\"; x = \"", "/a", "" }, { "a", "/a\"b", "" }, { "a", "/a\nb", "" }, { "a", "/a\\", "" },
		{ "a", "a", "" }, { "a", "", "" }, { "a", "/%41", "" }, { "a", "/a", "x=\"" }, { "a", "/{x}", "" }, { "a", "/../b", "" } };
	struct writer w;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(draft(bad[i][0], bad[i][1], bad[i][2], &w), FG_EFORMAT);
		assert_int_equal(w.n, 0);
		writer_free(&w);
	}
	struct profile_sighting s = { view_str("a\"b"), view_str("a"), view_str("/a"), view_str("") };
	writer_init(&w, 4096);
	assert_int_equal(profile_draft(&s, "draft-1", &w), FG_EFORMAT);
	s.listener = view_str("plain");
	assert_int_equal(profile_draft(&s, "Bad Name", &w), FG_EFORMAT);
	assert_int_equal(profile_draft(&s, "good", &w), 0);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_draft_waits_for_a_person),
		cmocka_unit_test(once_filled_in_it_fits_the_request),
		cmocka_unit_test(shapes_are_recognised),
		cmocka_unit_test(hostile_requests_give_no_draft),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
