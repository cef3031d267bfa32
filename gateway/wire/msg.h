/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg - every message that passes between roles: one struct each, one field
 * table each (msg.c), one generic encoder and decoder. Adding a message means
 * adding it here, in the table and in the permitted-now tables; the decoder,
 * its bounds and its fuzz target come for free.
 *
 * Guarantees of msg_decode(): the body is consumed exactly, strings are
 * terminated and hold no NUL, booleans are 0 or 1, enums are below their limit,
 * arrays are within their maximum, and the frame carries exactly the number of
 * descriptors the message says. Everything else is for the receiver to judge.
 */
#ifndef FG_GATEWAY_WIRE_MSG_H
#define FG_GATEWAY_WIRE_MSG_H

#include "crypto/digest.h"
#include "crypto/writer.h"
#include "gateway/wire/wire.h"

#define MSG_NAME_MAX 64      /* names of profiles, listeners, products, groups */
#define MSG_VERSION_MAX 96   /* firmware version strings; EC25's are 17 long */
#define MSG_PATH_MAX 256     /* file system paths of the installation */
#define MSG_FILE_MAX 129     /* file names that profiles may use, policy/profile.h */
#define MSG_URL_MAX 1024     /* upstream URLs; presigned ones are long */
#define MSG_TEXT_MAX 512     /* one sentence for a person */
#define MSG_IDENT_MAX 128    /* a module identity in canonical text */
#define MSG_IDENTS_MAX 4     /* identities one request can carry */
#define MSG_GRANTS_MAX 32    /* grants gathered in a message (ARCHITECTURE.md section 6) */
#define MSG_LISTENERS_MAX 16
#define MSG_JSON_MAX 49152   /* control protocol documents that fit a frame */
#define MSG_DOC_MAX 49152    /* a document carried inside an audit entry */
#define MSG_CHECKLIST_MAX 16 /* items that a profile asks for */
#define MSG_OVER_MAX 8       /* rings whose failures a rollout goes on over */
#define MSG_FROM_MAX 16      /* from-versions or groups of one release */
#define MSG_APPLIER_MAX 32   /* APPROVAL_APPLIER_MAX */
#define MSG_REFS_MAX 16      /* references of an audit entry: as many as it can hold */
#define MSG_ENTRY_MAX 56320  /* a whole audit entry; fits a frame beside a receipt */
#define MSG_RECORD_MAX 32768 /* a release record */
#define MSG_CHECKPOINT_MAX 4096 /* a checkpoint with the lines of a dozen witnesses */
#define MSG_COSIGN_MAX 16384 /* a consistency proof (2.8 KiB) and a checkpoint */
#define MSG_ID 16            /* pseudonyms, release ids, resources, instance ids */

/* Roles; the value is on the wire. Zero is nobody. */
enum msg_role {
	MSG_ROLE_NONE = 0,
	MSG_ROLE_SUPERVISOR,
	MSG_ROLE_CONFIG,
	MSG_ROLE_EDGE,
	MSG_ROLE_UPSTREAM,
	MSG_ROLE_INSPECT,
	MSG_ROLE_CONTROL,
	MSG_ROLE_WARDEN,
	MSG_ROLE_AUDIT,
	MSG_ROLE_CLI,
	MSG_ROLE_CONSOLE,
	MSG_ROLE_HOOK,
	MSG_ROLE_LIMIT,
};
const char *msg_role_name(unsigned role);

enum msg_type {
	MSG_NONE = 0,
	/* supervisor <-> every role */
	MSG_BOOT = 1,
	MSG_BOOT_FD,
	MSG_PEER,
	MSG_START,
	MSG_READY,
	MSG_RELOAD,
	MSG_RELOADED,
	MSG_STOP,
	MSG_HALT,
	MSG_UNHALT,
	MSG_SPAWN,
	MSG_KILL,
	MSG_JOB_EXIT,
	MSG_ROLE_EXIT,
	/* config child -> supervisor */
	MSG_PLAN = 32,
	MSG_PLAN_LISTENER,
	MSG_PLAN_END,
	MSG_PLAN_ERROR,
	MSG_PLAN_FILE,
	/* anybody -> audit, and back */
	MSG_APPEND = 48,
	MSG_APPENDED,
	MSG_GRANT_APPEND,
	MSG_GRANT_APPENDED,
	MSG_HEAD_ASK,
	MSG_HEAD,
	MSG_ROOT_ASK,
	MSG_ROOT,
	MSG_LOG_OPEN,
	MSG_LOG_OPENED,
	MSG_PROOF_ASK,
	MSG_PROOF,
	MSG_COSIGN_ASK, /* audit -> warden, the witness in the house */
	MSG_COSIGNED,
	MSG_WITNESS_SAID, /* control -> audit, of a witness elsewhere */
	MSG_WITNESS_TAKEN,
	/* edge <-> control */
	MSG_TABLE = 64,
	MSG_TABLE_TAKEN,
	MSG_SIGHTING,
	MSG_GRANT_ASK,
	MSG_GRANT_SAY,
	MSG_REVOKE,
	MSG_REVOKED,
	MSG_SERVED,
	MSG_LOAD,
	MSG_RUNOUTS,
	/* console <-> control; it answers with MSG_REPLY */
	MSG_WEB_CALL,
	MSG_WEB_LOG,
	/* control <-> warden, which tells the supervisor too */
	MSG_POLICY,
	MSG_POLICY_TAKEN,
	/* control -> warden: the same as MSG_ISSUE, resting on a standing statement; answered with MSG_ISSUED */
	MSG_ISSUE_STANDING = 78,
	/* warden -> control: what after-review is owed, at the start and on change, and the answer to MSG_AFTERREVIEW */
	MSG_GLASS = 79,
	/* warden <-> edge */
	MSG_RELEASE = 80,
	MSG_RELEASE_TAKEN,
	MSG_WITHDRAW,
	/* control <-> warden */
	MSG_ISSUE = 96,
	MSG_ISSUED,
	MSG_RESTRICT,
	MSG_RESTRICTED,
	MSG_RESUME,
	MSG_RESUMED,
	MSG_WARDEN_STATE,
	MSG_SIGNERS,
	MSG_SIGNERS_TAKEN,
	MSG_SUSPEND,
	MSG_SUSPENDED,
	/* warden -> everybody else it speaks with */
	MSG_CLOCK = 108,
	/* control <-> warden */
	MSG_CONTINUE,
	MSG_CONTINUED,
	MSG_AFTERREVIEW, /* control -> warden */
	/* control <-> upstream job */
	MSG_FETCH = 112,
	MSG_FETCH_PROGRESS,
	MSG_FETCH_DONE,
	/* console -> control */
	MSG_WEB_STRAY = 117,
	/* control or command line <-> inspect job */
	MSG_INSPECT = 128,
	MSG_INSPECTED,
	/* control <-> hook job */
	MSG_HOOK,
	MSG_HOOKED,
	/* command line <-> control; anyone allowed <-> supervisor's halt socket */
	MSG_CALL = 144,
	MSG_REPLY,
	MSG_TYPE_LIMIT = 160,
};

/* ---- supervisor ---- */

struct msg_boot { /* first message to a role */
	uint8_t role;
	uint16_t index;   /* which edge */
	uint32_t uid, gid;
	bool drop;        /* started as root: become uid/gid */
	bool unsafe_sandbox; /* configuration accepts running without a jail */
	bool demo;
	uint8_t instance[MSG_ID]; /* of the genesis; zero before there is one */
	/* audit: digests of what identifies the machine; zero: not known */
	uint8_t machine[DIGEST_SHA256_LEN];
	uint8_t product[DIGEST_SHA256_LEN];
	char origin[MSG_PATH_MAX];
	char data_dir[MSG_PATH_MAX];
	char run_dir[MSG_PATH_MAX];
	uint32_t edges;
};
enum msg_boot_kind { /* what a MSG_BOOT_FD's descriptor is */
	MSG_FD_NONE = 0,
	MSG_FD_BUNDLE,     /* configuration bundle, sealed memfd; ordinal unused */
	MSG_FD_LISTENER,   /* listening socket; ordinal = listener in configuration order; part 1: the next edge's */
	MSG_FD_TLS_CERT,   /* PEM; ordinal = listener, part = which of several */
	MSG_FD_TLS_KEY,
	MSG_FD_CLIENT_CA,
	MSG_FD_LOG_KEY,    /* audit */
	MSG_FD_COSIGN_KEY, /* warden */
	MSG_FD_EPOCH_KEY,  /* control: pseudonyms */
	MSG_FD_GENESIS,    /* genesis.json, read-only */
	MSG_FD_GENESIS_SIG,/* ordinal = which signature */
	MSG_FD_CONTROL_SOCK, /* control: listening unix socket */
	MSG_FD_ANCHOR,     /* control: one file of the anchors folder; name = file name */
	MSG_FD_CA,         /* control: one CA file for upstream; name = file name */
	MSG_FD_CLIENT_CRL, /* PEM; ordinal = listener */
	MSG_FD_PSK,        /* keys shared with modules; ordinal = listener */
	MSG_FD_TICKETS,    /* edge: secrets of session tickets, sealed memfd; also later, when they are new */
	MSG_FD_CREDENTIALS, /* control, which only passes it on: one file for upstream; name = file name */
	MSG_FD_RULES,      /* control, which only passes it on: YARA rules for the inspector; name = file name */
	MSG_FD_WEB_LISTENER, /* console: its listening socket */
	MSG_FD_WEB_CERT,   /* console: PEM */
	MSG_FD_WEB_KEY,
	MSG_FD_HOOK,       /* control, which only passes it on: the decision hook; name = file name */
	MSG_FD_WEB_FRONT,  /* console: the unix socket of a trusted front */
	MSG_FD_WEB_CA,     /* console: PEM, what the client certificate of a front must chain to */
	MSG_FD_LIMIT,
};
struct msg_boot_fd { /* + 1 fd */
	uint8_t kind;
	uint16_t ordinal;
	uint16_t part;
	char name[MSG_FILE_MAX]; /* of the listener or the file */
};
struct msg_peer { /* + 1 fd: a new channel to that role; replaces an older one */
	uint8_t role;
	uint16_t index;
};
struct msg_ready { /* role -> supervisor: jailed and serving */
	uint32_t landlock_abi;
	bool seccomp;
	bool netns;
	char jail[MSG_TEXT_MAX];
};
struct msg_reload { /* + 1 fd: new bundle, already checked by the config child */
	uint64_t generation;
	bool held; /* to control alone: people have not signed this one; it is to be told of, not followed */
};
struct msg_reloaded {
	uint64_t generation;
	bool ok;
	char why[MSG_TEXT_MAX];
};
struct msg_stop {
	uint32_t grace_ms; /* transfers may end until then */
};
struct msg_halt { /* to edges: serve nothing, reset transfers; to audit and control: know it */
	int64_t at; /* epoch seconds; names this halt: no two have the same */
	uint32_t by_uid;
};
struct msg_unhalt { /* warden -> supervisor after a verified resume; supervisor -> edges, control, audit */
	int64_t at; /* of the halt that is undone: msg_halt.at, msg_resume.halted_at; a later halt stays */
};
enum msg_job_kind { MSG_JOB_NONE = 0, MSG_JOB_UPSTREAM, MSG_JOB_INSPECT, MSG_JOB_HOOK, MSG_JOB_LIMIT };
struct msg_spawn { /* control -> supervisor + 1 fd: the job's channel */
	uint64_t job;
	uint8_t kind;
	uint32_t wall_ms; /* killed after that */
};
struct msg_kill {
	uint64_t job;
};
struct msg_job_exit {
	uint64_t job;
	bool started;
	bool timed_out;
	int32_t status; /* exit status, or -signal */
};
struct msg_role_exit { /* supervisor -> control: for status; supervisor also appends it to the log */
	uint8_t role;
	uint16_t index;
	int32_t status;
	uint32_t restarts;
};

/* ---- configuration plan: all the supervisor knows of the configuration ---- */

struct msg_plan {
	char data_dir[MSG_PATH_MAX];
	char keys_dir[MSG_PATH_MAX];
	char run_dir[MSG_PATH_MAX];
	char anchors_dir[MSG_PATH_MAX];
	char user_edge[MSG_NAME_MAX], user_upstream[MSG_NAME_MAX], user_inspect[MSG_NAME_MAX];
	char user_control[MSG_NAME_MAX], user_warden[MSG_NAME_MAX], user_audit[MSG_NAME_MAX];
	char user_config[MSG_NAME_MAX], user_console[MSG_NAME_MAX], user_hook[MSG_NAME_MAX];
	char group_operators[MSG_NAME_MAX]; /* may connect to control.sock and halt.sock; "" = nobody else */
	uint32_t edges;
	uint32_t stop_ms;
	bool demo;
	bool unsafe_sandbox;
	uint32_t listeners_n;
	char console_address[MSG_NAME_MAX]; /* "": there is no console */
	uint16_t console_port;
	char console_cert[MSG_PATH_MAX], console_key[MSG_PATH_MAX];
	char front_socket[MSG_FILE_MAX]; /* in run_dir; "": none */
	char front_group[MSG_NAME_MAX];  /* may connect to it */
	char front_ca[MSG_PATH_MAX];     /* "": the console asks for no client certificate */
};
struct msg_plan_listener {
	uint16_t ordinal;
	char name[MSG_NAME_MAX];
	char address[MSG_NAME_MAX];
	uint16_t port;
	bool tls;
	char cert[2][MSG_PATH_MAX]; /* RSA and P-256 side by side; "" = none */
	char key[2][MSG_PATH_MAX];
	char client_ca[MSG_PATH_MAX];
	char client_crl[MSG_PATH_MAX];
	char psk[MSG_PATH_MAX];
};
struct msg_plan_file { /* a file that the configuration names: handed to control as MSG_BOOT_FD of that kind */
	uint8_t kind; /* MSG_FD_ANCHOR: in anchors_dir; MSG_FD_CA, MSG_FD_CREDENTIALS, MSG_FD_RULES, MSG_FD_HOOK: in keys_dir */
	char name[MSG_FILE_MAX];
};
struct msg_plan_error { /* one problem; the last is followed by MSG_PLAN_END with ok=false */
	char text[MSG_TEXT_MAX]; /* file:line: what and the cure */
};
struct msg_plan_end {
	bool ok;
	uint32_t problems;
	bool have_genesis; /* there was one, and it fits the configuration */
	uint8_t instance[MSG_ID];
	char origin[MSG_PATH_MAX];
	bool signed_policy;                /* genesis says that policy is in force only when people signed it */
	uint8_t policy[DIGEST_SHA256_LEN]; /* of this configuration: policy/policy_bundle.h, its config */
	uint8_t first[DIGEST_SHA256_LEN];  /* the one that genesis put in force; zero without */
};

/* ---- audit ---- */

struct msg_ref {
	char key[32];
	bool is_number;
	uint64_t number;
	char text[160];
};
struct msg_append { /* token 0: no answer wanted */
	uint64_t token;
	uint16_t event;         /* enum entry_event */
	uint8_t severity;       /* 0..7, syslog */
	char out[16];           /* "ok", "failed", "denied" */
	char act[MSG_NAME_MAX * 2];  /* who acted: principal, unix user, role */
	char obj[128];          /* what: "sha256:...", "R-12", "release:<id>" */
	bool have_dev;
	uint8_t dev[MSG_ID];    /* module pseudonym */
	uint32_t refs_n;
	struct msg_ref refs[MSG_REFS_MAX];
	char msg[MSG_TEXT_MAX];
	struct view doc;        /* embedded document, 0..MSG_DOC_MAX, printable ASCII */
};
struct msg_appended {
	uint64_t token;
	int32_t err;     /* 0 = durable; else fg_err, nothing was written */
	uint64_t index;
};
struct msg_grant { /* idempotent on (module, release) */
	uint64_t token;
	uint8_t module[MSG_ID];
	uint8_t release[MSG_ID];
};
struct msg_grant_append {
	uint64_t generation; /* of the decision table it rests on */
	uint32_t grants_n;
	struct msg_grant grants[MSG_GRANTS_MAX];
};
struct msg_granted {
	uint64_t token;
	int32_t err;
	uint64_t index; /* entry of this or the earlier identical grant */
};
struct msg_grant_appended {
	uint32_t granted_n;
	struct msg_granted granted[MSG_GRANTS_MAX];
};
struct msg_head_ask { uint64_t token; };
struct msg_head {
	uint64_t token;
	uint8_t state; /* enum msg_log_state */
	uint64_t size; /* durable entries */
	uint8_t root[DIGEST_SHA256_LEN];
	uint8_t used_pct;   /* how full the log's disk is */
	uint64_t published; /* size of the checkpoint below */
	uint64_t witnessed; /* the size the warden has vouched for; 0: none, or not known yet */
	int64_t last_us;    /* time of the last entry: it is not earlier; 0: there is none */
	uint8_t remotes;    /* witnesses elsewhere that the policy names */
	uint64_t remote_size; /* the size their quorum has cosigned in this process's life */
	char checkpoint[MSG_CHECKPOINT_MAX];
};
enum msg_log_state {
	MSG_LOG_UNKNOWN = 0,
	MSG_LOG_OPEN_OK,
	MSG_LOG_TAMPERED,
	MSG_LOG_ROLLED_BACK,
	MSG_LOG_FAILED,
	MSG_LOG_CLONED, /* a copy of a log that may go on elsewhere */
	MSG_LOG_FULL,   /* its disk: only what restricts and what says so is written */
	MSG_LOG_WAITING, /* for the witnesses elsewhere to say that it is the whole log: nothing is written */
	MSG_LOG_LIMIT
};
/* "ok", "tampered", "rolled-back", "failed", "cloned", "full", "waiting"; "unknown" for anything else. Never NULL. */
const char *msg_log_state_name(unsigned state);
struct msg_root_ask { uint64_t token; uint64_t size; };
struct msg_root {
	uint64_t token;
	int32_t err; /* FG_ENOTFOUND: larger than the log */
	uint64_t size;
	uint8_t root[DIGEST_SHA256_LEN];
};
struct msg_log_open { uint64_t token; char name[MSG_PATH_MAX]; }; /* "checkpoint", "tile/..." */
struct msg_log_opened { uint64_t token; int32_t err; }; /* + 1 fd read-only if err is 0 (else none) */
struct msg_proof_ask { uint64_t token; uint64_t index; };
struct msg_proof { uint64_t token; int32_t err; char receipt[8192]; struct view entry; };
struct msg_cosign_ask {
	uint64_t token;
	struct view request; /* the body of an add-checkpoint (crypto/witness.h); empty: only tell what is remembered */
};
struct msg_cosigned {
	uint64_t token;
	int32_t err;      /* 0: judged, and remembered durably if it was to be */
	uint8_t outcome;  /* enum witness_outcome; WITNESS_UNKNOWN to an empty request */
	struct view note; /* the checkpoint remembered now, with the log's own signature: proof, not claim. Empty: none */
	char line[512];   /* the cosignature with its "\n"; "" unless cosigned, or without a key */
};
struct msg_witness_said {
	uint64_t token;
	char name[128]; /* as the policy calls it */
	char line[512]; /* its cosignature with the "\n", unjudged; "": nothing but the name is asked about */
};
struct msg_witness_taken {
	uint64_t token;
	/* FG_ENOTFOUND: no witness of the policy; FG_EPERM: no cosignature of what is published; FG_ESTATE: an old one. */
	int32_t err;
	uint64_t size; /* it has cosigned in this process's life; 0: nothing */
	uint64_t time; /* of that, as the witness says */
};

/* ---- edge and control ---- */

struct msg_table { /* + 1 fd: sealed decision table */
	uint64_t generation; /* log size it was built at; never goes back */
};
struct msg_table_taken { uint64_t generation; int32_t err; };
struct msg_ident {
	uint8_t kind;  /* enum identity_kind */
	uint8_t cls;   /* enum identity_class */
	char text[MSG_IDENT_MAX];
};
struct msg_sighting {
	char profile[MSG_NAME_MAX]; /* "" = no profile matched (learn mode) */
	char listener[MSG_NAME_MAX];
	char peer[64];
	char host[MSG_PATH_MAX];
	char path[MSG_URL_MAX];       /* escaped, for a person; never used upstream */
	char agent[MSG_NAME_MAX * 2]; /* escaped */
	bool fetchable;               /* a template gave url */
	char url[MSG_URL_MAX];
	char signature_url[MSG_URL_MAX];
	uint8_t resource[MSG_ID];
	char product[MSG_NAME_MAX];
	char target[MSG_VERSION_MAX];
	char from[MSG_VERSION_MAX];    /* version the request asks a delta from; "" = any */
	char current[MSG_VERSION_MAX]; /* version the module says it runs; "" = not said */
	uint32_t idents_n;
	struct msg_ident idents[MSG_IDENTS_MAX];
	uint8_t answer;   /* enum scope_reason or 0 when offered */
	uint32_t repeats; /* like this one since the last message about it */
};
struct msg_ask { uint64_t token; uint8_t module[MSG_ID]; uint8_t release[MSG_ID]; };
struct msg_grant_ask { uint64_t generation; uint32_t asks_n; struct msg_ask asks[MSG_GRANTS_MAX]; };
struct msg_say { uint64_t token; bool yes; uint8_t reason; uint32_t lease_s; };
struct msg_grant_say { uint32_t says_n; struct msg_say says[MSG_GRANTS_MAX]; };
struct msg_revoke {
	uint8_t release[MSG_ID];
	uint64_t generation;
	bool withheld; /* it may come back: transfers and leases end, what the warden said of it stays */
};
struct msg_revoked { uint8_t release[MSG_ID]; uint32_t reset; };
struct msg_served { /* an answer with body ended */
	uint8_t module[MSG_ID];
	uint8_t release[MSG_ID];
	uint64_t offset, sent, size;
	bool complete; /* the module has now been sent every byte up to the end */
};

struct msg_load { /* how an edge stands; what was refused: since it started */
	uint64_t connections;
	uint64_t waiting;        /* of them, for their turn of the bandwidth */
	uint64_t owed;           /* bytes of TLS records that sockets did not take */
	uint64_t pauses;         /* times that it accepted nobody: limits.connections, or descriptors */
	uint64_t refused_source; /* connections: their address had too many */
	uint64_t refused_module; /* requests: their module had too many connections */
};

/* What of a listener's TLS has an end. */
enum msg_runout_kind {
	MSG_RUNOUT_NONE = 0,
	MSG_RUNOUT_CERT,      /* its own certificates */
	MSG_RUNOUT_CLIENT_CA, /* anchors of clients */
	MSG_RUNOUT_CRL,       /* lists of clients' CAs */
	MSG_RUNOUT_LIMIT,
};
struct msg_runout { uint16_t listener; uint8_t kind; int64_t from, until; }; /* of several the one that ends first */
#define MSG_RUNOUTS_MAX (MSG_LISTENERS_MAX * (MSG_RUNOUT_LIMIT - 1))
struct msg_runouts { uint32_t rows_n; struct msg_runout rows[MSG_RUNOUTS_MAX]; }; /* all of them: none else */

/* ---- warden and edge ---- */

/* + 2 fds: image (sealed memfd, or the warden's read-only file), block list (sealed memfd) */
struct msg_release {
	uint8_t release[MSG_ID];
	uint8_t image[DIGEST_SHA256_LEN];
	uint64_t size;
	uint32_t block_size;
	bool hot; /* image is a sealed memfd */
	struct view record; /* canonical JSON, up to MSG_RECORD_MAX; its digest is the release id */
};
struct msg_release_taken { uint8_t release[MSG_ID]; int32_t err; };
struct msg_withdraw { uint8_t release[MSG_ID]; };

/* ---- control and warden ---- */

struct msg_name { char text[MSG_VERSION_MAX]; };
/* + 2 fds: image (read-only, quarantine), sealed memfd of statement and signature blobs in pairs */
struct msg_issue {
	uint64_t token;
	char review[32];
	uint8_t image[DIGEST_SHA256_LEN];
	uint8_t report[DIGEST_SHA256_LEN];
	uint8_t policy[DIGEST_SHA256_LEN];
	uint8_t resource[MSG_ID];
	char subject[MSG_URL_MAX];
	char profile[MSG_NAME_MAX];
	char product[MSG_NAME_MAX];
	char target[MSG_VERSION_MAX];
	uint32_t from_n;
	struct msg_name from[MSG_FROM_MAX]; /* "*" = any older */
	uint32_t groups_n;
	struct msg_name groups[MSG_FROM_MAX]; /* "*" = all */
	uint32_t max_devices;
	int64_t not_before, not_after;
	uint32_t findings_n;
	struct msg_name findings[64];
	uint32_t checklist_n;
	struct msg_name checklist[MSG_CHECKLIST_MAX]; /* as people signed it; likewise */
	uint32_t waived_n;
	struct msg_name waived[64];
	uint32_t requesters_n;
	struct msg_name requesters[MSG_FROM_MAX]; /* principals that never count */
	uint32_t quorum; /* asked for now; the genesis floor may be higher */
	uint32_t terms_quorum; /* what the statements say that the policy asks for */
	bool have_plan;
	uint8_t plan[DIGEST_SHA256_LEN]; /* likewise */
	uint8_t made; /* enum approval_made, and what comes with it: as people signed it of a delta */
	char applier[MSG_APPLIER_MAX];
	uint8_t base[DIGEST_SHA256_LEN], target_image[DIGEST_SHA256_LEN];
	bool have_signer; /* only of MSG_ISSUE_STANDING: SHA-256 of the SPKI of whoever signed the image */
	uint8_t signer[DIGEST_SHA256_LEN];
	uint64_t opened_at; /* log size when the review opened: statements must have seen more */
	int64_t now;
};
struct msg_issued {
	uint64_t token;
	bool ok;
	char why[MSG_TEXT_MAX];
	uint32_t counted, needed;
	uint8_t release[MSG_ID];
	struct view record;
};
struct msg_restrict { /* takes effect first, is logged by control afterwards */
	uint64_t token;
	uint8_t kind; /* enum msg_restrict_kind */
	uint8_t image[DIGEST_SHA256_LEN];
	uint8_t release[MSG_ID]; /* zero: every release of the image */
	uint64_t log_size;       /* statements that saw no more than this have no effect any longer */
	bool again;              /* spoken before and acknowledged: the word of then, in case it was forgotten */
};
enum msg_restrict_kind { MSG_RESTRICT_NONE = 0, MSG_RESTRICT_REVOKE, MSG_RESTRICT_REJECT, MSG_RESTRICT_LIMIT };
struct msg_restricted { uint64_t token; int32_t err; uint32_t withdrawn; bool lost; /* spoken again, and it was not known */ };
struct msg_resume { /* + 1 fd: statements memfd */ uint64_t token; int64_t halted_at; int64_t now; };
struct msg_resumed { uint64_t token; bool ok; char why[MSG_TEXT_MAX]; };
/*
 * + 1 fd: statements memfd. A rollout is to go on; how far it is the warden does not know: it writes down what it was
 * told. The terms of crypto/approval.h.
 */
struct msg_continue {
	uint64_t token;
	uint8_t release[MSG_ID];
	uint8_t step;    /* enum approval_step */
	char ring[MSG_NAME_MAX];
	int64_t since;
	uint32_t over_n;
	struct msg_name over[MSG_OVER_MAX];
};
struct msg_continued { uint64_t token; bool ok; char why[MSG_TEXT_MAX]; };
/* + 1 fd: statements memfd. People looked at a break-glass release (crypto/approval_glass.h). Answered with MSG_GLASS. */
struct msg_afterreview {
	uint64_t token; /* not 0 */
	uint8_t release[MSG_ID];
	uint8_t outcome; /* enum approval_outcome */
};
struct msg_glass {
	uint64_t token; /* of what was asked; 0: nobody did */
	bool ok;
	char why[MSG_TEXT_MAX];
	bool owed; /* then of which release and image, and how many persons it takes */
	uint8_t release[MSG_ID], image[32];
	uint32_t need;
};
struct msg_warden_state { /* warden -> control after start and on change: what is released */
	uint8_t release[MSG_ID];
	struct view record;
	bool last; /* end of the list; then release is zero and record empty */
};

/* + 1 fd: the next signer set and its signatures, sealed memfd (crypto/succession.h) */
struct msg_signers { uint64_t token; };
struct msg_signers_taken {
	uint64_t token;
	bool ok;
	char why[MSG_TEXT_MAX];
	uint32_t number; /* of the set in force now */
};
/* + 1 fd: the next policy's statement and its signatures, sealed memfd (a crypto/succession.h bundle) */
struct msg_policy { uint64_t token; };
struct msg_policy_taken { /* answer; with token 0, to control at its start and to both on every change, what is in force */
	uint64_t token;
	bool ok;
	char why[MSG_TEXT_MAX];
	uint32_t number; /* of the policy in force now */
};
struct msg_suspend { /* one key counts for nothing from now on; takes effect first, is logged by control afterwards */
	uint64_t token;
	uint8_t key[DIGEST_SHA256_LEN]; /* sshkey_digest */
	bool again;      /* said before, then and under the set of that number: a set written later has decided since */
	uint32_t number;
	int64_t at;      /* seconds */
};
struct msg_suspended { /* answer; with token 0, at control's start, one of those in force */
	uint64_t token;
	int32_t err; /* FG_EIO: in force, but not written down; FG_ENOTFOUND: no key of the set; FG_ESTATE: a later set decided */
	uint8_t key[DIGEST_SHA256_LEN];
	uint32_t number; /* of the set it was suspended under */
	int64_t at;
};
enum msg_clock_state { MSG_CLOCK_UNKNOWN = 0, MSG_CLOCK_SURE, MSG_CLOCK_HELD, MSG_CLOCK_LIMIT };
/*
 * What the wall clock is held against (crypto/clockwatch.h), to each peer when it
 * comes and on every change. Readers judge by the base themselves, every time.
 */
struct msg_clock {
	uint8_t state;                /* enum msg_clock_state */
	int64_t base_wall, base_boot; /* microseconds; 0 and 0 while there is no base */
	int64_t forgiven;             /* floors up to here do not count */
	int64_t name;                 /* of the hold, for the statements that end it; seconds */
	int64_t step;                 /* microseconds the clock was off when the hold began */
};

/* ---- jobs ---- */

#define MSG_PLACE_MAX 288 /* scheme, host of 253, port */
struct msg_cidr { uint8_t addr[16]; uint8_t bits; bool v6; };
/* What is in an image file of what the vendor has, and how to recognise both. */
struct msg_kept {
	uint64_t bytes; /* from its start, and on disk */
	uint64_t total; /* of the whole; 0: not known */
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of those bytes */
	char validator[128]; /* entity tag or time of the last change (RFC 9110 8.8) */
};
/* + 2..4 fds: image file (write, and read what is kept), signature file (write), [CA bundle PEM, sealed memfd], [credentials] */
struct msg_fetch {
	uint64_t job;
	char url[MSG_URL_MAX];
	char signature_url[MSG_URL_MAX]; /* "" = none */
	char home[MSG_URL_MAX]; /* whose server is shown who we are, and signature_url's is; "" = none is */
	uint64_t max_bytes;
	uint32_t max_seconds;
	uint32_t min_speed; /* bytes per second over 30 s */
	uint32_t max_redirects;
	uint32_t tries;     /* more of them, after that many failures in a row */
	bool have_ca;
	bool have_credentials;
	char proxy[MSG_PLACE_MAX]; /* "" = none */
	uint32_t kept_n;         /* 1: the image file has this from an earlier fetch */
	struct msg_kept kept[1];
	uint32_t pins_n;
	struct { uint8_t spki[DIGEST_SHA256_LEN]; } pins[4];
	uint32_t private_n;
	struct msg_cidr private_ok[8];
	char first_asked_by[80]; /* pseudonym or person; provenance only, never sent */
};
#define MSG_SHOWN_MAX 48  /* of one fetch: key and way of image and signature, ten redirects of each, and a few tries */
enum msg_shown_kind {
	MSG_SHOWN_NONE = 0,
	MSG_SHOWN_KEY,      /* value: SHA-256 of the server's public key (SPKI), hex */
	MSG_SHOWN_REDIRECT, /* value: where it led; "" : nowhere else */
	MSG_SHOWN_REFUSED,  /* value: as of MSG_SHOWN_KEY; nothing came from that server */
	MSG_SHOWN_LIMIT,
};
struct msg_shown { uint8_t kind; char place[MSG_PLACE_MAX]; char value[MSG_PLACE_MAX]; };
struct msg_fetch_progress {
	uint64_t job;
	uint64_t bytes, total;
	uint32_t kept_n;         /* 1: should everything end now, this much can be gone on with */
	struct msg_kept kept[1];
	uint32_t shown_n;        /* so far; with kept */
	struct msg_shown shown[MSG_SHOWN_MAX];
	bool shown_more;         /* it was more than that */
};
enum msg_fetch_outcome {
	MSG_FETCH_FAILED = 0, /* zero value denies */
	MSG_FETCH_OK,
	MSG_FETCH_REFUSED,    /* a rule of ours: cap, redirect, address, TLS pin */
	MSG_FETCH_HTTP,       /* vendor answered with an error status */
	MSG_FETCH_LIMIT_,
};
/* What stood against a fetch; with MSG_FETCH_OK, what was overcome. Names in fotagate-log(5). */
enum msg_fetch_finding {
	MSG_FINDING_NONE = 0,
	MSG_FINDING_ADDRESS,     /* leads to a private address */
	MSG_FINDING_AMBIGUOUS,   /* the answer's length is given in two ways */
	MSG_FINDING_CHANGED,     /* other content than at the beginning */
	MSG_FINDING_CODING,      /* a content coding nobody asked for */
	MSG_FINDING_CREDENTIALS, /* a redirect with a user name */
	MSG_FINDING_CUT,         /* less than announced */
	MSG_FINDING_DISK,
	MSG_FINDING_HEADER,      /* larger than any header is */
	MSG_FINDING_IDENTITY,    /* certificate or pin */
	MSG_FINDING_LOCAL,       /* our own doing */
	MSG_FINDING_LONG,        /* max_seconds */
	MSG_FINDING_NETWORK,
	MSG_FINDING_RANGE,       /* another part than was asked for */
	MSG_FINDING_REDIRECT,    /* too many, or to nowhere */
	MSG_FINDING_SCHEME,      /* a redirect to another one */
	MSG_FINDING_SIZE,        /* max_bytes */
	MSG_FINDING_SLOW,        /* min_speed */
	MSG_FINDING_STATUS,      /* the vendor said no */
	MSG_FINDING_LIMIT_,
};
/* "FETCH-SIZE"; "none" for zero and unknown. */
const char *msg_fetch_finding_name(uint8_t finding);
struct msg_fetch_done { /* + 1 fd: provenance record, canonical JSON, sealed memfd */
	uint64_t job;
	uint8_t outcome;
	uint8_t finding;
	uint32_t http_status;
	uint64_t bytes, signature_bytes;
	uint32_t kept_n;         /* 1: it failed, and the next fetch may go on with this */
	struct msg_kept kept[1];
	uint32_t shown_n;
	struct msg_shown shown[MSG_SHOWN_MAX];
	bool shown_more;         /* it was more than that */
	char detail[MSG_TEXT_MAX];
};
enum msg_stage { MSG_STAGE_NONE = 0, MSG_STAGE_VERIFY, MSG_STAGE_EXPLAIN, MSG_STAGE_DELTA, MSG_STAGE_LIMIT };
/*
 * + fds in this order as the flags say: image (always), signature, trust bundle, old image,
 * base, target, aids. With MSG_STAGE_DELTA the image is the delta, and the target (which must be there)
 * is where what it makes is written: a file or memfd that is the sender's to seal when the job is
 * over. With MSG_STAGE_EXPLAIN it is an empty file for what the images expand to; without one they
 * are compared byte by byte only; aids (images/aids.h) are what the operator gives it beside them.
 */
struct msg_inspect {
	uint64_t job;
	uint8_t stage;
	bool have_signature, have_trust, have_old, have_base, have_target, have_aids;
	int64_t at;
	char profile[MSG_NAME_MAX]; /* "" = none: the contract's defaults */
	uint8_t profile_digest[DIGEST_SHA256_LEN];
	uint8_t scheme;             /* enum inspect_scheme: what the signature is */
	uint8_t purpose;            /* enum trust_purpose */
	bool allow_leaf_anchor, require_revocation, pinned_ignores_expiry, require_signature;
	uint32_t rsa_bits_min;
	uint32_t format;            /* enum format_id of a delta that has no magic; 0 = by its bytes */
	uint64_t target_max;        /* bytes that target may have */
};
struct msg_inspected { /* + 1 fd: report of the stage, sealed memfd */
	uint64_t job;
	uint8_t stage;
};

#define MSG_HOOK_PROGRAM_MAX (1u << 20) /* HOOK_PROGRAM_MAX and HOOK_ANSWER_MAX of policy/hook.h */
#define MSG_HOOK_ANSWER_MAX (16u << 10)
#define MSG_HOOK_SAID_MAX 128
struct msg_hook { /* + 2 fds: what it is told, the program; sealed memfds */
	uint64_t job;
	uint32_t seconds;    /* of processor time; the supervisor holds it to the wall clock */
	uint32_t memory_mib;
};
enum msg_hook_outcome {
	MSG_HOOK_NOTHING = 0, /* zero value says nothing */
	MSG_HOOK_ENDED,
	MSG_HOOK_OVERLONG,    /* it wrote more than an answer has, and was not waited for */
	MSG_HOOK_LIMIT_,
};
struct msg_hooked { /* + 1 fd if have_answer: what it wrote, sealed memfd, unread */
	uint64_t job;
	uint8_t outcome;
	int32_t status;      /* with MSG_HOOK_ENDED: exit status, or -signal */
	bool have_answer;
	char said[MSG_HOOK_SAID_MAX]; /* its first line on standard error, made visible */
};

/* ---- command line ---- */

struct msg_call { /* + 0..2 fds as the request says */
	uint64_t token;
	char request[MSG_NAME_MAX]; /* "review.show" */
	uint32_t fds;               /* how many descriptors come with it, 0..2 */
	struct view json;           /* arguments, canonical JSON object, up to MSG_JSON_MAX */
};
struct msg_reply { /* + 1 fd when big: the document as sealed memfd; + 1 fd when file: a read-only file */
	uint64_t token;
	uint8_t status; /* exit status of the command: 0, 1, 2, 3 */
	bool big;
	bool file;
	struct view json; /* empty when big */
};

/* ---- console ---- */

/* How whoever asks is known. The kernel's word, a unix account, has no value here: a console cannot claim one. */
enum msg_web_means { MSG_WEB_GUEST = 0, MSG_WEB_SESSION, MSG_WEB_TOKEN, MSG_WEB_LIMIT };
/*
 * By what the connection could be that of a front. Whether it is, control says. KEY: what came by it speaks as a front
 * does, if only of an address; of anybody else's certificate nothing is said.
 */
enum msg_web_via { MSG_VIA_NONE = 0, MSG_VIA_SOCKET, MSG_VIA_KEY, MSG_VIA_LIMIT };
struct msg_web_call { /* + 0..2 fds as the request says; answered by a msg_reply */
	uint64_t token;
	uint8_t means;
	bool background;            /* nobody asked: a page renews what it shows; no sign that somebody is there */
	uint8_t secret[32];         /* of the session or token, zero of a guest */
	uint8_t peer[MSG_ID];       /* address of whoever asks, IPv4 mapped into IPv6 */
	uint8_t key[DIGEST_SHA256_LEN];  /* of the Idempotency-Key; zero: there was none */
	uint8_t asked[DIGEST_SHA256_LEN]; /* of all that was asked, to tell whether that key's call comes again */
	uint8_t via;
	uint32_t via_uid;                   /* MSG_VIA_SOCKET: the kernel's word */
	uint8_t via_key[DIGEST_SHA256_LEN]; /* MSG_VIA_KEY: SHA-256 of the public key of its client certificate */
	uint8_t person[DIGEST_SHA256_LEN];  /* vouch_identity() of whom the connection vouches for; zero: nobody */
	char request[MSG_NAME_MAX];
	uint32_t fds;
	struct view json;
};
struct msg_web_stray { /* console -> control, at most once a second: headers of a front that are not to be believed */
	uint32_t count;
	uint8_t peer[MSG_ID]; /* of the last */
	char what[MSG_NAME_MAX];
};
struct msg_web_log { /* control -> console, at most once a second */
	uint64_t size; /* entries of the audit log */
};

/* ---- encoding ---- */

/*
 * Appends the body of message type from its struct. Aborts on an unknown type,
 * an unterminated string or an array over its maximum: the sender's mistake.
 */
void msg_encode(unsigned type, const void *msg, struct writer *w);
/*
 * Decodes frame into msg (the struct of that type, size bytes; zeroed first).
 * Views inside msg borrow from the frame's buffer. FG_EPEER for anything off,
 * an unknown type and a wrong number of descriptors included.
 */
int msg_decode(const struct wire_frame *frame, void *msg, size_t size);
/* Size of the struct of a type; 0 for an unknown type and for MSG_START, which has no body (msg may be NULL). */
size_t msg_size(unsigned type);
/* "grant-append" for logs; "?" for an unknown type. Never NULL. */
const char *msg_type_name(unsigned type);
/* How many descriptors that message carries. Aborts on an unknown type. */
unsigned msg_fds(unsigned type, const void *msg);
/*
 * Encodes and sends in one go over a blocking or non-blocking socket, as
 * wire_send. Aborts on a wrong number of descriptors.
 */
int msg_send(int sock, unsigned type, const void *msg, const int *fds, unsigned fds_n);

#endif
