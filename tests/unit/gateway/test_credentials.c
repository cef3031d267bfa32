/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/credentials.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/err.h"

#define PAIR "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"

static int
read_text(struct credentials *c, const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	int err = credentials_read(c, fd);
	close(fd);
	return err;
}

static void
test_what_is_there_is_there(void **state)
{
	static const struct {
		const char *text, *proxy, *ftp;
		bool pem;
	} good[] = {
		{ "proxy: a:b\n", "a:b", "", false }, { "ftp: a:b:c", "", "a:b:c", false }, { "ftp: gate:\r\n", "", "gate:", false },
		{ "# ours\nftp: x:y\nproxy: a:b\n", "a:b", "x:y", false }, { PAIR, "", "", true }, { "ftp: x:y\n" PAIR, "", "x:y", true },
	};
	struct credentials c;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(read_text(&c, good[i].text), 0);
		assert_string_equal(c.proxy, good[i].proxy);
		assert_string_equal(c.ftp, good[i].ftp);
		assert_int_equal(c.pem.n > 0, good[i].pem);
		credentials_wipe(&c);
		assert_string_equal(c.ftp, "");
	}
}

static void
test_what_is_not_finished_is_refused(void **state)
{
	static const char *const bad[] = { "", "ftp: a\n", "ftp: a:b\nftp: c:d\n", "proxy: a:b\nftp: \n", "ftp: a:\x01\n", "ftp: a:\x7f\n",
		"-----BEGIN CERTIFICATE-----\nftp: a:b\n", "ftp:a:b\n", "FTP: a:b\n" };
	struct credentials c;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (read_text(&c, bad[i]) != FG_EFORMAT)
			fail_msg("<%s> was taken", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_there_is_there),
		cmocka_unit_test(test_what_is_not_finished_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
