/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - fotagate.conf and profiles.d as one checked structure.
 * Role: parsed by the one-shot config child, control, edges and the command
 * line from the same bundle of bytes; nobody else sees text. Guarantees: no file
 * is opened, no @include, no wrapped integer, no unknown, duplicate, mistyped or
 * missing key survives; every problem is reported with file, line and cure.
 */
#ifndef FG_POLICY_CONFIG_H
#define FG_POLICY_CONFIG_H

#include "policy/config_problem.h"
#include "policy/group.h"
#include "policy/profile.h"
#include "policy/rollout.h"
#include "policy/rules.h"

#define CONFIG_FILES_MAX 273       /* fotagate.conf, 256 profiles, 16 lists */
#define CONFIG_PROFILES_MAX 256
#define CONFIG_LISTS_MAX 16
#define CONFIG_FILE_MAX (256u << 10) /* bytes; 256 networks of 200 bytes are 50 KiB */
#define CONFIG_FILE_NAME_MAX 127
#define CONFIG_DIR_MAX 200         /* leaves room for our names below it in sun_path-free paths */
#define CONFIG_USER_MAX 32         /* useradd's own limit */
#define CONFIG_LISTENERS_MAX 16
#define CONFIG_SUPPLIERS_MAX 64
#define CONFIG_WINDOWS_MAX 64
#define CONFIG_GROUPS_MAX 64
#define CONFIG_HOSTING_MAX 16
#define CONFIG_FRONT_KEYS_MAX 2    /* the one in use and the one it is changed to */
#define CONFIG_FRONT_WORDS_MAX 8
#define CONFIG_SUPPLIER_KEYS_MAX 16
#define CONFIG_ENTITIES_MAX 2048 /* of one list: 128 bytes of its file for each; 10 MiB of memory for all lists */
#define CONFIG_RATE_MIN 1024 /* bytes a second; less is no service */

struct config_users {
	char edge[CONFIG_USER_MAX + 1];
	char upstream[CONFIG_USER_MAX + 1];
	char inspect[CONFIG_USER_MAX + 1];
	char control[CONFIG_USER_MAX + 1];
	char warden[CONFIG_USER_MAX + 1];
	char audit[CONFIG_USER_MAX + 1];
	char config[CONFIG_USER_MAX + 1];
	char console[CONFIG_USER_MAX + 1];
	char hook[CONFIG_USER_MAX + 1];
};

/* Unix groups; "" is nobody but root and the gateway's own user. */
struct config_roles {
	char viewer[CONFIG_USER_MAX + 1];
	char operator[CONFIG_USER_MAX + 1];
	char approver[CONFIG_USER_MAX + 1];
	char admin[CONFIG_USER_MAX + 1];
	char auditor[CONFIG_USER_MAX + 1];
};

/* Which TLS suites a listener offers; the words of the configuration, in their order. */
enum config_suites { CONFIG_SUITES_MODERN = 0, CONFIG_SUITES_LEGACY };

struct config_listener {
	char name[PROFILE_WORD_MAX + 1];
	char address[CIDR_TEXT_MAX];
	int64_t port; /* 0: any free one, for tests */
	bool tls;
	char cert[PROFILE_FILE_MAX + 1]; /* file names under keys_dir */
	char key[PROFILE_FILE_MAX + 1];
	char second_cert[PROFILE_FILE_MAX + 1]; /* of the other kind: RSA beside P-256 */
	char second_key[PROFILE_FILE_MAX + 1];
	enum config_suites suites;
	int64_t security_level; /* OpenSSL's */
	int64_t send_fragment;  /* bytes of a TLS record */
	char client_ca[PROFILE_FILE_MAX + 1];
	char client_crl[PROFILE_FILE_MAX + 1];
	char psk[PROFILE_FILE_MAX + 1];
};

/* Who signs people in instead of the console: a proxy beside it. All empty: nobody. */
struct config_sso {
	char socket[PROFILE_FILE_MAX + 1]; /* in run_dir */
	char user[CONFIG_USER_MAX + 1];
	char group[CONFIG_USER_MAX + 1];
	char client_ca[PROFILE_FILE_MAX + 1]; /* in keys_dir */
	char client_keys[CONFIG_FRONT_KEYS_MAX][DIGEST_HEX_LEN + 1];
	unsigned client_keys_n;
	char acr[CONFIG_FRONT_WORDS_MAX][PROFILE_TEXT_MAX + 1]; /* one of these, if there are any */
	unsigned acr_n;
	char amr[CONFIG_FRONT_WORDS_MAX][PROFILE_WORD_MAX + 1]; /* and one of these */
	unsigned amr_n;
};

/* Where people reach the gateway; without an address there is no console. Always TLS. */
struct config_console {
	char address[CIDR_TEXT_MAX];
	int64_t port; /* 0: any free one, for tests */
	char cert[PROFILE_FILE_MAX + 1]; /* file names under keys_dir */
	char key[PROFILE_FILE_MAX + 1];
	struct config_sso sso;
};

struct config_limits {
	int64_t connections; /* in each edge, all listeners */
	int64_t connections_per_module;
	int64_t bytes_per_second; /* these three: 0, or at least CONFIG_RATE_MIN */
	int64_t group_bytes_per_second;
	int64_t module_bytes_per_second;
	int64_t head_bytes;
	int64_t body_bytes;
	int64_t requests_per_connection;
	int64_t header_seconds;
	int64_t body_seconds;
	int64_t idle_seconds;
	int64_t stall_seconds;
	int64_t stop_seconds;
};

struct config_quarantine {
	int64_t max_bytes;
	int64_t reserve_bytes;
	int64_t keep; /* seconds */
};

struct config_inspect {
	char yara_rules[PROFILE_FILE_MAX + 1]; /* in keys_dir; "" = the shipped ones alone */
};

/* A program that may tighten what is decided: policy/hook.h. */
struct config_hook {
	char program[PROFILE_FILE_MAX + 1]; /* in keys_dir; "" = none */
	int64_t seconds, memory_mib;

	/* Not configured. */
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of the program: set by whoever read it; before that zero */
};

/* A key the supplier signs or signed with. */
struct config_supplier_key {
	char anchor[PROFILE_FILE_MAX + 1]; /* file in the folder of anchors, or what it was called there */
	char since[11], until[11];         /* days; "": unknown, still in use */
	char note[PROFILE_TEXT_MAX + 1];
};

struct config_supplier {
	char name[PROFILE_WORD_MAX + 1];
	char legal_entity[PROFILE_TEXT_MAX + 1];
	char country[8];                       /* ISO 3166-1 alpha-2, or "unknown" */
	char hosting[CONFIG_HOSTING_MAX][8];   /* likewise; none: unknown */
	unsigned hosting_n;
	char support_until[11];                /* a day; "": unknown */
	struct config_supplier_key keys[CONFIG_SUPPLIER_KEYS_MAX];
	unsigned keys_n;
};

/* Whom an imported list names; at least one of the three, and all that are given. */
struct config_list_entity {
	char legal_entity[PROFILE_TEXT_MAX + 1];
	char country[8];
	char supplier[PROFILE_WORD_MAX + 1];
	char note[PROFILE_TEXT_MAX + 1];
};

struct config_list {
	char name[PROFILE_WORD_MAX + 1];
	char title[PROFILE_TEXT_MAX + 1];
	char source[PROFILE_URL_MAX + 1];
	char date[11];
	bool complete; /* holds all that its source names: whom it does not name is not listed */
	struct config_list_entity entities[CONFIG_ENTITIES_MAX];
	unsigned entities_n;

	/* Not configured. */
	int64_t dated; /* date's beginning, UTC */
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of the file */
};

struct config {
	char data_dir[CONFIG_DIR_MAX + 1];
	char keys_dir[CONFIG_DIR_MAX + 1];
	char run_dir[CONFIG_DIR_MAX + 1];
	struct config_users users;
	struct config_roles roles;
	int64_t edges;
	struct config_listener listeners[CONFIG_LISTENERS_MAX];
	unsigned listeners_n;
	struct config_console console;
	struct config_limits limits;
	struct config_quarantine quarantine;
	struct config_inspect inspect;
	struct config_hook hook;
	int64_t privacy_keep_years; /* 0: for ever */
	int64_t grant_lease;          /* seconds */
	bool learn;
	bool synced_passkeys; /* count for more modules than a canary's */
	bool demo; /* must equal genesis: the caller compares */
	bool allow_running_without_sandbox;
	struct config_supplier suppliers[CONFIG_SUPPLIERS_MAX];
	unsigned suppliers_n;
	struct rule rules[RULES_MAX];
	unsigned rules_n;
	struct rules_raise raise;
	struct rules_security security_updates[RULES_SECURITY_MAX];
	unsigned security_updates_n;
	struct group_rule groups[CONFIG_GROUPS_MAX];
	unsigned groups_n;
	struct window windows[CONFIG_WINDOWS_MAX];
	unsigned windows_n;
	struct window_blackout blackouts[CONFIG_WINDOWS_MAX];
	unsigned blackouts_n;
	int64_t listings_max_age; /* seconds */
	struct config_list *lists; /* in file-name order */
	size_t lists_n;
	struct rollout_plan rollout_plans[ROLLOUT_PLANS_MAX];
	unsigned rollout_plans_n;
	struct profile *profiles; /* in file-name order: the order of matching */
	size_t profiles_n;
};

struct config_file {
	const char *name; /* "fotagate.conf", "profiles.d/acme.conf", "lists.d/own.conf": the folder says what it holds */
	struct view text;
};

/*
 * Parses a bundle: files[0] is fotagate.conf, the others lists.d/NAME.conf and profiles.d/NAME.conf in
 * ascending name order (checked: the order decides which profile matches
 * first). 0 and *ret (config_free); FG_EFORMAT with at least one problem;
 * FG_ENOMEM. problems is emptied first and may hold none but errors.
 */
int config_parse(const struct config_file *files, size_t n, struct config **ret,
    struct config_problems *problems);
void config_free(struct config *c);
const struct config_listener *config_listener(const struct config *c, struct view name);
const struct config_supplier *config_supplier(const struct config *c, struct view name);
const struct window *config_window(const struct config *c, struct view name);
const struct window_blackout *config_blackout(const struct config *c, struct view name);
const struct rollout_plan *config_rollout_plan(const struct config *c, struct view name);
const struct profile *config_profile(const struct config *c, struct view name);

#endif
