// SPDX-License-Identifier: Apache-2.0
// words - what states and words of the gateway are called on a page, and how they look.
import { badge } from "/dom.js";

const STATES = {
	sighted: ["wait", "asked for"], fetching: ["wait", "being fetched"], "fetch-failed": ["warning", "fetch failed"],
	judging: ["wait", "being inspected"], blocked: ["block", "blocked"], review: ["warning", "waits for people"],
	approved: ["good", "approved"], rejected: ["off", "rejected"], revoked: ["block", "revoked"],
		expired: ["off", "expired"],
	incident: ["block", "incident"],
	running: ["good", "running"], paused: ["warning", "paused"], done: ["good", "done"], aborted: ["off", "aborted"],
		ended: ["off", "ended"], superseded: ["off", "superseded"],
	lost: ["block", "lost"],
	"in-force": ["good", "in force"], held: ["warning", "held"], withheld: ["warning", "withheld"], missing: ["block", "missing"],
};

export function state(word) {
	const [kind, text] = STATES[word] || ["notice", word || "unknown"];
	return badge(kind, text);
}

export const STATE_WORDS = Object.fromEntries(Object.entries(STATES).map(([k, v]) => [k, v[1]]));

const VERDICTS = { acceptable: ["good", "nothing speaks against it"], review: ["warning", "a person has to look"],
	blocked: ["block", "blocked"] };

export function verdict(word) {
	if (!word)
		return badge("wait", "no report yet");
	const [kind, text] = VERDICTS[word] || ["notice", word];
	return badge(kind, text);
}

export const SEVERITIES = ["block", "warning", "notice", "info"];

export function severity(word) {
	return badge(SEVERITIES.includes(word) ? word : "notice", word);
}

export const SIGNERS = {
	kept: "the same key as the releases before", first: "the first release of this product: no key to compare with",
	new: "NEW KEY: no earlier release was signed with it", weaker: "a weaker signature than the release before",
	back: "no signature, although releases before had one", unknown: "not compared with earlier releases",
};

export const DIRECTIONS = { up: "newer than what modules run", down: "OLDER than what modules run",
	same: "the same version as modules run",
	unknown: "not known which is newer" };

// What a blocked review needs, by the reason's id; findings have their own cures.
export const CURES = {
	"NO-REPORT": "Wait until it is inspected.",
	"OTHER-IMAGE": "Reopen it: what lies here is not what was inspected.",
	REFUSED: "An operator refused it. Lift the refusal, if that was an error, and reopen the review.",
	"REPORT-BLOCKED": "Clear every finding marked block, below.",
	"FINDING-BLOCKS": "See the finding below: it says what clears it.",
	"TOO-MANY-FINDINGS": "Have the vendor clean the image up; nobody can acknowledge that many findings.",
	"EMPTY-IMAGE": "Fetch it again; a vendor that serves empty files has a fault.",
	"TOO-LARGE": "Raise the profile's limit, if an image of that size is expected.",
	"COVERAGE-WRONG": "Reopen it; where it stays so, the report is not to be trusted.",
	"SIGNATURE-BAD": "Obtain the image again from the vendor's own place; a bad signature is never a small thing.",
	"SIGNATURE-MISSING": "Obtain the vendor's signature (signature_url of the profile, or import with --signature).",
	"SIGNATURE-SCHEME": "Obtain a signature of the scheme that the profile demands, or have the profile changed.",
	"UNSIGNED-BYTES": "Obtain an image whose signature covers all of it.",
	"DELTA-SECOND": "Find out why there are two different deltas between the same versions.",
	"DELTA-NOT-SEEN": "Add the base it is for: fotagate base add.",
	"DELTA-NOT-PINNED": "Import the vendor's full image of the target version with its signature.",
	"DELTA-ASK-FULL": "Import the vendor's full image of the target version.",
	"OTHER-POLICY": "Reopen it: the policy changed since it was judged.",
	"REPORT-OLD": "Reopen it: it is judged again with today's date.",
	"REPORT-AHEAD": "Mend the gateway's clock and reopen it.",
	"CLOCK-UNSURE": "Wait until the gateway's clock is sure.",
	VENDOR: "If the vendor confirms the change by another way, reopen the review.",
	RULE: "A rule of the policy says no; rules stand in fotagate.conf.",
};

// Where the key of a passkey is, by what its authenticator says (eligible for backup, and backed up) in what it signs.
export const KEPT = { "device-bound": "on its device only", "can-be-backed-up": "may be copied",
	"backed-up": "copied by its maker" };

export const ROLES = ["viewer", "auditor", "operator", "approver", "admin"];

// Whether this session may ask; the gateway decides anyway.
export function may(session, ...roles) {
	return Boolean(session && session.roles && session.roles.some((r) => roles.includes(r)));
}

export const OPERATE = ["operator", "admin"];
export const SIGN = ["approver", "admin"];
export const ACT = ["operator", "approver", "admin"];
export const EVIDENCE = ["auditor", "approver", "admin"];
