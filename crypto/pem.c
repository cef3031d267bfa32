/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem.h"

#include <stdlib.h>

#include "crypto/base64.h"
#include "crypto/err.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
#define LEN(literal) (sizeof(literal) - 1)

void
pem_begin(struct pem *it, struct view text, size_t max)
{
	*it = (struct pem){ .rest = text, .line = 1, .max = max };
}

/* The next line without its end (LF or CRLF) and without trailing blanks; false at the end. */
static bool
next_line(struct pem *it, struct view *ret)
{
	if (it->rest.n == 0)
		return false;
	const uint8_t *nl = memchr(it->rest.p, '\n', it->rest.n);
	size_t n = nl ? (size_t)(nl - it->rest.p) : it->rest.n;
	size_t used = nl ? n + 1 : n;
	*ret = view_of(it->rest.p, n);
	it->rest = view_of(it->rest.p + used, it->rest.n - used);
	it->line++;
	while (ret->n &&
	    (ret->p[ret->n - 1] == '\r' || ret->p[ret->n - 1] == ' ' || ret->p[ret->n - 1] == '\t'))
		ret->n--;
	return true;
}

static bool
has_dashes(struct view line)
{
	return line.n >= LEN(DASHES) && memmem(line.p, line.n, DASHES, LEN(DASHES));
}

/* The label of "-----BEGIN label-----" (or END); false if the line is not exactly that. */
static bool
boundary(struct view line, struct view start, char ret[PEM_LABEL_MAX])
{
	size_t around = start.n + LEN(DASHES);
	if (line.n <= around || line.n - around >= PEM_LABEL_MAX ||
	    memcmp(line.p, start.p, start.n) != 0 ||
	    memcmp(line.p + line.n - LEN(DASHES), DASHES, LEN(DASHES)) != 0)
		return false;
	size_t n = line.n - around;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = line.p[start.n + i];
		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' '))
			return false;
		ret[i] = (char)c;
	}
	ret[n] = '\0';
	return true;
}

/* Reads the lines up to END of label and decodes them. */
static int
body(struct pem *it, const char *label, struct writer *text, struct writer *der,
    const char **ret_why)
{
	char end[PEM_LABEL_MAX];
	struct view line;
	for (;;) {
		if (!next_line(it, &line)) {
			*ret_why = "object without an END line";
			return FG_EFORMAT;
		}
		if (has_dashes(line))
			break;
		writer_bytes(text, line);
	}
	if (!boundary(line, view_str(END), end) || strcmp(end, label) != 0) {
		*ret_why = "END line does not belong to the BEGIN line";
		return FG_EFORMAT;
	}
	if (writer_err(text) == FG_ENOMEM)
		return FG_ENOMEM;
	*ret_why = "object too large";
	if (writer_err(text))
		return FG_EFORMAT;
	int err = base64_decode(writer_view(text), der);
	if (err == FG_ENOMEM || writer_err(der) == FG_ENOMEM)
		return FG_ENOMEM;
	if (err && err != FG_ELIMIT)
		*ret_why = "not base64 between BEGIN and END";
	if (err || writer_err(der))
		return FG_EFORMAT;
	if (writer_view(der).n == 0) {
		*ret_why = "empty object";
		return FG_EFORMAT;
	}
	return 0;
}

int
pem_next(struct pem *it, struct pem_object *ret, const char **ret_why)
{
	struct pem_object object = { .line = 0 };
	struct view line;
	do {
		object.line = it->line;
		if (!next_line(it, &line))
			return 0;
	} while (!has_dashes(line));
	if (!boundary(line, view_str(BEGIN), object.label)) {
		*ret_why = "a line that looks like PEM but does not begin an object";
		return FG_EFORMAT;
	}

	struct writer text, der;
	writer_init(&text, it->max / 3 * 4 + 4);
	writer_init(&der, it->max);
	int err = body(it, object.label, &text, &der, ret_why);
	if (!err) {
		object.der = writer_take(&der, &object.n);
		if (!object.der)
			err = FG_ENOMEM;
	}
	writer_free(&text);
	writer_free(&der);
	if (err)
		return err;
	*ret = object;
	return 1;
}
