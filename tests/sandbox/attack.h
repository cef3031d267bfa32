/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack - what a taken-over role would try first, one call each, and what
 * each role's jail is expected to answer.
 */
#ifndef FG_TESTS_SANDBOX_ATTACK_H
#define FG_TESTS_SANDBOX_ATTACK_H

#include <stddef.h>

#include "world.h"

enum attack_answer {
	ANSWER_KILLED = 'K',  /* SIGSYS */
	ANSWER_REFUSED = 'E', /* an errno */
	ANSWER_ALLOWED = 'A',
};

struct attack {
	const char *name;
	/* 0 when it worked, else the errno. Runs once in a process of its own. */
	int (*run)(const struct world *w);
	/*
	 * One letter a role, in the order of enum jail_role (supervisor first): K killed,
	 * E refused, A allowed because the role needs it, S refused where Landlock scopes
	 * signals (ABI 6) and allowed before, R allowed because the supervisor is root.
	 */
	const char *expect;
};

/* *ret_n of them. */
const struct attack *attack_list(size_t *ret_n);

#endif
