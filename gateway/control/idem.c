/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/idem.h"

#include <stdlib.h>

#include "crypto/wipe.h"

enum state { FREE = 0, BUSY, GIVEN, KEPT };

struct slot {
	enum state state;
	struct idem_key k;
	int64_t since;
	uint64_t serial; /* order of beginning */
	uint8_t status;
	uint8_t *doc;
	size_t n;
};

struct idem {
	uint64_t serial;
	struct slot slot[IDEM_MAX];
};

struct idem *
idem_new(void)
{
	return calloc(1, sizeof(struct idem));
}

/* What it holds may be a token's secret. */
static void
clear(struct slot *s)
{
	if (s->doc)
		wipe(s->doc, s->n);
	free(s->doc);
	*s = (struct slot){ 0 };
}

void
idem_free(struct idem *i)
{
	for (unsigned n = 0; i && n < IDEM_MAX; n++)
		clear(&i->slot[n]);
	free(i);
}

static struct slot *
find(struct idem *i, const struct idem_key *k)
{
	for (unsigned n = 0; n < IDEM_MAX; n++)
		if (i->slot[n].state && memcmp(i->slot[n].k.who, k->who, sizeof k->who) == 0 &&
		    memcmp(i->slot[n].k.key, k->key, sizeof k->key) == 0)
			return &i->slot[n];
	return NULL;
}

/* A place for one more: an empty one, or the oldest answered; of the caller's own when he has his share. */
static struct slot *
place(struct idem *i, const struct idem_key *k)
{
	struct slot *empty = NULL, *oldest = NULL, *own = NULL;
	unsigned own_n = 0;
	for (unsigned n = 0; n < IDEM_MAX; n++) {
		struct slot *s = &i->slot[n];
		if (!s->state) {
			empty = empty ? empty : s;
			continue;
		}
		bool his = memcmp(s->k.who, k->who, sizeof k->who) == 0;
		own_n += his;
		if (s->state == BUSY)
			continue;
		if (!oldest || s->serial < oldest->serial)
			oldest = s;
		if (his && (!own || s->serial < own->serial))
			own = s;
	}
	if (own_n >= IDEM_OF_ONE)
		return own;
	return empty ? empty : oldest;
}

enum idem_found
idem_begin(struct idem *i, const struct idem_key *k, int64_t now, uint8_t *status, struct view *doc)
{
	for (unsigned n = 0; n < IDEM_MAX; n++)
		if (i->slot[n].state > BUSY && now - i->slot[n].since >= IDEM_SECONDS)
			clear(&i->slot[n]);
	struct slot *s = find(i, k);
	if (!s) {
		s = place(i, k);
		if (!s)
			return IDEM_FULL;
		clear(s);
		*s = (struct slot){ .state = BUSY, .k = *k, .since = now, .serial = ++i->serial };
		return IDEM_NEW;
	}
	if (memcmp(s->k.asked, k->asked, sizeof k->asked) != 0)
		return IDEM_OTHER;
	if (s->state != KEPT)
		return s->state == BUSY ? IDEM_BUSY : IDEM_GIVEN;
	*status = s->status;
	*doc = view_of(s->doc, s->n);
	return IDEM_AGAIN;
}

void
idem_done(struct idem *i, const struct idem_key *k, uint8_t status, const struct view *doc)
{
	struct slot *s = find(i, k);
	if (!s || s->state != BUSY)
		return;
	s->state = GIVEN;
	if (!doc || !doc->n || doc->n > IDEM_ANSWER_MAX || !(s->doc = malloc(doc->n)))
		return;
	memcpy(s->doc, doc->p, doc->n);
	s->n = doc->n;
	s->status = status;
	s->state = KEPT;
}

void
idem_drop(struct idem *i, const struct idem_key *k)
{
	struct slot *s = find(i, k);
	if (s && s->state == BUSY)
		clear(s);
}
