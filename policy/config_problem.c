/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config_problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text may quote what a file holds: nothing but printable ASCII reaches a terminal. */
static void
make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

void
config_problem_add(struct config_problems *p, const char *file, unsigned line, const char *fmt, ...)
{
	if (p->n == CONFIG_PROBLEMS_MAX) {
		p->more++;
		return;
	}
	struct config_problem *at = &p->at[p->n++];
	va_list ap;
	*at = (struct config_problem){ .line = line };
	snprintf(at->file, sizeof at->file, "%s", file);
	va_start(ap, fmt);
	vsnprintf(at->text, sizeof at->text, fmt, ap);
	va_end(ap);
	make_printable(at->file);
	make_printable(at->text);
}

bool
config_problem_on(const struct config_problems *p, unsigned from, unsigned to, unsigned line)
{
	for (unsigned i = from; i < to && i < p->n; i++)
		if (p->at[i].line == line)
			return true;
	return false;
}

/* Insertion sort, stable; at most a hundred, and files arrive one after the other. */
void
config_problem_sort(struct config_problems *p)
{
	for (unsigned i = 1; i < p->n; i++) {
		struct config_problem x = p->at[i];
		unsigned k = i;
		for (; k > 0 && strcmp(p->at[k - 1].file, x.file) == 0 && p->at[k - 1].line > x.line; k--)
			p->at[k] = p->at[k - 1];
		p->at[k] = x;
	}
}
