// SPDX-License-Identifier: Apache-2.0
// entries - rows of the audit log, wherever a page shows some.
import { el, table, row, time, badge } from "/dom.js";

// Syslog severities as words and looks.
export const GRADES = [["block", "emergency"], ["block", "alert"], ["block", "critical"], ["block", "error"],
	["warning", "warning"],
	["notice", "notice"], ["off", "info"], ["off", "debug"]];

// A link to what an entry is about, where there is a page for it.
export function object(obj) {
	const release = /^release:([0-9a-f]{32})$/.exec(obj || "");
	if (/^R-[0-9]+$/.test(obj))
		return el("a", { href: `/reviews/${obj}` }, obj);
	if (release)
		return el("a", { href: `/rollouts/${release[1]}` }, `release ${release[1].slice(0, 8)}\u2026`);
	const long = /^(\w+:[0-9a-f]{8})[0-9a-f]{24}$/.exec(obj || "");
	return obj ? el("code", { title: obj }, long ? long[1] + "\u2026" : obj) : "";
}

export function module(dev) {
	return dev ? el("a", { href: `/modules/${dev}` }, `module ${dev.slice(0, 8)}\u2026`) : "";
}

export function entries(caption, list, empty) {
	return table(caption, ["Entry#", "When", "Event", "Who", "What about", "Said"], list.map((e) => {
		const [kind, word] = GRADES[e.sev] || GRADES[5];
		return [row(`/audit/${e.seq}`, String(e.seq)), time(e.t),
			[el("strong", {}, e.ev), " ", e.sev <= 4 ? badge(kind, word) : null, e.out && e.out !== "ok" ?
				[" ", badge("warning", e.out)] : null],
			e.act || e.src || "", [object(e.obj), e.obj && e.dev ? ", " : "", module(e.dev)], e.msg || ""];
	}), empty);
}
