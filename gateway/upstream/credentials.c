/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "crypto/err.h"

#define PROXY "proxy: "

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

/* A line outside of PEM, which has none like it. */
static int
take_line(struct credentials *c, struct view line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n < strlen(PROXY) || memcmp(line.p, PROXY, strlen(PROXY)) != 0)
		return FG_OK;
	line = view_of(line.p + strlen(PROXY), line.n - strlen(PROXY));
	bool good = !c->proxy[0] && line.n < sizeof c->proxy && memchr(line.p, ':', line.n);
	for (size_t i = 0; i < line.n; i++)
		good = good && line.p[i] >= 0x20 && line.p[i] != 0x7f;
	if (!good)
		return FG_EFORMAT;
	memcpy(c->proxy, line.p, line.n);
	c->proxy[line.n] = '\0';
	return FG_OK;
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
	/* One without the other, or neither and no password, is a file that somebody has not finished. */
	if (!err && (certificate != key || (!certificate && !c->proxy[0])))
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
