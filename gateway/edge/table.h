/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - the decision table: which module may be offered which release.
 * Role: built by control off its main loop, sealed, swapped into every edge by
 * generation (= log size, never back). Immutable, offset-based, checked once
 * when taken: after table_open() no offset can lead outside the mapping.
 * Two sections (ARCHITECTURE.md section 6): modules with one open-addressing
 * index over their identities (keyed SipHash, full identity compared), and a
 * small section of decisions (profile x resource x group -> release), so that
 * an approval rebuilds only the small one. Rows carry absolute times evaluated
 * at request. No row can permit what the warden's release record does not:
 * edges compare (gateway/edge/stock.h).
 */
#ifndef FG_GATEWAY_EDGE_TABLE_H
#define FG_GATEWAY_EDGE_TABLE_H

#include "crypto/digest.h"
#include "crypto/view.h"

#define TABLE_MODULES_MAX 4000000u   /* 4 million modules: 300 MB, beyond one gateway's memory budget */
#define TABLE_BYTES_MAX (1u << 30)
#define TABLE_DECISIONS_MAX 1000000u
#define TABLE_LINKS_MAX 262144u      /* short URLs that are out: each was asked for by a person */
#define TABLE_STRING_MAX 128
#define TABLE_ID 16

/* One module as control knows it. Strings are borrowed during building. */
struct table_module {
	uint8_t pseudonym[TABLE_ID];
	const char *group;      /* "" = none */
	const char *product;
	const char *version;    /* last reported; "" = unknown */
	bool held;              /* an operator holds this module */
	bool listed;            /* imported; false: only seen, which is "unlisted" to a profile */
	int64_t first_seen;     /* epoch seconds, 0: never; kept in 32 bits, and the end of those is for ever */
	int64_t placed;         /* likewise: in its group since then; 0: nobody knows */
	unsigned idents_n;
	struct table_ident {
		uint8_t kind;       /* enum identity_kind */
		uint8_t cls;        /* enum identity_class */
		struct view text;   /* canonical identity; tokens as 64 hex digits of their SHA-256 */
	} ident[4];
};

/* One release as it may be offered. */
struct table_decision {
	uint8_t release[TABLE_ID];
	uint8_t resource[TABLE_ID];
	const char *profile;
	const char *product;
	const char *target;       /* version it makes */
	const char *from;         /* exact version or "*" */
	const char *group;        /* exact group or "*" */
	int64_t not_before, not_after;
	uint8_t image[DIGEST_SHA256_LEN];
	uint64_t size;
	int64_t last_modified;    /* when released */
	uint64_t share;           /* scope_release.share and known_by: how far the rollout has come */
	int64_t known_by;
	int64_t as_of;            /* scope_release.as_of */
};

/* A short URL (edge/link.h). */
struct table_link {
	uint8_t digest[DIGEST_SHA256_LEN]; /* SHA-256 of its token */
	uint8_t release[TABLE_ID];
	int64_t not_after;
	const char *profile;
	uint32_t module;          /* ordinal: the how-manyth module of the table */
};

/* ---- building (control) ---- */

struct table_builder;
/* seed keys the SipHash: random, from the caller. NULL on no memory. */
struct table_builder *table_builder_new(uint64_t generation, const uint8_t seed[16], size_t modules_hint);
void table_builder_free(struct table_builder *b);
/*
 * FG_ELIMIT, FG_ENOMEM, FG_EEXIST (an identity already belongs to another module);
 * nothing is added then. Aborts on a builder made by table_builder_from().
 */
int table_builder_module(struct table_builder *b, const struct table_module *m);
int table_builder_decision(struct table_builder *b, const struct table_decision *d);
/* For a module added before. FG_ELIMIT, FG_ENOMEM. Part of the module section, like modules. */
int table_builder_link(struct table_builder *b, const struct table_link *l);
/*
 * Keeps the module section of an open table and replaces its decisions: what an
 * approval or revocation needs. NULL on no memory.
 */
struct table;
struct table_builder *table_builder_from(const struct table *t, uint64_t generation);
/* Writes the finished table to fd (a memfd; not sealed here). 0, FG_EIO, FG_ELIMIT, FG_ENOMEM, FG_EEXIST (a link twice). */
int table_builder_write(struct table_builder *b, int fd);

/* ---- reading (edge, and control's own checks) ---- */

/* Maps and checks a sealed memfd wholly. FG_EPEER for anything inconsistent. fd stays the caller's. */
int table_open(int fd, struct table **ret);
/* The same over bytes that outlive the table (tests, fuzzing). */
int table_open_bytes(struct view bytes, struct table **ret);
void table_free(struct table *t);
uint64_t table_generation(const struct table *t);
size_t table_modules(const struct table *t);
size_t table_decisions(const struct table *t);

struct table_row { /* strings borrowed from the table */
	uint32_t ordinal;
	const uint8_t *pseudonym;
	const char *group, *product, *version;
	bool held;
	bool listed; /* scope_module.listed: being found is not being listed */
	int64_t first_seen, placed;
};
/* The module that has this identity: false if none. */
bool table_find(const struct table *t, unsigned kind, struct view text, struct table_row *ret);
/*
 * The short URL whose token has that digest, and its module: false if none. No
 * time that depends on more than the first eight bytes of a digest is taken.
 */
bool table_find_link(const struct table *t, const uint8_t digest[DIGEST_SHA256_LEN], struct table_link *ret,
    struct table_row *ret_module);
size_t table_links(const struct table *t);
/* Decisions for (profile, resource), in order; *it starts at 0. False at the end. */
bool table_next(const struct table *t, const char *profile, const uint8_t resource[TABLE_ID], uint32_t *it,
    struct table_decision *ret);
/* The i-th decision of all. */
bool table_decision_at(const struct table *t, size_t i, struct table_decision *ret);

#endif
