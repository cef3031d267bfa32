/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/asset.h"

static const struct {
	const char *end, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/vnd.microsoft.icon" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".md", "text/plain; charset=utf-8" },
	{ ".py", "text/plain; charset=utf-8" },
	{ ".woff2", "font/woff2" },
};

static const struct asset *
named(struct view name)
{
	for (size_t i = 0; i < asset_table_n; i++)
		if (view_is(name, asset_table[i].name))
			return &asset_table[i];
	return NULL;
}

/* Letters, digits and what addresses of the page have: nothing that is decoded, or climbs. */
static bool
is_place(struct view path)
{
	for (size_t i = 0; i < path.n; i++) {
		uint8_t c = path.p[i];
		if (c == '.' || c == '\\' || c < 0x21 || c > 0x7e || (c == '/' && i && path.p[i - 1] == '/'))
			return false;
	}
	return true;
}

const struct asset *
asset_find(struct view path)
{
	if (!path.n || path.p[0] != '/')
		return NULL;
	const struct asset *a = named(view_of(path.p + 1, path.n - 1));
	return a || !is_place(path) ? a : named(view_str(ASSET_INDEX));
}

const char *
asset_type(const struct asset *a)
{
	size_t n = strlen(a->name);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		size_t end = strlen(types[i].end);
		if (n > end && strcmp(a->name + n - end, types[i].end) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}
