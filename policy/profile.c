/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile.h"

#include "crypto/err.h"
#include "crypto/json.h"
#include "policy/config.h"
#include "policy/version.h"

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(uint8_t c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* ---- host ---- */

/* Splits ":port" off. False for a port that is none. An unbracketed IPv6 literal is not a Host. */
static bool
cut_port(struct view *host, struct view *ret_port)
{
	size_t n = host->n;
	while (n > 0 && host->p[n - 1] != ':' && host->p[n - 1] != ']')
		n--;
	*ret_port = view_of(NULL, 0);
	if (n == 0 || host->p[n - 1] == ']')
		return true;
	*ret_port = view_of(host->p + n, host->n - n);
	for (size_t i = 0; i < ret_port->n; i++)
		if (!is_digit(ret_port->p[i]) || i == 5)
			return false;
	host->n = n - 1;
	return true;
}

static bool
is_ip6_literal(struct view host)
{
	struct cidr_addr a;
	return host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']' &&
	    memchr(host.p, ':', host.n) && cidr_addr_parse(view_of(host.p + 1, host.n - 2), &a);
}

static bool
is_name(struct view host)
{
	for (size_t i = 0; i < host.n; i++) {
		bool edge = i == 0 || i + 1 == host.n || host.p[i - 1] == '.';
		if (host.p[i] == '.' ? edge
				     : !is_alnum(host.p[i]) && host.p[i] != '-' && host.p[i] != '_')
			return false;
	}
	return host.n > 0;
}

bool
profile_host_normal(struct view host, char *out)
{
	struct view port;
	if (!cut_port(&host, &port))
		return false;
	if (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n > PROFILE_HOST_MAX || !(is_ip6_literal(host) || is_name(host)))
		return false;
	for (size_t i = 0; i < host.n; i++)
		out[i] = (char)lower(host.p[i]);
	out[host.n] = '\0';
	return true;
}

static bool
host_fits(const struct profile *p, const char *host)
{
	size_t n = strlen(host);
	if (p->any_host)
		return true;
	for (unsigned i = 0; n > 0 && i < p->hosts_n; i++) {
		const char *want = p->hosts[i];
		size_t m = strlen(want);
		if (want[0] != '*' ? strcmp(want, host) == 0
				   : n > m - 1 && strcmp(host + n - (m - 1), want + 1) == 0)
			return true;
	}
	return false;
}

/* ---- path and query ---- */

/* RFC 3986 pchar without pct-encoded: see profile_match(). */
static bool
is_pchar(uint8_t c)
{
	return is_alnum(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@", c));
}

/* Every segment but a last empty one is something, and none is "." or "..". */
static bool
path_is_plain(struct view path, size_t max)
{
	if (path.n == 0 || path.n > max || path.p[0] != '/')
		return false;
	size_t start = 1;
	for (size_t i = 1; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/') {
			if (!is_pchar(path.p[i]))
				return false;
			continue;
		}
		size_t len = i - start;
		if (len == 0 && i < path.n)
			return false;
		if ((len == 1 && path.p[start] == '.') ||
		    (len == 2 && path.p[start] == '.' && path.p[start + 1] == '.'))
			return false;
		start = i + 1;
	}
	return true;
}

struct part {
	struct view name, value; /* a bare word has no name */
};

/* Splits a query; false when it has more parts than anyone sends, or bytes that are not URL bytes. */
static bool
split_query(struct view query, struct part *parts, unsigned *ret_n)
{
	unsigned n = 0;
	if (query.n > PROFILE_QUERY_MAX)
		return false;
	for (size_t i = 0; i < query.n; i++)
		if (!is_pchar(query.p[i]) &&
		    !(query.p[i] == '/' || query.p[i] == '?' || query.p[i] == '%'))
			return false;
	for (size_t at = 0; at < query.n;) {
		const uint8_t *amp = memchr(query.p + at, '&', query.n - at);
		size_t end = amp ? (size_t)(amp - query.p) : query.n;
		const uint8_t *eq = end > at ? memchr(query.p + at, '=', end - at) : NULL;
		if (end > at) {
			if (n == PROFILE_QUERY_PARTS_MAX || (eq && eq == query.p + at))
				return false; /* "=x" would pass for the bare word "x" */
			size_t name = eq ? (size_t)(eq - query.p) - at : 0;
			size_t value = eq ? at + name + 1 : at;
			parts[n++] = (struct part){ view_of(query.p + at, name),
				view_of(query.p + value, end - value) };
		}
		at = end + 1;
	}
	*ret_n = n;
	return true;
}

/* The single part of that name; *ret_twice when there are more. */
static const struct part *
part_named(const struct part *parts, unsigned n, const char *name, bool *ret_twice)
{
	const struct part *found = NULL;
	*ret_twice = false;
	for (unsigned i = 0; i < n; i++) {
		if (!view_is(parts[i].name, name))
			continue;
		*ret_twice |= found != NULL;
		found = &parts[i];
	}
	return found;
}

static bool
query_fits(const struct profile *p, const struct part *parts, unsigned n, struct view *captures)
{
	for (unsigned i = 0; i < p->query_n; i++) {
		const struct profile_param *q = &p->params[i];
		bool twice;
		const struct part *found = part_named(parts, n, q->name, &twice);
		if (twice || (!found && !q->optional))
			return false;
		if (!found)
			continue;
		if (q->capture < 0) {
			if (!view_is(found->value, q->literal))
				return false;
			continue;
		}
		/* An empty value is an absent one: "?imei=&version=1". */
		if (q->optional && found->value.n == 0)
			continue;
		const struct profile_pattern_slot *slot = &p->slots[q->capture];
		if (!profile_pattern_fits(slot->class, slot->max, found->value))
			return false;
		captures[q->capture] = found->value;
	}
	return true;
}

/* ---- matching ---- */

static struct view
value_of(
    const struct profile_source *s, const struct profile_request *r, const struct view *captures)
{
	struct view v = view_of(NULL, 0);
	switch (s->kind) {
	case PROFILE_SOURCE_CAPTURE:
		return captures[s->capture];
	case PROFILE_SOURCE_FIXED:
		return view_str(s->text);
	case PROFILE_SOURCE_HEADER:
		if (r->header)
			v = r->header(r->arg, s->text);
		/* A header is as free as its sender: only what could be a version or a serial number counts. */
		return profile_pattern_fits(PROFILE_CLASS_FILE, PROFILE_TEXT_MAX, v)
		    ? v
		    : view_of(NULL, 0);
	default:
		return v;
	}
}

static bool
listens(const struct profile *p, struct view listener)
{
	for (unsigned i = 0; i < p->listeners_n; i++)
		if (view_is(listener, p->listeners[i]))
			return true;
	return false;
}

static bool
fits(const struct profile *p, const struct profile_request *r, const char *host,
    const struct part *parts, unsigned n, struct profile_hit *hit)
{
	if (!listens(p, r->listener) || !host_fits(p, host))
		return false;
	*hit = (struct profile_hit){ .profile = p };
	if (!profile_pattern_match(&p->path_pattern, p->path, p->slots, r->path, hit->capture) ||
	    !query_fits(p, parts, n, hit->capture))
		return false;
	hit->product = value_of(&p->product_source, r, hit->capture);
	if (hit->product.n == 0)
		return false;
	hit->target_version = value_of(&p->target_source, r, hit->capture);
	hit->current_version = value_of(&p->current_source, r, hit->capture);
	for (unsigned i = 0; i < p->identity_n; i++)
		hit->identity[i] = value_of(&p->identity[i].source, r, hit->capture);
	return true;
}

int
profile_match(const struct config *c, const struct profile_request *r, struct profile_hit *ret,
    enum profile_miss *ret_why)
{
	char host[PROFILE_HOST_MAX + 1] = "";
	struct part parts[PROFILE_QUERY_PARTS_MAX];
	struct profile_hit hit;
	unsigned n = 0;
	enum profile_miss why = PROFILE_MISS_NO_PROFILE;
	if (r->host.n > 0 && !profile_host_normal(r->host, host))
		why = PROFILE_MISS_HOST;
	else if (!path_is_plain(r->path, PROFILE_PATH_MAX))
		why = PROFILE_MISS_PATH;
	else if (!split_query(r->query, parts, &n))
		why = PROFILE_MISS_QUERY;
	for (size_t i = 0; why == PROFILE_MISS_NO_PROFILE && i < c->profiles_n; i++) {
		if (!fits(&c->profiles[i], r, host, parts, n, &hit))
			continue;
		*ret = hit;
		return 0;
	}
	*ret_why = why;
	return FG_ENOTFOUND;
}

const char *
profile_miss_text(enum profile_miss why)
{
	switch (why) {
	case PROFILE_MISS_NO_PROFILE:
		return "No profile fits this listener, host, path and query.";
	case PROFILE_MISS_HOST:
		return "The Host header is not a host name or address.";
	case PROFILE_MISS_PATH:
		return "The path is too long or holds percent-encoding, empty or dot segments or other bytes no profile matches.";
	case PROFILE_MISS_QUERY:
		return "The query is too long, has too many parameters or bytes that do not belong into a URL.";
	case PROFILE_MISS_NONE:
		break;
	}
	return "Nothing was missed.";
}

bool
profile_from_version(const struct profile_hit *hit, unsigned i, struct view *ret)
{
	const struct profile *p = hit->profile;
	if (i >= p->from_versions_n)
		return false;
	const struct profile_source *s = &p->from_source[i];
	*ret = s->kind == PROFILE_SOURCE_CAPTURE ? hit->capture[s->capture] : view_str(s->text);
	return true;
}

/* ---- URLs ---- */

static int
hex_value(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

/* A URL's path and query: pchar, "/", one "?", and encodings of bytes that change nothing's meaning. */
static bool
tail_is_plain(struct view tail)
{
	bool query = false;
	size_t end = tail.n;
	for (size_t i = 0; i < tail.n; i++) {
		uint8_t c = tail.p[i];
		if (c == '%') {
			int hi = i + 2 < tail.n ? hex_value(tail.p[i + 1]) : -1;
			int lo = hi >= 0 ? hex_value(tail.p[i + 2]) : -1;
			if (lo < 0)
				return false;
			int v = hi * 16 + lo;
			if (v < 0x20 || v == 0x7f || v == '.' || v == '/' || v == '\\' || v == '%')
				return false;
			i += 2;
		} else if (c == '?' && !query) {
			query = true;
			end = i;
		} else if (!is_pchar(c) && c != '/' && !(query && c == '?')) {
			return false;
		}
	}
	/* Segment rules hold for the path; encodings cannot make dots or slashes. */
	size_t start = 1;
	for (size_t i = 1; i <= end; i++) {
		if (i < end && tail.p[i] != '/')
			continue;
		size_t len = i - start;
		if ((len == 0 && i < end) || (len == 1 && tail.p[start] == '.') ||
		    (len == 2 && tail.p[start] == '.' && tail.p[start + 1] == '.'))
			return false;
		start = i + 1;
	}
	return true;
}

/* FTP has no queries; ";" begins parameters, of which ";type=d" would list a folder. */
static bool
names_a_file(struct view path)
{
	return path.p[path.n - 1] != '/' && !memchr(path.p, '?', path.n) && !memchr(path.p, ';', path.n);
}

static bool
parse_port(struct view text, uint16_t *ret)
{
	unsigned v = 0;
	if (text.n == 0 || text.n > 5 || text.p[0] == '0')
		return false;
	for (size_t i = 0; i < text.n; i++)
		v = v * 10 + (unsigned)(text.p[i] - '0'); /* digits: cut_port() looked */
	if (v > UINT16_MAX)
		return false;
	*ret = (uint16_t)v;
	return true;
}

bool
profile_url_parse(struct view url, struct profile_url *ret)
{
	struct profile_url u = { .transport = TRANSPORT_NONE };
	struct view port;
	size_t at = 0;
	if (url.n > PROFILE_URL_MAX)
		return false;
	u.transport = transport_of(url, &at);
	const char *scheme = transport_name(u.transport);
	/* One spelling: lower case. */
	if (u.transport == TRANSPORT_NONE || memcmp(url.p, scheme, strlen(scheme)) != 0)
		return false;
	const uint8_t *slash = memchr(url.p + at, '/', url.n - at);
	if (!slash)
		return false;
	struct view host = view_of(url.p + at, (size_t)(slash - url.p) - at);
	/* A trailing dot or an empty port would be a second spelling of the same host. */
	struct view bare = host;
	if (host.n == 0 || !cut_port(&bare, &port) || bare.n == 0 || bare.p[bare.n - 1] == '.' ||
	    !profile_host_normal(host, u.host))
		return false;
	u.port = transport_port(u.transport);
	if (bare.n != host.n && !parse_port(port, &u.port))
		return false;
	u.path = view_of(slash, url.n - (size_t)(slash - url.p));
	if (!tail_is_plain(u.path) || (transport_ftp(u.transport) && !names_a_file(u.path)))
		return false;
	*ret = u;
	return true;
}

/* Appends value to out[*n]; in a query also "+" would be read as a blank. */
static bool
put_value(char *out, size_t *n, size_t cap, struct view value, bool in_query)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];
		bool plain =
		    is_alnum(c) || (c != '\0' && strchr("-._~/", c)) || (c == '+' && !in_query);
		if (cap - *n < 4)
			return false;
		if (plain) {
			out[(*n)++] = (char)c;
			continue;
		}
		out[(*n)++] = '%';
		out[(*n)++] = digits[c >> 4];
		out[(*n)++] = digits[c & 15];
	}
	return true;
}

static int
fill(const struct profile_pattern *t, const char *text, const struct profile_pattern_slot *slots,
    const struct view *values, char *out, size_t cap, size_t *ret_n)
{
	size_t n = 0;
	bool in_query = false;
	for (unsigned i = 0; i < t->n; i++) {
		const struct profile_pattern_token *k = &t->token[i];
		if (k->capture < 0) {
			if (cap - n <= k->len)
				return FG_ELIMIT;
			memcpy(out + n, text + k->off, k->len);
			n += k->len;
			in_query |= memchr(text + k->off, '?', k->len) != NULL;
			continue;
		}
		const struct profile_pattern_slot *slot = &slots[k->capture];
		struct view value = values[k->capture];
		if (value.n == 0)
			return FG_ENOTFOUND;
		if (!profile_pattern_fits(slot->class, slot->max, value))
			return FG_EFORMAT;
		if (!put_value(out, &n, cap, value, in_query))
			return FG_ELIMIT;
	}
	*ret_n = n;
	return 0;
}

/* Scheme and authority of a template: everything up to the first "/" after "://". */
static size_t
authority_end(const char *text)
{
	const char *p = strstr(text, "://");
	p = p ? strchr(p + 3, '/') : NULL;
	return p ? (size_t)(p - text) : 0;
}

static int
expand(const struct profile_pattern *t, const char *text, const struct profile_pattern_slot *slots,
    const struct view *values, char *out, size_t cap)
{
	char url[PROFILE_URL_MAX + 1];
	struct profile_url parsed;
	size_t n = 0;
	if (text[0] == '\0' || t->n == 0)
		return FG_ENOTFOUND;
	int err = fill(t, text, slots, values, url, sizeof url, &n);
	if (err)
		return err;
	/* The configuration check saw to both; a request still must not get this far without them. */
	size_t head = authority_end(text);
	if (head == 0 || n <= head || memcmp(url, text, head) != 0 || memchr(text, '{', head) ||
	    !profile_url_parse(view_of(url, n), &parsed))
		return FG_EFORMAT;
	if (n + 1 > cap)
		return FG_ELIMIT;
	memcpy(out, url, n);
	out[n] = '\0';
	return 0;
}

int
profile_expand(enum profile_template which, const struct profile_hit *hit, char *out, size_t cap)
{
	const struct profile *p = hit->profile;
	bool signature = which == PROFILE_SIGNATURE_URL;
	return expand(signature ? &p->signature_pattern : &p->upstream_pattern, signature ? p->signature_url : p->upstream,
	    p->slots, hit->capture, out, cap);
}

const struct profile_pattern_slot profile_notes_slots[PROFILE_NOTES_SLOTS] = {
	{ "product", PROFILE_CLASS_VERSION, PROFILE_WORD_MAX },
	{ "target", PROFILE_CLASS_VERSION, VERSION_TEXT_MAX },
};

int
profile_notes_url(const struct profile *p, struct view product, struct view target, char *out, size_t cap)
{
	const struct view values[PROFILE_NOTES_SLOTS] = { product, target };
	return expand(&p->notes_pattern, p->notes_url, profile_notes_slots, values, out, cap);
}

int
profile_resource(const struct profile *p, const char *url, uint8_t out[PROFILE_RESOURCE_LEN])
{
	uint8_t sum[DIGEST_SHA256_LEN];
	struct writer w;
	writer_init(&w, PROFILE_WORD_MAX + 1 + PROFILE_URL_MAX);
	writer_text(&w, p->name);
	writer_u8(&w, 0);
	writer_text(&w, url);
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), sum);
	if (!err)
		memcpy(out, sum, PROFILE_RESOURCE_LEN);
	writer_free(&w);
	return err;
}

/* ---- what the profile demands ---- */

enum inspect_scheme
profile_inspect_scheme(const struct profile *p)
{
	switch (p->signature.scheme) {
	case PROFILE_SCHEME_NONE: /* nothing is demanded, but what is there is looked at */
		return INSPECT_AUTO;
	case PROFILE_SCHEME_CMS_DETACHED:
		return INSPECT_CMS_DETACHED;
	case PROFILE_SCHEME_CMS_ATTACHED:
		return INSPECT_CMS_ATTACHED;
	case PROFILE_SCHEME_EMBEDDED:
		return INSPECT_EMBEDDED;
	case PROFILE_SCHEME_MINISIGN:
		return INSPECT_MINISIGN;
	case PROFILE_SCHEME_SIGNIFY:
		return INSPECT_SIGNIFY;
	case PROFILE_SCHEME_SSHSIG:
		return INSPECT_SSHSIG;
	case PROFILE_SCHEME_OPENPGP:
		return INSPECT_OPENPGP;
	case PROFILE_SCHEME_JCAT:
		return INSPECT_JCAT;
	case PROFILE_SCHEME_TUF:
		return INSPECT_TUF;
	case PROFILE_SCHEME_UPTANE:
		return INSPECT_UPTANE;
	case PROFILE_SCHEME_RAW_FIRST:
		break;
	}
	return INSPECT_RAW;
}

enum trust_scheme
profile_trust_scheme(const struct profile *p)
{
	if (p->signature.scheme == PROFILE_SCHEME_EMBEDDED)
		return p->signature.key_scheme;
	if (p->signature.scheme < PROFILE_SCHEME_RAW_FIRST)
		return TRUST_SCHEME_NONE;
	return (enum trust_scheme)(
	    p->signature.scheme - PROFILE_SCHEME_RAW_FIRST + TRUST_RSA_PKCS1_SHA256);
}

/* "swu/cms-detached" is a signature of the format swu; one of something inside the image is none of it. */
static bool
is_of_format(const struct sig_result *s, const char *format)
{
	size_t n = strlen(format);
	return strncmp(s->scheme, format, n) == 0 && s->scheme[n] == '/';
}

bool
profile_scheme_matches(const struct profile *p, enum format_id format, const struct sig_result *s)
{
	if (s->where[0] != '\0')
		return false;
	switch (p->signature.scheme) {
	case PROFILE_SCHEME_NONE:
		return false;
	case PROFILE_SCHEME_CMS_DETACHED:
		return strcmp(s->scheme, "cms-detached") == 0;
	case PROFILE_SCHEME_CMS_ATTACHED:
		return strcmp(s->scheme, "cms-attached") == 0;
	case PROFILE_SCHEME_EMBEDDED:
		return strcmp(p->signature.format, format_name(format)) == 0 &&
		       is_of_format(s, p->signature.format);
	case PROFILE_SCHEME_MINISIGN:
		return strncmp(s->scheme, "minisign-", 9) == 0;
	case PROFILE_SCHEME_SIGNIFY:
		return strcmp(s->scheme, "signify") == 0;
	case PROFILE_SCHEME_SSHSIG:
		return strcmp(s->scheme, "sshsig-ed25519") == 0;
	case PROFILE_SCHEME_OPENPGP:
		return strcmp(s->scheme, "openpgp") == 0;
	case PROFILE_SCHEME_JCAT:
		return is_of_format(s, "jcat");
	case PROFILE_SCHEME_TUF:
		return strcmp(s->scheme, "tuf") == 0;
	case PROFILE_SCHEME_UPTANE: /* neither is verified without the other */
		return strcmp(s->scheme, "uptane-director") == 0 || strcmp(s->scheme, "uptane-image") == 0;
	case PROFILE_SCHEME_RAW_FIRST:
		break;
	}
	return strcmp(s->scheme, trust_scheme_name(profile_trust_scheme(p))) == 0;
}

enum format_id
profile_delta_format(const struct profile *p)
{
	return p->deltas.format[0] ? format_find(view_str(p->deltas.format)) : FORMAT_NONE;
}

struct trust_policy
profile_trust_policy(const struct profile *p)
{
	return (struct trust_policy){
		.purpose = p->signature.purpose,
		.allow_leaf_anchor = p->signature.allow_leaf_anchor,
		.require_revocation = p->signature.require_revocation,
		.pinned_ignores_expiry = p->signature.ignore_expiry_for_pinned,
	};
}

bool
profile_may_reach(const struct profile *p, const struct cidr_addr *address)
{
	if (!cidr_addr_is_private(address))
		return true;
	for (unsigned i = 0; i < p->upstream_options.private_text_n; i++)
		if (cidr_match(&p->upstream_options.private[i], address))
			return true;
	return false;
}

int
profile_digest(const struct profile *p, const struct config *c,
    const struct profile_anchor *anchors, size_t anchors_n, uint8_t out[DIGEST_SHA256_LEN])
{
	struct writer w;
	writer_init(&w, JSON_TEXT_MAX);
	int err = profile_canonical(p, c, anchors, anchors_n, &w);
	if (!err)
		err = digest_sha256(writer_view(&w), out);
	writer_free(&w);
	return err;
}
