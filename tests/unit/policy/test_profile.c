/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/policy/sample.h"

static struct config_problems problems;

static struct config *
sample(const char *profile)
{
	struct config *c = NULL;
	int err = sample_parse(SAMPLE_MAIN, profile, &c, &problems);
	for (unsigned i = 0; i < problems.n; i++)
		print_error("%s:%u: %s\n", problems.at[i].file, problems.at[i].line, problems.at[i].text);
	assert_int_equal(err, 0);
	return c;
}

static int
setup(void **state)
{
	*state = sample(SAMPLE_PROFILE);
	return 0;
}

static int
teardown(void **state)
{
	config_free(*state);
	return 0;
}

static int
match(const struct config *c, const char *host, const char *path, const char *query, struct profile_hit *hit,
    enum profile_miss *why)
{
	struct profile_request r = { .listener = view_str("plain"), .host = view_str(host), .path = view_str(path),
		.query = view_str(query) };
	return profile_match(c, &r, hit, why);
}

static bool
matches(const struct config *c, const char *host, const char *path, const char *query)
{
	struct profile_hit hit;
	enum profile_miss why;
	return match(c, host, path, query, &hit, &why) == 0;
}

#define IMEI "490154203237518"
#define GOOD_HOST "fota.example"
#define GOOD_PATH "/fw/rtr9/1.2.3.bin"
#define GOOD_QUERY "imei=" IMEI

static void
a_request_is_cut_into_facts(void **state)
{
	struct profile_hit hit;
	enum profile_miss why = PROFILE_MISS_NONE;
	assert_int_equal(match(*state, GOOD_HOST, GOOD_PATH, GOOD_QUERY "&v=1.2.0&x=%41", &hit, &why), 0);
	assert_string_equal(hit.profile->name, "acme-rtr");
	assert_true(view_is(hit.product, "rtr9"));
	assert_true(view_is(hit.target_version, "1.2.3"));
	assert_true(view_is(hit.current_version, "1.2.0"));
	assert_true(view_is(hit.identity[0], IMEI));
	assert_int_equal(match(*state, GOOD_HOST, GOOD_PATH, GOOD_QUERY "&v=", &hit, &why), 0);
	assert_int_equal(hit.current_version.n, 0);
}

static void
hosts_have_one_spelling(void **state)
{
	static const char *const good[] = { "fota.example", "FOTA.Example", "fota.example:8080", "fota.example.", "fota.example.:80",
		"a.cdn.example", "a.b.cdn.example" };
	static const char *const bad[] = { "", "example", "xfota.example", "fota.example.evil", "cdn.example", ".cdn.example",
		"fota.example..", "fota.example:http", "fota.example:123456", "fota.example/x", "user@fota.example", "fota..example",
		"fota.example\n", " fota.example", "a_cdn.example" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!matches(*state, good[i], GOOD_PATH, GOOD_QUERY))
			fail_msg("host <%s> did not match", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (matches(*state, bad[i], GOOD_PATH, GOOD_QUERY))
			fail_msg("host <%s> matched", bad[i]);
	char out[PROFILE_HOST_MAX + 1];
	assert_true(profile_host_normal(view_str("[2001:DB8::1]:443"), out));
	assert_string_equal(out, "[2001:db8::1]");
	assert_true(profile_host_normal(view_str("192.0.2.1:80"), out));
	assert_string_equal(out, "192.0.2.1");
	assert_false(profile_host_normal(view_str("2001:db8::1"), out));
	assert_false(profile_host_normal(view_str("[zz]"), out));
	assert_false(profile_host_normal(view_str(":80"), out));
	assert_false(profile_host_normal(view_of("a\0b", 3), out));
}

static void
other_spellings_of_a_path_are_refused(void **state)
{
	static const char *const bad[] = { "", "fw/rtr9/1.2.3.bin", "/fw/rtr9/1.2.3%2ebin", "/fw//rtr9/1.2.3.bin",
		"/fw/./rtr9/1.2.3.bin", "/fw/x/../rtr9/1.2.3.bin", "/fw/rtr9/1.2.3.bin/", "/fw/rtr9/1.2.3.bin/..", "/fw/rtr9/1..3.bin",
		"/fw/rtr9/1.2.3.bin\\", "/fw/rtr9/1.2.3.bin#", "/fw/rtr9/1.2.3.bin?", "/fw/rtr9/1.2 3.bin", "/fw/rtr9\t/1.2.3.bin",
		"http://fota.example/fw/rtr9/1.2.3.bin", "*", "/fw/rtr9/\xc3\xa4.bin" };
	struct profile_hit hit;
	enum profile_miss why;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (matches(*state, GOOD_HOST, bad[i], GOOD_QUERY))
			fail_msg("path <%s> matched", bad[i]);
	assert_int_equal(match(*state, GOOD_HOST, "/fw/%2e%2e/x", "", &hit, &why), FG_ENOTFOUND);
	assert_int_equal(why, PROFILE_MISS_PATH);
	assert_int_equal(match(*state, "a b", GOOD_PATH, "", &hit, &why), FG_ENOTFOUND);
	assert_int_equal(why, PROFILE_MISS_HOST);
	assert_int_equal(match(*state, GOOD_HOST, "/nobody", "", &hit, &why), FG_ENOTFOUND);
	assert_int_equal(why, PROFILE_MISS_NO_PROFILE);
	for (unsigned w = 0; w <= PROFILE_MISS_QUERY; w++)
		assert_true(strlen(profile_miss_text((enum profile_miss)w)) > 10);
	/* A trailing slash is a path of its own, and may be one a vendor uses. */
	assert_int_equal(match(*state, GOOD_HOST, "/fw/", "", &hit, &why), FG_ENOTFOUND);
	assert_int_equal(why, PROFILE_MISS_NO_PROFILE);
}

static void
parameters_count_once(void **state)
{
	static const char *const bad[] = { "", "imei=", "imei", "IMEI=" IMEI, GOOD_QUERY "&" GOOD_QUERY, GOOD_QUERY "&imei=1",
		"imei=49015420323751%38", "imei=4901542032375189", GOOD_QUERY "&v=1&v=2", GOOD_QUERY "&v=a/b", GOOD_QUERY "&v=%31",
		GOOD_QUERY " ", GOOD_QUERY "&=x" };
	static const char *const good[] = { GOOD_QUERY, "&" GOOD_QUERY "&&", "a=1&a=2&" GOOD_QUERY, GOOD_QUERY "&q=%zz" };
	char many[1200] = GOOD_QUERY;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (matches(*state, GOOD_HOST, GOOD_PATH, bad[i]))
			fail_msg("query <%s> matched", bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!matches(*state, GOOD_HOST, GOOD_PATH, good[i]))
			fail_msg("query <%s> did not match", good[i]);
	for (unsigned i = 1; i < PROFILE_QUERY_PARTS_MAX; i++)
		strcat(many, "&a=b");
	assert_true(matches(*state, GOOD_HOST, GOOD_PATH, many));
	strcat(many, "&a=b");
	assert_false(matches(*state, GOOD_HOST, GOOD_PATH, many));
	memset(many, 'a', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	assert_false(matches(*state, GOOD_HOST, GOOD_PATH, many));
}

static void
listeners_are_told_apart(void **state)
{
	char *text = sample_profile_with("listeners", "listeners = [ \"tls\" ];");
	struct config *c = sample(text);
	(void)state;
	assert_false(matches(c, GOOD_HOST, GOOD_PATH, GOOD_QUERY));
	config_free(c);
	free(text);
}

static void
a_bare_word_is_a_parameter(void **state)
{
	/* ABUP: GET <path>?<deviceId> */
	char *text = sample_profile_with("query", "query = [ \"{imei}\", \"v?={from}\" ];");
	struct config *c = sample(text);
	(void)state;
	assert_true(matches(c, GOOD_HOST, GOOD_PATH, IMEI));
	assert_false(matches(c, GOOD_HOST, GOOD_PATH, IMEI "&" IMEI));
	assert_false(matches(c, GOOD_HOST, GOOD_PATH, "imei=" IMEI));
	config_free(c);
	free(text);
}

static struct view
header(void *arg, const char *name)
{
	return strcmp(name, "x-version") == 0 ? view_str(arg) : view_of(NULL, 0);
}

static void
headers_are_taken_with_care(void **state)
{
	char *text = sample_profile_with("current_version", "current_version = \"header:X-Version\";");
	struct config *c = sample(text);
	struct profile_hit hit;
	enum profile_miss why;
	char good[] = "1.2.3", bad[] = "1.2.3\"", empty[] = "";
	struct profile_request r = { .listener = view_str("plain"), .host = view_str(GOOD_HOST), .path = view_str(GOOD_PATH),
		.query = view_str(GOOD_QUERY "&v=9"), .header = header, .arg = good };
	(void)state;
	assert_int_equal(profile_match(c, &r, &hit, &why), 0);
	assert_true(view_is(hit.current_version, "1.2.3"));
	r.arg = bad;
	assert_int_equal(profile_match(c, &r, &hit, &why), 0);
	assert_int_equal(hit.current_version.n, 0);
	r.arg = empty;
	assert_int_equal(profile_match(c, &r, &hit, &why), 0);
	assert_int_equal(hit.current_version.n, 0);
	r.header = NULL;
	assert_int_equal(profile_match(c, &r, &hit, &why), 0);
	assert_int_equal(hit.current_version.n, 0);
	config_free(c);
	free(text);
}

static void
from_versions_come_from_where_they_say(void **state)
{
	char *text = sample_profile_with("from_versions", "from_versions = [ \"fixed:1.0\", \"capture:from\" ];");
	struct config *c = sample(text);
	struct profile_hit hit;
	enum profile_miss why;
	struct view v;
	(void)state;
	assert_int_equal(match(c, GOOD_HOST, GOOD_PATH, GOOD_QUERY "&v=1.1", &hit, &why), 0);
	assert_true(profile_from_version(&hit, 0, &v) && view_is(v, "1.0"));
	assert_true(profile_from_version(&hit, 1, &v) && view_is(v, "1.1"));
	assert_false(profile_from_version(&hit, 2, &v));
	config_free(c);
	free(text);
}

static void
templates_take_named_captures_only(void **state)
{
	struct profile_hit hit;
	enum profile_miss why;
	char url[PROFILE_URL_MAX + 1];
	assert_int_equal(match(*state, GOOD_HOST, "/fw/rtr-9_a/1.2+3.bin", GOOD_QUERY "&secret=42", &hit, &why), 0);
	assert_int_equal(profile_expand(PROFILE_UPSTREAM, &hit, url, sizeof url), 0);
	assert_string_equal(url, "https://up.example/get/rtr-9_a?v=1.2%2B3"); /* "+" is a blank in a query */
	assert_int_equal(profile_expand(PROFILE_SIGNATURE_URL, &hit, url, sizeof url), 0);
	assert_string_equal(url, "https://up.example/get/rtr-9_a-1.2+3.p7s");
	assert_null(strstr(url, IMEI));
	char small[20] = "kept";
	assert_int_equal(profile_expand(PROFILE_UPSTREAM, &hit, small, sizeof small), FG_ELIMIT);
	assert_string_equal(small, "kept");
}

/* Where the vendor's notes are: filled in when the image came, with no more than which update it is. */
static void
notes_are_of_the_update(void **state)
{
	static const struct {
		const char *template, *product, *target, *url;
		int err;
	} table[] = {
		{ "https://n.example/{product}/{target}.txt", "rtr-9_a", "1.2+3", "https://n.example/rtr-9_a/1.2+3.txt", 0 },
		{ "https://n.example/n?v={target}", "", "1.2+3", "https://n.example/n?v=1.2%2B3", 0 },
		{ "https://n.example/all.txt", "", "", "https://n.example/all.txt", 0 },
		{ "https://n.example/{target}", "rtr", "", NULL, FG_ENOTFOUND },
		{ "https://n.example/{target}", "rtr", "..", NULL, FG_EFORMAT },
		{ "https://n.example/{target}", "rtr", "1/2", NULL, FG_EFORMAT },
		{ "https://n.example/{product}", "a@b", "1", NULL, FG_EFORMAT },
		{ "https://{product}/x", "n.example", "1", NULL, FG_EFORMAT },
		{ "", "rtr", "1", NULL, FG_ENOTFOUND },
	};
	struct profile *p = calloc(1, sizeof *p);
	char why[200];
	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char url[PROFILE_URL_MAX + 1] = "kept";
		strcpy(p->notes_url, table[i].template);
		assert_true(!table[i].template[0] || profile_pattern_compile(p->notes_url, profile_notes_slots, PROFILE_NOTES_SLOTS, true,
		    &p->notes_pattern, why, sizeof why));
		int err = profile_notes_url(p, view_str(table[i].product), view_str(table[i].target), url, sizeof url);
		if (err != table[i].err || strcmp(url, table[i].url ? table[i].url : "kept") != 0)
			fail_msg("%s: %d, <%s>", table[i].template, err, url);
	}
	free(p);
}

/* A hit that did not come from profile_match(): whatever is in it, the URL is the template's. */
static void
expansion_checks_again(void **state)
{
	static const char *const bad[] = { "..", "a/b", "a\r\nX: y", "a b", "%2e", "a?b", "a#b", "@evil", "toolongtoolongtoolong",
		"\xff", "x:y" };
	struct profile_hit hit;
	enum profile_miss why;
	char url[PROFILE_URL_MAX + 1] = "kept";
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(match(*state, GOOD_HOST, GOOD_PATH, GOOD_QUERY, &hit, &why), 0);
		hit.capture[0] = view_str(bad[i]);
		if (profile_expand(PROFILE_UPSTREAM, &hit, url, sizeof url) != FG_EFORMAT)
			fail_msg("<%s> became <%s>", bad[i], url);
	}
	hit.capture[0] = view_of(NULL, 0);
	assert_int_equal(profile_expand(PROFILE_UPSTREAM, &hit, url, sizeof url), FG_ENOTFOUND);
	/* Even a template that slipped past the configuration check cannot give its host away. */
	struct profile *evil = malloc(sizeof *evil);
	assert_non_null(evil);
	assert_int_equal(match(*state, GOOD_HOST, GOOD_PATH, GOOD_QUERY, &hit, &why), 0);
	*evil = *hit.profile;
	char reason[64];
	strcpy(evil->upstream, "https://{product}/x");
	assert_true(profile_pattern_compile(evil->upstream, evil->slots, evil->captures_n, true, &evil->upstream_pattern, reason,
	    sizeof reason));
	hit.profile = evil;
	assert_int_equal(profile_expand(PROFILE_UPSTREAM, &hit, url, sizeof url), FG_EFORMAT);
	assert_string_equal(url, "kept");
	free(evil);
}

static void
urls_are_read_strictly(void **state)
{
	static const char *const bad[] = { "", "http://", "http:///x", "http://a", "file://a/b", "sftp://a/b", "HTTP://a/", "http://a:0/", "http://a:99999/",
		"http://a:/", "http://a./", "http://u@a/", "http://a/#f", "http://a/../b", "http://a/./b", "http://a/b/..", "http://a//b",
		"http://a/%2e%2e/b", "http://a/%2F", "http://a/%5c", "http://a/%00", "http://a/%0a", "http://a/%7f", "http://a/%",
		"http://a/%2", "http://a/%zz", "http://a/%252e", "http://a/\\", "http://a/ ", "http://a/\x80", "http://[::1/", "http://::1/",
		"http://a/{x}", "//a/b", "/b", "ftp://a/", "ftp://a/b/", "ftp://a/b?c", "ftp://a/b;type=d", "ftp://a/b;type=a",
		"ftp://a//b", "ftp://a/%2Fetc/passwd", "ftp://a/../b", "ftp://a/b/%2e%2e/c", "ftp://a/b%0d%0aDELE%20b", "ftp://a/b%00",
		"ftp://u:p@a/b", "FTP://a/b", "ftpes://a/b/", "ftps://a/b;type=i" };
	struct profile_url u;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (profile_url_parse(view_str(bad[i]), &u))
			fail_msg("<%s> was taken", bad[i]);
	assert_true(profile_url_parse(view_str("https://A.example:8443/a/b.bin?x=1/2&y=%20?"), &u));
	assert_int_equal(u.transport, TRANSPORT_HTTPS);
	assert_string_equal(u.host, "a.example");
	assert_int_equal(u.port, 8443);
	assert_true(view_is(u.path, "/a/b.bin?x=1/2&y=%20?"));
	assert_true(profile_url_parse(view_str("http://[::1]/"), &u));
	assert_string_equal(u.host, "[::1]");
	assert_int_equal(u.port, 80);
	assert_true(profile_url_parse(view_str("http://127.0.0.1:8081/x/?a=../b"), &u));
	assert_true(profile_url_parse(view_str("ftp://a/pub/a%20b.bin"), &u));
	assert_int_equal(u.transport, TRANSPORT_FTP);
	assert_int_equal(u.port, 21);
	assert_true(profile_url_parse(view_str("ftpes://a/b"), &u));
	assert_int_equal(u.transport, TRANSPORT_FTPES);
	assert_int_equal(u.port, 21);
	assert_true(profile_url_parse(view_str("ftps://a/b"), &u));
	assert_int_equal(u.transport, TRANSPORT_FTPS);
	assert_int_equal(u.port, 990);
	assert_true(profile_url_parse(view_str("ftps://a:2121/b"), &u));
	assert_int_equal(u.port, 2121);
}

static void
a_resource_is_profile_and_url(void **state)
{
	const struct config *c = *state;
	uint8_t a[PROFILE_RESOURCE_LEN], b[PROFILE_RESOURCE_LEN];
	/* printf 'acme-rtr\0https://up.example/x' | sha256sum */
	static const uint8_t want[4] = { 0x2a, 0xc6, 0x4a, 0x51 };
	assert_int_equal(profile_resource(&c->profiles[0], "https://up.example/x", a), 0);
	assert_int_equal(profile_resource(&c->profiles[0], "https://up.example/y", b), 0);
	assert_memory_equal(a, want, sizeof want);
	assert_memory_not_equal(a, b, sizeof a);
}

static void
demands_are_passed_on(void **state)
{
	static const struct {
		const char *word;
		enum trust_scheme scheme;
		enum inspect_scheme asked;
	} schemes[] = {
		{ "cms-detached", TRUST_SCHEME_NONE, INSPECT_CMS_DETACHED },
		{ "rsa-pkcs1v15-sha256", TRUST_RSA_PKCS1_SHA256, INSPECT_RAW },
		{ "rsa-pkcs1v15-sha512", TRUST_RSA_PKCS1_SHA512, INSPECT_RAW },
		{ "rsa-pss-sha256", TRUST_RSA_PSS_SHA256, INSPECT_RAW }, { "ecdsa-der", TRUST_ECDSA_DER, INSPECT_RAW },
		{ "minisign", TRUST_SCHEME_NONE, INSPECT_MINISIGN }, { "signify", TRUST_SCHEME_NONE, INSPECT_SIGNIFY },
		{ "sshsig", TRUST_SCHEME_NONE, INSPECT_SSHSIG }, { "openpgp", TRUST_SCHEME_NONE, INSPECT_OPENPGP },
		{ "jcat", TRUST_SCHEME_NONE, INSPECT_JCAT }, { "tuf", TRUST_SCHEME_NONE, INSPECT_TUF },
		{ "ecdsa-fixed", TRUST_ECDSA_FIXED, INSPECT_RAW }, { "ed25519", TRUST_ED25519, INSPECT_RAW },
		{ "rsa-pss-sha256-long", TRUST_RSA_PSS_SHA256_LONG, INSPECT_RAW },
	};
	char line[160];
	(void)state;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		snprintf(line, sizeof line, "signature = { scheme = \"%s\"; anchors = [ \"a\" ]; purpose = \"code-signing\"; "
		    "require_revocation = true; };", schemes[i].word);
		char *text = sample_profile_with("signature", line);
		struct config *c = sample(text);
		assert_int_equal(profile_trust_scheme(&c->profiles[0]), schemes[i].scheme);
		assert_int_equal(profile_inspect_scheme(&c->profiles[0]), schemes[i].asked);
		struct trust_policy t = profile_trust_policy(&c->profiles[0]);
		assert_int_equal(t.purpose, TRUST_PURPOSE_CODE_SIGNING);
		assert_true(t.require_revocation);
		assert_false(t.allow_leaf_anchor || t.pinned_ignores_expiry);
		config_free(c);
		free(text);
	}
}

static void
evidence_is_asked_for_by_its_kind(void **state)
{
	static const struct {
		const char *scheme, *found;
		bool matches;
	} cases[] = {
		{ "tuf", "tuf", true }, { "tuf", "uptane-image", false }, { "tuf", "tuf/metadata", false },
		{ "jcat", "jcat/pkcs7", true }, { "jcat", "jcat", false }, { "jcat", "cab/pkcs7", false }, { "openpgp", "jcat/openpgp", false },
		{ "uptane", "uptane-image", true }, { "uptane", "uptane-director", true }, { "uptane", "tuf", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[160];
		snprintf(line, sizeof line, "signature = { scheme = \"%s\"; anchors = [ \"%sroot.json\"%s ]; };", cases[i].scheme,
		    cases[i].scheme[0] == 'u' ? "director." : "", cases[i].scheme[0] == 'u' ? ", \"image.root.json\"" : "");
		char *text = sample_profile_with("signature", line);
		struct config *c = sample(text);
		struct sig_result s = { .outcome = SIG_VERIFIED };
		snprintf(s.scheme, sizeof s.scheme, "%s", cases[i].found);
		assert_int_equal(profile_inspect_scheme(&c->profiles[0]), inspect_scheme_parse(cases[i].scheme));
		assert_int_equal(profile_scheme_matches(&c->profiles[0], FORMAT_RAW, &s), cases[i].matches);
		config_free(c);
		free(text);
	}
}

static void
a_signature_inside_the_format_is_asked_for_by_its_name(void **state)
{
	(void)state;
	char *text = sample_profile_with("signature", "signature = { scheme = \"embedded\"; format = \"swu\"; "
	    "key_scheme = \"rsa-pss-sha256\"; anchors = [ \"a\" ]; };");
	char *url = strstr(text, "signature_url"); /* goes with a detached one only */
	memset(url, ' ', strcspn(url, "\n"));
	struct config *c = sample(text);
	const struct profile *p = &c->profiles[0];
	static const struct {
		const char *scheme, *where;
		enum format_id format;
		bool matches;
	} cases[] = {
		{ "swu/cms-detached", "", FORMAT_SWU, true },
		{ "swu/rsa-pss-sha256", "", FORMAT_SWU, true },
		{ "swu/cms-detached", "inner.swu", FORMAT_SWU, false }, /* of something inside */
		{ "swu/cms-detached", "", FORMAT_ZIP, false },          /* the image is another thing */
		{ "mcuboot/ed25519", "", FORMAT_SWU, false },
		{ "cms-detached", "", FORMAT_SWU, false },
		{ "swuX/cms-detached", "", FORMAT_SWU, false },
	};
	assert_int_equal(profile_inspect_scheme(p), INSPECT_EMBEDDED);
	assert_int_equal(profile_trust_scheme(p), TRUST_RSA_PSS_SHA256);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sig_result s = { .outcome = SIG_VERIFIED };
		snprintf(s.scheme, sizeof s.scheme, "%s", cases[i].scheme);
		snprintf(s.where, sizeof s.where, "%s", cases[i].where);
		assert_int_equal(profile_scheme_matches(p, cases[i].format, &s), cases[i].matches);
	}
	config_free(c);
	free(text);
}

static void
private_addresses_need_permission(void **state)
{
	char *text = sample_profile_with("upstream_options", "upstream_options = { allow_private = [ \"127.0.0.0/8\" ]; };");
	struct config *c = sample(text);
	struct cidr_addr loopback, other, public;
	(void)state;
	assert_true(cidr_addr_parse(view_str("127.0.0.1"), &loopback));
	assert_true(cidr_addr_parse(view_str("10.0.0.1"), &other));
	assert_true(cidr_addr_parse(view_str("1.1.1.1"), &public));
	assert_true(profile_may_reach(&c->profiles[0], &loopback));
	assert_false(profile_may_reach(&c->profiles[0], &other));
	assert_true(profile_may_reach(&c->profiles[0], &public));
	config_free(c);
	free(text);
}

static void
the_first_file_wins(void **state)
{
	char *second = sample_profile_with("name", "name = \"aaa\";");
	struct config_file f[3] = { { "fotagate.conf", view_str(SAMPLE_MAIN) }, { "profiles.d/1.conf", view_str(SAMPLE_PROFILE) },
		{ "profiles.d/2.conf", view_str(second) } };
	struct config *c = NULL;
	struct profile_hit hit;
	enum profile_miss why;
	(void)state;
	assert_int_equal(config_parse(f, 3, &c, &problems), 0);
	assert_int_equal(match(c, GOOD_HOST, GOOD_PATH, GOOD_QUERY, &hit, &why), 0);
	assert_string_equal(hit.profile->name, "acme-rtr");
	config_free(c);
	free(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_cut_into_facts),
		cmocka_unit_test(hosts_have_one_spelling),
		cmocka_unit_test(other_spellings_of_a_path_are_refused),
		cmocka_unit_test(parameters_count_once),
		cmocka_unit_test(listeners_are_told_apart),
		cmocka_unit_test(a_bare_word_is_a_parameter),
		cmocka_unit_test(headers_are_taken_with_care),
		cmocka_unit_test(from_versions_come_from_where_they_say),
		cmocka_unit_test(templates_take_named_captures_only),
		cmocka_unit_test(expansion_checks_again),
		cmocka_unit_test(notes_are_of_the_update),
		cmocka_unit_test(urls_are_read_strictly),
		cmocka_unit_test(a_resource_is_profile_and_url),
		cmocka_unit_test(demands_are_passed_on),
		cmocka_unit_test(evidence_is_asked_for_by_its_kind),
		cmocka_unit_test(a_signature_inside_the_format_is_asked_for_by_its_name),
		cmocka_unit_test(private_addresses_need_permission),
		cmocka_unit_test(the_first_file_wins),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
