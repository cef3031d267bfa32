/* SPDX-License-Identifier: Apache-2.0 */
#include "images/xml.h"

#include "crypto/err.h"
#include "crypto/utf8.h"

static int
refuse(struct xml *x, const char *why)
{
	x->why = why;
	return FG_EFORMAT;
}

static bool
is_white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-' || c == '.' || c == ':' || c >= 0x80;
}

static void
skip(struct view *v, size_t n)
{
	*v = view_of(v->p + n, v->n - n);
}

static bool
starts(struct view v, const char *word)
{
	size_t n = strlen(word);
	return v.n >= n && memcmp(v.p, word, n) == 0;
}

static void
skip_white(struct view *v)
{
	while (v->n && is_white(v->p[0]))
		skip(v, 1);
}

static struct view
name(struct view *v)
{
	size_t n = 0;
	while (n < v->n && is_name(v->p[n]))
		n++;
	struct view got = view_of(v->p, n);
	skip(v, n);
	return got;
}

/* "&amp;", "&#160;": the five and numbers; whatever else would have to be defined somewhere. */
static bool
references_known(struct view v)
{
	static const char *const known[] = { "amp;", "lt;", "gt;", "quot;", "apos;" };
	const uint8_t *at;
	while (v.n && (at = memchr(v.p, '&', v.n))) {
		skip(&v, (size_t)(at - v.p) + 1);
		bool ok = false;
		for (size_t i = 0; i < sizeof known / sizeof *known && !ok; i++)
			ok = starts(v, known[i]);
		size_t n = starts(v, "#x") ? 2 : 1, digits = n;
		if (!ok && starts(v, "#")) {
			while (n < v.n && n < 8 && is_name(v.p[n]))
				n++;
			ok = n > digits && n < v.n && v.p[n] == ';';
		}
		if (!ok)
			return false;
	}
	return true;
}

/* A comment or the declaration in front; false when there is none. */
static bool
skip_aside(struct xml *x, int *err)
{
	bool comment = starts(x->rest, "<!--");
	bool first = x->rest.p == x->all.p && starts(x->rest, "<?xml") && x->rest.n > 5 && is_white(x->rest.p[5]);
	const char *end = comment ? "-->" : "?>";
	size_t head = comment ? 4 : 5;
	if (!comment && !first)
		return false;
	const uint8_t *at = memmem(x->rest.p + head, x->rest.n - head, end, strlen(end));
	if (!at)
		*err = refuse(x, "a comment that does not end");
	else
		skip(&x->rest, (size_t)(at - x->rest.p) + strlen(end));
	return true;
}

static int
attribute(struct xml *x, struct xml_token *t)
{
	struct xml_attr a = { .name = name(&x->rest) };
	skip_white(&x->rest);
	if (!a.name.n || !starts(x->rest, "="))
		return refuse(x, "a malformed attribute");
	skip(&x->rest, 1);
	skip_white(&x->rest);
	if (!x->rest.n || (x->rest.p[0] != '"' && x->rest.p[0] != '\''))
		return refuse(x, "an attribute without quotes");
	const uint8_t *end = memchr(x->rest.p + 1, x->rest.p[0], x->rest.n - 1);
	if (!end)
		return refuse(x, "an attribute that does not end");
	a.value = view_of(x->rest.p + 1, (size_t)(end - x->rest.p) - 1);
	skip(&x->rest, a.value.n + 2);
	if (memchr(a.value.p, '<', a.value.n) || !references_known(a.value))
		return refuse(x, "an entity that would have to be defined, or a \"<\" in an attribute");
	for (unsigned i = 0; i < t->attrs_n; i++)
		if (view_equal(t->attr[i].name, a.name))
			return refuse(x, "an attribute stands there twice");
	if (t->attrs_n == XML_ATTRS_MAX)
		return refuse(x, "more attributes than are read");
	t->attr[t->attrs_n++] = a;
	return 0;
}

static int
open_element(struct xml *x, struct xml_token *t)
{
	skip(&x->rest, 1);
	t->kind = XML_OPEN;
	t->name = name(&x->rest);
	if (!t->name.n)
		return refuse(x, "a document type, a section of CDATA or an instruction: these are not read");
	if (x->depth == XML_DEPTH_MAX)
		return refuse(x, "elements nested deeper than is read");
	if (x->depth == 0 && x->rooted)
		return refuse(x, "a second root");
	x->rooted = true;
	for (;;) {
		size_t before = x->rest.n;
		skip_white(&x->rest);
		if (starts(x->rest, ">") || starts(x->rest, "/>"))
			break;
		if (x->rest.n == before)
			return refuse(x, "a malformed element");
		int err = attribute(x, t);
		if (err)
			return err;
	}
	x->closing = x->rest.p[0] == '/';
	skip(&x->rest, x->closing ? 2 : 1);
	x->open[x->depth++] = t->name;
	return 1;
}

static int
close_element(struct xml *x, struct xml_token *t)
{
	t->kind = XML_CLOSE;
	if (!x->closing) {
		skip(&x->rest, 2);
		struct view is = name(&x->rest);
		skip_white(&x->rest);
		if (!x->depth || !view_equal(is, x->open[x->depth - 1]) || !starts(x->rest, ">"))
			return refuse(x, "an element is closed that is not the one that is open");
		skip(&x->rest, 1);
	}
	x->closing = false;
	t->name = x->open[--x->depth];
	return 1;
}

static int
text(struct xml *x, struct xml_token *t)
{
	const uint8_t *end = memchr(x->rest.p, '<', x->rest.n);
	size_t n = end ? (size_t)(end - x->rest.p) : x->rest.n;
	t->kind = XML_TEXT;
	t->text = view_of(x->rest.p, n);
	skip(&x->rest, n);
	while (t->text.n && is_white(t->text.p[t->text.n - 1]))
		t->text.n--;
	if (!references_known(t->text))
		return refuse(x, "an entity that would have to be defined");
	return x->depth ? 1 : refuse(x, "text outside of the root");
}

int
xml_begin(struct xml *x, struct view all)
{
	*x = (struct xml){ .all = all, .rest = all };
	return utf8_is_text(all) && !(all.n && memchr(all.p, 0, all.n)) ? 0 : refuse(x, "not UTF-8");
}

int
xml_next(struct xml *x, struct xml_token *ret)
{
	int err = 0;
	*ret = (struct xml_token){ .kind = XML_NONE };
	if (x->closing)
		return close_element(x, ret);
	do {
		if (!skip_aside(x, &err)) {
			skip_white(&x->rest);
			if (!starts(x->rest, "<!--"))
				break;
		}
	} while (!err);
	if (err)
		return err;
	if (!x->rest.n)
		return x->depth ? refuse(x, "it ends inside an element") : x->rooted ? 0 : refuse(x, "no element");
	if (x->rest.p[0] != '<')
		return text(x, ret);
	return starts(x->rest, "</") ? close_element(x, ret) : open_element(x, ret);
}

bool
xml_is_plain(struct view v)
{
	return v.n == 0 || memchr(v.p, '&', v.n) == NULL;
}

struct view
xml_attr(const struct xml_token *t, const char *word)
{
	for (unsigned i = 0; i < t->attrs_n; i++)
		if (view_is(t->attr[i].name, word))
			return xml_is_plain(t->attr[i].value) ? t->attr[i].value : view_of(NULL, 0);
	return view_of(NULL, 0);
}
