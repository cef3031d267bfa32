/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/table_format.h"

#include "gateway/edge/siphash.h"

/* Value of a lower-case hex digit, or -1: upper case would not come back as it was. */
static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_packable(struct view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (digit(text.p[i]) < 0)
			return false;
	return true;
}

bool
table_key_make(unsigned kind, struct view text, struct table_key *ret)
{
	if (kind == 0 || kind > TABLE_KIND_MAX || text.n == 0 || text.n > TABLE_IDENT_TEXT_MAX)
		return false;
	bool packed = is_packable(text);
	ret->bytes[0] = (uint8_t)(kind | (packed ? TABLE_TAG_PACKED : 0));
	ret->bytes[1] = (uint8_t)text.n;
	ret->n = 2 + table_data_len(packed, text.n);
	if (!packed) {
		memcpy(ret->bytes + 2, text.p, text.n);
		return true;
	}
	memset(ret->bytes + 2, 0, ret->n - 2);
	for (size_t i = 0; i < text.n; i++)
		ret->bytes[2 + i / 2] |= (uint8_t)(digit(text.p[i]) << (i % 2 ? 0 : 4));
	return true;
}

uint32_t
table_key_hash(const uint8_t seed[16], const struct table_key *key)
{
	return (uint32_t)(siphash_24(seed, view_of(key->bytes, key->n)) >> 32);
}

bool
table_module_section(const struct table_head *h, uint64_t *ret)
{
	if (h->modules_n > TABLE_MODULES_MAX || h->attrs_n > h->modules_n || h->idents_n > 4 * TABLE_MODULES_MAX ||
	    h->links_n > TABLE_LINKS_MAX)
		return false;
	/* A free slot ends every probe. */
	if (h->slots_n <= h->idents_n)
		return false;
	*ret = (uint64_t)h->modules_n * TABLE_MODULE_LEN + (uint64_t)h->attrs_n * TABLE_ATTRS_LEN + h->idents_len +
	    (uint64_t)h->slots_n * 4 + h->strings_len + (uint64_t)h->links_n * TABLE_LINK_LEN;
	return true;
}

void
table_head_read(const uint8_t *p, struct table_head *ret)
{
	ret->generation = table_get64(p + 8);
	memcpy(ret->seed, p + 16, sizeof ret->seed);
	ret->modules_n = table_get32(p + 32);
	ret->attrs_n = table_get32(p + 36);
	ret->idents_n = table_get32(p + 40);
	ret->idents_len = table_get32(p + 44);
	ret->slots_n = table_get32(p + 48);
	ret->strings_len = table_get32(p + 52);
	ret->decisions_n = table_get32(p + 56);
	ret->decision_strings_len = table_get32(p + 60);
	ret->links_n = table_get32(p + 64);
}

void
table_head_write(const struct table_head *h, uint8_t *p)
{
	memcpy(p, TABLE_MAGIC, 8);
	table_put64(p + 8, h->generation);
	memcpy(p + 16, h->seed, sizeof h->seed);
	table_put32(p + 32, h->modules_n);
	table_put32(p + 36, h->attrs_n);
	table_put32(p + 40, h->idents_n);
	table_put32(p + 44, h->idents_len);
	table_put32(p + 48, h->slots_n);
	table_put32(p + 52, h->strings_len);
	table_put32(p + 56, h->decisions_n);
	table_put32(p + 60, h->decision_strings_len);
	table_put32(p + 64, h->links_n);
	table_put32(p + 68, 0);
}
