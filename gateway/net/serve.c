/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/serve.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "gateway/net/net_private.h"

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
	head.type = "application/octet-stream";
	if (answer->status == 206) {
		head.range = HTTP_REPLY_RANGE_PART;
		head.first = answer->first;
		head.last = answer->first + answer->length - 1;
		head.total = resource->size;
	}
	return head;
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
	const struct http_reply head = image_head(&answer, resource);
	/* length is 0 for the answers without a body: the source is then only let go. */
	const struct conn_body body = {
		.source = *source,
		.offset = answer.first,
		.length = answer.length,
	};
	if (ret_answer)
		*ret_answer = answer;
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
