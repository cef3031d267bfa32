// SPDX-License-Identifier: Apache-2.0
// releases - what is let through, to whom, until when; ending one takes one person.
import { el, table, row, time, count, question, reason, said, badge, num } from "/dom.js";
import { get, post, seg } from "/api.js";
import { state, may, ACT } from "/words.js";

function revoking(page, r) {
	return page.act(question({ title: `Revoke ${r.product} ${r.target}`, danger: true, button: "Revoke it", text: [
		"It ends at once, transfers under way are cut, and only new signatures bring it back.",
		`${count(r.granted, "module")} may have been given it, ${r.served} have all of it. Nothing takes it off them again.`],
	fields: [reason()], ask: (v) => post(`/releases/${seg(r.id)}/revoke`, { reason: said(v) }) }),
		"It is revoked.");
}

export async function load(page) {
	page.title("Releases");
	const after = new URLSearchParams(location.search).get("after");
	const got = await get("/releases", { after, limit: 200 }), all = got.releases, can = may(page.session, ...ACT);
	page.part("head", all.length, () => [el("h1", {}, "Releases"),
		el("p", {}, "What is let through, to whom, until when; the youngest first.")], "plain");
	page.part("list", all, () => [el("h2", { class: "quiet" }, "All of them"),
		table("Releases", ["Release", "State", "Version", "For", "Granted, served",
		"Until", "Signed by", "End it"], all.map((r) => [
		row(`/rollouts/${r.id}`, r.id.slice(0, 8), "\u2026"),
		[state(r.state), r.withheld ? el("small", {}, r.withheld) : null,
			r.breakglass ? el("small", {}, el("a", { href: "/breakglass" }, "by one person alone")) : null],
		[el("strong", {}, `${r.product} ${r.target}`), el("small", {}, r.profile, ", ",
			el("a", { href: `/reviews/${r.review}` }, r.review))],
		[r.groups.join() === "*" ? "every group" : r.groups.join(", "),
			el("small", {}, `from ${r.from.join() === "*" ? "any version" : r.from.join(", ")}`)],
		[`${num(r.granted)}, ${num(r.served)}`,
			el("small", {}, `at most ${num(r.max_devices)}`)],
		time(r.not_after),
		[r.signed_by.join(", "), r.signers_gone.length ?
			[" ", badge("warning", `gone since: ${r.signers_gone.join(", ")}`)] : null],
		el("button", { type: "button", class: "danger", disabled: !can || !["in-force", "withheld",
			"missing"].includes(r.state),
			"aria-label": `Revoke ${r.product} ${r.target}`, onclick: () => revoking(page, r) }, "Revoke\u2026")]),
	after ? "No more of them." : "Nothing was released yet. A release is what signatures make of a review.")]);
	page.part("more", got.next || after ? [got.next, after] : null, () => el("p", { class: "buttons" },
		after ? el("a", { class: "button", href: "/releases" }, "From the youngest on") : null,
		got.next ? el("a", { class: "button", href: `/releases?after=${got.next}` }, "Older ones") : null), "plain");
}
