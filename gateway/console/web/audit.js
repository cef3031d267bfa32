// SPDX-License-Identifier: Apache-2.0
// audit - the log: whether it is whole, reckoned by this browser, and its entries.
import { el, field, facts, digest, count, badge, problem, command, announce, time, num, save } from "/dom.js";
import { maybe, query } from "/api.js";
import { head, back, verify, hex } from "/log.js";
import { entries } from "/entries.js";
import * as bundle from "/bundle.js";
import * as exporting from "/exporting.js";
import { may, EVIDENCE } from "/words.js";

const SEEN = "fg.log.seen.", KEY = "fg.log.key.";

// What this browser saw of a log before: { size, root, at }.
function remembered(origin) {
	try {
		const v = JSON.parse(localStorage.getItem(SEEN + origin));
		return v && Number.isSafeInteger(v.size) && /^[0-9a-f]{64}$/.test(v.root) ? v : null;
	} catch {
		return null;
	}
}

const SIGNED = { true: ["good", "is good"], false: ["block", "IS BAD OR MISSING"],
	null: ["warning", "cannot be checked by this browser (it has no Ed25519)"] };

function told(v, before) {
	const says = (good, text) => el("li", {}, badge(good ? "good" : "block", good ? "good" : "WRONG"), " ", text);
	const [kind, word] = SIGNED[v.signed];
	const own = v.given ? "the key you gave" : "a key that the log itself names: hold it against one you were given";
	return el("ul", { class: "plain" },
		says(v.fits, `${num(v.cp.size)} of ${count(v.cp.size, "entry", "entries")} hashed; the root reckoned here ` +
			(v.fits ? "is the one in the checkpoint" : "IS NOT the one in the checkpoint")),
		says(!v.odd, v.odd ? `${count(v.odd, "entry", "entries")} stand in another place than they say` :
			"every entry stands where it says it stands"),
		el("li", {}, badge(kind, v.signed === true ? "good" : v.signed === false ? "WRONG" : "unknown"),
			" the signature of ",
			el("code", {}, v.vkey || "no key"), v.vkey ? ` (${own})` : "", ` ${word}`),
		v.before === null ? el("li", {}, badge("notice", "first time"),
			" this browser saw nothing of this log before: from now on it remembers") :
			says(v.before, [v.before ? "it continues what this browser saw on " :
				"IT WAS CUT OR REWRITTEN since this browser saw it on ", time(before.at),
				`: ${count(before.size, "entry", "entries")}`]));
}

function integrity(page, cp, status) {
	const log = status ? status.log : {};
	const vkey = el("input", { id: "vkey", autocomplete: "off", spellcheck: "false", maxlength: "250", "data-mine": "",
		value: localStorage.getItem(KEY + cp.origin) || "" });
	const bar = el("progress", { max: "1", value: "0", "aria-label": "entries hashed" }),
		out = el("div", { id: "verified", role: "status" });
	const go = el("button", { type: "button", class: "primary", onclick: async () => {
		const before = remembered(cp.origin);
		let tenth = 0;
		go.disabled = true;
		out.replaceChildren();
		try {
			const given = vkey.value.trim(), v = await verify(before, given, (n, of) => {
				bar.value = n / of;
				if (Math.floor(10 * n / of) > tenth) {
					tenth = Math.floor(10 * n / of);
					announce(`${n} of ${of} entries`);
				}
			});
			v.given = given;
			out.replaceChildren(told(v, before));
			if (v.fits && v.signed !== false && v.before !== false)
				localStorage.setItem(SEEN + v.cp.origin, JSON.stringify({ size: v.cp.size, root: hex(v.root),
					at: new Date().toISOString() }));
			if (given && v.signed)
				localStorage.setItem(KEY + v.cp.origin, given);
			else if (!given)
				localStorage.removeItem(KEY + v.cp.origin);
		} catch (err) {
			out.replaceChildren(problem(err));
		} finally {
			go.disabled = false;
		}
	} }, "Verify now");
	return [el("h2", {}, "Integrity"), facts(["Log of", cp.origin], ["Entries", el("span", { id: "log-size" }, "")],
		["Root", el("span", { id: "log-root" }, "")],
		["State", badge(log.state === "ok" ? "good" : "block", log.state || "unknown")], ["Witnessed up to", log.witnessed],
		["Signed by", [...new Set(cp.signatures.map((s) => s.name))].join(", ")],
		["Forwarded", log.remotes ? `${count(log.remotes, "collector")}, up to ${log.remote}` : null]),
	el("p", {}, "Verifying fetches every entry and reckons the root in this browser. Whose log it is, only a key tells that ",
		"you were given."),
	el("p", { class: "buttons" }, go, bar), out,
	el("details", { id: "own-key" }, el("summary", {}, "Check against a key you were given"),
		field("Verifier key of the log", vkey,
			"From the gateway's label or trust.txt: name+8 digits+base64. Empty: the key in the log's first entry.")),
	el("details", { id: "outside" }, el("summary", {}, "Verify it elsewhere"), command("fotagate audit export LOG"),
		command("fotagate-verify LOG --trust trust.txt"))];
}

function filtering(f) {
	const has = (text, word) => !word || String(text || "").toLowerCase().includes(word.toLowerCase());
	return (e) => has(e.act || e.src, f.actor) && has(e.ev, f.event) && (!f.grave || e.sev <= 4) &&
		(has(e.obj, f.object) || has(e.dev, f.object) || has(e.ref && JSON.stringify(e.ref), f.object)) && has(e.raw, f.q);
}

// What can be taken away by whom, and who took it the log says.
function taken(page, f) {
	const can = may(page.session, ...EVIDENCE), out = el("div", { id: "exported", role: "status" });
	const from = el("input", { id: "export-from", type: "number", min: "0" });
	const to = el("input", { id: "export-to", type: "number", min: "0" });
	const buttons = [];
	const taking = async (name, make) => {
		const far = el("p", {}, "Gathering\u2026");
		buttons.forEach((b) => { b.disabled = true; });
		out.replaceChildren(far);
		try {
			const made = await make((...so) => { far.textContent = so.length > 1 ? `${num(so[0])} of ${num(so[1])}` : so[0]; });
			out.replaceChildren(el("p", { class: "buttons" }, save(`${name}.tar`, [made.blob], made.blob.type)),
				el("p", { class: "dim" }, count(made.n, "entry", "entries"), made.next ?
					`; below entry ${made.next} nothing was looked at: an excerpt holds ${bundle.ENTRIES_MAX}.` : "."));
			if ((made.missing || []).length)
				out.append(el("p", { class: "stop" }, `Not kept any more: ${made.missing.join(", ")}`));
			announce(`${name}.tar is made.`);
		} catch (err) {
			out.replaceChildren(problem(err));
		} finally {
			buttons.forEach((b) => { b.disabled = false; });
		}
	};
	const button = (id, label, name, make) => buttons.push(el("button", { type: "button", id, disabled: !can,
		onclick: () => taking(name, make) }, label));
	button("export-found", "Save what is found, with proofs", "excerpt", async (p) => {
		await bundle.announced();
		return bundle.excerpt("excerpt", filtering(f), Number(from.value) || 0, to.value === "" ? null : Number(to.value), p);
	});
	button("export-whole", "Save all of it, to be verified elsewhere", "export", (p) => exporting.all("export", p));
	return [el("h2", {}, "Exports"), el("p", {}, "What the boxes above find, as JSON Lines, each entry with a receipt that is ",
		"checked by itself; or all of it: the log, statements, reports, policies, signer sets and the means to verify them. ",
		"This browser reckons it before it saves; the log says who took it."),
	el("form", { class: "filters", onsubmit: (ev) => ev.preventDefault() }, field("From entry", from), field("To entry", to)),
	el("p", { class: "buttons" }, buttons), out,
	can ? null : el("p", { class: "dim" }, "It takes an auditor, approver or administrator."),
	el("p", {}, "Whoever trusts neither this page nor the gateway checks what was saved; the command writes the same:"),
	command("fotagate-verify export --trust trust.txt"), command("fotagate audit export FOLDER")];
}

export async function load(page) {
	page.title("Audit");
	const q = new URLSearchParams(location.search);
	const f = Object.fromEntries(["actor", "event", "object", "q", "grave", "before"].map((k) => [k, q.get(k) || ""]));
	const [cp, status] = await Promise.all([head(), maybe("/status")]);
	page.part("head", 1, () => el("h1", {}, "Audit"), "plain");
	page.part("integrity", [cp.origin, status && status.log.state, cp.signatures.map((s) => s.name)], () => integrity(page,
		cp, status));
	document.getElementById("log-size").textContent = num(cp.size);
	const root = document.getElementById("log-root");
	if (root.dataset.root !== hex(cp.root)) {
		root.dataset.root = hex(cp.root);
		root.replaceChildren(digest(hex(cp.root), 16));
	}
	page.part("filters", f, () => el("form", { class: "filters", role: "search", onsubmit: (ev) => {
		ev.preventDefault();
		page.go("/audit" + query(Object.fromEntries(new FormData(ev.target))));
	} }, [["q", "Search"], ["actor", "Who"], ["event", "Event"], ["object", "What about"]].map(([k, word]) => field(word,
		el("input", { name: k, id: "log-" + k,
		value: f[k], maxlength: "100", "data-mine": "", "data-search": k === "q" ? "" : null }))),
	el("label", { class: "tick" }, el("input", { type: "checkbox", name: "grave", value: "1", checked: Boolean(f.grave) }),
		"warnings and worse"),
	el("button", { type: "submit" }, "Find")));
	const found = await back({ before: f.before ? Number(f.before) : null, want: 100, bundles: 40, take: filtering(f) });
	page.part("list", [found.entries.map((e) => e.seq), found.next], () => [el("h2", {}, "Entries"),
		entries("Entries, the latest first", found.entries, "Nothing that fits in this part of the log."),
		found.next ? el("p", {}, el("a", { class: "button", href: "/audit" + query({ ...f, before: found.next }) },
			`Look further back, from entry ${found.next}`)) : null]);
	page.part("exports", [cp.origin, f], () => taken(page, f));
}
