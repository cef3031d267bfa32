/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/pseudonym.h"
#include "crypto/visible.h"
#include "crypto/wipe.h"
#include "gateway/control/inventory_private.h"
#include "gateway/edge/siphash.h"
#include "policy/config.h"
#include "policy/identity.h"

#define SLOTS_MIN 1024

/* ---- indexes ---- */

/* Pseudonyms are HMAC values: their own bytes are hash enough. */
static size_t
name_slot(const struct inventory *inv, const uint8_t *pseudonym)
{
	uint64_t h;
	memcpy(&h, pseudonym, sizeof h);
	size_t i = (size_t)h & (inv->names_n - 1);
	while (inv->name[i] && memcmp(inv->name[i]->pseudonym, pseudonym, MSG_ID) != 0)
		i = (i + 1) & (inv->names_n - 1);
	return i;
}

static size_t
ident_slot(const struct inventory *inv, unsigned kind, struct view text)
{
	/* Kinds are told apart by the comparison; the same text under two of them is rare. */
	size_t i = (size_t)siphash_24(inv->seed, text) & (inv->slots_n - 1);
	for (; inv->ident[i].module; i = (i + 1) & (inv->slots_n - 1)) {
		const struct inventory_ident *one = &inv->ident[i].module->ident[inv->ident[i].which];
		if (one->kind == kind && view_is(text, one->text))
			break;
	}
	return i;
}

struct inventory_module *
inventory_lookup(const struct inventory *inv, unsigned kind, struct view text)
{
	return inv->ident[ident_slot(inv, kind, text)].module;
}

static struct inventory_module *
by_name(const struct inventory *inv, const uint8_t *pseudonym)
{
	return inv->name[name_slot(inv, pseudonym)];
}

/* Lays out both indexes anew, in arrays that are large enough. */
static void
reindex(struct inventory *inv)
{
	memset(inv->name, 0, inv->names_n * sizeof *inv->name);
	memset(inv->ident, 0, inv->slots_n * sizeof *inv->ident);
	for (size_t i = 0; i < inv->n; i++) {
		struct inventory_module *m = inv->all[i];
		inv->name[name_slot(inv, m->pseudonym)] = m;
		for (unsigned k = 0; k < m->idents_n; k++)
			inv->ident[ident_slot(inv, m->ident[k].kind, view_str(m->ident[k].text))] =
			    (struct inventory_slot){ m, (uint8_t)k };
	}
}

/* The first bytes of a pseudonym, which go before the others in its order. */
static uint64_t
front_of(const uint8_t pseudonym[MSG_ID])
{
	uint64_t front = 0;
	for (unsigned i = 0; i < sizeof front; i++)
		front = front << 8 | pseudonym[i];
	return front;
}

/* Room for one more module and one more identity; afterwards adding them cannot fail. */
static int
reserve(struct inventory *inv)
{
	if (inv->n == inv->cap) {
		size_t cap = inv->cap ? inv->cap * 2 : SLOTS_MIN;
		struct inventory_module **all = reallocarray(inv->all, cap, sizeof *all);
		if (!all)
			return FG_ENOMEM;
		inv->all = all;
		uint64_t *front = reallocarray(inv->front, cap, sizeof *front);
		if (!front)
			return FG_ENOMEM;
		inv->front = front;
		inv->cap = cap;
	}
	/* At most half full. */
	size_t names = inv->names_n ? inv->names_n : SLOTS_MIN, slots = inv->slots_n ? inv->slots_n : SLOTS_MIN;
	while (names < 2 * (inv->n + 1))
		names *= 2;
	while (slots < 2 * (inv->idents_n + 1))
		slots *= 2;
	if (names == inv->names_n && slots == inv->slots_n)
		return 0;
	struct inventory_module **name = calloc(names, sizeof *name);
	struct inventory_slot *ident = calloc(slots, sizeof *ident);
	if (!name || !ident) {
		free(name);
		free(ident);
		return FG_ENOMEM;
	}
	free(inv->name);
	free(inv->ident);
	inv->name = name;
	inv->names_n = names;
	inv->ident = ident;
	inv->slots_n = slots;
	reindex(inv);
	return 0;
}

/* ---- modules ---- */

void
inventory_touch(struct inventory *inv, struct inventory_module *m)
{
	if (m->dirty)
		return;
	m->dirty = true;
	m->next_dirty = inv->dirty;
	inv->dirty = m;
}

static void
module_free(struct inventory *inv, struct inventory_module *m)
{
	const char *const texts[] = { m->profile, m->group, m->ruled, m->product, m->version, m->sure, m->tags,
		m->placed_in };
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i])
			words_drop(inv->words, texts[i]);
	for (unsigned i = 0; i < m->idents_n; i++) {
		wipe(m->ident[i].text, strlen(m->ident[i].text));
		free(m->ident[i].text);
	}
	free(m);
}

static struct inventory_module *
module_new(void)
{
	struct inventory_module *m = calloc(1, sizeof *m);
	if (m)
		m->profile = m->group = m->ruled = m->product = m->version = m->sure = m->tags = m->placed_in = "";
	return m;
}

/* Its pseudonym is set. Takes it only when it returns 0. */
static int
insert(struct inventory *inv, struct inventory_module *m)
{
	if (inv->n >= INVENTORY_MODULES_MAX)
		return FG_ELIMIT;
	int r = reserve(inv);
	if (r)
		return r;
	size_t slot = name_slot(inv, m->pseudonym);
	if (inv->name[slot])
		return FG_EEXIST;
	inv->name[slot] = m;
	inv->front[inv->n] = front_of(m->pseudonym);
	inv->all[inv->n++] = m;
	return 0;
}

int
inventory_attach(struct inventory *inv, struct inventory_module *m, unsigned kind, unsigned cls, const char *text)
{
	if (m->idents_n == DB_IDENTS_MAX || strlen(text) >= DB_IDENT_MAX)
		return FG_ELIMIT;
	int r = reserve(inv);
	char *copy = r ? NULL : strdup(text);
	if (!copy)
		return FG_ENOMEM;
	size_t slot = ident_slot(inv, kind, view_str(copy));
	if (inv->ident[slot].module)
		abort(); /* the caller has looked */
	m->ident[m->idents_n] = (struct inventory_ident){ .kind = (uint8_t)kind, .cls = (uint8_t)cls, .text = copy };
	inv->ident[slot] = (struct inventory_slot){ m, (uint8_t)m->idents_n };
	m->idents_n++;
	inv->idents_n++;
	inv->stale = true;
	inventory_touch(inv, m);
	return 0;
}

static void
stranger_key(const uint8_t pseudonym[MSG_ID], uint8_t key[SHELF_KEY])
{
	memset(key, 0, SHELF_KEY);
	memcpy(key, pseudonym, MSG_ID);
}

static bool
is_stranger(const struct inventory *inv, const uint8_t pseudonym[MSG_ID])
{
	uint8_t key[SHELF_KEY];
	stranger_key(pseudonym, key);
	return shelf_find(&inv->strangers, key) != NULL;
}

int
inventory_hold_stranger(struct inventory *inv, const uint8_t pseudonym[MSG_ID])
{
	uint8_t key[SHELF_KEY];
	stranger_key(pseudonym, key);
	return shelf_make(&inv->strangers, key) ? FG_OK : FG_ENOMEM;
}

int
inventory_make(struct inventory *inv, unsigned kind, unsigned cls, const char *text, struct inventory_module **ret)
{
	struct inventory_module *m = module_new();
	if (!m)
		return FG_ENOMEM;
	int r = pseudonym_make(view_of(inv->key, inv->key_n), identity_kind_name((enum identity_kind)kind),
	    view_str(text), m->pseudonym);
	if (!r)
		r = insert(inv, m);
	if (r) {
		module_free(inv, m);
		return r;
	}
	m->held = is_stranger(inv, m->pseudonym);
	inv->unplaced = true;
	r = inventory_attach(inv, m, kind, cls, text);
	if (r) { /* undo: the last one in, and nobody has seen it */
		inv->n--;
		reindex(inv);
		module_free(inv, m);
		return r;
	}
	*ret = m;
	return 0;
}

int
inventory_change(struct inventory *inv, struct inventory_module *m, const char **field, const char *value,
    bool *ret_changed)
{
	if (strcmp(*field, value) == 0)
		return 0;
	const char *shared = words_take(inv->words, value);
	if (!shared)
		return FG_ENOMEM;
	words_drop(inv->words, *field);
	*field = shared;
	inventory_touch(inv, m);
	/* What a module last said of itself, and where, the table does not hold; nor tags, but what a rule makes of them. */
	if (field != &m->version && field != &m->profile && field != &m->tags)
		inv->stale = true;
	if (ret_changed)
		*ret_changed = true;
	if (field == &m->group || field == &m->profile)
		inventory_moved(inv, m);
	return field == &m->profile || field == &m->product || field == &m->tags ? inventory_regroup(inv, m) : 0;
}

/* ---- groups by rule ---- */

int
inventory_regroup(struct inventory *inv, struct inventory_module *m)
{
	struct view imei = view_of(NULL, 0);
	const struct config *c = inv->config;
	for (unsigned i = 0; i < m->idents_n; i++)
		if (m->ident[i].kind == IDENTITY_IMEI)
			imei = view_str(m->ident[i].text);
	const char *want = c && m->listed ? group_by_rule(c->groups, c->groups_n, m->profile, m->product, m->tags, imei) : "";
	if (strcmp(want, m->ruled) == 0)
		return 0;
	const char *shared = words_take(inv->words, want);
	if (!shared)
		return FG_ENOMEM;
	words_drop(inv->words, m->ruled);
	m->ruled = shared;
	inv->stale = true;
	inventory_moved(inv, m);
	return 0;
}

/* The group it is in, be it only by its profile's default: another default moves it, too. */
static const char *
place_of(struct inventory *inv, const struct inventory_module *m)
{
	const struct config *c = inv->config;
	const char *group = inventory_group(m);
	if (group[0] || !c || !m->profile[0])
		return group;
	for (size_t i = 0; i < c->profiles_n && !(inv->recent && !strcmp(inv->recent->name, m->profile)); i++)
		if (strcmp(c->profiles[i].name, m->profile) == 0)
			inv->recent = &c->profiles[i];
	return inv->recent && !strcmp(inv->recent->name, m->profile) ? inv->recent->default_group : "";
}

void
inventory_moved(struct inventory *inv, struct inventory_module *m)
{
	if (m->placed && strcmp(place_of(inv, m), m->placed_in) == 0)
		return;
	m->placed = 0;
	inv->unplaced = true;
}

int
inventory_place_one(struct inventory *inv, struct inventory_module *m, int64_t now)
{
	const char *shared = words_take(inv->words, place_of(inv, m));
	if (!shared)
		return FG_ENOMEM;
	words_drop(inv->words, m->placed_in);
	m->placed_in = shared;
	m->placed = now;
	inv->stale = true;
	inventory_touch(inv, m);
	return 0;
}

void
inventory_place(struct inventory *inv, int64_t now)
{
	if (!inv->unplaced)
		return;
	inv->unplaced = false;
	for (size_t i = 0; i < inv->n; i++)
		if (!inv->all[i]->placed && inventory_place_one(inv, inv->all[i], now))
			inv->unplaced = true;
}

int
inventory_rules(struct inventory *inv, const struct config *c)
{
	int r = 0;
	inv->config = c;
	inv->recent = NULL;
	for (size_t i = 0; i < inv->n; i++) {
		int one = inventory_regroup(inv, inv->all[i]);
		inventory_moved(inv, inv->all[i]);
		r = r ? r : one;
	}
	return r;
}

const char *
inventory_group(const struct inventory_module *m)
{
	return m->group[0] ? m->group : m->ruled;
}

/* ---- loading and writing ---- */

static int
load_texts(struct inventory *inv, struct inventory_module *m, const struct db_module *row)
{
	int r = inventory_change(inv, m, &m->profile, row->profile, NULL);
	if (!r)
		r = inventory_change(inv, m, &m->group, row->group, NULL);
	if (!r)
		r = inventory_change(inv, m, &m->product, row->product, NULL);
	if (!r)
		r = inventory_change(inv, m, &m->version, row->version, NULL);
	if (!r)
		r = inventory_change(inv, m, &m->sure, row->sure, NULL);
	if (!r)
		r = inventory_change(inv, m, &m->tags, row->tags, NULL);
	/* The rules have not been read yet: whether it is where it was then, inventory_rules() says. */
	if (!r)
		r = inventory_change(inv, m, &m->placed_in, row->placed_in, NULL);
	m->placed = row->placed;
	return r;
}

static int
load_one(void *arg, const struct db_module *row)
{
	struct inventory *inv = arg;
	struct inventory_module *m = module_new();
	if (!m)
		return FG_ENOMEM;
	memcpy(m->pseudonym, row->pseudonym, MSG_ID);
	m->version_cls = row->version_cls;
	m->listed = row->listed;
	m->held = row->held;
	m->first_seen = row->first_seen;
	m->last_seen = row->last_seen;
	m->heard = row->last_seen; /* a claim may have moved it: what comes of that is patience */
	m->usual = inventory_usual(row->usual);
	m->last_answer = row->last_answer;
	m->have_last_resource = row->have_last_resource;
	memcpy(m->last_resource, row->last_resource, MSG_ID);
	int r = insert(inv, m);
	if (r) {
		module_free(inv, m);
		return r;
	}
	r = load_texts(inv, m, row);
	for (uint32_t i = 0; !r && i < row->idents_n; i++)
		r = inventory_attach(inv, m, row->ident[i].kind, row->ident[i].cls, row->ident[i].text);
	return r;
}

/* What was just read or written needs no writing. */
static void
all_clean(struct inventory *inv)
{
	for (struct inventory_module *m = inv->dirty; m; m = m->next_dirty)
		m->dirty = false;
	inv->dirty = NULL;
}

int
inventory_new(struct db *db, struct view epoch_key, struct inventory **ret)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	if (epoch_key.n < PSEUDONYM_KEY_MIN || epoch_key.n > INVENTORY_KEY_MAX)
		return FG_EINVAL;
	struct inventory *inv = calloc(1, sizeof *inv);
	if (!inv)
		return FG_ENOMEM;
	inv->db = db;
	inv->strangers.row_size = SHELF_KEY;
	memcpy(inv->key, epoch_key.p, epoch_key.n);
	inv->key_n = epoch_key.n;
	int r = digest_hmac_sha256(epoch_key, view_str("fotagate inventory index"), digest);
	memcpy(inv->seed, digest, sizeof inv->seed);
	if (!r)
		inv->words = words_new(digest + 16);
	if (!r && !inv->words)
		r = FG_ENOMEM;
	if (!r)
		r = reserve(inv);
	if (!r)
		r = db_module_list(db, NULL, 0, load_one, inv);
	if (r) {
		inventory_free(inv);
		return r;
	}
	all_clean(inv);
	inv->stale = true; /* no table was made from it yet */
	*ret = inv;
	return 0;
}

void
inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	for (size_t i = 0; i < inv->n; i++)
		module_free(inv, inv->all[i]);
	words_free(inv->words);
	shelf_free(&inv->strangers);
	free(inv->all);
	free(inv->front);
	free(inv->name);
	free(inv->ident);
	wipe(inv, sizeof *inv);
	free(inv);
}

static void
to_row(const struct inventory_module *m, struct db_module *row)
{
	*row = (struct db_module){
		.version_cls = m->version_cls,
		.listed = m->listed,
		.held = m->held,
		.first_seen = m->first_seen,
		.last_seen = m->last_seen,
		.placed = m->placed,
		.usual = m->usual,
		.last_answer = m->last_answer,
		.have_last_resource = m->have_last_resource,
		.idents_n = m->idents_n,
	};
	memcpy(row->pseudonym, m->pseudonym, DB_ID);
	memcpy(row->last_resource, m->last_resource, DB_ID);
	snprintf(row->profile, sizeof row->profile, "%s", m->profile);
	snprintf(row->group, sizeof row->group, "%s", m->group);
	snprintf(row->product, sizeof row->product, "%s", m->product);
	snprintf(row->version, sizeof row->version, "%s", m->version);
	snprintf(row->sure, sizeof row->sure, "%s", m->sure);
	snprintf(row->tags, sizeof row->tags, "%s", m->tags);
	snprintf(row->placed_in, sizeof row->placed_in, "%s", m->placed_in);
	for (unsigned i = 0; i < m->idents_n; i++) {
		row->ident[i].kind = m->ident[i].kind;
		row->ident[i].cls = m->ident[i].cls;
		snprintf(row->ident[i].text, sizeof row->ident[i].text, "%s", m->ident[i].text);
	}
}

int
inventory_flush(struct inventory *inv)
{
	struct db_module row;
	if (!inv->dirty)
		return 0;
	int r = db_begin(inv->db);
	if (r)
		return r;
	for (const struct inventory_module *m = inv->dirty; m && !r; m = m->next_dirty) {
		to_row(m, &row);
		r = db_module_put(inv->db, &row);
	}
	r = db_end(inv->db, r);
	if (!r)
		all_clean(inv);
	return r;
}

/* ---- asking ---- */

size_t
inventory_count(const struct inventory *inv)
{
	return inv->n;
}

const struct inventory_module *
inventory_at(const struct inventory *inv, size_t i)
{
	return i < inv->n ? inv->all[i] : NULL;
}

const struct inventory_module *
inventory_by_pseudonym(const struct inventory *inv, const uint8_t pseudonym[MSG_ID])
{
	return by_name(inv, pseudonym);
}

const struct inventory_module *
inventory_by_identity(const struct inventory *inv, unsigned kind, struct view text)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char digits[DIGEST_HEX_LEN + 1];
	const struct inventory_module *m = inventory_lookup(inv, kind, text);
	if (m || kind != IDENTITY_TOKEN || digest_sha256(text, digest))
		return m;
	hex_encode(digest, sizeof digest, digits);
	return inventory_lookup(inv, kind, view_str(digits));
}

static int
by_pseudonym(const void *a, const void *b)
{
	const struct inventory_module *const *x = a, *const *y = b;
	return memcmp((*x)->pseudonym, (*y)->pseudonym, MSG_ID);
}

static int
downwards(const void *a, const void *b)
{
	return by_pseudonym(b, a);
}

/* Restores a heap with the largest pseudonym on top after its top was replaced. */
static void
sink(const struct inventory_module **heap, unsigned n)
{
	for (unsigned i = 0, child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && by_pseudonym(&heap[child + 1], &heap[child]) > 0)
			child++;
		if (by_pseudonym(&heap[i], &heap[child]) >= 0)
			return;
		const struct inventory_module *was = heap[i];
		heap[i] = heap[child];
		heap[child] = was;
	}
}

/* One walk over all for one page: pages are rare, and no order need be kept while modules come in. */
static unsigned
page_of(const struct inventory *inv, const uint8_t *after, unsigned limit, const struct inventory_module **page)
{
	unsigned n = 0;
	uint64_t low = after ? front_of(after) : 0, high = UINT64_MAX;
	for (size_t i = 0; i < inv->n; i++) {
		if (inv->front[i] < low || inv->front[i] > high)
			continue;
		const struct inventory_module *m = inv->all[i];
		if (after && memcmp(m->pseudonym, after, MSG_ID) <= 0)
			continue;
		if (n < limit) {
			page[n++] = m;
			if (n == limit)
				qsort(page, n, sizeof *page, downwards); /* which is a heap */
		} else if (by_pseudonym(&m, &page[0]) < 0) {
			page[0] = m;
			sink(page, n);
		}
		if (n == limit)
			high = front_of(page[0]->pseudonym);
	}
	qsort(page, n, sizeof *page, by_pseudonym);
	return n;
}

int
inventory_list(const struct inventory *inv, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct inventory_module *m), void *arg)
{
	int said = 0;
	if (limit == 0 || limit > DB_PAGE_MAX)
		limit = DB_PAGE_MAX;
	const struct inventory_module **page = calloc(limit, sizeof *page);
	if (!page)
		return FG_ENOMEM;
	unsigned n = page_of(inv, after, limit, page);
	for (unsigned i = 0; i < n && said == 0; i++)
		said = each(arg, page[i]);
	free(page);
	return said;
}

bool
inventory_is_stale(const struct inventory *inv)
{
	return inv->stale;
}

void
inventory_taken(struct inventory *inv)
{
	inv->stale = false;
}

/* ---- what people change ---- */

int
inventory_hold(struct inventory *inv, const uint8_t pseudonym[MSG_ID], bool held)
{
	struct inventory_module *m = by_name(inv, pseudonym);
	if (!m)
		return FG_ENOTFOUND;
	if (m->held != held) {
		m->held = held;
		inv->stale = true;
		inventory_touch(inv, m);
	}
	return 0;
}

static bool
fits(const char *s, size_t cap)
{
	return strlen(s) < cap && visible_is_plain(view_str(s));
}

int
inventory_set(struct inventory *inv, const uint8_t pseudonym[MSG_ID], const char *group, const char *version)
{
	struct inventory_module *m = by_name(inv, pseudonym);
	int r = 0;
	if (!m)
		return FG_ENOTFOUND;
	if ((group && !fits(group, DB_NAME_MAX)) || (version && !fits(version, DB_VERSION_MAX)))
		return FG_EINVAL;
	if (group)
		r = inventory_change(inv, m, &m->group, group, NULL);
	if (!r && version)
		r = inventory_change(inv, m, &m->version, version, NULL);
	if (!r && version) {
		r = inventory_change(inv, m, &m->sure, version, NULL);
		m->version_cls = IDENTITY_CLASS_NONE;
		inventory_touch(inv, m);
	}
	return r;
}

/* Takes those that are marked out of every list and index. */
static void
sweep(struct inventory *inv)
{
	size_t kept = 0, gone = 0;
	for (struct inventory_module **p = &inv->dirty; *p;) {
		if ((*p)->erased)
			*p = (*p)->next_dirty;
		else
			p = &(*p)->next_dirty;
	}
	/* The rest moves up; what goes lies behind it until the indexes forget it too. */
	for (size_t i = 0; i < inv->n; i++) {
		struct inventory_module *m = inv->all[i];
		if (m->erased) {
			inv->idents_n -= m->idents_n;
			gone++;
			continue;
		}
		inv->all[i] = inv->all[kept];
		inv->front[kept] = inv->front[i];
		inv->all[kept++] = m;
	}
	inv->n = kept;
	inv->stale = true;
	reindex(inv);
	for (size_t i = kept; i < kept + gone; i++)
		module_free(inv, inv->all[i]);
}

int
inventory_erase_all(struct inventory *inv, uint8_t (*ids)[MSG_ID], size_t n)
{
	int r = inventory_flush(inv); /* so that every one has a row to erase */
	if (!r)
		r = db_module_erase_all(inv->db, ids, n);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct inventory_module *m = by_name(inv, ids[i]);
		if (m)
			m->erased = true;
	}
	sweep(inv);
	return 0;
}

int
inventory_erase(struct inventory *inv, const uint8_t pseudonym[MSG_ID])
{
	uint8_t id[1][MSG_ID];
	if (!by_name(inv, pseudonym))
		return FG_ENOTFOUND;
	memcpy(id[0], pseudonym, MSG_ID);
	return inventory_erase_all(inv, id, 1);
}
