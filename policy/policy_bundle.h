/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_bundle - all of the configuration that is policy, as one list of names and digests: profiles
 * with the policies they come to, rules, groups, suppliers, lists, plans, windows, anchors and the other
 * files that profiles name. What a person signs (crypto/policyset.h) are digests of this list.
 * Callers: the config child (its configuration's part alone), control, the command line. Pure.
 * Guarantee: two bundles with one digest decide equally; how a gateway listens, where it lies and whom
 * it serves how fast is not in it.
 */
#ifndef FG_POLICY_POLICY_BUNDLE_H
#define FG_POLICY_POLICY_BUNDLE_H

#include "crypto/policyset.h"
#include "policy/config.h"

#define POLICY_BUNDLE_TEXT_MAX (1u << 20) /* 1,600 items of 250 bytes are 400 KiB */
#define POLICY_BUNDLE_FILES_MAX 514       /* anchors and CA files (gateway/supervisor/plan.h), YARA rules, the hook */

enum policy_bundle_kind {
	POLICY_BUNDLE_NONE = 0,
	POLICY_BUNDLE_BLACKOUT, /* these come of the configuration alone */
	POLICY_BUNDLE_GROUP,
	POLICY_BUNDLE_LIST,
	POLICY_BUNDLE_PLAN,
	POLICY_BUNDLE_PROFILE,
	POLICY_BUNDLE_RULE,
	POLICY_BUNDLE_SETTINGS,
	POLICY_BUNDLE_SUPPLIER,
	POLICY_BUNDLE_WINDOW,
	POLICY_BUNDLE_ANCHOR,   /* these are files, by what is in them */
	POLICY_BUNDLE_CA,
	POLICY_BUNDLE_YARA,
	POLICY_BUNDLE_HOOK,     /* the decision hook: who takes it away loosens */
	POLICY_BUNDLE_POLICY,   /* and these what releases of a profile are signed under */
	POLICY_BUNDLE_LIMIT
};

struct policy_bundle_item {
	enum policy_bundle_kind kind;
	char name[PROFILE_FILE_MAX + 1];
	uint8_t sha256[DIGEST_SHA256_LEN];
};

struct policy_bundle {
	struct policy_bundle_item *at; /* by kind, then as configured: an order that decides is part of it */
	size_t n, cap;
	uint8_t config[DIGEST_SHA256_LEN]; /* of the part that comes of the configuration alone */
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of all of it: of its text */
};

/* "profile"; for people and for the text. */
const char *policy_bundle_kind_name(enum policy_bundle_kind kind);
/*
 * With the digests of every file that c names (POLICY_BUNDLE_ANCHOR, _CA, _YARA, and _HOOK, which c->hook.sha256 has to
 * be, too, else FG_EINVAL); others are passed over. 0 with *ret
 * (policy_bundle_free); FG_ENOTFOUND with ret_why for a file that is not among them; FG_ENOMEM.
 */
int policy_bundle_make(const struct config *c, const struct policy_bundle_item *files, size_t files_n,
    struct policy_bundle **ret, char *ret_why, size_t cap);
/* The part of the configuration alone: the digest that all of them with that configuration have. */
int policy_bundle_config(const struct config *c, uint8_t ret[DIGEST_SHA256_LEN]);
void policy_bundle_free(struct policy_bundle *b);
/* Its text, canonical JSON; and back. FG_EFORMAT for any other text, so for two of one kind and name. */
int policy_bundle_write(const struct policy_bundle *b, struct writer *w);
int policy_bundle_read(struct view text, struct policy_bundle **ret);
/* Fills the digests and profiles of a statement; number and the rest stay. */
void policy_bundle_put(const struct policy_bundle *b, struct policyset *ret);
/* NULL: no file of that name is in it. */
const struct policy_bundle_item *policy_bundle_find(const struct policy_bundle *b, enum policy_bundle_kind kind,
    const char *name);

enum policy_bundle_change { POLICY_BUNDLE_NEW = 1, POLICY_BUNDLE_CHANGED, POLICY_BUNDLE_GONE };
/* Each item in which now differs from was; none although the digests differ: they stand in another order. */
void policy_bundle_compare(const struct policy_bundle *was, const struct policy_bundle *now,
    void (*each)(void *ctx, const struct policy_bundle_item *item, enum policy_bundle_change change), void *ctx);

#endif
