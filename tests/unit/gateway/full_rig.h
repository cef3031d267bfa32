/* SPDX-License-Identifier: Apache-2.0 */
/* full_rig - a disk without room, for this process: no file may grow. After cmocka.h. */
#ifndef FG_TESTS_FULL_RIG_H
#define FG_TESTS_FULL_RIG_H

#include <signal.h>
#include <sys/resource.h>

/* What is written until full_rig_end() fails, whoever one is. */
static inline struct rlimit
full_rig_begin(void)
{
	struct rlimit was;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	const struct rlimit none = { 0, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	return was;
}

static inline void
full_rig_end(struct rlimit was)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
}

#endif
