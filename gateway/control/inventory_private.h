/* SPDX-License-Identifier: Apache-2.0 */
/* inventory_private - what the files of the inventory share; for nobody else. */
#ifndef FG_GATEWAY_CONTROL_INVENTORY_PRIVATE_H
#define FG_GATEWAY_CONTROL_INVENTORY_PRIVATE_H

#include "gateway/control/inventory.h"
#include "gateway/control/shelf.h"
#include "gateway/control/words.h"

#define INVENTORY_KEY_MAX 64

struct inventory_slot {
	struct inventory_module *module; /* NULL: free */
	uint8_t which;                   /* of its identities */
};

struct inventory {
	struct db *db;
	uint8_t key[INVENTORY_KEY_MAX]; /* of the epoch */
	size_t key_n;
	uint8_t seed[16]; /* of the indexes: strangers choose identities */
	struct words *words;
	struct inventory_module **all;
	uint64_t *front;                /* first bytes of all their pseudonyms, in the same order: a page is found by them */
	size_t n, cap;
	struct inventory_module **name; /* by pseudonym; names_n slots, a power of two */
	size_t names_n;
	struct inventory_slot *ident;   /* likewise */
	size_t slots_n, idents_n;
	struct inventory_module *dirty; /* linked by next_dirty */
	struct shelf strangers; /* held before they are known: pseudonyms */
	bool stale;
	bool unplaced; /* some are in another group than the one noted */
	const struct config *config; /* whose rules of groups hold; NULL: none */
	const struct profile *recent; /* of config, whose default was asked for last; may be NULL */
	int64_t hour_began;
	uint32_t learnt;
};

/* A new module named by an identity, in all indexes. FG_ELIMIT, FG_ENOMEM, FG_ECRYPTO, FG_EINVAL. */
int inventory_make(struct inventory *inv, unsigned kind, unsigned cls, const char *text, struct inventory_module **ret);
/* Adds a free identity. FG_ELIMIT, FG_ENOMEM. */
int inventory_attach(struct inventory *inv, struct inventory_module *m, unsigned kind, unsigned cls, const char *text);
/* The module with exactly that stored identity, or NULL. */
struct inventory_module *inventory_lookup(const struct inventory *inv, unsigned kind, struct view text);
/* Changes one text of a module. *ret_changed (may be NULL) is set to true if it was another one. FG_ENOMEM. */
int inventory_change(struct inventory *inv, struct inventory_module *m, const char **field, const char *value,
    bool *ret_changed);
/* Its group by the rules anew: what they look at has changed. FG_ENOMEM. */
int inventory_regroup(struct inventory *inv, struct inventory_module *m);
/* Where it is, is to be noted anew if that is elsewhere than it was. */
void inventory_moved(struct inventory *inv, struct inventory_module *m);
/* The same at once; FG_ENOMEM: it is left to inventory_place(). */
int inventory_place_one(struct inventory *inv, struct inventory_module *m, int64_t now);
/* So many seconds as a usual interval, whoever counted or stored them. */
int64_t inventory_usual(int64_t seconds);
/* It is to be written. */
void inventory_touch(struct inventory *inv, struct inventory_module *m);

#endif
