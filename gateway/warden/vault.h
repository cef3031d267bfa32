/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault - data_dir/images/approved: images by digest, release records with the
 * statements they rest on, and the list of restrictions. The warden's alone.
 * A name appears only when what it names is complete and synced (write aside,
 * fsync, rename, fsync the directory).
 */
#ifndef FG_GATEWAY_WARDEN_VAULT_H
#define FG_GATEWAY_WARDEN_VAULT_H

#include "crypto/digest.h"
#include "crypto/release.h"
#include "crypto/writer.h"

#define VAULT_RELEASES_MAX 1024      /* releases in force at once */
#define VAULT_BUNDLE_MAX (1u << 20)  /* 16 statements and signatures */
#define VAULT_RESTRICTIONS_MAX 65536 /* images ever restricted */

struct vault;

struct vault_restriction {
	uint8_t image[DIGEST_SHA256_LEN];
	uint8_t release[RELEASE_ID]; /* zero: every release of the image */
	uint64_t log_size;           /* statements that saw no more have no effect */
	uint8_t kind;                /* enum msg_restrict_kind */
};

/* Opens the directory (which must exist), removes what a crash left half-made, reads the restrictions. */
int vault_open(const char *path, struct vault **ret);
void vault_close(struct vault *v);
/* The directory itself, for what is copied or kept there by others (intake.h, lastset.h). Borrowed. */
int vault_dir(const struct vault *v);
/* Name an image has while it is copied, and when kept. dst holds 80 bytes. */
void vault_image_name(const uint8_t sha256[DIGEST_SHA256_LEN], char *dst, size_t cap);
/* Gives the copied file its final name; an older file of that digest is replaced. */
int vault_keep_image(struct vault *v, const char *copied, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* Read-only descriptor of a kept image or negative fg_err. */
int vault_image(struct vault *v, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* Record and statements under the release's id. */
int vault_keep_release(struct vault *v, const uint8_t id[RELEASE_ID], struct view record, struct view bundle);
/*
 * Forgets a release; the image file goes when no other release needs it (drop_image).
 * FG_EIO: a later start may find it again.
 */
int vault_drop_release(struct vault *v, const uint8_t id[RELEASE_ID]);
/* Best effort: without a record it is only space. */
void vault_drop_image(struct vault *v, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* Removes every kept image that needed() does not want: what a crash left behind. Best effort. */
void vault_sweep_images(struct vault *v, bool (*needed)(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN]), void *ctx);
/* Calls back for every kept record, with an empty bundle where the statements are gone; views live during the call. */
int vault_each(struct vault *v, void (*one)(void *ctx, const uint8_t id[RELEASE_ID], struct view record, struct view bundle),
    void *ctx);
/* The last checkpoint of the log that was vouched for, durable when 0 is returned; and that one again (owned bytes, free()). */
int vault_keep_head(struct vault *v, struct view note);
int vault_head(struct vault *v, uint8_t **ret, size_t *ret_n);
/* What the warden keeps of the clock, appended to w. FG_ENOTFOUND: nothing was kept; FG_ELIMIT: more than w takes. */
int vault_clock(struct vault *v, struct writer *w);
int vault_keep_clock(struct vault *v, struct view bytes);
/* In force from the moment of the call, even when writing it down fails (FG_EIO); not with FG_ELIMIT, FG_ENOMEM. */
int vault_restrict(struct vault *v, const struct vault_restriction *r);
/* Whether that one holds already, in these words or wider ones. */
bool vault_knows(const struct vault *v, const struct vault_restriction *r);
/* Highest log size of a restriction of this image or release; 0 if none. */
uint64_t vault_restricted(const struct vault *v, const uint8_t image[DIGEST_SHA256_LEN], const uint8_t *release);

#endif
