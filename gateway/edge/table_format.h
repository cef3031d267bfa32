/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_format - bytes of the decision table, shared by its writer and its
 * reader and by nobody else. Little-endian, no padding, nothing aligned:
 *
 *   head       TABLE_HEAD bytes, below
 *   modules    modules_n x { pseudonym[16], u32 attrs, u32 first_seen, u32 placed }
 *   attrs      attrs_n x { u32 group, u32 product, u32 version, u32 flags }
 *   idents     idents_n x { u32 module, u8 tag, u8 length, data }, idents_len bytes in all
 *   slots      slots_n x u32: offset into idents + 1, or 0
 *   strings    C strings that attrs and links point into
 *   links      links_n x { digest[32], release[16], i64 not_after, u32 module, u32 profile },
 *              in order of digest, no digest twice
 *   decisions  decisions_n x { release[16], resource[16], image[32], i64 not_before,
 *              i64 not_after, u64 size, i64 last_modified, u64 share, i64 known_by, i64 as_of,
 *              u32 profile, product, target, from, group }, in order of resource, then profile
 *   strings    C strings that decisions point into
 *
 * Where each part begins follows from the counts; the whole length must fit
 * them exactly. All up to the links is the module section: it does not
 * depend on the decisions and is carried over as one block.
 *
 * An identity of lower-case hex digits only (IMEI, ICCID, digests) has two digits
 * a byte: with that, and modules that share their attributes, a million modules
 * with two identities take 74 MB instead of 114.
 */
#ifndef FG_GATEWAY_EDGE_TABLE_FORMAT_H
#define FG_GATEWAY_EDGE_TABLE_FORMAT_H

#include <endian.h>

#include "gateway/edge/table.h"

#define TABLE_MAGIC "FGTABLE\004"
#define TABLE_HEAD 72
#define TABLE_MODULE_LEN 28
#define TABLE_ATTRS_LEN 16
#define TABLE_IDENT_HEAD 6
#define TABLE_IDENT_TEXT_MAX 128 /* IDENTITY_TEXT_MAX */
#define TABLE_DECISION_LEN 140
#define TABLE_DECISION_STRINGS 120 /* where its five begin */
#define TABLE_LINK_LEN 64
#define TABLE_TAG_PACKED 0x80u   /* tag: packed, three bits of class, four of kind */
#define TABLE_KIND_MAX 15u
#define TABLE_CLASS_MAX 7u
#define TABLE_FLAG_HELD 1u
#define TABLE_FLAG_LISTED 2u

struct table_head {
	uint64_t generation;
	uint8_t seed[16];
	uint32_t modules_n, attrs_n, idents_n, idents_len, slots_n, strings_len;
	uint32_t decisions_n, decision_strings_len;
	uint32_t links_n; /* then four bytes of zero */
};

/* An identity as stored and hashed: tag without class, length of the text, data. */
struct table_key {
	size_t n; /* bytes used */
	uint8_t bytes[2 + TABLE_IDENT_TEXT_MAX];
};

static inline uint32_t
table_get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static inline uint64_t
table_get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

static inline void
table_put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

static inline void
table_put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof v);
}

/* Bytes that a text of that many characters takes. */
static inline size_t
table_data_len(bool packed, size_t chars)
{
	return packed ? (chars + 1) / 2 : chars;
}

/* Where the probe for a hash begins: scaled to the range, so no division and any number of slots. */
static inline size_t
table_slot(uint32_t hash, size_t slots_n)
{
	return (size_t)((uint64_t)hash * slots_n >> 32);
}

/* Whether the identity at p is that one. Equal tag and length make the data equally long. */
static inline bool
table_key_is(const uint8_t *p, const struct table_key *key)
{
	return (p[4] & (TABLE_TAG_PACKED | TABLE_KIND_MAX)) == key->bytes[0] && p[5] == key->bytes[1] &&
	    memcmp(p + TABLE_IDENT_HEAD, key->bytes + 2, key->n - 2) == 0;
}

/* False for a kind or a text that no table holds. */
bool table_key_make(unsigned kind, struct view text, struct table_key *ret);
uint32_t table_key_hash(const uint8_t seed[16], const struct table_key *key);
/* Bytes of the module section after the head; false when the counts cannot be. */
bool table_module_section(const struct table_head *h, uint64_t *ret);
void table_head_read(const uint8_t *p, struct table_head *ret);
void table_head_write(const struct table_head *h, uint8_t *p);
/* The head and, borrowed, the module section of an open table. */
struct view table_borrow_modules(const struct table *t, struct table_head *ret);

#endif
