/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of the decision hook's words: an answer is kept with what it was an answer to, everything else is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "gateway/control/decisions.h"
#include "gateway/control/hooks.h"
#include "images/entail.h"
#include "images/report.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/edge_sample.h"
#include "unit/gateway/people_rig.h"

#define PROGRAM "#!/bin/sh\necho pass\n"
#define ANSWER(outcome) "{\"outcome\":\"" outcome "\",\"reasons\":[\"looked at\"],\"schema\":\"fotagate-hook-answer/1\"}"

struct fixture {
	struct control_rig *r;
	struct control *c;
	struct hooks *h;
	struct db_candidate cand;
	struct report *report;
	unsigned done;
	char why[512]; /* of the last; "": it answered */
};

/* From the next load of the configuration on, which is now. */
static void
program(struct fixture *f, const char *text)
{
	const struct msg_boot_fd hook = { .kind = MSG_FD_HOOK, .name = "hook.sh" };
	if (text)
		assert_int_equal(policies_file(f->c->policies, &hook, memfd_sealed("hook", view_str(text))), 0);
	control_rig_configure(f->r, text ? "hook = { program = \"hook.sh\"; seconds = 7; memory_mib = 32; };\n" : "", SAMPLE_PROFILE);
}

/* A report of bytes that nobody signed, beside a candidate in judging. */
static void
judged(struct fixture *f)
{
	struct db_resource res = { .sightings = 1, .id = { 1 } };
	struct writer w;
	bool fresh;
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/1");
	snprintf(res.product, sizeof res.product, "EC25");
	snprintf(res.target, sizeof res.target, "2.0");
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(f->c->db, &res, &fresh), 0);
	f->report = report_new(REPORT_WHOLE);
	snprintf(f->report->inputs.inspector, sizeof f->report->inputs.inspector, "%s", REPORT_INSPECTOR);
	f->report->have_image = true;
	f->report->format = FORMAT_RAW;
	f->report->size = 64;
	memset(f->report->sha256, 4, sizeof f->report->sha256);
	report_raise(f->report, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	assert_int_equal(entail_raise(f->report, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(f->report, REPORT_MAX, &w), 0);
	f->cand = (struct db_candidate){ .have_image = true, .in_quarantine = true, .size = 64, .have_report = true, .resource = { 1 },
		.created = f->r->now, .arrived = f->r->now };
	memset(f->cand.image, 4, sizeof f->cand.image);
	snprintf(f->cand.state, sizeof f->cand.state, "judging");
	assert_int_equal(report_digest(writer_view(&w), f->cand.report), 0);
	assert_int_equal(files_doc_put(f->c->files, FILES_REPORT, f->cand.report, writer_view(&w)), 0);
	struct report_refusal why = { 0 };
	if (report_parse(writer_view(&w), REPORT_WHOLE, f->report, &why))
		fail_msg("%s", why.text);
	writer_free(&w);
	assert_int_equal(db_candidate_new(f->c->db, &f->cand, &f->cand.id), 0);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->r = control_rig_new();
	f->c = &f->r->c;
	f->h = f->c->hooks = hooks_new(f->c);
	judged(f);
	program(f, PROGRAM);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	hooks_free(f->h);
	report_free(f->report);
	control_rig_free(f->r);
	free(f);
	return 0;
}

static void
on_done(void *ctx, const char *why)
{
	struct fixture *f = ctx;
	f->done++;
	snprintf(f->why, sizeof f->why, "%s", why ? why : "");
}

/* Asked, and its process is there: its channel and its number. */
static int
asked(struct fixture *f, uint64_t *ret_job, struct hooks_ask **ret)
{
	struct msg_spawn spawn;
	struct msg_hook m;
	struct wire_frame fr;
	int fd;
	assert_int_equal(hooks_ask(f->h, &f->cand, f->report, policies_find(f->c->policies, "acme-rtr"), on_done, f, ret), 0);
	assert_int_equal(control_rig_spawns(f->r, &spawn, &fd), 1);
	assert_true(spawn.kind == MSG_JOB_HOOK && spawn.wall_ms == 7000);
	assert_true(loop_next(fd, MSG_HOOK, &m, &fr));
	assert_true(m.job == spawn.job && m.seconds == 7 && m.memory_mib == 32);
	/* It is given the document, and the program that people chose. */
	struct view doc, text;
	assert_int_equal(memfd_map(fr.fds[1], HOOK_PROGRAM_MAX, &text), 0);
	assert_true(view_is(text, PROGRAM));
	memfd_unmap(text);
	assert_int_equal(memfd_map(fr.fds[0], HOOK_FACTS_MAX, &doc), 0);
	assert_non_null(memmem(doc.p, doc.n, "\"schema\":\"fotagate-hook/1\"", 26));
	assert_non_null(memmem(doc.p, doc.n, "\"product\":\"EC25\"", 16));
	assert_non_null(memmem(doc.p, doc.n, "CHG-NO-OLD", 10));
	memfd_unmap(doc);
	wire_close_fds(&fr);
	*ret_job = spawn.job;
	return fd;
}

/* What its process says, and how it ends. */
static void
ends(struct fixture *f, int fd, uint64_t job, const struct msg_hooked *m, const char *text, int status)
{
	const struct msg_job_exit exit = { .job = job, .started = true, .status = status };
	int out = text ? memfd_sealed("answer", view_str(text)) : -1;
	if (m)
		assert_int_equal(msg_send(fd, MSG_HOOKED, m, &out, out >= 0), 0);
	if (out >= 0)
		close(out);
	close(fd);
	jobs_on_exit(f->c->jobs, &exit);
	loop_pump(f->c->base);
}

/* The whole of it. */
static void
says(struct fixture *f, enum msg_hook_outcome outcome, int status, const char *text, const char *said)
{
	struct msg_hooked m = { .outcome = (uint8_t)outcome, .status = status, .have_answer = text != NULL };
	struct hooks_ask *a = NULL;
	unsigned before = f->done;
	int fd = asked(f, &m.job, &a);
	snprintf(m.said, sizeof m.said, "%s", said);
	ends(f, fd, m.job, &m, text, 0);
	assert_int_equal(f->done, before + 1);
	assert_int_equal(db_candidate_get(f->c->db, f->cand.id, &f->cand), 0);
}

static enum hook_state
state_of(struct fixture *f, struct hook_said *ret)
{
	hooks_said(f->c, &f->cand, ret);
	return ret->state;
}

static void
test_an_answer_is_kept(void **state)
{
	struct fixture *f = *state;
	struct hook_said said;
	assert_int_equal(state_of(f, &said), HOOK_UNANSWERED);
	says(f, MSG_HOOK_ENDED, 0, ANSWER("deny"), "");
	assert_string_equal(f->why, "");
	assert_true(f->cand.have_hook);
	assert_int_equal(state_of(f, &said), HOOK_ANSWERED);
	assert_int_equal(said.answer.outcome, HOOK_DENY);
	assert_string_equal(said.answer.reason[0], "looked at");
	/* By its own digest, with what it was told. */
	struct writer w;
	struct hook_record rec;
	writer_init(&w, HOOK_FACTS_MAX);
	assert_int_equal(files_doc_get(f->c->files, FILES_HOOK, f->cand.hook, &w), 0);
	assert_int_equal(hook_record_read(writer_view(&w), &rec), 0);
	assert_memory_equal(rec.report, f->cand.report, sizeof rec.report);
	writer_free(&w);
	writer_init(&w, HOOK_FACTS_MAX);
	assert_int_equal(files_doc_get(f->c->files, FILES_HOOK, rec.asked, &w), 0);
	writer_free(&w);
	/* Of another report, and of another program, it says nothing; without any there is nothing to say. */
	f->cand.report[0] ^= 1;
	assert_int_equal(state_of(f, &said), HOOK_UNANSWERED);
	f->cand.report[0] ^= 1;
	program(f, "#!/bin/sh\n");
	assert_int_equal(state_of(f, &said), HOOK_UNANSWERED);
	program(f, NULL);
	assert_null(hooks_program(f->c));
	assert_int_equal(state_of(f, &said), HOOK_NONE);
}

/* Whatever else it does says nothing of an image, and it is asked again later and later. */
static void
test_what_is_no_answer(void **state)
{
	static const struct {
		enum msg_hook_outcome outcome;
		int status;
		const char *text, *said, *why;
	} rows[] = {
		{ MSG_HOOK_ENDED, 0, NULL, "", "it wrote nothing" }, { MSG_HOOK_ENDED, 0, "", "", "no answer" },
		{ MSG_HOOK_ENDED, 0, "pass", "", "no answer" }, { MSG_HOOK_ENDED, 0, ANSWER("allow"), "", "no answer" },
		{ MSG_HOOK_ENDED, 3, ANSWER("pass"), "no route to the lab", "exit status 3: no route to the lab" },
		{ MSG_HOOK_ENDED, -SIGSYS, ANSWER("pass"), "", "signal 31, a system call its jail forbids" },
		{ MSG_HOOK_ENDED, -SIGKILL, NULL, "", "signal 9" }, { MSG_HOOK_OVERLONG, 0, NULL, "", "more than 16384 bytes" },
		{ MSG_HOOK_NOTHING, 0, ANSWER("pass"), "", "" },
	};
	struct fixture *f = *state;
	struct hook_said said;
	int64_t wait = 0;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		says(f, rows[i].outcome, rows[i].status, rows[i].text, rows[i].said);
		if (!f->why[0] || !strstr(f->why, rows[i].why) || f->cand.have_hook || state_of(f, &said) != HOOK_UNANSWERED)
			fail_msg("row %u: %s", i, f->why);
		assert_true(hooks_wait(f->h) >= wait && hooks_wait(f->h) >= HOOKS_WAIT_S && hooks_wait(f->h) <= HOOKS_WAIT_MAX_S);
		wait = hooks_wait(f->h);
	}
	assert_int_equal(wait, HOOKS_WAIT_MAX_S);
	says(f, MSG_HOOK_ENDED, 0, ANSWER("pass"), "");
	assert_int_equal(hooks_wait(f->h), HOOKS_WAIT_S);
}

/* A process that dies without a word, and one that says something and then dies. */
static void
test_a_process_that_dies(void **state)
{
	struct fixture *f = *state;
	struct msg_hooked m = { .outcome = MSG_HOOK_ENDED, .have_answer = true };
	struct hooks_ask *a = NULL;
	uint64_t job;
	int fd = asked(f, &job, &a);
	ends(f, fd, job, NULL, NULL, -SIGKILL);
	assert_true(f->done == 1 && strstr(f->why, "signal 9"));
	fd = asked(f, &m.job, &a);
	ends(f, fd, m.job, &m, ANSWER("pass"), -SIGKILL);
	assert_true(f->done == 2 && strstr(f->why, "signal 9"));
	assert_int_equal(db_candidate_get(f->c->db, f->cand.id, &f->cand), 0);
	assert_false(f->cand.have_hook);
}

/* What it was asked about is judged anew, or another program comes, while it thinks: its answer is to neither. */
static void
test_what_changes_meanwhile(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3; i++) {
		struct msg_hooked m = { .outcome = MSG_HOOK_ENDED, .have_answer = true };
		struct hooks_ask *a = NULL;
		int fd = asked(f, &m.job, &a);
		struct db_candidate other = f->cand;
		other.report[5] ^= 1;
		if (i == 0)
			assert_int_equal(db_candidate_update(f->c->db, &other, other.state), 0);
		else
			program(f, i == 1 ? "#!/bin/sh\n" : NULL);
		ends(f, fd, m.job, &m, ANSWER("pass"), 0);
		assert_true(f->done == i + 1 && strstr(f->why, "changed meanwhile"));
		assert_int_equal(db_candidate_get(f->c->db, f->cand.id, &other), 0);
		assert_false(other.have_hook);
		assert_int_equal(db_candidate_update(f->c->db, &f->cand, f->cand.state), 0);
		program(f, PROGRAM);
	}
}

/* Another program may come while it waits for its turn: then that is asked, and the answer is its. */
static void
test_another_program_before_its_turn(void **state)
{
	struct fixture *f = *state;
	struct msg_hooked m = { .outcome = MSG_HOOK_ENDED, .have_answer = true };
	struct msg_spawn spawn;
	struct hooks_ask *a = NULL, *b = NULL;
	struct hook_said said;
	int fd = asked(f, &m.job, &a);
	assert_int_equal(hooks_ask(f->h, &f->cand, f->report, policies_find(f->c->policies, "acme-rtr"), on_done, f, &b), 0);
	program(f, "#!/bin/sh\necho another\n");
	ends(f, fd, m.job, &m, ANSWER("pass"), 0);
	assert_true(f->done == 1 && strstr(f->why, "changed meanwhile"));
	assert_int_equal(control_rig_spawns(f->r, &spawn, &fd), 1);
	m.job = spawn.job;
	ends(f, fd, m.job, &m, ANSWER("hold"), 0);
	assert_true(f->done == 2 && !f->why[0]);
	assert_int_equal(db_candidate_get(f->c->db, f->cand.id, &f->cand), 0);
	assert_int_equal(state_of(f, &said), HOOK_ANSWERED);
	assert_int_equal(said.answer.outcome, HOOK_HOLD);
	program(f, PROGRAM);
	assert_int_equal(state_of(f, &said), HOOK_UNANSWERED);
}

/* One that is called off says nothing to anybody, also while it runs; nor do those that are left at the end. */
static void
test_called_off(void **state)
{
	struct fixture *f = *state;
	struct msg_hooked m = { .outcome = MSG_HOOK_ENDED };
	struct hooks_ask *a = NULL, *b = NULL;
	int fd = asked(f, &m.job, &a);
	assert_int_equal(hooks_ask(f->h, &f->cand, f->report, policies_find(f->c->policies, "acme-rtr"), on_done, f, &b), 0);
	assert_int_equal(jobs_waiting(f->c->jobs), 1); /* one at a time */
	hooks_cancel(a);
	hooks_cancel(NULL);
	const struct msg_job_exit exit = { .job = m.job, .started = true, .status = -SIGKILL };
	assert_int_equal(msg_send(fd, MSG_HOOKED, &m, NULL, 0), 0); /* what it still says is heard by nobody */
	close(fd);
	jobs_on_exit(f->c->jobs, &exit);
	loop_pump(f->c->base);
	assert_int_equal(f->done, 0);
	assert_int_equal(db_candidate_get(f->c->db, f->cand.id, &f->cand), 0);
	assert_false(f->cand.have_hook);
	/* Without a program there is nobody to ask. */
	program(f, NULL);
	assert_int_not_equal(hooks_ask(f->h, &f->cand, f->report, policies_find(f->c->policies, "acme-rtr"), on_done, f, &b), 0);
}

/* What is kept is believed only as it was written. */
static void
test_what_was_kept_and_changed(void **state)
{
	struct fixture *f = *state;
	struct hook_said said;
	says(f, MSG_HOOK_ENDED, 0, ANSWER("pass"), "");
	assert_int_equal(state_of(f, &said), HOOK_ANSWERED);
	f->cand.hook[0] ^= 1;
	assert_int_equal(state_of(f, &said), HOOK_UNANSWERED); /* no such file */
	memcpy(f->cand.hook, f->cand.report, sizeof f->cand.hook);
	assert_int_equal(state_of(f, &said), HOOK_UNANSWERED);
}

/* Whether it is asked of something now; then it writes that, unless NULL: it dies. */
static bool
reviews(struct fixture *f, const char *text)
{
	struct msg_hooked m = { .outcome = MSG_HOOK_ENDED, .have_answer = true };
	struct msg_spawn spawn;
	int fd = -1;
	hooks_tick(f->h);
	if (!control_rig_spawns(f->r, &spawn, &fd))
		return false;
	assert_int_equal(spawn.kind, MSG_JOB_HOOK);
	/* About one thing at a time, however often it is looked. */
	hooks_tick(f->h);
	assert_int_equal(jobs_waiting(f->c->jobs), 0);
	m.job = spawn.job;
	ends(f, fd, spawn.job, text ? &m : NULL, text, text ? 0 : -SIGKILL);
	return true;
}

/* What people released under another policy is asked about, once, and no longer when it is answered. */
static void
test_what_is_released(void **state)
{
	struct fixture *f = *state;
	struct sample *s = sample_new(64, "EC25", "2.0");
	const struct policy *p = policies_find(f->c->policies, "acme-rtr");
	struct hook_said said;
	memcpy(s->r.terms.report, f->cand.report, sizeof f->cand.report);
	memcpy(s->r.terms.policy, p->digest, sizeof p->digest);
	db_candidate_review(f->cand.id, s->r.terms.review);
	f->c->edges = edges_new(f->c);
	people_rig_give(f->r);
	assert_false(reviews(f, NULL)); /* nothing is released */
	/* Under the policy in force it was judged with this very program. */
	sample_seal(s);
	assert_int_equal(releases_take(f->c->releases, s->id, writer_view(&s->record)), 0);
	assert_false(reviews(f, NULL));
	program(f, "#!/bin/sh\necho another\n");
	assert_true(memcmp(policies_find(f->c->policies, "acme-rtr")->digest, s->r.terms.policy, DIGEST_SHA256_LEN) != 0);
	/* What is no answer leaves it as people signed it, and is asked for later. */
	assert_true(reviews(f, NULL));
	assert_true(releases_offers(f->c->releases, s->id) && !releases_withheld(f->c->releases, s->id));
	f->r->now += HOOKS_WAIT_S - 1;
	assert_false(reviews(f, NULL));
	f->r->now += 1;
	assert_true(reviews(f, "nonsense"));
	f->r->now += HOOKS_WAIT_S;
	assert_false(reviews(f, NULL)); /* twice as long */
	f->r->now += HOOKS_WAIT_S;
	assert_true(reviews(f, ANSWER("deny")));
	assert_int_equal(db_candidate_get(f->c->db, f->cand.id, &f->cand), 0);
	assert_true(f->cand.have_hook && state_of(f, &said) == HOOK_ANSWERED);
	assert_non_null(releases_withheld(f->c->releases, s->id)); /* what is released is looked at again at once */
	f->r->now += HOOKS_WAIT_MAX_S;
	assert_false(reviews(f, NULL));
	/* The program that answered is gone, and nobody is asked. */
	program(f, NULL);
	assert_false(reviews(f, NULL));
	people_free(f->c->people);
	f->c->people = NULL;
	edges_free(f->c->edges);
	f->c->edges = NULL;
	sample_free(s);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_an_answer_is_kept),
		T(test_what_is_no_answer),
		T(test_a_process_that_dies),
		T(test_what_changes_meanwhile),
		T(test_another_program_before_its_turn),
		T(test_called_off),
		T(test_what_was_kept_and_changed),
		T(test_what_is_released),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
