/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/utf8.h"
#include "crypto/visible.h"

#define TEXT_MAX (64u << 10) /* a cell is short; a list of versions may be long */
#define GAP 2

/* ---- values ---- */

bool
cli_print_is_plain(struct view s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

static void
put_string(struct view s, struct writer *w)
{
	if (cli_print_is_plain(s))
		writer_bytes(w, s);
	else
		visible_append(w, s, TEXT_MAX);
}

char *
cli_print_plain(const char *text)
{
	struct writer w;
	size_t n;
	writer_init(&w, 10 * TEXT_MAX);
	put_string(view_str(text), &w);
	char *plain = (char *)writer_take(&w, &n);
	writer_free(&w);
	return plain;
}

/* fmt and what belongs to it, as cli_print_plain; NULL for no memory. */
static char *__attribute__((format(printf, 1, 0)))
format(const char *fmt, va_list ap)
{
	char *text = NULL;
	if (vasprintf(&text, fmt, ap) < 0)
		return NULL;
	char *plain = cli_print_plain(text);
	free(text);
	return plain;
}

static void
put_list(const struct json_value *v, struct writer *w)
{
	for (size_t i = 0; i < json_count(v); i++) {
		writer_text(w, i ? ", " : "");
		cli_print_text(json_at(v, i), w);
	}
	if (json_count(v) == 0)
		writer_text(w, "-");
}

void
cli_print_text(const struct json_value *v, struct writer *w)
{
	struct view s;
	int64_t n;
	bool yes;
	switch (json_type(v)) {
	case JSON_STRING:
		json_string(v, &s);
		put_string(s.n ? s : view_str("-"), w);
		return;
	case JSON_INT:
		json_int(v, &n);
		writer_textf(w, "%" PRId64, n);
		return;
	case JSON_BOOL:
		json_bool(v, &yes);
		writer_text(w, yes ? "yes" : "no");
		return;
	case JSON_ARRAY:
		put_list(v, w);
		return;
	case JSON_NONE:
	case JSON_NULL:
	case JSON_OBJECT:
		break;
	}
	writer_text(w, "-");
}

void
cli_print_string(FILE *out, const struct json_value *v)
{
	struct writer w;
	struct view s;
	writer_init(&w, 6 * TEXT_MAX);
	if (json_string(v, &s))
		put_string(s, &w);
	fprintf(out, "%.*s", (int)w.n, w.n ? (const char *)w.p : "");
	writer_free(&w);
}

void
cli_print_json(FILE *out, struct view text)
{
	while (text.n) {
		uint32_t code = 0;
		size_t n = utf8_next(text, &code);
		if (n == 1 && code >= 0x20 && code <= 0x7e)
			fputc((int)code, out);
		else if (n == 0 || code < 0x20)
			fputc(' ', out); /* white space between values: json_parse lets no other through */
		else if (code < 0x10000)
			fprintf(out, "\\u%04x", (unsigned)code);
		else
			fprintf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)), (unsigned)(0xdc00 + (code & 0x3ff)));
		text = view_of(text.p + (n ? n : 1), text.n - (n ? n : 1));
	}
	fputc('\n', out);
}

/* ---- tables ---- */

void
cli_table_init(struct cli_table *t, const char *const *heads)
{
	*t = (struct cli_table){ 0 };
	for (; heads[t->columns]; t->columns++) {
		if (t->columns == CLI_PRINT_COLUMNS_MAX)
			abort();
		t->right[t->columns] = heads[t->columns][0] == '#';
		t->head[t->columns] = heads[t->columns] + t->right[t->columns];
	}
}

/* Takes text, which may be NULL for no memory. */
static void
add(struct cli_table *t, char *text)
{
	if (text && t->cells_n == t->cells_cap) {
		size_t cap = t->cells_cap ? 2 * t->cells_cap : 16 * t->columns;
		char **more = reallocarray(t->cells, cap, sizeof *more);
		if (!more) {
			free(text);
			text = NULL;
		} else {
			t->cells = more;
			t->cells_cap = cap;
		}
	}
	t->failed |= !text;
	if (text)
		t->cells[t->cells_n++] = text;
}

void
cli_table_csv(struct cli_table *t)
{
	t->csv = true;
}

/* A text as a cell of CSV; takes it. NULL for no memory. */
static char *
csv_cell(char *text)
{
	struct writer w;
	size_t n;
	if (!text)
		return NULL;
	bool formula = text[0] && strchr("=+-@", text[0]), quoted = strpbrk(text, "\",\r\n") != NULL;
	writer_init(&w, 20 * TEXT_MAX);
	writer_text(&w, quoted ? "\"" : "");
	writer_text(&w, formula ? "'" : "");
	for (const char *p = text; *p; p++)
		writer_bytes(&w, *p == '"' ? view_str("\"\"") : view_of(p, 1));
	writer_text(&w, quoted ? "\"" : "");
	free(text);
	char *cell = (char *)writer_take(&w, &n);
	writer_free(&w);
	return cell;
}

void
cli_table_cell(struct cli_table *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = format(fmt, ap);
	va_end(ap);
	add(t, t->csv ? csv_cell(text) : text);
}

/* What is not there is an empty cell, and a number is no formula. */
static void
csv_value(struct cli_table *t, const struct json_value *v)
{
	struct writer w;
	struct view s;
	size_t n;
	bool is_text = json_string(v, &s), none = is_text ? s.n == 0 : json_type(v) == JSON_NULL ||
	    json_type(v) == JSON_NONE || json_type(v) == JSON_OBJECT || (json_type(v) == JSON_ARRAY && json_count(v) == 0);
	writer_init(&w, 6 * TEXT_MAX);
	if (none)
		writer_text(&w, "");
	else
		cli_print_text(v, &w);
	char *text = (char *)writer_take(&w, &n);
	writer_free(&w);
	add(t, json_type(v) == JSON_INT ? text : csv_cell(text));
}

void
cli_table_value(struct cli_table *t, const struct json_value *v)
{
	struct writer w;
	size_t n;
	if (t->csv) {
		csv_value(t, v);
		return;
	}
	writer_init(&w, 6 * TEXT_MAX);
	cli_print_text(v, &w);
	add(t, (char *)writer_take(&w, &n));
	writer_free(&w);
}

void
cli_table_short(struct cli_table *t, const struct json_value *v, unsigned n)
{
	struct view s = { 0 };
	if (!t->csv && json_string(v, &s) && s.n > n && cli_print_is_plain(s))
		cli_table_cell(t, "%.*s", (int)n, (const char *)s.p);
	else
		cli_table_value(t, v);
}

static void
print_row(const struct cli_table *t, FILE *out, const char *const *cells, const size_t *width)
{
	for (unsigned i = 0; i < t->columns; i++) {
		bool last = i + 1 == t->columns;
		int w = (int)width[i];
		if (t->right[i])
			fprintf(out, "%*s", w, cells[i]);
		else if (last)
			fputs(cells[i], out);
		else
			fprintf(out, "%-*s", w, cells[i]);
		fprintf(out, "%*s", last ? 0 : GAP, "");
	}
	fputc('\n', out);
}

static void
print_csv(const struct cli_table *t, FILE *out)
{
	for (unsigned i = 0; i < t->columns; i++)
		fprintf(out, "%s%s", t->head[i], i + 1 < t->columns ? "," : "\r\n");
	for (size_t i = 0; i < t->cells_n; i++)
		fprintf(out, "%s%s", t->cells[i], (i + 1) % t->columns ? "," : "\r\n");
}

static void
print_aligned(const struct cli_table *t, FILE *out, const char *empty)
{
	size_t width[CLI_PRINT_COLUMNS_MAX] = { 0 };
	size_t rows = t->columns ? t->cells_n / t->columns : 0;
	for (unsigned i = 0; i < t->columns; i++)
		width[i] = strlen(t->head[i]);
	for (size_t i = 0; i < rows * t->columns; i++)
		if (strlen(t->cells[i]) > width[i % t->columns])
			width[i % t->columns] = strlen(t->cells[i]);
	if (rows)
		print_row(t, out, t->head, width);
	else
		fprintf(out, "%s\n", empty);
	for (size_t i = 0; i < rows; i++)
		print_row(t, out, (const char *const *)t->cells + i * t->columns, width);
}

void
cli_table_print(struct cli_table *t, FILE *out, const char *empty)
{
	if (t->csv)
		print_csv(t, out);
	else
		print_aligned(t, out, empty);
	if (t->failed)
		fputs("fotagate: no memory: this table is not complete\n", stderr);
	cli_table_drop(t);
}

void
cli_table_drop(struct cli_table *t)
{
	for (size_t i = 0; i < t->cells_n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct cli_table){ 0 };
}

static void
fill(struct cli_table *t, const struct json_value *rows, const struct cli_column *columns, unsigned n, bool csv)
{
	const char *heads[CLI_PRINT_COLUMNS_MAX + 1] = { NULL };
	for (unsigned i = 0; i < n && i < CLI_PRINT_COLUMNS_MAX; i++)
		heads[i] = columns[i].head;
	cli_table_init(t, heads);
	if (csv)
		cli_table_csv(t);
	for (size_t i = 0; i < json_count(rows); i++) {
		for (unsigned k = 0; heads[k]; k++) {
			const struct json_value *v = json_get(json_at(rows, i), columns[k].key);
			if (columns[k].digits)
				cli_table_short(t, v, columns[k].digits);
			else
				cli_table_value(t, v);
		}
	}
}

void
cli_print_rows_csv(FILE *out, const struct json_value *rows, const struct cli_column *columns, unsigned n)
{
	struct cli_table t;
	fill(&t, rows, columns, n, true);
	cli_table_print(&t, out, "");
}

void
cli_print_rows(FILE *out, const struct json_value *rows, const struct cli_column *columns, unsigned n, const char *empty)
{
	struct cli_table t;
	if (!empty && !json_count(rows))
		return;
	fill(&t, rows, columns, n, false);
	if (!empty)
		fputc('\n', out);
	cli_table_print(&t, out, empty ? empty : "");
}

/* ---- labelled lines ---- */

void
cli_print_wrapped(FILE *out, const char *text, unsigned indent)
{
	size_t column = indent;
	for (const char *p = text; *p;) {
		size_t word = strcspn(p, " ");
		if (column > indent && column + 1 + word > CLI_PRINT_WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)word, p);
		column += word;
		p += word + (p[word] == ' ');
	}
	fputc('\n', out);
}

void
cli_print_fields(FILE *out, const struct json_value *object, const struct cli_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cli_print_field(out, labels[i].label, json_get(object, labels[i].key));
}

void
cli_print_line(FILE *out, const char *label, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = format(fmt, ap);
	va_end(ap);
	/* A label that reaches into the values' column keeps a blank behind it. */
	fprintf(out, "%-*s ", CLI_PRINT_LABEL - 1, label);
	cli_print_wrapped(out, text ? text : "(no memory)", CLI_PRINT_LABEL);
	free(text);
}

void
cli_print_field(FILE *out, const char *label, const struct json_value *v)
{
	struct writer w;
	if (json_type(v) == JSON_NONE)
		return;
	writer_init(&w, 6 * TEXT_MAX);
	cli_print_text(v, &w);
	cli_print_line(out, label, "%.*s", (int)w.n, w.n ? (const char *)w.p : "");
	writer_free(&w);
}

void
cli_print_lines(const struct json_value *errors)
{
	for (size_t i = 0; i < json_count(errors); i++) {
		int64_t line = 0;
		json_int(json_get(json_at(errors, i), "line"), &line);
		printf("line %lld: ", (long long)line);
		cli_print_string(stdout, json_get(json_at(errors, i), "text"));
		fputc('\n', stdout);
	}
}
