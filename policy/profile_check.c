/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile_check.h"

#include <stdarg.h>
#include <stdio.h>

#include "crypto/hex.h"

#define WHY_MAX 160
#define RETRY_503_MAX 3600 /* AT-command clients do not come back by themselves after longer */

/* Adds a problem at key's line, else at the profile's own. */
__attribute__((format(printf, 3, 4))) static void
problem(const struct profile_check *k, const char *key, const char *fmt, ...)
{
	char text[CONFIG_PROBLEM_TEXT_MAX];
	unsigned line = k->line(k->arg, key);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (line == 0)
		line = k->line(k->arg, "");
	config_problem_add(k->problems, k->file, line, "profile.%s %s", key, text);
}

static int
capture_named(const struct profile *p, const char *name, size_t n)
{
	for (unsigned i = 0; i < p->captures_n; i++)
		if (strlen(p->captures[i].name) == n && memcmp(p->captures[i].name, name, n) == 0)
			return (int)i;
	return -1;
}

static bool
in_pattern(const struct profile_pattern *p, int capture)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->token[i].capture == capture)
			return true;
	return false;
}

static const struct profile_param *
in_params(const struct profile *p, int capture)
{
	for (unsigned i = 0; i < p->query_n; i++)
		if (p->params[i].capture == capture)
			return &p->params[i];
	return NULL;
}

static void
check_path(const struct profile_check *k, struct profile *p)
{
	char why[WHY_MAX];
	for (unsigned i = 0; i < p->captures_n; i++)
		p->slots[i] = (struct profile_pattern_slot){ p->captures[i].name,
			p->captures[i].class, (unsigned)p->captures[i].max };
	if (p->path[0] == '\0')
		return; /* reported as missing */
	if (!profile_pattern_compile(
		p->path, p->slots, p->captures_n, false, &p->path_pattern, why, sizeof why))
		problem(k, "path", "%s", why);
	/* A literal that no accepted request can contain would be a profile that silently never applies. */
	if (strpbrk(p->path, "%?#\\ \"<>^`|") || strstr(p->path, "//") || strstr(p->path, "/../") ||
	    strstr(p->path, "/./"))
		problem(k, "path",
		    "can never match; write it without %%, ?, blanks, empty and dot segments "
		    "(parameters go into query)");
}

/* "name={capture}", "name?={capture}", "name=text", "{capture}"; the form was checked. */
static bool
parse_param(const struct profile *p, const char *s, struct profile_param *out)
{
	*out = (struct profile_param){ .capture = -1 };
	size_t n = strcspn(s, "?={");
	const char *value = s + n;
	memcpy(out->name, s, n);
	out->optional = *value == '?';
	value += out->optional;
	value += *value == '=';
	size_t len = strlen(value);
	if (value[0] == '{' && value[len - 1] == '}') {
		out->capture = capture_named(p, value + 1, len - 2);
		return out->capture >= 0;
	}
	_Static_assert(sizeof out->literal == sizeof p->query[0], "a literal is part of its text");
	memcpy(out->literal, value, len + 1);
	return n > 0 && !strpbrk(value, "{}");
}

static void
check_query(const struct profile_check *k, struct profile *p)
{
	for (unsigned i = 0; i < p->query_n; i++) {
		struct profile_param *q = &p->params[i];
		q->capture = -1;
		if (p->query[i][0] == '\0')
			continue; /* its form was reported */
		if (!parse_param(p, p->query[i], q)) {
			problem(k, "query",
			    "\"%s\" is not one text or one declared {capture}; add it to captures",
			    p->query[i]);
			q->capture = -1;
			continue;
		}
		for (unsigned j = 0; j < i; j++)
			if (p->query[j][0] != '\0' && strcmp(p->params[j].name, q->name) == 0)
				problem(k, "query", "names \"%s\" twice; remove one", q->name);
		if (q->capture >= 0 && in_pattern(&p->path_pattern, q->capture))
			problem(k, "query",
			    "uses {%s}, which path has already; give it its own name",
			    p->captures[q->capture].name);
		for (unsigned j = 0; q->capture >= 0 && j < i; j++)
			if (p->params[j].capture == q->capture)
				problem(k, "query", "uses {%s} twice; give the second its own name",
				    p->captures[q->capture].name);
	}
	if (p->path_pattern.n == 0)
		return; /* nobody can say what is used */
	for (unsigned i = 0; i < p->captures_n; i++)
		if (!in_pattern(&p->path_pattern, (int)i) && !in_params(p, (int)i))
			problem(k, "captures",
			    "declares %s, which neither path nor query uses; remove it",
			    p->captures[i].name);
}

/* Reads one source; allow is a set of kinds as bits. */
static struct profile_source
source(const struct profile_check *k, const struct profile *p, const char *key, const char *text,
    unsigned allow)
{
	struct profile_source s = { .kind = PROFILE_SOURCE_NONE, .capture = -1 };
	if (text[0] == '\0')
		return s;
	if (!strcmp(text, "client_cert")) {
		s.kind = PROFILE_SOURCE_CLIENT_CERT;
	} else if (!strcmp(text, "psk_identity")) {
		s.kind = PROFILE_SOURCE_PSK;
	} else if (!strcmp(text, "source_address")) {
		s.kind = PROFILE_SOURCE_ADDRESS;
	} else if (!strncmp(text, "capture:", 8)) {
		s.kind = PROFILE_SOURCE_CAPTURE;
		s.capture = capture_named(p, text + 8, strlen(text + 8));
		if (s.capture < 0)
			problem(k, key,
			    "names capture:%s, which is not declared; add it to captures",
			    text + 8);
	} else if (!strncmp(text, "header:", 7)) {
		s.kind = PROFILE_SOURCE_HEADER;
		snprintf(s.text, sizeof s.text, "%s", text + 7);
		for (char *c = s.text; *c != '\0'; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
	} else {
		s.kind = PROFILE_SOURCE_FIXED;
		snprintf(s.text, sizeof s.text, "%s", text + 6);
	}
	if (!(allow >> s.kind & 1)) {
		problem(k, key, "cannot come from \"%s\"", text);
		s.kind = PROFILE_SOURCE_NONE;
	}
	if (s.kind == PROFILE_SOURCE_CAPTURE && s.capture < 0)
		s.kind = PROFILE_SOURCE_NONE;
	return s;
}

#define FROM_CAPTURE (1u << PROFILE_SOURCE_CAPTURE)
#define FROM_HEADER (1u << PROFILE_SOURCE_HEADER)
#define FROM_FIXED (1u << PROFILE_SOURCE_FIXED)
#define FROM_CERT (1u << PROFILE_SOURCE_CLIENT_CERT)
#define FROM_PSK (1u << PROFILE_SOURCE_PSK)
#define FROM_ADDRESS (1u << PROFILE_SOURCE_ADDRESS)

static void
check_sources(const struct profile_check *k, struct profile *p)
{
	const unsigned request = FROM_CAPTURE | FROM_HEADER | FROM_FIXED;
	p->product_source = source(k, p, "product", p->product, request);
	/* What an image is must not depend on a header that the upstream URL does not carry. */
	p->target_source =
	    source(k, p, "target_version", p->target_version, FROM_CAPTURE | FROM_FIXED);
	p->current_source =
	    source(k, p, "current_version", p->current_version, FROM_CAPTURE | FROM_HEADER);
	for (unsigned i = 0; i < p->from_versions_n; i++)
		p->from_source[i] =
		    source(k, p, "from_versions", p->from_versions[i], FROM_CAPTURE | FROM_FIXED);
}

static enum identity_class
class_of(const struct profile_identity *i)
{
	switch (i->source.kind) {
	case PROFILE_SOURCE_CLIENT_CERT:
	case PROFILE_SOURCE_PSK:
		return IDENTITY_A;
	case PROFILE_SOURCE_ADDRESS:
		return IDENTITY_C;
	default:
		return i->kind == IDENTITY_TOKEN ? IDENTITY_B : IDENTITY_D;
	}
}

/* A rule may not believe more than its source can bear, nor call one thing another. */
static void
check_identity(const struct profile_check *k, struct profile *p)
{
	for (unsigned i = 0; i < p->identity_n; i++) {
		struct profile_identity *r = &p->identity[i];
		r->source = source(k, p, "identity", r->from,
		    FROM_CAPTURE | FROM_HEADER | FROM_CERT | FROM_PSK | FROM_ADDRESS);
		if (r->source.kind == PROFILE_SOURCE_NONE || r->class == IDENTITY_CLASS_NONE ||
		    r->kind == IDENTITY_KIND_NONE)
			continue; /* reported already */
		bool cert = r->source.kind == PROFILE_SOURCE_CLIENT_CERT;
		bool address = r->source.kind == PROFILE_SOURCE_ADDRESS;
		if (cert != (r->kind == IDENTITY_CERT) || address != (r->kind == IDENTITY_ADDRESS))
			problem(k, "identity",
			    "rule %u: kind cert comes from client_cert and kind address from source_address, and only there",
			    i + 1);
		else if (r->source.kind == PROFILE_SOURCE_PSK && r->kind == IDENTITY_TOKEN)
			problem(k, "identity",
			    "rule %u: psk_identity is a name, its key was the secret; write kind imei, iccid or serial", i + 1);
		else if (class_of(r) != r->class)
			problem(k, "identity",
			    "rule %u: kind %s from \"%s\" is class %s; write class = \"%s\"", i + 1,
			    identity_kind_name(r->kind), r->from, identity_class_name(class_of(r)),
			    identity_class_name(class_of(r)));
		if (r->check == IDENTITY_CHECK_LUHN && r->kind != IDENTITY_IMEI &&
		    r->kind != IDENTITY_ICCID)
			problem(k, "identity",
			    "rule %u: only imei and iccid have a luhn digit; remove check", i + 1);
		if (address && p->networks_n == 0)
			problem(k, "identity",
			    "rule %u: source_address needs networks; list the access point's ranges",
			    i + 1);
	}
}

static void
check_networks(const struct profile_check *k, struct profile *p)
{
	for (unsigned i = 0; i < p->networks_n; i++) {
		struct profile_network *n = &p->networks[i];
		if (!cidr_parse(view_str(n->cidr), &n->range))
			continue; /* reported already */
		for (unsigned j = 0; j < i; j++)
			if (p->networks[j].range.set &&
			    p->networks[j].range.bits == n->range.bits &&
			    memcmp(&p->networks[j].range.addr, &n->range.addr,
				sizeof n->range.addr) == 0)
				problem(k, "networks", "lists %s twice; remove one", n->cidr);
	}
	for (unsigned i = 0; i < p->upstream_options.private_text_n; i++)
		cidr_parse(
		    view_str(p->upstream_options.private_text[i]), &p->upstream_options.private[i]);
	for (unsigned i = 0; i < p->upstream_options.pin_text_n; i++)
		hex_decode(view_str(p->upstream_options.pin_text[i]), p->upstream_options.pin[i],
		    DIGEST_SHA256_LEN);
	for (unsigned i = 0; i < p->deltas.pin_text_n; i++)
		hex_decode(view_str(p->deltas.pin_text[i]), p->deltas.pin[i], DIGEST_SHA256_LEN);
}

static bool
is_json_type(const char *media)
{
	size_t n = strlen(media);
	return !strncmp(media, "application/", 12) && n >= 16 && !strcmp(media + n - 4, "json");
}

/* MODULE_PROTOCOLS.md section 8: what each kind of client takes for firmware or for an error. */
static void
check_not_now(const struct profile_check *k, const struct profile *p)
{
	const struct profile_not_now *n = &p->not_now;
	bool body = n->body[0] != '\0';
	bool known = n->status == 200 || n->status == 204 ||
	    (n->status >= 400 && n->status <= 499) || n->status == 503;
	if (n->close) {
		if (k->line(k->arg, "not_now.status") || k->line(k->arg, "not_now.retry_after") ||
		    body || n->content_type[0] != '\0')
			problem(k, "not_now",
			    "closes without an answer; remove status, retry_after, body and content_type");
		return;
	}
	if (!known || n->status == 416)
		problem(k, "not_now.status",
		    "%lld is no way to say it; write 200 with a body, 204, a 4xx or 503",
		    (long long)n->status);
	if (n->status == 401 || n->status == 407)
		problem(k, "not_now.status", "%lld makes clients authenticate again; write 404",
		    (long long)n->status);
	if (n->status == 200 && !body)
		problem(k, "not_now.status",
		    "200 without a body is taken for an empty image; write 204 or 404");
	if (n->status == 204 && body)
		problem(k, "not_now.body", "cannot go with status 204; remove it");
	if (n->status == 503 && (n->retry_after == 0 || n->retry_after > RETRY_503_MAX))
		problem(k, "not_now.retry_after",
		    "goes with status 503 and is at most 1h, because most modules do not come back by themselves");
	if (body && !is_json_type(n->content_type))
		problem(k, "not_now.content_type",
		    "must be JSON (\"application/json\"): some clients write any other body into their flash");
	if (body && n->body[0] != '{' && n->body[0] != '[')
		problem(k, "not_now.body",
		    "must be JSON: some clients write any other body into their flash");
	if (!body && n->content_type[0] != '\0')
		problem(k, "not_now.content_type", "without a body; remove it");
}

/* The host must be literal. */
static void
check_template(const struct profile_check *k, const struct profile_pattern_slot *slots, unsigned slots_n, const char *key,
    const char *text, struct profile_pattern *out)
{
	char why[WHY_MAX];
	struct profile_url url;
	char probe[PROFILE_URL_MAX + 1];
	if (text[0] == '\0')
		return;
	if (!profile_pattern_compile(text, slots, slots_n, true, out, why, sizeof why)) {
		problem(k, key, "%s", why);
		return;
	}
	/* Captures become one harmless letter each; what is left must be a URL with its own host. */
	size_t n = 0;
	for (unsigned i = 0; i < out->n; i++) {
		const struct profile_pattern_token *t = &out->token[i];
		if (t->capture >= 0) {
			probe[n++] = 'x';
			continue;
		}
		memcpy(probe + n, text + t->off, t->len);
		n += t->len;
	}
	if (!profile_url_parse(view_of(probe, n), &url)) {
		problem(k, key,
		    "is not a URL; write http(s)://host[:port]/path, or ftp, ftpes or ftps and a file, without user, "
		    "fragment, \"..\" and \"//\"");
		return;
	}
	const char *brace = strchr(text, '{');
	const char *slash = strchr(strstr(text, "://") + 3, '/');
	if (brace && (!slash || brace < slash))
		problem(k, key, "takes its host from a request; write host and port out");
}

/* One that requests fill in: every capture must be there whenever the path and the parameters match. */
static void
check_request_template(const struct profile_check *k, const struct profile *p, const char *key, const char *text,
    struct profile_pattern *out)
{
	check_template(k, p->slots, p->captures_n, key, text, out);
	for (unsigned i = 0; i < out->n; i++) {
		const struct profile_param *q =
		    out->token[i].capture < 0 ? NULL : in_params(p, out->token[i].capture);
		if (q && q->optional)
			problem(k, key,
			    "needs {%s}, which query lets be absent; write %s= instead of %s?=",
			    p->captures[q->capture].name, q->name, q->name);
	}
}

/* Plain HTTP to it, because what is inside is TLS to the vendor or public anyway. */
static void
check_proxy(const struct profile_check *k, const struct profile *p)
{
	const char *proxy = p->upstream_options.proxy;
	char url[sizeof p->upstream_options.proxy + 1];
	struct profile_url parsed;
	if (proxy[0] == '\0')
		return;
	snprintf(url, sizeof url, "%s/", proxy);
	if (!profile_url_parse(view_str(url), &parsed) || parsed.transport != TRANSPORT_HTTP || parsed.path.n != 1)
		problem(k, "upstream_options.proxy", "is no proxy; write http://host:port");
}

/* A pin nobody ever holds against anything would only look like one. */
static void
check_pins(const struct profile_check *k, const struct profile *p)
{
	size_t n;
	bool plain = (p->upstream[0] && !transport_tls(transport_of(view_str(p->upstream), &n))) ||
	    (p->signature_url[0] && !transport_tls(transport_of(view_str(p->signature_url), &n))) ||
	    (p->notes_url[0] && !transport_tls(transport_of(view_str(p->notes_url), &n)));
	if (p->upstream_options.pin_text_n && plain)
		problem(k, "upstream_options.spki_pins",
		    "is for servers that show a key, which those of http and ftp do not; write https, ftpes or ftps");
}

/* An identity in the upstream URL would tell the vendor which module asks: exactly what the gateway hides. */
static void
check_no_identity(const struct profile_check *k, const struct profile *p, const char *key,
    const struct profile_pattern *t)
{
	for (unsigned i = 0; i < p->identity_n; i++)
		if (p->identity[i].source.kind == PROFILE_SOURCE_CAPTURE &&
		    in_pattern(t, p->identity[i].source.capture))
			problem(k, key,
			    "sends the module's identity {%s} to the vendor; leave it out",
			    p->captures[p->identity[i].source.capture].name);
}

/* What stands for {product} or {target} can come from the very capture that an identity does. */
static void
check_notes(const struct profile_check *k, const struct profile *p)
{
	const struct profile_source *const source[PROFILE_NOTES_SLOTS] = { &p->product_source, &p->target_source };
	if (p->notes_url[0] && !p->upstream[0])
		problem(k, "notes_url", "without upstream; write upstream too or remove it");
	for (int i = 0; i < PROFILE_NOTES_SLOTS; i++)
		for (unsigned n = 0; n < p->identity_n; n++)
			if (in_pattern(&p->notes_pattern, i) && source[i]->kind == PROFILE_SOURCE_CAPTURE &&
			    p->identity[n].source.kind == PROFILE_SOURCE_CAPTURE &&
			    p->identity[n].source.capture == source[i]->capture)
				problem(k, "notes_url", "sends the module's identity {%s} to the vendor; leave it out",
				    p->captures[source[i]->capture].name);
}

/* Roots of TUF repositories by their file's name, as the verifier takes them. */
static void
check_roots(const struct profile_check *k, const struct profile_signature *s)
{
	unsigned directors = 0;
	for (unsigned i = 0; i < s->anchors_n; i++)
		directors += strncmp(s->anchors[i], "director", 8) == 0;
	if (s->scheme == PROFILE_SCHEME_UPTANE && (directors == 0 || directors == s->anchors_n))
		problem(k, "signature.anchors",
		    "uptane needs the roots of both repositories; the director's file has a name that begins with \"director\"");
	if (s->scheme == PROFILE_SCHEME_TUF && directors > 0)
		problem(k, "signature.anchors",
		    "a name that begins with \"director\" is of a director's root, which goes with uptane; rename the file");
}

static void
check_signature(const struct profile_check *k, const struct profile *p)
{
	const struct profile_signature *s = &p->signature;
	if (s->scheme == PROFILE_SCHEME_NONE && s->require && k->line(k->arg, "signature.scheme"))
		problem(k, "signature.scheme",
		    "none verifies nothing; name the scheme, or say require = false");
	if (s->scheme != PROFILE_SCHEME_NONE && s->anchors_n == 0)
		problem(k, "signature.anchors",
		    "is empty, so nothing could ever be verified; name a file");
	if (s->scheme == PROFILE_SCHEME_NONE && (s->anchors_n > 0 || p->signature_url[0] != '\0'))
		problem(k, "signature.scheme",
		    "none goes with neither anchors nor signature_url; remove them");
	if (s->scheme == PROFILE_SCHEME_EMBEDDED && 
	    format_kind(format_find(view_str(s->format))) != FORMAT_KIND_CONTAINER)
		problem(k, "signature.format",
		    "must name a format that carries signatures, such as \"swu\"; images/FORMATS.md lists them");
	if (s->scheme != PROFILE_SCHEME_EMBEDDED && s->format[0] != '\0')
		problem(k, "signature.format", "goes with scheme = \"embedded\"; remove it");
	if (s->scheme != PROFILE_SCHEME_EMBEDDED && s->key_scheme != TRUST_SCHEME_NONE)
		problem(k, "signature.key_scheme", "goes with scheme = \"embedded\"; remove it");
	if (s->scheme == PROFILE_SCHEME_EMBEDDED && p->signature_url[0] != '\0')
		problem(k, "signature_url", "goes with a detached scheme; remove it");
	if (s->scheme == PROFILE_SCHEME_CMS_ATTACHED && p->signature_url[0] != '\0')
		problem(k, "signature_url", "goes with a detached scheme; remove it");
	if (s->ignore_expiry_for_pinned && !s->allow_leaf_anchor)
		problem(k, "signature.ignore_expiry_for_pinned", "needs allow_leaf_anchor = true");
	if (p->signature_url[0] != '\0' && p->upstream[0] == '\0')
		problem(k, "signature_url", "without upstream; write upstream too or remove it");
	check_roots(k, s);
	for (unsigned i = 0; i < s->anchors_n; i++)
		for (unsigned j = 0; j < i; j++)
			if (s->anchors[i][0] != '\0' && strcmp(s->anchors[i], s->anchors[j]) == 0)
				problem(k, "signature.anchors", "lists %s twice; remove one",
				    s->anchors[i]);
}

/* What the profile names of fotagate.conf. */
static void
check_windows(const struct profile_check *k, struct profile *p)
{
	for (unsigned i = 0; i < p->maintenance_n; i++) {
		const struct window *w = config_window(k->config, view_str(p->maintenance[i]));
		if (w)
			p->windows.window[p->windows.n++] = w;
		else if (p->maintenance[i][0] != '\0')
			problem(k, "maintenance", "\"%s\" is not in windows of fotagate.conf; add it there", p->maintenance[i]);
	}
	for (unsigned i = 0; i < p->blackouts_n; i++) {
		const struct window_blackout *b = config_blackout(k->config, view_str(p->blackouts[i]));
		if (b)
			p->windows.blackout[p->windows.blackouts_n++] = b;
		else if (p->blackouts[i][0] != '\0')
			problem(k, "blackouts", "\"%s\" is not in blackouts of fotagate.conf; add it there", p->blackouts[i]);
	}
}

static void
check_deltas(const struct profile_check *k, const struct profile *p)
{
	const struct profile_deltas *d = &p->deltas;
	if (d->format[0] && format_kind(profile_delta_format(p)) != FORMAT_KIND_DELTA)
		problem(k, "deltas.format", "must name a format of deltas, such as \"detools\"; images/FORMATS.md lists them");
	if (d->pin_text_n && d->unseen != PROFILE_UNSEEN_PINNED)
		problem(k, "deltas.pins", "goes with unseen = \"pinned\"; nobody would look at them");
}

/* People tick words: none of them empty, none twice. */
static void
check_review(const struct profile_check *k, const struct profile *p)
{
	for (unsigned i = 0; i < p->review.checklist_n; i++) {
		const char *item = p->review.checklist[i];
		if (!item[0])
			problem(k, "review.checklist", "has an empty item; remove it");
		for (unsigned j = 0; item[0] && j < i; j++)
			if (!strcmp(item, p->review.checklist[j]))
				problem(k, "review.checklist", "lists \"%s\" twice; remove one", item);
	}
}

static void
check_names(const struct profile_check *k, const struct profile *p)
{
	if (p->any_host && p->hosts_n > 0)
		problem(k, "any_host", "goes without hosts; remove one of them");
	if (!p->any_host && p->hosts_n == 0)
		problem(
		    k, "hosts", "is empty; name the hosts modules ask for, or say any_host = true");
	if (p->canary_quorum > p->quorum && p->quorum > 0)
		problem(k, "canary_quorum", "is higher than quorum; lower it");
	if (!k->cross)
		return;
	if (p->supplier[0] != '\0' && !config_supplier(k->config, view_str(p->supplier)))
		problem(k, "supplier", "\"%s\" is not in suppliers of fotagate.conf; add it there",
		    p->supplier);
	if (p->rollout[0] != '\0' && !config_rollout_plan(k->config, view_str(p->rollout)))
		problem(k, "rollout", "\"%s\" is not in rollout_plans of fotagate.conf; add it there", p->rollout);
	for (unsigned i = 0; i < p->listeners_n; i++) {
		const struct config_listener *l =
		    config_listener(k->config, view_str(p->listeners[i]));
		if (p->listeners[i][0] == '\0')
			continue; /* its form was reported */
		if (!l) {
			problem(k, "listeners",
			    "\"%s\" is not in listeners of fotagate.conf; add it there",
			    p->listeners[i]);
			continue;
		}
		for (unsigned r = 0; r < p->identity_n; r++)
			if (p->identity[r].source.kind == PROFILE_SOURCE_CLIENT_CERT &&
			    l->client_ca[0] == '\0')
				problem(k, "identity",
				    "rule %u: listener \"%s\" asks for no client certificate; give it client_ca",
				    r + 1, l->name);
			else if (p->identity[r].source.kind == PROFILE_SOURCE_PSK && l->psk[0] == '\0')
				problem(k, "identity", "rule %u: listener \"%s\" has no shared keys; give it psk", r + 1, l->name);
	}
}

void
profile_check(const struct profile_check *k, struct profile *p)
{
	check_path(k, p);
	check_query(k, p);
	check_sources(k, p);
	check_networks(k, p);
	check_proxy(k, p);
	check_pins(k, p);
	check_identity(k, p);
	check_not_now(k, p);
	check_request_template(k, p, "upstream", p->upstream, &p->upstream_pattern);
	check_request_template(k, p, "signature_url", p->signature_url, &p->signature_pattern);
	check_template(k, profile_notes_slots, PROFILE_NOTES_SLOTS, "notes_url", p->notes_url, &p->notes_pattern);
	check_no_identity(k, p, "upstream", &p->upstream_pattern);
	check_no_identity(k, p, "signature_url", &p->signature_pattern);
	check_notes(k, p);
	check_signature(k, p);
	check_deltas(k, p);
	check_review(k, p);
	check_names(k, p);
	if (k->cross)
		check_windows(k, p);
}
