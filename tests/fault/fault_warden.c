/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The warden as a whole, killed or failed at every change it makes. Held: an edge
 * is never given a release that the log does not hold, that was disowned there, or
 * that an acknowledged restriction ended, in no later life either; a release that
 * was acknowledged is there again; old statements have no effect after a restriction.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/release.h"
#include "gateway/warden/warden.h"
#include "unit/crypto/people.h"
#include "unit/gateway/role_rig.h"
#include "unit/gateway/scratch.h"
#include "fault/role.h"

#define NOW (PEOPLE_T0 + 3600)
#define IMAGE 9000
#define IMAGES 2
#define IDS_MAX 32

struct known { /* one release, as the peers know it */
	uint8_t id[RELEASE_ID];
	unsigned image;
	bool logged;   /* audit has said that it is durable */
	bool disowned; /* the warden took it back in the log */
	bool issued;   /* control has heard yes */
};

struct memory {
	struct known known[IDS_MAX];
	unsigned n;
	bool restricted[IMAGES];  /* acknowledged */
	bool restricting[IMAGES]; /* asked for: what was issued may be gone */
	uint64_t log_size;
};

struct fixture {
	struct role_case c;
	struct memory memory;
	struct person alice, bob;
	struct genesis *g;
	struct writer genesis, sig[2];
	uint8_t image[IMAGES][IMAGE];
	struct approval_terms terms[IMAGES];
	int bundle[IMAGES];
	int control, audit, edge;
	uint64_t token;
};

static const uint8_t root[32] = { 7 };

static int64_t
now_s(void)
{
	return NOW;
}

static int64_t
mono_s(void)
{
	return 1000;
}

static int
life(void *ctx)
{
	(void)ctx;
	return warden_main(&(struct warden_clock){ .now_s = now_s, .mono_s = mono_s });
}

static bool
rig_poll(int chan)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };
	return fault_check(poll(&p, 1, RIG_PATIENCE_MS) == 1, "the warden is silent");
}

static struct known *
find(struct memory *m, const uint8_t id[RELEASE_ID])
{
	for (unsigned i = 0; i < m->n; i++) {
		if (!memcmp(m->known[i].id, id, RELEASE_ID))
			return &m->known[i];
	}
	if (m->n == IDS_MAX)
		abort();
	m->known[m->n] = (struct known){ 0 };
	memcpy(m->known[m->n].id, id, RELEASE_ID);
	return &m->known[m->n++];
}

/* May this release be in force at all? */
static void
may_serve(struct memory *m, const uint8_t id[RELEASE_ID], const char *where)
{
	const struct known *k = find(m, id);
	fault_check(k->logged, "%s: a release the log does not hold", where);
	fault_check(!k->disowned, "%s: a release that was disowned in the log", where);
	fault_check(!k->logged || !m->restricted[k->image], "%s: a release that was restricted", where);
}

/* ---- a life ---- */

static bool
start(struct fixture *f, const struct disk_plan *plan, unsigned cuts)
{
	struct msg_boot boot = { .role = MSG_ROLE_WARDEN, .unsafe_sandbox = true, .edges = 1 };
	struct msg_ready ready;
	snprintf(boot.data_dir, sizeof boot.data_dir, "%s", fault_path("data"));
	role_start(&f->c, fault_path("data/images/approved"), plan, cuts);
	role_say(f->c.rig.sup, MSG_BOOT, &boot, NULL, 0);
	role_give(&f->c, MSG_FD_GENESIS, writer_view(&f->genesis));
	for (unsigned i = 0; i < 2; i++)
		role_give(&f->c, MSG_FD_GENESIS_SIG, writer_view(&f->sig[i]));
	f->control = role_wire(&f->c, MSG_ROLE_CONTROL, 0);
	f->audit = role_wire(&f->c, MSG_ROLE_AUDIT, 0);
	f->edge = role_wire(&f->c, MSG_ROLE_EDGE, 0);
	role_say(f->c.rig.sup, MSG_START, NULL, NULL, 0);
	return role_hear(&f->c, f->c.rig.sup, MSG_READY, &ready);
}

/* What is in force at the start: all that was issued, nothing that may not be. */
static bool
listed(struct fixture *f)
{
	struct memory *m = &f->memory;
	bool there[IDS_MAX] = { false };
	struct msg_warden_state s = { 0 };
	do {
		struct pollfd p = { .fd = f->control, .events = POLLIN };
		if (!fault_check(poll(&p, 1, RIG_PATIENCE_MS) == 1, "control is told nothing") ||
		    wire_recv(f->control, f->c.rig.buf, &f->c.rig.frame))
			return false;
		if (f->c.rig.frame.type == MSG_SIGNERS_TAKEN || f->c.rig.frame.type == MSG_CLOCK)
			continue; /* which set is in force, and what the clock is worth, come with it */
		if (!fault_check(f->c.rig.frame.type == MSG_WARDEN_STATE && msg_decode(&f->c.rig.frame, &s, sizeof s) == 0,
			"control hears %s", msg_type_name(f->c.rig.frame.type)))
			return false;
		if (!s.last) {
			may_serve(m, s.release, "told to control at the start");
			there[find(m, s.release) - m->known] = true;
		}
	} while (!s.last);
	for (unsigned i = 0; i < m->n; i++) {
		const struct known *k = &m->known[i];
		fault_check(!k->issued || m->restricting[k->image] || there[i], "an issued release is gone");
	}
	return true;
}

/* Audit takes in an entry; what permits it says to be durable. */
static bool
logged(struct fixture *f, unsigned image, const struct msg_append *a)
{
	uint8_t id[RELEASE_ID];
	if (!fault_check(strlen(a->obj) == 8 + 2 * RELEASE_ID && hex_decode(view_of(a->obj + 8, 2 * RELEASE_ID), id, sizeof id),
		"an entry about %s", a->obj))
		return false;
	struct known *k = find(&f->memory, id);
	struct msg_appended done = { .token = a->token, .index = f->memory.log_size++ };
	if (a->event == ENTRY_RELEASE_REFUSED) {
		k->disowned = true;
		return true;
	}
	k->image = image;
	k->logged = true;
	k->disowned = false; /* issued once more */
	return role_say(f->audit, MSG_APPENDED, &done, NULL, 0);
}

/* Audit hears the question; an entry that takes the request before back may come ahead of it. */
static bool
asked(struct fixture *f, unsigned type, void *ret)
{
	while (rig_poll(f->audit) && wire_recv(f->audit, f->c.rig.buf, &f->c.rig.frame) == 0) {
		struct msg_append a;
		if (f->c.rig.frame.type == MSG_CLOCK)
			continue;
		if (f->c.rig.frame.type == type)
			return msg_decode(&f->c.rig.frame, ret, msg_size(type)) == 0;
		if (!fault_check(f->c.rig.frame.type == MSG_APPEND && msg_decode(&f->c.rig.frame, &a, sizeof a) == 0 &&
			    a.event == ENTRY_RELEASE_REFUSED,
			"audit hears %s", msg_type_name(f->c.rig.frame.type)) ||
		    !logged(f, 0, &a))
			return false;
	}
	return false;
}

/* Audit's part of one request. */
static bool
roots(struct fixture *f, unsigned n)
{
	struct msg_head_ask h;
	struct msg_root_ask r;
	if (!asked(f, MSG_HEAD_ASK, &h))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!asked(f, MSG_ROOT_ASK, &r))
			return false;
		struct msg_root m = { .token = r.token, .size = r.size };
		memcpy(m.root, root, 32);
		if (!role_say(f->audit, MSG_ROOT, &m, NULL, 0))
			return false;
	}
	struct msg_head m = { .token = h.token, .state = MSG_LOG_OPEN_OK, .size = f->memory.log_size,
		.published = f->memory.log_size };
	return role_say(f->audit, MSG_HEAD, &m, NULL, 0);
}

static void
fill_issue(const struct fixture *f, unsigned image, struct msg_issue *m)
{
	const struct approval_terms *t = &f->terms[image];
	*m = (struct msg_issue){ .token = f->token, .max_devices = t->max_devices, .not_before = t->not_before,
		.not_after = t->not_after, .from_n = 1, .groups_n = 1, .findings_n = 1, .quorum = 2, .opened_at = 400, .now = NOW };
	memcpy(m->image, t->image, 32);
	memcpy(m->report, t->report, 32);
	memcpy(m->policy, t->policy, 32);
	memcpy(m->resource, t->resource, MSG_ID);
	snprintf(m->review, sizeof m->review, "%s", t->review);
	snprintf(m->subject, sizeof m->subject, "%s", t->subject);
	snprintf(m->profile, sizeof m->profile, "%.60s", t->profile);
	snprintf(m->product, sizeof m->product, "%.60s", t->product);
	snprintf(m->target, sizeof m->target, "%s", t->target);
	snprintf(m->from[0].text, sizeof m->from[0].text, "%s", t->from_versions.word[0]);
	snprintf(m->groups[0].text, sizeof m->groups[0].text, "%s", t->groups.word[0]);
	snprintf(m->findings[0].text, sizeof m->findings[0].text, "%s", t->findings.word[0]);
}

/* The same statements every time. False when the warden is dead. */
static bool
issue(struct fixture *f, unsigned image)
{
	struct msg_issue m;
	struct msg_issued said;
	f->token++;
	fill_issue(f, image, &m);
	int fds[2] = { open(fault_path(image ? "quarantine1" : "quarantine0"), O_RDWR | O_CLOEXEC), f->bundle[image] };
	bool ok = role_say(f->control, MSG_ISSUE, &m, fds, 2);
	close(fds[0]);
	if (!ok || !roots(f, 2))
		return false;
	/* Either the log is asked first, or control hears no. */
	struct pollfd p[2] = { { .fd = f->audit, .events = POLLIN }, { .fd = f->control, .events = POLLIN } };
	while (poll(p, 2, RIG_PATIENCE_MS) > 0) {
		struct msg_append a;
		if (rig_skip_clock(f->audit) || rig_skip_clock(f->control))
			continue;
		if (p[1].revents & POLLIN)
			break;
		if (!(p[0].revents & POLLIN) || !role_hear(&f->c, f->audit, MSG_APPEND, &a) || !logged(f, image, &a))
			return false;
	}
	if (!role_hear(&f->c, f->control, MSG_ISSUED, &said))
		return false;
	fault_check(!said.ok || !f->memory.restricted[image], "old statements have an effect after a restriction");
	if (said.ok) {
		may_serve(&f->memory, said.release, "issued");
		find(&f->memory, said.release)->issued = true;
	}
	return true;
}

static bool
restrict_image(struct fixture *f, unsigned image)
{
	struct msg_restrict m = { .token = ++f->token, .kind = MSG_RESTRICT_REVOKE };
	struct msg_restricted done;
	memcpy(m.image, f->terms[image].image, 32);
	f->memory.restricting[image] = true;
	if (!role_say(f->control, MSG_RESTRICT, &m, NULL, 0) || !role_hear(&f->c, f->control, MSG_RESTRICTED, &done))
		return false;
	f->memory.restricted[image] |= done.err == 0;
	return true;
}

/* What the edge was given in this life, in order, until its channel's end. */
static void
drain(struct fixture *f)
{
	struct wire_frame *frame = &f->c.rig.frame;
	while (f->edge >= 0 && wire_recv(f->edge, f->c.rig.buf, frame) == 0) {
		struct msg_release m;
		if (frame->type == MSG_RELEASE && fault_check(msg_decode(frame, &m, sizeof m) == 0, "a release does not decode")) {
			const struct known *k = find(&f->memory, m.release);
			fault_check(k->logged, "an edge was given a release that the log does not hold");
		}
		wire_close_fds(frame);
	}
}

static void
end(struct fixture *f, bool good, bool faultless)
{
	int status = good ? rig_wait(&f->c.rig) : 0;
	role_hang_up(&f->control);
	role_hang_up(&f->audit);
	if (!good)
		status = role_end(&f->c);
	drain(f);
	role_hang_up(&f->edge);
	role_hang_up(&f->c.rig.sup);
	fault_check(!faultless || (good && status == 0), "a life without a fault ends with %d", status);
}

static bool
tell(struct fixture *f, const struct disk_plan *plan, unsigned cuts)
{
	bool good = start(f, plan, cuts) && listed(f) && issue(f, 0) && issue(f, 1) && restrict_image(f, 0) && issue(f, 0) &&
	    issue(f, 1) && role_say(f->c.rig.sup, MSG_STOP, &(struct msg_stop){ .grace_ms = 1000 }, NULL, 0);
	end(f, good, !plan);
	fault_check(plan || f->memory.restricted[0], "the restriction was not taken");
	return good;
}

/* Only what is in force, and nothing else. */
static void
look(struct fixture *f)
{
	bool good = start(f, NULL, 0) && listed(f) &&
	    role_say(f->c.rig.sup, MSG_STOP, &(struct msg_stop){ .grace_ms = 1000 }, NULL, 0);
	end(f, good, true);
	fault_case();
}

static bool
strike(struct fixture *f, const struct fault_kind *k, uint64_t at)
{
	struct disk_plan plan = k->plan;
	if (plan.mode == DISK_GONE)
		plan.mode = DISK_KILL;
	plan.at = at;
	memset(&f->memory, 0, sizeof f->memory);
	f->memory.log_size = 900;
	if (mkdir(fault_path("data"), 0755) || mkdir(fault_path("data/images"), 0755) ||
	    mkdir(fault_path("data/images/approved"), 0755) || mkdir(fault_path("data/authority"), 0755))
		abort();
	fault_where("%s number %" PRIu64, k->name, at);
	tell(f, &plan, ROLE_CUTS);
	bool struck = f->c.shared->struck;
	unsigned cuts = f->c.shared->cuts;
	struct memory after = f->memory;
	if (struck) {
		fault_where("%s number %" PRIu64 ", restart", k->name, at);
		look(f);
		tell(f, NULL, 0);
		look(f);
	}
	for (unsigned i = 0; i < cuts; i++) {
		fault_where("%s number %" PRIu64 ", power cut %u", k->name, at, i);
		f->memory = after;
		fault_remove(fault_path("data/images/approved"));
		if (rename(role_cut_path(i), fault_path("data/images/approved")))
			abort();
		look(f);
		if (i == at % cuts) {
			tell(f, NULL, 0);
			look(f);
		}
	}
	fault_remove(fault_path("data"));
	return struck;
}

static int
statements(const struct person *const *who, const struct approval_terms *t, uint8_t nonce)
{
	struct writer bundle, text, sig;
	char why[160];
	writer_init(&bundle, 1 << 20);
	writer_u32(&bundle, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct approval *a = people_statement(who[i], t, NOW - 30, (uint8_t)(nonce + i), 500u + nonce + i, root);
		writer_init(&text, APPROVAL_BYTES_MAX);
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		if (approval_encode(a, &text, why, sizeof why))
			abort();
		people_sign(who[i], APPROVAL_NAMESPACE, writer_view(&text), &sig);
		writer_blob(&bundle, writer_view(&text));
		writer_blob(&bundle, writer_view(&sig));
		writer_free(&text);
		writer_free(&sig);
		free(a);
	}
	int fd = memfd_sealed("bundle", writer_view(&bundle));
	writer_free(&bundle);
	return fd;
}

static void
prepare(struct fixture *f)
{
	const struct person *who[] = { &f->alice, &f->bob };
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->g = people_genesis(who, 2, 2);
	writer_init(&f->genesis, GENESIS_BYTES_MAX);
	if (genesis_encode(f->g, &f->genesis))
		abort();
	for (unsigned i = 0; i < 2; i++) {
		writer_init(&f->sig[i], SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&f->genesis), &f->sig[i]);
	}
	for (unsigned i = 0; i < IMAGES; i++) {
		for (size_t k = 0; k < IMAGE; k++)
			f->image[i][k] = (uint8_t)fault_mix(i, k);
		f->terms[i] = people_terms(PEOPLE_T0, 50);
		digest_sha256(view_of(f->image[i], IMAGE), f->terms[i].image);
		f->bundle[i] = statements(who, &f->terms[i], (uint8_t)(10 + 20 * i));
		scratch_write(fault_path(i ? "quarantine1" : "quarantine0"), f->image[i], IMAGE);
	}
}

int
main(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	if (!f)
		abort();
	signal(SIGPIPE, SIG_IGN);
	fault_begin("warden");
	prepare(f);
	f->c.main = life;
	f->edge = f->control = f->audit = f->c.rig.sup = -1;
	for (size_t k = 0; k < fault_kinds_n; k++) {
		for (uint64_t at = 1; strike(f, &fault_kinds[k], at); at++)
			;
	}
	writer_free(&f->genesis);
	writer_free(&f->sig[0]);
	writer_free(&f->sig[1]);
	free(f->g);
	free(f);
	return fault_end();
}
