/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module - the inventory as stored: the only place where a pseudonym and the
 * identities behind it stand side by side. Erasing a row is the erasure.
 */
#ifndef FG_GATEWAY_STATE_MODULE_H
#define FG_GATEWAY_STATE_MODULE_H

#include "gateway/state/db.h"

#define DB_IDENTS_MAX 4

struct db_ident {
	uint8_t kind; /* enum identity_kind: values are stored, they never change meaning */
	uint8_t cls;  /* enum identity_class */
	char text[DB_IDENT_MAX]; /* canonical; tokens as 64 hex digits of their SHA-256 */
};

struct db_module {
	uint8_t pseudonym[DB_ID];
	char profile[DB_NAME_MAX];
	char group[DB_NAME_MAX];   /* "" : the profile's default */
	char product[DB_NAME_MAX];
	char version[DB_VERSION_MAX];
	uint8_t version_cls;       /* enum identity_class that reported it; 0: an operator said so */
	char sure[DB_VERSION_MAX]; /* version said by better than a claim */
	char tags[DB_TAGS_MAX];    /* policy/tags.h; "" : none */
	bool listed;               /* imported; false: only seen */
	bool held;
	int64_t first_seen, last_seen; /* 0: never */
	int64_t placed;            /* in the group placed_in since then; 0: not noted yet */
	char placed_in[DB_NAME_MAX];
	int64_t usual;             /* seconds between its requests, as it goes; 0: not known */
	uint8_t last_answer;       /* enum scope_answer */
	bool have_last_resource;
	uint8_t last_resource[DB_ID];
	uint32_t idents_n;
	struct db_ident ident[DB_IDENTS_MAX];
};

/* Writes the row and replaces its identities. FG_EEXIST: one of them is another module's. */
int db_module_put(struct db *db, const struct db_module *m);
/* FG_ENOTFOUND. */
int db_module_get(struct db *db, const uint8_t pseudonym[DB_ID], struct db_module *ret);
int db_module_find(struct db *db, unsigned kind, const char *text, struct db_module *ret);
/* In order of pseudonym, after `after` (NULL: from the first); limit 0: all. */
int db_module_list(struct db *db, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct db_module *m), void *arg);
int db_module_count(struct db *db, uint64_t *ret);
/* Forgets a module, its identities and grants. FG_ENOTFOUND. */
int db_module_erase(struct db *db, const uint8_t pseudonym[DB_ID]);
/* The same for many: all or none; those that are not there are passed over. */
int db_module_erase_all(struct db *db, uint8_t (*ids)[DB_ID], size_t n);

#endif
