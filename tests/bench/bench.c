/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS_DEFAULT 5
#define RUNS_MAX 25

static double
seconds(clockid_t id)
{
	struct timespec t;
	if (clock_gettime(id, &t))
		abort();
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct bench_time
bench_now(void)
{
	return (struct bench_time){ .cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), .wall = seconds(CLOCK_MONOTONIC) };
}

struct bench_time
bench_since(struct bench_time start)
{
	struct bench_time now = bench_now();
	return (struct bench_time){ .cpu = now.cpu - start.cpu, .wall = now.wall - start.wall };
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double
bench_median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

unsigned
bench_runs(void)
{
	const char *text = getenv("FG_BENCH_RUNS");
	unsigned long n = text ? strtoul(text, NULL, 10) : RUNS_DEFAULT;
	n = n < 3 ? 3 : n > RUNS_MAX ? RUNS_MAX : n;
	return (unsigned)(n | 1);
}

void
bench_figure(const char *bench, const char *what, const char *fmt, ...)
{
	va_list ap;
	printf("%s\t%s\t", bench, what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts("\t-\t-");
	fflush(stdout);
}

void
bench_goal(const char *bench, const char *what, const char *goal, bool met, const char *fmt, ...)
{
	va_list ap;
	printf("%s\t%s\t", bench, what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\t%s\t%s\n", goal, met ? "met" : "not met");
	fflush(stdout);
}

void
bench_fail(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %d\n", what, err);
	exit(3);
}
