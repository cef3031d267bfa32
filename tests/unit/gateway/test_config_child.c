/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config child as the supervisor meets it: a forked process with its
 * channel on descriptor 3, a real bundle in, messages through plan.c out.
 */
#include "gateway/supervisor/config_child.h"

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
#include "crypto/genesis.h"
#include "gateway/role/bundle.h"
#include "gateway/role/role.h"
#include "gateway/supervisor/plan.h"
#include "gateway/wire/memfd.h"
#include "unit/policy/sample.h"

#define PATIENCE_MS 20000
/* Made for this file; its private half was thrown away. */
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMuns3TKTxJjiiiC6KK1pZxGHYL3zk/jLubR8jZ6UjRq"

struct fixture {
	int chan;
	pid_t pid;
	uint8_t *buf;
	struct plan *plan;
	char said[8192]; /* PLAN_ERROR texts */
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int pair[2];
	f->buf = malloc(WIRE_FRAME_MAX);
	f->plan = calloc(1, sizeof *f->plan);
	assert_int_equal(wire_pair(pair), 0);
	f->pid = fork();
	if (f->pid == 0) {
		int high = fcntl(pair[1], F_DUPFD, 10);
		dup2(high, ROLE_FD);
		close(high);
		_exit(config_child_main());
	}
	close(pair[1]);
	f->chan = pair[0];
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
	close(f->chan);
	free(f->buf);
	free(f->plan);
	free(f);
	return 0;
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
hand(struct fixture *f, enum msg_boot_kind kind, int fd)
{
	const struct msg_boot_fd m = { .kind = (uint8_t)kind };
	assert_int_equal(msg_send(f->chan, MSG_BOOT_FD, &m, &fd, 1), 0);
	close(fd);
}

static void
boot(struct fixture *f, const char *main_text, const char *profile)
{
	const struct msg_boot m = { .role = MSG_ROLE_CONFIG, .unsafe_sandbox = true };
	const struct bundle_file files[] = {
		{ "fotagate.conf", view_str(main_text) },
		{ "profiles.d/a.conf", view_str(profile) },
	};
	int fd = bundle_write(files, profile ? 2 : 1);
	assert_true(fd >= 0);
	assert_int_equal(msg_send(f->chan, MSG_BOOT, &m, NULL, 0), 0);
	hand(f, MSG_FD_BUNDLE, fd);
}

/* A genesis as a file; demo or not. */
static int
genesis_fd(bool demo)
{
	struct genesis *g = calloc(1, sizeof *g);
	struct writer w;
	const char *why;
	snprintf(g->origin, sizeof g->origin, demo ? "gate.demo.invalid" : "gate.example.com");
	memset(g->instance, 0xab, sizeof g->instance);
	snprintf(g->log_vkey, sizeof g->log_vkey, "gate+00000000+AAAA");
	g->demo = demo;
	g->floor_canary = g->floor_production = 1;
	g->canary_max = 10;
	g->set.n = g->set.threshold = 1;
	g->set.time = 1767261600;
	struct signer *s = &g->set.signer[0];
	snprintf(s->principal, sizeof s->principal, "alice@example.com");
	s->valid_after = 1767225600;
	s->valid_before = 1798761600;
	assert_int_equal(sshkey_parse_line(view_str(KEY), &s->key, NULL, 0, &why), 0);
	writer_init(&w, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(g, &w), 0);
	int fd = memfd_sealed("genesis", writer_view(&w));
	assert_true(fd >= 0);
	writer_free(&w);
	free(g);
	return fd;
}

/* Reads until the child has said stage; genesis (taken, -1: none) is handed over when PLAN comes. */
static void
collect(struct fixture *f, int genesis)
{
	static union {
		struct msg_plan plan;
		struct msg_plan_listener listener;
		struct msg_plan_file file;
		struct msg_plan_error error;
		struct msg_plan_end end;
	} m;
	while (f->plan->stage != PLAN_DONE) {
		struct pollfd p = { .fd = f->chan, .events = POLLIN };
		struct wire_frame frame;
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		assert_int_equal(wire_recv(f->chan, f->buf, &frame), 0);
		assert_int_equal(msg_decode(&frame, &m, sizeof m), 0);
		assert_int_equal(plan_take(f->plan, frame.type, &m), 0);
		if (frame.type == MSG_PLAN_ERROR)
			snprintf(f->said + strlen(f->said), sizeof f->said - strlen(f->said),
				 "%s\n", m.error.text);
		if (frame.type != MSG_PLAN)
			continue;
		if (genesis >= 0)
			hand(f, MSG_FD_GENESIS, genesis);
		assert_int_equal(msg_send(f->chan, MSG_START, NULL, NULL, 0), 0);
	}
}

static void
test_a_good_configuration(void **state)
{
	struct fixture *f = *state;
	boot(f, SAMPLE_MAIN "edges = 3;\nkeys_dir = \"/k\";\nusers = { warden = \"w\"; };\n"
	     "inspect = { yara_rules = \"fleet.yar\"; };\n",
	     SAMPLE_PROFILE);
	collect(f, genesis_fd(false));
	const struct plan *p = f->plan;
	assert_string_equal(f->said, "");
	assert_true(p->ok && p->end.have_genesis);
	assert_string_equal(p->end.origin, "gate.example.com");
	assert_int_equal(p->end.instance[15], 0xab);
	assert_int_equal(p->main.edges, 3);
	assert_string_equal(p->main.keys_dir, "/k");
	assert_string_equal(p->main.anchors_dir, "/k/anchors");
	assert_string_equal(p->main.data_dir, "/var/lib/fotagate");
	assert_string_equal(p->main.user_warden, "w");
	assert_string_equal(p->main.user_edge, "fotagate-edge");
	assert_string_equal(p->main.group_operators, "fotagate-operator");
	assert_true(p->main.stop_ms >= 1000);
	assert_false(p->main.demo || p->main.unsafe_sandbox);
	assert_int_equal(p->listeners_n, 2);
	assert_string_equal(p->listeners[0].name, "plain");
	assert_int_equal(p->listeners[0].port, 8080);
	assert_string_equal(p->listeners[0].cert[0], "");
	assert_true(p->listeners[1].tls);
	assert_string_equal(p->listeners[1].cert[0], "/k/c.pem");
	assert_string_equal(p->listeners[1].key[0], "/k/k.pem");
	assert_string_equal(p->listeners[1].client_ca, "/k/ca.pem");
	assert_int_equal(p->files_n, 2);
	assert_string_equal(p->files[0].name, "fleet.yar");
	assert_int_equal(p->files[0].kind, MSG_FD_RULES);
	assert_string_equal(p->files[1].name, "ca.pem");
	assert_int_equal(p->files[1].kind, MSG_FD_ANCHOR);
	assert_int_equal(exit_status(f), 0);
}

static void
test_before_init(void **state)
{
	struct fixture *f = *state;
	boot(f, SAMPLE_MAIN, NULL);
	collect(f, -1);
	assert_true(f->plan->ok);
	assert_false(f->plan->end.have_genesis);
	assert_int_equal(exit_status(f), 0);
}

static void
test_every_problem_with_its_line(void **state)
{
	struct fixture *f = *state;
	boot(f, SAMPLE_MAIN "edges = 0;\nnonsense = 1;\n", "profile = { name = 5; };\n");
	collect(f, -1);
	assert_false(f->plan->ok);
	assert_non_null(strstr(f->said, "fotagate.conf:6: "));
	assert_non_null(strstr(f->said, "fotagate.conf:7: "));
	assert_non_null(strstr(f->said, "profiles.d/a.conf:1: "));
	assert_int_equal(f->plan->end.problems, f->plan->problems);
	assert_int_equal(exit_status(f), 0);
}

static void
test_a_demos_genesis_outside_a_demo(void **state)
{
	struct fixture *f = *state;
	boot(f, SAMPLE_MAIN, NULL);
	collect(f, genesis_fd(true));
	assert_false(f->plan->ok);
	assert_false(f->plan->end.have_genesis);
	assert_non_null(strstr(f->said, "demonstration"));
}

static void
test_a_real_genesis_inside_a_demo(void **state)
{
	struct fixture *f = *state;
	boot(f, SAMPLE_MAIN "demo = true;\n", NULL);
	collect(f, genesis_fd(false));
	assert_false(f->plan->ok);
	assert_non_null(strstr(f->said, "not a demonstration"));
}

static void
test_a_demo_with_its_genesis(void **state)
{
	struct fixture *f = *state;
	boot(f, SAMPLE_MAIN "demo = true;\n", NULL);
	collect(f, genesis_fd(true));
	assert_true(f->plan->ok && f->plan->main.demo && f->plan->end.have_genesis);
}

static void
test_a_genesis_that_is_none(void **state)
{
	struct fixture *f = *state;
	boot(f, SAMPLE_MAIN, NULL);
	collect(f, memfd_sealed("genesis", view_str("{}")));
	assert_false(f->plan->ok);
	assert_non_null(strstr(f->said, "genesis.json: "));
}

static void
test_paths_that_do_not_fit_a_message(void **state)
{
	struct fixture *f = *state;
	char text[2048], dir[190], file[100];
	memset(dir, 'd', sizeof dir);
	dir[0] = '/';
	dir[sizeof dir - 1] = '\0';
	memset(file, 'f', sizeof file);
	file[sizeof file - 1] = '\0';
	snprintf(text, sizeof text,
		 "keys_dir = \"%s\";\nlisteners = ( { name = \"t\"; address = \"127.0.0.1\"; port "
		 "= 1; tls = true; "
		 "cert = \"%s\"; key = \"k\"; } );\n",
		 dir, file);
	boot(f, text, NULL);
	collect(f, -1);
	assert_false(f->plan->ok);
	assert_non_null(
	    strstr(f->said, "listener t: keys_dir and a file name together are longer"));
}

static void
test_a_broken_bundle(void **state)
{
	struct fixture *f = *state;
	const struct msg_boot m = { .role = MSG_ROLE_CONFIG, .unsafe_sandbox = true };
	assert_int_equal(msg_send(f->chan, MSG_BOOT, &m, NULL, 0), 0);
	hand(f, MSG_FD_BUNDLE, memfd_sealed("x", view_str("FGB1")));
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
}

static void
test_dialogue_out_of_order(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(msg_send(f->chan, MSG_START, NULL, NULL, 0), 0);
	assert_int_equal(exit_status(f), ROLE_EXIT_FAILED);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_good_configuration),
		T(test_before_init),
		T(test_every_problem_with_its_line),
		T(test_a_demos_genesis_outside_a_demo),
		T(test_a_real_genesis_inside_a_demo),
		T(test_a_demo_with_its_genesis),
		T(test_a_genesis_that_is_none),
		T(test_paths_that_do_not_fit_a_message),
		T(test_a_broken_bundle),
		T(test_dialogue_out_of_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
