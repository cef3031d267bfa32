/* SPDX-License-Identifier: Apache-2.0 */
#include "images/fstree.h"

#include <stdlib.h>

#include "crypto/err.h"

#define FIRST 256
#define BYTES_FIRST 4096

/* A folder that is being gone through: the rest of its names, and how long its path is. */
struct level {
	size_t next, end, path_n;
};

int
fstree_add(struct fstree *t, struct view name, struct fstree_name entry)
{
	if (t->n == FSTREE_NAMES_MAX || name.n > FSTREE_BYTES_MAX - t->bytes_n || name.n > FSTREE_PATH_MAX)
		return FG_ELIMIT;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : FIRST;
		struct fstree_name *more = realloc(t->name, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		t->name = more;
		t->cap = cap;
	}
	if (t->bytes_n + name.n > t->bytes_cap) {
		size_t cap = t->bytes_cap ? t->bytes_cap * 2 : BYTES_FIRST;
		uint8_t *more = realloc(t->bytes, cap);
		if (!more)
			return FG_ENOMEM;
		t->bytes = more;
		t->bytes_cap = cap;
	}
	if (name.n)
		memcpy(t->bytes + t->bytes_n, name.p, name.n);
	entry.name = (uint32_t)t->bytes_n;
	entry.name_n = (uint16_t)name.n;
	t->bytes_n += name.n;
	t->name[t->n++] = entry;
	return 0;
}

struct view
fstree_view(const struct fstree *t, const struct fstree_name *e)
{
	return view_of(t->bytes + e->name, e->name_n);
}

static int
same_name(const struct fstree *t, const struct fstree_name *x, const struct fstree_name *y)
{
	size_t n = x->name_n < y->name_n ? x->name_n : y->name_n;
	int r = n ? memcmp(t->bytes + x->name, t->bytes + y->name, n) : 0;
	return r ? r : (int)x->name_n - (int)y->name_n;
}

static int
name_order(const void *a, const void *b, void *arg)
{
	const struct fstree_name *x = a, *y = b;
	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	int r = same_name(arg, x, y);
	if (r)
		return r;
	if (x->version != y->version)
		return x->version > y->version ? -1 : 1; /* the youngest first */
	return x->at < y->at ? -1 : x->at > y->at;
}

bool
fstree_sort(struct fstree *t)
{
	bool clear = true;
	if (t->n > 1)
		qsort_r(t->name, t->n, sizeof *t->name, name_order, t);
	for (size_t i = 1; i < t->n; i++) {
		struct fstree_name *last = &t->name[i - 1], *e = &t->name[i];
		e->old = e->folder == last->folder && same_name(t, e, last) == 0;
		clear = clear && !(e->old && e->version == last->version);
	}
	return clear;
}

static bool
can_be_opened(struct view name)
{
	return name.n > 0 && !memchr(name.p, '/', name.n) && !memchr(name.p, 0, name.n) && !view_is(name, ".") &&
	       !view_is(name, "..");
}

/* The first name that lies in no folder before this one. */
static size_t
bound(const struct fstree *t, uint64_t folder)
{
	size_t low = 0, high = t->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (t->name[mid].folder < folder)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The names in a folder: however many those are, since every one of its own names asks again. */
static struct level
find(const struct fstree *t, uint32_t folder)
{
	return (struct level){ bound(t, folder), bound(t, (uint64_t)folder + 1), 0 };
}

/* Goes into the folder e, whose path is there. */
static void
enter(struct fstree *t, const struct fstree_name *e, size_t path_n, struct level *stack, unsigned *io_depth,
    const char **ret_why)
{
	struct level l = find(t, e->file);
	if (l.next == l.end)
		return;
	l.path_n = path_n;
	if (t->name[l.next].entered)
		*ret_why = "a folder of it has two names, or is its own";
	else if (*io_depth == FSTREE_DEPTH_MAX)
		*ret_why = "its folders lie too deep in each other";
	else
		stack[(*io_depth)++] = l;
	t->name[l.next].entered = true;
}

int
fstree_walk(struct fstree *t, uint32_t root,
    int (*visit)(void *arg, struct view path, const struct fstree_name *e, bool *io_enter), void *arg,
    const char **ret_why)
{
	struct level stack[FSTREE_DEPTH_MAX];
	uint8_t path[FSTREE_PATH_MAX];
	unsigned depth = 1;
	stack[0] = find(t, root);
	*ret_why = NULL;
	if (stack[0].next < stack[0].end)
		t->name[stack[0].next].entered = true;
	while (depth > 0) {
		struct level *l = &stack[depth - 1];
		if (l->next == l->end) {
			depth--;
			continue;
		}
		const struct fstree_name *e = &t->name[l->next++];
		if (e->old || e->file == 0)
			continue;
		size_t n = l->path_n, slash = n > 0;
		if (n + slash + e->name_n > sizeof path) {
			*ret_why = "a path of it is longer than any program can open";
			continue;
		}
		if (!can_be_opened(fstree_view(t, e))) {
			*ret_why = "it has a name that no program can open";
			continue;
		}
		if (slash)
			path[n] = '/';
		memcpy(path + n + slash, t->bytes + e->name, e->name_n);
		n += slash + e->name_n;
		bool folder = false;
		int err = visit(arg, view_of(path, n), e, &folder);
		if (err)
			return err;
		if (folder)
			enter(t, e, n, stack, &depth, ret_why);
	}
	return *ret_why ? FG_ELIMIT : 0;
}

void
fstree_free(struct fstree *t)
{
	free(t->name);
	free(t->bytes);
	*t = (struct fstree){ 0 };
}
