/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/route.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/policy/sample.h"

#include "crypto/hex.h"

static const uint8_t here[NET_ADDR_LEN] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7 };

struct fixture {
	struct config *config;
	char text[4096];
	struct http_request req;
	struct route r;
	enum profile_miss miss;
	struct route_peer peer;
};

/* The sample with that line, and with `from` (may be NULL), wherever it stands, as `to`, which is not longer. */
static struct config *
config_with(const char *key, const char *line, const char *from, const char *to)
{
	static struct config_problems problems;
	struct config *c;
	char *profile = sample_profile_with(key, line), *at = from ? strstr(profile, from) : NULL;
	if (at) {
		memcpy(at, to, strlen(to));
		memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
	}
	int err = sample_parse(SAMPLE_MAIN, profile, &c, &problems);
	if (err)
		fail_msg("%s", problems.n ? problems.at[0].text : "?");
	free(profile);
	return c;
}

/* As the engine would have read it. */
static void
parse(struct fixture *f, const char *target, const char *more)
{
	struct http_limits limits;
	struct http_scan scan = { 0 };
	enum http_fault fault;
	http_head_limits(&limits);
	snprintf(f->text, sizeof f->text, "GET %s HTTP/1.1\r\n%s\r\n", target, more);
	assert_int_equal(http_head_parse(&scan, view_str(f->text), HTTP_LENIENT, &limits, &f->req, &fault), HTTP_PARSE_DONE);
}

static int
ask(struct fixture *f, const char *target)
{
	parse(f, target, "Host: fota.example\r\n");
	return route_request(f->config, "plain", &f->req, &f->peer, &f->r, &f->miss);
}

static void
reconfigure(struct fixture *f, const char *key, const char *line, const char *from, const char *to)
{
	config_free(f->config);
	f->config = NULL;
	f->config = config_with(key, line, from, to);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->config = config_with("quorum", "quorum = 2;", NULL, NULL);
	memcpy(f->peer.ip, here, sizeof here);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	config_free(f->config);
	free(f);
	return 0;
}

static void
test_everything_a_request_says(void **state)
{
	struct fixture *f = *state;
	uint8_t resource[PROFILE_RESOURCE_LEN];
	assert_int_equal(ask(f, "/fw/rtr/2.0.bin?imei=490154203237518&v=1.9"), 0);
	assert_string_equal(f->r.hit.profile->name, "acme-rtr");
	assert_string_equal(f->r.url, "https://up.example/get/rtr?v=2.0");
	assert_string_equal(f->r.signature_url, "https://up.example/get/rtr-2.0.p7s");
	assert_true(f->r.fetchable);
	assert_string_equal(f->r.product, "rtr");
	assert_string_equal(f->r.target, "2.0");
	assert_string_equal(f->r.current, "1.9");
	assert_string_equal(f->r.from, "");
	assert_true(f->r.identified);
	assert_int_equal(f->r.identity.kind, IDENTITY_IMEI);
	assert_int_equal(f->r.identity.class, IDENTITY_D);
	assert_string_equal(f->r.identity.text, "490154203237518");
	assert_int_equal(profile_resource(f->r.hit.profile, f->r.url, resource), 0);
	assert_memory_equal(f->r.resource, resource, sizeof resource);
	/* What is asked for does not depend on who asks or from what. */
	assert_int_equal(ask(f, "/fw/rtr/2.0.bin?imei=356938035643809"), 0);
	assert_memory_equal(f->r.resource, resource, sizeof resource);
	assert_string_equal(f->r.current, "");
	assert_int_equal(ask(f, "/fw/rtr/2.1.bin?imei=356938035643809"), 0);
	assert_memory_not_equal(f->r.resource, resource, sizeof resource);
}

static void
test_nobodys_requests(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(ask(f, "/elsewhere"), FG_ENOTFOUND);
	assert_int_equal(f->miss, PROFILE_MISS_NO_PROFILE);
	assert_int_equal(ask(f, "/fw/../fw/rtr/2.0.bin?imei=490154203237518"), FG_ENOTFOUND);
	assert_int_equal(f->miss, PROFILE_MISS_PATH);
	parse(f, "/fw/rtr/2.0.bin?imei=490154203237518", "Host: other.example\r\n");
	assert_int_equal(route_request(f->config, "plain", &f->req, &f->peer, &f->r, &f->miss), FG_ENOTFOUND);
	parse(f, "/fw/rtr/2.0.bin?imei=490154203237518", "Host: fota.example\r\n");
	assert_int_equal(route_request(f->config, "other", &f->req, &f->peer, &f->r, &f->miss), FG_ENOTFOUND);
}

static void
test_unidentified_is_no_error(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(ask(f, "/fw/rtr/2.0.bin?imei=490154203237519"), 0); /* wrong check digit */
	assert_false(f->r.identified);
	assert_string_equal(f->r.identity.text, "");
}

/* HTTP/1.0 needs no Host; then the name in TLS says which vendor was meant. A Host header wins. */
static void
test_host_from_tls(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits;
	struct http_scan scan = { 0 };
	enum http_fault fault;
	http_head_limits(&limits);
	snprintf(f->text, sizeof f->text, "GET /fw/rtr/2.0.bin?imei=490154203237518 HTTP/1.0\r\n\r\n");
	assert_int_equal(http_head_parse(&scan, view_str(f->text), HTTP_LENIENT, &limits, &f->req, &fault), HTTP_PARSE_DONE);
	assert_int_equal(route_request(f->config, "tls", &f->req, &f->peer, &f->r, &f->miss), FG_ENOTFOUND);
	f->peer.tls_name = "fota.example";
	assert_int_equal(route_request(f->config, "tls", &f->req, &f->peer, &f->r, &f->miss), 0);
	f->peer.tls_name = "other.example";
	assert_int_equal(route_request(f->config, "tls", &f->req, &f->peer, &f->r, &f->miss), FG_ENOTFOUND);
	parse(f, "/fw/rtr/2.0.bin?imei=490154203237518", "Host: fota.example\r\n");
	assert_int_equal(route_request(f->config, "tls", &f->req, &f->peer, &f->r, &f->miss), 0);
}

static void
test_a_token_leaves_only_its_digest(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[DIGEST_SHA256_LEN];
	char hex[DIGEST_HEX_LEN + 1];
	char token[101], target[256], header[256];
	memset(token, 'k', 100);
	token[100] = '\0';
	reconfigure(f, "identity",
	    "identity = ( { class = \"B\"; kind = \"token\"; from = \"header:x-key\"; } );", NULL, NULL);
	snprintf(target, sizeof target, "/fw/rtr/2.0.bin?imei=490154203237518");
	snprintf(header, sizeof header, "Host: fota.example\r\nX-Key: %s\r\n", token);
	parse(f, target, header);
	assert_int_equal(route_request(f->config, "plain", &f->req, &f->peer, &f->r, &f->miss), 0);
	assert_true(f->r.identified);
	assert_int_equal(digest_sha256(view_str(token), digest), 0);
	hex_encode(digest, sizeof digest, hex);
	assert_string_equal(f->r.identity.text, hex);
	/* Nor its tail behind the shorter digest. */
	for (size_t i = strlen(hex); i < sizeof f->r.identity.text; i++)
		assert_int_equal(f->r.identity.text[i], 0);
}

static void
test_client_certificate_and_address(void **state)
{
	struct fixture *f = *state;
	static const uint8_t spki[DIGEST_SHA256_LEN] = { 0xab, 1, 2 };
	reconfigure(f, "identity",
	    "identity = ( { class = \"A\"; kind = \"cert\"; from = \"client_cert\"; }, "
	    "{ class = \"C\"; kind = \"address\"; from = \"source_address\"; } ); "
	    "networks = ( { cidr = \"192.0.2.0/24\"; group = \"field\"; } );", "\"plain\", ", "");
	parse(f, "/fw/rtr/2.0.bin?imei=490154203237518", "Host: fota.example\r\n");
	assert_int_equal(route_request(f->config, "tls", &f->req, &f->peer, &f->r, &f->miss), 0);
	assert_int_equal(f->r.identity.kind, IDENTITY_ADDRESS);
	assert_string_equal(f->r.identity.text, "192.0.2.7");
	assert_string_equal(f->r.identity.group, "field");
	f->peer.cert_spki = spki;
	assert_int_equal(route_request(f->config, "tls", &f->req, &f->peer, &f->r, &f->miss), 0);
	assert_int_equal(f->r.identity.kind, IDENTITY_CERT);
	assert_memory_equal(f->r.identity.text, "ab0102", 6);
}

/*
 * A template that this request cannot fill is not "nobody's request", and never
 * half a URL. The configuration check lets no optional part into a template, so
 * one is made optional behind its back.
 */
static void
test_templates_that_cannot_be_filled(void **state)
{
	static const char *const keys[] = { "upstream", "signature_url" };
	struct fixture *f = *state;
	char line[128];
	for (unsigned i = 0; i < 2; i++) {
		snprintf(line, sizeof line, "%s = \"https://up.example/x/{from}\";", keys[i]);
		reconfigure(f, keys[i], line, "v?={from}", "v={from}");
		f->config->profiles[0].params[1].optional = true;
		assert_int_equal(ask(f, "/fw/rtr/2.0.bin?imei=490154203237518&v=1"), 0);
		assert_string_equal(i ? f->r.signature_url : f->r.url, "https://up.example/x/1");
		assert_int_equal(ask(f, "/fw/rtr/2.0.bin?imei=490154203237518"), FG_EFORMAT);
	}
}

static void
test_without_a_template_it_is_an_import(void **state)
{
	struct fixture *f = *state;
	char url[MSG_URL_MAX];
	char *profile = sample_profile_with("upstream", ""), *at = strstr(profile, "signature_url");
	static struct config_problems problems;
	memmove(at, strchr(at, '\n') + 1, strlen(strchr(at, '\n') + 1) + 1);
	config_free(f->config);
	f->config = NULL;
	int err = sample_parse(SAMPLE_MAIN, profile, &f->config, &problems);
	free(profile);
	if (err)
		fail_msg("%s", problems.at[0].text);
	assert_int_equal(ask(f, "/fw/rtr/2.0.bin?imei=490154203237518"), 0);
	assert_int_equal(route_import_url("rtr", "2.0", url, sizeof url), 0);
	assert_string_equal(f->r.url, url);
	assert_false(f->r.fetchable);
	assert_string_equal(f->r.signature_url, "");
	assert_int_equal(route_import_url("rtr", "2.0", url, 5), FG_ELIMIT);
}

/* Longer names than messages carry: refused, because two cut ones could be one. */
static void
test_names_are_never_cut(void **state)
{
	struct fixture *f = *state;
	char target[256], name[MSG_NAME_MAX + 1];
	reconfigure(f, "captures",
	    "captures = { product = { class = \"word\"; max = 100; }; to = { class = \"version\"; max = 16; }; "
	    "imei = { class = \"digits\"; max = 15; }; from = { class = \"version\"; max = 16; }; };", NULL, NULL);
	memset(name, 'p', sizeof name);
	name[MSG_NAME_MAX] = '\0';
	snprintf(target, sizeof target, "/fw/%s/2.0.bin?imei=490154203237518", name);
	assert_int_equal(ask(f, target), FG_ELIMIT);
	name[MSG_NAME_MAX - 1] = '\0';
	snprintf(target, sizeof target, "/fw/%s/2.0.bin?imei=490154203237518", name);
	assert_int_equal(ask(f, target), 0);
	assert_string_equal(f->r.product, name);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_everything_a_request_says),
		T(test_nobodys_requests),
		T(test_unidentified_is_no_error),
		T(test_host_from_tls),
		T(test_a_token_leaves_only_its_digest),
		T(test_client_certificate_and_address),
		T(test_templates_that_cannot_be_filled),
		T(test_without_a_template_it_is_an_import),
		T(test_names_are_never_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
