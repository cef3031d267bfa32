/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cms_signer - what one SignerInfo (RFC 5652 5.3) says about itself, checked
 * before any key is tried: digest, signature algorithm, signed attributes.
 * Role: cms.c only. Nothing here is evidence; it only decides how the
 * arithmetic has to be done, or why there is none to do.
 */
#ifndef FG_CRYPTO_CMS_SIGNER_H
#define FG_CRYPTO_CMS_SIGNER_H

#include <openssl/cms.h>

#include "crypto/pubkey.h"
#include "crypto/sig.h"

/* DIGEST_NONE for an algorithm this house does not know. */
enum digest_alg cms_signer_digest(CMS_SignerInfo *si);
/*
 * Fills method from the algorithm identifiers. False, with the outcome
 * worsened, when they are unsupported (SIG_OPAQUE) or contradict each other.
 * PSS: hash and MGF1 hash must be the signer's digest, salt exactly as declared.
 */
bool cms_signer_method(CMS_SignerInfo *si, struct pubkey_method *ret, struct sig_result *result);
bool cms_signer_has_attributes(CMS_SignerInfo *si);
/*
 * content-type must be pkcs7-data and messageDigest exactly digest, each there
 * once (T10); takes signingTime over as the claim it is (T11). False, with the
 * outcome worsened to SIG_INVALID, otherwise.
 */
bool cms_signer_attributes(CMS_SignerInfo *si, struct view digest, struct sig_result *result);

#endif
