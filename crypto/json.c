/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document is three blocks, each sized once before parsing, so that nothing
 * moves while pointers into it exist: the nodes in reading order, one index of
 * children for all containers, and the decoded bytes of all strings.
 */
#include "crypto/json.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/json_text.h"
#include "crypto/utf8.h"
#include "crypto/wipe.h"

struct json_value {
	uint8_t type;    /* enum json_type */
	bool ordered;    /* object: members came in RFC 8785 order */
	uint32_t count;  /* members, elements or bytes of the string */
	uint32_t key_at; /* where the key stood in the text, to name a duplicate */
	uint32_t key_n;
	uint32_t next;      /* while its container is open: distance in nodes to the next child */
	const uint8_t *key; /* NULL for what is no member */
	union {
		bool b;
		int64_t i;
		const uint8_t *s;
		/*
		 * count distances (in nodes) from here to each child, as read;
		 * behind them, for an object that is not ordered, the same in
		 * RFC 8785 order.
		 */
		const uint32_t *kids;
	} u;
};

struct json {
	struct json_value *nodes;
	uint32_t *kids; /* two places a node: each is the child of at most one container */
	uint8_t *bytes;
	size_t bytes_n;
};

struct parser {
	const uint8_t *p;
	size_t n;
	size_t off;
	struct json *doc;
	size_t nodes_n, nodes_cap;
	size_t kids_n;
	int err;
	struct json_error where;
};

static bool
fail_at(struct parser *p, size_t off, int err, const char *what)
{
	p->err = err;
	p->where = (struct json_error){ .offset = off, .what = what };
	return false;
}

static bool
fail(struct parser *p, const char *what)
{
	return fail_at(p, p->off, FG_EFORMAT, p->off < p->n ? what : "unexpected end");
}

/* The next byte, or -1 at the end. */
static int
peek(const struct parser *p)
{
	return p->off < p->n ? p->p[p->off] : -1;
}

static void
skip_space(struct parser *p)
{
	int c = peek(p);
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		p->off++;
		c = peek(p);
	}
}

static bool
literal(struct parser *p, const char *word)
{
	for (; *word; word++, p->off++)
		if (peek(p) != *word)
			return fail(p, "unexpected byte");
	return true;
}

/*
 * Integers only: what a double cannot hold exactly has no canonical form two
 * readers are sure to agree on (RFC 7493, 2.2).
 */
static bool
number(struct parser *p, struct json_value *v)
{
	int64_t magnitude = 0;
	bool negative = peek(p) == '-';
	if (negative)
		p->off++;
	size_t first = p->off;
	int c = peek(p);
	if (c < '0' || c > '9')
		return fail(p, "expected a digit");
	for (; c >= '0' && c <= '9'; c = peek(p)) {
		if (p->off > first && p->p[first] == '0')
			return fail(p, "leading zero");
		magnitude = magnitude * 10 + (c - '0');
		if (magnitude >= JSON_INT_MAX)
			return fail(p, "number too large");
		p->off++;
	}
	if (c == '.' || c == 'e' || c == 'E')
		return fail(p, "number is not an integer");
	if (negative && magnitude == 0)
		return fail_at(p, first, FG_EFORMAT, "negative zero");
	v->type = JSON_INT;
	v->u.i = negative ? -magnitude : magnitude;
	return true;
}

/* The four digits behind "\u"; *ret is a UTF-16 code unit. */
static bool
hex4(struct parser *p, uint32_t *ret)
{
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++, p->off++) {
		int c = peek(p);
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return fail(p, "expected four hexadecimal digits");
		unit = unit << 4 | (uint32_t)c;
	}
	*ret = unit;
	return true;
}

/* At the 'u' of "\u....": one code point, from two escapes if it takes a surrogate pair. */
static bool
unicode_escape(struct parser *p, uint32_t *ret)
{
	size_t start = p->off - 1;
	uint32_t high, low;
	p->off++;
	if (!hex4(p, &high))
		return false;
	*ret = high;
	if (high < 0xd800 || high > 0xdfff)
		return true;
	if (high > 0xdbff || peek(p) != '\\')
		return fail_at(p, start, FG_EFORMAT, "lone surrogate");
	p->off++;
	if (peek(p) != 'u')
		return fail_at(p, start, FG_EFORMAT, "lone surrogate");
	p->off++;
	if (!hex4(p, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return fail_at(p, start, FG_EFORMAT, "lone surrogate");
	*ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* At a backslash: the code point the escape stands for. */
static bool
escape(struct parser *p, uint32_t *ret)
{
	p->off++;
	switch (peek(p)) {
	case '"':
	case '\\':
	case '/':
		*ret = p->p[p->off];
		break;
	case 'b':
		*ret = '\b';
		break;
	case 'f':
		*ret = '\f';
		break;
	case 'n':
		*ret = '\n';
		break;
	case 'r':
		*ret = '\r';
		break;
	case 't':
		*ret = '\t';
		break;
	case 'u':
		return unicode_escape(p, ret);
	default:
		return fail(p, "unknown escape");
	}
	p->off++;
	return true;
}

/*
 * At the opening quote. Decoding never makes a string longer, so the block of
 * text.n bytes reserved for all strings holds what any input can ask for.
 */
static bool
string(struct parser *p, struct view *ret)
{
	struct json *doc = p->doc;
	size_t start = doc->bytes_n;
	p->off++;
	for (int c; (c = peek(p)) != '"';) {
		size_t at = p->off;
		uint32_t code;
		if (c < 0x20)
			return fail(p, "control character in string");
		if (c < 0x80 && c != '\\') { /* nearly all there is */
			doc->bytes[doc->bytes_n++] = (uint8_t)c;
			p->off++;
			continue;
		}
		if (c == '\\') {
			if (!escape(p, &code))
				return false;
		} else {
			size_t n = utf8_next(view_of(p->p + at, p->n - at), &code);
			if (n == 0)
				return fail(p, "invalid UTF-8");
			p->off += n;
		}
		if (utf8_is_noncharacter(code))
			return fail_at(p, at, FG_EFORMAT, "noncharacter");
		doc->bytes_n += utf8_put(code, doc->bytes + doc->bytes_n);
	}
	p->off++;
	*ret = view_of(doc->bytes + start, doc->bytes_n - start);
	return true;
}

static int
by_key(const void *a, const void *b, void *container)
{
	const struct json_value *base = container;
	uint32_t da = *(const uint32_t *)a, db = *(const uint32_t *)b;
	const struct json_value *va = base + da, *vb = base + db;
	int order = json_text_order(view_of(va->key, va->key_n), view_of(vb->key, vb->key_n));
	return order ? order : (da > db) - (da < db); /* equal keys stay as read */
}

/*
 * Brings an object's members into RFC 8785 order, where equal keys are
 * neighbours: n log n however hostile the keys. Names the duplicate that comes
 * first in the text.
 */
static bool
order_members(struct parser *p, struct json_value *v, uint32_t *kids)
{
	uint32_t *sorted = kids + v->count;
	memcpy(sorted, kids, v->count * sizeof *kids);
	qsort_r(sorted, v->count, sizeof *sorted, by_key, v);
	p->kids_n += v->count;

	const struct json_value *twice = NULL;
	for (size_t i = 1; i < v->count; i++) {
		const struct json_value *a = v + sorted[i - 1], *b = v + sorted[i];
		if (json_text_order(view_of(a->key, a->key_n), view_of(b->key, b->key_n)) == 0 &&
		    (!twice || b->key_at < twice->key_at))
			twice = b;
	}
	return twice ? fail_at(p, twice->key_at, FG_EFORMAT, "duplicate key") : true;
}

/* The container v is read to its end: writes down where its children are. */
static bool
settle(struct parser *p, struct json_value *v)
{
	uint32_t *kids = p->doc->kids + p->kids_n;
	const struct json_value *child = v + 1;
	v->u.kids = kids;
	v->ordered = true;
	for (size_t i = 0; i < v->count; i++) {
		kids[i] = (uint32_t)(child - v);
		if (child->key && i > 0) {
			const struct json_value *before = v + kids[i - 1];
			v->ordered &= json_text_order(view_of(before->key, before->key_n),
			                  view_of(child->key, child->key_n)) < 0;
		}
		child += child->next;
	}
	p->kids_n += v->count;
	return v->ordered || order_members(p, v, kids);
}

static struct json_value *value(struct parser *p, unsigned depth);

/* One element, or one member with its key; linked behind *last. */
static bool
entry(struct parser *p, bool member, unsigned depth, struct json_value **last)
{
	struct view key = { NULL, 0 };
	size_t key_at = 0;
	skip_space(p);
	if (member) {
		key_at = p->off;
		if (peek(p) != '"')
			return fail(p, "expected a key");
		if (!string(p, &key))
			return false;
		skip_space(p);
		if (peek(p) != ':')
			return fail(p, "expected ':'");
		p->off++;
	}
	struct json_value *child = value(p, depth);
	if (!child)
		return false;
	child->key = key.p;
	child->key_n = (uint32_t)key.n;
	child->key_at = (uint32_t)key_at;
	if (*last)
		(*last)->next = (uint32_t)(child - *last);
	*last = child;
	return true;
}

/* At the opening bracket of v, which is inside `depth` others. */
static bool
container(struct parser *p, struct json_value *v, unsigned depth)
{
	struct json_value *last = NULL;
	bool object = peek(p) == '{';
	char close = object ? '}' : ']';
	if (depth == JSON_DEPTH_MAX)
		return fail_at(p, p->off, FG_ELIMIT, "nested too deeply");
	v->type = object ? JSON_OBJECT : JSON_ARRAY;
	p->off++;
	skip_space(p);
	while (v->count > 0 || peek(p) != close) {
		if (!entry(p, object, depth + 1, &last))
			return false;
		v->count++;
		skip_space(p);
		if (peek(p) == close)
			break;
		if (peek(p) != ',')
			return fail(p, object ? "expected ',' or '}'" : "expected ',' or ']'");
		p->off++;
	}
	p->off++;
	return settle(p, v);
}

/* The node of the next value and everything in it, or NULL with the error noted. */
static struct json_value *
value(struct parser *p, unsigned depth)
{
	skip_space(p);
	if (p->nodes_n == p->nodes_cap) {
		fail_at(p, p->off, FG_ELIMIT, "too many values");
		return NULL;
	}
	struct json_value *v = &p->doc->nodes[p->nodes_n++];
	struct view text;
	bool ok;
	*v = (struct json_value){ .type = JSON_NULL };
	switch (peek(p)) {
	case '{':
	case '[':
		ok = container(p, v, depth);
		break;
	case '"':
		ok = string(p, &text);
		if (ok) {
			v->type = JSON_STRING;
			v->u.s = text.p;
			v->count = (uint32_t)text.n;
		}
		break;
	case 't':
	case 'f':
		v->type = JSON_BOOL;
		v->u.b = peek(p) == 't';
		ok = literal(p, v->u.b ? "true" : "false");
		break;
	case 'n':
		ok = literal(p, "null");
		break;
	default:
		if (peek(p) == '-' || (peek(p) >= '0' && peek(p) <= '9'))
			ok = number(p, v);
		else
			ok = fail(p, "unexpected byte");
	}
	return ok ? v : NULL;
}

/*
 * No text holds more values than this: each but the first stands behind a
 * comma or an opening bracket.
 */
static size_t
values_at_most(struct view text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.n && n < JSON_NODES_MAX; i++)
		n += text.p[i] == ',' || text.p[i] == '[' || text.p[i] == '{';
	return n;
}

static struct json *
document(size_t nodes, size_t bytes)
{
	struct json *doc = calloc(1, sizeof *doc);
	if (!doc)
		return NULL;
	doc->nodes = malloc(nodes * sizeof *doc->nodes);
	doc->kids = malloc(nodes * 2 * sizeof *doc->kids);
	doc->bytes = malloc(bytes + 1);
	if (!doc->nodes || !doc->kids || !doc->bytes) {
		json_free(doc);
		return NULL;
	}
	return doc;
}

static int
parse(struct parser *p, struct view text)
{
	if (text.n > JSON_TEXT_MAX) {
		fail_at(p, JSON_TEXT_MAX, FG_ELIMIT, "text too long");
		return p->err;
	}
	p->nodes_cap = values_at_most(text);
	p->doc = document(p->nodes_cap, text.n);
	if (!p->doc)
		return FG_ENOMEM;
	if (!value(p, 0))
		return p->err;
	skip_space(p);
	if (p->off < p->n)
		fail(p, "trailing bytes");
	return p->err;
}

int
json_parse(struct view text, struct json **ret_doc, struct json_error *ret_error)
{
	struct parser p = { .p = text.p, .n = text.n };
	int err = parse(&p, text);
	if (err == 0) {
		*ret_doc = p.doc;
		return 0;
	}
	json_free(p.doc);
	if (ret_error && err != FG_ENOMEM)
		*ret_error = p.where;
	return err;
}

void
json_free(struct json *doc)
{
	if (!doc)
		return;
	/* Documents carry tokens on the control socket; what is not text keeps no secret. */
	if (doc->bytes)
		wipe(doc->bytes, doc->bytes_n);
	free(doc->bytes);
	free(doc->kids);
	free(doc->nodes);
	free(doc);
}

const struct json_value *
json_root(const struct json *doc)
{
	return doc ? doc->nodes : NULL;
}

enum json_type
json_type(const struct json_value *v)
{
	return v ? (enum json_type)v->type : JSON_NONE;
}

size_t
json_count(const struct json_value *v)
{
	enum json_type type = json_type(v);
	return type == JSON_ARRAY || type == JSON_OBJECT ? v->count : 0;
}

const struct json_value *
json_at(const struct json_value *v, size_t i)
{
	return i < json_count(v) ? v + v->u.kids[i] : NULL;
}

struct view
json_key_at(const struct json_value *v, size_t i)
{
	const struct json_value *member = json_type(v) == JSON_OBJECT ? json_at(v, i) : NULL;
	return member ? view_of(member->key, member->key_n) : view_of(NULL, 0);
}

/* The i-th member of the object v in RFC 8785 order. */
static const struct json_value *
member_in_order(const struct json_value *v, size_t i)
{
	return v + v->u.kids[v->ordered ? i : v->count + i];
}

const struct json_value *
json_get(const struct json_value *v, const char *key)
{
	struct view wanted = view_str(key);
	size_t low = 0, high = json_type(v) == JSON_OBJECT ? v->count : 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct json_value *member = member_in_order(v, middle);
		int order = json_text_order(wanted, view_of(member->key, member->key_n));
		if (order == 0)
			return member;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool
json_string(const struct json_value *v, struct view *ret)
{
	if (json_type(v) != JSON_STRING)
		return false;
	*ret = view_of(v->u.s, v->count);
	return true;
}

bool
json_cstr(const struct json_value *v, char *dst, size_t cap)
{
	struct view s;
	if (!json_string(v, &s) || s.n >= cap || (s.n && memchr(s.p, '\0', s.n)))
		return false;
	memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return true;
}

bool
json_int(const struct json_value *v, int64_t *ret)
{
	if (json_type(v) != JSON_INT)
		return false;
	*ret = v->u.i;
	return true;
}

bool
json_uint(const struct json_value *v, uint64_t *ret)
{
	if (json_type(v) != JSON_INT || v->u.i < 0)
		return false;
	*ret = (uint64_t)v->u.i;
	return true;
}

bool
json_bool(const struct json_value *v, bool *ret)
{
	if (json_type(v) != JSON_BOOL)
		return false;
	*ret = v->u.b;
	return true;
}

static void
canonical_container(const struct json_value *v, struct writer *w)
{
	bool object = v->type == JSON_OBJECT;
	writer_u8(w, object ? '{' : '[');
	for (size_t i = 0; i < v->count && writer_err(w) == 0; i++) {
		const struct json_value *child = object ? member_in_order(v, i) : json_at(v, i);
		if (i > 0)
			writer_u8(w, ',');
		if (object) {
			json_text_string(w, view_of(child->key, child->key_n));
			writer_u8(w, ':');
		}
		json_canonical(child, w);
	}
	writer_u8(w, object ? '}' : ']');
}

/* Recursion is as deep as json_parse allowed, JSON_DEPTH_MAX. */
void
json_canonical(const struct json_value *v, struct writer *w)
{
	switch (json_type(v)) {
	case JSON_NONE:
		return;
	case JSON_NULL:
		json_text_null(w);
		return;
	case JSON_BOOL:
		json_text_bool(w, v->u.b);
		return;
	case JSON_INT:
		json_text_int(w, v->u.i);
		return;
	case JSON_STRING:
		json_text_string(w, view_of(v->u.s, v->count));
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		canonical_container(v, w);
		return;
	}
}

bool
json_is_canonical(const struct json *doc, struct view text)
{
	struct writer w;
	writer_init(&w, text.n); /* one byte more already is a difference */
	json_canonical(json_root(doc), &w);
	bool same = writer_err(&w) == 0 && view_equal(writer_view(&w), text);
	writer_free(&w);
	return same;
}
