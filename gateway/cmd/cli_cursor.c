/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/file/wholefile.h"

#define CURSOR_MAX 4096

static int
io(const struct cli_common *c, const char *path)
{
	return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno));
}

static bool
get_hex(const struct json_value *o, const char *key, uint8_t *dst, size_t n)
{
	struct view s;
	return json_string(json_get(o, key), &s) && hex_decode(s, dst, n);
}

static bool
parse(struct view text, struct cli_cursor *ret)
{
	struct json *doc;
	struct json_error error;
	struct view vkey;
	struct cli_cursor k = { .next = 0 };
	if (json_parse(text, &doc, &error))
		return false;
	const struct json_value *o = json_root(doc);
	bool good = json_string(json_get(o, "log"), &vkey) && vkey.n > 0 && vkey.n < sizeof k.vkey &&
	    json_uint(json_get(o, "next"), &k.next) && json_uint(json_get(o, "size"), &k.head.size) &&
	    k.next <= k.head.size && get_hex(o, "note", k.note, sizeof k.note) &&
	    get_hex(o, "root", k.head.root, sizeof k.head.root);
	if (good) {
		memcpy(k.vkey, vkey.p, vkey.n);
		*ret = k;
	}
	json_free(doc);
	return good;
}

int
cli_cursor_load(const struct cli_common *c, const char *path, struct cli_cursor *ret)
{
	struct writer w;
	*ret = (struct cli_cursor){ .next = 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : io(c, path);
	writer_init(&w, CURSOR_MAX);
	int err = cli_call_slurp(fd, CURSOR_MAX, &w), status = 0;
	close(fd);
	/* To begin at the beginning would be harmless; to begin where it is not would be a gap. */
	if (err || !parse(writer_view(&w), ret))
		status = cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", "Remove it to send the whole log again.",
		    "%s: is not what this program wrote there", path);
	writer_free(&w);
	return status;
}

static void
encode(const struct cli_cursor *k, struct writer *w)
{
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "log", k->vkey);
	jsonw_kuint(&j, "next", k->next);
	jsonw_khex(&j, "note", k->note, sizeof k->note);
	jsonw_khex(&j, "root", k->head.root, sizeof k->head.root);
	jsonw_kuint(&j, "size", k->head.size);
	jsonw_object_end(&j);
	writer_u8(w, '\n');
}

int
cli_cursor_save(const struct cli_common *c, const char *path, const struct cli_cursor *cursor)
{
	struct writer w;
	writer_init(&w, CURSOR_MAX);
	encode(cursor, &w);
	/* It has a bound: only memory can fail here. */
	int err = writer_err(&w);
	if (!err)
		err = wholefile_replace(AT_FDCWD, path, writer_view(&w), 0600);
	writer_free(&w);
	return err ? cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, err_why(err)) : 0;
}
