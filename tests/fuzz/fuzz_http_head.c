/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request heads in both modes. Beside memory safety: the answer does not depend
 * on how the bytes are cut, lenient takes all that strict takes, and views stay
 * inside the head.
 */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/net/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(struct view v, const uint8_t *data, size_t n)
{
	static const char slash[] = "/";
	if (v.n == 0 || (v.n == 1 && v.p[0] == slash[0]))
		return; /* the path of "http://host" is a literal */
	if (v.p < data || v.n > n || (size_t)(v.p - data) > n - v.n)
		abort();
}

static enum http_parse
parse(const uint8_t *data, size_t size, size_t step, enum http_mode mode,
    const struct http_limits *limits, struct http_request *request, enum http_fault *fault)
{
	struct http_scan scan = { 0 };
	enum http_parse state = HTTP_PARSE_MORE;
	for (size_t n = 0; state == HTTP_PARSE_MORE && n < size;) {
		n = size - n < step ? size : n + step;
		state = http_head_parse(&scan, view_of(data, n), mode, limits, request, fault);
	}
	return state;
}

static enum http_parse
in_mode(const uint8_t *data, size_t size, enum http_mode mode, const struct http_limits *limits)
{
	static struct http_request whole, cut;
	enum http_fault fault = HTTP_FAULT_NONE, cut_fault = HTTP_FAULT_NONE;
	size_t step = size ? 1 + data[size / 2] % 17u : 1;
	enum http_parse state = parse(data, size, size ? size : 1, mode, limits, &whole, &fault);
	if (parse(data, size, step, mode, limits, &cut, &cut_fault) != state || fault != cut_fault)
		abort();
	if (state == HTTP_PARSE_BAD && http_head_fault_status(fault) < 400)
		abort();
	if (state != HTTP_PARSE_DONE)
		return state;
	if (whole.head_len > size || whole.head_len != cut.head_len ||
	    whole.n_fields != cut.n_fields || whole.body != cut.body)
		abort();
	inside(whole.target, data, whole.head_len);
	inside(whole.path, data, whole.head_len);
	inside(whole.query, data, whole.head_len);
	inside(whole.host, data, whole.head_len);
	for (size_t i = 0; i < whole.n_fields; i++) {
		inside(whole.fields[i].name, data, whole.head_len);
		inside(whole.fields[i].value, data, whole.head_len);
	}
	return state;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_limits small = { 64, 48, 160, 6, 2 };
	struct http_limits limits;
	http_head_limits(&limits);
	enum http_parse strict = in_mode(data, size, HTTP_STRICT, &limits);
	enum http_parse lenient = in_mode(data, size, HTTP_LENIENT, &limits);
	if (strict == HTTP_PARSE_DONE && lenient != HTTP_PARSE_DONE)
		abort();
	in_mode(data, size, HTTP_LENIENT, &small);
	return 0;
}
