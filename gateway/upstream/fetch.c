/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/fetch_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/role/oplog.h"
#include "gateway/upstream/peer.h"
#include "gateway/upstream/reach.h"
#include "gateway/upstream/retry.h"

#define TOO_LONG "fetch took longer than the profile allows"
#define TOO_SLOW "vendor sends more slowly than the profile allows"

int
fetch_global(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? FG_OK : FG_ENOMEM;
}

void
fetch_halt(struct fetch *f, enum fetch_stop stop, enum msg_fetch_finding finding, const char *why)
{
	if (f->stop)
		return;
	f->stop = stop;
	f->finding = finding;
	snprintf(f->why, sizeof f->why, "%s", why);
}

/* What is left of the one limit over all tries and hops; at least 1: 0 is "for ever" to libcurl. */
static long
left_ms(const struct fetch *f)
{
	int64_t left = f->started_ms + (int64_t)f->job->max_seconds * 1000 - clock_mono_ms(f->clock);
	return left > 0 ? (long)left : 1;
}

/* What another process could go on with, if this one and everything around it ended now. */
static bool
keep(const struct fetch *f, struct msg_kept *ret)
{
	*ret = (struct msg_kept){ .bytes = f->body.size, .total = f->total };
	if (f->signature || !f->validator[0] || !f->body.size || body_sync(&f->body) || body_sha256(&f->body, ret->sha256))
		return false;
	snprintf(ret->validator, sizeof ret->validator, "%s", f->validator);
	return true;
}

static void
tell(struct fetch *f, bool all)
{
	struct msg_kept kept;
	int64_t now = clock_mono_ms(f->clock);
	bool news = f->body.size > f->told_size && (all || f->body.size - f->told_size >= FETCH_KEEP_BYTES ||
	    now - f->kept_ms >= FETCH_KEEP_MS) && keep(f, &kept);
	f->told_ms = now;
	if (news) {
		f->told_size = f->body.size;
		f->kept_ms = now;
	}
	f->ops->progress(f->ctx, f->body.size, f->total, news ? &kept : NULL);
}

/* ---- what comes ---- */

bool
fetch_take_whole(struct fetch *f, const char *validator, bool have_length, uint64_t length)
{
	if (have_length && length > f->body.max) {
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_SIZE, FETCH_TOO_LARGE);
		return false;
	}
	if (f->asked && strcmp(validator, f->validator) && ++f->changes > FETCH_CHANGES_MAX) {
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_CHANGED, FETCH_CHANGED " again and again");
		return false;
	}
	/* Without a change it is a server that does no ranges: allowed, if dear. */
	if (body_restart(&f->body)) {
		fetch_halt(f, FETCH_STOP_FAILED, MSG_FINDING_DISK, "quarantine could not be emptied");
		return false;
	}
	f->told_size = 0;
	snprintf(f->validator, sizeof f->validator, "%s", validator);
	f->total = have_length ? length : 0;
	f->taking = true;
	return true;
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	size_t len = size * n;
	f->header_bytes += len;
	if (f->header_bytes > FETCH_HEADER_BYTES_MAX) {
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_HEADER, "answer's header is larger than 64 KiB");
		return 0;
	}
	struct view line = view_of(p, len);
	bool ftp = transport_ftp(f->transport);
	if (!ftp || !fetch_ftp_is_secret(f, line))
		provenance_header(f->prov, f->hop, line);
	if (ftp)
		fetch_ftp_line(f, line);
	else
		fetch_http_line(f, line);
	return f->stop ? 0 : len;
}

/* ---- its body ---- */

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
	if (transport_ftp(f->transport) && !f->taking && !fetch_ftp_begin(f))
		return 0;
	if (!f->taking)
		return skip(f, len);
	if (f->asked && f->answer.status == 206 && len > f->total - f->body.at) {
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_RANGE, "answer is longer than the part it says it is");
		return 0;
	}
	switch (body_take(&f->body, view_of(p, len))) {
	case BODY_TAKEN:
		return len;
	case BODY_FULL:
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_SIZE, FETCH_TOO_LARGE);
		return 0;
	case BODY_DIFFERS:
		fetch_halt(f, FETCH_STOP_FROM_ZERO, MSG_FINDING_CHANGED, FETCH_CHANGED ", and its validator did not");
		return 0;
	case BODY_FAILED:
		break;
	}
	fetch_halt(f, FETCH_STOP_FAILED, MSG_FINDING_DISK, "quarantine could not be written: is the disk full?");
	return 0;
}

/* ---- the connection ---- */

/* Judges the resolved address, which is the one that will be connected to: a name cannot rebind in between. */
static curl_socket_t
on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fetch *f = ctx;
	struct cidr_addr a;
	uint16_t port;
	char text[CIDR_TEXT_MAX], why[MSG_TEXT_MAX];
	if (purpose != CURLSOCKTYPE_IPCXN || !reach_address(to, &a, &port))
		return CURL_SOCKET_BAD;
	cidr_addr_text(&a, text);
	snprintf(f->hop->peer, sizeof f->hop->peer, "%.50s port %u", text, port);
	/* With a proxy this is the proxy's, which the configuration names; next_hop() sees to addresses in the URL. */
	if (!f->job->proxy[0] && !reach_allowed(f->job, &a)) {
		snprintf(why, sizeof why,
		    "vendor's name leads to the private address %s: list it under allow_private if that is meant", text);
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_ADDRESS, why);
		return CURL_SOCKET_BAD;
	}
	if (transport_ftp(f->transport) && !fetch_ftp_connect(f, text, port))
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static CURLcode
on_tls(CURL *e, void *ssl_ctx, void *ctx)
{
	struct fetch *f = ctx;
	(void)e;
	peer_watch(f->hop, ssl_ctx);
	return CURLE_OK;
}

static int
on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct fetch *f = ctx;
	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	int64_t ms = clock_mono_ms(f->clock);
	if (ms - f->told_ms >= 1000)
		tell(f, false);
	if (ms - f->started_ms > (int64_t)f->job->max_seconds * 1000) {
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_LONG, TOO_LONG);
		return 1;
	}
	return 0;
}

/* ---- one hop after another ---- */

void
fetch_finish(struct fetch *f, enum msg_fetch_outcome outcome, enum msg_fetch_finding finding, const char *detail)
{
	struct fetch_result r = { .outcome = outcome, .finding = finding, .status = f->hop ? f->hop->status : 0,
		.bytes = f->body.size };
	/* RFC 9110 15.5.5 and 15.5.11; RFC 959 4.2.2. */
	bool none = transport_ftp(f->transport) ? r.status == 550 : r.status == 404 || r.status == 410;
	r.absent = outcome == MSG_FETCH_HTTP && none;
	snprintf(r.detail, sizeof r.detail, "%s", detail);
	if (f->finished)
		return;
	f->finished = true;
	r.have_kept = (outcome == MSG_FETCH_OK || f->go_on) && keep(f, &r.kept);
	body_end(&f->body);
	f->ops->done(f->ctx, &r);
}

static void
set_callbacks(struct fetch *f)
{
	CURL *e = f->easy;
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, f);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, f);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->curl_error);
}

static void
next_hop(struct fetch *f)
{
	size_t scheme;
	f->header_bytes = 0;
	f->skipped = 0;
	f->taking = f->page_cut = false;
	f->curl_error[0] = '\0';
	f->stop = FETCH_GO_ON;
	f->answer = (struct answer){ 0 };
	f->reply = f->facts = 0;
	f->server[0] = '\0';
	f->asked = f->validator[0] && !f->no_parts ? body_rewind(&f->body) : 0;
	f->hop = provenance_hop(f->prov);
	f->hop->signature = f->signature;
	f->hop->at_us = clock_wall_us(f->clock);
	f->hop->asked = f->asked;
	snprintf(f->hop->url, sizeof f->hop->url, "%s", f->url);
	f->transport = transport_of(view_str(f->url), &scheme);
	char text[CIDR_TEXT_MAX], why[MSG_TEXT_MAX];
	if (f->job->proxy[0] && reach_forbids(f->job, f->url, text)) {
		snprintf(why, sizeof why,
		    "vendor leads to the private address %s: list it under allow_private if that is meant", text);
		fetch_finish(f, MSG_FETCH_REFUSED, MSG_FINDING_ADDRESS, why);
		return;
	}
	f->easy = curlloop_renew(f->loop);
	bool ok = f->easy && request_set(&f->request, f->easy, f->url, f->asked, f->validator, f->body.max, left_ms(f));
	if (ok)
		set_callbacks(f);
	if (!ok || curlloop_start(f->loop, transport_ftp(f->transport)))
		fetch_finish(f, MSG_FETCH_FAILED, MSG_FINDING_LOCAL, "libcurl refused the request");
}

/* From the beginning of the chain: a place it led to may have been for once only. */
void
fetch_next_try(struct fetch *f)
{
	f->redirects = 0;
	f->size_before = f->body.size;
	snprintf(f->url, sizeof f->url, "%s", f->first_url);
	tell(f, true);
	next_hop(f);
}

static void
on_pause(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	fetch_next_try(ctx);
}

/* It may go better in a while: waits, or ends when there were tries enough. */
void
fetch_try_later(struct fetch *f, enum msg_fetch_outcome outcome, enum msg_fetch_finding finding, const char *detail)
{
	uint32_t random = 0;
	curl_off_t asked_for = 0;
	bool kept = f->validator[0] != '\0';
	if (kept && f->body.size >= f->size_before + FETCH_PROGRESS)
		f->failures = 0;
	f->go_on = true;
	if (f->failures++ >= f->job->tries) {
		fetch_finish(f, outcome, finding, detail);
		return;
	}
	/* Without a number there is no jitter, which is no reason to fail. */
	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	uint32_t wait = retry_wait_ms(f->failures, random);
	curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &asked_for);
	if (retry_status(f->hop->status) && asked_for > 0) {
		uint32_t least = asked_for > RETRY_AFTER_MOST_S ? UINT32_MAX : (uint32_t)asked_for * 1000;
		wait = wait > least ? wait : least;
	}
	if ((int64_t)wait >= left_ms(f)) {
		fetch_finish(f, outcome, finding, detail);
		return;
	}
	f->go_on = false;
	const struct timeval tv = { (time_t)(wait / 1000), (suseconds_t)(wait % 1000) * 1000 };
	event_add(f->pause, &tv);
}

/* What came is of no use together with what comes now. */
void
fetch_from_zero(struct fetch *f, enum msg_fetch_finding finding)
{
	if (++f->changes > FETCH_CHANGES_MAX) {
		fetch_finish(f, MSG_FETCH_REFUSED, finding, FETCH_CHANGED " again and again");
		return;
	}
	if (body_restart(&f->body)) {
		fetch_finish(f, MSG_FETCH_FAILED, MSG_FINDING_DISK, "quarantine could not be emptied");
		return;
	}
	f->validator[0] = '\0';
	f->total = f->told_size = 0;
	fetch_next_try(f);
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
	if (to)
		snprintf(f->hop->to, sizeof f->hop->to, "%s", to);
	if (!to || f->page_cut) {
		fetch_finish(f, MSG_FETCH_HTTP, MSG_FINDING_REDIRECT, to ? "vendor's redirect carries a page larger than 64 KiB" :
		    "vendor's redirect names no place");
		return;
	}
	if (f->redirects++ >= f->job->max_redirects) {
		fetch_finish(f, MSG_FETCH_REFUSED, MSG_FINDING_REDIRECT, "more redirects than the profile allows");
		return;
	}
	size_t scheme = strcspn(f->url, ":") + 1; /* with the colon: "http" is the beginning of "https" */
	if (strlen(to) >= sizeof f->url || strncasecmp(to, f->url, scheme)) {
		fetch_finish(f, MSG_FETCH_REFUSED, MSG_FINDING_SCHEME, "redirect to another scheme");
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

/* Refused, but no fault of the bytes that are here: another fetch may go on with them. */
void
fetch_refuse_and_keep(struct fetch *f, enum msg_fetch_finding finding, const char *detail)
{
	f->go_on = true;
	fetch_finish(f, MSG_FETCH_REFUSED, finding, detail);
}

/* libcurl gave up: whose doing was it? */
static void
failed(struct fetch *f, CURLcode result)
{
	const char *text = f->curl_error[0] ? f->curl_error : curl_easy_strerror(result);
	char visible[MSG_TEXT_MAX / 2], detail[MSG_TEXT_MAX];
	curl_off_t connected = 0;
	visible_cstr(view_str(text), visible, sizeof visible);
	curl_easy_getinfo(f->easy, CURLINFO_CONNECT_TIME_T, &connected);
	if (transport_ftp(f->transport) && fetch_ftp_failed(f, result, visible))
		return;
	if (is_identity_error(result)) {
		f->hop->refused = true;
		snprintf(detail, sizeof detail, "vendor's TLS identity does not hold: %s", visible);
		fetch_refuse_and_keep(f, MSG_FINDING_IDENTITY, detail);
	} else if (result == CURLE_LOGIN_DENIED) {
		fetch_finish(f, MSG_FETCH_REFUSED, MSG_FINDING_CREDENTIALS, "redirect with a user name in it");
	} else if (result == CURLE_OPERATION_TIMEDOUT && connected && left_ms(f) <= 1) {
		fetch_refuse_and_keep(f, MSG_FINDING_LONG, TOO_LONG);
	} else if (result == CURLE_OPERATION_TIMEDOUT && connected && f->taking) {
		/* The commonest cut of all: a link that died says nothing. */
		fetch_try_later(f, MSG_FETCH_REFUSED, MSG_FINDING_SLOW, TOO_SLOW);
	} else if (result == CURLE_OPERATION_TIMEDOUT && connected) {
		fetch_refuse_and_keep(f, MSG_FINDING_SLOW, TOO_SLOW);
	} else {
		enum msg_fetch_finding finding = f->taking ? MSG_FINDING_CUT : MSG_FINDING_NETWORK;
		if (retry_helps(result))
			fetch_try_later(f, MSG_FETCH_FAILED, finding, visible);
		else
			fetch_finish(f, MSG_FETCH_FAILED, finding, visible);
	}
}

void
fetch_done(struct fetch *f)
{
	fetch_finish(f, MSG_FETCH_OK, f->changes ? MSG_FINDING_CHANGED : MSG_FINDING_NONE,
	    f->changes ? FETCH_CHANGED ": it was begun again from zero" : "");
}

/* All of an answer came. */
static void
answered(struct fetch *f)
{
	char detail[64];
	if (transport_ftp(f->transport)) {
		fetch_ftp_answered(f);
	} else if (is_redirect(f->hop->status)) {
		follow(f);
	} else if (f->taking && f->total && f->body.size != f->total) {
		fetch_try_later(f, MSG_FETCH_FAILED, MSG_FINDING_CUT, "answer ended before its length");
	} else if (f->taking) {
		fetch_done(f);
	} else {
		snprintf(detail, sizeof detail, "vendor answered %ld", f->hop->status);
		if (retry_status(f->hop->status))
			fetch_try_later(f, MSG_FETCH_HTTP, MSG_FINDING_STATUS, detail);
		else
			fetch_finish(f, MSG_FETCH_HTTP, MSG_FINDING_STATUS, detail);
	}
}

static void
on_over(void *ctx, CURLcode result)
{
	struct fetch *f = ctx;
	peer_note(f->hop, f->easy);
	if (transport_ftp(f->transport))
		f->hop->status = f->reply; /* what libcurl has may be the answer to its QUIT */
	f->hop->kept = f->body.size;
	curlloop_stop(f->loop);
	if (f->stop == FETCH_STOP_REFUSED && f->finding == MSG_FINDING_LONG)
		fetch_refuse_and_keep(f, f->finding, f->why);
	else if (f->stop == FETCH_STOP_REFUSED)
		fetch_finish(f, MSG_FETCH_REFUSED, f->finding, f->why);
	else if (f->stop == FETCH_STOP_FAILED)
		fetch_finish(f, MSG_FETCH_FAILED, f->finding, f->why);
	else if (f->stop == FETCH_STOP_FROM_ZERO)
		fetch_from_zero(f, f->finding);
	else if (result != CURLE_OK && !(result == CURLE_WRITE_ERROR && f->page_cut))
		failed(f, result);
	else
		answered(f);
}

/* ---- public ---- */

struct fetch *
fetch_new(struct event_base *base, const struct clock_source *clock, const struct msg_fetch *job, struct view ca,
    const struct credentials *secret, struct provenance *prov, const struct fetch_ops *ops, void *ctx)
{
	struct fetch *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	*f = (struct fetch){ .base = base, .clock = clock, .job = job, .prov = prov, .ops = ops, .ctx = ctx };
	f->loop = curlloop_new(base, on_over, f);
	f->pause = event_new(base, -1, 0, on_pause, f);
	if (!f->loop || !f->pause || request_init(&f->request, job, ca, secret)) {
		fetch_free(f);
		return NULL;
	}
	return f;
}

void
fetch_free(struct fetch *f)
{
	if (!f)
		return;
	curlloop_free(f->loop);
	if (f->pause)
		event_free(f->pause);
	request_free(&f->request);
	body_end(&f->body);
	free(f);
}

/* It goes out in a request of ours. */
static bool
is_validator(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (*p < 0x20 || *p > 0x7e)
			return false;
	}
	return s[0] != '\0';
}

int
fetch_start(struct fetch *f, const char *url, bool signature, int fd, uint64_t max_bytes,
    const struct msg_kept *kept)
{
	int err = FG_EFORMAT;
	f->signature = signature;
	f->finished = f->go_on = f->no_parts = false;
	f->validator[0] = '\0';
	f->total = f->told_size = 0;
	f->failures = f->changes = 0;
	snprintf(f->first_url, sizeof f->first_url, "%s", url);
	if (kept && kept->bytes && is_validator(kept->validator))
		err = body_adopt(&f->body, fd, max_bytes, kept->bytes, kept->sha256);
	if (!err) {
		f->told_size = kept->bytes;
		f->total = kept->total;
		snprintf(f->validator, sizeof f->validator, "%s", kept->validator);
	} else if (err == FG_EFORMAT) {
		if (kept)
			oplog(OPLOG_WARNING, "what was kept of an earlier fetch is not what was written: it begins from zero");
		err = body_begin(&f->body, fd, max_bytes);
	}
	/* Hashing what was kept is no time of the vendor's. */
	f->started_ms = f->told_ms = f->kept_ms = clock_mono_ms(f->clock);
	if (!err)
		event_active(f->pause, EV_TIMEOUT, 0); /* out of here: it may be over at once */
	return err;
}
