/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/visible.h"

void
verify_say_free(struct verify_say *s)
{
	for (unsigned i = 0; i < VERIFY_SAY_PROBLEMS; i++)
		free(s->problem[i]);
	*s = (struct verify_say){ 0 };
}

/* ret holds VERIFY_SAY_MAX. */
static void __attribute__((format(printf, 2, 0)))
plain(char *ret, const char *fmt, va_list ap)
{
	char raw[VERIFY_SAY_MAX];
	vsnprintf(raw, sizeof raw, fmt, ap);
	visible_cstr(view_str(raw), ret, VERIFY_SAY_MAX);
}

void
verify_say_problem(struct verify_say *s, const char *fmt, va_list ap)
{
	char text[VERIFY_SAY_MAX];
	unsigned number = s->problems++;
	if (number >= VERIFY_SAY_PROBLEMS)
		return;
	plain(text, fmt, ap);
	s->problem[number] = strdup(text);
	if (!s->json)
		printf("not ok: %s\n", text);
}

void
verify_say_line(const struct verify_say *s, const char *fmt, ...)
{
	char text[VERIFY_SAY_MAX];
	va_list ap;
	if (s->json)
		return;
	va_start(ap, fmt);
	plain(text, fmt, ap);
	va_end(ap);
	puts(text);
}

void
verify_say_put(const struct verify_say *s, struct jsonw *j)
{
	jsonw_kuint(j, "problem_count", s->problems);
	jsonw_key(j, "problems");
	jsonw_array(j);
	for (unsigned i = 0; i < VERIFY_SAY_PROBLEMS && i < s->problems; i++)
		jsonw_cstr(j, s->problem[i] ? s->problem[i] : "");
	jsonw_array_end(j);
}

void
verify_say_print(const struct writer *w)
{
	if (w->n)
		fwrite(w->p, 1, w->n, stdout);
	putchar('\n');
}
