// SPDX-License-Identifier: Apache-2.0
// module - one of the fleet: why it gets what it gets, what it was given, what the log has of it.
import { el, table, facts, digest, time, bytes, badge, question, reason, said } from "/dom.js";
import { get, maybe, post, seg } from "/api.js";
import { may, ACT, OPERATE } from "/words.js";
import { flags } from "/fleet.js";
import { back } from "/log.js";
import { entries } from "/entries.js";

function holding(page, m) {
	const verb = m.held ? "unhold" : "hold";
	return page.act(question({ title: m.held ? "Treat it like the others again" : "Hold this module", danger: !m.held,
		button: m.held ? "Release the hold" : "Hold it", text: [m.held ? "It gets what the others get." :
			"It is given nothing until somebody ends the hold."],
		fields: [reason()], ask: (v) => post(`/modules/${seg(m.id)}/${verb}`, { reason: said(v) }) }),
			"Done.");
}

function revealing(page, m) {
	return question({ title: "Reveal who it is", button: "Reveal", text: ["The log keeps that you asked, and why."],
		fields: [reason()],
		ask: (v) => post(`/modules/${seg(m.id)}/reveal`, { reason: said(v) }) }).then((doc) => {
		if (doc)
			page.part("revealed", doc.identities, () => [el("h2", {}, "In clear"), facts(...doc.identities.map((i) =>
				[`${i.kind}, class ${i.class}`, el("code", {}, i.text)]))]);
	});
}

export async function load(page, id) {
	page.title(`Module ${id.slice(0, 8)}`);
	const [m, why] = await Promise.all([get(`/modules/${seg(id)}`), maybe(`/modules/${seg(id)}/explain`)]);
	page.part("head", m, () => [el("h1", {}, `Module ${m.id.slice(0, 8)}\u2026`), el("p", {}, flags(m)),
		facts(["Pseudonym", digest(m.id, 32)],
		["Product", m.product], ["Version", m.version || "not known"], ["Group", m.group], ["Profile", m.profile],
		["First seen", time(m.first_seen)], ["Last seen", time(m.last_seen)],
		["Identities", m.identities.map((i) => `${i.kind} ${i.text} (class ${i.class})`).join(", ")]),
	el("p", { class: "buttons" }, el("button", { type: "button", class: m.held ? null : "danger",
		disabled: !may(page.session, ...OPERATE),
		onclick: () => holding(page, m) }, m.held ? "Release the hold\u2026" : "Hold it\u2026"),
	el("button", { type: "button", disabled: !may(page.session, ...ACT), onclick: () => revealing(page, m) },
		"Reveal who it is\u2026"))]);
	page.part("why", why ? why.answers : null, () => [el("h2", {}, "Why it gets what it gets"),
		table("Answers, one for each version it may ask for",
		["Version", "Answer", "Why", "What is missing", "Ring"], why.answers.map((a) => [`${a.product} ${a.target}`,
			badge(a.answer === "offer" ? "good" : "notice", a.answer), a.text, a.missing, a.ring]),
				"It has asked for nothing that is known.")]);
	page.part("grants", m.grants, () => [el("h2", {}, "What it was given"),
		table("Grants", ["Release", "Version", "Granted", "Sent", "Complete", "Outcome",
		"Version it says#"], m.grants.map((g) => [el("a", { href: `/rollouts/${g.release}` }, g.release.slice(0, 8)),
			g.target || "", time(g.granted),
		bytes(g.bytes), time(g.completed, "no"), badge(g.outcome === "success" ? "good" : g.outcome === "failure" ?
			"block" : "wait", g.outcome),
		[g.word || "nothing", el("small", {}, time(g.word_at, ""))]]), "Nothing.")]);
	const found = await back({ want: 60, bundles: 16, take: (e) => e.dev === id || e.obj === `module:${id}` });
	page.part("timeline", [found.entries.map((e) => e.seq), found.next], () => [el("h2", {}, "Timeline"),
		entries("What the log has of this module, the latest first", found.entries,
			"Nothing in the latest part of the log."),
		el("p", {}, el("a", { href: `/audit?object=${id}` }, found.next ? "Look further back, or take it away with its proofs" :
			"All of it in the log, to take away with its proofs"))]);
}
