/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tufrepo - a client's way through a TUF repository's metadata (specification
 * 1.0, section 5): from the pinned root to the one list that names the image.
 * Role: tufproof.c, once a repository. Guarantees: pure, no clock and no names of
 * its own; the files are what the caller found in a bundle, hostile; roles,
 * depth, candidates and the work of matching paths are bounded; each rule that
 * is broken has its outcome, its finding and a sentence.
 *
 * A client asks for a path. Here the image is there and its path is not known,
 * so every list is searched for its digest, and then each path found is looked
 * up as a client would: a role that a path was not delegated to proves nothing.
 */
#ifndef FG_IMAGES_TUFREPO_H
#define FG_IMAGES_TUFREPO_H

#include "crypto/sig.h"
#include "crypto/tufmeta.h"
#include "images/finding.h"

#define TUFREPO_ROOTS_MAX 256 /* steps from the pinned root, as in python-tuf */
#define TUFREPO_ROLES_MAX 32  /* delegated roles looked into for one path, likewise */
#define TUFREPO_DEPTH_MAX 8   /* of delegations; repositories in use have two or three */
#define TUFREPO_PATHS_MAX 8   /* names of one image in one repository */
#define TUFREPO_PATH_MAX 512  /* bytes of a target's path, with its NUL */
#define TUFREPO_NAMES_MAX 64  /* hardware ids or ECUs of one target */
#define TUFREPO_NAME_MAX 64   /* bytes of one, with its NUL */

/* A file of the repository: "3.snapshot.json". */
struct tufrepo_file {
	struct view name, bytes;
};

struct tufrepo_ask {
	const struct tufrepo_file *file; /* in the order of their names */
	unsigned n;
	const struct tufmeta *anchor; /* the pinned root */
	bool uptane;   /* custom fields must be of a form that is known */
	bool director; /* delegates nothing, and gives each ECU one image */
	unsigned rsa_bits_min;
	int64_t at; /* verification time */
	uint64_t size;
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint8_t sha512[DIGEST_LEN_MAX];
};

struct tufrepo_paths {
	unsigned n;
	char at[TUFREPO_PATHS_MAX][TUFREPO_PATH_MAX];
};

struct tufrepo_names {
	unsigned n;
	char at[TUFREPO_NAMES_MAX][TUFREPO_NAME_MAX];
};

/* Where a path leads, and what is said there. */
struct tufrepo_entry {
	bool found, fits; /* fits: length and digests are the image's */
	char role[TUFMETA_NAME_MAX];
	uint64_t version; /* of the role's list */
	int64_t expires;
	struct tufmeta_count by;
	struct tufrepo_names hardware, ecu;
};

struct tufrepo; /* one repository, verified as far as it goes */

/* Why a repository, or a path in it, proves nothing; outcome SIG_UNKNOWN: nothing is wrong. */
struct tufrepo_fault {
	enum sig_outcome outcome;
	enum finding_id finding; /* FINDING_LIMIT: no more than the outcome says */
	char text[SIG_TEXT_MAX]; /* plain ASCII */
};

/*
 * Root chain, timestamp, snapshot and top-level targets. 0 (ask tufrepo_fault()),
 * FG_ENOMEM, FG_ECRYPTO. ask is copied, what it points to is borrowed.
 */
int tufrepo_open(const struct tufrepo_ask *ask, struct tufrepo **ret);
void tufrepo_free(struct tufrepo *r);
const struct tufrepo_fault *tufrepo_fault(const struct tufrepo *r);
/* How far it came, to choose among the reasons of several anchors. */
unsigned tufrepo_progress(const struct tufrepo *r);
/* Version and end of a role that was reached; 0 for others. */
uint64_t tufrepo_version(const struct tufrepo *r, enum tufmeta_type type);
int64_t tufrepo_expires(const struct tufrepo *r, enum tufmeta_type type);
/* Keys whose private half is public were counted somewhere on the way. */
bool tufrepo_published(const struct tufrepo *r);
/*
 * Paths under which some role lists the image; with none of them, the fault says
 * what came nearest. Only of a repository without fault.
 */
int tufrepo_search(struct tufrepo *r, struct tufrepo_paths *ret);
/* What a client that asks for path is told; a fault when it would give up. */
int tufrepo_resolve(struct tufrepo *r, const char *path, struct tufrepo_entry *ret);

#endif
