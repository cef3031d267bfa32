/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/lastset.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/writer.h"
#include "gateway/file/wholefile.h"

#define LASTSET_FILE "signers"
#define LASTSET_LEN (4 + DIGEST_SHA256_LEN) /* number, digest */

int
lastset_read(int dir, uint32_t *ret_number, uint8_t ret_sha256[DIGEST_SHA256_LEN])
{
	uint8_t *p = NULL;
	size_t n = 0;
	struct reader r;
	int err = wholefile_read(dir, LASTSET_FILE, LASTSET_LEN, &p, &n);
	if (!err && n == LASTSET_LEN) {
		reader_init(&r, view_of(p, n));
		*ret_number = reader_u32(&r);
		reader_copy(&r, ret_sha256, DIGEST_SHA256_LEN);
	} else if (!err || err == FG_ELIMIT) {
		err = FG_EFORMAT;
	}
	free(p);
	return err;
}

int
lastset_write(int dir, uint32_t number, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	struct writer w;
	writer_init(&w, LASTSET_LEN);
	writer_u32(&w, number);
	writer_bytes(&w, view_of(sha256, DIGEST_SHA256_LEN));
	int err = writer_err(&w);
	if (!err)
		err = wholefile_replace(dir, LASTSET_FILE, writer_view(&w), 0440);
	writer_free(&w);
	return err;
}
