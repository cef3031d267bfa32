/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory - the modules control knows, in memory over the database.
 * Role: sightings and imports come in, the decision table and grants go out. The
 * database is behind: inventory_flush() writes what changed in one transaction,
 * away from the paths that answer edges. Guarantees: an identity belongs to one
 * module; what a request merely claims (class D) never takes an identity, a
 * version or a group from a module known by something better.
 * Tokens stand here, in sightings and in the table as 64 hex digits of their SHA-256.
 */
#ifndef FG_GATEWAY_CONTROL_INVENTORY_H
#define FG_GATEWAY_CONTROL_INVENTORY_H

#include "crypto/view.h"
#include "gateway/state/module.h"
#include "gateway/wire/msg.h"

#define INVENTORY_MODULES_MAX 4000000u   /* TABLE_MODULES_MAX */
#define INVENTORY_LEARN_PER_HOUR 20000u  /* strangers can ask: a fleet appears in days, a flood in minutes */
#define INVENTORY_GAP_MIN 300            /* seconds; what comes sooner is one visit: a try again, the next range */
#define INVENTORY_IMPORT_MAX (64u << 20) /* bytes of one import: a million rows */
#define INVENTORY_PROBLEMS_MAX 100       /* beyond it a file is not the file that was meant */

struct db;
struct profile;
struct inventory;

struct inventory_ident {
	uint8_t kind; /* enum identity_kind */
	uint8_t cls;  /* enum identity_class */
	char *text;
};
/* Borrowed from the inventory, read only outside; strings until the next call that changes something. */
struct inventory_module {
	uint8_t pseudonym[MSG_ID];
	const char *profile; /* "" : not known yet */
	const char *group;   /* "" : the profile's default */
	const char *ruled;   /* group by a rule of the configuration; "" : none, or not listed. Not stored */
	const char *product;
	const char *version; /* as last reported; "" : unknown */
	uint8_t version_cls; /* who said so; 0: an operator */
	const char *sure;    /* version said by better than a claim: the only one the table gets */
	const char *tags;    /* an operator's, as policy/tags.h spells them; "" : none */
	bool listed;         /* imported; false: only seen */
	bool held;
	bool dirty;          /* not yet in the database */
	bool erased;         /* gone, but for the memory it lies in: for a moment inside inventory_erase_all */
	uint8_t last_answer;
	bool have_last_resource;
	uint8_t last_resource[MSG_ID];
	int64_t first_seen, last_seen;
	int64_t placed;      /* in its group since then; 0: inventory_place() has not come by */
	const char *placed_in; /* the group that is about, the profile's default written out */
	int64_t heard;       /* last, by no weaker identity than its best, and by more than a claim */
	int64_t usual;       /* seconds between two of those, as it goes, ROLLOUT_USUAL_MAX at most; 0: not known */
	unsigned idents_n;
	struct inventory_ident ident[DB_IDENTS_MAX];
	struct inventory_module *next_dirty; /* the inventory's own */
};

/* Loads everything. db is borrowed for the inventory's life; the key is copied, and wiped at the end. */
int inventory_new(struct db *db, struct view epoch_key, struct inventory **ret);
void inventory_free(struct inventory *inv);
size_t inventory_count(const struct inventory *inv);
/* NULL: not known. Pointers stay valid until the module is erased. */
const struct inventory_module *inventory_by_pseudonym(const struct inventory *inv, const uint8_t pseudonym[MSG_ID]);
/* text canonical (identity_canonical); a token may be given as itself or as its digest. */
const struct inventory_module *inventory_by_identity(const struct inventory *inv, unsigned kind, struct view text);
/* The strongest class (enum identity_class) by which it is known. */
unsigned inventory_best_class(const struct inventory_module *m);
/* The i-th of inventory_count(), in no order; NULL past the end. For whole walks without changes. */
const struct inventory_module *inventory_at(const struct inventory *inv, size_t i);

struct config;
/*
 * The configuration's rules of groups hold for every listed module from now on. c is
 * borrowed until the next call. FG_ENOMEM: some have the group of the rules before.
 */
int inventory_rules(struct inventory *inv, const struct config *c);
/*
 * Notes since when those are in their group that were changed: whoever has seen less of the log did not mean them.
 * Walks over all modules when there are such. Not written, nor placed, where there is no memory for it.
 */
void inventory_place(struct inventory *inv, int64_t now);
/* The group it was given, else the rules'; "" : the profile's default. */
const char *inventory_group(const struct inventory_module *m);

struct inventory_seen {
	const struct inventory_module *module;
	bool created;
	bool conflict; /* an identity of the request belongs to another module: left there */
	unsigned lead; /* enum identity_class by which the module was recognised */
	bool weak;     /* it is known by better than that: nothing it said was taken */
};
/*
 * Takes a sighting in. The strongest identity (A before D, then request order)
 * leads: it names the module or makes a new one, whose pseudonym it gives and whose
 * group is its network's, or else the profile's default. Others of class A to C are
 * added to it where they are free; claims never are. A lead weaker than the module's
 * best identity changes only when and how the module was last heard of.
 * FG_ENOTFOUND: no identity. FG_ELIMIT: full, or INVENTORY_LEARN_PER_HOUR reached.
 * FG_EPEER: an identity that is not one. FG_ENOMEM, FG_ECRYPTO. p may be NULL (no profile).
 */
int inventory_sight(struct inventory *inv, const struct profile *p, const struct msg_sighting *s, int64_t now,
    struct inventory_seen *ret);
/* Holds or releases a module. FG_ENOTFOUND. */
int inventory_hold(struct inventory *inv, const uint8_t pseudonym[MSG_ID], bool held);
/* A module that is not known is held as soon as it is. FG_ENOMEM. */
int inventory_hold_stranger(struct inventory *inv, const uint8_t pseudonym[MSG_ID]);
/* Sets what a person says; NULL leaves a field. FG_ENOTFOUND, FG_EINVAL (too long, control bytes). */
int inventory_set(struct inventory *inv, const uint8_t pseudonym[MSG_ID], const char *group, const char *version);
/* Forgets a module here and, at once, in the database. */
int inventory_erase(struct inventory *inv, const uint8_t pseudonym[MSG_ID]);
/* The same for many, in one transaction: all or none. Those that are not known are passed over. */
int inventory_erase_all(struct inventory *inv, uint8_t (*ids)[MSG_ID], size_t n);

struct inventory_problem {
	unsigned line;
	char text[128];
};
struct inventory_import {
	unsigned rows, created, changed, same;
	unsigned taken;       /* rows that took effect: all of them, but where an error ended it half-way */
	unsigned problems_n;  /* more than INVENTORY_PROBLEMS_MAX: reading stopped there */
	struct inventory_problem problem[INVENTORY_PROBLEMS_MAX];
};
/*
 * Reads `kind,identity,group,product,version` and perhaps `tags` (header row required, RFC 4180 quoting,
 * LF or CRLF; empty fields leave what is known, tags "-" takes them off), or, where it begins with "{", a JSON
 * object with those members on each line. Imported modules are listed.
 * All or nothing: with any problem, or dry_run, nothing changes and ret says what
 * would have. Written through to the database before it returns. Where no memory or
 * disk ends it half-way, what was taken in holds, and stays to be written. 0 also with
 * problems; FG_ELIMIT, FG_ENOMEM, FG_EIO, FG_ECRYPTO. profile: name for new modules, may be "".
 */
int inventory_import(struct inventory *inv, struct view csv, const char *profile, bool dry_run,
    struct inventory_import *ret);
/*
 * A page in order of pseudonym: up to limit (0: DB_PAGE_MAX, which is the most)
 * modules after `after` (NULL: the first); what each() returns other than 0 stops and
 * is returned. FG_ENOMEM. Walks over all modules.
 */
int inventory_list(const struct inventory *inv, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct inventory_module *m), void *arg);

/* True when something the decision table holds changed since inventory_taken(). */
bool inventory_is_stale(const struct inventory *inv);
/* A table was built from what stands now. */
void inventory_taken(struct inventory *inv);
/* Writes changed modules. 0; FG_EIO: they stay to be written. */
int inventory_flush(struct inventory *inv);

#endif
