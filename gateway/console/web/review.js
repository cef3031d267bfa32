// SPDX-License-Identifier: Apache-2.0
// review - one image from the sentence at the top to the signature at the bottom.
import { el, facts, digest, time, ago, span, count, exactly, badge, table, command, problem, copier, num, save,
	announce } from "/dom.js";
import { file, get, lately, maybe, seg } from "/api.js";
import { state, SIGNERS, DIRECTIONS, CURES, KEPT } from "/words.js";
import * as report from "/report.js";
import * as decide from "/decide.js";
import * as answers from "/answers.js";
import { back, hex, sha256 } from "/log.js";
import { entries } from "/entries.js";
import * as bundle from "/bundle.js";
import * as reach from "/reach.js";

let kept = { sha256: null, doc: null }; // the report does not change while its digest does not

async function reportOf(r) {
	if (!r.report)
		return null;
	if (kept.sha256 !== r.report) {
		const bytes = await file(`/reviews/${seg(r.id)}/report`);
		if (!bytes || hex(await sha256(bytes)) !== r.report)
			throw new Error("The gateway hands out a report that is not the one that people sign for: ask its administrators.");
		kept = { sha256: r.report, doc: JSON.parse(new TextDecoder().decode(bytes)) };
	}
	return kept.doc;
}

// ---- the sentence ----

function signedBy(doc) {
	const own = doc ? doc.signatures.filter((s) => !s.where) : [];
	const good = own.find((s) => s.outcome === "verified");
	if (good)
		return `Signed by ${good.signer.subject || "a key without a name"}`;
	return own.length ? `Its signature is ${own[0].outcome}` : "Not signed";
}

function sentence(r, doc, explain) {
	const open = (doc ? doc.findings : r.findings).filter((f) => f.severity === "warning" || f.severity === "block").length;
	const signer = explain && explain.facts.signature === "verified" ?
		` (${SIGNERS[explain.facts.signer] || explain.facts.signer})` : "";
	const todo = open ? `${count(open, "thing")} ${open === 1 ? "needs" : "need"} a decision` : "nothing speaks against it";
	const who = doc ? `${signedBy(doc)}${signer}` : r.text;
	switch (r.state) {
	case "review":
		return `${who}; ${todo}; ${r.have} of ${count(r.need, "signature")}.`;
	case "blocked":
		return `${who}; blocked: ${r.text}`;
	case "approved":
		return `${who}; released with ${count(r.have, "signature")}.`;
	default:
		return doc ? `${who}; ${r.text}` : r.text;
	}
}

function strip(r, doc, explain) {
	const left = r.deadline ? (new Date(r.deadline) - Date.now()) / 1000 : null;
	return [el("h1", {}, `${r.id}: ${r.product} ${r.target}`),
		el("p", { class: "verdict" }, state(r.state), " ", sentence(r, doc, explain)),
		el("p", { class: "dim" }, "Opened ", ago(r.opened), left === null ? "" : left < 0 ? ", overdue" :
			`, ${span(left)} left to decide`,
			doc ? [". ", el("span", { "data-progress": "" }), "."] : ".", " ", el("a", { href: "#part-decide" },
				"Decide"))];
}

function byId(r) {
	return new Map(r.findings.map((f) => [f.id, f]));
}

// What stands in the way, and what would clear each.
function blockers(r) {
	const known = byId(r);
	const rows = r.reasons.map((x) => {
		const finding = /^Finding ([A-Z0-9-]+) blocks/.exec(x.sentence);
		return [x.id, x.sentence, finding && known.has(finding[1]) ? known.get(finding[1]).clears : CURES[x.id] || ""];
	});
	const told = new Set(rows.map(([, s]) => s));
	for (const f of r.findings.filter((x) => x.severity === "block"))
		if (!told.has(`Finding ${f.id} blocks.`))
			rows.push([f.id, f.means, f.clears]);
	return rows;
}

function identity(r, explain, waits) {
	const f = explain ? explain.facts : {};
	return [el("h2", {}, "Identity and provenance"), facts(
		["Vendor profile", [r.profile, f.supplier ? [", made by ", f.supplier] : ""]], ["Product", r.product],
		["Version", [r.from === "*" ? "any older version" : r.from, " \u2192 ", el("strong", {}, r.target)]],
		["Direction", f.direction ? DIRECTIONS[f.direction] || f.direction : null],
		["Size", r.size ? exactly(r.size) : null], ["Format", f.format], ["SHA-256 of the image", digest(r.image)],
		["Received from", r.source === "import" ? "imported by hand" : el("code", {}, r.url)],
		["Asked for", [count(r.asked, "time"), waits ?
			`; ${count(waits.modules, "module")} of ${num(waits.product_modules)} wait` : ""]],
		["First asked by", r.asked_by.map((w) => (/^[0-9a-f]{32}$/.test(w) ? el("a", { href: `/modules/${w}` },
			`module ${w.slice(0, 8)}\u2026`) : w))
			.flatMap((w, i) => (i ? [", ", w] : [w]))],
		["Security update", f.security === true ? "yes" : f.security === false ? "no" : f.direction ?
			"the vendor does not say" : null],
		["Evidence", [r.report ? ["report ", digest(r.report)] : "no report yet", r.provenance ? [", provenance ",
			digest(r.provenance)] : ""]],
		["Policy", digest(r.policy)])];
}

function continuity(r, explain) {
	const f = explain ? explain.facts : null;
	return { key: [f && f.signer, r.signature], findings: byId(r), nodes: () => [
		f ? el("p", {}, badge(f.signer === "kept" ? "good" : f.signer === "first" ? "notice" : "warning", f.signer), " ",
			SIGNERS[f.signer] || f.signer) : null,
		r.signature ? el("p", {}, "Detached signature: ", digest(r.signature)) : null] };
}

// Was this digest offered to all, or only to some? Other images that the vendor gave for the same name say no.
function targeting(r) {
	return [el("h2", {}, "Targeting check"), r.other_images.length ? [
		el("p", { class: "stop" }, "There are different images of the same version: somebody may be singled out."),
		table("Other images of this version", ["Image", "Review", "State", "First asked by", "Modules#"],
			r.other_images.map((o) => [
			digest(o.image), el("a", { href: `/reviews/${o.review}` }, o.review), state(o.state),
			o.asked_by ? el("a", { href: `/modules/${o.asked_by}` }, o.asked_by.slice(0, 8)) : "nobody", o.modules]))] :
		el("p", {}, "No other image of this version came here. What the vendor gives to others cannot be seen from here.")];
}

// Somebody put it onto a module and read the flash: what that made, of a delta that nobody sees through.
function attested(r) {
	return [el("h2", {}, "Seen on a module"), el("p", {}, "People applied it, and say what the module was before and after:"),
		table("What people say that it makes", ["By", "Version before", "Version after", "SHA-256 of its flash"],
			r.attested.map((a) => [[el("strong", {}, a.who), el("small", {}, time(a.at))], a.before, a.after,
				a.flash ? digest(a.flash) : "not read"]))];
}

function rules(r, explain) {
	return [el("h2", {}, "What policy says"), el("p", {}, r.rule || "Nothing yet."),
		explain && explain.earliest ? el("p", {}, "Nobody gets it before ", time(explain.earliest), ": ",
			explain.earliest_why) : null,
		el("p", {}, el("a", { href: `/policy/${r.id}` }, "Every rule and every fact, as read for this image"))];
}

function statements(r) {
	return [el("h2", {}, "Signatures so far"), el("p", {}, r.standing ? ["Nobody signed for it by itself: it came under the ",
		el("a", { href: "/standing" }, `standing statement ${r.standing}`), "."] : `${r.have} of ${r.need} needed.`),
		decide.enough(r) ? el("p", { class: "stop", id: "warden" }, "Enough have signed, and it is not released: ",
			r.text || "the warden has not answered yet") : null,
		table("Statements that people signed", ["Signed by", "Counts", "For", "Until", "Reason"], r.statements.map((s) => [
			[el("strong", {}, s.approver), el("small", {}, time(s.time)), s.backup ? el("small", {},
				`passkey or security key: ${KEPT[s.backup] || s.backup}`) : null],
			[s.current ? badge("good", "counts") : badge("off", "outdated"), s.breakglass ?
				[" ", badge("warning", "break-glass")] : null],
			[`at most ${count(s.max_devices, "module")} of `, s.groups.join() === "*" ? "every group" :
				s.groups.join(", ")],
			time(s.not_after), s.reason]), "Nobody has signed yet.")];
}

// ---- timeline ----

// Entries about it, the latest first.
function history(r) {
	const mine = (e) => e.obj === r.id || (e.ref && e.ref.review === r.id) ||
		(r.release && e.obj === `release:${r.release}` && e.cat !== "device");
	const from = new Date(r.opened) - 1000;
	return back({ want: 200, bundles: 32, take: mine, stop: (e) => e.t && new Date(e.t) < from });
}

async function timeline(page, r) {
	const found = await history(r);
	page.part("timeline", [r.id, found.entries.map((e) => e.seq), found.next], () => [el("h2", {}, "Timeline"),
		entries("What the log has of this review, the latest first", found.entries, "The log has nothing of it yet."),
		found.next ? el("p", {}, el("a", { href: `/audit?object=${r.id}` }, "There is more, further back in the log")) :
			null]);
}

function evidence(r) {
	const name = `evidence-${r.id}`, out = el("div", { id: "evidence", role: "status" });
	const go = el("button", { type: "button", id: "take-evidence", onclick: async () => {
		go.disabled = true;
		out.replaceChildren(el("p", {}, "Gathering\u2026"));
		try {
			const now = await get(`/reviews/${seg(r.id)}`), all = await history(now);
			const { blob, missing } = await bundle.evidence(name, now, all.entries, await get("/people"),
				(n, of) => out.replaceChildren(el("p", {}, `${n} of ${count(of, "entry", "entries")} proven`)));
			out.replaceChildren(el("p", { class: "buttons" }, save(`${name}.tar`, [blob], blob.type)),
				el("p", { class: "dim" }, `${count(all.entries.length, "entry", "entries")}, each proven here`,
					all.next ? "; there are more, further back in the log." : "."),
				missing.length ? el("p", { class: "stop" }, `Not kept any more: ${missing.join(", ")}`) : "");
			announce(`${name}.tar is made.`);
		} catch (err) {
			out.replaceChildren(problem(err));
		} finally {
			go.disabled = false;
		}
	} }, "Download evidence");
	return [el("h2", {}, "Evidence to take away"),
		el("p", {}, "Statements and signatures, report, provenance, policy, what was laid beside it, signer sets, and every entry ",
			"of the log about it with its proof: hashed here before it is saved."),
		el("p", { class: "buttons" }, go), out,
		el("p", {}, "Whether signatures counted, only the whole log says, to somebody who trusts neither page nor gateway:"),
		command(`fotagate audit export evidence-${r.id}`), command(`fotagate-verify evidence-${r.id} --trust trust.txt`),
		r.report ? el("p", {}, copier(r.report, "Copy the report's digest")) : null];
}

export async function load(page, id) {
	page.title(id);
	const [r, exposure, people, status, glass] = await Promise.all([get(`/reviews/${seg(id)}`), lately("/exposure"),
		maybe("/people"), maybe("/status"), maybe("/breakglass")]);
	const [doc, explain] = await Promise.all([reportOf(r),
		r.report ? maybe(`/policy/${seg(id)}/explain`) : undefined]);
	const waits = ((exposure && exposure.held) || []).find((h) => h.id === id);
	const stops = r.state === "blocked" || r.held || r.state === "incident" ? blockers(r) : [];
	const minute = Math.floor(Date.now() / 60000);

	page.part("verdict", [r, explain && explain.facts, minute], () => strip(r, doc, explain));
	page.part("blockers", stops.length ? stops : null, () => [el("h2", {}, "What stands in the way"),
		el("ul", { class: "plain" }, stops.map(([key, said, cure]) => el("li", { class: "line-block" }, badge("block", key),
			" ", said,
			cure ? el("p", {}, el("strong", {}, "To clear it: "), cure) : null)))]);
	page.part("identity", [r, waits, explain && explain.facts], () => identity(r, explain, waits));
	await reach.came(page, r);
	page.part("targeting", [r.other_images, r.image], () => targeting(r));
	page.part("attested", (r.attested || []).length ? r.attested : null, () => attested(r));
	page.part("lineage", [r.supersedes, r.way_back], () => [el("h2", {}, "Before and after"), el("ul", { class: "plain" },
		r.supersedes.map((x) => el("li", {}, "Supersedes ", el("a", { href: `/reviews/${x}` }, x), ", whose rollout ends.")),
		el("li", {}, r.way_back))]);
	if (doc)
		report.draw(page, doc, r.report, continuity(r, explain));
	page.part("rules", [r.rule, explain && explain.earliest], () => rules(r, explain));
	await reach.rings(page, r, waits);
	page.part("statements", [r.statements, r.have, r.need, r.standing, r.state, r.text], () => statements(r));
	answers.draw(page, r);
	decide.draw(page, { r, doc, explain, people, status, glass, stops, waits });
	await timeline(page, r).catch((err) => page.part("timeline", String(err), () => [el("h2", {}, "Timeline"),
		problem(err)]));
	page.part("evidence", [r.id, r.report], () => evidence(r));
	report.progress();
}
