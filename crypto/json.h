/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - strict, bounded JSON reader: the only one in the house, because its
 * bytes are signed.
 * Role: statements, reports, resolved policy, audit entries, the control
 * protocol. Guarantees: input is untrusted; one pass, bounded depth and node
 * count; refuses duplicate keys, numbers that are not integers with absolute
 * value below 2^53, leading zeros, "-0", control characters, invalid UTF-8,
 * lone surrogates, trailing bytes. (RFC 8259, RFC 7493 I-JSON.)
 */
#ifndef FG_CRYPTO_JSON_H
#define FG_CRYPTO_JSON_H

#include "crypto/view.h"
#include "crypto/writer.h"

#define JSON_DEPTH_MAX 32          /* deepest of our own documents is 9 */
#define JSON_NODES_MAX 262144      /* a 2 MiB report of tiny values */
#define JSON_TEXT_MAX (4u << 20)   /* twice the largest report */
#define JSON_INT_MAX ((int64_t)1 << 53) /* exclusive, either sign */

enum json_type { JSON_NONE = 0, JSON_NULL, JSON_BOOL, JSON_INT, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json;       /* a parsed document; owns everything reached from it */
struct json_value; /* one node, borrowed from its document */

struct json_error {
	size_t offset;    /* byte at which reading stopped */
	const char *what; /* static text: "duplicate key", ... */
};

/*
 * Parses all of text (copied as needed; text need not outlive the call).
 * 0 and *ret_doc (json_free), or FG_EFORMAT/FG_ELIMIT with *ret_error filled
 * (may be NULL), or FG_ENOMEM.
 */
int json_parse(struct view text, struct json **ret_doc, struct json_error *ret_error);
void json_free(struct json *doc);
const struct json_value *json_root(const struct json *doc);

/*
 * All accessors take NULL as "not there" and answer JSON_NONE, NULL, false or
 * an empty view, so lookups chain and are checked once.
 */
enum json_type json_type(const struct json_value *v);
/* Members or elements; 0 for anything else. */
size_t json_count(const struct json_value *v);
const struct json_value *json_at(const struct json_value *v, size_t i);
/* Key of the i-th member, decoded. */
struct view json_key_at(const struct json_value *v, size_t i);
const struct json_value *json_get(const struct json_value *v, const char *key);
/* Decoded UTF-8; may hold NUL bytes. False if v is no string. */
bool json_string(const struct json_value *v, struct view *ret);
/* The string as C string into dst; false if none, holds NUL, or does not fit. */
bool json_cstr(const struct json_value *v, char *dst, size_t cap);
bool json_int(const struct json_value *v, int64_t *ret);
/* As json_int, and not negative. */
bool json_uint(const struct json_value *v, uint64_t *ret);
bool json_bool(const struct json_value *v, bool *ret);

/* Appends the RFC 8785 form of v. */
void json_canonical(const struct json_value *v, struct writer *w);
/* True when text is exactly the RFC 8785 form of the document it holds. */
bool json_is_canonical(const struct json *doc, struct view text);

#endif
