/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mender_list.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"

#define GAP 2 /* blanks between digest and name */
#define GROW 64

static struct mender_file *
find(struct mender_list *l, struct view name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (view_equal(l->file[i].name, name))
			return &l->file[i];
	return NULL;
}

static int
add_line(struct mender_list *l, struct view line)
{
	struct mender_file f = { .found = false };
	if (line.n <= DIGEST_HEX_LEN + GAP || memcmp(line.p + DIGEST_HEX_LEN, "  ", GAP) != 0 ||
	    !hex_decode(view_of(line.p, DIGEST_HEX_LEN), f.sha256, sizeof f.sha256))
		return FG_EFORMAT;
	f.name = view_of(line.p + DIGEST_HEX_LEN + GAP, line.n - DIGEST_HEX_LEN - GAP);
	if (find(l, f.name))
		return FG_EEXIST;
	if (l->n == MENDER_LIST_MAX)
		return FG_ELIMIT;
	if (l->n % GROW == 0) {
		void *more = realloc(l->file, (l->n + GROW) * sizeof *l->file);
		if (!more)
			return FG_ENOMEM;
		l->file = more;
	}
	l->file[l->n++] = f;
	return 0;
}

int
mender_list_add(struct mender_list *l, struct view text, unsigned *ret_line)
{
	unsigned number = 1;
	for (size_t off = 0; off < text.n; number++) {
		const uint8_t *from = text.p + off, *feed = memchr(from, '\n', text.n - off);
		int err = feed ? add_line(l, view_of(from, (size_t)(feed - from))) : FG_EFORMAT;
		if (err) {
			*ret_line = number;
			return err;
		}
		off = (size_t)(feed + 1 - text.p);
	}
	return 0;
}

void
mender_list_free(struct mender_list *l)
{
	free(l->file);
	*l = (struct mender_list){ .n = 0 };
}

const struct mender_file *
mender_list_take(struct mender_list *l, struct view name)
{
	struct mender_file *f = find(l, name);
	if (f)
		f->found = true;
	return f;
}
