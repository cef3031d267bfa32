/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/wire/memfd.h"

#define CALL_FDS_MAX 2

struct call {
	struct call_line line;
	bool gone; /* nobody listens */
	uint64_t token;
	char request[MSG_NAME_MAX];
	struct caller who;
	struct json *args;
	int fd[CALL_FDS_MAX];
	unsigned fds_n;
};

int
call_new(const struct msg_call *m, struct wire_frame *frame, const struct caller *who, const struct call_line *line,
    struct call **ret)
{
	struct call *c = calloc(1, sizeof *c);
	if (!c)
		return FG_ENOMEM;
	int err = json_parse(m->json, &c->args, NULL);
	if (!err && json_type(json_root(c->args)) != JSON_OBJECT)
		err = FG_EFORMAT;
	if (err) {
		json_free(c->args);
		free(c);
		return err == FG_ENOMEM ? err : FG_EFORMAT;
	}
	c->line = *line;
	c->token = m->token;
	c->who = *who;
	snprintf(c->request, sizeof c->request, "%s", m->request);
	for (c->fds_n = 0; c->fds_n < m->fds && c->fds_n < CALL_FDS_MAX; c->fds_n++)
		c->fd[c->fds_n] = wire_take_fd(frame, c->fds_n);
	*ret = c;
	return FG_OK;
}

void
call_hang_up(struct call *c)
{
	c->gone = true;
}

static void
end(struct call *c)
{
	if (!c->gone)
		c->line.over(c->line.ctx, c);
	for (unsigned i = 0; i < c->fds_n; i++)
		if (c->fd[i] >= 0)
			close(c->fd[i]);
	json_free(c->args);
	free(c);
}

const struct caller *
call_who(const struct call *c)
{
	return &c->who;
}

const char *
call_request(const struct call *c)
{
	return c->request;
}

unsigned
call_fds(const struct call *c)
{
	return c->fds_n;
}

int
call_fd(const struct call *c, unsigned i)
{
	return i < c->fds_n ? c->fd[i] : -1;
}

int
call_take_fd(struct call *c, unsigned i)
{
	int fd = call_fd(c, i);
	if (fd >= 0)
		c->fd[i] = -1;
	return fd;
}

const struct json_value *
call_args(const struct call *c)
{
	return json_root(c->args);
}

const struct json_value *
call_arg(const struct call *c, const char *key)
{
	return json_get(json_root(c->args), key);
}

bool
call_text(const struct call *c, const char *key, char *dst, size_t cap)
{
	const struct json_value *v = call_arg(c, key);
	dst[0] = '\0';
	return !v || json_cstr(v, dst, cap);
}

uint64_t
call_number(const struct call *c, const char *key, uint64_t absent)
{
	uint64_t n = absent;
	(void)json_uint(call_arg(c, key), &n);
	return n;
}

bool
call_flag(const struct call *c, const char *key)
{
	bool b = false;
	(void)json_bool(call_arg(c, key), &b);
	return b;
}

/* ---- answers ---- */

static void
send_reply(struct call *c, enum call_status status, struct view doc, int file)
{
	struct msg_reply m = { .token = c->token, .status = (uint8_t)status, .json = doc, .file = file >= 0 };
	int fds[2] = { -1, -1 }, big = -1;
	unsigned n = 0;
	if (c->gone)
		return;
	if (doc.n > MSG_JSON_MAX) {
		big = memfd_sealed("fotagate-reply", doc);
		m.json = view_of(NULL, 0);
		m.big = big >= 0;
		if (big < 0) {
			static const char no[] = "{\"error\":{\"cure\":\"\",\"id\":\"LOCAL\",\"text\":\"no memory\"}}";
			m.status = CALL_COULD_NOT;
			m.json = view_of(no, sizeof no - 1);
		} else {
			fds[n++] = big;
		}
	}
	if (file >= 0)
		fds[n++] = file;
	c->line.reply(c->line.ctx, &m, fds, n);
	if (big >= 0)
		close(big);
}

void
call_answer(struct call *c, enum call_status status, struct writer *doc)
{
	if (writer_err(doc)) {
		writer_free(doc);
		call_fail(c, CALL_COULD_NOT, "LOCAL", "", "the answer is too large or there is no memory for it");
		return;
	}
	send_reply(c, status, writer_view(doc), -1);
	writer_free(doc);
	end(c);
}

void
call_answer_file(struct call *c, struct writer *doc, int fd)
{
	if (writer_err(doc)) {
		close(fd);
		call_answer(c, CALL_COULD_NOT, doc);
		return;
	}
	send_reply(c, CALL_DONE, writer_view(doc), fd);
	close(fd);
	writer_free(doc);
	end(c);
}

void
call_fail(struct call *c, enum call_status status, const char *id, const char *cure, const char *fmt, ...)
{
	char text[2 * MSG_TEXT_MAX], seen[2 * MSG_TEXT_MAX];
	struct writer w;
	struct jsonw j;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	visible_cstr(view_str(text), seen, sizeof seen);
	writer_init(&w, CALL_DOC_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_key(&j, "error");
	jsonw_object(&j);
	jsonw_kcstr(&j, "cure", cure);
	jsonw_kcstr(&j, "id", id);
	jsonw_kcstr(&j, "text", seen);
	jsonw_object_end(&j);
	jsonw_object_end(&j);
	send_reply(c, status, writer_err(&w) ? view_str("{}") : writer_view(&w), -1);
	writer_free(&w);
	end(c);
}

void
call_fail_err(struct call *c, int err)
{
	if (err == FG_ENOTFOUND)
		call_fail(c, CALL_REFUSED, "NOT-FOUND", "", "there is nothing under that name");
	else
		call_fail(c, CALL_COULD_NOT, "LOCAL", "see the operational log", "%s", err_name(err));
}

void
call_doc_begin(struct call_doc *d)
{
	writer_init(&d->w, CALL_DOC_MAX);
	jsonw_init(&d->j, &d->w);
	jsonw_object(&d->j);
}

void
call_doc_end(struct call *c, struct call_doc *d, enum call_status status)
{
	jsonw_object_end(&d->j);
	call_answer(c, status, &d->w);
}
