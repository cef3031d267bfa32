/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "crypto/visible.h"
#include "gateway/cmd/cli_cert.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_found.h"
#include "gateway/cmd/cli_keygen.h"
#include "gateway/cmd/cli_policy_bundle.h"
#include "gateway/cmd/cli_seal.h"

#define USAGE \
	"init [--dir DIR] --origin NAME --threshold K --signer 'PRINCIPAL[=ACCOUNT] KEY.pub' ...\n" \
	"       [--valid-days N] [--require-uv] [--floor-canary N] [--floor-production N] [--canary-max N]\n" \
	"       [--listener NAME=ADDRESS:PORT[/tls] ...] [--tls-name HOST ...]\n" \
	"       [--console ORIGIN] [--console-listener ADDRESS:PORT|none]\n" \
	"       [--signed-policy | --unsigned-policy] [--break-glass MODULES,DELAY] [--json]\n" \
	"       fotagate init --dir DIR --demo [--origin NAME] [--listener ...] [--console ORIGIN]\n" \
	"       [--console-listener ADDRESS:PORT|none] [--signed-policy | --unsigned-policy]\n" \
	"       [--break-glass MODULES,DELAY] [--json]\n" \
	"       fotagate init --seal [DIR] SIGNATURE ..."
#define DEMO_ORIGIN "demo.invalid"
#define CONSOLE_HOST "localhost" /* a name of this machine's alone that passkeys can belong to */
#define CONSOLE_PORT 8443
#define CONSOLE_NONE "none"
#define DAYS_MAX 3650 /* a key nobody looked at for ten years is nobody's */
#define TLS_DAYS 365
#define HOST_MAX 64

static const char *const demo_people[] = { "alice", "bob" };
#define DEMO_PEOPLE 2

struct init {
	struct cli_args args;
	bool seal, demo, require_uv, signed_policy, unsigned_policy;
	const char *origin, *console, *console_at, *glass;
	int64_t threshold, valid_days, floor_canary, floor_production, canary_max;
	struct cli_opt_list signers, listeners, tls_names;
	struct cli_place place;
	struct cli_found found;
	struct cli_found_listener listener[CLI_FOUND_LISTENERS_MAX];
	unsigned listener_n;
	struct cli_found_listener web; /* the console's; no address: none */
	struct cli_opt_list web_names;
	char web_host[SIGNERS_CONSOLE_MAX];
	char host[HOST_MAX + 1];
	char demo_origin[SIGNERS_ORIGIN_MAX];
	char demo_pub[DEMO_PEOPLE][CLI_OPT_PATH_MAX], demo_who[DEMO_PEOPLE][SIGNERS_PRINCIPAL_MAX];
	struct writer genesis; /* canonical text */
	int64_t now;
};

static int
usage_error(const struct init *in, const char *why, const char *what)
{
	return cli_opt_fail(&in->args.common, CLI_USAGE, "USAGE", "usage: fotagate " USAGE, "%s%s%s", what ? what : "",
	    what ? ": " : "", why);
}

static int
local(const struct init *in, const char *what, int err)
{
	return cli_opt_fail(&in->args.common, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", what, err_why(err));
}

/* ---- what was asked for ---- */

static int
choose_listeners(struct init *in)
{
	const char *const usual[] = {
		in->demo ? "modules=127.0.0.1:8080" : "modules=0.0.0.0:8080",
		in->demo ? "modules-tls=127.0.0.1:8444/tls" : "modules-tls=0.0.0.0:8444/tls",
	};
	unsigned n = in->listeners.n ? in->listeners.n : 2;
	const char *const *texts = in->listeners.n ? in->listeners.at : usual;
	if (n > CLI_FOUND_LISTENERS_MAX)
		return usage_error(in, "too many listeners", NULL);
	for (unsigned i = 0; i < n; i++)
		if (!cli_found_listener(texts[i], &in->listener[i]))
			return usage_error(in, "a listener is NAME=ADDRESS:PORT, with /tls behind it for HTTPS", texts[i]);
	in->listener_n = n;
	return 0;
}

static int
choose_names(struct init *in)
{
	if (in->tls_names.n == 0 && in->demo) {
		in->tls_names = (struct cli_opt_list){ .n = 2, .at = { "localhost", "127.0.0.1" } };
	} else if (in->tls_names.n == 0) {
		bool named = gethostname(in->host, HOST_MAX) == 0 && cli_cert_name(in->host);
		in->tls_names = (struct cli_opt_list){ .n = 1, .at = { named ? in->host : "localhost" } };
	}
	for (unsigned i = 0; i < in->tls_names.n; i++)
		if (!cli_cert_name(in->tls_names.at[i]))
			return usage_error(in, "not a host name or address in lower case", in->tls_names.at[i]);
	return in->tls_names.n > CLI_CERT_NAMES_MAX ? usage_error(in, "too many names", "--tls-name") : 0;
}

/*
 * The console's listener and the origin where passkeys may sign are one place: what of them was not said follows from
 * what was. Nothing is opened to people on a real gateway unless somebody asked for it.
 */
static int
choose_console(struct init *in)
{
	char *origin = in->found.genesis.set.console, text[sizeof "console=" + CIDR_TEXT_MAX + sizeof "[]:65535/tls"];
	const size_t cap = sizeof in->found.genesis.set.console;
	bool none = in->console_at ? strcmp(in->console_at, CONSOLE_NONE) == 0 : !in->demo;
	int port = CONSOLE_PORT;
	if (in->console && !signers_console_ok(in->console))
		return usage_error(in, "must be https:// and a host name in lower case, with a port unless it is 443", "--console");
	if (in->console) {
		const char *colon = strrchr(in->console, ':');
		port = colon[1] == '/' ? 443 : (int)strtol(colon + 1, NULL, 10); /* the colon of "https:" is the last one then */
	}
	int n = in->console_at ? snprintf(text, sizeof text, "console=%s", in->console_at) :
	    snprintf(text, sizeof text, "console=127.0.0.1:%d", port);
	if (!none && (n >= (int)sizeof text || !cli_found_listener(text, &in->web) || in->web.tls))
		return usage_error(in, "is ADDRESS:PORT, or none", "--console-listener");
	if (in->web.address[0] && in->web.port)
		port = (int)in->web.port;
	if (in->console)
		snprintf(origin, cap, "%s", in->console);
	else if (in->demo && port == 443)
		snprintf(origin, cap, "https://" CONSOLE_HOST);
	else if (in->demo)
		snprintf(origin, cap, "https://" CONSOLE_HOST ":%d", port);
	return 0;
}

static int
add_console_name(struct init *in, const char *name)
{
	struct cli_opt_list *l = &in->web_names;
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->at[i], name) == 0)
			return 0;
	if (l->n == CLI_CERT_NAMES_MAX)
		return usage_error(in, "too many names", "--tls-name");
	l->at[l->n++] = name;
	return 0;
}

/* The console answers only to names in its certificate: those of the TLS listeners, the origin's, and this machine's own. */
static int
choose_console_names(struct init *in)
{
	const char *origin = in->found.genesis.set.console, *host = origin + (origin[0] ? strlen("https://") : 0);
	if (!in->web.address[0])
		return 0;
	in->web_names = in->tls_names;
	snprintf(in->web_host, sizeof in->web_host, "%.*s", (int)strcspn(host, ":"), host);
	if (in->web_host[0] && !cli_cert_name(in->web_host))
		return usage_error(in, "no certificate can name its host", "--console");
	int status = in->web_host[0] ? add_console_name(in, in->web_host) : 0;
	bool loopback = strncmp(in->web.address, "127.", 4) == 0 || strcmp(in->web.address, "::1") == 0;
	return status || !loopback ? status : add_console_name(in, CONSOLE_HOST);
}

static bool
ends_in_invalid(const char *origin)
{
	size_t host = strcspn(origin, "/"), n = strlen(GENESIS_DEMO_SUFFIX);
	return host > n && strncmp(origin + host - n, GENESIS_DEMO_SUFFIX, n) == 0;
}

/* A demo's people come with it; everything else of a demo is like a real gateway's. */
static int
choose_demo(struct init *in)
{
	const char *origin = in->origin ? in->origin : DEMO_ORIGIN;
	int host = (int)strcspn(origin, "/");
	if (!in->args.common.dir)
		return usage_error(in, "a demonstration lies in a directory of its own: name it with --dir", NULL);
	if (in->signers.n)
		return usage_error(in, "a demonstration brings its own people", "--signer");
	if (!ends_in_invalid(origin)) {
		if (snprintf(in->demo_origin, sizeof in->demo_origin, "%.*s" GENESIS_DEMO_SUFFIX "%s", host, origin,
			origin + host) >= (int)sizeof in->demo_origin)
			return usage_error(in, "too long", "--origin");
		origin = in->demo_origin;
	}
	in->origin = origin;
	in->threshold = in->threshold ? in->threshold : DEMO_PEOPLE;
	return 0;
}

/* "5,900": five modules, fifteen minutes. */
static int
choose_glass(struct init *in)
{
	struct genesis_glass *g = &in->found.genesis.glass;
	uint64_t modules, delay;
	const char *comma = in->glass ? strchr(in->glass, ',') : NULL;
	if (!in->glass)
		return 0;
	if (!comma || !decimal_parse(view_of((const uint8_t *)in->glass, (size_t)(comma - in->glass)), UINT32_MAX, &modules) ||
	    !decimal_parse(view_str(comma + 1), UINT32_MAX, &delay))
		return usage_error(in, "is MODULES,DELAY: how many modules (0: only of an image released before), and seconds",
		    "--break-glass");
	if (delay < (in->demo ? 1 : GENESIS_GLASS_DELAY_MIN) || delay > GENESIS_GLASS_DELAY_MAX)
		return usage_error(in, "its delay is 300 to 43200 seconds", "--break-glass");
	if (in->floor_production < 2)
		return usage_error(in, "where one person is enough anyway there is no break-glass", "--break-glass");
	*g = (struct genesis_glass){ .delay = (uint32_t)delay, .max_devices = (uint32_t)modules };
	return 0;
}

static int
choose(struct init *in)
{
	struct genesis *g = &in->found.genesis;
	int status = in->demo ? choose_demo(in) : 0;
	if (status)
		return status;
	if (in->signed_policy && in->unsigned_policy)
		return usage_error(in, "people sign the policy, or they do not", "--unsigned-policy");
	if (!in->origin || !in->threshold || (!in->demo && !in->signers.n))
		return usage_error(in, "a gateway needs --origin, --threshold and a --signer for everyone who may sign", NULL);
	if (snprintf(g->origin, sizeof g->origin, "%s", in->origin) >= (int)sizeof g->origin)
		return usage_error(in, "too long", "--origin");
	g->signed_policy = !in->unsigned_policy;
	g->demo = in->demo;
	status = choose_glass(in);
	if (status)
		return status;
	g->floor_canary = (uint32_t)in->floor_canary;
	g->floor_production = (uint32_t)in->floor_production;
	g->canary_max = (uint32_t)in->canary_max;
	g->set.threshold = (uint32_t)in->threshold;
	g->set.time = in->now;
	status = choose_listeners(in);
	if (!status)
		status = choose_console(in);
	if (!status)
		status = choose_names(in);
	return status ? status : choose_console_names(in);
}

/* ---- what may not be there yet ---- */

static int
refuse_if_there(struct init *in)
{
	static const char *const keys[] = { "log.key", "cosign.key", "epoch.key" };
	char path[CLI_OPT_PATH_MAX];
	bool there = cli_place_path(in->place.data, "authority/genesis.json", path) && access(path, F_OK) == 0;
	for (size_t i = 0; !there && i < sizeof keys / sizeof keys[0]; i++)
		there = cli_place_path(in->place.keys, keys[i], path) && access(path, F_OK) == 0;
	if (there)
		return cli_opt_fail(&in->args.common, CLI_REFUSED, "EXISTS",
		    "Nothing is overwritten: keys and genesis of a gateway are made once. Choose another directory.",
		    "%s: there is a gateway already", path);
	if (in->place.have_config && in->console_at && in->web.address[0])
		return cli_opt_fail(&in->args.common, CLI_REFUSED, "CONFIG",
		    "Leave --console-listener out, and write its section: see console in fotagate.conf(5).",
		    "%s: is there and is kept as it is, so that no console can be written into it", in->place.config);
	if (in->place.have_config && in->place.config_demo != in->demo)
		return cli_opt_fail(&in->args.common, CLI_REFUSED, "CONFIG", "Set demo in it as --demo says, or take it away.",
		    "%s: says demo = %s", in->place.config, in->place.config_demo ? "true" : "false");
	return 0;
}

/* ---- people ---- */

static int
make_person(struct init *in, const char *folder, unsigned i)
{
	char key[CLI_OPT_PATH_MAX];
	const char *name = demo_people[i];
	if (!cli_place_path(folder, name, key))
		return CLI_USAGE;
	snprintf(in->demo_who[i], sizeof in->demo_who[i], "%s@demo.invalid", name);
	if (snprintf(in->demo_pub[i], sizeof in->demo_pub[i], "%s.pub", key) >= (int)sizeof in->demo_pub[i])
		return CLI_USAGE;
	if (access(key, F_OK) == 0)
		return cli_opt_fail(&in->args.common, CLI_REFUSED, "EXISTS", "Nothing is overwritten: choose another directory.",
		    "%s: is there already", key);
	if (cli_keygen_make(key, in->demo_who[i]))
		return cli_opt_fail(&in->args.common, CLI_COULD_NOT, "LOCAL", "Install openssh-client.",
		    "ssh-keygen could not make a key for %s", name);
	cli_place_note(&in->place, key);
	cli_place_note(&in->place, in->demo_pub[i]);
	in->signers.at[i] = in->demo_who[i];
	in->signers.with[i] = in->demo_pub[i];
	in->signers.n = i + 1;
	return 0;
}

static int
make_people(struct init *in)
{
	char folder[CLI_OPT_PATH_MAX];
	int status = cli_place_path(in->place.root, "people", folder) ?
	    cli_place_folder(&in->args.common, &in->place, folder, 0700, NULL) : CLI_USAGE;
	for (unsigned i = 0; i < DEMO_PEOPLE && !status; i++)
		status = make_person(in, folder, i);
	return status;
}

static int
take_signers(struct init *in)
{
	struct signers *set = &in->found.genesis.set;
	for (unsigned i = 0; i < in->signers.n; i++) {
		uint8_t *bytes = NULL;
		size_t n = 0;
		int err = cli_file_read(NULL, in->signers.with[i], SSHKEY_LINE_MAX, &bytes, &n);
		if (err)
			return local(in, in->signers.with[i], err);
		const char *why = cli_found_signer(in->signers.at[i], view_of(bytes, n), in->now, in->valid_days, in->require_uv,
		    &set->signer[i]);
		free(bytes);
		if (why)
			return cli_opt_fail(&in->args.common, CLI_USAGE, "SIGNER",
			    "Approvers need ssh-ed25519, sk-ssh-ed25519 or sk-ecdsa-sha2-nistp256 keys (ssh-keygen -t ed25519-sk).",
			    "%.*s (%s): %s", (int)strcspn(in->signers.at[i], " "), in->signers.at[i], in->signers.with[i], why);
		set->n = i + 1;
	}
	return 0;
}

/* ---- files ---- */

static int
write_key(struct init *in, const char *name, const struct note_signer *signer)
{
	char path[CLI_OPT_PATH_MAX];
	struct writer w;
	writer_init(&w, 1024);
	note_signer_write(signer, &w);
	writer_u8(&w, '\n');
	int status = writer_err(&w) ? local(in, name, writer_err(&w)) :
	    !cli_place_path(in->place.keys, name, path) ? CLI_USAGE :
	    cli_place_file(&in->args.common, &in->place, path, 0600, writer_view(&w));
	writer_free(&w);
	return status;
}

static int
write_certificate(struct init *in, const struct cli_found_listener *l, const struct cli_opt_list *names)
{
	char name[PROFILE_WORD_MAX + 8], crt[CLI_OPT_PATH_MAX], key[CLI_OPT_PATH_MAX];
	struct writer cert, secret;
	writer_init(&cert, 65536);
	writer_init(&secret, 65536);
	snprintf(name, sizeof name, "%s.crt", l->name);
	int status = cli_place_path(in->place.keys, name, crt) ? 0 : CLI_USAGE;
	snprintf(name, sizeof name, "%s.key", l->name);
	if (!status && !cli_place_path(in->place.keys, name, key))
		status = CLI_USAGE;
	int err = status ? 0 : cli_cert_make(names->at, names->n, in->now, TLS_DAYS, &cert, &secret);
	if (err)
		status = local(in, "TLS certificate", err);
	if (!status)
		status = cli_place_file(&in->args.common, &in->place, crt, 0644, writer_view(&cert));
	if (!status)
		status = cli_place_file(&in->args.common, &in->place, key, 0600, writer_view(&secret));
	writer_free(&cert);
	writer_free(&secret);
	return status;
}

static int
write_config(struct init *in)
{
	char path[CLI_OPT_PATH_MAX];
	struct writer w;
	if (in->place.have_config)
		return 0;
	writer_init(&w, CONFIG_FILE_MAX);
	int err = cli_found_config(&in->place, in->demo, in->listener, in->listener_n, &in->web, &w), status;
	if (err == FG_EINVAL)
		status = usage_error(in, "the configuration would not be accepted, see above", NULL);
	else
		status = err ? local(in, in->place.config, err) :
		    cli_place_file(&in->args.common, &in->place, in->place.config, 0644, writer_view(&w));
	writer_free(&w);
	for (unsigned i = 0; i < in->listener_n && !status; i++)
		if (in->listener[i].tls)
			status = write_certificate(in, &in->listener[i], &in->tls_names);
	if (!status && in->web.address[0])
		status = write_certificate(in, &in->web, &in->web_names);
	if (!status && cli_place_path(in->place.root, "profiles.d", path))
		status = cli_place_folder(&in->args.common, &in->place, path, 0755, NULL);
	return status;
}

/* The first policy is what the configuration comes to now; whoever signs the genesis signs it. */
static int
take_policy(struct init *in)
{
	struct policy_bundle *b = NULL;
	int err = cli_policy_bundle(in->place.config, &b, NULL);
	if (err)
		return cli_opt_fail(&in->args.common, err == FG_EINVAL ? CLI_REFUSED : CLI_COULD_NOT, "CONFIG",
		    "Put it in order, or take what is not needed yet out of it.", "%s: cannot be the first policy",
		    in->place.config);
	policy_bundle_put(b, &in->found.genesis.policy);
	policy_bundle_free(b);
	return 0;
}

static int
write_all(struct init *in)
{
	char path[CLI_OPT_PATH_MAX], why[256] = "";
	bool is_signed = in->found.genesis.signed_policy;
	int status = is_signed ? write_config(in) : 0;
	if (!status && is_signed)
		status = take_policy(in);
	if (status)
		return status;
	int err = cli_found_genesis(&in->found, &in->genesis, why, sizeof why);
	if (err)
		return err == FG_EINVAL ? usage_error(in, why, NULL) : local(in, "genesis", err);
	status = write_key(in, "log.key", &in->found.log);
	if (!status)
		status = write_key(in, "cosign.key", &in->found.cosign);
	if (!status && cli_place_path(in->place.keys, "epoch.key", path))
		status = cli_place_file(&in->args.common, &in->place, path, 0600,
		    view_of(in->found.epoch, sizeof in->found.epoch));
	if (!status && !is_signed)
		status = write_config(in);
	if (!status && cli_place_path(in->place.data, "authority/genesis.json", path))
		status = cli_place_file(&in->args.common, &in->place, path, 0644, writer_view(&in->genesis));
	return status;
}

/* ---- a demo seals itself ---- */

static int
seal_demo(struct init *in, struct view trust)
{
	struct signers_signature sigs[DEMO_PEOPLE];
	struct writer armour[DEMO_PEOPLE];
	char key[CLI_OPT_PATH_MAX], path[CLI_OPT_PATH_MAX];
	int status = 0;
	for (unsigned i = 0; i < DEMO_PEOPLE; i++)
		writer_init(&armour[i], SSHSIG_ARMOR_MAX);
	for (unsigned i = 0; i < DEMO_PEOPLE && !status; i++) {
		snprintf(key, sizeof key, "%.*s", (int)(strlen(in->demo_pub[i]) - strlen(".pub")), in->demo_pub[i]);
		if (cli_keygen_sign(key, SIGNERS_NAMESPACE, writer_view(&in->genesis), true, &armour[i]))
			status = cli_opt_fail(&in->args.common, CLI_COULD_NOT, "LOCAL", NULL,
			    "ssh-keygen could not sign with %s", key);
		sigs[i].armour = writer_view(&armour[i]);
	}
	if (!status)
		status = cli_seal_store(&in->args.common, &in->place, sigs, demo_people, DEMO_PEOPLE);
	/* For trying out fotagate-verify; a real gateway's is kept elsewhere. */
	if (!status && cli_place_path(in->place.root, "people/trust.txt", path))
		status = cli_place_file(&in->args.common, &in->place, path, 0644, trust);
	for (unsigned i = 0; i < DEMO_PEOPLE; i++)
		writer_free(&armour[i]);
	return status;
}

/* ---- saying what was made ---- */

/* The private key beside KEY.pub, as a person would name it. */
static void
key_name(const char *pub, char dst[CLI_OPT_PATH_MAX])
{
	size_t n = strlen(pub);
	if (n > 4 && strcmp(pub + n - 4, ".pub") == 0)
		n -= 4;
	snprintf(dst, CLI_OPT_PATH_MAX, "%.*s", (int)n, pub);
}

static void
say_person(const struct init *in, unsigned i, struct jsonw *j)
{
	const struct signer *s = &in->found.genesis.set.signer[i];
	char print[SSHKEY_FINGERPRINT_CAP] = "", key[CLI_OPT_PATH_MAX], command[2 * CLI_OPT_PATH_MAX], plain[2 * CLI_OPT_PATH_MAX];
	sshkey_fingerprint(&s->key, print);
	key_name(in->signers.with[i], key);
	snprintf(command, sizeof command, "ssh-keygen -Y sign -n " SIGNERS_NAMESPACE " -f %s %s/authority/genesis.json", key,
	    in->place.data);
	if (j) {
		jsonw_object(j);
		jsonw_kcstr(j, "fingerprint", print);
		jsonw_kcstr(j, "principal", s->principal);
		visible_cstr(view_str(command), plain, sizeof plain); /* a path may hold anything */
		jsonw_kcstr(j, "sign", plain);
		jsonw_object_end(j);
	} else if (in->demo) {
		printf("  %-24s %s  (key: %s)\n", s->principal, print, key);
	} else {
		printf("  %s, %s\n    %s\n", s->principal, print, command);
	}
}

static void
say_json(const struct init *in, const char *instance, struct view trust)
{
	struct writer w;
	struct jsonw j;
	writer_init(&w, 1 << 20);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "config", in->place.config);
	jsonw_kcstr(&j, "console", in->found.genesis.set.console);
	jsonw_kcstr(&j, "data_dir", in->place.data);
	jsonw_kbool(&j, "demo", in->demo);
	jsonw_kcstr(&j, "instance", instance);
	jsonw_kcstr(&j, "log", in->found.genesis.log_vkey);
	jsonw_kcstr(&j, "origin", in->found.genesis.origin);
	jsonw_key(&j, "people");
	jsonw_array(&j);
	for (unsigned i = 0; i < in->signers.n; i++)
		say_person(in, i, &j);
	jsonw_array_end(&j);
	jsonw_kbool(&j, "sealed", in->demo);
	jsonw_kuint(&j, "threshold", in->found.genesis.set.threshold);
	jsonw_kstring(&j, "trust", trust);
	jsonw_object_end(&j);
	if (!writer_err(&w))
		printf("%.*s\n", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

static void
say_policy(const struct genesis *g)
{
	if (!g->signed_policy)
		printf("  policy         NOT SIGNED: whoever can write the configuration decides by which rules\n"
		       "                 people are asked\n");
	else
		printf("  policy         as the configuration has it now, with %u profile%s; another is in force when people\n"
		       "                 have signed it: fotagate policy propose\n", g->policy.n, g->policy.n == 1 ? "" : "s");
}

static void
say(const struct init *in, struct view trust)
{
	const struct genesis *g = &in->found.genesis;
	char instance[2 * sizeof g->instance + 1];
	hex_encode(g->instance, sizeof g->instance, instance);
	if (in->args.common.json) {
		say_json(in, instance, trust);
		return;
	}
	printf("Made %s%s.\n\n", in->demo ? "a demonstration: " : "", g->origin);
	printf("  configuration  %s%s\n  data           %s\n  keys           %s\n  instance       %s\n", in->place.config,
	    in->place.have_config ? " (as it was)" : "", in->place.data, in->place.keys, instance);
	if (in->web.address[0] && !in->place.have_config)
		printf("  console        %s port %d; its first account: fotagate console setup-code\n", in->web.address,
		    (int)in->web.port);
	if (g->set.console[0])
		printf("  passkeys of    %s\n", g->set.console);
	say_policy(g);
	printf("  quorum floors  %u up to %u modules, %u beyond\n\n", g->floor_canary, g->canary_max, g->floor_production);
	printf("Keep these two lines outside this machine; fotagate-verify --trust reads them:\n\n%.*s\n", (int)trust.n,
	    (const char *)trust.p);
	if (in->demo)
		printf("Its people (their keys have no passphrase; a real gateway never sees private keys):\n\n");
	else
		printf("It does not start before %u of these people have signed it, each with a key of their own:\n\n",
		    g->set.threshold);
	for (unsigned i = 0; i < in->signers.n; i++)
		say_person(in, i, NULL);
	if (in->demo)
		printf("\nIt is sealed. Start it: fotagated -c %s\n", in->place.config);
	else
		printf("\nCompare the digest above before signing. Then: fotagate init --seal%s%s SIGNATURE ...\n",
		    in->place.system ? "" : " ", in->place.system ? "" : in->place.root);
}

static int
run(struct init *in)
{
	struct writer trust;
	writer_init(&trust, 1024);
	int status = cli_place_find(&in->args.common, in->args.common.dir, true, &in->place);
	if (!status)
		status = refuse_if_there(in);
	if (!status)
		status = cli_place_folders(&in->args.common, &in->place);
	if (!status && in->demo)
		status = make_people(in);
	if (!status)
		status = take_signers(in);
	if (!status)
		status = write_all(in);
	int err = status ? 0 : cli_seal_trust(&in->found.genesis, writer_view(&in->genesis), &trust);
	if (err)
		status = local(in, "genesis", err);
	if (!status && in->demo)
		status = seal_demo(in, writer_view(&trust));
	if (status)
		cli_place_undo(&in->place);
	else
		say(in, writer_view(&trust));
	writer_free(&trust);
	return status;
}

int
cli_init(int argc, char **argv)
{
	struct init *in = calloc(1, sizeof *in);
	if (!in)
		return CLI_COULD_NOT;
	in->valid_days = 730;
	in->floor_canary = 1;
	in->floor_production = 2;
	in->canary_max = 50;
	in->now = (int64_t)time(NULL);
	const struct cli_opt opts[] = {
		{ "seal", CLI_OPT_FLAG, &in->seal, 0, 0, 0 },
		{ "demo", CLI_OPT_FLAG, &in->demo, 0, 0, 0 },
		{ "origin", CLI_OPT_TEXT, &in->origin, 0, 0, 0 },
		{ "threshold", CLI_OPT_NUMBER, &in->threshold, 1, SIGNERS_MAX, 0 },
		{ "signer", CLI_OPT_PAIRS, &in->signers, 0, 0, 0 },
		{ "valid-days", CLI_OPT_NUMBER, &in->valid_days, 1, DAYS_MAX, 0 },
		{ "require-uv", CLI_OPT_FLAG, &in->require_uv, 0, 0, 0 },
		{ "floor-canary", CLI_OPT_NUMBER, &in->floor_canary, 1, SIGNERS_MAX, 0 },
		{ "floor-production", CLI_OPT_NUMBER, &in->floor_production, 1, SIGNERS_MAX, 0 },
		{ "canary-max", CLI_OPT_NUMBER, &in->canary_max, 1, 1000000, 0 },
		{ "listener", CLI_OPT_LIST, &in->listeners, 0, 0, 0 },
		{ "console", CLI_OPT_TEXT, &in->console, 0, 0, 0 },
		{ "console-listener", CLI_OPT_TEXT, &in->console_at, 0, 0, 0 },
		{ "signed-policy", CLI_OPT_FLAG, &in->signed_policy, 0, 0, 0 },
		{ "break-glass", CLI_OPT_TEXT, &in->glass, 0, 0, 0 },
		{ "tls-name", CLI_OPT_LIST, &in->tls_names, 0, 0, 0 },
		{ "unsigned-policy", CLI_OPT_FLAG, &in->unsigned_policy, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	writer_init(&in->genesis, GENESIS_BYTES_MAX);
	int status = cli_opt_parse(argc, argv, opts, USAGE, 0, SIGNERS_MAX + 1, &in->args);
	if (status)
		status = cli_opt_end(status);
	else if (in->seal)
		status = cli_seal_run(&in->args);
	else if (in->args.n)
		status = usage_error(in, "not understood here", in->args.at[0]);
	else if (!(status = choose(in)))
		status = run(in);
	cli_found_wipe(&in->found);
	cli_place_end(&in->place);
	writer_free(&in->genesis);
	free(in);
	return status;
}
