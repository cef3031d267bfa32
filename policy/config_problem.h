/* SPDX-License-Identifier: Apache-2.0 */
/* config_problem - everything that is wrong with a configuration, as file:line and a sentence. */
#ifndef FG_POLICY_CONFIG_PROBLEM_H
#define FG_POLICY_CONFIG_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_PROBLEMS_MAX 100 /* more than a person mends in one sitting */
#define CONFIG_PROBLEM_TEXT_MAX 320

struct config_problem {
	char file[128];
	unsigned line; /* from 1; 0: the file as a whole */
	char text[CONFIG_PROBLEM_TEXT_MAX]; /* printable ASCII */
};

struct config_problems {
	struct config_problem at[CONFIG_PROBLEMS_MAX];
	unsigned n;
	unsigned more; /* found beyond those */
};

void config_problem_add(struct config_problems *p, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Whether one of the problems numbered from up to (not with) to is on that line. */
bool config_problem_on(const struct config_problems *p, unsigned from, unsigned to, unsigned line);
/* Everything by file as first met, then line. */
void config_problem_sort(struct config_problems *p);

#endif
