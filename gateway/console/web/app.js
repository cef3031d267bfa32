// SPDX-License-Identifier: Apache-2.0
// app - which page is shown, for whom, and when it looks again.
import { el, announce, badge, problem, HERE } from "/dom.js";
import * as api from "/api.js";
import { Page } from "/page.js";
import * as keys from "/keys.js";

// Pattern of the path, module that draws it, its word in the menu.
const PAGES = [
	[/^\/(?:reviews)?$/, "queue.js"],
	[/^\/reviews\/(R-[0-9]+)$/, "review.js"],
	[/^\/rollouts(?:\/([0-9a-f]{32}))?$/, "rollouts.js"],
	[/^\/releases$/, "releases.js"],
	[/^\/fleet$/, "fleet.js"],
	[/^\/sightings$/, "sightings.js"],
	[/^\/modules\/([0-9a-f]{32})$/, "module.js"],
	[/^\/audit$/, "audit.js"],
	[/^\/audit\/([0-9]{1,15})$/, "entry.js"],
	[/^\/policy(?:\/(R-[0-9]+))?$/, "policy.js"],
	[/^\/standing$/, "standing.js"],
	[/^\/breakglass$/, "glass.js"],
	[/^\/people$/, "people.js"],
	[/^\/health$/, "health.js"],
	[/^\/account$/, "account.js"],
];
const OPEN = [[/^\/sign-in$/, "signin.js"], [/^\/setup$/, "setup.js"]];
const MENU = [["/reviews", "Queue"], ["/rollouts", "Rollouts"], ["/fleet", "Fleet"], ["/releases", "Releases"],
	["/standing", "Standing"], ["/audit", "Audit"], ["/policy", "Policy"], ["/people", "People"], ["/health", "Health"]];

const main = document.getElementById("main");
let session = null; // who is signed in, as session.show says it
let page = null;
let stop = null;    // ends listening for change
let shownAt = "";    // the address that is on the screen
let turn = 0;       // of the router: an older one that comes late draws nothing

function go(path, replace = false) {
	history[replace ? "replaceState" : "pushState"](null, "", path);
	return show();
}

// ---- the frame ----

function header() {
	const top = document.getElementById("top");
	if (!session) {
		top.replaceChildren(el("div", { class: "bar" }, el("a", { class: "brand", href: "/" }, "fotagate")));
		return;
	}
	const here = location.pathname === "/" ? "/reviews" : location.pathname.replace(/^\/modules\/|^\/sightings$/, "/fleet/");
	const state = document.getElementById("live") || el("span", { id: "live", class: "dim" }, "connecting");
	top.replaceChildren(el("div", { class: "bar" },
		el("a", { class: "brand", href: "/" }, "fotagate"),
		el("nav", { "aria-label": "Pages" }, el("ul", {}, MENU.map(([href, word]) => el("li", {}, el("a", { href,
			"aria-current": here === href || here.startsWith(href + "/") ? "page" : null }, word))))),
		el("div", { class: "who" }, state,
			el("a", { href: "/account", "aria-current": here === "/account" ? "page" : null }, session.user,
				el("span", { class: "dim" }, ` (${(session.roles || []).join(", ") || "no role"})`)),
			el("button", { type: "button", onclick: signOut }, "Sign out"))), el("div", { id: "alarm" }));
	alarm();
}

// What concerns every page: nothing is permitted now.
async function alarm() {
	const status = await api.maybe("/status").catch(() => undefined);
	const box = document.getElementById("alarm");
	if (!box || !status)
		return;
	const why = status.halt ? "The gateway is halted: no module gets anything. Only signatures end it (fotagate resume)." :
		status.permitting ? "" : "The gateway permits nothing just now.";
	const now = why + status.demo;
	if (box.dataset.now === now)
		return;
	box.dataset.now = now;
	box.replaceChildren(...[why ? el("div", { class: "alarm" }, el("p", {}, badge("block", "not permitting"), " ", why, " ",
		el("a", { href: "/health" }, "See Health"))) : null].filter(Boolean));
}

function footer() {
	document.getElementById("bottom").replaceChildren(el("div", { class: "bar" },
		el("span", {}, "The console decides nothing: whoever permits, signs."),
		el("button", { type: "button", onclick: keys.help }, "Keyboard shortcuts")));
}

async function signOut() {
	await api.remove("/session").catch(() => {});
	left("/sign-in");
}

// A new document: nothing of the one who was here stays in it.
function left(path) {
	session = null;
	location.assign(path);
}

function heard(word) {
	const box = document.getElementById("live");
	const words = { live: "live", asking: "asking every 10 s", away: "no connection" };
	if (box && box.textContent !== words[word])
		box.textContent = words[word];
}

function changed() {
	alarm();
	if (page)
		page.reload();
}

// ---- the router ----

function find(list, path) {
	for (const [pattern, module] of list) {
		const m = pattern.exec(path);
		if (m)
			return [module, m.slice(1)];
	}
	return null;
}

// What is on the screen where there is no page.
function only(...nodes) {
	main.removeAttribute("aria-busy");
	main.replaceChildren(...nodes);
}

async function show() {
	const mine = ++turn;
	const path = location.pathname;
	shownAt = path + location.search;
	if (page)
		page.end();
	page = null;
	main.setAttribute("aria-busy", "true");
	const open = find(OPEN, path);
	if (!open && !session) {
		try {
			session = whoever(await api.get("/session"));
		} catch (err) {
			if (err.status !== 401) {
				only(problem(err));
				return undefined;
			}
			if (mine === turn)
				return go("/sign-in" + api.query({ next: path === "/" ? "" : path + location.search,
					sso: err.cure === "single sign-on" }), true);
			return undefined;
		}
	}
	if (session && (session.must || []).length && !open && path !== "/account")
		return go("/account", true); // a password or a second factor of one's own comes first
	const found = open || find(PAGES, path);
	header();
	if (!found) {
		only(el("h1", {}, "There is no such page"), el("p", {}, el("a", { href: "/" }, "To the queue")));
		return undefined;
	}
	if (session && !open && !stop && !(session.must || []).length)
		stop = api.listen(changed, heard);
	const module = await import("/" + found[0]);
	if (mine !== turn)
		return undefined;
	main.replaceChildren();
	page = new Page(main, (p) => module.load(p, ...found[1]), session);
	page.go = go;
	page.signedOut = (why) => left("/sign-in" + api.query({ [why]: "1" }));
	page.signedIn = (doc) => {
		session = whoever(doc);
		const next = new URLSearchParams(location.search).get("next") || "/";
		return go(HERE.test(next) ? next : "/", true);
	};
	const shown = page;
	await page.reload();
	if (mine === turn && shown === page) {
		const h1 = main.querySelector("h1");
		if (h1)
			announce(h1.textContent);
		if (started)
			main.focus({ preventScroll: true });
		else if (!open)
			window.scrollTo(0, 0);
	}
	started = true;
	return undefined;
}

let started = false;

// session.show and session.open say who it is at different depths.
function whoever(doc) {
	return { roles: [], ...(doc.session || {}), ...doc };
}

api.on.signedOut = () => {
	if (!session)
		return;
	left("/sign-in" + api.query({ next: location.pathname + location.search, over: "1", sso: session.means === "sso" }));
};

document.addEventListener("click", (ev) => {
	const a = ev.target.closest && ev.target.closest("a[href]");
	if (!a || ev.defaultPrevented || ev.button || ev.metaKey || ev.ctrlKey || ev.shiftKey || ev.altKey ||
		a.hasAttribute("download") ||
	    a.origin !== location.origin || !a.getAttribute("href").startsWith("/"))
		return;
	ev.preventDefault();
	window.scrollTo(0, 0);
	go(a.getAttribute("href"));
});
window.addEventListener("popstate", () => {
	if (location.pathname + location.search !== shownAt) // else it is a place on the same page
		show();
});
keys.start(go);
footer();
show();
