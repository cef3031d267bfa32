/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate-warden - the authority; started by fotagated only. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/hex.h"
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

/* 36 characters, hex digits in five groups. Anything else leaves zeros: a boot without a name. */
static void
read_boot_id(uint8_t id[16])
{
	char text[37] = "", digits[33] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	size_t k = 0;
	for (ssize_t i = 0; i < n && k < 32; i++)
		if (text[i] != '-')
			digits[k++] = text[i];
	if (k != 32 || !hex_decode(view_of(digits, 32), id, 16))
		memset(id, 0, 16);
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
	struct warden_clock clock = { .now_s = now_s, .mono_s = mono_s };
	read_boot_id(clock.boot_id);
	return warden_main(&clock);
}
