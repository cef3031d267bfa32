/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warden_rig - the warden in a child of its own: the test is its supervisor,
 * control, audit and two edges, and holds its clocks. After cmocka.h.
 */
#ifndef FG_TESTS_UNIT_GATEWAY_WARDEN_RIG_H
#define FG_TESTS_UNIT_GATEWAY_WARDEN_RIG_H

#include <sys/mman.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/release.h"
#include "gateway/warden/warden.h"
#include "unit/crypto/people.h"
#include "unit/gateway/role_rig.h"
#include "unit/gateway/scratch.h"

#define NOW (PEOPLE_T0 + 3600)
#define IMAGE (3 * RELEASE_BLOCK + 777)
#define LOG_SIZE 900u

static struct clocks { /* shared with the child */
	volatile int64_t now, mono;
	volatile uint8_t boot;
} *clocks;

static const uint8_t root[32] = { 7 };

struct fixture {
	struct rig rig;
	struct scratch tmp;
	struct person alice, bob;
	struct genesis *g;
	int control, audit, edge[2];
	uint8_t *image;
	size_t image_n;
	struct approval_terms terms;
	uint8_t nonce;
	uint64_t seen; /* of the log, by whoever signs; 0: 500 entries and a few */
	uint64_t token;
	struct msg_issue issue;
	unsigned type; /* of what is asked: 0 is MSG_ISSUE */
	const struct msg_halt *halt; /* told before the start; NULL: the gateway is not halted */
	struct msg_append append; /* what audit was asked to write last */
	uint8_t doc[MSG_DOC_MAX];
	struct { /* what control says that is not so */
		bool quorum_zero, opened_at; /* 0, both */
		int64_t now;                 /* 0: the truth */
		const char *requester;       /* NULL: nobody */
	} lie;
};

static inline int64_t
now_s(void)
{
	return clocks->now;
}

static inline int64_t
mono_s(void)
{
	return clocks->mono;
}

static inline int
run(void *ctx)
{
	(void)ctx;
	struct warden_clock c = { .now_s = now_s, .mono_s = mono_s };
	memset(c.boot_id, clocks->boot, sizeof c.boot_id);
	return warden_main(&c);
}

/* Time passes, on both clocks. */
static inline void
pass(int64_t seconds)
{
	clocks->mono += seconds;
	clocks->now += seconds;
}

static inline void
cut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void
hang_up(struct fixture *f)
{
	rig_kill(&f->rig);
	cut(&f->control);
	cut(&f->audit);
	cut(&f->edge[0]);
	cut(&f->edge[1]);
}

/* The next start is a first one: it takes whatever genesis and sets there are. */
static inline void
forget_set(struct fixture *f)
{
	assert_int_equal(unlink(scratch_path(&f->tmp, "images/approved/signers")), 0);
}

/*
 * Returns when the warden has handled all that it was told, has then looked at its
 * clocks, and sleeps: what it has to say of it can be heard. Between messages it looks
 * once a second only, and at the moment of its own choice; the last message is one of an
 * edge that means nothing, after which it looks as after any.
 */
static inline void
heard(struct fixture *f)
{
	const struct timespec moment = { .tv_nsec = 200000 };
	const int chan[] = { f->rig.sup, f->control, f->audit, f->edge[0], f->edge[1] };
	const struct msg_release_taken nothing = { .err = 0 };
	for (unsigned i = 0; i < RIG_PATIENCE_MS * 5; i++) {
		bool idle = true;
		for (size_t k = 0; k < sizeof chan / sizeof chan[0]; k++)
			idle = idle && rig_is_read(chan[k]);
		if (i > 0 && idle && rig_sleeps(&f->rig))
			return;
		if (i == 0)
			assert_int_equal(msg_send(f->edge[1], MSG_RELEASE_TAKEN, &nothing, NULL, 0), 0);
		nanosleep(&moment, NULL);
	}
	fail_msg("the warden comes to no rest");
}

/* It has said nothing there, and will not before something else happens. */
static inline bool
silent(struct fixture *f, int chan)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };
	int n;
	heard(f);
	while ((n = poll(&p, 1, 0)) == 1 && rig_skip_clock(chan))
		continue;
	return n == 0;
}

/* Time passes on the clock that nobody sets; the warden has seen the time before and sees that after. */
static inline void
mono_passes(struct fixture *f, int64_t seconds)
{
	heard(f);
	clocks->mono += seconds;
	heard(f);
}

/* On both: more than audit has for an answer. */
static inline void
answer_time_passes(struct fixture *f)
{
	heard(f);
	pass(11);
	heard(f);
}

/* Up to READY; the peers are there before START, as the supervisor wires them. */
static inline void
start(struct fixture *f)
{
	struct msg_boot boot = { .role = MSG_ROLE_WARDEN, .unsafe_sandbox = true, .edges = 2 };
	const struct person *who[] = { &f->alice, &f->bob };
	struct writer text, sig;
	struct msg_ready ready;
	hang_up(f);
	snprintf(boot.data_dir, sizeof boot.data_dir, "%s", f->tmp.dir);
	rig_start(&f->rig, run, NULL);
	rig_say(f->rig.sup, MSG_BOOT, &boot);
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	rig_give(&f->rig, MSG_FD_GENESIS, writer_view(&text));
	for (unsigned i = 0; i < 2; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&text), &sig);
		rig_give(&f->rig, MSG_FD_GENESIS_SIG, writer_view(&sig));
		writer_free(&sig);
	}
	writer_free(&text);
	f->control = rig_peer(&f->rig, MSG_ROLE_CONTROL, 0);
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	f->edge[0] = rig_peer(&f->rig, MSG_ROLE_EDGE, 0);
	f->edge[1] = rig_peer(&f->rig, MSG_ROLE_EDGE, 1);
	if (f->halt)
		rig_say(f->rig.sup, MSG_HALT, f->halt);
	rig_say(f->rig.sup, MSG_START, NULL);
	rig_hear(&f->rig, f->rig.sup, MSG_READY, &ready);
}

/* What control is told of at the start: how many releases. */
static inline unsigned
listed(struct fixture *f)
{
	struct msg_warden_state m;
	struct msg_signers_taken set;
	rig_hear(&f->rig, f->control, MSG_SIGNERS_TAKEN, &set);
	assert_int_equal(set.token, 0);
	assert_true(set.ok);
	for (unsigned n = 0;; n++) {
		rig_hear(&f->rig, f->control, MSG_WARDEN_STATE, &m);
		if (m.last)
			return n;
	}
}

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	clocks = mmap(NULL, sizeof *clocks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(clocks, MAP_FAILED);
	clocks->now = NOW;
	clocks->mono = 1000;
	clocks->boot = 7;
	f->rig.sup = f->control = f->audit = f->edge[0] = f->edge[1] = -1;
	scratch_open(&f->tmp);
	close(scratch_dir(&f->tmp, "authority"));
	close(scratch_dir(&f->tmp, "images"));
	close(scratch_dir(&f->tmp, "images/approved"));
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->g = people_genesis((const struct person *const[]){ &f->alice, &f->bob }, 2, 2);
	f->image_n = IMAGE;
	f->image = malloc(f->image_n);
	for (size_t i = 0; i < f->image_n; i++)
		f->image[i] = (uint8_t)(i * 13 + i / 257);
	f->terms = people_terms(PEOPLE_T0, 50);
	digest_sha256(view_of(f->image, f->image_n), f->terms.image);
	start(f);
	assert_int_equal(listed(f), 0);
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	hang_up(f);
	scratch_close(&f->tmp);
	munmap(clocks, sizeof *clocks);
	free(f->image);
	free(f->g);
	free(f);
	return 0;
}

/* ---- asking ---- */

/* Statements of those persons over the terms, as control bundles them. */
static inline int
statements(struct fixture *f, const struct approval_terms *t, const struct person *const *who, unsigned n)
{
	struct writer bundle, text, sig;
	char why[160];
	writer_init(&bundle, 1 << 20);
	writer_u32(&bundle, n);
	for (unsigned i = 0; i < n; i++) {
		f->nonce++;
		struct approval *a = people_statement(who[i], t, clocks->now - 30 - i, f->nonce, (f->seen ? f->seen : 500u) + f->nonce, root);
		writer_init(&text, APPROVAL_BYTES_MAX);
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		assert_int_equal(approval_encode(a, &text, why, sizeof why), 0);
		people_sign(who[i], APPROVAL_NAMESPACE, writer_view(&text), &sig);
		writer_blob(&bundle, writer_view(&text));
		writer_blob(&bundle, writer_view(&sig));
		writer_free(&text);
		writer_free(&sig);
		free(a);
	}
	int fd = memfd_sealed("bundle", writer_view(&bundle));
	writer_free(&bundle);
	assert_true(fd >= 0);
	return fd;
}

static inline int
both(struct fixture *f)
{
	const struct person *who[] = { &f->alice, &f->bob };
	return statements(f, &f->terms, who, 2);
}

/* A quarantine file that control keeps open for writing. */
static inline int
quarantine(struct fixture *f)
{
	scratch_write(scratch_path(&f->tmp, "quarantined"), f->image, f->image_n);
	int fd = open(scratch_path(&f->tmp, "quarantined"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Takes both descriptors. */
static inline void
ask_with(struct fixture *f, int image, int bundle)
{
	const struct approval_terms *t = &f->terms;
	struct msg_issue *m = &f->issue;
	*m = (struct msg_issue){ .token = ++f->token, .max_devices = t->max_devices, .not_before = t->not_before,
		.not_after = t->not_after, .terms_quorum = t->quorum, .from_n = 1, .groups_n = 1, .findings_n = 1, .quorum = 2, .opened_at = 400,
		.now = clocks->now };
	memcpy(m->image, t->image, 32);
	memcpy(m->report, t->report, 32);
	memcpy(m->policy, t->policy, 32);
	memcpy(m->resource, t->resource, MSG_ID);
	snprintf(m->review, sizeof m->review, "%s", t->review);
	snprintf(m->subject, sizeof m->subject, "%s", t->subject);
	snprintf(m->profile, sizeof m->profile, "%.60s", t->profile);
	snprintf(m->product, sizeof m->product, "%.60s", t->product);
	snprintf(m->target, sizeof m->target, "%s", t->target);
	m->made = (uint8_t)t->delta.made;
	snprintf(m->applier, sizeof m->applier, "%s", t->delta.applier);
	memcpy(m->base, t->delta.base, sizeof m->base);
	memcpy(m->target_image, t->delta.target, sizeof m->target_image);
	m->have_plan = t->have_plan;
	memcpy(m->plan, t->plan, sizeof m->plan);
	m->have_signer = t->have_signer;
	memcpy(m->signer, t->signer, sizeof m->signer);
	snprintf(m->from[0].text, sizeof m->from[0].text, "%s", t->from_versions.word[0]);
	snprintf(m->groups[0].text, sizeof m->groups[0].text, "%s", t->groups.word[0]);
	snprintf(m->findings[0].text, sizeof m->findings[0].text, "%s", t->findings.word[0]);
	for (uint32_t i = 0; i < t->checklist.n; i++)
		memccpy(m->checklist[m->checklist_n++].text, t->checklist.word[i], 0, sizeof m->checklist[0].text);
	for (uint32_t i = 0; i < t->waived.n; i++)
		memccpy(m->waived[m->waived_n++].text, t->waived.word[i], 0, sizeof m->waived[0].text);
	if (f->lie.quorum_zero)
		m->quorum = 0;
	if (f->lie.opened_at)
		m->opened_at = 0;
	if (f->lie.now)
		m->now = f->lie.now;
	if (f->lie.requester)
		snprintf(m->requesters[m->requesters_n++].text, sizeof m->requesters[0].text, "%s", f->lie.requester);
	int fds[2] = { image, bundle };
	assert_int_equal(msg_send(f->control, f->type ? f->type : MSG_ISSUE, m, fds, 2), 0);
	close(image);
	close(bundle);
}

static inline void
ask(struct fixture *f)
{
	ask_with(f, quarantine(f), both(f));
}

/* Audit answers n statements and the head; a log of that size, in order or not, and the time of its last entry. */
static inline void
roots_at(struct fixture *f, unsigned n, uint8_t log_state, int64_t last_s)
{
	struct msg_head_ask h;
	struct msg_root_ask r;
	rig_hear(&f->rig, f->audit, MSG_HEAD_ASK, &h);
	for (unsigned i = 0; i < n; i++) {
		rig_hear(&f->rig, f->audit, MSG_ROOT_ASK, &r);
		struct msg_root m = { .token = r.token, .size = r.size };
		memcpy(m.root, root, 32);
		rig_say(f->audit, MSG_ROOT, &m);
	}
	struct msg_head m = { .token = h.token, .state = log_state, .size = LOG_SIZE, .published = LOG_SIZE,
		.last_us = last_s * 1000000 };
	rig_say(f->audit, MSG_HEAD, &m);
}

static inline void
roots(struct fixture *f, unsigned n, uint8_t log_state)
{
	roots_at(f, n, log_state, 0);
}

static inline void
hear_append(struct fixture *f, enum entry_event ev)
{
	rig_hear(&f->rig, f->audit, MSG_APPEND, &f->append);
	assert_string_equal(entry_event_name((enum entry_event)f->append.event), entry_event_name(ev));
	assert_true(f->append.doc.n <= sizeof f->doc);
	if (f->append.doc.n)
		memcpy(f->doc, f->append.doc.p, f->append.doc.n);
	f->append.doc.p = f->doc;
}

static inline void
acknowledge(struct fixture *f, int err)
{
	const struct msg_appended m = { .token = f->append.token, .err = err, .index = LOG_SIZE };
	rig_say(f->audit, MSG_APPENDED, &m);
}

static inline struct msg_issued
answer(struct fixture *f)
{
	struct msg_issued m;
	rig_hear(&f->rig, f->control, MSG_ISSUED, &m);
	assert_int_equal(m.token, f->token);
	assert_true(m.ok == (m.why[0] == '\0'));
	return m;
}

static inline void
refused(struct fixture *f, const char *word)
{
	struct msg_issued m = answer(f);
	assert_false(m.ok);
	if (!strstr(m.why, word))
		fail_msg("\"%s\" does not say \"%s\"", m.why, word);
	assert_int_equal(m.record.n, 0);
}

/* The edge has the release: the record, and descriptors with exactly the bytes. */
static inline void
edge_has(struct fixture *f, unsigned edge, const uint8_t id[MSG_ID])
{
	struct msg_release m;
	uint8_t own[RELEASE_ID], digest[32], *back = malloc(f->image_n + 1);
	struct release *r = calloc(1, sizeof *r);
	char why[160];
	rig_hear(&f->rig, f->edge[edge], MSG_RELEASE, &m);
	assert_int_equal(release_id(m.record, own), 0);
	assert_memory_equal(own, m.release, RELEASE_ID);
	assert_memory_equal(own, id, RELEASE_ID);
	assert_int_equal(release_parse(m.record, r, why, sizeof why), 0);
	assert_null(approval_terms_differ(&r->terms, &f->terms));
	assert_int_equal(r->log_size, LOG_SIZE);
	assert_int_equal(r->quorum, 2);
	assert_int_equal(m.size, f->image_n);
	assert_true(m.hot);
	assert_int_equal(f->rig.frame.fds_n, 2);
	assert_true(memfd_is_sealed(f->rig.frame.fds[0]));
	assert_int_equal(pread(f->rig.frame.fds[0], back, f->image_n + 1, 0), f->image_n);
	assert_memory_equal(back, f->image, f->image_n);
	struct view list;
	assert_int_equal(memfd_map(f->rig.frame.fds[1], 1 << 20, &list), 0);
	assert_int_equal(list.n, 4 * 32);
	digest_sha256(list, digest);
	assert_memory_equal(digest, r->blocks_sha256, 32);
	memfd_unmap(list);
	wire_close_fds(&f->rig.frame);
	free(back);
	free(r);
}

/* One whole release. */
static inline void
release(struct fixture *f, uint8_t id[RELEASE_ID])
{
	ask(f);
	roots(f, 2, MSG_LOG_OPEN_OK);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	acknowledge(f, 0);
	struct msg_issued m = answer(f);
	assert_true(m.ok);
	memcpy(id, m.release, RELEASE_ID);
	edge_has(f, 0, id);
	edge_has(f, 1, id);
}

#endif
