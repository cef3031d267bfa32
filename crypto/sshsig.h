/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sshsig - OpenSSH file signatures (PROTOCOL.sshsig), as made by
 * `ssh-keygen -Y sign` with a file key or a FIDO key, or by a browser passkey.
 * Role: how people approve; verified by the warden, fotagate-verify and the
 * command line. Guarantees: parsing is exact (one version, no trailing bytes,
 * no reserved data, minimal integers); verification answers with evidence, and
 * only outcome SSHSIG_VERIFIED means yes. Whether the key may approve, and
 * when, is for the caller's signer set to say.
 */
#ifndef FG_CRYPTO_SSHSIG_H
#define FG_CRYPTO_SSHSIG_H

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/sshkey.h"
#include "crypto/view.h"
#include "crypto/writer.h"

#define SSHSIG_NAMESPACE_MAX 63
#define SSHSIG_BLOB_MAX 8192   /* only a passkey's client data is long: 400 bytes in the field */
#define SSHSIG_ARMOR_MAX 16384 /* base64 of that, line ends and both marker lines */
#define SSHSIG_ORIGIN_MAX 512  /* scheme, host name, port */

/* Authenticator flags (WebAuthn 6.1). */
#define SSHSIG_FLAG_UP 0x01 /* user present: touched */
#define SSHSIG_FLAG_UV 0x04 /* user verified: PIN or biometry */
#define SSHSIG_FLAG_BE 0x08 /* key may be backed up (synced) */
#define SSHSIG_FLAG_BS 0x10 /* key is backed up */
#define SSHSIG_FLAG_AT 0x40 /* attested data follows: never in an assertion we take */
#define SSHSIG_FLAG_ED 0x80 /* extension data follows */

enum sshsig_scheme {
	SSHSIG_SCHEME_NONE = 0,
	SSHSIG_SCHEME_ED25519,
	SSHSIG_SCHEME_SK_ED25519,
	SSHSIG_SCHEME_SK_ECDSA,
	SSHSIG_SCHEME_WEBAUTHN, /* webauthn-sk-ecdsa-sha2-nistp256@openssh.com, by a browser */
};

/*
 * A parsed signature. Views borrow from the blob that was parsed, which must
 * live as long; everything else is copied. No free.
 */
struct sshsig {
	enum sshsig_scheme scheme;
	struct sshkey key;
	enum digest_alg hash; /* DIGEST_SHA256 or DIGEST_SHA512, of the message */
	char namespace_[SSHSIG_NAMESPACE_MAX + 1];
	uint8_t value[ED25519_SIG_LEN]; /* Ed25519 signature, or r || s of 32 bytes each */
	uint8_t flags;     /* sk schemes, else 0 */
	uint32_t counter;  /* sk schemes, else 0 */
	char origin[SSHSIG_ORIGIN_MAX + 1]; /* WebAuthn only, as the three below */
	struct view client_data;
	struct view extensions;
};

/*
 * What a caller asks of a signature. The zero value is the strictest that can
 * be met by a file key or a touched FIDO key: a touch is demanded, passkeys are
 * not accepted. Strings are borrowed for the call.
 */
struct sshsig_rules {
	const char *namespace_;     /* required, not empty */
	bool presence_not_required; /* sk keys without a touch pass; never set for permits */
	bool verification_required; /* sk keys must have asked for PIN or biometry */
	const char *rp_id;          /* with origin: passkeys accepted, and only these two */
	const char *origin;         /* "https://gate.example" exactly */
};

/* Why it is, or is not, a signature over this message under these rules. */
enum sshsig_outcome {
	SSHSIG_UNKNOWN = 0,     /* nobody looked */
	SSHSIG_VERIFIED,
	SSHSIG_WRONG_NAMESPACE,
	SSHSIG_NO_PRESENCE,     /* arithmetic holds, but nobody touched the key */
	SSHSIG_NO_VERIFICATION, /* likewise, no PIN or biometry */
	SSHSIG_WEBAUTHN_REFUSED, /* a passkey where rules name no origin */
	SSHSIG_WRONG_ORIGIN,    /* a passkey of another site or relying party */
	SSHSIG_BAD_CLIENT_DATA, /* signed something else, or in a frame of another site */
	SSHSIG_BAD_SIGNATURE,
};

struct sshsig_evidence {
	enum sshsig_outcome outcome;
	enum sshsig_scheme scheme;
	struct sshkey key;
	enum digest_alg hash;
	char namespace_[SSHSIG_NAMESPACE_MAX + 1];
	uint8_t flags; /* as signed: callers record BE and BS, may refuse synced passkeys */
	bool present, verified_user;
	uint32_t counter;
};

/* What BE and BS say of where a key is: "device-bound", "can-be-backed-up", "backed-up". */
const char *sshsig_backup_name(uint8_t flags);
/* "verified", "bad-signature", ... for logs and findings. */
const char *sshsig_outcome_name(enum sshsig_outcome outcome);

/*
 * The blob inside an armour, appended to w. The text must begin with the BEGIN
 * line and end with the END line and at most one line end; between them only
 * base64 in lines (LF or CRLF). FG_EFORMAT or FG_ELIMIT leave w as it was.
 */
int sshsig_dearmor(struct view text, struct writer *w, const char **ret_why);
/* Appends the armour, lines of 70 digits as ssh-keygen writes them. */
void sshsig_armor(struct view blob, struct writer *w);

/* All of blob; FG_EFORMAT with *ret_why (static text, may be NULL). */
int sshsig_parse(struct view blob, struct sshsig *ret, const char **ret_why);

/*
 * The bytes that are signed for message: "SSHSIG", namespace, reserved (empty),
 * hash name, H(message). FG_ECRYPTO, or FG_EINVAL for an empty or long
 * namespace or another hash.
 */
int sshsig_tbs(const char *namespace_, enum digest_alg hash, struct view message,
    struct writer *w);
/* Appends the blob of a file-key signature made over sshsig_tbs. */
int sshsig_write_ed25519(const struct sshkey *key, const char *namespace_, enum digest_alg hash,
    const uint8_t sig[ED25519_SIG_LEN], struct writer *w);

/*
 * 0 with *ret filled whatever the outcome, or a local failure (FG_ENOMEM,
 * FG_ECRYPTO) with ret->outcome SSHSIG_UNKNOWN. rules without a namespace or
 * with only one of rp_id and origin abort.
 */
int sshsig_verify(const struct sshsig *sig, struct view message, const struct sshsig_rules *rules,
    struct sshsig_evidence *ret);
/* The same where the message is known by its digest only, of the algorithm sig->hash names. FG_EINVAL for another length. */
int sshsig_verify_digest(const struct sshsig *sig, struct view digest,
    const struct sshsig_rules *rules, struct sshsig_evidence *ret);
/*
 * Armour to evidence in one call: dearmor, parse, verify. FG_EFORMAT and
 * FG_ELIMIT with *ret_why for a malformed one.
 */
int sshsig_verify_armored(struct view armor, struct view message, const struct sshsig_rules *rules,
    struct sshsig_evidence *ret, const char **ret_why);

#endif
