// SPDX-License-Identifier: Apache-2.0
// reach - how far an image would go and how it came: its rings and how many modules there are, in words, of the policy that
// it was judged by; the servers that it came from, of its provenance. Both are hashed before a word of them is believed.
import { el, badge, count, digest, num, problem, span, table, time } from "/dom.js";
import { document } from "/bundle.js";

const kept = new Map(); // documents by their digest, which they keep
const KEPT_MAX = 16;

async function read(kind, named) {
	if (!named)
		return null;
	if (!kept.has(named)) {
		const bytes = await document(kind, named);
		if (kept.size === KEPT_MAX)
			kept.clear();
		kept.set(named, bytes ? JSON.parse(new TextDecoder().decode(bytes)) : null);
	}
	return kept.get(named);
}

const permille = (n) => `${n / 10} %`;

function ring(r, i, all) {
	const who = r.groups.length ? `modules of ${r.groups.join(", ")}` : r.share === 1000 ? "all the others" :
		`${permille(r.share)} of all modules` + (all ? `, some ${num(Math.ceil(all * r.share / 1000))}` : "");
	return el("li", {}, el("strong", {}, r.name), `: ${who}. `, i ? r.human ? "People open it, by signatures. " :
		"It opens by itself when the one before went well. " : "It is open from the start. ",
	`It went well when ${count(r.reports, "module")} at least have reported, ${permille(r.success)} of them well, ` +
		`${span(r.soak)} after it opened; it stops at ${permille(r.failed)} failed or ${permille(r.silent)} silent.`);
}

async function blast(page, r, waits) {
	const policy = await read("policy", r.policy), plan = policy && policy.rollout, all = waits ? waits.product_modules : 0;
	const signed = r.statements.find((s) => s.current);
	const scope = signed ? `At most ${count(signed.max_devices, "module")} of ${signed.groups.join() === "*" ? "every group" :
		signed.groups.join(", ")}, as was signed so far` : "As many as whoever signs says, or all of them";
	page.part("rings", r.image && r.policy ? [r.policy, all, scope, Boolean(policy)] : null, () => [
		el("h2", {}, "Rings and blast radius"),
		el("p", {}, `${scope}; `, all ? `this gateway knows ${count(all, "module")} of ${r.product}, ` +
			`and ${num(waits.modules)} wait.` : "how many modules of it there are is not known now."),
		plan ? [el("p", {}, `Over the rings of the plan ${plan.name}`,
			plan.per_day ? `, to ${num(plan.per_day)} a day at most` : "",
			plan.concurrent ? `, to ${num(plan.concurrent)} at once at most` : "", "."),
		el("ol", {}, plan.rings.map((x, i) => ring(x, i, all)))] : el("p", {}, policy ? [badge("warning", "no rings"),
			" Its profile has no rollout plan: all of them may have it at once."] :
			"The policy is not kept any more: whether it has rings is not known.")]);
}

// Where each answer came from, on the way to the image and to its signature.
async function provenance(page, r) {
	const p = await read("provenance", r.provenance);
	page.part("provenance", p && p.hops ? r.provenance : null, () => [el("h2", {}, "How it came"),
		p.detail ? el("p", {}, p.detail) : null,
		table("Servers that it came from", ["For", "Asked", "Address", "When", "Key of its certificate"], p.hops.map((h) => [
			h.for, el("code", {}, h.url), h.peer, time(h.at.replace(/\.\d+Z$/, "Z")), h.key ? digest(h.key) :
				badge("warning", "not over TLS")]), "No server was asked."),
		p.hops_dropped ? el("p", { class: "stop" }, `${count(p.hops_dropped, "answer")} more were not written down.`) : null,
		p.via ? el("p", {}, "By the proxy ", el("code", {}, p.via)) : null]);
}

// A document that is not what its digest says is told in its own place; the rest of the page stands.
const told = (page, name, drawn) => drawn.catch((err) => page.part(name, String(err), () => [el("h2", {}, "Not as it should be"),
	problem(err)]));

// r: review.show; waits: its row of exposure.list, or undefined.
export const rings = (page, r, waits) => told(page, "rings", blast(page, r, waits));
export const came = (page, r) => told(page, "provenance", provenance(page, r));
