/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/plan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"

struct fixture {
	struct plan *plan;
	struct msg_plan main;
	struct msg_plan_listener l[2];
	struct msg_plan_end ok, bad;
	struct msg_plan_error error;
	struct msg_plan_file file;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->plan = calloc(1, sizeof *f->plan);
	f->main = (struct msg_plan){
		.data_dir = "/d", .keys_dir = "/k", .run_dir = "/r", .anchors_dir = "/k/anchors",
		.user_edge = "e", .user_console = "w", .edges = 2, .listeners_n = 2,
	};
	f->l[0] = (struct msg_plan_listener){
	    .ordinal = 0, .name = "http", .address = "0.0.0.0", .port = 8080};
	f->l[1] = (struct msg_plan_listener){
		.ordinal = 1, .name = "https", .address = "::", .port = 8444, .tls = true,
		.cert = { "/k/c.pem" }, .key = { "/k/c.key" },
	};
	f->ok = (struct msg_plan_end){ .ok = true, .have_genesis = true, .origin = "gw" };
	f->bad = (struct msg_plan_end){ .problems = 1 };
	f->error = (struct msg_plan_error){ .text = "x:1: wrong" };
	f->file = (struct msg_plan_file){ .kind = MSG_FD_ANCHOR, .name = "vendor.pem" };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	free(f->plan);
	free(f);
	return 0;
}

static void
take_both(struct fixture *f)
{
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &f->main), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[0]), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[1]), 0);
}

static void
test_accepted(void **state)
{
	struct fixture *f = *state;
	take_both(f);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_FILE, &f->file), 0);
	assert_false(f->plan->ok);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->ok), 0);
	assert_true(f->plan->ok);
	assert_int_equal(f->plan->listeners_n, 2);
	assert_int_equal(f->plan->files_n, 1);
	assert_string_equal(f->plan->end.origin, "gw");
	assert_string_equal(plan_user(f->plan, MSG_ROLE_EDGE), "e");
	assert_string_equal(plan_user(f->plan, MSG_ROLE_SUPERVISOR), "");
	assert_string_equal(plan_user(f->plan, MSG_ROLE_CONSOLE), "w");
}

static void
test_console_is_whole(void **state)
{
	static const struct {
		const char *address, *cert, *key;
		int err;
	} rows[] = {
		{ "", "", "", 0 }, { "::1", "/k/c", "/k/k", 0 }, { "::1", "", "", FG_EPEER }, { "::1", "/k/c", "", FG_EPEER },
		{ "::1", "k/c", "/k/k", FG_EPEER }, { "", "/k/c", "", FG_EPEER }, { "", "", "/k/k", FG_EPEER },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(f->plan, 0, sizeof *f->plan);
		snprintf(f->main.console_address, sizeof f->main.console_address, "%s", rows[i].address);
		snprintf(f->main.console_cert, sizeof f->main.console_cert, "%s", rows[i].cert);
		snprintf(f->main.console_key, sizeof f->main.console_key, "%s", rows[i].key);
		assert_int_equal(plan_take(f->plan, MSG_PLAN, &f->main), rows[i].err);
	}
}

/* A front's socket is in run_dir, is none of our own and has a group; without a console there is none. */
static void
test_front_is_whole(void **state)
{
	static const struct {
		const char *address, *socket, *group, *ca;
		int err;
	} rows[] = {
		{ "::1", "f.sock", "www", "", 0 }, { "::1", "", "", "/k/ca", 0 }, { "::1", "f.sock", "www", "/k/ca", 0 },
		{ "::1", "f.sock", "", "", FG_EPEER }, { "::1", "", "www", "", FG_EPEER }, { "::1", "../f", "www", "", FG_EPEER },
		{ "::1", "a/f", "www", "", FG_EPEER }, { "::1", "control.sock", "www", "", FG_EPEER },
		{ "::1", "halt.sock", "www", "", FG_EPEER }, { "::1", "", "", "k/ca", FG_EPEER },
		{ "", "f.sock", "www", "", FG_EPEER }, { "", "", "", "/k/ca", FG_EPEER },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool console = rows[i].address[0];
		memset(f->plan, 0, sizeof *f->plan);
		snprintf(f->main.console_address, sizeof f->main.console_address, "%s", rows[i].address);
		snprintf(f->main.console_cert, sizeof f->main.console_cert, "%s", console ? "/k/c" : "");
		snprintf(f->main.console_key, sizeof f->main.console_key, "%s", console ? "/k/k" : "");
		snprintf(f->main.front_socket, sizeof f->main.front_socket, "%s", rows[i].socket);
		snprintf(f->main.front_group, sizeof f->main.front_group, "%s", rows[i].group);
		snprintf(f->main.front_ca, sizeof f->main.front_ca, "%s", rows[i].ca);
		assert_int_equal(plan_take(f->plan, MSG_PLAN, &f->main), rows[i].err);
	}
}

static void
test_refused_with_problems(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(plan_take(f->plan, MSG_PLAN_ERROR, &f->error), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->bad), 0);
	assert_int_equal(f->plan->stage, PLAN_DONE);
	assert_false(f->plan->ok);
}

static void
test_refused_because_of_genesis(void **state)
{
	struct fixture *f = *state;
	take_both(f);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_ERROR, &f->error), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->bad), 0);
	assert_false(f->plan->ok);
}

static void
test_out_of_order(void **state)
{
	struct fixture *f = *state;
	/* Before anything. */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[0]), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_FILE, &f->file), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->ok), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->bad), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_READY, &f->bad), FG_EPEER);
	/* Between the listeners. */
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &f->main), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &f->main), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->ok), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_FILE, &f->file), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_ERROR, &f->error), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[1]), FG_EPEER); /* ordinal */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[0]), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[1]), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[1]), FG_EPEER); /* one too many */
	/* A bad end without a problem, a good one with some. */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->bad), FG_EPEER);
	f->ok.problems = 1;
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->ok), FG_EPEER);
	/* After a problem nothing can be good any more. */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_ERROR, &f->error), 0);
	f->ok.problems = 0;
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->ok), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->bad), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_END, &f->bad), FG_EPEER);
	assert_false(f->plan->ok);
}

static void
test_main_is_judged(void **state)
{
	struct fixture *f = *state;
	struct msg_plan m = f->main;
	m.edges = 0;
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &m), FG_EPEER);
	m.edges = PLAN_EDGES_MAX + 1;
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &m), FG_EPEER);
	m = f->main;
	m.listeners_n = 0;
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &m), FG_EPEER);
	m = f->main;
	m.run_dir[0] = 'r';
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &m), FG_EPEER);
	assert_int_equal(f->plan->stage, PLAN_EMPTY);
}

static void
test_listeners_are_judged(void **state)
{
	struct fixture *f = *state;
	struct msg_plan_listener l;
	assert_int_equal(plan_take(f->plan, MSG_PLAN, &f->main), 0);
	l = f->l[0];
	l.name[0] = '\0';
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &l), FG_EPEER);
	l = f->l[0];
	l.tls = true; /* without a certificate */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &l), FG_EPEER);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &f->l[0]), 0);
	l = f->l[1];
	l.tls = false; /* with one */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &l), FG_EPEER);
	l = f->l[1];
	l.key[0][0] = '\0';
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &l), FG_EPEER);
	l = f->l[1];
	l.client_ca[0] = 'x'; /* relative */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &l), FG_EPEER);
	l = f->l[1];
	memcpy(l.name, f->l[0].name, sizeof l.name); /* twice */
	assert_int_equal(plan_take(f->plan, MSG_PLAN_LISTENER, &l), FG_EPEER);
	assert_int_equal(f->plan->listeners_n, 1);
}

static void
test_files_stay_in_their_folder_and_are_no_secrets(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
	    "", ".", "..", "../log.key", "a/b", "/etc/shadow", ".x", "log.key", "cosign.key"};
	take_both(f);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(f->file.name, sizeof f->file.name, "%s", bad[i]);
		assert_int_equal(plan_take(f->plan, MSG_PLAN_FILE, &f->file), FG_EPEER);
	}
	snprintf(f->file.name, sizeof f->file.name, "ca.pem");
	f->file.kind = MSG_FD_LOG_KEY;
	assert_int_equal(plan_take(f->plan, MSG_PLAN_FILE, &f->file), FG_EPEER);
	f->file.kind = MSG_FD_CA;
	for (unsigned i = 0; i < PLAN_FILES_MAX; i++)
		assert_int_equal(plan_take(f->plan, MSG_PLAN_FILE, &f->file), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_FILE, &f->file), FG_EPEER);
}

static void
test_problems_are_bounded(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < PLAN_PROBLEMS_MAX; i++)
		assert_int_equal(plan_take(f->plan, MSG_PLAN_ERROR, &f->error), 0);
	assert_int_equal(plan_take(f->plan, MSG_PLAN_ERROR, &f->error), FG_EPEER);
}

static void
test_what_needs_a_restart(void **state)
{
	struct fixture *f = *state;
	take_both(f);
	struct plan *other = calloc(1, sizeof *other);
#define CHANGED(change, sentence)                                                                  \
	do {                                                                                       \
		*other = *f->plan;                                                                 \
		change;                                                                            \
		const char *why = plan_needs_restart(f->plan, other);                              \
		assert_non_null(why);                                                              \
		assert_non_null(strstr(why, sentence));                                            \
	} while (0)
	*other = *f->plan;
	assert_null(plan_needs_restart(f->plan, other));
	other->main.stop_ms++;
	other->files_n = 3;
	other->main.console_cert[0] = '/';
	other->main.front_ca[0] = '/';
	other->listeners[1].cert[0][1] = 'x';
	other->listeners[1].client_ca[0] = '/';
	assert_null(plan_needs_restart(f->plan, other));
	CHANGED(other->listeners[0].port++, "a changed listener needs a restart");
	CHANGED(other->listeners[1].address[0] = '1', "a changed listener needs a restart");
	CHANGED(other->listeners[0].tls = !other->listeners[0].tls, "a changed listener needs a restart");
	CHANGED(other->listeners_n--, "a changed listener needs a restart");
	CHANGED(other->main.console_address[0] = ':', "console");
	CHANGED(other->main.console_port++, "console");
	CHANGED(other->main.user_console[0] = 'x', "user");
	CHANGED(other->main.front_socket[0] = 'x', "front");
	CHANGED(other->main.front_group[0] = 'x', "front");
	CHANGED(other->main.data_dir[1] = 'x', "directory");
	CHANGED(other->main.user_warden[0] = 'x', "user");
	CHANGED(other->main.group_operators[0] = 'x', "group");
	CHANGED(other->main.edges++, "edges");
	CHANGED(other->main.unsafe_sandbox = true, "sandbox");
	CHANGED(other->main.demo = true, "demo");
	free(other);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_accepted),
		T(test_console_is_whole),
		T(test_front_is_whole),
		T(test_refused_with_problems),
		T(test_refused_because_of_genesis),
		T(test_out_of_order),
		T(test_main_is_judged),
		T(test_listeners_are_judged),
		T(test_files_stay_in_their_folder_and_are_no_secrets),
		T(test_problems_are_bounded),
		T(test_what_needs_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
