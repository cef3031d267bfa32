/* SPDX-License-Identifier: Apache-2.0 */
/*
 * small_log - a log of numbered entries as tests need it: roots, consistency
 * proofs written down from RFC 9162 2.1.4.1 (not by the code under test) and
 * signed checkpoints. `fork` entries differ from number `from` on.
 */
#ifndef FG_TESTS_SMALL_LOG_H
#define FG_TESTS_SMALL_LOG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/checkpoint.h"

#define SMALL_LOG_ORIGIN "gw-7f3a.example/fotagate/audit"

struct small_log {
	struct merkle *m;
	struct note_signer key;
	uint64_t fork_from; /* entries at or above are others; UINT64_MAX: none */
};

static inline void
small_log_must(int rc)
{
	if (rc != 0)
		abort();
}

static inline struct small_log
small_log_new(void)
{
	uint8_t seed[ED25519_SEED_LEN];
	struct small_log l = { .m = merkle_new(), .fork_from = UINT64_MAX };
	memset(seed, 0x42, sizeof seed);
	if (!l.m)
		abort();
	small_log_must(note_signer_make(SMALL_LOG_ORIGIN, NOTE_TYPE_ED25519, seed, &l.key));
	return l;
}

/* MTH of entries [from, to). */
static inline void
small_log_hash(const struct small_log *l, uint64_t from, uint64_t to, uint8_t ret[MERKLE_HASH_LEN])
{
	if (to - from == 0) {
		small_log_must(merkle_empty(l->m, ret));
	} else if (to - from == 1) {
		char entry[48];
		snprintf(entry, sizeof entry, "%s %llu", from >= l->fork_from ? "other" : "entry",
		    (unsigned long long)from);
		small_log_must(merkle_leaf(l->m, view_str(entry), ret));
	} else {
		uint8_t left[MERKLE_HASH_LEN], right[MERKLE_HASH_LEN];
		uint64_t k = 1;
		while (2 * k < to - from)
			k *= 2;
		small_log_hash(l, from, from + k, left);
		small_log_hash(l, from + k, to, right);
		small_log_must(merkle_node(l->m, left, right, ret));
	}
}

/* SUBPROOF(m, D[from:to], b). */
static inline void
small_log_subproof(const struct small_log *l, uint64_t m, uint64_t from, uint64_t to, bool b, struct merkle_proof *p)
{
	if (m == to - from) {
		if (!b)
			small_log_hash(l, from, to, p->hash[p->n++]);
		return;
	}
	uint64_t k = 1;
	while (2 * k < to - from)
		k *= 2;
	if (m <= k) {
		small_log_subproof(l, m, from, from + k, b, p);
		small_log_hash(l, from + k, to, p->hash[p->n++]);
	} else {
		small_log_subproof(l, m - k, from + k, to, false, p);
		small_log_hash(l, from, from + k, p->hash[p->n++]);
	}
}

static inline struct merkle_proof
small_log_proof(const struct small_log *l, uint64_t old, uint64_t size)
{
	struct merkle_proof p = { .n = 0 };
	if (old)
		small_log_subproof(l, old, 0, size, true, &p);
	return p;
}

/* Appends the signed checkpoint of that size. */
static inline void
small_log_checkpoint(const struct small_log *l, uint64_t size, struct writer *w)
{
	struct checkpoint c = { .size = size };
	snprintf(c.origin, sizeof c.origin, "%s", l->key.key.name);
	small_log_hash(l, 0, size, c.root);
	small_log_must(checkpoint_sign(&c, &l->key, w));
}

#endif
