/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch_private - what the files of fetch share: fetch.c asks, tries again and ends; fetch_http.c and
 * fetch_ftp.c say what an answer is. Called by those three alone.
 */
#ifndef FG_GATEWAY_UPSTREAM_FETCH_PRIVATE_H
#define FG_GATEWAY_UPSTREAM_FETCH_PRIVATE_H

#include "gateway/upstream/answer.h"
#include "gateway/upstream/body.h"
#include "gateway/upstream/curlloop.h"
#include "gateway/upstream/fetch.h"
#include "gateway/upstream/request.h"
#include "policy/cidr.h"
#include "policy/transport.h"

#define FETCH_CHANGED "vendor's content changed while it was fetched"
#define FETCH_TOO_LARGE "answer is larger than the profile allows"

enum fetch_stop { FETCH_GO_ON = 0, FETCH_STOP_REFUSED, FETCH_STOP_FROM_ZERO, FETCH_STOP_FAILED };

struct fetch {
	struct event_base *base;
	const struct clock_source *clock;
	const struct msg_fetch *job;
	struct provenance *prov;
	const struct fetch_ops *ops;
	void *ctx;
	struct curlloop *loop;
	CURL *easy;
	struct event *pause; /* until the next try */
	struct request request;

	/* One URL. */
	bool signature, finished;
	char first_url[MSG_URL_MAX];
	int64_t started_ms, told_ms;
	struct body body;
	char validator[ANSWER_VALIDATOR_MAX]; /* of what body has; "" : a cut costs all of it */
	uint64_t total;                       /* as the vendor said; 0: not */
	unsigned failures, changes;           /* in a row; in all */
	bool go_on;                           /* it failed, but another try may not */
	bool no_parts;                        /* its server cannot begin elsewhere than at the start */
	uint64_t size_before;                 /* this try */
	uint64_t told_size;                   /* on disk, and known elsewhere */
	int64_t kept_ms;

	/* One hop. */
	char url[MSG_URL_MAX * 2];
	unsigned redirects;
	uint64_t asked; /* from this byte on; 0: all of it */
	struct provenance_hop *hop;
	enum transport transport;
	struct answer answer;       /* of HTTP */
	unsigned reply;             /* of FTP: the code of the last one */
	unsigned facts;             /* of FTP: how many replies were a fact about a file */
	char server[CIDR_TEXT_MAX]; /* of FTP: whom it speaks to, once that one has said anything */
	size_t header_bytes;
	uint64_t skipped;
	bool taking;    /* this answer's bytes are the image's */
	bool page_cut;  /* enough of an error page was read and forgotten */
	char curl_error[CURL_ERROR_SIZE];
	enum fetch_stop stop; /* a callback ended the transfer, and why */
	enum msg_fetch_finding finding;
	char why[MSG_TEXT_MAX];
};

/* ---- fetch.c ---- */

/* Ends the transfer from within a callback. The first reason is the one. */
void fetch_halt(struct fetch *f, enum fetch_stop stop, enum msg_fetch_finding finding, const char *why);
/*
 * The bytes that come now are all of it, from the beginning: what is there goes. validator: "" for none.
 * False: it is more than is allowed, or changes again and again.
 */
bool fetch_take_whole(struct fetch *f, const char *validator, bool have_length, uint64_t length);
/* Between transfers: ends it for good. */
void fetch_finish(struct fetch *f, enum msg_fetch_outcome outcome, enum msg_fetch_finding finding, const char *detail);
/* Between transfers: all of it came. */
void fetch_done(struct fetch *f);
/* Refused, but no fault of the bytes that are here: another fetch may go on with them. */
void fetch_refuse_and_keep(struct fetch *f, enum msg_fetch_finding finding, const char *detail);
/* It may go better in a while: waits, or ends so when there were tries enough. */
void fetch_try_later(struct fetch *f, enum msg_fetch_outcome outcome, enum msg_fetch_finding finding, const char *detail);
/* At once, with what is here. */
void fetch_next_try(struct fetch *f);
/* At once, with nothing: what came is of no use together with what comes now. */
void fetch_from_zero(struct fetch *f, enum msg_fetch_finding finding);

/* ---- fetch_http.c ---- */

/* One line of the answer's head: at its end it is judged. */
void fetch_http_line(struct fetch *f, struct view line);

/* ---- fetch_ftp.c ---- */

/* One line of the server's. */
void fetch_ftp_line(struct fetch *f, struct view line);
/* It holds the secret, which has no business in a record. */
bool fetch_ftp_is_secret(const struct fetch *f, struct view line);
/* The file begins: is it the one, and the part of it, that was asked for? False: halted. */
bool fetch_ftp_begin(struct fetch *f);
/* A connection is to be made there. False: halted. */
bool fetch_ftp_connect(struct fetch *f, const char *address, uint16_t port);
/* All of it came. */
void fetch_ftp_answered(struct fetch *f);
/* libcurl gave up. False: for no reason that is FTP's own. */
bool fetch_ftp_failed(struct fetch *f, CURLcode result, const char *detail);

#endif
