/* SPDX-License-Identifier: Apache-2.0 */
#include "fault/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

struct change { /* of one file's bytes */
	uint64_t at, turn;
	size_t n;
	uint8_t *p;     /* NULL: the length becomes at (allocate: at least at) */
	bool allocate;
	bool safe;
	bool limbo;     /* a failed sync: never made safe by a later one */
};

struct entry {
	char name[96];
	struct node *node; /* NULL: removed */
};

struct node {
	ino_t ino;
	bool folder;
	uint8_t *base;  /* bytes on the medium before the changes */
	size_t base_n;
	struct change *change;
	size_t change_n;
	struct entry *entry; /* of a folder, on the medium */
	size_t entry_n;
	struct node *next;
};

struct naming { /* a change of a folder that is not safe yet */
	struct node *folder;
	struct entry entry;
	uint64_t turn; /* both halves of a rename have the same */
};

struct disk {
	const char *root;
	struct node *nodes, *top;
	struct naming *naming;
	size_t naming_n;
	uint64_t turn;
	struct disk_plan plan;
	uint64_t count[DISK_OPS], matched;
	bool struck, gone;
	void (*hook)(void *ctx, enum disk_op op);
	void *ctx;
	void (*last_words)(void *ctx);
	void *last_ctx;
};

static struct disk *watched;

static void *
more(void *p, size_t n, size_t size)
{
	if (n & (n - 1))
		return p; /* doubled at powers of two */
	p = reallocarray(p, n ? 2 * n : 1, size);
	if (!p)
		abort();
	return p;
}

/* ---- nodes ---- */

static struct node *
by_ino(const struct disk *d, ino_t ino)
{
	for (struct node *n = d->nodes; n; n = n->next) {
		if (n->ino == ino)
			return n;
	}
	return NULL;
}

static struct node *
by_fd(const struct disk *d, int fd)
{
	struct stat st;
	return fstat(fd, &st) ? NULL : by_ino(d, st.st_ino);
}

static struct node *
by_path(const struct disk *d, int dirfd, const char *path)
{
	struct stat st;
	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) ? NULL : by_ino(d, st.st_ino);
}

/* The folder a path lies in, and its last part. */
static struct node *
parent_of(const struct disk *d, int dirfd, const char *path, const char **ret_name)
{
	char up[512];
	const char *slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	snprintf(up, sizeof up, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	return by_path(d, dirfd, up);
}

static struct node *
node_new(struct disk *d, ino_t ino, bool folder)
{
	struct node *old = by_ino(d, ino), *n = calloc(1, sizeof *n);
	if (!n)
		abort();
	if (old)
		old->ino = 0; /* the number is used again: the old one has no name any more */
	n->ino = ino;
	n->folder = folder;
	n->next = d->nodes;
	d->nodes = n;
	return n;
}

static struct entry *
find_entry(struct entry *e, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(e[i].name, name))
			return &e[i];
	}
	return NULL;
}

static void
set_entry(struct entry **e, size_t *n, const char *name, struct node *node)
{
	struct entry *there = find_entry(*e, *n, name);
	if (!there) {
		*e = more(*e, *n, sizeof **e);
		there = &(*e)[(*n)++];
		snprintf(there->name, sizeof there->name, "%s", name);
	}
	there->node = node;
}

static void
read_file(struct node *n, int fd, size_t size)
{
	n->base = malloc(size + 1);
	n->base_n = size;
	if (!n->base || pread(fd, n->base, size, 0) != (ssize_t)size)
		abort();
}

static struct node *
scan(struct disk *d, int fd)
{
	struct stat st;
	if (fstat(fd, &st))
		abort();
	struct node *n = node_new(d, st.st_ino, S_ISDIR(st.st_mode));
	if (!n->folder) {
		read_file(n, fd, (size_t)st.st_size);
		close(fd);
		return n;
	}
	DIR *list = fdopendir(fd);
	for (struct dirent *e; list && (e = readdir(list));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		int below = openat(fd, e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			abort();
		set_entry(&n->entry, &n->entry_n, e->d_name, scan(d, below));
	}
	closedir(list);
	return n;
}

struct disk *
disk_new(const char *root)
{
	struct disk *d = calloc(1, sizeof *d);
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!d || fd < 0)
		abort();
	d->root = root;
	d->top = scan(d, fd);
	return d;
}

void
disk_free(struct disk *d)
{
	if (!d)
		return;
	if (watched == d)
		watched = NULL;
	while (d->nodes) {
		struct node *n = d->nodes;
		d->nodes = n->next;
		for (size_t i = 0; i < n->change_n; i++)
			free(n->change[i].p);
		free(n->change);
		free(n->entry);
		free(n->base);
		free(n);
	}
	free(d->naming);
	free(d);
}

/* ---- the plan ---- */

struct disk *
disk_watch(struct disk *d)
{
	struct disk *before = watched;
	watched = d;
	return before;
}

struct disk *
disk_watched(void)
{
	return watched;
}

void
disk_set_plan(struct disk *d, const struct disk_plan *p)
{
	d->plan = *p;
	memset(d->count, 0, sizeof d->count);
	d->matched = 0;
	d->struck = d->gone = false;
}

void
disk_set_hook(struct disk *d, void (*hook)(void *ctx, enum disk_op op), void *ctx)
{
	d->hook = hook;
	d->ctx = ctx;
}

void
disk_set_last_words(struct disk *d, void (*said)(void *ctx), void *ctx)
{
	d->last_words = said;
	d->last_ctx = ctx;
}

uint64_t
disk_count(const struct disk *d, unsigned kinds)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < DISK_OPS; i++)
		n += kinds & 1u << i ? d->count[i] : 0;
	return n;
}

bool
disk_struck(const struct disk *d)
{
	return d->struck;
}

bool
disk_is_gone(const struct disk *d)
{
	return d->gone;
}

static int
strike(struct disk *d, enum disk_op op)
{
	const struct disk_plan *p = &d->plan;
	d->struck = true;
	if (d->last_words) {
		struct disk *before = disk_watch(NULL);
		d->last_words(d->last_ctx);
		disk_watch(before);
	}
	switch (p->mode) {
	case DISK_FAILS:
		return p->error;
	case DISK_SHORT:
	case DISK_SHORT_FULL:
		return op == DISK_WRITE ? -1 : p->error;
	case DISK_GONE:
		d->gone = true;
		return EIO;
	case DISK_KILL:
		kill(getpid(), SIGKILL);
		pause();
		return EIO;
	default:
		return 0;
	}
}

int
disk_ask(struct disk *d, enum disk_op op)
{
	const struct disk_plan *p = &d->plan;
	d->count[__builtin_ctz(op)]++;
	if (d->gone)
		return EIO;
	if (!p->mode || !(op & p->kinds))
		return 0;
	d->matched++;
	if (p->mode == DISK_FULL && d->matched >= p->at) {
		d->struck = true;
		return op & (DISK_WRITE | DISK_CREATE | DISK_ALLOCATE | DISK_MKDIR) ? p->error : 0;
	}
	if (p->mode == DISK_STUCK && d->matched >= p->at) {
		d->struck = true;
		return p->error;
	}
	if (d->matched == p->at)
		return strike(d, op);
	return p->mode == DISK_SHORT_FULL && d->matched == p->at + 1 ? p->error : 0;
}

void
disk_done(struct disk *d, enum disk_op op)
{
	if (!d->hook)
		return;
	int saved = errno;
	struct disk *before = disk_watch(NULL);
	d->hook(d->ctx, op);
	disk_watch(before);
	errno = saved;
}

/* ---- what the calls do to the model ---- */

static void
add_change(struct node *n, const struct change *c)
{
	n->change = more(n->change, n->change_n, sizeof *n->change);
	n->change[n->change_n++] = *c;
}

void
disk_wrote(struct disk *d, int fd, uint64_t at, const void *p, size_t n)
{
	struct node *node = by_fd(d, fd);
	if (!node || !n)
		return;
	struct change c = { .at = at, .turn = ++d->turn, .n = n, .p = malloc(n) };
	if (!c.p)
		abort();
	memcpy(c.p, p, n);
	add_change(node, &c);
}

void
disk_sized(struct disk *d, int fd, uint64_t size, bool allocate)
{
	struct node *node = by_fd(d, fd);
	if (node)
		add_change(node, &(struct change){ .at = size, .turn = ++d->turn, .allocate = allocate });
}

static void
apply(uint8_t **p, size_t *n, const struct change *c)
{
	size_t end = c->p ? (size_t)c->at + c->n : (size_t)c->at;
	if (end > *n) {
		*p = realloc(*p, end + 1);
		if (!*p)
			abort();
		memset(*p + *n, 0, end - *n);
		*n = end;
	}
	if (c->p)
		memcpy(*p + c->at, c->p, c->n);
	else if (!c->allocate)
		*n = end;
}

/* What is safe and has nothing unsafe before it becomes the base. */
static void
settle(struct node *n)
{
	size_t i = 0, cap = 1;
	for (; i < n->change_n && n->change[i].safe; i++) {
		apply(&n->base, &n->base_n, &n->change[i]);
		free(n->change[i].p);
	}
	if (!i)
		return;
	n->change_n -= i;
	memmove(n->change, n->change + i, n->change_n * sizeof *n->change);
	while (cap < n->change_n) /* more() counts on the sizes it has given out */
		cap *= 2;
	struct change *less = reallocarray(n->change, cap, sizeof *less);
	if (!less)
		abort();
	n->change = less;
}

void
disk_synced(struct disk *d, int fd, bool failed)
{
	struct node *n = by_fd(d, fd);
	if (!n)
		return;
	for (size_t i = 0; i < n->change_n; i++) {
		n->change[i].limbo |= failed && !n->change[i].safe;
		n->change[i].safe |= !n->change[i].limbo;
	}
	settle(n);
	size_t left = 0;
	for (size_t i = 0; i < d->naming_n; i++) {
		struct naming *m = &d->naming[i];
		if (m->folder == n && !failed)
			set_entry(&n->entry, &n->entry_n, m->entry.name, m->entry.node);
		else
			d->naming[left++] = *m;
	}
	d->naming_n = left;
}

static void
add_naming(struct disk *d, struct node *folder, const char *name, struct node *node, uint64_t turn)
{
	struct naming m = { .folder = folder, .entry.node = node, .turn = turn };
	snprintf(m.entry.name, sizeof m.entry.name, "%s", name);
	struct naming *list = reallocarray(d->naming, d->naming_n + 1, sizeof *list);
	if (!list)
		abort();
	d->naming = list;
	d->naming[d->naming_n++] = m;
}

void
disk_created(struct disk *d, int dirfd, const char *path, bool folder)
{
	const char *name;
	struct stat st;
	struct node *parent = parent_of(d, dirfd, path, &name);
	if (!parent || fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW))
		return;
	add_naming(d, parent, name, node_new(d, st.st_ino, folder), ++d->turn);
}

void
disk_removed(struct disk *d, int dirfd, const char *path)
{
	const char *name;
	struct node *parent = parent_of(d, dirfd, path, &name);
	if (parent)
		add_naming(d, parent, name, NULL, ++d->turn);
}

void
disk_moved(struct disk *d, int fromfd, const char *from, int tofd, const char *to, bool link)
{
	const char *old, *new;
	struct node *a = parent_of(d, fromfd, from, &old), *b = parent_of(d, tofd, to, &new), *n = by_path(d, tofd, to);
	if (!a || !b || !n)
		return;
	d->turn++;
	add_naming(d, b, new, n, d->turn);
	if (!link)
		add_naming(d, a, old, NULL, d->turn);
}

bool
disk_has(const struct disk *d, int dirfd, const char *path)
{
	const char *name;
	return parent_of(d, dirfd, path, &name) != NULL;
}

bool
disk_has_fd(const struct disk *d, int fd)
{
	return by_fd(d, fd) != NULL;
}

/* ---- the power is cut ---- */

size_t
disk_unsafe(const struct disk *d)
{
	size_t n = d->naming_n;
	for (const struct node *f = d->nodes; f; f = f->next) {
		for (size_t i = 0; i < f->change_n; i++)
			n += !f->change[i].safe;
	}
	return n;
}

struct cut {
	const struct disk *d;
	unsigned kind;
	uint64_t first, last; /* turns of the oldest and the latest unsafe change */
	unsigned keep;        /* of 256, for lots */
};

/* A lot that the same turn (and part) always draws alike. */
static bool
lot(const struct cut *c, uint64_t turn, uint64_t part)
{
	uint64_t x = (c->kind * 0x9e3779b97f4a7c15u) ^ (turn * 0xbf58476d1ce4e5b9u) ^ (part * 0x94d049bb133111ebu);
	x ^= x >> 31;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 29;
	x *= 0x94d049bb133111ebu;
	x ^= x >> 32;
	return (x & 255) < c->keep;
}

static bool
keeps(const struct cut *c, uint64_t turn, bool is_name, uint64_t part)
{
	switch (c->kind) {
	case DISK_CUT_NONE:
		return false;
	case DISK_CUT_ALL:
		return true;
	case DISK_CUT_NAMES:
		return is_name;
	case DISK_CUT_BYTES:
		return !is_name;
	case DISK_CUT_LAST:
		return turn == c->last;
	case DISK_CUT_BUT_FIRST:
		return turn != c->first;
	default:
		return lot(c, turn, part);
	}
}

static void
whole_file(const struct cut *c, const struct node *n, uint8_t **ret, size_t *ret_n)
{
	uint8_t *p = malloc(n->base_n + 1);
	size_t size = n->base_n;
	if (!p)
		abort();
	if (size)
		memcpy(p, n->base, size);
	for (size_t i = 0; i < n->change_n; i++) {
		const struct change *w = &n->change[i];
		if (w->safe || !w->p) {
			if (w->safe || keeps(c, w->turn, true, 0))
				apply(&p, &size, w);
			continue;
		}
		/* The length is a name's kind of thing: it may be there without the bytes. */
		if (c->kind == DISK_CUT_NAMES || (c->kind >= DISK_CUT_RANDOM && lot(c, w->turn, UINT64_MAX)))
			apply(&p, &size, &(struct change){ .at = w->at + w->n, .allocate = true });
		for (size_t done = 0; done < w->n;) {
			uint64_t at = w->at + done;
			size_t part = SECTOR - at % SECTOR;
			part = part < w->n - done ? part : w->n - done;
			if (keeps(c, w->turn, false, at / SECTOR))
				apply(&p, &size, &(struct change){ .at = at, .n = part, .p = w->p + done });
			done += part;
		}
	}
	*ret = p;
	*ret_n = size;
}

static void
write_out(const struct cut *c, const struct node *n, int at, const char *name)
{
	uint8_t *p;
	size_t size;
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	whole_file(c, n, &p, &size);
	size_t used = size;
	while (used && !p[used - 1])
		used--;
	if (fd < 0 || pwrite(fd, p, used, 0) != (ssize_t)used || ftruncate(fd, (off_t)size))
		abort();
	close(fd);
	free(p);
}

static void
folder_out(const struct cut *c, const struct node *n, int at, const char *name)
{
	struct entry *e = NULL;
	size_t e_n = 0;
	if (mkdirat(at, name, 0755))
		abort();
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		abort();
	for (size_t i = 0; i < n->entry_n; i++)
		set_entry(&e, &e_n, n->entry[i].name, n->entry[i].node);
	for (size_t i = 0; i < c->d->naming_n; i++) {
		const struct naming *m = &c->d->naming[i];
		if (m->folder == n && keeps(c, m->turn, true, 0))
			set_entry(&e, &e_n, m->entry.name, m->entry.node);
	}
	for (size_t i = 0; i < e_n; i++) {
		if (!e[i].node)
			continue;
		if (e[i].node->folder)
			folder_out(c, e[i].node, fd, e[i].name);
		else
			write_out(c, e[i].node, fd, e[i].name);
	}
	free(e);
	close(fd);
}

void
disk_image(const struct disk *d, unsigned kind, const char *into)
{
	static const unsigned keep[] = { 128, 26, 230 };
	struct cut c = { .d = d, .kind = kind, .first = UINT64_MAX, .keep = keep[kind % 3] };
	for (size_t i = 0; i < d->naming_n; i++) {
		c.first = d->naming[i].turn < c.first ? d->naming[i].turn : c.first;
		c.last = d->naming[i].turn > c.last ? d->naming[i].turn : c.last;
	}
	for (const struct node *n = d->nodes; n; n = n->next) {
		for (size_t i = 0; i < n->change_n; i++) {
			if (n->change[i].safe)
				continue;
			c.first = n->change[i].turn < c.first ? n->change[i].turn : c.first;
			c.last = n->change[i].turn > c.last ? n->change[i].turn : c.last;
		}
	}
	struct disk *before = disk_watch(NULL);
	folder_out(&c, d->top, AT_FDCWD, into);
	disk_watch(before);
}
