/* SPDX-License-Identifier: Apache-2.0 */
#include "images/esp32.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/keyform.h"
#include "crypto/reader.h"
#include "images/esp32_block.h"
#include "images/esp32_layout.h"

#define IMAGES_MAX 8       /* bootloader, factory and several slots in one flash image */
#define DESCRIPTION_LEN 256 /* esp_app_desc_t */
#define DESCRIPTION_MAGIC 0xabcd5432u
#define BOOTLOADER_MAGIC 0x50
#define V1_LEN 68           /* signature of secure boot v1: version and r||s */

/* One image at work. */
struct job {
	struct walk *w;
	struct esp32_layout l;
	struct walk_span span; /* what is signed: all before the sector */
	bool sector;           /* there is one */
	uint64_t end;          /* of image and sector */
	struct walk_signed by;
};

static const char *
chip_name(uint16_t id)
{
	static const struct {
		uint16_t id;
		const char *name;
	} chips[] = { { 0x00, "esp32" }, { 0x02, "esp32s2" }, { 0x05, "esp32c3" }, { 0x09, "esp32s3" },
		{ 0x0c, "esp32c2" }, { 0x0d, "esp32c6" }, { 0x10, "esp32h2" }, { 0x12, "esp32p4" },
		{ 0x14, "esp32c61" }, { 0x17, "esp32c5" }, { 0x19, "esp32h21" }, { 0x1c, "esp32h4" } };
	for (size_t i = 0; i < sizeof chips / sizeof *chips; i++)
		if (chips[i].id == id)
			return chips[i].name;
	return NULL;
}

/* ---- integrity ---- */

static int
check_sums(struct job *j)
{
	uint8_t want = 0, tail[16], sum[DIGEST_LEN_MAX], said[ESP32_LAYOUT_HASH];
	const struct esp32_layout *l = &j->l;
	uint64_t at = l->checksum_at;
	size_t n = (size_t)(at + 1 - l->data_end);
	int err = esp32_layout_checksum(j->w->image, l, &want);
	if (!err)
		err = source_read(j->w->image, l->data_end, tail, n);
	if (err)
		return err;
	if (tail[n - 1] != want)
		walk_raise(j->w, FINDING_FMT_INTEGRITY, &at, "the checksum is %02x and should be %02x",
		    tail[n - 1], want);
	for (size_t i = 0; i + 1 < n; i++)
		if (tail[i] != 0) {
			walk_raise(j->w, FINDING_FMT_HIDDEN_BYTES, &l->data_end,
			    "the filling before the checksum is not zero");
			break;
		}
	if (!l->hashed)
		return 0;
	struct walk_span all = { .range = { { 0, at + 1 } }, .n = 1 };
	err = walk_digest(j->w, &all, DIGEST_SHA256, sum);
	at++;
	if (!err)
		err = source_read(j->w->image, at, said, sizeof said);
	if (!err && memcmp(sum, said, sizeof said) != 0)
		walk_raise(j->w, FINDING_FMT_INTEGRITY, &at, "the appended SHA-256 is another");
	return err;
}

/* ---- signatures ---- */

static bool
is_the_blocks_key(const struct trust_key *key, const void *arg)
{
	return EVP_PKEY_eq(key->pkey, arg) == 1;
}

/* The name that the chip's fuses know a key by; said by the file, so only a hint. */
static int
key_hint(struct job *j, unsigned i, const struct esp32_block *b)
{
	struct walk_signed nobody = { .n = 0 };
	uint8_t sum[DIGEST_SHA256_LEN];
	char hex[2 * DIGEST_SHA256_LEN + 1], text[96];
	int err = digest_sha256(b->named, sum);
	if (err)
		return err;
	hex_encode(sum, sizeof sum, hex);
	snprintf(text, sizeof text, "block %u: key digest %s", i, hex);
	walk_fact(j->w, CONTENTS_FACT_KEY_HINT, nobody, view_str(text));
	return 0;
}

/* The block's own statements about image and key. *ret_key is NULL when it is settled already. */
static int
prepare(struct job *j, const struct esp32_block *b, EVP_PKEY **ret_key)
{
	uint8_t sum[DIGEST_LEN_MAX];
	bool fits = true;
	*ret_key = NULL;
	if (b->bad || b->weak) {
		walk_settle(j->w, b->scheme, b->bad ? SIG_INVALID : SIG_WEAK, "%s",
		    b->bad ? b->bad : "P-192 is below what is allowed");
		return 0;
	}
	int err = walk_digest(j->w, &j->span, b->alg, sum);
	if (!err && memcmp(sum, b->digest.p, b->digest.n) != 0) {
		walk_settle(j->w, b->scheme, SIG_INVALID, "the block is about another image");
		return 0;
	}
	if (!err && b->rsa)
		err = keyform_montgomery_le(b->modulus, b->rr, b->m_prime, &fits);
	if (!err)
		err = b->rsa ? keyform_rsa_le(b->modulus, b->exponent, ret_key)
		             : keyform_ec_le(b->x, b->y, ret_key);
	if (err == FG_EFORMAT || (!err && !fits)) {
		EVP_PKEY_free(*ret_key);
		*ret_key = NULL;
		walk_settle(j->w, b->scheme, SIG_INVALID, "the key in the block is none");
		return 0;
	}
	return err;
}

static int
judge_block(struct job *j, unsigned i, const uint8_t bytes[ESP32_BLOCK_LEN])
{
	uint64_t at = j->l.sector + (uint64_t)i * ESP32_BLOCK_LEN;
	struct walk_signed by = { .n = 0 };
	struct esp32_block b;
	EVP_PKEY *key = NULL;
	esp32_block_read(bytes, &b);
	if (b.hidden)
		walk_raise(j->w, FINDING_FMT_HIDDEN_BYTES, &at,
		    "signature block %u: bytes that should be zero are not", i);
	int err = b.named.n ? key_hint(j, i, &b) : 0;
	if (!err)
		err = prepare(j, &b, &key);
	if (err || !key)
		return err;
	struct walk_claim claim = { .scheme = b.scheme,
		.as = b.as,
		.signature = view_of(b.signature, b.signature_n),
		.span = j->span,
		.embedded = key,
		.candidate = is_the_blocks_key,
		.arg = key };
	err = walk_keys(j->w, &claim, &by);
	EVP_PKEY_free(key);
	/* Every byte of a block that fits is its key's, its signature's, or was checked. */
	if (!err && walk_verified(j->w, by) && !b.hidden)
		walk_structure(j->w, at, ESP32_BLOCK_LEN);
	return err;
}

/* Up to three blocks from the start on; what is behind them is erased. */
static int
judge_sector(struct job *j)
{
	uint8_t *sector = malloc(ESP32_LAYOUT_SECTOR);
	unsigned n = 0, mark = walk_mark(j->w);
	int err = sector ? source_read(j->w->image, j->l.sector, sector, ESP32_LAYOUT_SECTOR) : FG_ENOMEM;
	for (; n < ESP32_BLOCKS_MAX && !err; n++) {
		if (esp32_block_is_erased(sector + (size_t)n * ESP32_BLOCK_LEN))
			break;
		err = judge_block(j, n, sector + (size_t)n * ESP32_BLOCK_LEN);
	}
	j->by = walk_since(j->w, mark);
	size_t rest = (size_t)n * ESP32_BLOCK_LEN;
	while (!err && rest < ESP32_LAYOUT_SECTOR && sector[rest] == 0xff)
		rest++;
	uint64_t at = j->l.sector + rest;
	if (!err && rest < ESP32_LAYOUT_SECTOR)
		walk_raise(j->w, FINDING_FMT_HIDDEN_BYTES, &at, "bytes behind the last signature block");
	else if (!err)
		walk_structure(j->w, j->l.sector + (uint64_t)n * ESP32_BLOCK_LEN,
		    ESP32_LAYOUT_SECTOR - (uint64_t)n * ESP32_BLOCK_LEN);
	free(sector);
	return err;
}

/* Whether a sector is there, and that nothing hides between it and the image. */
static int
find_sector(struct job *j)
{
	uint8_t gap[ESP32_LAYOUT_SECTOR], first = 0;
	const struct esp32_layout *l = &j->l;
	j->end = l->end;
	if (j->w->image->size < l->sector + ESP32_LAYOUT_SECTOR)
		return 0;
	int err = source_read(j->w->image, l->sector, &first, 1);
	size_t n = (size_t)(l->sector - l->end);
	if (!err)
		err = source_read(j->w->image, l->end, gap, n);
	if (err || first != ESP32_BLOCK_MAGIC)
		return err;
	j->sector = true;
	j->end = l->sector + ESP32_LAYOUT_SECTOR;
	j->span = (struct walk_span){ .range = { { 0, l->sector } }, .n = 1 };
	for (size_t i = 0; i < n; i++)
		if (gap[i] != gap[0] || (gap[0] != 0 && gap[0] != 0xff)) {
			uint64_t at = l->end + i;
			walk_raise(j->w, FINDING_FMT_HIDDEN_BYTES, &at,
			    "the filling between image and signature sector is not even");
			break;
		}
	return 0;
}

/* Secure boot v1: a version word of 0 and r||s, to the end. Its keys and its hash are of another time. */
static int
find_v1(struct job *j)
{
	uint8_t version[4];
	if (j->sector || j->w->image->size - j->l.end != V1_LEN)
		return 0;
	int err = source_read(j->w->image, j->l.end, version, sizeof version);
	if (err || memcmp(version, "\0\0\0", 4) != 0)
		return err;
	j->end = j->w->image->size;
	walk_settle(j->w, "esp32/secure-boot-v1", SIG_OPAQUE,
	    "secure boot v1, which its maker replaced; it is not checked here");
	return 0;
}

/* ---- claims ---- */

/* A field of fixed length, up to its first NUL. */
static struct view
field(struct reader *r, size_t n)
{
	struct view v = reader_take(r, n);
	const uint8_t *end = v.n ? memchr(v.p, 0, v.n) : NULL;
	return end ? view_of(v.p, (size_t)(end - v.p)) : v;
}

static void
note(struct job *j, const char *before, struct view a, const char *between, struct view b)
{
	char text[CONTENTS_VALUE_MAX];
	snprintf(text, sizeof text, "%s%.*s%s%.*s", before, (int)a.n, (const char *)a.p, between, (int)b.n,
	    (const char *)b.p);
	walk_fact(j->w, CONTENTS_FACT_NOTE, j->by, view_str(text));
}

static void
application(struct job *j, struct reader *r)
{
	uint32_t secure = reader_u32le(r);
	(void)reader_u64le(r);
	struct view version = field(r, 32), project = field(r, 32), time = field(r, 16), date = field(r, 16);
	struct view idf = field(r, 32), elf = reader_take(r, DIGEST_SHA256_LEN);
	char hex[2 * DIGEST_SHA256_LEN + 1];
	walk_fact(j->w, CONTENTS_FACT_TYPE, j->by, view_str("application"));
	walk_fact(j->w, CONTENTS_FACT_VERSION, j->by, version);
	walk_fact_uint(j->w, CONTENTS_FACT_SECURITY_COUNTER, j->by, secure);
	walk_fact(j->w, CONTENTS_FACT_BUILD, j->by, project);
	note(j, "built ", date, " ", time);
	note(j, "ESP-IDF ", idf, "", view_of("", 0));
	hex_encode(elf.p, elf.n, hex);
	walk_fact(j->w, CONTENTS_FACT_DIGEST, j->by, view_str(hex));
}

/* Bootloaders of ESP-IDF 5.2 and later; its one byte of magic counts only with a version behind it. */
static void
bootloader(struct job *j, struct reader *r)
{
	(void)reader_take(r, 2);
	uint8_t secure = reader_u8(r);
	uint32_t version = reader_u32le(r);
	struct view idf = field(r, 32), date = field(r, 24);
	if (idf.n < 2 || idf.p[0] != 'v')
		return;
	walk_fact(j->w, CONTENTS_FACT_TYPE, j->by, view_str("bootloader"));
	walk_fact_uint(j->w, CONTENTS_FACT_VERSION, j->by, version);
	walk_fact_uint(j->w, CONTENTS_FACT_SECURITY_COUNTER, j->by, secure);
	note(j, "ESP-IDF ", idf, ", built ", date);
}

static void
chip(struct job *j)
{
	struct reader r;
	char text[64];
	reader_init(&r, view_of(j->l.header, sizeof j->l.header));
	(void)reader_take(&r, 12);
	uint16_t id = reader_u16le(&r);
	(void)reader_u8(&r); /* least revision as older tools wrote it */
	uint16_t least = reader_u16le(&r), most = reader_u16le(&r);
	const char *name = chip_name(id);
	if (name)
		snprintf(text, sizeof text, "%s", name);
	else
		snprintf(text, sizeof text, "chip 0x%04x", id);
	walk_fact(j->w, CONTENTS_FACT_COMPATIBLE, j->by, view_str(text));
	if (least) {
		snprintf(text, sizeof text, "chip revision %u.%u or later", least / 100, least % 100);
		walk_fact(j->w, CONTENTS_FACT_REQUIRES, j->by, view_str(text));
	}
	if (most && most != 0xffff) {
		snprintf(text, sizeof text, "chip revision %u.%u or earlier", most / 100, most % 100);
		walk_fact(j->w, CONTENTS_FACT_REQUIRES, j->by, view_str(text));
	}
}

/* A description stands at the start of the first segment. */
static int
claims(struct job *j)
{
	uint8_t b[DESCRIPTION_LEN] = { 0 };
	struct reader r;
	size_t n = j->l.segment[0].length < sizeof b ? j->l.segment[0].length : sizeof b;
	int err = source_read(j->w->image, j->l.segment[0].at, b, n);
	if (err)
		return err;
	chip(j);
	reader_init(&r, view_of(b, sizeof b));
	if (n == sizeof b && reader_u32le(&r) == DESCRIPTION_MAGIC) {
		application(j, &r);
	} else if (n >= 80 && b[0] == BOOTLOADER_MAGIC) {
		reader_init(&r, view_of(b + 1, sizeof b - 1));
		bootloader(j, &r);
	}
	return 0;
}

/* ---- parts ---- */

static int
segments(struct job *j)
{
	int err = 0;
	for (unsigned i = 0; i < j->l.n && !err; i++) {
		char name[40];
		snprintf(name, sizeof name, "segment-%u-0x%08" PRIx32, i, j->l.segment[i].address);
		struct walk_member m = { .name = view_str(name),
			.at = { j->l.segment[i].at, j->l.segment[i].length },
			.by = j->by,
			.inside = true,
			.plain = true };
		err = walk_member(j->w, &m, NULL);
	}
	return err;
}

static int
partitions(struct job *j, uint64_t at)
{
	struct walk_member m = { .name = view_str("partition-table"),
		.at = { at, ESP32_LAYOUT_TABLE },
		.plain = true };
	return walk_member(j->w, &m, NULL);
}

/*
 * What follows up to the next image: erased flash and a partition table.
 * *ret_at is the next image's start, or the end of all. With j NULL nothing is told.
 */
static int
behind(struct job *j, const struct source *all, uint64_t from, uint64_t *ret_at)
{
	enum esp32_layout_next next = ESP32_LAYOUT_STRAY;
	uint64_t at = 0;
	for (;; from = at + ESP32_LAYOUT_TABLE) {
		int err = esp32_layout_next(all, from, &next, &at);
		if (!err && j && next != ESP32_LAYOUT_STRAY)
			walk_structure(j->w, from, at - from);
		if (!err && j && next == ESP32_LAYOUT_PARTITIONS)
			err = partitions(j, at);
		if (err)
			return err;
		if (next == ESP32_LAYOUT_PARTITIONS)
			continue;
		if (next == ESP32_LAYOUT_STRAY && j)
			walk_raise(j->w, FINDING_FMT_TRAILING_BYTES, &at,
			    "neither erased flash, nor an image or a partition table where one could be");
		*ret_at = next == ESP32_LAYOUT_IMAGE ? at : all->size;
		return 0;
	}
}

/* Where the image that starts at start ends, and all up to the next one. */
static int
extent(const struct source *all, uint64_t start, uint64_t *ret_end)
{
	struct esp32_layout l;
	struct source s;
	uint8_t first = 0;
	uint64_t end;
	int err = source_window(all, start, all->size - start, &s);
	if (!err)
		err = esp32_layout_read(&s, &l);
	if (err || l.bad) {
		*ret_end = all->size;
		return err;
	}
	end = l.end;
	if (s.size >= l.sector + ESP32_LAYOUT_SECTOR) {
		err = source_read(&s, l.sector, &first, 1);
		if (first == ESP32_BLOCK_MAGIC)
			end = l.sector + ESP32_LAYOUT_SECTOR;
	}
	if (!err)
		err = behind(NULL, &s, end, &end);
	*ret_end = start + end;
	return err;
}

/* A merged flash image: each image in it stands for itself. */
static int
followers(struct job *j, uint64_t start)
{
	uint64_t end = 0;
	int err = 0;
	for (unsigned n = 2; start < j->w->image->size && !err; n++, start = end) {
		if (n > IMAGES_MAX) {
			walk_raise(j->w, FINDING_FMT_WALK_LIMIT, &start, "more than %u images", IMAGES_MAX);
			walk_raise(j->w, FINDING_FMT_TRAILING_BYTES, &start,
			    "another image follows, whose signatures were not looked at");
			break;
		}
		err = extent(j->w->image, start, &end);
		if (err)
			break;
		err = walk_follower(j->w, n, (struct sig_range){ start, end - start });
	}
	return err;
}

static int
judge(struct job *j)
{
	uint64_t next = 0;
	int err = check_sums(j);
	if (!err)
		err = find_sector(j);
	if (!err)
		err = find_v1(j);
	if (!err && j->sector)
		err = judge_sector(j);
	if (!err)
		err = claims(j);
	if (!err)
		err = segments(j);
	if (!err)
		err = behind(j, j->w->image, j->end, &next);
	if (!err)
		err = followers(j, next);
	return err;
}

int
esp32_walk(struct walk *w)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return FG_ENOMEM;
	j->w = w;
	int err = esp32_layout_read(w->image, &j->l);
	if (!err && j->l.bad)
		walk_raise(w, FINDING_FMT_MALFORMED, &j->l.where, "%s", j->l.bad);
	else if (!err)
		err = judge(j);
	free(j);
	return err;
}
