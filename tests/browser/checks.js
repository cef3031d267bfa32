// SPDX-License-Identifier: Apache-2.0
// What can be seen to be wrong with a page for somebody who sees little, has no mouse or has a small screen.
// Returns a list of sentences. The names of controls come from the browser's own accessibility tree (checks.py).
const wrong = [];
const shown = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
const what = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ""} class="${e.className.baseVal ?? e.className}"> ` +
	`${(e.textContent || "").trim().slice(0, 40)}`;

// ---- contrast: 1.4.3 ----

function channel(c) {
	c /= 255;
	return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function colour(text) {
	const m = /rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)/.exec(text);
	return m ? { rgb: [m[1], m[2], m[3]].map(Number), alpha: m[4] === undefined ? 1 : Number(m[4]) } : { rgb: [0, 0, 0], alpha: 0 };
}

function light(rgb) {
	const [r, g, b] = rgb.map(channel);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function behind(e) {
	for (let n = e; n; n = n.parentElement) {
		const c = colour(getComputedStyle(n).backgroundColor);
		if (c.alpha === 1)
			return c.rgb;
	}
	return [255, 255, 255];
}

const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const done = new Set();
for (let t = walk.nextNode(); t; t = walk.nextNode()) {
	const e = t.parentElement;
	if (!t.textContent.trim() || done.has(e) || !shown(e) || e.closest("script, noscript, .quiet, .skip, :disabled"))
		continue;
	done.add(e);
	const style = getComputedStyle(e), size = parseFloat(style.fontSize);
	const [a, b] = [light(colour(style.color).rgb), light(behind(e))].sort((x, y) => y - x);
	const need = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
	if ((a + 0.05) / (b + 0.05) < need)
		wrong.push(`contrast ${((a + 0.05) / (b + 0.05)).toFixed(2)}: ${what(e)}`);
}

// ---- structure: 1.3.1, 2.4.6, 3.1.1 ----

const heads = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown);
if (heads.filter((h) => h.tagName === "H1").length !== 1)
	wrong.push(`${heads.filter((h) => h.tagName === "H1").length} headings of the first level`);
heads.reduce((before, h) => {
	const level = Number(h.tagName[1]);
	if (level > before + 1)
		wrong.push(`a heading skips a level: ${what(h)}`);
	return level;
}, 0);
if (!document.documentElement.lang || !document.title.trim())
	wrong.push("no language or no title");
for (const table of document.querySelectorAll("table"))
	if (!table.caption || !table.caption.textContent.trim() || [...table.tHead.rows[0].cells].some((c) => c.scope !== "col") ||
	    [...table.tBodies[0].rows].some((r) => r.cells[0].scope !== "row"))
		wrong.push(`a table without caption or heads: ${what(table)}`);
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
for (const id of new Set(ids.filter((x, i) => ids.indexOf(x) !== i)))
	wrong.push(`two elements have the id ${id}`);
for (const input of document.querySelectorAll("input, select, textarea"))
	if (!input.labels.length)
		wrong.push(`a field without a label: ${what(input)}`);
if (document.querySelector("[tabindex]:not([tabindex='0'], [tabindex='-1'])"))
	wrong.push("somebody has a tabindex over 0");

// ---- targets of 24 px: 2.5.8; links within a sentence are excepted ----

for (const e of document.querySelectorAll("button, input, select, textarea, summary, nav a, a.button, [data-row]")) {
	const box = e.getBoundingClientRect();
	const label = e.labels && e.labels[0] ? e.labels[0].getBoundingClientRect() : { width: 0, height: 0 };
	if (shown(e) && Math.max(box.height, e.type === "checkbox" ? label.height : 0) < 24 ||
	    shown(e) && Math.max(box.width, e.type === "checkbox" ? label.width : 0) < 24)
		wrong.push(`a target of ${box.width.toFixed(0)} by ${box.height.toFixed(0)}: ${what(e)}`);
}

// ---- reflow: 1.4.10 ----

if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
	const wide = [...document.querySelectorAll("body *")].find((e) => shown(e) && !e.closest(".scroll *, pre *, .quiet, .skip") &&
		e.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
	wrong.push(`wider than the screen by ${document.documentElement.scrollWidth - document.documentElement.clientWidth}: ` +
		(wide ? what(wide) : "?"));
}

// ---- hostile text stayed text ----

if (window.pwned !== undefined || document.querySelector("#main img, #main script, #main iframe, #main [onerror], #main [onload]"))
	wrong.push("a vendor's text became more than text");
return wrong;
