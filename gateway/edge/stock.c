/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/stock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/edge/blocks.h"
#include "gateway/wire/memfd.h"

_Static_assert(BLOCKS_SIZE == RELEASE_BLOCK, "a block is a block");

struct stock_item {
	uint8_t id[RELEASE_ID];
	uint64_t number;      /* of all that were ever here */
	struct release record;
	char etag[DIGEST_HEX_LEN + 1];
	bool hot;
	int fd;
	struct view map;      /* hot: the sealed image */
	struct view blocks;   /* mapped list of block digests */
	uint8_t *verified;    /* hot: one bit per block, set once its bytes were hashed */
	unsigned users;       /* the list and each source */
};

#define SLOTS (2 * STOCK_MAX) /* never more than half full */

struct stock {
	struct blocks *cold;
	uint64_t numbers;
	struct stock_item *at[STOCK_MAX];
	unsigned n;
	uint16_t slot[SLOTS]; /* by id, open addressing: place in at and 1; 0: free. Every request looks here */
	uint8_t banned[STOCK_BANNED][RELEASE_ID]; /* a ring */
	uint64_t banned_n;                        /* ever */
};

struct source { /* one transfer */
	struct stock_item *item;
	void (*corrupt)(void *ctx, const uint8_t id[RELEASE_ID], uint64_t block);
	void *corrupt_ctx;
	struct blocks *cold;  /* the stock's */
	uint64_t cost;        /* bytes read and hashed since somebody asked */
};

/* Digests of what people signed: any bytes of them spread, and nobody aims. */
static unsigned
first_slot(const uint8_t id[RELEASE_ID])
{
	return (unsigned)(id[0] << 8 | id[1]) % SLOTS;
}

static struct stock_item *
find(const struct stock *r, const uint8_t id[RELEASE_ID])
{
	for (unsigned s = first_slot(id); r->slot[s]; s = (s + 1) % SLOTS) {
		struct stock_item *item = r->at[r->slot[s] - 1];
		if (!memcmp(item->id, id, RELEASE_ID))
			return item;
	}
	return NULL;
}

static void
enter(struct stock *r, unsigned place)
{
	unsigned s = first_slot(r->at[place]->id);
	while (r->slot[s])
		s = (s + 1) % SLOTS;
	r->slot[s] = (uint16_t)(place + 1);
}

static void
unuse(struct stock_item *item)
{
	if (!item || --item->users)
		return;
	memfd_unmap(item->map);
	memfd_unmap(item->blocks);
	if (item->fd >= 0)
		close(item->fd);
	free(item->verified);
	free(item);
}

struct stock *
stock_new(void)
{
	struct stock *r = calloc(1, sizeof *r);
	if (r && !(r->cold = blocks_new())) {
		free(r);
		return NULL;
	}
	return r;
}

void
stock_free(struct stock *r)
{
	for (unsigned i = 0; r && i < r->n; i++)
		unuse(r->at[i]);
	if (r)
		blocks_free(r->cold);
	free(r);
}

/* ---- taking a release ---- */

static int
check_record(struct stock_item *item, struct view record, uint64_t size)
{
	char why[128];
	uint8_t id[RELEASE_ID];
	if (release_id(record, id) || memcmp(id, item->id, sizeof id))
		return FG_EPEER;
	if (release_parse(record, &item->record, why, sizeof why) || item->record.size != size)
		return FG_EPEER;
	return FG_OK;
}

static int
map_blocks(struct stock_item *item, int blocks_fd)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	uint64_t want;
	if (__builtin_mul_overflow(item->record.blocks, (uint64_t)DIGEST_SHA256_LEN, &want))
		return FG_EPEER;
	int err = memfd_map(blocks_fd, want, &item->blocks);
	if (err)
		return err;
	if (item->blocks.n != want || digest_sha256(item->blocks, digest) ||
	    memcmp(digest, item->record.blocks_sha256, sizeof digest))
		return FG_EPEER;
	return FG_OK;
}

static int
map_image(struct stock_item *item)
{
	struct stat st;
	if (fstat(item->fd, &st))
		return FG_EIO;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size != item->record.size)
		return FG_EPEER;
	if (!item->hot)
		return FG_OK;
	/* Only all four seals, which memfd_map asks for, make "verified once" mean "verified for ever". */
	/* Private: before Linux 6.7 a write seal forbids even a read-only shared mapping. */
	int err = memfd_map(item->fd, item->record.size, &item->map);
	if (err)
		return err;
	item->verified = calloc(1, item->record.blocks / 8 + 1);
	return item->verified ? FG_OK : FG_ENOMEM;
}

static bool
is_banned(const struct stock *r, const uint8_t id[RELEASE_ID])
{
	for (uint64_t i = 0; i < r->banned_n && i < STOCK_BANNED; i++) {
		if (!memcmp(r->banned[i], id, RELEASE_ID))
			return true;
	}
	return false;
}

int
stock_add(struct stock *r, const uint8_t id[RELEASE_ID], struct view record, uint64_t size, bool hot,
    int image_fd, int blocks_fd)
{
	/* The id is the digest of the record: one that is here cannot be another one. */
	bool banned = is_banned(r, id);
	if (banned || stock_find(r, id)) {
		close(image_fd);
		close(blocks_fd);
		return banned ? FG_EPERM : FG_OK;
	}
	struct stock_item *item = r->n < STOCK_MAX ? calloc(1, sizeof *item) : NULL;
	if (!item) {
		close(image_fd);
		close(blocks_fd);
		return r->n < STOCK_MAX ? FG_ENOMEM : FG_ELIMIT;
	}
	item->users = 1;
	item->number = ++r->numbers;
	item->fd = image_fd;
	item->hot = hot;
	memcpy(item->id, id, RELEASE_ID);
	int err = check_record(item, record, size);
	if (!err)
		err = map_blocks(item, blocks_fd);
	if (!err)
		err = map_image(item);
	close(blocks_fd);
	if (err) {
		unuse(item);
		return err;
	}
	hex_encode(item->record.terms.image, DIGEST_SHA256_LEN, item->etag);
	r->at[r->n] = item;
	enter(r, r->n++);
	return FG_OK;
}

bool
stock_drop(struct stock *r, const uint8_t id[RELEASE_ID])
{
	struct stock_item *item = find(r, id);
	if (!item)
		return false;
	unsigned place = 0;
	while (r->at[place] != item)
		place++;
	unuse(item);
	r->at[place] = r->at[--r->n];
	/* Rare, and soon done. */
	memset(r->slot, 0, sizeof r->slot);
	for (unsigned i = 0; i < r->n; i++)
		enter(r, i);
	return true;
}

void
stock_ban(struct stock *r, const uint8_t id[RELEASE_ID])
{
	stock_drop(r, id);
	if (!is_banned(r, id))
		memcpy(r->banned[r->banned_n++ % STOCK_BANNED], id, RELEASE_ID);
}

size_t
stock_count(const struct stock *r)
{
	return r->n;
}

const struct stock_item *
stock_find(const struct stock *r, const uint8_t id[RELEASE_ID])
{
	return find(r, id);
}

const struct release *
stock_record(const struct stock_item *item)
{
	return &item->record;
}

const char *
stock_etag(const struct stock_item *item)
{
	return item->etag;
}

static bool
covers(const struct approval_list *l, const char *word)
{
	return approval_list_has(l, "*") || approval_list_has(l, word);
}

bool
stock_within(const struct stock_item *item, const struct table_decision *row)
{
	const struct approval_terms *t = &item->record.terms;
	return !memcmp(t->resource, row->resource, sizeof t->resource) && !strcmp(t->profile, row->profile) &&
	    !strcmp(t->product, row->product) && !strcmp(t->target, row->target) &&
	    covers(&t->from_versions, row->from) && covers(&t->groups, row->group) &&
	    row->not_before >= t->not_before && row->not_after <= t->not_after && row->size == item->record.size &&
	    (!item->record.by_standing || row->as_of <= item->record.as_of) &&
	    !memcmp(t->image, row->image, sizeof t->image);
}

/* ---- sending ---- */

static size_t
block_len(const struct stock_item *item, uint64_t block)
{
	uint64_t left = item->record.size - block * RELEASE_BLOCK;
	return left < RELEASE_BLOCK ? (size_t)left : RELEASE_BLOCK;
}

static bool
holds(const struct stock_item *item, uint64_t block, struct view bytes)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	return digest_sha256(bytes, digest) == FG_OK &&
	    !memcmp(digest, item->blocks.p + block * DIGEST_SHA256_LEN, sizeof digest);
}

/* FG_EFORMAT: not what was signed for. */
static int
hot_block(struct source *s, uint64_t block, size_t len, const uint8_t **ret)
{
	struct stock_item *item = s->item;
	uint8_t bit = (uint8_t)(1u << (block & 7));
	*ret = item->map.p + block * RELEASE_BLOCK;
	if (item->verified[block >> 3] & bit)
		return FG_OK;
	s->cost += len;
	if (!holds(item, block, view_of(*ret, len)))
		return FG_EFORMAT;
	item->verified[block >> 3] |= bit;
	return FG_OK;
}

static bool
read_block(const struct stock_item *item, uint64_t block, uint8_t *p, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(item->fd, p + done, len - done, (off_t)(block * RELEASE_BLOCK + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* FG_EFORMAT; FG_ENOMEM, which says nothing of the file. */
static int
cold_block(struct source *s, uint64_t block, size_t len, const uint8_t **ret)
{
	const struct stock_item *item = s->item;
	*ret = blocks_find(s->cold, item->number, block);
	if (*ret)
		return FG_OK;
	uint8_t *p = blocks_room(s->cold, item->number, block);
	if (!p)
		return FG_ENOMEM;
	s->cost += len;
	if (!read_block(item, block, p, len) || !holds(item, block, view_of(p, len)))
		return FG_EFORMAT;
	blocks_keep(s->cold, item->number, block);
	*ret = p;
	return FG_OK;
}

static int64_t
pull(void *ctx, uint64_t offset, size_t max, const uint8_t **ret_bytes)
{
	struct source *s = ctx;
	const uint8_t *p;
	if (offset >= s->item->record.size || !max)
		return FG_EINVAL;
	uint64_t block = offset / RELEASE_BLOCK;
	size_t len = block_len(s->item, block), skip = (size_t)(offset % RELEASE_BLOCK);
	int err = s->item->hot ? hot_block(s, block, len, &p) : cold_block(s, block, len, &p);
	if (err == FG_EFORMAT)
		s->corrupt(s->corrupt_ctx, s->item->id, block);
	if (err)
		return err;
	*ret_bytes = p + skip;
	return (int64_t)(len - skip < max ? len - skip : max);
}

/* Sealed and verified: what was hashed is what the kernel sends, now or later. */
static int64_t
file(void *ctx, uint64_t offset, size_t max, struct net_run *ret_run)
{
	struct source *s = ctx;
	if (offset >= s->item->record.size || !max)
		return FG_EINVAL;
	uint64_t left = s->item->record.size - offset;
	size_t n = left < max ? (size_t)left : max;
	for (uint64_t block = offset / RELEASE_BLOCK; block <= (offset + n - 1) / RELEASE_BLOCK; block++) {
		const uint8_t *p;
		if (hot_block(s, block, block_len(s->item, block), &p) == FG_OK)
			continue;
		/* What stands before it is as good as ever; the next call comes to it. */
		if (block > offset / RELEASE_BLOCK) {
			n = (size_t)(block * RELEASE_BLOCK - offset);
			break;
		}
		s->corrupt(s->corrupt_ctx, s->item->id, block);
		return FG_EFORMAT;
	}
	*ret_run = (struct net_run){ .fd = s->item->fd, .at = offset };
	return (int64_t)n;
}

static uint64_t
cost(void *ctx)
{
	struct source *s = ctx;
	uint64_t n = s->cost;
	s->cost = 0;
	return n;
}

static void
done(void *ctx)
{
	struct source *s = ctx;
	unuse(s->item);
	free(s);
}

int
stock_source(struct stock *r, const struct stock_item *item,
    void (*corrupt)(void *ctx, const uint8_t id[RELEASE_ID], uint64_t block), void *corrupt_ctx,
    struct net_source *ret)
{
	struct source *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	s->item = find(r, item->id);
	if (s->item != item)
		abort(); /* the caller found it a moment ago */
	s->item->users++;
	s->cold = r->cold;
	s->corrupt = corrupt;
	s->corrupt_ctx = corrupt_ctx;
	*ret = (struct net_source){ .pull = pull, .file = s->item->hot ? file : NULL, .cost = cost, .done = done,
		.ctx = s };
	return FG_OK;
}
