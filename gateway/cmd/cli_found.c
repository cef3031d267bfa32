/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_found.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/wipe.h"

#define DAY 86400

/* ---- genesis ---- */

static int
no(char *why, size_t cap, const char *text)
{
	snprintf(why, cap, "%s", text);
	return FG_EINVAL;
}

/* What genesis_parse would say of it is what is wrong with it. */
static int
check_again(const struct genesis *g, struct view text, char *why, size_t cap)
{
	struct genesis *again = calloc(1, sizeof *again);
	if (!again)
		return FG_ENOMEM;
	int err = genesis_parse(text, again, why, cap);
	if (!err && strcmp(again->origin, g->origin))
		err = FG_EFORMAT;
	free(again);
	return err == FG_EFORMAT ? FG_EINVAL : err;
}

static const char *
bad_choice(const struct genesis *g)
{
	const char *host_end = strchrnul(g->origin, '/');
	size_t host = (size_t)(host_end - g->origin), suffix = strlen(GENESIS_DEMO_SUFFIX);
	bool demo_name = host > suffix && strncmp(host_end - suffix, GENESIS_DEMO_SUFFIX, suffix) == 0;
	if (!g->demo && demo_name)
		return "names that end in .invalid are for demonstrations (--demo)";
	if (g->floor_production > signers_persons(&g->set))
		return "the floor for production is more than there are persons: name more signers, or lower --floor-production";
	if (g->floor_production < g->floor_canary)
		return "the floor for production lies below the one for canaries";
	return NULL;
}

int
cli_found_genesis(struct cli_found *f, struct writer *text, char *why, size_t cap)
{
	struct genesis *g = &f->genesis;
	char name[NOTE_NAME_MAX + 1];
	struct writer vkey;
	if (!note_name_is_valid(view_str(g->origin)) ||
	    snprintf(name, sizeof name, "%s" CLI_FOUND_WARDEN, g->origin) >= (int)sizeof name)
		return no(why, cap, "an origin is at most 120 printable characters without blank and \"+\", "
		    "like gate.example.net/fotagate");
	if (note_signer_generate(g->origin, NOTE_TYPE_ED25519, &f->log) ||
	    note_signer_generate(name, NOTE_TYPE_COSIGNATURE, &f->cosign) ||
	    RAND_bytes(f->epoch, sizeof f->epoch) != 1 || RAND_bytes(g->instance, sizeof g->instance) != 1)
		return FG_ECRYPTO;
	writer_init(&vkey, sizeof g->log_vkey - 1);
	note_key_write(&f->log.key, &vkey);
	int err = writer_err(&vkey);
	if (!err)
		snprintf(g->log_vkey, sizeof g->log_vkey, "%.*s", (int)vkey.n, (const char *)vkey.p);
	writer_free(&vkey);
	if (!err && bad_choice(g))
		return no(why, cap, bad_choice(g));
	if (!err)
		err = signers_check(&g->set, why, cap);
	if (!err && genesis_encode(g, text))
		return no(why, cap, "the origin holds something no origin may hold (a blank, a quote, anything but ASCII)");
	return err ? err : check_again(g, writer_view(text), why, cap);
}

void
cli_found_wipe(struct cli_found *f)
{
	note_signer_wipe(&f->log);
	note_signer_wipe(&f->cosign);
	wipe(f->epoch, sizeof f->epoch);
}

/* ---- signers ---- */

const char *
cli_found_signer(const char *who, struct view pub, int64_t now, int64_t days, bool require_uv, struct signer *ret)
{
	const char *why = "not one line of an OpenSSH public key";
	/* The pair "PRINCIPAL KEYFILE" may still hang on it. */
	size_t n = strcspn(who, " "), name = strcspn(who, "= ");
	*ret = (struct signer){ .valid_after = now - now % DAY, .valid_before = now - now % DAY + days * DAY };
	if (name == 0 || name >= sizeof ret->principal)
		return "a principal is a name of at most 95 characters, like alice@example.net";
	memcpy(ret->principal, who, name);
	if (name < n && n - name - 1 >= sizeof ret->user)
		return "a unix account has at most 31 characters";
	if (name < n)
		memcpy(ret->user, who + name + 1, n - name - 1);
	if (sshkey_parse_line(pub, &ret->key, NULL, 0, &why))
		return why;
	ret->require_uv = require_uv && sshkey_is_sk(&ret->key);
	return NULL;
}

/* ---- configuration ---- */

bool
cli_found_listener(const char *text, struct cli_found_listener *ret)
{
	struct cli_found_listener l = { .tls = false };
	const char *eq = strchr(text, '='), *colon = strrchr(text, ':');
	if (!eq || !colon || colon < eq || (size_t)(eq - text) >= sizeof l.name)
		return false;
	memcpy(l.name, text, (size_t)(eq - text));
	size_t digits = strcspn(colon + 1, "/");
	uint64_t port;
	if (!decimal_parse(view_of(colon + 1, digits), 65535, &port))
		return false;
	l.port = (int64_t)port;
	l.tls = strcmp(colon + 1 + digits, "/tls") == 0;
	if (!l.tls && colon[1 + digits])
		return false;
	const char *address = eq + 1, *end = colon;
	if (address[0] == '[' && end[-1] == ']') {
		address++;
		end--;
	}
	if (end <= address || (size_t)(end - address) >= sizeof l.address)
		return false;
	memcpy(l.address, address, (size_t)(end - address));
	*ret = l;
	return true;
}

static void
put_listener(const struct cli_found_listener *l, bool last, struct writer *w)
{
	writer_textf(w, "\t{\n\t\tname = \"%s\";\n\t\taddress = \"%s\";\n\t\tport = %d;\n", l->name, l->address, (int)l->port);
	if (l->tls)
		writer_textf(w, "\t\ttls = true;\n\t\tcert = \"%s.crt\"; # in keys_dir; replace it by one that modules trust\n"
		    "\t\tkey = \"%s.key\";\n", l->name, l->name);
	writer_textf(w, "\t}%s\n", last ? "" : ",");
}

static void
put_console(const struct cli_found_listener *web, struct writer *w)
{
	bool on = web->address[0] != '\0';
	const char *off = on ? "" : "#";
	writer_text(w, "\n# Where people reach the gateway with a browser, by HTTPS only; fotagate console setup-code makes\n"
	    "# the first account. ");
	writer_text(w, on ? "Replace the certificate by one that browsers trust.\n" :
		"Nothing listens before these lines have lost their # and the files lie in keys_dir.\n");
	writer_textf(w, "%sconsole = {\n%s\taddress = \"%s\";\n%s\tport = %d;\n", off, off, on ? web->address : "127.0.0.1",
	    off, on ? (int)web->port : 8443);
	writer_textf(w, "%s\tcert = \"console.crt\";\n%s\tkey = \"console.key\";\n%s};\n", off, off, off);
}

/* What we write is checked like what anybody else writes. */
static int
check_config(struct view text)
{
	struct config_problems *problems = calloc(1, sizeof *problems);
	struct config *conf = NULL;
	const struct config_file file = { "fotagate.conf", text };
	if (!problems)
		return FG_ENOMEM;
	int err = config_parse(&file, 1, &conf, problems);
	for (unsigned i = 0; err && i < problems->n; i++)
		fprintf(stderr, "fotagate: %s\n", problems->at[i].text);
	config_free(conf);
	free(problems);
	return err == FG_EFORMAT ? FG_EINVAL : err;
}

int
cli_found_config(const struct cli_place *p, bool demo, const struct cli_found_listener *listeners, unsigned n,
    const struct cli_found_listener *web, struct writer *w)
{
	writer_text(w, "# fotagate.conf - made by fotagate init; see fotagate.conf(5). Check with: fotagate profile check\n"
		       "# Vendor profiles are files beside it, profiles.d/NAME.conf.\n\n");
	if (!p->system)
		writer_textf(w, "data_dir = \"%s\";\nkeys_dir = \"%s\";\nrun_dir = \"%s\";\n\n", p->data, p->keys, p->run);
	if (demo)
		writer_text(w, "# A demonstration: loopback only, and it can never become a real gateway.\ndemo = true;\n\n");
	writer_text(w, "listeners = (\n");
	for (unsigned i = 0; i < n; i++)
		put_listener(&listeners[i], i + 1 == n, w);
	writer_text(w, ");\n");
	put_console(web, w);
	writer_text(w, "\n# Who makes the firmware; profiles name one of these.\n");
	writer_text(w, "suppliers = (");
	if (demo)
		writer_text(w, "\n\t{ name = \"demo-vendor\"; legal_entity = \"Demo Vendor Ltd\"; country = \"DE\"; }\n");
	writer_text(w, demo ? ");\n" : " );\n");
	int err = writer_err(w);
	return err ? err : check_config(writer_view(w));
}
