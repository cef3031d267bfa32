/* SPDX-License-Identifier: Apache-2.0 */
#include "images/token_internal.h"

#include <stdlib.h>

#include <arpa/inet.h>

#define HOST_MAX 253 /* RFC 1035 */
#define LABEL_MAX 63

/* Top-level domains that no file suffix, member name or common word is spelt like; in order. */
static const char plain[][8] = {
	"ac", "ae", "af", "ag", "ao", "aq", "ar", "asia", "au", "aw", "ax", "az", "ba", "bb", "bd", "bf", "bg",
	"bh", "bi", "bj", "bm", "bn", "bo", "br", "bs", "bt", "bw", "by", "ca", "cd", "cf", "cg", "ch", "ci",
	"ck", "cl", "cm", "cn", "co", "com", "coop", "cr", "cu", "cv", "cw", "cy", "cz", "de", "dj", "dk", "dm",
	"dz", "ec", "edu", "ee", "eg", "er", "es", "et", "eu", "fi", "fj", "fk", "fm", "fr", "ga", "gd", "ge",
	"gf", "gg", "gh", "gi", "gl", "gm", "gn", "gov", "gp", "gq", "gr", "gs", "gt", "gu", "gw", "gy", "hk",
	"hm", "hn", "hr", "ht", "hu", "ie", "il", "int", "iq", "ir", "je", "jm", "jo", "jp", "ke", "kg", "kh",
	"ki", "km", "kn", "kp", "kr", "kw", "ky", "kz", "lb", "lc", "li", "lk", "lr", "ls", "lt", "lu", "lv",
	"ly", "ma", "mc", "mg", "mh", "mil", "mn", "mo", "mobi", "mp", "mq", "mr", "mt", "mu", "mv", "mw", "mx",
	"mz", "nc", "ne", "net", "nf", "ng", "ni", "nl", "np", "nr", "nu", "nz", "om", "onion", "online", "org",
	"pa", "pe", "pf", "pg", "ph", "pk", "pn", "pr", "pt", "pw", "qa", "re", "ro", "ru", "rw", "sa", "sb",
	"sc", "sd", "se", "sg", "shop", "si", "site", "sk", "sl", "sm", "sn", "sr", "ss", "st", "su", "sv",
	"sx", "sy", "sz", "tc", "td", "tech", "tf", "tg", "th", "tj", "tk", "tl", "tn", "top", "travel", "tt",
	"tv", "tw", "tz", "ua", "ug", "uk", "us", "uy", "uz", "va", "vc", "ve", "vg", "vi", "vip", "vn", "vu",
	"website", "wf", "ws", "xin", "xyz", "ye", "za", "zm", "zw",
};
/* Those that are also file suffixes, words or usual names of members: more is asked of them. In order. */
static const char wary[][8] = {
	"ad", "ai", "al", "am", "app", "as", "at", "be", "biz", "bz", "cat", "cc", "club", "cloud", "cx", "dev",
	"do", "fo", "fun", "gy", "host", "icu", "id", "im", "in", "info", "io", "is", "it", "jobs", "la",
	"link", "live", "md", "me", "mk", "ml", "mm", "ms", "my", "na", "name", "network", "no", "page", "pl",
	"pm", "post", "press", "pro", "ps", "py", "rs", "run", "sh", "so", "space", "store", "systems", "tel",
	"to", "today", "tr", "vc", "work", "works", "world", "zone",
};
/* Of these, what compilers put before ":LINE". In order. */
static const char suffix[][8] = { "am", "as", "cc", "in", "md", "ml", "mm", "pl", "pm", "ps", "py", "rs", "sh",
	"so" };
/* Names that begin like these and end in a wary word are Java packages, D-Bus names or members of an object. */
static const char *const reversed[] = { "com", "org", "net", "edu", "gov", "de", "java", "javax", "android",
	"androidx", "dalvik", "sun", "this", "self", "window", "document", "module", "exports", "lib", "sys",
	"os", "process", "console", "app" };

static int
label_order(const void *key, const void *entry)
{
	return strcmp(key, entry);
}

static bool
is_in(const char *label, const char (*list)[8], size_t n)
{
	return bsearch(label, list, n, sizeof list[0], label_order) != NULL;
}

static struct view
label(struct view name, size_t from)
{
	size_t n = 0;
	while (from + n < name.n && name.p[from + n] != '.')
		n++;
	return view_of(name.p + from, n);
}

/* Letters, digits and hyphens (and a leading underscore, as services have), 1 to 63 of them. */
static bool
is_label(struct view l)
{
	if (l.n == 0 || l.n > LABEL_MAX || l.p[0] == '-' || l.p[l.n - 1] == '-')
		return false;
	for (size_t i = 0; i < l.n; i++)
		if (!token_is_alnum(l.p[i]) && l.p[i] != '-' && !(i == 0 && l.p[i] == '_'))
			return false;
	return true;
}

/* Members of objects in scripts, and a section of ELF files. */
static bool
is_member(struct view name, struct view first)
{
	static const char *const objects[] = { "this", "self", "window", "document", "module", "exports",
		"process", "console" };
	for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++)
		if (token_same(first, objects[i]))
			return true;
	return token_begins(name, "data.rel.ro");
}

static bool
is_reversed(struct view first)
{
	for (size_t i = 0; i < sizeof reversed / sizeof reversed[0]; i++)
		if (token_same(first, reversed[i]))
			return true;
	return first.n >= 3 && token_begins(first, "lib");
}

bool
token_is_host(struct view name, enum token_mark mark)
{
	char tld[8] = "";
	struct view first = label(name, 0), before = first, last = first;
	unsigned labels = 0;
	bool letter = false;
	if (name.n == 0 || name.n > HOST_MAX)
		return false;
	for (size_t at = 0; at <= name.n; at += last.n + 1) {
		before = last;
		last = label(name, at);
		if (!is_label(last))
			return false;
		labels++;
		for (size_t i = 0; i < last.n; i++)
			letter = letter || token_is_alpha(last.p[i]);
	}
	if (labels == 1) /* of the module's own network; a bare word is one too */
		return mark == TOKEN_MARK_SURE && letter && name.n >= 2 && !token_same(name, "localhost");
	/* A top-level domain has no digit but in Punycode. */
	if (token_begins(last, "xn--"))
		return mark != TOKEN_MARK_PATH;
	for (size_t i = 0; i < last.n; i++)
		if (!token_is_alpha(last.p[i]))
			return false;
	if (mark == TOKEN_MARK_SURE)
		return last.n >= 2;
	if (last.n < 2 || last.n >= sizeof tld)
		return false;
	for (size_t i = 0; i < last.n; i++)
		tld[i] = token_lower(last.p[i]);
	if (is_in(tld, plain, sizeof plain / sizeof plain[0]))
		return before.n >= 2 && !is_member(name, first) &&
		       (mark != TOKEN_MARK_PATH || last.n >= 3 || labels >= 3);
	if (!is_in(tld, wary, sizeof wary / sizeof wary[0]) || mark == TOKEN_MARK_PATH)
		return false;
	if (mark == TOKEN_MARK_PORT && !is_in(tld, suffix, sizeof suffix / sizeof suffix[0]))
		return true;
	return labels >= 3 && before.n >= 3 && !is_reversed(first);
}

enum token_class
token_host_class(struct view name)
{
	static const char *const words[] = { "supl", "xtra", "xtrapath", "izatcloud", "agps", "agnss",
		"assistnow", "lto", "gpsonextra" };
	for (size_t at = 0; at < name.n;) {
		struct view l = label(name, at);
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
			size_t n = strlen(words[i]);
			if (token_begins(l, words[i]) && (l.n == n || !token_is_alpha(l.p[n])))
				return TOKEN_LOCATION;
		}
		at += l.n + 1;
	}
	return TOKEN_HOST;
}

bool
token_is_ipv4(struct view text, uint8_t ret[4])
{
	size_t at = 0;
	for (unsigned part = 0; part < 4; part++) {
		unsigned v = 0, n = 0;
		while (at < text.n && token_is_digit(text.p[at]) && n < 4) {
			v = v * 10 + (text.p[at++] - '0');
			n++;
		}
		if (n == 0 || n > 3 || v > 255 || (n > 1 && text.p[at - n] == '0'))
			return false;
		ret[part] = (uint8_t)v;
		if (part < 3 && (at >= text.n || text.p[at++] != '.'))
			return false;
	}
	return at == text.n && ret[0] != 0 && ret[0] != 127 && ret[0] != 255;
}

bool
token_ipv4_is_doubtful(const uint8_t a[4])
{
	return a[0] < 3 || (a[0] < 32 && a[1] < 32 && a[2] < 32 && a[3] < 32 && a[0] != 10);
}

bool
token_is_resolver(struct view address)
{
	static const char *const known[] = { "1.0.0.1", "1.1.1.1", "8.8.4.4", "8.8.8.8", "9.9.9.9", "9.9.9.10",
		"4.2.2.1", "4.2.2.2", "64.6.64.6", "77.88.8.1", "77.88.8.8", "94.140.14.14", "101.226.4.6",
		"114.114.114.114", "114.114.115.115", "119.29.29.29", "149.112.112.112", "180.76.76.76",
		"182.254.116.116", "208.67.220.220", "208.67.222.222", "223.5.5.5", "223.6.6.6",
		"2001:4860:4860::8844", "2001:4860:4860::8888", "2606:4700:4700::1001", "2606:4700:4700::1111",
		"2620:fe::9", "2620:fe::fe", "2400:3200::1", "240c::6666" };
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (token_same(address, known[i]))
			return true;
	return false;
}

bool
token_is_ipv6(struct view text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr a;
	unsigned colons = 0;
	if (text.n < 4 || text.n >= sizeof copy)
		return false;
	for (size_t i = 0; i < text.n; i++)
		colons += text.p[i] == ':';
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (colons < 2 || inet_pton(AF_INET6, copy, &a) != 1)
		return false;
	/* Two words with "::" between them are a name in C++: the first group has four digits, or there are more. */
	size_t group = strcspn(copy, ":");
	bool global = (a.s6_addr[0] & 0xe0) == 0x20, local = (a.s6_addr[0] & 0xfe) == 0xfc;
	bool digits = false;
	for (size_t i = 0; i < text.n; i++)
		digits = digits || token_is_digit(text.p[i]);
	return (global || local) && group == 4 && digits && (colons > 2 || token_is_digit(text.p[0]));
}

/* Calling codes of two digits that are assigned as such; of three, ranges of the first two. ITU-T E.164 list of 2016. */
bool
token_is_phone(struct view d)
{
	static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 "
				  "58 60 61 62 63 64 65 66 "
				  "81 82 84 86 90 91 92 93 94 95 98 ";
	static const char three[] = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99 ";
	if (d.n < 8 || d.n > 15)
		return false;
	bool same = true;
	for (size_t i = 0; i < d.n; i++) {
		if (!token_is_digit(d.p[i]))
			return false;
		same = same && d.p[i] == d.p[d.n - 1];
	}
	if (same || d.p[0] == '0')
		return false;
	if (d.p[0] == '1') /* North America: neither area nor exchange begins with 0 or 1 */
		return d.n == 11 && d.p[1] >= '2' && d.p[4] >= '2';
	if (d.p[0] == '7')
		return d.n == 11;
	char code[4] = { (char)d.p[0], (char)d.p[1], ' ', '\0' };
	return strstr(two, code) != NULL || strstr(three, code) != NULL;
}
