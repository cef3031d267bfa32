/* SPDX-License-Identifier: Apache-2.0 */
#include "images/token_internal.h"

#include <stdlib.h>

/* A URL is read up to here: longer ones carry data, and their host stands at the start. */
#define URL_MAX 1024

/* One text, and whoever wants its tokens. */
struct scan {
	struct view run;
	token_fn *fn;
	void *arg;
	size_t done;   /* words before it were part of something that was told */
	int stop;      /* what fn returned, once it was not 0 */
	bool resolver; /* the line speaks of name servers */
};

static uint8_t
at(const struct scan *s, size_t i)
{
	return i < s->run.n ? s->run.p[i] : 0;
}

/* The byte before i; 0 at the start. */
static uint8_t
before(const struct scan *s, size_t i)
{
	return i > 0 ? s->run.p[i - 1] : 0;
}

static void
emit(struct scan *s, enum token_class class, struct view token, size_t where)
{
	if (s->stop == 0 && token.n > 0)
		s->stop = s->fn(
		    s->arg, class, view_of(token.p, token.n < TOKEN_LEN_MAX ? token.n : TOKEN_LEN_MAX), where);
}

/* The same in lower case, in which names are compared. */
static void
emit_lower(struct scan *s, enum token_class class, struct view token, size_t where)
{
	char lower[TOKEN_LEN_MAX];
	size_t n = token.n < sizeof lower ? token.n : sizeof lower;
	for (size_t i = 0; i < n; i++)
		lower[i] = token_lower(token.p[i]);
	emit(s, class, view_of(lower, n), where);
}

static void
emit_address(struct scan *s, enum token_class class, struct view a, size_t where)
{
	if (token_is_resolver(a) || s->resolver)
		emit_lower(s, TOKEN_RESOLVER, a, where);
	else
		emit_lower(s, class, a, where);
}

/* ---- URLs ---- */

static const char *const contact_schemes[] = { "http", "https", "ftp", "ftps", "sftp", "tftp", "scp", "ssh",
	"telnet", "ws", "wss", "rtsp", "rtmp", "sip", "sips", "ldap", "ldaps", "smb", "nfs", "rsync", "git",
	"svn", "stun", "stuns", "turn", "turns", "socks", "socks4", "socks5", "tcp", "udp", "tls", "ssl",
	"dtls", "irc", "ircs", "xmpp", "gopher", "redis", "mysql", "postgres", "postgresql", "mongodb", "nats",
	"quic", "grpc" };
static const char *const endpoint_schemes[] = { "mqtt", "mqtts", "coap", "coaps", "coap+tcp", "coaps+tcp",
	"coap+ws", "coaps+ws", "lwm2m", "lwm2ms", "amqp", "amqps" };

static bool
is_one_of(struct view word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (token_same(word, list[i]))
			return true;
	return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof(list)[0])

/* RFC 3986, without what ends one in texts around it: quotes, brackets that open elsewhere. */
static bool
is_url(uint8_t c)
{
	return token_is_alnum(c) || (c && strchr("-._~:/?#[]@!$&*+,;=%()'", c) != NULL);
}

static struct view
url_host(struct view url, size_t *ret_at)
{
	size_t start = 0, end, host = 0;
	while (start + 2 < url.n && memcmp(url.p + start, "://", 3) != 0)
		start++;
	if (start + 2 >= url.n)
		return view_of(url.p, 0);
	host = start = start + 3;
	for (end = start; end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#'; end++)
		if (url.p[end] == '@')
			host = end + 1;
	*ret_at = host;
	if (host < end && url.p[host] == '[') {
		size_t n = 0;
		while (host + 1 + n < end && url.p[host + 1 + n] != ']')
			n++;
		return view_of(url.p + host + 1, n);
	}
	size_t n = 0;
	while (host + n < end && url.p[host + n] != ':')
		n++;
	if (n && url.p[host + n - 1] == '.') /* the root's own label */
		n--;
	return view_of(url.p + host, n);
}

struct view
token_url_host(struct view url)
{
	size_t where = 0;
	return url_host(url, &where);
}

/* Of whatever stands where a URL has its host; NONE when that cannot be one. */
static enum token_class
host_class(struct view host)
{
	uint8_t quad[4];
	if (token_is_ipv4(host, quad))
		return TOKEN_IPV4;
	if (token_is_ipv6(host))
		return TOKEN_IPV6;
	return token_is_host(host, TOKEN_MARK_SURE) ? token_host_class(host) : TOKEN_NONE;
}

/* ":" at colon, "//" behind it. */
static void
url(struct scan *s, size_t colon)
{
	size_t start = colon, end = colon + 3, host_at = 0;
	while (start > 0 && colon - start < 12 &&
	       (token_is_alnum(s->run.p[start - 1]) || s->run.p[start - 1] == '+'))
		start--;
	struct view scheme = view_of(s->run.p + start, colon - start);
	bool endpoint = IS_ONE_OF(scheme, endpoint_schemes);
	if (!endpoint && !IS_ONE_OF(scheme, contact_schemes))
		return;
	while (end < s->run.n && end - colon < URL_MAX && is_url(s->run.p[end]))
		end++;
	/* A fragment goes to no server. */
	const uint8_t *hash = memchr(s->run.p + colon, '#', end - colon);
	if (hash)
		end = (size_t)(hash - s->run.p);
	while (end > colon + 3 && strchr(".,;:!?)'*&", s->run.p[end - 1]))
		end--;
	struct view whole = view_of(s->run.p + start, end - start);
	struct view host = url_host(whole, &host_at);
	enum token_class class = host_class(host);
	if (class == TOKEN_NONE)
		return;
	s->done = end;
	/* Scheme and host have no case, the path has. */
	char text[TOKEN_LEN_MAX];
	size_t n = whole.n < sizeof text ? whole.n : sizeof text;
	for (size_t i = 0; i < n; i++)
		text[i] = i < host_at + host.n ? token_lower(whole.p[i]) : (char)whole.p[i];
	emit(s, endpoint ? TOKEN_ENDPOINT : TOKEN_URL, view_of(text, n), start);
	emit_lower(s, class, host, start + host_at);
	for (size_t i = 0; i + 9 <= n; i++) /* RFC 8484 */
		if (memcmp(text + i, "dns-query", 9) == 0)
			emit_lower(s, TOKEN_RESOLVER, host, start + host_at);
}

/* ---- numbers ---- */

#define DIGITS_MAX 24

/* Groups of digits from i on, with single fillers between them. */
struct number {
	char digit[DIGITS_MAX];
	size_t n;
	size_t groups;
	size_t group_n[DIGITS_MAX]; /* digits up to the end of each group */
	size_t used[DIGITS_MAX];    /* bytes of the run up to there */
};

static void
digits(const struct scan *s, size_t i, struct number *ret)
{
	*ret = (struct number){ 0 };
	for (size_t k = 0; ret->n < DIGITS_MAX; k++) {
		uint8_t c = at(s, i + k), next = at(s, i + k + 1);
		if (token_is_digit(c)) {
			ret->digit[ret->n++] = (char)c;
			if (!token_is_digit(next) || ret->n == DIGITS_MAX) {
				ret->used[ret->groups] = k + 1;
				ret->group_n[ret->groups++] = ret->n;
			}
		} else if ((k == 0 && c != '(') || !(c == ' ' || c == '-' || c == '(' || c == ')') ||
			   !(token_is_digit(next) || (c == ' ' && next == '(') || (c == ')' && next == ' '))) {
			break;
		}
	}
}

/* "+" at i: an international number, written as E.123 has it. */
static void
phone(struct scan *s, size_t i)
{
	struct number d;
	uint8_t b = before(s, i);
	if (token_is_alnum(b) || b == '/' || b == '+' || b == ')' || b == ']')
		return;
	digits(s, i + 1, &d);
	/* What follows a number may look like more of it: the longest that can be one counts. */
	for (size_t g = d.groups; g > 0; g--) {
		uint8_t next = at(s, i + 1 + d.used[g - 1]);
		if (token_is_alnum(next) || next == '/' || next == '+' || next == '=' ||
		    !token_is_phone(view_of(d.digit, d.group_n[g - 1])))
			continue;
		char text[DIGITS_MAX + 1] = "+";
		memcpy(text + 1, d.digit, d.group_n[g - 1]);
		s->done = i + 1 + d.used[g - 1];
		emit(s, TOKEN_PHONE, view_of(text, d.group_n[g - 1] + 1), i);
		return;
	}
}

/* "tel:" and its kin at colon (RFC 3966, RFC 5724): national forms too. */
static void
dial_uri(struct scan *s, size_t colon)
{
	static const char *const schemes[] = { "tel", "sms", "smsto", "callto", "mms", "fax" };
	struct number d;
	size_t start = colon;
	while (start > 0 && colon - start < 7 && token_is_alpha(s->run.p[start - 1]))
		start--;
	if (!IS_ONE_OF(view_of(s->run.p + start, colon - start), schemes))
		return;
	bool plus = at(s, colon + 1) == '+';
	size_t from = colon + 1 + plus;
	digits(s, from, &d);
	if (d.groups == 0 || d.n < 3)
		return;
	char text[DIGITS_MAX + 1] = "+";
	memcpy(text + plus, d.digit, d.n);
	s->done = from + d.used[d.groups - 1];
	emit(s, TOKEN_PHONE, view_of(text, d.n + plus), from - plus);
}

/* ---- mail, addresses with colons ---- */

static bool
is_local_part(uint8_t c)
{
	return token_is_word(c) || c == '+' || c == '%';
}

/* Six bytes in hex with sep between them; not one for all, none of the unset kind. */
static bool
hardware_address(struct view text, char sep, char hex[12])
{
	if (text.n != 17)
		return false;
	for (size_t k = 0; k < text.n; k++) {
		char c = token_lower(text.p[k]);
		if (k % 3 == 2 ? c != sep : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		if (k % 3 != 2)
			hex[k / 3 * 2 + k % 3] = c;
	}
	return memcmp(hex, "ffffffffffff", 12) != 0 && memcmp(hex, "000000", 6) != 0;
}

static void
mail(struct scan *s, size_t sign)
{
	size_t start = sign, end = sign + 1;
	while (start > 0 && sign - start < 64 && is_local_part(s->run.p[start - 1]))
		start--;
	while (start < sign && !token_is_alnum(s->run.p[start]))
		start++;
	while (
	    end < s->run.n && (token_is_alnum(s->run.p[end]) || s->run.p[end] == '.' || s->run.p[end] == '-'))
		end++;
	while (end > sign + 1 && !token_is_alnum(s->run.p[end - 1]))
		end--;
	struct view domain = view_of(s->run.p + sign + 1, end - sign - 1);
	bool dotted = memchr(domain.p, '.', domain.n) != NULL;
	/* A unit of systemd has an "@" and a suffix too; that is no top-level domain. */
	if (start == sign || !dotted || !token_is_host(domain, TOKEN_MARK_NONE))
		return;
	s->done = end;
	emit_lower(s, TOKEN_MAIL, view_of(s->run.p + start, end - start), start);
}

/* Hex digits and colons from i on: MAC or IPv6. */
static void
colons(struct scan *s, size_t i)
{
	size_t n = 0, groups = 0;
	while (n < 48 &&
	       (at(s, i + n) == ':' || (at(s, i + n) && strchr("0123456789abcdefABCDEF", at(s, i + n))))) {
		groups += at(s, i + n) == ':';
		n++;
	}
	if (token_is_alnum(at(s, i + n)) || groups < 2)
		return;
	while (n > 0 && at(s, i + n - 1) == ':' && (n < 2 || at(s, i + n - 2) != ':'))
		n--;
	struct view text = view_of(s->run.p + i, n);
	char hex[12];
	if (before(s, i) == ':')
		return;
	if (at(s, i + n) != ':' && hardware_address(text, ':', hex)) {
		s->done = i + n;
		emit(s, TOKEN_MAC, view_of(hex, sizeof hex), i);
	} else if (token_is_ipv6(text)) {
		s->done = i + n;
		emit_address(s, TOKEN_IPV6, text, i);
	}
}

/* ---- AT commands ---- */

/* "AT" at i and what follows it, in the forms of TS 27.007: extended, basic, dialling. */
/* What belongs to a command: another number, name or server makes another command. At most max bytes from i on. */
static size_t
parameters(const struct scan *s, size_t i, size_t max)
{
	size_t n = 0;
	bool quoted = false;
	for (; n < max && i + n < s->run.n; n++) {
		uint8_t c = at(s, i + n), b = before(s, i + n);
		if (c == '"' && !quoted && b != '=' && b != ',')
			break; /* the end of the text that the command stands in */
		if (c == '"')
			quoted = !quoted;
		else if (!quoted &&
			 (c == ' ' || c == '\t' || c == '\\' || c == '\'' || c == '<' || c == '`' || c == ')'))
			break;
	}
	while (n > 0 && (at(s, i + n - 1) == ',' || at(s, i + n - 1) == ';' || at(s, i + n - 1) == '.'))
		n--;
	return n;
}

static void
command(struct scan *s, size_t i)
{
	size_t n = 2;
	uint8_t sign = at(s, i + 2);
	if (token_is_alnum(before(s, i)) || before(s, i) == '_' || (at(s, i) == 'a') != (at(s, i + 1) == 't'))
		return;
	if (sign && strchr("+^$#%*!", sign)) {
		if (!token_is_alpha(at(s, i + 3)) || !token_is_alnum(at(s, i + 4)))
			return;
		for (n = 4; token_is_alnum(at(s, i + n)) || at(s, i + n) == '_' || at(s, i + n) == '-'; n++)
			continue;
		/* "at%s" is a format, "at$home" a sentence. */
		bool upper = at(s, i + 3) >= 'A' && at(s, i + 3) <= 'Z';
		if ((at(s, i) == 'A' && !upper) || (at(s, i) == 'a' && (n < 6 || (sign != '+' && sign != '^'))))
			return;
	} else if (sign == 'D' && at(s, i) == 'A') { /* ATD+49...; or ATDT5551234 */
		struct number d;
		n = 3 + (at(s, i + 3) == 'T' || at(s, i + 3) == 'P');
		n += at(s, i + n) == '+';
		digits(s, i + n, &d);
		if (d.n < 3)
			return;
		n += d.used[d.groups - 1];
		emit(s, TOKEN_PHONE, view_of(d.digit, d.n), i);
	} else {
		return;
	}
	n += parameters(s, i + n, TOKEN_LEN_MAX - n);
	struct view text = view_of(s->run.p + i, n);
	emit(s, TOKEN_AT, text, i);
	static const char *const silent[] = { "at+cnmi", "at+csmp", "at+cmgf=0", "at+cmgs", "at+cmgw",
		"at+csim", "at+crsm", "at^smso" };
	static const char *const diag[] = { "at+qcfg=\"usbcfg\"", "at!entercnd", "at^setport", "at+qadbkey",
		"at$qcdmg", "at^dloadver", "at+zmode", "at^diag", "at+cusbpidswitch", "at+qdownload",
		"at+cdelta", "at!boothold", "at+edl" };
	for (size_t k = 0; k < sizeof silent / sizeof silent[0]; k++)
		if (token_begins(text, silent[k]))
			emit(s, TOKEN_SMS, text, i);
	for (size_t k = 0; k < sizeof diag / sizeof diag[0]; k++)
		if (token_begins(text, diag[k]))
			emit(s, TOKEN_DIAG, text, i);
}

/* ---- words ---- */

/* Digits only: an identity of a device or a card. */
static bool
identity(struct scan *s, size_t i, struct view word)
{
	for (size_t k = 0; k < word.n; k++)
		if (!token_is_digit(word.p[k]))
			return false;
	enum token_class class = token_ident_class(word);
	uint8_t b = before(s, i), a = at(s, i + word.n);
	/* Neither a piece of a fraction nor of a longer number or name. */
	if (class != TOKEN_NONE && b != '+' && b != '.' && b != '%' && b != '#' && a != '%' && a != '+')
		emit(s, class, word, i);
	return true;
}

/* A short message's TPDU in hex (TS 23.040): its protocol identifier makes it silent or hands it to the SIM. */
static void
message(struct scan *s, size_t i, struct view word)
{
	uint8_t b[24] = { 0 };
	size_t n = 0;
	if (word.n < 26 || word.n % 2)
		return;
	for (; n < sizeof b && 2 * n + 1 < word.n; n++) {
		unsigned v = 0;
		for (unsigned k = 0; k < 2; k++) {
			char c = token_lower(word.p[2 * n + k]);
			if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
				return;
			v = v * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		b[n] = (uint8_t)v;
	}
	/* SMSC address, SMS-SUBMIT with its reference, destination of 3 to 15 digits, then the identifier. */
	size_t sc = b[0];
	if (sc > 8 || (b[1 + sc] & 3) != 1 || sc + 5 >= sizeof b)
		return;
	size_t len = b[3 + sc], type = b[4 + sc], pid = 5 + sc + (len + 1) / 2;
	if (len < 3 || len > 15 || (type & 0x8f) != 0x81 || pid + 1 >= n)
		return;
	for (size_t k = 0; k < len; k++)
		if ((k % 2 ? b[5 + sc + k / 2] >> 4 : b[5 + sc + k / 2] & 15) > 9)
			return;
	if (b[pid] == 0x40 || (b[pid] >= 0x7c && b[pid] <= 0x7f))
		emit_lower(s, TOKEN_SMS, word, i);
}

/* The value of a key: behind "=", ":" and quotes. */
static struct view
value_at(const struct scan *s, size_t i)
{
	size_t skip = 0, n = 0;
	while (skip < 5 && at(s, i + skip) && strchr("=:\"' ", at(s, i + skip)))
		skip++;
	bool given = false;
	for (size_t k = 0; k < skip; k++)
		given = given || at(s, i + k) == '=' || at(s, i + k) == ':' ||
			(k > 0 && at(s, i + k) != ' '); /* "option apn 'name'" */
	while (given && token_is_word(at(s, i + skip + n)))
		n++;
	return view_of(s->run.p + i + skip, n);
}

/* Access point names: by their key, by the operator's suffix (TS 23.003, 9.1), in PDP contexts. */
static void
access_point(struct scan *s, size_t i, struct view word)
{
	bool key = word.n >= 3 && (token_begins(token_from(word, word.n - 3), "apn"));
	if (word.n > 18 && token_begins(token_from(word, word.n - 5), ".gprs"))
		emit_lower(s, TOKEN_APN, word, i);
	if (key && (word.n == 3 || !token_is_alpha(word.p[word.n - 4]) || token_same(word, "setapn") ||
		       token_same(word, "defaultapn"))) {
		struct view v = value_at(s, i + word.n);
		bool letter = false;
		for (size_t k = 0; k < v.n; k++)
			letter = letter || token_is_alpha(v.p[k]);
		if (letter && v.n >= 2 && v.n <= 100 && !token_same(v, "null") && !token_same(v, "none") &&
		    !token_same(v, "true") && !token_same(v, "false"))
			emit_lower(s, TOKEN_APN, v, (size_t)(v.p - s->run.p));
	}
	if (token_same(word, "cgdcont") || token_same(word, "qicsgp") || token_same(word, "cstt")) {
		/* ...=1,"IP","internet": the second text, or the first of AT+CSTT. */
		size_t k = i + word.n, texts = 0, want = token_same(word, "cgdcont") ? 2 : 1;
		for (; k < s->run.n && k < i + 120; k++) {
			if (s->run.p[k] != '"')
				continue;
			size_t n = 0;
			while (token_is_word(at(s, k + 1 + n)))
				n++;
			if (at(s, k + 1 + n) != '"')
				return;
			if (++texts == want && n) {
				emit_lower(s, TOKEN_APN, view_of(s->run.p + k + 1, n), k + 1);
				return;
			}
			k += n + 1;
		}
	}
}

static void
marker(struct scan *s, size_t i, struct view word)
{
	static const char *const usb[] = { "persist.sys.usb.config", "sys.usb.config",
		"persist.service.adb.enable", "service.adb.tcp.port", "persist.vendor.usb.config",
		"ro.adb.secure", "ro.debuggable", "ro.secure" };
	if (IS_ONE_OF(word, usb)) {
		struct view v = value_at(s, i + word.n);
		size_t n = v.n ? (size_t)(v.p + v.n - (s->run.p + i)) : word.n;
		while (v.n && at(s, i + n) == ',') /* diag,adb */
			for (n++; token_is_word(at(s, i + n));)
				n++;
		emit_lower(s, TOKEN_DIAG, view_of(s->run.p + i, n), i);
	}
	if (before(s, i) == '+' &&
	    (token_same(word, "cmt") || token_same(word, "cds") || token_same(word, "cbm")) &&
	    at(s, i + word.n) == ':')
		emit_lower(s, TOKEN_SMS, view_of(s->run.p + i - 1, word.n + 2), i - 1);
	if (before(s, i) == '/' && token_same(word, "diag") && i >= 5 &&
	    memcmp(s->run.p + i - 5, "/dev/", 5) == 0)
		emit(s, TOKEN_DIAG, view_of(s->run.p + i - 5, word.n + 5), i - 5);
}

/* A host, or a quad of numbers, by itself. */
static void
address(struct scan *s, size_t i, struct view word)
{
	uint8_t quad[4], b = before(s, i), a;
	while (word.n && !token_is_alnum(word.p[word.n - 1]))
		word.n--;
	if (b == '%') { /* "%s.example.com" is made of that, whatever stands before it */
		const uint8_t *dot = memchr(word.p, '.', word.n);
		size_t cut = dot ? (size_t)(dot - word.p) + 1 : word.n;
		word = token_from(word, cut);
		i += cut;
	}
	if (!word.n || !memchr(word.p, '.', word.n))
		return;
	a = at(s, i + word.n);
	bool port = a == ':' && token_is_digit(at(s, i + word.n + 1)) && token_is_digit(at(s, i + word.n + 2));
	if (token_is_ipv4(word, quad)) {
		bool mask = a == '/' && token_is_digit(at(s, i + word.n + 1));
		if (b == '+' || a == '.' ||
		    (token_ipv4_is_doubtful(quad) && !port && !mask && !s->resolver &&
			!token_is_resolver(word)))
			return;
		emit_address(s, TOKEN_IPV4, word, i);
	} else {
		enum token_mark mark = port				   ? TOKEN_MARK_PORT
				       : b == '/' || b == '\\' || b == '$' ? TOKEN_MARK_PATH
									   : TOKEN_MARK_NONE;
		if (b == '@' || a == '@' || a == '(' || !token_is_host(word, mark))
			return;
		if (s->resolver && token_host_class(word) == TOKEN_HOST)
			emit_lower(s, TOKEN_RESOLVER, word, i);
		else
			emit_lower(s, token_host_class(word), word, i);
	}
	if (!port)
		return;
	static const char *const ports[] = { "1883", "8883", "5683", "5684" };
	for (size_t k = 0; k < sizeof ports / sizeof ports[0]; k++)
		if (i + word.n + 5 <= s->run.n && memcmp(s->run.p + i + word.n + 1, ports[k], 4) == 0 &&
		    !token_is_digit(at(s, i + word.n + 5)))
			emit_lower(s, TOKEN_ENDPOINT, view_of(s->run.p + i, word.n + 5), i);
}

static void
word(struct scan *s, size_t i)
{
	size_t n = 0, told;
	while (token_is_word(at(s, i + n)))
		n++;
	struct view w = view_of(s->run.p + i, n);
	if (token_same(w, "nameserver") || token_same(w, "dns") || token_same(w, "dns1") ||
	    token_same(w, "dns2") || token_same(w, "resolver"))
		s->resolver = true;
	enum token_class class = token_shell_word(s->run, i, n, &told);
	if (class != TOKEN_NONE)
		emit(s, class, view_of(s->run.p + i, told), i);
	size_t from = i;
	told = before(s, i) == '/' ? token_fuse_path(s->run, i - 1, &from) : 0;
	if (told == 0) {
		from = i;
		told = token_fuse_word(s->run, i, n);
	}
	if (told)
		emit(s, TOKEN_FUSE, view_of(s->run.p + from, told), from);
	char hex[12];
	if (hardware_address(w, '-', hex))
		emit(s, TOKEN_MAC, view_of(hex, sizeof hex), i);
	if (identity(s, i, w))
		return;
	access_point(s, i, w);
	marker(s, i, w);
	message(s, i, w);
	address(s, i, w);
}

/* A letter or digit with none before it, but for the marks that names have inside. */
static bool
starts_word(const struct scan *s, size_t i)
{
	size_t k = i;
	if (!token_is_alnum(s->run.p[i]))
		return false;
	while (k > 0 && token_is_word(s->run.p[k - 1]) && !token_is_alnum(s->run.p[k - 1]))
		k--;
	return k == 0 || !token_is_alnum(s->run.p[k - 1]);
}

int
token_classify(struct view run, token_fn *fn, void *arg)
{
	struct scan s = {
		.run = view_of(run.p, run.n < TOKEN_RUN_MAX ? run.n : TOKEN_RUN_MAX), .fn = fn, .arg = arg
	};
	for (size_t i = 0; i < s.run.n && s.stop == 0; i++) {
		uint8_t c = s.run.p[i];
		if (c == ':' && at(&s, i + 1) == '/' && at(&s, i + 2) == '/')
			url(&s, i);
		else if (c == ':' && i >= 3)
			dial_uri(&s, i);
		else if (c == '@' && i >= s.done)
			mail(&s, i);
		else if (c == '+' && i >= s.done)
			phone(&s, i);
		else if (c == '|') {
			size_t from = token_shell_pipe(s.run, i);
			if (from < s.run.n)
				emit(&s, TOKEN_SHELL,
				    view_of(s.run.p + from, s.run.n - from < 160 ? s.run.n - from : 160), from);
		}
		/* A word's start; what was told (of a URL, an address) is not looked at twice. */
		if (i < s.done || !starts_word(&s, i))
			continue;
		if ((c == 'A' || c == 'a') && (at(&s, i + 1) == 'T' || at(&s, i + 1) == 't'))
			command(&s, i);
		if (strchr("0123456789abcdefABCDEF", c))
			colons(&s, i);
		if (i >= s.done)
			word(&s, i);
	}
	return s.stop;
}
