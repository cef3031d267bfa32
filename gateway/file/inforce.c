/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/file/inforce.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/writer.h"
#include "gateway/file/wholefile.h"

#define INFORCE_LEN (4 + 2 * DIGEST_SHA256_LEN)

int
inforce_read(int dir, struct inforce *ret)
{
	uint8_t *p = NULL;
	size_t n = 0;
	struct reader r;
	int err = wholefile_read(dir, INFORCE_FILE, INFORCE_LEN, &p, &n);
	if (!err && n == INFORCE_LEN) {
		reader_init(&r, view_of(p, n));
		ret->number = reader_u32(&r);
		reader_copy(&r, ret->statement, sizeof ret->statement);
		reader_copy(&r, ret->config, sizeof ret->config);
	} else if (!err || err == FG_ELIMIT) {
		err = FG_EFORMAT;
	}
	free(p);
	return err;
}

int
inforce_write(int dir, const struct inforce *in)
{
	struct writer w;
	writer_init(&w, INFORCE_LEN);
	writer_u32(&w, in->number);
	writer_bytes(&w, view_of(in->statement, sizeof in->statement));
	writer_bytes(&w, view_of(in->config, sizeof in->config));
	int err = writer_err(&w);
	if (!err)
		err = wholefile_replace(dir, INFORCE_FILE, writer_view(&w), 0440);
	writer_free(&w);
	return err;
}
