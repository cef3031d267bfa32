/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/signedpolicy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/enact.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/requests_private.h"
#include "gateway/wire/memfd.h"
#include "policy/policy_bundle.h"

#define META_UNSIGNED "policy-unsigned" /* what the log was told of last: the bundle's digest, or why there is none */
#define NAMED_MAX 6                     /* differences that one sentence names */
#define END_OF_ARMOUR "-----END SSH SIGNATURE-----"
#define SUBMIT_BYTES_MAX (SIGNERS_MAX * SSHSIG_ARMOR_MAX)

struct signedpolicy {
	struct control *c;
	struct policyset now;          /* in force */
	uint8_t *text;                 /* its statement; genesis.json for number 0 */
	size_t text_n;
	struct policy_bundle *bundle;  /* what now is of; NULL: it was never here */
	bool bundle_kept;              /* it can be had after a restart */
	struct policy_bundle *disk;    /* what lies in the folder and is not signed; NULL: nothing */
	bool disk_kept;                /* it and its files can be had again, so it can be put in force */
	char lacks[POLICIES_LACKS_MAX]; /* what lies there is not even one: why; "": it is, or is the one in force */
	bool lost;
	bool asked;
	uint64_t token;
	struct call *waiting;
};

/* ---- what is in force ---- */

static int
slurp(const char *path, size_t max, struct writer *w)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return FG_ENOTFOUND;
	int err = files_read(fd, max, w);
	close(fd);
	return err;
}

static int
take(struct signedpolicy *p, const struct policyset *s, struct view text)
{
	uint8_t *own = malloc(text.n);
	if (!own)
		return FG_ENOMEM;
	memcpy(own, text.p, text.n);
	free(p->text);
	p->text = own;
	p->text_n = text.n;
	p->now = *s;
	return FG_OK;
}

/* The one after it; whether enough signed it the warden has judged, and judges again at each of its starts. */
static int
follow(struct signedpolicy *p)
{
	char path[MSG_PATH_MAX + 64], why[160] = "";
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer w;
	struct policyset *next = calloc(1, sizeof *next);
	snprintf(path, sizeof path, "%s/authority/policy/%u.json", p->c->data_dir, p->now.number + 1);
	writer_init(&w, POLICYSET_BYTES_MAX);
	int err = next ? slurp(path, POLICYSET_BYTES_MAX, &w) : FG_ENOMEM;
	if (!err)
		err = policyset_parse(writer_view(&w), people_genesis(p->c->people)->origin, next, why, sizeof why);
	if (!err)
		err = digest_sha256(view_of(p->text, p->text_n), digest);
	if (!err && (next->number != p->now.number + 1 || memcmp(next->previous, digest, sizeof digest) != 0))
		err = FG_EFORMAT;
	if (!err)
		err = take(p, next, writer_view(&w));
	if (err && err != FG_ENOTFOUND)
		oplog(OPLOG_ERR, "%s: %s", path, why[0] ? why : err_name(err));
	writer_free(&w);
	free(next);
	return err;
}

/* Its bundle, as it was kept. */
static void
recall(struct signedpolicy *p)
{
	struct writer w;
	writer_init(&w, POLICY_BUNDLE_TEXT_MAX);
	policy_bundle_free(p->bundle);
	p->bundle = NULL;
	int err = files_doc_get(p->c->files, FILES_POLICY, p->now.bundle, &w);
	if (!err)
		err = policy_bundle_read(writer_view(&w), &p->bundle);
	p->bundle_kept = !err;
	if (err && err != FG_ENOTFOUND)
		oplog(OPLOG_ERR, "the bundle of policy %u cannot be read: %s", p->now.number, err_name(err));
	writer_free(&w);
}

static int
get_file(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN], struct writer *w)
{
	struct signedpolicy *p = ctx;
	return files_doc_get(p->c->files, FILES_POLICY, sha256, w);
}

static void
keep_file(void *ctx, const uint8_t sha256[DIGEST_SHA256_LEN], struct view bytes)
{
	struct signedpolicy *p = ctx;
	int err = files_doc_put(p->c->files, FILES_POLICY, sha256, bytes);
	if (err)
		oplog(OPLOG_WARNING, "a file of the policy could not be kept: %s", err_name(err));
}

/* What policies_load() puts files back by. */
static int
pin(struct signedpolicy *p)
{
	return policies_pin(p->c->policies, &(struct policies_pins){ p->bundle, get_file, keep_file, p });
}

static int
follow_all(struct signedpolicy *p)
{
	int err = FG_OK;
	while (!err && p->now.number < POLICYSET_CHAIN_MAX)
		err = follow(p);
	if (err != FG_ENOTFOUND && err)
		return err;
	recall(p);
	return pin(p);
}

int
signedpolicy_new(struct control *c, struct signedpolicy **ret)
{
	const struct genesis *g = people_genesis(c->people);
	if (!g->signed_policy) {
		oplog(OPLOG_WARNING, "POLICY IS NOT SIGNED at this gateway (fotagate init --unsigned-policy): whoever can write its "
		    "configuration decides by which rules it asks people");
		return FG_OK;
	}
	struct signedpolicy *p = calloc(1, sizeof *p);
	if (!p)
		return FG_ENOMEM;
	p->c = c;
	int err = take(p, &g->policy, people_genesis_text(c->people));
	if (!err)
		err = follow_all(p);
	if (err) {
		signedpolicy_free(p);
		return err;
	}
	*ret = p;
	return FG_OK;
}

void
signedpolicy_free(struct signedpolicy *p)
{
	if (!p)
		return;
	policy_bundle_free(p->bundle);
	policy_bundle_free(p->disk);
	free(p->text);
	free(p);
}

bool
signedpolicy_is_lost(const struct signedpolicy *p)
{
	return p && p->lost;
}

/* ---- what differs ---- */

struct telling {
	struct writer w;
	unsigned n;
	struct jsonw *j;
};

static const char *
change_name(enum policy_bundle_change change)
{
	return change == POLICY_BUNDLE_NEW ? "new" : change == POLICY_BUNDLE_GONE ? "gone" : "changed";
}

/* A policy differs because of what it is made of, which is named. */
static void
name_one(void *ctx, const struct policy_bundle_item *item, enum policy_bundle_change change)
{
	struct telling *t = ctx;
	if (item->kind == POLICY_BUNDLE_POLICY)
		return;
	if (t->n < NAMED_MAX)
		writer_textf(&t->w, "%s%s %s %s", t->n ? ", " : "", policy_bundle_kind_name(item->kind), item->name,
		    change_name(change));
	t->n++;
}

static void
differences(const struct policy_bundle *was, const struct policy_bundle *now, char *dst, size_t cap)
{
	struct telling t = { .n = 0 };
	writer_init(&t.w, cap - 32);
	if (was)
		policy_bundle_compare(was, now, name_one, &t);
	snprintf(dst, cap, "%.*s", (int)t.w.n, (const char *)t.w.p);
	if (!was)
		snprintf(dst, cap, "all of it: what was signed is not here");
	else if (!t.n)
		snprintf(dst, cap, "another order");
	else if (t.n > NAMED_MAX)
		snprintf(dst + strlen(dst), cap - strlen(dst), " and %u more", t.n - NAMED_MAX);
	writer_free(&t.w);
}

/* Its text among the documents, and a copy of it whether that could be done or not. */
static int
keep_bundle(struct signedpolicy *p, const struct policy_bundle *b, struct policy_bundle **ret)
{
	struct writer w;
	writer_init(&w, POLICY_BUNDLE_TEXT_MAX);
	int err = policy_bundle_write(b, &w);
	if (!err)
		err = policy_bundle_read(writer_view(&w), ret);
	if (!err)
		err = files_doc_put(p->c->files, FILES_POLICY, b->sha256, writer_view(&w));
	writer_free(&w);
	return err;
}

/* Every file of it can be had again: they were kept when they were read, if there was room. */
static bool
has_files(struct signedpolicy *p, const struct policy_bundle *b)
{
	bool all = true;
	for (size_t i = 0; all && i < b->n; i++) {
		struct writer w;
		if (b->at[i].kind < POLICY_BUNDLE_ANCHOR || b->at[i].kind >= POLICY_BUNDLE_POLICY)
			continue;
		writer_init(&w, FILES_DOC_MAX);
		all = get_file(p, b->at[i].sha256, &w) == FG_OK;
		writer_free(&w);
	}
	return all;
}

static bool
is_unsigned(const struct signedpolicy *p)
{
	return p->disk || p->lacks[0];
}

static void
what_differs(const struct signedpolicy *p, char *dst, size_t cap)
{
	if (p->disk)
		differences(p->bundle, p->disk, dst, cap);
	else
		snprintf(dst, cap, "%s", p->lacks);
}

/* Once for each that lies there: in the log, as an incident, and aloud. */
static void
tell(struct signedpolicy *p)
{
	struct control *c = p->c;
	char what[DB_TEXT_MAX / 2], is[DB_META_VALUE_MAX] = "", was[DB_META_VALUE_MAX] = "";
	struct db_incident i = { .at = control_now(c), .kind = "policy" };
	if (!is_unsigned(p) || !c->logbook)
		return;
	if (p->disk)
		hex_encode(p->disk->sha256, sizeof p->disk->sha256, is);
	else
		snprintf(is, sizeof is, "%s", p->lacks);
	(void)db_meta_get(c->db, META_UNSIGNED, was, sizeof was);
	if (strcmp(was, is) == 0)
		return;
	what_differs(p, what, sizeof what);
	oplog(OPLOG_ERR, "INCIDENT: the policy on disk is not signed and is not followed: %s", what);
	snprintf(i.detail, sizeof i.detail, "the policy on disk is not signed: %.300s", what);
	(void)db_incident_add(c->db, &i);
	struct msg_append *e = logbook_entry(ENTRY_POLICY_UNSIGNED, "denied", "control", "policy");
	if (p->disk)
		logbook_ref_sha256(e, "bundle", p->disk->sha256);
	logbook_ref_sha256(e, "in_force", p->now.bundle);
	logbook_say(e, "not signed, and not followed: %s", what);
	logbook_tell(c->logbook, e);
	if (db_meta_set(c->db, META_UNSIGNED, is))
		oplog(OPLOG_WARNING, "that the policy on disk is not signed could not be remembered");
}

/* b: what lies there; NULL: lacks says why there is none, or nothing lies there but what is in force. */
static void
set_disk(struct signedpolicy *p, const struct policy_bundle *b, const char *lacks)
{
	policy_bundle_free(p->disk);
	p->disk = NULL;
	p->disk_kept = false;
	snprintf(p->lacks, sizeof p->lacks, "%s", b ? "" : lacks);
	if (!p->lacks[0] && (!b || !memcmp(b->sha256, p->now.bundle, sizeof p->now.bundle))) {
		if (p->c->db)
			(void)db_meta_set(p->c->db, META_UNSIGNED, "");
		return;
	}
	if (b) {
		p->disk_kept = keep_bundle(p, b, &p->disk) == FG_OK && has_files(p, b);
		if (!p->disk_kept)
			oplog(OPLOG_ERR, "a policy that is not signed could not be kept: it cannot be put in force either");
		if (!p->disk)
			snprintf(p->lacks, sizeof p->lacks, "all of it: there is no memory for it");
	}
	tell(p);
}

/* The one in force was read, and was not among the documents. */
static void
keep_now(struct signedpolicy *p, const struct policy_bundle *b)
{
	policy_bundle_free(p->bundle);
	p->bundle = NULL;
	p->bundle_kept = keep_bundle(p, b, &p->bundle) == FG_OK && has_files(p, b);
	if (!p->bundle_kept)
		oplog(OPLOG_WARNING, "the policy in force could not be kept: should its files change it cannot be had");
	(void)pin(p);
}

void
signedpolicy_look(struct signedpolicy *p)
{
	if (!p)
		return;
	const struct policy_bundle *b = policies_bundle(p->c->policies), *handed = policies_handed(p->c->policies);
	p->lost = !b || memcmp(b->sha256, p->now.bundle, sizeof p->now.bundle) != 0;
	if (!p->lost && !p->bundle_kept)
		keep_now(p, b);
	/* Files on disk that are others than those that count, or all of it. */
	set_disk(p, handed, policies_lacks(p->c->policies));
	if (p->c->grants)
		control_gate(p->c);
}

void
signedpolicy_held(struct signedpolicy *p, int bundle_fd)
{
	struct policy_bundle *b = NULL;
	char why[MSG_TEXT_MAX] = "";
	int err = p ? policies_consider(p->c->policies, bundle_fd, &b, why, sizeof why) : FG_OK;
	close(bundle_fd);
	if (p)
		set_disk(p, err ? NULL : b, why[0] ? why : "all of it: it cannot be read");
	policy_bundle_free(b);
}

void
signedpolicy_alerts(struct signedpolicy *p, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	char what[320], text[640];
	if (!p)
		return;
	/* Kept is what was ever followed: without it init signed a configuration that was filled in before the first start. */
	if (p->lost && !p->now.number && !p->bundle)
		say(j, "POLICY-NONE", "no policy has been put in force since fotagate init, and the configuration is not the one "
		    "that was signed then, so nothing is granted: fotagate policy propose, then fotagate policy submit");
	else if (p->lost)
		say(j, "POLICY-LOST", "the policy that people signed last cannot be had: nothing is granted; put its files back, "
		    "then fotagate reload");
	if (!is_unsigned(p))
		return;
	what_differs(p, what, sizeof what);
	snprintf(text, sizeof text, "the policy on disk is not signed and not followed (%s): %sput the files back, then "
	    "fotagate reload", what, p->disk ? "fotagate policy propose, then fotagate policy submit; or " : "");
	say(j, "POLICY-UNSIGNED", text);
}

/* ---- policy.show ---- */

static void
put_change(void *ctx, const struct policy_bundle_item *item, enum policy_bundle_change change)
{
	struct telling *t = ctx;
	jsonw_object(t->j);
	jsonw_kcstr(t->j, "change", change_name(change));
	jsonw_kcstr(t->j, "kind", policy_bundle_kind_name(item->kind));
	jsonw_kcstr(t->j, "name", item->name);
	jsonw_object_end(t->j);
}

/* What it is of, name by name; null where the gateway has not got it. */
static void
put_items(struct jsonw *j, const struct policy_bundle *b)
{
	jsonw_key(j, "items");
	if (!b) {
		jsonw_null(j);
		return;
	}
	jsonw_array(j);
	for (size_t i = 0; i < b->n; i++) {
		jsonw_object(j);
		jsonw_kcstr(j, "kind", policy_bundle_kind_name(b->at[i].kind));
		jsonw_kcstr(j, "name", b->at[i].name);
		jsonw_khex(j, "sha256", b->at[i].sha256, sizeof b->at[i].sha256);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

void
signedpolicy_show(struct signedpolicy *p, struct call *call)
{
	struct call_doc d;
	struct telling t = { .j = &d.j };
	uint8_t digest[DIGEST_SHA256_LEN];
	if (!p) {
		call_fail(call, CALL_REFUSED, "UNSIGNED", "",
		    "policy is not signed at this gateway: its files are followed as they are");
		return;
	}
	int err = digest_sha256(view_of(p->text, p->text_n), digest);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	const struct signers *set = people_set(p->c->people);
	call_doc_begin(&d);
	jsonw_khex(&d.j, "bundle", p->now.bundle, sizeof p->now.bundle);
	jsonw_key(&d.j, "differs");
	jsonw_array(&d.j);
	if (p->disk && p->bundle)
		policy_bundle_compare(p->bundle, p->disk, put_change, &t);
	jsonw_array_end(&d.j);
	if (p->disk)
		jsonw_khex(&d.j, "disk", p->disk->sha256, sizeof p->disk->sha256);
	else
		jsonw_knull(&d.j, "disk");
	jsonw_kcstr(&d.j, "gateway", people_genesis(p->c->people)->origin);
	put_items(&d.j, p->bundle);
	if (p->lacks[0])
		jsonw_kcstr(&d.j, "lacks", p->lacks);
	else
		jsonw_knull(&d.j, "lacks");
	jsonw_kbool(&d.j, "lost", p->lost);
	jsonw_kuint(&d.j, "need", enact_need(people_genesis(p->c->people), set));
	jsonw_kuint(&d.j, "number", p->now.number);
	jsonw_khex(&d.j, "sha256", digest, sizeof digest);
	jsonw_kuint(&d.j, "signers", set->number);
	jsonw_kstring(&d.j, "statement", view_of(p->text, p->text_n));
	requests_put_time(&d.j, "time", p->now.time);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- policy.submit ---- */

/* One file with every signature, one after the other, as cat makes it of those of ssh-keygen. */
static bool
split(struct view all, struct succession_bundle *b)
{
	const char end[] = END_OF_ARMOUR;
	while (all.n) {
		const uint8_t *at = memmem(all.p, all.n, end, sizeof end - 1);
		size_t n = at ? (size_t)(at - all.p) + sizeof end - 1 : 0;
		if (!at || b->n == SIGNERS_MAX)
			return false;
		if (n < all.n && all.p[n] == '\n')
			n++;
		if (n > SSHSIG_ARMOR_MAX)
			return false;
		b->sig[b->n++].armour = view_of(all.p, n);
		all = view_of(all.p + n, all.n - n);
	}
	return b->n > 0;
}

static int
ask_warden(struct signedpolicy *p, const struct succession_bundle *b)
{
	struct msg_policy m = { .token = ++p->token };
	struct writer w;
	if (!p->c->warden)
		return FG_EAGAIN;
	writer_init(&w, SUCCESSION_BUNDLE_MAX);
	int err = succession_bundle_write(b, &w);
	int fd = err ? err : memfd_sealed("fotagate-policy", writer_view(&w));
	writer_free(&w);
	err = fd < 0 ? fd : chan_send(p->c->warden, MSG_POLICY, &m, &fd, 1);
	if (fd >= 0)
		close(fd);
	return err;
}

static void
refuse(struct signedpolicy *p, struct call *call, const char *cure, const char *why)
{
	struct msg_append *e = logbook_entry(ENTRY_AUTHZ_DENIED, "denied", call_who(call)->user, "policy");
	logbook_say(e, "signatures for a policy do not count: %s", why);
	logbook_tell(p->c->logbook, e);
	call_fail(call, CALL_REFUSED, "REFUSED", cure, "%s", why);
}

/* The warden's rule, with what control knows, so that people are told early and well; NULL: it may be handed on. */
static const char *
look_at(struct signedpolicy *p, const struct succession_bundle *b, struct enact_answer *a, const char **ret_cure)
{
	struct control *c = p->c;
	struct enact_case k = { .genesis = people_genesis(c->people), .old = &p->now, .old_text = view_of(p->text, p->text_n),
		.set = people_set(c->people), .now = control_now(c) };
	k.suspended = people_suspended(c->people, &k.suspended_n);
	*ret_cure = "fotagate policy propose writes one that follows";
	int err = enact_judge(&k, b, a);
	if (err)
		return err_name(err);
	if (!a->proper)
		return a->why;
	*ret_cure = "hand them in together: cat *.sig > all.sig";
	if (!a->enough)
		return a->why;
	*ret_cure = "fotagate reload, with the files in their place that were signed";
	/* Its files have to be here before it is in force: else nothing could be granted under it. */
	bool on_disk = p->disk && !memcmp(p->disk->sha256, a->next.bundle, DIGEST_SHA256_LEN);
	if (on_disk && !p->disk_kept) {
		*ret_cure = "make room, then fotagate reload";
		return "the gateway could not keep the files that were signed: is the disk full?";
	}
	bool here = on_disk || !memcmp(p->now.bundle, a->next.bundle, DIGEST_SHA256_LEN);
	return here ? NULL : "the gateway has not seen the files that were signed: they are not those on disk";
}

void
signedpolicy_submit(struct signedpolicy *p, struct call *call)
{
	struct writer text, sigs;
	struct succession_bundle *b = calloc(1, sizeof *b);
	struct enact_answer *a = calloc(1, sizeof *a);
	const char *cure = "";
	writer_init(&text, POLICYSET_BYTES_MAX);
	writer_init(&sigs, SUBMIT_BYTES_MAX);
	if (!p) {
		signedpolicy_show(p, call);
	} else if (!b || !a) {
		call_fail_err(call, FG_ENOMEM);
	} else if (!control_permits(p->c)) {
		requests_not_now(p->c, call);
	} else if (p->asked) {
		call_fail(call, CALL_COULD_NOT, "BUSY", "try again", "the warden is at work on a policy");
	} else if (files_read(call_fd(call, 0), POLICYSET_BYTES_MAX, &text) ||
	    files_read(call_fd(call, 1), SUBMIT_BYTES_MAX, &sigs) || !split(writer_view(&sigs), b)) {
		call_fail(call, CALL_USAGE, "USAGE", "hand in the statement's file and one of all signatures",
		    "what was handed in is too large, or no signatures");
	} else {
		b->text = writer_view(&text);
		const char *why = look_at(p, b, a, &cure);
		if (why) {
			refuse(p, call, cure, why);
		} else if (ask_warden(p, b)) {
			call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "hand them in again", "the warden is away");
		} else {
			p->asked = true;
			p->waiting = call;
		}
	}
	writer_free(&text);
	writer_free(&sigs);
	free(a);
	free(b);
}

/* ---- the warden's word ---- */

static void
follow_again(struct signedpolicy *p)
{
	uint32_t before = p->now.number;
	if (follow_all(p))
		oplog(OPLOG_ERR, "the policies could not be read");
	if (p->now.number == before)
		return;
	oplog(OPLOG_NOTICE, "policy %u is in force", p->now.number);
	signedpolicy_look(p); /* until the supervisor has handed out what it is of, nothing is granted */
}

void
signedpolicy_on_taken(struct signedpolicy *p, const struct msg_policy_taken *m)
{
	char why[MSG_TEXT_MAX];
	if (!p)
		return;
	struct call *call = p->waiting;
	bool ours = p->asked && m->token == p->token;
	if (m->ok && m->number != p->now.number)
		follow_again(p);
	if (!ours)
		return;
	p->asked = false;
	p->waiting = NULL;
	visible_cstr(view_str(m->why), why, sizeof why);
	if (!call)
		return;
	if (!m->ok) {
		call_fail(call, CALL_REFUSED, "REFUSED", "", "the warden refuses: %s", why);
		return;
	}
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "number", m->number);
	jsonw_kcstr(&d.j, "state", "in-force");
	jsonw_kcstr(&d.j, "text", p->now.number == m->number ? "the policy is in force" :
	    "the policy is in force; it could not be written down yet");
	call_doc_end(call, &d, CALL_DONE);
}

void
signedpolicy_warden_down(struct signedpolicy *p)
{
	if (!p)
		return;
	struct call *call = p->waiting;
	p->asked = false;
	p->waiting = NULL;
	if (call)
		call_fail(call, CALL_COULD_NOT, "WARDEN-AWAY", "see fotagate policy show", "the warden went away");
}
