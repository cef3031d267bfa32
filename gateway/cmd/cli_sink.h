/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_sink - where a forwarder's messages go: syslog over TLS (RFC 5425), or a
 * local datagram socket. The other side is not trusted: TLS 1.2 or later, its
 * certificate must chain to the given CAs and name the host that was asked for, and
 * nothing it sends is read for more than keeping the connection.
 *
 * Syslog has no acknowledgement. What TLS can give is here: cli_sink_settle()
 * returns when the other machine's kernel has confirmed every byte. What its
 * collector has then not yet read dies with it; whoever forwards sends the last
 * entries again after each connection.
 */
#ifndef FG_GATEWAY_CMD_CLI_SINK_H
#define FG_GATEWAY_CMD_CLI_SINK_H

#include "crypto/view.h"
#include "gateway/cmd/cli_opt.h"

enum cli_sink_kind { CLI_SINK_NONE = 0, CLI_SINK_TLS, CLI_SINK_UNIX, CLI_SINK_JOURNAL };

struct cli_sink_to {
	const char *to;   /* "HOST:PORT", "[::1]:6514", "unix:PATH", "journal", "journal:PATH" */
	const char *ca;   /* PEM; TLS only, and required there */
	const char *cert; /* PEM chain and key by which we are known; both or none */
	const char *key;
};

struct cli_sink;

/* 0 with *ret; an exit status after saying what cannot be used. Opens nothing yet but the files named. */
int cli_sink_new(const struct cli_common *c, const struct cli_sink_to *to, struct cli_sink **ret);
void cli_sink_free(struct cli_sink *s);
enum cli_sink_kind cli_sink_kind(const struct cli_sink *s);
/* Connects if it is not connected. 0, or FG_EIO with cli_sink_why. */
int cli_sink_open(struct cli_sink *s);
bool cli_sink_is_open(const struct cli_sink *s);
/* One message: framed by its length over TLS, else a datagram. 0, or FG_EIO and closed. */
int cli_sink_send(struct cli_sink *s, struct view message);
/* Waits until the other side has confirmed what was sent, as far as its kind of socket can tell. 0, or FG_EIO and closed. */
int cli_sink_settle(struct cli_sink *s);
/* What went wrong last; for people. */
const char *cli_sink_why(const struct cli_sink *s);

#endif
