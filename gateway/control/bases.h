/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bases - the registry of full images by what they are: which image is that version
 * of that product. Three sources: what was released (an image, or what a released
 * delta made), and what a person brought and named, such as the factory's image.
 * Used by targets (what a delta is tried on, what its target should be), by history
 * and by requests. Guarantees: only what is released or named is a base; a row of the
 * database permits nothing, for what comes out of a base is inspected, and the base
 * stands by its digest in report, statement and log.
 */
#ifndef FG_GATEWAY_CONTROL_BASES_H
#define FG_GATEWAY_CONTROL_BASES_H

#include "gateway/state/base.h"
#include "gateway/state/candidate.h"
#include "gateway/state/resource.h"

/* A try is a process of minutes; a fleet has a few versions in the field, the newest of them nearly always. */
#define BASES_TRIES 4
#define BASES_LISTED_MAX 64 /* releases in an answer of base.list: the report of each is read for it */

struct call;
struct control;
struct report;

enum bases_source { BASES_NONE = 0, BASES_RELEASED, BASES_MADE, BASES_NAMED };

struct bases_one {
	uint8_t image[DIGEST_SHA256_LEN];
	char version[DB_VERSION_MAX];
	enum bases_source source;
	int64_t since;
	bool have_report; /* of this image, as a full one */
	uint8_t report[DIGEST_SHA256_LEN];
};

struct bases_list { /* the youngest first */
	unsigned n;
	struct bases_one one[BASES_TRIES];
};

/*
 * The bases of a product: of that version only, where version is not "", and never of
 * the version but (""). Those whose bytes are gone are not among them; FG_EIO
 * where that cannot be told now, FG_ENOMEM.
 */
int bases_find(struct control *c, const char *profile, const char *product, const char *version, const char *but,
    struct bases_list *ret);
/*
 * What a module has that took a released candidate: its image, or what its delta made.
 * FG_ENOTFOUND when nobody saw that; errors as decisions_report().
 */
int bases_result(struct control *c, const struct db_candidate *cand, struct bases_one *ret);
/* Keeps what a delta made, a part of the quarantine, for deltas that go on from there; takes the part. */
int bases_keep(struct control *c, const struct db_candidate *cand, const char *part,
    const uint8_t image[DIGEST_SHA256_LEN], uint64_t size);
/* The candidate's bytes are being forgotten: what it made goes too. */
void bases_forget(struct control *c, const struct db_candidate *cand);
/* "released", "made", "named"; "none". */
const char *bases_source_name(enum bases_source source);

/* Request base.list. */
void bases_answer(struct control *c, struct call *call);
/* Request base.drop: what a person named is none any more. What was judged by it stays judged: reports name it by its digest. */
void bases_drop(struct control *c, struct call *call);

#endif
