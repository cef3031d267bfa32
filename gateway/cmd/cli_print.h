/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_print - answers for people: aligned columns, wrapped sentences, no
 * colour. Texts come from the gateway with everything odd already made visible;
 * what is not plain all the same is escaped here before a terminal sees it.
 */
#ifndef FG_GATEWAY_CMD_CLI_PRINT_H
#define FG_GATEWAY_CMD_CLI_PRINT_H

#include <stdio.h>

#include "crypto/json.h"
#include "crypto/writer.h"

#define CLI_PRINT_COLUMNS_MAX 12
#define CLI_PRINT_WIDTH 100
#define CLI_PRINT_LABEL 14 /* column at which values begin */

struct cli_table {
	unsigned columns;
	const char *head[CLI_PRINT_COLUMNS_MAX];
	bool right[CLI_PRINT_COLUMNS_MAX]; /* numbers */
	size_t cells_n, cells_cap;
	char **cells; /* owned; row by row */
	bool csv;     /* cells are whole and written as CSV has them */
	bool failed;  /* no memory: printing says so */
};

/* heads: "name", or "#count" for a column of numbers; NULL ends. */
void cli_table_init(struct cli_table *t, const char *const *heads);
/*
 * For a program or a spreadsheet, RFC 4180: before the first cell. Values are whole, null is an empty cell, heads are
 * there without any row; what is odd is made visible as ever, so it is ASCII and with that UTF-8. A text that begins
 * like a formula (= + - @) gets a ' before it, for modules and vendors chose many of these texts.
 */
void cli_table_csv(struct cli_table *t);
/* What is formatted here is made visible like everything else. */
void cli_table_cell(struct cli_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A value as people read it: strings bare, lists with commas, null as "-". */
void cli_table_value(struct cli_table *t, const struct json_value *v);
/* Aligned, or `empty` when there is no row; ends the table. */
void cli_table_print(struct cli_table *t, FILE *out, const char *empty);
/* Forgets it unprinted. */
void cli_table_drop(struct cli_table *t);

/* Of an array of objects: a head, as above, the member below it, and how many digits of it are enough (0: all). */
struct cli_column {
	const char *head, *key;
	unsigned digits;
};
/* All of them as a table, or `empty`; NULL: a section, behind a blank line, that is left out when there is no row. */
void cli_print_rows(FILE *out, const struct json_value *rows, const struct cli_column *columns, unsigned n,
    const char *empty);

/* The same as CSV. */
void cli_print_rows_csv(FILE *out, const struct json_value *rows, const struct cli_column *columns, unsigned n);

/*
 * A JSON text on one line, as it is but for characters beyond ASCII, which become
 * \\u escapes: the same document, and nothing a terminal would act on.
 */
void cli_print_json(FILE *out, struct view text);
/* Only 0x20 to 0x7e: what has been made visible already, escapes and all, may be shown as it is. */
bool cli_print_is_plain(struct view s);
/* text, made visible where it is not; free(). NULL for no memory. */
char *cli_print_plain(const char *text);
/* Appends the text of v as cli_table_value would show it. */
void cli_print_text(const struct json_value *v, struct writer *w);
/* Plain text in lines of CLI_PRINT_WIDTH, each after indent blanks; the first has its own already. */
void cli_print_wrapped(FILE *out, const char *text, unsigned indent);
/* "label         value", wrapped; nothing for a value that is not there. */
void cli_print_field(FILE *out, const char *label, const struct json_value *v);
/* The same for several members of an object. */
struct cli_label {
	const char *label, *key;
};
void cli_print_fields(FILE *out, const struct json_value *object, const struct cli_label *labels, size_t n);
void cli_print_line(FILE *out, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A string as it is, made visible if it is not plain; "" for no string. */
void cli_print_string(FILE *out, const struct json_value *v);
/* First n characters of a digest, for columns. */
void cli_table_short(struct cli_table *t, const struct json_value *v, unsigned n);

/* What is wrong with the lines of a file: an array of line and text. */
void cli_print_lines(const struct json_value *errors);

#endif
