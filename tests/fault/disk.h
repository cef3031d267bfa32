/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk - a disk that may lose power, fill up or fail, below the code under test.
 * Calls that change storage are caught at link time (wrap.c, -Wl,--wrap). They go
 * through to real files, which stand for the page cache, and into a model of what
 * the medium holds: bytes are safe after fsync of their file, names after fsync of
 * their directory, and nothing else is. README.md says which crashes that allows.
 */
#ifndef FG_TESTS_FAULT_DISK_H
#define FG_TESTS_FAULT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_op {
	DISK_WRITE = 1 << 0,
	DISK_SYNC = 1 << 1,     /* fsync, fdatasync; of files and of directories */
	DISK_CREATE = 1 << 2,   /* open of a file that was not there */
	DISK_RENAME = 1 << 3,   /* and link */
	DISK_UNLINK = 1 << 4,
	DISK_TRUNCATE = 1 << 5, /* O_TRUNC too */
	DISK_ALLOCATE = 1 << 6,
	DISK_MKDIR = 1 << 7,
	DISK_READ = 1 << 8,
	DISK_CHANGES = 0xff,
	DISK_OPS = 9
};

/* What becomes of the Nth call of the kinds that are chosen. */
enum disk_mode {
	DISK_HOLDS = 0,
	DISK_FAILS,      /* that one, with error */
	DISK_SHORT,      /* a write takes half of what it was given; other kinds fail */
	DISK_SHORT_FULL, /* so, and the next of the kind fails */
	DISK_FULL,       /* from there on whatever needs space has error; the rest works */
	DISK_STUCK,      /* from there on every one of the kinds has error */
	DISK_GONE,       /* from there on nothing reaches the disk: kill -9, as the disk sees it */
	DISK_KILL        /* the process ends by SIGKILL ahead of the call */
};

struct disk_plan {
	enum disk_mode mode;
	unsigned kinds;
	uint64_t at; /* from 1 */
	int error;
};

/* Which of the changes that were not synced a power cut keeps. */
enum disk_cut {
	DISK_CUT_NONE = 0,   /* none */
	DISK_CUT_ALL,        /* all */
	DISK_CUT_NAMES,      /* names and lengths, no bytes */
	DISK_CUT_BYTES,      /* bytes, no names */
	DISK_CUT_LAST,       /* only the latest change: reordered to the front */
	DISK_CUT_BUT_FIRST,  /* all but the oldest */
	DISK_CUT_RANDOM      /* +seed: each name and each 512 bytes by lot */
};

struct disk;

/* What root holds now is on the medium. root is borrowed for life. */
struct disk *disk_new(const char *root);
void disk_free(struct disk *d);
/* Caught calls below d's root go to d from now on; NULL for none. Returns the one before. */
struct disk *disk_watch(struct disk *d);
/* Counts begin anew. */
void disk_set_plan(struct disk *d, const struct disk_plan *p);
/* Called after each change that went through; nothing is watched meanwhile. */
void disk_set_hook(struct disk *d, void (*hook)(void *ctx, enum disk_op op), void *ctx);
/* Called once, when the plan's fault has just come; before a SIGKILL, the last thing. Nothing is watched meanwhile. */
void disk_set_last_words(struct disk *d, void (*said)(void *ctx), void *ctx);
/* How many calls of those kinds there were since the plan was set. */
uint64_t disk_count(const struct disk *d, unsigned kinds);
/* The plan's fault has come. */
bool disk_struck(const struct disk *d);
/* Nothing reaches the disk any more: the process it belongs to is dead. */
bool disk_is_gone(const struct disk *d);
/* How many changes a power cut could take now. */
size_t disk_unsafe(const struct disk *d);
/* Makes what is on the medium after a power cut now, in a folder that does not exist yet. */
void disk_image(const struct disk *d, unsigned cut, const char *into);

/* ---- for wrap.c ---- */

struct disk *disk_watched(void);
/* What is to happen with this call: 0 go on, a positive errno to fail with, -1 a short one. */
int disk_ask(struct disk *d, enum disk_op op);
void disk_wrote(struct disk *d, int fd, uint64_t at, const void *p, size_t n);
void disk_sized(struct disk *d, int fd, uint64_t size, bool allocate);
/* failed: what was not safe then is lost or kept, and no later sync makes it safe. */
void disk_synced(struct disk *d, int fd, bool failed);
void disk_created(struct disk *d, int dirfd, const char *path, bool folder);
void disk_removed(struct disk *d, int dirfd, const char *path);
void disk_moved(struct disk *d, int fromfd, const char *from, int tofd, const char *to, bool link);
void disk_done(struct disk *d, enum disk_op op);
bool disk_has(const struct disk *d, int dirfd, const char *path);
bool disk_has_fd(const struct disk *d, int fd);

#endif
