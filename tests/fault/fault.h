/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault - what the drivers share: a folder in memory, the count of cases, and
 * what is said when a case does not hold. FG_FAULT_DEEP=N in the environment
 * multiplies what is drawn by lot (1 is what tests/run does).
 */
#ifndef FG_TESTS_FAULT_FAULT_H
#define FG_TESTS_FAULT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault/disk.h"

/* Once, first thing in main(). */
void fault_begin(const char *driver);
/* Prints how many cases there were; the exit status. Removes the folder unless a case failed. */
int fault_end(void);
unsigned fault_deep(void);
/* "<folder in memory>/<name>"; stays. A driver has a handful of names. */
const char *fault_path(const char *name);
/* What is being tried, for messages. */
void fault_where(const char *form, ...) __attribute__((format(printf, 1, 2)));
/* One case has been judged. */
void fault_case(void);
/* Says and counts it when good is false; ends the run after a few. Returns good. */
bool fault_check(bool good, const char *form, ...) __attribute__((format(printf, 2, 3)));
void fault_remove(const char *tree);
/* to must not be there. */
void fault_copy(const char *from, const char *to);
/* An independent small number from a few. */
uint32_t fault_mix(uint64_t a, uint64_t b);

/* One kind of fault at a time, for N = 1.. until the run does not reach it any more. */
struct fault_kind {
	const char *name;
	struct disk_plan plan; /* without at */
};
extern const struct fault_kind fault_kinds[];
extern const size_t fault_kinds_n;

#endif
