/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/bundle.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/writer.h"
#include "gateway/wire/memfd.h"

#define MAGIC "FGB1"
#define MAGIC_LEN 4

struct bundle {
	struct view map;
	unsigned n;
	struct bundle_file files[BUNDLE_FILES_MAX];
	char names[BUNDLE_FILES_MAX][BUNDLE_NAME_MAX + 1]; /* terminated copies */
};

int
bundle_write(const struct bundle_file *files, unsigned n)
{
	if (n == 0 || n > BUNDLE_FILES_MAX)
		return FG_ELIMIT;
	struct writer w;
	writer_init(&w, BUNDLE_BYTES_MAX);
	writer_text(&w, MAGIC);
	writer_u32(&w, n);
	int r = 0;
	for (unsigned i = 0; i < n && !r; i++) {
		if (strlen(files[i].name) > BUNDLE_NAME_MAX || files[i].text.n > BUNDLE_FILE_MAX)
			r = FG_ELIMIT;
		writer_cstr(&w, files[i].name);
		writer_blob(&w, files[i].text);
	}
	if (!r)
		r = writer_err(&w);
	if (!r)
		r = memfd_sealed("fotagate-config", writer_view(&w));
	writer_free(&w);
	return r;
}

static bool
read_files(struct bundle *b)
{
	struct reader r;
	reader_init(&r, b->map);
	if (!view_is(reader_take(&r, MAGIC_LEN), MAGIC))
		return false;
	uint32_t n = reader_u32(&r);
	if (n == 0 || n > BUNDLE_FILES_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		reader_cstr(&r, b->names[i], sizeof b->names[i]);
		b->files[i].name = b->names[i];
		b->files[i].text = reader_blob(&r, BUNDLE_FILE_MAX);
	}
	b->n = n;
	return reader_end(&r);
}

int
bundle_open(int fd, struct bundle **ret)
{
	struct bundle *b = calloc(1, sizeof *b);
	if (!b)
		return FG_ENOMEM;
	int r = memfd_map(fd, BUNDLE_BYTES_MAX, &b->map);
	if (r == FG_ELIMIT || (!r && !read_files(b)))
		r = FG_EPEER;
	if (r) {
		bundle_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

const struct bundle_file *
bundle_files(const struct bundle *b, unsigned *ret_n)
{
	*ret_n = b->n;
	return b->files;
}

void
bundle_free(struct bundle *b)
{
	if (!b)
		return;
	memfd_unmap(b->map);
	free(b);
}
