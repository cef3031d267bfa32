/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonw - streaming writer of canonical JSON (RFC 8785) onto a writer.
 * Role: everything of ours that is signed or hashed. Keys must come in
 * ascending byte order, each once, and nesting must match: a breach is a
 * programmer's mistake and aborts. Our own keys are ASCII, for which byte
 * order and RFC 8785's UTF-16 order agree.
 */
#ifndef FG_CRYPTO_JSONW_H
#define FG_CRYPTO_JSONW_H

#include "crypto/json.h"
#include "crypto/view.h"
#include "crypto/writer.h"

struct jsonw {
	struct writer *out;
	unsigned depth;
	struct jsonw_level {
		bool object;
		bool any;      /* something was written at this level */
		bool have_key; /* a key waits for its value */
		char last[64]; /* previous key, for the order check */
	} level[JSON_DEPTH_MAX + 1];
};

void jsonw_init(struct jsonw *j, struct writer *out);
void jsonw_object(struct jsonw *j);
void jsonw_object_end(struct jsonw *j);
void jsonw_array(struct jsonw *j);
void jsonw_array_end(struct jsonw *j);
void jsonw_key(struct jsonw *j, const char *key);
/* Valid UTF-8 only; invalid UTF-8 aborts, so pass hostile text through visible_* first. */
void jsonw_string(struct jsonw *j, struct view s);
void jsonw_cstr(struct jsonw *j, const char *s);
/* Lower-case hex of bytes as a string. */
void jsonw_hex(struct jsonw *j, const void *p, size_t n);
/* |v| below 2^53, else abort. */
void jsonw_int(struct jsonw *j, int64_t v);
void jsonw_uint(struct jsonw *j, uint64_t v);
void jsonw_bool(struct jsonw *j, bool v);
void jsonw_null(struct jsonw *j);
/* A value of a parsed document, in canonical form. */
void jsonw_value(struct jsonw *j, const struct json_value *v);

/* key and value in one call, the common case */
void jsonw_kcstr(struct jsonw *j, const char *key, const char *s);
void jsonw_kstring(struct jsonw *j, const char *key, struct view s);
void jsonw_khex(struct jsonw *j, const char *key, const void *p, size_t n);
void jsonw_kuint(struct jsonw *j, const char *key, uint64_t v);
void jsonw_kbool(struct jsonw *j, const char *key, bool v);
void jsonw_knull(struct jsonw *j, const char *key);

/* True when every object and array is closed and exactly one value was written. */
bool jsonw_done(const struct jsonw *j);

#endif
