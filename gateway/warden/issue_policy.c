/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_policy - the next policy, where genesis says that people sign it: judged against
 * the chain, written down aside, logged, and only then given its name and in force. When a
 * crash or a silent audit leaves open whether the log has it, the log is read for it.
 * As issue_signers does it, whose comments say why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/file/inforce.h"
#include "gateway/warden/issue_private.h"
#include "gateway/wire/memfd.h"

static uint32_t
number_now(const struct warden *w)
{
	const struct policyset *now = policychain_now(w->policy);
	return now ? now->number : 0;
}

static void
tell(struct warden *w, uint64_t token, bool ok, const char *why)
{
	struct msg_policy_taken m = { .token = token, .ok = ok, .number = number_now(w) };
	snprintf(m.why, sizeof m.why, "%s", why);
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_POLICY_TAKEN, &m, NULL, 0);
	if (!ok)
		return;
	m.token = 0;
	peers_send(w->peers, MSG_ROLE_SUPERVISOR, 0, MSG_POLICY_TAKEN, &m, NULL, 0); /* whoever hands out the configuration */
}

static void
refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why)
{
	(void)a;
	tell(w, r->policy.token, false, why);
}

static void
dropped(struct warden *w)
{
	if (w->job.edict)
		successor_free(&w->job.edict->found);
	free(w->job.edict);
	w->job.edict = NULL;
}

static const char *
read_policy(struct warden *w, char *why, size_t cap)
{
	struct job *j = &w->job;
	(void)why;
	(void)cap;
	if (!policychain_now(w->policy))
		return "policy is not signed at this gateway: its genesis does not say so";
	j->edict = calloc(1, sizeof *j->edict);
	if (!j->edict)
		return err_name(FG_ENOMEM);
	if (memfd_map(j->request.bundle_fd, SUCCESSION_BUNDLE_MAX, &j->bundle_bytes) ||
	    succession_bundle_parse(j->bundle_bytes, &j->edict->bundle))
		return "the policy did not arrive as a sealed bundle";
	return NULL;
}

static void
append(struct warden *w)
{
	const struct edict *d = w->job.edict;
	uint8_t digest[DIGEST_SHA256_LEN];
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m || digest_sha256(d->bundle.text, digest)) {
		free(m);
		issue_refuse(w, err_name(FG_ENOMEM));
		return;
	}
	m->token = ++w->token;
	m->event = ENTRY_AUTHORITY_POLICY;
	m->severity = (uint8_t)entry_event_severity(ENTRY_AUTHORITY_POLICY);
	snprintf(m->out, sizeof m->out, "ok");
	snprintf(m->act, sizeof m->act, "warden");
	snprintf(m->obj, sizeof m->obj, "policy:%u", d->answer.next.number);
	m->refs_n = 4;
	snprintf(m->refs[0].key, sizeof m->refs[0].key, "bundle");
	hex_encode(d->answer.next.bundle, DIGEST_SHA256_LEN, m->refs[0].text);
	snprintf(m->refs[1].key, sizeof m->refs[1].key, "number");
	m->refs[1].is_number = true;
	m->refs[1].number = d->answer.next.number;
	snprintf(m->refs[2].key, sizeof m->refs[2].key, "sha256");
	hex_encode(digest, sizeof digest, m->refs[2].text);
	snprintf(m->refs[3].key, sizeof m->refs[3].key, "signed_by");
	m->refs[3].is_number = true;
	m->refs[3].number = d->answer.have;
	m->doc = d->bundle.text;
	snprintf(m->msg, sizeof m->msg, "%u of %u persons have signed", d->answer.have, d->answer.need);
	w->job.step = STEP_LOG;
	issue_ask_audit(w, MSG_APPEND, m);
	free(m);
}

static int
judge_at(struct warden *w, int64_t now)
{
	struct signers_suspended gone[SIGNERS_MAX];
	const struct signers *set = authority_current(w->authority);
	int n = suspensions_of(w->suspensions, set, gone);
	const struct enact_case c = {
		.genesis = authority_genesis_get(w->authority),
		.old = policychain_now(w->policy),
		.old_text = policychain_text(w->policy),
		.set = set,
		.suspended = gone,
		.suspended_n = n < 0 ? 0 : (unsigned)n,
		.now = now,
	};
	return n < 0 ? n : enact_judge(&c, &w->job.edict->bundle, &w->job.edict->answer);
}

static void
judge(struct warden *w)
{
	struct job *j = &w->job;
	struct edict *d = j->edict;
	const char *clock = hold_refuses(w, &j->request);
	if (clock) {
		issue_refuse(w, clock);
		return;
	}
	/* Good by both ends of what time it may be. */
	int err = judge_at(w, hold_earliest(w));
	if (!err && d->answer.enough)
		err = judge_at(w, hold_latest(w));
	if (err || !d->answer.enough) {
		char why[sizeof d->answer.why];
		snprintf(why, sizeof why, "%s", err ? err_name(err) : d->answer.why);
		issue_refuse(w, why);
		return;
	}
	unsigned kept = 0;
	for (unsigned i = 0; i < d->bundle.n; i++) {
		if (d->answer.good[i])
			d->bundle.sig[kept++] = d->bundle.sig[i];
	}
	d->bundle.n = kept;
	if (successor_write(w->authority_dir, SUCCESSOR_POLICY, d->answer.next.number, j->log_size, &d->bundle)) {
		issue_refuse(w, "the policy could not be written down: is the disk full?");
		return;
	}
	w->policy_unsettled = true;
	w->policy_scanned = 0;
	append(w);
}

static int
keep(struct warden *w, const struct policyset *s, struct view text)
{
	struct inforce in = { .number = s->number };
	memcpy(in.config, s->config, sizeof in.config);
	int err = digest_sha256(text, in.statement);
	return err ? err : inforce_write(vault_dir(w->vault), &in);
}

/* The log has it. False: it holds, but not yet on disk or in memory, and is tried again. */
static bool
take(struct warden *w, const struct edict *d)
{
	const struct policyset *next = &d->answer.next;
	bool ok = next->number == number_now(w) || policychain_adopt(w->policy, next, d->bundle.text) == FG_OK;
	ok = ok && keep(w, next, d->bundle.text) == FG_OK;
	if (ok && successor_settle(w->authority_dir, SUCCESSOR_POLICY, next->number, &d->bundle) == FG_OK) {
		w->policy_unsettled = false;
		return true;
	}
	fprintf(stderr, "<3>warden: policy %u is in force but could not be written down: is the disk full?\n", next->number);
	return false;
}

static void
effect(struct warden *w)
{
	bool settled = take(w, w->job.edict);
	tell(w, w->job.request.policy.token, true, settled ? "" : "in force, but not written down yet: is the disk full?");
	issue_done(w);
}

static void
disowned(struct warden *w, const char *why)
{
	(void)why;
	w->late_token = w->token;
}

const struct issue_kind issue_policy = {
	.refused = refused,
	.read = read_policy,
	.judge = judge,
	.effect = effect,
	.disowned = disowned,
	.dropped = dropped,
};

/* ---- whether the log has it ---- */

static const char *
read_pending(struct warden *w, char *why, size_t cap)
{
	struct edict *d = w->job.edict = calloc(1, sizeof *d);
	const struct policyset *now = policychain_now(w->policy);
	uint32_t number = number_now(w); /* in force, but the disk may not know it yet; else the next */
	if (!d)
		return err_name(FG_ENOMEM);
	int err = number ? successor_read(w->authority_dir, SUCCESSOR_POLICY, number, &d->found) : FG_ENOTFOUND;
	bool again = err == FG_OK; /* in force, only its names are missing */
	if (err == FG_ENOTFOUND)
		err = successor_read(w->authority_dir, SUCCESSOR_POLICY, ++number, &d->found);
	if (err == FG_ENOTFOUND) {
		w->policy_unsettled = false;
		return "nothing is pending";
	}
	const struct genesis *g = authority_genesis_get(w->authority);
	if (!err) {
		d->bundle = d->found.bundle;
		err = policyset_parse(d->bundle.text, g->origin, &d->answer.next, why, cap);
	}
	if (!err && again)
		return take(w, d) ? "its names are there now" : "its names could not be made";
	const struct signers *set = err ? NULL : authority_set(w->authority, d->answer.next.signers);
	if (!err)
		err = !set ? FG_EPERM : enact_check_next(g, now, policychain_text(w->policy), &d->answer.next, d->bundle.text, set,
		    d->bundle.sig, d->bundle.n, why, cap);
	if (err == FG_EFORMAT || err == FG_EPERM) {
		fprintf(stderr, "<3>warden: a pending policy does not follow the one in force and is dropped\n");
		successor_drop(w->authority_dir, SUCCESSOR_POLICY, number);
		w->policy_unsettled = false;
		return "it is no successor";
	}
	return err ? err_name(err) : NULL;
}

/* That policy was in force here: it is in the log, whatever the folder and the log look like by now. */
static bool
was_in_force(const struct warden *w, uint32_t number)
{
	struct inforce in;
	return inforce_read(vault_dir(w->vault), &in) == FG_OK && in.number >= number;
}

static void
found(struct warden *w)
{
	take(w, w->job.edict);
	tell(w, 0, true, "");
}

static struct issue_scan
scan_of(struct warden *w)
{
	const struct edict *p = w->job.edict;
	return (struct issue_scan){ .event = ENTRY_AUTHORITY_POLICY, .text = p->bundle.text,
		.from = p->found.log_size, .noun = "policy", .folder = SUCCESSOR_POLICY,
		.number = p->answer.next.number, .unsettled = &w->policy_unsettled, .scanned = &w->policy_scanned,
		.was_in_force = was_in_force, .take = found };
}

static void
judge_pending(struct warden *w)
{
	const struct issue_scan s = scan_of(w);
	issue_scan_begin(w, &s);
}

void
issue_policy_proof(struct warden *w, const struct msg_proof *m)
{
	const struct issue_scan s = scan_of(w);
	issue_scan_proof(w, &s, m);
}

const struct issue_kind issue_policy_recover = {
	.refused = issue_scan_refused,
	.read = read_pending,
	.judge = judge_pending,
	.dropped = dropped,
};

/* ---- start ---- */

int
issue_policy_boot(struct warden *w, char *ret_why, size_t cap)
{
	const struct policyset *now = policychain_now(w->policy);
	struct inforce kept;
	struct successor half = { 0 };
	uint8_t sha256[DIGEST_SHA256_LEN];
	if (!now)
		return FG_OK;
	uint32_t number = now->number;
	int err = inforce_read(vault_dir(w->vault), &kept);
	if (err == FG_ENOTFOUND) {
		err = keep(w, now, policychain_text(w->policy));
		memset(&kept, 0, sizeof kept);
		kept.number = number;
		if (!err)
			err = digest_sha256(policychain_text(w->policy), kept.statement);
	}
	if (!err)
		err = digest_sha256(policychain_text(w->policy), sha256);
	if (!err && kept.number == number + 1 &&
	    successor_read(w->authority_dir, SUCCESSOR_POLICY, kept.number, &half) == FG_OK) {
		err = digest_sha256(half.bundle.text, sha256); /* only its names are missing */
		number = kept.number;
	}
	successor_free(&half);
	if (!err && (kept.number != number || memcmp(sha256, kept.statement, sizeof sha256) != 0))
		err = FG_EPERM;
	if (err == FG_EPERM)
		snprintf(ret_why, cap, "the folder does not end with policy %u, the last that was put in force here", kept.number);
	else if (err)
		snprintf(ret_why, cap, "which policy was in force cannot be read: %s", err_name(err));
	if (err)
		return err;
	w->policy_unsettled = successor_read(w->authority_dir, SUCCESSOR_POLICY, now->number + 1, &half) != FG_ENOTFOUND;
	successor_free(&half);
	successor_drop(w->authority_dir, SUCCESSOR_POLICY, now->number); /* that one is all there */
	return FG_OK;
}

void
issue_policy_greet(struct warden *w)
{
	const struct msg_policy_taken m = { .ok = true, .number = number_now(w) };
	if (policychain_now(w->policy))
		peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_POLICY_TAKEN, &m, NULL, 0);
}

const char *
issue_policy_refuses(const struct warden *w, const char *profile, const uint8_t policy[DIGEST_SHA256_LEN])
{
	const struct policyset *now = policychain_now(w->policy);
	return !now || policyset_has(now, profile, policy) ? NULL :
	    "the policy it was judged under is not the one that people signed last: nothing is released under another";
}
