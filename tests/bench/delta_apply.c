/* SPDX-License-Identifier: Apache-2.0 */
/* delta_apply FORMAT PATCH BASE OUT - one application and nothing else, for bench_delta.py to hold against the format's own tool. */
#include <fcntl.h>
#include <stdio.h>

#include "bench.h"
#include "images/delta.h"

static void
open_source(const char *path, struct source *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || source_open(ret, fd))
		bench_fail(path, 1);
}

int
main(int argc, char **argv)
{
	struct source patch, base;
	struct delta_result r;
	if (argc != 5)
		bench_fail("delta_apply FORMAT PATCH BASE OUT", 2);
	open_source(argv[2], &patch);
	open_source(argv[3], &base);
	int out = open(argv[4], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int err = out < 0 ? 1 : delta_apply(format_find(view_str(argv[1])), &patch, &base, out, &r);
	if (err)
		bench_fail(argv[4], err);
	if (r.outcome != DELTA_APPLIED)
		bench_fail(r.detail, 1);
	return 0;
}
