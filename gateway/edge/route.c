/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/route.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"

static struct view
header(void *arg, const char *name)
{
	const struct http_request *req = arg;
	size_t at = 0;
	const struct http_field *f = http_head_next(req, name, &at);
	return f ? f->value : view_of(NULL, 0);
}

static bool
copy(struct view v, char *dst, size_t cap)
{
	if (v.n >= cap)
		return false;
	if (v.n)
		memcpy(dst, v.p, v.n);
	dst[v.n] = '\0';
	return true;
}

int
route_import_url(const char *product, const char *target, char *out, size_t cap)
{
	int n = snprintf(out, cap, "import:%s/%s", product, target);
	return n < 0 || (size_t)n >= cap ? FG_ELIMIT : FG_OK;
}

/* A token is a secret of the module's: from here on only its digest exists. */
static int
hide_token(struct identity *id)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	if (id->kind != IDENTITY_TOKEN)
		return FG_OK;
	int err = digest_sha256(view_str(id->text), digest);
	wipe(id->text, sizeof id->text);
	if (!err)
		hex_encode(digest, sizeof digest, id->text);
	return err;
}

static int
identify(const struct route_peer *from, struct route *r)
{
	struct cidr_addr address;
	struct identity_peer peer = { .cert_spki_sha256 = from->cert_spki, .psk_identity = from->psk_identity };
	if (cidr_addr_from(from->ip, NET_ADDR_LEN, &address))
		peer.address = &address;
	int err = identity_extract(&r->hit, &peer, &r->identity);
	if (err == FG_ENOTFOUND)
		return FG_OK;
	if (!err)
		err = hide_token(&r->identity);
	r->identified = err == FG_OK;
	return err;
}

/* FG_ENOTFOUND only without a template: one that lacks a capture of this request is FG_EFORMAT. */
static int
expand(enum profile_template which, const char *template, const struct profile_hit *hit, char *out, size_t cap)
{
	if (!template[0])
		return FG_ENOTFOUND;
	int err = profile_expand(which, hit, out, cap);
	return err == FG_ENOTFOUND ? FG_EFORMAT : err;
}

static int
urls(struct route *r)
{
	const struct profile *p = r->hit.profile;
	int err = expand(PROFILE_UPSTREAM, p->upstream, &r->hit, r->url, sizeof r->url);
	r->fetchable = err == FG_OK;
	if (err == FG_ENOTFOUND)
		err = route_import_url(r->product, r->target, r->url, sizeof r->url);
	if (err)
		return err;
	err = expand(PROFILE_SIGNATURE_URL, p->signature_url, &r->hit, r->signature_url, sizeof r->signature_url);
	if (err && err != FG_ENOTFOUND)
		return err;
	return profile_resource(p, r->url, r->resource);
}

int
route_request(const struct config *c, const char *listener, const struct http_request *req,
    const struct route_peer *peer, struct route *ret, enum profile_miss *ret_miss)
{
	struct profile_request ask = {
		.listener = view_str(listener),
		.host = req->host.n ? req->host : view_str(peer->tls_name),
		.path = req->path,
		.query = req->query,
		.header = header,
		.arg = (void *)(uintptr_t)req,
	};
	*ret = (struct route){ 0 };
	int err = profile_match(c, &ask, &ret->hit, ret_miss);
	if (err)
		return err;
	struct view from = { 0 };
	for (unsigned i = 0; !from.n && profile_from_version(&ret->hit, i, &from); i++)
		;
	if (from.n == 1 && from.p[0] == '*')
		from.n = 0;
	if (!copy(ret->hit.product, ret->product, sizeof ret->product) ||
	    !copy(ret->hit.target_version, ret->target, sizeof ret->target) ||
	    !copy(ret->hit.current_version, ret->current, sizeof ret->current) ||
	    !copy(from, ret->from, sizeof ret->from))
		return FG_ELIMIT;
	err = identify(peer, ret);
	return err ? err : urls(ret);
}
