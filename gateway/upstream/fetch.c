/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/visible.h"
#include "policy/cidr.h"

#define TOO_LONG "fetch took longer than the profile allows"

struct fetch {
	struct event_base *base;
	const struct clock_source *clock;
	const struct msg_fetch *job;
	struct provenance *prov;
	const struct fetch_ops *ops;
	void *ctx;
	CURLM *multi;
	CURL *easy;
	struct event *timer;
	struct event *again; /* next hop or end, out of libcurl's callbacks */
	char pins[4 * 64];
	struct view ca;

	bool signature;
	int fd;
	uint64_t max_bytes, bytes, skipped;
	unsigned redirects;
	int64_t started_ms, told_ms;
	size_t header_bytes;
	struct provenance_hop *hop;
	char url[MSG_URL_MAX * 2];
	char refused[MSG_TEXT_MAX]; /* a rule of ours ended it */
	bool write_failed;
	bool page_cut;              /* enough of an error page was read and forgotten */
	char curl_error[CURL_ERROR_SIZE];
	CURLcode result;
	bool finished;
};

int
fetch_global(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? FG_OK : FG_ENOMEM;
}

static void
refuse(struct fetch *f, const char *why)
{
	if (!f->refused[0])
		snprintf(f->refused, sizeof f->refused, "%s", why);
}

/* ---- callbacks of one transfer ---- */

/* Neither an error page nor a part of something is an image: read, counted and forgotten. */
static size_t
skip(struct fetch *f, size_t len)
{
	f->skipped += len;
	f->page_cut = f->skipped > FETCH_PAGE_MAX;
	return f->page_cut ? 0 : len;
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	size_t len = size * n;
	long status = 0;
	curl_off_t announced = -1;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return skip(f, len);
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	if (len > f->max_bytes - f->bytes || (announced > 0 && (uint64_t)announced > f->max_bytes)) {
		refuse(f, "answer is larger than the profile allows");
		return 0;
	}
	for (size_t done = 0; done < len;) {
		ssize_t w = pwrite(f->fd, p + done, len - done, (off_t)(f->bytes + done));
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			f->write_failed = true;
			return 0;
		}
		done += (size_t)w;
	}
	f->bytes += len;
	return len;
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	size_t len = size * n;
	f->header_bytes += len;
	if (f->header_bytes > FETCH_HEADER_BYTES_MAX) {
		refuse(f, "answer's header is larger than 64 KiB");
		return 0;
	}
	if (f->hop)
		provenance_header(f->prov, f->hop, view_of(p, len));
	return len;
}

static bool
listed(const struct fetch *f, const struct cidr_addr *a)
{
	for (uint32_t i = 0; i < f->job->private_n; i++) {
		struct cidr c = { .bits = f->job->private_ok[i].bits, .set = true };
		memcpy(c.addr.b, f->job->private_ok[i].addr, sizeof c.addr.b);
		if (c.bits <= 128 && cidr_match(&c, a))
			return true;
	}
	return false;
}

/* Judges the resolved address, which is the one that will be connected to: a name cannot rebind in between. */
static curl_socket_t
on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fetch *f = ctx;
	struct cidr_addr a;
	uint16_t port;
	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (to->family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &to->addr, sizeof in);
		port = ntohs(in.sin_port);
		cidr_addr_from(&in.sin_addr, 4, &a);
	} else if (to->family == AF_INET6) {
		struct sockaddr_in6 in;
		if (to->addrlen < sizeof in)
			return CURL_SOCKET_BAD;
		/* struct curl_sockaddr ends in a sockaddr that libcurl allocates long enough for IPv6. */
		memcpy(&in, (const char *)to + offsetof(struct curl_sockaddr, addr), sizeof in);
		port = ntohs(in.sin6_port);
		cidr_addr_from(&in.sin6_addr, 16, &a);
	} else {
		return CURL_SOCKET_BAD;
	}
	char text[CIDR_TEXT_MAX];
	cidr_addr_text(&a, text);
	if (f->hop)
		snprintf(f->hop->peer, sizeof f->hop->peer, "%.50s port %u", text, port);
	if (cidr_addr_is_private(&a) && !listed(f, &a)) {
		snprintf(f->refused, sizeof f->refused,
		    "vendor's name leads to the private address %s: list it under allow_private if that is meant", text);
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static int
on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct fetch *f = ctx;
	(void)up_total;
	(void)up_now;
	int64_t ms = clock_mono_ms(f->clock);
	if (ms - f->told_ms >= 1000 && f->ops->progress) {
		f->told_ms = ms;
		f->ops->progress(f->ctx, (uint64_t)(now > 0 ? now : 0), (uint64_t)(total > 0 ? total : 0));
	}
	if (ms - f->started_ms > (int64_t)f->job->max_seconds * 1000) {
		refuse(f, TOO_LONG);
		return 1;
	}
	return 0;
}

/* ---- what the answer came with ---- */

/* Of several addresses the socket callback saw the last one tried; this is the one that answered. */
static void
note_peer(struct fetch *f)
{
	char *ip = NULL;
	long port = 0;
	if (curl_easy_getinfo(f->easy, CURLINFO_PRIMARY_IP, &ip) != CURLE_OK || !ip || !ip[0] ||
	    curl_easy_getinfo(f->easy, CURLINFO_PRIMARY_PORT, &port) != CURLE_OK)
		return;
	snprintf(f->hop->peer, sizeof f->hop->peer, "%.46s port %ld", ip, port);
}

static void
note_certificates(struct fetch *f)
{
	struct curl_certinfo *info = NULL;
	if (!f->hop || curl_easy_getinfo(f->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info)
		return;
	for (int i = 0; i < info->num_of_certs && f->hop->certs_n < PROVENANCE_CERTS_MAX; i++) {
		for (const struct curl_slist *s = info->certinfo[i]; s; s = s->next) {
			if (strncmp(s->data, "Cert:", 5))
				continue;
			BIO *bio = BIO_new_mem_buf(s->data + 5, -1);
			X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
			unsigned n = 0;
			if (x && X509_digest(x, EVP_sha256(), f->hop->cert[f->hop->certs_n], &n) && n == DIGEST_SHA256_LEN)
				f->hop->certs_n++;
			X509_free(x);
			BIO_free(bio);
			break;
		}
	}
}

/* ---- one hop after another ---- */

static void finish(struct fetch *f, enum msg_fetch_outcome outcome, const char *detail);

static bool
set_tls(struct fetch *f)
{
	CURL *e = f->easy;
	bool ok = true;
	if (f->ca.n) {
		/* curl copies nothing with NOCOPY: the mapping outlives the handle. */
		struct curl_blob blob = { (void *)(uintptr_t)f->ca.p, f->ca.n, CURL_BLOB_NOCOPY };
		ok = curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
		    curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
	} else if (f->job->pins_n) {
		/* The pin is the identity: without a bundle the chain proves nothing more. */
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (f->pins[0])
		ok = ok && curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, f->pins) == CURLE_OK;
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L); /* every hop shows its certificates */
	curl_easy_setopt(e, CURLOPT_CERTINFO, 1L);
	return ok;
}

/* What is left of the one limit over all hops, of image or signature; at least 1: 0 is "for ever" to libcurl. */
static long
left_ms(const struct fetch *f)
{
	int64_t left = f->started_ms + (int64_t)f->job->max_seconds * 1000 - clock_mono_ms(f->clock);
	return left > 0 ? (long)left : 1;
}

static bool
set_rules(struct fetch *f)
{
	CURL *e = f->easy;
	bool tls = strncasecmp(f->url, "https://", 8) == 0;
	curl_easy_reset(e);
	bool ok = curl_easy_setopt(e, CURLOPT_URL, f->url) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http") == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK && curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_USERAGENT, "fotagate/" FG_VERSION) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK;
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L); /* every hop is judged and recorded here */
	curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_SECONDS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, left_ms(f));
	/* A connection of its own each time: on_socket judges it, and its certificates are seen. */
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)f->job->min_speed);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)FETCH_SPEED_WINDOW);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, f);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->curl_error);
	return ok && set_tls(f);
}

static void
next_hop(struct fetch *f)
{
	f->header_bytes = 0;
	f->bytes = f->skipped = 0;
	f->page_cut = false;
	f->curl_error[0] = '\0';
	f->hop = provenance_hop(f->prov);
	if (!f->hop) {
		finish(f, MSG_FETCH_REFUSED, "too many redirects");
		return;
	}
	f->hop->signature = f->signature;
	f->hop->at_us = clock_wall_us(f->clock);
	snprintf(f->hop->url, sizeof f->hop->url, "%s", f->url);
	if (!set_rules(f) || curl_multi_add_handle(f->multi, f->easy) != CURLM_OK)
		finish(f, MSG_FETCH_FAILED, "libcurl refused the request");
}

static void
finish(struct fetch *f, enum msg_fetch_outcome outcome, const char *detail)
{
	struct fetch_result r = { .outcome = outcome, .status = f->hop ? f->hop->status : 0, .bytes = f->bytes };
	snprintf(r.detail, sizeof r.detail, "%s", detail);
	if (f->finished)
		return;
	f->finished = true;
	f->ops->done(f->ctx, &r);
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void
follow(struct fetch *f)
{
	char *to = NULL;
	curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to || f->page_cut) {
		finish(f, MSG_FETCH_HTTP, to ? "vendor's redirect carries a page larger than 64 KiB"
		                             : "vendor's redirect names no place");
		return;
	}
	if (f->redirects++ >= f->job->max_redirects) {
		finish(f, MSG_FETCH_REFUSED, "more redirects than the profile allows");
		return;
	}
	size_t scheme = strcspn(f->url, ":") + 1; /* with the colon: "http" is the beginning of "https" */
	if (strlen(to) >= sizeof f->url || strncasecmp(to, f->url, scheme)) {
		finish(f, MSG_FETCH_REFUSED, "redirect to another scheme");
		return;
	}
	snprintf(f->url, sizeof f->url, "%s", to);
	next_hop(f);
}

static bool
is_identity_error(CURLcode r)
{
	return r == CURLE_SSL_PINNEDPUBKEYNOTMATCH || r == CURLE_PEER_FAILED_VERIFICATION ||
	    r == CURLE_SSL_ISSUER_ERROR;
}

/* libcurl gave up: whose doing was it? */
static void
failed(struct fetch *f)
{
	const char *text = f->curl_error[0] ? f->curl_error : curl_easy_strerror(f->result);
	char visible[MSG_TEXT_MAX / 2], detail[MSG_TEXT_MAX];
	curl_off_t connected = 0;
	visible_cstr(view_str(text), visible, sizeof visible);
	if (is_identity_error(f->result)) {
		snprintf(detail, sizeof detail, "vendor's TLS identity does not hold: %s", visible);
		finish(f, MSG_FETCH_REFUSED, detail);
		return;
	}
	if (f->result == CURLE_LOGIN_DENIED) {
		finish(f, MSG_FETCH_REFUSED, "redirect with a user name in it");
		return;
	}
	curl_easy_getinfo(f->easy, CURLINFO_CONNECT_TIME_T, &connected);
	if (f->result != CURLE_OPERATION_TIMEDOUT || connected == 0)
		finish(f, MSG_FETCH_FAILED, visible); /* not reached at all: a retry may */
	else if (left_ms(f) <= 1)
		finish(f, MSG_FETCH_REFUSED, TOO_LONG);
	else
		finish(f, MSG_FETCH_REFUSED, "vendor sends more slowly than the profile allows");
}

/* Runs from the loop after libcurl said that the transfer ended. */
static void
on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct fetch *f = ctx;
	(void)fd;
	(void)what;
	char detail[MSG_TEXT_MAX];
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &f->hop->status);
	note_peer(f);
	note_certificates(f);
	curl_multi_remove_handle(f->multi, f->easy);
	if (f->refused[0]) {
		finish(f, MSG_FETCH_REFUSED, f->refused);
	} else if (f->write_failed) {
		finish(f, MSG_FETCH_FAILED, "quarantine could not be written: is the disk full?");
	} else if (f->result != CURLE_OK && !(f->result == CURLE_WRITE_ERROR && f->page_cut)) {
		failed(f);
	} else if (is_redirect(f->hop->status)) {
		follow(f);
	} else if (f->hop->status != 200) {
		snprintf(detail, sizeof detail, "vendor answered %ld", f->hop->status);
		finish(f, MSG_FETCH_HTTP, detail);
	} else {
		finish(f, MSG_FETCH_OK, "");
	}
}

/* ---- libcurl on libevent ---- */

static void
look(struct fetch *f)
{
	int left = 0;
	for (CURLMsg *m; (m = curl_multi_info_read(f->multi, &left));) {
		if (m->msg != CURLMSG_DONE)
			continue;
		f->result = m->data.result;
		event_active(f->again, EV_TIMEOUT, 0);
	}
}

static void
on_io(evutil_socket_t fd, short what, void *ctx)
{
	struct fetch *f = ctx;
	int running = 0;
	int action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	curl_multi_socket_action(f->multi, fd, action, &running);
	look(f);
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct fetch *f = ctx;
	int running = 0;
	(void)fd;
	(void)what;
	curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look(f);
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *per_socket)
{
	struct fetch *f = ctx;
	struct event *ev = per_socket;
	(void)easy;
	if (ev)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE) {
		short want = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
		ev = event_new(f->base, fd, want, on_io, f);
		if (ev)
			event_add(ev, NULL);
	}
	curl_multi_assign(f->multi, fd, ev);
	return 0;
}

static int
want_timer(CURLM *multi, long ms, void *ctx)
{
	struct fetch *f = ctx;
	(void)multi;
	if (ms < 0) {
		event_del(f->timer);
		return 0;
	}
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
	event_add(f->timer, &tv);
	return 0;
}

static int
write_pins(struct fetch *f)
{
	struct writer w;
	writer_init(&w, sizeof f->pins - 1);
	for (uint32_t i = 0; i < f->job->pins_n; i++) {
		writer_text(&w, i ? ";sha256//" : "sha256//");
		base64_encode(view_of(f->job->pins[i].spki, DIGEST_SHA256_LEN), &w);
	}
	int err = writer_err(&w);
	if (!err && w.n)
		memcpy(f->pins, w.p, w.n);
	writer_free(&w);
	return err;
}

struct fetch *
fetch_new(struct event_base *base, const struct clock_source *clock, const struct msg_fetch *job, struct view ca,
    struct provenance *prov, const struct fetch_ops *ops, void *ctx)
{
	struct fetch *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	*f = (struct fetch){ .base = base, .clock = clock, .job = job, .prov = prov, .ops = ops, .ctx = ctx, .ca = ca };
	f->multi = curl_multi_init();
	f->easy = curl_easy_init();
	f->timer = event_new(base, -1, 0, on_timer, f);
	f->again = event_new(base, -1, 0, on_again, f);
	if (!f->multi || !f->easy || !f->timer || !f->again || write_pins(f)) {
		fetch_free(f);
		return NULL;
	}
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	return f;
}

void
fetch_free(struct fetch *f)
{
	if (!f)
		return;
	if (f->multi && f->easy)
		curl_multi_remove_handle(f->multi, f->easy);
	if (f->easy)
		curl_easy_cleanup(f->easy);
	if (f->multi)
		curl_multi_cleanup(f->multi);
	if (f->timer)
		event_free(f->timer);
	if (f->again)
		event_free(f->again);
	free(f);
}

int
fetch_start(struct fetch *f, const char *url, bool signature, int fd, uint64_t max_bytes)
{
	f->signature = signature;
	f->fd = fd;
	f->max_bytes = max_bytes;
	f->redirects = 0;
	f->finished = f->write_failed = false;
	f->refused[0] = '\0';
	f->started_ms = f->told_ms = clock_mono_ms(f->clock);
	/* An earlier attempt may have left more behind than this one brings. */
	if (ftruncate(fd, 0))
		return FG_EIO;
	snprintf(f->url, sizeof f->url, "%s", url);
	next_hop(f);
	return FG_OK;
}
