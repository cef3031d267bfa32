/* SPDX-License-Identifier: Apache-2.0 */
/* part_fit - flattened image trees (U-Boot's FIT): the data of each image, in the tree or behind it. */
#include <limits.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/fdtree.h"
#include "images/part_image.h"
#include "images/part_scan.h"

#define ALIGN 4u /* what lies behind the tree is counted from here on */

/* A property of one number. */
static bool
number(const struct source *s, const struct fdtree_prop *p, uint32_t *ret, int *ret_err)
{
	uint8_t b[4];
	struct reader r;
	if (!p || p->value.length != sizeof b)
		return false;
	*ret_err = source_read(s, p->value.offset, b, sizeof b);
	reader_init(&r, view_of(b, sizeof b));
	*ret = reader_u32(&r);
	return *ret_err == 0;
}

static int
add(struct part_ctx *c, uint32_t self, const struct fdtree *t, unsigned node)
{
	const struct fdtree_prop *data = fdtree_prop(t, node, "data"), *offset = fdtree_prop(t, node, "data-offset"),
	                         *position = fdtree_prop(t, node, "data-position");
	const struct source *s = part_bytes(c, self);
	struct view name = view_str(t->node[node].name);
	uint32_t size, from;
	int err = 0;
	int64_t i = 0;
	/* Where an image is said to be in two places, both are shown. */
	if (data && data->value.length > 0)
		i = part_region(c, self, PART_REGION, name, data->value.offset, data->value.length);
	if (i >= 0 && (offset || position) && number(s, fdtree_prop(t, node, "data-size"), &size, &err) &&
	    number(s, offset ? offset : position, &from, &err) && size > 0) {
		uint64_t behind = (t->total + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
		i = part_region(c, self, PART_REGION, name, offset ? behind + from : from, size);
	}
	return err ? err : i < 0 ? (int)i : 0;
}

int
part_fit_open(struct part_ctx *c, uint32_t self)
{
	struct fdtree t;
	uint64_t end;
	int err = fdtree_read(part_bytes(c, self), &t);
	if (err)
		return err;
	if (t.bad) {
		fdtree_drop(&t);
		part_untold(c, self, "its tree breaks the rules of the format");
		return part_scan_open(c, self);
	}
	err = part_header(c, self, "header", 0, FDTREE_HEADER, &end);
	unsigned images = fdtree_child(&t, 0, view_str("images"));
	for (unsigned n = 0; n < t.nodes && !err; n++)
		if (images != FDTREE_NONE && t.node[n].parent == images)
			err = add(c, self, &t, n);
	fdtree_drop(&t);
	return err;
}
