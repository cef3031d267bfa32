/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "gateway/control/jobs.h"
#include "gateway/wire/memfd.h"
#include "unit/gateway/loop_rig.h"

struct rig {
	struct event_base *base;
	struct jobs *jobs;
	struct chan *chan;
	int supervisor; /* our end */
	unsigned asked, ended;
	int ask_err;
	struct jobs_end end;
	bool had_fd;
};

static int
on_ask(void *ctx, uint64_t job, struct chan *c)
{
	struct rig *r = ctx;
	const struct msg_inspect m = { .job = job, .stage = MSG_STAGE_VERIFY };
	int fd = memfd_sealed("test", view_str("image"));
	r->asked++;
	int err = r->ask_err ? r->ask_err : chan_send(c, MSG_INSPECT, &m, &fd, 1);
	close(fd);
	return err;
}

static void
on_ended(void *ctx, struct jobs_end *end)
{
	struct rig *r = ctx;
	r->ended++;
	r->end = *end;
	r->had_fd = end->fd >= 0;
}

static const struct jobs_ops ops = { on_ask, NULL, on_ended };

static void
rig_open(struct rig *r)
{
	static const struct chan_ops none = { NULL, 0, NULL };
	int pair[2];
	memset(r, 0, sizeof *r);
	r->base = event_base_new();
	assert_int_equal(wire_pair(pair), 0);
	r->chan = chan_new(r->base, pair[0], &none, r);
	r->supervisor = pair[1];
	r->jobs = jobs_new(r->base, r->chan);
	assert_non_null(r->jobs);
}

static void
rig_close(struct rig *r)
{
	jobs_free(r->jobs);
	chan_free(r->chan);
	close(r->supervisor);
	event_base_free(r->base);
}

static uint64_t
start(struct rig *r)
{
	uint64_t id = 0;
	assert_int_equal(jobs_start(r->jobs, MSG_JOB_INSPECT, 5000, &ops, r, &id), 0);
	assert_true(id != 0);
	loop_pump(r->base);
	return id;
}

/* The supervisor's side of one start: the job's channel. */
static int
spawned(struct rig *r, uint64_t id)
{
	struct msg_spawn m;
	struct wire_frame f;
	assert_true(loop_next(r->supervisor, MSG_SPAWN, &m, &f));
	assert_int_equal(m.job, id);
	assert_int_equal(m.wall_ms, 5000);
	return wire_take_fd(&f, 0);
}

static void
exited(struct rig *r, uint64_t id, bool started, bool timed_out, int status)
{
	const struct msg_job_exit m = { .job = id, .started = started, .timed_out = timed_out, .status = status };
	jobs_on_exit(r->jobs, &m);
	loop_pump(r->base);
}

static void
reply(int channel, uint64_t id)
{
	const struct msg_inspected m = { .job = id, .stage = MSG_STAGE_VERIFY };
	int fd = memfd_sealed("test", view_str("report"));
	assert_int_equal(msg_send(channel, MSG_INSPECTED, &m, &fd, 1), 0);
	close(fd);
}

static void
test_jobs_end_with_answer_hang_up_and_exit(void **state)
{
	struct rig r;
	(void)state;
	rig_open(&r);
	uint64_t id = start(&r);
	int channel = spawned(&r, id);
	struct msg_inspect question;
	struct wire_frame f;
	assert_true(loop_next(channel, MSG_INSPECT, &question, &f));
	assert_int_equal(question.job, id);
	wire_close_fds(&f);
	reply(channel, id);
	loop_pump(r.base);
	assert_int_equal(r.ended, 0);
	exited(&r, id, true, false, 0);
	assert_int_equal(r.ended, 0); /* its channel is not at its end yet */
	close(channel);
	loop_pump(r.base);
	assert_int_equal(r.ended, 1);
	assert_int_equal(r.end.end, REPORT_END_REPLIED);
	assert_true(r.had_fd);
	assert_int_equal(jobs_running(r.jobs), 0);
	rig_close(&r);
}

/* Every way a job can go wrong, and what it is called. */
static void
test_jobs_reply_excuses_nothing(void **state)
{
	static const struct {
		bool replies, started, timed_out;
		int status;
		enum report_end end;
	} rows[] = {
		{ true, true, false, -SIGSEGV, REPORT_END_CRASHED },
		{ false, true, false, -SIGSYS, REPORT_END_CRASHED },
		{ true, true, false, 72, REPORT_END_FAILED },
		{ false, true, false, 0, REPORT_END_FAILED },
		{ true, true, true, -SIGKILL, REPORT_END_TIMEOUT },
		{ false, false, false, 0, REPORT_END_FAILED },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig r;
		rig_open(&r);
		uint64_t id = start(&r);
		int channel = spawned(&r, id);
		if (rows[i].replies)
			reply(channel, id);
		close(channel);
		exited(&r, id, rows[i].started, rows[i].timed_out, rows[i].status);
		assert_int_equal(r.ended, 1);
		assert_int_equal(r.end.end, rows[i].end);
		assert_false(r.had_fd);
		assert_true(r.end.detail[0]);
		rig_close(&r);
	}
}

static void
hostile(void (*misbehave)(int channel, uint64_t id), enum report_end expected)
{
	struct rig r;
	struct msg_kill kill_it;
	struct wire_frame f;
	rig_open(&r);
	uint64_t id = start(&r);
	int channel = spawned(&r, id);
	misbehave(channel, id);
	loop_pump(r.base);
	/* It is not waited for until its wall clock. */
	assert_true(loop_next(r.supervisor, MSG_KILL, &kill_it, &f));
	assert_int_equal(kill_it.job, id);
	exited(&r, id, true, false, -SIGKILL);
	close(channel);
	assert_int_equal(r.ended, 1);
	assert_int_equal(r.end.end, expected);
	assert_false(r.had_fd);
	rig_close(&r);
}

static void
twice(int channel, uint64_t id)
{
	reply(channel, id);
	reply(channel, id);
}

static void
foreign(int channel, uint64_t id)
{
	(void)id;
	assert_int_equal(msg_send(channel, MSG_START, NULL, NULL, 0), 0);
}

static void
of_fetcher(int channel, uint64_t id)
{
	const struct msg_fetch_progress m = { .job = id };
	assert_int_equal(msg_send(channel, MSG_FETCH_PROGRESS, &m, NULL, 0), 0);
}

static void
test_jobs_second_or_foreign_message_spoils_it(void **state)
{
	(void)state;
	hostile(twice, REPORT_END_TRAILING);
	hostile(foreign, REPORT_END_MALFORMED);
	hostile(of_fetcher, REPORT_END_MALFORMED);
}

static void
test_jobs_answer_for_another_job(void **state)
{
	struct rig r;
	(void)state;
	rig_open(&r);
	uint64_t id = start(&r);
	int channel = spawned(&r, id);
	reply(channel, id + 2);
	close(channel);
	exited(&r, id, true, false, 0);
	assert_int_equal(r.end.end, REPORT_END_MALFORMED);
	rig_close(&r);
}

static void
test_jobs_are_bounded_and_keep_their_order(void **state)
{
	struct rig r;
	struct msg_spawn m;
	struct wire_frame f;
	uint64_t id[JOBS_INSPECTS_MAX + 2];
	int channel[JOBS_INSPECTS_MAX + 2];
	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < JOBS_INSPECTS_MAX + 2; i++)
		id[i] = start(&r);
	for (unsigned i = 0; i < JOBS_INSPECTS_MAX; i++)
		channel[i] = spawned(&r, id[i]);
	assert_false(loop_next(r.supervisor, MSG_SPAWN, &m, &f));
	assert_int_equal(jobs_running(r.jobs), JOBS_INSPECTS_MAX);
	assert_int_equal(jobs_waiting(r.jobs), 2);
	close(channel[0]);
	exited(&r, id[0], true, false, 0);
	channel[JOBS_INSPECTS_MAX] = spawned(&r, id[JOBS_INSPECTS_MAX]);
	/* One that waits is simply forgotten. */
	jobs_cancel(r.jobs, id[JOBS_INSPECTS_MAX + 1]);
	assert_int_equal(jobs_waiting(r.jobs), 0);
	for (unsigned i = 1; i <= JOBS_INSPECTS_MAX; i++)
		close(channel[i]);
	rig_close(&r);
}

static void
test_jobs_cancelled_say_nothing(void **state)
{
	struct rig r;
	struct msg_kill m;
	struct wire_frame f;
	(void)state;
	rig_open(&r);
	uint64_t id = start(&r);
	int channel = spawned(&r, id);
	jobs_cancel(r.jobs, id);
	jobs_cancel(r.jobs, 12345);
	assert_true(loop_next(r.supervisor, MSG_KILL, &m, &f));
	reply(channel, id);
	close(channel);
	exited(&r, id, true, false, -SIGKILL);
	assert_int_equal(r.ended, 0);
	assert_int_equal(jobs_running(r.jobs), 0);
	rig_close(&r);
}

static void
test_jobs_that_cannot_be_asked_fail(void **state)
{
	struct rig r;
	struct msg_spawn m;
	struct wire_frame f;
	(void)state;
	rig_open(&r);
	r.ask_err = FG_ENOMEM;
	start(&r);
	assert_int_equal(r.ended, 1);
	assert_int_equal(r.end.end, REPORT_END_FAILED);
	assert_false(loop_next(r.supervisor, MSG_SPAWN, &m, &f));
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jobs_end_with_answer_hang_up_and_exit),
		cmocka_unit_test(test_jobs_reply_excuses_nothing),
		cmocka_unit_test(test_jobs_second_or_foreign_message_spoils_it),
		cmocka_unit_test(test_jobs_answer_for_another_job),
		cmocka_unit_test(test_jobs_are_bounded_and_keep_their_order),
		cmocka_unit_test(test_jobs_cancelled_say_nothing),
		cmocka_unit_test(test_jobs_that_cannot_be_asked_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
