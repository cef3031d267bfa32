/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_schema - the one table of configuration keys.
 * Role: drives the loader, the defaults, the canonical policy and (by a test)
 * the manual page, so that none of them can know a key that the others do not.
 */
#ifndef FG_POLICY_CONFIG_SCHEMA_H
#define FG_POLICY_CONFIG_SCHEMA_H

#include "crypto/view.h"
#include "policy/config_form.h"

#define CONFIG_SCHEMA_PATH_MAX 96 /* longest path of a key with its NUL, rounded up */
#define CONFIG_SCHEMA_TYPE_MAX 320

enum config_key_type {
	CONFIG_KEY_NONE = 0,
	CONFIG_KEY_BOOL,     /* bool */
	CONFIG_KEY_INT,      /* int64_t, min..max */
	CONFIG_KEY_SIZE,     /* int64_t bytes: an integer, or "64 KiB" */
	CONFIG_KEY_DURATION, /* int64_t seconds: "90s", "15m", "2h", "30d" */
	CONFIG_KEY_ENUM,     /* an enum: index into words, "-" being a value nobody can write */
	CONFIG_KEY_TEXT,     /* char[], min..stride-1 bytes, of a form */
	CONFIG_KEY_TEXTS,    /* char[max][stride]: [ "a", "b" ], min..max of them */
	CONFIG_KEY_GROUP,    /* { }: its keys lie in the same struct */
	CONFIG_KEY_LIST,     /* ( { }, { } ): array of structs, min..max of them */
	CONFIG_KEY_NAMED,    /* { name = { }; }: the same, each starting with its char name[] */
};

struct config_key {
	const char *path; /* "limits.head_bytes", "listeners[].port", "profile.captures.*.max" */
	enum config_key_type type;
	const char *def; /* NULL: required. Text without quotes; "" for groups and lists: empty */
	int64_t min, max;
	const char *words;   /* enum */
	enum config_form form;
	size_t offset;       /* in the struct the path's nearest list element, profile or file stands for */
	size_t stride;       /* bytes of one text or element */
	size_t count_offset; /* of the unsigned count */
	const char *doc;     /* one sentence */
	bool late;           /* an integer; canonical texts leave 0 out, so those of before it stay what they were */
};

size_t config_schema_count(void);
const struct config_key *config_schema_at(size_t i);
/* NULL when there is no such key. */
const struct config_key *config_schema_find(const char *path);
/* The part of key's path below parent if it is a direct child ("" is the top), else NULL. */
const char *config_schema_leaf(const struct config_key *key, const char *parent);
/* The prefix under which a group's, list's or named list's own keys stand. */
void config_schema_inside(const struct config_key *key, char out[CONFIG_SCHEMA_PATH_MAX]);
/* Type and range, as manual and messages say it: "integer, 1 to 64". */
void config_schema_type(const struct config_key *key, char out[CONFIG_SCHEMA_TYPE_MAX]);
/* "required", or the default as one would write it. */
void config_schema_default(const struct config_key *key, char out[CONFIG_SCHEMA_TYPE_MAX]);
/* Index of word in words, or -1; and back. */
int config_schema_word(const char *words, const char *word);
struct view config_schema_word_at(const char *words, int i);
/* The known sibling that a misspelt leaf most resembles, or NULL. */
const char *config_schema_nearest(const char *parent, const char *leaf);

#endif
