/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rauc_manifest - the manifest of a RAUC bundle: what it says, and what is wrong
 * with how it says it.
 * Role: rauc.c, once for the manifest that is signed and once for the one inside
 * the file system. Read as RAUC 1.8 reads it (GKeyFile, then every key consumed
 * and none left over); what a later RAUC added is unknown here and told so.
 *
 * Guarantees: bounded, no recursion; the result is whole whatever the text was:
 * faults are told, and what they leave out is absent.
 */
#ifndef FG_IMAGES_RAUC_MANIFEST_H
#define FG_IMAGES_RAUC_MANIFEST_H

#include "crypto/digest.h"
#include "crypto/view.h"
#include "images/finding.h"

#define RAUC_MANIFEST_TEXT_MAX (256u << 10) /* of a genuine one: under 4 KiB */
#define RAUC_MANIFEST_IMAGES_MAX 64         /* slots of a device: about ten */
#define RAUC_MANIFEST_GROUPS_MAX 256

enum rauc_manifest_format {
	RAUC_MANIFEST_UNKNOWN = 0,
	RAUC_MANIFEST_PLAIN, /* also when it is not said */
	RAUC_MANIFEST_VERITY,
	RAUC_MANIFEST_CRYPT,
};

/* Strings are views into the manifest's own copy. Absent ones have p NULL. */
struct rauc_manifest_image {
	struct view group; /* "image.rootfs.variant" */
	struct view slot;  /* "rootfs.variant" */
	struct view filename, adaptive;
	bool have_sha256, have_size;
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint64_t size;
	bool hook_pre, hook_install, hook_post;
	unsigned seen; /* keys, one bit each */
};

struct rauc_manifest {
	struct view compatible, version, description, build;
	enum rauc_manifest_format format;
	bool have_root_hash, have_salt, have_verity_size, have_crypt_key;
	uint8_t root_hash[DIGEST_SHA256_LEN], salt[DIGEST_SHA256_LEN];
	uint64_t verity_size;
	struct view handler, handler_args, hook;
	bool hook_check; /* install-check */
	unsigned images_n;
	struct rauc_manifest_image image[RAUC_MANIFEST_IMAGES_MAX];
	uint8_t *strings; /* what the views point into */
	size_t strings_n;
};

/* A fault; text may hold hostile bytes of the manifest. */
typedef void rauc_manifest_say(void *arg, enum finding_id id, const char *text);

/* text.n is at most RAUC_MANIFEST_TEXT_MAX. 0 or FG_ENOMEM; free with rauc_manifest_free() in any case. */
int rauc_manifest_parse(struct view text, struct rauc_manifest *ret, rauc_manifest_say *say, void *arg);
void rauc_manifest_free(struct rauc_manifest *m);
/*
 * What RAUC demands beyond form. attached: it is the signed content itself, so
 * it must describe a hash tree; inside the file system it must not.
 */
void rauc_manifest_check(const struct rauc_manifest *m, bool attached, rauc_manifest_say *say, void *arg);
/*
 * The first thing that two manifests say differently, but for the hash tree and
 * its key, which only the signed one knows: "version", "images", ..., or NULL
 * when they agree.
 */
const char *rauc_manifest_differs(const struct rauc_manifest *a, const struct rauc_manifest *b);
/* "plain", "verity", "crypt", "unknown". */
const char *rauc_manifest_format_name(enum rauc_manifest_format format);
/* The image is an index of casync: its bytes are elsewhere. */
bool rauc_manifest_is_index(struct view filename);

#endif
