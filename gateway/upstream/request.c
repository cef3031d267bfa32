/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/request.h"

#include <stdio.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/writer.h"
#include "gateway/upstream/shown.h"
#include "policy/profile.h"

static int
write_pins(struct request *r)
{
	struct writer w;
	writer_init(&w, sizeof r->pins - 1);
	for (uint32_t i = 0; i < r->job->pins_n; i++) {
		writer_text(&w, i ? ";sha256//" : "sha256//");
		base64_encode(view_of(r->job->pins[i].spki, DIGEST_SHA256_LEN), &w);
	}
	int err = writer_err(&w);
	if (!err && w.n)
		memcpy(r->pins, w.p, w.n);
	writer_free(&w);
	return err;
}

int
request_init(struct request *r, const struct msg_fetch *job, struct view ca, const struct credentials *secret)
{
	*r = (struct request){ .job = job, .ca = ca, .secret = secret };
	/* Not the one of url: it can be another's, where only a vendor's words lie. */
	if (!shown_place(job->home, r->home[0]))
		r->home[0][0] = '\0';
	if (!shown_place(job->signature_url, r->home[1]))
		r->home[1][0] = '\0';
	return write_pins(r);
}

void
request_free(struct request *r)
{
	curl_slist_free_all(r->fields);
	r->fields = NULL;
}

static bool
set_tls(const struct request *r, CURL *e)
{
	bool ok = true;
	if (r->ca.n) {
		/* curl copies nothing with NOCOPY: the mapping outlives the handle. */
		struct curl_blob blob = { (void *)(uintptr_t)r->ca.p, r->ca.n, CURL_BLOB_NOCOPY };
		ok = curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
		    curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
	} else if (r->job->pins_n) {
		/* The pin is the identity: without a bundle the chain proves nothing more. */
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (r->pins[0])
		ok = ok && curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, r->pins) == CURLE_OK;
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(e, CURLOPT_CERTINFO, 1L);
	return ok;
}

/* Who we are is for the vendor's own server; a place it leads to could be anybody's. */
static bool
set_client(const struct request *r, CURL *e, const char *url)
{
	char place[MSG_PLACE_MAX];
	if (!r->secret->pem.n || !shown_place(url, place) || (strcmp(place, r->home[0]) && strcmp(place, r->home[1])))
		return true;
	struct curl_blob blob = { (void *)(uintptr_t)r->secret->pem.p, r->secret->pem.n, CURL_BLOB_NOCOPY };
	return curl_easy_setopt(e, CURLOPT_SSLCERT_BLOB, &blob) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_SSLKEY_BLOB, &blob) == CURLE_OK;
}

static bool
set_proxy(const struct request *r, CURL *e)
{
	const char *proxy = r->job->proxy;
	/* Both always: an empty proxy and "*" keep those of the environment out. */
	bool ok = curl_easy_setopt(e, CURLOPT_PROXY, proxy) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_NOPROXY, proxy[0] ? "" : "*") == CURLE_OK;
	if (!proxy[0])
		return ok;
	curl_easy_setopt(e, CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP);
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (r->secret->proxy[0])
		ok = ok && curl_easy_setopt(e, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
		    curl_easy_setopt(e, CURLOPT_PROXYUSERPWD, r->secret->proxy) == CURLE_OK;
	return ok;
}

/* RFC 9110 14.2 and 13.1.5. */
static bool
set_range(struct request *r, CURL *e, uint64_t from, const char *validator)
{
	char range[32], field[ANSWER_VALIDATOR_MAX + 16];
	snprintf(range, sizeof range, "%llu-", (unsigned long long)from);
	snprintf(field, sizeof field, "If-Range: %s", validator);
	struct curl_slist *all = curl_slist_append(r->fields, field);
	if (!all)
		return false;
	r->fields = all;
	return curl_easy_setopt(e, CURLOPT_RANGE, range) == CURLE_OK;
}

static bool
set_http(struct request *r, CURL *e, uint64_t from, const char *validator)
{
	/* The bytes are the image: a coding would be one more unpacker before anybody has judged anything. */
	r->fields = curl_slist_append(NULL, "Accept-Encoding: identity");
	bool ok = r->fields && curl_easy_setopt(e, CURLOPT_USERAGENT, "fotagate/" FG_VERSION) == CURLE_OK;
	if (from)
		ok = ok && set_range(r, e, from, validator);
	ok = ok && curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->fields) == CURLE_OK;
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L); /* every hop is judged and recorded here */
	curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return ok;
}

/* Its own strict reading: control looked already, but what is wrong here are commands to somebody's server. */
static bool
names_one_file(const char *url)
{
	struct profile_url parsed;
	return profile_url_parse(view_str(url), &parsed);
}

/* The password is for the server the operator named for the image, not for one where only signatures lie. */
static const char *
ftp_user(const struct request *r, const char *url)
{
	char place[MSG_PLACE_MAX];
	bool home = r->secret->ftp[0] && shown_place(url, place) && !strcmp(place, r->home[0]);
	return home ? r->secret->ftp : REQUEST_FTP_ANYBODY;
}

static bool
set_ftp(const struct request *r, CURL *e, enum transport t, const char *url, uint64_t from, uint64_t most)
{
	bool tls = transport_tls(t);
	bool ok = names_one_file(url) && curl_easy_setopt(e, CURLOPT_USERPWD, ftp_user(r, url)) == CURLE_OK;
	/* Control and data, or nothing: a server that will not is not spoken to further (RFC 4217 10.2). */
	ok = ok && curl_easy_setopt(e, CURLOPT_USE_SSL, (long)(tls ? CURLUSESSL_ALL : CURLUSESSL_NONE)) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FTPSSLAUTH, (long)CURLFTPAUTH_TLS) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FTP_SSL_CCC, (long)CURLFTPSSL_CCC_NONE) == CURLE_OK;
	/* Servers tell by the session that both are one client's; the handle is new, so the first shows its certificate. */
	ok = ok && curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, tls ? 1L : 0L) == CURLE_OK;
	/* Passive, and to the server that was asked, whatever address its answer has: nobody is bounced (RFC 2577). */
	ok = ok && curl_easy_setopt(e, CURLOPT_FTPPORT, NULL) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FTP_USE_EPSV, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FTP_SKIP_PASV_IP, 1L) == CURLE_OK;
	/* Through a proxy by CONNECT, or it would be the proxy that speaks FTP. */
	ok = ok && curl_easy_setopt(e, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(most < INT64_MAX ? most : INT64_MAX)) == CURLE_OK;
	curl_easy_setopt(e, CURLOPT_FILETIME, 1L); /* MDTM */
	curl_easy_setopt(e, CURLOPT_FTP_FILEMETHOD, (long)CURLFTPMETHOD_MULTICWD); /* RFC 1738 3.2.2 */
	curl_easy_setopt(e, CURLOPT_FTP_CREATE_MISSING_DIRS, (long)CURLFTP_CREATE_DIR_NONE);
	curl_easy_setopt(e, CURLOPT_WILDCARDMATCH, 0L);
	curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)REQUEST_REPLY_SECONDS);
	return ok && curl_easy_setopt(e, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)from) == CURLE_OK;
}

/* As libcurl calls it: FTP that begins TLS itself is ftp:// with an option. */
static bool
set_url(CURL *e, enum transport t, const char *url, size_t scheme)
{
	char out[MSG_URL_MAX * 2];
	const char *name = t == TRANSPORT_FTPES ? transport_name(TRANSPORT_FTP) : transport_name(t);
	int n = snprintf(out, sizeof out, "%s://%s", name, url + scheme);
	return n > 0 && (size_t)n < sizeof out && curl_easy_setopt(e, CURLOPT_URL, out) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, name) == CURLE_OK;
}

bool
request_set(struct request *r, CURL *e, const char *url, uint64_t from, const char *validator, uint64_t most,
    long left_ms)
{
	size_t scheme;
	enum transport t = transport_of(view_str(url), &scheme);
	request_free(r);
	bool ok = t != TRANSPORT_NONE && set_url(e, t, url, scheme) && set_proxy(r, e) && set_tls(r, e);
	ok = ok && curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK;
	ok = ok && (transport_ftp(t) ? set_ftp(r, e, t, url, from, most) : set_http(r, e, from, validator));
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)REQUEST_CONNECT_SECONDS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, left_ms);
	/* A connection of its own each time: its address is judged, and its certificates are seen. */
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)r->job->min_speed);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)REQUEST_SPEED_WINDOW);
	return ok && set_client(r, e, url);
}
