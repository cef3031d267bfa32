/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cms - CMS SignedData (RFC 5652), detached over a stream or attached and capped.
 * Role: run in the inspector's verify stage only. The content is hashed by the
 * caller in the same pass that names the image: cms_open() says which digests
 * the signers need, the caller feeds them, cms_judge() does the rest, so a
 * file of any size is read once (T7) and always as bytes (T1).
 */
#ifndef FG_CRYPTO_CMS_H
#define FG_CRYPTO_CMS_H

#include "crypto/sig.h"
#include "crypto/trust.h"

#define CMS_SIG_MAX (64u << 10)      /* a detached signature with its chain; RAUC's own cap */
#define CMS_ATTACHED_MAX (16u << 20) /* an attached object with its content */
#define CMS_DIGESTS_MAX 5
#define CMS_CERTS_MAX 64  /* certificates sent along; a chain has 3 */
#define CMS_HEAD_LEN 16   /* bytes of the content that cms_content_head() wants */

#define CMS_WHY_TRAILING "trailing bytes after the CMS object" /* cms_open(), T5: SIG_REASON_TRAILING */

struct cms; /* a parsed SignedData */

/*
 * Parses DER. FG_EFORMAT with why filled when it is not one SignedData with
 * pkcs7-data, has trailing bytes (T5), no signer (T9), mixes attached and
 * detached forms (T8), or is over the cap for its kind. PEM armour is not
 * accepted here: the file is what the module would get. BER is, where content
 * stays in one piece. der may be forgotten afterwards.
 */
int cms_open(struct view der, bool detached, struct cms **ret, char *ret_why, size_t cap);
void cms_free(struct cms *c);
/*
 * Nothing in it but what its signers need: no unsigned attributes, no CRLs, and
 * of certificates only signers' and their issuers', none longer than 4 KiB, all
 * of which the trust set answers for: in it, made with a key of it, or by one
 * that was sent along and is itself answered for. Whatever else lies in a
 * SignedData was put there by anybody. Without a trust set its part is not asked
 * (there is nothing to count on then). A local failure makes it false.
 */
bool cms_is_lean(const struct cms *c, const struct trust *t);
/* Digest algorithms the signers name, each once, weak ones too. */
unsigned cms_digests(const struct cms *c, enum digest_alg out[CMS_DIGESTS_MAX]);
/* Attached only: where the content lies inside the DER (own BER walk). */
struct sig_range cms_content_range(const struct cms *c);
/* Attached only: the content, borrowed from c; equals der at cms_content_range(). */
struct view cms_content(const struct cms *c);
/* Some signer signed attributes, not the content's digest itself (T10). For formats that know only one form. */
bool cms_has_attributes(const struct cms *c);
/*
 * Detached: the first bytes of the content (up to CMS_HEAD_LEN), which the
 * caller has at hand while hashing. A signature over signed attributes also
 * fits a "content" that is those attributes' DER (T10); content that begins
 * like that is then refused. Attached content is looked at without being told.
 */
void cms_content_head(struct cms *c, struct view head);
/*
 * From here on a signer's certificate counts only when it was sent along, and
 * nothing else that was sent is a step to an anchor: what updaters do that build
 * chains from what the device holds alone.
 */
void cms_lone_signer(struct cms *c);
/*
 * Judges every SignerInfo (T6): content digest given per algorithm in digests[]
 * order of cms_digests(); covers is what the content was. Fills one result a
 * signer. "Nobody verified" is the caller's to see from the set. A second
 * signature by one key says so in its detail and must not be counted again.
 * covers_n is at most SIG_COVERS_MAX. 0, FG_ENOMEM or FG_ECRYPTO; ret is
 * untouched on failure.
 */
int cms_judge(struct cms *c, const struct trust *t, const struct trust_policy *policy, int64_t now,
    const uint8_t (*digests)[DIGEST_LEN_MAX], const struct sig_range *covers, unsigned covers_n,
    struct sig_set *ret);

#endif
