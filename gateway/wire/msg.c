/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/wire/msg.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "gateway/wire/msg_table.h"

static uint32_t
u32_at(const uint8_t *base, uint32_t offset)
{
	uint32_t v;
	memcpy(&v, base + offset, sizeof v);
	return v;
}

static bool
bool_at(const uint8_t *base, uint32_t offset)
{
	return base[offset] != 0;
}

/* ---- encoding: anything out of bounds is the sender's own mistake ---- */

static void encode_fields(const struct msg_field *f, const uint8_t *base, struct writer *w);

static void
encode_number(const struct msg_field *f, const uint8_t *at, struct writer *w)
{
	uint16_t h;
	uint32_t v;
	uint64_t q;
	switch (f->kind) {
	case MSG_KIND_U8:
		writer_u8(w, at[0]);
		break;
	case MSG_KIND_BOOL:
		writer_u8(w, at[0] ? 1 : 0);
		break;
	case MSG_KIND_ENUM:
		if (at[0] >= f->limit)
			abort();
		writer_u8(w, at[0]);
		break;
	case MSG_KIND_U16:
		memcpy(&h, at, sizeof h);
		writer_u16(w, h);
		break;
	case MSG_KIND_U32:
	case MSG_KIND_I32:
		memcpy(&v, at, sizeof v);
		if (f->limit && v > f->limit)
			abort();
		writer_u32(w, v);
		break;
	case MSG_KIND_U64:
	case MSG_KIND_I64:
		memcpy(&q, at, sizeof q);
		writer_u64(w, q);
		break;
	default:
		abort();
	}
}

static void
encode_array(const struct msg_field *f, const uint8_t *base, struct writer *w)
{
	uint32_t n = u32_at(base, f->count);
	if (n > f->limit)
		abort();
	writer_u32(w, n);
	for (uint32_t i = 0; i < n; i++)
		encode_fields(f->sub, base + f->offset + (size_t)i * f->size, w);
}

static void
encode_field(const struct msg_field *f, const uint8_t *base, struct writer *w)
{
	const uint8_t *at = base + f->offset;
	struct view v;
	switch (f->kind) {
	case MSG_KIND_TEXT:
		if (!memchr(at, '\0', f->size))
			abort();
		writer_cstr(w, (const char *)at);
		break;
	case MSG_KIND_BYTES:
		writer_bytes(w, view_of(at, f->size));
		break;
	case MSG_KIND_VIEW:
		memcpy(&v, at, sizeof v);
		if (v.n > f->limit)
			abort();
		writer_blob(w, v);
		break;
	case MSG_KIND_ARRAY:
		encode_array(f, base, w);
		break;
	default:
		encode_number(f, at, w);
	}
}

static void
encode_fields(const struct msg_field *f, const uint8_t *base, struct writer *w)
{
	for (; f->kind != MSG_KIND_END; f++)
		encode_field(f, base, w);
}

void
msg_encode(unsigned type, const void *msg, struct writer *w)
{
	const struct msg_layout *layout = msg_table_layout(type);
	if (!layout || (layout->fields && !msg))
		abort();
	if (layout->fields)
		encode_fields(layout->fields, msg, w);
}

/* ---- decoding: anything out of bounds is the peer's breach ---- */

static void decode_fields(const struct msg_field *f, uint8_t *base, struct reader *r);

static void
decode_u32(const struct msg_field *f, uint8_t *at, struct reader *r)
{
	uint32_t v = reader_u32(r);
	if (f->limit && v > f->limit)
		reader_fail(r);
	memcpy(at, &v, sizeof v);
}

static void
decode_number(const struct msg_field *f, uint8_t *at, struct reader *r)
{
	uint16_t h;
	uint64_t q;
	bool b;
	switch (f->kind) {
	case MSG_KIND_U8:
		at[0] = reader_u8(r);
		break;
	case MSG_KIND_BOOL:
		b = reader_bool(r);
		memcpy(at, &b, sizeof b);
		break;
	case MSG_KIND_ENUM:
		at[0] = (uint8_t)reader_enum(r, f->limit);
		break;
	case MSG_KIND_U16:
		h = reader_u16(r);
		memcpy(at, &h, sizeof h);
		break;
	case MSG_KIND_U32:
	case MSG_KIND_I32:
		decode_u32(f, at, r);
		break;
	case MSG_KIND_U64:
	case MSG_KIND_I64:
		q = reader_u64(r);
		memcpy(at, &q, sizeof q);
		break;
	default:
		abort();
	}
}

static void
decode_array(const struct msg_field *f, uint8_t *base, struct reader *r)
{
	uint32_t n = reader_u32(r);
	if (n > f->limit)
		reader_fail(r);
	/* The count is stored only together with elements that were all there. */
	for (uint32_t i = 0; i < n && !r->bad; i++)
		decode_fields(f->sub, base + f->offset + (size_t)i * f->size, r);
	if (!r->bad)
		memcpy(base + f->count, &n, sizeof n);
}

static void
decode_field(const struct msg_field *f, uint8_t *base, struct reader *r)
{
	uint8_t *at = base + f->offset;
	struct view v;
	switch (f->kind) {
	case MSG_KIND_TEXT:
		reader_cstr(r, (char *)at, f->size);
		break;
	case MSG_KIND_BYTES:
		reader_copy(r, at, f->size);
		break;
	case MSG_KIND_VIEW:
		v = reader_blob(r, f->limit);
		memcpy(at, &v, sizeof v);
		break;
	case MSG_KIND_ARRAY:
		decode_array(f, base, r);
		break;
	default:
		decode_number(f, at, r);
	}
}

static void
decode_fields(const struct msg_field *f, uint8_t *base, struct reader *r)
{
	for (; f->kind != MSG_KIND_END && !r->bad; f++)
		decode_field(f, base, r);
}

static unsigned
count_fds(const struct msg_fd_rule *rule, const uint8_t *msg)
{
	unsigned n = rule->always;
	for (unsigned i = 0; i < rule->flags_n; i++)
		n += bool_at(msg, rule->flags[i]);
	if (rule->number != MSG_NOWHERE)
		n += u32_at(msg, rule->number);
	if (rule->unless != MSG_NOWHERE)
		n += u32_at(msg, rule->unless) == 0;
	return n;
}

unsigned
msg_fds(unsigned type, const void *msg)
{
	const struct msg_layout *layout = msg_table_layout(type);
	if (!layout)
		abort();
	return layout->fields ? count_fds(&layout->fds, msg) : layout->fds.always;
}

int
msg_decode(const struct wire_frame *frame, void *msg, size_t size)
{
	const struct msg_layout *layout = msg_table_layout(frame->type);
	if (!layout)
		return FG_EPEER;
	if (size < layout->size || (layout->fields && !msg))
		abort();
	struct reader r;
	reader_init(&r, frame->body);
	if (layout->fields) {
		memset(msg, 0, layout->size);
		decode_fields(layout->fields, msg, &r);
	}
	if (reader_end(&r) && msg_fds(frame->type, msg) == frame->fds_n)
		return 0;
	if (layout->fields)
		memset(msg, 0, layout->size); /* nothing of a refused message is left to be used */
	return FG_EPEER;
}

/* ---- about types ---- */

size_t
msg_size(unsigned type)
{
	const struct msg_layout *layout = msg_table_layout(type);
	return layout ? layout->size : 0;
}

const char *
msg_type_name(unsigned type)
{
	const struct msg_layout *layout = msg_table_layout(type);
	return layout ? layout->name : "?";
}

const char *
msg_role_name(unsigned role)
{
	static const char *const names[MSG_ROLE_LIMIT] = {
		[MSG_ROLE_NONE] = "none",       [MSG_ROLE_SUPERVISOR] = "supervisor",
		[MSG_ROLE_CONFIG] = "config",   [MSG_ROLE_EDGE] = "edge",
		[MSG_ROLE_UPSTREAM] = "upstream", [MSG_ROLE_INSPECT] = "inspect",
		[MSG_ROLE_CONTROL] = "control", [MSG_ROLE_WARDEN] = "warden",
		[MSG_ROLE_AUDIT] = "audit",     [MSG_ROLE_CLI] = "cli",
		[MSG_ROLE_CONSOLE] = "console", [MSG_ROLE_HOOK] = "hook",
	};
	return role < MSG_ROLE_LIMIT ? names[role] : "?";
}

const char *
msg_log_state_name(unsigned state)
{
	static const char *const names[MSG_LOG_LIMIT] = {
		[MSG_LOG_UNKNOWN] = "unknown",         [MSG_LOG_OPEN_OK] = "ok",
		[MSG_LOG_TAMPERED] = "tampered",       [MSG_LOG_ROLLED_BACK] = "rolled-back",
		[MSG_LOG_FAILED] = "failed",           [MSG_LOG_CLONED] = "cloned",
		[MSG_LOG_FULL] = "full",               [MSG_LOG_WAITING] = "waiting",
	};
	return state < MSG_LOG_LIMIT ? names[state] : "unknown";
}

const char *
msg_fetch_finding_name(uint8_t finding)
{
	static const char *const names[MSG_FINDING_LIMIT_] = {
		[MSG_FINDING_NONE] = "none",
		[MSG_FINDING_ADDRESS] = "FETCH-ADDRESS",
		[MSG_FINDING_AMBIGUOUS] = "FETCH-AMBIGUOUS",
		[MSG_FINDING_CHANGED] = "FETCH-CHANGED",
		[MSG_FINDING_CODING] = "FETCH-CODING",
		[MSG_FINDING_CREDENTIALS] = "FETCH-CREDENTIALS",
		[MSG_FINDING_CUT] = "FETCH-CUT",
		[MSG_FINDING_DISK] = "FETCH-DISK",
		[MSG_FINDING_HEADER] = "FETCH-HEADER",
		[MSG_FINDING_IDENTITY] = "FETCH-IDENTITY",
		[MSG_FINDING_LOCAL] = "FETCH-LOCAL",
		[MSG_FINDING_LONG] = "FETCH-LONG",
		[MSG_FINDING_NETWORK] = "FETCH-NETWORK",
		[MSG_FINDING_RANGE] = "FETCH-RANGE",
		[MSG_FINDING_REDIRECT] = "FETCH-REDIRECT",
		[MSG_FINDING_SCHEME] = "FETCH-SCHEME",
		[MSG_FINDING_SIZE] = "FETCH-SIZE",
		[MSG_FINDING_SLOW] = "FETCH-SLOW",
		[MSG_FINDING_STATUS] = "FETCH-STATUS",
	};
	return finding < MSG_FINDING_LIMIT_ ? names[finding] : "none";
}

int
msg_send(int sock, unsigned type, const void *msg, const int *fds, unsigned fds_n)
{
	if (msg_fds(type, msg) != fds_n)
		abort(); /* the receiver would refuse it */
	struct writer w;
	writer_init(&w, WIRE_BODY_MAX);
	msg_encode(type, msg, &w);
	int r = writer_err(&w);
	if (!r)
		r = wire_send(sock, (uint16_t)type, writer_view(&w), fds, fds_n);
	writer_free(&w);
	return r;
}
