/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate-warden - the authority; started by fotagated only. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/warden/warden.h"

static int64_t
seconds(clockid_t which)
{
	struct timespec ts;
	clock_gettime(which, &ts);
	return ts.tv_sec;
}

static int64_t
now_s(void)
{
	return seconds(CLOCK_REALTIME);
}

static int64_t
mono_s(void)
{
	return seconds(CLOCK_BOOTTIME);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("fotagate-warden " FG_VERSION);
		return 0;
	}
	/* Without the supervisor's channel there is nothing to do and nobody to talk to. */
	if (argc != 2 || strcmp(argv[1], "--role=warden") || fcntl(3, F_GETFD) < 0) {
		fputs("fotagate-warden is started by fotagated(8)\n", stderr);
		return 2;
	}
	return warden_main(&(struct warden_clock){ now_s, mono_s });
}
