/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/json.h"
#include "unit/policy/sample.h"

static struct config_problems problems;
static const struct profile_anchor anchor = { "ca.pem", { 1, 2, 3 } };

static void
digest_of(const char *main_text, const char *profile, uint8_t out[32])
{
	struct config *c = NULL;
	struct profile_anchor a[2] = { anchor, { "b.pem", { 9 } } };
	int err = sample_parse(main_text, profile, &c, &problems);
	if (err)
		fail_msg("%s: %s", profile, problems.at[0].text);
	assert_int_equal(profile_digest(&c->profiles[0], c, a, 2, out), 0);
	config_free(c);
}

static void
it_is_canonical_and_complete(void **state)
{
	struct config *c = NULL;
	struct writer w;
	struct json *doc = NULL;
	(void)state;
	assert_int_equal(sample_parse(SAMPLE_MAIN, SAMPLE_PROFILE, &c, &problems), 0);
	writer_init(&w, 1 << 20);
	assert_int_equal(profile_canonical(&c->profiles[0], c, &anchor, 1, &w), 0);
	assert_int_equal(json_parse(writer_view(&w), &doc, NULL), 0);
	assert_true(json_is_canonical(doc, writer_view(&w)));
	const struct json_value *p = json_get(json_root(doc), "profile");
	int64_t v = 0;
	bool b = false;
	assert_true(json_int(json_get(p, "review_days"), &v) && v == 30); /* a default is written out */
	assert_true(json_bool(json_get(json_get(p, "signature"), "require"), &b) && b);
	assert_int_equal(json_count(json_get(p, "captures")), 4);
	assert_int_equal(json_count(json_get(json_root(doc), "anchors")), 1);
	struct view s;
	assert_true(json_string(json_get(json_get(json_root(doc), "supplier"), "country"), &s) && view_is(s, "DE"));
	json_free(doc);
	writer_free(&w);
	config_free(c);
}

static void
layout_does_not_count(void **state)
{
	uint8_t a[32], b[32];
	(void)state;
	digest_of(SAMPLE_MAIN, SAMPLE_PROFILE, a);
	char *text = sample_profile_with("quorum", "# comment\nquorum\t=\t0x2\n; review_days = 30; not_now = { };");
	digest_of(SAMPLE_MAIN "edges = 4;\n", text, b);
	assert_memory_equal(a, b, 32);
	free(text);
}

/* Each line changes something that a decision may depend on; no two policies may share a digest. */
static void
everything_else_counts(void **state)
{
	static const char *const changes[][2] = { { "none", "" }, { "quorum", "quorum = 3;" }, { "canary_quorum", "canary_quorum = 1;" },
		{ "review_days", "review_days = 31;" }, { "name", "name = \"b\";" }, { "hosts", "any_host = true;" },
		{ "hosts", "hosts = [ \"fota.example\" ];" }, { "listeners", "listeners = [ \"tls\" ];" },
		{ "path", "path = \"/fw/{product}/x{to}.bin\";" }, { "query", "query = [ \"imei={imei}\", \"v?={from}\", \"x=1\" ];" },
		{ "version_order", "version_order = \"exact\";" }, { "unlisted", "unlisted = \"offer\";" },
		{ "unknown_version", "unknown_version = \"offer\";" }, { "default_group", "default_group = \"x\";" },
		{ "from_versions", "from_versions = [ \"fixed:1\" ];" }, { "not_now", "not_now = { status = 403; };" },
		{ "not_now", "not_now = { close = true; };" }, { "not_now", "not_now = { post = true; };" },
		{ "short_urls", "short_urls = true;" },
		{ "identity", "identity = ( { class = \"D\"; kind = \"imei\"; from = \"capture:imei\"; } );" },
		{ "networks", "networks = ( { cidr = \"10.0.0.0/8\"; } );" },
		{ "networks", "networks = ( { cidr = \"10.0.0.0/8\"; group = \"g\"; } );" },
		{ "upstream", "upstream = \"http://up.example/get/{product}?v={to}\";" },
		{ "upstream_options", "upstream_options = { max_bytes = 1; };" },
		{ "upstream_options", "upstream_options = { proxy = \"http://proxy.example:3128\"; };" },
		{ "upstream_options", "upstream_options = { credentials_file = \"acme.secret\"; };" },
		{ "upstream_options", "upstream_options = { allow_private = [ \"127.0.0.1\" ]; };" },
		{ "signature", "signature = { scheme = \"cms-detached\"; anchors = [ \"ca.pem\", \"b.pem\" ]; };" },
		{ "signature", "signature = { scheme = \"cms-detached\"; anchors = [ \"b.pem\" ]; };" },
		{ "signature", "signature = { scheme = \"cms-detached\"; anchors = [ \"ca.pem\" ]; allow_leaf_anchor = true; };" },
		{ "signature", "signature = { scheme = \"cms-detached\"; anchors = [ \"ca.pem\" ]; require = false; };" },
		{ "one_image", "one_image = true;" },
		{ "review", "review = { checklist = [ \"a\" ]; };" }, { "review", "review = { checklist = [ \"b\" ]; };" },
		{ "review", "review = { waivers = \"notice\"; };" }, { "review", "review = { waivers = \"warning\"; };" },
		{ "steps", "steps = ( { from = \"*\"; to = \"1\"; } );" }, { "steps", "steps = ( { from = \"0\"; to = \"1\"; } );" },
		{ "quarantine_bytes", "quarantine_bytes = 5;" }, { "fetches_per_hour", "fetches_per_hour = 5;" } };
	enum { N = sizeof changes / sizeof *changes };
	uint8_t digest[N + 1][32];
	(void)state;
	for (size_t i = 0; i < N; i++) {
		char *text = sample_profile_with(changes[i][0], changes[i][1]);
		digest_of(SAMPLE_MAIN, text, digest[i]);
		free(text);
		for (size_t j = 0; j < i; j++)
			if (memcmp(digest[i], digest[j], 32) == 0)
				fail_msg("\"%s\" and \"%s\" are one policy", changes[i][1], changes[j][1]);
	}
	digest_of("listeners = ( { name = \"plain\"; address = \"::1\"; port = 1; }, { name = \"tls\"; address = \"::1\"; port = 2; } );\n"
		  "suppliers = ( { name = \"acme\"; legal_entity = \"ACME Holding\"; country = \"DE\"; } );", SAMPLE_PROFILE, digest[N]);
	assert_memory_not_equal(digest[0], digest[N], 32);
}

/* Every word of a rule, their order, and what is raised; but no rule that is for other vendors. */
static void
rules_count_where_they_can_matter(void **state)
{
	static const char *const lists[] = { "", "rules = ( { name = \"a\"; outcome = \"deny\"; } );\n",
		"rules = ( { name = \"b\"; outcome = \"deny\"; } );\n", "rules = ( { name = \"a\"; outcome = \"hold\"; } );\n",
		"rules = ( { name = \"a\"; size_at_least = 1; outcome = \"deny\"; } );\n",
		"rules = ( { name = \"a\"; findings = [ \"CHG-EXEC\" ]; outcome = \"deny\"; } );\n",
		"rules = ( { name = \"a\"; freeze_until = \"2027-01-01T00:00:00Z\"; outcome = \"hold\"; } );\n",
		"rules = ( { name = \"a\"; outcome = \"deny\"; }, { name = \"b\"; outcome = \"deny\"; } );\n",
		"rules = ( { name = \"b\"; outcome = \"deny\"; }, { name = \"a\"; outcome = \"deny\"; } );\n",
		"quorum_raise = { targeted = 2; };\n",
		"security_updates = ( { profile = \"acme-rtr\"; version = \"2\"; reason = \"r\"; } );\n" };
	enum { N = sizeof lists / sizeof *lists };
	uint8_t digest[N + 1][32];
	char text[2048];
	(void)state;
	for (size_t i = 0; i < N; i++) {
		snprintf(text, sizeof text, "%s%s", SAMPLE_MAIN, lists[i]);
		digest_of(text, SAMPLE_PROFILE, digest[i]);
		for (size_t j = 0; j < i; j++)
			if (memcmp(digest[i], digest[j], 32) == 0)
				fail_msg("\"%s\" and \"%s\" are one policy", lists[i], lists[j]);
	}
	snprintf(text, sizeof text, "%s%s", SAMPLE_MAIN, "rules = ( { name = \"x\"; countries = [ \"FR\" ]; outcome = \"deny\"; } );\n");
	digest_of(text, SAMPLE_PROFILE, digest[N]);
	assert_memory_equal(digest[N], digest[0], 32);
}

/* By what their names stand for; those of other profiles do not count. */
static void
windows_count_by_content(void **state)
{
#define WINDOW(to, first) SAMPLE_MAIN "windows = ( { name = \"w\"; days = [ \"mon\" ]; from = \"01:00\"; to = \"" to "\"; } );\n" \
	"blackouts = ( { name = \"b\"; first = \"" first "\"; last = \"2026-12-31\"; } );\n"
	char *one = sample_profile_with("maintenance", "maintenance = [ \"w\" ]; blackouts = [ \"b\" ];");
	uint8_t a[32], b[32], d[32];
	(void)state;
	digest_of(WINDOW("02:00", "2026-12-01"), one, a);
	digest_of(WINDOW("03:00", "2026-12-01"), one, b);
	digest_of(WINDOW("02:00", "2026-12-02"), one, d);
	assert_memory_not_equal(a, b, 32);
	assert_memory_not_equal(a, d, 32);
	digest_of(WINDOW("02:00", "2026-12-01"), SAMPLE_PROFILE, a);
	digest_of(WINDOW("03:00", "2026-12-02"), SAMPLE_PROFILE, b);
	assert_memory_equal(a, b, 32);
	free(one);
}

#define LIST "list = { name = \"own\"; source = \"us\"; date = \"2026-01-31\"; entities = ( { supplier = \"%s\"; } ); };\n"

static void
digest_with_list(const char *list, uint8_t out[32])
{
	const struct config_file f[] = { { "fotagate.conf", view_str(SAMPLE_MAIN) }, { "lists.d/own.conf", view_str(list) },
		{ "profiles.d/a.conf", view_str(SAMPLE_PROFILE) } };
	struct config *c = NULL;
	assert_int_equal(config_parse(f, 3, &c, &problems), 0);
	assert_int_equal(profile_digest(&c->profiles[0], c, &anchor, 1, out), 0);
	config_free(c);
}

/* What they say of the supplier, and the bytes they say it with. */
static void
lists_count(void **state)
{
	char text[512];
	uint8_t a[32], b[32];
	(void)state;
	digest_of(SAMPLE_MAIN, SAMPLE_PROFILE, a);
	snprintf(text, sizeof text, LIST, "acme");
	digest_with_list(text, b);
	assert_memory_not_equal(a, b, 32);
	snprintf(text, sizeof text, LIST "# another file", "acme");
	digest_with_list(text, a);
	assert_memory_not_equal(a, b, 32);
}

static void
anchors_count_by_content(void **state)
{
	struct config *c = NULL;
	struct profile_anchor other = anchor;
	uint8_t a[32], b[32];
	(void)state;
	assert_int_equal(sample_parse(SAMPLE_MAIN, SAMPLE_PROFILE, &c, &problems), 0);
	assert_int_equal(profile_digest(&c->profiles[0], c, &anchor, 1, a), 0);
	other.sha256[31] ^= 1;
	assert_int_equal(profile_digest(&c->profiles[0], c, &other, 1, b), 0);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(profile_digest(&c->profiles[0], c, NULL, 0, b), FG_EINVAL);
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_canonical_and_complete),
		cmocka_unit_test(layout_does_not_count),
		cmocka_unit_test(everything_else_counts),
		cmocka_unit_test(rules_count_where_they_can_matter),
		cmocka_unit_test(windows_count_by_content),
		cmocka_unit_test(lists_count),
		cmocka_unit_test(anchors_count_by_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
