/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/provenance.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/json.h"
#include "gateway/upstream/shown.h"

struct fixture {
	struct provenance p;
	struct msg_fetch job;
	struct msg_fetch_done done;
	struct writer w;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	writer_init(&f->w, PROVENANCE_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	writer_free(&f->w);
	free(f);
	return 0;
}

static const char *
encode(struct fixture *f)
{
	writer_free(&f->w);
	writer_init(&f->w, PROVENANCE_MAX);
	assert_int_equal(provenance_encode(&f->p, &f->job, &f->done, &f->w), 0);
	writer_u8(&f->w, 0);
	return (const char *)f->w.p;
}

static void
test_nothing_happened(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(encode(f), "{\"bytes\":0,\"claimed_by\":\"fetcher\",\"detail\":\"\",\"finding\":\"none\",\"first_asked_by\":\"\","
	    "\"hops\":[],\"hops_dropped\":0,\"outcome\":\"failed\",\"schema\":\"fotagate-provenance/1\",\"signature_bytes\":0,\"via\":\"\"}");
	f->done.outcome = 200; /* no outcome of ours */
	f->done.finding = 200;
	assert_non_null(strstr(encode(f), "\"outcome\":\"failed\""));
}

static void
test_one_hop(void **state)
{
	struct fixture *f = *state;
	struct provenance_hop *h = provenance_hop(&f->p);
	snprintf(h->url, sizeof h->url, "https://up.example/a");
	snprintf(h->peer, sizeof h->peer, "192.0.2.1 port 443");
	h->status = 200;
	h->at_us = 1767225600000000;
	h->asked = 5;
	h->kept = 7;
	h->certs_n = 1;
	h->cert[0][0] = 0xab;
	provenance_header(&f->p, h, view_str("Server: x\r\n"));
	provenance_header(&f->p, h, view_str("\r\n"));
	f->done.outcome = MSG_FETCH_OK;
	f->done.bytes = 7;
	const char *text = encode(f);
	assert_non_null(strstr(text, "\"hops\":[{\"asked_from\":5,\"at\":\"2026-01-01T00:00:00.000000Z\",\"certificates\":[\"ab00"));
	assert_non_null(strstr(text, "\"for\":\"image\",\"headers\":[\"Server: x\"],\"headers_dropped\":0,"
	    "\"kept\":7,\"key\":\"\",\"peer\":\"192.0.2.1 port 443\",\"status\":200,\"url\":\"https://up.example/a\"}]"));
	assert_non_null(strstr(text, "\"outcome\":\"ok\""));
}

/* Whatever is in there: ASCII, one line, parseable, canonical order. */
static void
test_hostile_text_is_made_visible(void **state)
{
	struct fixture *f = *state;
	struct provenance_hop *h = provenance_hop(&f->p);
	static const char line[] = "X: \x1b[2J\"\\\xff\xe2\x80\xae\0tail";
	provenance_header(&f->p, h, view_of(line, sizeof line - 1));
	snprintf(h->url, sizeof h->url, "http://\x01\xff/");
	snprintf(f->job.first_asked_by, sizeof f->job.first_asked_by, "\xc3\xa4\n");
	snprintf(f->done.detail, sizeof f->done.detail, "\x7f\t");
	const char *text = encode(f);
	for (const char *p = text; *p; p++)
		assert_in_range(*p, 0x20, 0x7e);
	struct json *doc = NULL;
	assert_int_equal(json_parse(view_str(text), &doc, NULL), 0);
	json_free(doc);
	assert_non_null(strstr(text, "X: <1B>[2J\\\"\\\\<FF><U+202E><00>tail"));
}

static void
test_hops_and_headers_are_bounded(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < PROVENANCE_HOPS_MAX + 2; i++) {
		struct provenance_hop *one = provenance_hop(&f->p);
		one->kept = i;
		provenance_header(&f->p, one, view_str("abcd"));
	}
	/* The first stays, the second and third are gone. */
	assert_int_equal(f->p.hops_n, PROVENANCE_HOPS_MAX);
	assert_int_equal(f->p.hops_dropped, 2);
	assert_int_equal(f->p.header_bytes, PROVENANCE_HOPS_MAX * 4);
	for (unsigned i = 0; i < PROVENANCE_HOPS_MAX; i++)
		assert_int_equal(f->p.hop[i].kept, i ? i + 2 : 0);
	memset(&f->p, 0, sizeof f->p);
	struct provenance_hop *h = provenance_hop(&f->p);
	for (unsigned i = 0; i < PROVENANCE_HEADERS_MAX + 5; i++)
		provenance_header(&f->p, h, view_str("A: b"));
	assert_int_equal(h->headers_n, PROVENANCE_HEADERS_MAX);
	assert_int_equal(h->headers_dropped, 5);
}

/* The worst a vendor can do, every text of it doubled by escaping, is still a record. */
static void
test_the_worst_case_fits(void **state)
{
	struct fixture *f = *state;
	char line[2 * PROVENANCE_LINE_MAX];
	struct provenance_hop *h;
	unsigned kept = 0, dropped = 0;
	memset(line, '"', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	for (unsigned n = 0; n < PROVENANCE_HOPS_MAX; n++) {
		h = provenance_hop(&f->p);
		h->asked = h->kept = INT64_MAX / 1024;
		memset(h->url, '"', sizeof h->url - 1);
		memset(h->peer, '"', sizeof h->peer - 1);
		h->certs_n = PROVENANCE_CERTS_MAX;
		h->have_key = true;
		for (unsigned i = 0; i < 200; i++)
			provenance_header(&f->p, h, view_str(line));
		kept += h->headers_n;
		dropped += h->headers_dropped;
	}
	memset(f->job.first_asked_by, '"', sizeof f->job.first_asked_by - 1);
	memset(f->done.detail, '"', sizeof f->done.detail - 1);
	assert_int_equal(kept + dropped, PROVENANCE_HOPS_MAX * 200);
	assert_in_range(kept, 1, PROVENANCE_HEADER_BYTES / 100);
	(void)encode(f);
}

/* A hop that the record drops is compared all the same, and none is left out in silence. */
static void
test_dropped_hops_are_shown(void **state)
{
	struct fixture *f = *state;
	static struct msg_shown list[MSG_SHOWN_MAX];
	uint32_t n = 0;
	for (unsigned i = 0; i < PROVENANCE_HOPS_MAX + 4; i++) {
		struct provenance_hop *h = provenance_hop(&f->p);
		h->have_key = h->refused = true;
		snprintf(h->url, sizeof h->url, "https://%u.example/a", i);
	}
	assert_true(shown_fill(&f->p, list, &n));
	assert_int_equal(n, PROVENANCE_HOPS_MAX + 4);
	assert_string_equal(list[0].place, "https://0.example:443");
	assert_string_equal(list[1].place, "https://1.example:443");
	assert_int_equal(list[1].kind, MSG_SHOWN_REFUSED);
	for (unsigned i = 0; i < MSG_SHOWN_MAX; i++) {
		struct provenance_hop *h = provenance_hop(&f->p);
		h->status = 200;
		snprintf(h->url, sizeof h->url, "https://%u.example/b", i);
	}
	assert_false(shown_fill(&f->p, list, &n));
	assert_int_equal(n, MSG_SHOWN_MAX);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing_happened),
		T(test_one_hop),
		T(test_hostile_text_is_made_visible),
		T(test_hops_and_headers_are_bounded),
		T(test_the_worst_case_fits),
		T(test_dropped_hops_are_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
