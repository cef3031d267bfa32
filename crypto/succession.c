/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/succession.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/reader.h"

int
succession_bundle_parse(struct view bytes, struct succession_bundle *ret)
{
	struct succession_bundle b = { 0 };
	struct reader r;
	reader_init(&r, bytes);
	b.text = reader_blob(&r, SIGNERS_SET_BYTES_MAX);
	uint32_t n = reader_u32(&r);
	if (!b.text.n || n > SIGNERS_MAX)
		return FG_EPEER;
	for (uint32_t i = 0; i < n; i++)
		b.sig[i].armour = reader_blob(&r, SSHSIG_ARMOR_MAX);
	b.n = n;
	if (!reader_end(&r))
		return FG_EPEER;
	*ret = b;
	return FG_OK;
}

int
succession_bundle_write(const struct succession_bundle *b, struct writer *w)
{
	writer_blob(w, b->text);
	writer_u32(w, b->n);
	for (unsigned i = 0; i < b->n; i++)
		writer_blob(w, b->sig[i].armour);
	return writer_err(w);
}

static int __attribute__((format(printf, 2, 3)))
no(struct succession_answer *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->why, sizeof a->why, fmt, ap);
	va_end(ap);
	return FG_OK;
}

/* Persons who can still sign, or will be able to: a key that has run out is nobody's. */
static uint32_t
reach(const struct signers *s, int64_t now)
{
	uint32_t persons = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		bool counted = s->signer[i].valid_before <= now;
		for (uint32_t k = 0; k < i && !counted; k++)
			counted = s->signer[k].valid_before > now && !strcmp(s->signer[k].principal, s->signer[i].principal);
		persons += !counted;
	}
	return persons;
}

/* Empty why: it follows, and nobody is shut out by it. */
static int
proper(const struct succession_case *c, const struct succession_bundle *b, struct succession_answer *a)
{
	const struct genesis *g = c->genesis;
	const struct signers *next = &a->next;
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = signers_parse(b->text, g->origin, &a->next, a->why, sizeof a->why);
	if (err)
		return err == FG_EFORMAT ? FG_OK : err;
	err = digest_sha256(c->old_text, digest);
	if (err)
		return err;
	if (next->number >= SIGNERS_CHAIN_MAX) /* the warden and control follow no chain that is full */
		return no(a, "there have been too many signer sets");
	if (next->number != c->old->number + 1 || memcmp(next->previous, digest, sizeof digest))
		return no(a, "it does not follow the signer set in force, which is number %u", c->old->number);
	if (next->time < c->old->time)
		return no(a, "it is older than the signer set in force");
	if (next->time > c->now + SUCCESSION_SKEW)
		return no(a, "its time lies in the future");
	if (c->now - next->time > SUCCESSION_WINDOW)
		return no(a, "it was written more than %d hours ago", SUCCESSION_WINDOW / 3600);
	uint32_t persons = reach(next, c->now);
	if (persons < g->floor_production || persons < g->floor_canary)
		return no(a, "it leaves %u persons, fewer than genesis asks for a release", persons);
	if (persons < next->threshold)
		return no(a, "its threshold is more than there are persons whose keys have not run out");
	for (uint32_t i = 0; i < next->n; i++) {
		err = sshkey_digest(&next->signer[i].key, digest);
		if (err)
			return err;
		for (unsigned k = 0; k < c->suspended_n; k++) {
			if (!memcmp(c->suspended[k].key, digest, sizeof digest) && c->suspended[k].at >= next->time)
				return no(a, "it lists a key of %s that was suspended after it was written",
				    next->signer[i].principal);
		}
	}
	return FG_OK;
}

/* Persons with a signature that holds at both times: when the set was written, as the chain asks, and now. */
static int
count(const struct succession_case *c, const struct signers *set, const struct succession_bundle *b,
    struct succession_answer *a, unsigned *ret)
{
	struct signers *counting = malloc(sizeof *counting);
	struct signers_signature good[SIGNERS_MAX];
	unsigned n = 0, persons = 0;
	int err = counting ? signers_without(set, c->suspended, c->suspended_n, counting) : FG_ENOMEM;
	for (unsigned i = 0; !err && i < b->n; i++) {
		unsigned then = 0, now = 0;
		err = signers_count(counting, b->text, SIGNERS_NAMESPACE, a->next.time, &b->sig[i], 1, NULL, 0, &then, NULL,
		    NULL);
		if (!err)
			err = signers_count(counting, b->text, SIGNERS_NAMESPACE, c->now, &b->sig[i], 1, NULL, 0, &now, NULL, NULL);
		if (!err && then && now) {
			a->good[i] = true;
			good[n++] = b->sig[i];
		}
	}
	if (!err)
		err = signers_count(counting, b->text, SIGNERS_NAMESPACE, c->now, good, n, NULL, 0, &persons, NULL, NULL);
	free(counting);
	*ret = persons;
	return err;
}

int
succession_judge(const struct succession_case *c, const struct succession_bundle *b, struct succession_answer *ret)
{
	struct succession_answer *a = calloc(1, sizeof *a);
	int err = a ? proper(c, b, a) : FG_ENOMEM;
	if (!err && !a->why[0]) {
		a->proper = true;
		a->need_old = c->old->threshold;
		a->need_new = a->next.threshold;
		err = count(c, c->old, b, a, &a->by_old);
		if (!err)
			err = count(c, &a->next, b, a, &a->by_new);
		if (!err && a->by_old < a->need_old)
			no(a, "%u of %u persons of the set in force have signed", a->by_old, a->need_old);
		else if (!err && a->by_new < a->need_new)
			no(a, "%u of %u persons of the new set have signed", a->by_new, a->need_new);
		a->enough = !err && !a->why[0];
	}
	if (!err)
		*ret = *a;
	free(a);
	return err;
}
