/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/entry_scan.h"

#include "crypto/hex.h"
#include "crypto/stamp.h"

#define DIGITS_MAX 16 /* of a number below 2^53 */

/* What is left of the line. Once something does not fit, nothing fits any more. */
struct scan {
	const uint8_t *p, *end;
	bool bad;
};

static bool
fits(struct scan *s, const char *text, size_t n)
{
	if (s->bad || (size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	return true;
}

#define TRY(s, literal) fits(s, literal, sizeof(literal) - 1)

static void
must(struct scan *s, bool good)
{
	s->bad |= !good;
}

/* Up to the closing quote, which is taken too: printable ASCII that needs no escape. */
static struct view
string(struct scan *s)
{
	const uint8_t *from = s->p, *p = from;
	while (p < s->end && *p != '"' && *p != '\\' && *p >= 0x20 && *p <= 0x7e)
		p++;
	if (s->bad || p == s->end || *p != '"') {
		s->bad = true;
		return view_of(NULL, 0);
	}
	s->p = p + 1;
	return view_of(from, (size_t)(p - from));
}

/* The encoder leaves out what is empty. */
static struct view
wanted(struct scan *s)
{
	struct view v = string(s);
	must(s, v.n > 0);
	return v;
}

static uint64_t
number(struct scan *s)
{
	const uint8_t *from = s->p;
	uint64_t v = 0;
	while (!s->bad && s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - from < DIGITS_MAX)
		v = v * 10 + (uint64_t)(*s->p++ - '0');
	size_t n = (size_t)(s->p - from);
	must(s, n > 0 && (n == 1 || *from != '0') && v < (uint64_t)JSON_INT_MAX);
	return v;
}

static enum entry_clk
clock_of(struct scan *s)
{
	struct view text = wanted(s);
	for (unsigned i = 0; i < ENTRY_CLK_LIMIT; i++) {
		if (view_is(text, entry_clk_name((enum entry_clk)i)))
			return (enum entry_clk)i;
	}
	s->bad = true;
	return ENTRY_CLK_UNKNOWN;
}

/* A fleet's log is made of these. */
static const enum entry_event OFTEN[] = { ENTRY_DEVICE_GRANT, ENTRY_DEVICE_SERVED, ENTRY_MODULE_SIGHTING,
	ENTRY_DEVICE_SEEN };

static enum entry_event
event_of(struct view text)
{
	for (size_t i = 0; i < sizeof OFTEN / sizeof OFTEN[0]; i++) {
		if (view_is(text, entry_event_name(OFTEN[i])))
			return OFTEN[i];
	}
	return entry_event_parse(text);
}

static bool
is_prefix(struct view cat, struct view ev)
{
	return cat.n < ev.n && memcmp(cat.p, ev.p, cat.n) == 0 && ev.p[cat.n] == '.' &&
	    !memchr(ev.p, '.', cat.n);
}

static bool
is_key(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
			return false;
	}
	return v.n > 0 && v.n <= ENTRY_WORD_MAX;
}

/* a before b, so that no key comes twice. */
static bool
ascends(struct view a, struct view b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return order < 0 || (order == 0 && a.n < b.n);
}

static void
references(struct scan *s, struct entry *e)
{
	do {
		if (s->bad || e->refs == ENTRY_REFS_MAX || !TRY(s, "\"")) {
			s->bad = true;
			return;
		}
		struct entry_ref *r = &e->ref[e->refs];
		r->key = string(s);
		if (s->bad || !is_key(r->key) || (e->refs && !ascends(e->ref[e->refs - 1].key, r->key)) || !TRY(s, ":")) {
			s->bad = true;
			return;
		}
		r->is_number = !TRY(s, "\"");
		if (r->is_number)
			r->number = number(s);
		else
			r->text = string(s);
		e->refs++;
	} while (TRY(s, ","));
	must(s, TRY(s, "}"));
}

static void
head(struct scan *s, struct entry *e)
{
	must(s, TRY(s, "{\"v\":1,\"seq\":"));
	e->seq = number(s);
	must(s, TRY(s, ",\"t\":\""));
	must(s, stamp_parse_us(string(s), &e->t_us));
	must(s, TRY(s, ",\"clk\":\""));
	e->clk = clock_of(s);
	must(s, TRY(s, ",\"src\":\""));
	e->src = wanted(s);
	must(s, TRY(s, ",\"cat\":\""));
	e->cat = wanted(s);
	must(s, TRY(s, ",\"ev\":\""));
	e->ev_text = wanted(s);
	must(s, !s->bad && is_prefix(e->cat, e->ev_text));
	e->ev = s->bad ? ENTRY_EV_UNKNOWN : event_of(e->ev_text);
	must(s, TRY(s, ",\"sev\":"));
	e->sev = (unsigned)number(s);
	must(s, e->sev <= 7);
}

bool
entry_scan(struct view line, struct entry *ret)
{
	struct scan s = { line.p, line.p + line.n, line.n == 0 || line.n > ENTRY_MAX };
	*ret = (struct entry){ .ev = ENTRY_EV_UNKNOWN };
	head(&s, ret);
	if (TRY(&s, ",\"out\":\""))
		ret->out = wanted(&s);
	if (TRY(&s, ",\"act\":\""))
		ret->act = wanted(&s);
	if (TRY(&s, ",\"obj\":\""))
		ret->obj = wanted(&s);
	ret->have_dev = TRY(&s, ",\"dev\":\"");
	if (ret->have_dev)
		must(&s, hex_decode(string(&s), ret->dev, sizeof ret->dev));
	if (TRY(&s, ",\"ref\":{"))
		references(&s, ret);
	if (TRY(&s, ",\"doc\":\""))
		ret->doc = wanted(&s);
	if (TRY(&s, ",\"msg\":\""))
		ret->msg = wanted(&s);
	return TRY(&s, "}") && s.p == s.end;
}
