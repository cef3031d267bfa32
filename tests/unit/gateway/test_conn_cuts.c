/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_conn_cuts - the same bytes give the same answers, however they arrive
 * and whatever came before them on the connection. Over the corpus of
 * fuzz_http_conn, in both modes: at once, byte by byte, cut in two at every
 * place, cut at random, with an owner that answers later, and behind other
 * requests.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>

#include "unit/gateway/net_cuts.h"

#define SEED_MAX 8192u
#define RANDOM_CUTS 12

/* What leaves a connection as it was: requests of every kind of end. */
#define BEFORE                                                                                     \
	"GET /before HTTP/1.1\r\nHost: h\r\nRange: bytes=3-8\r\nIf-Match: \"" CUTS_ETAG "\"\r\n\r\n"              \
	"POST /before HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: t\r\n\r\n" \
	"PUT /before HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody"         \
	"HEAD /before HTTP/1.1\r\nHost: h\r\n\r\n"

struct fixture {
	struct cuts c;
	struct cuts_text seen, back;      /* of the whole run */
	char bytes[sizeof BEFORE + SEED_MAX];
	size_t n;
	const char *name;
	enum http_mode mode;
	unsigned seeds;
};

static void
keep(struct cuts_text *to, const struct cuts_text *from)
{
	to->n = 0;
	cuts_add(to, from->p, from->n);
}

static void
as_the_whole(struct fixture *f, const char *how, size_t at)
{
	if (!cuts_same(&f->c.back, &f->back))
		fail_msg("%s, %s, %s %zu: other answers:\n%s\ninstead of\n%s", f->name,
		    f->mode == HTTP_STRICT ? "strict" : "lenient", how, at, f->c.back.p, f->back.p);
	if (!cuts_same(&f->c.seen, &f->seen))
		fail_msg("%s, %s, %s %zu: the owner saw %s instead of %s", f->name,
		    f->mode == HTTP_STRICT ? "strict" : "lenient", how, at, f->c.seen.p, f->seen.p);
}

static void
every_cut(struct fixture *f)
{
	const char *bytes = f->bytes + sizeof BEFORE - 1;
	struct cutter whole = { cut_nowhere, 0 }, single = { cut_everywhere, 0 };
	cuts_run(&f->c, f->mode, bytes, f->n, &whole, false);
	keep(&f->seen, &f->c.seen);
	keep(&f->back, &f->c.back);
	cuts_run(&f->c, f->mode, bytes, f->n, &whole, true);
	as_the_whole(f, "answered later", 0);
	cuts_run(&f->c, f->mode, bytes, f->n, &single, false);
	as_the_whole(f, "byte by byte", 0);
	for (size_t at = 1; at < f->n && at < 600; at++) {
		struct cutter once = { cut_once, at };
		cuts_run(&f->c, f->mode, bytes, f->n, &once, false);
		as_the_whole(f, "cut after", at);
	}
	for (size_t i = 0; i < RANDOM_CUTS; i++) {
		struct cutter random = { cut_anywhere, i * 977 + 1 };
		cuts_run(&f->c, f->mode, bytes, f->n, &random, i % 2);
		as_the_whole(f, "random", i);
	}
}

/* Its answers behind those of BEFORE are what they were alone: nothing of one request is left for the next. */
static void
behind_others(struct fixture *f)
{
	struct cuts_text alone_seen = { 0 }, alone_back = { 0 };
	struct cutter whole = { cut_nowhere, 0 };
	keep(&alone_seen, &f->seen);
	keep(&alone_back, &f->back);
	cuts_run(&f->c, f->mode, f->bytes, sizeof BEFORE - 1, &whole, false);
	const char *end = f->c.seen.p ? memmem(f->c.seen.p, f->c.seen.n, "|end ", 5) : NULL;
	assert_non_null(end);
	f->c.seen.n = (size_t)(end - f->c.seen.p);
	keep(&f->seen, &f->c.seen);
	keep(&f->back, &f->c.back);
	cuts_add(&f->seen, alone_seen.p, alone_seen.n);
	cuts_add(&f->back, alone_back.p, alone_back.n);
	for (size_t i = 0; i < RANDOM_CUTS; i++) {
		struct cutter random = { i ? cut_anywhere : cut_nowhere, i * 31 };
		cuts_run(&f->c, f->mode, f->bytes, sizeof BEFORE - 1 + f->n, &random, i % 2);
		as_the_whole(f, "behind others", i);
	}
	free(alone_seen.p);
	free(alone_back.p);
}

static void
each_seed(struct fixture *f, void (*check)(struct fixture *f))
{
	char folder[512], path[1024];
	const char *src = getenv("FG_SRC");
	assert_non_null(src);
	snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/http_conn", src);
	DIR *d = opendir(folder);
	assert_non_null(d);
	memcpy(f->bytes, BEFORE, sizeof BEFORE - 1);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		FILE *file = fopen(path, "rb");
		assert_non_null(file);
		f->n = fread(f->bytes + sizeof BEFORE - 1, 1, SEED_MAX, file);
		fclose(file);
		f->name = e->d_name;
		for (int mode = HTTP_STRICT; mode <= HTTP_LENIENT; mode++) {
			f->mode = (enum http_mode)mode;
			every_cut(f);
			if (check)
				check(f);
		}
		f->seeds++;
	}
	closedir(d);
	assert_true(f->seeds >= 20);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	cuts_open(&f->c);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	cuts_close(&f->c);
	free(f->seen.p);
	free(f->back.p);
	free(f);
	return 0;
}

static void
the_same_bytes_give_the_same_answers(void **state)
{
	each_seed(*state, behind_others);
}

/* The property above would hold for an engine that says nothing, too. */
static void
and_they_are_answers(void **state)
{
	struct fixture *f = *state;
	struct cutter single = { cut_everywhere, 0 };
	cuts_run(&f->c, HTTP_LENIENT, BEFORE, sizeof BEFORE - 1, &single, true);
	static const char *const want[] = { "HTTP/1.1 206 Partial Content\r\nContent-Length: 6\r\n", "\r\n\r\ndefghi"
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "{\"code\":27}HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n" };
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_non_null(strstr(f->c.back.p, want[i]));
	assert_null(strstr(f->c.back.p, "100 Continue"));
	static const char *const seen[] = { "|GET/before", "abc|POST/before", "body|PUT/before", "|HEAD/before",
		"|end peer HTTP-NONE" };
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		assert_non_null(strstr(f->c.seen.p, seen[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_bytes_give_the_same_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(and_they_are_answers, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("conn, cut anywhere", tests, NULL, NULL);
}
