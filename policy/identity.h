/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity - who a module is, and how far to believe it.
 * Role: edges ask for every request after profile_match(). Guarantees: pure; the
 * class is fixed by where the value came from (the configuration check refuses a
 * rule that claims more), so nothing a client sends can raise it.
 *
 *   A  proved: client certificate or shared key
 *   B  token only the module should know
 *   C  asserted by the network: source address inside a listed prefix
 *   D  claimed: IMEI and the like, written into a request by whoever sent it
 */
#ifndef FG_POLICY_IDENTITY_H
#define FG_POLICY_IDENTITY_H

#include "crypto/digest.h"
#include "crypto/view.h"
#include "policy/cidr.h"

#define IDENTITY_TEXT_MAX 128 /* a token; everything else is shorter (SPKI digest 64) */

enum identity_class { IDENTITY_CLASS_NONE = 0, IDENTITY_A, IDENTITY_B, IDENTITY_C, IDENTITY_D };

enum identity_kind {
	IDENTITY_KIND_NONE = 0,
	IDENTITY_IMEI,    /* 15 digits */
	IDENTITY_ICCID,   /* 19 or 20 digits starting with 89 */
	IDENTITY_TOKEN,
	IDENTITY_CERT,    /* SHA-256 of the certificate's SubjectPublicKeyInfo, hex */
	IDENTITY_ADDRESS, /* source address, or the module name its prefix is listed under */
	IDENTITY_SERIAL,
};

enum identity_check { IDENTITY_CHECK_NONE = 0, IDENTITY_CHECK_LUHN };

struct identity {
	enum identity_class class;
	enum identity_kind kind;
	char text[IDENTITY_TEXT_MAX + 1]; /* canonical; what the pseudonym's HMAC takes after kind and NUL */
	char group[49];                   /* from `networks`; "" when the profile's default holds */
};

/* What the connection itself knows. */
struct identity_peer {
	const uint8_t *cert_spki_sha256; /* 32 bytes of a client certificate that verified, or NULL */
	const char *psk_identity;        /* whose shared key was proved, or NULL */
	const struct cidr_addr *address; /* or NULL */
};

struct profile;
struct profile_hit;

/*
 * The first rule of the profile that yields an identity. 0; FG_ENOTFOUND when
 * none does (an empty capture, a failed check, no certificate, an address
 * outside `networks`): the request is then held.
 */
int identity_extract(const struct profile_hit *hit, const struct identity_peer *peer, struct identity *ret);
/* The group that `networks` gives an address or a name of theirs; "" when the profile's default holds. */
const char *identity_network_group(const struct profile *p, enum identity_kind kind, struct view text);
/*
 * Canonical text of a value of that kind, as inventory import and the command
 * line need it too: IMEI without blanks and dashes, hex in lower case. False if
 * it cannot be one. dst holds IDENTITY_TEXT_MAX + 1.
 */
bool identity_canonical(enum identity_kind kind, enum identity_check check, struct view value, char *dst);
/* ISO/IEC 7812-1 check digit over at least two digits. */
bool identity_luhn(struct view digits);
/* "A".."D", "-" for none. */
const char *identity_class_name(enum identity_class class);
/* "imei", "iccid", "token", "cert", "address", "serial"; "none". */
const char *identity_kind_name(enum identity_kind kind);
enum identity_kind identity_kind_parse(struct view word);

#endif
