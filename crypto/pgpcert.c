/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pgpcert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/pgppacket.h"
#include "crypto/pgpsig.h"
#include "crypto/pubkey.h"

/* The owner's last word about a key, in the signatures of one place. */
struct statement {
	bool made;
	int64_t created;
	bool have_flags;
	uint8_t flags;
	bool have_expires;
	uint32_t key_expires; /* seconds after the key was made; 0: never */
	int64_t ends;         /* when the statement itself runs out; 0: never */
	bool back;            /* of a subkey: it signed its primary key too */
};

struct subkey {
	struct pgpkey key;
	struct statement last;
	bool revoked;
};

/* What the signatures that come next are about. */
enum about { ABOUT_NOTHING = 0, ABOUT_PRIMARY, ABOUT_USER, ABOUT_SUBKEY };

struct cert {
	struct pgpkey primary;
	bool have;
	bool revoked;
	enum about about;
	unsigned user_tag;
	struct view user;
	struct statement user_last;
	int64_t user_revoked; /* INT64_MIN: not */
	struct statement direct;
	struct statement flags, expires; /* the newest of all user IDs that say anything about these */
	bool vouched; /* a user ID or the primary key itself stands */
	bool weak;    /* a signature of its own did not count for its digest */
	struct subkey sub[PGPCERT_SUBKEYS_MAX];
	unsigned sub_n, sigs;
	char *why;
	size_t cap;
};

__attribute__((format(printf, 2, 3))) static int
refuse(struct cert *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->why, c->cap, fmt, ap);
	va_end(ap);
	return FG_EFORMAT;
}

static void
forget(struct cert *c)
{
	char *why = c->why;
	size_t cap = c->cap;
	pgpkey_free(&c->primary);
	for (unsigned i = 0; i < c->sub_n; i++)
		pgpkey_free(&c->sub[i].key);
	*c = (struct cert){ .why = why, .cap = cap, .user_revoked = INT64_MIN };
}

/* ---- what is signed ---- */

static int
hash_key(struct digest *d, const struct pgpkey *key)
{
	const uint8_t head[] = { 0x99, (uint8_t)(key->body.n >> 8), (uint8_t)key->body.n };
	int err = digest_update(d, view_of(head, sizeof head));
	return err ? err : digest_update(d, key->body);
}

static int
hash_user(struct digest *d, unsigned tag, struct view user)
{
	const uint8_t head[] = { tag == PGPPACKET_USER_ID ? 0xb4 : 0xd1, (uint8_t)(user.n >> 24),
		(uint8_t)(user.n >> 16), (uint8_t)(user.n >> 8), (uint8_t)user.n };
	int err = digest_update(d, view_of(head, sizeof head));
	return err ? err : digest_update(d, user);
}

/* Does s, over the primary key and what it is about, fit by? */
static int
fits(struct cert *c, const struct pgpsig *s, const struct pgpkey *by, enum about about, bool *ret)
{
	uint8_t sum[DIGEST_LEN_MAX];
	*ret = false;
	if (s->digest == DIGEST_NONE || !by->pkey)
		return 0;
	struct digest *d = digest_new(s->digest);
	int err = d ? hash_key(d, &c->primary) : FG_ECRYPTO;
	if (!err && about == ABOUT_USER)
		err = hash_user(d, c->user_tag, c->user);
	else if (!err && about == ABOUT_SUBKEY)
		err = hash_key(d, &c->sub[c->sub_n - 1].key);
	if (!err)
		err = pgpsig_digest(s, d, sum);
	digest_free(d);
	return err ? err : pgpsig_fits(s, by->pkey, sum, ret);
}

/* ---- signatures ---- */

/* Does the subkey want to be this key's? Else anybody could hang another's subkey on theirs. */
static int
signed_back(struct cert *c, const struct pgpsig *binding, bool *ret)
{
	struct pgpsig back;
	const char *why;
	*ret = false;
	if (!binding->embedded.n || pgpsig_parse(binding->embedded, &back, &why) ||
	    back.type != PGPSIG_BACK || back.critical || back.expires || !digest_is_strong(back.digest))
		return 0;
	return fits(c, &back, &c->sub[c->sub_n - 1].key, ABOUT_SUBKEY, ret);
}

/* A signature of the primary key's own that stands, and is not older than what was said before. */
static void
note(struct statement *last, const struct pgpsig *s, bool back)
{
	if (last->made && s->created < last->created)
		return;
	*last = (struct statement){ .made = true,
		.created = s->created,
		.have_flags = s->have_flags,
		.flags = s->flags,
		.have_expires = s->have_key_expires,
		.key_expires = s->key_expires,
		.ends = s->expires ? s->created + s->expires : 0,
		.back = back };
}

static int
revocation(struct cert *c, const struct pgpsig *s, enum about about)
{
	bool own = false;
	int err = fits(c, s, &c->primary, about, &own);
	if (err)
		return err;
	if (!own)
		return refuse(c, "a revocation in it is not the key's own or cannot be checked: take it out, or the key");
	if (about == ABOUT_SUBKEY)
		c->sub[c->sub_n - 1].revoked = true;
	else
		c->revoked = true;
	return 0;
}

/* A type that belongs where it stands; others are not looked at. */
static bool
belongs(const struct cert *c, unsigned type)
{
	switch (c->about) {
	case ABOUT_NOTHING:
		return false;
	case ABOUT_PRIMARY:
		return type == PGPSIG_DIRECT || type == PGPSIG_KEY_REVOKED;
	case ABOUT_USER:
		return (type >= PGPSIG_CERT_FIRST && type <= PGPSIG_CERT_LAST) || type == PGPSIG_CERT_REVOKED;
	case ABOUT_SUBKEY:
		return type == PGPSIG_SUBKEY || type == PGPSIG_SUBKEY_REVOKED;
	}
	return false;
}

/* The type, as far as it can be told, of a packet that cannot be read otherwise. */
static bool
takes_something_back(struct view body)
{
	size_t at = body.n && body.p[0] == 3 ? 2 : 1;
	return body.n > at && (body.p[at] == PGPSIG_KEY_REVOKED || body.p[at] == PGPSIG_SUBKEY_REVOKED);
}

static int
signature(struct cert *c, struct view body)
{
	struct pgpsig s;
	const char *why = "";
	bool own = false, back = false;
	if (c->about == ABOUT_NOTHING)
		return refuse(c, "a signature stands where no key is before it");
	/* One that cannot be read is either somebody else's or says nothing in the key's favour. */
	if (pgpsig_parse(body, &s, &why))
		return takes_something_back(body) ? refuse(c, "a revocation in it cannot be read: %s", why) : 0;
	if (!belongs(c, s.type))
		return s.type == PGPSIG_KEY_REVOKED || s.type == PGPSIG_SUBKEY_REVOKED
		           ? refuse(c, "a revocation in it does not stand behind what it revokes")
		           : 0;
	bool takes_back = s.type == PGPSIG_KEY_REVOKED || s.type == PGPSIG_SUBKEY_REVOKED;
	if (!takes_back && !pgpsig_may_be_by(&s, c->primary.fpr))
		return 0; /* another's, about this key */
	if (++c->sigs > PGPCERT_OWN_SIGS_MAX)
		return refuse(c, "more than %d signatures of the key's own", PGPCERT_OWN_SIGS_MAX);
	if (takes_back)
		return revocation(c, &s, c->about);
	int err = fits(c, &s, &c->primary, c->about, &own);
	if (err)
		return err;
	if (s.type == PGPSIG_CERT_REVOKED) {
		/* One that says it is the key's own and does not fit counts as the latest: better none than a wrong one. */
		int64_t when = own ? s.created : INT64_MAX;
		c->user_revoked = when > c->user_revoked ? when : c->user_revoked;
		return 0;
	}
	if (!own || s.critical)
		return 0;
	if (!digest_is_strong(s.digest)) {
		c->weak = true;
		return 0;
	}
	if (c->about == ABOUT_SUBKEY)
		err = signed_back(c, &s, &back);
	if (!err)
		note(c->about == ABOUT_USER     ? &c->user_last
		     : c->about == ABOUT_SUBKEY ? &c->sub[c->sub_n - 1].last
		                                : &c->direct,
		    &s, back);
	return err;
}

/* ---- what it comes to ---- */

/* The user ID is at its end: it counts unless it was taken back after it was last signed. */
static void
close_user(struct cert *c)
{
	const struct statement *s = &c->user_last;
	if (s->made && s->created > c->user_revoked) {
		c->vouched = true;
		if (s->have_flags && (!c->flags.made || s->created >= c->flags.created))
			c->flags = *s;
		if ((s->have_expires || s->ends) && (!c->expires.made || s->created >= c->expires.created))
			c->expires = *s;
	}
	c->user_last = (struct statement){ .made = false };
	c->user_revoked = INT64_MIN;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 ? b : b == 0 || a < b ? a : b;
}

/* When s says that key runs out; 0: never. */
static int64_t
end_of(const struct statement *s, const struct pgpkey *key)
{
	int64_t end = s->have_expires && s->key_expires ? key->created + s->key_expires : 0;
	return s->made ? sooner(end, s->ends) : 0;
}

struct handing {
	int (*add)(void *arg, struct pgpcert_key *key);
	void *arg;
	unsigned n;
};

static int
hand(struct handing *h, struct pgpkey *from, struct pgpcert_key key)
{
	key.pkey = from->pkey;
	memcpy(key.fpr, from->fpr, sizeof key.fpr);
	key.created = from->created > key.created ? from->created : key.created;
	from->pkey = NULL;
	int err = h->add(h->arg, &key);
	if (err)
		EVP_PKEY_free(key.pkey);
	h->n += !err;
	return err;
}

/* As GnuPG does: what the key says of itself goes before what its user IDs say of it. */
static int
finish(struct cert *c, struct handing *h)
{
	char why[128];
	if (!c->have)
		return 0;
	close_user(c);
	if (!c->vouched && !c->direct.made)
		return refuse(c, c->weak ? "all that the key says of itself is signed with a weak digest"
		                         : "nothing that the key says of itself is signed by it and stands");
	const struct statement *flags = c->direct.have_flags ? &c->direct : &c->flags;
	const struct statement *expires = c->direct.have_expires ? &c->direct : &c->expires;
	int64_t end = sooner(end_of(expires, &c->primary), c->direct.ends);
	int64_t stated = c->direct.created > c->flags.created ? c->direct.created : c->flags.created;
	stated = c->expires.created > stated ? c->expires.created : stated;
	int err = 0;
	for (unsigned i = 0; i < c->sub_n && !err; i++) {
		struct subkey *s = &c->sub[i];
		if (!s->last.made || !s->last.have_flags || !(s->last.flags & PGPSIG_FLAG_SIGN) ||
		    !s->last.back || !s->key.pkey || !pubkey_is_fit(s->key.pkey, 0, why, sizeof why))
			continue;
		err = hand(h, &s->key,
		    (struct pgpcert_key){ .created = c->primary.created,
		        .expires = sooner(end, end_of(&s->last, &s->key)),
		        .stated = s->last.created > stated ? s->last.created : stated,
		        .revoked = s->revoked || c->revoked });
	}
	/* Without any flags the kind of key decides, and every kind here can sign. */
	if (!err && (!flags->have_flags || (flags->flags & PGPSIG_FLAG_SIGN)))
		err = hand(h, &c->primary,
		    (struct pgpcert_key){ .expires = end, .stated = stated, .revoked = c->revoked });
	return err;
}

/* ---- packets ---- */

static int
open_primary(struct cert *c, struct view body, struct handing *h)
{
	char fit[128];
	const char *why = "";
	int err = finish(c, h);
	forget(c);
	if (!err)
		err = pgpkey_parse(body, &c->primary, &why);
	if (err)
		return err == FG_EFORMAT && why[0] ? refuse(c, "%s", why) : err;
	c->have = true;
	c->about = ABOUT_PRIMARY;
	if (!c->primary.pkey)
		return refuse(c, "its primary key is of a kind that is not supported: neither RSA, P-256, P-384 nor Ed25519");
	if (!pubkey_is_fit(c->primary.pkey, 0, fit, sizeof fit))
		return refuse(c, "its primary key may not be an anchor: %s", fit);
	return 0;
}

static int
open_subkey(struct cert *c, struct view body)
{
	const char *why = "";
	close_user(c);
	if (c->sub_n == PGPCERT_SUBKEYS_MAX)
		return refuse(c, "more than %d subkeys", PGPCERT_SUBKEYS_MAX);
	struct subkey *s = &c->sub[c->sub_n];
	*s = (struct subkey){ .revoked = false };
	int err = pgpkey_parse(body, &s->key, &why);
	if (err)
		return err == FG_EFORMAT ? refuse(c, "%s", why) : err;
	c->sub_n++;
	c->about = ABOUT_SUBKEY;
	return 0;
}

static int
packet(struct cert *c, const struct pgppacket *p, struct handing *h)
{
	if (p->tag == PGPPACKET_PUBLIC_KEY)
		return open_primary(c, p->body, h);
	if (p->tag == PGPPACKET_SECRET_KEY || p->tag == PGPPACKET_SECRET_SUBKEY)
		return refuse(c, "a private key has no place in a trust set; take it out of this file");
	if (p->tag == PGPPACKET_MARKER || p->tag == PGPPACKET_TRUST)
		return 0;
	if (!c->have)
		return refuse(c, "it does not begin with a public key");
	if (p->tag == PGPPACKET_SIGNATURE)
		return signature(c, p->body);
	if (p->tag == PGPPACKET_PUBLIC_SUBKEY)
		return open_subkey(c, p->body);
	if (p->tag != PGPPACKET_USER_ID && p->tag != PGPPACKET_USER_ATTRIBUTE)
		return refuse(c, "a packet of kind %u, which no public key has", p->tag);
	close_user(c);
	c->about = ABOUT_USER;
	c->user_tag = p->tag;
	c->user = p->body;
	return 0;
}

bool
pgpcert_recognise(struct view file)
{
	struct view rest = file;
	struct pgppacket p;
	if (pgppacket_is_armoured(file, "PGP PUBLIC KEY BLOCK") ||
	    pgppacket_is_armoured(file, "PGP PRIVATE KEY BLOCK"))
		return true;
	return pgppacket_next(&rest, &p) == 1 && p.body.n > 6 && p.body.p[0] >= 2 && p.body.p[0] <= 6 &&
	       (p.tag == PGPPACKET_PUBLIC_KEY || p.tag == PGPPACKET_SECRET_KEY);
}

int
pgpcert_read(struct view packets, int (*add)(void *arg, struct pgpcert_key *key), void *arg,
    char *ret_why, size_t cap)
{
	struct handing h = { .add = add, .arg = arg };
	struct view rest = packets;
	struct pgppacket p;
	int more = 0, err = 0;
	struct cert *c = calloc(1, sizeof *c);
	if (!c)
		return FG_ENOMEM;
	c->why = ret_why;
	c->cap = cap;
	c->user_revoked = INT64_MIN;
	while (!err && (more = pgppacket_next(&rest, &p)) == 1)
		err = packet(c, &p, &h);
	if (!err && more < 0)
		err = refuse(c, "a malformed packet");
	if (!err)
		err = finish(c, &h);
	if (!err && h.n == 0)
		err = refuse(c, "no key in it may sign: none is made for that, or a subkey has not signed its primary key");
	forget(c);
	free(c);
	return err;
}
