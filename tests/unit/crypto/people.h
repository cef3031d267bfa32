/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people - persons with software keys who sign what a test lets them read, and a
 * gateway's genesis over them. Keys come from seeds, so bytes are the same in
 * every run. Include after cmocka.h.
 */
#ifndef FG_TESTS_UNIT_CRYPTO_PEOPLE_H
#define FG_TESTS_UNIT_CRYPTO_PEOPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval.h"
#include "crypto/ed25519.h"
#include "crypto/genesis.h"
#include "crypto/note.h"

#define PEOPLE_T0 INT64_C(1767261600) /* 2026-01-01T10:00:00Z: when genesis is made */
#define PEOPLE_ORIGIN "gate.example.com/fotagate"
#define PEOPLE_DAY 86400

struct person {
	char name[64];
	uint8_t seed[ED25519_SEED_LEN];
	struct sshkey key;
};

static inline struct person
people_make(const char *name, uint8_t seed)
{
	struct person p = { .key.type = SSHKEY_ED25519 };
	snprintf(p.name, sizeof p.name, "%s", name);
	memset(p.seed, seed, sizeof p.seed);
	if (ed25519_public(p.seed, p.key.point))
		abort();
	return p;
}

/* The same person's key in a FIDO authenticator of ours. */
static inline struct person
people_sk(const char *name, uint8_t seed)
{
	struct person p = people_make(name, seed);
	p.key.type = SSHKEY_SK_ED25519;
	snprintf(p.key.application, sizeof p.key.application, "ssh:");
	return p;
}

/* Armoured signature of a file key; flags and counter only matter for a security key. */
static inline void
people_sign_with(const struct person *p, const char *ns, struct view message, uint8_t flags, struct writer *armour)
{
	struct writer tbs, blob, inner;
	uint8_t sig[ED25519_SIG_LEN], digest[DIGEST_SHA256_LEN];
	writer_init(&tbs, 4096);
	writer_init(&blob, 4096);
	writer_init(&inner, 4096);
	if (sshsig_tbs(ns, DIGEST_SHA512, message, &tbs))
		abort();
	if (p->key.type == SSHKEY_ED25519) {
		if (ed25519_sign(p->seed, writer_view(&tbs), sig) ||
		    sshsig_write_ed25519(&p->key, ns, DIGEST_SHA512, sig, &blob))
			abort();
	} else {
		struct writer said;
		writer_init(&said, 256);
		digest_sha256(view_str(p->key.application), digest);
		writer_bytes(&said, view_of(digest, sizeof digest));
		writer_u8(&said, flags);
		writer_u32(&said, 7);
		digest_sha256(writer_view(&tbs), digest);
		writer_bytes(&said, view_of(digest, sizeof digest));
		if (ed25519_sign(p->seed, writer_view(&said), sig))
			abort();
		writer_free(&said);
		writer_text(&blob, "SSHSIG");
		writer_u32(&blob, 1);
		sshkey_write_blob(&p->key, &inner);
		writer_blob(&blob, writer_view(&inner));
		writer_blob(&blob, view_str(ns));
		writer_blob(&blob, view_str(""));
		writer_blob(&blob, view_str("sha512"));
		writer_reset(&inner);
		writer_blob(&inner, view_str("sk-ssh-ed25519@openssh.com"));
		writer_blob(&inner, view_of(sig, sizeof sig));
		writer_u8(&inner, flags);
		writer_u32(&inner, 7);
		writer_blob(&blob, writer_view(&inner));
	}
	sshsig_armor(writer_view(&blob), armour);
	if (writer_err(armour) || writer_err(&blob))
		abort();
	writer_free(&tbs);
	writer_free(&blob);
	writer_free(&inner);
}

static inline void
people_sign(const struct person *p, const char *ns, struct view message, struct writer *armour)
{
	people_sign_with(p, ns, message, 0x01, armour);
}

static inline void
people_add(struct signers *s, const struct person *p)
{
	struct signer *one = &s->signer[s->n++];
	*one = (struct signer){ .key = p->key, .valid_after = PEOPLE_T0 - PEOPLE_DAY,
		.valid_before = PEOPLE_T0 + 365 * PEOPLE_DAY };
	snprintf(one->principal, sizeof one->principal, "%s", p->name);
}

/* The set after old: the same people, threshold and validity; old_text is its statement. */
static inline void
people_successor(const struct signers *old, struct view old_text, int64_t at, struct signers *ret)
{
	*ret = *old;
	ret->number = old->number + 1;
	ret->time = at;
	if (digest_sha256(old_text, ret->previous))
		abort();
}

static inline struct note_signer
people_log_key(void)
{
	static const uint8_t seed[ED25519_SEED_LEN] = { 0x4c, 0x4f, 0x47 };
	struct note_signer s;
	if (note_signer_make(PEOPLE_ORIGIN, NOTE_TYPE_ED25519, seed, &s))
		abort();
	return s;
}

/* Genesis of n persons, threshold of them; caller frees. */
static inline struct genesis *
people_genesis(const struct person *const *who, unsigned n, uint32_t threshold)
{
	struct genesis *g = calloc(1, sizeof *g);
	struct note_signer log = people_log_key();
	struct writer vkey;
	if (!g)
		abort();
	writer_init(&vkey, NOTE_VKEY_MAX);
	note_key_write(&log.key, &vkey);
	snprintf(g->log_vkey, sizeof g->log_vkey, "%.*s", (int)vkey.n, (const char *)vkey.p);
	writer_free(&vkey);
	snprintf(g->origin, sizeof g->origin, "%s", PEOPLE_ORIGIN);
	memset(g->instance, 0xab, sizeof g->instance);
	g->floor_canary = 1;
	g->floor_production = threshold;
	g->canary_max = 10;
	g->set.threshold = threshold;
	g->set.time = PEOPLE_T0;
	for (unsigned i = 0; i < n; i++)
		people_add(&g->set, who[i]);
	return g;
}

/* Terms of a release of some image, valid ten days from at. */
static inline struct approval_terms
people_terms(int64_t at, uint32_t devices)
{
	struct approval_terms t = { .decision = APPROVAL_APPROVE, .max_devices = devices, .not_before = at,
		.not_after = at + 10 * PEOPLE_DAY };
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	snprintf(t.review, sizeof t.review, "R-7");
	snprintf(t.subject, sizeof t.subject, "quectel/EC25/A->B/dfota.bin");
	snprintf(t.profile, sizeof t.profile, "quectel");
	snprintf(t.product, sizeof t.product, "EC25");
	snprintf(t.target, sizeof t.target, "EC25EFAR06A08M4G");
	memset(t.image, 0x11, sizeof t.image);
	memset(t.report, 0x22, sizeof t.report);
	memset(t.policy, 0x33, sizeof t.policy);
	memset(t.resource, 0x44, sizeof t.resource);
	approval_list_add(&t.findings, "SIG-NONE");
	approval_list_add(&t.from_versions, "EC25EFAR06A07M4G");
	approval_list_add(&t.groups, "canary");
	return t;
}

/* A standing statement that covers people_terms(at, 50) ten times. */
static inline struct approval_terms
people_standing(int64_t at)
{
	struct approval_terms of = people_terms(at, 50);
	struct approval_terms t = { .decision = APPROVAL_STANDING, .max_devices = 50, .not_before = at,
		.not_after = at + 10 * PEOPLE_DAY, .from_versions = of.from_versions, .groups = of.groups,
		.findings = of.findings, .bounds = { .max_releases = 10 } };
	snprintf(t.review, sizeof t.review, "S-3");
	memcpy(t.gateway, of.gateway, sizeof t.gateway);
	memcpy(t.profile, of.profile, sizeof t.profile);
	memcpy(t.product, of.product, sizeof t.product);
	memcpy(t.policy, of.policy, sizeof t.policy);
	memset(t.bounds.definitions, 0x55, sizeof t.bounds.definitions);
	return t;
}

/* A person's statement over terms; root and size as seen. Caller frees. */
static inline struct approval *
people_statement(const struct person *p, const struct approval_terms *t, int64_t at, uint8_t nonce, uint64_t log_size,
    const uint8_t root[DIGEST_SHA256_LEN])
{
	struct approval *a = calloc(1, sizeof *a);
	if (!a)
		abort();
	a->terms = *t;
	a->time = at;
	a->log_size = log_size;
	memcpy(a->log_root, root, sizeof a->log_root);
	memset(a->nonce, nonce, sizeof a->nonce);
	snprintf(a->approver, sizeof a->approver, "%s", p->name);
	snprintf(a->reason, sizeof a->reason, "CHG-1234, tested on the bench");
	return a;
}

#endif
