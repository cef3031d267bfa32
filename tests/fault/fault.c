/* SPDX-License-Identifier: Apache-2.0 */
#include "fault/fault.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit/gateway/scratch.h"

#define FAILURES_MAX 12 /* of one cause there are often hundreds */

static struct {
	const char *driver;
	char dir[64], where[256];
	uint64_t cases;
	unsigned failures, deep;
	struct timespec since;
} run;

#define SPACE (DISK_WRITE | DISK_CREATE | DISK_ALLOCATE | DISK_MKDIR)

const struct fault_kind fault_kinds[] = {
	{ "kill -9", { .mode = DISK_GONE, .kinds = DISK_CHANGES } },
	{ "full disk", { .mode = DISK_FULL, .kinds = SPACE, .error = ENOSPC } },
	{ "read-only disk", { .mode = DISK_STUCK, .kinds = DISK_CHANGES, .error = EROFS } },
	{ "no sync any more", { .mode = DISK_STUCK, .kinds = DISK_SYNC, .error = EIO } },
	{ "write ENOSPC", { .mode = DISK_FAILS, .kinds = DISK_WRITE, .error = ENOSPC } },
	{ "write EIO", { .mode = DISK_FAILS, .kinds = DISK_WRITE, .error = EIO } },
	{ "short write", { .mode = DISK_SHORT, .kinds = DISK_WRITE, .error = EIO } },
	{ "short write, then ENOSPC", { .mode = DISK_SHORT_FULL, .kinds = DISK_WRITE, .error = ENOSPC } },
	{ "sync EIO", { .mode = DISK_FAILS, .kinds = DISK_SYNC, .error = EIO } },
	{ "sync ENOSPC", { .mode = DISK_FAILS, .kinds = DISK_SYNC, .error = ENOSPC } },
	{ "create ENOSPC", { .mode = DISK_FAILS, .kinds = DISK_CREATE, .error = ENOSPC } },
	{ "create EIO", { .mode = DISK_FAILS, .kinds = DISK_CREATE, .error = EIO } },
	{ "rename EIO", { .mode = DISK_FAILS, .kinds = DISK_RENAME, .error = EIO } },
	{ "rename ENOSPC", { .mode = DISK_FAILS, .kinds = DISK_RENAME, .error = ENOSPC } },
	{ "unlink EIO", { .mode = DISK_FAILS, .kinds = DISK_UNLINK, .error = EIO } },
	{ "truncate EIO", { .mode = DISK_FAILS, .kinds = DISK_TRUNCATE, .error = EIO } },
	{ "fallocate ENOSPC", { .mode = DISK_FAILS, .kinds = DISK_ALLOCATE, .error = ENOSPC } },
	{ "fallocate EIO", { .mode = DISK_FAILS, .kinds = DISK_ALLOCATE, .error = EIO } },
	{ "read EIO", { .mode = DISK_FAILS, .kinds = DISK_READ, .error = EIO } },
	{ "mkdir ENOSPC", { .mode = DISK_FAILS, .kinds = DISK_MKDIR, .error = ENOSPC } },
};
const size_t fault_kinds_n = sizeof fault_kinds / sizeof fault_kinds[0];

void
fault_begin(const char *driver)
{
	const char *deep = getenv("FG_FAULT_DEEP");
	run.driver = driver;
	run.deep = deep && atoi(deep) > 1 ? (unsigned)atoi(deep) : 1;
	clock_gettime(CLOCK_MONOTONIC, &run.since);
	/* In memory: what is tried is the order of calls, not the machine's disk. */
	snprintf(run.dir, sizeof run.dir, "%s/fg-fault-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(run.dir))
		abort();
}

int
fault_end(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("fault: %s: %" PRIu64 " cases in %lld s, %u failed%s%s\n", run.driver, run.cases,
	    (long long)(now.tv_sec - run.since.tv_sec), run.failures, run.failures ? ": see " : "",
	    run.failures ? run.dir : "");
	if (!run.failures)
		fault_remove(run.dir);
	return run.failures || !run.cases;
}

unsigned
fault_deep(void)
{
	return run.deep;
}

const char *
fault_path(const char *name)
{
	static struct {
		char name[32], path[128];
	} known[64];
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!known[i].name[0]) {
			snprintf(known[i].name, sizeof known[i].name, "%s", name);
			snprintf(known[i].path, sizeof known[i].path, "%s/%s", run.dir, name);
		}
		if (!strcmp(known[i].name, name))
			return known[i].path;
	}
	abort();
}

void
fault_where(const char *form, ...)
{
	va_list ap;
	va_start(ap, form);
	vsnprintf(run.where, sizeof run.where, form, ap);
	va_end(ap);
}

void
fault_case(void)
{
	run.cases++;
}

bool
fault_check(bool good, const char *form, ...)
{
	va_list ap;
	if (good)
		return true;
	printf("fault: %s: case %" PRIu64 ": %s: ", run.driver, run.cases, run.where);
	va_start(ap, form);
	vprintf(form, ap);
	va_end(ap);
	putchar('\n');
	if (++run.failures >= FAILURES_MAX)
		exit(fault_end());
	return false;
}

void
fault_remove(const char *tree)
{
	struct disk *before = disk_watch(NULL);
	nftw(tree, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
	disk_watch(before);
}

void
fault_copy(const char *from, const char *to)
{
	struct disk *before = disk_watch(NULL);
	scratch_copy(from, to);
	disk_watch(before);
}

uint32_t
fault_mix(uint64_t a, uint64_t b)
{
	uint64_t x = (a + 1) * 0x9e3779b97f4a7c15u ^ (b + 1) * 0xbf58476d1ce4e5b9u;
	x ^= x >> 31;
	x *= 0x94d049bb133111ebu;
	return (uint32_t)(x >> 32);
}
