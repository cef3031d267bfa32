/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_page.h"

#include <inttypes.h>

#include "crypto/hex.h"
#include "gateway/cmd/cli_print.h"
#include "images/sheet.h"

/* "12.3 %" without floating point; of is not 0. */
static void
print_share(FILE *out, uint64_t part, uint64_t of)
{
	/* Sizes stay below 2^50: a thousandfold fits. */
	uint64_t permille = part * 1000 / of;
	fprintf(out, "%" PRIu64 ".%" PRIu64 " %%", permille / 10, permille % 10);
}

static void
print_label(FILE *out, const char *label)
{
	fprintf(out, "%-*s", CLI_PRINT_LABEL, label);
}

static void
print_line(FILE *out, const char *label, const char *text)
{
	print_label(out, label);
	cli_print_wrapped(out, text, CLI_PRINT_LABEL);
}

static const char *
sentence(enum report_verdict v)
{
	switch (v) {
	case REPORT_ACCEPTABLE:
		return "ACCEPTABLE: nothing was found that speaks against this image. "
		       "Whether it is wanted is for people to say.";
	case REPORT_REVIEW:
		return "REVIEW: a person has to look at what is marked \"warning\" below before "
		       "this image goes anywhere.";
	case REPORT_BLOCKED:
		break;
	}
	return "BLOCKED: what is marked \"block\" below has to be cleared first. "
	       "This image must not reach a module.";
}

static void
print_hash(FILE *out, const char *label, const uint8_t sum[DIGEST_SHA256_LEN])
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(sum, DIGEST_SHA256_LEN, hex);
	print_line(out, label, hex);
}

static void
print_identity(FILE *out, const struct report *r)
{
	char at[REPORT_TIME_LEN];
	if (r->have_image) {
		print_hash(out, "SHA-256", r->sha256);
		print_label(out, "size");
		fprintf(out, "%" PRIu64 " bytes\n", r->size);
		print_line(out, "format", format_name(r->format));
	} else {
		print_line(out, "image", "could not be inspected");
	}
	if (report_time_format(r->inputs.at, at))
		print_line(out, "judged as of", at);
	if (r->inputs.have_profile)
		print_line(out, "profile", r->inputs.profile);
}

static void
print_signature(FILE *out, const struct sig_result *s)
{
	char hex[DIGEST_HEX_LEN + 1], from[REPORT_TIME_LEN], to[REPORT_TIME_LEN];
	fprintf(out, "  %s: %s\n", s->scheme, sig_outcome_name(s->outcome));
	if (s->where[0])
		fprintf(out, "    of       %s, inside the image\n", s->where);
	if (s->detail[0]) {
		fputs("    ", out);
		cli_print_wrapped(out, s->detail, 4);
	}
	if (s->signer.subject[0])
		fprintf(out, "    signer   %s\n    issuer   %s\n", s->signer.subject,
		    s->signer.issuer);
	if (s->signer.have_spki) {
		hex_encode(s->signer.spki_sha256, DIGEST_SHA256_LEN, hex);
		fprintf(out, "    key      %s, SHA-256 of its SPKI %s\n", s->signer.key_type, hex);
	}
	if ((s->signer.not_before || s->signer.not_after) &&
	    report_time_format(s->signer.not_before, from) &&
	    report_time_format(s->signer.not_after, to))
		fprintf(out, "    valid    %s to %s\n", from, to);
	if (s->signer.anchor[0])
		fprintf(out, "    anchor   %s\n", s->signer.anchor);
	if (s->revocation != SIG_REVOCATION_NOT_APPLICABLE)
		fprintf(out, "    revoked? %s\n", sig_revocation_name(s->revocation));
}

static void
print_signatures(FILE *out, const struct report *r)
{
	struct coverage c;
	fputs("\nSignatures\n", out);
	if (r->signatures.n == 0)
		fputs("  none\n", out);
	for (unsigned i = 0; i < r->signatures.n; i++)
		print_signature(out, &r->signatures.result[i]);
	if (!r->have_image || r->size == 0 || report_coverage(r, &c))
		return;
	fprintf(out, "  %" PRIu64 " bytes are signed (", coverage_signed(&c));
	print_share(out, coverage_signed(&c), r->size);
	fprintf(out, "), %" PRIu64 " are not\n", coverage_unsigned(&c));
}

static void
print_member(FILE *out, const struct contents_member *m)
{
	static const char *const words[CONTENTS_VOUCH_LIMIT] = {
		[CONTENTS_VOUCH_NONE] = "nothing vouches for it",
		[CONTENTS_VOUCH_MISMATCH] = "NOT what the container describes",
		[CONTENTS_VOUCH_CHECKED] = "fits its digest, which nobody signed",
		[CONTENTS_VOUCH_INSIDE] = "signed",
		[CONTENTS_VOUCH_DIGEST] = "signed by its digest",
	};
	fprintf(out, "  %s: %s, %" PRIu64 " bytes, %s%s\n", m->path, format_name(m->format), m->size,
	    words[m->vouch], m->runs ? "; the module runs it" : "");
}

/* What the container claims, what it holds, and what stands behind either. */
static void
print_contents(FILE *out, const struct report *r)
{
	const struct contents *c = &r->contents;
	if (!c->walked && c->facts_n == 0)
		return;
	fputs("\nContents\n", out);
	for (unsigned i = 0; i < c->facts_n; i++) {
		const struct contents_fact *f = &c->fact[i];
		fprintf(out, "  %s%s%s: %s%s\n", f->path, f->path[0] ? ": " : "",
		    contents_fact_name(f->id), f->value, f->sure ? "" : " (says it; not signed)");
	}
	for (unsigned i = 0; i < c->members_n; i++)
		print_member(out, &c->member[i]);
	if (c->members_total > c->members_n)
		fprintf(out, "  and %" PRIu64 " more, all of them checked\n",
		    c->members_total - c->members_n);
	if (c->walked && c->members_total == 0)
		fputs("  no members\n", out);
}

/* What is proved, and what is not: in words, since "delta applied" is easily taken for more. */
static const char *
proof(const struct report *r)
{
	const struct report_delta *d = &r->delta;
	if (d->result.outcome != DELTA_APPLIED)
		return "NOT APPLIED: what a module would make of this delta was not seen.";
	if (report_delta_proved(r) && !d->target_signed)
		return "PROVED: this base and this delta make the target below, and the delta, of which all is under verified "
		       "signatures, names the SHA-256 of that target.";
	if (report_delta_proved(r))
		return "PROVED: this base and this delta make the target below, and verified signatures of its own "
		       "are over all of the target, byte for byte.";
	return "RECONSTRUCTED, target not independently signed: this base and this delta make the target below, "
	       "and that is all that is proved. Nobody who is trusted has signed that target.";
}

static void
print_delta(FILE *out, const struct report *r)
{
	const struct report_delta *d = &r->delta;
	bool made = d->result.outcome == DELTA_APPLIED;
	if (report_is_delta(r) && !d->have_target && r->story) {
		char share[24];
		sheet_opened(r->story, share);
		fprintf(out, "\nWhat this delta makes was not seen: opened %s %% of its bytes.\n", share);
	}
	if (!r->have_delta)
		return;
	fputs("\nDelta\n  ", out);
	cli_print_wrapped(out, proof(r), 2);
	if (d->result.detail[0]) {
		fputs("  ", out);
		cli_print_wrapped(out, d->result.detail, 2);
	}
	print_hash(out, "  base", d->base_sha256);
	if (d->result.applier[0])
		print_line(out, "  applied by", d->result.applier);
	if (d->result.wants[0])
		print_line(out, "  it is for", d->result.wants);
	if (d->result.checked)
		fputs("  a checksum that the delta carries fits; that finds a wrong base, and proves nothing else\n", out);
	if (!made)
		return;
	print_hash(out, "  target", d->result.target_sha256);
	fprintf(out, "  %" PRIu64 " bytes: %" PRIu64 " as they are in the base, %" PRIu64 " new or altered\n",
	    d->result.target_size, d->result.from_base, d->result.from_patch);
	if (d->have_full)
		fprintf(out, "  it is %sthe full image that was given\n",
		    memcmp(d->full_sha256, d->result.target_sha256, DIGEST_SHA256_LEN) == 0 ? "" : "NOT ");
	if (d->have_target)
		print_hash(out, "  its report", d->target_report);
	fputs("  Not proved: that a module holds this base. Offer it only to those whose version is known.\n", out);
}

static void
print_entropy(FILE *out, const char *which, const struct entropy_profile *p)
{
	fprintf(out, "  %s: ", which);
	for (unsigned i = 0; i < ENTROPY_CLASSES && p->total; i++) {
		static const char *const words[ENTROPY_CLASSES] = { "low entropy", "text or code",
			"compressed", "random" };
		fprintf(out, "%s%s ", i ? ", " : "", words[i]);
		print_share(out, p->windows[i], p->total);
	}
	fputs(p->total ? "\n" : "empty\n", out);
}

/* Of images that were not taken apart: where their bytes differ. */
static void
print_ranges(FILE *out, const struct changes *c)
{
	fprintf(out,
	    "  blocks of %" PRIu64 " KiB: "
	    "%" PRIu64 " unchanged, %" PRIu64 " moved, %" PRIu64 " new\n",
	    c->block_size >> 10, c->blocks_same, c->blocks_moved, c->blocks_changed);
	fprintf(out, "  %" PRIu64 " changed range%s%s\n", c->ranges_total,
	    c->ranges_total == 1 ? "" : "s",
	    c->ranges_total > c->ranges_n ? ", the first of them:"
	    : c->ranges_n                 ? ":"
	                                  : "");
	for (unsigned i = 0; i < c->ranges_n; i++)
		fprintf(out, "    at %" PRIu64 ", %" PRIu64 " bytes\n", c->ranges[i].offset,
		    c->ranges[i].length);
}

static void
print_story(FILE *out, const struct report *r, bool all)
{
	struct writer w;
	writer_init(&w, SHEET_MAX);
	sheet_text(r->story, &r->notes, all, &w);
	fputc('\n', out);
	if (!writer_err(&w))
		fwrite(w.p, 1, w.n, out);
	else
		fputs("  too long to be printed\n", out);
	writer_free(&w);
}

static void
print_notes(FILE *out, const struct report *r)
{
	struct writer w;
	if (!r->notes.have)
		return;
	writer_init(&w, SHEET_MAX);
	sheet_notes(r, &w);
	fputc('\n', out);
	fwrite(w.p, 1, w.n, out);
	writer_free(&w);
}

static void
print_changes(FILE *out, const struct report *r, bool all)
{
	const struct changes *c = &r->changes;
	char hex[DIGEST_HEX_LEN + 1];
	if (!r->have_changes)
		return;
	hex_encode(c->old.sha256, DIGEST_SHA256_LEN, hex);
	if (c->old.size)
		fprintf(out, "\nChanges against %s\n", hex);
	else
		fputs("\nTaken apart by itself, beside nothing: what could be opened is told as new\n", out);
	fprintf(out, "  %" PRIu64 " bytes became %" PRIu64 "\n", c->old.size, c->new.size);
	if (c->new.size) {
		fprintf(out, "  %" PRIu64 " bytes (", c->same_offset);
		print_share(out, c->same_offset, c->new.size);
		fputs(") are as they were at the same place\n", out);
	}
	fprintf(out, "  the first %" PRIu64 " and the last %" PRIu64 " bytes are the same\n",
	    c->prefix, c->suffix);
	if (!r->story)
		print_ranges(out, c);
	print_entropy(out, "before", &c->old.entropy);
	print_entropy(out, "now   ", &c->new.entropy);
	if (r->story)
		print_story(out, r, all);
}

/* Its places stand above, as lines of the page. */
static bool
on_page(const struct report *r, enum finding_id id)
{
	for (size_t i = 0; r->story && i < page_count(r->story->page); i++)
		if (page_at(r->story->page, i)->id == id)
			return true;
	return false;
}

static void
print_finding(FILE *out, enum finding_id id, const struct report_finding *f, bool above)
{
	const struct finding_info *info = finding_get(id);
	fprintf(out, "  %-7s  %s", finding_severity_name(f->severity), info->id);
	if (f->count > 1)
		fprintf(out, " (%" PRIu64 " times)", f->count);
	fputs("\n           ", out);
	cli_print_wrapped(out, info->means, 11);
	for (unsigned i = 0; i < f->details_n && !above; i++) {
		fputs("           - ", out);
		cli_print_wrapped(out, f->details[i].text, 13);
		if (f->details[i].have_offset)
			fprintf(out, "             from byte %" PRIu64 "\n", f->details[i].offset);
	}
	fputs("           To clear it: ", out);
	cli_print_wrapped(out, info->clears, 24);
}

void
cli_page_print(FILE *out, const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN], bool all)
{
	cli_print_wrapped(out, sentence(report_verdict(r)), 0);
	fputc('\n', out);
	print_identity(out, r);
	print_hash(out, "report", digest);
	print_signatures(out, r);
	print_contents(out, r);
	print_delta(out, r);
	print_notes(out, r);
	print_changes(out, r, all);
	fputs("\nFindings\n", out);
	bool any = false;
	for (unsigned severity = FINDING_BLOCK; severity > FINDING_NONE; severity--)
		for (unsigned i = 0; i < FINDING_LIMIT; i++)
			if (r->findings[i].count && r->findings[i].severity == severity) {
				print_finding(out, (enum finding_id)i, &r->findings[i], on_page(r, (enum finding_id)i));
				any = true;
			}
	if (!any)
		fputs("  none\n", out);
}
