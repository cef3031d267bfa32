/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sshkey - the OpenSSH public keys people sign with.
 * Role: signer sets, SSH signatures, exports for `ssh-keygen -Y verify`.
 * Guarantees: exactly three types exist here (ssh-ed25519,
 * sk-ssh-ed25519@openssh.com, sk-ecdsa-sha2-nistp256@openssh.com); every other
 * is refused by name. A parsed key is usable: its point lies on its curve and
 * is not of small order. Input is untrusted; nothing allocates.
 */
#ifndef FG_CRYPTO_SSHKEY_H
#define FG_CRYPTO_SSHKEY_H

#include "crypto/digest.h"
#include "crypto/view.h"
#include "crypto/writer.h"

#define SSHKEY_APPLICATION_MAX 127 /* "ssh:" or a passkey's RP id, which is a host name */
#define SSHKEY_POINT_LEN 65        /* uncompressed P-256 point, the longest key */
#define SSHKEY_BLOB_MAX 256        /* 34 + 8 + 65 + 127 bytes and four lengths: 250 */
#define SSHKEY_LINE_MAX 2048       /* type, base64 of a blob and a long comment */
#define SSHKEY_COMMENT_MAX 128
/* "SHA256:", 43 digits of unpadded base64, NUL. */
#define SSHKEY_FINGERPRINT_CAP 51
#define SSHKEY_PRINCIPAL_MAX 255   /* one allowed_signers principal */

enum sshkey_type {
	SSHKEY_NONE = 0,
	SSHKEY_ED25519,
	SSHKEY_SK_ED25519, /* FIDO authenticator, Ed25519 */
	SSHKEY_SK_ECDSA,   /* FIDO authenticator or passkey, P-256 */
};

/* Plain data without secrets; copied by assignment. Unused bytes are zero. */
struct sshkey {
	enum sshkey_type type;
	uint8_t point[SSHKEY_POINT_LEN];              /* 32 bytes for both Ed25519 types */
	char application[SSHKEY_APPLICATION_MAX + 1]; /* sk types only, else "" */
};

/* "ssh-ed25519", ...; "" for SSHKEY_NONE. */
const char *sshkey_type_name(enum sshkey_type type);
/* True for keys that live in a FIDO authenticator. */
bool sshkey_is_sk(const struct sshkey *key);
size_t sshkey_point_len(const struct sshkey *key);

/*
 * A public key in wire form, all of blob. FG_EFORMAT with *ret_why (static text
 * fit for showing, may be NULL) for what is malformed, of another type, or a
 * point nobody should trust.
 */
int sshkey_parse_blob(struct view blob, struct sshkey *ret, const char **ret_why);
/*
 * One line as in a .pub file: type, base64 blob, optional comment; one line end
 * is allowed after it. No options in front (they would change what the key may
 * do and nobody here acts on them). comment (may be NULL) gets what follows the
 * key, through visible_cstr; cap is its size.
 */
int sshkey_parse_line(struct view line, struct sshkey *ret, char *comment, size_t cap,
    const char **ret_why);

/* Appends the wire form / "type base64". Aborts for SSHKEY_NONE. */
void sshkey_write_blob(const struct sshkey *key, struct writer *w);
void sshkey_write_line(const struct sshkey *key, struct writer *w);
/* Same type, point and application. SSHKEY_NONE equals nothing. */
bool sshkey_equal(const struct sshkey *a, const struct sshkey *b);
/*
 * Same point whatever type or application says: what "distinct keys" of a
 * quorum must be judged by.
 */
bool sshkey_same_point(const struct sshkey *a, const struct sshkey *b);

/* SHA-256 of the wire form; 0, FG_ENOMEM or FG_ECRYPTO. */
int sshkey_digest(const struct sshkey *key, uint8_t ret[DIGEST_SHA256_LEN]);
/* "SHA256:..." as ssh-keygen -l prints it. */
int sshkey_fingerprint(const struct sshkey *key, char ret[SSHKEY_FINGERPRINT_CAP]);

/*
 * Does der (an ECDSA signature, strict DER) fit the SHA-256 of message under a key of type SSHKEY_SK_ECDSA? What it
 * means is the caller's to know. 0; FG_EINVAL for another type, FG_ECRYPTO.
 */
int sshkey_verify_p256(const struct sshkey *key, struct view message, struct view der, bool *ret_valid);

/*
 * Appends one allowed_signers line with its "\n" (ssh-keygen(1), ALLOWED
 * SIGNERS): exactly one principal, one or more namespaces (comma-separated),
 * both dates in UTC (epoch seconds, after < before). FG_EINVAL for a principal or namespace
 * that stock ssh-keygen could read as a pattern, a list or an option.
 */
int sshkey_write_allowed(const struct sshkey *key, const char *principal, const char *namespaces,
    int64_t valid_after, int64_t valid_before, struct writer *w);

#endif
