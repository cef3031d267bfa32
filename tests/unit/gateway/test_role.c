/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot dialogue and the life of a role, driven message by message: this
 * test is the supervisor, the role runs in a forked child with its channel on
 * descriptor 3. What the role sees it reports as characters over a pipe.
 */
#include "gateway/role/role.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"

#define PATIENCE_MS 20000

/* ---- the role in the child ---- */

struct child {
	struct role *r;
	int out;
	bool jailed_at_start;
};

static void
tell(const struct child *c, const char *what)
{
	(void)!write(c->out, what, strlen(what));
}

static int
c_boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd)
{
	(void)r;
	tell(ctx, what->kind == MSG_FD_LISTENER ? "f" : "F");
	close(fd);
	return what->kind == MSG_FD_EPOCH_KEY ? FG_EINVAL : 0;
}

static int
c_prepare(void *ctx, struct role *r, struct jail_paths *paths)
{
	(void)paths;
	((struct child *)ctx)->r = r;
	tell(ctx, "p");
	return 0;
}

static int
c_start(void *ctx, struct role *r)
{
	tell(ctx, role_jail(r)->no_new_privs ? "s" : "?");
	tell(ctx, role_peer(r, MSG_ROLE_AUDIT, 0) ? "a" : "-");
	return 0;
}

static void
on_stop(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)c;
	(void)msg;
	(void)frame;
	tell(ctx, "m");
}

static const struct chan_rule c_rules[] = { { MSG_STOP, CHAN_ALWAYS, on_stop } };
static const struct chan_ops c_audit_ops = { c_rules, 1, NULL };

static void
c_peer_up(void *ctx, struct chan *c, enum msg_role peer, unsigned index)
{
	(void)peer;
	(void)index;
	tell(ctx, "u");
	chan_send(c, MSG_START, NULL, NULL, 0);
}

static void
c_peer_down(void *ctx, struct chan *c, enum msg_role peer, unsigned index, int why)
{
	(void)c;
	(void)peer;
	(void)index;
	tell(ctx, why == 0 ? "0" : why == FG_ENOTFOUND ? "d" : "!");
}

static int
c_reload(void *ctx, int fd, char *why, size_t cap)
{
	close(fd);
	tell(ctx, "r");
	snprintf(why, cap, "no thanks");
	return FG_EINVAL;
}

static void
c_stop(void *ctx, unsigned grace_ms)
{
	struct child *c = ctx;
	tell(c, grace_ms == 5 ? "S" : "?");
	role_exit(c->r, 0);
	role_exit(c->r, 99); /* the first counts */
}

static void
c_halt(void *ctx, const struct msg_halt *m)
{
	tell(ctx, m->at == 7 ? "h" : "?");
}

static void
c_unhalt(void *ctx, const struct msg_unhalt *m)
{
	tell(ctx, m->at == 7 ? "H" : "?");
}

static void
c_job_exit(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)c;
	(void)frame;
	tell(ctx, ((const struct msg_job_exit *)msg)->job == 3 ? "j" : "?");
}

static void
child_main(int channel, int out)
{
	static const struct chan_rule more[] = { { MSG_JOB_EXIT, CHAN_ALWAYS, c_job_exit } };
	static const struct role_ops ops = {
	    .role = MSG_ROLE_CONTROL,
	    .jail = JAIL_CONFIG,
	    .boot_fd = c_boot_fd,
	    .prepare = c_prepare,
	    .start = c_start,
	    .peers = { [MSG_ROLE_AUDIT] = &c_audit_ops },
	    .peer_up = c_peer_up,
	    .peer_down = c_peer_down,
	    .reload = c_reload,
	    .stop = c_stop,
	    .halt = c_halt,
	    .unhalt = c_unhalt,
	    .supervisor_rules = more,
	    .supervisor_rules_n = 1,
	};
	struct clock_source clock = clock_system();
	struct child c = { .out = fcntl(out, F_DUPFD, 10) };
	int high = fcntl(channel, F_DUPFD, 10);
	dup2(high, ROLE_FD);
	close(high);
	int null = open("/dev/null", O_WRONLY);
	dup2(null, 2);
	_exit(role_run(&ops, &c, &clock));
}

/* ---- the supervisor's side ---- */

struct fixture {
	int chan, out;
	pid_t pid;
	uint8_t *buf;
	char seen[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int pair[2], out[2];
	f->buf = malloc(WIRE_FRAME_MAX);
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	f->pid = fork();
	if (f->pid == 0) {
		close(pair[0]);
		close(out[0]);
		child_main(pair[1], out[1]);
	}
	close(pair[1]);
	close(out[1]);
	f->chan = pair[0];
	f->out = out[0];
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	if (f->chan >= 0)
		close(f->chan);
	close(f->out);
	free(f->buf);
	free(f);
	return 0;
}

/* Everything the role reports up to the last letter of what is expected. */
static void
expect(struct fixture *f, const char *text)
{
	size_t n = 0;
	memset(f->seen, 0, sizeof f->seen);
	while (n < strlen(text)) {
		struct pollfd p = { .fd = f->out, .events = POLLIN };
		if (poll(&p, 1, PATIENCE_MS) != 1)
			break;
		ssize_t got = read(f->out, f->seen + n, strlen(text) - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	assert_string_equal(f->seen, text);
}

static int
exit_status(struct fixture *f)
{
	int status = 0;
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
say(struct fixture *f, unsigned type, const void *msg)
{
	assert_int_equal(msg_send(f->chan, type, msg, NULL, 0), 0);
}

static void
hear_on(struct fixture *f, int fd, unsigned type, void *msg, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct wire_frame frame;
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(wire_recv(fd, f->buf, &frame), 0);
	assert_int_equal(frame.type, type);
	assert_int_equal(msg_decode(&frame, msg, n), 0);
}

static void
boot(struct fixture *f)
{
	/* No jail that a test machine might not have; none of this test's rights depend on it. */
	const struct msg_boot m = { .role = MSG_ROLE_CONTROL, .unsafe_sandbox = true, .edges = 1 };
	say(f, MSG_BOOT, &m);
}

static int
peer(struct fixture *f, enum msg_role role)
{
	int pair[2];
	const struct msg_peer m = { .role = (uint8_t)role };
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(msg_send(f->chan, MSG_PEER, &m, &pair[1], 1), 0);
	close(pair[1]);
	return pair[0];
}

static void
hand(struct fixture *f, enum msg_boot_kind kind)
{
	const struct msg_boot_fd m = { .kind = (uint8_t)kind };
	assert_int_equal(msg_send(f->chan, MSG_BOOT_FD, &m, &f->out, 1), 0);
}

static void
up(struct fixture *f)
{
	struct msg_ready ready;
	boot(f);
	say(f, MSG_START, NULL);
	hear_on(f, f->chan, MSG_READY, &ready, sizeof ready);
	assert_true(strlen(ready.jail) > 0);
	expect(f, "ps-");
}

static void
test_boot_in_order(void **state)
{
	struct fixture *f = *state;
	boot(f);
	hand(f, MSG_FD_LISTENER);
	hand(f, MSG_FD_BUNDLE);
	expect(f, "fF");
	int audit = peer(f, MSG_ROLE_AUDIT);
	say(f, MSG_START, NULL);
	/* prepare, start with the peer there, then peer_up. */
	expect(f, "psau");
	struct msg_ready ready;
	hear_on(f, f->chan, MSG_READY, &ready, sizeof ready);
	hear_on(f, audit, MSG_START, NULL, 0);
	assert_int_equal(msg_send(audit, MSG_STOP, &(struct msg_stop){ 1 }, NULL, 0), 0);
	expect(f, "m");
	say(f, MSG_STOP, &(struct msg_stop){ 5 });
	expect(f, "S");
	assert_int_equal(exit_status(f), 0);
	close(audit);
}

static void
test_peer_is_replaced_and_lost(void **state)
{
	struct fixture *f = *state;
	up(f);
	int first = peer(f, MSG_ROLE_AUDIT);
	expect(f, "u");
	int second = peer(f, MSG_ROLE_AUDIT);
	expect(f, "0u"); /* the old one down, the new one up */
	close(second);
	expect(f, "d");
	int third = peer(f, MSG_ROLE_AUDIT);
	expect(f, "u");
	assert_int_equal(wire_send(third, MSG_TABLE, view_str("junk"), NULL, 0), 0);
	expect(f, "!"); /* the peer broke the contract; the role lives on */
	say(f, MSG_STOP, &(struct msg_stop){ 5 });
	assert_int_equal(exit_status(f), 0);
	close(first);
	close(third);
}

static void
test_an_unexpected_peer_is_fatal(void **state)
{
	struct fixture *f = *state;
	up(f);
	int fd = peer(f, MSG_ROLE_CLI);
	assert_int_equal(exit_status(f), ROLE_EXIT_CONTRACT);
	close(fd);
}

static void
test_reload_is_answered(void **state)
{
	struct fixture *f = *state;
	struct msg_reloaded m;
	up(f);
	int sealed = memfd_sealed("x", view_str("x")), open_one = memfd_open("x");
	assert_int_equal(msg_send(f->chan, MSG_RELOAD, &(struct msg_reload){ .generation = 4 }, &open_one, 1), 0);
	hear_on(f, f->chan, MSG_RELOADED, &m, sizeof m);
	assert_false(m.ok);
	assert_int_equal(m.generation, 4);
	assert_string_equal(m.why, "the bundle is not sealed");
	assert_int_equal(msg_send(f->chan, MSG_RELOAD, &(struct msg_reload){ .generation = 5 }, &sealed, 1), 0);
	hear_on(f, f->chan, MSG_RELOADED, &m, sizeof m);
	expect(f, "r");
	assert_false(m.ok);
	assert_string_equal(m.why, "no thanks");
	close(sealed);
	close(open_one);
}

static void
test_halt_is_confirmed(void **state)
{
	struct fixture *f = *state;
	struct msg_halt m;
	up(f);
	say(f, MSG_HALT, &(struct msg_halt){ .at = 7 });
	hear_on(f, f->chan, MSG_HALT, &m, sizeof m);
	assert_int_equal(m.at, 7);
	expect(f, "h");
	say(f, MSG_UNHALT, &(struct msg_unhalt){ .at = 7 });
	expect(f, "H");
	say(f, MSG_JOB_EXIT, &(struct msg_job_exit){ .job = 3 });
	expect(f, "j");
}

static void
test_started_halted(void **state)
{
	struct fixture *f = *state;
	struct msg_halt m;
	struct msg_ready ready;
	boot(f);
	say(f, MSG_HALT, &(struct msg_halt){ .at = 7 });
	say(f, MSG_START, NULL);
	expect(f, "ps-h");
	hear_on(f, f->chan, MSG_HALT, &m, sizeof m); /* before READY */
	hear_on(f, f->chan, MSG_READY, &ready, sizeof ready);
}

static void
test_late_descriptors(void **state)
{
	struct fixture *f = *state;
	up(f);
	hand(f, MSG_FD_ANCHOR); /* before a reload: new anchors */
	expect(f, "F");
	hand(f, MSG_FD_EPOCH_KEY); /* refused by the role: it goes on without */
	expect(f, "F");
	say(f, MSG_STOP, &(struct msg_stop){ 5 });
	expect(f, "S");
	assert_int_equal(exit_status(f), 0);
}

static void
test_dialogue_out_of_order_is_fatal(void **state)
{
	struct fixture *f = *state;
	say(f, MSG_START, NULL);
	assert_int_equal(exit_status(f), ROLE_EXIT_CONTRACT);
}

static void
test_another_roles_boot_is_fatal(void **state)
{
	struct fixture *f = *state;
	say(f, MSG_BOOT, &(struct msg_boot){ .role = MSG_ROLE_EDGE });
	assert_int_equal(exit_status(f), ROLE_EXIT_CONTRACT);
}

static void
test_descriptor_after_the_jail_is_fatal(void **state)
{
	struct fixture *f = *state;
	boot(f);
	int fd = peer(f, MSG_ROLE_AUDIT);
	hand(f, MSG_FD_LISTENER);
	assert_int_equal(exit_status(f), ROLE_EXIT_CONTRACT);
	close(fd);
}

static void
test_a_refused_descriptor_ends_the_start(void **state)
{
	struct fixture *f = *state;
	boot(f);
	hand(f, MSG_FD_EPOCH_KEY);
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
}

static void
test_malformed_while_running_is_fatal(void **state)
{
	struct fixture *f = *state;
	up(f);
	assert_int_equal(wire_send(f->chan, MSG_STOP, view_str("?"), NULL, 0), 0);
	assert_int_equal(exit_status(f), ROLE_EXIT_CONTRACT);
}

static void
test_no_role_without_its_parent(void **state)
{
	struct fixture *f = *state;
	up(f);
	close(f->chan);
	f->chan = -1;
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
}

static void
test_no_boot_without_its_parent(void **state)
{
	struct fixture *f = *state;
	boot(f);
	close(f->chan);
	f->chan = -1;
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_boot_in_order),
		T(test_peer_is_replaced_and_lost),
		T(test_an_unexpected_peer_is_fatal),
		T(test_reload_is_answered),
		T(test_halt_is_confirmed),
		T(test_started_halted),
		T(test_late_descriptors),
		T(test_dialogue_out_of_order_is_fatal),
		T(test_another_roles_boot_is_fatal),
		T(test_descriptor_after_the_jail_is_fatal),
		T(test_a_refused_descriptor_ends_the_start),
		T(test_malformed_while_running_is_fatal),
		T(test_no_role_without_its_parent),
		T(test_no_boot_without_its_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
