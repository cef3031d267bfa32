/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config_form.h"

#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "policy/cidr.h"
#include "policy/profile.h"
#include "policy/window.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool
only(const char *s, const char *set)
{
	return *s != '\0' && s[strspn(s, set)] == '\0';
}

static const char *
printable(const char *s, bool breaks)
{
	for (; *s != '\0'; s++)
		if ((*s < 0x20 || *s > 0x7e) && !(breaks && strchr("\r\n\t", *s)))
			return "write printable ASCII only";
	return NULL;
}

static bool
is_file(const char *s)
{
	return only(s, LOWER UPPER DIGIT "._-") && s[0] != '.' && s[0] != '-';
}

static bool
is_dir(const char *s)
{
	if (s[0] != '/' || printable(s, false))
		return false;
	for (const char *p = s; *p == '/';) {
		size_t n = strcspn(++p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
	}
	return true;
}

static bool
is_host(const char *s)
{
	char normal[PROFILE_HOST_MAX + 1];
	if (s[0] == '*')
		return s[1] == '.' && s[2] != '*' && s[2] != '[' && is_host(s + 2);
	return profile_host_normal(view_str(s), normal) && strcmp(s, normal) == 0;
}

static bool
is_source(const char *s)
{
	if (!strcmp(s, "client_cert") || !strcmp(s, "psk_identity") || !strcmp(s, "source_address"))
		return true;
	if (!strncmp(s, "capture:", 8))
		return only(s + 8, LOWER DIGIT "_");
	if (!strncmp(s, "header:", 7))
		return only(s + 7, LOWER UPPER DIGIT "-");
	return !strncmp(s, "fixed:", 6) && s[6] != '\0';
}

static bool
is_param(const char *s)
{
	size_t name = strspn(s, LOWER UPPER DIGIT "._-");
	const char *p = s + name;
	if (name > PROFILE_WORD_MAX)
		return false;
	if (name == 0) /* bare word: the whole part is the capture */
		return s[0] == '{' && s[strlen(s) - 1] == '}';
	if (*p == '?')
		p++;
	return *p == '=' && p[1] != '\0' && !strpbrk(p + 1, "%&+# ");
}

static bool
is_media(const char *s)
{
	const char *slash = strchr(s, '/');
	return slash && slash != s && only(slash + 1, LOWER DIGIT "+.-") && only(s, LOWER DIGIT "/+.-");
}

/* No "*" but at the end. */
static bool
is_stem(const char *s)
{
	size_t n = strcspn(s, "*");
	return s[n] == '\0' || s[n + 1] == '\0';
}

const char *
config_form_check(enum config_form form, const char *s)
{
	uint8_t pin[DIGEST_SHA256_LEN];
	struct cidr_addr addr;
	struct cidr range;
	int64_t time;
	struct zone zone;
	int64_t day;
	int32_t clock;
	switch (form) {
	case CONFIG_FORM_TEXT:
	case CONFIG_FORM_URL:
		return printable(s, false);
	case CONFIG_FORM_BODY:
		return printable(s, true);
	case CONFIG_FORM_WORD:
		return only(s, LOWER DIGIT "-") && s[0] != '-' ? NULL : "write a-z, 0-9 and \"-\" only";
	case CONFIG_FORM_USER:
		return only(s, LOWER DIGIT "_-") && s[0] != '-' ? NULL : "write a Unix name (a-z, 0-9, \"_\", \"-\")";
	case CONFIG_FORM_FILE:
		return is_file(s) ? NULL : "write a file name without \"/\" (letters, digits, \".\", \"_\", \"-\")";
	case CONFIG_FORM_DIR:
		return is_dir(s) ? NULL : "write an absolute path without \"..\", \"//\" or \"/\" at its end";
	case CONFIG_FORM_ADDRESS:
		return cidr_addr_parse(view_str(s), &addr) ? NULL : "write an IP address (\"0.0.0.0\", \"::\")";
	case CONFIG_FORM_CIDR:
		return cidr_parse(view_str(s), &range) ? NULL
						       : "write a prefix whose host bits are zero (\"10.0.0.0/8\")";
	case CONFIG_FORM_COUNTRY:
		return (strlen(s) == 2 && only(s, UPPER)) || !strcmp(s, "unknown")
			   ? NULL
			   : "write two capital letters (ISO 3166-1), or \"unknown\"";
	case CONFIG_FORM_FINDING:
		return only(s, UPPER DIGIT "-*") && is_stem(s)
			   ? NULL
			   : "write the id of a finding (\"SIG-WEAK\"), or its beginning and \"*\"";
	case CONFIG_FORM_HOST:
		return is_host(s) ? NULL : "write a host in lower case without port, or \"*.\" and one";
	case CONFIG_FORM_PATTERN:
		return s[0] == '/' ? printable(s, false) : "write a path that starts with \"/\"";
	case CONFIG_FORM_PARAM:
		return is_param(s) ? NULL
				   : "write \"name={capture}\", \"name?={capture}\" (optional), "
				     "\"name=text\" or \"{capture}\"";
	case CONFIG_FORM_SOURCE:
		return is_source(s) ? NULL
				    : "write \"capture:NAME\", \"header:NAME\", \"fixed:TEXT\", "
				      "\"client_cert\", \"psk_identity\" or \"source_address\"";
	case CONFIG_FORM_PIN:
		return hex_decode(view_str(s), pin, sizeof pin)
			   ? NULL
			   : "write a SHA-256 as 64 digits of lower-case hex";
	case CONFIG_FORM_MEDIA:
		return is_media(s) ? NULL : "write a media type without parameters (\"application/json\")";
	case CONFIG_FORM_STAMP:
		return stamp_parse(view_str(s), &time) ? NULL : "write a time in UTC (\"2026-12-24T00:00:00Z\")";
	case CONFIG_FORM_STEM:
		return is_stem(s) ? printable(s, false) : "write \"*\" at the end only";
	case CONFIG_FORM_ZONE:
		return zone_parse(view_str(s), &zone) ? NULL
						      : "write the last line of its file in /usr/share/zoneinfo "
							"(\"CET-1CEST,M3.5.0,M10.5.0/3\", \"UTC0\")";
	case CONFIG_FORM_WEEKDAY:
		return window_day_parse(view_str(s)) >= 0 ? NULL : "write mon, tue, wed, thu, fri, sat or sun";
	case CONFIG_FORM_CLOCK:
		return window_clock_parse(view_str(s), true, &clock) ? NULL : "write \"00:00\" to \"24:00\"";
	case CONFIG_FORM_DATE:
		return zone_date_parse(view_str(s), &day) ? NULL : "write a day as \"2026-12-24\"";
	case CONFIG_FORM_DIGITS:
		return only(s, DIGIT) ? NULL : "write digits only";
	case CONFIG_FORM_NONE:
		break;
	}
	return "this text has no form";
}

/* Leading digits, at most nine, no leading zero beside "0" itself; the rest in *ret_unit. */
static bool
leading_number(const char *s, int64_t *ret, const char **ret_unit)
{
	size_t n = strspn(s, DIGIT);
	int64_t v = 0;
	if (n == 0 || n > 9 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (s[i] - '0');
	*ret = v;
	*ret_unit = s + n;
	return true;
}

bool
config_form_duration(const char *s, int64_t *ret_seconds)
{
	int64_t v;
	const char *unit;
	if (!leading_number(s, &v, &unit) || strlen(unit) != 1)
		return false;
	switch (*unit) {
	case 's':
		break;
	case 'm':
		v *= 60;
		break;
	case 'h':
		v *= 3600;
		break;
	case 'd':
		v *= 86400;
		break;
	default:
		return false;
	}
	*ret_seconds = v;
	return true;
}

bool
config_form_size(const char *s, int64_t *ret_bytes)
{
	static const struct {
		const char *name;
		unsigned shift;
	} units[] = { { "", 0 }, { "B", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 }, { "TiB", 40 } };
	int64_t v, bytes;
	const char *unit;
	if (!leading_number(s, &v, &unit))
		return false;
	unit += *unit == ' ' && unit[1] != '\0';
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(v, (int64_t)1 << units[i].shift, &bytes))
			return false;
		*ret_bytes = bytes;
		return true;
	}
	return false;
}
