/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile - what one vendor's update traffic looks like, and the rules for it.
 * Role: parsed by policy/config from profiles.d; edges match requests with it,
 * control orders fetches and decides with it, upstream gets its limits from it,
 * and its canonical form is the policy that people sign. Guarantees: pure,
 * bounded, no regular expressions; an upstream host never comes from a request.
 */
#ifndef FG_POLICY_PROFILE_H
#define FG_POLICY_PROFILE_H

#include "crypto/approval.h"
#include "crypto/digest.h"
#include "crypto/trust.h"
#include "crypto/view.h"
#include "crypto/writer.h"
#include "images/inspect.h"
#include "policy/cidr.h"
#include "policy/identity.h"
#include "policy/profile_pattern.h"
#include "policy/transport.h"
#include "policy/version.h"
#include "policy/window.h"

#define PROFILE_WORD_MAX 48       /* names of ours: profile, supplier, group, listener */
#define PROFILE_HOST_MAX 253      /* RFC 1035 */
#define PROFILE_PATH_MAX 1024     /* see PROFILE_PATTERN_INPUT_MAX */
#define PROFILE_QUERY_MAX 1024
#define PROFILE_URL_MAX 1024      /* template and what comes out of it */
#define PROFILE_TEXT_MAX 128      /* header names, fixed values, product and version names */
#define PROFILE_FILE_MAX 128      /* file names under keys_dir and its anchors folder */
#define PROFILE_BODY_MAX 1024     /* "nothing for you yet": head and body go out as one segment */
#define PROFILE_LISTENERS_MAX 16
#define PROFILE_HOSTS_MAX 32
#define PROFILE_CAPTURES_MAX 16
#define PROFILE_PARAMS_MAX 16     /* query parameters a profile looks at */
#define PROFILE_QUERY_PARTS_MAX 64 /* query parameters a request may have */
#define PROFILE_IDENTITIES_MAX 8
#define PROFILE_NETWORKS_MAX 256
#define PROFILE_FROM_MAX 32
#define PROFILE_ANCHORS_MAX 32
#define PROFILE_PINS_MAX 4     /* what MSG_FETCH carries: the present key, the next, two spares */
#define PROFILE_PRIVATE_MAX 8  /* likewise */
#define PROFILE_DELTA_PINS_MAX 64 /* deltas that wait for people at a time; each is for one pair of versions */
#define PROFILE_STEPS_MAX 64
#define PROFILE_RESOURCE_LEN 16
#define PROFILE_POLICY_SCHEMA "fotagate-policy/2" /* of the canonical text */
#define PROFILE_POLICY_SCHEMA_OLD "fotagate-policy/1" /* before there were rules and plans; releases may rest on it */

enum profile_answer { PROFILE_HOLD = 0, PROFILE_OFFER };

/* Zero means that nothing is checked, which only `require = false` allows. */
enum profile_scheme {
	PROFILE_SCHEME_NONE = 0,
	PROFILE_SCHEME_CMS_DETACHED,
	PROFILE_SCHEME_CMS_ATTACHED,
	PROFILE_SCHEME_EMBEDDED, /* in the image's own format, which the profile names */
	PROFILE_SCHEME_MINISIGN, /* either form of it */
	PROFILE_SCHEME_SIGNIFY,
	PROFILE_SCHEME_SSHSIG,
	PROFILE_SCHEME_OPENPGP,
	PROFILE_SCHEME_JCAT, /* an item of it is of the image */
	PROFILE_SCHEME_TUF,    /* a tar of a repository's metadata, beside the image */
	PROFILE_SCHEME_UPTANE, /* of a director's and an image repository's */
	PROFILE_SCHEME_RAW_FIRST, /* from here on: enum trust_scheme, see profile_trust_scheme() */
};

enum profile_source_kind {
	PROFILE_SOURCE_NONE = 0,
	PROFILE_SOURCE_CAPTURE,
	PROFILE_SOURCE_HEADER,
	PROFILE_SOURCE_FIXED,
	PROFILE_SOURCE_CLIENT_CERT,
	PROFILE_SOURCE_ADDRESS,
	PROFILE_SOURCE_PSK,
};

/* "capture:NAME", "header:NAME", "fixed:TEXT", "client_cert", "psk_identity", "source_address". */
struct profile_source {
	enum profile_source_kind kind;
	int capture;                    /* index; -1 if it is not one */
	char text[PROFILE_TEXT_MAX + 1]; /* header name or fixed text */
};

struct profile_capture {
	char name[PROFILE_WORD_MAX + 1];
	enum profile_pattern_class class;
	int64_t max;
};

struct profile_param {
	char name[PROFILE_WORD_MAX + 1]; /* "" is a bare word: "?<deviceId>" */
	bool optional;
	int capture;                      /* index, or -1: value must equal literal */
	char literal[PROFILE_TEXT_MAX + 1];
};

struct profile_identity {
	enum identity_class class;
	enum identity_kind kind;
	enum identity_check check;
	char from[PROFILE_TEXT_MAX + 1];
	struct profile_source source;
};

struct profile_network {
	char cidr[CIDR_TEXT_MAX];
	char module[PROFILE_WORD_MAX + 1]; /* "" : the address itself is the identity */
	char group[PROFILE_WORD_MAX + 1];  /* "" : default_group */
	struct cidr range;
};

/* An update that is allowed. */
struct profile_step {
	char product[PROFILE_TEXT_MAX + 1]; /* "" : every product */
	char from[VERSION_TEXT_MAX + 1];    /* "*" : any version, and an unknown one */
	char to[VERSION_TEXT_MAX + 1];
};

struct profile_not_now {
	int64_t status;      /* HTTP status; not used when close */
	int64_t retry_after; /* seconds; 0 sends no such header */
	char body[PROFILE_BODY_MAX + 1];
	char content_type[49]; /* within HTTP_REPLY_TYPE_MAX, so that the check says so and not the edge */
	bool close;          /* close without any answer (MeiG/XinYi) */
	bool post;           /* POST and PUT are told so too, and never anything else */
};

struct profile_upstream {
	char ca_file[PROFILE_FILE_MAX + 1];    /* "" : the system's roots */
	char pin_text[PROFILE_PINS_MAX][65];
	unsigned pin_text_n;
	uint8_t pin[PROFILE_PINS_MAX][DIGEST_SHA256_LEN];
	char proxy[PROFILE_HOST_MAX + 16];     /* "" : none */
	char credentials_file[PROFILE_FILE_MAX + 1];
	char private_text[PROFILE_PRIVATE_MAX][CIDR_TEXT_MAX];
	unsigned private_text_n;
	struct cidr private[PROFILE_PRIVATE_MAX];
	int64_t max_bytes;
	int64_t max_seconds;
	int64_t max_redirects;
	int64_t min_bytes_per_second;
};

struct profile_signature {
	enum profile_scheme scheme;
	char format[PROFILE_WORD_MAX + 1]; /* with PROFILE_SCHEME_EMBEDDED, else "" */
	enum trust_scheme key_scheme;      /* with PROFILE_SCHEME_EMBEDDED; NONE: by the type of each key */
	char anchors[PROFILE_ANCHORS_MAX][PROFILE_FILE_MAX + 1];
	unsigned anchors_n;
	enum trust_purpose purpose;
	bool allow_leaf_anchor;
	bool require_revocation;
	bool ignore_expiry_for_pinned;
	bool require;
};

/* What it takes for people to be asked about a delta whose result nobody here could see. Zero: nothing is enough. */
enum profile_unseen { PROFILE_UNSEEN_HOLD = 0, PROFILE_UNSEEN_PINNED, PROFILE_UNSEEN_FULL,
	PROFILE_UNSEEN_ATTESTED };

/* From which weight on a finding needs a waiver before anybody signs. */
enum profile_waivers { PROFILE_WAIVERS_NONE = 0, PROFILE_WAIVERS_WARNING, PROFILE_WAIVERS_NOTICE };

struct profile_review {
	enum profile_waivers waivers;
	char checklist[APPROVAL_CHECKLIST_MAX][APPROVAL_WORD_MAX]; /* what whoever signs says to have done */
	unsigned checklist_n;
};

struct profile_deltas {
	char format[PROFILE_WORD_MAX + 1]; /* of deltas whose bytes do not tell it; "" : none */
	enum profile_unseen unseen;
	char pin_text[PROFILE_DELTA_PINS_MAX][65];
	unsigned pin_text_n;
	uint8_t pin[PROFILE_DELTA_PINS_MAX][DIGEST_SHA256_LEN];
	int64_t unseen_days; /* a release of such a delta lapses */
	bool proof_signs;    /* where what it makes is proved, signature.require asks for no signature of the delta's own */
};

struct profile {
	char name[PROFILE_WORD_MAX + 1];
	char supplier[PROFILE_WORD_MAX + 1];
	char listeners[PROFILE_LISTENERS_MAX][PROFILE_WORD_MAX + 1];
	unsigned listeners_n;
	char hosts[PROFILE_HOSTS_MAX][PROFILE_HOST_MAX + 1];
	unsigned hosts_n;
	bool any_host;
	char path[PROFILE_PATH_MAX + 1];
	char query[PROFILE_PARAMS_MAX][PROFILE_TEXT_MAX + 1];
	unsigned query_n;
	struct profile_capture captures[PROFILE_CAPTURES_MAX];
	unsigned captures_n;
	char product[PROFILE_TEXT_MAX + 1];
	char target_version[PROFILE_TEXT_MAX + 1];
	char current_version[PROFILE_TEXT_MAX + 1];
	char from_versions[PROFILE_FROM_MAX][PROFILE_TEXT_MAX + 1];
	unsigned from_versions_n;
	enum version_order version_order;
	bool one_image; /* for a product, from-version and target, whatever else a URL says */
	struct profile_step steps[PROFILE_STEPS_MAX];
	unsigned steps_n;
	struct profile_identity identity[PROFILE_IDENTITIES_MAX];
	unsigned identity_n;
	struct profile_network networks[PROFILE_NETWORKS_MAX];
	unsigned networks_n;
	char default_group[PROFILE_WORD_MAX + 1];
	enum profile_answer unlisted;
	enum profile_answer unknown_version;
	struct profile_not_now not_now;
	char maintenance[WINDOW_USED_MAX][PROFILE_WORD_MAX + 1]; /* names of windows; none: at any time */
	unsigned maintenance_n;
	char blackouts[WINDOW_USED_MAX][PROFILE_WORD_MAX + 1];
	unsigned blackouts_n;
	bool short_urls;       /* may be made for its modules, and then stand for their identity */
	char upstream[PROFILE_URL_MAX + 1]; /* "" : never fetches, images are imported */
	char signature_url[PROFILE_URL_MAX + 1];
	char notes_url[PROFILE_URL_MAX + 1]; /* of the vendor's release notes; "" : a person brings them, if anybody does */
	struct profile_upstream upstream_options;
	struct profile_signature signature;
	struct profile_deltas deltas;
	int64_t quorum;        /* distinct persons for production */
	int64_t canary_quorum; /* 0 : as quorum */
	int64_t quarantine_bytes;
	int64_t fetches_per_hour;
	int64_t review_days;
	struct profile_review review;
	char rollout[PROFILE_WORD_MAX + 1]; /* a plan of the configuration; "" : all at once */

	/* Resolved from the fields above by profile_check(); nothing here is configured. */
	struct profile_pattern_slot slots[PROFILE_CAPTURES_MAX]; /* name points into captures[] */
	struct profile_pattern path_pattern, upstream_pattern, signature_pattern, notes_pattern;
	struct profile_param params[PROFILE_PARAMS_MAX];
	struct profile_source product_source, target_source, current_source;
	struct profile_source from_source[PROFILE_FROM_MAX];
	struct window_list windows; /* of the configuration the profile is part of */
};

struct config;

/* A module's request, as the edge's HTTP engine read it; every view borrowed. */
struct profile_request {
	struct view listener; /* name of the listener it came in by */
	struct view host;     /* Host header, or SNI without one; may be empty */
	struct view path;     /* raw request target up to "?", no scheme or authority */
	struct view query;    /* raw, after "?"; may be empty */
	/* First value of a request header (name in lower case), empty if none; may be NULL. */
	struct view (*header)(void *arg, const char *name);
	void *arg;
};

/* Views borrow from the request and the configuration: both must outlive the hit. */
struct profile_hit {
	const struct profile *profile;
	struct view capture[PROFILE_CAPTURES_MAX]; /* in the order of profile->captures; empty: absent */
	struct view identity[PROFILE_IDENTITIES_MAX]; /* raw value per rule where the request gives one */
	struct view product;
	struct view target_version;  /* empty: the request does not say */
	struct view current_version; /* empty: the module does not say */
};

/* Why nothing matched; for the sighting record. */
enum profile_miss {
	PROFILE_MISS_NONE = 0,
	PROFILE_MISS_NO_PROFILE, /* well-formed, nobody's */
	PROFILE_MISS_HOST,       /* Host header is not a host */
	PROFILE_MISS_PATH,       /* path is not in the accepted form */
	PROFILE_MISS_QUERY,
};

/*
 * The first profile, in configuration order, that the request fits. 0, or
 * FG_ENOTFOUND with *ret_why.
 *
 * Host: port cut off, ASCII lower case, one trailing dot cut off; without a
 * host only profiles with any_host can match. "*.example.com" is any depth below,
 * not example.com itself.
 *
 * Path: starts with "/", at most PROFILE_PATH_MAX bytes of RFC 3986 pchar without
 * "%": percent-encoded octets are refused, not decoded, because two spellings of
 * one path would be two cache keys for one image (or one for two), and no client in
 * the notes sends any. Empty, "." and ".." segments are refused for the same reason.
 *
 * Query: only the parameters a profile lists are looked at; each at most once
 * (which of two would win is the client's choice otherwise), captured values again
 * without "%" and "+"-as-blank. Others are ignored: nothing of them goes anywhere.
 */
int profile_match(const struct config *c, const struct profile_request *r, struct profile_hit *ret,
    enum profile_miss *ret_why);
/* One sentence. */
const char *profile_miss_text(enum profile_miss why);
/* Host in the form above into out (PROFILE_HOST_MAX + 1); false if it is not one. */
bool profile_host_normal(struct view host, char *out);
/*
 * The from-version of that rule for this hit (a "fixed:" text or a capture);
 * false when i is past the end, empty view when the request does not give it.
 */
bool profile_from_version(const struct profile_hit *hit, unsigned i, struct view *ret);

/*
 * Fills a template of the profile.
 * Only captures that the template names enter, each checked again against its
 * class; bytes that a URL would read otherwise are percent-encoded; the result
 * must parse as the template's own scheme, host and port. 0; FG_ENOTFOUND when the
 * profile has no such template or a capture is absent; FG_EFORMAT; FG_ELIMIT.
 * out is a C string, untouched on failure.
 */
enum profile_template { PROFILE_UPSTREAM = 0, PROFILE_SIGNATURE_URL };
int profile_expand(enum profile_template which, const struct profile_hit *hit, char *out, size_t cap);
/*
 * The same of notes_url, which is filled in long after the request, with what is known of the update: {product} and
 * {target}, each of them as a version is spelt. Empty: absent.
 */
#define PROFILE_NOTES_SLOTS 2
extern const struct profile_pattern_slot profile_notes_slots[PROFILE_NOTES_SLOTS];
int profile_notes_url(const struct profile *p, struct view product, struct view target, char *out, size_t cap);

struct profile_url {
	enum transport transport;
	char host[PROFILE_HOST_MAX + 1]; /* lower case; an IPv6 literal keeps its brackets */
	uint16_t port;
	struct view path; /* from "/", with the query; borrowed */
};
/*
 * Strict reading of an absolute URL of a transport: no user part, no fragment, no
 * "..", "." or empty segments, no control or non-ASCII bytes, no encoded
 * dot, slash, backslash or control. Captures' braces are not URL bytes. Of FTP it
 * names one file: nothing that ends in "/" (a listing), no query, no ";type=" (RFC 1738 3.2.2).
 */
bool profile_url_parse(struct view url, struct profile_url *ret);

/* SHA-256(profile name, 0x00, upstream URL), first 16 bytes: what was asked for, not by whom. */
int profile_resource(const struct profile *p, const char *url, uint8_t out[PROFILE_RESOURCE_LEN]);

/* Digest of an anchor file's bytes, read by the caller. */
struct profile_anchor {
	const char *name;
	uint8_t sha256[DIGEST_SHA256_LEN];
};
/*
 * Appends the policy: the profile with every default resolved, its supplier and what lists
 * say of it, windows and blackouts, its rollout plan, the rules that can concern it, the decision hook and the
 * digests of its anchors (one for every name in signature.anchors, else FG_EINVAL), as RFC 8785 JSON. Two equal
 * texts decide equally.
 */
int profile_canonical(const struct profile *p, const struct config *c, const struct profile_anchor *anchors,
    size_t anchors_n, struct writer *w);
/* SHA-256 of that. */
int profile_digest(const struct profile *p, const struct config *c, const struct profile_anchor *anchors,
    size_t anchors_n, uint8_t out[DIGEST_SHA256_LEN]);

/* What was seen, for `fotagate profile draft`; hostile text. */
struct profile_sighting {
	struct view listener, host, path, query;
};
/*
 * Appends a draft profile for a sighting: literal path with captures guessed
 * by shape, and comments where only a person can know (supplier, anchors,
 * quorum): it does not parse before they are filled in. FG_EFORMAT for a request
 * that no profile could match.
 */
int profile_draft(const struct profile_sighting *s, const char *name, struct writer *w);

/* What a signature of that profile is, as an inspector is told. */
enum inspect_scheme profile_inspect_scheme(const struct profile *p);
/*
 * The scheme a bare key must have; TRUST_SCHEME_NONE for CMS and none, and for
 * embedded where the format or the type of the key says it.
 */
enum trust_scheme profile_trust_scheme(const struct profile *p);
/* The format of deltas whose bytes do not tell it, or FORMAT_NONE. */
enum format_id profile_delta_format(const struct profile *p);
/* What the verifier is to demand of certificates. */
struct trust_policy profile_trust_policy(const struct profile *p);
/* Whether s, found in an image of that format, is of the kind that p asks for. */
bool profile_scheme_matches(const struct profile *p, enum format_id format, const struct sig_result *s);
/* Whether an upstream may be reached there: public, or listed in allow_private. */
bool profile_may_reach(const struct profile *p, const struct cidr_addr *address);

#endif
