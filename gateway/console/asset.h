/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asset - the web pages, which are part of the program: embedded from
 * gateway/console/web at build time, and below export/ the texts that go along
 * with every export (cmd/cli_text.h). Only what was there then exists.
 * Role: the console's front. Pure.
 */
#ifndef FG_GATEWAY_CONSOLE_ASSET_H
#define FG_GATEWAY_CONSOLE_ASSET_H

#include "crypto/view.h"

#define ASSET_INDEX "index.html"

struct asset {
	const char *name; /* "lib/app.js" */
	const uint8_t *bytes;
	size_t n;
	const char *etag; /* hexadecimal SHA-256 */
};

/* Made by gateway/console/embed.cmake. */
extern const struct asset asset_table[];
extern const size_t asset_table_n;

/*
 * What a path below no /api is answered with: its file; the one page for "/" and
 * for what may be a place inside it (a last segment without a dot); NULL: nothing.
 */
const struct asset *asset_find(struct view path);
/* By the end of its name. */
const char *asset_type(const struct asset *a);

#endif
