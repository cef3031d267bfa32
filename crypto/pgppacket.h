/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgppacket - the outer forms of OpenPGP (RFC 4880): ASCII armour, packets,
 * subpackets, integers.
 * Role: pgpsig.c, pgpkey.c, openpgp.c. Guarantees: never reads outside the view,
 * allocates only what is dearmoured, linear time; only lengths that are said
 * in front (no partial and no indeterminate ones, which signatures and keys
 * have no use for), integers only in their one form.
 */
#ifndef FG_CRYPTO_PGPPACKET_H
#define FG_CRYPTO_PGPPACKET_H

#include "crypto/reader.h"
#include "crypto/writer.h"

/* Section 4.3, as far as they are told apart here. */
enum pgppacket_tag {
	PGPPACKET_SIGNATURE = 2,
	PGPPACKET_SECRET_KEY = 5,
	PGPPACKET_PUBLIC_KEY = 6,
	PGPPACKET_SECRET_SUBKEY = 7,
	PGPPACKET_MARKER = 10, /* "PGP", to be ignored */
	PGPPACKET_TRUST = 12,  /* a keyring's own notes */
	PGPPACKET_USER_ID = 13,
	PGPPACKET_PUBLIC_SUBKEY = 14,
	PGPPACKET_USER_ATTRIBUTE = 17,
};

struct pgppacket {
	unsigned tag;
	struct view body; /* borrowed */
};

/* The next packet of *rest: 1, 0 at the end, FG_EFORMAT. */
int pgppacket_next(struct view *rest, struct pgppacket *ret);

struct pgppacket_sub {
	unsigned type;
	bool critical;
	struct view body;
};

/* The next subpacket of an area (section 5.2.3.1): 1, 0 at the end, FG_EFORMAT. */
int pgppacket_sub_next(struct view *rest, struct pgppacket_sub *ret);

/*
 * A multiprecision integer without its bit count (section 3.2): no leading zero
 * bits, at most max bytes. Marks r bad for anything else.
 */
struct view pgppacket_mpi(struct reader *r, size_t max);

/* Begins, but for white space, with the armour that is named: "PGP SIGNATURE", "PGP PUBLIC KEY BLOCK". */
bool pgppacket_is_armoured(struct view text, const char *what);
/*
 * Appends what the armours of that name hold, one behind the other; nothing
 * but white space may stand between or around them. Headers ("Comment: ...") and
 * white space other than line ends are dropped, and their bytes counted in
 * *ret_around (may be NULL), with lines of another length than those before them:
 * nobody signed them. A checksum has to fit.
 * FG_EFORMAT with *ret_why (static text), FG_ENOMEM, FG_ELIMIT (w's).
 */
int pgppacket_dearmour(struct view text, const char *what, struct writer *w, size_t *ret_around,
    const char **ret_why);

#endif
