/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a front names: one way to say it, and everything beside it refused. */
#include "gateway/console/front.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"

#define ISS "X-FG-SSO-Issuer: https://id.example\r\n"
#define SUB "X-FG-SSO-Subject: 248289761001\r\n"
#define ACR "X-FG-SSO-Acr: urn:mace:incommon:iap:silver\r\n"
#define AMR "X-FG-SSO-Amr: [\"pwd\",\"otp\"]\r\n"
#define ADR "X-FG-SSO-Address: 192.0.2.7\r\n"

static char text[4096];
static struct http_request request;
static struct front_person person;
static const char *why;

static enum front_said
said(const char *fields)
{
	struct http_scan scan = { 0 };
	struct http_limits limits;
	enum http_fault fault = HTTP_FAULT_NONE;
	why = NULL;
	http_head_limits(&limits);
	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: gw.example\r\n%s\r\n", fields);
	if (http_head_parse(&scan, view_str(text), HTTP_STRICT, &limits, &request, &fault) != HTTP_PARSE_DONE)
		return FRONT_MALFORMED; /* it does not come that far */
	person = (struct front_person){ 0 };
	enum front_said got = front_read(&request, &person, &why);
	assert_true(got != FRONT_MALFORMED || why);
	return got;
}

static void
one_way_to_name_somebody(void **state)
{
	struct writer w;
	(void)state;
	assert_int_equal(said("X-FG-CSRF: 1\r\nX-FG-SS: x\r\nX-FG-SSOO: x\r\n"), FRONT_NOTHING);
	assert_int_equal(said(ISS SUB ACR AMR ADR), FRONT_PERSON);
	assert_true(view_is(person.issuer, "https://id.example") && view_is(person.subject, "248289761001"));
	assert_true(view_is(person.acr, "urn:mace:incommon:iap:silver") && view_is(person.amr, "[\"pwd\",\"otp\"]"));
	assert_memory_equal(person.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7", 16);
	writer_init(&w, 1024);
	front_arguments(&person, &w);
	assert_true(view_is(writer_view(&w), "{\"acr\":\"urn:mace:incommon:iap:silver\",\"amr\":\"[\\\"pwd\\\",\\\"otp\\\"]\","
	    "\"issuer\":\"https://id.example\",\"subject\":\"248289761001\"}"));
	writer_free(&w);
	assert_int_equal(said("x-fg-sso-issuer: https://id.example\r\nX-FG-Sso-subject: a\r\nX-FG-SSO-ACR: -\r\nX-FG-SSO-amr: -\r\n"
	    "X-FG-SSO-address: 2001:db8::1\r\n"), FRONT_PERSON);
	assert_true(!person.acr.n && !person.amr.n && person.address[0] == 0x20 && person.address[15] == 1);
	/* Nobody is signed in there, and only the address is told. */
	assert_int_equal(said("X-FG-SSO-Issuer: -\r\nX-FG-SSO-Subject: -\r\nX-FG-SSO-Acr: -\r\nX-FG-SSO-Amr: -\r\n" ADR), FRONT_NOBODY);
	assert_int_equal(person.address[15], 7);
}

static void
whatever_could_be_another_way_is_none(void **state)
{
	static const char *const bad[] = {
		/* left to the browser */
		SUB ACR AMR ADR, ISS ACR AMR ADR, ISS SUB AMR ADR, ISS SUB ACR ADR, ISS SUB ACR AMR, SUB, ADR,
		/* twice, or in a form that another proxy takes for the same */
		ISS SUB ACR AMR ADR SUB, ISS ISS SUB ACR AMR ADR, ISS SUB ACR AMR ADR "X_FG_SSO_Subject: eve\r\n",
		ISS SUB ACR AMR ADR "X-FG_SSO-Subject: eve\r\n", ISS SUB ACR AMR "X_FG_SSO_Address: 192.0.2.7\r\n",
		ISS SUB ACR AMR ADR "x-fg-sso-sub: eve\r\n", ISS SUB ACR AMR ADR "X-FG-SSO-: eve\r\n",
		"X_FG_SSO_Subject: eve\r\n",
		/* not a value */
		"X-FG-SSO-Issuer: \r\n" SUB ACR AMR ADR, "X-FG-SSO-Issuer: http://id.example\r\n" SUB ACR AMR ADR,
		"X-FG-SSO-Issuer: https://\r\n" SUB ACR AMR ADR, "X-FG-SSO-Issuer: https://a, https://b\r\n" SUB ACR AMR ADR,
		"X-FG-SSO-Issuer: -\r\n" SUB ACR AMR ADR, ISS "X-FG-SSO-Subject: -\r\n" ACR AMR ADR,
		ISS "X-FG-SSO-Subject: \r\n" ACR AMR ADR, ISS "X-FG-SSO-Subject: a b\r\n" ACR AMR ADR,
		ISS "X-FG-SSO-Subject: a,b\xc3\xa9\r\n" ACR AMR ADR, ISS "X-FG-SSO-Subject: a\x01\r\n" ACR AMR ADR,
		ISS "X-FG-SSO-Subject: a\x7f\r\n" ACR AMR ADR, ISS SUB "X-FG-SSO-Acr: \xff\r\n" AMR ADR,
		ISS SUB ACR "X-FG-SSO-Amr: a\tb\r\n" ADR, ISS SUB ACR AMR "X-FG-SSO-Address: localhost\r\n",
		ISS SUB ACR AMR "X-FG-SSO-Address: 192.0.2.7, 10.0.0.1\r\n", ISS SUB ACR AMR "X-FG-SSO-Address: 192.0.2.7:80\r\n",
		ISS SUB ACR AMR "X-FG-SSO-Address: -\r\n",
	};
	char longer[1024];
	(void)state;
	/* What is not there is not read as something empty. */
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(said(bad[i]), FRONT_MALFORMED);
		assert_string_equal(why, "a field below X-FG-SSO- is missing");
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (said(bad[i]) != FRONT_MALFORMED)
			fail_msg("%s", bad[i]);
	for (int n = VOUCH_SUBJECT_MAX; n <= VOUCH_SUBJECT_MAX + 1; n++) {
		snprintf(longer, sizeof longer, ISS "X-FG-SSO-Subject: %0*d\r\n" ACR AMR ADR, n, 1);
		assert_int_equal(said(longer), n <= VOUCH_SUBJECT_MAX ? FRONT_PERSON : FRONT_MALFORMED);
	}
	for (int n = VOUCH_WORDS_MAX; n <= VOUCH_WORDS_MAX + 1; n++) {
		snprintf(longer, sizeof longer, ISS SUB ACR "X-FG-SSO-Amr: %0*d\r\n" ADR, n, 1);
		assert_int_equal(said(longer), n <= VOUCH_WORDS_MAX ? FRONT_PERSON : FRONT_MALFORMED);
	}
}

/* No two people have one digest, however their names are cut. */
static void
an_identity_is_its_two_parts(void **state)
{
	uint8_t a[32], b[32];
	(void)state;
	assert_int_equal(vouch_identity(view_str("https://id.example"), view_str("alice"), a), 0);
	assert_int_equal(vouch_identity(view_str("https://id.examplea"), view_str("lice"), b), 0);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(vouch_identity(view_str("https://id.example"), view_str("Alice"), b), 0);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(vouch_identity(view_str("https://id.example"), view_str("alice"), b), 0);
	assert_memory_equal(a, b, 32);
	/* A line break would be the cut. */
	assert_int_equal(vouch_identity(view_str("https://id.example\nx"), view_str("alice"), b), FG_EINVAL);
	assert_int_equal(vouch_identity(view_str("https://id.example"), view_str("x\nalice"), b), FG_EINVAL);
	assert_int_equal(vouch_identity(view_str("alice@id.example"), view_str("alice"), b), FG_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_way_to_name_somebody),
		cmocka_unit_test(whatever_could_be_another_way_is_none),
		cmocka_unit_test(an_identity_is_its_two_parts),
	};
	return cmocka_run_group_tests_name("console_front", tests, NULL, NULL);
}
