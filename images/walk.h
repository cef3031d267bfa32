/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk - going over a container: what every format's walker is given, and the
 * only ways in which it can say something.
 * Role: one file a format (images/swu.c, ...) with one function of type
 * walk_fn, entered in the table of walk_table.c; run in the inspector's verify
 * stage. A walker reads w->image, judges signatures with walk_keys() and
 * walk_cms(), and hands each member to walk_member(), which hashes it, holds it
 * against the digest that was promised, lists it, and walks it in its turn.
 *
 * Guarantees: reads stay inside the container; depth, members, expanded bytes
 * and the ratio of expansion are bounded for the whole inspection, and whatever
 * a bound keeps from being looked at is a finding (FMT-WALK-LIMIT). Hostile text
 * is escaped here, a walker passes it as it is. A walker returns 0 whatever the
 * bytes are, and a negative fg_err only for local failure.
 *
 * The bytes read here are those that were hashed as the image, because nobody
 * writes to an image while it is inspected: it is a sealed memfd or a file that
 * only the inspection's owner can write.
 */
#ifndef FG_IMAGES_WALK_H
#define FG_IMAGES_WALK_H

#include <openssl/evp.h>

#include "crypto/cms.h"
#include "crypto/trust.h"
#include "images/report.h"
#include "images/source.h"

#define WALK_DEPTH_MAX 6                     /* containers in containers */
#define WALK_MEMBERS_MAX 200000              /* looked at in one inspection */
#define WALK_EXPANDED_MAX ((uint64_t)2 << 30) /* bytes that come out of packed members, in all */
#define WALK_KEEP_MAX ((uint64_t)256 << 20)  /* of these, kept in memory at once so as to be walked themselves */

struct whole;     /* whole.h */
struct walk_room; /* shared by all containers of one inspection */

/*
 * The signatures that one or more calls added: what they vouch for depends on
 * whether one of them verified. Zero vouches for nothing.
 */
struct walk_signed {
	unsigned first, n;
};

/*
 * Digests of all bytes of a container, each taken when it is first asked for and
 * kept: many signatures over one file cost one pass for each algorithm. Zero
 * holds none.
 */
struct walk_sums {
	struct digest *of[DIGEST_LIMIT];
};

void walk_sums_free(struct walk_sums *s);

/* One container being walked. */
struct walk {
	struct walk_room *room;
	const struct source *image; /* its bytes */
	struct walk_sums *sums;     /* of image; NULL: none are kept */
	enum format_id format;
	bool placed;   /* those bytes lie in the inspected file as they are, ... */
	uint64_t base; /* ... from here on */
	unsigned depth;
	struct walk_signed under; /* further out, or beside the image: over all bytes of this container */
	char path[CONTENTS_PATH_MAX]; /* "" for the inspected file itself */
};

typedef int walk_fn(struct walk *w);

/* NULL: that format has no walker. */
walk_fn *walk_of(enum format_id format);
/*
 * Walks image, recognised as format, into r (signatures, findings, contents).
 * trust and policy are borrowed. Does nothing when the format has no walker.
 */
int walk_image(const struct source *image, enum format_id format, const struct trust *trust,
    const struct trust_policy *policy, int64_t at, struct report *r);
/* The same, while the image is being named: what is signed from its first byte on is hashed for both at once. */
int walk_whole(struct whole *whole, enum format_id format, const struct trust *trust,
    const struct trust_policy *policy, int64_t at, struct report *r);

/*
 * Goes with fn over a file that lies beside the image (evidence for it), so that
 * the readers of containers serve there too: what they find is told under name,
 * and no byte of the file counts as one of the image.
 */
int walk_beside(const struct source *file, enum format_id format, const char *name,
    const struct trust *trust, const struct trust_policy *policy, int64_t at, struct report *r,
    int (*fn)(struct walk *w, void *arg), void *arg);

/* ---- saying something ---- */

/* Raises a finding with the table's severity; offset (may be NULL) is of w->image. */
void walk_raise(struct walk *w, enum finding_id id, const uint64_t *offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, milder (see report_raise()). */
void walk_raise_as(struct walk *w, enum finding_id id, enum finding_severity severity,
    const uint64_t *offset, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* How many signatures were judged so far, for walk_since() later: those that came after. */
unsigned walk_mark(const struct walk *w);
struct walk_signed walk_since(const struct walk *w, unsigned mark);
/* At least one of them verified. */
bool walk_verified(const struct walk *w, struct walk_signed by);
/* There are some, and every one of them did: what is said of the place they stand in goes by this. */
bool walk_all_verified(const struct walk *w, struct walk_signed by);
/* A claim of the container; sure when by, or w->under, verified. value is hostile text. */
void walk_fact(struct walk *w, enum contents_fact_id id, struct walk_signed by, struct view value);
void walk_fact_uint(struct walk *w, enum contents_fact_id id, struct walk_signed by, uint64_t value);
/*
 * Bytes that are the format's own (headers, padding, the signature itself) and
 * were checked to be nothing else. What is neither signed, vouched for nor
 * structure is told as COV-UNSIGNED-BYTES.
 */
void walk_structure(struct walk *w, uint64_t offset, uint64_t length);
/* Says that every verified one of by covers this range too. */
void walk_covers(struct walk *w, struct walk_signed by, uint64_t offset, uint64_t length);

/* ---- judging signatures ---- */

/* The bytes a signature is over: up to SIG_COVERS_MAX ranges of w->image, in order. */
struct walk_span {
	struct sig_range range[SIG_COVERS_MAX];
	unsigned n;
};

/* Digest of a span, read once in order. FG_EFORMAT when it leaves the container. */
int walk_digest(const struct walk *w, const struct walk_span *span, enum digest_alg alg,
    uint8_t ret[DIGEST_LEN_MAX]);

/*
 * One signature by a bare key. What the format prescribes is given here and
 * nothing of it is taken from the file: as is the scheme (RSA padding with its
 * digest, ECDSA encoding, Ed25519); TRUST_SCHEME_NONE leaves it to each key's
 * record, for formats without a marker. Every key of the trust set of that
 * type is tried.
 */
struct walk_claim {
	const char *scheme; /* "mcuboot/rsa-pss-sha256"; NULL: "<format>/<scheme of the key>" */
	enum trust_scheme as;
	enum trust_tool tool; /* keys that came from a tool count only in its own forms */
	struct view signature;
	struct walk_span span; /* what it is over */
	bool have_message;     /* it is over these bytes instead (COSE's Sig_structure), and span is what they stand for */
	struct view message;
	/*
	 * One of several, of which the format wants any: where no key fits, it may
	 * be another maker's, and is untrusted rather than invalid.
	 */
	bool several;
	/*
	 * The certificates of the set stand for their keys too, with dates, purpose and
	 * revocation as policy has them: for devices that are given certificates and
	 * take the keys out of them. Only with as.
	 */
	bool certificates;
	EVP_PKEY *embedded; /* a key in the file: tells "sound, but nobody we trust" from "broken"; NULL = none */
	/*
	 * Narrows the keys tried; NULL tries all. arg is given back. A hint may
	 * only ever exclude (T14).
	 */
	bool (*candidate)(const struct trust_key *key, const void *arg);
	const void *arg;
};

/* Appends one result; *ret (may be NULL) names it. FG_EINVAL for a claim that contradicts itself. */
int walk_keys(struct walk *w, const struct walk_claim *claim, struct walk_signed *ret);

/*
 * Detached CMS over a span: one result for each signer. scheme e.g.
 * "rauc-bundle/cms-detached". *ret_lean (may be NULL): all of its signers verified,
 * and there is nothing in it that they have no need of; only then may its bytes
 * count as structure.
 */
int walk_cms(struct walk *w, const char *scheme, struct view der, const struct walk_span *span,
    struct walk_signed *ret, bool *ret_lean);
/*
 * The same, where the device itself must hold every certificate above the signer's
 * (cms_lone_signer()).
 */
int walk_cms_lone(struct walk *w, const char *scheme, struct view der, const struct walk_span *span,
    struct walk_signed *ret, bool *ret_lean);
/*
 * Attached CMS that lies at at in w->image; its content (borrowed from *ret_cms,
 * cms_free()) is what it covers. *ret_cms is NULL when it is none, which is then told.
 * *ret_lean as for walk_cms(), of what lies around the content.
 */
int walk_cms_attached(struct walk *w, const char *scheme, struct sig_range at,
    struct cms **ret_cms, struct walk_signed *ret, bool *ret_lean);
#define WALK_CHAIN_MAX 16 /* certificates: a leaf, one CA, and as many roots as a maker may choose from */

/*
 * A bare signature whose signer's certificates stand beside it, the signer's
 * first: no container, so the digest is the format's, and the padding is the one
 * of those that go with the key (RSA PSS with a salt of the digest's length, RSA
 * PKCS#1 v1.5, ECDSA in DER) that fits. Trust is the chain's alone, as for CMS.
 */
struct walk_chain {
	const char *scheme; /* "mbn": "/rsa-pss-sha256", as it fits, is appended */
	/* Why a misfit may be no forgery: it is then opaque. NULL: it is invalid. */
	const char *misfit;
	enum digest_alg alg;
	struct view signature;
	struct walk_span span;
	struct view cert[WALK_CHAIN_MAX]; /* DER; none may stand behind another in one view */
	unsigned n;
};

/*
 * Appends one result; *ret (may be NULL) names it. *ret_closed: it verified, each
 * certificate is signed by the next and the last by itself, so that no byte of
 * them is anybody's to choose.
 */
int walk_chain(struct walk *w, const struct walk_chain *claim, struct walk_signed *ret,
    bool *ret_closed);
/*
 * Detached OpenPGP signatures, binary or armoured, over a span: one result for
 * each, by OpenPGP keys of the trust set. *ret_closed (may be NULL): all of them
 * verified, and no byte of them is anybody's to choose.
 */
int walk_openpgp(struct walk *w, const char *scheme, struct view sig, const struct walk_span *span,
    struct walk_signed *ret, bool *ret_closed);
/*
 * Signatures over the bytes of a member: told as the member's, and not as the
 * container's, whose bytes are others where it packs.
 */
void walk_of_member(struct walk *w, struct walk_signed by, struct view member);
/*
 * There is nothing in the container but n members, and these are the signatures
 * of each: whoever verifiably signed all of them signed the container. The first
 * signature of each such signer becomes the container's own, over range.
 */
void walk_adopt(struct walk *w, const struct walk_signed *each, unsigned n, struct sig_range range);
/* A result that needs no arithmetic (malformed, opaque, absent); outcome never SIG_VERIFIED. */
void walk_settle(struct walk *w, const char *scheme, enum sig_outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- members ---- */

struct walk_member {
	struct view name;       /* as the container spells it; hostile */
	struct sig_range at;    /* where it lies in w->image, packed or not; length 0: nowhere by itself */
	/*
	 * Packed: yields the expanded bytes, 0 at the end, FG_EFORMAT for a damaged
	 * stream, FG_ELIMIT for a bound of the unpacker's own, or another fg_err.
	 */
	long (*read)(void *arg, void *buf, size_t n);
	void *arg;
	/*
	 * Packed: read gives the same bytes again from the first on; 0 or a local failure. NULL: they come only once,
	 * and are kept until it is known whether they have to be walked.
	 */
	int (*again)(void *arg);
	uint64_t size;          /* packed: expanded size as the container says; UINT64_MAX: it does not say */
	/* Digest that the container's signed words promise for the expanded bytes; DIGEST_NONE: none. */
	enum digest_alg alg;
	uint8_t digest[DIGEST_LEN_MAX];
	bool digest_packed;     /* it is over the bytes at at instead */
	struct walk_signed by;  /* who stands behind the digest or, with inside, behind the bytes */
	bool inside;            /* the bytes at at lie under by itself */
	bool runs;
	bool plain;             /* not to be recognised and walked: a manifest, a signature */
};

/* What became of a member. */
struct walk_seen {
	enum contents_vouch vouch;
	enum format_id format;
	uint64_t size;
	uint8_t sha256[DIGEST_SHA256_LEN];
	bool verified; /* a signature of its own did; those of its members are theirs */
};

/*
 * Hashes, compares, lists and walks a member. A digest that does not fit is
 * told (MEMBER-DIGEST), and so is a name that leaves its folder
 * (MEMBER-UNSAFE-NAME). ret may be NULL.
 */
int walk_member(struct walk *w, const struct walk_member *m, struct walk_seen *ret);

/*
 * The n-th of several images of one format in a row, as a member of its own. A
 * device takes it for one of these, whatever else it may be too: where it is no
 * image of w's format under a verified signature of its own, that is told.
 */
int walk_follower(struct walk *w, unsigned n, struct sig_range at);

/* ---- reading ---- */

/*
 * The digest that names the inspected file, where w is that file and it is being named; NULL: there is nobody to
 * offer its bytes to (whole_offer()).
 */
struct whole *walk_naming(struct walk *w);

/*
 * Bytes that readers of file systems went over so far, in all containers of the
 * inspection: theirs to count in, so that many small ones have no more than one.
 */
uint64_t *walk_work(struct walk *w);

/*
 * The whole of a small thing (a manifest, a signature) into memory: *ret_bytes
 * is malloc'ed, one NUL stands behind it. FG_EFORMAT when at leaves the
 * container or is longer than max: the caller says so.
 */
int walk_load(const struct walk *w, struct sig_range at, size_t max, uint8_t **ret_bytes);

#endif
