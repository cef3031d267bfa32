/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/merkle.h"
#include "gateway/warden/issue.h"
#include "gateway/warden/stored.h"

#define WARDEN_FD 3           /* the supervisor's channel */
#define WARDEN_TICK_MS 1000   /* how late an expired release or a silent audit may be noticed */
#define WARDEN_HOT_SHARE 4    /* a quarter of memory may hold hot images (ARCHITECTURE.md section 6) */
#define EXIT_CONTRACT 70      /* as gateway/role/role.h, which this program does not link */
#define EXIT_SANDBOX 71
#define EXIT_FAILED 72

static void
say(const char *what, const char *why)
{
	fprintf(stderr, "<3>warden: %s: %s\n", what, why);
}

/* ---- restrictions: effect first ---- */

static void
withdraw(struct warden *w, unsigned i)
{
	struct released *gone = w->list[i];
	struct msg_withdraw m;
	memcpy(m.release, gone->id, sizeof m.release);
	peers_send_edges(w->peers, MSG_WITHDRAW, &m, NULL, 0);
	if (gone->image.hot)
		w->hot_bytes -= gone->image.size;
	vault_drop_release(w->vault, gone->id);
	w->list[i] = w->list[--w->list_n];
	if (!issue_needs_image(w, gone->image.sha256))
		vault_drop_image(w->vault, gone->image.sha256);
	issue_free(gone);
	free(gone);
}

/* Takes effect first. Of what is said again only what it stood against then: people may have decided anew since. */
static unsigned
withdraw_restricted(struct warden *w, const struct msg_restrict *m)
{
	static const uint8_t every[RELEASE_ID];
	bool all = !memcmp(m->release, every, sizeof every);
	unsigned n = 0;
	for (unsigned i = w->list_n; i-- > 0;) {
		const struct released *r = w->list[i];
		if (memcmp(r->image.sha256, m->image, DIGEST_SHA256_LEN) || (!all && memcmp(r->id, m->release, RELEASE_ID)) ||
		    (m->again && r->record->log_size > m->log_size))
			continue;
		withdraw(w, i);
		n++;
	}
	return n;
}

static void
on_restrict(struct warden *w, const struct msg_restrict *m)
{
	struct msg_restricted answer = { .token = m->token };
	struct vault_restriction note = { .kind = m->kind, .log_size = m->log_size };
	memcpy(note.image, m->image, sizeof note.image);
	memcpy(note.release, m->release, sizeof note.release);
	answer.lost = m->again && !vault_knows(w->vault, &note);
	if (!m->again || answer.lost) {
		issue_restricted(w, m->image);
		answer.withdrawn = withdraw_restricted(w, m);
		/* Control may know less of the log than we do: statements of that time end too. */
		if (!m->again && w->log_seen > note.log_size)
			note.log_size = w->log_seen;
		answer.err = vault_restrict(w->vault, &note);
	}
	if (answer.lost)
		say("a restriction that was acknowledged is not in the vault; it is again", "forgotten");
	if (answer.err)
		say("a restriction is in force but could not be written down", err_name(answer.err));
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_RESTRICTED, &answer, NULL, 0);
}

static void
on_suspend(struct warden *w, const struct msg_suspend *m)
{
	struct msg_suspended answer = { .token = m->token, .number = issue_set_number(w), .at = w->clock.now_s() };
	bool listed = false;
	memcpy(answer.key, m->key, sizeof answer.key);
	answer.err = issue_lists_key(w, m->key, &listed);
	if (!answer.err && !listed)
		answer.err = FG_ENOTFOUND;
	/* Said again it is the word of then: a set written since has decided about it, and no other has. */
	if (m->again && m->number < answer.number)
		answer.number = m->number;
	if (m->again && m->at < answer.at)
		answer.at = m->at;
	if (!answer.err && m->again && !issue_suspension_holds(w, answer.number, answer.at))
		answer.err = FG_ESTATE;
	if (!answer.err) {
		int err = suspensions_add(w->suspensions, answer.number, m->key, answer.at);
		answer.err = issue_count_keys(w);
		issue_suspended(w, m->key);
		if (err)
			answer.err = err;
		if (answer.err == FG_EIO)
			say("a key is suspended but that could not be written down", err_name(answer.err));
	}
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_SUSPENDED, &answer, NULL, 0);
}

/*
 * A halt is a veto of everything that one person let through alone: it does not come back when the halt ends, and nothing
 * that was signed before is a way to it. All that is there was there then, for in a halt there is no other (glass_judge.h);
 * no time is compared, the wall clock may have gone back a little.
 */
static void
halt_glass(struct warden *w)
{
	for (unsigned i = w->list_n; i-- > 0;) {
		const struct released *r = w->list[i];
		struct vault_restriction note = { .log_size = r->record->log_size, .kind = MSG_RESTRICT_REVOKE };
		if (!r->record->glass)
			continue;
		memcpy(note.image, r->image.sha256, sizeof note.image);
		memcpy(note.release, r->id, sizeof note.release);
		if (w->log_seen > note.log_size)
			note.log_size = w->log_seen;
		int err = vault_restrict(w->vault, &note);
		withdraw(w, i);
		if (err)
			say("break-glass was stopped by a halt but that could not be written down", err_name(err));
	}
	issue_glass_halted(w);
}

/* Withdrawn is for ever, so not by a clock that may come back: edges judge by the latest time themselves. */
static void
expire(struct warden *w)
{
	int64_t now = hold_latest(w);
	if (!hold_is_sure(w))
		return;
	for (unsigned i = w->list_n; i-- > 0;) {
		if (w->list[i]->record->terms.not_after <= now)
			withdraw(w, i);
	}
}

/* ---- peers ---- */

static void
tell_authority(struct warden *w)
{
	const struct signers *set = authority_current(w->authority);
	struct msg_signers_taken m = { .ok = true, .number = set->number };
	struct signers_suspended gone[SIGNERS_MAX];
	int n = suspensions_of(w->suspensions, set, gone);
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_SIGNERS_TAKEN, &m, NULL, 0);
	issue_policy_greet(w);
	issue_glass_greet(w);
	for (int i = 0; i < n; i++) {
		struct msg_suspended one = { .number = set->number, .at = gone[i].at };
		memcpy(one.key, gone[i].key, sizeof one.key);
		peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_SUSPENDED, &one, NULL, 0);
	}
}

static void
tell_control(struct warden *w)
{
	tell_authority(w);
	for (unsigned i = 0; i < w->list_n; i++) {
		struct msg_warden_state m = { .record = w->list[i]->text };
		memcpy(m.release, w->list[i]->id, sizeof m.release);
		peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_WARDEN_STATE, &m, NULL, 0);
	}
	struct msg_warden_state end = { .last = true };
	peers_send(w->peers, MSG_ROLE_CONTROL, 0, MSG_WARDEN_STATE, &end, NULL, 0);
}

static void
greet(struct warden *w, enum msg_role role, unsigned index)
{
	hold_tell(w, role, index);
	for (unsigned i = 0; role == MSG_ROLE_EDGE && i < w->list_n; i++)
		issue_tell_edge(w, index, w->list[i]);
	if (role == MSG_ROLE_CONTROL)
		tell_control(w);
}

static void
audit_away(struct warden *w)
{
	issue_audit_away(w);
	hold_audit_away(w);
}

static int
on_peer(struct warden *w, struct wire_frame *f)
{
	struct msg_peer m;
	int err = msg_decode(f, &m, sizeof m);
	if (err)
		return err;
	if (m.role != MSG_ROLE_EDGE && m.role != MSG_ROLE_CONTROL && m.role != MSG_ROLE_AUDIT)
		return FG_EPEER;
	err = peers_add(w->peers, m.role, m.index, wire_take_fd(f, 0));
	if (m.role == MSG_ROLE_AUDIT)
		audit_away(w); /* what was asked of the one before is never answered */
	if (!err && w->started)
		greet(w, m.role, m.index);
	return err;
}

/* ---- boot ---- */

/* The log's key is genesis': a checkpoint by any other is none of ours. */
static int
open_cosign(struct warden *w)
{
	struct note_key log;
	char why[256] = "";
	int err = note_key_parse(view_str(authority_genesis_get(w->authority)->log_vkey), &log);
	if (!err)
		err = cosign_open(w->cosign, w->vault, &log, why, sizeof why);
	if (err)
		say("what is remembered of the log does not hold", why[0] ? why : err_name(err));
	else if (cosign_size(w->cosign) > w->log_seen)
		w->log_seen = cosign_size(w->cosign);
	return err;
}

static int
enter_jail(struct warden *w)
{
	char approved[MSG_PATH_MAX + 32], authority[MSG_PATH_MAX + 32], why[256] = "";
	snprintf(approved, sizeof approved, "%s/images/approved", w->boot.data_dir);
	snprintf(authority, sizeof authority, "%s/authority", w->boot.data_dir);
	struct jail_paths paths = {
		.n = 2,
		.at = { { .slot = JAIL_SLOT_APPROVED, .path = approved }, { .slot = JAIL_SLOT_AUTHORITY, .path = authority } },
	};
	struct jail_options opt = {
		.drop = w->boot.drop,
		.uid = w->boot.uid,
		.gid = w->boot.gid,
		.new_netns = w->boot.drop,
		.unsafe_allowed = w->boot.unsafe_sandbox,
	};
	if (jail_enter(JAIL_WARDEN, &paths, &opt, &w->jail, why, sizeof why)) {
		say("the jail could not be entered", why);
		return FG_ESANDBOX;
	}
	w->jailed = true;
	int err = vault_open(approved, &w->vault);
	if (err) {
		say(approved, err_why(err));
		return err;
	}
	err = hold_load(w);
	if (err) {
		say("what was kept of the clock", err_why(err));
		return err;
	}
	w->authority_dir = open(authority, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = authority_load(w->authority, w->authority_dir, why, sizeof why);
	if (err) {
		say("authority does not hold", why[0] ? why : err_why(err));
		return err;
	}
	err = issue_signers_boot(w, why, sizeof why);
	if (err) {
		say("authority does not hold", why[0] ? why : err_why(err));
		return err;
	}
	struct successor half = { 0 };
	uint32_t number = authority_current(w->authority)->number;
	w->unsettled = successor_read(w->authority_dir, SUCCESSOR_SIGNERS, number + 1, &half) != FG_ENOTFOUND;
	successor_free(&half);
	successor_drop(w->authority_dir, SUCCESSOR_SIGNERS, number); /* that one is all there */
	err = policychain_load(w->policy, w->authority, w->authority_dir, why, sizeof why);
	if (!err)
		err = issue_policy_boot(w, why, sizeof why);
	if (err) {
		say("policy does not hold", why[0] ? why : err_why(err));
		return err;
	}
	err = suspensions_open(vault_dir(w->vault), &w->suspensions);
	if (!err)
		err = spent_open(vault_dir(w->vault), &w->spent);
	if (!err && authority_genesis_get(w->authority)->glass.delay)
		err = glass_open(vault_dir(w->vault), &w->glass);
	if (!err)
		err = issue_count_keys(w);
	if (err)
		say("suspended keys", err_why(err));
	return err ? err : open_cosign(w);
}

static int
on_boot_fd(struct warden *w, struct wire_frame *f)
{
	struct msg_boot_fd m;
	int err = msg_decode(f, &m, sizeof m);
	if (err || w->jailed)
		return FG_EPEER;
	switch (m.kind) {
	case MSG_FD_GENESIS:
		return authority_genesis(w->authority, f->fds[0]);
	case MSG_FD_GENESIS_SIG:
		return authority_genesis_sig(w->authority, f->fds[0]);
	case MSG_FD_COSIGN_KEY:
		return cosign_key(w->cosign, f->fds[0]);
	default:
		return FG_OK; /* nothing of ours; the frame closes it */
	}
}

static int
on_start(struct warden *w)
{
	struct sysinfo si;
	w->hot_budget = sysinfo(&si) == 0 ? (uint64_t)si.totalram * si.mem_unit / WARDEN_HOT_SHARE : 0;
	int err = stored_load(w);
	if (err)
		return err;
	expire(w);
	if (w->hold.halted) /* told before */
		halt_glass(w);
	issue_glass_look(w);
	w->started = true;
	for (unsigned i = 0; i < PEERS_MAX; i++)
		greet(w, MSG_ROLE_EDGE, i);
	greet(w, MSG_ROLE_CONTROL, 0);
	greet(w, MSG_ROLE_AUDIT, 0);
	struct msg_ready m = {
		.landlock_abi = w->jail.landlock ? (uint32_t)w->jail.landlock_abi : 0,
		.seccomp = w->jail.seccomp,
		.netns = w->jail.netns,
	};
	snprintf(m.jail, sizeof m.jail, "%s", w->jail.text);
	return peers_send(w->peers, MSG_ROLE_SUPERVISOR, 0, MSG_READY, &m, NULL, 0);
}

static int
on_halt(struct warden *w, struct wire_frame *f)
{
	struct msg_halt m;
	int err = msg_decode(f, &m, sizeof m);
	if (err)
		return err;
	hold_halted(w, m.at);
	if (w->started)
		halt_glass(w);
	return FG_OK;
}

static int
on_supervisor(struct warden *w, struct wire_frame *f)
{
	if (!w->booted) {
		int err = f->type == MSG_BOOT ? msg_decode(f, &w->boot, sizeof w->boot) : FG_EPEER;
		if (err || w->boot.role != MSG_ROLE_WARDEN)
			return FG_EPEER;
		prctl(PR_SET_NAME, "warden");
		w->booted = true;
		return FG_OK;
	}
	if (f->type == MSG_BOOT_FD)
		return on_boot_fd(w, f);
	if (!w->jailed) {
		int err = enter_jail(w);
		if (err)
			return err;
	}
	switch (f->type) {
	case MSG_PEER:
		return on_peer(w, f);
	case MSG_START:
		return w->started || msg_decode(f, NULL, 0) ? FG_EPEER : on_start(w);
	case MSG_HALT: /* edges are told by the supervisor; issuing waits for people anyway */
		return on_halt(w, f);
	case MSG_STOP:
		w->stopping = true;
		return FG_OK;
	default:
		return FG_EPEER;
	}
}

/* ---- control, audit, edges ---- */

static int
on_issue(struct warden *w, struct wire_frame *f)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	int err = msg_decode(f, &r->issue, sizeof r->issue);
	if (!err) {
		r->kind = f->type == MSG_ISSUE ? REQUEST_ISSUE : REQUEST_ISSUE_STANDING;
		r->image_fd = wire_take_fd(f, 0);
		r->bundle_fd = wire_take_fd(f, 1);
		issue_ask(w, r);
	}
	free(r);
	return err;
}

static int
on_resume(struct warden *w, struct wire_frame *f)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	int err = msg_decode(f, &r->resume, sizeof r->resume);
	if (!err) {
		r->kind = REQUEST_RESUME;
		r->image_fd = -1;
		r->bundle_fd = wire_take_fd(f, 0);
		issue_ask(w, r);
	}
	free(r);
	return err;
}

static int
on_continue(struct warden *w, struct wire_frame *f)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	int err = msg_decode(f, &r->go_on, sizeof r->go_on);
	if (!err) {
		r->kind = REQUEST_CONTINUE;
		r->image_fd = -1;
		r->bundle_fd = wire_take_fd(f, 0);
		issue_ask(w, r);
	}
	free(r);
	return err;
}

static int
on_afterreview(struct warden *w, struct wire_frame *f)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	int err = msg_decode(f, &r->after, sizeof r->after);
	if (!err) {
		r->kind = REQUEST_AFTERREVIEW;
		r->image_fd = -1;
		r->bundle_fd = wire_take_fd(f, 0);
		issue_ask(w, r);
	}
	free(r);
	return err;
}

static int
on_signers(struct warden *w, struct wire_frame *f)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	int err = msg_decode(f, &r->signers, sizeof r->signers);
	if (!err) {
		r->kind = REQUEST_SIGNERS;
		r->image_fd = -1;
		r->bundle_fd = wire_take_fd(f, 0);
		issue_ask(w, r);
	}
	free(r);
	return err;
}

static int
on_policy(struct warden *w, struct wire_frame *f)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		return FG_ENOMEM;
	int err = msg_decode(f, &r->policy, sizeof r->policy);
	if (!err) {
		r->kind = REQUEST_POLICY;
		r->image_fd = -1;
		r->bundle_fd = wire_take_fd(f, 0);
		issue_ask(w, r);
	}
	free(r);
	return err;
}

static int
on_control(struct warden *w, struct wire_frame *f)
{
	struct msg_restrict m;
	struct msg_suspend suspend;
	switch (f->type) {
	case MSG_ISSUE:
	case MSG_ISSUE_STANDING:
		return on_issue(w, f);
	case MSG_RESUME:
		return on_resume(w, f);
	case MSG_CONTINUE:
		return on_continue(w, f);
	case MSG_AFTERREVIEW:
		return on_afterreview(w, f);
	case MSG_SIGNERS:
		return on_signers(w, f);
	case MSG_POLICY:
		return on_policy(w, f);
	case MSG_SUSPEND:
		if (msg_decode(f, &suspend, sizeof suspend))
			return FG_EPEER;
		on_suspend(w, &suspend);
		return FG_OK;
	case MSG_RESTRICT:
		if (msg_decode(f, &m, sizeof m))
			return FG_EPEER;
		on_restrict(w, &m);
		return FG_OK;
	default:
		return FG_EPEER;
	}
}

static int
on_cosign_ask(struct warden *w, struct wire_frame *f)
{
	struct msg_cosign_ask ask;
	struct msg_cosigned answer;
	if (msg_decode(f, &ask, sizeof ask))
		return FG_EPEER;
	cosign_ask(w->cosign, &ask, w->clock.now_s(), &answer);
	if (answer.err)
		say("a checkpoint was not vouched for", err_name(answer.err));
	else if (answer.outcome != WITNESS_UNKNOWN && answer.outcome != WITNESS_COSIGN)
		say("the log asked to vouch for a checkpoint that does not extend the remembered one",
		    witness_outcome_name((enum witness_outcome)answer.outcome));
	peers_send(w->peers, MSG_ROLE_AUDIT, 0, MSG_COSIGNED, &answer, NULL, 0);
	hold_audit_open(w);
	return FG_OK;
}

static int
on_audit(struct warden *w, struct wire_frame *f)
{
	if (f->type == MSG_COSIGN_ASK)
		return on_cosign_ask(w, f);
	union {
		struct msg_head head;
		struct msg_root root;
		struct msg_appended appended;
		struct msg_proof proof;
	} m;
	if (f->type != MSG_HEAD && f->type != MSG_ROOT && f->type != MSG_APPENDED && f->type != MSG_PROOF)
		return FG_EPEER;
	if (msg_decode(f, &m, msg_size(f->type)))
		return FG_EPEER;
	/* No log is that long: its size is counted with here, and must not run over. */
	if ((f->type == MSG_HEAD && m.head.size >= MERKLE_SIZE_MAX) ||
	    (f->type == MSG_APPENDED && !m.appended.err && m.appended.index >= MERKLE_SIZE_MAX))
		return FG_EPEER;
	if (f->type == MSG_HEAD) {
		hold_head(w, &m.head);
		issue_head(w, &m.head);
	}
	if (f->type == MSG_ROOT)
		issue_root(w, &m.root);
	if (f->type == MSG_PROOF)
		issue_proof(w, &m.proof);
	if (f->type == MSG_APPENDED) {
		hold_appended(w, &m.appended);
		issue_appended(w, &m.appended);
	}
	return FG_OK;
}

static int
on_edge(unsigned edge, struct wire_frame *f)
{
	struct msg_release_taken m;
	if (f->type != MSG_RELEASE_TAKEN || msg_decode(f, &m, sizeof m))
		return FG_EPEER;
	if (m.err)
		fprintf(stderr, "<3>warden: edge %u refused a release: %s\n", edge, err_name(m.err));
	return FG_OK;
}

/* 0 to go on; an error from the supervisor's channel ends the process, others end the peer. */
static int
dispatch(struct warden *w, struct peers_event *e)
{
	if (e->closed) {
		if (e->role == MSG_ROLE_SUPERVISOR) {
			w->orphan = true;
			return FG_ENOTFOUND;
		}
		if (e->role == MSG_ROLE_AUDIT)
			audit_away(w);
		return FG_OK;
	}
	int err = FG_EPEER;
	switch (e->role) {
	case MSG_ROLE_SUPERVISOR:
		err = on_supervisor(w, &e->frame);
		wire_close_fds(&e->frame);
		return err;
	case MSG_ROLE_CONTROL:
		err = on_control(w, &e->frame);
		break;
	case MSG_ROLE_AUDIT:
		err = on_audit(w, &e->frame);
		break;
	case MSG_ROLE_EDGE:
		err = on_edge(e->index, &e->frame);
		break;
	default:
		break;
	}
	wire_close_fds(&e->frame);
	if (err == FG_EPEER) {
		/* Broken or taken over: it speaks to us no more until the supervisor has replaced it. */
		say("message not permitted", msg_role_name(e->role));
		peers_drop(w->peers, e->role, e->index);
		return FG_OK;
	}
	return err;
}

static int
loop(struct warden *w)
{
	bool busy = false;
	while (!w->stopping || w->job.step != STEP_IDLE) {
		struct peers_event e;
		/* Before START requests are taken in and restrictions noted; nothing is worked on. */
		int got = peers_wait(w->peers, busy ? 0 : WARDEN_TICK_MS, &e);
		if (got < 0)
			return got;
		int err = got ? dispatch(w, &e) : FG_OK;
		if (err)
			return err;
		if (!w->started)
			continue;
		hold_look(w);
		expire(w);
		issue_glass_look(w);
		busy = issue_work(w);
	}
	return FG_OK;
}

static int
status_of(int err)
{
	switch (err) {
	case FG_OK:
		return 0;
	case FG_EPEER:
		return EXIT_CONTRACT;
	case FG_ESANDBOX:
		return EXIT_SANDBOX;
	default:
		return EXIT_FAILED;
	}
}

int
warden_main(const struct warden_clock *clock)
{
	struct warden *w = calloc(1, sizeof *w);
	if (!w)
		return EXIT_FAILED;
	w->clock = *clock;
	w->job.request.image_fd = w->job.request.bundle_fd = w->authority_dir = -1;
	w->authority = authority_new();
	w->peers = peers_new();
	w->cosign = cosign_new();
	w->policy = policychain_new();
	bool made = w->authority && w->peers && w->cosign && w->policy;
	int err = made ? peers_add(w->peers, MSG_ROLE_SUPERVISOR, 0, WARDEN_FD) : FG_ENOMEM;
	if (!err)
		err = loop(w);
	if (w->orphan)
		err = FG_OK; /* without its parent there is nothing to do */
	if (err)
		say("ends", err_name(err));
	issue_end(w);
	peers_free(w->peers);
	suspensions_close(w->suspensions);
	spent_close(w->spent);
	glass_close(w->glass);
	cosign_free(w->cosign);
	vault_close(w->vault);
	if (w->authority_dir >= 0)
		close(w->authority_dir);
	policychain_free(w->policy);
	authority_free(w->authority);
	free(w);
	return status_of(err);
}
