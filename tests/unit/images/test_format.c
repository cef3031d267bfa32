/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "images/format.h"

/* A file being put together. */
static uint8_t file[70000];
static unsigned ends_sure, ends_unsure;

static bool
same(const struct format_result *a, const struct format_result *b)
{
	return a->format == b->format && a->also_n == b->also_n && memcmp(a->also, b->also, a->also_n * sizeof a->also[0]) == 0;
}

/* The same with room in the middle: who sees only the ends says the same, or that he does not know. */
static void
look_at_ends(size_t n)
{
	size_t all = FORMAT_HEAD + 2 * sizeof file + FORMAT_TAIL;
	uint8_t *long_ = calloc(1, all);
	struct source s;
	struct format_result whole, early = { FORMAT_NONE }, late = { FORMAT_NONE };
	bool sure_early, sure;
	assert_non_null(long_);
	memcpy(long_, file, n);
	memcpy(long_ + all - n, file, n);
	struct format_ends e = { view_of(long_, FORMAT_HEAD), view_of(NULL, 0), SOURCE_SIZE_MAX };
	source_memory(&s, view_of(long_, all));
	assert_int_equal(format_recognise(&s, &whole), 0);
	assert_int_equal(format_recognise_ends(&e, &early, &sure_early), 0);
	e.size = all;
	e.tail = view_of(long_ + all - FORMAT_TAIL, FORMAT_TAIL);
	assert_int_equal(format_recognise_ends(&e, &late, &sure), 0);
	if (sure && !same(&late, &whole))
		fail_msg("by its ends %s, and it is %s", format_name(late.format), format_name(whole.format));
	ends_sure += sure;
	ends_unsure += !sure;
	free(long_);
}

static struct format_result
look(size_t n)
{
	look_at_ends(n);
	struct source s;
	struct format_result r;
	/* A copy of the exact length, so that a read beyond it is seen. */
	uint8_t *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, file, n);
	source_memory(&s, view_of(copy, n));
	assert_int_equal(format_recognise(&s, &r), 0);
	free(copy);
	return r;
}

static void
expect(enum format_id want, size_t n)
{
	struct format_result r = look(n);
	if (r.format != want || r.also_n)
		fail_msg("wanted %s, got %s and %u others", format_name(want), format_name(r.format), r.also_n);
}

static void
put(size_t at, const char *bytes, size_t n)
{
	memcpy(file + at, bytes, n);
}
#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static void
le(size_t at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		file[at + i] = (uint8_t)(v >> 8 * i);
}

static void
be(size_t at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		file[at + i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static int
clear(void **state)
{
	(void)state;
	memset(file, 0, sizeof file);
	return 0;
}

static void
squashfs_header(uint64_t used)
{
	PUT(0, "hsqs");
	le(28, 4, 2);
	le(40, used, 8);
}

static const char signed_data[] = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80";

static void
raw_and_empty(void **state)
{
	(void)state;
	expect(FORMAT_RAW, 0);
	expect(FORMAT_RAW, 1);
	expect(FORMAT_RAW, sizeof file);
}

static void
squashfs_and_rauc(void **state)
{
	(void)state;
	squashfs_header(8192);
	expect(FORMAT_SQUASHFS, 8192);
	expect(FORMAT_RAW, 8191); /* says it is longer than it is */
	put(8192, signed_data, sizeof signed_data - 1);
	be(8192 + 200, 200, 8);
	expect(FORMAT_RAUC_BUNDLE, 8192 + 208);
	be(8192 + 200, 199, 8);
	expect(FORMAT_SQUASHFS, 8192 + 208); /* payload not in pages */
	be(8192 + 200, UINT64_MAX, 8);
	expect(FORMAT_SQUASHFS, 8192 + 208);
	be(8192 + 200, 200, 8);
	file[8192] = 0x31;
	expect(FORMAT_SQUASHFS, 8192 + 208);
}

static void
cpio_and_swu(void **state)
{
	(void)state;
	memset(file, '0', 110);
	PUT(0, "070701");
	PUT(110, "fw.img");
	expect(FORMAT_CPIO, 600);
	PUT(110, "sw-description\0");
	expect(FORMAT_SWU, 600);
	PUT(0, "070702");
	expect(FORMAT_SWU, 600);
	file[50] = 'g';
	expect(FORMAT_RAW, 600);
	file[50] = '0';
	PUT(110, "sw-descriptions");
	expect(FORMAT_CPIO, 600);
	expect(FORMAT_RAW, 60);
}

static void
tar_header(const char *name)
{
	memset(file, 0, 512);
	snprintf((char *)file, 100, "%s", name);
	PUT(257, "ustar");
	unsigned sum = 8 * ' ';
	for (unsigned i = 0; i < 512; i++)
		sum += file[i];
	char text[16];
	snprintf(text, sizeof text, "%06o", sum);
	put(148, text, 6);
	file[155] = ' ';
}

static void
tar_and_mender(void **state)
{
	(void)state;
	tar_header("files/a");
	expect(FORMAT_TAR, 1024);
	file[0] = 'g';
	expect(FORMAT_RAW, 1024);
	tar_header("version");
	expect(FORMAT_MENDER, 1024);
	expect(FORMAT_RAW, 511);
}

static void
zip_and_android_ota(void **state)
{
	(void)state;
	PUT(0, "PK\3\4");
	PUT(100, "PK\5\6");
	expect(FORMAT_ZIP, 122);
	le(120, 60, 2); /* comment: signature and footer */
	le(122 + 54, 50, 2);
	PUT(122 + 56, "\xff\xff");
	le(122 + 58, 60, 2);
	expect(FORMAT_ANDROID_OTA, 182);
	le(122 + 54, 61, 2); /* signature would start before the comment */
	expect(FORMAT_ZIP, 182);
	le(122 + 54, 50, 2);
	le(122 + 58, 59, 2); /* comment size of the footer is another */
	expect(FORMAT_ZIP, 182);
}

static void
zip_behind_something_else_is_ambiguous(void **state)
{
	(void)state;
	PUT(0, "\x7f" "ELF\1\1\1");
	PUT(200, "PK\5\6");
	struct format_result r = look(222);
	assert_int_equal(r.format, FORMAT_ZIP);
	assert_int_equal(r.also_n, 1);
	assert_int_equal(r.also[0], FORMAT_ELF);
	expect(FORMAT_ELF, 200);
}

static void
device_tree(const char *child)
{
	PUT(0, "\xd0\x0d\xfe\xed");
	be(4, 1000, 4);
	be(8, 56, 4);
	be(12, 500, 4);
	be(56, 1, 4); /* root, with one property */
	be(60, 0, 4);
	be(64, 3, 4);
	be(68, 5, 4);
	be(72, 0, 4);
	be(84, 1, 4);
	snprintf((char *)file + 88, 16, "%s", child);
}

static void
fdt_and_fit(void **state)
{
	(void)state;
	device_tree("chosen");
	expect(FORMAT_FDT, 1000);
	expect(FORMAT_RAW, 999);
	device_tree("images");
	expect(FORMAT_FIT, 1000);
	be(68, 0xffffffff, 4); /* a property longer than the tree */
	expect(FORMAT_FDT, 1000);
}

static void
mcuboot(void **state)
{
	(void)state;
	le(0, 0x96f3b83d, 4);
	le(8, 32, 2);
	le(12, 1000, 4);
	expect(FORMAT_MCUBOOT, 1100);
	expect(FORMAT_RAW, 1031);
	le(8, 16, 2);
	expect(FORMAT_RAW, 1100);
	le(8, 32, 2);
	le(12, 0xffffffff, 4);
	expect(FORMAT_RAW, 1100);
}

static void
esp32(void **state)
{
	(void)state;
	PUT(0, "\xe9\x02\x02\x20");
	le(24 + 4, 16, 4);
	le(24 + 8 + 16 + 4, 32, 4);
	expect(FORMAT_ESP32, 96); /* 24 + 24 + 40 = 88, padded */
	expect(FORMAT_RAW, 95);
	le(28, 0xfffffff0, 4);
	expect(FORMAT_RAW, 96);
	le(28, 15, 4);
	expect(FORMAT_RAW, 96);
}

static void
mbn(void **state)
{
	(void)state;
	le(0, 5, 4);
	le(4, 3, 4);
	le(16, 600, 4);
	le(20, 400, 4);
	le(28, 150, 4);
	le(36, 50, 4);
	expect(FORMAT_MBN, 640);
	le(36, 51, 4);
	expect(FORMAT_RAW, 640);
}

static void
uimage(void **state)
{
	(void)state;
	PUT(0, "\x27\x05\x19\x56");
	expect(FORMAT_RAW, 64); /* the header's CRC is wrong */
	/* CRC-32 of this header with a zero CRC field, by Python's zlib. */
	be(4, 0x33a91315, 4);
	expect(FORMAT_UIMAGE, 64);
}

static void
magics(void **state)
{
	(void)state;
	static const struct {
		enum format_id id;
		const char *bytes;
		size_t n;
	} one[] = {
#define M(id, s) { id, s, sizeof(s) - 1 }
		M(FORMAT_ANDROID_PAYLOAD, "CrAU\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\x20"),
		M(FORMAT_SUIT, "\xd8\x6b\xa2\2\x40"),
		M(FORMAT_CMS, "\x30\x82\x10\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
		M(FORMAT_CAB, "MSCF\0\0\0\0\x40\0\0\0"),
		M(FORMAT_NORDIC_DELTA, "\1\2\3\4meDu"),
		M(FORMAT_BSDIFF, "BSDIFF40"),
		M(FORMAT_BSDIFF, "ENDSLEY/BSDIFF43"),
		M(FORMAT_BSDIFF, "BSDF2\1\1\1"),
		M(FORMAT_VCDIFF, "\xd6\xc3\xc4\0\0"),
		M(FORMAT_IMGDIFF, "IMGDIFF2"),
		M(FORMAT_HDIFFPATCH, "HDIFF13&zlib"),
		M(FORMAT_HDIFFPATCH, "HDIFFSF20&"),
		M(FORMAT_ZCHUNK, "\0ZCK1"),
		M(FORMAT_CASYNC_INDEX, "\x30\0\0\0\0\0\0\0\xf9\x9f\x12\x7b\x9c\x4d\x82\x96"),
		M(FORMAT_SEVENZIP, "7z\xbc\xaf\x27\x1c"),
		M(FORMAT_ELF, "\x7f" "ELF\2\1\1"),
		M(FORMAT_ANDROID_BOOT, "ANDROID!"),
		M(FORMAT_ANDROID_SPARSE, "\x3a\xff\x26\xed\1\0\0\0"),
		M(FORMAT_UBI, "UBI#\1"),
		M(FORMAT_GZIP, "\x1f\x8b\x08"),
		M(FORMAT_XZ, "\xfd" "7zXZ\0"),
		M(FORMAT_ZSTD, "\x28\xb5\x2f\xfd"),
		M(FORMAT_BZIP2, "BZh91AY&SY"),
		M(FORMAT_MINISIGN, "untrusted comment: x"),
#undef M
	};
	for (size_t i = 0; i < sizeof one / sizeof one[0]; i++) {
		memset(file, 0, 256);
		put(0, one[i].bytes, one[i].n);
		expect(one[i].id, 256);
		for (size_t cut = 0; cut + 1 < one[i].n; cut++)
			(void)look(cut); /* nothing but not crashing */
	}
	memset(file, 0, 2048);
	PUT(0x438, "\x53\xef");
	le(0x400, 16, 4);
	le(0x404, 64, 4);
	expect(FORMAT_EXT4, 2048);
	PUT(0, "hsqs");
	le(28, 4, 2);
	le(40, 2000, 8);
	assert_int_equal(look(2048).also[0], FORMAT_EXT4);
}

static void
tuf_is_json_with_signatures(void **state)
{
	(void)state;
	PUT(0, "{\"signed\":{\"_type\":\"root\"},\"signatures\":[]}");
	expect(FORMAT_TUF, 43);
	expect(FORMAT_RAW, 42);
	PUT(0, "{\"signed\":{\"_typo\":\"root\"},\"signatures\":[]}");
	expect(FORMAT_RAW, 43);
}

static void
names_are_words(void **state)
{
	(void)state;
	for (unsigned i = FORMAT_NONE + 1; i < FORMAT_LIMIT; i++) {
		const char *name = format_name((enum format_id)i);
		assert_int_equal(format_find(view_str(name)), i);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
		assert_int_not_equal(format_kind((enum format_id)i), FORMAT_KIND_NONE);
	}
	assert_int_equal(format_find(view_str("none")), FORMAT_NONE);
	assert_int_equal(format_kind(FORMAT_BSDIFF), FORMAT_KIND_DELTA);
	assert_string_equal(format_name((enum format_id)999), "none");
}

/* An end that is yet to come, one that has come, and what lies between them. */
static void
ends(void **state)
{
	(void)state;
	static uint8_t head[FORMAT_HEAD], tail[FORMAT_TAIL];
	struct format_ends e = { view_of(head, sizeof head), view_of(NULL, 0), SOURCE_SIZE_MAX };
	struct format_result r;
	bool sure;
	assert_true(ends_sure > 50 && ends_unsure > 0 && ends_unsure < ends_sure);
	assert_int_equal(format_recognise_ends(&e, &r, &sure), 0);
	assert_true(sure && r.format == FORMAT_RAW);
	memcpy(tail + sizeof tail - 22, "PK\5\6", 4);
	e.tail = view_of(tail, sizeof tail);
	e.size = FORMAT_HEAD + 5000000;
	assert_int_equal(format_recognise_ends(&e, &r, &sure), 0);
	assert_true(sure && r.format == FORMAT_ZIP);
	/* The longest signature of a bundle begins within the tail. */
	size_t cms = 65536, at = sizeof tail - 8 - cms;
	memcpy(tail + at, signed_data, sizeof signed_data - 1);
	memcpy(tail + sizeof tail - 8, "\0\0\0\0\0\1\0\0", 8);
	e.size = FORMAT_HEAD + (5u << 20) + 8 + cms;
	assert_int_equal(format_recognise_ends(&e, &r, &sure), 0);
	assert_true(sure && r.format == FORMAT_RAUC_BUNDLE);
	/* A tree whose structure lies in between; an ELF file, whose tables may. */
	memcpy(head, "\xd0\x0d\xfe\xed\0\x20\0\0\0\x18\0\0\0\x1f\0\0", 16);
	assert_int_equal(format_recognise_ends(&e, &r, &sure), 0);
	assert_false(sure);
	e.tail = view_of(NULL, 0);
	assert_int_equal(format_recognise_ends(&e, &r, &sure), 0);
	assert_false(sure);
	memcpy(head, "\x7f" "ELF\1\1\1", 7);
	assert_int_equal(format_recognise_ends(&e, &r, &sure), 0);
	assert_false(sure);
	/* Ends that are too short for anything to be said by them. */
	e.head.n--;
	assert_int_equal(format_recognise_ends(&e, &r, &sure), FG_EINVAL);
	e = (struct format_ends){ view_of(head, sizeof head), view_of(tail, sizeof tail - 1), 5 << 20 };
	assert_int_equal(format_recognise_ends(&e, &r, &sure), FG_EINVAL);
	e = (struct format_ends){ view_of(head, sizeof head), view_of(tail, sizeof tail), sizeof head - 1 };
	assert_int_equal(format_recognise_ends(&e, &r, &sure), FG_EINVAL);
}

/* Files of public projects, where they are. */
static void
shared_vectors(void **state)
{
	(void)state;
	static const struct {
		enum format_id id;
		const char *path;
	} known[] = {
		{ FORMAT_ANDROID_OTA, "android-ota/otasigned_v3.zip" },
		{ FORMAT_ANDROID_OTA, "android-ota/fake-eocd.zip" },
		{ FORMAT_ANDROID_PAYLOAD, "android-payload/full_payload.bin" },
		{ FORMAT_ESP32, "esp32/bootloader_signed_v2_rsa.bin" },
		{ FORMAT_ESP32, "esp32/bootloader_unsigned_v2.bin" },
		{ FORMAT_MCUBOOT, "mcuboot/root-rsa-2048.bin" },
		{ FORMAT_MCUBOOT, "mcuboot/root-ed25519.bin" },
		{ FORMAT_IMGDIFF, "imgdiff/recovery-from-boot.p" },
		{ FORMAT_ANDROID_BOOT, "imgdiff/boot.img" },
	};
	const char *shared = getenv("FG_SHARED");
	char path[4096];
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct source s;
		struct format_result r;
		snprintf(path, sizeof path, "%s/vectors/%s", shared ? shared : "/nowhere", known[i].path);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			skip();
		assert_int_equal(source_open(&s, fd), 0);
		assert_int_equal(format_recognise(&s, &r), 0);
		if (r.format != known[i].id)
			fail_msg("%s is %s", path, format_name(r.format));
		close(fd);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, clear)
	const struct CMUnitTest tests[] = {
		T(raw_and_empty), T(squashfs_and_rauc), T(cpio_and_swu), T(tar_and_mender), T(zip_and_android_ota),
		T(zip_behind_something_else_is_ambiguous), T(fdt_and_fit), T(mcuboot), T(esp32), T(mbn), T(uimage),
		T(magics), T(tuf_is_json_with_signatures), T(names_are_words), T(ends), T(shared_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
