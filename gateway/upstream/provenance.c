/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/provenance.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/jsonw.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"
#include "gateway/upstream/shown.h"

#define PROVENANCE_SCHEMA "fotagate-provenance/1"

struct provenance_hop *
provenance_hop(struct provenance *p)
{
	if (p->hops_n == PROVENANCE_HOPS_MAX) {
		shown_note(p);
		for (unsigned i = 0; i < p->hop[1].headers_n; i++)
			p->header_bytes -= strlen(p->hop[1].header[i]);
		memmove(&p->hop[1], &p->hop[2], (PROVENANCE_HOPS_MAX - 2) * sizeof p->hop[0]);
		p->hops_n--;
		p->hops_dropped++;
	}
	struct provenance_hop *h = &p->hop[p->hops_n++];
	memset(h, 0, sizeof *h);
	return h;
}

void
provenance_header(struct provenance *p, struct provenance_hop *h, struct view line)
{
	char text[PROVENANCE_LINE_MAX];
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (!line.n)
		return;
	visible_cstr(line, text, sizeof text);
	size_t n = strlen(text);
	if (h->headers_n == PROVENANCE_HEADERS_MAX || n > PROVENANCE_HEADER_BYTES - p->header_bytes) {
		h->headers_dropped++;
		return;
	}
	p->header_bytes += n;
	memcpy(h->header[h->headers_n++], text, n + 1);
}

static void
put_hop(struct jsonw *j, const struct provenance_hop *h)
{
	char at[STAMP_US_CAP], url[MSG_URL_MAX * 2];
	if (stamp_format_us(h->at_us, at))
		snprintf(at, sizeof at, "unknown");
	visible_cstr(view_str(h->url), url, sizeof url);
	jsonw_object(j);
	jsonw_kuint(j, "asked_from", h->asked);
	jsonw_kcstr(j, "at", at);
	jsonw_key(j, "certificates");
	jsonw_array(j);
	for (unsigned i = 0; i < h->certs_n; i++)
		jsonw_hex(j, h->cert[i], DIGEST_SHA256_LEN);
	jsonw_array_end(j);
	jsonw_kcstr(j, "for", h->signature ? "signature" : "image");
	jsonw_key(j, "headers");
	jsonw_array(j);
	for (unsigned i = 0; i < h->headers_n; i++)
		jsonw_cstr(j, h->header[i]);
	jsonw_array_end(j);
	jsonw_kuint(j, "headers_dropped", h->headers_dropped);
	jsonw_kuint(j, "kept", h->kept);
	jsonw_key(j, "key");
	if (h->have_key)
		jsonw_hex(j, h->key, DIGEST_SHA256_LEN);
	else
		jsonw_cstr(j, "");
	jsonw_kcstr(j, "peer", h->peer);
	jsonw_kuint(j, "status", h->status > 0 ? (uint64_t)h->status : 0);
	jsonw_kcstr(j, "url", url);
	jsonw_object_end(j);
}

int
provenance_encode(const struct provenance *p, const struct msg_fetch *job, const struct msg_fetch_done *done,
    struct writer *w)
{
	static const char *const outcome[] = { "failed", "ok", "refused", "http-error" };
	struct jsonw j;
	char detail[MSG_TEXT_MAX * 2], first[sizeof job->first_asked_by * 2], via[sizeof job->proxy];
	visible_cstr(view_str(done->detail), detail, sizeof detail);
	visible_cstr(view_str(job->first_asked_by), first, sizeof first);
	visible_cstr(view_str(job->proxy), via, sizeof via);
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_kuint(&j, "bytes", done->bytes);
	jsonw_kcstr(&j, "claimed_by", "fetcher");
	jsonw_kcstr(&j, "detail", detail);
	jsonw_kcstr(&j, "finding", msg_fetch_finding_name(done->finding));
	jsonw_kcstr(&j, "first_asked_by", first);
	jsonw_key(&j, "hops");
	jsonw_array(&j);
	for (unsigned i = 0; i < p->hops_n; i++)
		put_hop(&j, &p->hop[i]);
	jsonw_array_end(&j);
	jsonw_kuint(&j, "hops_dropped", p->hops_dropped);
	jsonw_kcstr(&j, "outcome", done->outcome < MSG_FETCH_LIMIT_ ? outcome[done->outcome] : outcome[0]);
	jsonw_kcstr(&j, "schema", PROVENANCE_SCHEMA);
	jsonw_kuint(&j, "signature_bytes", done->signature_bytes);
	jsonw_kcstr(&j, "via", via);
	jsonw_object_end(&j);
	return writer_err(w);
}
