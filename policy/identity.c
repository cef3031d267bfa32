/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/identity.h"

#include <stdio.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "policy/profile.h"

#define SERIAL_MAX 64 /* longest serial number in the vendor notes has 32 */

static bool
all_digits(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n > 0;
}

bool
identity_luhn(struct view digits)
{
	unsigned sum = 0;
	if (digits.n < 2 || !all_digits(digits))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		unsigned d = (unsigned)(digits.p[digits.n - 1 - i] - '0') * (i % 2 ? 2 : 1);
		sum += d > 9 ? d - 9 : d;
	}
	return sum % 10 == 0;
}

/* Copies v without the blanks and dashes people write into numbers. */
static struct view
without_gaps(struct view v, char *dst)
{
	size_t n = 0;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != ' ' && v.p[i] != '-')
			dst[n++] = (char)v.p[i];
	dst[n] = '\0';
	return view_of(dst, n);
}

static bool
is_serial(struct view v)
{
	return v.n <= SERIAL_MAX && profile_pattern_fits(PROFILE_CLASS_FILE, SERIAL_MAX, v);
}

bool
identity_canonical(enum identity_kind kind, enum identity_check check, struct view value, char *dst)
{
	char text[IDENTITY_TEXT_MAX + 1];
	uint8_t spki[DIGEST_SHA256_LEN];
	struct cidr_addr a;
	struct view v = value;
	bool ok = false;
	if (value.n == 0 || value.n > IDENTITY_TEXT_MAX)
		return false;
	switch (kind) {
	case IDENTITY_IMEI:
		v = without_gaps(value, text);
		ok = v.n == 15 && all_digits(v);
		break;
	case IDENTITY_ICCID:
		v = without_gaps(value, text);
		ok = (v.n == 19 || v.n == 20) && all_digits(v) && memcmp(v.p, "89", 2) == 0;
		break;
	case IDENTITY_TOKEN:
		ok = profile_pattern_fits(PROFILE_CLASS_FILE, IDENTITY_TEXT_MAX, v) ||
		    profile_pattern_fits(PROFILE_CLASS_TOKEN, IDENTITY_TEXT_MAX, v);
		break;
	case IDENTITY_SERIAL:
		ok = is_serial(v);
		break;
	case IDENTITY_CERT:
		for (size_t i = 0; i < v.n; i++)
			text[i] = (char)(v.p[i] >= 'A' && v.p[i] <= 'F' ? v.p[i] | 0x20 : v.p[i]);
		v = view_of(text, v.n);
		ok = hex_decode(v, spki, sizeof spki);
		break;
	case IDENTITY_ADDRESS:
		if (cidr_addr_parse(v, &a)) {
			cidr_addr_text(&a, text);
			v = view_str(text);
			ok = true;
		} else {
			ok = is_serial(v); /* the name of a module behind a range */
		}
		break;
	case IDENTITY_KIND_NONE:
		break;
	}
	if (!ok || (check == IDENTITY_CHECK_LUHN && !identity_luhn(v)))
		return false;
	memcpy(dst, v.p, v.n);
	dst[v.n] = '\0';
	return true;
}

/* The listed range with the longest prefix. */
static const struct profile_network *
network_of(const struct profile *p, const struct cidr_addr *a)
{
	const struct profile_network *best = NULL;
	for (unsigned i = 0; i < p->networks_n; i++)
		if (cidr_match(&p->networks[i].range, a) &&
		    (!best || p->networks[i].range.bits > best->range.bits))
			best = &p->networks[i];
	return best;
}

static bool
by_address(const struct profile *p, const struct identity_peer *peer, struct identity *out)
{
	const struct profile_network *n = peer->address ? network_of(p, peer->address) : NULL;
	if (!n)
		return false;
	/* Outside the ranges of its access point an address is nobody's word. */
	if (n->module[0] != '\0')
		snprintf(out->text, sizeof out->text, "%s", n->module);
	else
		cidr_addr_text(peer->address, out->text);
	snprintf(out->group, sizeof out->group, "%s", n->group);
	return true;
}

const char *
identity_network_group(const struct profile *p, enum identity_kind kind, struct view text)
{
	const struct profile_network *n = NULL;
	struct cidr_addr a;
	if (kind != IDENTITY_ADDRESS)
		return "";
	for (unsigned i = 0; !n && i < p->networks_n; i++)
		if (p->networks[i].module[0] && view_is(text, p->networks[i].module))
			n = &p->networks[i];
	if (!n && cidr_addr_parse(text, &a))
		n = network_of(p, &a);
	return n ? n->group : "";
}

int
identity_extract(
    const struct profile_hit *hit, const struct identity_peer *peer, struct identity *ret)
{
	const struct profile *p = hit->profile;
	for (unsigned i = 0; i < p->identity_n; i++) {
		const struct profile_identity *r = &p->identity[i];
		struct identity found = { .class = r->class, .kind = r->kind };
		bool ok = false;
		switch (r->source.kind) {
		case PROFILE_SOURCE_CLIENT_CERT:
			ok = peer->cert_spki_sha256 != NULL;
			if (ok)
				hex_encode(peer->cert_spki_sha256, DIGEST_SHA256_LEN, found.text);
			break;
		case PROFILE_SOURCE_PSK:
			ok = peer->psk_identity &&
			    identity_canonical(r->kind, r->check, view_str(peer->psk_identity), found.text);
			break;
		case PROFILE_SOURCE_ADDRESS:
			ok = by_address(p, peer, &found);
			break;
		default:
			ok = identity_canonical(r->kind, r->check, hit->identity[i], found.text);
			break;
		}
		if (ok) {
			*ret = found;
			return 0;
		}
	}
	return FG_ENOTFOUND;
}

const char *identity_class_name(enum identity_class class)
{
	static const char *const names[] = { "-", "A", "B", "C", "D" };
	return (unsigned)class < sizeof names / sizeof *names ? names[class] : "-";
}

static const char *const kind_names[] = { "none", "imei", "iccid", "token", "cert", "address",
	"serial" };

const char *
identity_kind_name(enum identity_kind kind)
{
	return (unsigned)kind < sizeof kind_names / sizeof *kind_names ? kind_names[kind] : "none";
}

enum identity_kind
identity_kind_parse(struct view word)
{
	for (unsigned i = 1; i < sizeof kind_names / sizeof *kind_names; i++)
		if (view_is(word, kind_names[i]))
			return (enum identity_kind)i;
	return IDENTITY_KIND_NONE;
}
