/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view/kinds.h"

#include "crypto/digest.h"

#define RULE "fotagate:"
#define EVENT_MAX 128 /* of ours: 32; of others no matter */

/* Activities and class numbers as in OCSF 1.5 (schema.ocsf.io). */
static const struct kinds table[ENTRY_EV_LIMIT] = {
	[ENTRY_EV_UNKNOWN] = { "Event", KINDS_BASE, KINDS_OTHER, "Unknown event" },
	[ENTRY_LOG_OPENED] = { "Log opened", KINDS_EVENT_LOG, 6, "Start" },
	[ENTRY_LOG_RECOVERED] = { "Log recovered", KINDS_EVENT_LOG, 8, "Restart" },
	[ENTRY_LOG_CHECKPOINT] = { "Checkpoint signed", KINDS_EVENT_LOG, KINDS_OTHER, "Checkpoint" },
	[ENTRY_LOG_WITNESSED] = { "Checkpoint witnessed", KINDS_EVENT_LOG, KINDS_OTHER, "Witness" },
	[ENTRY_LOG_EXPORTED] = { "Log exported", KINDS_EVENT_LOG, 3, "Export" },
	[ENTRY_LOG_FLOOD] = { "Log flooded", KINDS_EVENT_LOG, KINDS_OTHER, "Count" },
	[ENTRY_LOG_TAMPER] = { "Log tampered with", KINDS_DETECTION, 1, "Create" },
	[ENTRY_AUTH_OK] = { "Signed in", KINDS_AUTHENTICATION, 1, "Logon" },
	[ENTRY_AUTH_FAILED] = { "Sign-in failed", KINDS_AUTHENTICATION, 1, "Logon" },
	[ENTRY_AUTH_THROTTLED] = { "Sign-in throttled", KINDS_AUTHENTICATION, 1, "Logon" },
	[ENTRY_AUTH_LOGOUT] = { "Signed out", KINDS_AUTHENTICATION, 2, "Logoff" },
	[ENTRY_ACCOUNT_CHANGED] = { "Account changed", KINDS_ENTITY, 3, "Update" },
	[ENTRY_TOKEN_CREATED] = { "Token created", KINDS_ENTITY, 1, "Create" },
	[ENTRY_TOKEN_REVOKED] = { "Token revoked", KINDS_ENTITY, KINDS_OTHER, "Revoke" },
	[ENTRY_AUTHZ_DENIED] = { "Request denied", KINDS_API, KINDS_OTHER, "Deny" },
	[ENTRY_AUTHZ_ROLE] = { "Role changed", KINDS_ENTITY, 3, "Update" },
	[ENTRY_AUTHZ_SIGNERS_CHANGED] = { "Signers changed", KINDS_ENTITY, 3, "Update" },
	[ENTRY_AUTHZ_KEY_ADDED] = { "Key added", KINDS_ENTITY, 1, "Create" },
	[ENTRY_AUTHZ_KEY_REVOKED] = { "Key revoked", KINDS_ENTITY, 4, "Delete" },
	[ENTRY_AUTHZ_KEY_SUSPENDED] = { "Key suspended", KINDS_ENTITY, KINDS_OTHER, "Suspend" },
	[ENTRY_AUTHORITY_GENESIS] = { "Authority created", KINDS_ENTITY, 1, "Create" },
	[ENTRY_AUTHORITY_SIGNERS] = { "Signer set in force", KINDS_ENTITY, 3, "Update" },
	[ENTRY_AUTHORITY_POLICY] = { "Policy in force", KINDS_DEVICE_CONFIG, 1, "Log" },
	[ENTRY_AUTHORITY_SIGNED] = { "Signer set signed", KINDS_ENTITY, KINDS_OTHER, "Approve" },
	[ENTRY_UPSTREAM_FETCHED] = { "Vendor answered", KINDS_API, 2, "Read" },
	[ENTRY_UPSTREAM_TLS_CHANGED] = { "TLS key of a vendor changed", KINDS_DETECTION, 1, "Create" },
	[ENTRY_UPSTREAM_ERROR] = { "Vendor failed", KINDS_API, 2, "Read" },
	[ENTRY_FETCH_STARTED] = { "Fetch started", KINDS_API, 2, "Read" },
	[ENTRY_FETCH_DONE] = { "Fetch done", KINDS_API, 2, "Read" },
	[ENTRY_FETCH_FAILED] = { "Fetch failed", KINDS_API, 2, "Read" },
	[ENTRY_IMAGE_ATTESTED] = { "Trial of an image attested", KINDS_ENTITY, KINDS_OTHER, "Attest" },
	[ENTRY_IMAGE_IMPORTED] = { "Image imported", KINDS_ENTITY, 1, "Create" },
	[ENTRY_IMAGE_NOTES] = { "Vendor's notes given", KINDS_ENTITY, 3, "Update" },
	[ENTRY_IMAGE_VERIFIED] = { "Image verified", KINDS_SCAN, 2, "Completed" },
	[ENTRY_IMAGE_ANALYSED] = { "Image analysed", KINDS_SCAN, 2, "Completed" },
	[ENTRY_IMAGE_QUARANTINED] = { "Image quarantined", KINDS_SCAN, 2, "Completed" },
	[ENTRY_IMAGE_BASE] = { "Base named", KINDS_ENTITY, 1, "Create" },
	[ENTRY_IMAGE_CORRUPT] = { "Image corrupt", KINDS_DETECTION, 1, "Create" },
	[ENTRY_IMAGE_RETIRED] = { "Image retired", KINDS_ENTITY, 4, "Delete" },
	[ENTRY_IMAGE_INCIDENT] = { "Unexpected bytes from a vendor", KINDS_DETECTION, 1, "Create" },
	[ENTRY_VENDOR_INCIDENT] = { "Vendor server has changed", KINDS_DETECTION, 1, "Create" },
	[ENTRY_REVIEW_OPENED] = { "Review opened", KINDS_ENTITY, 1, "Create" },
	[ENTRY_REVIEW_REMARKED] = { "Remark on a review", KINDS_ENTITY, KINDS_OTHER, "Remark" },
	[ENTRY_APPROVAL_REQUESTED] = { "Approval requested", KINDS_ENTITY, KINDS_OTHER, "Request approval" },
	[ENTRY_APPROVAL_SIGNED] = { "Approval signed", KINDS_ENTITY, KINDS_OTHER, "Approve" },
	[ENTRY_APPROVAL_REJECTED] = { "Approval rejected", KINDS_ENTITY, KINDS_OTHER, "Reject" },
	[ENTRY_APPROVAL_OUTDATED] = { "Approval outdated", KINDS_ENTITY, KINDS_OTHER, "Outdate" },
	[ENTRY_APPROVAL_EXPIRED] = { "Approval expired", KINDS_ENTITY, KINDS_OTHER, "Expire" },
	[ENTRY_APPROVAL_EFFECTIVE] = { "Approval effective", KINDS_ENTITY, KINDS_OTHER, "Put in force" },
	[ENTRY_APPROVAL_REVOKED] = { "Approval revoked", KINDS_ENTITY, KINDS_OTHER, "Revoke" },
	[ENTRY_APPROVAL_BREAKGLASS] = { "Emergency approval", KINDS_ENTITY, KINDS_OTHER, "Approve in emergency" },
	[ENTRY_APPROVAL_AFTERREVIEW] = { "Emergency approval looked at", KINDS_ENTITY, KINDS_OTHER, "Review afterwards" },
	[ENTRY_REFUSAL_ADDED] = { "Refused from now on", KINDS_ENTITY, KINDS_OTHER, "Refuse" },
	[ENTRY_REFUSAL_LIFTED] = { "Refusal lifted", KINDS_ENTITY, KINDS_OTHER, "Lift" },
	[ENTRY_WAIVER_ADDED] = { "Finding waived", KINDS_ENTITY, KINDS_OTHER, "Waive" },
	[ENTRY_WAIVER_LIFTED] = { "Waiver lifted", KINDS_ENTITY, KINDS_OTHER, "Lift" },
	[ENTRY_RELEASE_ISSUED] = { "Release issued", KINDS_ENTITY, 1, "Create" },
	[ENTRY_RELEASE_REFUSED] = { "Release refused", KINDS_ENTITY, KINDS_OTHER, "Refuse" },
	[ENTRY_RELEASE_WITHHELD] = { "Release withheld", KINDS_ENTITY, KINDS_OTHER, "Withhold" },
	[ENTRY_RELEASE_OFFERED] = { "Release offered again", KINDS_ENTITY, KINDS_OTHER, "Offer" },
	[ENTRY_STANDING_PROPOSED] = { "Standing statement proposed", KINDS_ENTITY, KINDS_OTHER, "Propose" },
	[ENTRY_STANDING_SIGNED] = { "Standing statement signed", KINDS_ENTITY, KINDS_OTHER, "Approve" },
	[ENTRY_STANDING_EFFECTIVE] = { "Standing statement effective", KINDS_ENTITY, KINDS_OTHER, "Put in force" },
	[ENTRY_STANDING_REVOKED] = { "Standing statement revoked", KINDS_ENTITY, KINDS_OTHER, "Revoke" },
	[ENTRY_ROLLOUT_CREATED] = { "Rollout created", KINDS_ENTITY, 1, "Create" },
	[ENTRY_ROLLOUT_STARTED] = { "Rollout started", KINDS_ENTITY, KINDS_OTHER, "Start" },
	[ENTRY_ROLLOUT_PAUSED] = { "Rollout paused", KINDS_ENTITY, KINDS_OTHER, "Pause" },
	[ENTRY_ROLLOUT_ABORTED] = { "Rollout aborted", KINDS_ENTITY, KINDS_OTHER, "Abort" },
	[ENTRY_ROLLOUT_PROMOTED] = { "Rollout promoted", KINDS_ENTITY, KINDS_OTHER, "Promote" },
	[ENTRY_ROLLOUT_CLOSED] = { "Rollout closed", KINDS_ENTITY, KINDS_OTHER, "Close" },
	[ENTRY_ROLLOUT_HELD] = { "Ring of a rollout held", KINDS_ENTITY, KINDS_OTHER, "Hold" },
	[ENTRY_ROLLOUT_RESUMED] = { "Rollout resumed", KINDS_ENTITY, KINDS_OTHER, "Resume" },
	[ENTRY_ROLLOUT_SUPERSEDED] = { "Rollout superseded", KINDS_ENTITY, KINDS_OTHER, "Supersede" },
	[ENTRY_ROLLOUT_WATCHED] = { "Traffic of a ring watched", KINDS_ENTITY, KINDS_OTHER, "Update" },
	[ENTRY_RESTRICT_HALT] = { "Everything halted", KINDS_DEVICE_CONFIG, 1, "Log" },
	[ENTRY_RESTRICT_RESUME] = { "Halt ended", KINDS_DEVICE_CONFIG, 1, "Log" },
	[ENTRY_MODULE_SIGHTING] = { "Modules asked", KINDS_BASE, KINDS_OTHER, "Sighting" },
	[ENTRY_DEVICE_SEEN] = { "Module seen", KINDS_BASE, KINDS_OTHER, "Sighting" },
	[ENTRY_DEVICE_GRANT] = { "Module may update", KINDS_APPLICATION, KINDS_OTHER, "Grant" },
	[ENTRY_DEVICE_SERVED] = { "Image served to a module", KINDS_APPLICATION, KINDS_OTHER, "Serve" },
	[ENTRY_DEVICE_FAILED] = { "Serving a module failed", KINDS_APPLICATION, KINDS_OTHER, "Serve" },
	[ENTRY_DEVICE_RESULT] = { "Module reports its version", KINDS_APPLICATION, 8, "Update" },
	[ENTRY_DEVICE_UNKNOWN_COUNT] = { "Requests nobody knows", KINDS_BASE, KINDS_OTHER, "Sighting" },
	[ENTRY_DEVICE_REVEALED] = { "Identity of a module shown", KINDS_ENTITY, 2, "Read" },
	[ENTRY_DEVICE_ERASED] = { "Identity of a module erased", KINDS_ENTITY, 4, "Delete" },
	[ENTRY_EGRESS_BLOCKED] = { "Traffic blocked", KINDS_DETECTION, 1, "Create" },
	[ENTRY_EGRESS_NEW_ENDPOINT] = { "New endpoint", KINDS_DETECTION, 1, "Create" },
	[ENTRY_POLICY_CHANGED] = { "Policy changed", KINDS_DEVICE_CONFIG, 1, "Log" },
	[ENTRY_POLICY_UNSIGNED] = { "Policy on disk is not signed", KINDS_DETECTION, 1, "Create" },
	[ENTRY_CONFIG_CHANGED] = { "Configuration changed", KINDS_DEVICE_CONFIG, 1, "Log" },
	[ENTRY_STATE_DIFFERS] = { "Database differs from the log", KINDS_DETECTION, 1, "Create" },
	[ENTRY_CLOCK_STEPPED] = { "Clock stepped", KINDS_DETECTION, 1, "Create" },
	[ENTRY_DISK_WARN] = { "Disk nearly full", KINDS_BASE, KINDS_OTHER, "Disk" },
	[ENTRY_DISK_FULL] = { "Disk full", KINDS_BASE, KINDS_OTHER, "Disk" },
	[ENTRY_SVC_START] = { "Service started", KINDS_APPLICATION, 3, "Start" },
	[ENTRY_SVC_STOP] = { "Service stopped", KINDS_APPLICATION, 4, "Stop" },
	[ENTRY_SVC_EXIT] = { "Service died", KINDS_APPLICATION, 4, "Stop" },
};

const struct kinds *
kinds_of(enum entry_event ev)
{
	bool known = (unsigned)ev < ENTRY_EV_LIMIT && table[ev].title;
	return &table[known ? ev : ENTRY_EV_UNKNOWN];
}

const char *
kinds_class_name(enum kinds_class cls)
{
	switch (cls) {
	case KINDS_BASE:
		return "Base Event";
	case KINDS_EVENT_LOG:
		return "Event Log Activity";
	case KINDS_DETECTION:
		return "Detection Finding";
	case KINDS_AUTHENTICATION:
		return "Authentication";
	case KINDS_ENTITY:
		return "Entity Management";
	case KINDS_DEVICE_CONFIG:
		return "Device Config State Change";
	case KINDS_APPLICATION:
		return "Application Lifecycle";
	case KINDS_API:
		return "API Activity";
	case KINDS_SCAN:
		return "Scan Activity";
	}
	return "Base Event";
}

int
kinds_message_id(struct view event, uint8_t ret[KINDS_MESSAGE_ID_LEN])
{
	uint8_t input[sizeof RULE - 1 + EVENT_MAX], sum[DIGEST_SHA256_LEN];
	size_t n = event.n < EVENT_MAX ? event.n : EVENT_MAX;
	memcpy(input, RULE, sizeof RULE - 1);
	if (n)
		memcpy(input + sizeof RULE - 1, event.p, n);
	int err = digest_sha256(view_of(input, sizeof RULE - 1 + n), sum);
	if (err)
		return err;
	sum[6] = (uint8_t)((sum[6] & 0x0f) | 0x80); /* version 8 */
	sum[8] = (uint8_t)((sum[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
	memcpy(ret, sum, KINDS_MESSAGE_ID_LEN);
	return 0;
}
