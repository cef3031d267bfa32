/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/transport.h"

#include <string.h>
#include <strings.h>

struct row {
	const char *name;
	uint16_t port;
	bool tls, ftp;
};

static const struct row rows[] = {
	[TRANSPORT_NONE] = { "", 0, false, false },
	[TRANSPORT_HTTP] = { "http", 80, false, false },
	[TRANSPORT_HTTPS] = { "https", 443, true, false },
	[TRANSPORT_FTP] = { "ftp", 21, false, true },
	[TRANSPORT_FTPES] = { "ftpes", 21, true, true },
	[TRANSPORT_FTPS] = { "ftps", 990, true, true },
};

static const struct row *
row(enum transport t)
{
	return (size_t)t < sizeof rows / sizeof *rows ? &rows[t] : &rows[TRANSPORT_NONE];
}

enum transport
transport_of(struct view url, size_t *ret_n)
{
	for (size_t t = TRANSPORT_NONE + 1; t < sizeof rows / sizeof *rows; t++) {
		size_t n = strlen(rows[t].name);
		if (url.n >= n + 3 && !strncasecmp((const char *)url.p, rows[t].name, n) && !memcmp(url.p + n, "://", 3)) {
			*ret_n = n + 3;
			return (enum transport)t;
		}
	}
	*ret_n = 0;
	return TRANSPORT_NONE;
}

const char *
transport_name(enum transport t)
{
	return row(t)->name;
}

uint16_t
transport_port(enum transport t)
{
	return row(t)->port;
}

bool
transport_tls(enum transport t)
{
	return row(t)->tls;
}

bool
transport_ftp(enum transport t)
{
	return row(t)->ftp;
}
