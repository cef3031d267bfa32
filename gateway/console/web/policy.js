// SPDX-License-Identifier: Apache-2.0
// policy - rules as they are read, for one review or as they stand; who makes the firmware.
import { el, table, row, facts, digest, time, badge, span } from "/dom.js";
import { get, maybe, seg } from "/api.js";
import { verdict } from "/words.js";
import { whatif } from "/whatif.js";
import * as inforce from "/inforce.js";

const THOUSANDTHS = ["unexplained", "unreviewable", "unsigned"], AGES = ["age", "vendor_age"];

function said(key, value) {
	if (value === null || value === undefined)
		return "not known";
	if (THOUSANDTHS.includes(key))
		return `${value / 10} % of the bytes`;
	if (AGES.includes(key))
		return span(value);
	return Array.isArray(value) ? value.join(", ") || "none" : String(value);
}

async function explain(page, id) {
	const x = await get(`/policy/${seg(id)}/explain`);
	page.title(`Policy for ${id}`);
	page.part("head", x, () => [el("h1", {}, "Policy, as read for ", el("a", { href: `/reviews/${id}` }, id)),
		el("p", { class: "verdict" }, badge(x.decision === "review" ? "good" : "block", x.decision), " ", x.says),
		facts(["Signatures", `${x.have} of ${x.need === null ? "no number" : x.need}`], ["For a scope that is", x.kind],
			["Floor of the genesis", x.floor], ["More, for findings", x.raise ? `${x.raise} for ${x.raised_by}` : "none"],
			["Not before", x.earliest ? [time(x.earliest), ": ", x.earliest_why] : "at once"],
			["Clock", x.clock_sure ? "sure" : badge("warning", "not sure")], ["Policy", digest(x.policy)],
			["Judged by", x.judged_policy === x.policy ? "this policy" : [badge("warning", "another policy"), " ",
				digest(x.judged_policy)]]),
		x.fixed.reasons.length ? el("ul", { class: "plain" }, x.fixed.reasons.map((r) => el("li", { class: "line-block" },
			badge("block", r.id), " ",
			r.sentence))) : null]);
	page.part("hook", x.hook || null, () => [el("h2", {}, "What the operator's own program says"), el("p", {},
		badge("notice", x.hook.outcome), x.hook.quorum ? `, for ${x.hook.quorum} people at least` : "",
		". It can only ask for more."),
	el("ul", {}, (x.hook.reasons || []).map((r) => el("li", {}, r))), facts(["Program", digest(x.hook.program)])]);
	page.part("rules", x.rules, () => [el("h2", {}, "Rules, in their order"), table("Rules of the profile",
		["Rule", "Matches", "Says", "What does not fit"],
		x.rules.map((r) => [r.name, r.decides ? badge("good", "decides") : r.matches ? badge("notice", "matches") : "no",
			r.says || "",
			(r.misses || []).map((m) => `${m.key}: ${m.words}`).join("; ")]),
				"The profile has none: what the profile and the genesis ask for holds.")]);
	page.part("facts", x.facts, () => [el("h2", {}, "Facts that rules are asked with"),
		facts(...Object.entries(x.facts).map(([k, v]) => [k.replaceAll("_", " "), said(k, v)]))]);
}

function supplier(s) {
	return [el("h3", {}, s.name), facts(["Legal entity", s.legal_entity], ["Country", s.country],
		["Hosting", s.hosting.join(", ")],
		["Support", [s.support, s.support_until !== "unknown" ? `, until ${s.support_until}` : ""]],
			["Words for rules", s.words.join(", ")],
		["Profiles", s.profiles &&
			s.profiles.map((p) => `${p.name} (${p.anchors.join(", ") || "no anchors"})`).join("; ")]),
	s.keys && s.keys.length ? table(`Keys of ${s.name}`, ["Anchor", "Since", "Until", "Note"], s.keys.map((k) =>
		[k.anchor, k.since, k.until, k.note])) : null,
	s.lists && s.lists.length ? table(`What lists say of ${s.name}`, ["List", "Says", "Of", "Source, date"],
		s.lists.map((l) => [
		[l.title || l.name, l.old ? [" ", badge("warning", `${l.age_days} days old`)] : null],
		badge(l.says === "listed" ? "block" : "notice", l.says), [l.by, el("small", {}, l.note)], [el("code", {}, l.source),
			" ", l.date]])) : null];
}

export async function load(page, id) {
	if (id)
		return explain(page, id);
	page.title("Policy");
	const [profiles, suppliers, reviews, refusals] = await Promise.all([get("/profiles"), maybe("/suppliers"),
		maybe("/reviews"),
		maybe("/refusals")]);
	const sheets = await Promise.all(((suppliers && suppliers.suppliers) ||
		[]).map(async (s) => (await maybe(`/suppliers/${seg(s.name)}`)) || s));
	const judged = ((reviews && reviews.reviews) || []).filter((r) => r.report).slice(-20).reverse();
	page.part("head", 1, () => [el("h1", {}, "Policy"),
		el("p", {}, "It stands in fotagate.conf and profiles.d; every version of it is in the log. What may be released without ",
			"people: ", el("a", { href: "/standing" }, "standing statements"), ".")], "plain");
	await inforce.draw(page);
	page.part("profiles", profiles, () => [el("h2", {}, "Vendor profiles"), table("Profiles", ["Profile", "Supplier",
		"Answers for", "Signatures", "Policy"],
		profiles.profiles.map((p) => [p.name, p.supplier, [p.hosts.join(", "), el("small", {}, el("code", {}, p.path))],
			[`${p.quorum}`, el("small", {}, `${p.canary_quorum} for a canary`)], digest(p.policy)]),
				"None yet: fotagate profile draft makes one.")]);
	page.part("read", judged.length ? judged.map((r) => [r.id, r.verdict]) : null,
		() => [el("h2", {}, "Rules as read for one review"),
		table("Reviews", ["Review", "Version", "Report"], judged.map((r) => [row(`/policy/${r.id}`, r.id),
			`${r.product} ${r.target}`, verdict(r.verdict)]))]);
	page.part("whatif", 1, () => whatif(page));
	page.part("suppliers", sheets, () => [el("h2", {}, "Suppliers"), sheets.length ? sheets.map(supplier) :
		el("p", { class: "empty" }, "None.")]);
	page.part("refusals", refusals ? refusals.refusals : null, () => [el("h2", {}, "Refused before anybody looks"),
		table("Refusals",
		["Kind", "Value", "By, when", "Until", "Reason"],
			refusals.refusals.map((r) => [[r.kind, r.over ? [" ", badge("off", "over")] : null],
			el("code", {}, r.value), [r.by, el("small", {}, time(r.at))], time(r.until, "without end"), r.reason]),
				"Nothing is refused.")]);
}
