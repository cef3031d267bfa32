/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/openpgp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/pgppacket.h"
#include "crypto/pgpsig.h"

#define ARMOUR "PGP SIGNATURE"
#define SCHEME "openpgp"
#define AROUND_MAX 64 /* bytes of the armour that are none of its own, and passed over in silence */

struct openpgp {
	uint8_t bytes[OPENPGP_FILE_MAX]; /* packets, dearmoured */
	struct pgpsig sig[SIG_SIGNERS_MAX];
	const char *unread[SIG_SIGNERS_MAX]; /* why that one could not be read; NULL: it could */
	unsigned n;
	bool overflow; /* more signatures than that */
	bool marked;   /* marker packets beside them */
	size_t around; /* bytes of the armour that are none of its own: pgppacket_dearmour() */
};

/* Nothing but signature packets, to the end. */
static bool
are_signatures(struct view packets)
{
	struct pgppacket p;
	int more;
	if (packets.n == 0)
		return false;
	while ((more = pgppacket_next(&packets, &p)) == 1)
		if (p.tag != PGPPACKET_SIGNATURE || p.body.n < 8 || p.body.p[0] < 2 || p.body.p[0] > 6)
			return false;
	return more == 0;
}

bool
openpgp_recognise(struct view sig)
{
	return pgppacket_is_armoured(sig, ARMOUR) || are_signatures(sig);
}

static int
read_packets(struct openpgp *o, struct view rest, char *ret_why, size_t cap)
{
	struct pgppacket p;
	int more;
	while ((more = pgppacket_next(&rest, &p)) == 1) {
		if (p.tag == PGPPACKET_MARKER && view_is(p.body, "PGP")) {
			o->marked = true;
			continue;
		}
		if (p.tag != PGPPACKET_SIGNATURE) {
			snprintf(ret_why, cap, "a packet of kind %u in it, which is no detached signature", p.tag);
			return FG_EFORMAT;
		}
		o->overflow = o->n == SIG_SIGNERS_MAX;
		if (o->overflow)
			return 0;
		if (pgpsig_parse(p.body, &o->sig[o->n], &o->unread[o->n]) == 0)
			o->unread[o->n] = NULL;
		o->n++;
	}
	if (more == 0 && o->n > 0)
		return 0;
	snprintf(ret_why, cap, "%s", more ? "a malformed packet" : "it holds no signature");
	return FG_EFORMAT;
}

int
openpgp_open(struct view sig, struct openpgp **ret, char *ret_why, size_t cap)
{
	const char *why = "";
	struct writer w;
	struct openpgp *o = calloc(1, sizeof *o);
	if (!o)
		return FG_ENOMEM;
	writer_init(&w, sizeof o->bytes);
	int err = 0;
	if (pgppacket_is_armoured(sig, ARMOUR))
		err = pgppacket_dearmour(sig, ARMOUR, &w, &o->around, &why);
	else
		writer_bytes(&w, sig);
	if (!err)
		err = writer_err(&w);
	if (err == FG_EFORMAT)
		snprintf(ret_why, cap, "%s", why);
	if (err == FG_ELIMIT) {
		snprintf(ret_why, cap, "longer than 64 KiB");
		err = FG_EFORMAT;
	}
	if (!err) {
		struct view packets = writer_view(&w);
		if (packets.n)
			memcpy(o->bytes, packets.p, packets.n);
		err = read_packets(o, view_of(o->bytes, packets.n), ret_why, cap);
	}
	writer_free(&w);
	if (err)
		openpgp_free(o);
	else
		*ret = o;
	return err;
}

void
openpgp_free(struct openpgp *o)
{
	free(o);
}

bool
openpgp_is_lean(const struct openpgp *o)
{
	for (unsigned i = 0; i < o->n; i++)
		if (o->unread[i] || o->sig[i].loose > 0)
			return false;
	return o->around <= AROUND_MAX && !o->marked && !o->overflow;
}

bool
openpgp_is_closed(const struct openpgp *o)
{
	return openpgp_is_lean(o) && o->around == 0;
}

/* Can the arithmetic be done at all? Then a weak digest is told from a wrong signature. */
static bool
is_calculated(const struct openpgp *o, unsigned i)
{
	return !o->unread[i] && o->sig[i].type == PGPSIG_BINARY && o->sig[i].digest != DIGEST_NONE;
}

unsigned
openpgp_digests(const struct openpgp *o, enum digest_alg ret[DIGEST_LIMIT])
{
	bool have[DIGEST_LIMIT] = { false };
	unsigned n = 0;
	for (unsigned i = 0; i < o->n; i++)
		if (is_calculated(o, i) && !have[o->sig[i].digest]) {
			have[o->sig[i].digest] = true;
			ret[n++] = o->sig[i].digest;
		}
	return n;
}

/* ---- judging ---- */

__attribute__((format(printf, 3, 4))) static void
worsen(struct sig_result *r, enum sig_outcome outcome, const char *fmt, ...)
{
	char text[SIG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	sig_worsen(r, outcome, text);
}

/* What is wrong with it whoever made it; false: no arithmetic is worth doing. */
static bool
judge_form(const struct openpgp *o, unsigned i, struct sig_result *r)
{
	const struct pgpsig *s = &o->sig[i];
	if (o->unread[i]) {
		sig_worsen(r, SIG_INVALID, o->unread[i]);
		return false;
	}
	r->digest = s->digest;
	r->have_claimed_time = true;
	r->claimed_time = s->created;
	if (s->type != PGPSIG_BINARY) {
		if (s->type == PGPSIG_TEXT)
			sig_worsen(r, SIG_INVALID,
			    "made over a text, whose line ends do not count: more than one file would fit");
		else
			worsen(r, SIG_INVALID, "of type 0x%02x, which is none over a file", s->type);
		return false;
	}
	if (!is_calculated(o, i)) {
		bool weak = s->hash_name[0] != 'a';
		worsen(r, weak ? SIG_WEAK : SIG_INVALID, "made with %s, which is not accepted", s->hash_name);
		r->reasons |= weak ? SIG_REASON_WEAK_DIGEST : 0;
		return false;
	}
	if (!s->have_issuer && !s->have_fpr) {
		sig_worsen(r, SIG_INVALID, "it does not say by which key it is");
		return false;
	}
	return true;
}

/* Of several files with one key, that which its owner said last; revoked in any is revoked. */
static const struct trust_key *
newest(const struct trust *t, const struct trust_key *key, bool *ret_revoked)
{
	*ret_revoked = key->pgp.revoked;
	for (size_t i = 0; i < trust_keys(t); i++) {
		const struct trust_key *other = trust_key_at(t, i);
		if (other->tool != TRUST_TOOL_OPENPGP ||
		    memcmp(other->pgp.fpr, key->pgp.fpr, sizeof key->pgp.fpr) != 0)
			continue;
		*ret_revoked |= other->pgp.revoked;
		if (other->pgp.stated > key->pgp.stated)
			key = other;
	}
	return key;
}

/* The key fits: who it is, and whether it may sign at that time. */
static void
judge_key(const struct pgpsig *s, const struct trust *t, const struct trust_key *fitting,
    unsigned rsa_bits_min, int64_t at, struct sig_result *r)
{
	bool revoked;
	const struct trust_key *key = newest(t, fitting, &revoked);
	char fpr[2 * PGPKEY_FPR_LEN + 1];
	hex_encode(key->pgp.fpr, sizeof key->pgp.fpr, fpr);
	r->signer.have_spki = true;
	memcpy(r->signer.spki_sha256, key->spki_sha256, DIGEST_SHA256_LEN);
	snprintf(r->signer.key_type, sizeof r->signer.key_type, "%s", key->key_type);
	snprintf(r->signer.anchor, sizeof r->signer.anchor, "%s", key->name);
	r->signer.published_key = key->published;
	r->reasons |= pubkey_reasons(key->pkey, rsa_bits_min);
	r->outcome = SIG_VERIFIED;
	snprintf(r->detail, sizeof r->detail, "fits OpenPGP key %s of %.120s", fpr, key->name);
	if (s->critical)
		sig_worsen(r, SIG_INVALID, "it demands something that is not understood here (a critical subpacket)");
	if (s->created < key->pgp.created)
		sig_worsen(r, SIG_INVALID, "it is dated before its key was made");
	if (revoked)
		worsen(r, SIG_REVOKED, "its key %s is revoked by its owner", fpr);
	if (!digest_is_strong(s->digest)) {
		worsen(r, SIG_WEAK, "made with %s", s->hash_name);
		r->reasons |= SIG_REASON_WEAK_DIGEST;
	}
	if (r->reasons & SIG_REASON_SHORT_RSA)
		sig_worsen(r, SIG_WEAK, "the key is shorter than the profile demands");
	if (s->created > at)
		worsen(r, SIG_EXPIRED, "it is dated %" PRId64 " seconds after the time of judging", s->created - at);
	if (s->expires && s->created + s->expires <= at)
		sig_worsen(r, SIG_EXPIRED, "the signature has run out, by its own word");
	if (key->pgp.expires && key->pgp.expires <= at)
		worsen(r, SIG_EXPIRED, "its key %s has run out", fpr);
}

static int
judge_one(const struct openpgp *o, unsigned i, const struct trust *t, unsigned rsa_bits_min, int64_t at,
    struct digest *const running[DIGEST_LIMIT], struct sig_result *r)
{
	const struct pgpsig *s = &o->sig[i];
	uint8_t sum[DIGEST_LEN_MAX];
	unsigned tried = 0;
	if (!judge_form(o, i, r))
		return 0;
	int err = pgpsig_digest(s, running[s->digest], sum);
	for (size_t k = 0; k < trust_keys(t) && !err; k++) {
		const struct trust_key *key = trust_key_at(t, k);
		bool fits = false;
		if (key->tool != TRUST_TOOL_OPENPGP || !pgpsig_may_be_by(s, key->pgp.fpr))
			continue;
		tried++;
		err = pgpsig_fits(s, key->pkey, sum, &fits);
		if (!err && fits) {
			judge_key(s, t, key, rsa_bits_min, at, r);
			return 0;
		}
	}
	if (err)
		return err;
	/* Nobody's arithmetic was done, so nothing more than the name can be said. */
	if (tried == 0) {
		char id[2 * PGPKEY_ID_LEN + 1];
		hex_encode(s->have_issuer ? s->issuer : s->fpr + PGPKEY_FPR_LEN - PGPKEY_ID_LEN,
		    PGPKEY_ID_LEN, id);
		worsen(r, SIG_UNTRUSTED, "it says that it is by key %s, which the trust set does not hold as one that signs",
		    id);
	} else {
		sig_worsen(r, SIG_INVALID, "it does not fit the key that it names");
	}
	return 0;
}

int
openpgp_judge(const struct openpgp *o, const struct trust *t, unsigned rsa_bits_min, int64_t at,
    struct digest *const running[DIGEST_LIMIT], struct sig_set *set)
{
	int err = 0;
	set->overflow |= o->overflow;
	for (unsigned i = 0; i < o->n && !err; i++) {
		struct sig_result r = { .outcome = SIG_UNKNOWN, .revocation = SIG_REVOCATION_NOT_APPLICABLE };
		if (set->n == SIG_SIGNERS_MAX) {
			set->overflow = true;
			break;
		}
		snprintf(r.scheme, sizeof r.scheme, "%s", SCHEME);
		err = judge_one(o, i, t, rsa_bits_min, at, running, &r);
		if (!err)
			set->result[set->n++] = r;
	}
	return err;
}
