/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/http_head.h"

static const struct {
	const char *id;
	unsigned status;
} faults[HTTP_FAULT_COUNT] = {
	[HTTP_FAULT_NONE] = { "HTTP-NONE", 0 },
	[HTTP_FAULT_LINE_LONG] = { "HTTP-LINE-LONG", 414 },
	[HTTP_FAULT_FIELD_LONG] = { "HTTP-FIELD-LONG", 431 },
	[HTTP_FAULT_HEAD_LONG] = { "HTTP-HEAD-LONG", 431 },
	[HTTP_FAULT_FIELDS_MANY] = { "HTTP-FIELDS-MANY", 431 },
	[HTTP_FAULT_BLANKS_MANY] = { "HTTP-BLANKS-MANY", 400 },
	[HTTP_FAULT_CONTROL] = { "HTTP-CONTROL", 400 },
	[HTTP_FAULT_CR_BARE] = { "HTTP-CR-BARE", 400 },
	[HTTP_FAULT_LF_BARE] = { "HTTP-LF-BARE", 400 },
	[HTTP_FAULT_LINE_FORM] = { "HTTP-LINE-FORM", 400 },
	[HTTP_FAULT_METHOD_FORM] = { "HTTP-METHOD-FORM", 400 },
	[HTTP_FAULT_METHOD_LONG] = { "HTTP-METHOD-LONG", 501 },
	[HTTP_FAULT_TARGET_FORM] = { "HTTP-TARGET-FORM", 400 },
	[HTTP_FAULT_VERSION_FORM] = { "HTTP-VERSION-FORM", 400 },
	[HTTP_FAULT_VERSION] = { "HTTP-VERSION", 505 },
	[HTTP_FAULT_FIELD_FORM] = { "HTTP-FIELD-FORM", 400 },
	[HTTP_FAULT_FIELD_FOLD] = { "HTTP-FIELD-FOLD", 400 },
	[HTTP_FAULT_HOST_ABSENT] = { "HTTP-HOST-ABSENT", 400 },
	[HTTP_FAULT_HOST_REPEATED] = { "HTTP-HOST-REPEATED", 400 },
	[HTTP_FAULT_HOST_FORM] = { "HTTP-HOST-FORM", 400 },
	[HTTP_FAULT_LENGTH_FORM] = { "HTTP-LENGTH-FORM", 400 },
	[HTTP_FAULT_LENGTH_REPEATED] = { "HTTP-LENGTH-REPEATED", 400 },
	[HTTP_FAULT_LENGTH_AND_TE] = { "HTTP-LENGTH-AND-TE", 400 },
	[HTTP_FAULT_TE_FORM] = { "HTTP-TE-FORM", 400 },
	[HTTP_FAULT_TE_UNKNOWN] = { "HTTP-TE-UNKNOWN", 501 },
	[HTTP_FAULT_TE_REPEATED] = { "HTTP-TE-REPEATED", 400 },
	[HTTP_FAULT_TE_VERSION] = { "HTTP-TE-VERSION", 400 },
	[HTTP_FAULT_CHUNK_FORM] = { "HTTP-CHUNK-FORM", 400 },
	[HTTP_FAULT_CHUNK_LONG] = { "HTTP-CHUNK-LONG", 400 },
};

const char *
http_head_fault_id(enum http_fault fault)
{
	return (unsigned)fault < HTTP_FAULT_COUNT ? faults[fault].id : "HTTP-UNKNOWN";
}

unsigned
http_head_fault_status(enum http_fault fault)
{
	return (unsigned)fault < HTTP_FAULT_COUNT ? faults[fault].status : 400;
}

void
http_head_limits(struct http_limits *ret_limits)
{
	*ret_limits = (struct http_limits){
		.line_max = HTTP_LINE_MAX,
		.field_max = HTTP_FIELD_MAX,
		.head_max = HTTP_HEAD_MAX,
		.fields_max = HTTP_FIELDS_MAX,
		.blanks_max = HTTP_BLANKS_MAX,
	};
}

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* c is one of the characters of set; NUL never is. */
static bool
in_set(uint8_t c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

bool
http_head_is_name(uint8_t c)
{
	return is_alnum(c) || in_set(c, "!#$%&'*+-.^_`|~");
}

/* RFC 9110 section 5.6.2. */
static bool
is_token(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!http_head_is_name(v.p[i]))
			return false;
	return v.n > 0;
}

static bool
is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Letters, digits and marks of RFC 3986 that are in set; "%" only as part of an octet. */
static bool
is_uri(struct view v, const char *set)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '%') {
			if (v.n - i < 3 || !is_hex(v.p[i + 1]) || !is_hex(v.p[i + 2]))
				return false;
			i += 2;
		} else if (!is_alnum(v.p[i]) && !in_set(v.p[i], set)) {
			return false;
		}
	}
	return true;
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool
http_head_is(struct view v, const char *word)
{
	for (size_t i = 0; i < v.n; i++)
		if (word[i] == '\0' || lower(v.p[i]) != lower((uint8_t)word[i]))
			return false;
	return word[v.n] == '\0';
}

static struct view
slice(struct view v, size_t from, size_t n)
{
	return v.p ? view_of(v.p + from, n) : v;
}

/* Drops space and tab around v (OWS). */
static struct view
trim(struct view v)
{
	size_t a = 0, b = v.n;
	while (a < b && (v.p[a] == ' ' || v.p[a] == '\t'))
		a++;
	while (b > a && (v.p[b - 1] == ' ' || v.p[b - 1] == '\t'))
		b--;
	return slice(v, a, b - a);
}

/* Index of c in v, or v.n. */
static size_t
find(struct view v, uint8_t c)
{
	const uint8_t *p = v.n ? memchr(v.p, c, v.n) : NULL;
	return p ? (size_t)(p - v.p) : v.n;
}

bool
http_head_element(struct view *rest, struct view *ret_element)
{
	while (rest->n) {
		size_t comma = find(*rest, ',');
		struct view element = trim(slice(*rest, 0, comma));
		size_t used = comma < rest->n ? comma + 1 : comma;
		*rest = slice(*rest, used, rest->n - used);
		if (element.n) {
			*ret_element = element;
			return true;
		}
	}
	return false;
}

bool
http_head_number(struct view v, uint64_t *ret_number)
{
	uint64_t n = 0;
	if (v.n == 0)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (!is_digit(v.p[i]))
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(v.p[i] - '0'), &n) || n > INT64_MAX)
			return false;
	}
	*ret_number = n;
	return true;
}

const struct http_field *
http_head_next(const struct http_request *request, const char *name, size_t *at)
{
	while (*at < request->n_fields) {
		const struct http_field *f = &request->fields[(*at)++];
		if (http_head_is(f->name, name))
			return f;
	}
	return NULL;
}

const struct http_field *
http_head_only(const struct http_request *request, const char *name)
{
	size_t at = 0;
	const struct http_field *f = http_head_next(request, name, &at);
	return f && !http_head_next(request, name, &at) ? f : NULL;
}

bool
http_head_is_blank(const struct http_scan *scan)
{
	return scan->lines == 0 && scan->seen == scan->start;
}

/* A line feed: ends a line, the head, or one of the empty lines before it. */
static enum http_fault
scan_line_end(struct http_scan *s, enum http_mode mode, const struct http_limits *l,
    bool *ret_done)
{
	if (!s->cr && mode != HTTP_LENIENT)
		return HTTP_FAULT_LF_BARE;
	bool empty = s->seen - s->line == (s->cr ? 1 : 0);
	s->cr = false;
	s->line = s->seen + 1;
	if (!empty) {
		s->lines++;
	} else if (s->lines > 0) {
		*ret_done = true;
	} else {
		s->start = s->line;
		if (++s->blanks > l->blanks_max)
			return HTTP_FAULT_BLANKS_MANY;
	}
	return HTTP_FAULT_NONE;
}

static enum http_fault
scan_byte(struct http_scan *s, uint8_t c, enum http_mode mode, const struct http_limits *l,
    bool *ret_done)
{
	size_t len = s->seen - s->line;
	if (s->seen - s->start >= l->head_max)
		return HTTP_FAULT_HEAD_LONG;
	if (c == '\n')
		return scan_line_end(s, mode, l, ret_done);
	if (s->cr)
		return HTTP_FAULT_CR_BARE;
	if (c == '\r') {
		s->cr = true;
		return HTTP_FAULT_NONE;
	}
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		return HTTP_FAULT_CONTROL;
	if (s->lines == 0 && len >= l->line_max)
		return HTTP_FAULT_LINE_LONG;
	if (s->lines > l->fields_max)
		return HTTP_FAULT_FIELDS_MANY;
	if (s->lines > 0 && len >= l->field_max)
		return HTTP_FAULT_FIELD_LONG;
	return HTTP_FAULT_NONE;
}

/*
 * First pass: bytes, lines and limits only, each byte once. It decides in byte
 * order, which is why the cut does not matter. DONE leaves scan->seen behind
 * the empty line.
 */
static enum http_parse
scan_bytes(struct http_scan *s, struct view in, enum http_mode mode, const struct http_limits *l,
    enum http_fault *ret_fault)
{
	bool done = false;
	while (!done && s->seen < in.n) {
		enum http_fault fault = scan_byte(s, in.p[s->seen], mode, l, &done);
		if (fault) {
			*ret_fault = fault;
			return HTTP_PARSE_BAD;
		}
		s->seen++;
	}
	return done ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}

/* Splits host[:port]; brackets of an IPv6 literal stay. */
static bool
parse_authority(struct view v, struct view *ret_host, uint16_t *ret_port)
{
	size_t end = 0;
	if (v.n && v.p[0] == '[') {
		end = find(v, ']');
		if (end == v.n)
			return false;
		for (size_t i = 1; i < end; i++)
			if (!is_alnum(v.p[i]) && v.p[i] != ':' && v.p[i] != '.')
				return false;
		end++;
	} else {
		end = find(v, ':');
		if (!is_uri(slice(v, 0, end), "-._~!$&'()*+,;="))
			return false;
	}
	uint64_t port = 0;
	if (end < v.n) {
		if (v.p[end] != ':')
			return false;
		struct view digits = slice(v, end + 1, v.n - end - 1);
		if (digits.n && (!http_head_number(digits, &port) || port > UINT16_MAX))
			return false;
	}
	*ret_host = slice(v, 0, end);
	*ret_port = (uint16_t)port;
	return true;
}

/* Length of "http://" or "https://" when v begins so, else 0. */
static size_t
scheme_len(struct view v)
{
	if (v.n >= 7 && http_head_is(slice(v, 0, 7), "http://"))
		return 7;
	if (v.n >= 8 && http_head_is(slice(v, 0, 8), "https://"))
		return 8;
	return 0;
}

/* RFC 9112 section 3.2: only CONNECT names an authority, and only OPTIONS the server. */
static enum http_fault
parse_server_target(const struct http_request *r)
{
	struct view host;
	uint16_t port;
	if (view_is(r->method_name, "CONNECT"))
		return parse_authority(r->target, &host, &port) && host.n && port
		    ? HTTP_FAULT_NONE : HTTP_FAULT_TARGET_FORM;
	return view_is(r->method_name, "OPTIONS") ? HTTP_FAULT_NONE : HTTP_FAULT_TARGET_FORM;
}

/* RFC 9112 section 3.2. */
static enum http_fault
parse_target(struct http_request *r, enum http_mode mode)
{
	struct view t = r->target, rest = t;
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] <= 0x20 || t.p[i] >= 0x7f || t.p[i] == '#')
			return HTTP_FAULT_TARGET_FORM;
	if (view_is(r->method_name, "CONNECT") || view_is(t, "*"))
		return parse_server_target(r);
	size_t scheme = scheme_len(t);
	if (scheme) {
		rest = slice(t, scheme, t.n - scheme);
		size_t end = 0;
		while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
			end++;
		/* No user name in it: '@' is not among a host's characters. */
		if (end == 0 || !parse_authority(slice(rest, 0, end), &r->host, &r->port) ||
		    r->host.n == 0)
			return HTTP_FAULT_TARGET_FORM;
		rest = slice(rest, end, rest.n - end);
	} else if (t.n == 0 || t.p[0] != '/') {
		return HTTP_FAULT_TARGET_FORM;
	}
	size_t mark = find(rest, '?');
	r->path = mark ? slice(rest, 0, mark) : view_str("/");
	if (mark < rest.n)
		r->query = slice(rest, mark + 1, rest.n - mark - 1);
	if (mode != HTTP_LENIENT && !is_uri(rest, "-._~!$&'()*+,;=:@/?"))
		return HTTP_FAULT_TARGET_FORM;
	return HTTP_FAULT_NONE;
}

static enum http_fault
parse_version(struct view v, uint8_t *ret_minor)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || !is_digit(v.p[5]) || v.p[6] != '.' ||
	    !is_digit(v.p[7]))
		return HTTP_FAULT_VERSION_FORM;
	if (v.p[5] != '1')
		return HTTP_FAULT_VERSION;
	*ret_minor = v.p[7] == '0' ? 0 : 1;
	return HTTP_FAULT_NONE;
}

static enum http_fault
parse_line(struct view line, enum http_mode mode, struct http_request *r)
{
	size_t a = find(line, ' ');
	struct view rest = slice(line, a, line.n - a);
	if (rest.n == 0)
		return HTTP_FAULT_LINE_FORM;
	rest = slice(rest, 1, rest.n - 1);
	size_t b = find(rest, ' ');
	if (a == 0 || b == 0 || b + 1 >= rest.n)
		return HTTP_FAULT_LINE_FORM;
	struct view version = slice(rest, b + 1, rest.n - b - 1);
	if (find(version, ' ') < version.n)
		return HTTP_FAULT_LINE_FORM;
	r->method_name = slice(line, 0, a);
	r->target = slice(rest, 0, b);
	if (!is_token(r->method_name))
		return HTTP_FAULT_METHOD_FORM;
	/* Before the method and target: what speaks HTTP/2 gets told so. */
	enum http_fault fault = parse_version(version, &r->minor);
	if (fault)
		return fault;
	if (r->method_name.n > HTTP_METHOD_MAX)
		return HTTP_FAULT_METHOD_LONG;
	if (view_is(r->method_name, "GET"))
		r->method = HTTP_GET;
	else if (view_is(r->method_name, "HEAD"))
		r->method = HTTP_HEAD;
	return parse_target(r, mode);
}

static enum http_fault
parse_field(struct view line, struct http_request *r)
{
	if (!line.n)
		return HTTP_FAULT_FIELD_FORM; /* the empty line ends the head before this is asked */
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return HTTP_FAULT_FIELD_FOLD;
	size_t colon = find(line, ':');
	struct http_field f = { .name = slice(line, 0, colon) };
	/* Space before the colon is refused with every other non-token (RFC 9112 5.1). */
	if (colon == line.n || !is_token(f.name))
		return HTTP_FAULT_FIELD_FORM;
	f.value = trim(slice(line, colon + 1, line.n - colon - 1));
	if (r->n_fields == HTTP_FIELDS_MAX)
		return HTTP_FAULT_FIELDS_MANY;
	r->fields[r->n_fields++] = f;
	return HTTP_FAULT_NONE;
}

/*
 * RFC 9112 section 6.3: chunked once and last, or the end cannot be told. What
 * is below it is another matter: understood, and not ours (section 6.1).
 */
static enum http_fault
read_coding(struct view value)
{
	struct view rest = value, coding;
	size_t codings = 0, chunked = 0;
	bool last = false;
	if (http_head_is(value, "chunked"))
		return HTTP_FAULT_NONE;
	while (http_head_element(&rest, &coding)) {
		last = http_head_is(coding, "chunked");
		chunked += last;
		codings++;
	}
	/* ", chunked" is one coding to us and perhaps none to whoever forwarded it. */
	return last && chunked == 1 && codings > 1 ? HTTP_FAULT_TE_UNKNOWN : HTTP_FAULT_TE_FORM;
}

/* RFC 9112 section 6: where the request ends. Nothing ambiguous gets through. */
static enum http_fault
read_framing(struct http_request *r)
{
	size_t at = 0, at_te = 0;
	const struct http_field *length = http_head_next(r, "content-length", &at);
	const struct http_field *te = http_head_next(r, "transfer-encoding", &at_te);
	if (length && te)
		return HTTP_FAULT_LENGTH_AND_TE;
	if (te) {
		if (http_head_next(r, "transfer-encoding", &at_te))
			return HTTP_FAULT_TE_REPEATED;
		if (r->minor == 0)
			return HTTP_FAULT_TE_VERSION;
		enum http_fault fault = read_coding(te->value);
		if (fault)
			return fault;
		r->body = HTTP_BODY_CHUNKED;
	}
	if (length) {
		if (http_head_next(r, "content-length", &at))
			return HTTP_FAULT_LENGTH_REPEATED;
		if (!http_head_number(length->value, &r->body_len))
			return HTTP_FAULT_LENGTH_FORM;
		r->body = r->body_len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	}
	return HTTP_FAULT_NONE;
}

/* RFC 9112 section 3.2: exactly one Host; an absolute target replaces its value. */
static enum http_fault
read_host(struct http_request *r)
{
	size_t at = 0;
	const struct http_field *host = http_head_next(r, "host", &at);
	if (!host)
		return r->minor == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_HOST_ABSENT;
	if (http_head_next(r, "host", &at))
		return HTTP_FAULT_HOST_REPEATED;
	struct view name;
	uint16_t port;
	if (!parse_authority(host->value, &name, &port))
		return HTTP_FAULT_HOST_FORM;
	if (r->host.n == 0) {
		r->host = name;
		r->port = port;
	}
	return HTTP_FAULT_NONE;
}

static void
read_connection(struct http_request *r)
{
	bool close = false, keep = false;
	const struct http_field *f;
	for (size_t at = 0; (f = http_head_next(r, "connection", &at));) {
		struct view rest = f->value, word;
		while (http_head_element(&rest, &word)) {
			close = close || http_head_is(word, "close");
			keep = keep || http_head_is(word, "keep-alive");
		}
	}
	r->keep_alive = !close && (r->minor > 0 || keep);
	f = http_head_only(r, "expect");
	r->expect_continue = f && r->minor > 0 && http_head_is(f->value, "100-continue");
}

/* Second pass, over a head whose lines are known to be complete and clean. */
static enum http_fault
parse_lines(const struct http_scan *s, struct view in, enum http_mode mode, struct http_request *r)
{
	size_t from = s->start;
	for (uint32_t i = 0; i < s->lines; i++) {
		struct view rest = slice(in, from, in.n - from);
		size_t n = find(rest, '\n');
		from += n + 1;
		if (n && rest.p[n - 1] == '\r')
			n--;
		struct view line = slice(rest, 0, n);
		enum http_fault fault = i == 0 ? parse_line(line, mode, r) : parse_field(line, r);
		if (fault)
			return fault;
	}
	enum http_fault fault = read_host(r);
	if (!fault)
		fault = read_framing(r);
	if (!fault)
		read_connection(r);
	return fault;
}

enum http_parse
http_head_parse(struct http_scan *scan, struct view in, enum http_mode mode,
    const struct http_limits *limits, struct http_request *ret_request, enum http_fault *ret_fault)
{
	enum http_fault fault = HTTP_FAULT_NONE;
	enum http_parse state = scan_bytes(scan, in, mode, limits, &fault);
	if (state == HTTP_PARSE_DONE) {
		struct http_request r = { .head_len = scan->seen };
		fault = parse_lines(scan, in, mode, &r);
		if (!fault)
			*ret_request = r;
		else
			state = HTTP_PARSE_BAD;
	}
	if (state == HTTP_PARSE_BAD)
		*ret_fault = fault;
	return state;
}
