// SPDX-License-Identifier: Apache-2.0
// fleet - which versions run, which modules need a look, and the list of them by cursor.
import { el, svg, table, row, field, time, badge, count, num } from "/dom.js";
import { get, lately } from "/api.js";

const PAGE = 100;
const STALE = 30 * 86400000;

function spread(versions, other) {
	const products = new Map();
	for (const v of versions)
		products.set(v.product, [...(products.get(v.product) || []), v]);
	return [...products].map(([product, list]) => {
		const all = list.reduce((n, v) => n + v.modules, 0);
		return [el("h3", {}, product || "product not known"), table(`Versions of ${product}`, ["Version", "Modules#",
			"Share"], list
			.sort((a, b) => b.modules - a.modules).map((v) => [v.version ?
				row(`/fleet?product=${encodeURIComponent(v.product)}&version=` +
				encodeURIComponent(v.version), v.version) : "not known", num(v.modules),
			[svg("svg", { class: "meter", viewBox: `0 0 ${all} 1`, preserveAspectRatio: "none", "aria-hidden": "true" },
				svg("rect", { class: "open", width: String(v.modules), height: "1" })),
					`${(100 * v.modules / all).toFixed(1)} %`]]))];
	}).concat(other ? el("p", {}, `${count(other, "module")} of further products and versions.`) : []);
}

export function flags(m) {
	return [m.held ? badge("block", "held") : null, " ", m.listed ? null : badge("warning", "unlisted"), " ",
		!m.last_seen ? badge("notice", "never seen") : Date.now() - new Date(m.last_seen) > STALE ? badge("warning",
			"stale") : null];
}

export async function load(page) {
	page.title("Fleet");
	const q = new URLSearchParams(location.search);
	const f = Object.fromEntries(["product", "version", "group", "profile", "absent", "held", "unlisted", "after"].map((k) => [k,
		q.get(k) || ""]));
	const [list, exposure, profiles] = await Promise.all([get("/modules", { ...f, limit: PAGE }), lately("/exposure"),
		lately("/profiles")]);
	page.part("head", 1, () => [el("h1", {}, "Fleet"),
		el("p", {}, el("a", { href: "/sightings" }, "What modules asked for"))], "plain");
	page.part("spread", exposure ? exposure.versions : null, () => [el("h2", {}, "Versions by product"),
		exposure.versions.length ?
		spread(exposure.versions, exposure.other_modules) : el("p", { class: "empty" },
			"No module has asked yet, and none was imported.")]);
	page.part("filters", [f, profiles], () => el("form", { class: "filters", role: "search", onsubmit: (ev) => {
		ev.preventDefault();
		const next = new URLSearchParams([...new FormData(ev.target)].filter(([, v]) => v));
		page.go("/fleet" + (next.size ? "?" + next : ""));
	} },
	field("Product", el("input", { name: "product", id: "product", value: f.product, maxlength: "100", "data-search": "",
		"data-mine": "" })),
	field("Version", el("input", { name: "version", id: "version", value: f.version, maxlength: "60", "data-mine": "" })),
	field("Group", el("input", { name: "group", id: "group", value: f.group, maxlength: "100", "data-mine": "" })),
	field("Profile", el("select", { name: "profile", id: "profile", "data-mine": "" }, el("option", { value: "" }, "any"),
		((profiles && profiles.profiles) || []).map((p) => el("option", { value: p.name, selected: p.name === f.profile },
			p.name)))),
	["absent", "held", "unlisted"].map((k) => el("label", { class: "tick" }, el("input", { type: "checkbox", name: k, value: "true",
		checked: Boolean(f[k]) }), k)),
	el("button", { type: "submit" }, "Find")));
	page.part("list", list.modules, () => [el("h2", {}, "Modules"), table("Modules", ["Module", "Flags", "Product, version",
		"Group", "Last seen", "Identity"],
		list.modules.map((m) => [row(`/modules/${m.id}`, m.id.slice(0, 12), "\u2026"), flags(m),
			`${m.product} ${m.version || "version not known"}`,
			m.group, time(m.last_seen), m.identities.map((i) => `${i.kind} ${i.text}`).join(", ")]), "No module fits.")]);
	page.part("more", [list.next, f.after], () => el("p", { class: "buttons" },
		f.after ? el("a", { class: "button", href: "/fleet?" + new URLSearchParams({ ...Object.fromEntries(q),
			after: "" }) }, "From the first") : null,
		list.next ? el("a", { class: "button", href: "/fleet?" + new URLSearchParams({ ...Object.fromEntries(q),
			after: list.next }) }, "Next") : null),
	"plain");
}
