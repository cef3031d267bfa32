/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/serve.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "gateway/net/http_parts.h"
#include "gateway/net/net_private.h"

/* Several ranges: the image's own source, seen through the parts they are sent in. */
struct parted {
	struct http_parts parts;
	struct net_source image;
};

struct http_answer
serve_decide(const struct conn *conn, const struct http_resource *resource)
{
	const struct net_clock *clock = &conn->net->clock;
	const struct http_request *request = conn_request(conn);
	if (!request)
		abort();
	return http_range_decide(request, resource, clock->wall_s(clock->ctx));
}

static struct http_reply
image_head(const struct http_answer *answer, const struct http_resource *resource)
{
	struct http_reply head = { .status = answer->status };
	if (answer->status == 412)
		return head;
	head.accept_ranges = true;
	if (answer->status == 416) {
		head.range = HTTP_REPLY_RANGE_UNSATISFIED;
		head.total = resource->size;
		return head;
	}
	head.etag = resource->etag;
	head.modified_s = resource->modified_s;
	if (answer->status == 304)
		return head;
	head.type = SERVE_IMAGE_TYPE;
	if (answer->status == 206 && answer->n == 1) {
		head.range = HTTP_REPLY_RANGE_PART;
		head.first = answer->span[0].first;
		head.last = answer->span[0].last;
		head.total = resource->size;
	}
	return head;
}

static int64_t
parted_pull(void *ctx, uint64_t offset, size_t max, const uint8_t **ret_bytes)
{
	struct parted *p = ctx;
	struct view text;
	uint64_t at, n;
	if (http_parts_at(&p->parts, offset, &text, &at, &n)) {
		*ret_bytes = text.p;
		return (int64_t)(text.n < max ? text.n : max);
	}
	return p->image.pull(p->image.ctx, at, n < max ? (size_t)n : max, ret_bytes);
}

static uint64_t
parted_cost(void *ctx)
{
	struct parted *p = ctx;
	return p->image.cost ? p->image.cost(p->image.ctx) : 0;
}

static void
parted_done(void *ctx)
{
	struct parted *p = ctx;
	if (p->image.done)
		p->image.done(p->image.ctx);
	free(p);
}

/* Several ranges. Takes the source, as conn_reply does. */
static int
serve_parts(struct conn *conn, struct http_reply *head, const struct http_answer *answer,
    const struct http_resource *resource, const struct net_source *source)
{
	char type[HTTP_REPLY_TYPE_MAX + 1];
	struct parted *p = malloc(sizeof *p);
	if (!p) {
		if (source->done)
			source->done(source->ctx);
		return FG_ENOMEM;
	}
	p->image = *source;
	http_parts_lay(&p->parts, answer->span, answer->n, SERVE_IMAGE_TYPE, resource, type);
	head->type = type;
	const struct conn_body body = {
		.source = { .pull = parted_pull, .cost = parted_cost, .done = parted_done, .ctx = p },
		.length = p->parts.length,
	};
	return conn_reply(conn, head, &body);
}

int
serve_image(struct conn *conn, const struct http_resource *resource, const struct net_source *source,
    struct http_answer *ret_answer)
{
	if (!source->pull)
		abort();
	if (!conn_request(conn)) {
		if (source->done)
			source->done(source->ctx);
		return FG_ESTATE;
	}
	struct http_answer answer = serve_decide(conn, resource);
	struct http_reply head = image_head(&answer, resource);
	if (ret_answer)
		*ret_answer = answer;
	if (answer.n > 1)
		return serve_parts(conn, &head, &answer, resource, source);
	/* length is 0 for the answers without a body: the source is then only let go. */
	const struct conn_body body = {
		.source = *source,
		.offset = answer.span[0].first,
		.length = answer.length,
	};
	return conn_reply(conn, &head, &body);
}

int
serve_text(struct conn *conn, const struct serve_text *text)
{
	const struct http_reply head = {
		.status = text->status,
		.type = text->type,
		.retry_after_s = text->retry_after_s,
		.close = text->close,
	};
	const struct conn_body body = { .memory = text->body };
	return conn_reply(conn, &head, &body);
}

int
serve_method_refused(struct conn *conn)
{
	const struct http_reply head = { .status = 405, .allow = "GET, HEAD" };
	return conn_reply(conn, &head, NULL);
}
