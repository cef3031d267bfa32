/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provenance - where the bytes came from, as the fetcher saw it: every URL of
 * the chain, peer addresses, certificates, response headers, times. Canonical
 * JSON; hostile header text is made visible; evidence for people, never an
 * input to a decision about authenticity.
 */
#ifndef FG_GATEWAY_UPSTREAM_PROVENANCE_H
#define FG_GATEWAY_UPSTREAM_PROVENANCE_H

#include "crypto/digest.h"
#include "crypto/writer.h"
#include "gateway/wire/msg.h"

#define PROVENANCE_MAX 262144    /* all of it; more headers than fit are counted, not kept */
#define PROVENANCE_HOPS_MAX 24   /* image and signature, ten redirects each and their first requests; see provenance_hop() */
#define PROVENANCE_HEADERS_MAX 64
#define PROVENANCE_HEADER_BYTES 65536 /* of all hops; escaping may double them, and the record must still fit */
#define PROVENANCE_CERTS_MAX 10
#define PROVENANCE_LINE_MAX 512

struct provenance_hop { /* one request and its answer */
	bool signature;      /* of the signature's fetch, not the image's */
	char url[MSG_URL_MAX * 2];
	char peer[64];       /* address and port */
	long status;         /* 0: none came */
	int64_t at_us;
	uint64_t asked;      /* from this byte on; 0: all of it */
	uint64_t kept;       /* bytes in the file when it ended */
	unsigned headers_n, headers_dropped;
	char header[PROVENANCE_HEADERS_MAX][PROVENANCE_LINE_MAX]; /* visible */
	char to[MSG_URL_MAX * 2]; /* where it led; "" : nowhere */
	bool have_key, refused; /* refused: its identity did not hold */
	bool other_key;         /* a second connection to it (FTP has two) showed another */
	uint8_t key[DIGEST_SHA256_LEN]; /* SHA-256 of the leaf's SPKI, whether or not it was accepted */
	unsigned certs_n;
	uint8_t cert[PROVENANCE_CERTS_MAX][DIGEST_SHA256_LEN]; /* SHA-256 of the DER, leaf first */
};

struct provenance {
	unsigned hops_n, hops_dropped;
	size_t header_bytes;
	struct provenance_hop hop[PROVENANCE_HOPS_MAX];
	/* What those showed that were dropped (shown.h): a record may be cut short, the comparison may not. */
	uint32_t shown_n;
	struct msg_shown shown[MSG_SHOWN_MAX];
	bool shown_more;
};

/*
 * The next hop's place, zeroed. When there are too many tries the second oldest is dropped and
 * counted: what came first and what came last says most. Places move: one hop at a time.
 */
struct provenance_hop *provenance_hop(struct provenance *p);
/* One line of the answer's head to a hop of p; beyond the limits it is only counted. */
void provenance_header(struct provenance *p, struct provenance_hop *h, struct view line);
/* The record. FG_ELIMIT, FG_ENOMEM. */
int provenance_encode(const struct provenance *p, const struct msg_fetch *job, const struct msg_fetch_done *done,
    struct writer *w);

#endif
