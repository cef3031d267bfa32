/* SPDX-License-Identifier: Apache-2.0 */
/* zip_member - the bytes of a zip's entries: unpacked, counted, listed. */
#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "images/zip.h"

#define CHUNK (64u << 10)
#define TARGET_MAX 4096u /* PATH_MAX */
#define METHODS_NAMED (sizeof methods / sizeof methods[0])

static const struct {
	uint16_t method;
	const char *name;
} methods[] = { { 1, "shrunk" }, { 6, "imploded" }, { 9, "deflate64" }, { 12, "bzip2" },
	{ 14, "lzma" }, { 93, "zstd" }, { 95, "xz" }, { 98, "ppmd" } };

/* An entry being unpacked. */
struct unpack {
	const struct walk *w;
	const struct zip_entry *e;
	z_stream z;
	uint64_t at, left; /* packed bytes not yet fetched */
	uint64_t out;      /* bytes that came out */
	uint32_t crc;
	bool over; /* the stream ended, and with it the packed bytes */
	uint8_t in[CHUNK];
};

static int
unpack_begin(struct unpack *u, const struct walk *w, const struct zip_entry *e)
{
	memset(&u->z, 0, sizeof u->z);
	u->w = w;
	u->e = e;
	u->at = e->data;
	u->left = e->packed;
	u->out = 0;
	u->crc = 0;
	u->over = false;
	/* Raw deflate, whatever window it asks for. */
	return inflateInit2(&u->z, -MAX_WBITS) == Z_OK ? 0 : FG_ENOMEM;
}

static int
refill(struct unpack *u)
{
	size_t n = u->left < sizeof u->in ? (size_t)u->left : sizeof u->in;
	if (u->z.avail_in > 0 || n == 0)
		return 0;
	int err = source_read(u->w->image, u->at, u->in, n);
	u->z.next_in = u->in;
	u->z.avail_in = err ? 0 : (uInt)n;
	u->at += n;
	u->left -= n;
	return err;
}

/* For walk_member(): never more than the directory said, and only from a stream that uses all its bytes. */
static long
unpack_read(void *arg, void *buf, size_t n)
{
	struct unpack *u = arg;
	size_t want = n < UINT32_MAX ? n : UINT32_MAX;
	u->z.next_out = buf;
	u->z.avail_out = (uInt)want;
	while (!u->over && u->z.avail_out > 0) {
		int err = refill(u);
		if (err)
			return err;
		int rc = inflate(&u->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			u->over = true;
		else if (rc == Z_MEM_ERROR)
			return FG_ENOMEM;
		else if (rc != Z_OK)
			return FG_EFORMAT; /* Z_BUF_ERROR too: no input is left and it is not over */
	}
	size_t got = want - u->z.avail_out;
	u->out += got;
	if (u->out > u->e->size || (u->over && (u->z.avail_in > 0 || u->left > 0)))
		return FG_EFORMAT;
	u->crc = (uint32_t)crc32_z(u->crc, buf, got);
	return (long)got;
}

static int
unpack_again(void *arg)
{
	struct unpack *u = arg;
	inflateEnd(&u->z);
	return unpack_begin(u, u->w, u->e);
}

static int
crc_stored(const struct walk *w, const struct zip_entry *e, uint32_t *ret)
{
	uint8_t *chunk = malloc(SOURCE_CHUNK);
	uint64_t at = e->data, left = e->packed;
	int err = chunk ? 0 : FG_ENOMEM;
	*ret = 0;
	while (left > 0 && !err) {
		size_t n = left < SOURCE_CHUNK ? (size_t)left : SOURCE_CHUNK;
		err = source_read(w->image, at, chunk, n);
		if (!err)
			*ret = (uint32_t)crc32_z(*ret, chunk, n);
		at += n;
		left -= n;
	}
	free(chunk);
	return err;
}

static int
load_packed(struct walk *w, const struct zip_entry *e, uint8_t *bytes)
{
	struct unpack *u = malloc(sizeof *u);
	int err = u ? unpack_begin(u, w, e) : FG_ENOMEM;
	size_t have = 0;
	while (!err) {
		/* One byte of room more than it may have, so that its end is seen. */
		long n = unpack_read(u, bytes + have, (size_t)e->size + 1 - have);
		if (n <= 0) {
			err = (int)n;
			break;
		}
		have += (size_t)n;
	}
	if (!err && (have != e->size || u->crc != e->crc || !u->over))
		err = FG_EFORMAT;
	if (u)
		inflateEnd(&u->z);
	free(u);
	return err;
}

int
zip_load(struct walk *w, const struct zip_entry *e, size_t max, uint8_t **ret_bytes, size_t *ret_n)
{
	if ((e->kind != ZIP_FILE && e->kind != ZIP_LINK) || e->size > max)
		return FG_EFORMAT;
	uint8_t *bytes = malloc((size_t)e->size + 1);
	if (!bytes)
		return FG_ENOMEM;
	int err;
	if (e->method == 0) {
		err = source_read(w->image, e->data, bytes, (size_t)e->size);
		if (!err && (uint32_t)crc32_z(0, bytes, (size_t)e->size) != e->crc)
			err = FG_EFORMAT;
	} else {
		err = load_packed(w, e, bytes);
	}
	if (err) {
		free(bytes);
		return err;
	}
	bytes[e->size] = '\0';
	*ret_bytes = bytes;
	*ret_n = (size_t)e->size;
	return 0;
}

/* ---- members ---- */

static int
name_n(const struct zip_entry *e)
{
	return (int)(e->name.n < 120 ? e->name.n : 120);
}

/* A target that is absolute or climbs: whoever unpacks the next entry through it writes elsewhere. */
static bool
leads_out(struct view target)
{
	size_t start = 0;
	if (target.n == 0 || target.p[0] == '/')
		return true;
	for (size_t i = 0; i <= target.n; i++) {
		if (i < target.n && target.p[i] != '/')
			continue;
		if (i - start == 2 && memcmp(target.p + start, "..", 2) == 0)
			return true;
		start = i + 1;
	}
	return false;
}

static int
judge_link(struct walk *w, const struct zip_entry *e)
{
	uint8_t *target = NULL;
	size_t n = 0;
	int err = zip_load(w, e, TARGET_MAX, &target, &n);
	if (err == FG_EFORMAT) {
		walk_raise(w, FINDING_FMT_MALFORMED, &e->header,
		    "%.*s: a symbolic link whose target cannot be read", name_n(e),
		    (const char *)e->name.p);
		return 0;
	}
	if (!err && leads_out(view_of(target, n)))
		walk_raise(w, FINDING_MEMBER_UNSAFE_NAME, &e->header, "%.*s: a symbolic link to %.*s",
		    name_n(e), (const char *)e->name.p, (int)(n < 100 ? n : 100),
		    (const char *)target);
	free(target);
	return err;
}

static void
tell_opaque(struct walk *w, const struct zip_entry *e)
{
	const char *name = "of a kind without a name";
	for (size_t i = 0; i < METHODS_NAMED; i++)
		if (methods[i].method == e->method)
			name = methods[i].name;
	if (e->method == 99 || e->flags & 1u || e->method == 0 || e->method == 8)
		walk_raise(w, FINDING_FMT_ENCRYPTED, &e->header, "%.*s", name_n(e),
		    (const char *)e->name.p);
	else
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &e->header,
		    "%.*s: packed with method %u (%s), which is not unpacked here", name_n(e),
		    (const char *)e->name.p, e->method, name);
}

/* What the entry is besides its bytes. */
static int
judge_kind(struct walk *w, const struct zip_entry *e)
{
	uint32_t type = e->unix_made ? e->attributes >> 16 & 0170000 : 0;
	if (e->kind == ZIP_OPAQUE)
		tell_opaque(w, e);
	if (type && type != 0100000 && type != 0040000 && type != 0120000)
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &e->header,
		    "%.*s: neither file, folder nor link, but of Unix type %o", name_n(e),
		    (const char *)e->name.p, type);
	return e->kind == ZIP_LINK ? judge_link(w, e) : 0;
}

int
zip_member(struct walk *w, const struct zip_entry *e, const struct zip_about *about,
    struct walk_seen *ret)
{
	struct walk_member m = { .name = e->name,
		.at = { e->data, e->packed },
		.size = e->size,
		.by = about->by,
		.inside = about->inside,
		.runs = about->runs,
		.plain = about->plain || e->kind != ZIP_FILE };
	bool packed = e->method == 8 && e->kind != ZIP_OPAQUE;
	uint32_t crc = 0;
	if (e->kind == ZIP_UNUSABLE)
		return 0;
	int err = judge_kind(w, e);
	if (about->alg != DIGEST_NONE && e->kind == ZIP_FILE) {
		m.alg = about->alg;
		memcpy(m.digest, about->digest, sizeof m.digest);
	}
	struct unpack *u = packed && !err ? malloc(sizeof *u) : NULL;
	if (packed && !err)
		err = u ? unpack_begin(u, w, e) : FG_ENOMEM;
	if (packed && !err) {
		m.read = unpack_read;
		m.again = unpack_again;
		m.arg = u;
	} else if (!err && e->kind != ZIP_OPAQUE) {
		err = crc_stored(w, e, &crc);
	}
	if (!err)
		err = walk_member(w, &m, ret);
	if (u) {
		crc = u->crc;
		/* A damaged stream was told; so was one of another size. */
		packed = u->over && u->out == e->size;
		inflateEnd(&u->z);
	}
	free(u);
	if (!err && e->kind != ZIP_OPAQUE && (packed || e->method == 0) && crc != e->crc)
		walk_raise(w, FINDING_FMT_INTEGRITY, &e->header,
		    "%.*s: its CRC-32 is %08x, the directory gives %08x", name_n(e),
		    (const char *)e->name.p, crc, e->crc);
	return err;
}

/* ---- the plain zip ---- */

/* Nobody unpacks a comment, but it is room for another archive, or for what a tool reads on the side. */
static int
tell_comment(struct walk *w, const struct zip *z)
{
	uint8_t *text = NULL;
	if (z->comment.length == 0)
		return 0;
	int err = walk_load(w, z->comment, ZIP_COMMENT_MAX, &text);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	walk_raise(w, FINDING_FMT_UNKNOWN_PART, &z->comment.offset,
	    "a comment of %" PRIu64 " bytes on the archive: %.*s", z->comment.length,
	    (int)(z->comment.length < 100 ? z->comment.length : 100), (const char *)text);
	free(text);
	return 0;
}

int
zip_walk(struct walk *w)
{
	static const struct zip_about about = { .runs = false };
	struct zip z;
	int err = zip_open(w, &z);
	if (!err)
		err = tell_comment(w, &z);
	for (size_t i = 0; i < z.n && !err; i++)
		err = zip_member(w, &z.entry[i], &about, NULL);
	zip_close(&z);
	return err;
}
