/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/entry.h"

#include <inttypes.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"

/* Syslog severities (RFC 5424 6.2.1). */
enum { ALERT = 1, CRIT = 2, ERR = 3, WARNING = 4, NOTICE = 5, INFO = 6 };

static const struct {
	const char *name;
	unsigned sev;
} EVENTS[ENTRY_EV_LIMIT] = {
	[ENTRY_EV_UNKNOWN] = { "", NOTICE },
	[ENTRY_LOG_OPENED] = { "log.opened", NOTICE },
	[ENTRY_LOG_RECOVERED] = { "log.recovered", WARNING },
	[ENTRY_LOG_CHECKPOINT] = { "log.checkpoint", INFO },
	[ENTRY_LOG_WITNESSED] = { "log.witnessed", INFO },
	[ENTRY_LOG_EXPORTED] = { "log.exported", NOTICE },
	[ENTRY_LOG_TAMPER] = { "log.tamper", ALERT },
	[ENTRY_LOG_FLOOD] = { "log.flood", WARNING },
	[ENTRY_AUTH_OK] = { "auth.ok", INFO },
	[ENTRY_AUTH_FAILED] = { "auth.failed", WARNING },
	[ENTRY_AUTH_THROTTLED] = { "auth.throttled", WARNING },
	[ENTRY_AUTH_LOGOUT] = { "auth.logout", INFO },
	[ENTRY_ACCOUNT_CHANGED] = { "account.changed", WARNING },
	[ENTRY_TOKEN_CREATED] = { "token.created", WARNING },
	[ENTRY_TOKEN_REVOKED] = { "token.revoked", NOTICE },
	[ENTRY_AUTHZ_DENIED] = { "authz.denied", WARNING },
	[ENTRY_AUTHZ_ROLE] = { "authz.role", NOTICE },
	[ENTRY_AUTHZ_SIGNERS_CHANGED] = { "authz.signers.changed", WARNING },
	[ENTRY_AUTHZ_KEY_ADDED] = { "authz.key.added", WARNING },
	[ENTRY_AUTHZ_KEY_REVOKED] = { "authz.key.revoked", WARNING },
	[ENTRY_AUTHZ_KEY_SUSPENDED] = { "authz.key.suspended", WARNING },
	[ENTRY_AUTHORITY_GENESIS] = { "authority.genesis", NOTICE },
	[ENTRY_AUTHORITY_SIGNERS] = { "authority.signers", WARNING },
	[ENTRY_AUTHORITY_SIGNED] = { "authority.signed", NOTICE },
	[ENTRY_AUTHORITY_POLICY] = { "authority.policy", WARNING },
	[ENTRY_UPSTREAM_FETCHED] = { "upstream.fetched", NOTICE },
	[ENTRY_UPSTREAM_TLS_CHANGED] = { "upstream.tls.changed", WARNING },
	[ENTRY_UPSTREAM_ERROR] = { "upstream.error", WARNING },
	[ENTRY_FETCH_STARTED] = { "fetch.started", INFO },
	[ENTRY_FETCH_DONE] = { "fetch.done", NOTICE },
	[ENTRY_FETCH_FAILED] = { "fetch.failed", WARNING },
	[ENTRY_IMAGE_ATTESTED] = { "image.attested", NOTICE },
	[ENTRY_IMAGE_IMPORTED] = { "image.imported", NOTICE },
	[ENTRY_IMAGE_NOTES] = { "image.notes", NOTICE },
	[ENTRY_IMAGE_VERIFIED] = { "image.verified", NOTICE },
	[ENTRY_IMAGE_ANALYSED] = { "image.analysed", NOTICE },
	[ENTRY_IMAGE_QUARANTINED] = { "image.quarantined", WARNING },
	[ENTRY_IMAGE_BASE] = { "image.base", NOTICE },
	[ENTRY_IMAGE_CORRUPT] = { "image.corrupt", CRIT },
	[ENTRY_IMAGE_RETIRED] = { "image.retired", NOTICE },
	[ENTRY_IMAGE_INCIDENT] = { "image.incident", CRIT },
	[ENTRY_VENDOR_INCIDENT] = { "vendor.incident", CRIT },
	[ENTRY_REVIEW_OPENED] = { "review.opened", NOTICE },
	[ENTRY_REVIEW_REMARKED] = { "review.remarked", INFO },
	[ENTRY_APPROVAL_REQUESTED] = { "approval.requested", NOTICE },
	[ENTRY_APPROVAL_SIGNED] = { "approval.signed", NOTICE },
	[ENTRY_APPROVAL_REJECTED] = { "approval.rejected", NOTICE },
	[ENTRY_APPROVAL_OUTDATED] = { "approval.outdated", NOTICE },
	[ENTRY_APPROVAL_EXPIRED] = { "approval.expired", WARNING },
	[ENTRY_APPROVAL_EFFECTIVE] = { "approval.effective", NOTICE },
	[ENTRY_APPROVAL_REVOKED] = { "approval.revoked", WARNING },
	[ENTRY_APPROVAL_BREAKGLASS] = { "approval.breakglass", ALERT },
	[ENTRY_APPROVAL_AFTERREVIEW] = { "approval.afterreview", WARNING },
	[ENTRY_REFUSAL_ADDED] = { "refusal.added", WARNING },
	[ENTRY_REFUSAL_LIFTED] = { "refusal.lifted", WARNING },
	[ENTRY_WAIVER_ADDED] = { "waiver.added", WARNING },
	[ENTRY_WAIVER_LIFTED] = { "waiver.lifted", NOTICE },
	[ENTRY_RELEASE_ISSUED] = { "release.issued", NOTICE },
	[ENTRY_RELEASE_REFUSED] = { "release.refused", WARNING },
	[ENTRY_RELEASE_WITHHELD] = { "release.withheld", WARNING },
	[ENTRY_RELEASE_OFFERED] = { "release.offered", NOTICE },
	[ENTRY_STANDING_PROPOSED] = { "standing.proposed", NOTICE },
	[ENTRY_STANDING_SIGNED] = { "standing.signed", NOTICE },
	[ENTRY_STANDING_EFFECTIVE] = { "standing.effective", WARNING },
	[ENTRY_STANDING_REVOKED] = { "standing.revoked", WARNING },
	[ENTRY_ROLLOUT_CREATED] = { "rollout.created", NOTICE },
	[ENTRY_ROLLOUT_STARTED] = { "rollout.started", NOTICE },
	[ENTRY_ROLLOUT_PAUSED] = { "rollout.paused", WARNING },
	[ENTRY_ROLLOUT_ABORTED] = { "rollout.aborted", WARNING },
	[ENTRY_ROLLOUT_PROMOTED] = { "rollout.promoted", NOTICE },
	[ENTRY_ROLLOUT_CLOSED] = { "rollout.closed", NOTICE },
	[ENTRY_ROLLOUT_HELD] = { "rollout.held", WARNING },
	[ENTRY_ROLLOUT_RESUMED] = { "rollout.resumed", WARNING },
	[ENTRY_ROLLOUT_SUPERSEDED] = { "rollout.superseded", NOTICE },
	[ENTRY_ROLLOUT_WATCHED] = { "rollout.watched", NOTICE },
	[ENTRY_RESTRICT_HALT] = { "restrict.halt", ALERT },
	[ENTRY_RESTRICT_RESUME] = { "restrict.resume", WARNING },
	[ENTRY_MODULE_SIGHTING] = { "module.sighting", INFO },
	[ENTRY_DEVICE_SEEN] = { "device.seen", INFO },
	[ENTRY_DEVICE_GRANT] = { "device.grant", NOTICE },
	[ENTRY_DEVICE_SERVED] = { "device.served", INFO },
	[ENTRY_DEVICE_FAILED] = { "device.failed", WARNING },
	[ENTRY_DEVICE_RESULT] = { "device.result", NOTICE },
	[ENTRY_DEVICE_UNKNOWN_COUNT] = { "device.unknown.count", INFO },
	[ENTRY_DEVICE_REVEALED] = { "device.revealed", NOTICE },
	[ENTRY_DEVICE_ERASED] = { "device.erased", NOTICE },
	[ENTRY_EGRESS_BLOCKED] = { "egress.blocked", WARNING },
	[ENTRY_EGRESS_NEW_ENDPOINT] = { "egress.new_endpoint", WARNING },
	[ENTRY_POLICY_CHANGED] = { "policy.changed", WARNING },
	[ENTRY_POLICY_UNSIGNED] = { "policy.unsigned", ALERT },
	[ENTRY_CONFIG_CHANGED] = { "config.changed", NOTICE },
	[ENTRY_STATE_DIFFERS] = { "state.differs", ALERT },
	[ENTRY_CLOCK_STEPPED] = { "clock.stepped", WARNING },
	[ENTRY_DISK_WARN] = { "disk.warn", WARNING },
	[ENTRY_DISK_FULL] = { "disk.full", ALERT },
	[ENTRY_SVC_START] = { "svc.start", NOTICE },
	[ENTRY_SVC_STOP] = { "svc.stop", NOTICE },
	[ENTRY_SVC_EXIT] = { "svc.exit", ERR },
};

static const char *const CLOCKS[ENTRY_CLK_LIMIT] = {
	[ENTRY_CLK_UNKNOWN] = "unknown",
	[ENTRY_CLK_FREE] = "free",
	[ENTRY_CLK_NTP] = "ntp",
	[ENTRY_CLK_INJECTED] = "injected",
};

const char *
entry_event_name(enum entry_event ev)
{
	return (unsigned)ev < ENTRY_EV_LIMIT ? EVENTS[ev].name : "";
}

enum entry_event
entry_event_parse(struct view text)
{
	for (unsigned i = ENTRY_EV_UNKNOWN + 1; i < ENTRY_EV_LIMIT; i++) {
		if (view_is(text, EVENTS[i].name))
			return (enum entry_event)i;
	}
	return ENTRY_EV_UNKNOWN;
}

unsigned
entry_event_severity(enum entry_event ev)
{
	return EVENTS[(unsigned)ev < ENTRY_EV_LIMIT ? ev : ENTRY_EV_UNKNOWN].sev;
}

bool
entry_event_is_vital(enum entry_event ev)
{
	switch (ev) {
	case ENTRY_LOG_OPENED:
	case ENTRY_LOG_RECOVERED:
	case ENTRY_LOG_TAMPER:
	case ENTRY_TOKEN_REVOKED:
	case ENTRY_AUTHZ_KEY_REVOKED:
	case ENTRY_AUTHZ_KEY_SUSPENDED:
	case ENTRY_POLICY_UNSIGNED:
	case ENTRY_STATE_DIFFERS:
	case ENTRY_IMAGE_CORRUPT:
	case ENTRY_APPROVAL_REJECTED:
	case ENTRY_APPROVAL_REVOKED:
	case ENTRY_REFUSAL_ADDED:
	case ENTRY_WAIVER_LIFTED:
	case ENTRY_RELEASE_REFUSED:
	case ENTRY_RELEASE_WITHHELD:
	case ENTRY_STANDING_REVOKED:
	case ENTRY_ROLLOUT_PAUSED:
	case ENTRY_ROLLOUT_ABORTED:
	case ENTRY_ROLLOUT_HELD:
	case ENTRY_RESTRICT_HALT:
	case ENTRY_CLOCK_STEPPED:
	case ENTRY_DISK_WARN:
	case ENTRY_DISK_FULL:
	case ENTRY_SVC_START:
	case ENTRY_SVC_STOP:
	case ENTRY_SVC_EXIT:
		return true;
	default:
		return false;
	}
}

const char *
entry_clk_name(enum entry_clk clk)
{
	return CLOCKS[(unsigned)clk < ENTRY_CLK_LIMIT ? clk : ENTRY_CLK_UNKNOWN];
}

static int
refuse(const char **ret_why, const char *why, int rc)
{
	if (ret_why)
		*ret_why = why;
	return rc;
}

static bool
is_plain(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	}
	return true;
}

/* Reference keys: a word that needs no escaping anywhere it may be copied to. */
static bool
is_key(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
			return false;
	}
	return v.n > 0 && v.n <= ENTRY_WORD_MAX;
}

static int
compare(struct view a, struct view b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n); /* keys are never empty */
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* ---- encoding ---- */

/* Fills order with the indices of the references by ascending key; false for two of one key. */
static bool
sort_refs(const struct entry *e, unsigned order[ENTRY_REFS_MAX])
{
	for (unsigned i = 0; i < e->refs; i++) {
		unsigned at = i;
		for (; at > 0; at--) {
			int c = compare(e->ref[order[at - 1]].key, e->ref[i].key);
			if (c == 0)
				return false;
			if (c < 0)
				break;
			order[at] = order[at - 1];
		}
		order[at] = i;
	}
	return true;
}

static int
check_text(struct view v, size_t max, const char **ret_why)
{
	if (v.n > max)
		return refuse(ret_why, "a field is too long", FG_ELIMIT);
	if (!is_plain(v))
		return refuse(ret_why, "a field is not printable ASCII", FG_EINVAL);
	return 0;
}

static int
check_refs(const struct entry *e, const char **ret_why)
{
	if (e->refs > ENTRY_REFS_MAX)
		return refuse(ret_why, "too many references", FG_ELIMIT);
	for (unsigned i = 0; i < e->refs; i++) {
		const struct entry_ref *r = &e->ref[i];
		if (!is_key(r->key))
			return refuse(ret_why, "malformed key of a reference", FG_EINVAL);
		if (r->is_number && r->number >= (uint64_t)JSON_INT_MAX)
			return refuse(ret_why, "a number is too large", FG_EINVAL);
		int rc = r->is_number ? 0 : check_text(r->text, ENTRY_NAME_MAX, ret_why);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
check(const struct entry *e, const char **ret_why)
{
	const struct {
		struct view text;
		size_t max;
	} fields[] = {
		{ e->src, ENTRY_SRC_MAX }, { e->out, ENTRY_WORD_MAX }, { e->act, ENTRY_NAME_MAX },
		{ e->obj, ENTRY_NAME_MAX }, { e->doc, ENTRY_DOC_MAX }, { e->msg, ENTRY_MSG_MAX },
	};
	if (e->ev == ENTRY_EV_UNKNOWN || (unsigned)e->ev >= ENTRY_EV_LIMIT)
		return refuse(ret_why, "no such event", FG_EINVAL);
	if ((unsigned)e->clk >= ENTRY_CLK_LIMIT || e->sev > 7 || e->src.n == 0 ||
	    e->seq >= (uint64_t)JSON_INT_MAX)
		return refuse(ret_why, "clock, severity, source or number out of range", FG_EINVAL);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		int rc = check_text(fields[i].text, fields[i].max, ret_why);
		if (rc < 0)
			return rc;
	}
	return check_refs(e, ret_why);
}

/* A JSON string of printable ASCII: two characters need escaping. */
static void
put_string(struct writer *w, struct view v)
{
	size_t from = 0;
	writer_u8(w, '"');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] != '"' && v.p[i] != '\\')
			continue;
		writer_bytes(w, view_of(v.p + from, i - from));
		writer_u8(w, '\\');
		from = i;
	}
	if (v.n)
		writer_bytes(w, view_of(v.p + from, v.n - from));
	writer_u8(w, '"');
}

static void
put_field(struct writer *w, const char *key, struct view v)
{
	if (v.n == 0)
		return;
	writer_text(w, ",\"");
	writer_text(w, key);
	writer_text(w, "\":");
	put_string(w, v);
}

static void
put_refs(struct writer *w, const struct entry *e, const unsigned order[ENTRY_REFS_MAX])
{
	if (e->refs == 0)
		return;
	writer_text(w, ",\"ref\":{");
	for (unsigned i = 0; i < e->refs; i++) {
		const struct entry_ref *r = &e->ref[order[i]];
		if (i)
			writer_u8(w, ',');
		put_string(w, r->key);
		writer_u8(w, ':');
		if (r->is_number)
			writer_decimal(w, r->number);
		else
			put_string(w, r->text);
	}
	writer_u8(w, '}');
}

static void
put_entry(struct writer *w, const struct entry *e, const char *stamp,
    const unsigned order[ENTRY_REFS_MAX])
{
	const char *name = EVENTS[e->ev].name;
	char dev[2 * ENTRY_DEV_LEN + 1] = "";
	/* Put together by hand: this is done for every grant. */
	writer_text(w, "{\"v\":");
	writer_decimal(w, ENTRY_VERSION);
	writer_text(w, ",\"seq\":");
	writer_decimal(w, e->seq);
	put_field(w, "t", view_str(stamp));
	put_field(w, "clk", view_str(CLOCKS[e->clk]));
	put_field(w, "src", e->src);
	put_field(w, "cat", view_of(name, strcspn(name, ".")));
	put_field(w, "ev", view_str(name));
	writer_text(w, ",\"sev\":");
	writer_decimal(w, e->sev);
	put_field(w, "out", e->out);
	put_field(w, "act", e->act);
	put_field(w, "obj", e->obj);
	if (e->have_dev)
		hex_encode(e->dev, sizeof e->dev, dev);
	put_field(w, "dev", view_str(dev));
	put_refs(w, e, order);
	put_field(w, "doc", e->doc);
	put_field(w, "msg", e->msg);
	writer_u8(w, '}');
}

int
entry_encode(const struct entry *e, struct writer *w, const char **ret_why)
{
	unsigned order[ENTRY_REFS_MAX];
	char stamp[STAMP_US_CAP];
	int rc = check(e, ret_why);
	if (rc < 0)
		return rc;
	if (!sort_refs(e, order))
		return refuse(ret_why, "two references of one key", FG_EINVAL);
	if (stamp_format_us(e->t_us, stamp) < 0)
		return refuse(ret_why, "time out of range", FG_EINVAL);
	size_t start = w->n;
	put_entry(w, e, stamp, order);
	if (writer_err(w) < 0) {
		w->n = start;
		return writer_err(w);
	}
	if (w->n - start > ENTRY_MAX) {
		w->n = start;
		return refuse(ret_why, "the entry is too long", FG_ELIMIT);
	}
	return 0;
}

/* ---- parsing ---- */

/* A string of printable ASCII; absent is fine and leaves *ret empty, unless wanted. */
static bool
get_text(const struct json_value *o, const char *key, bool wanted, struct view *ret)
{
	const struct json_value *v = json_get(o, key);
	if (!v)
		return !wanted;
	return json_string(v, ret) && is_plain(*ret) && (!wanted || ret->n > 0);
}

static bool
get_refs(const struct json_value *o, struct entry *e)
{
	const struct json_value *refs = json_get(o, "ref");
	if (!refs)
		return true;
	if (json_type(refs) != JSON_OBJECT || json_count(refs) > ENTRY_REFS_MAX)
		return false;
	for (size_t i = 0; i < json_count(refs); i++) {
		struct entry_ref *r = &e->ref[e->refs++];
		const struct json_value *v = json_at(refs, i);
		r->key = json_key_at(refs, i);
		r->is_number = json_type(v) == JSON_INT;
		if (!is_key(r->key))
			return false;
		bool good = r->is_number ? json_uint(v, &r->number) :
		    json_string(v, &r->text) && is_plain(r->text);
		if (!good)
			return false;
	}
	return true;
}

static bool
get_dev(const struct json_value *o, struct entry *e)
{
	struct view hex;
	const struct json_value *v = json_get(o, "dev");
	if (!v)
		return true;
	e->have_dev = json_string(v, &hex) && hex_decode(hex, e->dev, sizeof e->dev);
	return e->have_dev;
}

static bool
get_entry(const struct json_value *o, struct entry *e)
{
	uint64_t v;
	uint64_t sev;
	struct view t = { NULL, 0 };
	struct view clk = { NULL, 0 };
	if (!json_uint(json_get(o, "v"), &v) || v != ENTRY_VERSION ||
	    !json_uint(json_get(o, "seq"), &e->seq) || !json_uint(json_get(o, "sev"), &sev) || sev > 7)
		return false;
	if (!get_text(o, "t", true, &t) || !stamp_parse_us(t, &e->t_us) ||
	    !get_text(o, "clk", true, &clk) || !get_text(o, "src", true, &e->src) ||
	    !get_text(o, "cat", true, &e->cat) || !get_text(o, "ev", true, &e->ev_text))
		return false;
	if (!get_text(o, "out", false, &e->out) || !get_text(o, "act", false, &e->act) ||
	    !get_text(o, "obj", false, &e->obj) || !get_text(o, "doc", false, &e->doc) ||
	    !get_text(o, "msg", false, &e->msg))
		return false;
	e->sev = (unsigned)sev;
	e->ev = entry_event_parse(e->ev_text);
	for (unsigned i = 0; i < ENTRY_CLK_LIMIT; i++) {
		if (view_is(clk, CLOCKS[i]))
			e->clk = (enum entry_clk)i;
	}
	return get_dev(o, e) && get_refs(o, e);
}

int
entry_parse(struct view line, struct json **ret_doc, struct entry *ret, const char **ret_why)
{
	struct json *doc;
	struct json_error error = { .what = "not JSON" };
	struct entry e = { .ev = ENTRY_EV_UNKNOWN };
	if (line.n > ENTRY_MAX)
		return refuse(ret_why, "the entry is too long", FG_ELIMIT);
	if (!is_plain(line))
		return refuse(ret_why, "not one line of printable ASCII", FG_EFORMAT);
	int rc = json_parse(line, &doc, &error);
	if (rc < 0)
		return rc == FG_ENOMEM ? rc : refuse(ret_why, error.what, rc);
	if (!get_entry(json_root(doc), &e)) {
		json_free(doc);
		return refuse(ret_why, "a field is missing or of another type", FG_EFORMAT);
	}
	*ret_doc = doc;
	*ret = e;
	return 0;
}

const struct entry_ref *
entry_ref_get(const struct entry *e, const char *key)
{
	for (unsigned i = 0; i < e->refs; i++)
		if (view_is(e->ref[i].key, key))
			return &e->ref[i];
	return NULL;
}

bool
entry_sha256(struct view text, uint8_t ret[DIGEST_SHA256_LEN])
{
	static const char name[] = "sha256:";
	const size_t n = sizeof name - 1;
	return text.n == n + DIGEST_HEX_LEN && !memcmp(text.p, name, n) &&
	    hex_decode(view_of(text.p + n, DIGEST_HEX_LEN), ret, DIGEST_SHA256_LEN);
}
