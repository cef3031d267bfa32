/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/oplog.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int saved_stderr, pipe_end;

/* stderr into a pipe while a line is written; what arrived, as a string. */
static const char *
captured(void (*write_it)(void))
{
	static char got[4096];
	int ends[2];
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	saved_stderr = dup(2);
	dup2(ends[1], 2);
	close(ends[1]);
	write_it();
	dup2(saved_stderr, 2);
	close(saved_stderr);
	pipe_end = ends[0];
	ssize_t n = read(pipe_end, got, sizeof got - 1);
	close(pipe_end);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void
plain(void)
{
	errno = EDOM;
	oplog(OPLOG_WARNING, "%s is %d", "answer", 42);
	assert_int_equal(errno, EDOM);
}

static void
hostile(void)
{
	oplog(OPLOG_ERR, "a\nb\x1b[31m%c\x7f\xff", 1);
}

static void
debug(void)
{
	oplog(OPLOG_DEBUG, "detail");
}

static void
endless(void)
{
	char big[5000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	oplog(OPLOG_INFO, "%s", big);
}

static void
test_line(void **state)
{
	(void)state;
	program_invocation_short_name = (char[]){ "edge[1]" };
	assert_string_equal(captured(plain), "<4>edge[1]: answer is 42\n");
}

static void
test_control_characters_cannot_forge_a_line(void **state)
{
	(void)state;
	program_invocation_short_name = (char[]){ "edge" };
	assert_string_equal(captured(hostile), "<3>edge: a?b?[31m???\n");
}

static void
test_level(void **state)
{
	(void)state;
	program_invocation_short_name = (char[]){ "edge" };
	unsetenv("FOTAGATE_LOG_LEVEL");
	assert_string_equal(captured(debug), "");
	setenv("FOTAGATE_LOG_LEVEL", "7", 1);
	assert_string_equal(captured(debug), "<7>edge: detail\n");
	setenv("FOTAGATE_LOG_LEVEL", "3", 1);
	assert_string_equal(captured(plain), "");
	setenv("FOTAGATE_LOG_LEVEL", "77", 1); /* nonsense is not "everything" */
	assert_string_equal(captured(debug), "");
	unsetenv("FOTAGATE_LOG_LEVEL");
}

static void
test_long_line_is_cut_and_ended(void **state)
{
	(void)state;
	program_invocation_short_name = (char[]){ "edge" };
	const char *line = captured(endless);
	size_t n = strlen(line);
	assert_true(n > 2000 && n <= 2048);
	assert_int_equal(line[n - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_control_characters_cannot_forge_a_line),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_long_line_is_cut_and_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
