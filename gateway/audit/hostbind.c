/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/hostbind.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/file/fdio.h"

#define MAGIC "fotagate-host 1\n"
#define ASIDE HOSTBIND_FILE ".new"
#define FILE_MAX 512
#define SHORT 4 /* bytes of a digest that a person is shown */

struct binding {
	uint64_t inode;
	uint64_t born_s, born_ns; /* both 0: the file system does not tell */
	struct hostbind_ids ids;
};

/* ---- text ---- */

static size_t
encode(const struct binding *b, char dst[FILE_MAX])
{
	char machine[DIGEST_HEX_LEN + 1], product[DIGEST_HEX_LEN + 1];
	hex_encode(b->ids.machine, sizeof b->ids.machine, machine);
	hex_encode(b->ids.product, sizeof b->ids.product, product);
	int n = snprintf(dst, FILE_MAX, MAGIC "inode %" PRIu64 "\nborn %" PRIu64 " %" PRIu64 "\nmachine %s\nproduct %s\n",
	    b->inode, b->born_s, b->born_ns, machine, product);
	if (n < 0 || n >= FILE_MAX)
		abort(); /* every part has a bound */
	return (size_t)n;
}

static bool
take(struct view *rest, const char *word)
{
	size_t n = strlen(word);
	if (rest->n < n || memcmp(rest->p, word, n))
		return false;
	*rest = view_of(rest->p + n, rest->n - n);
	return true;
}

static bool
take_number(struct view *rest, uint64_t *ret)
{
	size_t i = 0;
	*ret = 0;
	for (; i < rest->n && rest->p[i] >= '0' && rest->p[i] <= '9'; i++) {
		if (__builtin_mul_overflow(*ret, 10, ret) || __builtin_add_overflow(*ret, (uint64_t)(rest->p[i] - '0'), ret))
			return false;
	}
	*rest = view_of(rest->p + i, rest->n - i);
	return i > 0;
}

static bool
take_digest(struct view *rest, uint8_t ret[DIGEST_SHA256_LEN])
{
	if (rest->n < DIGEST_HEX_LEN || !hex_decode(view_of(rest->p, DIGEST_HEX_LEN), ret, DIGEST_SHA256_LEN))
		return false;
	*rest = view_of(rest->p + DIGEST_HEX_LEN, rest->n - DIGEST_HEX_LEN);
	return true;
}

static bool
parse(struct view text, struct binding *ret)
{
	return take(&text, MAGIC "inode ") && take_number(&text, &ret->inode) && take(&text, "\nborn ") &&
	    take_number(&text, &ret->born_s) && take(&text, " ") && take_number(&text, &ret->born_ns) &&
	    take(&text, "\nmachine ") && take_digest(&text, ret->ids.machine) && take(&text, "\nproduct ") &&
	    take_digest(&text, ret->ids.product) && take(&text, "\n") && text.n == 0;
}

static bool
is_known(const uint8_t digest[DIGEST_SHA256_LEN])
{
	static const uint8_t unknown[DIGEST_SHA256_LEN];
	return memcmp(digest, unknown, sizeof unknown) != 0;
}

static void
shortly(const uint8_t digest[DIGEST_SHA256_LEN], char dst[2 * SHORT + 1])
{
	if (is_known(digest))
		hex_encode(digest, SHORT, dst);
	else
		memcpy(dst, "unknown", sizeof "unknown");
}

static void
tell(const struct binding *b, char told[HOSTBIND_TEXT])
{
	char machine[2 * SHORT + 1], product[2 * SHORT + 1];
	shortly(b->ids.machine, machine);
	shortly(b->ids.product, product);
	snprintf(told, HOSTBIND_TEXT, "inode %" PRIu64 " born %" PRIu64 ".%09" PRIu64 ", machine-id %s, product %s", b->inode,
	    b->born_s, b->born_ns, machine, product);
}

/* ---- files ---- */

/* What the file is now. */
static int
identify(int fd, struct binding *ret)
{
	struct statx s;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &s))
		return FG_EIO;
	ret->inode = s.stx_ino;
	ret->born_s = ret->born_ns = 0;
	if ((s.stx_mask & STATX_BTIME) && s.stx_btime.tv_sec > 0) {
		ret->born_s = (uint64_t)s.stx_btime.tv_sec;
		ret->born_ns = s.stx_btime.tv_nsec;
	}
	return FG_OK;
}

/*
 * What the binding says and which file it is. FG_ENOTFOUND; FG_EFORMAT: not to be read,
 * or no regular file.
 */
static int
read_binding(int dir, struct binding *said, struct binding *is)
{
	uint8_t buf[FILE_MAX];
	*said = *is = (struct binding){ 0 };
	int fd = openat(dir, HOSTBIND_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : errno == ELOOP ? FG_EFORMAT : FG_EIO;
	int err = identify(fd, is);
	ssize_t n = err ? 0 : read(fd, buf, sizeof buf);
	if (n < 0)
		err = errno == EISDIR ? FG_EFORMAT : FG_EIO;
	close(fd);
	return err ? err : parse(view_of(buf, (size_t)n), said) ? FG_OK : FG_EFORMAT;
}

int
hostbind_make(int dir, const struct hostbind_ids *here, char told[HOSTBIND_TEXT])
{
	char text[FILE_MAX];
	struct binding b = { .ids = *here };
	/* Made anew: one that a crash left here may be a copy's. The name changes later, the inode does not. */
	if (unlinkat(dir, ASIDE, 0) && errno != ENOENT)
		return FG_EIO;
	int fd = openat(dir, ASIDE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return FG_EIO;
	int err = identify(fd, &b);
	size_t n = encode(&b, text);
	if (!err)
		err = fdio_write(fd, view_of(text, n));
	if (!err && fsync(fd))
		err = FG_EIO;
	close(fd);
	tell(&b, told);
	return err;
}

int
hostbind_settle(int dir)
{
	return renameat(dir, ASIDE, dir, HOSTBIND_FILE) || fsync(dir) ? FG_EIO : FG_OK;
}

int
hostbind_tell(int dir, char told[HOSTBIND_TEXT])
{
	struct binding said, is;
	int err = read_binding(dir, &said, &is);
	if (!err)
		tell(&said, told);
	else
		snprintf(told, HOSTBIND_TEXT, "%s", err == FG_ENOTFOUND ? "none" : "one that cannot be read");
	return err == FG_EIO ? err : FG_OK;
}

int
hostbind_release(int dir)
{
	if (unlinkat(dir, HOSTBIND_FILE, 0) && errno != ENOENT)
		return FG_EIO;
	return fsync(dir) == 0 ? FG_OK : FG_EIO;
}

/* ---- judging ---- */

static bool
is_another(const uint8_t a[DIGEST_SHA256_LEN], const uint8_t b[DIGEST_SHA256_LEN])
{
	return is_known(a) && is_known(b) && memcmp(a, b, DIGEST_SHA256_LEN) != 0;
}

static bool
is_born_otherwise(const struct binding *a, const struct binding *b)
{
	return a->born_s && b->born_s && (a->born_s != b->born_s || a->born_ns != b->born_ns);
}

/* What differs; NULL when nothing does. */
static const char *
difference(const struct binding *said, const struct binding *is, const struct hostbind_ids *here)
{
	if (is_another(said->ids.machine, here->machine))
		return "another machine: its machine-id is not the one this log is bound to";
	if (is_another(said->ids.product, here->product))
		return "another machine: its product UUID is not the one this log is bound to";
	if (said->inode != is->inode)
		return "its files were copied: audit/host is another inode than it says";
	if (is_born_otherwise(said, is))
		return "its files were copied: audit/host is younger or older than it says";
	return NULL;
}

int
hostbind_check(int dir, const struct hostbind_ids *here, enum hostbind_verdict *ret, char why[HOSTBIND_TEXT])
{
	struct binding said, is;
	int err = read_binding(dir, &said, &is);
	const char *what = err == FG_EFORMAT ? "audit/host cannot be read: whose log this is, is not known"
	    : err ? NULL : difference(&said, &is, here);
	*ret = err == FG_ENOTFOUND ? HOSTBIND_NONE : err || what ? HOSTBIND_OTHER : HOSTBIND_SAME;
	snprintf(why, HOSTBIND_TEXT, "%s", what ? what : "");
	return err == FG_EIO ? err : FG_OK;
}
