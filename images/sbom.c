/* SPDX-License-Identifier: Apache-2.0 */
#include "images/sbom.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/token.h"

#define DATABASE_MAX (32u << 20) /* bytes of a package database: Debian's of a desktop has 6 MiB */

struct item {
	char name[SBOM_NAME_MAX];
	char version[SBOM_VERSION_MAX];
	char path[PAGE_PATH_MAX];
};

struct sbom {
	struct item *item;
	size_t n, cap;
	bool more; /* some found no room */
	const char *path;
	bool database; /* the leaf is one: its lines are fields */
	char package[SBOM_NAME_MAX];
};

struct sbom *
sbom_new(void)
{
	return calloc(1, sizeof(struct sbom));
}

void
sbom_free(struct sbom *b)
{
	if (!b)
		return;
	free(b->item);
	free(b);
}

size_t
sbom_count(const struct sbom *b)
{
	return b->n;
}

static int
add(struct sbom *b, const char *name, const char *version)
{
	if (b->n == SBOM_MAX) {
		b->more = true;
		return 0;
	}
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 64;
		struct item *more = realloc(b->item, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		b->item = more;
		b->cap = cap;
	}
	struct item *i = &b->item[b->n++];
	snprintf(i->name, sizeof i->name, "%s", name);
	snprintf(i->version, sizeof i->version, "%s", version);
	snprintf(i->path, sizeof i->path, "%.*s", (int)sizeof i->path - 1, b->path);
	return 0;
}

/* ---- banners ---- */

static const struct {
	const char *text; /* right before the version */
	const char *name;
} banners[] = {
	{ "BusyBox v", "busybox" },
	{ "Dropbear v", "dropbear" },
	{ "dropbear_", "dropbear" },
	{ "OpenSSL ", "openssl" },
	{ "OpenSSH_", "openssh" },
	{ "libcurl/", "curl" },
	{ "curl ", "curl" },
	{ "Linux version ", "linux" },
	{ "U-Boot ", "u-boot" },
	{ "deflate ", "zlib" },
	{ "inflate ", "zlib" },
	{ "dnsmasq-", "dnsmasq" },
	{ "lighttpd/", "lighttpd" },
	{ "nginx/", "nginx" },
	{ "mbed TLS ", "mbedtls" },
	{ "Mbed TLS ", "mbedtls" },
	{ "wolfSSL ", "wolfssl" },
	{ "GnuTLS ", "gnutls" },
	{ "hostapd v", "hostapd" },
	{ "wpa_supplicant v", "wpa-supplicant" },
	{ "iptables v", "iptables" },
	{ "mosquitto version ", "mosquitto" },
	{ "OpenVPN ", "openvpn" },
	{ "stable release version ", "glibc" },
	{ "uClibc-ng ", "uclibc" },
	{ "FreeRTOS V", "freertos" },
	{ "Zephyr OS build v", "zephyr" },
	{ "lwIP/", "lwip" },
	{ "systemd ", "systemd" },
	{ "strongSwan ", "strongswan" },
	{ "pppd version ", "pppd" },
	{ "vsftpd: version ", "vsftpd" },
};

/* A version has a dot between digits: "3.0.17", "1.1.1n", "2024.01-rc2". */
static size_t
version_at(struct view s, char dst[SBOM_VERSION_MAX])
{
	size_t n = 0;
	bool dot = false;
	while (n < s.n && n < SBOM_VERSION_MAX - 1) {
		uint8_t c = s.p[n];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (n == 0 ? !digit
			   : !digit && !letter && c != '.' && c != '-' && c != '_' && c != '+' && c != '~')
			break;
		dot = dot || (c == '.' && n + 1 < s.n && s.p[n + 1] >= '0' && s.p[n + 1] <= '9');
		n++;
	}
	while (n && !((s.p[n - 1] >= '0' && s.p[n - 1] <= '9') || (s.p[n - 1] | 0x20) >= 'a'))
		n--;
	if (!dot)
		return 0;
	memcpy(dst, s.p, n);
	dst[n] = '\0';
	return n;
}

static int
banner(struct sbom *b, struct view run)
{
	char version[SBOM_VERSION_MAX];
	for (size_t k = 0; k < sizeof banners / sizeof banners[0]; k++) {
		size_t n = strlen(banners[k].text);
		const uint8_t *at = run.n > n ? memmem(run.p, run.n, banners[k].text, n) : NULL;
		if (!at || (at > run.p && ((at[-1] | 0x20) >= 'a' && (at[-1] | 0x20) <= 'z')))
			continue;
		size_t from = (size_t)(at - run.p) + n;
		if (!version_at(view_of(run.p + from, run.n - from), version))
			continue;
		int err = add(b, banners[k].name, version);
		if (err)
			return err;
	}
	return 0;
}

/* ---- databases ---- */

static bool
field(struct view line, const char *key, char *dst, size_t cap)
{
	size_t n = strlen(key);
	if (line.n <= n || memcmp(line.p, key, n) != 0)
		return false;
	while (n < line.n && (line.p[n] == ' ' || line.p[n] == '"' || line.p[n] == '\''))
		n++;
	size_t end = line.n;
	while (end > n && (line.p[end - 1] == '"' || line.p[end - 1] == '\'' || line.p[end - 1] == '\r'))
		end--;
	visible_cstr(view_of(line.p + n, end - n), dst, cap);
	return true;
}

static int
row(struct sbom *b, struct view line)
{
	char version[SBOM_VERSION_MAX];
	if (field(line, "Package: ", b->package, sizeof b->package) ||
	    field(line, "P:", b->package, sizeof b->package))
		return 0;
	if ((field(line, "Version: ", version, sizeof version) || field(line, "V:", version, sizeof version)) &&
	    b->package[0]) {
		int err = add(b, b->package, version);
		b->package[0] = '\0';
		return err;
	}
	if (field(line, "VERSION_ID=", version, sizeof version) ||
	    field(line, "DISTRIB_RELEASE=", version, sizeof version))
		return add(b, "system release", version);
	if (field(line, "BUILD_ID=", version, sizeof version))
		return add(b, "system build", version);
	return 0;
}

static bool
ends(const char *path, const char *with)
{
	size_t a = strlen(path), b = strlen(with);
	return a >= b && strcmp(path + a - b, with) == 0 && (a == b || path[a - b - 1] == '/');
}

static bool
is_database(const char *path)
{
	static const char *const files[] = { "dpkg/status", "opkg/status", "ipkg/status", "apk/db/installed",
		"os-release", "openwrt_release", "lsb-release" };
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (ends(path, files[i]))
			return true;
	return strstr(path, "dpkg/status.d/") != NULL;
}

static int
on_run(void *arg, struct view run, uint64_t offset, bool wide)
{
	struct sbom *b = arg;
	(void)offset;
	(void)wide;
	return b->database ? row(b, run) : banner(b, run);
}

int
sbom_scan(struct sbom *b, const struct leaf *l)
{
	b->path = l->path;
	b->database = is_database(l->path);
	b->package[0] = '\0';
	if (b->database && l->bytes.size > DATABASE_MAX) {
		b->more = true;
		return 0;
	}
	/* "V:1" is shorter than what counts as a text elsewhere: databases are read by their own lines. */
	if (!b->database)
		return token_runs(&l->bytes, on_run, b);
	size_t n = (size_t)l->bytes.size;
	uint8_t *text = malloc(n ? n : 1);
	int err = text ? source_read(&l->bytes, 0, text, n) : FG_ENOMEM;
	for (size_t at = 0; at < n && !err;) {
		const uint8_t *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - (text + at)) : n - at;
		err = row(b, view_of(text + at, len));
		at += len + 1;
	}
	free(text);
	return err;
}

/* ---- comparison ---- */

static int
rank(char c)
{
	if (c == '~')
		return -1;
	if (c == '\0')
		return 0;
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? (unsigned char)c : (unsigned char)c + 256;
}

int
sbom_order(const char *a, const char *b)
{
	while (*a || *b) {
		bool x = *a >= '0' && *a <= '9', y = *b >= '0' && *b <= '9';
		if (x && y) {
			a += strspn(a, "0");
			b += strspn(b, "0");
			size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
			int c = n == m ? strncmp(a, b, n) : n < m ? -1 : 1;
			if (c)
				return c;
			a += n;
			b += m;
			continue;
		}
		/* A candidate comes before its release. */
		int p = strncmp(a, "-rc", 3) == 0 ? -1 : rank(*a),
		    q = strncmp(b, "-rc", 3) == 0 ? -1 : rank(*b);
		if (p != q)
			return p < q ? -1 : 1;
		a++;
		b++;
	}
	return 0;
}

static int
by_name(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	int c = strcmp(a->name, b->name);
	if (c == 0)
		c = strcmp(a->version, b->version);
	return c ? c : strcmp(a->path, b->path);
}

/* Sorted, each version of each name once. */
static void
settle(struct sbom *b)
{
	size_t n = 0;
	if (b->n)
		qsort(b->item, b->n, sizeof b->item[0], by_name);
	for (size_t i = 0; i < b->n; i++)
		if (n == 0 || strcmp(b->item[n - 1].name, b->item[i].name) != 0 ||
		    strcmp(b->item[n - 1].version, b->item[i].version) != 0)
			b->item[n++] = b->item[i];
	b->n = n;
}

/* Versions of one name from i on. */
static size_t
versions(const struct sbom *b, size_t i)
{
	size_t n = 0;
	while (i + n < b->n && strcmp(b->item[i + n].name, b->item[i].name) == 0)
		n++;
	return n;
}

static int
line(const struct item *was, const struct item *is, struct page *page)
{
	struct page_line l = { .block = PAGE_SBOM,
		.id = FINDING_CHG_SBOM,
		.sign = was && is ? PAGE_CHANGED
			: is	  ? PAGE_ADDED
				  : PAGE_GONE };
	const struct item *shown = is ? is : was;
	snprintf(l.path, sizeof l.path, "%s", shown->path);
	if (was && is) {
		bool older = sbom_order(is->version, was->version) < 0;
		page_text(&l, "%s %s -> %s%s", is->name, was->version, is->version,
		    older ? ", which is older (a hint)" : " (a hint)");
		if (older)
			l.id = FINDING_CHG_OLDER;
	} else {
		page_text(&l, "%s %s %s (a hint)", shown->name, shown->version, is ? "new" : "gone");
	}
	return page_add(page, &l);
}

/* All versions of one name on both sides. */
static int
component(
    const struct sbom *old, size_t i, size_t n, const struct sbom *new, size_t k, size_t m, struct page *page)
{
	int err = 0;
	if (n == 1 && m == 1)
		return strcmp(old->item[i].version, new->item[k].version) == 0
			   ? 0
			   : line(&old->item[i], &new->item[k], page);
	for (size_t a = 0; a < n && !err; a++) {
		bool there = false;
		for (size_t b = 0; b < m; b++)
			there = there || strcmp(old->item[i + a].version, new->item[k + b].version) == 0;
		err = there ? 0 : line(&old->item[i + a], NULL, page);
	}
	for (size_t b = 0; b < m && !err; b++) {
		bool there = false;
		for (size_t a = 0; a < n; a++)
			there = there || strcmp(old->item[i + a].version, new->item[k + b].version) == 0;
		err = there ? 0 : line(NULL, &new->item[k + b], page);
	}
	return err;
}

int
sbom_page(struct sbom *old, struct sbom *new, struct page *page)
{
	int err = 0;
	settle(old);
	settle(new);
	for (size_t i = 0, k = 0; !err && (i < old->n || k < new->n);) {
		int c = i == old->n ? 1 : k == new->n ? -1 : strcmp(old->item[i].name, new->item[k].name);
		size_t n = c <= 0 ? versions(old, i) : 0, m = c >= 0 ? versions(new, k) : 0;
		err = component(old, i, n, new, k, m, page);
		i += n;
		k += m;
	}
	if (!err && (old->more || new->more)) {
		struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE };
		page_text(&l, "more components than are compared");
		err = page_add(page, &l);
	}
	return err;
}
