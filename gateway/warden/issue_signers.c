/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_signers - the next signer set: judged against the chain, written down
 * aside, logged, and only then given its name and in force. When a crash or a
 * silent audit leaves open whether the log has it, the log is read for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/warden/issue_private.h"
#include "gateway/warden/lastset.h"
#include "gateway/wire/memfd.h"

static void
tell(struct warden *w, uint64_t token, bool ok, const char *why)
{
	struct msg_signers_taken m = { .token = token, .ok = ok, .number = authority_current(w->authority)->number };
	snprintf(m.why, sizeof m.why, "%s", why);
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_SIGNERS_TAKEN, &m, NULL, 0);
}

static void
refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why)
{
	(void)a;
	tell(w, r->signers.token, false, why);
}

static void
dropped(struct warden *w)
{
	if (w->job.heir)
		successor_free(&w->job.heir->found);
	free(w->job.heir);
	w->job.heir = NULL;
}

static const char *
read_set(struct warden *w, char *why, size_t cap)
{
	struct job *j = &w->job;
	(void)why;
	(void)cap;
	j->heir = calloc(1, sizeof *j->heir);
	if (!j->heir)
		return err_name(FG_ENOMEM);
	if (memfd_map(j->request.bundle_fd, SUCCESSION_BUNDLE_MAX, &j->bundle_bytes) ||
	    succession_bundle_parse(j->bundle_bytes, &j->heir->bundle))
		return "the signer set did not arrive as a sealed bundle";
	return NULL;
}

static void
append(struct warden *w)
{
	const struct heir *h = w->job.heir;
	uint8_t digest[DIGEST_SHA256_LEN];
	char digits[DIGEST_HEX_LEN + 1];
	struct msg_append *m = calloc(1, sizeof *m);
	if (!m || digest_sha256(h->bundle.text, digest)) {
		free(m);
		issue_refuse(w, err_name(FG_ENOMEM));
		return;
	}
	m->token = ++w->token;
	m->event = ENTRY_AUTHORITY_SIGNERS;
	m->severity = (uint8_t)entry_event_severity(ENTRY_AUTHORITY_SIGNERS);
	snprintf(m->out, sizeof m->out, "ok");
	snprintf(m->act, sizeof m->act, "warden");
	snprintf(m->obj, sizeof m->obj, "signers:%u", h->answer.next.number);
	m->refs_n = 3;
	snprintf(m->refs[0].key, sizeof m->refs[0].key, "number");
	m->refs[0].is_number = true;
	m->refs[0].number = h->answer.next.number;
	hex_encode(digest, sizeof digest, digits);
	snprintf(m->refs[1].key, sizeof m->refs[1].key, "sha256");
	snprintf(m->refs[1].text, sizeof m->refs[1].text, "%s", digits);
	snprintf(m->refs[2].key, sizeof m->refs[2].key, "signed_by");
	m->refs[2].is_number = true;
	m->refs[2].number = h->answer.by_old;
	m->doc = h->bundle.text;
	snprintf(m->msg, sizeof m->msg, "%u persons of the set before and %u of this one have signed", h->answer.by_old,
	    h->answer.by_new);
	w->job.step = STEP_LOG;
	issue_ask_audit(w, MSG_APPEND, m);
	free(m);
}

static void
judge(struct warden *w)
{
	struct job *j = &w->job;
	struct heir *h = j->heir;
	struct signers_suspended gone[SIGNERS_MAX];
	const struct signers *old = authority_current(w->authority);
	int n = suspensions_of(w->suspensions, old, gone);
	struct succession_case c = {
		.genesis = authority_genesis_get(w->authority),
		.old = old,
		.old_text = authority_text(w->authority),
		.suspended = gone,
		.suspended_n = n < 0 ? 0 : (unsigned)n,
		.now = hold_earliest(w),
	};
	const char *clock = hold_refuses(w, &j->request);
	if (clock) {
		issue_refuse(w, clock);
		return;
	}
	/* Good by both ends of what time it may be (crypto/clockwatch.h). */
	int err = n < 0 ? n : succession_judge(&c, &h->bundle, &h->answer);
	c.now = hold_latest(w);
	if (!err && h->answer.enough)
		err = succession_judge(&c, &h->bundle, &h->answer);
	if (err || !h->answer.enough) {
		char why[sizeof h->answer.why];
		snprintf(why, sizeof why, "%s", err ? err_name(err) : h->answer.why);
		issue_refuse(w, why);
		return;
	}
	/* What does not count is not kept: everyone who reads the chain later would stumble over it. */
	unsigned kept = 0;
	for (unsigned i = 0; i < h->bundle.n; i++) {
		if (h->answer.good[i])
			h->bundle.sig[kept++] = h->bundle.sig[i];
	}
	h->bundle.n = kept;
	if (successor_write(w->authority_dir, SUCCESSOR_SIGNERS, h->answer.next.number, j->log_size, &h->bundle)) {
		issue_refuse(w, "the signer set could not be written down: is the disk full?");
		return;
	}
	w->unsettled = true;
	w->scanned = 0;
	append(w);
}

int
issue_count_keys(struct warden *w)
{
	struct signers_suspended gone[SIGNERS_MAX];
	int n = suspensions_of(w->suspensions, authority_current(w->authority), gone);
	return n < 0 ? n : authority_suspend(w->authority, gone, (unsigned)n);
}

static int
keep(struct warden *w, uint32_t number, struct view text)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	int err = digest_sha256(text, sha256);
	return err ? err : lastset_write(vault_dir(w->vault), number, sha256);
}

/* That set was in force here: it is in the log, whatever the folder and the log look like by now. */
static bool
was_in_force(const struct warden *w, uint32_t number)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint32_t kept;
	return lastset_read(vault_dir(w->vault), &kept, sha256) == FG_OK && kept >= number;
}

int
issue_signers_boot(struct warden *w, char *ret_why, size_t cap)
{
	uint8_t kept[DIGEST_SHA256_LEN], sha256[DIGEST_SHA256_LEN];
	uint32_t number, now = authority_current(w->authority)->number;
	struct successor half = { 0 };
	int err = lastset_read(vault_dir(w->vault), &number, kept);
	if (err == FG_ENOTFOUND)
		return keep(w, now, authority_text(w->authority));
	if (!err)
		err = digest_sha256(authority_text(w->authority), sha256);
	if (!err && number == now + 1 && successor_read(w->authority_dir, SUCCESSOR_SIGNERS, number, &half) == FG_OK) {
		err = digest_sha256(half.bundle.text, sha256); /* only its names are missing */
		now = number;
	}
	successor_free(&half);
	if (!err && (number != now || memcmp(sha256, kept, sizeof kept) != 0))
		err = FG_EPERM;
	if (err == FG_EPERM)
		snprintf(ret_why, cap, "the folder does not end with signer set %u, the last that was put in force here", number);
	else if (err)
		snprintf(ret_why, cap, "which signer set was in force cannot be read: %s", err_name(err));
	return err;
}

/* The log has it. False: it holds, but not yet on disk or in memory, and is tried again. */
static bool
take(struct warden *w, const struct heir *h)
{
	const struct signers *next = &h->answer.next;
	bool ok = next->number == authority_current(w->authority)->number ||
	    authority_adopt(w->authority, next, h->bundle.text) == FG_OK;
	/* Keys suspended while it was on its way stay so under it. */
	ok = ok && issue_count_keys(w) == FG_OK;
	/* Kept before it has a name: a folder may then never end with another. */
	ok = ok && keep(w, next->number, h->bundle.text) == FG_OK;
	if (ok && successor_settle(w->authority_dir, SUCCESSOR_SIGNERS, next->number, &h->bundle) == FG_OK) {
		w->unsettled = false;
		return true;
	}
	fprintf(stderr, "<3>warden: signer set %u is in force but could not be written down: is the disk full?\n",
	    next->number);
	return false;
}

static void
effect(struct warden *w)
{
	uint64_t token = w->job.request.signers.token;
	bool settled = take(w, w->job.heir);
	tell(w, token, true, settled ? "" : "in force, but not written down yet: is the disk full?");
	issue_done(w);
}

/* Audit is silent or gone: whatever it does with the entry, the log decides. */
static void
disowned(struct warden *w, const char *why)
{
	(void)why;
	w->late_token = w->token;
}

const struct issue_kind issue_signers = {
	.refused = refused,
	.read = read_set,
	.judge = judge,
	.effect = effect,
	.disowned = disowned,
	.dropped = dropped,
};

/* ---- whether the log has it ---- */

static const char *
read_pending(struct warden *w, char *why, size_t cap)
{
	struct heir *h = w->job.heir = calloc(1, sizeof *h);
	const struct signers *current = authority_current(w->authority);
	uint32_t number = current->number; /* in force, but the disk may not know it yet; else the next */
	if (!h)
		return err_name(FG_ENOMEM);
	int err = number ? successor_read(w->authority_dir, SUCCESSOR_SIGNERS, number, &h->found) : FG_ENOTFOUND;
	bool again = err == FG_OK; /* in force, only its names are missing */
	if (err == FG_ENOTFOUND)
		err = successor_read(w->authority_dir, SUCCESSOR_SIGNERS, ++number, &h->found);
	if (err == FG_ENOTFOUND) {
		w->unsettled = false;
		return "nothing is pending";
	}
	if (!err) {
		h->bundle = h->found.bundle;
		err = signers_parse(h->bundle.text, authority_genesis_get(w->authority)->origin, &h->answer.next, why, cap);
	}
	if (!err && again) {
		if (take(w, h))
			return "its names are there now";
		return "its names could not be made";
	}
	/* The rule of the chain, not that of the day: it was judged before it went to the log. */
	if (!err)
		err = signers_check_next(current, authority_text(w->authority), &h->answer.next, h->bundle.text, h->bundle.sig,
		    h->bundle.n, h->answer.next.time, why, cap);
	if (err == FG_EFORMAT || err == FG_EPERM) {
		fprintf(stderr, "<3>warden: a pending signer set does not follow the one in force and is dropped\n");
		successor_drop(w->authority_dir, SUCCESSOR_SIGNERS, number);
		w->unsettled = false;
		return "it is no successor";
	}
	return err ? err_name(err) : NULL;
}

static void
found(struct warden *w)
{
	take(w, w->job.heir);
	tell(w, 0, true, "");
}

static struct issue_scan
scan_of(struct warden *w)
{
	const struct heir *p = w->job.heir;
	return (struct issue_scan){ .event = ENTRY_AUTHORITY_SIGNERS, .text = p->bundle.text,
		.from = p->found.log_size, .noun = "signer set", .folder = SUCCESSOR_SIGNERS,
		.number = p->answer.next.number, .unsettled = &w->unsettled, .scanned = &w->scanned,
		.was_in_force = was_in_force, .take = found };
}

static void
judge_pending(struct warden *w)
{
	const struct issue_scan s = scan_of(w);
	issue_scan_begin(w, &s);
}

void
issue_signers_proof(struct warden *w, const struct msg_proof *m)
{
	const struct issue_scan s = scan_of(w);
	issue_scan_proof(w, &s, m);
}

const struct issue_kind issue_recover = {
	.refused = issue_scan_refused,
	.read = read_pending,
	.judge = judge_pending,
	.dropped = dropped,
};

/* ---- for suspensions ---- */

/* The set that may come into force without being asked about again. */
static const struct signers *
coming(const struct warden *w)
{
	return w->unsettled && w->job.step == STEP_LOG && w->job.heir ? &w->job.heir->answer.next : NULL;
}

uint32_t
issue_set_number(const struct warden *w)
{
	return authority_current(w->authority)->number + (w->unsettled ? 1 : 0);
}

bool
issue_suspension_holds(const struct warden *w, uint32_t number, int64_t at)
{
	const struct signers *next = coming(w);
	/* A set that is only on disk yet is judged once it is read. */
	return signers_suspension_holds(authority_current(w->authority), number, at) ||
	    (next ? signers_suspension_holds(next, number, at) : w->unsettled);
}

int
issue_lists_key(const struct warden *w, const uint8_t key[DIGEST_SHA256_LEN], bool *ret)
{
	const struct signers *sets[2] = { authority_current(w->authority), coming(w) };
	*ret = w->unsettled && !sets[1];
	for (unsigned i = 0; i < 2; i++) {
		for (uint32_t k = 0; sets[i] && k < sets[i]->n; k++) {
			uint8_t digest[DIGEST_SHA256_LEN];
			int err = sshkey_digest(&sets[i]->signer[k].key, digest);
			if (err)
				return err;
			*ret |= !memcmp(digest, key, sizeof digest);
		}
	}
	return FG_OK;
}
