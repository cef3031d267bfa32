/* SPDX-License-Identifier: Apache-2.0 */
/* sample - bundles for the policy tests, from texts with one line changed. */
#ifndef FG_TESTS_POLICY_SAMPLE_H
#define FG_TESTS_POLICY_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "policy/config.h"

#define SAMPLE_MAIN \
	"listeners = (\n" \
	"  { name = \"plain\"; address = \"127.0.0.1\"; port = 8080; },\n" \
	"  { name = \"tls\"; address = \"127.0.0.1\"; port = 8444; tls = true; cert = \"c.pem\"; key = \"k.pem\"; " \
	"client_ca = \"ca.pem\"; }\n" \
	");\n" \
	"suppliers = ( { name = \"acme\"; legal_entity = \"ACME Ltd\"; country = \"DE\"; } );\n"

/* Every line may be replaced by sample_profile_with(). */
#define SAMPLE_PROFILE \
	"profile = {\n" \
	"name = \"acme-rtr\";\n" \
	"supplier = \"acme\";\n" \
	"listeners = [ \"plain\", \"tls\" ];\n" \
	"hosts = [ \"fota.example\", \"*.cdn.example\" ];\n" \
	"path = \"/fw/{product}/{to}.bin\";\n" \
	"query = [ \"imei={imei}\", \"v?={from}\" ];\n" \
	"captures = { product = { class = \"word\"; max = 16; }; to = { class = \"version\"; max = 16; }; " \
	"imei = { class = \"digits\"; max = 15; }; from = { class = \"version\"; max = 16; }; };\n" \
	"product = \"capture:product\";\n" \
	"target_version = \"capture:to\";\n" \
	"current_version = \"capture:from\";\n" \
	"version_order = \"dotted\";\n" \
	"identity = ( { class = \"D\"; kind = \"imei\"; from = \"capture:imei\"; check = \"luhn\"; } );\n" \
	"upstream = \"https://up.example/get/{product}?v={to}\";\n" \
	"signature_url = \"https://up.example/get/{product}-{to}.p7s\";\n" \
	"signature = { scheme = \"cms-detached\"; anchors = [ \"ca.pem\" ]; };\n" \
	"quorum = 2;\n" \
	"};\n"

/* Parses main text and up to one profile text; problems may be looked at afterwards. */
static inline int
sample_parse(const char *main_text, const char *profile, struct config **ret, struct config_problems *problems)
{
	struct config_file f[2] = {
		{ "fotagate.conf", view_str(main_text) },
		{ "profiles.d/a.conf", view_str(profile) },
	};
	*ret = NULL;
	return config_parse(f, profile ? 2 : 1, ret, problems);
}

/* SAMPLE_PROFILE with the line that starts with key replaced (or, if there is none, line added); free(). */
static inline char *
sample_profile_with(const char *key, const char *line)
{
	const char *base = SAMPLE_PROFILE;
	char *out = calloc(1, strlen(base) + strlen(line) + 2);
	size_t len = strlen(key);
	int done = 0;
	if (!out)
		abort();
	for (const char *p = base; *p;) {
		size_t n = strcspn(p, "\n") + 1;
		int match = strncmp(p, key, len) == 0 && p[len] == ' ';
		int last = strcmp(p, "};\n") == 0;
		if ((match || last) && !done) {
			strcat(out, line);
			strcat(out, "\n");
			done = 1;
		}
		if (!match)
			strncat(out, p, n);
		p += n;
	}
	return out;
}

static inline int
sample_says(const struct config_problems *p, const char *file, unsigned line, const char *part)
{
	for (unsigned i = 0; i < p->n; i++)
		if ((!file || !strcmp(p->at[i].file, file)) && (!line || p->at[i].line == line) &&
		    strstr(p->at[i].text, part))
			return 1;
	for (unsigned i = 0; i < p->n; i++)
		fprintf(stderr, "  %s:%u: %s\n", p->at[i].file, p->at[i].line, p->at[i].text);
	fprintf(stderr, "  nothing says \"%s\" in line %u\n", part, line);
	return 0;
}

#endif
