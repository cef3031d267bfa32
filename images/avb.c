/* SPDX-License-Identifier: Apache-2.0 */
#include "images/avb.h"

#include "crypto/err.h"
#include "crypto/reader.h"

/* The places of its two blocks are sizes of them: neither is longer than vbmeta may be. */
static int
public_key(const struct source *s, uint64_t blocks, const uint8_t head[AVB_HEAD], struct avb *ret)
{
	uint8_t key[AVB_MAX];
	struct reader r;
	reader_init(&r, view_of(head + 12, 16));
	uint64_t auth_n = reader_u64(&r), aux_n = reader_u64(&r);
	reader_init(&r, view_of(head + 64, 16));
	uint64_t at = reader_u64(&r), n = reader_u64(&r);
	if (n == 0 || n > AVB_MAX || auth_n > AVB_MAX || aux_n > AVB_MAX || at > aux_n || n > aux_n - at)
		return 0; /* it carries none, or lies: unexplained bytes either way */
	int err = source_read(s, blocks + auth_n + at, key, (size_t)n);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	ret->have_key = true;
	return digest_sha256(view_of(key, (size_t)n), ret->key);
}

int
avb_read(const struct source *s, uint64_t at, struct avb *ret, bool *ret_is)
{
	uint8_t head[AVB_HEAD];
	struct reader r;
	int err = source_read(s, at, head, sizeof head);
	*ret = (struct avb){ .rollback_index = 0 };
	*ret_is = !err && memcmp(head, "AVB0", 4) == 0;
	if (!*ret_is)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(head + 28, 4));
	ret->is_signed = reader_u32(&r) != 0; /* AVB_ALGORITHM_TYPE_NONE */
	reader_init(&r, view_of(head + 112, 16));
	ret->rollback_index = reader_u64(&r);
	ret->flags = reader_u32(&r);
	ret->location = reader_u32(&r);
	return public_key(s, at + sizeof head, head, ret);
}

int
avb_footer(const struct source *s, uint64_t *ret_at, uint64_t *ret_length, bool *ret_is)
{
	uint8_t foot[AVB_FOOT];
	struct reader r;
	int err = s->size > sizeof foot ? source_read(s, s->size - sizeof foot, foot, sizeof foot) : FG_ELIMIT;
	*ret_is = !err && memcmp(foot, "AVBf", 4) == 0;
	if (!*ret_is)
		return err == FG_ELIMIT ? 0 : err;
	uint64_t room = s->size - sizeof foot;
	reader_init(&r, view_of(foot + 20, 16));
	*ret_at = reader_u64(&r);
	*ret_length = reader_u64(&r);
	*ret_is = *ret_at <= room && *ret_length <= room - *ret_at;
	return 0;
}
