/* SPDX-License-Identifier: Apache-2.0 */
/* sheet_html - the report as one page that loads nothing and runs nothing. */
#include <inttypes.h>
#include <stdio.h>

#include "crypto/hex.h"
#include "images/sheet.h"

/* Colours that hold in black and white too: the darker, the worse. */
static const char style[] =
    "body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#111;background:#fff}"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin:1.4em 0 .3em;border-bottom:1px solid #999}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.15em .5em;"
    "border-bottom:1px solid #ddd;overflow-wrap:anywhere}th{font-weight:600}td.n{text-align:right;white-space:nowrap}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid #999;padding-left:.8em}"
    "code{font-family:ui-monospace,monospace;font-size:.92em}.block,.warning{font-weight:600}"
    "td.w{white-space:nowrap}.block{color:#7a0010}.warning{color:#8a4b00}.verdict{padding:.6em 1em;border:3px solid #111}"
    ".blocked{border-color:#7a0010}.review{border-color:#8a4b00}.acceptable{border-color:#555}"
    "svg{width:100%;height:2.2em;display:block;border:1px solid #999}.key span{display:inline-block;margin-right:1.2em}"
    ".key i{display:inline-block;width:1em;height:1em;border:1px solid #666;vertical-align:-.15em;margin-right:.3em}"
    "@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}";

static void
escaped(struct writer *w, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			writer_text(w, "&amp;");
			break;
		case '<':
			writer_text(w, "&lt;");
			break;
		case '>':
			writer_text(w, "&gt;");
			break;
		case '"':
			writer_text(w, "&quot;");
			break;
		case '\'':
			writer_text(w, "&#39;");
			break;
		default:
			writer_u8(w, *s >= 0x20 && *s <= 0x7e ? (uint8_t)*s : '?');
		}
	}
}

static void
cell(struct writer *w, const char *s)
{
	writer_text(w, "<td>");
	escaped(w, s);
	writer_text(w, "</td>");
}

static void
number(struct writer *w, uint64_t n)
{
	writer_textf(w, "<td class=\"n\">%" PRIu64 "</td>", n);
}

static void
heading(struct writer *w, const char *title)
{
	writer_text(w, "<h2>");
	escaped(w, title);
	writer_text(w, "</h2>\n");
}

static void
named(struct writer *w, const char *name, const char *value)
{
	writer_text(w, "<tr><th>");
	escaped(w, name);
	writer_text(w, "</th><td><code>");
	escaped(w, value);
	writer_text(w, "</code></td></tr>\n");
}

static void
named_hash(struct writer *w, const char *name, const uint8_t sum[DIGEST_SHA256_LEN])
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(sum, DIGEST_SHA256_LEN, hex);
	named(w, name, hex);
}

/* ---- head ---- */

static void
verdict(struct writer *w, const struct report *r)
{
	static const char *const words[] = {
		[REPORT_BLOCKED] = "BLOCKED: what is marked \"block\" has to be cleared first. This image must not reach a module.",
		[REPORT_REVIEW] = "REVIEW: a person has to look at what is marked \"warning\" before this image goes anywhere.",
		[REPORT_ACCEPTABLE] = ("ACCEPTABLE: nothing was found that speaks against this image. Whether it is wanted is "
		                      "for people to say."),
	};
	enum report_verdict v = report_verdict(r);
	writer_textf(w, "<p class=\"verdict %s\"><strong>", report_verdict_name(v));
	escaped(w, words[v]);
	if (r->story && sheet_is_blind(r->story))
		writer_text(w, "<br>NOT REVIEWABLE: too much of this image could not be looked at.");
	writer_text(w, "</strong></p>\n");
}

static void
identity(struct writer *w, const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN])
{
	char at[REPORT_TIME_LEN], size[24];
	heading(w, "What was looked at");
	writer_text(w, "<table>\n");
	if (r->have_image) {
		named_hash(w, "image, SHA-256", r->sha256);
		snprintf(size, sizeof size, "%" PRIu64, r->size);
		named(w, "bytes", size);
		named(w, "format", format_name(r->format));
	}
	if (r->have_changes && r->changes.old.size) {
		named_hash(w, "compared with, SHA-256", r->changes.old.sha256);
		snprintf(size, sizeof size, "%" PRIu64, r->changes.old.size);
		named(w, "its bytes", size);
	}
	if (report_time_format(r->inputs.at, at))
		named(w, "judged as of", at);
	if (r->inputs.have_profile)
		named(w, "profile", r->inputs.profile);
	named(w, "inspector", r->inputs.inspector);
	named_hash(w, "report, SHA-256", digest);
	writer_text(w, "</table>\n");
}

static void
signatures(struct writer *w, const struct report *r)
{
	heading(w, "Signatures");
	writer_text(w, "<table><tr><th>scheme</th><th>outcome</th><th>of</th><th>signer</th><th>detail</th></tr>\n");
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		writer_text(w, "<tr>");
		cell(w, s->scheme);
		cell(w, sig_outcome_name(s->outcome));
		cell(w, s->where[0] ? s->where : "the image");
		cell(w, s->signer.subject[0] ? s->signer.subject : s->signer.anchor);
		cell(w, s->detail);
		writer_text(w, "</tr>\n");
	}
	if (r->signatures.n == 0)
		writer_text(w, "<tr><td colspan=\"5\">none</td></tr>\n");
	writer_text(w, "</table>\n");
}

/* Only where it is one: what is proved of what it makes, or how much of it could be opened. */
static void
delta(struct writer *w, const struct report *r)
{
	const struct report_delta *d = &r->delta;
	char text[24];
	if (!r->have_delta && !report_is_delta(r))
		return;
	heading(w, "Delta");
	writer_text(w, "<table>\n");
	named(w, "what it makes", report_delta_text(r));
	if (r->have_delta) {
		named_hash(w, "base, SHA-256", d->base_sha256);
		named(w, "applied by", d->result.applier);
		if (d->result.detail[0])
			named(w, "why not", d->result.detail);
		if (d->result.wants[0])
			named(w, "it is for", d->result.wants);
	}
	if (r->have_delta && d->result.outcome == DELTA_APPLIED) {
		named_hash(w, "target, SHA-256", d->result.target_sha256);
		snprintf(text, sizeof text, "%" PRIu64, d->result.target_size);
		named(w, "its bytes", text);
	}
	if (d->have_target)
		named_hash(w, "the target's report, SHA-256", d->target_report);
	else if (r->story) {
		sheet_opened(r->story, text);
		named(w, "opened, percent of its bytes", text);
	}
	writer_text(w, "</table>\n");
}

static void
facts(struct writer *w, const struct report *r)
{
	if (r->contents.facts_n == 0)
		return;
	heading(w, "What it says of itself");
	writer_text(w, "<table><tr><th>fact</th><th>value</th><th>where</th><th>signed</th></tr>\n");
	for (unsigned i = 0; i < r->contents.facts_n; i++) {
		const struct contents_fact *f = &r->contents.fact[i];
		writer_text(w, "<tr>");
		cell(w, contents_fact_name(f->id));
		cell(w, f->value);
		cell(w, f->path);
		cell(w, f->sure ? "yes" : "no");
		writer_text(w, "</tr>\n");
	}
	writer_text(w, "</table>\n");
}

/* Beside what was measured: which lines of the page the vendor's words name is in the tables below. */
static void
notes(struct writer *w, const struct report *r)
{
	const struct notes *n = &r->notes;
	char named[128];
	size_t at = 0;
	if (!n->have)
		return;
	heading(w, "What the vendor says that changes");
	writer_text(w, "<p>Words of the vendor's, of which nothing was checked.");
	if (sheet_notes_named(r, named)) {
		writer_text(w, " ");
		escaped(w, named);
	}
	writer_text(w, "</p>\n<pre>");
	for (unsigned i = 0; i < n->lines_n; i++) {
		escaped(w, notes_next(n, &at));
		writer_text(w, "\n");
	}
	writer_text(w, "</pre>\n");
	if (n->lines_total > n->lines_n)
		writer_textf(w, "<p>and %" PRIu64 " lines more</p>\n", n->lines_total - n->lines_n);
}

/* ---- maps ---- */

struct shade {
	char letter;
	const char *colour, *means;
};

static const struct shade shades[] = {
	{ '=', "#f2f2f2", "as before" },
	{ '.', "#dcdcdc", "the format's own" },
	{ 'e', "#9cc3e6", "changed and explained" },
	{ 'u', "#e08a1e", "changed and not explained" },
	{ 'n', "#5c0a14", "not reviewable" },
};

static const char *
colour_of(char letter)
{
	for (size_t i = 0; i < sizeof shades / sizeof shades[0]; i++)
		if (shades[i].letter == letter)
			return shades[i].colour;
	return "#000";
}

static void
map(struct writer *w, const char *title, const char *cells)
{
	size_t n = strlen(cells);
	if (n == 0)
		return;
	writer_textf(w, "<p>%s</p><svg viewBox=\"0 0 %zu 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s\">", title,
	    n, title);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && cells[to] == cells[from]; to++)
			;
		writer_textf(w, "<rect x=\"%zu\" y=\"0\" width=\"%zu\" height=\"10\" fill=\"%s\"/>", from, to - from,
		    colour_of(cells[from]));
	}
	writer_text(w, "</svg>\n");
}

static void
strip(struct writer *w, const char *title, const char *cells)
{
	size_t n = strlen(cells);
	if (n == 0)
		return;
	writer_textf(w, "<p>%s</p><svg viewBox=\"0 0 %zu 8\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s\">",
	    title, n, title);
	for (size_t i = 0; i < n; i++)
		writer_textf(w, "<rect x=\"%zu\" y=\"%d\" width=\"1\" height=\"%d\" fill=\"#555\"/>", i, 8 - (cells[i] - '0'),
		    cells[i] - '0');
	writer_text(w, "</svg>\n");
}

static void
maps(struct writer *w, const struct story *s)
{
	heading(w, "Where");
	map(w, "New image, first byte to last", s->map[PAIR_NEW]);
	map(w, "Old image", s->map[PAIR_OLD]);
	writer_text(w, "<p class=\"key\">");
	for (size_t i = 0; i < sizeof shades / sizeof shades[0]; i++)
		writer_textf(w, "<span><i style=\"background:%s\"></i>%s</span>", shades[i].colour, shades[i].means);
	writer_text(w, "</p>\n");
	strip(w, "Entropy of the new image, 0 to 8 bits a byte", s->strip[PAIR_NEW]);
	strip(w, "Entropy of the old image", s->strip[PAIR_OLD]);
}

/* ---- changes ---- */

static void
sums_row(struct writer *w, const char *name, const struct account_sum *s)
{
	uint64_t all = account_total(s);
	writer_textf(w, "<tr><th>%s</th>", name);
	number(w, all);
	for (unsigned c = ACCOUNT_CLASSES; c-- > 0;) {
		char share[24];
		sheet_percent(s->bytes[c], all, share);
		writer_textf(w, "<td class=\"n\">%" PRIu64 " (%s %%)</td>", s->bytes[c], share);
	}
	writer_text(w, "</tr>\n");
}

static void
account(struct writer *w, const struct story *s)
{
	heading(w, "Every byte");
	writer_text(w, "<table><tr><th></th><th>bytes</th><th>as before</th><th>changed, explained</th>"
	               "<th>changed, not explained</th><th>not reviewable</th></tr>\n");
	sums_row(w, "new image", &s->image[PAIR_NEW]);
	sums_row(w, "unpacked from it", &s->expanded[PAIR_NEW]);
	sums_row(w, "old image", &s->image[PAIR_OLD]);
	sums_row(w, "unpacked from it", &s->expanded[PAIR_OLD]);
	writer_text(w, "</table>\n");
	if (!s->holds)
		writer_text(w, "<p class=\"block\">These sums do not add up: nothing of them can be relied on.</p>\n");
}

static void
layout(struct writer *w, const struct story *s)
{
	heading(w, "Layout");
	writer_text(w, "<table><tr><th>at</th><th>bytes</th><th>format</th><th>compared</th><th>looked at</th>"
	               "<th>name</th></tr>\n");
	for (unsigned i = 0; i < s->rows_n; i++) {
		const struct story_row *r = &s->row[i];
		writer_text(w, "<tr>");
		number(w, r->at);
		number(w, r->size);
		cell(w, format_name(r->format));
		cell(w, r->side == PAIR_OLD ? "gone" : r->how == PAIR_NONE ? "new" : pair_how_name(r->how));
		cell(w, part_look_name(r->look));
		cell(w, r->name);
		writer_text(w, "</tr>\n");
	}
	writer_text(w, "</table>\n");
	if (s->rows_total > s->rows_n)
		writer_textf(w, "<p>and %" PRIu64 " more</p>\n", s->rows_total - s->rows_n);
}

static void
counts(struct writer *w, const struct story *s)
{
	heading(w, "Files by kind");
	writer_text(w, "<table><tr><th></th><th>added</th><th>gone</th><th>changed</th><th>moved</th><th>as before</th></tr>\n");
	for (unsigned i = 0; i < STORY_CLASSES; i++) {
		const struct story_count *c = &s->count[i];
		if (c->added + c->gone + c->changed + c->moved + c->same == 0)
			continue;
		writer_textf(w, "<tr><th>%s</th>", story_class_name((enum story_class)i));
		number(w, c->added);
		number(w, c->gone);
		number(w, c->changed);
		number(w, c->moved);
		number(w, c->same);
		writer_text(w, "</tr>\n");
	}
	writer_text(w, "</table>\n");
}

static void
line(struct writer *w, const struct page_line *l, const struct notes *n)
{
	writer_textf(w, "<tr><td class=\"w %s\">%s</td><td class=\"w\">%s</td><td><code>", finding_severity_name(l->severity),
	    finding_severity_name(l->severity), page_sign_name(l->sign));
	escaped(w, l->path);
	if (l->have_offset)
		writer_textf(w, " @%" PRIu64, l->offset);
	writer_text(w, "</code></td><td>");
	escaped(w, l->text);
	if (l->times > 1)
		writer_textf(w, " (%" PRIu64 " times)", l->times);
	if (l->evidence[0]) {
		writer_text(w, "<br><code>");
		escaped(w, l->evidence);
		writer_text(w, "</code>");
	}
	writer_textf(w, "</td><td class=\"w\">%s</td>", finding_get(l->id)->id);
	if (n->have && notes_ought(l))
		writer_textf(w, "<td class=\"w\">%s</td>", notes_name(n, l) ? "named" : "not named");
	writer_text(w, "</tr>\n");
}

static void
blocks(struct writer *w, const struct page *p, const struct notes *notes)
{
	size_t i = 0, n = page_count(p);
	for (unsigned b = PAGE_NONE + 1; b < PAGE_BLOCK_LIMIT; b++) {
		uint64_t lost = page_lost(p, (enum page_block)b);
		bool any = i < n && page_at(p, i)->block == (enum page_block)b;
		if (!any && !lost)
			continue;
		heading(w, sheet_block_title((enum page_block)b));
		writer_textf(w, "<table><tr><th>weight</th><th></th><th>where</th><th>what</th><th>finding</th>%s</tr>\n",
		    notes->have && b <= PAGE_IDENT ? "<th>in the notes</th>" : "");
		for (; i < n && page_at(p, i)->block == (enum page_block)b; i++)
			line(w, page_at(p, i), notes);
		writer_text(w, "</table>\n");
		if (lost)
			writer_textf(w, "<p>and %" PRIu64 " more that did not fit</p>\n", lost);
	}
}

/* ---- findings ---- */

static void
finding(struct writer *w, enum finding_id id, const struct report_finding *f)
{
	const struct finding_info *info = finding_get(id);
	writer_textf(w, "<tr><td class=\"w %s\">%s</td><td class=\"w\"><code>%s</code></td>", finding_severity_name(f->severity),
	    finding_severity_name(f->severity), info->id);
	number(w, f->count);
	writer_text(w, "<td>");
	escaped(w, info->means);
	for (unsigned i = 0; i < f->details_n; i++) {
		writer_text(w, "<br><code>");
		escaped(w, f->details[i].text);
		writer_text(w, "</code>");
	}
	writer_text(w, "</td>");
	cell(w, info->clears);
	writer_text(w, "</tr>\n");
}

static void
findings(struct writer *w, const struct report *r)
{
	heading(w, "Findings");
	writer_text(w, "<table><tr><th>weight</th><th>id</th><th>times</th><th>what</th><th>what would clear it</th></tr>\n");
	for (unsigned severity = FINDING_BLOCK; severity > FINDING_NONE; severity--)
		for (unsigned i = 0; i < FINDING_LIMIT; i++)
			if (r->findings[i].count && r->findings[i].severity == severity)
				finding(w, (enum finding_id)i, &r->findings[i]);
	writer_text(w, "</table>\n");
}

void
sheet_html(const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN], struct writer *w)
{
	writer_text(w, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	               "<meta name=\"referrer\" content=\"no-referrer\">\n"
	               "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Firmware report</title><style>");
	writer_text(w, style);
	writer_text(w, "</style></head>\n<body><h1>Firmware report</h1>\n");
	verdict(w, r);
	identity(w, r, digest);
	signatures(w, r);
	delta(w, r);
	facts(w, r);
	notes(w, r);
	if (r->story) {
		account(w, r->story);
		maps(w, r->story);
		layout(w, r->story);
		counts(w, r->story);
		blocks(w, r->story->page, &r->notes);
	}
	findings(w, r);
	writer_text(w, "</body></html>\n");
}
