/* SPDX-License-Identifier: Apache-2.0 */
/* An entry in every view: whatever it holds, a reader of the format finds our fields and no others. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/view/formats.h"
#include "gateway/view/rfc5424.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* ---- RFC 5424 section 6, read by the letter ---- */

static struct view
word(struct view *in, size_t max)
{
	size_t n = 0;
	while (n < in->n && in->p[n] > 0x20 && in->p[n] < 0x7f)
		n++;
	struct view v = view_of(in->p, n);
	must(n > 0 && n <= max && n < in->n && in->p[n] == ' ');
	*in = view_of(in->p + n + 1, in->n - n - 1);
	return v;
}

static void
element(struct view *in, unsigned *params)
{
	size_t at = 1;
	while (at < in->n && in->p[at] != ']' && in->p[at] != ' ')
		at++;
	must(at > 1 && at <= 33);
	while (at < in->n && in->p[at] == ' ') {
		size_t name = ++at;
		while (at < in->n && in->p[at] != '=')
			must(in->p[at] > 0x20 && in->p[at] < 0x7f && !memchr("=]\"", in->p[at], 3) && ++at);
		must(at > name && at - name <= 32 && at + 1 < in->n && in->p[at + 1] == '"');
		for (at += 2; at < in->n && in->p[at] != '"'; at++) {
			must(in->p[at] != ']');
			if (in->p[at] == '\\')
				must(++at < in->n && memchr("\"\\]", in->p[at], 3));
		}
		must(at < in->n);
		at++;
		++*params;
	}
	must(at < in->n && in->p[at] == ']');
	*in = view_of(in->p + at + 1, in->n - at - 1);
}

static void
syslog_line(struct view in, const struct record *r)
{
	unsigned elements = 0, params = 0;
	must(in.n <= RFC5424_MAX + 1 && in.p[in.n - 1] == '\n');
	in.n--;
	must(view_is(view_of(in.p, 3), "<10") || view_is(view_of(in.p, 3), "<11"));
	(void)word(&in, 6);
	(void)word(&in, 27);
	(void)word(&in, 255);
	must(view_is(word(&in, 48), "fotagate"));
	(void)word(&in, 128);
	(void)word(&in, 32);
	for (; in.n && in.p[0] == '['; elements++)
		element(&in, &params);
	must(elements >= 1 && elements <= 2 && params >= 2 && params <= 8 + (r->known ? r->e.refs : 0));
	must(!in.n || in.p[0] == ' ');
}

/* ---- CEF ---- */

static size_t
bare(struct view in, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\\')
			i++;
		else if (in.p[i] == (uint8_t)c)
			n++;
	}
	return n;
}

static void
cef_line(struct view in, const struct record *r)
{
	size_t at = 0;
	must(in.n > 6 && memcmp(in.p, "CEF:0|", 6) == 0 && in.p[in.n - 1] == '\n');
	for (unsigned pipes = 0; pipes < 7; at++) {
		must(at < in.n);
		if (in.p[at] == '\\')
			at++;
		else
			pipes += in.p[at] == '|';
	}
	/* As many fields as there are facts: none came out of a value. */
	const struct entry *e = &r->e;
	size_t want = 4;
	if (r->known) {
		want += 1 + (e->cat.n > 0) + (record_host(r).n > 0) + (record_role(r).n > 0) + (e->out.n > 0) + (e->act.n > 0);
		want += (record_image(r).n > 0) + 2 * (e->obj.n > 0) + 2 * e->have_dev + 2 * (e->refs > 0) + 2 * r->have_doc;
		want += e->msg.n > 0;
	}
	must(bare(view_of(in.p + at, in.n - at), '=') == want);
}

/* ---- journal ---- */

static void
journal_text(struct view in)
{
	size_t lines = 0;
	must(in.n > 2 && in.p[in.n - 1] == '\n' && in.p[in.n - 2] == '\n');
	for (in.n--; in.n; lines++) {
		const uint8_t *end = memchr(in.p, '\n', in.n), *eq = memchr(in.p, '=', in.n);
		must(end && eq && eq < end && eq > in.p && eq - in.p <= 64);
		for (const uint8_t *p = in.p; p < eq; p++)
			must(isupper(*p) || isdigit(*p) || *p == '_');
		must(lines || memcmp(in.p, "MESSAGE=", 8) == 0);
		in = view_of(end + 1, (size_t)(in.p + in.n - end - 1));
	}
	must(lines >= 7);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct record_frame frame = { .pen = 32473 };
	struct view line = view_of(data, size);
	struct merkle *m = merkle_new();
	struct record r;
	struct writer w;
	must(m && record_read(m, size, line, &r) == 0);
	writer_init(&w, FORMATS_TEXT_MAX);
	for (unsigned f = FORMATS_NONE + 1; f < FORMATS_LIMIT && size <= ENTRY_MAX; f++) {
		writer_reset(&w);
		must(formats_put((enum formats)f, &r, line, &frame, &w) == 0);
		struct view out = writer_view(&w);
		for (size_t i = 0; f != FORMATS_JSONL && i < out.n; i++)
			must((out.p[i] >= 0x20 && out.p[i] <= 0x7e) || (out.p[i] == '\n' && (i == out.n - 1 || f == FORMATS_JOURNAL)));
		if (f == FORMATS_RFC5424)
			syslog_line(out, &r);
		else if (f == FORMATS_CEF)
			cef_line(out, &r);
		else if (f == FORMATS_JOURNAL)
			journal_text(out);
		else if (f == FORMATS_JSONL)
			must(view_equal(view_of(out.p, out.n - 1), line));
		else {
			struct json *doc;
			struct json_error error;
			must(json_parse(view_of(out.p, out.n - 1), &doc, &error) == 0);
			json_free(doc);
		}
	}
	writer_free(&w);
	record_free(&r);
	merkle_free(m);
	return 0;
}
