/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config_schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/config.h"

#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)
#define DAY INT64_C(86400)
#define REQUIRED NULL

/* S is the struct, F the field in it. */
#define SIZEOF(S, F) sizeof(((struct S *)0)->F)
#define BOOL(path, S, F, def, doc) { path, CONFIG_KEY_BOOL, def, 0, 1, NULL, 0, offsetof(struct S, F), 0, 0, doc, false }
#define INT(path, S, F, def, min, max, doc) \
	{ path, CONFIG_KEY_INT, def, min, max, NULL, 0, offsetof(struct S, F), 0, 0, doc, false }
/* Came later, and 0 is as if it were not there: texts that people signed before say nothing of it. */
#define INT_LATE(path, S, F, max, doc) \
	{ path, CONFIG_KEY_INT, "0", 0, max, NULL, 0, offsetof(struct S, F), 0, 0, doc, true }
#define SIZE(path, S, F, def, min, max, doc) \
	{ path, CONFIG_KEY_SIZE, def, min, max, NULL, 0, offsetof(struct S, F), 0, 0, doc, false }
#define DURATION(path, S, F, def, min, max, doc) \
	{ path, CONFIG_KEY_DURATION, def, min, max, NULL, 0, offsetof(struct S, F), 0, 0, doc, false }
#define ENUM(path, S, F, def, words, doc) \
	{ path, CONFIG_KEY_ENUM, def, 0, 0, words, 0, offsetof(struct S, F), SIZEOF(S, F), 0, doc, false }
#define TEXT(path, S, F, def, form, doc) \
	{ path, CONFIG_KEY_TEXT, def, 0, 0, NULL, CONFIG_FORM_##form, offsetof(struct S, F), SIZEOF(S, F), 0, doc, false }
#define TEXTS(path, S, F, def, min, form, doc) \
	{ path, CONFIG_KEY_TEXTS, def, min, SIZEOF(S, F) / SIZEOF(S, F[0]), NULL, CONFIG_FORM_##form, \
	    offsetof(struct S, F), SIZEOF(S, F[0]), offsetof(struct S, F##_n), doc, false }
#define GROUP(path, def, doc) { path, CONFIG_KEY_GROUP, def, 0, 0, NULL, 0, 0, 0, 0, doc, false }
#define LIST(path, S, F, def, min, doc) \
	{ path, CONFIG_KEY_LIST, def, min, SIZEOF(S, F) / SIZEOF(S, F[0]), NULL, 0, \
	    offsetof(struct S, F), SIZEOF(S, F[0]), offsetof(struct S, F##_n), doc, false }
#define NAMED(path, S, F, def, min, doc) \
	{ path, CONFIG_KEY_NAMED, def, min, SIZEOF(S, F) / SIZEOF(S, F[0]), NULL, CONFIG_FORM_WORD, \
	    offsetof(struct S, F), SIZEOF(S, F[0]), offsetof(struct S, F##_n), doc, false }

#define ANSWERS "hold|offer"
#define KEY_SCHEMES \
	"rsa-pkcs1v15-sha256|rsa-pkcs1v15-sha384|rsa-pkcs1v15-sha512|" \
	"rsa-pss-sha256|rsa-pss-sha384|rsa-pss-sha512|ecdsa-der|ecdsa-fixed|ed25519|rsa-pss-sha256-long"
#define SCHEMES "none|cms-detached|cms-attached|embedded|minisign|signify|sshsig|openpgp|jcat|tuf|uptane|" KEY_SCHEMES

/* In the order of their enumerations, worst first. */
#define SEVERITIES "block|warning|notice|info|none"
#define OUTCOMES "unknown|invalid|revoked|weak|expired|untrusted|opaque|absent|verified"
#define SIGNERS "unknown|back|new|weaker|first|kept"
#define DIRECTIONS "unknown|down|same|up"
#define DELTAS "opaque|reconstructed|proved|none"
_Static_assert(RULES_NO_FINDING == 4 && SIG_VERIFIED == 8 && RULES_SIGNER_KEPT == 5 && RULES_UP == 3 &&
    RULES_DELTA_NONE == 3 && RULES_MARK_NO == 2 && RULES_RELEASE == 2, "words follow their enumerations");

_Static_assert(sizeof(enum profile_answer) == sizeof(int) && sizeof(enum config_suites) == sizeof(int),
    "enumerations are stored as int");
/* KEY_SCHEMES stands in the order of enum trust_scheme. */
_Static_assert(TRUST_RSA_PKCS1_SHA256 == 1 && TRUST_ED25519 == 9 && TRUST_RSA_PSS_SHA256_LONG == 10,
    "KEY_SCHEMES follows enum trust_scheme");

static const struct config_key keys[] = {
	TEXT("data_dir", config, data_dir, "/var/lib/fotagate", DIR,
	    "Folder of state, images, reports, statements, log and authority."),
	TEXT("keys_dir", config, keys_dir, "/etc/fotagate/keys", DIR,
	    "Folder of the gateway's own keys, of listener certificates and, in its folder anchors, of the suppliers' anchors."),
	TEXT("run_dir", config, run_dir, "/run/fotagate", DIR,
	    "Folder of the control and halt sockets."),
	INT("edges", config, edges, "2", 1, 64,
	    "Number of edge processes that serve modules; the kernel spreads new connections over them."),
	BOOL("learn", config, learn, "true",
	    "Records requests that no profile fits, for fotagate profile draft; such requests are never served."),
	BOOL("synced_passkeys", config, synced_passkeys, "true",
	    "Whether passkeys that can be copied to other devices (synced by their maker) sign for more modules than a canary's."),
	BOOL("demo", config, demo, "false",
	    "Says that this is a demonstration; must equal what genesis says, and a demonstration listens on loopback only."),
	BOOL("allow_running_without_sandbox_i_accept_the_risk", config, allow_running_without_sandbox, "false",
	    "Starts even where a role's sandbox cannot be had; this is logged and shown for as long as it lasts."),

	GROUP("users", "", "System users the roles run as when the gateway is started by root; ignored otherwise."),
	TEXT("users.edge", config, users.edge, "fotagate-edge", USER, "User of the edges."),
	TEXT("users.upstream", config, users.upstream, "fotagate-upstream", USER, "User of the fetchers."),
	TEXT("users.inspect", config, users.inspect, "fotagate-inspect", USER, "User of the inspectors."),
	TEXT("users.control", config, users.control, "fotagate-control", USER, "User of control."),
	TEXT("users.warden", config, users.warden, "fotagate-warden", USER, "User of the warden."),
	TEXT("users.audit", config, users.audit, "fotagate-audit", USER, "User of the log."),
	TEXT("users.config", config, users.config, "fotagate-config", USER, "User of the one-shot configuration parser."),
	TEXT("users.console", config, users.console, "fotagate-console", USER, "User of the console."),
	TEXT("users.hook", config, users.hook, "fotagate-hook", USER, "User of the decision hook, where there is one."),

	GROUP("roles", "", "Unix groups whose members may ask for things on the control socket; a group is never a vote."),
	TEXT("roles.viewer", config, roles.viewer, "fotagate-viewer", USER, "Group that may look at state."),
	TEXT("roles.operator", config, roles.operator, "fotagate-operator", USER,
	    "Group that may import, reject, revoke and halt."),
	TEXT("roles.approver", config, roles.approver, "fotagate-approver", USER,
	    "Group that may hand in signed statements."),
	TEXT("roles.admin", config, roles.admin, "fotagate-admin", USER, "Group that may reload the configuration."),
	TEXT("roles.auditor", config, roles.auditor, "fotagate-auditor", USER, "Group that may read and export the whole log."),

	LIST("listeners", config, listeners, REQUIRED, 1, "Where modules reach the gateway."),
	TEXT("listeners[].name", config_listener, name, REQUIRED, WORD, "Name that profiles and socket units use."),
	TEXT("listeners[].address", config_listener, address, REQUIRED, ADDRESS, "Address to listen on."),
	INT("listeners[].port", config_listener, port, REQUIRED, 0, 65535, "TCP port; 0 takes any free one, for tests."),
	BOOL("listeners[].tls", config_listener, tls, "false", "Speaks TLS."),
	TEXT("listeners[].cert", config_listener, cert, "", FILE,
	    "Certificate chain (PEM) in keys_dir; needed with TLS."),
	TEXT("listeners[].key", config_listener, key, "", FILE, "Private key (PEM) in keys_dir; needed with TLS."),
	TEXT("listeners[].second_cert", config_listener, second_cert, "", FILE,
	    "Chain (PEM) of the other kind, RSA beside P-256, for modules that know one only."),
	TEXT("listeners[].second_key", config_listener, second_key, "", FILE, "Private key (PEM) of second_cert."),
	ENUM("listeners[].suites", config_listener, suites, "modern", "modern|legacy",
	    "TLS suites: modern has forward secrecy and AEAD only; legacy adds CBC, SHA-1 MACs and RSA key exchange."),
	INT("listeners[].security_level", config_listener, security_level, "2", 1, 3,
	    "Least strength of keys and signatures, as SSL_CTX_set_security_level(3) counts it."),
	SIZE("listeners[].send_fragment", config_listener, send_fragment, "16 KiB", 512, 16 * KIB,
	    "Longest TLS record sent, for modules with small buffers that do not negotiate one."),
	TEXT("listeners[].client_ca", config_listener, client_ca, "", FILE,
	    "Certificates (PEM) in keys_dir that vouch for modules' client certificates; empty asks for none."),
	TEXT("listeners[].client_crl", config_listener, client_crl, "", FILE,
	    "Revocation lists (PEM) in keys_dir, one of every CA in modules' chains; without a current one all are refused."),

	TEXT("listeners[].psk", config_listener, psk, "", FILE,
	    "Keys that modules share with the gateway, in keys_dir: a line identity:hex for each; a secret."),

	GROUP("console", "", "Where people reach the gateway with a browser, by HTTPS only."),
	TEXT("console.address", config, console.address, "", ADDRESS,
	    "Address to listen on; without one there is no console."),
	INT("console.port", config, console.port, "8443", 0, 65535, "TCP port; 0 takes any free one, for tests."),
	TEXT("console.cert", config, console.cert, "", FILE,
	    "Certificate chain (PEM) in keys_dir; browsers must ask for a host that its first certificate names."),
	TEXT("console.key", config, console.key, "", FILE, "Private key (PEM) of cert, in keys_dir."),
	GROUP("console.sso", "",
	    "A trusted front that signs people in by single sign-on; without it nobody is taken at their word."),
	TEXT("console.sso.socket", config, console.sso.socket, "", FILE,
	    "Unix socket in run_dir that the front connects to, without TLS; needs user and group."),
	TEXT("console.sso.user", config, console.sso.user, "", USER,
	    "Unix user of the front's process, as the kernel tells it of each connection."),
	TEXT("console.sso.group", config, console.sso.group, "", USER,
	    "Unix group that may connect to the socket, which has the mode 0660."),
	TEXT("console.sso.client_ca", config, console.sso.client_ca, "", FILE,
	    "Certificates (PEM) in keys_dir that vouch for the front's client certificate; empty asks for none."),
	TEXTS("console.sso.client_keys", config, console.sso.client_keys, "", 0, PIN,
	    "SHA-256 of the front's public key (SubjectPublicKeyInfo), and of the one it is changed to; needed with client_ca."),
	TEXTS("console.sso.acr", config, console.sso.acr, "", 0, TEXT,
	    "Authentication contexts that are enough, whole words of the issuer; one of acr and amr is needed."),
	TEXTS("console.sso.amr", config, console.sso.amr, "", 0, WORD,
	    "Authentication methods (RFC 8176) of which the issuer must have seen one."),

	GROUP("limits", "", "Limits of the module plane."),
	INT("limits.connections", config, limits.connections, "16384", 1, 1000000,
	    "Connections in each edge over all listeners."),
	INT("limits.connections_per_module", config, limits.connections_per_module, "32", 1, 1000000,
	    "Connections of one module to each edge; of one that only claims to be that module, from one address."),
	SIZE("limits.bytes_per_second", config, limits.bytes_per_second, "0", 0, 512 * GIB,
	    "Bytes of images that all edges together send in a second, each edge its equal part; 0 sets no limit."),
	SIZE("limits.group_bytes_per_second", config, limits.group_bytes_per_second, "0", 0, 512 * GIB,
	    "The same for the modules of each group."),
	SIZE("limits.module_bytes_per_second", config, limits.module_bytes_per_second, "0", 0, 512 * GIB,
	    "Bytes of images that each edge sends to one module in a second, over all its connections; 0 sets no limit."),
	SIZE("limits.head_bytes", config, limits.head_bytes, "8 KiB", KIB, 64 * KIB, "Longest request head."),
	SIZE("limits.body_bytes", config, limits.body_bytes, "64 KiB", 0, 16 * MIB,
	    "Longest request body; it is read and thrown away."),
	INT("limits.requests_per_connection", config, limits.requests_per_connection, "100000", 1, 10000000,
	    "Requests on one connection; an nRF91 asks once for every 2 KiB."),
	INT("limits.header_seconds", config, limits.header_seconds, "60", 1, 600,
	    "Time in which a request head and a TLS handshake must be complete; a handshake is four flights over a 2G link."),
	INT("limits.body_seconds", config, limits.body_seconds, "120", 1, 3600,
	    "Time in which a request body must be complete."),
	INT("limits.idle_seconds", config, limits.idle_seconds, "120", 1, 3600,
	    "Time a connection may wait between requests; modules erase flash meanwhile."),
	INT("limits.stall_seconds", config, limits.stall_seconds, "300", 1, 3600,
	    "Time a transfer may go without a byte being taken; modules are out of coverage for minutes."),
	INT("limits.stop_seconds", config, limits.stop_seconds, "30", 0, 3600,
	    "Time that transfers have to end when the gateway stops."),

	GROUP("quarantine", "", "Room for images that nobody approved yet."),
	SIZE("quarantine.max_bytes", config, quarantine.max_bytes, "16 GiB", MIB, 1024 * TIB, "Bytes of all of them."),
	SIZE("quarantine.reserve_bytes", config, quarantine.reserve_bytes, "1 GiB", 0, 1024 * TIB,
	    "Free bytes below which nothing more is fetched or imported."),
	DURATION("quarantine.keep", config, quarantine.keep, "90d", 3600, 3650 * DAY,
	    "Time after which an image that was not approved is removed."),

	GROUP("hook", "", "A program of your own that may tighten what is decided."),
	TEXT("hook.program", config, hook.program, "", FILE,
	    "The program, an executable file in keys_dir; none without."),
	INT("hook.seconds", config, hook.seconds, "10", 1, 300, "How long it may take; then it is killed."),
	INT("hook.memory_mib", config, hook.memory_mib, "256", 16, 4096, "Memory that each of its processes may have, in MiB."),

	GROUP("inspect", "", "How images are looked at."),
	TEXT("inspect.yara_rules", config, inspect.yara_rules, "", FILE,
	    "File of YARA rules in keys_dir for what is new or changed in an image, beside those that come along; empty: none."),

	GROUP("privacy", "", "How long identities of modules are kept."),
	INT("privacy.keep_years", config, privacy_keep_years, "0", 0, 100,
	    "Years after which a module that was not heard of, and is not held, is forgotten; 0 keeps it."),

	GROUP("grants", "", "Permissions that edges hold."),
	DURATION("grants.lease", config, grant_lease, "15m", 10, 3600,
	    "Time an edge may go on serving on a grant while control is away."),

	LIST("suppliers", config, suppliers, "", 0, "Who makes the modules or the firmware."),
	TEXT("suppliers[].name", config_supplier, name, REQUIRED, WORD, "Name that profiles use."),
	TEXT("suppliers[].legal_entity", config_supplier, legal_entity, REQUIRED, TEXT, "Registered name."),
	TEXT("suppliers[].country", config_supplier, country, REQUIRED, COUNTRY,
	    "Country of registration, ISO 3166-1 alpha-2, or unknown."),
	TEXTS("suppliers[].hosting", config_supplier, hosting, "", 0, COUNTRY,
	    "Countries that the hosts it serves updates from stand in, likewise; none is unknown."),
	TEXT("suppliers[].support_until", config_supplier, support_until, "", DATE,
	    "Last day on which it promises updates; empty is unknown."),
	LIST("suppliers[].keys", config_supplier, keys, "", 0, "Keys it signs or signed with, for people to read."),
	TEXT("suppliers[].keys[].anchor", config_supplier_key, anchor, REQUIRED, FILE,
	    "Name of its file in the folder anchors of keys_dir."),
	TEXT("suppliers[].keys[].since", config_supplier_key, since, "", DATE, "First day of its use; empty is unknown."),
	TEXT("suppliers[].keys[].until", config_supplier_key, until, "", DATE, "Last day of its use; empty is none yet."),
	TEXT("suppliers[].keys[].note", config_supplier_key, note, "", TEXT, "Whose it is, how it came, why it went."),

	GROUP("listings", "", "Imported lists of suppliers."),
	DURATION("listings.max_age", config, listings_max_age, "180d", DAY, 3650 * DAY,
	    "Age beyond which status asks for a newer list."),
	GROUP("list", REQUIRED, "One imported list of suppliers; each file of lists.d holds one."),
	TEXT("list.name", config_list, name, REQUIRED, WORD, "Name, unlike every other list's."),
	TEXT("list.title", config_list, title, "", TEXT, "What it is called where it comes from."),
	TEXT("list.source", config_list, source, REQUIRED, TEXT, "Where it comes from, such as a URL."),
	TEXT("list.date", config_list, date, REQUIRED, DATE, "Day as of which it was taken."),
	BOOL("list.complete", config_list, complete, "false",
	    "Says that it holds all that its source names, so that others are not listed; else that is unknown."),
	LIST("list.entities", config_list, entities, REQUIRED, 0, "Whom it names."),
	TEXT("list.entities[].legal_entity", config_list_entity, legal_entity, "", TEXT,
	    "Registered name; a * at its end stands for any rest, and case, blanks and punctuation do not count."),
	TEXT("list.entities[].country", config_list_entity, country, "", COUNTRY, "Country of registration."),
	TEXT("list.entities[].supplier", config_list_entity, supplier, "", WORD, "Name of a supplier in fotagate.conf."),
	TEXT("list.entities[].note", config_list_entity, note, "", TEXT, "Why, for people to read."),

	LIST("groups", config, groups, "", 0,
	    "Groups by what imported modules are, where an import gives them none; the first that fits."),
	TEXT("groups[].name", group_rule, name, REQUIRED, WORD, "Name of the group; several may say the same."),
	TEXT("groups[].profile", group_rule, profile, "", WORD, "Profile the module is of; empty is any."),
	TEXT("groups[].product", group_rule, product, "", TEXT, "Product it is; empty is any."),
	TEXT("groups[].tag", group_rule, tag, "", WORD, "Tag that an import put on it; empty is any."),
	TEXTS("groups[].imei", group_rule, imei, "", 0, DIGITS,
	    "How its IMEI begins, such as a type allocation code; none means any."),

	LIST("windows", config, windows, "", 0, "Times of the week at which modules may be offered anything; profiles name them."),
	TEXT("windows[].name", window, name, REQUIRED, WORD, "Name that profiles use."),
	TEXT("windows[].zone", window, zone_text, "UTC0", ZONE, "Time zone as POSIX writes it; see MAINTENANCE."),
	TEXTS("windows[].days", window, day, REQUIRED, 1, WEEKDAY,
	    "Days on which it begins: mon, tue, wed, thu, fri, sat, sun."),
	TEXT("windows[].from", window, from_text, REQUIRED, CLOCK, "Time of day at which it begins, as 22:00."),
	TEXT("windows[].to", window, to_text, REQUIRED, CLOCK,
	    "Time of day at which it is over, up to 24:00; on the next day if it is before from."),
	TEXTS("windows[].groups", window, groups, "", 0, WORD, "Groups of modules it is for; none means every group."),

	LIST("blackouts", config, blackouts, "", 0, "Days on which no module is offered anything; profiles name them."),
	TEXT("blackouts[].name", window_blackout, name, REQUIRED, WORD, "Name that profiles use."),
	TEXT("blackouts[].zone", window_blackout, zone_text, "UTC0", ZONE, "Time zone as POSIX writes it."),
	TEXT("blackouts[].first", window_blackout, first_text, REQUIRED, DATE, "First day, as 2026-12-24."),
	TEXT("blackouts[].last", window_blackout, last_text, REQUIRED, DATE, "Last day."),
	TEXTS("blackouts[].groups", window_blackout, groups, "", 0, WORD,
	    "Groups of modules it is for; none means every group."),

	GROUP("quorum_raise", "",
	    "Persons who must sign beyond what rule, profile and genesis say, for what is dangerous in "
	    "itself; of several the most."),
	INT("quorum_raise.one_way_door", config, raise.one_way_door, "1", 1, 8,
	    "For an update that cannot be undone (CHG-ONE-WAY-DOOR)."),
	INT("quorum_raise.targeted", config, raise.targeted, "1", 1, 8,
	    "For one that is limited to single modules (META-TARGETED)."),
	INT("quorum_raise.new_signer", config, raise.new_signer, "1", 1, 8,
	    "For one by a key that signed none before (CONT-NEW-SIGNER)."),

	LIST("security_updates", config, security_updates, "", 0,
	    "Updates that are marked as security updates, which rules may ask less time for."),
	TEXT("security_updates[].profile", rules_security, profile, REQUIRED, WORD, "Profile by which it comes."),
	TEXT("security_updates[].product", rules_security, product, "", STEM, "Product; EC21* is all that begin so, empty is any."),
	TEXT("security_updates[].version", rules_security, version, REQUIRED, TEXT, "Version that it makes."),
	TEXT("security_updates[].reason", rules_security, reason, REQUIRED, TEXT,
	    "Why, for those who sign and for the log; it is part of the policy."),

	LIST("rules", config, rules, "", 0, "The operator's rules, in order; see RULES."),
	TEXT("rules[].name", rule, name, REQUIRED, WORD,
	    "Name that reviews and the log say, unlike every other rule's."),
	TEXTS("rules[].suppliers", rule, suppliers, "", 0, WORD,
	    "Matches updates of these suppliers; none means any, here and below."),
	TEXTS("rules[].products", rule, products, "", 0, STEM,
	    "Matches these products; EC21* is all that begin so."),
	TEXTS("rules[].profiles", rule, profiles, "", 0, WORD, "Matches updates that came by these profiles."),
	TEXTS("rules[].formats", rule, formats, "", 0, WORD,
	    "Matches images of these formats (fotagate-report(5))."),
	TEXTS("rules[].countries", rule, countries, "", 0, COUNTRY,
	    "Matches suppliers registered in these countries."),
	TEXTS("rules[].findings", rule, findings, "", 0, FINDING,
	    "Matches if one of these findings is there; CHG-CONTACT* is all that begin so."),
	TEXTS("rules[].findings_absent", rule, findings_absent, "", 0, FINDING,
	    "Matches if none of these findings is there."),
	TEXTS("rules[].supplier_words", rule, words, "", 0, STEM,
	    "Matches if one of these is known of the supplier (country:DE, hosting:unknown, listed:NAME, unknown:NAME, "
	    "support:over); with * at its end all that begin so."),
	TEXTS("rules[].groups", rule, groups, "", 0, WORD,
	    "Matches a release that is for one of these groups, or for all."),
	TEXTS("rules[].groups_only", rule, groups_only, "", 0, WORD,
	    "Matches a release that is for no other groups than these."),
	ENUM("rules[].severity_at_least", rule, severity_at_least, "none", SEVERITIES,
	    "Matches if the worst finding weighs as much, or more."),
	ENUM("rules[].severity_at_most", rule, severity_at_most, "block", SEVERITIES,
	    "Matches if the worst finding weighs as much, or less."),
	ENUM("rules[].signature_at_best", rule, signature_at_best, "verified", OUTCOMES,
	    "Matches if the signature is that, or worse; worst first, as listed."),
	ENUM("rules[].signature_at_worst", rule, signature_at_worst, "unknown", OUTCOMES,
	    "Matches if the signature is that, or better."),
	ENUM("rules[].signer_at_best", rule, signer_at_best, "kept", SIGNERS,
	    "Matches if the signer, held against earlier releases, is that, or worse."),
	ENUM("rules[].signer_at_worst", rule, signer_at_worst, "unknown", SIGNERS,
	    "Matches if the signer is that, or better."),
	ENUM("rules[].direction_at_best", rule, direction_at_best, "up", DIRECTIONS,
	    "Matches if the version goes there, or a worse way."),
	ENUM("rules[].direction_at_worst", rule, direction_at_worst, "unknown", DIRECTIONS,
	    "Matches if the version goes there, or a better way."),
	ENUM("rules[].delta_at_best", rule, delta_at_best, "none", DELTAS,
	    "Matches if what a delta makes is that well known, or worse."),
	ENUM("rules[].delta_at_worst", rule, delta_at_worst, "opaque", DELTAS,
	    "Matches if what a delta makes is that well known, or better; none is no delta."),
	INT("rules[].unsigned_at_least", rule, unsigned_at_least, "0", 0, RULES_ALL,
	    "Matches if as much of the image, in thousandths, is under no signature, or more."),
	INT("rules[].unsigned_at_most", rule, unsigned_at_most, "1000", 0, RULES_ALL,
	    "Matches if no more of the image is under no signature."),
	INT("rules[].unexplained_at_least", rule, unexplained_at_least, "0", 0, RULES_ALL,
	    "Matches if as much of the image, in thousandths, changed without explanation, or more."),
	INT("rules[].unexplained_at_most", rule, unexplained_at_most, "1000", 0, RULES_ALL,
	    "Matches if no more of the image changed without explanation."),
	INT("rules[].unreviewable_at_least", rule, unreviewable_at_least, "0", 0, RULES_ALL,
	    "Matches if as much of the image, in thousandths, cannot be reviewed, or more."),
	INT("rules[].unreviewable_at_most", rule, unreviewable_at_most, "1000", 0, RULES_ALL,
	    "Matches if no more of the image cannot be reviewed."),
	INT("rules[].attested_at_least", rule, attested_at_least, "0", 0, 16,
	    "Matches if as many persons attest that a module took these bytes and then was of the version they lead to."),
	SIZE("rules[].size_at_least", rule, size_at_least, "0", 0, TIB,
	    "Matches an image of that size, or larger."),
	DURATION("rules[].age_below", rule, age_below, "0s", 0, 3650 * DAY,
	    "Matches an image that came here less than that long ago; 0s matches any."),
	DURATION("rules[].age_at_least", rule, age_at_least, "0s", 0, 3650 * DAY,
	    "Matches an image that came here so long ago, or longer."),
	DURATION("rules[].vendor_age_below", rule, vendor_age_below, "0s", 0, 3650 * DAY,
	    "The same by the youngest date that a verified signature vouches for; without one it is just "
	    "made."),
	DURATION("rules[].vendor_age_at_least", rule, vendor_age_at_least, "0s", 0, 3650 * DAY,
	    "Matches an image made so long ago, or longer, by such a date."),
	ENUM("rules[].security", rule, security, "any", "any|marked|unmarked",
	    "Matches updates that are, or are not, marked as security updates."),
	ENUM("rules[].outcome", rule, outcome, REQUIRED, "deny|hold|release",
	    "What is decided: deny; hold until people sign; release without anybody signing then, where a "
	    "standing statement covers it, and else hold."),
	INT("rules[].quorum", rule, quorum, "0", 0, RULES_QUORUM_MAX,
	    "Distinct persons who must sign, instead of what the profile says; 0 takes the profile's; the "
	    "floor of genesis holds."),
	DURATION("rules[].cool_down", rule, cool_down, "0s", 0, 365 * DAY,
	    "Time since the image came here before a module gets it."),
	DURATION("rules[].security_cool_down", rule, security_cool_down, "0s", 0, 365 * DAY,
	    "The same of updates that are marked as security updates; 0s is no exception for them."),
	DURATION("rules[].time_lock", rule, time_lock, "0s", 0, 14 * DAY,
	    "Time between any signature and the first module."),
	TEXT("rules[].freeze_until", rule, freeze_until, "", STAMP,
	    "Time (UTC) before which no module gets it."),

	LIST("rollout_plans", config, rollout_plans, "", 0,
	    "How releases reach modules ring by ring; a profile names one, and people sign it with the profile."),
	TEXT("rollout_plans[].name", rollout_plan, name, REQUIRED, WORD, "Name that profiles use."),
	INT("rollout_plans[].concurrent", rollout_plan, concurrent, "1000", 1, 4000000,
	    "Modules granted the release that have not reported an end, at most."),
	INT("rollout_plans[].per_day", rollout_plan, per_day, "10000", 1, 4000000,
	    "Modules granted the release within 24 hours, at most."),
	INT_LATE("rollout_plans[].group_concurrent", rollout_plan, group_concurrent, 4000000,
	    "Modules of one group granted the release that have not reported an end, at most; 0 is no limit but the plan's."),
	INT_LATE("rollout_plans[].group_per_day", rollout_plan, group_per_day, 4000000,
	    "Modules of one group granted the release within 24 hours, at most; 0 is no limit but the plan's."),
	INT_LATE("rollout_plans[].cell_concurrent", rollout_plan, cell_concurrent, 4000000,
	    "The same of one cell, which a tag cell-... of the module says; modules without such a tag are one together."),
	INT_LATE("rollout_plans[].cell_per_day", rollout_plan, cell_per_day, 4000000,
	    "Modules of one cell within 24 hours, at most."),
	INT_LATE("rollout_plans[].apn_concurrent", rollout_plan, apn_concurrent, 4000000,
	    "Modules of one APN, which a tag apn-... of the module says, that have not reported an end, at most; 0 is no limit."),
	INT_LATE("rollout_plans[].apn_per_day", rollout_plan, apn_per_day, 4000000, "Modules of one APN within 24 hours, at most."),
	INT_LATE("rollout_plans[].egress_watch", rollout_plan, egress_watch, 4000000,
	    "Modules of a ring that a report of the network (egress import) must tell of since they run the release, before the "
	    "next ring opens; an endpoint that is new with the release pauses the rollout. 0 is neither."),
	DURATION("rollout_plans[].settle", rollout_plan, settle, "1h", 0, 30 * DAY,
	    "Time after its last byte in which a module that still asks for the release has not failed yet."),
	DURATION("rollout_plans[].silence", rollout_plan, silence, "2d", 1, 30 * DAY,
	    "Time without a word of a granted module that is no silence yet."),
	INT("rollout_plans[].silence_times", rollout_plan, silence_times, "3", 1, 100,
	    "And as many times the usual time between its requests, if that is longer."),
	LIST("rollout_plans[].rings", rollout_plan, rings, REQUIRED, 1,
	    "Rings in the order in which they open; the last one is everybody."),
	TEXT("rollout_plans[].rings[].name", rollout_ring, name, REQUIRED, WORD, "Name, unlike the plan's other rings'."),
	TEXTS("rollout_plans[].rings[].groups", rollout_ring, groups, "", 0, WORD,
	    "Groups whose modules it takes; not with share, and not in the last ring."),
	INT("rollout_plans[].rings[].share", rollout_ring, share, "0", 0, 1000,
	    "Permille of all modules that it takes with the rings before it, chosen by a hash that the release salts."),
	BOOL("rollout_plans[].rings[].human", rollout_ring, human, "false",
	    "Opens only once people sign for that, too (rollout open)."),
	DURATION("rollout_plans[].rings[].soak", rollout_ring, soak, REQUIRED, 1, 30 * DAY,
	    "Time it is open at least before the next ring opens."),
	INT("rollout_plans[].rings[].reports", rollout_ring, reports, REQUIRED, 1, 4000000,
	    "Modules of it that must have reported the new version before the next ring opens."),
	INT("rollout_plans[].rings[].success", rollout_ring, success, REQUIRED, 1, 1000,
	    "Permille of its granted modules that must have done so."),
	INT("rollout_plans[].rings[].failed", rollout_ring, failed, REQUIRED, 1, 1000,
	    "Permille of its granted modules, or of reports while they are fewer, whose failures pause the rollout."),
	INT("rollout_plans[].rings[].silent", rollout_ring, silent, REQUIRED, 1, 1000, "The same of modules that went silent."),

	GROUP("profile", REQUIRED, "One vendor's update traffic and the rules for it; each file of profiles.d holds one."),
	TEXT("profile.name", profile, name, REQUIRED, WORD, "Name, unlike every other profile's."),
	TEXT("profile.supplier", profile, supplier, REQUIRED, WORD, "Name of a supplier in fotagate.conf."),
	TEXTS("profile.listeners", profile, listeners, REQUIRED, 1, WORD, "Names of the listeners it applies to."),
	TEXTS("profile.hosts", profile, hosts, "", 0, HOST,
	    "Hosts modules ask for; *.example.com is everything below example.com."),
	BOOL("profile.any_host", profile, any_host, "false",
	    "Matches whatever host a module asks for, or none; instead of hosts."),
	TEXT("profile.path", profile, path, REQUIRED, PATTERN,
	    "Whole path with {captures}; a path that could be read in two ways does not match."),
	TEXTS("profile.query", profile, query, "", 0, PARAM,
	    "Query parameters looked at: name={capture}, name?={capture} if it may be absent, name=text, "
	    "or {capture} for a bare word."),

	NAMED("profile.captures", profile, captures, "", 0, "What each {capture} of path and query may hold."),
	ENUM("profile.captures.*.class", profile_capture, class, REQUIRED,
	    "-|digits|hex|word|version|file|token|path", "Characters it may hold; only path may hold a slash."),
	INT("profile.captures.*.max", profile_capture, max, REQUIRED, 1, 512, "Longest length in bytes."),

	TEXT("profile.product", profile, product, REQUIRED, SOURCE,
	    "Where the product name comes from: capture:NAME, header:NAME or fixed:TEXT."),
	TEXT("profile.target_version", profile, target_version, "", SOURCE,
	    "Where the version asked for comes from; empty if requests do not say."),
	TEXT("profile.current_version", profile, current_version, "", SOURCE,
	    "Where the module's present version comes from; empty if requests do not say."),
	TEXTS("profile.from_versions", profile, from_versions, "", 0, SOURCE,
	    "Versions an image applies to (fixed:TEXT, or capture:NAME for deltas); none means every older one."),
	ENUM("profile.version_order", profile, version_order, "exact", "exact|dotted|semver|quectel|date",
	    "How versions compare: exact knows equal ones only, dotted orders 1.1.10 after 1.1.9, semver follows Semantic "
	    "Versioning 2.0.0, quectel orders EC21EFAR06A07M4G after EC21EFAR06A06M4G, date orders 2024-01-31 and 20240131-2."),

	BOOL("profile.one_image", profile, one_image, "false",
	    "Says that one image is all there is for a product, version and starting version, whatever else a URL names; "
	    "another one is an incident once one was released, which is withheld until an approver decides about the other."),
	LIST("profile.steps", profile, steps, "", 0,
	    "Updates that are allowed; a product that one of them is about gets no other."),
	TEXT("profile.steps[].product", profile_step, product, "", TEXT, "Product it is about; empty is every product."),
	TEXT("profile.steps[].from", profile_step, from, REQUIRED, TEXT,
	    "Version a module must have; * is any, and one that is not known."),
	TEXT("profile.steps[].to", profile_step, to, REQUIRED, TEXT, "Version it then may be offered."),

	LIST("profile.identity", profile, identity, REQUIRED, 1, "How a module is told, first rule that applies."),
	ENUM("profile.identity[].class", profile_identity, class, REQUIRED, "-|A|B|C|D",
	    "A certificate, B token, C address in networks, D claimed."),
	ENUM("profile.identity[].kind", profile_identity, kind, REQUIRED, "-|imei|iccid|token|cert|address|serial",
	    "What the value is."),
	TEXT("profile.identity[].from", profile_identity, from, REQUIRED, SOURCE,
	    "capture:NAME, header:NAME, client_cert, psk_identity or source_address."),
	ENUM("profile.identity[].check", profile_identity, check, "none", "none|luhn", "Check digit the value must have."),

	LIST("profile.networks", profile, networks, "", 0,
	    "Address ranges of a private access point; the longest prefix applies."),
	TEXT("profile.networks[].cidr", profile_network, cidr, REQUIRED, CIDR, "Range."),
	TEXT("profile.networks[].module", profile_network, module, "", WORD,
	    "Module behind it; empty if every address is a module."),
	TEXT("profile.networks[].group", profile_network, group, "", WORD, "Group of its modules; empty takes default_group."),

	TEXT("profile.default_group", profile, default_group, "default", WORD,
	    "Group of modules that inventory and networks do not put into one."),
	ENUM("profile.unlisted", profile, unlisted, "hold", ANSWERS, "What becomes of modules that inventory does not list."),
	ENUM("profile.unknown_version", profile, unknown_version, "hold", ANSWERS,
	    "What becomes of modules whose version is unknown or cannot be compared."),

	GROUP("profile.not_now", "", "How nothing for you yet is said to these modules."),
	INT("profile.not_now.status", profile, not_now.status, "404", 200, 599,
	    "HTTP status; 200 needs a body, 503 a retry_after of at most an hour, redirects are refused."),
	DURATION("profile.not_now.retry_after", profile, not_now.retry_after, "0s", 0, 7 * DAY,
	    "Retry-After header; 0s sends none."),
	TEXT("profile.not_now.body", profile, not_now.body, "", BODY,
	    "Body; JSON only, because some clients flash whatever else they get."),
	TEXT("profile.not_now.content_type", profile, not_now.content_type, "", MEDIA, "Media type of the body."),
	BOOL("profile.not_now.close", profile, not_now.close, "false",
	    "Closes without an answer, for clients that never look at the status."),
	BOOL("profile.not_now.post", profile, not_now.post, "false",
	    "Says it to POST and PUT as well, the check-ins of some clients; otherwise these get 405."),

	TEXTS("profile.maintenance", profile, maintenance, "", 0, WORD,
	    "Names of windows outside of which its modules are offered nothing; none means at any time."),
	TEXTS("profile.blackouts", profile, blackouts, "", 0, WORD,
	    "Names of blackouts during which its modules are offered nothing."),
	BOOL("profile.short_urls", profile, short_urls, "false",
	    "Lets operators make URLs of 19 characters for its modules; whoever has one is taken for the module it is for."),

	TEXT("profile.upstream", profile, upstream, "", URL,
	    "URL to fetch from (http, https, ftp, ftpes, ftps), with {captures} after the host; empty never fetches, "
	    "images are imported."),
	TEXT("profile.signature_url", profile, signature_url, "", URL, "URL of the detached signature, likewise."),
	TEXT("profile.notes_url", profile, notes_url, "", URL,
	    "URL of the vendor's release notes, with {product} and {target} after the host: fetched once with an image, "
	    "shown as text beside what was measured; without them the image is judged all the same."),

	GROUP("profile.upstream_options", "", "How the vendor's server is reached."),
	TEXT("profile.upstream_options.ca_file", profile, upstream_options.ca_file, "", FILE,
	    "Certificates (PEM) in keys_dir that vouch for the server; empty takes the system's."),
	TEXTS("profile.upstream_options.spki_pins", profile, upstream_options.pin_text, "", 0, PIN,
	    "SHA-256 of public keys of which the server must have one."),
	TEXT("profile.upstream_options.proxy", profile, upstream_options.proxy, "", URL,
	    "HTTP proxy to fetch through (http://host:port); it looks names up, and has to refuse what must not be reached."),
	TEXT("profile.upstream_options.credentials_file", profile, upstream_options.credentials_file, "", FILE,
	    "File in keys_dir with what the fetcher shows to the proxy and to the server; see CREDENTIALS."),
	TEXTS("profile.upstream_options.allow_private", profile, upstream_options.private_text, "", 0, CIDR,
	    "Private address ranges the server may be in; all others are refused."),
	SIZE("profile.upstream_options.max_bytes", profile, upstream_options.max_bytes, "4 GiB", 1, TIB, "Largest image."),
	INT("profile.upstream_options.max_seconds", profile, upstream_options.max_seconds, "3600", 1, 86400,
	    "Longest fetch."),
	INT("profile.upstream_options.max_redirects", profile, upstream_options.max_redirects, "3", 0, 10,
	    "Redirects followed, within the same scheme."),
	INT("profile.upstream_options.min_bytes_per_second", profile, upstream_options.min_bytes_per_second, "1024", 0,
	    1000000000, "Speed below which a fetch is given up after half a minute."),

	GROUP("profile.signature", REQUIRED, "What vouches for an image."),
	ENUM("profile.signature.scheme", profile, signature.scheme, REQUIRED, SCHEMES,
	    "How images are signed; embedded is a signature that the image's own format carries; "
	    "tuf and uptane are a tar of metadata beside it; none needs require = false."),
	TEXT("profile.signature.format", profile, signature.format, "", WORD,
	    "With embedded: the one format (fotagate-report(5)) an image must have and be signed as."),
	ENUM("profile.signature.key_scheme", profile, signature.key_scheme, "by-type", "by-type|" KEY_SCHEMES,
	    "With embedded, for formats that do not say it themselves: how the bare keys among the anchors sign."),
	TEXTS("profile.signature.anchors", profile, signature.anchors, "", 0, FILE,
	    "Files (PEM: certificates, CRLs, public keys; keys of minisign, signify, OpenSSH, OpenPGP; TUF root metadata) in the "
	    "folder anchors of keys_dir."),
	ENUM("profile.signature.purpose", profile, signature.purpose, "firmware", "-|firmware|code-signing|email",
	    "Extended key usage a certificate must have; firmware takes none, codeSigning or emailProtection."),
	BOOL("profile.signature.allow_leaf_anchor", profile, signature.allow_leaf_anchor, "false",
	    "Lets a signer's own certificate be an anchor."),
	BOOL("profile.signature.require_revocation", profile, signature.require_revocation, "false",
	    "Refuses chains without current CRLs."),
	BOOL("profile.signature.ignore_expiry_for_pinned", profile, signature.ignore_expiry_for_pinned, "false",
	    "Accepts a pinned signer's certificate after its end; needs allow_leaf_anchor."),
	BOOL("profile.signature.require", profile, signature.require, "true",
	    "Blocks images without a verified signature."),

	GROUP("profile.deltas", "", "What becomes of deltas; one that goes with a base that is held is judged by what it makes."),
	TEXT("profile.deltas.format", profile, deltas.format, "", WORD,
	    "The format of deltas whose bytes do not tell it (detools); empty: bytes that fit no format are no delta."),
	ENUM("profile.deltas.unseen", profile, deltas.unseen, "hold", "hold|pinned|full|attested",
	    "What has to be there before people are asked about a delta whose result cannot be seen: nothing is enough; its "
	    "SHA-256 in pins; the full image of that version, with a verified signature; or the word of a person who tried it "
	    "on a module (fotagate review attest), and then three persons sign."),
	TEXTS("profile.deltas.pins", profile, deltas.pin_text, "", 0, PIN,
	    "SHA-256 of such deltas, as the vendor told it by another way; two persons sign beside whoever wrote it here."),
	INT("profile.deltas.unseen_days", profile, deltas.unseen_days, "30", 1, 30,
	    "Days after which the release of such a delta lapses."),
	BOOL("profile.deltas.proof_signs", profile, deltas.proof_signs, "false",
	    "Lets a delta without a signature pass signature.require where what it makes is proved: verified signatures are "
	    "over all of that. Whoever changes such a delta on its way reaches the patching code of modules, though not what "
	    "they end up with."),

	INT("profile.quorum", profile, quorum, REQUIRED, 1, 16,
	    "Distinct persons who must sign for production; the floor of genesis holds if it is higher."),
	INT("profile.canary_quorum", profile, canary_quorum, "0", 0, 16,
	    "The same for releases that, with the others in force of the same image, are for no more modules than the canary of "
	    "genesis; 0 takes quorum."),
	SIZE("profile.quarantine_bytes", profile, quarantine_bytes, "8 GiB", 1, 1024 * TIB,
	    "Share of the quarantine its images may take."),
	INT("profile.fetches_per_hour", profile, fetches_per_hour, "60", 0, 100000, "Fetches it may order in an hour."),
	GROUP("profile.review", "", "What people do before they sign."),
	TEXTS("profile.review.checklist", profile, review.checklist, "", 0, TEXT,
	    "Things that whoever signs says to have done, each with --tick, in these words; they stand in the statement."),
	ENUM("profile.review.waivers", profile, review.waivers, "none", "none|warning|notice",
	    "Weight from which on each finding needs a waiver in force before anybody signs; a release ends no later than it."),
	INT("profile.review_days", profile, review_days, "30", 1, 365, "Days after which an undecided review expires."),
	TEXT("profile.rollout", profile, rollout, "", WORD,
	    "Name of the plan by which its releases reach modules; empty offers them to all at once."),
};

size_t
config_schema_count(void)
{
	return sizeof keys / sizeof *keys;
}

const struct config_key *
config_schema_at(size_t i)
{
	return i < config_schema_count() ? &keys[i] : NULL;
}

const struct config_key *
config_schema_find(const char *path)
{
	for (size_t i = 0; i < config_schema_count(); i++)
		if (strcmp(keys[i].path, path) == 0)
			return &keys[i];
	return NULL;
}

const char *
config_schema_leaf(const struct config_key *key, const char *parent)
{
	size_t n = strlen(parent);
	const char *leaf = key->path;
	if (n > 0) {
		if (strncmp(key->path, parent, n) != 0 || key->path[n] != '.')
			return NULL;
		leaf += n + 1;
	}
	return leaf[strcspn(leaf, ".[*")] == '\0' ? leaf : NULL;
}

void
config_schema_inside(const struct config_key *key, char out[CONFIG_SCHEMA_PATH_MAX])
{
	const char *suffix = key->type == CONFIG_KEY_LIST ? "[]" : key->type == CONFIG_KEY_NAMED ? ".*" : "";
	snprintf(out, CONFIG_SCHEMA_PATH_MAX, "%s%s", key->path, suffix);
}

int
config_schema_word(const char *words, const char *word)
{
	if (strcmp(word, "-") == 0)
		return -1;
	struct view w;
	for (int i = 0; (w = config_schema_word_at(words, i)).n > 0; i++)
		if (view_is(w, word))
			return i;
	return -1;
}

struct view
config_schema_word_at(const char *words, int i)
{
	for (; i > 0 && *words != '\0'; i--) {
		words += strcspn(words, "|");
		words += *words == '|';
	}
	return i < 0 ? view_of(NULL, 0) : view_of(words, strcspn(words, "|"));
}

/* "64 KiB" for 65536: the largest unit that divides. */
static void
size_text(int64_t v, char *out, size_t cap)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned u = 0;
	for (; u < 4 && v > 0 && v % 1024 == 0; u++)
		v /= 1024;
	snprintf(out, cap, "%lld %s", (long long)v, units[u]);
}

static void
duration_text(int64_t v, char *out, size_t cap)
{
	if (v > 0 && v % 86400 == 0)
		snprintf(out, cap, "%lldd", (long long)(v / 86400));
	else if (v > 0 && v % 3600 == 0)
		snprintf(out, cap, "%lldh", (long long)(v / 3600));
	else if (v > 0 && v % 60 == 0)
		snprintf(out, cap, "%lldm", (long long)(v / 60));
	else
		snprintf(out, cap, "%llds", (long long)v);
}

static void
words_text(const char *words, char out[CONFIG_SCHEMA_TYPE_MAX])
{
	size_t n = (size_t)snprintf(out, CONFIG_SCHEMA_TYPE_MAX, "one of ");
	bool first = true;
	for (int i = 0; n < CONFIG_SCHEMA_TYPE_MAX; i++) {
		struct view w = config_schema_word_at(words, i);
		if (w.n == 0)
			break;
		if (view_is(w, "-"))
			continue;
		n += (size_t)snprintf(out + n, CONFIG_SCHEMA_TYPE_MAX - n, "%s%.*s", first ? "" : ", ", (int)w.n,
		    (const char *)w.p);
		first = false;
	}
}

void
config_schema_type(const struct config_key *k, char out[CONFIG_SCHEMA_TYPE_MAX])
{
	char lo[32], hi[32];
	const size_t cap = CONFIG_SCHEMA_TYPE_MAX;
	switch (k->type) {
	case CONFIG_KEY_BOOL:
		snprintf(out, cap, "boolean");
		return;
	case CONFIG_KEY_INT:
		snprintf(out, cap, "integer, %lld to %lld", (long long)k->min, (long long)k->max);
		return;
	case CONFIG_KEY_SIZE:
		size_text(k->min, lo, sizeof lo);
		size_text(k->max, hi, sizeof hi);
		snprintf(out, cap, "size, %s to %s", lo, hi);
		return;
	case CONFIG_KEY_DURATION:
		duration_text(k->min, lo, sizeof lo);
		duration_text(k->max, hi, sizeof hi);
		snprintf(out, cap, "duration, %s to %s", lo, hi);
		return;
	case CONFIG_KEY_ENUM:
		words_text(k->words, out);
		return;
	case CONFIG_KEY_TEXT:
		snprintf(out, cap, "text, at most %zu bytes", k->stride - 1);
		return;
	case CONFIG_KEY_TEXTS:
		snprintf(out, cap, "array of texts, %lld to %lld", (long long)k->min, (long long)k->max);
		return;
	case CONFIG_KEY_GROUP:
		snprintf(out, cap, "group");
		return;
	case CONFIG_KEY_LIST:
		snprintf(out, cap, "list of groups, %lld to %lld", (long long)k->min, (long long)k->max);
		return;
	case CONFIG_KEY_NAMED:
		snprintf(out, cap, "group of named groups, %lld to %lld", (long long)k->min, (long long)k->max);
		return;
	case CONFIG_KEY_NONE:
		break;
	}
	abort(); /* a row without a type is ours to mend */
}

void
config_schema_default(const struct config_key *k, char out[CONFIG_SCHEMA_TYPE_MAX])
{
	const size_t cap = CONFIG_SCHEMA_TYPE_MAX;
	if (!k->def) {
		snprintf(out, cap, "required");
		return;
	}
	switch (k->type) {
	case CONFIG_KEY_TEXT:
	case CONFIG_KEY_ENUM:
	case CONFIG_KEY_DURATION:
		snprintf(out, cap, "default \"%s\"", k->def);
		return;
	case CONFIG_KEY_SIZE:
		snprintf(out, cap, strchr(k->def, ' ') ? "default \"%s\"" : "default %s", k->def);
		return;
	case CONFIG_KEY_TEXTS:
		snprintf(out, cap, "default [ ]");
		return;
	case CONFIG_KEY_LIST:
		snprintf(out, cap, "default ( )");
		return;
	case CONFIG_KEY_GROUP:
	case CONFIG_KEY_NAMED:
		snprintf(out, cap, "optional");
		return;
	default:
		snprintf(out, cap, "default %s", k->def);
		return;
	}
}

/* Levenshtein distance, given up beyond what one would call a slip. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[CONFIG_SCHEMA_PATH_MAX + 1];
	size_t n = strlen(b), m = strlen(a);
	if (n > CONFIG_SCHEMA_PATH_MAX || m > CONFIG_SCHEMA_PATH_MAX)
		return UINT32_MAX;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= m; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

const char *
config_schema_nearest(const char *parent, const char *leaf)
{
	const char *best = NULL;
	unsigned best_distance = 1 + (unsigned)strlen(leaf) / 3; /* a slip, not another word */
	for (size_t i = 0; i < config_schema_count(); i++) {
		const char *known = config_schema_leaf(&keys[i], parent);
		unsigned d = known ? distance(leaf, known) : UINT32_MAX;
		if (d <= best_distance && (!best || d < best_distance)) {
			best = known;
			best_distance = d;
		}
	}
	return best;
}
