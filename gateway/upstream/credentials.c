/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "crypto/err.h"

static int
read_all(struct credentials *c, int fd)
{
	c->bytes = malloc(CREDENTIALS_BYTES_MAX + 1);
	if (!c->bytes)
		return FG_ENOMEM;
	while (c->n <= CREDENTIALS_BYTES_MAX) {
		/* The descriptor is shared with other fetches, and so is its position. */
		ssize_t got = pread(fd, c->bytes + c->n, CREDENTIALS_BYTES_MAX + 1 - c->n, (off_t)c->n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return FG_EIO;
		if (got == 0)
			return FG_OK;
		c->n += (size_t)got;
	}
	return FG_ELIMIT;
}

/* A line outside of PEM, which has none like it: its value into out, once. */
static int
take_user(struct view line, const char *name, char out[CREDENTIALS_USER_MAX])
{
	size_t n = strlen(name);
	if (line.n < n || memcmp(line.p, name, n) != 0)
		return FG_OK;
	line = view_of(line.p + n, line.n - n);
	bool good = !out[0] && line.n < CREDENTIALS_USER_MAX && memchr(line.p, ':', line.n);
	for (size_t i = 0; i < line.n; i++)
		good = good && line.p[i] >= 0x20 && line.p[i] != 0x7f;
	if (!good)
		return FG_EFORMAT;
	memcpy(out, line.p, line.n);
	out[line.n] = '\0';
	return FG_OK;
}

static int
take_line(struct credentials *c, struct view line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	int err = take_user(line, "proxy: ", c->proxy);
	return err ? err : take_user(line, "ftp: ", c->ftp);
}

static bool
has(const struct credentials *c, const char *text)
{
	return memmem(c->bytes, c->n, text, strlen(text)) != NULL;
}

int
credentials_read(struct credentials *c, int fd)
{
	*c = (struct credentials){ .n = 0 };
	int err = read_all(c, fd);
	for (size_t at = 0; !err && at < c->n;) {
		const uint8_t *end = memchr(c->bytes + at, '\n', c->n - at);
		size_t n = end ? (size_t)(end - c->bytes) - at : c->n - at;
		err = take_line(c, view_of(c->bytes + at, n));
		at += n + 1;
	}
	bool certificate = !err && has(c, "-----BEGIN CERTIFICATE-----"), key = !err && has(c, "PRIVATE KEY-----");
	/* One without the other, or none of all, is a file that somebody has not finished. */
	if (!err && (certificate != key || (!certificate && !c->proxy[0] && !c->ftp[0])))
		err = FG_EFORMAT;
	if (err)
		credentials_wipe(c);
	else if (certificate)
		c->pem = view_of(c->bytes, c->n);
	return err;
}

void
credentials_wipe(struct credentials *c)
{
	if (c->bytes)
		OPENSSL_cleanse(c->bytes, c->n);
	free(c->bytes);
	OPENSSL_cleanse(c, sizeof *c);
}
