/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/haltflag.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/file/wholefile.h"

#define NAME "halted"
#define TEXT_MAX 64 /* two decimal numbers and a line end */
#define AT_MAX INT64_C(253402300799) /* the year 9999 */

static bool
parse(char *text, struct haltflag *ret)
{
	char *end;
	errno = 0;
	long long at = strtoll(text, &end, 10);
	if (errno || *end != ' ' || at < 0 || at > AT_MAX)
		return false;
	long long uid = strtoll(end + 1, &end, 10);
	if (errno || *end != '\n' || end[1] || uid < 0 || uid > UINT32_MAX)
		return false;
	ret->at = at;
	ret->by_uid = (uint32_t)uid;
	return true;
}

static void
load_one(const char *dir, int64_t now, struct haltflag *ret)
{
	int base = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return; /* not made yet */
	struct haltflag f = { .halted = true, .at = now };
	char text[TEXT_MAX + 1];
	int fd = openat(base, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool there = fd >= 0 || errno != ENOENT;
	ssize_t n = fd >= 0 ? read(fd, text, TEXT_MAX) : -1;
	if (fd >= 0)
		close(fd);
	close(base);
	if (!there)
		return;
	text[n > 0 ? n : 0] = '\0';
	if (!parse(text, &f)) {
		f.at = now; /* somebody's halt, whatever is written in it */
		f.by_uid = 0;
	}
	if (!ret->halted || f.at > ret->at)
		*ret = f;
}

void
haltflag_load(const char *run_dir, const char *data_dir, int64_t now, struct haltflag *ret)
{
	*ret = (struct haltflag){ 0 };
	load_one(run_dir, now, ret);
	load_one(data_dir, now, ret);
}

bool
haltflag_save(const char *dir, const struct haltflag *f)
{
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof text, "%" PRId64 " %" PRIu32 "\n", f->at, f->by_uid);
	int base = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return false;
	bool good = wholefile_replace(base, NAME, view_of(text, (size_t)n), 0644) == 0;
	close(base);
	return good;
}

static bool
clear_one(const char *dir)
{
	int base = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return errno == ENOENT;
	bool gone = unlinkat(base, NAME, 0) == 0 || errno == ENOENT;
	(void)!fsync(base); /* a resume that is forgotten is a halt too much, not too little */
	close(base);
	return gone;
}

bool
haltflag_clear(const char *run_dir, const char *data_dir)
{
	bool run = clear_one(run_dir);
	return clear_one(data_dir) && run;
}
