// SPDX-License-Identifier: Apache-2.0
// entry - one entry of the log as it is, and the proof that it is in it.
import { el, facts, digest, time, badge, command, copier, save } from "/dom.js";
import { get } from "/api.js";
import { included, leaf, hex } from "/log.js";
import * as bundle from "/bundle.js";
import { object, module, GRADES } from "/entries.js";

export async function load(page, n) {
	page.title(`Entry ${n}`);
	const { entry, receipt } = await get(`/audit/proof/${n}`), name = `${n}.tlog-proof`;
	const proof = await included(entry, receipt), hash = hex(await leaf(new TextEncoder().encode(entry)));
	let e = {};
	try {
		e = JSON.parse(entry);
	} catch {
		// It is shown as it is.
	}
	const raw = (text, what) => [el("pre", { tabindex: "0", "aria-label": what }, el("code", {}, text)),
		el("p", {}, copier(text, "Copy", what))];
	page.part("entry", entry, () => [el("h1", {}, `Entry ${n}: ${e.ev || "unreadable"}`), facts(["When", time(e.t)],
		["Clock", e.clk],
		["Written by", e.src], ["Who", e.act], ["What about", [object(e.obj), " ", module(e.dev)]], ["Outcome", e.out],
		["Weight", e.sev === undefined ? null : (GRADES[e.sev] || GRADES[5])[1]], ["Said", e.msg],
		...Object.entries(e.ref || {}).map(([k, v]) => [k, /^R-[0-9]+$/.test(v) ? object(v) : String(v)]),
			["Leaf hash", digest(hash)]),
	el("p", { class: "buttons" }, Number(n) ? el("a", { class: "button", href: `/audit/${n - 1}` }, "The one before") :
		null,
		el("a", { class: "button", href: `/audit/${Number(n) + 1}` }, "The next"),
			el("a", { class: "button", href: "/audit" }, "All"))]);
	page.part("proof", hex(proof.cp.root), () => [el("h2", {}, "Proof"),
		el("p", {}, proof.good && proof.index === Number(n) ?
		[badge("good", "proved"),
			` this browser reckoned the way from the entry to the root of ${proof.cp.size} entries; it fits.`] :
		[badge("block", "WRONG"), " the proof does not lead from this entry to the root in its checkpoint."]),
	command(`fotagate audit proof ${n} -o ${name}`), command(`fotagate-verify receipt ${name} --trust trust.txt`),
	el("p", { class: "buttons" }, save(name, [bundle.receipt(receipt, entry)], "text/plain")),
	el("details", { id: "receipt" }, el("summary", {}, "The receipt"), raw(receipt, "receipt"))]);
	page.part("raw", entry, () => [el("h2", {}, "As it is in the log"), raw(entry, "entry"),
		e.doc ? el("details", { id: "doc" }, el("summary", {}, "The signed document in it"), raw(e.doc, "document")) :
			null]);
}
