// SPDX-License-Identifier: Apache-2.0
// answers - who answers for which finding, and what people said and laid beside a review. Neither permits anything.
import { el, table, time, badge, digest, question, field, reason, said, command, bytes, count } from "/dom.js";
import { post, seg } from "/api.js";
import { may, ACT } from "/words.js";

const MAY_WAIVE = ["warning", "notice"];

function waiving(page, r, id) {
	return page.act(question({ title: `Answer for ${id}`, button: "Waive it", text: [
		`You answer for ${id} of ${r.product} until the day you say. It permits nothing: it stands, by its number, in the ` +
			"statement that people sign, and what was signed before counts no more."],
	fields: [reason(), field("Days", el("input", { name: "days", id: "waive-days", type: "number", min: "1", max: "180",
		required: true, value: "30" })), field("Only for", el("select", { name: "only", id: "waive-only" },
		[["image", "these bytes"], ["product", "every image of this product"]].map(([v, w]) =>
			el("option", { value: v }, w)))),
	field("Only where it says", el("input", { name: "part", id: "waive-part", maxlength: "159", autocomplete: "off" }),
		"The name of a YARA rule, a whole path, or all that a line says; empty: all of it.")],
	ask: (v) => post("/waivers", { finding: id, profile: r.profile, product: r.product, reason: said(v),
		days: Number(v.get("days")), ...(v.get("only") === "image" ? { image: r.image } : {}),
		...(v.get("part").trim() ? { part: v.get("part").trim() } : {}) }) }),
	`${id} is waived.`);
}

function lifting(page, w) {
	return page.act(question({ title: "Lift the waiver", danger: true, button: "Lift it", text: [
		`Nobody answers for ${w.finding} any more. What is released stays; revoking takes that back.`], fields: [reason()],
	ask: (v) => post(`/waivers/${seg(w.id)}/lift`, { reason: said(v) }) }), "It is lifted.");
}

function commenting(page, r) {
	return page.act(question({ title: `About ${r.id}`, button: "Say it", text: ["It decides nothing, and stays in the log."],
		fields: [field("Text", el("textarea", { name: "text", id: "remark", rows: "3", required: true, maxlength: "400" }))],
		ask: (v) => post(`/reviews/${seg(r.id)}/comment`, { text: v.get("text").trim().replace(/\s+/g, " ") }) }), "It is said.");
}

function findings(page, r) {
	const open = r.findings.filter((f) => MAY_WAIVE.includes(f.severity));
	return table("Findings that somebody may answer for", ["Finding", "Severity", "Answered for", "Answer"], open.map((f) => [
		[el("strong", {}, f.id), el("small", {}, f.means)], f.severity,
		f.waived ? badge("good", "waived") : badge("warning", "by nobody"),
		el("button", { type: "button", disabled: f.waived || !may(page.session, "approver"), "aria-label": `Waive ${f.id}`,
			onclick: () => waiving(page, r, f.id) }, "Waive\u2026")]), "No finding asks for an answer.");
}

export function draw(page, r) {
	page.part("answers", [r.findings.map((f) => [f.id, f.waived]), r.waivers, r.remarks], () => [
		el("h2", {}, "Answers and remarks"), findings(page, r),
		r.waivers.length ? table("Waivers that stand in the statement", ["Finding", "By", "Until", "For", "Reason", "End it"],
			r.waivers.map((w) => [[el("strong", {}, w.finding), w.part ? el("small", {}, w.part) : null], w.owner, time(w.until),
				w.image ? digest(w.image) : w.product || w.profile, w.reason, el("button", { type: "button", class: "danger",
					disabled: !may(page.session, ...ACT), "aria-label": `Lift the waiver of ${w.finding}`,
					onclick: () => lifting(page, w) }, "Lift\u2026")])) : null,
		el("h3", {}, `What people said (${count(r.remarks.length, "remark")})`),
		r.remarks.length ? el("ul", { class: "plain" }, r.remarks.map((m) => el("li", {}, el("strong", {}, m.who), " ",
			time(m.at), " ", m.text, m.name ? [" ", el("code", {}, m.name), ` (${bytes(m.size)}) `,
				m.file ? digest(m.file) : null] : null))) : null,
		el("p", { class: "buttons" }, el("button", { type: "button", id: "comment", disabled: !may(page.session, ...ACT),
			onclick: () => commenting(page, r) }, "Comment\u2026")),
		el("p", { class: "hint" }, "Files, such as results of a laboratory, are laid beside it by command:"),
		command(`fotagate review attach ${r.id} FILE`)]);
}
