/* SPDX-License-Identifier: Apache-2.0 */
#include "images/part_probe.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/androidboot.h"
#include "images/esp32_layout.h"
#include "images/jffs2.h"
#include "images/part_archive.h"
#include "images/part_cramfs.h"
#include "images/part_fat.h"

#define HEAD 256           /* bytes of a header that most probes look at */
#define DER_MAX 8192       /* of one certificate or key: real ones have one or two KiB */
#define KEY_MIN 40         /* an Ed25519 key in PKCS #8 has 48 */
#define ZIP_END 22
#define ZIP_LOCAL 30
#define ZIP_VERSION_MAX 63 /* needed to unpack; APPNOTE 6.3 */
#define ELF_TABLE_MAX 4096 /* program or section headers read: a kernel module has fifty */
#define UBI_BLOCKS_MAX 65536
#define JFFS2_BLOCK_MIN 4096u     /* erase blocks */
#define JFFS2_BLOCK_MAX (256u << 10)
#define ESP32_ROW 32
#define CHUNK 65536
/* What a read of a few bytes, and an attempt of OpenSSL's, count as among bytes gone through: as many take that time. */
#define READ_COST 1024
#define DECODE_COST 65536

/* A reader over up to HEAD bytes at at; false on a failure, in *ret_err. */
static bool
head(const struct source *s, uint64_t at, uint8_t buf[HEAD], struct reader *ret, int *ret_err)
{
	long n = source_read_some(s, at, buf, HEAD);
	*ret_err = n < 0 ? (int)n : 0;
	reader_init(ret, view_of(buf, n < 0 ? 0 : (size_t)n));
	return n > 0;
}

static int
found(const struct source *s, uint64_t at, uint64_t length, uint64_t *ret)
{
	int fits = length > 0 && length <= s->size - at;
	*ret = fits ? length : 0;
	return fits;
}

/* CRC-32 of length bytes; start and end as zlib has them. */
static int
crc_of(const struct source *s, uint64_t at, uint64_t length, uint32_t *io_crc)
{
	uint8_t *chunk = malloc(CHUNK);
	int err = chunk ? 0 : FG_ENOMEM;
	for (uint64_t end = at + length; at < end && !err;) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		err = source_read(s, at, chunk, n);
		if (!err)
			*io_crc = (uint32_t)crc32_z(*io_crc, chunk, n);
		at += n;
	}
	free(chunk);
	return err;
}

/* U-Boot's legacy header: both CRCs. */
static int
fits_uimage(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t h[HEAD];
	struct reader r;
	int err;
	if (!head(s, at, h, &r, &err) || r.n < 64)
		return err;
	(void)reader_u32(&r);
	uint32_t want = reader_u32(&r), crc = 0;
	(void)reader_u32(&r);
	uint64_t size = reader_u32(&r);
	(void)reader_take(&r, 8);
	uint32_t data = reader_u32(&r);
	memset(h + 4, 0, 4);
	if ((uint32_t)crc32(0, h, 64) != want || !found(s, at, 64 + size, ret))
		return 0;
	err = crc_of(s, at + 64, size, &crc);
	return err ? err : crc == data;
}

static int
fits_squashfs(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t h[HEAD];
	struct reader r;
	int err;
	if (!head(s, at, h, &r, &err))
		return err;
	(void)reader_take(&r, 12);
	uint32_t block = reader_u32le(&r);
	(void)reader_take(&r, 6);
	uint16_t log = reader_u16le(&r);
	(void)reader_take(&r, 4);
	uint16_t major = reader_u16le(&r), minor = reader_u16le(&r);
	(void)reader_u64le(&r);
	uint64_t used = reader_u64le(&r);
	return !r.bad && major == 4 && minor == 0 && log >= 12 && log <= 20 && block == 1u << log && used >= 96 &&
	       found(s, at, used, ret);
}

static int
fits_fdt(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t h[HEAD];
	struct reader r;
	int err;
	if (!head(s, at, h, &r, &err))
		return err;
	(void)reader_u32(&r);
	uint32_t total = reader_u32(&r), structure = reader_u32(&r), strings = reader_u32(&r), reserve = reader_u32(&r);
	uint32_t version = reader_u32(&r), last = reader_u32(&r);
	(void)reader_u32(&r);
	uint32_t strings_n = reader_u32(&r), structure_n = reader_u32(&r);
	return !r.bad && version == 17 && last == 16 && reserve >= 40 && reserve < total && structure < total &&
	       structure_n <= total - structure && strings <= total && strings_n <= total - strings &&
	       found(s, at, total, ret);
}

static int
fits_ext4(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t h[HEAD];
	struct reader r;
	int err;
	if (!head(s, at + 1024, h, &r, &err))
		return err;
	uint32_t inodes = reader_u32le(&r), blocks = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint32_t blocks_free = reader_u32le(&r), inodes_free = reader_u32le(&r), first = reader_u32le(&r);
	uint32_t log = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint32_t blocks_group = reader_u32le(&r);
	return !r.bad && inodes > 0 && blocks > 0 && blocks_free <= blocks && inodes_free <= inodes && log <= 6 &&
	       first == (log == 0) && blocks_group > 0 && blocks_group <= 8u << (10 + log) &&
	       found(s, at, (uint64_t)blocks << (10 + log), ret);
}

/* The header of an erase block; its CRC starts with all ones and is not inverted at the end. */
static int
ubi_head(const struct source *s, uint64_t at, bool *ret)
{
	uint8_t h[64];
	struct reader r;
	int err = source_read(s, at, h, sizeof h);
	*ret = false;
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(h + 60, 4));
	*ret = memcmp(h, "UBI#\1", 5) == 0 && ~(uint32_t)crc32(0, h, 60) == reader_u32(&r);
	return 0;
}

/* As many erase blocks in a row as there are: the first distance at which there is another gives their size. */
static int
fits_ubi(const struct source *s, uint64_t at, uint64_t *ret)
{
	bool is = false;
	uint64_t block = 16384, n = 1;
	int err = ubi_head(s, at, &is);
	if (err || !is)
		return err;
	for (is = false; !is && !err && block <= 4u << 20; block *= is ? 1 : 2)
		err = ubi_head(s, at + block, &is);
	if (err || !is)
		return err ? err : found(s, at, s->size - at, ret);
	for (; n < UBI_BLOCKS_MAX && is && !err; n += is)
		err = ubi_head(s, at + n * block, &is);
	return err ? err : found(s, at, n * block, ret);
}

/* The header of a node: a CRC that neither starts nor ends inverted. 0 when there is none. */
static int
jffs2_node(const struct source *s, uint64_t at, bool big, uint32_t *ret)
{
	uint8_t h[12];
	struct reader r;
	int err = source_read(s, at, h, sizeof h);
	*ret = 0;
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(h, sizeof h));
	uint16_t magic = big ? reader_u16(&r) : reader_u16le(&r);
	(void)reader_u16(&r); /* kind */
	uint32_t n = big ? reader_u32(&r) : reader_u32le(&r), crc = big ? reader_u32(&r) : reader_u32le(&r);
	if (magic == 0x1985 && n >= sizeof h && n <= JFFS2_NODE_MAX && ~(uint32_t)crc32(0xffffffff, h, 8) == crc)
		*ret = n;
	return 0;
}

/* Nodes in a row, at multiples of four, with erased flash up to the next erase block in between. */
static int
jffs2_row(const struct source *s, uint64_t at, bool big, uint64_t *ret)
{
	uint64_t off = at, end = at;
	uint32_t n = 0;
	unsigned nodes = 0;
	int err = jffs2_node(s, at, big, &n);
	if (err || n == 0)
		return err; /* a magic number costs this one read */
	while (!err && nodes < JFFS2_NODES_MAX && off < s->size) {
		err = jffs2_node(s, off, big, &n);
		if (!err && n > 0) {
			off += ((uint64_t)n + 3) & ~UINT64_C(3);
			end = off < s->size ? off : s->size;
			nodes++;
		} else if (!err) {
			/* The rest of an erase block: the next begins at a multiple of the smallest. */
			off = (off / JFFS2_BLOCK_MIN + 1) * JFFS2_BLOCK_MIN;
			if (off > end + JFFS2_BLOCK_MAX)
				break;
		}
	}
	*ret = off - at;
	return err ? err : nodes >= 2 && found(s, at, end - at, ret);
}

static int
fits_jffs2(const struct source *s, uint64_t at, uint64_t *ret)
{
	return jffs2_row(s, at, false, ret);
}

static int
fits_jffs2_big(const struct source *s, uint64_t at, uint64_t *ret)
{
	return jffs2_row(s, at, true, ret);
}

static int
fits_elf(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t h[HEAD];
	struct reader r;
	int err;
	if (!head(s, at, h, &r, &err) || r.n < 64 || h[4] < 1 || h[4] > 2 || h[5] != 1 || h[6] != 1)
		return err; /* big-endian ones are left to those who name a whole file */
	bool wide = h[4] == 2;
	(void)reader_take(&r, wide ? 32 : 28);
	uint64_t ph = wide ? reader_u64le(&r) : reader_u32le(&r), sh = wide ? reader_u64le(&r) : reader_u32le(&r);
	(void)reader_u32le(&r);
	uint16_t eh_n = reader_u16le(&r), ph_n = reader_u16le(&r), phs = reader_u16le(&r), sh_n = reader_u16le(&r);
	uint16_t shs = reader_u16le(&r);
	uint64_t end = eh_n, left = s->size - at;
	if (eh_n != (wide ? 64 : 52) || (phs && ph_n != (wide ? 56 : 32)) || (shs && sh_n != (wide ? 64 : 40)) ||
	    ph > left || sh > left || phs > ELF_TABLE_MAX || shs > ELF_TABLE_MAX)
		return 0;
	end = phs && ph + (uint64_t)phs * ph_n > end ? ph + (uint64_t)phs * ph_n : end;
	end = shs && sh + (uint64_t)shs * sh_n > end ? sh + (uint64_t)shs * sh_n : end;
	for (unsigned i = 0; i < phs; i++) {
		uint8_t p[56];
		*ret = ((uint64_t)i + 1) * READ_COST;
		err = source_read(s, at + ph + (uint64_t)i * ph_n, p, ph_n);
		if (err)
			return err == FG_ELIMIT ? 0 : err;
		reader_init(&r, view_of(p, ph_n));
		(void)reader_take(&r, wide ? 8 : 4);
		uint64_t off = wide ? reader_u64le(&r) : reader_u32le(&r);
		(void)reader_take(&r, wide ? 16 : 8);
		uint64_t n = wide ? reader_u64le(&r) : reader_u32le(&r);
		if (off > left || n > left - off)
			return 0;
		end = off + n > end ? off + n : end;
	}
	uint64_t length;
	if ((!phs && !shs) || !found(s, at, end, &length))
		return 0;
	*ret = length;
	return 1;
}

static int
fits_crau(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t h[HEAD];
	struct reader r;
	int err;
	if (!head(s, at, h, &r, &err))
		return err;
	(void)reader_u32(&r);
	uint64_t major = reader_u64(&r), manifest = reader_u64(&r);
	/* Where its blobs end is in the manifest: all that is left is taken for them. */
	return !r.bad && major == 2 && manifest > 0 && manifest < s->size - at && found(s, at, s->size - at, ret);
}

static int
fits_mcuboot(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t h[HEAD], tlv[4];
	struct reader r;
	int err;
	if (!head(s, at, h, &r, &err))
		return err;
	(void)reader_take(&r, 8);
	uint64_t header = reader_u16le(&r), extra = reader_u16le(&r), body = reader_u32le(&r), left = s->size - at;
	uint64_t end = header + body;
	if (r.bad || header < 32 || header > 65535 || body == 0 || end + extra > left)
		return 0;
	/* Protected records, if any, and the others behind them: magic and length each. */
	for (unsigned i = 0; i < 2; i++) {
		err = source_read(s, at + end, tlv, sizeof tlv);
		if (err)
			return err == FG_ELIMIT ? 0 : err;
		reader_init(&r, view_of(tlv, sizeof tlv));
		uint16_t magic = reader_u16le(&r), n = reader_u16le(&r);
		if (magic != (i == 0 && extra ? 0x6908 : 0x6907) || n < 4 || n > left - end)
			return 0;
		end += n;
		if (i == 0 && !extra)
			break;
	}
	return found(s, at, end, ret);
}

/* An application or bootloader whose checksum fits. */
static int
fits_esp32(const struct source *s, uint64_t at, uint64_t *ret)
{
	struct esp32_layout l;
	struct source rest;
	uint8_t sum, said;
	int err = source_window(s, at, s->size - at, &rest);
	if (!err)
		err = esp32_layout_read(&rest, &l);
	if (err || l.bad)
		return err;
	err = esp32_layout_checksum(&rest, &l, &sum);
	if (!err)
		err = source_read(&rest, l.checksum_at, &said, 1);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	int fits = found(s, at, l.end, ret); /* gone through in either case */
	return fits && sum == said;
}

static int
fits_android_boot(const struct source *s, uint64_t at, uint64_t *ret)
{
	struct androidboot b;
	struct source rest;
	int r = source_window(s, at, s->size - at, &rest);
	if (!r)
		r = androidboot_read(&rest, &b);
	return r <= 0 || b.bad ? (r < 0 ? r : 0) : found(s, at, b.end, ret);
}

/* From a local header on to the first end record that knows where it began. */
static int
fits_zip(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t local[ZIP_LOCAL], *chunk;
	struct reader h;
	int err = source_read(s, at, local, sizeof local), yes = 0;
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&h, view_of(local, sizeof local));
	(void)reader_u32le(&h);
	uint16_t version = reader_u16le(&h);
	(void)reader_take(&h, 20);
	uint16_t name_n = reader_u16le(&h);
	if ((version & 0xff) > ZIP_VERSION_MAX || name_n == 0 || name_n > PART_NAME_MAX)
		return 0;
	chunk = malloc(CHUNK);
	err = chunk ? 0 : FG_ENOMEM;
	for (uint64_t off = at; !err && !yes && off + ZIP_END <= s->size; off += CHUNK - ZIP_END) {
		long n = source_read_some(s, off, chunk, CHUNK);
		if (n < 0)
			err = (int)n;
		for (long i = 0; !yes && i + ZIP_END <= n; i++) {
			struct reader r;
			if (chunk[i] != 'P' || memcmp(chunk + i, "PK\5\6", 4) != 0)
				continue;
			reader_init(&r, view_of(chunk + i + 12, 10));
			uint64_t size = reader_u32le(&r), start = reader_u32le(&r);
			uint16_t comment = reader_u16le(&r);
			uint64_t end = off + (uint64_t)i - at;
			yes = start + size == end && found(s, at, end + ZIP_END + comment, ret);
		}
	}
	free(chunk);
	*ret = yes ? *ret : s->size - at;
	return err ? err : yes;
}

/* Bytes of the SEQUENCE that begins at der, of n; 0 when it is none or reaches beyond them. */
static size_t
der_length(const uint8_t *der, size_t n)
{
	size_t length = 0;
	if (n <= 8)
		return 0;
	if (der[1] < 0x80)
		length = 2 + (size_t)der[1];
	else if (der[1] == 0x81)
		length = 3 + (size_t)der[2];
	else if (der[1] == 0x82)
		length = 4 + ((size_t)der[2] << 8 | der[3]);
	return length <= n ? length : 0;
}

/* A SEQUENCE of a SEQUENCE that OpenSSL reads as a certificate, and whose encoding is that long. */
static int
fits_certificate(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t der[DER_MAX];
	long n = source_read_some(s, at, der, sizeof der);
	if (n < 0)
		return (int)n;
	size_t length = der_length(der, (size_t)n);
	if (length < 128 || der[4] != 0x30 || der[5] != 0x82)
		return 0;
	const uint8_t *p = der;
	*ret = DECODE_COST;
	X509 *x = d2i_X509(NULL, &p, (long)length);
	X509_free(x);
	return x && p == der + length && found(s, at, length, ret);
}

/* PKCS #8, PKCS #1 or SEC 1: version 0 or 1, then what each has next. */
static int
fits_private_key(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t der[DER_MAX];
	long n = source_read_some(s, at, der, sizeof der);
	if (n < 0)
		return (int)n;
	size_t length = der_length(der, (size_t)n);
	size_t head = der[1] < 0x80 ? 2 : der[1] == 0x81 ? 3 : 4;
	if (length < KEY_MIN || der[head] != 0x02 || der[head + 1] != 1 || der[head + 2] > 1 ||
	    (der[head + 3] != 0x30 && der[head + 3] != 0x02 && der[head + 3] != 0x04))
		return 0;
	const uint8_t *p = der;
	*ret = DECODE_COST;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)length);
	EVP_PKEY_free(key);
	OPENSSL_cleanse(der, sizeof der);
	return key && p == der + length && found(s, at, length, ret);
}

/* Rows of 32 bytes, each with its magic: type, place, size, label. */
static int
fits_esp32_table(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t row[ESP32_ROW];
	struct reader r;
	int err = source_read(s, at, row, sizeof row);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(row + 4, 8));
	uint32_t place = reader_u32le(&r), size = reader_u32le(&r);
	size_t label = strnlen((const char *)row + 12, 16);
	for (size_t i = 0; i < label; i++)
		if (row[12 + i] < 0x20 || row[12 + i] > 0x7e)
			return 0;
	return place % ESP32_LAYOUT_SECTOR == 0 && size > 0 && label > 0 && found(s, at, ESP32_LAYOUT_TABLE, ret);
}

static const struct part_probe table[] = {
	{ "uimage", "\x27\x05\x19\x56", 4, 1, 0, fits_uimage, PART_PROBE_ANY },
	{ "squashfs", "hsqs", 4, 1, 0, fits_squashfs, PART_PROBE_ANY },
	{ "fdt", "\xd0\x0d\xfe\xed", 4, 4, 0, fits_fdt, PART_PROBE_ANY },
	{ "cpio", "070701", 6, 1, 0, part_cpio_length, PART_PROBE_ANY },
	{ "cpio", "070702", 6, 1, 0, part_cpio_length, PART_PROBE_ANY },
	{ "tar", "ustar", 5, 1, 257, part_tar_length, PART_PROBE_ANY },
	/* With boot code in front or without, in either byte order. */
	{ "cramfs", "\x45\x3d\xcd\x28", 4, 4, PART_CRAMFS_SHIFT, part_cramfs_length, PART_PROBE_ANY },
	{ "cramfs", "\x45\x3d\xcd\x28", 4, 4, 0, part_cramfs_length, PART_PROBE_ANY },
	{ "cramfs", "\x28\xcd\x3d\x45", 4, 4, PART_CRAMFS_SHIFT, part_cramfs_length, PART_PROBE_ANY },
	{ "cramfs", "\x28\xcd\x3d\x45", 4, 4, 0, part_cramfs_length, PART_PROBE_ANY },
	{ "ext4", "\x53\xef", 2, 512, 0x438, fits_ext4, PART_PROBE_ANY },
	{ "fat", "\x55\xaa", 2, 512, 510, part_fat_length, PART_PROBE_ANY },
	{ "ubi", "UBI#", 4, 512, 0, fits_ubi, PART_PROBE_ROW },
	{ "jffs2", "\x85\x19", 2, 4, 0, fits_jffs2, PART_PROBE_ROW },
	{ "jffs2", "\x19\x85", 2, 4, 0, fits_jffs2_big, PART_PROBE_ROW },
	{ "elf", "\x7f" "ELF", 4, 4, 0, fits_elf, PART_PROBE_ANY },
	{ "android-payload", "CrAU", 4, 1, 0, fits_crau, PART_PROBE_ANY },
	{ "mcuboot", "\x3d\xb8\xf3\x96", 4, 4, 0, fits_mcuboot, PART_PROBE_ANY },
	{ "android-boot", "ANDROID!", 8, 4, 0, fits_android_boot, PART_PROBE_ANY },
	{ "vendor-boot", "VNDRBOOT", 8, 4, 0, fits_android_boot, PART_PROBE_ANY },
	{ "zip", "PK\3\4", 4, 1, 0, fits_zip, PART_PROBE_ANY },
	{ "certificate", "\x30\x82", 2, 1, 0, fits_certificate, PART_PROBE_NOTHING },
	{ "private-key", "\x30\x82", 2, 1, 0, fits_private_key, PART_PROBE_NOTHING },
	{ "private-key", "\x30\x81", 2, 1, 0, fits_private_key, PART_PROBE_NOTHING },
	{ "private-key", "\x30\x77\x02\x01\x01\x04", 6, 1, 0, fits_private_key, PART_PROBE_NOTHING }, /* SEC 1, P-256 */
	{ "private-key", "\x30\x2e\x02\x01\x00\x30", 6, 1, 0, fits_private_key, PART_PROBE_NOTHING }, /* Ed25519 */
	{ "esp32-partitions", "\xaa\x50", 2, ESP32_LAYOUT_SECTOR, 0, fits_esp32_table, PART_PROBE_ANY },
	{ "esp32", "\xe9", 1, ESP32_LAYOUT_SECTOR, 0, fits_esp32, PART_PROBE_ANY },
};

const struct part_probe *
part_probe(unsigned k)
{
	return k < sizeof table / sizeof table[0] ? &table[k] : NULL;
}
