// SPDX-License-Identifier: Apache-2.0
// dom - the only place where nodes are made. Text of vendors, modules and people goes through say(), so that
// nothing of it is markup and nothing of it is invisible: a character that cannot be seen, or that reorders
// others, is shown as its number, in a frame that no text can draw.

const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;
const EVERY_UNSEEN = new RegExp(UNSEEN.source, "gu");
// Nothing here is unseen or runs from right to left.
const PLAIN = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02af\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u25a0-\u25ff\u2700-\u27bf]*$/;

function number(c) {
	return "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

// For places that hold text only: attributes, titles, what is said to a screen reader.
export function visible(text) {
	return String(text).replace(EVERY_UNSEEN, (c) => `<${number(c)}>`);
}

// keep: characters that a <pre> shows by itself ("\n\t").
export function say(text, keep = "") {
	text = String(text);
	if (PLAIN.test(text))
		return document.createTextNode(text);
	const box = document.createElement("bdi");
	let plain = "";
	for (const c of text) {
		if (!UNSEEN.test(c) || keep.includes(c)) {
			plain += c;
			continue;
		}
		if (plain)
			box.append(plain);
		plain = "";
		const mark = document.createElement("span");
		mark.className = "unseen";
		mark.title = "a character that cannot be seen";
		mark.textContent = number(c);
		box.append(mark);
	}
	if (plain)
		box.append(plain);
	return box;
}

function put(node, kids) {
	for (const kid of kids.flat(Infinity))
		if (kid !== null && kid !== undefined && kid !== false)
			node.append(kid instanceof Node ? kid : say(kid));
	return node;
}

const ATTRIBUTES = new Set(["class", "id", "for", "type", "name", "title", "role", "scope", "colspan", "tabindex",
	"datetime", "open", "disabled", "required", "minlength", "maxlength", "min", "max", "pattern", "rows", "lang",
	"autocomplete", "inputmode", "spellcheck", "placeholder", "checked", "selected", "multiple", "readonly", "download",
	"method", "novalidate", "value", "viewBox", "preserveAspectRatio", "x", "y", "width", "height"]);

// A place in here, or a file of this page's own making: nothing that a browser reads as another host.
export const HERE = /^(\/(?![/\\])|#|blob:)[\x21-\x7e]*$/;

// props: attributes of the list above, aria-* and data-*, and on* functions. A link leads to a place in here.
export function el(tag, props, ...kids) {
	return put(attributes(document.createElement(tag), props), kids);
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, props, ...kids) {
	return put(attributes(document.createElementNS(SVG, tag), props), kids);
}

function attributes(node, props) {
	for (const [key, value] of Object.entries(props || {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on") && typeof value === "function")
			node.addEventListener(key.slice(2), value);
		else if (key === "href" && HERE.test(value))
			node.setAttribute("href", value);
		else if (ATTRIBUTES.has(key) || /^(aria|data)-[a-z-]+$/.test(key))
			node.setAttribute(key, value === true ? "" : key === "value" ? String(value) : visible(value));
		else
			throw new Error(`no attribute ${key}`);
	}
	return node;
}

// ---- small things that every page has ----

export function announce(text) {
	const box = document.getElementById("say");
	box.textContent = "";
	requestAnimationFrame(() => { box.textContent = visible(text); });
}

const ICON = { block: "\u2716", warning: "\u25b2", notice: "\u25cf", good: "\u2714", wait: "\u25d4", off: "\u25a0" };

// kind: block, warning, notice, good, wait, off. The word says what the colour says.
export function badge(kind, word) {
	return el("span", { class: `badge ${kind}` }, el("span", { "aria-hidden": "true" }, ICON[kind] || ""), " ", word);
}

const SHOWN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function time(text, none = "never") {
	const at = text ? new Date(text) : null;
	if (!at || isNaN(at))
		return document.createTextNode(none);
	return el("time", { datetime: text, title: `${text.replace("T", " ").replace("Z", "")} UTC` }, SHOWN.format(at));
}

const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"]];

export function span(seconds) {
	for (const [size, name] of UNITS)
		if (seconds >= size)
			return `${Math.floor(seconds / size)} ${name}${seconds >= 2 * size ? "s" : ""}`;
	return "less than a minute";
}

export function ago(text) {
	const seconds = (Date.now() - new Date(text)) / 1000;
	return seconds < 0 ? `in ${span(-seconds)}` : `${span(seconds)} ago`;
}

export function bytes(n) {
	if (n < 1024)
		return `${n} bytes`;
	let size = n, unit = 0;
	for (; size >= 1024 && unit < 4; unit++)
		size /= 1024;
	return `${size.toFixed(size < 10 ? 1 : 0)} ${["", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

export function num(n) {
	return Number(n).toLocaleString("en");
}

export function exactly(n) {
	return `${num(n)} bytes`;
}

export function count(n, one, many = one + "s") {
	return `${num(n)} ${n === 1 ? one : many}`;
}

// The whole of it is in reach of everybody: by the button, by the title, by selecting.
export function digest(hex, chars = 12) {
	if (!hex)
		return document.createTextNode("none");
	return el("span", { class: "digest" },
		el("code", { title: hex }, hex.length > chars ? hex.slice(0, chars) + "\u2026" : hex), " ", copier(hex, "Copy"));
}

export function copier(text, label, what = "") {
	return el("button", { type: "button", class: "copy", "aria-label": what ? `${label} ${what}` : null,
		title: `copy ${text.length > 80 ? text.slice(0, 80) + "\u2026" : text}`,
		onclick: async () => {
			try {
				await navigator.clipboard.writeText(text);
				announce("Copied.");
			} catch {
				announce("The browser does not let this page copy; select the text instead.");
			}
		} }, label);
}

export function command(text) {
	return el("div", { class: "command" }, el("pre", { tabindex: "0", "aria-label": "command" }, el("code", {}, text)),
		copier(text, "Copy", "the command"));
}

// A file of this page's own making, to be saved. parts: what a Blob is made of.
export function save(name, parts, type = "application/json") {
	const url = URL.createObjectURL(new Blob(parts, { type }));
	return el("a", { class: "button", href: url, download: name }, `Save ${name}`);
}

// A word for a POSIX shell that no shell takes for more.
export function quoted(word) {
	return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${String(word).replaceAll("'", "'\\''")}'`;
}

// rows: [label, value] pairs; a value of null is left out.
export function facts(...rows) {
	return el("dl", { class: "facts" }, rows.filter((r) => r && r[1] !== null && r[1] !== undefined && r[1] !== "")
		.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value))));
}

// heads: labels, those with a trailing "#" are numbers. Roles are said aloud since CSS takes rows apart on a small screen.
export function table(caption, heads, rows, empty) {
	if (!rows.length)
		return el("p", { class: "empty" }, empty || "Nothing here.");
	const right = heads.map((h) => h.endsWith("#"));
	const label = heads.map((h) => h.replace(/#$/, ""));
	const cell = (kid, i) => el(i ? "td" : "th", { role: i ? "cell" : "rowheader", scope: i ? null : "row",
		class: right[i] ? "number" : null, "data-label": label[i] }, kid);
	return el("div", { class: "scroll" }, el("table", { role: "table" },
		el("caption", { class: "quiet" }, caption),
		el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
			label.map((h, i) => el("th", { role: "columnheader", scope: "col", class: right[i] ? "number" : null }, h)))),
		el("tbody", { role: "rowgroup" }, rows.map((r) => {
			const cells = Array.isArray(r) ? r : r.cells;
			return el("tr", { role: "row", class: Array.isArray(r) ? null : r.class }, cells.map(cell));
		}))));
}

// A link of a list, among those that j and k go through.
export function row(href, ...kids) {
	return el("a", { href, "data-row": "" }, kids);
}

export function problem(err) {
	return el("div", { class: "problem", role: "alert" },
		el("p", {}, badge("block", err.id || "ERROR"), " ", err.detail || err.message || String(err)),
		err.cure ? el("p", {}, "To clear it: ", err.cure) : null);
}

export function field(label, input, hint) {
	const id = input.id || (input.id = "f-" + label.toLowerCase().replace(/[^a-z0-9]+/g, "-"));
	if (hint)
		input.setAttribute("aria-describedby", id + "-hint");
	return el("p", { class: "field" }, el("label", { for: id }, label), input,
		hint ? el("small", { id: id + "-hint" }, hint) : null);
}

// A question before something that cannot be taken back, or that the log keeps. Resolves to what ask() gives, or
// null. ask(values, form) does it and throws what went wrong, which is then shown with the form still open.
export function question({ title, text, fields, button, danger, ask }) {
	return new Promise((resolve) => {
		const wrong = el("div", {});
		const go = el("button", { type: "submit", class: danger ? "danger" : "primary" }, button);
		const form = el("form", { class: "stack", onsubmit: async (ev) => {
			ev.preventDefault();
			go.disabled = true;
			try {
				const value = await ask(new FormData(form), form);
				box.close();
				resolve(value);
			} catch (err) {
				wrong.replaceChildren(problem(err));
				go.disabled = false;
			}
		} }, el("h2", { id: "question" }, title), text.map((t) => el("p", {}, t)), fields, wrong,
		el("p", { class: "buttons" }, go, el("button", { type: "button", onclick: () => box.close() }, "Cancel")));
		const box = el("dialog", { "aria-labelledby": "question", onclose: () => { box.remove(); resolve(null); } }, form);
		document.body.append(box);
		box.showModal();
	});
}

export function newPassword() {
	return field("New password", el("input", { name: "password", id: "new-password", type: "password", required: true,
		minlength: "12",
		maxlength: "128", autocomplete: "new-password" }),
			"12 characters at least, 15 or more are better; any characters.");
}

export function reason(hint = "It stays in the log.", id = "reason") {
	return field("Reason", el("textarea", { name: "reason", id, rows: "2", required: true, minlength: "10",
		maxlength: "500" }),
		`At least 10 characters. ${hint}`);
}

// What was typed there, on one line.
export function said(values) {
	return values.get("reason").trim().replace(/\s+/g, " ");
}
