/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openpgp - detached OpenPGP signatures over a file (RFC 4880), as GnuPG's
 * `gpgv FILE.sig FILE` judges them, by keys of the trust set that came as
 * OpenPGP keys.
 * Role: the inspector's verify stage; items of a Jcat file. Guarantees: only
 * signatures of binary documents count (one of a text fits files with other
 * line ends too, T1); every signature has its own result; age of key and
 * signature is judged at the time that is given, and a revoked key is revoked
 * at all times; weak digests are SIG_WEAK; nothing unsigned is believed.
 *
 * Not GnuPG itself: it is a program that reads files by name. Not librnp, of
 * which Debian 12 has 0.16.3: over the cases of tests/vectors/openpgp.py it calls
 * good what keys signed that had run out, were revoked or were made to encrypt
 * only, answers success (rnp_op_verify_execute()) for signatures that it calls
 * expired (T9), and takes armour with a wrong checksum; so all of the judging
 * would be here anyway. It also reads the image a second time, and links Botan,
 * C++, SQLite and a TPM client into every process that reads a trust set.
 */
#ifndef FG_CRYPTO_OPENPGP_H
#define FG_CRYPTO_OPENPGP_H

#include "crypto/sig.h"
#include "crypto/trust.h"

#define OPENPGP_FILE_MAX (64u << 10) /* bytes of a signature file, armour included */

struct openpgp;

/* Armoured, or packets that are signatures to the file's end. */
bool openpgp_recognise(struct view sig);
/*
 * Reads a signature file, binary or armoured. FG_EFORMAT with a sentence in
 * ret_why (cap bytes), FG_ENOMEM. *ret is the caller's (openpgp_free()) and
 * borrows nothing.
 */
int openpgp_open(struct view sig, struct openpgp **ret, char *ret_why, size_t cap);
void openpgp_free(struct openpgp *o);
/*
 * Next to nothing in it that nobody signed: no armour headers but a short one
 * ("Version: GnuPG v1"), no markers, and only the issuer's name beside what is
 * hashed. For signatures that lie in the image.
 */
bool openpgp_is_lean(const struct openpgp *o);
/*
 * Not even that much: where all of its signatures verify, no byte of it is
 * anybody's to choose. (One that does not verify is anybody's to its last byte.)
 */
bool openpgp_is_closed(const struct openpgp *o);
/* Digests that judging needs of the document, each once; the number. */
unsigned openpgp_digests(const struct openpgp *o, enum digest_alg ret[DIGEST_LIMIT]);
/*
 * Judges every signature: running[alg] went over the document, for each alg of
 * openpgp_digests(). Appends a result each to set, with all but covers filled;
 * scheme "openpgp". 0, FG_ENOMEM or FG_ECRYPTO.
 */
int openpgp_judge(const struct openpgp *o, const struct trust *t, unsigned rsa_bits_min, int64_t at,
    struct digest *const running[DIGEST_LIMIT], struct sig_set *set);

#endif
