/* SPDX-License-Identifier: Apache-2.0 */
#include "images/trustset.h"

#include <stdio.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/visible.h"

static const char magic[4] = { 'F', 'G', 'T', 'S' };

void
trustset_begin(struct writer *w)
{
	writer_bytes(w, view_of(magic, sizeof magic));
	writer_u8(w, TRUSTSET_VERSION);
}

void
trustset_add(struct writer *w, const char *name, enum trust_scheme scheme, struct view pem)
{
	size_t n = strlen(name);
	if (n == 0 || n >= TRUST_NAME_MAX || pem.n > TRUST_FILE_MAX) {
		w->err = w->err ? w->err : FG_ELIMIT;
		return;
	}
	writer_u8(w, 1);
	writer_cstr(w, name);
	writer_u8(w, (uint8_t)scheme);
	writer_blob(w, pem);
}

void
trustset_end(struct writer *w)
{
	writer_u8(w, 0);
}

static int
malformed(char *ret_why, size_t cap)
{
	snprintf(ret_why, cap, "the trust bundle is malformed");
	return FG_EFORMAT;
}

static int
enrol(struct trust *t, struct reader *r, char *ret_why, size_t cap)
{
	char name[TRUST_NAME_MAX], shown[TRUST_NAME_MAX], why[256];
	reader_cstr(r, name, sizeof name);
	unsigned scheme = reader_enum(r, TRUST_RSA_PSS_SHA256_LONG + 1);
	struct view pem = reader_blob(r, TRUST_FILE_MAX);
	if (r->bad || name[0] == '\0')
		return malformed(ret_why, cap);
	int err = trust_add_pem(t, name, pem, (enum trust_scheme)scheme, why, sizeof why);
	if (err == FG_ENOMEM)
		return err;
	if (err) {
		visible_cstr(view_str(name), shown, sizeof shown);
		snprintf(ret_why, cap, "%s: %s", shown, why);
		return FG_EFORMAT;
	}
	return 0;
}

int
trustset_load(struct view bundle, struct trust **ret, char *ret_why, size_t cap)
{
	struct reader r;
	reader_init(&r, bundle);
	struct view m = reader_take(&r, sizeof magic);
	if (bundle.n > TRUSTSET_MAX || !view_equal(m, view_of(magic, sizeof magic)) ||
	    reader_u8(&r) != TRUSTSET_VERSION)
		return malformed(ret_why, cap);
	struct trust *t = trust_new();
	if (!t)
		return FG_ENOMEM;
	int err = 0;
	for (unsigned i = 0; !err; i++) {
		unsigned more = reader_enum(&r, 2);
		if (r.bad || (more && i == TRUSTSET_FILES_MAX))
			err = malformed(ret_why, cap);
		else if (!more)
			break;
		else
			err = enrol(t, &r, ret_why, cap);
	}
	if (!err && !reader_end(&r))
		err = malformed(ret_why, cap);
	if (err) {
		trust_free(t);
		return err;
	}
	*ret = t;
	return 0;
}
