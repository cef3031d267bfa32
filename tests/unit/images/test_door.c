/* SPDX-License-Identifier: Apache-2.0 */
/* What no later update takes back is told, and what only looks like it is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "images/door.h"
#include "images/token.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/pair_rig.h"
#include "tests/unit/images/tar_rig.h"

/* "severity sign path: text" of the only line, "" of none; fails on more. */
static void
compare(struct view old, struct view new, char *dst, size_t cap, size_t lines)
{
	struct pair_rig r;
	struct page *p = page_new();
	assert_non_null(p);
	pair_rig_open(&r, old, new);
	assert_int_equal(door_page(r.pair, p), 0);
	dst[0] = '\0';
	for (size_t i = 0, n = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		assert_int_equal(l->block, PAGE_DOORS);
		assert_int_equal(l->id, FINDING_CHG_ONE_WAY_DOOR);
		n += (size_t)snprintf(dst + n, cap - n, "%s%s %s %s: %s%s%s", n ? "\n" : "",
				      finding_severity_name(l->severity), page_sign_name(l->sign),
				      l->path, l->text, l->evidence[0] ? " | " : "", l->evidence);
		assert_true(n < cap);
	}
	if (page_count(p) != lines)
		fail_msg("%zu lines instead of %zu:\n%s", page_count(p), lines, dst);
	page_free(p);
	pair_rig_close(&r);
}

static void
said(const char *has, const char *want)
{
	if (!strstr(has, want))
		fail_msg("%s\n  does not say %s", has, want);
}

static void
counter_of_mcuboot(void **state)
{
	(void)state;
	struct pki_blob none = pki_load("mcuboot/p384.bin"), seven = pki_load("mcuboot/p256.bin"),
			eight = pki_load("mcuboot/two-counters.bin");
	char text[1024];
	compare(pki_view(&seven), pki_view(&eight), text, sizeof text, 1);
	said(text, "warning changed : security counter 7 -> 8: a module that ran this refuses all "
		   "with a lower one");
	compare(pki_view(&eight), pki_view(&seven), text, sizeof text, 1);
	said(text, "8 -> 7: a module that ran the higher one refuses this");
	compare(pki_view(&none), pki_view(&seven), text, sizeof text, 1);
	said(text, "security counter 7, none before");
	compare(pki_view(&seven), pki_view(&none), text, sizeof text, 1);
	said(text, "security counter 7 -> none");
	compare(pki_view(&seven), pki_view(&seven), text, sizeof text, 0);
	/* Other code under the same counter. */
	uint8_t *other = malloc(seven.n);
	assert_non_null(other);
	memcpy(other, seven.p, seven.n);
	other[100] ^= 1;
	compare(pki_view(&seven), view_of(other, seven.n), text, sizeof text, 0);
	free(other);
	free(none.p);
	free(seven.p);
	free(eight.p);
}

static void
number(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* A vbmeta of 4 KiB; with a footer it is the end of a partition of 8 KiB. */
static void
vbmeta(uint8_t dst[8192], bool footed, uint64_t index, uint32_t location, uint32_t flags,
       uint8_t key)
{
	uint8_t *m = footed ? dst + 4096 : dst;
	for (size_t i = 0; i < 8192; i++)
		dst[i] = (uint8_t) "words in a text, "[i % 17];
	memset(m, 0, 4096 - 64);
	memcpy(m, "AVB0", 4);
	number(m + 12, 320, 8);	 /* authentication block */
	number(m + 20, 1024, 8); /* auxiliary block */
	number(m + 64, 16, 8);	 /* key */
	number(m + 72, 520, 8);
	number(m + 112, index, 8);
	number(m + 120, flags, 4);
	number(m + 124, location, 4);
	memset(m + 256 + 320 + 16, key, 520);
	if (!footed)
		return;
	memset(dst + 8192 - 64, 0, 64);
	memcpy(dst + 8192 - 64, "AVBf", 4);
	number(dst + 8192 - 64 + 20, 4096, 8);
}

static void
verified_boot_of_android(void **state)
{
	(void)state;
	static uint8_t a[8192], b[8192];
	char text[1024];
	for (int footed = 0; footed < 2; footed++) {
		vbmeta(a, footed, 3, 0, 0, 1);
		vbmeta(b, footed, 4, 0, 0, 1);
		compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
		said(text,
		     "warning changed : rollback index 3 -> 4: a module that ran this refuses");
		vbmeta(b, footed, 3, 2, 0, 1);
		compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
		said(text, "kept in place 2 instead of 0");
		vbmeta(b, footed, 3, 0, 2, 9);
		compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 2);
		said(text, "the key of verified boot is another");
		said(text, "flags of verified boot 0 -> 2: it is switched off");
		vbmeta(b, footed, 3, 0, 0, 1);
		b[footed ? 0 : 8191] ^= 1;
		compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 0);
	}
	/* Lengths that lie: no key is read, and nothing beyond the file. */
	vbmeta(b, true, 3, 0, 0, 1);
	memset(b + 4096 + 12, 0xff, 8);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	vbmeta(b, true, 3, 0, 0, 1);
	memset(b + 8192 - 64 + 20, 0xff, 8);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	said(text, "rollback index 3 -> none");
	memset(b + 8192 - 64 + 20, 0, 8);
	number(b + 8192 - 64 + 20, 8191, 8);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
}

/* A boot image of a page of header and one of kernel in a partition of 16 KiB, whose footer leads to vbmeta. */
static void
boot_image(uint8_t dst[16384], uint64_t index, bool sound)
{
	memset(dst, 0, 4096);
	memset(dst + 4096, 'k', 4096);
	memcpy(dst, "ANDROID!", 8);
	dst[9] = 16; /* 4096, little-endian */
	dst[40] = sound ? 3 : 0; /* versions before 3 say how large a page is */
	vbmeta(dst + 8192, true, index, 0, 0, 1);
	number(dst + 16384 - 64 + 20, 12288, 8);
	number(dst + 16384 - 64 + 28, 256 + 320 + 1024, 8);
}

static void
a_counter_of_a_boot_image_is_told_once(void **state)
{
	(void)state;
	static uint8_t a[16384], b[16384];
	char text[1024];
	boot_image(a, 3, true);
	boot_image(b, 4, true);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	said(text, "warning changed vbmeta: rollback index 3 -> 4");
	/* A header that says what cannot be: nothing is taken out of it, and the footer leads there all the same. */
	boot_image(a, 3, false);
	boot_image(b, 4, false);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	said(text, "warning changed : rollback index 3 -> 4");
}

/* ---- places ---- */

static void
places(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		enum door_place place;
	} rows[] = {{"u-boot.bin", DOOR_PLACE_BOOT},
		    {"boot/U-Boot-SPL.img", DOOR_PLACE_BOOT},
		    {"sbl1", DOOR_PLACE_BOOT},
		    {"firmware-update/tz.mbn", DOOR_PLACE_BOOT},
		    {"xbl_a", DOOR_PLACE_BOOT},
		    {"gpt/aboot", DOOR_PLACE_BOOT},
		    {"tzdata", DOOR_PLACE_NONE},
		    {"usr/share/tz", DOOR_PLACE_NONE},
		    {"usr/bin/rpm", DOOR_PLACE_NONE},
		    {"rpm-info.txt", DOOR_PLACE_NONE},
		    {"etc/uboot_env.conf", DOOR_PLACE_NONE},
		    {"usr/lib/libspl.so", DOOR_PLACE_NONE},
		    {"usr/lib/splash", DOOR_PLACE_NONE},
		    {"boot", DOOR_PLACE_NONE},
		    {"rootfs", DOOR_PLACE_NONE},
		    {"etc/rauc/ca.cert.pem", DOOR_PLACE_ANCHOR},
		    {"etc/rauc/system.conf", DOOR_PLACE_NONE},
		    {"rootfs/etc/rauc/keyring", DOOR_PLACE_ANCHOR},
		    {"etc/swupdate/public.pem", DOOR_PLACE_ANCHOR},
		    {"etc/mender/artifact-verify-key.pem", DOOR_PLACE_ANCHOR},
		    {"system/etc/security/otacerts.zip", DOOR_PLACE_ANCHOR},
		    {"etc/opkg/keys/9ef4", DOOR_PLACE_NONE},
		    {"etc/opkg/keys/key-9ef4", DOOR_PLACE_ANCHOR},
		    {"res/keys", DOOR_PLACE_ANCHOR},
		    {"etc/ssl/certs/vendor.pem", DOOR_PLACE_NONE},
		    {"usr/lib/fota_pub.pem", DOOR_PLACE_ANCHOR},
		    {"usr/bin/update", DOOR_PLACE_NONE},
		    {"", DOOR_PLACE_NONE}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (door_place_of(rows[i].path) != rows[i].place)
			fail_msg("%s is %u", rows[i].path, (unsigned)door_place_of(rows[i].path));
}

static void
files(const char *const *old, const char *const *new, char *text, size_t cap, size_t lines)
{
	static uint8_t a[16384], b[16384];
	size_t m = tar_rig(a, sizeof a, old), n = tar_rig(b, sizeof b, new);
	compare(view_of(a, m), view_of(b, n), text, cap, lines);
}
static void
anchors_and_boot_loaders(void **state)
{
	(void)state;
	char text[1024];
	files(TAR_RIG("etc/rauc/ca.pem", "one\n", "x", "same\n"),
	      TAR_RIG("etc/rauc/ca.pem", "two\n", "x", "same\n"), text, sizeof text, 1);
	said(text, "warning changed etc/rauc/ca.pem: what updates are checked with, by its place: "
		   "changed");
	files(TAR_RIG("etc/rauc/ca.pem", "one\n", "x", "same\n"), TAR_RIG("x", "same\n"), text,
	      sizeof text, 1);
	said(text, "warning gone etc/rauc/ca.pem");
	files(TAR_RIG("x", "same\n"), TAR_RIG("etc/rauc/more.pem", "same\n", "x", "same\n"), text,
	      sizeof text, 1);
	said(text, "warning added etc/rauc/more.pem");
	/* A key that was lying about and is trusted now. */
	files(TAR_RIG("share/other.pem", "a key\n"), TAR_RIG("etc/rauc/other.pem", "a key\n"), text,
	      sizeof text, 1);
	said(text, "added etc/rauc/other.pem");
	files(TAR_RIG("etc/rauc/ca.pem", "one\n"), TAR_RIG("etc/rauc/ca.pem", "one\n"), text,
	      sizeof text, 0);
	files(TAR_RIG("u-boot.bin", "loads\n", "x", "1\n"),
	      TAR_RIG("u-boot.bin", "loads more\n", "x", "2\n"), text, sizeof text, 1);
	said(text, "notice changed u-boot.bin: boot chain");
	files(TAR_RIG("META-INF/com/android/metadata", "ota-type=AB\npost-timestamp=1700000000\n"),
	      TAR_RIG("META-INF/com/android/metadata", "ota-type=AB\npost-timestamp=1700000100\n"),
	      text, sizeof text, 1);
	said(text,
	     "notice changed META-INF/com/android/metadata: build time 1700000000 -> 1700000100");
	files(TAR_RIG("META-INF/com/android/metadata", "post-timestamp=1700000000\n"),
	      TAR_RIG("META-INF/com/android/metadata", "x-post-timestamp=1\npost-timestamp=9\n"),
	      text, sizeof text, 1);
	said(text, "warning changed META-INF/com/android/metadata: build time 1700000000 -> 9: a "
		   "module that ran the higher one");
	/* To the last digit, and not beyond. */
	files(TAR_RIG("META-INF/com/android/metadata", "post-timestamp=18446744073709551609\n"),
	      TAR_RIG("META-INF/com/android/metadata", "post-timestamp=18446744073709551614\n"),
	      text, sizeof text, 1);
	said(text, "build time 18446744073709551609 -> 18446744073709551614: ");
	files(TAR_RIG("META-INF/com/android/metadata", "post-timestamp=1\n"),
	      TAR_RIG("META-INF/com/android/metadata", "post-timestamp=18446744073709551620\n"),
	      text, sizeof text, 1);
	said(text, "build time 1 -> 18446744073709551615: ");
}

/* ---- partition tables ---- */

static void
disk(uint8_t *dst, uint8_t first, uint8_t sectors, uint8_t boot)
{
	for (size_t i = 0; i < 64 * 512; i++)
		dst[i] = (uint8_t) "words in a text, "[i % 17];
	memset(dst, 0, 512);
	memcpy(dst + 510, "\x55\xaa", 2);
	dst[446] = boot;
	dst[446 + 4] = 0x83;
	dst[446 + 8] = 4;
	dst[446 + 12] = 8;
	dst[462 + 4] = 0x83;
	dst[462 + 8] = first;
	dst[462 + 12] = sectors;
}

static void
partition_tables(void **state)
{
	(void)state;
	static uint8_t a[64 * 512], b[64 * 512];
	char text[1024];
	disk(a, 16, 8, 0);
	disk(b, 20, 8, 0);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	said(text, "warning changed : partition table: 0 partitions new, 0 gone, 1 elsewhere or of "
		   "another size");
	said(text, "0x2000+0x1000 -> 0x2800+0x1000");
	disk(b, 16, 9, 0);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	disk(b, 16, 8, 0x80);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	said(text, "notice changed : partition table or boot sector");
	disk(b, 16, 8, 0);
	memset(b + 462, 0, 16);
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 1);
	said(text, "0 partitions new, 1 gone");
	disk(b, 16, 8, 0);
	b[17 * 512] ^= 1; /* in a partition */
	compare(view_of(a, sizeof a), view_of(b, sizeof b), text, sizeof text, 0);
}

/* ---- whole firmware ---- */

static void
firmware(void **state)
{
	(void)state;
	static const char *const wraps[] = {"sqfs", "tar", "gpt", "flash"};
	char a[64], b[64], text[1024];
	for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++) {
		snprintf(a, sizeof a, "pairs/base.%s", wraps[i]);
		snprintf(b, sizeof b, "pairs/update.%s", wraps[i]);
		struct pki_blob old = pki_load(a), new = pki_load(b);
		compare(pki_view(&old), pki_view(&new), text, sizeof text, 0);
		free(old.p);
		free(new.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counter_of_mcuboot),
					   cmocka_unit_test(verified_boot_of_android),
		cmocka_unit_test(a_counter_of_a_boot_image_is_told_once),
					   cmocka_unit_test(places),
					   cmocka_unit_test(anchors_and_boot_loaders),
					   cmocka_unit_test(partition_tables),
					   cmocka_unit_test(firmware)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
