/* SPDX-License-Identifier: Apache-2.0 */
#include "images/format.h"

#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/cms.h"
#include "crypto/err.h"
#include "crypto/json.h"
#include "crypto/reader.h"
#include "images/cwe.h"
#include "images/mbn_layout.h"

#define HEAD_MAX 4096            /* ext4's superblock magic, the farthest fixed one, is at 0x438 */
#define ZIP_EOCD 22              /* end of central directory without its comment */
#define TAIL_MAX (ZIP_EOCD + 65535) /* the longest zip comment is an u16 */
#define TUF_MAX (512u << 10)     /* the largest metadata file a TUF client has to accept */
#define JCAT_PEEK 512            /* the version member comes first */
#define LZMA_PEEK_MEMORY ((uint64_t)128 << 20) /* what unpacking it may take; a stream that wants more is one too */
#define FDT_TOKENS_MAX 4096      /* tokens read for /images, which comes among the first dozens */

struct probe_input {
	const struct source *image;     /* NULL: ends is what there is */
	const struct format_ends *ends;
	bool beyond;                    /* something between the ends was asked for */
	uint64_t size;
	int err; /* first local failure; probes then answer false */
	struct view head;
	struct view tail; /* last bytes of the image, may overlap head */
	uint8_t head_bytes[HEAD_MAX];
	uint8_t tail_bytes[TAIL_MAX];
};

static bool
at(const struct probe_input *in, size_t offset, const char *magic, size_t n)
{
	return in->head.n >= offset + n && memcmp(in->head.p + offset, magic, n) == 0;
}
#define AT(in, offset, literal) at(in, offset, literal, sizeof(literal) - 1)

static struct reader
head_reader(const struct probe_input *in, size_t offset)
{
	struct reader r;
	reader_init(&r, in->head);
	(void)reader_take(&r, offset);
	return r;
}

/* Of the ends; what is between them is not at hand, and the tail may be yet to come. */
static bool
fetch_end(struct probe_input *in, uint64_t offset, void *buf, size_t n)
{
	const struct format_ends *e = in->ends;
	if (offset > e->size || n > e->size - offset)
		return false;
	if (offset <= e->head.n && n <= e->head.n - offset) {
		memcpy(buf, e->head.p + offset, n);
		return true;
	}
	uint64_t back = e->size - offset;
	if (back <= e->tail.n) {
		memcpy(buf, e->tail.p + e->tail.n - back, n);
		return true;
	}
	in->beyond = in->beyond || e->tail.n > 0 || back > FORMAT_TAIL;
	return false;
}

/* Bytes anywhere in the image; false beyond its end or on a failure, which is remembered. */
static bool
fetch(struct probe_input *in, uint64_t offset, void *buf, size_t n)
{
	if (in->ends)
		return fetch_end(in, offset, buf, n);
	int err = source_read(in->image, offset, buf, n);
	if (err && err != FG_ELIMIT && !in->err)
		in->err = err;
	return err == 0;
}

static bool
is_squashfs(struct probe_input *in)
{
	if (!AT(in, 0, "hsqs"))
		return false;
	struct reader r = head_reader(in, 28);
	uint16_t major = reader_u16le(&r), minor = reader_u16le(&r);
	(void)reader_u64le(&r);
	uint64_t used = reader_u64le(&r);
	return !r.bad && major == 4 && minor == 0 && used >= 96 && used <= in->size;
}

/* ContentInfo of the type whose OID ends in last (RFC 5652 section 3). */
static bool
is_content_info(struct view v, uint8_t last)
{
	const uint8_t oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last };
	if (v.n < 2 || v.p[0] != 0x30)
		return false;
	size_t skip = 2;
	if (v.p[1] > 0x84)
		return false;
	if (v.p[1] > 0x80)
		skip += v.p[1] - 0x80u;
	return v.n >= skip + sizeof oid && memcmp(v.p + skip, oid, sizeof oid) == 0;
}

bool
format_is_signed_data(struct view v)
{
	return is_content_info(v, 2);
}

bool
format_is_enveloped_data(struct view v)
{
	return is_content_info(v, 3);
}

static bool
is_cms(struct probe_input *in)
{
	return format_is_signed_data(in->head);
}

/*
 * payload | CMS | big-endian length of the CMS. The payload is a file system, or
 * (encrypted) anything in whole blocks of 4 KiB.
 */
static bool
is_rauc_bundle(struct probe_input *in)
{
	uint8_t last[8], start[32];
	if (in->size < 4096 + sizeof start + sizeof last ||
	    !fetch(in, in->size - sizeof last, last, sizeof last))
		return false;
	struct reader r;
	reader_init(&r, view_of(last, sizeof last));
	uint64_t cms = reader_u64(&r);
	if (cms < sizeof start || cms > CMS_SIG_MAX || cms > in->size - sizeof last - 4096)
		return false;
	uint64_t payload = in->size - sizeof last - cms;
	if (!fetch(in, payload, start, sizeof start))
		return false;
	struct view v = view_of(start, sizeof start);
	return (format_is_signed_data(v) || format_is_enveloped_data(v)) &&
	       (payload % 4096 == 0 || is_squashfs(in));
}

static bool
is_cpio(struct probe_input *in)
{
	if (!AT(in, 0, "070701") && !AT(in, 0, "070702"))
		return false;
	for (size_t i = 6; i < 110; i++) /* thirteen fields of eight hex digits */
		if (i >= in->head.n || !memchr("0123456789abcdefABCDEF", in->head.p[i], 22))
			return false;
	return true;
}

static bool
is_swu(struct probe_input *in)
{
	return is_cpio(in) && at(in, 110, "sw-description", sizeof "sw-description");
}

/* Octal checksum of a tar header, with the field itself read as blanks (POSIX.1-1988 ustar). */
static bool
is_tar(struct probe_input *in)
{
	if (in->head.n < 512 || !AT(in, 257, "ustar"))
		return false;
	uint32_t sum = 0, want = 0;
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : in->head.p[i];
	size_t i = 148;
	while (i < 156 && in->head.p[i] == ' ')
		i++;
	for (; i < 156 && in->head.p[i] >= '0' && in->head.p[i] <= '7'; i++)
		want = want * 8 + (uint32_t)(in->head.p[i] - '0');
	return sum == want;
}

static bool
is_mender(struct probe_input *in)
{
	return is_tar(in) && at(in, 0, "version", sizeof "version");
}

/* An end-of-central-directory record whose comment ends the file. */
static bool
has_zip_end(const struct probe_input *in)
{
	for (size_t back = ZIP_EOCD; back <= in->tail.n; back++) {
		const uint8_t *p = in->tail.p + in->tail.n - back;
		size_t comment = (size_t)p[20] | (size_t)p[21] << 8;
		if (memcmp(p, "PK\5\6", 4) == 0 && comment == back - ZIP_EOCD)
			return true;
	}
	return false;
}

static bool
is_zip(struct probe_input *in)
{
	return AT(in, 0, "PK\3\4") || has_zip_end(in);
}

/*
 * Footer of a whole-file signature: signature start, FF FF, comment size. The
 * footer says where the end record is; a second one in the comment is an attack
 * on the walker, not another format.
 */
static bool
is_android_ota(struct probe_input *in)
{
	if (in->tail.n < ZIP_EOCD + 6)
		return false;
	const uint8_t *end = in->tail.p + in->tail.n, *f = end - 6;
	size_t start = f[0] | (size_t)f[1] << 8, comment = f[4] | (size_t)f[5] << 8;
	return f[2] == 0xff && f[3] == 0xff && start > 6 && start <= comment &&
	       in->tail.n >= ZIP_EOCD + comment &&
	       memcmp(end - ZIP_EOCD - comment, "PK\5\6", 4) == 0;
}

static bool
is_fdt(struct probe_input *in)
{
	if (!AT(in, 0, "\xd0\x0d\xfe\xed"))
		return false;
	struct reader r = head_reader(in, 4);
	uint32_t total = reader_u32(&r), structure = reader_u32(&r), strings = reader_u32(&r);
	return !r.bad && total >= 40 && total <= in->size && structure < total &&
	       strings <= total;
}

/* Walks the structure block, without its property values, for a child "images" of the root. */
static bool
is_fit(struct probe_input *in)
{
	if (!is_fdt(in))
		return false;
	struct reader h = head_reader(in, 4);
	uint64_t total = reader_u32(&h), pos = reader_u32(&h);
	unsigned depth = 0;
	for (unsigned i = 0; i < FDT_TOKENS_MAX && pos < total; i++) {
		uint8_t b[12] = { 0 };
		if (!fetch(in, pos, b, total - pos < sizeof b ? (size_t)(total - pos) : sizeof b))
			return false;
		struct reader r;
		reader_init(&r, view_of(b, sizeof b));
		uint32_t token = reader_u32(&r), length = reader_u32(&r);
		pos += 4;
		if (token == 1) { /* begin node: name, padded */
			if (++depth == 2 && memcmp(b + 4, "images", 7) == 0)
				return true;
			char name[64]; /* longest node name the specification allows is 31 */
			size_t n = total - pos < sizeof name ? (size_t)(total - pos) : sizeof name;
			if (!fetch(in, pos, name, n))
				return false;
			const char *end = memchr(name, 0, n);
			if (!end)
				return false;
			pos += ((uint64_t)(end - name) + 4) & ~(uint64_t)3;
		} else if (token == 2) {
			if (depth == 0 || --depth == 0)
				return false;
		} else if (token == 3) {
			pos += 8 + (((uint64_t)length + 3) & ~(uint64_t)3);
		} else if (token != 4) {
			return false;
		}
	}
	return false;
}

static bool
is_gzip(struct probe_input *in)
{
	return AT(in, 0, "\x1f\x8b\x08");
}

static bool
is_jcat(struct probe_input *in)
{
	static const char member[] = "\"JcatVersionMajor\"";
	uint8_t out[JCAT_PEEK];
	z_stream z = { .next_in = in->head_bytes, .avail_in = (uInt)in->head.n, .next_out = out,
		       .avail_out = sizeof out };
	if (!is_gzip(in))
		return false;
	if (inflateInit2(&z, 15 + 16) != Z_OK) { /* 15 bits of window, gzip wrapping only */
		in->err = FG_ENOMEM;
		return false;
	}
	(void)inflate(&z, Z_SYNC_FLUSH); /* whatever came out, came out */
	size_t n = sizeof out - z.avail_out;
	inflateEnd(&z);
	return n > 0 && out[0] == '{' && memmem(out, n, member, sizeof member - 1) != NULL;
}

/* A comment, and nothing but that, which begins as signify's do. */
static bool
is_signify_gzip(struct probe_input *in)
{
	return is_gzip(in) && in->head.n > 10 && in->head.p[3] == 16 && AT(in, 10, "untrusted comment: ");
}

static bool
is_tuf(struct probe_input *in)
{
	size_t n = (size_t)in->size;
	if (in->head.n == 0 || in->head.p[0] != '{' || in->size > TUF_MAX)
		return false;
	uint8_t *text = malloc(n);
	if (!text) {
		in->err = FG_ENOMEM;
		return false;
	}
	struct json *doc = NULL;
	bool yes = false;
	if (fetch(in, 0, text, n) && json_parse(view_of(text, n), &doc, NULL) == 0) {
		const struct json_value *root = json_root(doc), *said = json_get(root, "signed");
		yes = json_type(json_get(root, "signatures")) == JSON_ARRAY &&
		      json_type(json_get(said, "_type")) == JSON_STRING;
		json_free(doc);
	}
	free(text);
	return yes;
}

static bool
is_mcuboot(struct probe_input *in)
{
	struct reader r = head_reader(in, 0);
	uint32_t magic = reader_u32le(&r);
	(void)reader_u32le(&r); /* load address */
	uint64_t header = reader_u16le(&r), protected_tlvs = reader_u16le(&r);
	uint64_t body = reader_u32le(&r);
	/* The older magic is an image as well, of a form that its walker refuses. */
	return !r.bad && (magic == 0x96f3b83d || magic == 0x96f3b83c) && header >= 32 && body > 0 &&
	       header + body + protected_tlvs <= in->size;
}

static bool
is_android_payload(struct probe_input *in)
{
	if (!AT(in, 0, "CrAU"))
		return false;
	struct reader r = head_reader(in, 4);
	uint64_t major = reader_u64(&r), manifest = reader_u64(&r);
	return !r.bad && (major == 1 || major == 2) && manifest > 0 && manifest < in->size;
}

/* Segments must end, with checksum padding, inside the file. */
static bool
is_esp32(struct probe_input *in)
{
	if (in->head.n < 24 || in->head.p[0] != 0xe9 || in->head.p[1] == 0 || in->head.p[1] > 16 ||
	    in->head.p[2] > 5 || in->head.p[23] > 1)
		return false;
	uint64_t pos = 24;
	for (unsigned i = 0; i < in->head.p[1]; i++) {
		uint8_t b[8];
		if (!fetch(in, pos, b, sizeof b))
			return false;
		struct reader r;
		reader_init(&r, view_of(b, sizeof b));
		(void)reader_u32le(&r);
		uint32_t length = reader_u32le(&r);
		if (length % 4 != 0)
			return false;
		pos += sizeof b + length;
	}
	return ((pos + 16) & ~(uint64_t)15) <= in->size;
}

static bool
is_suit(struct probe_input *in)
{
	/* Tag 107 on a map. */
	return in->head.n > 2 && AT(in, 0, "\xd8\x6b") && in->head.p[2] >> 5 == 5;
}

static bool
is_cab(struct probe_input *in)
{
	struct reader r = head_reader(in, 0);
	uint32_t magic = reader_u32(&r), zero = reader_u32le(&r), cabinet = reader_u32le(&r);
	return !r.bad && magic == 0x4d534346 && zero == 0 && cabinet >= 36 &&
	       cabinet <= in->size;
}

/* An ELF file with a hash segment, or Qualcomm's older 40-byte header: sizes must add up. */
static bool
is_mbn(struct probe_input *in)
{
	bool elf = false;
	bool magic = AT(in, 0, "\x7f" "ELF");
	if (magic && in->ends)
		in->beyond = true; /* its tables may lie anywhere */
	int err = magic && !in->ends ? mbn_layout_is_elf(in->image, &elf) : 0;
	if (err && !in->err)
		in->err = err;
	if (elf)
		return true;
	struct reader r = head_reader(in, 0);
	uint32_t image_id = reader_u32le(&r), version = reader_u32le(&r);
	(void)reader_u32le(&r); /* flash address */
	(void)reader_u32le(&r); /* load address */
	uint64_t image = reader_u32le(&r), code = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint64_t signature = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint64_t chain = reader_u32le(&r);
	return !r.bad && image_id < 0x40 && version == 3 && code > 0 &&
	       image == code + signature + chain && image + 40 <= in->size;
}

static bool
is_nordic_modem(struct probe_input *in)
{
	/* COSE_Sign1 with RSASSA-PSS and nothing else in its headers: the modem's form of it. */
	return AT(in, 0, "\xd2\x84\x44\xa1\x01\x38\x24\xa0");
}

static bool
is_nordic_delta(struct probe_input *in)
{
	return AT(in, 4, "meDu");
}

static bool
is_sierra_cwe(struct probe_input *in)
{
	return cwe_recognise(in->head);
}

static bool
is_bsdiff(struct probe_input *in)
{
	return AT(in, 0, "BSDIFF40") || AT(in, 0, "ENDSLEY/BSDIFF43") || AT(in, 0, "BSDF2");
}

static bool
is_vcdiff(struct probe_input *in)
{
	return in->head.n > 4 && AT(in, 0, "\xd6\xc3\xc4") &&
	       (in->head.p[3] == 0 || in->head.p[3] == 'S');
}

static bool
is_imgdiff(struct probe_input *in)
{
	return AT(in, 0, "IMGDIFF2");
}

static bool
is_hdiffpatch(struct probe_input *in)
{
	return AT(in, 0, "HDIFF13&") || AT(in, 0, "HDIFFSF20&") || AT(in, 0, "HDIFF19&");
}

static bool
is_casync_index(struct probe_input *in)
{
	return AT(in, 0, "\x30\0\0\0\0\0\0\0\xf9\x9f\x12\x7b\x9c\x4d\x82\x96");
}

static bool
is_zchunk(struct probe_input *in)
{
	return AT(in, 0, "\0ZCK1");
}

static bool
is_sevenzip(struct probe_input *in)
{
	return AT(in, 0, "7z\xbc\xaf\x27\x1c");
}

static bool
is_elf(struct probe_input *in)
{
	return in->head.n >= 52 && AT(in, 0, "\x7f" "ELF") &&
	       (in->head.p[4] == 1 || in->head.p[4] == 2) &&
	       (in->head.p[5] == 1 || in->head.p[5] == 2) && in->head.p[6] == 1;
}

/* Legacy U-Boot header: its own CRC, taken with the CRC field zero. */
static bool
is_uimage(struct probe_input *in)
{
	uint8_t h[64];
	if (in->head.n < sizeof h || !AT(in, 0, "\x27\x05\x19\x56"))
		return false;
	memcpy(h, in->head.p, sizeof h);
	struct reader r;
	reader_init(&r, view_of(in->head.p + 4, 4));
	uint32_t want = reader_u32(&r);
	memset(h + 4, 0, 4);
	return (uint32_t)crc32(0, h, sizeof h) == want;
}

static bool
is_android_boot(struct probe_input *in)
{
	return AT(in, 0, "ANDROID!") && in->head.n >= 64;
}

static bool
is_android_sparse(struct probe_input *in)
{
	struct reader r = head_reader(in, 0);
	uint32_t magic = reader_u32le(&r);
	uint16_t major = reader_u16le(&r);
	return !r.bad && magic == 0xed26ff3a && major == 1;
}

static bool
is_ubi(struct probe_input *in)
{
	return in->head.n >= 64 && AT(in, 0, "UBI#\1");
}

static bool
is_ext4(struct probe_input *in)
{
	if (!AT(in, 0x438, "\x53\xef"))
		return false;
	struct reader r = head_reader(in, 0x400);
	uint32_t inodes = reader_u32le(&r), blocks = reader_u32le(&r);
	(void)reader_take(&r, 16);
	uint32_t log_block = reader_u32le(&r);
	return !r.bad && inodes > 0 && blocks > 0 && log_block <= 6;
}

static bool
is_xz(struct probe_input *in)
{
	return AT(in, 0, "\xfd" "7zXZ\0");
}

static bool
is_zstd(struct probe_input *in)
{
	return AT(in, 0, "\x28\xb5\x2f\xfd");
}

static bool
is_bzip2(struct probe_input *in)
{
	return in->head.n > 10 && AT(in, 0, "BZh") && in->head.p[3] >= '1' &&
	       in->head.p[3] <= '9' && AT(in, 4, "1AY&SY");
}

/*
 * No magic: what every packer writes for lc, lp and pb, a dictionary of 2^n or
 * 3 * 2^n bytes, and the first byte of the range coder, which is always 0. Enough of
 * it has to unpack to believe that.
 */
static bool
is_lzma(struct probe_input *in)
{
	uint8_t out[64];
	lzma_stream z = LZMA_STREAM_INIT;
	struct reader r = head_reader(in, 0);
	uint8_t properties = reader_u8(&r);
	uint32_t dictionary = reader_u32le(&r), low = dictionary & (~dictionary + 1);
	uint64_t size = reader_u64le(&r);
	if (reader_u8(&r) != 0 || r.bad || properties != 0x5d || dictionary < 4096 ||
	    (dictionary != low && dictionary != 3 * low) || (size != UINT64_MAX && size >> 40))
		return false;
	lzma_ret rc = lzma_alone_decoder(&z, LZMA_PEEK_MEMORY);
	if (rc == LZMA_OK) {
		z.next_in = in->head_bytes;
		z.avail_in = in->head.n;
		z.next_out = out;
		z.avail_out = sizeof out;
		rc = lzma_code(&z, LZMA_RUN);
	}
	bool some = z.total_out > 0;
	lzma_end(&z);
	if (rc == LZMA_MEM_ERROR)
		in->err = FG_ENOMEM;
	return rc == LZMA_MEMLIMIT_ERROR || ((rc == LZMA_OK || rc == LZMA_STREAM_END) && some);
}

static bool
is_minisign(struct probe_input *in)
{
	return AT(in, 0, "untrusted comment: ");
}

struct format {
	enum format_id made_of; /* the plainer format it is a special case of */
	bool (*fits)(struct probe_input *in);
};

static const struct format table[FORMAT_LIMIT] = {
	[FORMAT_RAUC_BUNDLE] = { FORMAT_SQUASHFS, is_rauc_bundle },
	[FORMAT_SWU] = { FORMAT_CPIO, is_swu },
	[FORMAT_ANDROID_OTA] = { FORMAT_ZIP, is_android_ota },
	[FORMAT_MENDER] = { FORMAT_TAR, is_mender },
	[FORMAT_FIT] = { FORMAT_FDT, is_fit },
	[FORMAT_JCAT] = { FORMAT_GZIP, is_jcat },
	[FORMAT_SIGNIFY_GZIP] = { FORMAT_GZIP, is_signify_gzip },
	[FORMAT_TUF] = { FORMAT_NONE, is_tuf },
	[FORMAT_MCUBOOT] = { FORMAT_NONE, is_mcuboot },
	[FORMAT_ANDROID_PAYLOAD] = { FORMAT_NONE, is_android_payload },
	[FORMAT_ESP32] = { FORMAT_NONE, is_esp32 },
	[FORMAT_SUIT] = { FORMAT_NONE, is_suit },
	[FORMAT_CMS] = { FORMAT_NONE, is_cms },
	[FORMAT_CAB] = { FORMAT_NONE, is_cab },
	[FORMAT_MBN] = { FORMAT_ELF, is_mbn },
	[FORMAT_NORDIC_MODEM] = { FORMAT_NONE, is_nordic_modem },
	[FORMAT_NORDIC_DELTA] = { FORMAT_NONE, is_nordic_delta },
	[FORMAT_SIERRA_CWE] = { FORMAT_NONE, is_sierra_cwe },
	[FORMAT_BSDIFF] = { FORMAT_NONE, is_bsdiff },
	[FORMAT_VCDIFF] = { FORMAT_NONE, is_vcdiff },
	[FORMAT_IMGDIFF] = { FORMAT_NONE, is_imgdiff },
	[FORMAT_HDIFFPATCH] = { FORMAT_NONE, is_hdiffpatch },
	[FORMAT_ZCHUNK] = { FORMAT_NONE, is_zchunk },
	[FORMAT_CASYNC_INDEX] = { FORMAT_NONE, is_casync_index },
	[FORMAT_ZIP] = { FORMAT_NONE, is_zip },
	[FORMAT_SEVENZIP] = { FORMAT_NONE, is_sevenzip },
	[FORMAT_SQUASHFS] = { FORMAT_NONE, is_squashfs },
	[FORMAT_ELF] = { FORMAT_NONE, is_elf },
	[FORMAT_UIMAGE] = { FORMAT_NONE, is_uimage },
	[FORMAT_FDT] = { FORMAT_NONE, is_fdt },
	[FORMAT_ANDROID_BOOT] = { FORMAT_NONE, is_android_boot },
	[FORMAT_ANDROID_SPARSE] = { FORMAT_NONE, is_android_sparse },
	[FORMAT_UBI] = { FORMAT_NONE, is_ubi },
	[FORMAT_EXT4] = { FORMAT_NONE, is_ext4 },
	[FORMAT_CPIO] = { FORMAT_NONE, is_cpio },
	[FORMAT_TAR] = { FORMAT_NONE, is_tar },
	[FORMAT_GZIP] = { FORMAT_NONE, is_gzip },
	[FORMAT_XZ] = { FORMAT_NONE, is_xz },
	[FORMAT_ZSTD] = { FORMAT_NONE, is_zstd },
	[FORMAT_BZIP2] = { FORMAT_NONE, is_bzip2 },
	[FORMAT_LZMA] = { FORMAT_NONE, is_lzma },
	[FORMAT_MINISIGN] = { FORMAT_NONE, is_minisign },
};

static int
load(struct probe_input *in, const struct source *image)
{
	in->image = image;
	in->size = image->size;
	long head = source_read_some(image, 0, in->head_bytes, HEAD_MAX);
	if (head < 0)
		return (int)head;
	uint64_t from = image->size > TAIL_MAX ? image->size - TAIL_MAX : 0;
	long tail = source_read_some(image, from, in->tail_bytes, TAIL_MAX);
	if (tail < 0)
		return (int)tail;
	in->head = view_of(in->head_bytes, (size_t)head);
	in->tail = view_of(in->tail_bytes, (size_t)tail);
	return 0;
}

/* What was loaded, by every probe; *in is freed. */
static int
try_all(struct probe_input *in, int err, struct format_result *ret, bool *ret_sure)
{
	struct format_result found = { .format = FORMAT_NONE };
	for (unsigned i = FORMAT_NONE + 1; !err && i < FORMAT_RAW; i++) {
		if (!table[i].fits || !table[i].fits(in))
			continue;
		if (found.format == FORMAT_NONE)
			found.format = (enum format_id)i;
		else if (table[found.format].made_of != i && found.also_n < FORMAT_ALSO_MAX)
			found.also[found.also_n++] = (enum format_id)i;
	}
	err = err ? err : in->err;
	*ret_sure = !in->beyond;
	free(in);
	if (err)
		return err;
	if (found.format == FORMAT_NONE)
		found.format = FORMAT_RAW;
	*ret = found;
	return 0;
}

int
format_recognise(const struct source *image, struct format_result *ret)
{
	struct probe_input *in = calloc(1, sizeof *in);
	bool sure;
	return in ? try_all(in, load(in, image), ret, &sure) : FG_ENOMEM;
}

int
format_recognise_ends(const struct format_ends *e, struct format_result *ret, bool *ret_sure)
{
	_Static_assert(FORMAT_TAIL >= TAIL_MAX && FORMAT_TAIL >= CMS_SIG_MAX + 8, "what is asked for is there");
	_Static_assert(FORMAT_HEAD >= HEAD_MAX && FORMAT_HEAD >= TUF_MAX, "and what is read as a whole");
	if (e->head.n < FORMAT_HEAD || e->size < e->head.n || (e->tail.n != 0 && e->tail.n < FORMAT_TAIL))
		return FG_EINVAL;
	struct probe_input *in = calloc(1, sizeof *in);
	if (!in)
		return FG_ENOMEM;
	size_t tail = e->tail.n < TAIL_MAX ? 0 : TAIL_MAX;
	in->ends = e;
	in->size = e->size;
	memcpy(in->head_bytes, e->head.p, HEAD_MAX);
	if (tail)
		memcpy(in->tail_bytes, e->tail.p + e->tail.n - tail, tail);
	in->head = view_of(in->head_bytes, HEAD_MAX);
	in->tail = view_of(in->tail_bytes, tail);
	return try_all(in, 0, ret, ret_sure);
}
