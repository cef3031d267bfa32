/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_post.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/cmd/cli_file.h"

#define CONNECT_S 10L
#define WHOLE_S 60L       /* a mail server may look a sender up before it answers */
#define SECRET_FILE_MAX 256
#define SECRET_MIN 24     /* bytes; 24 to 64 as Standard Webhooks says */
#define SECRET_MAX 64
#define ADDRESS_MAX 254   /* RFC 5321 4.5.3.1.3, without the brackets */
#define LINE_MAX_CHARS 900 /* of 998 (RFC 5322 2.1.1) */
#define MAIL_MAX (1u << 20)
#define SHOWN_MAX 300 /* a host of 253 characters, and what stands around it */

struct cli_post {
	const struct cli_common *c;
	const struct cli_post_to *to;
	bool mail;
	char shown[SHOWN_MAX]; /* of the address what may be told: a webhook's path is often a secret itself */
	struct writer secret;  /* bytes of the webhook's key */
	char *credentials;     /* "name:password", or NULL */
	size_t credentials_n;
	struct writer body;    /* of the mail */
	size_t read;           /* of it, by libcurl */
	char why[CURL_ERROR_SIZE + 128];
};

/* ---- what was asked for ---- */

static bool
is_loopback(const char *host)
{
	uint8_t at[16];
	return strcmp(host, "[::1]") == 0 || (inet_pton(AF_INET, host, at) == 1 && at[0] == 127);
}

/* In clear to nobody but this machine itself; smtp is upgraded before anything is said (send_mail). */
static bool
is_url(const char *url, bool *ret_mail, char ret_shown[SHOWN_MAX])
{
	char *scheme = NULL, *host = NULL, *user = NULL, *port = NULL;
	CURLU *u = curl_url();
	bool good = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;
	*ret_mail = good && (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0);
	if (good && !*ret_mail)
		good = strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_loopback(host));
	if (good && curl_url_get(u, CURLUPART_PORT, &port, 0) == CURLUE_OK)
		snprintf(ret_shown, SHOWN_MAX, "%s://%s:%s", scheme, host, port);
	else if (good)
		snprintf(ret_shown, SHOWN_MAX, "%s://%s", scheme, host);
	curl_free(port);
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(u);
	return good;
}

static bool
is_address(const char *a)
{
	size_t n = strlen(a);
	const char *at = strrchr(a, '@');
	if (!at || at == a || !at[1] || n > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (a[i] <= ' ' || a[i] > '~' || strchr("<>()[],;:\\\"", a[i]))
			return false;
	return true;
}

static int
wrong(const struct cli_post *p, const char *what, const char *why)
{
	return cli_opt_fail(p->c, CLI_USAGE, "USAGE", NULL, "%s: %s", what, why);
}

/* The first line of a file, owned. */
static int
first_line(const struct cli_post *p, const char *path, char **ret, size_t *ret_n)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int err = cli_file_read(NULL, path, SECRET_FILE_MAX, &text, &n);
	if (err == FG_ELIMIT)
		return wrong(p, path, "is longer than 256 bytes: no file with one secret on its first line");
	if (err)
		return cli_opt_fail(p->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, err_why(err));
	char *line = malloc(n + 1);
	if (line) {
		memcpy(line, text, n);
		line[n] = '\0';
		line[strcspn(line, "\r\n")] = '\0';
		*ret = line;
		*ret_n = n;
	}
	if (n)
		wipe(text, n);
	free(text);
	return line ? 0 : cli_opt_fail(p->c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
}

static int
read_secret(struct cli_post *p)
{
	char *line = NULL;
	size_t n = 0;
	int status = first_line(p, p->to->secret, &line, &n);
	if (status)
		return status;
	writer_init(&p->secret, SECRET_FILE_MAX);
	bool good = strncmp(line, "whsec_", 6) == 0 && base64_decode(view_str(line + 6), &p->secret) == FG_OK &&
	    p->secret.n >= SECRET_MIN && p->secret.n <= SECRET_MAX;
	wipe(line, n);
	free(line);
	return good ? 0 : wrong(p, p->to->secret, "the first line must be whsec_ and base64 of 24 to 64 random bytes: "
	    "printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"");
}

static int
check_webhook(struct cli_post *p)
{
	if (p->to->credentials || p->to->sender || p->to->recipients.n)
		return wrong(p, p->shown, "--credentials, --sender and --recipient are for mail");
	if (!p->to->secret)
		return wrong(p, p->shown, "a webhook needs --secret, so that its receiver can tell us from others");
	return read_secret(p);
}

static int
check_mail(struct cli_post *p)
{
	if (p->to->secret)
		return wrong(p, p->shown, "--secret is for webhooks");
	if (!p->to->sender || !p->to->recipients.n)
		return wrong(p, p->shown, "mail needs --sender and at least one --recipient");
	if (!is_address(p->to->sender))
		return wrong(p, p->to->sender, "is no plain address (name@host)");
	for (unsigned i = 0; i < p->to->recipients.n; i++)
		if (!is_address(p->to->recipients.at[i]))
			return wrong(p, p->to->recipients.at[i], "is no plain address (name@host)");
	if (!p->to->credentials)
		return 0;
	int status = first_line(p, p->to->credentials, &p->credentials, &p->credentials_n);
	if (!status && (!strchr(p->credentials, ':') || p->credentials[0] == ':'))
		status = wrong(p, p->to->credentials, "the first line must be name:password");
	return status;
}

int
cli_post_new(const struct cli_common *c, const struct cli_post_to *to, struct cli_post **ret)
{
	struct cli_post *p = calloc(1, sizeof *p);
	if (!p)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	p->c = c;
	p->to = to;
	writer_init(&p->body, MAIL_MAX);
	int status = !is_url(to->to, &p->mail, p->shown) ? cli_opt_fail(c, CLI_USAGE, "USAGE",
	    "https://HOST/PATH, smtps://HOST or smtp://HOST (with STARTTLS), without a user; http only to this machine.",
	    "--to: nothing can be sent there") : p->mail ? check_mail(p) : check_webhook(p);
	if (status)
		cli_post_free(p);
	else
		*ret = p;
	return status;
}

void
cli_post_free(struct cli_post *p)
{
	if (!p)
		return;
	if (p->secret.p)
		wipe(p->secret.p, p->secret.n);
	writer_free(&p->secret);
	if (p->credentials)
		wipe(p->credentials, p->credentials_n);
	free(p->credentials);
	writer_free(&p->body);
	free(p);
}

const char *
cli_post_why(const struct cli_post *p)
{
	return p->why;
}

/* ---- both ways ---- */

static size_t
ignore(char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

static bool
common(struct cli_post *p, CURL *e, char *error)
{
	error[0] = '\0';
	return curl_easy_setopt(e, CURLOPT_URL, p->to->to) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, p->mail ? "smtps,smtp" : "https,http") == CURLE_OK &&
	    (!p->to->ca || curl_easy_setopt(e, CURLOPT_CAINFO, p->to->ca) == CURLE_OK) &&
	    curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_S) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_TIMEOUT, WHOLE_S) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error) == CURLE_OK;
}

static int
refused(struct cli_post *p, const char *what)
{
	snprintf(p->why, sizeof p->why, "%s: %s", p->shown, what);
	return FG_EIO;
}

/* ---- webhook ---- */

static bool
header(struct curl_slist **list, const char *name, const char *value)
{
	char line[256];
	if (snprintf(line, sizeof line, "%s: %s", name, value) >= (int)sizeof line)
		return false;
	struct curl_slist *more = curl_slist_append(*list, line);
	if (more)
		*list = more;
	return more != NULL;
}

/* "v1," and base64 of the HMAC over "id.time.body". */
static int
sign(const struct cli_post *p, const struct cli_post_message *m, const char *time, struct writer *ret)
{
	uint8_t mac[DIGEST_SHA256_LEN];
	struct writer all;
	writer_init(&all, m->json.n + 256);
	writer_textf(&all, "%s.%s.", m->id, time);
	writer_bytes(&all, m->json);
	int err = writer_err(&all);
	if (!err)
		err = digest_hmac_sha256(writer_view(&p->secret), writer_view(&all), mac);
	writer_free(&all);
	if (err)
		return err;
	writer_text(ret, "v1,");
	base64_encode(view_of(mac, sizeof mac), ret);
	writer_u8(ret, 0);
	return writer_err(ret);
}

static bool
headers(struct curl_slist **list, const struct cli_post_message *m, const char *time, const char *signature)
{
	return header(list, "Content-Type", "application/json") && header(list, "webhook-id", m->id) &&
	    header(list, "webhook-timestamp", time) && header(list, "webhook-signature", signature);
}

static int
perform(struct cli_post *p, CURL *e, const char *error, long *ret_status)
{
	CURLcode done = curl_easy_perform(e);
	if (done != CURLE_OK)
		return refused(p, error[0] ? error : curl_easy_strerror(done));
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, ret_status);
	return FG_OK;
}

static int
send_webhook(struct cli_post *p, const struct cli_post_message *m, int64_t now)
{
	char time[24], error[CURL_ERROR_SIZE], text[40];
	struct curl_slist *list = NULL;
	struct writer signature;
	long status = 0;
	snprintf(time, sizeof time, "%" PRId64, now);
	writer_init(&signature, 128);
	CURL *e = curl_easy_init();
	int err = sign(p, m, time, &signature);
	if (!err && (!e || !common(p, e, error) || !headers(&list, m, time, (const char *)signature.p) ||
	    curl_easy_setopt(e, CURLOPT_HTTPHEADER, list) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_USERAGENT, "fotagate/" FG_VERSION) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)m->json.n) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_POSTFIELDS, m->json.p) != CURLE_OK))
		err = FG_ENOMEM;
	if (!err)
		err = perform(p, e, error, &status);
	if (!err && (status < 200 || status > 299)) {
		snprintf(text, sizeof text, "it answers %ld", status);
		err = refused(p, text);
	}
	curl_easy_cleanup(e);
	curl_slist_free_all(list);
	writer_free(&signature);
	return err;
}

/* ---- mail ---- */

static size_t
on_read(char *buffer, size_t size, size_t n, void *ctx)
{
	struct cli_post *p = ctx;
	size_t left = p->body.n - p->read, take = size * n < left ? size * n : left;
	if (take)
		memcpy(buffer, p->body.p + p->read, take);
	p->read += take;
	return take;
}

/* Lines as mail has them: CRLF, none too long. */
static void
put_text(struct writer *w, struct view text)
{
	size_t column = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' || column == LINE_MAX_CHARS) {
			writer_text(w, "\r\n");
			column = 0;
		}
		if (text.p[i] != '\n') {
			writer_u8(w, text.p[i]);
			column++;
		}
	}
}

/* RFC 5322: what is printable ASCII needs no encoding; the subject is cut, the text is whole. */
static int
write_mail(struct cli_post *p, const struct cli_post_message *m, int64_t now)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)now;
	struct tm at = { 0 };
	struct writer *w = &p->body;
	gmtime_r(&t, &at);
	p->read = 0;
	writer_reset(w);
	writer_textf(w, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\nFrom: fotagate <%s>\r\nTo: ", days[at.tm_wday], at.tm_mday,
	    months[at.tm_mon], 1900 + at.tm_year, at.tm_hour, at.tm_min, at.tm_sec, p->to->sender);
	for (unsigned i = 0; i < p->to->recipients.n; i++)
		writer_textf(w, "%s%s", i ? ",\r\n " : "", p->to->recipients.at[i]);
	writer_textf(w, "\r\nSubject: %.200s\r\nMessage-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n", m->subject, m->id, strrchr(p->to->sender, '@') + 1);
	put_text(w, m->text);
	writer_text(w, "\r\n");
	return writer_err(w);
}

static bool
envelope(struct cli_post *p, CURL *e, struct curl_slist **list)
{
	bool ok = curl_easy_setopt(e, CURLOPT_MAIL_FROM, p->to->sender) == CURLE_OK;
	for (unsigned i = 0; ok && i < p->to->recipients.n; i++) {
		struct curl_slist *more = curl_slist_append(*list, p->to->recipients.at[i]);
		ok = more != NULL;
		*list = ok ? more : *list;
	}
	return ok && curl_easy_setopt(e, CURLOPT_MAIL_RCPT, *list) == CURLE_OK &&
	    (!p->credentials || curl_easy_setopt(e, CURLOPT_USERPWD, p->credentials) == CURLE_OK);
}

static int
send_mail(struct cli_post *p, const struct cli_post_message *m, int64_t now)
{
	char error[CURL_ERROR_SIZE];
	struct curl_slist *list = NULL;
	long status = 0;
	CURL *e = curl_easy_init();
	int err = write_mail(p, m, now);
	if (!err && (!e || !common(p, e, error) || !envelope(p, e, &list) ||
	    curl_easy_setopt(e, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_READDATA, p) != CURLE_OK))
		err = FG_ENOMEM;
	if (!err)
		err = perform(p, e, error, &status);
	curl_easy_cleanup(e);
	curl_slist_free_all(list);
	return err;
}

int
cli_post_send(struct cli_post *p, const struct cli_post_message *m, int64_t now)
{
	p->why[0] = '\0';
	int err = p->mail ? send_mail(p, m, now) : send_webhook(p, m, now);
	if (err && !p->why[0])
		snprintf(p->why, sizeof p->why, "%s: %s", p->shown, err_name(err));
	return err;
}
