/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/requests.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonf.h"
#include "crypto/visible.h"
#include "crypto/vouch.h"
#include "gateway/control/bases.h"
#include "gateway/control/egress.h"
#include "gateway/control/exposure.h"
#include "gateway/control/imports.h"
#include "gateway/control/remarks.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/setup.h"
#include "gateway/control/suspensions.h"
#include "gateway/control/vendornotes.h"
#include "policy/tags.h"

/* ---- rows whose handler belongs to a noun ---- */

static void
review_statement(struct control *c, struct call *call)
{
	reviews_statement(c->reviews, call);
}

static void
review_submit(struct control *c, struct call *call)
{
	reviews_submit(c->reviews, call);
}

static void
review_reject(struct control *c, struct call *call)
{
	reviews_reject(c->reviews, call);
}

static void
review_reopen(struct control *c, struct call *call)
{
	reviews_reopen(c->reviews, call);
}

static void
resume_statement(struct control *c, struct call *call)
{
	halts_statement(c->halts, call);
}

static void
resume_submit(struct control *c, struct call *call)
{
	halts_submit(c->halts, call);
}

static void
rollout_submit(struct control *c, struct call *call)
{
	resumptions_submit(c->resumptions, call);
}

static void
people_propose(struct control *c, struct call *call)
{
	proposals_propose(c->proposals, call);
}

static void
people_submit(struct control *c, struct call *call)
{
	proposals_submit(c->proposals, call);
}

static void
policy_show(struct control *c, struct call *call)
{
	signedpolicy_show(c->signedpolicy, call);
}

static void
policy_submit(struct control *c, struct call *call)
{
	signedpolicy_submit(c->signedpolicy, call);
}

static void
people_suspend_key(struct control *c, struct call *call)
{
	suspensions_order(c, call);
}

static void
audit_cosigned(struct control *c, struct call *call)
{
	witnesses_cosigned(c->witnesses, call);
}

static void
refusal_list(struct control *c, struct call *call)
{
	refusals_list(c->refusals, call);
}

static void
refusal_add(struct control *c, struct call *call)
{
	refusals_add(c->refusals, call);
}

static void
refusal_lift(struct control *c, struct call *call)
{
	refusals_lift(c->refusals, call);
}

static void
review_attest(struct control *c, struct call *call)
{
	attests_add(c->attests, call);
}

static void
import_image(struct control *c, struct call *call)
{
	imports_start(c->imports, call);
}

static void
base_add(struct control *c, struct call *call)
{
	imports_base(c->imports, call);
}

static void
waiver_list(struct control *c, struct call *call)
{
	waivers_list(c->waivers, call);
}

static void
waiver_add(struct control *c, struct call *call)
{
	waivers_add(c->waivers, call);
}

static void
waiver_lift(struct control *c, struct call *call)
{
	waivers_lift(c->waivers, call);
}

static void
breakglass_show(struct control *c, struct call *call)
{
	glass_show(c->glass, call);
}

static void
breakglass_statement(struct control *c, struct call *call)
{
	glass_statement(c->glass, call);
}

static void
breakglass_submit(struct control *c, struct call *call)
{
	glass_submit(c->glass, call);
}

static void
standing_list(struct control *c, struct call *call)
{
	mandates_list(c->mandates, call);
}

static void
standing_propose(struct control *c, struct call *call)
{
	mandates_propose(c->mandates, call);
}

static void
standing_statement(struct control *c, struct call *call)
{
	mandates_statement(c->mandates, call);
}

static void
standing_submit(struct control *c, struct call *call)
{
	mandates_submit(c->mandates, call);
}

static void
standing_revoke(struct control *c, struct call *call)
{
	mandates_revoke(c->mandates, call);
}

static void
session_open(struct control *c, struct call *call)
{
	signins_open(c->signins, call);
}

static void
session_show(struct control *c, struct call *call)
{
	sessions_show(c->sessions, call);
}

static void
session_close(struct control *c, struct call *call)
{
	sessions_close(c->sessions, call);
}

static void
session_list(struct control *c, struct call *call)
{
	sessions_list(c->sessions, call);
}

static void
session_end(struct control *c, struct call *call)
{
	sessions_end(c->sessions, call);
}

static void
account_add(struct control *c, struct call *call)
{
	accounts_add(c->accounts, call);
}

static void
account_list(struct control *c, struct call *call)
{
	accounts_list(c->accounts, call);
}

static void
account_disable(struct control *c, struct call *call)
{
	accounts_disable(c->accounts, call);
}

static void
account_enable(struct control *c, struct call *call)
{
	accounts_enable(c->accounts, call);
}

static void
account_roles(struct control *c, struct call *call)
{
	accounts_set_roles(c->accounts, call);
}

static void
account_password(struct control *c, struct call *call)
{
	accounts_password(c->accounts, call);
}

static void
account_totp(struct control *c, struct call *call)
{
	accounts_totp(c->accounts, call);
}

static void
account_bind(struct control *c, struct call *call)
{
	bindings_bind(c->bindings, call);
}

static void
account_unbind(struct control *c, struct call *call)
{
	bindings_unbind(c->bindings, call);
}

static void
session_sso(struct control *c, struct call *call)
{
	fronts_open(c->fronts, call);
}

static void
account_passkey_only(struct control *c, struct call *call)
{
	accounts_passkey_only(c->accounts, call);
}

static void
session_challenge(struct control *c, struct call *call)
{
	passkeys_ask(c->passkeys, call);
}

static void
session_passkey(struct control *c, struct call *call)
{
	passkeys_open(c->passkeys, call);
}

static void
passkey_challenge(struct control *c, struct call *call)
{
	passkeys_challenge(c->passkeys, call);
}

static void
passkey_add(struct control *c, struct call *call)
{
	passkeys_add(c->passkeys, call);
}

static void
passkey_fresh(struct control *c, struct call *call)
{
	passkeys_fresh(c->passkeys, call);
}

static void
passkey_list(struct control *c, struct call *call)
{
	passkeys_list(c->passkeys, call);
}

static void
passkey_remove(struct control *c, struct call *call)
{
	passkeys_remove(c->passkeys, call);
}

static void
token_create(struct control *c, struct call *call)
{
	tokens_create(c->tokens, call);
}

static void
token_list(struct control *c, struct call *call)
{
	tokens_list(c->tokens, call);
}

static void
token_revoke(struct control *c, struct call *call)
{
	tokens_revoke(c->tokens, call);
}

/* ---- the table ---- */

#define ANY CALLERS_ANY
#define OPERATE (CALLERS_OPERATOR | CALLERS_ADMIN)
#define SIGN (CALLERS_APPROVER | CALLERS_ADMIN)
#define ACT (CALLERS_OPERATOR | CALLERS_APPROVER | CALLERS_ADMIN)
#define EVIDENCE (CALLERS_AUDITOR | CALLERS_APPROVER | CALLERS_ADMIN)

#define WATCH (CALLERS_AUDITOR | CALLERS_ADMIN)
#define GUEST CALLERS_GUEST
#define SELF (CALLERS_ANY | CALLERS_ENROL) /* also those who have yet to make a second factor */

#define TEXT(key, max) { key, REQUESTS_TEXT, max, true }
#define TEXT_OPT(key, max) { key, REQUESTS_TEXT, max, false }
#define NUMBER(key) { key, REQUESTS_NUMBER, 0, true }
#define NUMBER_OPT(key) { key, REQUESTS_NUMBER, 0, false }
#define FLAG_OPT(key) { key, REQUESTS_FLAG, 0, false }
#define LINES_OPT(key, max) { key, REQUESTS_LINES, max, false }
#define TEXTS(key, max) { key, REQUESTS_TEXTS, max, true }
#define TEXTS_OPT(key, max) { key, REQUESTS_TEXTS, max, false }
#define REVIEW TEXT("review", DB_REVIEW_CAP - 1)
#define REASON TEXT("reason", DB_TEXT_MAX - 1)
/* Of lists whose rows are named by MSG_ID. */
#define PAGE TEXT_OPT("after", 2 * MSG_ID), NUMBER_OPT("limit")
#define MODULE TEXT("module", 160)
#define ACCOUNT TEXT("account", DB_ACCOUNT_NAME_CAP - 1)
#define CODE_OPT TEXT_OPT("code", 15)
#define PASSWORD(key) TEXT(key, PASSWORD_BYTES_MAX)
#define BASE64(bytes) (((bytes) + 2) / 3 * 4)
#define CHALLENGE TEXT("challenge", 2 * WEBAUTHN_CHALLENGE)
#define CLIENT_DATA TEXT("client_data", BASE64(WEBAUTHN_CLIENT_MAX))
#define ASSERTION TEXT("authenticator_data", BASE64(WEBAUTHN_AUTH_MAX)), CHALLENGE, CLIENT_DATA, \
	TEXT("credential", BASE64(WEBAUTHN_CREDENTIAL_MAX)), TEXT("signature", BASE64(WEBAUTHN_SIGNATURE_MAX))
#define RELEASE_OR_REVIEW TEXT_OPT("release", 2 * MSG_ID), TEXT_OPT("review", DB_REVIEW_CAP - 1)

static const struct requests_row table[] = {
	{ "status", REQUESTS_VIEW, ANY, 0, 0, requests_status, { { 0 } } },
	{ "people.list", REQUESTS_VIEW, ANY, 0, 0, requests_people, { { 0 } } },
	{ "people.propose", REQUESTS_VIEW, ACT, 0, 0, people_propose,
	    { LINES_OPT("add", SIGNERS_MAX), TEXT_OPT("console", SIGNERS_CONSOLE_MAX - 1), NUMBER_OPT("days"),
		TEXT_OPT("proposal", 2 * DIGEST_SHA256_LEN),
		LINES_OPT("remove", SIGNERS_MAX), LINES_OPT("renew", SIGNERS_MAX), LINES_OPT("replace", SIGNERS_MAX),
		FLAG_OPT("require_uv"), LINES_OPT("restore", SIGNERS_MAX), NUMBER_OPT("threshold") } },
	{ "people.submit", REQUESTS_PERMIT, ACT, 2, 2, people_submit, { { 0 } } },
	{ "people.suspend", REQUESTS_RESTRICT, ACT, 0, 0, people_suspend_key,
	    { FLAG_OPT("final"), REASON, TEXT("who", SIGNERS_PRINCIPAL_MAX - 1) } },
	{ "policy.explain", REQUESTS_VIEW, ANY, 0, 0, requests_policy_explain, { REVIEW } },
	{ "policy.show", REQUESTS_VIEW, ANY, 0, 0, policy_show, { { 0 } } },
	{ "policy.submit", REQUESTS_PERMIT, ACT, 2, 2, policy_submit, { { 0 } } },
	/* The text is a person's: whoever only looks has no business having the gateway read one. */
	{ "policy.whatif", REQUESTS_VIEW, ACT, 0, 0, requests_policy_whatif,
	    { NUMBER_OPT("after"), TEXT("file", CONFIG_FILE_NAME_MAX), TEXT("text", REQUESTS_WHATIF_MAX) } },
	{ "profile.list", REQUESTS_VIEW, ANY, 0, 0, requests_profiles, { { 0 } } },
	/* Raw paths may hold identities: whoever may not see those in the inventory does not see them here. */
	{ "profile.unknown", REQUESTS_VIEW, ACT, 0, 0, requests_unknown, { { 0 } } },
	{ "profile.draft", REQUESTS_VIEW, ACT, 0, 0, requests_draft, { NUMBER("id"), TEXT("name", PROFILE_WORD_MAX) } },
	{ "sighting.list", REQUESTS_VIEW, ANY, 0, 0, requests_sightings, { PAGE, TEXT_OPT("profile", PROFILE_WORD_MAX) } },
	{ "review.list", REQUESTS_VIEW, ANY, 0, 0, requests_review_list,
	    { NUMBER_OPT("after"), NUMBER_OPT("limit"), FLAG_OPT("needs_me"), TEXT_OPT("product", DB_NAME_MAX - 1),
		TEXT_OPT("profile", PROFILE_WORD_MAX), TEXT_OPT("state", DB_WORD_MAX - 1) } },
	{ "review.show", REQUESTS_VIEW, ANY, 0, 0, requests_review_show, { REVIEW } },
	{ "review.report", REQUESTS_VIEW, ANY, 0, 0, requests_review_report, { REVIEW } },
	{ "review.statement", REQUESTS_VIEW, SIGN, 0, 0, review_statement,
	    { REVIEW, TEXT("reason", APPROVAL_REASON_MAX), TEXT_OPT("approver", SIGNERS_PRINCIPAL_MAX - 1),
		TEXTS_OPT("groups", DB_LIST_MAX), TEXTS_OPT("from", DB_LIST_MAX), NUMBER_OPT("max_devices"),
		NUMBER_OPT("days"), TEXTS_OPT("ticks", APPROVAL_CHECKLIST_MAX), FLAG_OPT("breakglass"), NUMBER_OPT("hours") } },
	{ "review.submit", REQUESTS_PERMIT, ACT, 2, 2, review_submit, { TEXT_OPT("review", DB_REVIEW_CAP - 1) } },
	{ "review.reject", REQUESTS_RESTRICT, ACT, 0, 0, review_reject, { REVIEW, REASON, TEXT_OPT("also", 15) } },
	/* Decide nothing; they wait for their entries. */
	{ "review.attach", REQUESTS_CHANGE, ACT, 1, 1, remarks_attach,
	    { REVIEW, TEXT("name", REMARKS_NAME_MAX), TEXT_OPT("text", REMARKS_TEXT_MAX) } },
	{ "review.comment", REQUESTS_CHANGE, ACT, 0, 0, remarks_comment, { REVIEW, TEXT("text", REMARKS_TEXT_MAX) } },
	/* A fact for policy, and no more: people sign all the same. A person saw it; a token saw nothing. */
	{ "review.attest", REQUESTS_PERSONAL, ACT, 0, 0, review_attest,
	    { REVIEW, REASON, TEXT("before", DB_VERSION_MAX - 1), TEXT("after", DB_VERSION_MAX - 1),
		TEXT_OPT("flash", DIGEST_HEX_LEN) } },
	{ "review.reopen", REQUESTS_CHANGE, ACT, 0, 0, review_reopen, { REVIEW } },
	{ "fetch.retry", REQUESTS_CHANGE, OPERATE, 0, 0, requests_fetch_retry, { REVIEW } },
	{ "import", REQUESTS_CHANGE, OPERATE, 1, 2, import_image,
	    { TEXT("profile", PROFILE_WORD_MAX), TEXT("product", DB_NAME_MAX - 1), TEXT("version", DB_VERSION_MAX - 1),
		TEXT_OPT("from", DB_VERSION_MAX - 1), TEXT_OPT("resource", 2 * MSG_ID), TEXT_OPT("url", DB_URL_MAX - 1) } },
	{ "exposure.list", REQUESTS_VIEW, ANY, 0, 0, exposure_list, { { 0 } } },
	{ "refusal.list", REQUESTS_VIEW, ANY, 0, 0, refusal_list, { { 0 } } },
	{ "refusal.add", REQUESTS_RESTRICT, ACT, 0, 0, refusal_add,
	    { REASON, TEXT("kind", 15), TEXT("value", REFUSAL_VALUE_MAX), NUMBER_OPT("days") } },
	{ "refusal.lift", REQUESTS_CHANGE, SIGN, 0, 0, refusal_lift, { REASON, TEXT("refusal", 2 * REFUSAL_ID) } },
	{ "waiver.list", REQUESTS_VIEW, ANY, 0, 0, waiver_list, { { 0 } } },
	/* Permits nothing by itself, and yet only those who may sign answer for a finding; it waits for its entry. */
	{ "waiver.add", REQUESTS_CHANGE, CALLERS_APPROVER, 0, 0, waiver_add,
	    { NUMBER("days"), TEXT("finding", WAIVER_FINDING_MAX), TEXT_OPT("image", DIGEST_HEX_LEN),
		TEXT_OPT("part", WAIVER_PART_MAX), TEXT_OPT("product", WAIVER_NAME_MAX),
		TEXT("profile", PROFILE_WORD_MAX), REASON } },
	{ "waiver.lift", REQUESTS_RESTRICT, ACT, 0, 0, waiver_lift, { REASON, TEXT("waiver", 2 * WAIVER_ID) } },
	/* Permits nothing: it says what a delta is tried on. */
	{ "base.add", REQUESTS_CHANGE, OPERATE, 1, 1, base_add,
	    { TEXT("profile", PROFILE_WORD_MAX), TEXT("product", DB_NAME_MAX - 1), TEXT("version", DB_VERSION_MAX - 1) } },
	{ "base.drop", REQUESTS_CHANGE, OPERATE, 0, 0, bases_drop,
	    { TEXT("profile", PROFILE_WORD_MAX), TEXT("product", DB_NAME_MAX - 1), TEXT("version", DB_VERSION_MAX - 1),
		TEXT_OPT("image", DIGEST_HEX_LEN) } },
	{ "base.list", REQUESTS_VIEW, ANY, 0, 0, bases_answer,
	    { TEXT_OPT("profile", PROFILE_WORD_MAX), TEXT_OPT("product", DB_NAME_MAX - 1) } },
	/* Neither do they: they are shown. */
	{ "notes.add", REQUESTS_CHANGE, OPERATE, 1, 1, vendornotes_add,
	    { TEXT_OPT("image", DIGEST_HEX_LEN), TEXT_OPT("review", DB_REVIEW_CAP - 1) } },
	{ "release.list", REQUESTS_VIEW, ANY, 0, 0, requests_release_list, { PAGE } },
	{ "release.revoke", REQUESTS_RESTRICT, ACT, 0, 0, requests_release_revoke,
	    { REASON, RELEASE_OR_REVIEW } },
	{ "rollout.list", REQUESTS_VIEW, ANY, 0, 0, requests_rollout_list, { PAGE } },
	{ "rollout.show", REQUESTS_VIEW, ANY, 0, 0, requests_rollout_show, { RELEASE_OR_REVIEW } },
	{ "rollout.pause", REQUESTS_RESTRICT, ACT, 0, 0, requests_rollout_pause, { REASON, RELEASE_OR_REVIEW } },
	{ "rollout.abort", REQUESTS_RESTRICT, ACT, 0, 0, requests_rollout_abort, { REASON, RELEASE_OR_REVIEW } },
	{ "rollout.hold", REQUESTS_RESTRICT, ACT, 0, 0, requests_rollout_hold,
	    { REASON, RELEASE_OR_REVIEW, TEXT("ring", ROLLOUT_NAME_MAX) } },
	{ "rollout.statement", REQUESTS_VIEW, SIGN, 0, 0, requests_rollout_statement,
	    { TEXT_OPT("approver", SIGNERS_PRINCIPAL_MAX - 1), TEXT("reason", APPROVAL_REASON_MAX), RELEASE_OR_REVIEW,
		TEXT_OPT("ring", ROLLOUT_NAME_MAX), TEXT("step", 15) } },
	{ "rollout.submit", REQUESTS_PERMIT, ACT, 2, 2, rollout_submit, { { 0 } } },
	{ "module.list", REQUESTS_VIEW, ANY, 0, 0, requests_module_list,
	    { FLAG_OPT("absent"), TEXT_OPT("after", 2 * MSG_ID), TEXT_OPT("group", DB_NAME_MAX - 1), FLAG_OPT("held"),
		NUMBER_OPT("limit"),
		TEXT_OPT("product", DB_NAME_MAX - 1), TEXT_OPT("profile", PROFILE_WORD_MAX), TEXT_OPT("tag", TAGS_WORD_MAX),
		FLAG_OPT("unlisted"),
		TEXT_OPT("version", DB_VERSION_MAX - 1) } },
	{ "module.show", REQUESTS_VIEW, ANY, 0, 0, requests_module_show, { MODULE } },
	{ "module.explain", REQUESTS_VIEW, ANY, 0, 0, requests_module_explain, { MODULE } },
	/* Waits for its entry: nobody is shown an identity that the log does not know of. */
	{ "module.reveal", REQUESTS_VIEW, ACT, 0, 0, requests_module_reveal, { MODULE, REASON } },
	{ "module.import", REQUESTS_CHANGE, OPERATE, 1, 1, requests_module_import,
	    { FLAG_OPT("dry_run"), TEXT_OPT("profile", PROFILE_WORD_MAX) } },
	/* Says what the network saw: it can pause, and a ring whose plan asks for it opens no sooner. */
	{ "egress.import", REQUESTS_CHANGE, OPERATE, 1, 1, egress_import, { FLAG_OPT("dry_run") } },
	{ "module.hold", REQUESTS_RESTRICT, OPERATE, 0, 0, requests_module_hold, { MODULE, REASON } },
	/* Gives back what was taken: it waits for its entry, unlike the rest of its kind. */
	{ "module.url", REQUESTS_CHANGE, OPERATE, 0, 0, requests_module_url,
	    { NUMBER_OPT("days"), MODULE, TEXT("release", 2 * RELEASE_ID) } },
	{ "module.unhold", REQUESTS_CHANGE, OPERATE, 0, 0, requests_module_unhold, { MODULE, REASON } },
	{ "privacy.erase", REQUESTS_CHANGE, CALLERS_ADMIN, 0, 0, requests_privacy_erase,
	    { REASON, TEXT_OPT("module", 160), NUMBER_OPT("before") } },
	/* The statement that breaks the glass is review.statement's; these are about looking at it afterwards. */
	{ "breakglass.show", REQUESTS_VIEW, ANY, 0, 0, breakglass_show, { { 0 } } },
	{ "breakglass.statement", REQUESTS_VIEW, SIGN, 0, 0, breakglass_statement,
	    { TEXT_OPT("approver", SIGNERS_PRINCIPAL_MAX - 1), TEXT("outcome", 15), TEXT("reason", APPROVAL_REASON_MAX) } },
	{ "breakglass.submit", REQUESTS_PERMIT, ACT, 2, 2, breakglass_submit, { { 0 } } },
	{ "standing.list", REQUESTS_VIEW, ANY, 0, 0, standing_list, { { 0 } } },
	/* Permits nothing: people sign what is proposed, and the warden counts those. */
	{ "standing.propose", REQUESTS_CHANGE, ACT, 0, 0, standing_propose,
	    { NUMBER("days"), TEXT_OPT("deltas", 15), TEXTS_OPT("findings", APPROVAL_LIST_MAX), TEXTS_OPT("from", DB_LIST_MAX),
		TEXTS_OPT("groups", DB_LIST_MAX), NUMBER("max_devices"), NUMBER("max_releases"),
		TEXT("product", DB_NAME_MAX - 1), TEXT("profile", PROFILE_WORD_MAX), REASON,
		TEXTS_OPT("signers", APPROVAL_LIST_MAX) } },
	{ "standing.statement", REQUESTS_VIEW, SIGN, 0, 0, standing_statement,
	    { TEXT_OPT("approver", SIGNERS_PRINCIPAL_MAX - 1), TEXT("reason", APPROVAL_REASON_MAX), TEXT("standing", 31) } },
	{ "standing.submit", REQUESTS_PERMIT, ACT, 2, 2, standing_submit, { TEXT_OPT("standing", 31) } },
	{ "standing.revoke", REQUESTS_RESTRICT, ACT, 0, 0, standing_revoke, { REASON, TEXT("standing", 31) } },
	{ "image.list", REQUESTS_VIEW, ANY, 0, 0, requests_image_list, { TEXT_OPT("after", DIGEST_HEX_LEN), NUMBER_OPT("limit") } },
	{ "image.show", REQUESTS_VIEW, ANY, 0, 0, requests_image_show, { TEXT("image", DIGEST_HEX_LEN) } },
	{ "group.list", REQUESTS_VIEW, ANY, 0, 0, requests_group_list, { { 0 } } },
	{ "incident.list", REQUESTS_VIEW, ANY, 0, 0, requests_incident_list, { NUMBER_OPT("after"), NUMBER_OPT("limit") } },
	{ "incident.show", REQUESTS_VIEW, ANY, 0, 0, requests_incident_show, { TEXT("incident", 19) } },
	{ "supplier.list", REQUESTS_VIEW, ANY, 0, 0, requests_supplier_list, { { 0 } } },
	{ "supplier.show", REQUESTS_VIEW, ANY, 0, 0, requests_supplier_show, { TEXT("supplier", PROFILE_WORD_MAX) } },
	{ "resume.statement", REQUESTS_VIEW, SIGN, 0, 0, resume_statement,
	    { TEXT("reason", APPROVAL_REASON_MAX), TEXT_OPT("approver", SIGNERS_PRINCIPAL_MAX - 1) } },
	{ "resume.submit", REQUESTS_PERMIT, ACT, 2, 2, resume_submit, { { 0 } } },
	{ "audit.head", REQUESTS_VIEW, ANY, 0, 0, requests_log_head, { { 0 } } },
	{ "audit.open", REQUESTS_VIEW, ANY, 0, 0, requests_log_open, { TEXT("name", MSG_PATH_MAX - 1) } },
	{ "audit.proof", REQUESTS_VIEW, ANY, 0, 0, requests_log_proof, { NUMBER("index") } },
	/* Evidence brought, not a change: audit judges it, or it is shown as a claim. */
	{ "audit.cosigned", REQUESTS_VIEW, EVIDENCE, 0, 0, audit_cosigned,
	    { TEXT("answer", 32), TEXT_OPT("line", sizeof((struct msg_witness_said){ 0 }.line) - 1),
		TEXT("name", WITNESS_POLICY_NAME_MAX), NUMBER_OPT("size") } },
	{ "audit.export", REQUESTS_VIEW, EVIDENCE, 0, 0, requests_log_export,
	    { TEXTS_OPT("texts", REQUESTS_EXPORT_TEXTS_MAX) } },
	/* Second factors lie in it in clear: a console that is taken over would have everybody's. */
	{ "backup.state", REQUESTS_LOCAL, CALLERS_ADMIN, 0, 0, requests_backup_state, { { 0 } } },
	{ "file.open", REQUESTS_VIEW, ANY, 0, 0, requests_file_open,
	    { TEXT("kind", 32), TEXT_OPT("digest", 2 * DIGEST_SHA256_LEN), NUMBER_OPT("number") } },
	/* Whoever asks over the network, and until who that is is known. */
	{ "setup.code", REQUESTS_PERSONAL, CALLERS_ADMIN, 0, 0, setup_code, { { 0 } } },
	{ "setup.open", REQUESTS_CHANGE, GUEST, 0, 0, setup_open, { TEXT("code", 64), PASSWORD("password"), TEXT("user", 128) } },
	{ "session.open", REQUESTS_CHANGE, GUEST, 0, 0, session_open, { CODE_OPT, PASSWORD("password"), TEXT("user", 128) } },
	{ "session.sso", REQUESTS_CHANGE, GUEST, 0, 0, session_sso,
	    { TEXT_OPT("acr", VOUCH_WORDS_MAX), TEXT_OPT("amr", VOUCH_WORDS_MAX), TEXT("issuer", VOUCH_ISSUER_MAX),
		TEXT("subject", VOUCH_SUBJECT_MAX) } },
	{ "session.show", REQUESTS_VIEW, SELF, 0, 0, session_show, { { 0 } } },
	{ "session.close", REQUESTS_OWN, SELF, 0, 0, session_close, { { 0 } } },
	{ "session.list", REQUESTS_VIEW, ANY, 0, 0, session_list, { { 0 } } },
	/* One's own; those of others only an administrator. The same of passwords and second factors. */
	{ "session.end", REQUESTS_OWN, ANY, 0, 0, session_end, { TEXT("session", 2 * DB_ID) } },
	{ "account.add", REQUESTS_PERSONAL, CALLERS_ADMIN, 0, 0, account_add,
	    { ACCOUNT, CODE_OPT, TEXT_OPT("display", DB_NAME_MAX - 1), PASSWORD("password"),
		TEXT_OPT("principal", SIGNERS_PRINCIPAL_MAX - 1), TEXTS("roles", 5) } },
	{ "account.bind", REQUESTS_PERSONAL, CALLERS_ADMIN, 0, 0, account_bind,
	    { ACCOUNT, CODE_OPT, TEXT("issuer", VOUCH_ISSUER_MAX), TEXT("subject", VOUCH_SUBJECT_MAX) } },
	{ "account.unbind", REQUESTS_RESTRICT, CALLERS_ADMIN, 0, 0, account_unbind,
	    { ACCOUNT, TEXT("issuer", VOUCH_ISSUER_MAX), REASON, TEXT("subject", VOUCH_SUBJECT_MAX) } },
	{ "account.list", REQUESTS_VIEW, WATCH, 0, 0, account_list, { { 0 } } },
	{ "account.disable", REQUESTS_RESTRICT, CALLERS_ADMIN, 0, 0, account_disable, { ACCOUNT, REASON } },
	{ "account.enable", REQUESTS_PERSONAL, CALLERS_ADMIN, 0, 0, account_enable, { ACCOUNT, CODE_OPT } },
	{ "account.roles", REQUESTS_PERSONAL, CALLERS_ADMIN, 0, 0, account_roles,
	    { ACCOUNT, CODE_OPT, TEXT_OPT("display", DB_NAME_MAX - 1), TEXT_OPT("principal", SIGNERS_PRINCIPAL_MAX - 1),
		TEXTS("roles", 5) } },
	{ "account.password", REQUESTS_PERSONAL, SELF, 0, 0, account_password,
	    { ACCOUNT, CODE_OPT, TEXT_OPT("old", PASSWORD_BYTES_MAX), PASSWORD("password") } },
	{ "account.totp", REQUESTS_PERSONAL, SELF, 0, 0, account_totp, { ACCOUNT, CODE_OPT } },
	{ "account.passkey_only", REQUESTS_PERSONAL, ANY, 0, 0, account_passkey_only, { ACCOUNT, CODE_OPT } },
	/* Of authenticators, in base64: what they were asked, what they say, and what they signed it with. */
	{ "session.challenge", REQUESTS_CHANGE, GUEST, 0, 0, session_challenge, { { 0 } } },
	{ "session.passkey", REQUESTS_CHANGE, GUEST, 0, 0, session_passkey, { ASSERTION, TEXT("handle", 2 * DB_ID) } },
	{ "passkey.challenge", REQUESTS_PERSONAL, SELF, 0, 0, passkey_challenge, { FLAG_OPT("add") } },
	{ "passkey.add", REQUESTS_PERSONAL, SELF, 0, 0, passkey_add,
	    { CHALLENGE, CLIENT_DATA, CODE_OPT, TEXT("name", DB_NAME_MAX - 1), TEXT("object", BASE64(WEBAUTHN_OBJECT_MAX)) } },
	{ "passkey.fresh", REQUESTS_PERSONAL, ANY, 0, 0, passkey_fresh, { ASSERTION } },
	{ "passkey.list", REQUESTS_VIEW, ANY, 0, 0, passkey_list, { ACCOUNT } },
	{ "passkey.remove", REQUESTS_PERSONAL, ANY, 0, 0, passkey_remove, { CODE_OPT, TEXT("passkey", 2 * DB_ID) } },
	{ "token.create", REQUESTS_PERSONAL, CALLERS_ADMIN, 0, 0, token_create,
	    { ACCOUNT, CODE_OPT, NUMBER_OPT("days"), TEXT("name", DB_NAME_MAX - 1), TEXTS("scopes", 3) } },
	{ "token.list", REQUESTS_VIEW, WATCH, 0, 0, token_list, { { 0 } } },
	{ "token.revoke", REQUESTS_RESTRICT, CALLERS_ADMIN, 0, 0, token_revoke, { REASON, TEXT("token", 2 * DB_ID) } },
};

size_t
requests_count(void)
{
	return sizeof table / sizeof table[0];
}

const struct requests_row *
requests_at(size_t i)
{
	return i < requests_count() ? &table[i] : NULL;
}

const struct requests_row *
requests_find(const char *name)
{
	for (size_t i = 0; i < requests_count(); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* ---- arguments ---- */

static bool
is_text(const struct json_value *v, size_t max)
{
	struct view s;
	return json_string(v, &s) && s.n <= max && !memchr(s.p ? s.p : (const uint8_t *)"", 0, s.n);
}

static bool
fits(const struct requests_arg *a, const struct json_value *v)
{
	uint64_t n;
	bool b;
	switch (a->type) {
	case REQUESTS_TEXT:
		return is_text(v, a->max);
	case REQUESTS_NUMBER:
		return json_uint(v, &n);
	case REQUESTS_FLAG:
		return json_bool(v, &b);
	case REQUESTS_TEXTS:
	case REQUESTS_LINES:
		break;
	}
	if (json_type(v) != JSON_ARRAY || json_count(v) > a->max)
		return false;
	for (size_t i = 0; i < json_count(v); i++)
		if (!is_text(json_at(v, i), a->type == REQUESTS_LINES ? PROPOSALS_LINE_MAX : DB_VERSION_MAX - 1))
			return false;
	return true;
}

static const struct requests_arg *
named(const struct requests_row *row, struct view key)
{
	for (unsigned i = 0; i < REQUESTS_ARGS_MAX && row->arg[i].key; i++)
		if (view_is(key, row->arg[i].key))
			return &row->arg[i];
	return NULL;
}

/* The call is answered when it is false. */
static bool
check_arguments(const struct requests_row *row, struct call *call)
{
	const struct json_value *args = call_args(call);
	for (size_t i = 0; i < json_count(args); i++) {
		struct view key = json_key_at(args, i);
		const struct requests_arg *a = named(row, key);
		if (a && fits(a, json_at(args, i)))
			continue;
		call_fail(call, CALL_USAGE, "USAGE", "", "%s: the argument %.*s %s", row->name, key.n < 64 ? (int)key.n : 64,
		    (const char *)key.p, a ? "has another type or is too long" : "is unknown");
		return false;
	}
	for (unsigned i = 0; i < REQUESTS_ARGS_MAX && row->arg[i].key; i++) {
		if (!row->arg[i].required || json_get(args, row->arg[i].key))
			continue;
		call_fail(call, CALL_USAGE, "USAGE", "", "%s needs the argument %s", row->name, row->arg[i].key);
		return false;
	}
	if (call_fds(call) >= row->fds_min && call_fds(call) <= row->fds_max)
		return true;
	call_fail(call, CALL_USAGE, "USAGE", "", "%s takes %u to %u files", row->name, row->fds_min, row->fds_max);
	return false;
}

/* ---- dispatch ---- */

void
requests_sign_in(struct control *c, struct call *call)
{
	c->denied.count++;
	snprintf(c->denied.last, sizeof c->denied.last, "%s asked for %s", call_who(call)->user, call_request(call));
	/* A page then offers session.sso. */
	const bool vouched = memcmp(call_who(call)->person, (struct caller){ 0 }.person, CALLERS_PERSON) != 0;
	call_fail(call, CALL_REFUSED, "SIGN-IN", vouched ? "single sign-on" : "sign in", "nobody is signed in, or no longer");
}

static bool
is_local(const struct caller *who)
{
	return who->means == CALLERS_MEANS_UID || who->means == CALLERS_MEANS_ROOT;
}

static void
deny(struct control *c, struct call *call, const struct requests_row *row)
{
	char roles[64], need[64];
	callers_roles_text(call_who(call)->roles, roles);
	callers_roles_text(row->who, need);
	if (call_who(call)->means == CALLERS_MEANS_GUEST) {
		requests_sign_in(c, call);
		return;
	}
	c->denied.count++;
	snprintf(c->denied.last, sizeof c->denied.last, "%s asked for %s", call_who(call)->user, row->name);
	if (row->kind == REQUESTS_LOCAL && !is_local(call_who(call))) {
		call_fail(call, CALL_REFUSED, "DENIED", "use fotagate there", "%s is asked for on the gateway's machine only",
		    row->name);
		return;
	}
	if (call_who(call)->means == CALLERS_MEANS_SSO && (call_who(call)->roles & row->who)) {
		call_fail(call, CALL_REFUSED, "DENIED", "sign in with name, password and code",
		    "%s may not ask for %s by single sign-on", call_who(call)->user, row->name);
		return;
	}
	call_fail(call, CALL_REFUSED, "DENIED", "ask for membership of the group", 
	    "%s may not ask for %s: it takes %s, and you have the role of %s",
	    call_who(call)->user, row->name, need, roles);
}

enum requests_verdict
requests_may(const struct requests_row *row, const struct caller *who, bool statement)
{
	const bool guest = who->means == CALLERS_MEANS_GUEST, token = who->means == CALLERS_MEANS_TOKEN;
	/* Whatever bits came with it: a guest has that one, and nobody else has. */
	const unsigned roles = guest ? CALLERS_GUEST : who->roles & ~(unsigned)CALLERS_GUEST;
	if (who->means <= CALLERS_MEANS_NONE || who->means >= CALLERS_MEANS_LIMIT || !(roles & row->who))
		return REQUESTS_DENIED;
	switch (row->kind) {
	case REQUESTS_VIEW:
	case REQUESTS_CHANGE:
	case REQUESTS_RESTRICT:
		return REQUESTS_ALLOWED;
	case REQUESTS_PERSONAL:
		return token || who->means == CALLERS_MEANS_SSO ? REQUESTS_DENIED : REQUESTS_ALLOWED;
	case REQUESTS_OWN:
		return token ? REQUESTS_DENIED : REQUESTS_ALLOWED;
	case REQUESTS_LOCAL:
		return is_local(who) ? REQUESTS_ALLOWED : REQUESTS_DENIED;
	case REQUESTS_PERMIT:
		return statement && !token ? REQUESTS_COUNTED : REQUESTS_DENIED;
	default:
		return REQUESTS_DENIED;
	}
}

void
requests_handle(void *ctx, struct call *call)
{
	struct control *c = ctx;
	const struct requests_row *row = requests_find(call_request(call));
	if (!row)
		call_fail(call, CALL_USAGE, "UNKNOWN-REQUEST", "is the daemon older than the command?", "there is no request %s",
		    call_request(call));
	else if (c->stopping)
		call_fail(call, CALL_COULD_NOT, "LOCAL", "try again", "the gateway is stopping");
	else if (!requests_may(row, call_who(call), true)) /* who may, whatever is in hand */
		deny(c, call, row);
	else if (!check_arguments(row, call))
		return; /* answered */
	else if (!requests_may(row, call_who(call), call_fds(call) == REQUESTS_SIGNED_FDS))
		deny(c, call, row);
	else
		row->handle(c, call);
}

void
requests_report_denied(struct control *c)
{
	struct msg_append *e;
	if (!c->denied.count)
		return;
	e = logbook_entry(ENTRY_AUTHZ_DENIED, "denied", "control.sock", "requests");
	logbook_ref_number(e, "count", c->denied.count);
	logbook_say(e, "the last: %s", c->denied.last);
	logbook_tell(c->logbook, e);
	c->denied.count = 0;
}

/* ---- shared by the handlers ---- */

unsigned
requests_page(struct call *call, unsigned otherwise)
{
	uint64_t limit = call_number(call, "limit", otherwise);
	if (limit && limit <= REQUESTS_PAGE_MAX)
		return (unsigned)limit;
	call_fail(call, CALL_USAGE, "USAGE", "", "limit is 1 to %d", REQUESTS_PAGE_MAX);
	return 0;
}

bool
requests_after(struct call *call, uint8_t ret[MSG_ID], bool *ret_have)
{
	char hex[2 * MSG_ID + 1];
	*ret_have = call_text(call, "after", hex, sizeof hex) && hex[0];
	if (!*ret_have || hex_decode(view_str(hex), ret, MSG_ID))
		return true;
	call_fail(call, CALL_USAGE, "USAGE", "", "after is what next was: %d hex digits", 2 * MSG_ID);
	return false;
}

void
requests_lost(struct call *call)
{
	call_fail(call, CALL_REFUSED, "NOT-FOUND", "begin again, without after", "there is nothing of that name to go on after");
}

void
requests_finish(struct call *call, struct call_doc *d, int err)
{
	if (!err) {
		call_doc_end(call, d, CALL_DONE);
		return;
	}
	writer_free(&d->w);
	call_fail_err(call, err);
}

void
requests_not_now(const struct control *c, struct call *call)
{
	if (c->signers_lost)
		call_fail(call, CALL_COULD_NOT, "SIGNERS", "see fotagate status",
		    "the folder has other signer sets than the log put in force");
	else if (!logbook_permits(c->logbook))
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(c->logbook));
	else if (!replay_done(c->replay))
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log is still being read");
	else
		call_fail(call, CALL_COULD_NOT, "HALT-LOST", "fotagate halt, then resume",
		    "the log has the gateway halted and the flag is gone");
}

const char *
requests_actor(const struct control *c, const struct call *call)
{
	const struct caller *who = call_who(call);
	const char *person = NULL;
	/* Root is named as what it is: it is no person of any set. An account is no unix user, whatever its name. */
	if (who->means == CALLERS_MEANS_SESSION || who->means == CALLERS_MEANS_SSO || who->means == CALLERS_MEANS_TOKEN)
		person = who->principal[0] ? who->principal : NULL;
	else if (who->uid != 0)
		person = signers_principal_of_user(people_set(c->people), who->user);
	return person ? person : who->user;
}

void
requests_put_time(struct jsonw *j, const char *key, int64_t t)
{
	if (t > 0 && jsonf_is_time(t))
		jsonf_put_time(j, key, t);
	else
		jsonw_knull(j, key);
}

void
requests_put_digest(struct jsonw *j, const char *key, bool have, const void *p, size_t n)
{
	if (have)
		jsonw_khex(j, key, p, n);
	else
		jsonw_knull(j, key);
}

void
requests_add_text(struct jsonw *j, const char *text)
{
	char seen[4 * DB_URL_MAX]; /* a byte that is none becomes four */
	visible_cstr(view_str(text), seen, sizeof seen);
	jsonw_cstr(j, seen);
}

void
requests_put_text(struct jsonw *j, const char *key, const char *text)
{
	jsonw_key(j, key);
	requests_add_text(j, text);
}

void
requests_put_review(struct jsonw *j, const char *key, uint64_t candidate)
{
	char text[DB_REVIEW_CAP];
	db_candidate_review(candidate, text);
	jsonw_kcstr(j, key, text);
}
