/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_post - one message to people's tools: a webhook signed as Standard Webhooks
 * 1.0 has it (standardwebhooks.com: HMAC-SHA256 over id, time and body), or a mail by SMTP.
 * Role: `audit notify`. The other side is not trusted: TLS 1.2 or later and a
 * certificate that is good for its name, in clear only to this machine itself; no
 * redirect, no proxy, and nothing of its answer is used but the status.
 * Guarantees: 0 means that it was taken (2xx; SMTP's 250 after the data); the same
 * message sent again has the same id.
 */
#ifndef FG_GATEWAY_CMD_CLI_POST_H
#define FG_GATEWAY_CMD_CLI_POST_H

#include "crypto/view.h"
#include "gateway/cmd/cli_opt.h"

#define CLI_POST_ID_CAP 80

struct cli_post_to {
	const char *to;          /* https://... ; smtps://HOST[:PORT], smtp://HOST[:PORT] (with STARTTLS) */
	const char *ca;          /* PEM; NULL: the system's */
	const char *secret;      /* file: "whsec_" and base64 of 24 to 64 bytes; for webhooks, required */
	const char *credentials; /* file: "name:password"; for mail */
	const char *sender;      /* address; for mail, required, and at least one recipient */
	struct cli_opt_list recipients;
};

struct cli_post_message {
	const char *id;      /* the same for the same thing: letters, digits, '.', '-' */
	const char *subject; /* of the mail; printable ASCII */
	struct view json;    /* what a webhook gets */
	struct view text;    /* what a mail says: printable ASCII and "\n" */
};

struct cli_post;

/* 0 with *ret; an exit status after saying what cannot be used. Connects to nobody. */
int cli_post_new(const struct cli_common *c, const struct cli_post_to *to, struct cli_post **ret);
void cli_post_free(struct cli_post *p);
/* 0, FG_EIO with cli_post_why, FG_ENOMEM. now in epoch seconds. */
int cli_post_send(struct cli_post *p, const struct cli_post_message *m, int64_t now);
const char *cli_post_why(const struct cli_post *p);

#endif
