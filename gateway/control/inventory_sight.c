/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests teach. Everything here comes from outside, so the question is
 * each time: who says so? A claim (class D) makes a module known by that claim, and
 * nothing else: it does not join identities, and where a module is known by
 * something better it changes nothing at all but when it was last heard of.
 */
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/inventory_private.h"
#include "policy/identity.h"
#include "policy/profile.h"
#include "policy/rollout.h"

#define HOUR 3600

static bool
may_learn(struct inventory *inv, int64_t now)
{
	/* A clock set back begins a new hour too: it must not stop learning for years. */
	if (now - inv->hour_began >= HOUR || now < inv->hour_began) {
		inv->hour_began = now;
		inv->learnt = 0;
	}
	return inv->learnt < INVENTORY_LEARN_PER_HOUR;
}

static bool
is_identity(const struct msg_ident *i)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct view text = view_str(i->text);
	if (i->kind == IDENTITY_KIND_NONE || i->kind > IDENTITY_SERIAL || i->cls == IDENTITY_CLASS_NONE ||
	    i->cls > IDENTITY_D || text.n == 0 || !visible_is_plain(text))
		return false;
	return i->kind != IDENTITY_TOKEN || hex_decode(text, digest, sizeof digest);
}

/* A before D, then the order of the request; NULL when one of them is no identity. */
static const struct msg_ident *
lead_of(const struct msg_sighting *s)
{
	const struct msg_ident *best = NULL;
	for (uint32_t i = 0; i < s->idents_n; i++) {
		if (!is_identity(&s->idents[i]))
			return NULL;
		if (!best || s->idents[i].cls < best->cls)
			best = &s->idents[i];
	}
	return best;
}

unsigned
inventory_best_class(const struct inventory_module *m)
{
	unsigned best = IDENTITY_D;
	for (unsigned i = 0; i < m->idents_n; i++)
		if (m->ident[i].cls < best)
			best = m->ident[i].cls;
	return best;
}

static bool
has_kind(const struct inventory_module *m, unsigned kind)
{
	for (unsigned i = 0; i < m->idents_n; i++)
		if (m->ident[i].kind == kind)
			return true;
	return false;
}

/*
 * Adds what the same connection proved besides. Claims are left out: whoever
 * has a certificate of his own could otherwise put another's IMEI under it.
 */
static int
add_proved(struct inventory *inv, struct inventory_module *m, const struct msg_sighting *s, bool *ret_conflict)
{
	for (uint32_t i = 0; i < s->idents_n; i++) {
		const struct msg_ident *one = &s->idents[i];
		const struct inventory_module *owner = inventory_lookup(inv, one->kind, view_str(one->text));
		if (owner && owner != m)
			*ret_conflict = true;
		if (owner || one->cls == IDENTITY_D || has_kind(m, one->kind))
			continue;
		int r = inventory_attach(inv, m, one->kind, one->cls, one->text);
		if (r && r != FG_ELIMIT)
			return r;
	}
	return 0;
}

/* What a module says of itself, by an identity as good as any it has. */
static int
take_word(struct inventory *inv, struct inventory_module *m, const struct profile *p, const struct msg_sighting *s,
    unsigned cls)
{
	int r = 0;
	if (p)
		r = inventory_change(inv, m, &m->profile, p->name, NULL);
	/* Which product a listed module is, its operator said. */
	if (!r && s->product[0] && (!m->listed || !m->product[0]) && visible_is_plain(view_str(s->product)))
		r = inventory_change(inv, m, &m->product, s->product, NULL);
	if (r || !s->current[0] || !visible_is_plain(view_str(s->current)))
		return r;
	r = inventory_change(inv, m, &m->version, s->current, NULL);
	m->version_cls = (uint8_t)cls;
	/* The table's version decides without the module's word: a claim must not take an offer away by it. */
	if (!r && cls != IDENTITY_D)
		r = inventory_change(inv, m, &m->sure, s->current, NULL);
	return r;
}

static int
learn(struct inventory *inv, const struct profile *p, const struct msg_ident *lead, int64_t now,
    struct inventory_module **ret)
{
	if (!may_learn(inv, now))
		return FG_ELIMIT;
	int r = inventory_make(inv, lead->kind, lead->cls, lead->text, ret);
	if (r)
		return r;
	inv->learnt++;
	(*ret)->first_seen = now;
	if (!p)
		return inventory_place_one(inv, *ret, now);
	/* The network's word. The profile's default is not written: whoever asks has that of the profile in force. */
	r = inventory_change(inv, *ret, &(*ret)->group, identity_network_group(p, lead->kind, view_str(lead->text)), NULL);
	if (!r)
		r = inventory_change(inv, *ret, &(*ret)->profile, p->name, NULL);
	return r ? r : inventory_place_one(inv, *ret, now);
}

int64_t
inventory_usual(int64_t seconds)
{
	return seconds < 0 ? 0 : seconds < ROLLOUT_USUAL_MAX ? seconds : ROLLOUT_USUAL_MAX;
}

/* How often it comes, for whoever has to say that it is silent: three parts habit, one part the last time. */
static void
note_heard(struct inventory_module *m, int64_t now)
{
	int64_t gap = m->heard > 0 ? inventory_usual(now - m->heard) : 0;
	if (gap >= INVENTORY_GAP_MIN)
		m->usual = m->usual ? (3 * m->usual + gap) / 4 : gap;
	m->heard = now;
}

int
inventory_sight(struct inventory *inv, const struct profile *p, const struct msg_sighting *s, int64_t now,
    struct inventory_seen *ret)
{
	struct inventory_seen seen = { 0 };
	if (s->idents_n == 0)
		return FG_ENOTFOUND;
	const struct msg_ident *lead = lead_of(s);
	if (!lead)
		return FG_EPEER;
	struct inventory_module *m = inventory_lookup(inv, lead->kind, view_str(lead->text));
	int r = 0;
	if (!m) {
		seen.created = true;
		r = learn(inv, p, lead, now, &m);
	}
	if (!r)
		r = add_proved(inv, m, s, &seen.conflict);
	seen.weak = !r && lead->cls > inventory_best_class(m);
	if (!r && !seen.weak)
		r = take_word(inv, m, p, s, lead->cls);
	if (r)
		return r;
	if (!seen.weak && lead->cls < IDENTITY_D)
		note_heard(m, now);
	if (!m->first_seen) {
		m->first_seen = now; /* it had only been imported */
		inv->stale = true;   /* the table says since when it is known */
	}
	m->last_seen = now;
	m->last_answer = s->answer;
	m->have_last_resource = true;
	memcpy(m->last_resource, s->resource, MSG_ID);
	inventory_touch(inv, m);
	seen.module = m;
	seen.lead = lead->cls;
	*ret = seen;
	return 0;
}
