/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policies - the configuration in force, and every profile resolved to what
 * people sign (its canonical text and digest) and what the inspector needs (its
 * trust set). Swapped as a whole: a bundle that does not parse, or a profile
 * whose anchors are not there, leaves the old one in force.
 */
#ifndef FG_GATEWAY_CONTROL_POLICIES_H
#define FG_GATEWAY_CONTROL_POLICIES_H

#include "gateway/wire/msg.h"
#include "policy/config.h"
#include "policy/policy_bundle.h"

#define POLICIES_FILES_MAX 8192 /* anchors and CA files: 256 profiles of 32 */
#define POLICIES_LACKS_MAX 320 /* a sentence about a file's name */
#define POLICIES_CA_MAX (4u << 20) /* gateway/upstream takes no more */

struct policy { /* one profile, resolved; lives until the next policies_load() */
	const struct profile *profile;
	uint8_t digest[DIGEST_SHA256_LEN];
	struct view text;     /* canonical JSON */
	struct view trust;    /* trustset.h; empty: no anchors */
	struct view ca;       /* PEM; empty: the system's */
	int credentials_fd;   /* borrowed; -1: none */
};

/* Where people sign the policy: the files that count, whatever is handed in. */
struct policies_pins {
	const struct policy_bundle *bundle; /* in force; NULL: not known, and files count as they come */
	int (*get)(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN], struct writer *w); /* one that was kept */
	void (*keep)(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN], struct view bytes);
	void *ctx;
};

struct policies;

struct policies *policies_new(void);
void policies_free(struct policies *p);
/* MSG_FD_ANCHOR, MSG_FD_CA, MSG_FD_RULES, MSG_FD_HOOK (read in policies_load()) or MSG_FD_CREDENTIALS (never read here);
 * takes fd. FG_ELIMIT, FG_ENOMEM. */
int policies_file(struct policies *p, const struct msg_boot_fd *what, int fd);
/*
 * Parses the bundle with the files handed in since the last load. 0, and the
 * new configuration is in force; else the old one is, and ret_why says why.
 * bundle_fd stays the caller's.
 */
int policies_load(struct policies *p, int bundle_fd, char *ret_why, size_t cap);
/* From the next load on. Copied, but for the bundle, which the caller keeps until it says otherwise. */
int policies_pin(struct policies *p, const struct policies_pins *pins);
/* What the configuration in force comes to, with the files that count, and with those that came. NULL without pins. */
const struct policy_bundle *policies_bundle(const struct policies *p);
const struct policy_bundle *policies_handed(const struct policies *p);
/* Where there is none of those that came: which file is missing for one. "": none is. */
const char *policies_lacks(const struct policies *p);
/*
 * What another one would come to, with the files handed in since the last load, which are kept and forgotten here.
 * Nothing else changes. 0 with *ret, or an error with ret_why. bundle_fd stays the caller's.
 */
int policies_consider(struct policies *p, int bundle_fd, struct policy_bundle **ret, char *ret_why, size_t cap);
/* The operator's YARA rules as text, and their digest; false: none. Lives until the next policies_load(). */
bool policies_rules(const struct policies *p, struct view *ret, uint8_t ret_sha256[DIGEST_SHA256_LEN]);
/* The decision hook, and its digest; false: none. Lives until the next policies_load(). */
bool policies_hook(const struct policies *p, struct view *ret, uint8_t ret_sha256[DIGEST_SHA256_LEN]);
const struct config *policies_config(const struct policies *p);
/*
 * What the configuration in force would be with that text in place of the file of that name, or beside the others
 * where there is none: parsed and checked as at a start, and nothing of p changes. 0 and *ret (config_free);
 * FG_EFORMAT with ret_why, "file:line: what and the cure"; FG_EINVAL: no file of a configuration has that name;
 * FG_ELIMIT: one more than there may be; FG_ENOMEM. No file that it names (anchors, lists of CAs) is looked at.
 */
int policies_try(const struct policies *p, const char *name, struct view text, struct config **ret, char *ret_why,
    size_t cap);
size_t policies_count(const struct policies *p);
const struct policy *policies_at(const struct policies *p, size_t i);
/* NULL: no such profile. */
const struct policy *policies_find(const struct policies *p, const char *profile);

#endif
