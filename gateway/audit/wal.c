/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/wal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/writer.h"
#include "gateway/audit/crc32c.h"

#define WAL_MAGIC "FGAWAL01"
#define WAL_HEADER 64
#define WAL_VERSION 1
#define WAL_RECORD_HEAD 16
#define WAL_NAME 24 /* 20 digits and ".seg" */
#define WAL_BATCH_BEGIN 0x80000000u /* in the length: first record of a batch */

struct wal {
	int dirfd;
	uint64_t *segments; /* first seq of each, ascending */
	unsigned segments_n;
	int fd;             /* the last segment, -1 before the first */
	uint64_t end;       /* where its next record goes */
	uint64_t tail;      /* where its last batch begins, as opening found it */
	uint64_t room;      /* bytes it has */
	uint64_t next;      /* seq of its next record, while any */
	bool any;
	bool torn;          /* bytes behind end that are no records: wal_cut() */
	bool headless;          /* the last segment's header never got durable: wal_cut() */
	bool dead;
	struct writer batch;
	unsigned batch_n;
	uint64_t batch_first;
};

static void
segment_name(uint64_t first, char out[32])
{
	snprintf(out, 32, "%020" PRIu64 ".seg", first);
}

static size_t
padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* ---- finding segments ---- */

static bool
parse_name(const char *name, uint64_t *ret)
{
	uint64_t v = 0;
	if (strlen(name) != WAL_NAME || strcmp(name + 20, ".seg"))
		return false;
	for (int i = 0; i < 20; i++) {
		if (name[i] < '0' || name[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(name[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int
list_segments(struct wal *w)
{
	int copy = openat(w->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		if (copy >= 0)
			close(copy);
		return FG_EIO;
	}
	int err = FG_OK;
	for (struct dirent *e; !err && (e = readdir(d));) {
		uint64_t first;
		if (!parse_name(e->d_name, &first))
			continue;
		if (w->segments_n == WAL_SEGMENTS_MAX)
			err = FG_ELIMIT;
		else
			w->segments[w->segments_n++] = first;
	}
	closedir(d);
	qsort(w->segments, w->segments_n, sizeof w->segments[0], by_value);
	return err;
}

/* ---- replay ---- */

struct scan {
	int (*replay)(void *ctx, uint64_t seq, struct view entry);
	void *ctx;
	uint64_t next;
	struct wal_found *found;
};

static bool
good_header(const uint8_t *p, uint64_t first)
{
	struct reader r;
	reader_init(&r, view_of(p, WAL_HEADER));
	bool magic = view_is(reader_take(&r, 8), WAL_MAGIC);
	uint32_t version = reader_u32(&r);
	uint64_t seq = reader_u64(&r);
	reader_take(&r, WAL_HEADER - 4 - 8 - 4 - 8);
	uint32_t crc = reader_u32(&r);
	return magic && version == WAL_VERSION && seq == first && crc == crc32c_add(0, view_of(p, WAL_HEADER - 4));
}

struct record {
	bool begins; /* a batch */
	uint64_t seq;
	struct view entry;
};

/* The whole record at that place, its checksum right. */
static bool
record_at(struct view bytes, uint64_t at, struct record *ret)
{
	struct reader r;
	if (at > bytes.n || bytes.n - at < WAL_RECORD_HEAD)
		return false;
	reader_init(&r, view_of(bytes.p + at, bytes.n - at));
	uint32_t len = reader_u32(&r);
	ret->seq = reader_u64(&r);
	uint32_t crc = reader_u32(&r);
	ret->begins = len & WAL_BATCH_BEGIN;
	ret->entry = reader_take(&r, len & ~WAL_BATCH_BEGIN);
	return !r.bad && ret->entry.n && crc32c_add(crc32c_add(0, view_of(bytes.p + at, 12)), ret->entry) == crc;
}

/* Bytes from there up to the last that is not zero; most of a segment is, so whole blocks are skipped. */
static uint64_t
used_bytes(struct view bytes, uint64_t from)
{
	static const uint8_t zeros[4096];
	uint64_t end = bytes.n;
	while (end >= from + sizeof zeros && !memcmp(bytes.p + end - sizeof zeros, zeros, sizeof zeros))
		end -= sizeof zeros;
	while (end > from && bytes.p[end - 1] == 0)
		end--;
	return end > from ? end - from : 0;
}

/* Records of one segment's bytes; *ret_end is where the good ones stop, *ret_tail where their last batch begins. */
static int
scan_records(struct scan *s, struct view bytes, uint64_t *ret_end, uint64_t *ret_tail)
{
	struct record rec;
	uint64_t at = WAL_HEADER;
	while (record_at(bytes, at, &rec) && rec.seq == s->next) {
		if (rec.begins)
			*ret_tail = at;
		int err = s->replay(s->ctx, rec.seq, rec.entry);
		if (err)
			return err;
		s->next++;
		s->found->records++;
		at += WAL_RECORD_HEAD + padded(rec.entry.n);
	}
	*ret_end = at < bytes.n ? at : bytes.n;
	return FG_OK;
}

/*
 * A power cut may keep any pages of the batch that was being written and lose
 * others, so whole records after a bad place are no sign of damage. A batch
 * that begins after it is: it was written when everything before was durable.
 */
static bool
only_a_tail(struct view bytes, uint64_t from, uint64_t used, uint64_t next)
{
	struct record rec;
	if (record_at(bytes, from, &rec))
		return false; /* whole, but not the one that comes next */
	for (uint64_t at = from + 8; at < from + used; at += 8) {
		if (record_at(bytes, at, &rec) && rec.begins && rec.seq > next)
			return false;
	}
	return true;
}

static int
read_segment(int fd, uint8_t **ret, size_t *ret_n)
{
	struct stat st;
	if (fstat(fd, &st))
		return FG_EIO;
	if (st.st_size < 0 || st.st_size > 2 * (off_t)WAL_SEGMENT)
		return FG_ELIMIT;
	size_t n = (size_t)st.st_size;
	uint8_t *p = malloc(n + 1);
	if (!p)
		return FG_ENOMEM;
	for (size_t done = 0; done < n;) {
		ssize_t r = pread(fd, p + done, n - done, (off_t)done);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			free(p);
			return FG_EIO;
		}
		done += (size_t)r;
	}
	*ret = p;
	*ret_n = n;
	return FG_OK;
}

/* Header and place in the order; false with what that means noted. */
static bool
begin_segment(struct wal *w, struct scan *s, unsigned i, struct view bytes)
{
	uint64_t first = w->segments[i];
	if (bytes.n < WAL_HEADER || !good_header(bytes.p, first)) {
		/* Records come after the header is durable: without one a last segment holds nothing. */
		uint64_t used = used_bytes(bytes, 0);
		w->headless = i + 1 == w->segments_n && used <= WAL_HEADER;
		s->found->broken |= !w->headless;
		s->found->dropped_bytes += w->headless ? used : 0;
		return false;
	}
	s->found->broken |= i > 0 && s->next != first;
	s->next = first;
	return true;
}

static int
scan_segment(struct wal *w, struct scan *s, unsigned i)
{
	char name[32];
	uint8_t *p = NULL;
	size_t n = 0;
	bool last = i + 1 == w->segments_n;
	uint64_t end = WAL_HEADER, tail = WAL_HEADER;
	segment_name(w->segments[i], name);
	int fd = openat(w->dirfd, name, (last ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return FG_EIO;
	int err = read_segment(fd, &p, &n);
	if (err)
		goto out;
	struct view bytes = view_of(p, n);
	if (!begin_segment(w, s, i, bytes))
		goto out;
	err = scan_records(s, bytes, &end, &tail);
	if (err)
		goto out;
	uint64_t left = used_bytes(bytes, end);
	if (left) {
		w->torn = true;
		s->found->dropped_bytes += left;
		s->found->broken |= !last || !only_a_tail(bytes, end, left, s->next);
	}
	w->any = w->any || s->found->records > 0;
	w->next = s->next;
	if (last) {
		w->fd = fd;
		w->end = end;
		w->tail = tail;
		w->room = n;
		fd = -1;
	}
out:
	free(p);
	if (fd >= 0)
		close(fd);
	return err;
}

int
wal_open(int dirfd, int (*replay)(void *ctx, uint64_t seq, struct view entry), void *ctx, struct wal **ret,
    struct wal_found *found)
{
	struct wal *w = calloc(1, sizeof *w);
	if (!w)
		return FG_ENOMEM;
	w->dirfd = dirfd;
	w->fd = -1;
	w->segments = calloc(WAL_SEGMENTS_MAX, sizeof w->segments[0]);
	writer_init(&w->batch, 2 * WAL_BATCH_BYTES);
	*found = (struct wal_found){ 0 };
	struct scan s = { .replay = replay, .ctx = ctx, .found = found };
	int err = w->segments ? list_segments(w) : FG_ENOMEM;
	for (unsigned i = 0; !err && i < w->segments_n; i++)
		err = scan_segment(w, &s, i);
	if (err) {
		wal_close(w);
		return err;
	}
	*ret = w;
	return FG_OK;
}

void
wal_close(struct wal *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	writer_free(&w->batch);
	free(w->segments);
	free(w);
}

bool
wal_next(const struct wal *w, uint64_t *ret)
{
	if (w->any)
		*ret = w->next;
	return w->any;
}

/* ---- writing ---- */

/*
 * Space is taken before it is needed: a full disk is met here, not in the middle of
 * a batch. On one that is nearly full a small segment will do: the entries that say
 * so need little.
 */
static int
take_room(struct wal *w)
{
	for (uint64_t n = WAL_SEGMENT; n >= WAL_SEGMENT_MIN; n /= 2) {
		int why = posix_fallocate(w->fd, 0, (off_t)n);
		if (!why) {
			w->room = n;
			return FG_OK;
		}
		if (ftruncate(w->fd, 0))
			return FG_EIO;
		errno = why; /* which posix_fallocate() does not set */
		if (why != ENOSPC && why != EDQUOT)
			return FG_EIO;
	}
	return FG_EIO;
}

static int
new_segment(struct wal *w, uint64_t first, const uint8_t root[DIGEST_SHA256_LEN])
{
	char name[32];
	struct writer head;
	if (w->segments_n == WAL_SEGMENTS_MAX)
		return FG_ELIMIT;
	segment_name(first, name);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = openat(w->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (w->fd < 0 || take_room(w))
		return FG_EIO;
	writer_init(&head, WAL_HEADER);
	writer_text(&head, WAL_MAGIC);
	writer_u32(&head, WAL_VERSION);
	writer_u64(&head, first);
	writer_bytes(&head, view_of(root, DIGEST_SHA256_LEN));
	while (head.n < WAL_HEADER - 4)
		writer_u8(&head, 0);
	writer_u32(&head, crc32c_add(0, writer_view(&head)));
	bool ok = !writer_err(&head) && pwrite(w->fd, head.p, head.n, 0) == (ssize_t)head.n && fsync(w->fd) == 0 &&
	    fsync(w->dirfd) == 0;
	writer_free(&head);
	if (!ok)
		return FG_EIO;
	w->segments[w->segments_n++] = first;
	w->end = WAL_HEADER;
	return FG_OK;
}

int
wal_put(struct wal *w, uint64_t seq, struct view entry)
{
	if (w->dead || w->torn || w->headless)
		return w->dead ? FG_EIO : FG_ESTATE;
	if (!entry.n || entry.n >= WAL_BATCH_BYTES)
		return FG_EINVAL;
	if (w->batch_n == WAL_BATCH_RECORDS ||
	    (w->batch_n && w->batch.n + entry.n + WAL_RECORD_HEAD + 8 > WAL_BATCH_BYTES))
		return FG_ELIMIT;
	size_t at = w->batch.n;
	writer_u32(&w->batch, (uint32_t)entry.n | (w->batch_n ? 0 : WAL_BATCH_BEGIN));
	writer_u64(&w->batch, seq);
	uint32_t crc = writer_err(&w->batch) ? 0 : crc32c_add(0, view_of(w->batch.p + at, 12));
	writer_u32(&w->batch, crc32c_add(crc, entry));
	writer_bytes(&w->batch, entry);
	for (size_t n = entry.n; n < padded(entry.n); n++)
		writer_u8(&w->batch, 0);
	if (writer_err(&w->batch))
		return writer_err(&w->batch);
	if (!w->batch_n)
		w->batch_first = seq;
	w->batch_n++;
	return FG_OK;
}

/* One that has no record yet is filled however little room a crash left it: the next would have its name. */
bool
wal_needs_root(const struct wal *w)
{
	return w->fd < 0 || (w->end + w->batch.n + WAL_RECORD_HEAD > w->room && w->end > WAL_HEADER);
}

int
wal_commit(struct wal *w, const uint8_t root[DIGEST_SHA256_LEN])
{
	struct view all = writer_view(&w->batch);
	int err = w->dead ? FG_EIO : FG_OK;
	if (!err && !w->batch_n)
		return FG_OK;
	if (!err && wal_needs_root(w))
		err = new_segment(w, w->batch_first, root);
	for (size_t done = 0; !err && done < all.n;) {
		ssize_t n = pwrite(w->fd, all.p + done, all.n - done, (off_t)(w->end + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			err = FG_EIO;
		else
			done += (size_t)n;
	}
	if (!err && fdatasync(w->fd))
		err = FG_EIO;
	if (err) {
		/* After a failed sync nobody knows what the kernel dropped: this descriptor is finished. */
		w->dead = true;
		return err;
	}
	w->end += all.n;
	w->next = w->batch_first + w->batch_n;
	w->any = true;
	w->batch_n = 0;
	writer_reset(&w->batch);
	return FG_OK;
}

/*
 * What opening read came from the page cache: a process that was killed, or whose
 * sync failed, may have left it there and nowhere else, and after a failed sync the
 * kernel takes it for clean. So it is written once more, the same bytes, and synced;
 * only then may anything be acknowledged that comes after it.
 */
static int
rewrite(int fd, uint64_t from, uint64_t end)
{
	size_t n = (size_t)(end - from), done = 0;
	uint8_t *p = malloc(n + 1);
	bool ok = p && pread(fd, p, n, (off_t)from) == (ssize_t)n;
	while (ok && done < n) {
		ssize_t w = pwrite(fd, p + done, n - done, (off_t)(from + done));
		if (w < 0 && errno == EINTR)
			continue;
		ok = w > 0;
		done += ok ? (size_t)w : 0;
	}
	free(p);
	return ok ? FG_OK : FG_EIO;
}

static int
settle(struct wal *w)
{
	if (w->fd >= 0 && (rewrite(w->fd, 0, WAL_HEADER) || rewrite(w->fd, w->tail, w->end) || fsync(w->fd)))
		return FG_EIO;
	return fsync(w->dirfd) ? FG_EIO : FG_OK;
}

/* Zeros behind the last good record. */
static int
trim(struct wal *w)
{
	if (ftruncate(w->fd, (off_t)w->end))
		return FG_EIO;
	int why = posix_fallocate(w->fd, 0, (off_t)w->room);
	if (why == ENOSPC || why == EDQUOT) {
		/* No room for them: the segment ends here, and the next write begins another. */
		w->room = w->end;
		why = ftruncate(w->fd, (off_t)w->end) ? errno : 0;
	}
	return why || fsync(w->fd) ? FG_EIO : FG_OK;
}

int
wal_cut(struct wal *w)
{
	char name[32];
	if (w->headless) {
		segment_name(w->segments[w->segments_n - 1], name);
		if (unlinkat(w->dirfd, name, 0) || fsync(w->dirfd))
			return FG_EIO;
		w->segments_n--;
		w->headless = false;
	}
	if (w->torn) {
		if (trim(w))
			return FG_EIO;
		w->torn = false;
	}
	return settle(w);
}

void
wal_forget(struct wal *w, uint64_t seq)
{
	char name[32];
	while (w->segments_n > 1 && w->segments[1] <= seq) {
		segment_name(w->segments[0], name);
		/* Synced one by one: a crash must not leave a hole between two segments. */
		if (unlinkat(w->dirfd, name, 0) || fsync(w->dirfd))
			return;
		memmove(w->segments, w->segments + 1, --w->segments_n * sizeof w->segments[0]);
	}
}
