/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/fetch_private.h"

#include <stdio.h>
#include <string.h>

#define SETTLED_S 60        /* a file changed since then may still be being written: its time says nothing */
#define DATA_PORT_LEAST 1024 /* below are services, and nobody's passive ports (RFC 1579) */

/* ---- what the server says ---- */

bool
fetch_ftp_is_secret(const struct fetch *f, struct view line)
{
	const char *colon = strchr(f->request.secret->ftp, ':');
	return colon && colon[1] && memmem(line.p, line.n, colon + 1, strlen(colon + 1));
}

/* Whom the connection that was made is with: of several addresses of a name, the one that answered. */
static void
note_server(struct fetch *f)
{
	char *ip = NULL;
	struct cidr_addr a;
	if (curl_easy_getinfo(f->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip && cidr_addr_parse(view_str(ip), &a))
		cidr_addr_text(&a, f->server);
	else
		snprintf(f->server, sizeof f->server, "unknown"); /* and equal to no address */
}

void
fetch_ftp_line(struct fetch *f, struct view line)
{
	unsigned code = answer_reply(line);
	if (!f->server[0])
		note_server(f);
	if (!code || code == 221)
		return; /* more to come; or farewell, and no answer to anything */
	f->reply = code;
	f->facts += code == 213;
}

/* ---- the data connection ---- */

bool
fetch_ftp_connect(struct fetch *f, const char *address, uint16_t port)
{
	if (!f->server[0] || f->job->proxy[0])
		return true; /* the control connection; or all of them are to the proxy */
	if (strcmp(address, f->server) == 0 && port >= DATA_PORT_LEAST)
		return true;
	char why[MSG_TEXT_MAX];
	snprintf(why, sizeof why, "vendor's server leads to %s port %u for the file", address, port);
	fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_ADDRESS, why);
	return false;
}

/* ---- the file ---- */

/*
 * What FTP has for a validator: SIZE and MDTM (RFC 3659), both told and the time some while ago,
 * because its grain is a second and files appear while they are still being written. "" : none.
 */
static void
write_validator(const struct fetch *f, curl_off_t size, char out[ANSWER_VALIDATOR_MAX])
{
	curl_off_t changed = -1;
	out[0] = '\0';
	curl_easy_getinfo(f->easy, CURLINFO_FILETIME_T, &changed);
	/* libcurl asks for the one and then the other, and guesses at a size that was not told. */
	if (f->facts != 2 || size < 0 || changed < 0 || changed > clock_wall_us(f->clock) / 1000000 - SETTLED_S)
		return;
	snprintf(out, ANSWER_VALIDATOR_MAX, "MDTM %lld SIZE %lld", (long long)changed, (long long)size);
}

#define TWO_KEYS "vendor's TLS identity does not hold: its two connections show different keys"

bool
fetch_ftp_begin(struct fetch *f)
{
	char validator[ANSWER_VALIDATOR_MAX];
	curl_off_t left = -1;
	if (f->hop->other_key) {
		f->hop->refused = true;
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_IDENTITY, TWO_KEYS);
		return false;
	}
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &left);
	curl_off_t size = left < 0 || left > INT64_MAX - (curl_off_t)f->asked ? -1 : left + (curl_off_t)f->asked;
	write_validator(f, size, validator);
	if (!f->asked)
		return fetch_take_whole(f, validator, size >= 0, size >= 0 ? (uint64_t)size : 0);
	if (strcmp(validator, f->validator)) {
		fetch_halt(f, FETCH_STOP_FROM_ZERO, MSG_FINDING_CHANGED, FETCH_CHANGED);
		return false;
	}
	f->taking = true;
	return true;
}

/* ---- its end ---- */

void
fetch_ftp_answered(struct fetch *f)
{
	/* An empty file, or nothing behind where it was to go on. */
	if (!f->taking && !fetch_ftp_begin(f)) {
		if (f->stop == FETCH_STOP_FROM_ZERO)
			fetch_from_zero(f, f->finding);
		else
			fetch_finish(f, f->stop == FETCH_STOP_FAILED ? MSG_FETCH_FAILED : MSG_FETCH_REFUSED, f->finding, f->why);
	} else if (f->total && f->body.size != f->total) {
		fetch_try_later(f, MSG_FETCH_FAILED, MSG_FINDING_CUT, "file ended before its SIZE");
	} else {
		fetch_done(f);
	}
}

/* The server said no: 4yz for now, 5yz for good (RFC 959 4.2.1). */
static bool
refused(struct fetch *f)
{
	char detail[64];
	if (f->reply < 400 || f->reply > 599)
		return false;
	snprintf(detail, sizeof detail, "vendor answered %u", f->reply);
	if (f->reply < 500)
		fetch_try_later(f, MSG_FETCH_HTTP, MSG_FINDING_STATUS, detail);
	else
		fetch_finish(f, MSG_FETCH_HTTP, MSG_FINDING_STATUS, detail);
	return true;
}

bool
fetch_ftp_failed(struct fetch *f, CURLcode result, const char *detail)
{
	if (f->hop->other_key) {
		f->hop->refused = true;
		fetch_refuse_and_keep(f, MSG_FINDING_IDENTITY, TWO_KEYS);
		return true;
	}
	switch (result) {
	case CURLE_USE_SSL_FAILED:
		/* Whoever stands in between need only say that there is no TLS. */
		f->hop->refused = true;
		fetch_refuse_and_keep(f, MSG_FINDING_IDENTITY, "vendor's server does not protect both connections by TLS");
		return true;
	case CURLE_FILESIZE_EXCEEDED:
		fetch_finish(f, MSG_FETCH_REFUSED, MSG_FINDING_SIZE, FETCH_TOO_LARGE);
		return true;
	case CURLE_BAD_DOWNLOAD_RESUME: /* shorter than what came */
		fetch_from_zero(f, MSG_FINDING_CHANGED);
		return true;
	case CURLE_FTP_COULDNT_USE_REST:
		if (!f->asked)
			return false;
		f->no_parts = true;
		fetch_next_try(f);
		return true;
	case CURLE_REMOTE_ACCESS_DENIED:
	case CURLE_LOGIN_DENIED:
	case CURLE_REMOTE_FILE_NOT_FOUND:
	case CURLE_FTP_COULDNT_SET_TYPE:
	case CURLE_FTP_WEIRD_PASV_REPLY:
	case CURLE_WEIRD_SERVER_REPLY:
		if (!refused(f))
			fetch_finish(f, MSG_FETCH_FAILED, MSG_FINDING_NETWORK, detail);
		return true;
	case CURLE_OPERATION_TIMEDOUT: /* also what libcurl makes of a 421 */
		return f->reply == 421 && refused(f);
	case CURLE_FTP_COULDNT_RETR_FILE:
	case CURLE_PARTIAL_FILE:
		/* Either it said so, or it said the opposite and sent too little. */
		if (f->taking || !refused(f))
			fetch_try_later(f, MSG_FETCH_FAILED, MSG_FINDING_CUT, detail);
		return true;
	default:
		return false;
	}
}
