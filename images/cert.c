/* SPDX-License-Identifier: Apache-2.0 */
#include "images/cert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define LEN(literal) (sizeof(literal) - 1)
#define WINDOW (SOURCE_CHUNK + CERT_LEN_MAX) /* an object that begins in the first part lies in the whole */
#define BODY_MIN 40			     /* characters: less is an example in a text */

struct entry {
	struct credential c;
	char path[PAGE_PATH_MAX];
	uint64_t offset;
};

struct cert_set {
	struct entry *entry;
	size_t n, cap;
	uint64_t lost; /* found no room */
	unsigned tries;
	bool tired; /* the last try was used up */
	const char *path;
};

struct cert_set *
cert_set_new(void)
{
	return calloc(1, sizeof(struct cert_set));
}

void
cert_set_free(struct cert_set *c)
{
	if (!c)
		return;
	free(c->entry);
	free(c);
}

size_t
cert_set_count(const struct cert_set *c)
{
	return c->n;
}

static const struct entry *
find(const struct cert_set *c, const struct credential *like)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->entry[i].c.kind == like->kind &&
		    memcmp(c->entry[i].c.id, like->id, sizeof like->id) == 0)
			return &c->entry[i];
	return NULL;
}

static int
keep(struct cert_set *c, const struct credential *found, uint64_t offset)
{
	if (find(c, found))
		return 0;
	if (c->n == CERT_SET_MAX) {
		c->lost++;
		return 0;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 32;
		struct entry *more = realloc(c->entry, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		c->entry = more;
		c->cap = cap;
	}
	struct entry *e = &c->entry[c->n++];
	*e = (struct entry){ .c = *found, .offset = offset };
	snprintf(e->path, sizeof e->path, "%s", c->path);
	return 0;
}

static bool
may_try(struct cert_set *c)
{
	c->tired = c->tired || c->tries == CERT_TRIES_MAX;
	if (!c->tired)
		c->tries++;
	return !c->tired;
}

/* ---- PEM ---- */

/*
 * Characters of a body, in whatever way lines end: by bytes, or by the two characters of an
 * escape in a text. Other lines (RFC 1421's headers) are passed by; *ret_sealed says that one
 * of them says so. The length, or 0 when there is no body.
 */
static size_t
collect(struct view text, char *dst, size_t cap, bool *ret_sealed)
{
	size_t n = 0;
	*ret_sealed = memmem(text.p, text.n, "ENCRYPTED", 9) != NULL;
	for (size_t at = 0; at < text.n;) {
		size_t start = n, len = 0;
		bool header = false;
		for (; at + len < text.n; len++) {
			uint8_t ch = text.p[at + len];
			if (ch == '\n' || ch == '\r' || ch == 0 ||
			    (ch == '\\' && at + len + 1 < text.n && strchr("nr", text.p[at + len + 1])))
				break;
			if (ch == ':')
				header = true;
			bool digit = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
				     (ch >= '0' && ch <= '9') || ch == '+' || ch == '/' || ch == '=';
			if (digit && n < cap)
				dst[n++] = (char)ch;
		}
		if (header)
			n = start;
		at += len + (at + len < text.n && text.p[at + len] == '\\' ? 2 : 1);
	}
	return n;
}

/* What stands between the marks of label. */
static int
armoured(struct cert_set *c, struct view label, struct view inner, uint64_t offset)
{
	struct credential found = { 0 };
	bool sealed, key = label.n >= 11 && memcmp(label.p + label.n - 11, "PRIVATE KEY", 11) == 0;
	bool cert = label.n >= 11 && memcmp(label.p + label.n - 11, "CERTIFICATE", 11) == 0;
	size_t used;
	struct writer body;
	if ((!key && !cert) || !may_try(c))
		return 0;
	char *text = malloc(inner.n + 1);
	if (!text)
		return FG_ENOMEM;
	size_t text_n = collect(inner, text, inner.n, &sealed);
	writer_init(&body, CERT_LEN_MAX);
	int err = text_n >= BODY_MIN ? base64_decode(view_of(text, text_n), &body) : FG_EFORMAT;
	if (!err)
		err = writer_err(&body);
	if (!err) {
		struct view der = writer_view(&body);
		if (cert)
			err = credential_cert(der, &found, &used);
		else if (view_is(label, "OPENSSH PRIVATE KEY"))
			err = credential_openssh(der, &found);
		else
			err = credential_key(der, &found, &used);
	}
	/* A key that cannot be read here is one all the same. */
	if (err == FG_EFORMAT && key && text_n >= BODY_MIN) {
		found = (struct credential){ .kind = sealed ? CREDENTIAL_SEALED : CREDENTIAL_KEY };
		err = digest_sha256(view_of(text, text_n), found.id);
	}
	writer_free(&body);
	free(text);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	return keep(c, &found, offset);
}

/* "-----BEGIN " at the start of text: how many bytes it takes with its end, 0 when it has none in reach. */
static int
pem(struct cert_set *c, struct view text, uint64_t offset, size_t *ret_used)
{
	char end[64];
	size_t from = LEN(BEGIN), n = 0;
	*ret_used = 0;
	while (from + n < text.n && n < 40 &&
	       ((text.p[from + n] >= 'A' && text.p[from + n] <= 'Z') || text.p[from + n] == ' ' ||
		   (text.p[from + n] >= '0' && text.p[from + n] <= '9')))
		n++;
	if (n == 0 || from + n + 5 > text.n || memcmp(text.p + from + n, "-----", 5) != 0)
		return 0;
	struct view label = view_of(text.p + from, n);
	snprintf(end, sizeof end, "%s%.*s-----", END, (int)n, (const char *)label.p);
	size_t reach = text.n < CERT_LEN_MAX ? text.n : CERT_LEN_MAX, body = from + n + 5;
	/* No body holds five dashes: the next ones are its end, or it has none. */
	const uint8_t *stop = reach > body ? memmem(text.p + body, reach - body, "-----", 5) : NULL;
	if (!stop || reach - (size_t)(stop - text.p) < strlen(end) || memcmp(stop, end, strlen(end)) != 0)
		return 0;
	*ret_used = (size_t)(stop - text.p) + strlen(end);
	return armoured(c, label, view_of(text.p + body, (size_t)(stop - (text.p + body))), offset);
}

/* ---- DER ---- */

/* The length of a SEQUENCE at the start of p with its header; 0 when it is none, too long or reaches beyond n. */
static size_t
sequence(const uint8_t *p, size_t n, size_t *ret_header)
{
	size_t header, len;
	if (n < 4 || p[0] != 0x30)
		return 0;
	if (p[1] < 0x80) {
		header = 2;
		len = p[1];
	} else if (p[1] == 0x81) {
		header = 3;
		len = p[2];
	} else if (p[1] == 0x82) {
		header = 4;
		len = (size_t)p[2] << 8 | p[3];
	} else {
		return 0;
	}
	*ret_header = header;
	return header + len <= n && header + len <= CERT_LEN_MAX ? header + len : 0;
}

/* What a certificate or a private key begins with; cheap, because it is asked at every 0x30. */
static enum credential_kind
looks_like(const uint8_t *p, size_t n)
{
	size_t h;
	size_t all = sequence(p, n, &h);
	if (all < 40)
		return CREDENTIAL_NONE;
	const uint8_t *q = p + h;
	/* tbsCertificate: a SEQUENCE with [0] version, or (version 1) a serial number, then a SEQUENCE. */
	if (q[0] == 0x30 && (q[1] == 0x82 || q[1] == 0x81)) {
		const uint8_t *t = q + (q[1] == 0x82 ? 4 : 3);
		if (t[0] == 0xa0 && t[1] == 3 && t[2] == 2 && t[3] == 1)
			return CREDENTIAL_LEAF;
		return t[0] == 2 && t[1] >= 1 && t[1] <= 20 && all > 200 && t[2 + t[1]] == 0x30
			   ? CREDENTIAL_LEAF
			   : CREDENTIAL_NONE;
	}
	/* Versions 0 and 1: PKCS #8 goes on with an algorithm, PKCS #1 with the modulus, SEC 1 with the secret. */
	if (q[0] == 2 && q[1] == 1 && q[2] <= 1 &&
	    (q[3] == 0x30 || (q[3] == 2 && (q[4] == 0x82 || q[4] == 0x81)) || (q[3] == 4 && q[2] == 1)))
		return CREDENTIAL_KEY;
	/* Sealed: an algorithm of PKCS #5 or #12 by its first bytes. */
	static const uint8_t rsadsi[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01 };
	if (q[0] == 0x30 && q[1] < 0x80 && q[2] == 6 && q[3] >= 9 &&
	    memcmp(q + 4, rsadsi, sizeof rsadsi) == 0 && (q[11] == 5 || q[11] == 12))
		return CREDENTIAL_SEALED;
	return CREDENTIAL_NONE;
}

static int
der(struct cert_set *c, struct view bytes, uint64_t offset, size_t *ret_used)
{
	struct credential found;
	enum credential_kind kind = looks_like(bytes.p, bytes.n);
	size_t h;
	*ret_used = 0;
	if (kind == CREDENTIAL_NONE || !may_try(c))
		return 0;
	struct view object = view_of(bytes.p, sequence(bytes.p, bytes.n, &h));
	int err = kind == CREDENTIAL_LEAF ? credential_cert(object, &found, ret_used)
					  : credential_key(object, &found, ret_used);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	return keep(c, &found, offset);
}

/* ---- a leaf ---- */

int
cert_set_scan(struct cert_set *c, const char *path, const struct source *s)
{
	size_t cap = s->size < WINDOW ? (size_t)s->size : WINDOW;
	uint8_t *buf = malloc(cap ? cap : 1);
	int err = buf ? 0 : FG_ENOMEM;
	uint64_t at = 0, done = 0; /* done: where what was found last ends */
	c->path = path;
	while (!err && at < s->size) {
		long n = source_read_some(s, at, buf, cap);
		if (n < 0) {
			err = (int)n;
			break;
		}
		size_t got = (size_t)n, settle = at + got == s->size ? got : got - CERT_LEN_MAX;
		for (size_t i = 0; i < settle && !err; i++) {
			size_t used = 0;
			if (at + i < done)
				continue;
			if (buf[i] == 0x30)
				err = der(c, view_of(buf + i, got - i), at + i, &used);
			else if (buf[i] == '-' && got - i > LEN(BEGIN) &&
				 memcmp(buf + i, BEGIN, LEN(BEGIN)) == 0)
				err = pem(c, view_of(buf + i, got - i), at + i, &used);
			if (used)
				done = at + i + used;
		}
		at += settle;
	}
	free(buf);
	return err;
}

/* ---- on the page ---- */

static void
date(int64_t t, char dst[16])
{
	/* Days from 1970 to a civil date (Gregorian, proleptic); certificates reach from 1950 to 9999. */
	int64_t days = t / 86400 - (t % 86400 < 0);
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9,
		year = yoe + era * 400 + (month <= 2);
	snprintf(dst, 16, "%04d-%02d-%02d", (int)year % 10000, (int)month, (int)day);
}

/* Did the other image hold the same key under another certificate? */
static bool
key_is_known(const struct cert_set *set, const struct credential *c)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->entry[i].c.kind == c->kind && set->entry[i].c.signer.have_spki &&
		    memcmp(set->entry[i].c.signer.spki_sha256, c->signer.spki_sha256, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

static int
line(const struct entry *e, const struct cert_set *other, bool added, struct page *page)
{
	const struct credential *c = &e->c;
	const struct sig_signer *s = &c->signer;
	struct page_line l = { .block = PAGE_RED,
		.sign = added ? PAGE_ADDED : PAGE_GONE,
		.have_offset = true,
		.offset = e->offset };
	char spki[2 * DIGEST_SHA256_LEN + 1], from[16], to[16];
	snprintf(l.path, sizeof l.path, "%s", e->path);
	if (c->kind == CREDENTIAL_KEY || c->kind == CREDENTIAL_SEALED) {
		if (!added)
			return 0;
		hex_encode(c->id, sizeof c->id, spki);
		l.id = FINDING_CHG_PRIVATE_KEY;
		page_text(&l, "private key%s%s%s, %.16s...%s", s->key_type[0] ? " " : "", s->key_type,
		    c->kind == CREDENTIAL_SEALED ? " under a password" : "", spki,
		    s->published_key ? "; anybody can download this one" : "");
		return page_add(page, &l);
	}
	bool renewed = key_is_known(other, c), ca = c->kind == CREDENTIAL_CA;
	hex_encode(s->spki_sha256, sizeof s->spki_sha256, spki);
	date(s->not_before, from);
	date(s->not_after, to);
	l.id = !ca ? FINDING_CHG_CERTIFICATE : added ? FINDING_CHG_CA_NEW : FINDING_CHG_CA_GONE;
	if (!ca)
		l.block = PAGE_FILES;
	if (l.id == FINDING_CHG_CA_NEW && renewed)
		l.severity = FINDING_NOTICE;
	page_text(&l, "%s %s%s, %s, %s to %s, key %.16s...%s", ca ? "authority" : "certificate",
	    added ? "added" : "gone", c->self_issued ? ", self-signed" : "", s->key_type, from, to, spki,
	    renewed ? added ? "; the old image holds this key too" : "; the new image holds this key too" : "");
	snprintf(l.evidence, sizeof l.evidence, "%.*s", (int)sizeof l.evidence - 1, s->subject);
	return page_add(page, &l);
}

static int
limits(const struct cert_set *c, const char *which, struct page *page)
{
	struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE };
	if (!c->lost && !c->tired)
		return 0;
	page_text(
	    &l, "the %s image holds more certificates and keys, or what looks like them, than are read", which);
	return page_add(page, &l);
}

int
cert_page(const struct cert_set *old, const struct cert_set *new, struct page *page)
{
	int err = 0;
	for (size_t i = 0; i < new->n && !err; i++)
		if (!find(old, &new->entry[i].c))
			err = line(&new->entry[i], old, true, page);
	for (size_t i = 0; i < old->n && !err; i++)
		if (!find(new, &old->entry[i].c))
			err = line(&old->entry[i], new, false, page);
	if (!err)
		err = limits(old, "old", page);
	return err ? err : limits(new, "new", page);
}
