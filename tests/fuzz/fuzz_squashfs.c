/* SPDX-License-Identifier: Apache-2.0 */
/* Squashfs: an end is always reached, going over it twice gives the same, and no file yields more than it says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/squashfs.h"

#define READ_MAX (1u << 20)    /* of one file: holes are long */
#define ALL_MAX (16u << 20)
#define ENTRIES_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
read_file(struct squashfs *fs, const struct squashfs_entry *e)
{
	static uint8_t buf[65536];
	uint64_t total = 0;
	long n = 0;
	while (total < READ_MAX && (n = squashfs_read(fs, buf, sizeof buf)) > 0)
		total += (uint64_t)n;
	if (n < 0 && n != FG_EFORMAT && n != FG_ELIMIT && n != FG_ENOMEM)
		abort();
	if (total > (e->type == SQUASHFS_FILE ? e->size : 0) || (n == 0 && e->type == SQUASHFS_FILE && total != e->size))
		abort();
	return total;
}

/* A sum over all entries, and over how it ended. */
static uint64_t
go_over(struct squashfs *fs)
{
	struct squashfs_entry e;
	uint64_t sum = 0, all = 0;
	int r = 0;
	for (unsigned i = 0; i < ENTRIES_MAX && (r = squashfs_next(fs, &e)) > 0; i++) {
		if (e.path.n == 0 || e.path.n >= SQUASHFS_PATH_MAX || e.path.p[0] == '/' ||
		    strlen((const char *)e.path.p) != e.path.n || e.type == SQUASHFS_NONE || e.mode > 07777 ||
		    e.caps.n > SQUASHFS_CAPS_MAX || e.target.n > SQUASHFS_TARGET_MAX)
			abort();
		for (size_t k = 0; k < e.path.n; k++)
			sum = sum * 31 + e.path.p[k];
		sum = sum * 31 + e.mode + e.size + e.inode + e.xattrs;
		if (all < ALL_MAX)
			all += read_file(fs, &e);
	}
	if (r < 0 && (squashfs_why(fs)[0] == '\0' || (r != FG_EFORMAT && r != FG_ELIMIT)))
		abort();
	return sum * 31 + all + (uint64_t)(int64_t)r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s;
	struct squashfs *fs = NULL;
	char why[200] = "";
	source_memory(&s, view_of(data, size));
	int err = squashfs_open(&s, NULL, &fs, why, sizeof why);
	if (err) {
		if ((err != FG_EFORMAT && err != FG_ELIMIT) || !why[0] || fs)
			abort();
		return 0;
	}
	uint64_t first = go_over(fs);
	squashfs_rewind(fs);
	if (go_over(fs) != first)
		abort();
	squashfs_free(fs);
	return 0;
}
