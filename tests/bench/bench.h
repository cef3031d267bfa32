/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench - clocks, medians and rows of figures, for the programs in this folder.
 * A figure is a ratio against a peer measured in the same run, or CPU time per
 * unit of work: both survive a noisy machine, which units per second do not.
 * Rows go to standard output, fields between tabs, for tests/bench/run to lay out:
 * bench, what, figure, goal, "met" or "not met" or "-".
 */
#ifndef FG_TESTS_BENCH_H
#define FG_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

struct bench_time {
	double cpu;  /* seconds of this process, user and system */
	double wall; /* seconds */
};

struct bench_time bench_now(void);
struct bench_time bench_since(struct bench_time start);
/* Sorts v. */
double bench_median(double *v, size_t n);
/* How often each measurement is repeated: FG_BENCH_RUNS, else 5; odd, 3 to 25. */
unsigned bench_runs(void);

/* For the record only: no goal was set. */
void bench_figure(const char *bench, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void bench_goal(const char *bench, const char *what, const char *goal, bool met, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* A bench that could not be measured says why and ends with 3. */
void bench_fail(const char *what, int err) __attribute__((noreturn));

#endif
