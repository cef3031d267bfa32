/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/pgpcert.h"
#include "gateway/cmd/cli_file.h"
#include "images/trustset.h"

static bool
contains(struct view text, const char *word)
{
	return text.n && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

static int
refuse(const char *dir, const char *name, const char *why)
{
	fprintf(stderr, "fotagate: %s/%s: %s\n", dir, name, why);
	return FG_EINVAL;
}

/* One file; with only, it has to be an anchor. */
static int
add(const char *dir, const char *name, bool only, enum trust_scheme scheme, struct writer *w)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	int err = cli_file_read(dir, name, TRUST_FILE_MAX, &bytes, &n);
	if (err == FG_EINVAL && !only) /* a folder, a socket */
		return 0;
	if (err == FG_ELIMIT)
		return refuse(dir, name, "larger than 1 MiB: no anchor is");
	if (err) {
		fprintf(stderr, "fotagate: %s/%s: %s\n", dir, name, err_why(err));
		return err;
	}
	struct view text = view_of(bytes, n);
	bool root = n > 0 && bytes[0] == '{' && contains(text, "\"signatures\"");
	if (root || contains(text, "-----BEGIN ") || contains(text, "untrusted comment:") ||
	    contains(text, "ssh-ed25519 ") || pgpcert_recognise(text))
		trustset_add(w, name, scheme, text);
	else if (only)
		err = refuse(dir, name, "no certificate, CRL, public key or root metadata in it");
	else
		fprintf(stderr, "fotagate: %s/%s: passed over, no key or certificate in it\n", dir, name);
	free(bytes);
	if (!err && writer_err(w) == FG_ELIMIT)
		err = refuse(dir, name,
		    "the folder is larger than 16 MiB, or a name is longer than 127 bytes");
	return err ? err : writer_err(w);
}

int
cli_trust_folder(const char *dir, const char *const *names, size_t names_n,
    enum trust_scheme scheme, struct writer *w)
{
	struct cli_file_names all = { 0 };
	struct trust *t = NULL;
	char why[SIG_TEXT_MAX];
	int err = names ? 0 : cli_file_list(dir, &all);
	if (err) {
		fprintf(stderr, "fotagate: %s: %s\n", dir,
		    err == FG_EIO ? strerror(errno) : "too many files");
		return err == FG_ELIMIT ? FG_EINVAL : err;
	}
	trustset_begin(w);
	for (size_t i = 0; i < names_n && !err; i++)
		err = add(dir, names[i], true, scheme, w);
	for (size_t i = 0; i < all.n && !err; i++)
		err = add(dir, all.name[i], false, scheme, w);
	trustset_end(w);
	cli_file_names_free(&all);
	if (!err)
		err = writer_err(w);
	if (!err) /* once here, so that the operator hears about it in words */
		err = trustset_load(writer_view(w), &t, why, sizeof why);
	trust_free(t);
	if (err == FG_EFORMAT)
		err = refuse(dir, "", why);
	return err;
}
