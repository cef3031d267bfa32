/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token - what a program or a person could get in touch by, found in bytes of any
 * kind: URLs, hosts, addresses, numbers, commands of the modem, identities.
 * Role: the explain stage puts every leaf of both images into one set each; what is
 * new anywhere in the new image is a line of the page, so a string that only moved
 * raises nothing. Files: token_run.c (text in bytes), token_class.c with token_host.c,
 * token_shell.c and token_fuse.c (what a text holds), token_ident.c (packed identities),
 * token_set.c (the sets), token_page.c (their difference).
 *
 * Guarantees: linear time, memory bounded by TOKEN_SET_MAX and TOKEN_TEXT_MAX (what
 * does not fit is counted and told); what one byte sequence yields does not depend on
 * where it lies. Names that could as well be file names or versions are left out
 * unless something marks them (a scheme, a port, a key before them): token_host.c says
 * which. A set difference of strings finds what is written down, not what is computed.
 */
#ifndef FG_IMAGES_TOKEN_H
#define FG_IMAGES_TOKEN_H

#include "crypto/digest.h"
#include "images/page.h"
#include "images/source.h"

#define TOKEN_LEN_MAX 200   /* bytes of one token; longer ones are cut, always at the same place */
#define TOKEN_RUN_MIN 6     /* characters that make a text */
#define TOKEN_RUN_MAX 8192  /* a longer line is read in pieces that end between tokens */
#define TOKEN_SET_MAX (256u << 10)  /* of one image; a distribution of 30 MB has about 20,000 */
#define TOKEN_TEXT_MAX (24u << 20)  /* bytes of their texts, places and surroundings */

enum token_class {
	TOKEN_NONE = 0,
	/* contact points */
	TOKEN_URL,
	TOKEN_HOST,
	TOKEN_IPV4,
	TOKEN_IPV6,
	TOKEN_PHONE,
	TOKEN_MAIL,
	TOKEN_APN,
	TOKEN_ENDPOINT, /* MQTT, CoAP, LwM2M: by scheme or by port */
	/* of the modem */
	TOKEN_AT,
	TOKEN_DIAG,
	TOKEN_SMS,      /* messages nobody sees: type 0, SIM data download, delivery straight to a program */
	TOKEN_LOCATION, /* hosts of SUPL, XTRA and alike */
	TOKEN_RESOLVER,
	/* of the shell */
	TOKEN_SHELL,    /* fetches and runs, or hands a shell out */
	TOKEN_LISTEN,   /* names of programs that let others in */
	TOKEN_FUSE,     /* burns, locks, or writes to what a module starts from */
	/* identities, as digits */
	TOKEN_IMEI,
	TOKEN_IMSI,
	TOKEN_ICCID,
	TOKEN_MAC,
	TOKEN_CLASS_LIMIT,
};

/* "URL", "host name", ...; aborts on none. */
const char *token_class_name(enum token_class class);

/* ---- texts in bytes (token_run.c) ---- */

/* run: printable ASCII and tabs, without line ends; offset: of its first byte; wide: it was UTF-16LE. Not 0 ends the scan. */
typedef int token_run_fn(void *arg, struct view run, uint64_t offset, bool wide);
/* Every text of at least TOKEN_RUN_MIN characters. 0, FG_EIO, FG_ENOMEM or what fn returned. */
int token_runs(const struct source *s, token_run_fn *fn, void *arg);

/* ---- what a text holds (token_class.c) ---- */

/* token: normal form (what is compared); at: where in the run it lies. Not 0 ends it. */
typedef int token_fn(void *arg, enum token_class class, struct view token, size_t at);
/* At most TOKEN_RUN_MAX bytes are looked at. 0 or what fn returned. */
int token_classify(struct view run, token_fn *fn, void *arg);

/* ---- identities in packed decimals (token_ident.c) ---- */

typedef int token_ident_fn(void *arg, enum token_class class, struct view digits, uint64_t offset);
/*
 * BCD in either order of nibbles, with and without filler, and the mobile identity of
 * TS 24.008. sure: it is one of at least four in equal distances; otherwise a chance
 * hit is likely and only a list of known identities makes something of it (all are
 * passed to maybe, which may be NULL). 0, FG_EIO, FG_ENOMEM or what a function returned.
 */
int token_idents(const struct source *s, token_ident_fn *sure, token_ident_fn *maybe, void *arg);
/* The last of n digits fits the others (ISO/IEC 7812-1, annex B). */
bool token_luhn(struct view digits);
/* What n digits could be: IMEI, IMSI, ICCID or TOKEN_NONE. */
enum token_class token_ident_class(struct view digits);

/* ---- sets (token_set.c) ---- */

struct token_set;

/* SHA-256 of identities (their digits in ASCII, a MAC as 12 lower-case hex digits), ascending; borrowed. */
struct token_own {
	const uint8_t (*sha256)[DIGEST_SHA256_LEN];
	size_t n;
};

/*
 * known NULL: the old image's set. known the old image's: holds only what the old one
 * does not, and known remembers what was met again. known and own (NULL: none) are
 * borrowed. NULL without memory.
 */
struct token_set *token_set_new(struct token_set *known, const struct token_own *own);
void token_set_free(struct token_set *t);
/* Adds all of one leaf; path in visible form. 0, FG_EIO, FG_ENOMEM or FG_ECRYPTO. */
int token_set_scan(struct token_set *t, const char *path, const struct source *s);
/* The same for a leaf of the old image that the new one holds too: what is in it was met again. */
int token_set_scan_both(struct token_set *t, const char *path, const struct source *s);
size_t token_set_count(const struct token_set *t);
/* In here, or in what it was told to know? */
bool token_set_has(const struct token_set *t, enum token_class class, struct view token);
/* Tokens that found no room. */
uint64_t token_set_lost(const struct token_set *t);

/* One token of a set; views live as long as the set. */
struct token {
	enum token_class class;
	bool own;     /* one of the identities that were given */
	bool packed;  /* in packed decimals */
	bool met;     /* in a set that another one knows: it was met again */
	struct view text;
	struct view around; /* bytes before and behind it, as they are */
	const char *path;   /* of the first leaf that held it */
	uint64_t offset;    /* in that leaf */
};
/* In the order of finding; aborts past the end. */
void token_set_get(const struct token_set *t, size_t i, struct token *ret);

/* ---- the difference (token_page.c) ---- */

/* Lines for all that new holds and old does not, one each for what is gone, and for limits. 0 or FG_ENOMEM. */
int token_page(const struct token_set *old, const struct token_set *new, struct page *page);
/* The host of a URL in normal form, without user, port and brackets. */
struct view token_url_host(struct view url);

#endif
