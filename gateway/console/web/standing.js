// SPDX-License-Identifier: Apache-2.0
// standing - statements under which the gate releases by itself: what each lets through, what it was used for, who signed it;
// proposing one, signing it, and taking it back, for which one person is enough.
import { el, badge, command, count, digest, facts, field, num, question, quoted, reason, said, span, table,
	time } from "/dom.js";
import { get, maybe, post, seg } from "/api.js";
import { may, ACT, SIGN } from "/words.js";
import { back, hashed } from "/log.js";
import { all, day, moment, number, read, same, sha256 as digested, some, word, words, hex as digits, PREDICATE, SKEW,
	TYPE } from "/statement.js";
import { exact, handed, handedIn, pasted, refusing, stock, withPasskey, writing, APPROVAL } from "/signing.js";

const STATES = { effective: ["good", "in force"], proposed: ["wait", "waits for signatures"], over: ["off", "over"],
	revoked: ["off", "taken back"] };
const DELTAS = { none: "whole images only", proved: "deltas too, of which it was proved what they make",
	reconstructed: "deltas too, where what they make was put together here" };
const USES = 100, BUNDLES = 40; // of the log, for uses and signatures

// ---- the statement to sign ----

const FORM = {
	_type: (v) => TYPE.test(v), predicateType: (v) => v === PREDICATE, subject: [{ ...digested, name: word }],
	predicate: {
		approver: word, decision: (v) => v === "standing", definitions: digested, deltas: (v) => Object.hasOwn(DELTAS, v),
		findings: words, gateway: word, log: { root: digits(64), size: number }, max_releases: number, nonce: digits(32),
		"?plan": digested, policy: digested, product: word, profile: word, "?quorum": number, reason: word,
		scope: { from_versions: some, groups: some, max_devices: number, not_after: moment, not_before: moment },
		"?signers": some, standing: word, time: moment,
	},
};

// In words, each way in which these bytes are not the statement of s that was asked for.
function differs(bytes, s, body, people, gateway) {
	const doc = read(bytes, FORM);
	if (!doc)
		return ["has another form than such a statement has"];
	const p = doc.predicate, scope = p.scope, f = people && people.floors;
	const floor = f ? f[p.max_releases * scope.max_devices > f.canary_max ? "production" : "canary"] : 1;
	return [
		[p.standing !== s.id || p.product !== s.product || p.profile !== s.profile, "is about something else"],
		[p.gateway !== gateway, "names another gateway"], [p.policy.digest.sha256 !== s.policy, "names another policy"],
		[p.approver !== body.approver, "names another person"], [p.reason !== body.reason, "gives another reason"],
		[p.deltas !== s.deltas || !same(p.findings, s.findings), "lets other findings or deltas through"],
		[p.max_releases !== s.max_releases || scope.max_devices !== s.max_devices, "is for another number"],
		[!same(p.signers, s.signers), "is for what others signed"],
		[!same(scope.groups, s.groups) || !same(scope.from_versions, s.from), "reaches elsewhere"],
		[scope.not_after !== s.until || new Date(scope.not_after) <= Date.now(), "ends at another time"],
		[p.quorum !== undefined && (p.quorum < floor || p.quorum > s.need), "takes another number of signatures"],
		[!(Math.abs(new Date(p.time) - Date.now()) < SKEW), "is dated more than five minutes from this machine's clock"],
	].filter(([bad]) => bad).map(([, what]) => what);
}

// Its bounds, of a row of the list or of a statement's own bytes.
function bounds(s) {
	return [
		`${s.product}, by the profile ${s.profile}`,
		`each release for at most ${count(s.max_devices, "module")} of ${all(s.groups, "every group")} that ` +
			`${s.from.length === 1 ? "has" : "have"} ${all(s.from, "any older version")}`,
		"of those modules that were there, and in such a group, when the first who signed wrote the statement",
		`at most ${count(s.max_releases, "release")}, so up to ${num(s.max_devices * s.max_releases)} grants`,
		DELTAS[s.deltas] || `deltas: ${s.deltas}`,
		s.findings.length ? `with no other findings than ${s.findings.join(", ")}` : "with no finding at all",
		(s.signers || []).length ? `signed by the vendor with no other key than ${s.signers.join(" or ")}` :
			"signed by whichever key the policy lets the vendor have",
		"where a rule of the policy says that it may be released by itself",
	];
}

function says(bytes) {
	const p = read(bytes, FORM).predicate, c = p.scope;
	return [...bounds({ ...p, ...c, from: c.from_versions }), `from ${day(c.not_before)} until ${day(c.not_after)}`,
		`by the policy ${p.policy.digest.sha256}` + (p.plan ? `, over rings by the plan ${p.plan.digest.sha256}` : ""),
		p.quorum ? `with signatures of ${p.quorum}` : "",
		`signed by ${p.approver} on ${day(p.time)}: ${p.reason}`,
		`when the log had ${num(p.log.size)} entries and the root ${p.log.root}`].filter(Boolean);
}

async function statement(page, s, doc, body) {
	const { people, gateway } = page.shown;
	const own = await hashed(doc.statement);
	const wrong = differs(doc.statement, s, body, people, gateway);
	if (own !== doc.sha256)
		wrong.push("is not the one whose digest the gateway names");
	if (wrong.length)
		return [refusing(wrong)];
	const handIn = async (signature) => {
		const done = await post(`/standing/${seg(s.id)}/submit`, { statement: doc.statement, signature });
		await handedIn(page, "sign", done);
	};
	return [el("h3", {}, "This is what you sign"), el("p", {}, "In words that this browser made of its bytes:"),
		el("ul", { id: "says" }, says(doc.statement).map((line) => el("li", {}, line))),
		facts(["Its SHA-256, reckoned by this browser", digest(own, 64)], ["Signatures with yours",
			`${s.have + 1} of ${s.need}`]), exact(doc), el("h3", {}, "Sign on your own machine"),
		command(["fotagate", "standing", "statement", s.id, "--approver", body.approver, "--reason", body.reason].map(quoted)
			.join(" ") + " --sign ~/.ssh/id_ed25519"),
		stock(APPROVAL, doc.name), pasted(handIn), el("h3", {}, "Or here, with a passkey"),
		withPasskey(people, body.approver, doc.statement, handIn,
			"For more modules than a canary's, one of those who sign has to use the command instead.")];
}

// Those that wait for signatures, to be signed by whoever may.
function signing(page, open) {
	const head = [el("h2", {}, "Sign one"), handed(page)];
	if (!may(page.session, ...SIGN))
		return [head, el("p", { class: "dim" }, "It takes an approver or administrator.")];
	return [head, writing(page, page.shown.people, "sign-reason", field("Standing statement", el("select", { name: "standing",
		id: "sign-which" }, open.map((s) => el("option", { value: s.id },
		`${s.id}: ${s.product}, ${s.have} of ${s.need} signed`)))),
	(v, body) => post(`/standing/${seg(v.get("standing"))}/statement`, body),
	(doc, body, v) => statement(page, page.shown.standing.find((x) => x.id === v.get("standing")), doc, body))];
}

// ---- proposing ----

const list = (text) => text.split(",").map((w) => w.trim()).filter(Boolean);

function propose(page, profiles) {
	const can = may(page.session, ...ACT);
	const input = (name, label, hint, props) => field(label, el("input", { name, id: "propose-" + name, autocomplete: "off",
		spellcheck: "false", maxlength: "400", ...props }), hint);
	const most = (name, label, max, value) => input(name, label, null, { type: "number", min: "1", max, required: true, value });
	return [el("h2", {}, "Propose one"),
		el("p", {}, "A proposal permits nothing: the people whom it takes have to sign it, each at their own machine."),
		el("details", { id: "propose" }, el("summary", {}, "Say its bounds"), el("form", { class: "stack", onsubmit: (ev) => {
			ev.preventDefault();
			const v = new FormData(ev.target), body = { profile: v.get("profile"), product: v.get("product").trim(),
				deltas: v.get("deltas"), reason: said(v) };
			for (const key of ["days", "max_devices", "max_releases"])
				body[key] = Number(v.get(key));
			for (const key of ["findings", "from", "groups", "signers"])
				if (list(v.get(key)).length)
					body[key] = list(v.get(key)).sort();
			page.act(post("/standing", body), "It is proposed.").then(() => ev.target.reset()).catch((err) => page.wrong(err));
		} }, field("Profile", el("select", { name: "profile", id: "propose-profile" }, profiles.map((p) => el("option",
			{ value: p.name }, p.name)))),
		input("product", "Product", null, { required: true }),
		most("max_devices", "At most so many modules each", "4294967295", "50"),
		most("max_releases", "At most so many releases", "256", "5"), most("days", "For so many days", "30", "30"),
		input("findings", "Findings that may be there", "Names with commas between; empty: none at all."),
		input("groups", "Groups", "Names with commas between; empty: all."),
		input("from", "From versions", "With commas between; empty: any older one."),
		input("signers", "Vendor's keys", "SHA-256 of each, as reports have it, with commas between; empty: any."),
		field("Deltas", el("select", { name: "deltas", id: "propose-deltas" }, Object.entries(DELTAS).map(([v, w]) =>
			el("option", { value: v }, w)))),
		reason(undefined, "propose-reason"),
		el("p", { class: "buttons" }, el("button", { type: "submit", disabled: !can }, "Propose it")))),
		can ? null : el("p", { class: "dim" }, "It takes an operator, approver or administrator."),
		el("p", {}, "By command:"), command("fotagate standing propose --profile NAME --product NAME --max-devices 50 " +
			"--max-releases 5 --days 30 --reason '...'"),
		command("fotagate standing statement S-1 --reason '...' --sign ~/.ssh/id_ed25519")];
}

// ---- those there are ----

// Signatures, uses and the end of each, from the log.
async function history() {
	const found = await back({ want: USES, bundles: BUNDLES, take: (e) => /^standing\./.test(e.ev) ||
		(e.ev === "release.issued" && e.ref && e.ref.standing) });
	return { of: (id, ev) => found.entries.filter((e) => e.ev === ev && (ev === "release.issued" ? e.ref.standing : e.obj) === id)
		.reverse(), seen: found.entries.map((e) => e.seq), from: found.next };
}

const entry = (e) => el("a", { href: `/audit/${e.seq}` }, `entry ${e.seq}`);

function revoking(page, s) {
	return page.act(question({ title: `Take ${s.id} back`, danger: true, button: "Take it back", text: [
		`Nothing more is released under it, from now on. One person is enough, and it does not come back.`,
		`What it released already stays (${count(s.in_force, "release")} in force): what should not, is revoked on the page of ` +
			"releases."],
	fields: [reason()], ask: (v) => post(`/standing/${seg(s.id)}/revoke`, { reason: said(v) }) }), `${s.id} is taken back.`);
}

function one(page, s, h) {
	const [kind, text] = STATES[s.state] || ["notice", s.state], left = (new Date(s.until) - Date.now()) / 1000;
	const used = h.of(s.id, "release.issued"), signed = h.of(s.id, "standing.signed"), gone = h.of(s.id, "standing.revoked");
	const live = s.state === "effective" || s.state === "proposed";
	return el("article", { id: s.id }, el("h3", {}, `${s.id}: ${s.product} `, badge(kind, text)),
		el("ul", { class: "bounds" }, bounds(s).map((line) => el("li", {}, line))),
		facts(["Releases", `${h.from ? "at least " : ""}${used.length} of ${s.max_releases} used, ${s.in_force} in force`],
			["Ends", [time(s.until), left > 0 && live ? `, in ${span(left)}` : ""]],
			["Signatures", `${s.have} of ${s.need}`],
			["Signed by", signed.length ? signed.map((e, i) => [i ? ", " : "", e.act, " (", entry(e), ")"]) :
				s.have ? "not yet in the published log" : "nobody"],
			["Proposed by", `${s.who}: ${s.reason}`],
			["Taken back", gone.length ? [gone[0].act, " (", entry(gone[0]), "): ", gone[0].msg || ""] : null],
			["Key", digest(s.key)], ["Policy", digest(s.policy)]),
		used.length ? table(`What was released under ${s.id}`, ["Review", "When", "Said", "Entry"], used.map((e) => [
			e.ref.review ? el("a", { href: `/reviews/${e.ref.review}` }, e.ref.review) : e.obj, time(e.t), e.msg || "",
			entry(e)])) : null,
		live ? el("p", { class: "buttons" }, el("button", { type: "button", class: "danger", "aria-label": `Take ${s.id} back`,
			disabled: !may(page.session, ...ACT), onclick: () => revoking(page, s) }, "Take it back\u2026")) : null);
}

export async function load(page) {
	page.title("Standing statements");
	const [{ standing }, people, status, profiles, h] = await Promise.all([get("/standing"), maybe("/people"), maybe("/status"),
		maybe("/profiles"), history()]);
	const live = (s) => s.state === "effective" || s.state === "proposed";
	const now = standing.filter(live), past = standing.filter((s) => !live(s)), minute = Math.floor(Date.now() / 60000);
	const open = standing.filter((s) => s.state === "proposed");
	page.shown = { standing, people, gateway: status ? status.genesis.origin : null }; // what a statement is held against
	page.part("head", now.length, () => [el("h1", {}, "Standing statements"),
		el("p", {}, "Under them the gate releases by itself what lies within their bounds: people signed for the bounds, and " +
			"nobody for each image. Whatever lies outside waits for people, in the queue.")], "plain");
	page.part("now", [now, h.seen, minute], () => [el("h2", {}, "In force, or waiting for signatures"), now.length ?
		now.map((s) => one(page, s, h)) : el("p", { class: "empty" }, "None: nothing is released without people.")]);
	page.part("sign", open.length || page.handed ? [open.map((s) => s.id), page.handed] : null, () => (open.length ?
		signing(page, open) : [el("h2", {}, "Sign one"), handed(page)]));
	page.part("propose", (profiles || { profiles: [] }).profiles.map((p) => p.name), () => propose(page,
		(profiles || { profiles: [] }).profiles));
	page.part("past", past.length ? [past, h.seen] : null, () => [el("h2", {}, "Over or taken back"),
		past.map((s) => one(page, s, h))]);
	if (h.from)
		page.part("further", h.from, () => el("p", { class: "hint" }, `Below entry ${h.from} of the log nothing was looked at.`));
}
