/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message of msg.h by way of its own field table: random contents go
 * round, and every way of being off is refused. Two messages are also checked
 * byte by byte, so that table and codec cannot be wrong together.
 */
#include "gateway/wire/msg.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/wire/msg_table.h"

#define ROUNDS 24
#define VIEW_POOL 65536

struct rng {
	uint64_t s;
};

static uint64_t
rng_next(struct rng *r)
{
	r->s = r->s * 6364136223846793005u + 1442695040888963407u;
	return r->s >> 17;
}

static uint8_t pool[VIEW_POOL]; /* what views point into */

static void fill(const struct msg_field *f, uint8_t *base, struct rng *r);

static void
fill_field(const struct msg_field *f, uint8_t *base, struct rng *r)
{
	uint8_t *at = base + f->offset;
	uint64_t v = rng_next(r);
	uint32_t n;
	struct view view;
	bool b;
	switch (f->kind) {
	case MSG_KIND_U8:
		at[0] = (uint8_t)v;
		break;
	case MSG_KIND_ENUM:
		at[0] = (uint8_t)(v % f->limit);
		break;
	case MSG_KIND_BOOL:
		b = v & 1;
		memcpy(at, &b, sizeof b);
		break;
	case MSG_KIND_U16:
		memcpy(at, &v, 2);
		break;
	case MSG_KIND_U32:
	case MSG_KIND_I32:
		n = f->limit ? (uint32_t)(v % (f->limit + 1u)) : (uint32_t)v;
		if (f->kind == MSG_KIND_I32 && v % 3 == 0)
			n = 0; /* success is the common case and decides about descriptors */
		memcpy(at, &n, 4);
		break;
	case MSG_KIND_U64:
	case MSG_KIND_I64:
		v = v << 23 ^ rng_next(r);
		memcpy(at, &v, 8);
		break;
	case MSG_KIND_TEXT:
		n = (uint32_t)(v % 4 == 0 ? f->size - 1 : v % f->size);
		for (uint32_t i = 0; i < n; i++)
			at[i] = (uint8_t)(1 + rng_next(r) % 255);
		at[n] = '\0';
		break;
	case MSG_KIND_BYTES:
		for (uint32_t i = 0; i < f->size; i++)
			at[i] = (uint8_t)rng_next(r);
		break;
	case MSG_KIND_VIEW:
		view = view_of(pool + v % 64, v % 5 == 0 ? f->limit : v % 600);
		memcpy(at, &view, sizeof view);
		break;
	case MSG_KIND_ARRAY:
		n = (uint32_t)(v % 4 == 0 ? f->limit : v % (f->limit + 1u));
		memcpy(base + f->count, &n, sizeof n);
		for (uint32_t i = 0; i < n; i++)
			fill(f->sub, at + (size_t)i * f->size, r);
		break;
	default:
		fail();
	}
}

static void
fill(const struct msg_field *f, uint8_t *base, struct rng *r)
{
	for (; f->kind != MSG_KIND_END; f++)
		fill_field(f, base, r);
}

static bool same(const struct msg_field *f, const uint8_t *a, const uint8_t *b);

static bool
same_field(const struct msg_field *f, const uint8_t *a, const uint8_t *b)
{
	static const uint8_t width[] = {
		[MSG_KIND_U8] = 1, [MSG_KIND_U16] = 2, [MSG_KIND_U32] = 4, [MSG_KIND_U64] = 8,
		[MSG_KIND_I32] = 4, [MSG_KIND_I64] = 8, [MSG_KIND_BOOL] = 1, [MSG_KIND_ENUM] = 1,
	};
	struct view va, vb;
	uint32_t na, nb;
	switch (f->kind) {
	case MSG_KIND_TEXT:
		return strcmp((const char *)a + f->offset, (const char *)b + f->offset) == 0;
	case MSG_KIND_BYTES:
		return memcmp(a + f->offset, b + f->offset, f->size) == 0;
	case MSG_KIND_VIEW:
		memcpy(&va, a + f->offset, sizeof va);
		memcpy(&vb, b + f->offset, sizeof vb);
		return view_equal(va, vb);
	case MSG_KIND_ARRAY:
		memcpy(&na, a + f->count, sizeof na);
		memcpy(&nb, b + f->count, sizeof nb);
		if (na != nb)
			return false;
		for (uint32_t i = 0; i < na; i++)
			if (!same(f->sub, a + f->offset + (size_t)i * f->size,
				b + f->offset + (size_t)i * f->size))
				return false;
		return true;
	default:
		return memcmp(a + f->offset, b + f->offset, width[f->kind]) == 0;
	}
}

static bool
same(const struct msg_field *f, const uint8_t *a, const uint8_t *b)
{
	for (; f->kind != MSG_KIND_END; f++)
		if (!same_field(f, a, b))
			return false;
	return true;
}

struct sample {
	unsigned type;
	const struct msg_layout *layout;
	uint8_t *msg;
	uint8_t *body; /* exactly body_n bytes, so that ASan sees an over-read */
	size_t body_n;
	unsigned fds_n;
};

static void
sample_make(struct sample *s, unsigned type, struct rng *r)
{
	*s = (struct sample){ .type = type, .layout = msg_table_layout(type) };
	s->msg = calloc(1, s->layout->size + 1);
	assert_non_null(s->msg);
	if (s->layout->fields)
		fill(s->layout->fields, s->msg, r);
	struct writer w;
	writer_init(&w, WIRE_BODY_MAX);
	msg_encode(type, s->msg, &w);
	assert_int_equal(writer_err(&w), 0); /* the largest of every type fits a frame */
	s->body_n = writer_view(&w).n;
	s->body = malloc(s->body_n + !s->body_n);
	assert_non_null(s->body);
	if (s->body_n)
		memcpy(s->body, writer_view(&w).p, s->body_n);
	s->fds_n = msg_fds(type, s->msg);
	assert_true(s->fds_n <= WIRE_FDS_MAX);
	writer_free(&w);
}

static void
sample_free(struct sample *s)
{
	free(s->msg);
	free(s->body);
}

static int
decode(unsigned type, const uint8_t *body, size_t n, unsigned fds_n, void *msg)
{
	struct wire_frame frame = {
	    .type = (uint16_t)type, .body = view_of(body, n), .fds_n = fds_n};
	for (unsigned i = 0; i < WIRE_FDS_MAX; i++)
		frame.fds[i] = -1;
	return msg_decode(&frame, msg, msg_size(type));
}

static void
each_type(void (*check)(struct sample *s))
{
	unsigned seen = 0;
	for (unsigned type = 0; type < MSG_TYPE_LIMIT + 8; type++) {
		if (!msg_table_layout(type))
			continue;
		seen++;
		struct rng r = { type * 977u + 5 };
		for (int round = 0; round < ROUNDS; round++) {
			struct sample s;
			sample_make(&s, type, &r);
			check(&s);
			sample_free(&s);
		}
	}
	assert_int_equal(seen, 79); /* as many as msg.h lists */
}

static void
check_round_trip(struct sample *s)
{
	uint8_t *out = malloc(s->layout->size + 1);
	assert_non_null(out);
	memset(out, 0xa5, s->layout->size + 1);
	assert_int_equal(decode(s->type, s->body, s->body_n, s->fds_n, out), 0);
	assert_int_equal(out[s->layout->size], 0xa5);
	if (s->layout->fields)
		assert_true(same(s->layout->fields, s->msg, out));
	free(out);
}

static void
test_round_trip(void **state)
{
	(void)state;
	each_type(check_round_trip);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void
check_cuts(struct sample *s)
{
	uint8_t *out = malloc(s->layout->size + 1);
	assert_non_null(out);
	for (size_t n = 0; n < s->body_n; n += n < 600 || n + 600 > s->body_n ? 1 : 97) {
		uint8_t *cut = malloc(n + !n);
		assert_non_null(cut);
		memcpy(cut, s->body, n);
		memset(out, 0xa5, s->layout->size);
		if (decode(s->type, cut, n, s->fds_n, out) != FG_EPEER)
			fail_msg("%s cut to %zu of %zu was accepted", s->layout->name, n,
				 s->body_n);
		assert_true(all_zero(out, s->layout->size));
		free(cut);
	}
	free(out);
}

static void
test_every_cut_is_refused(void **state)
{
	(void)state;
	each_type(check_cuts);
}

static void
check_trailing(struct sample *s)
{
	uint8_t *out = malloc(s->layout->size + 1);
	uint8_t *longer = calloc(1, s->body_n + 1);
	assert_true(out && longer);
	memcpy(longer, s->body, s->body_n);
	assert_int_equal(decode(s->type, longer, s->body_n + 1, s->fds_n, out), FG_EPEER);
	free(longer);
	free(out);
}

static void
test_trailing_byte_is_refused(void **state)
{
	(void)state;
	each_type(check_trailing);
}

static void
check_fd_count(struct sample *s)
{
	uint8_t *out = malloc(s->layout->size + 1);
	assert_non_null(out);
	for (unsigned n = 0; n <= WIRE_FDS_MAX; n++)
		assert_int_equal(decode(s->type, s->body, s->body_n, n, out),
		    n == s->fds_n ? 0 : FG_EPEER);
	free(out);
}

static void
test_wrong_number_of_descriptors_is_refused(void **state)
{
	(void)state;
	each_type(check_fd_count);
}

/* ---- one off at a time, with the offset found by walking the table ---- */


static size_t encoded_size(const struct msg_field *f, const uint8_t *base);

static size_t
field_size(const struct msg_field *f, const uint8_t *base)
{
	struct view v;
	uint32_t n;
	size_t sum = 4;
	switch (f->kind) {
	case MSG_KIND_U8:
	case MSG_KIND_BOOL:
	case MSG_KIND_ENUM:
		return 1;
	case MSG_KIND_U16:
		return 2;
	case MSG_KIND_U32:
	case MSG_KIND_I32:
		return 4;
	case MSG_KIND_U64:
	case MSG_KIND_I64:
		return 8;
	case MSG_KIND_TEXT:
		return 4 + strlen((const char *)base + f->offset);
	case MSG_KIND_BYTES:
		return f->size;
	case MSG_KIND_VIEW:
		memcpy(&v, base + f->offset, sizeof v);
		return 4 + v.n;
	default:
		memcpy(&n, base + f->count, sizeof n);
		for (uint32_t i = 0; i < n; i++)
			sum += encoded_size(f->sub, base + f->offset + (size_t)i * f->size);
		return sum;
	}
}

static size_t
encoded_size(const struct msg_field *f, const uint8_t *base)
{
	size_t n = 0;
	for (; f->kind != MSG_KIND_END; f++)
		n += field_size(f, base);
	return n;
}

static void
refuse_patched(struct sample *s, size_t at, const void *patch, size_t n, const char *why)
{
	uint8_t *out = malloc(s->layout->size + 1);
	uint8_t *body = malloc(s->body_n);
	assert_true(out && body && at + n <= s->body_n);
	memcpy(body, s->body, s->body_n);
	memcpy(body + at, patch, n);
	if (decode(s->type, body, s->body_n, s->fds_n, out) != FG_EPEER)
		fail_msg("%s at %zu: %s was accepted", s->layout->name, at, why);
	free(body);
	free(out);
}

static void
u32_be(uint8_t out[4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void
check_bounds(struct sample *s)
{
	size_t at = 0;
	uint8_t be[4];
	for (const struct msg_field *f = s->layout->fields; f && f->kind != MSG_KIND_END; f++) {
		size_t n = field_size(f, s->msg);
		const uint8_t two = 2, nul = 0, below = (uint8_t)f->limit, top = 0xff;
		switch (f->kind) {
		case MSG_KIND_BOOL:
			refuse_patched(s, at, &two, 1, "bool 2");
			break;
		case MSG_KIND_ENUM:
			refuse_patched(s, at, &below, 1, "enum at its limit");
			refuse_patched(s, at, &top, 1, "enum 255");
			break;
		case MSG_KIND_U32:
			u32_be(be, f->limit + 1);
			if (f->limit)
				refuse_patched(s, at, be, 4, "number over its maximum");
			break;
		case MSG_KIND_TEXT:
			if (n > 4)
				refuse_patched(s, at + 4, &nul, 1, "NUL inside a text");
			u32_be(be, f->size); /* one more than fits with its terminator */
			refuse_patched(s, at, be, 4, "text over its maximum");
			break;
		case MSG_KIND_VIEW:
		case MSG_KIND_ARRAY:
			u32_be(be, f->limit + 1);
			refuse_patched(s, at, be, 4, "count over its maximum");
			u32_be(be, UINT32_MAX);
			refuse_patched(s, at, be, 4, "count of 2^32-1");
			break;
		default:
			break;
		}
		at += n;
	}
	assert_int_equal(at, s->body_n);
}

static void
test_bounds(void **state)
{
	(void)state;
	each_type(check_bounds);
}

/* An over-long text whose bytes are really there, so that only the cap refuses it. */
static void
test_over_long_text_with_all_its_bytes(void **state)
{
	(void)state;
	struct writer w;
	for (int extra = 0; extra < 2; extra++) {
		uint8_t text[MSG_TEXT_MAX];
		memset(text, 'a', sizeof text);
		writer_init(&w, WIRE_BODY_MAX);
		writer_blob(&w, view_of(text, MSG_TEXT_MAX - 1 + (size_t)extra));
		struct msg_plan_error m;
		assert_int_equal(
		    decode(MSG_PLAN_ERROR, writer_view(&w).p, writer_view(&w).n, 0, &m),
		    extra ? FG_EPEER : 0);
		writer_free(&w);
	}
}

static void
test_bytes_of_two_messages(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, WIRE_BODY_MAX);
	struct msg_role_exit e = {
	    .role = MSG_ROLE_AUDIT, .index = 0x0102, .status = -31, .restarts = 7};
	msg_encode(MSG_ROLE_EXIT, &e, &w);
	static const uint8_t exit_bytes[] = { 8, 1, 2, 0xff, 0xff, 0xff, 0xe1, 0, 0, 0, 7 };
	assert_int_equal(writer_view(&w).n, sizeof exit_bytes);
	assert_memory_equal(writer_view(&w).p, exit_bytes, sizeof exit_bytes);
	writer_reset(&w);
	struct msg_grant_say say = {.says_n = 1, .says = {{0x0102030405060708, true, 9, 3600}}};
	msg_encode(MSG_GRANT_SAY, &say, &w);
	static const uint8_t say_bytes[] = {0, 0, 0, 1, 1, 2, 3, 4,    5,
					    6, 7, 8, 1, 9, 0, 0, 0x0e, 0x10};
	assert_int_equal(writer_view(&w).n, sizeof say_bytes);
	assert_memory_equal(writer_view(&w).p, say_bytes, sizeof say_bytes);
	writer_free(&w);
}

static void
test_unknown_types(void **state)
{
	(void)state;
	static const unsigned unknown[] = { 0, 15, 31, 47, 95, 159, 160, 1000, 65535 };
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		uint8_t none;
		assert_int_equal(decode(unknown[i], NULL, 0, 0, &none), FG_EPEER);
		assert_int_equal(msg_size(unknown[i]), 0);
		assert_string_equal(msg_type_name(unknown[i]), "?");
	}
	assert_string_equal(msg_type_name(MSG_GRANT_APPEND), "grant-append");
	assert_int_equal(msg_size(MSG_ISSUE), sizeof(struct msg_issue));
	assert_string_equal(msg_role_name(MSG_ROLE_WARDEN), "warden");
	assert_string_equal(msg_role_name(MSG_ROLE_LIMIT), "?");
	for (unsigned role = 0; role < MSG_ROLE_LIMIT; role++)
		assert_string_not_equal(msg_role_name(role), "?");
}

static void
test_variable_descriptor_counts(void **state)
{
	(void)state;
	struct msg_fetch fetch = { 0 };
	assert_int_equal(msg_fds(MSG_FETCH, &fetch), 2);
	fetch.have_ca = true;
	assert_int_equal(msg_fds(MSG_FETCH, &fetch), 3);
	struct msg_inspect inspect = { .have_trust = true };
	assert_int_equal(msg_fds(MSG_INSPECT, &inspect), 2);
	inspect.have_signature = inspect.have_old = true;
	assert_int_equal(msg_fds(MSG_INSPECT, &inspect), 4);
	struct msg_call call = { .fds = 2 };
	assert_int_equal(msg_fds(MSG_CALL, &call), 2);
	struct msg_reply reply = { .big = true, .file = true };
	assert_int_equal(msg_fds(MSG_REPLY, &reply), 2);
	struct msg_log_opened opened = { .err = FG_ENOTFOUND };
	assert_int_equal(msg_fds(MSG_LOG_OPENED, &opened), 0);
	opened.err = 0;
	assert_int_equal(msg_fds(MSG_LOG_OPENED, &opened), 1);
	assert_int_equal(msg_fds(MSG_START, NULL), 0);
}

/* ---- the sender's own mistakes end the sender ---- */

static bool
aborts(unsigned type, const void *msg)
{
	pid_t pid = fork();
	if (pid == 0) {
		/* cmocka and the sanitizers catch SIGABRT; this child only dies of it. */
		signal(SIGABRT, SIG_DFL);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		struct writer w;
		writer_init(&w, WIRE_BODY_MAX);
		msg_encode(type, msg, &w);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
test_senders_mistakes_abort(void **state)
{
	(void)state;
	struct msg_plan_error text;
	memset(text.text, 'x', sizeof text.text);
	assert_true(aborts(MSG_PLAN_ERROR, &text));
	text.text[sizeof text.text - 1] = '\0';
	assert_false(aborts(MSG_PLAN_ERROR, &text));
	struct msg_grant_say say = { .says_n = MSG_GRANTS_MAX + 1 };
	assert_true(aborts(MSG_GRANT_SAY, &say));
	struct msg_call call = { .json = view_of(pool, MSG_JSON_MAX + 1) };
	assert_true(aborts(MSG_CALL, &call));
	call = (struct msg_call){ .fds = 3 };
	assert_true(aborts(MSG_CALL, &call));
	struct msg_boot boot = { .role = MSG_ROLE_LIMIT };
	assert_true(aborts(MSG_BOOT, &boot));
	assert_true(aborts(MSG_NONE, &boot));
	assert_true(aborts(MSG_TYPE_LIMIT, &boot));
}

static void
test_send_over_a_socket(void **state)
{
	(void)state;
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	uint8_t *buf = malloc(WIRE_FRAME_MAX);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct msg_peer sent = { .role = MSG_ROLE_EDGE, .index = 3 };
	assert_int_equal(msg_send(pair[0], MSG_PEER, &sent, &null, 1), 0);
	struct wire_frame frame;
	struct msg_peer got;
	assert_int_equal(wire_recv(pair[1], buf, &frame), 0);
	assert_int_equal(msg_decode(&frame, &got, sizeof got), 0);
	assert_int_equal(got.role, MSG_ROLE_EDGE);
	assert_int_equal(got.index, 3);
	wire_close_fds(&frame);
	assert_int_equal(msg_send(pair[0], MSG_START, NULL, NULL, 0), 0);
	assert_int_equal(wire_recv(pair[1], buf, &frame), 0);
	assert_int_equal(msg_decode(&frame, NULL, 0), 0);
	close(pair[1]);
	assert_int_equal(msg_send(pair[0], MSG_START, NULL, NULL, 0), FG_EIO);
	close(pair[0]);
	close(null);
	free(buf);
}

/*
 * With FG_CORPUS=<dir> this program only writes the fuzz corpus: one seed a
 * type, type number in front. tests/fuzz/corpus/msg was made by that.
 */
static int
write_corpus(const char *dir)
{
	for (unsigned type = 0; type < MSG_TYPE_LIMIT; type++) {
		if (!msg_table_layout(type))
			continue;
		/* The shortest of a few, to keep seeds small. */
		struct rng r = { type + 1 };
		struct sample best, s;
		sample_make(&best, type, &r);
		for (int i = 0; i < 200; i++) {
			sample_make(&s, type, &r);
			if (s.body_n && s.body_n < best.body_n) {
				sample_free(&best);
				best = s;
			} else {
				sample_free(&s);
			}
		}
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", dir, best.layout->name);
		FILE *f = fopen(path, "wb");
		if (!f)
			return 1;
		fputc((int)(type >> 8), f);
		fputc((int)(type & 0xff), f);
		fwrite(best.body, 1, best.body_n, f);
		fclose(f);
		sample_free(&best);
	}
	return 0;
}

int
main(void)
{
	for (size_t i = 0; i < sizeof pool; i++)
		pool[i] = (uint8_t)(' ' + i % 95);
	if (getenv("FG_CORPUS"))
		return write_corpus(getenv("FG_CORPUS"));
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_cut_is_refused),
		cmocka_unit_test(test_trailing_byte_is_refused),
		cmocka_unit_test(test_wrong_number_of_descriptors_is_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_over_long_text_with_all_its_bytes),
		cmocka_unit_test(test_bytes_of_two_messages),
		cmocka_unit_test(test_unknown_types),
		cmocka_unit_test(test_variable_descriptor_counts),
		cmocka_unit_test(test_senders_mistakes_abort),
		cmocka_unit_test(test_send_over_a_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
