/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_draft - a first profile from a recorded request.
 * The request is hostile: it is only used when profile_match() could accept it, which leaves
 * no byte that could leave a libconfig string or a comment.
 */
#include <stdio.h>

#include "crypto/err.h"
#include "policy/config.h"
#include "policy/config_form.h"

#define DRAFT_CAPTURES_MAX 12 /* below PROFILE_CAPTURES_MAX, so that a person can add some */

enum shape { SHAPE_LITERAL = 0, SHAPE_IMEI, SHAPE_ICCID, SHAPE_VERSION, SHAPE_ID };

struct guess {
	char name[PROFILE_WORD_MAX + 1];
	const char *class;
	unsigned max;
};

struct draft {
	struct guess capture[DRAFT_CAPTURES_MAX];
	unsigned captures_n;
	struct writer path, query;
	const char *identity; /* name of the capture that looks like one, and its kind */
	enum shape identity_shape;
	const char *version;
};

static bool
digits_only(struct view v)
{
	return profile_pattern_fits(PROFILE_CLASS_DIGITS, PROFILE_PATTERN_INPUT_MAX, v);
}

static bool
has_byte(struct view v, char c)
{
	return v.n > 0 && memchr(v.p, c, v.n) != NULL;
}

/* By what it looks like, never by what it is called: keys differ, numbers do not. */
static enum shape
shape_of(struct view v)
{
	if (v.n == 15 && digits_only(v) && identity_luhn(v))
		return SHAPE_IMEI;
	if ((v.n == 19 || v.n == 20) && digits_only(v) && memcmp(v.p, "89", 2) == 0)
		return SHAPE_ICCID;
	size_t n = v.n > 0 && (v.p[0] == 'v' || v.p[0] == 'V') ? 1 : 0;
	if (has_byte(v, '.') && v.n > n && v.p[n] >= '0' && v.p[n] <= '9') {
		struct view rest = view_of(v.p + n, v.n - n);
		for (size_t i = 0; i < rest.n; i++)
			if (rest.p[i] != '.' && (rest.p[i] < '0' || rest.p[i] > '9'))
				return SHAPE_LITERAL;
		return profile_pattern_fits(PROFILE_CLASS_VERSION, VERSION_TEXT_MAX, v)
		    ? SHAPE_VERSION
		    : SHAPE_LITERAL;
	}
	if (v.n >= 12 && v.n <= 64 && profile_pattern_fits(PROFILE_CLASS_HEX, 64, v))
		return SHAPE_ID;
	return SHAPE_LITERAL;
}

/* A capture for that shape, or NULL when there is no more room: the text then stays as it is. */
static const struct guess *
add_capture(struct draft *d, enum shape shape)
{
	static const struct {
		const char *name, *class;
		unsigned max;
	} kinds[] = {
		[SHAPE_IMEI] = { "imei", "digits", 15 },
		[SHAPE_ICCID] = { "iccid", "digits", 20 },
		[SHAPE_VERSION] = { "version", "version", VERSION_TEXT_MAX },
		[SHAPE_ID] = { "id", "hex", 64 },
	};
	unsigned same = 0;
	if (shape == SHAPE_LITERAL || d->captures_n == DRAFT_CAPTURES_MAX)
		return NULL;
	for (unsigned i = 0; i < d->captures_n; i++)
		same +=
		    strncmp(d->capture[i].name, kinds[shape].name, strlen(kinds[shape].name)) == 0;
	struct guess *g = &d->capture[d->captures_n++];
	if (same)
		snprintf(g->name, sizeof g->name, "%s%u", kinds[shape].name, same + 1);
	else
		snprintf(g->name, sizeof g->name, "%s", kinds[shape].name);
	g->class = kinds[shape].class;
	g->max = kinds[shape].max;
	if (shape == SHAPE_VERSION && !d->version)
		d->version = g->name;
	if (shape != SHAPE_VERSION && !d->identity) {
		d->identity = g->name;
		d->identity_shape = shape;
	}
	return g;
}

static void
put(struct draft *d, struct writer *w, struct view v)
{
	const struct guess *g = add_capture(d, shape_of(v));
	if (g)
		writer_textf(w, "{%s}", g->name);
	else
		writer_bytes(w, v);
}

/* Cuts a path at "/" and a file name before its extension. */
static void
guess_path(struct draft *d, struct view path)
{
	size_t start = 0;
	for (size_t i = 0; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		struct view segment = view_of(path.p + start, i - start);
		size_t stem = segment.n;
		while (stem > 0 && segment.p[stem - 1] != '.')
			stem--;
		/* ".bin" is an extension, ".3" of a version is not. */
		bool extension = i == path.n && stem > 1 && stem < segment.n &&
		    !digits_only(view_of(segment.p + stem, segment.n - stem));
		if (extension) {
			put(d, &d->path, view_of(segment.p, stem - 1));
			writer_bytes(&d->path, view_of(segment.p + stem - 1, segment.n - stem + 1));
		} else if (segment.n > 0) {
			put(d, &d->path, segment);
		}
		if (i < path.n)
			writer_u8(&d->path, '/');
		start = i + 1;
	}
}

/* Only parameters worth a capture are listed; the rest is ignored by matching anyway. */
static void
guess_query(struct draft *d, struct view query)
{
	unsigned n = 0;
	for (size_t at = 0; at < query.n && n < PROFILE_PARAMS_MAX;) {
		const uint8_t *amp = memchr(query.p + at, '&', query.n - at);
		size_t end = amp ? (size_t)(amp - query.p) : query.n;
		const uint8_t *eq = end > at ? memchr(query.p + at, '=', end - at) : NULL;
		size_t name = eq ? (size_t)(eq - query.p) - at : 0;
		struct view key = view_of(query.p + at, name);
		struct view value =
		    eq ? view_of(eq + 1, end - at - name - 1) : view_of(query.p + at, end - at);
		char text[PROFILE_TEXT_MAX + 1];
		at = end + 1;
		if (value.n == 0 || key.n > PROFILE_WORD_MAX || shape_of(value) == SHAPE_LITERAL)
			continue;
		snprintf(text, sizeof text, "%.*s=x", (int)key.n, (const char *)key.p);
		if (key.n > 0 && config_form_check(CONFIG_FORM_PARAM, text))
			continue; /* a name no profile can have */
		const struct guess *g = add_capture(d, shape_of(value));
		if (!g)
			break;
		writer_textf(&d->query, "%s\"%.*s%s{%s}\"", n++ ? ", " : "", (int)key.n,
		    (const char *)key.p, key.n ? "=" : "", g->name);
	}
}

static void
write_captures(const struct draft *d, struct writer *w)
{
	if (d->captures_n == 0)
		return;
	writer_text(w, "\tcaptures = {\n");
	for (unsigned i = 0; i < d->captures_n; i++)
		writer_textf(w, "\t\t%s = { class = \"%s\"; max = %u; };\n", d->capture[i].name,
		    d->capture[i].class, d->capture[i].max);
	writer_text(w, "\t};\n");
}

static void
write_identity(const struct draft *d, struct writer *w)
{
	static const char *const kinds[] = {
		[SHAPE_IMEI] = "imei",
		[SHAPE_ICCID] = "iccid",
		[SHAPE_ID] = "serial",
	};
	if (!d->identity) {
		writer_text(w,
		    "\t# The request shows no identity. Name one: a client certificate (A), a token (B) or\n"
		    "\t# the address in networks (C).\n"
		    "\t#identity = ( { class = \"A\"; kind = \"cert\"; from = \"client_cert\"; } );\n");
		return;
	}
	writer_text(w,
	    "\t# Class D is what a request claims; a certificate (A) or network (C) is worth more.\n");
	writer_textf(w,
	    "\tidentity = ( { class = \"D\"; kind = \"%s\"; from = \"capture:%s\"; %s} );\n",
	    kinds[d->identity_shape], d->identity,
	    d->identity_shape == SHAPE_IMEI ? "check = \"luhn\"; " : "");
}

static void
write_profile(const struct draft *d, const struct profile_sighting *s, const char *host,
    const char *name, struct writer *w)
{
	struct view path = writer_view(&d->path), query = writer_view(&d->query);
	writer_text(w,
	    "# Draft made from a recorded request. Lines that start with \"#\" and a key are for a person\n"
	    "# to decide; the file is refused until they are written. See fotagate.conf(5).\n"
	    "profile = {\n");
	writer_textf(w, "\tname = \"%s\";\n", name);
	writer_text(w, "\t#supplier = \"...\"; # one of suppliers in fotagate.conf\n");
	writer_textf(
	    w, "\tlisteners = [ \"%.*s\" ];\n", (int)s->listener.n, (const char *)s->listener.p);
	if (host[0] != '\0')
		writer_textf(w, "\thosts = [ \"%s\" ];\n", host);
	else
		writer_text(w, "\tany_host = true;\n");
	writer_textf(w, "\tpath = \"%.*s\";\n", (int)path.n, (const char *)path.p);
	if (query.n > 0)
		writer_textf(w, "\tquery = [ %.*s ];\n", (int)query.n, (const char *)query.p);
	write_captures(d, w);
	writer_textf(w, "\tproduct = \"fixed:%s\"; # or capture:NAME\n", name);
	writer_text(
	    w, "\t# Does a version in the request say what the module has, or what it wants?\n");
	if (d->version)
		writer_textf(w,
		    "\t#target_version = \"capture:%s\";\n\t#current_version = \"capture:%s\";\n",
		    d->version, d->version);
	write_identity(d, w);
	writer_text(w,
	    "\t# Known not to harm clients that look at the status; for others see\n"
	    "\t# NOTHING FOR YOU YET in fotagate.conf(5).\n"
	    "\tnot_now = { status = 404; };\n"
	    "\t# Without upstream nothing is fetched and images are imported. No identity may be in it.\n"
	    "\t#upstream = \"https://.../...\";\n"
	    "\t#signature = { scheme = \"cms-detached\"; anchors = [ \"....pem\" ]; };\n"
	    "\t# How many people must sign is left out on purpose: there is no default to forget about.\n"
	    "\t#quorum = 2;\n"
	    "};\n");
}

int
profile_draft(const struct profile_sighting *s, const char *name, struct writer *w)
{
	static const struct config empty;
	char host[PROFILE_HOST_MAX + 1] = "", listener[PROFILE_WORD_MAX + 1];
	enum profile_miss why = PROFILE_MISS_NONE;
	struct profile_hit hit;
	struct profile_request r = {
		.listener = s->listener, .host = s->host, .path = s->path, .query = s->query
	};
	/* The same rules as for matching: a request in another form is nobody's. */
	if (profile_match(&empty, &r, &hit, &why) != FG_ENOTFOUND || why != PROFILE_MISS_NO_PROFILE)
		return FG_EFORMAT;
	if (s->listener.n == 0 || s->listener.n > PROFILE_WORD_MAX ||
	    config_form_check(CONFIG_FORM_WORD, name) || strlen(name) > PROFILE_WORD_MAX)
		return FG_EFORMAT;
	memcpy(listener, s->listener.p, s->listener.n);
	listener[s->listener.n] = '\0';
	if (config_form_check(CONFIG_FORM_WORD, listener))
		return FG_EFORMAT;
	if (s->host.n > 0 && !profile_host_normal(s->host, host))
		return FG_EFORMAT;
	struct draft d = { .captures_n = 0 };
	writer_init(&d.path, PROFILE_PATH_MAX);
	writer_init(&d.query, 2 * PROFILE_QUERY_MAX);
	guess_path(&d, s->path);
	guess_query(&d, s->query);
	int err = writer_err(&d.path) ? writer_err(&d.path) : writer_err(&d.query);
	if (!err)
		write_profile(&d, s, host, name, w);
	writer_free(&d.path);
	writer_free(&d.query);
	return err ? err : writer_err(w);
}
