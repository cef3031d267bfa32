// SPDX-License-Identifier: Apache-2.0
// report - what an inspection found, as sections that a person ticks off one by one: fotagate-report(5) drawn.
import { el, svg, table, facts, digest, time, bytes, exactly, count, badge, announce } from "/dom.js";
import { severity, verdict } from "/words.js";

// Blocks of the page of changes, in its order; open: not folded in at first.
const BLOCKS = [
	["red", "Rights, start-up, users, listeners, keys, protections"], ["contact", "New contact points"], ["modem", "Modem"],
	["doors", "One-way doors"], ["ident", "Identities in the image"], ["code", "Code"], ["files", "Files"],
	["sbom", "Components (hints: the image's own words)"], ["entropy", "Entropy"], ["unseen", "Not looked at"],
];
const SIGNS = { added: "+ new", gone: "\u2212 gone", changed: "~ changed", moved: "\u2192 moved" };
const OUTCOMES = { verified: "good", untrusted: "warning", expired: "warning", opaque: "warning", absent: "block",
	weak: "block",
	revoked: "block", invalid: "block" };
const VOUCHED = { digest: "signed by its digest", inside: "signed", checked: "fits a digest that nobody signed",
	mismatch: "NOT what the container describes", none: "nothing vouches for it" };
const LINES_FIRST = 40; // of a block, without those that are always shown

// ---- what was looked at ----

const VIEWED = "fg.viewed.";

// Which sections of a report this browser's person ticked: theirs alone, it never leaves the browser.
function ticks(digest) {
	const key = VIEWED + digest;
	const set = new Set((localStorage.getItem(key) || "").split(" ").filter(Boolean));
	return { has: (name) => set.has(name), set: (name, on) => {
		set[on ? "add" : "delete"](name);
		localStorage.setItem(key, [...set].join(" "));
	} };
}

// A section's heading with its tick; name is its id in ticks.
function viewable(page, seen, name, title, ...kids) {
	const section = document.getElementById("part-" + name);
	section.dataset.viewable = name;
	section.classList.toggle("viewed", seen.has(name));
	const box = el("input", { type: "checkbox", id: "viewed-" + name, "data-viewed": "", checked: seen.has(name),
		onchange: () => {
		seen.set(name, box.checked);
		section.classList.toggle("viewed", box.checked);
		progress(page);
		announce(`${title}: ${box.checked ? "viewed" : "not viewed"}. ${progressText()}`);
	} });
	return [el("div", { class: "top" }, el("h2", {}, title), el("label", { class: "tick" }, box, "Viewed",
		el("span", { class: "quiet" }, ": ", title))), ...kids];
}

function progressText() {
	const all = [...document.querySelectorAll("section[data-viewable]:not([hidden])")];
	const done = all.filter((s) => s.classList.contains("viewed")).length;
	return `${done} of ${count(all.length, "section")} viewed`;
}

export function progress() {
	for (const box of document.querySelectorAll("[data-progress]"))
		box.textContent = progressText();
}

export function unviewed() {
	return document.querySelectorAll("section[data-viewable]:not([hidden]):not(.viewed)").length;
}

// ---- where every byte went ----

const CLASSES = [
	["identical", "as before", "same", "="], ["explained", "changed, and told in full below", "told", "e"],
	["unexplained", "changed, and not explained", "dark", "u"], ["not_reviewable", "cannot be reviewed", "blind", "n"],
];
// Height tells classes apart as well as colour: what nobody can explain stands tallest.
const LOOKS = { "=": ["same", 8], e: ["told", 16], u: ["dark", 24], n: ["blind", 32], ".": ["own", 4] };

function byteMap(map, label) {
	const bars = [];
	for (let at = 0; at < map.length;) {
		let end = at + 1;
		while (end < map.length && map[end] === map[at])
			end++;
		const [name, height] = LOOKS[map[at]] || LOOKS.n;
		bars.push(svg("rect", { class: "c-" + name, x: String(at), y: String(32 - height), width: String(end - at),
			height: String(height) }));
		at = end;
	}
	return svg("svg", { class: "bytes", viewBox: `0 0 ${map.length || 1} 32`, preserveAspectRatio: "none", role: "img",
		"aria-label": label }, bars);
}

function entropyStrip(strip, label) {
	return svg("svg", { class: "strip", viewBox: `0 0 ${strip.length || 1} 8`, preserveAspectRatio: "none", role: "img",
		"aria-label": label },
		[...strip].map((c, i) => svg("rect", { x: String(i), y: String(8 - Number(c)), width: "1", height: c })));
}

function share(n, of) {
	return of ? `${(100 * n / of).toFixed(1)} %` : "0 %";
}

function account(changes) {
	const p = changes.page, total = changes.new.size;
	const inside = Object.values(p.expanded.new).reduce((a, b) => a + b, 0);
	const sums = CLASSES.map(([key, word]) => `${share(p.image.new[key], total)} ${word}`).join(", ");
	return [
		p.holds ? null : el("p", { class: "stop" }, "The sums do not add up: nothing of this account can be relied on."),
		byteMap(p.map.new, `The new image from its first byte to its last: ${sums}`),
		table("Where every byte went", ["Class", "New image#", "", "Unpacked#", " "], CLASSES.map(([key, word, name]) => [
			[svg("svg", { class: "key", viewBox: "0 0 1 1", "aria-hidden": "true" },
				svg("rect", { class: "c-" + name, width: "1", height: "1" })),
				" ", word],
			exactly(p.image.new[key]), share(p.image.new[key], total), exactly(p.expanded.new[key]),
				share(p.expanded.new[key], inside)])),
		el("h3", {}, "Entropy from the first byte to the last, now and before"),
		entropyStrip(p.strip.new, "Entropy of the new image, 0 to 8 bits a byte"),
		entropyStrip(p.strip.old, "Entropy of the old image, 0 to 8 bits a byte"),
	];
}

// ---- lines ----

// Neither folded away nor hidden by a tick.
const isRed = (l) => l.block === "red" || l.severity === "block";

function drawLine(l, where = true) {
	return el("li", { class: `line-${l.severity}${isRed(l) ? " red" : ""}`,
		"data-text": `${l.path} ${l.text} ${l.evidence} ${l.id}`.toLowerCase() },
		severity(l.severity), " ", el("strong", {}, SIGNS[l.sign] || l.sign), " ", where && l.path ?
			[el("code", {}, l.path), ": "] : null, l.text,
		l.times > 1 ? ` (${l.times} times)` : "", l.evidence ? el("code", { class: "evidence" }, l.evidence) : null,
		el("small", {}, l.id));
}

// Those of the block "red" and those that block are always there; of the others so many, the rest one press away.
export function lines(all, lost) {
	let free = LINES_FIRST;
	const first = [], rest = [];
	for (const l of all)
		(isRed(l) || free-- > 0 ? first : rest).push(l);
	const list = el("ul", { class: "plain" }, first.map((l) => drawLine(l)));
	const more = rest.length ? el("button", { type: "button", onclick: (ev) => {
		list.append(...rest.map((l) => drawLine(l)));
		ev.target.remove();
		list.children[first.length].scrollIntoView({ block: "nearest" });
	} }, `Show ${rest.length} more`) : null;
	return [list, more, lost ? el("p", { class: "stop" },
		`${count(lost, "line")} of this block did not fit into the report.`) : null];
}

// ---- files ----

function tree(report) {
	const root = { kids: new Map(), lines: [], member: null };
	const at = (path) => {
		let node = root;
		for (const name of path.split("/").filter(Boolean)) {
			if (!node.kids.has(name))
				node.kids.set(name, { kids: new Map(), lines: [], member: null, name });
			node = node.kids.get(name);
		}
		return node;
	};
	for (const m of report.contents ? report.contents.members : [])
		at(m.path).member = m;
	for (const l of report.changes && report.changes.page ? report.changes.page.lines : [])
		if (l.path)
			at(l.path).lines.push(l);
	return root;
}

function worst(node) {
	let best = node.lines.length ? Math.min(...node.lines.map((l) => ["block", "warning", "notice",
		"info"].indexOf(l.severity))) : 9;
	for (const kid of node.kids.values())
		best = Math.min(best, worst(kid));
	return best;
}

// A red line, here or further down.
function redden(node) {
	return node.lines.some(isRed) || [...node.kids.values()].some(redden);
}

function fits(node, q) {
	return !q || (node.name || "").toLowerCase().includes(q) ||
		node.lines.some((l) => `${l.text} ${l.evidence}`.toLowerCase().includes(q)) ||
		[...node.kids.values()].some((k) => fits(k, q));
}

function drawNode(node, q, path) {
	const mark = worst(node) < 3 ? [" ", severity(["block", "warning", "notice"][worst(node)])] : null;
	const kids = [...node.kids.values()].filter((k) => fits(k, q)).sort((a, b) => (a.name < b.name ? -1 : 1));
	const m = node.member;
	const about = m ? el("small", {}, `${m.format}, ${exactly(m.size)}, `, m.vouched === "mismatch" ? badge("block",
		VOUCHED.mismatch) :
		VOUCHED[m.vouched] || m.vouched, m.runs ? [", ", badge("warning", "the module runs it")] : "") : null;
	const said = node.lines.length ? el("ul", { class: "plain" }, node.lines.map((l) => drawLine(l, false))) : null;
	if (!kids.length && !said)
		return el("li", {}, el("code", {}, node.name), mark, about);
	const open = Boolean(q) || (kids.length && worst(node) < 2) || redden(node);
	return el("li", {}, el("details", { id: "tree-" + path, open },
		el("summary", {}, el("code", {}, node.name + (kids.length ? "/" : "")), mark), about, said,
		kids.length ? el("ul", {}, kids.map((k, i) => drawNode(k, q, `${path}-${i}`))) : null));
}

export function files(report, lost) {
	const root = tree(report);
	const page = report.changes && report.changes.page;
	const bare = page ? page.lines.filter((l) => l.block === "files" && !l.path) : [];
	const box = el("div", { class: "tree" });
	const draw = (q) => {
		const kids = [...root.kids.values()].filter((k) => fits(k, q)).sort((a, b) => (a.name < b.name ? -1 : 1));
		box.replaceChildren(kids.length ? el("ul", {}, kids.map((k, i) => drawNode(k, q, String(i)))) :
			el("p", { class: "empty" }, "No file fits."));
	};
	const input = el("input", { type: "search", id: "file-search", "data-search": "", maxlength: "100", oninput: () =>
		draw(input.value.trim().toLowerCase()) });
	draw("");
	const c = page ? page.counts : {};
	const kinds = Object.entries(c).filter(([, n]) => n.added + n.gone + n.changed + n.moved + n.same);
	const total = report.contents ? report.contents.members_total : 0, shown = report.contents ?
		report.contents.members.length : 0;
	return [
		kinds.length ? table("Files by kind", ["Kind", "Added#", "Gone#", "Changed#", "Moved#", "As before#"],
			kinds.map(([k, n]) =>
			[k, n.added, n.gone, n.changed, n.moved, n.same])) : null,
		el("p", { class: "field" }, el("label", { for: "file-search" }, "Search files and what changed in them"), input),
		box, bare.length || lost ? lines(bare, lost) : null,
		total > shown ? el("p", { class: "dim" },
			`${count(total - shown, "more file")}, all of them checked, none listed here.`) : null,
	];
}

// ---- signatures, findings ----

function signature(s) {
	const g = s.signer || {};
	return el("li", {}, badge(OUTCOMES[s.outcome] || "warning", s.outcome), " ", s.scheme, s.where ?
		[" of ", el("code", {}, s.where)] : "",
		el("p", {}, s.detail),
		facts(["Signer", g.subject], ["Issuer", g.issuer], ["Anchor", g.anchor], ["Key", g.key_type],
			["SHA-256 of the key", g.spki_sha256 ? digest(g.spki_sha256) : null],
			["Valid", g.not_before && g.not_after ? [time(g.not_before), " to ", time(g.not_after)] : null],
			["Revocation", s.revocation], ["Weak points", (s.reasons || []).join(", ")],
			["Signer's own clock (proves nothing)", s.claimed_time ? time(s.claimed_time) : null],
			["Key is public", g.published_key ? badge("block", "yes: everybody can sign with it") : null]));
}

function signatures(report, more) {
	const c = report.coverage, all = c.signed + c.unsigned;
	return [more,
		report.signatures.length ? el("ul", { class: "plain" }, report.signatures.map(signature)) :
			el("p", { class: "stop" }, "There is no signature: nothing but the way it came says that it is the vendor's."),
		el("p", {}, `${exactly(c.signed)} are signed (${share(c.signed, all)}), ${exactly(c.unsigned)} are not.`)];
}

// known: the review's own findings, which say what each means and what clears it.
function finding(f, known) {
	const { means = "", clears = "" } = known.get(f.id) || {};
	const places = [f, ...(f.more || [])].filter((d) => d.detail);
	return el("li", { class: `line-${f.severity}${isRed(f) ? " red" : ""}` }, el("p", {}, severity(f.severity), " ",
		el("strong", {}, f.id),
		f.count > 1 ? ` (${f.count} times)` : ""), el("p", {}, means),
	places.length ? el("details", { id: "finding-" + f.id }, el("summary", {}, count(places.length, "place")),
		el("ul", {}, places.map((d) => el("li", {}, el("code", {}, d.detail), d.offset !== undefined ?
			` from byte ${d.offset}` : "")))) : null,
	el("p", {}, el("strong", {}, "To clear it: "), clears));
}

function contents(report) {
	const c = report.contents;
	return c && c.facts.length ? table("What the image says about itself", ["Fact", "Value", "Where", "Signed"],
		c.facts.map((f) =>
		[f.fact, el("code", {}, f.value), f.where || "the image", f.sure ? badge("good", "signed") : badge("warning",
			"not signed")])) : null;
}

function delta(d) {
	return [facts(["Outcome", badge(d.outcome === "proved" ? "good" : d.outcome === "reconstructed" ? "warning" : "block",
		d.outcome)],
		["Why", d.detail], ["Base", d.base && digest(d.base.sha256)], ["Applied by", d.applier], ["It is for", d.wants],
		["Says itself what it makes", d.named ? "yes: it carries a SHA-256 of it" : "no"],
		["Makes", d.target && [digest(d.target.sha256), " ", bytes(d.target.size)]], ["Its own report says", d.target &&
			verdict(d.target.verdict)],
		["From the base as it is", exactly(d.from_base || 0)], ["New or altered", exactly(d.from_patch || 0)]),
	el("p", { class: "hint" },
		"Not proved: that a module holds this base. Offer it only to those whose version is known.")];
}

// Nothing follows from them: they are there to be held against what is above.
export function notes(n) {
	return [el("p", { class: "hint" }, "Given for this version; nobody here checked a word of it."),
		el("ul", { class: "plain" }, n.lines.map((l) => el("li", {}, l))),
		n.lines_total > n.lines.length ? el("p", { class: "stop" },
			`${count(n.lines_total - n.lines.length, "more line")} did not fit into the report.`) : null,
		el("p", {}, digest(n.sha256), " ", exactly(n.size))];
}

// All sections of a report as parts of the page. more: what the review adds to the signatures.
export function draw(page, report, sha256, more) {
	const seen = ticks(sha256);
	const changes = report.changes && report.changes.page ? report.changes : null;
	const part = (name, title, has, make) => page.part(name, has ? [sha256, name === "signature" ? more.key : 0] : null,
		() => viewable(page, seen, name, title, make()));
	part("signature", "Signature and key", true, () => signatures(report, more.nodes()));
	part("delta", "Delta", Boolean(report.delta), () => delta(report.delta));
	const lostOf = (block) => (changes ? changes.page.lost[BLOCKS.findIndex(([b]) => b === block)] || 0 : 0);
	for (const [block, title] of BLOCKS.slice(0, 5)) {
		const all = changes ? changes.page.lines.filter((l) => l.block === block) : [], lost = lostOf(block);
		part("block-" + block, title, all.length || lost, () => lines(all, lost));
	}
	part("bytes", "Where every byte went", Boolean(changes), () => account(report.changes));
	for (const [block, title] of BLOCKS.slice(5)) {
		const all = changes ? changes.page.lines.filter((l) => l.block === block) : [], lost = lostOf(block);
		part("block-" + block, title, (all.length || lost) && block !== "files", () => lines(all, lost));
	}
	const other = changes ? changes.page.lines.filter((l) => !BLOCKS.some(([b]) => b === l.block)) : [];
	part("block-other", "More", other.length, () => lines(other, 0));
	part("files", "Files", Boolean((report.contents && report.contents.members.length) || changes), () => [contents(report),
		files(report, lostOf("files"))]);
	part("notes", "The vendor's own words", Boolean(report.notes), () => notes(report.notes));
	part("findings", "Findings", true, () => (report.findings.length ?
		el("ul", { class: "plain" }, report.findings.map((f) => finding(f, more.findings))) : el("p", { class: "empty" },
			"None.")));
}
