/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/runouts.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define DAY INT64_C(86400)

struct fixture {
	struct runouts r;
	struct config f;
	char said[2048];
};

static struct fixture fixture; /* jsonw has no place for it */

static void
alert(struct jsonw *j, const char *id, const char *text)
{
	size_t n = strlen(fixture.said);
	(void)j;
	snprintf(fixture.said + n, sizeof fixture.said - n, "%s|%s\n", id, text);
}

static const char *
at(int64_t now)
{
	fixture.said[0] = '\0';
	runouts_alerts(&fixture.r, &fixture.f, now, alert, NULL);
	return fixture.said;
}

static int
setup(void **state)
{
	(void)state;
	memset(&fixture, 0, sizeof fixture);
	fixture.f.listeners_n = 2;
	snprintf(fixture.f.listeners[0].name, sizeof fixture.f.listeners[0].name, "plain");
	snprintf(fixture.f.listeners[1].name, sizeof fixture.f.listeners[1].name, "tls");
	return 0;
}

static void
tell(unsigned edge, enum msg_runout_kind kind, int64_t from, int64_t until)
{
	const struct msg_runouts m = { 1, { { 1, (uint8_t)kind, from, until } } };
	runouts_take(&fixture.r, edge, &m);
}

static void
each_kind_says_what_follows_and_the_way_out(void **state)
{
	(void)state;
	assert_string_equal(at(NOW), "");
	tell(0, MSG_RUNOUT_CRL, NOW - 8 * DAY, NOW);
	assert_string_equal(at(NOW), "CRL|listener tls: a list in client_crl ran out at 2027-01-15T08:00:00Z: modules with a "
	    "certificate of its CA are refused. The way out: a newer one in its place, then fotagate reload\n");
	assert_string_equal(at(NOW - 1), "CRL|listener tls: a list in client_crl runs out at 2027-01-15T08:00:00Z: then modules with "
	    "a certificate of its CA are refused. The way out: a newer one in its place, then fotagate reload\n");
	tell(0, MSG_RUNOUT_CERT, NOW - 90 * DAY, NOW);
	assert_string_equal(at(NOW), "CERTIFICATE|listener tls: its certificate ran out at 2027-01-15T08:00:00Z: modules that look "
	    "at it no longer come. The way out: a new one in its place, then fotagate reload\n");
	tell(0, MSG_RUNOUT_CLIENT_CA, NOW - 90 * DAY, NOW);
	assert_string_equal(at(NOW), "CLIENT-CA|listener tls: a certificate in client_ca ran out at 2027-01-15T08:00:00Z: modules "
	    "under it are refused. The way out: a new one in its place, then fotagate reload\n");
}

/* A quarter of its time, and two weeks at most: a list of every day would else be an alert of every day. */
static void
soon_is_by_how_long_it_lives(void **state)
{
	(void)state;
	tell(0, MSG_RUNOUT_CRL, NOW, NOW + 4 * DAY);
	assert_string_equal(at(NOW + 3 * DAY - 1), "");
	assert_non_null(strstr(at(NOW + 3 * DAY), "runs out"));
	tell(0, MSG_RUNOUT_CERT, NOW, NOW + 365 * DAY);
	assert_string_equal(at(NOW + 351 * DAY - 1), "");
	assert_non_null(strstr(at(NOW + 351 * DAY), "runs out"));
}

static void
the_edge_that_has_the_oldest_is_believed(void **state)
{
	(void)state;
	tell(0, MSG_RUNOUT_CRL, NOW, NOW + 100 * DAY);
	tell(RUNOUTS_EDGES - 1, MSG_RUNOUT_CRL, NOW - 100 * DAY, NOW - 1);
	assert_non_null(strstr(at(NOW), "ran out at 2027-01-15T07:59:59Z"));
	assert_null(strchr(strchr(fixture.said, '\n') + 1, '\n')); /* once */
	runouts_take(&fixture.r, RUNOUTS_EDGES - 1, NULL);
	assert_string_equal(at(NOW), "");
	tell(RUNOUTS_EDGES, MSG_RUNOUT_CRL, 0, 1); /* there is no such edge */
	assert_string_equal(at(NOW), "");
}

/* As one document; the writer gives NULL for text that is no JSON. */
static const char *
put(int64_t now)
{
	struct writer w;
	struct jsonw j;
	writer_init(&w, sizeof fixture.said - 1);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	runouts_put(&fixture.r, &fixture.f, now, &j);
	jsonw_object_end(&j);
	assert_int_equal(writer_err(&w), 0);
	snprintf(fixture.said, sizeof fixture.said, "%.*s", (int)w.n, (const char *)w.p);
	writer_free(&w);
	return fixture.said;
}

/* It comes last, in words of its own, whatever a console that is not ours may say of other listeners. */
static void
the_console_has_its_own(void **state)
{
	const struct msg_runouts m = { 3, { { 1, MSG_RUNOUT_CERT, 0, 1 }, { 0, MSG_RUNOUT_CRL, 0, 1 },
		{ 0, MSG_RUNOUT_CERT, NOW - 90 * DAY, NOW } } };
	(void)state;
	runouts_take_console(&fixture.r, &m);
	tell(0, MSG_RUNOUT_CRL, NOW - 8 * DAY, NOW);
	assert_string_equal(strchr(at(NOW), '\n') + 1, "CERTIFICATE|the console: its certificate ran out at 2027-01-15T08:00:00Z: "
	    "browsers refuse to go on. The way out: a new one in its place, then fotagate reload\n");
	assert_string_equal(put(NOW), "{\"certificates\":[{\"kind\":\"CRL\",\"listener\":\"tls\",\"soon\":true,"
	    "\"until\":\"2027-01-15T08:00:00Z\"},{\"kind\":\"CERTIFICATE\",\"listener\":\"console\",\"soon\":true,"
	    "\"until\":\"2027-01-15T08:00:00Z\"}]}");
	runouts_take_console(&fixture.r, NULL);
	assert_null(strstr(at(NOW), "console"));
}

static void
all_are_shown_before_it_is_too_late(void **state)
{
	(void)state;
	assert_string_equal(put(NOW), "{\"certificates\":[]}");
	tell(0, MSG_RUNOUT_CERT, NOW - 300 * DAY, NOW + 60 * DAY);
	tell(1, MSG_RUNOUT_CERT, NOW - 300 * DAY, NOW + 30 * DAY);
	assert_string_equal(put(NOW), "{\"certificates\":[{\"kind\":\"CERTIFICATE\",\"listener\":\"tls\",\"soon\":false,"
	    "\"until\":\"2027-02-14T08:00:00Z\"}]}");
	assert_non_null(strstr(put(NOW + 17 * DAY), "\"soon\":true"));
	tell(1, MSG_RUNOUT_CERT, 0, INT64_MAX); /* no time that can be said */
	assert_non_null(strstr(put(NOW), "2027-03-16T08:00:00Z"));
}

/* Numbers as only a hostile edge says them. */
static void
whatever_an_edge_says(void **state)
{
	static const int64_t ends[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX };
	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		for (unsigned k = 0; k < 7; k++) {
			tell(0, MSG_RUNOUT_CERT, ends[i], ends[k]);
			for (unsigned n = 0; n < 7; n++)
				at(ends[n]);
		}
	}
	tell(0, MSG_RUNOUT_CERT, NOW, NOW - DAY);
	assert_non_null(strstr(at(NOW), "ran out"));
	const struct msg_runouts m = { 1, { { 2, MSG_RUNOUT_CERT, 0, 1 } } }; /* of a listener that there is not */
	runouts_take(&fixture.r, 0, &m);
	assert_string_equal(at(NOW), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_kind_says_what_follows_and_the_way_out, setup),
		cmocka_unit_test_setup(soon_is_by_how_long_it_lives, setup),
		cmocka_unit_test_setup(the_edge_that_has_the_oldest_is_believed, setup),
		cmocka_unit_test_setup(all_are_shown_before_it_is_too_late, setup),
		cmocka_unit_test_setup(the_console_has_its_own, setup),
		cmocka_unit_test_setup(whatever_an_edge_says, setup),
	};
	return cmocka_run_group_tests_name("runouts", tests, NULL, NULL);
}
