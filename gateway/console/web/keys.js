// SPDX-License-Identifier: Apache-2.0
// keys - the keyboard map. No single key decides anything, and all of it can be switched off (WCAG 2.1.4).
import { el, announce } from "/dom.js";

const MAP = [["/", "search"], ["j, k", "next, previous of a list"], ["Enter", "open it"],
	["v", "mark the section viewed (review)"],
	["g q", "queue"], ["g r", "rollouts"], ["g f", "fleet"], ["g a", "audit"], ["?", "this help"]];
const GOES = { q: "/reviews", r: "/rollouts", f: "/fleet", a: "/audit" };
const OFF = "fg.keys.off";

let go = () => {};
let g = -Infinity; // when g was pressed, on a clock that begins with the page

function isOff() {
	return localStorage.getItem(OFF) === "1";
}

export function help() {
	if (document.getElementById("keys"))
		return;
	const tick = el("input", { type: "checkbox", id: "keys-on", checked: !isOff(), onchange: () => {
		if (tick.checked)
			localStorage.removeItem(OFF);
		else
			localStorage.setItem(OFF, "1");
		announce(tick.checked ? "Shortcuts are on." : "Shortcuts are off.");
	} });
	const box = el("dialog", { id: "keys", "aria-labelledby": "keys-title", onclose: () => box.remove() },
		el("h2", { id: "keys-title" }, "Keyboard shortcuts"),
		el("p", {}, el("label", { class: "tick" }, tick, "Single-key shortcuts")),
		el("dl", { class: "facts" }, MAP.map(([key, what]) => el("div", {}, el("dt", {}, key.split(/(?<=,) /).map((k) =>
			[el("kbd", {}, k.replace(",", "")), " "])), el("dd", {}, what)))),
		el("p", {}, "No shortcut approves, rejects or stops anything."),
		el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => box.close() }, "Close")));
	document.body.append(box);
	box.showModal();
}

function move(step) {
	const rows = [...document.querySelectorAll("#main [data-row]")].filter((r) => r.offsetParent);
	if (!rows.length)
		return;
	const at = rows.indexOf(document.activeElement);
	const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))];
	next.focus();
	next.scrollIntoView({ block: "nearest" });
}

function pressed(ev) {
	if (ev.defaultPrevented || ev.ctrlKey || ev.metaKey || ev.altKey || ev.isComposing || isOff() ||
	    ev.target.closest("input, textarea, select, dialog, [contenteditable]"))
		return;
	const second = ev.timeStamp - g < 1500;
	g = -Infinity;
	if (second && Object.hasOwn(GOES, ev.key)) {
		ev.preventDefault();
		go(GOES[ev.key]);
		return;
	}
	switch (ev.key) {
	case "g":
		g = ev.timeStamp;
		return;
	case "j":
		move(1);
		break;
	case "k":
		move(-1);
		break;
	case "/": {
		const search = document.querySelector("#main [data-search]");
		if (!search)
			return;
		search.focus();
		break;
	}
	case "v": {
		const section = document.activeElement.closest("section[data-viewable]") ||
			document.querySelector("section[data-viewable]:not(.viewed)");
		if (!section)
			return;
		section.querySelector("[data-viewed]").click();
		break;
	}
	case "?":
		help();
		break;
	default:
		return;
	}
	ev.preventDefault();
}

export function start(navigate) {
	go = navigate;
	document.addEventListener("keydown", pressed);
}
