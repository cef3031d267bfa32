// SPDX-License-Identifier: Apache-2.0
// statement - what somebody is about to sign: read from its very bytes, held against what the page shows and was asked
// for, and said in words that are made here. Of what the gateway says about a statement nothing is shown: one that was
// taken over could show one thing and have another signed.
import { num, visible } from "/dom.js";

export const TYPE = /^https:\/\/in-toto\.io\/Statement\/v1$/;
export const PREDICATE = "urn:fotagate:approval:v1";
const EVERYBODY = 1000000;  // modules, where nobody names a number
const DAYS_MAX = 30;        // that a statement may last, and reach ahead
const DAY = 86400000;
export const SKEW = 300000;        // milliseconds between its clock and this machine's
const PERSONS_MAX = 16;
// What may be said of a delta, by what the report says became of it.
const UNSEEN = "not seen: integrity by digest only, origin unverified";
const MADE = { proved: "proved", reconstructed: "reconstructed, target not independently signed" };

// ---- its form ----

export const text = (v) => typeof v === "string" && /^[\x20-\x7e]*$/.test(v);
export const word = (v) => text(v) && v !== "";
export const hex = (n) => (v) => typeof v === "string" && v.length === n && /^[0-9a-f]*$/.test(v);
export const number = (v) => Number.isSafeInteger(v) && v >= 0;
export const words = (v) => Array.isArray(v) && v.every((w, i) => word(w) && (!i || v[i - 1] < w));
export const some = (v) => words(v) && v.length > 0;
export const moment = (v) => typeof v === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(v) && !isNaN(new Date(v));
export const sha256 = { digest: { sha256: hex(64) } };

// "?" before a member that need not be there. No member stands in a statement that is not here.
const FORM = {
	_type: (v) => TYPE.test(v), predicateType: (v) => v === PREDICATE, subject: [{ ...sha256, name: word }],
	predicate: {
		approver: word, "?checklist": some, decision: (v) => v === "approve",
		"?delta": { "?applier": word, "?base": hex(64), made: word, "?target": hex(64) },
		findings: words, gateway: word, log: { root: hex(64), size: number }, nonce: hex(32), "?plan": sha256,
		policy: sha256, product: text, profile: word, quorum: number, reason: word, report: sha256, resource: hex(32),
		review: word, scope: { from_versions: some, groups: some, max_devices: number, not_after: moment, not_before: moment },
		target: text, time: moment, "?waived": some,
	},
};

// By which one person lets it through alone: it says that nothing blocks, how long it waits, and until when; never from when.
const GLASS = { ...FORM, predicate: { ...FORM.predicate, blocked: (v) => v === false, decision: (v) => v === "breakglass",
	delay: number, scope: { from_versions: some, groups: some, max_devices: number, not_after: moment } } };

function fits(v, form) {
	if (typeof form === "function")
		return form(v);
	if (Array.isArray(form))
		return Array.isArray(v) && v.length === 1 && fits(v[0], form[0]);
	if (!v || typeof v !== "object" || Array.isArray(v))
		return false;
	const known = new Set();
	for (const [key, inner] of Object.entries(form)) {
		const name = key.replace("?", "");
		known.add(name);
		if (Object.hasOwn(v, name) ? !fits(v[name], inner) : name === key)
			return false;
	}
	return Object.keys(v).every((name) => known.has(name));
}

// The only bytes that say it: RFC 8785, of text that is plain ASCII. Nothing said twice, or hidden between, passes.
function canonical(v) {
	if (Array.isArray(v))
		return `[${v.map(canonical).join(",")}]`;
	if (v && typeof v === "object")
		return `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`).join(",")}}`;
	return JSON.stringify(v);
}

// The statement in these bytes, or null where they are none of that form as a gateway writes it.
export function read(bytes, form = FORM) {
	try {
		const doc = JSON.parse(bytes);
		return visible(bytes) === bytes && fits(doc, form) && canonical(doc) === bytes ? doc : null;
	} catch {
		return null;
	}
}

// ---- what it must say ----

export const same = (a, b) => JSON.stringify([...(a || [])].sort()) === JSON.stringify([...(b || [])].sort());

// Groups, number and days: those that were asked for, else those that people signed already, else all.
function reaches(scope, body, r) {
	const days = (new Date(scope.not_after) - new Date(scope.not_before)) / DAY;
	const is = (groups, most) => same(scope.groups, groups) && scope.max_devices === most;
	if (!(days > 0 && days <= (body.days || DAYS_MAX)))
		return false;
	if (is(body.groups || ["*"], body.max_devices || EVERYBODY))
		return true;
	return !body.groups && !body.max_devices && !body.days &&
		r.statements.some((s) => is(s.groups, s.max_devices) && s.not_after === scope.not_after);
}

// What a delta's report has of what it makes. A report of a delta that was tried on no base says nothing of it.
function delta(has, report) {
	const d = report.delta, made = d && d.target && d.target.report ? MADE[d.outcome] : null;
	if (made)
		return Boolean(has) && has.made === made && has.applier === d.applier && has.base === d.base.sha256 &&
			has.target === d.target.sha256;
	return has ? has.made === UNSEEN && Object.keys(has).length === 1 : !d;
}

// Alone: no further than was asked for, nor for longer, and with the wait that genesis has.
function alone(p, body, glass) {
	const s = p.scope, left = new Date(s.not_after) - Date.now();
	return p.delay === glass.delay && same(s.groups, body.groups || ["*"]) && left <= (body.hours || 24) * 3600000 + SKEW &&
		s.max_devices === (body.max_devices || glass.max_devices) && s.max_devices <= glass.max_devices;
}

// want: { r, report: the one whose digest was reckoned here, body: what was asked for, people, gateway: its name, need,
// glass: what the gateway says of break-glass, where it is to be that }.
// In words, each way in which it is not the statement to sign; none: it is.
export function differs(bytes, want) {
	const doc = read(bytes, want.glass ? GLASS : FORM), { r, report, body, people, glass } = want;
	if (!doc)
		return ["has another form than such a statement has"];
	const p = doc.predicate, s = p.scope, now = Date.now(), image = doc.subject[0];
	const signed = r.statements.some((x) => x.current); // by somebody: whose scope may have been another's choice
	const floor = people ? people.floors[s.max_devices > people.floors.canary_max ? "production" : "canary"] : PERSONS_MAX;
	return [
		[image.digest.sha256 !== r.image, "is about another image"],
		[!image.name.startsWith(`${r.profile}/${r.product}/${r.from}->${r.target}/`), "calls the image by another name"],
		[p.report.digest.sha256 !== r.report, "names another report"],
		[p.policy.digest.sha256 !== r.policy, "names another policy"],
		[p.gateway !== want.gateway, "names another gateway"], [p.resource !== r.resource, "names another resource"],
		[p.review !== r.id || p.product !== r.product || p.target !== r.target || p.profile !== r.profile,
			"is about something else"],
		[p.approver !== body.approver, "names another person"], [p.reason !== body.reason, "gives another reason"],
		[!(glass ? alone(p, body, glass) : reaches(s, body, r)), "reaches further than was asked for, or elsewhere"],
		[new Date(s.not_after) - now > DAYS_MAX * DAY + SKEW, "reaches more than 30 days ahead"],
		[new Date(s.not_after) <= now, "has run out"],
		[!same(s.from_versions, [r.from]) && !(signed && r.from === "*"), "is for modules of other versions"],
		[!glass && (p.quorum < floor || p.quorum > PERSONS_MAX || (signed ? p.quorum > want.need : p.quorum !== want.need)),
			"takes another number of signatures"],
		[!delta(p.delta, report), "says something else of what the delta makes"],
		[!same(p.checklist, body.ticks) || !same(p.checklist, r.checklist), "ticks other items"],
		[!same(p.findings, report.findings.filter((f) => f.severity !== "info").map((f) => f.id)),
			"acknowledges other findings than those of the report"],
		[!same(p.waived, r.waivers.map((w) => `${w.finding} ${w.id}`)), "rests on other waivers"],
		[!(Math.abs(new Date(p.time) - now) < SKEW), "is dated more than five minutes from this machine's clock"],
	].filter(([bad]) => bad).map(([, what]) => what);
}

// ---- what it says ----

export const day = (at) => at.replace("T", " ").replace("Z", " UTC");
export const all = (list, every) => (String(list) === "*" ? every : list.join(", "));

// What read() has of either form.
export const approving = (bytes) => read(bytes) || read(bytes, GLASS);

// The whole of it but its nonce, line by line. doc: from approving().
export function says(doc) {
	const p = doc.predicate, s = p.scope, d = p.delta, image = doc.subject[0];
	return [
		`${p.decision}: ${p.product} ${p.target}, by the profile ${p.profile}, as review ${p.review} of ${p.gateway}`,
		`the image ${image.name}, with the SHA-256 ${image.digest.sha256}`,
		d ? `it is a delta, ${d.made}` + (d.target ? `: ${d.applier} makes ${d.target} of ${d.base}` : "") : "",
		`for at most ${num(s.max_devices)} modules of ${all(s.groups, "every group")}`,
		`that have ${all(s.from_versions, "any older version")}`,
		s.not_before ? `from ${day(s.not_before)} until ${day(s.not_after)}` :
			`until ${day(s.not_after)}, after a wait of ${num(p.delay)} s in which anybody can stop it`,
		p.plan ? `over rings, by the plan with the SHA-256 ${p.plan.digest.sha256}` : "to all of them at once",
		s.not_before ? `with signatures of ${p.quorum} ${p.quorum === 1 ? "person" : "persons"}` :
			`BREAK-GLASS: with one signature alone, where policy asks for ${p.quorum}; others look at it afterwards`,
		p.findings.length ? `acknowledging ${p.findings.join(", ")}` : "acknowledging no finding",
		p.waived ? `with the waivers ${p.waived.join(", ")}` : "",
		p.checklist ? `having done: ${p.checklist.join("; ")}` : "",
		`by the report ${p.report.digest.sha256} and the policy ${p.policy.digest.sha256}, of the resource ${p.resource}`,
		`signed by ${p.approver} on ${day(p.time)}: ${p.reason}`,
		`when the log had ${num(p.log.size)} entries and the root ${p.log.root}`,
	].filter(Boolean);
}
