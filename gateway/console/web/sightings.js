// SPDX-License-Identifier: Apache-2.0
// sightings - what modules asked for, one line of each, by cursor. All words in it are those of requests: anybody's.
import { el, table, time, num, field } from "/dom.js";
import { get, lately, query } from "/api.js";
import { state } from "/words.js";

const PAGE = 100;

export async function load(page) {
	page.title("Asked for");
	const q = new URLSearchParams(location.search), after = q.get("after"), profile = q.get("profile");
	const [got, profiles] = await Promise.all([get("/sightings", { after, profile, limit: PAGE }), lately("/profiles")]);
	const known = ((profiles && profiles.profiles) || []).map((p) => p.name);
	const at = (next) => "/sightings" + query({ profile, after: next });
	page.part("head", 1, () => [el("h1", {}, "Asked for"),
		el("p", {}, "Each address that modules asked for and a profile knows, in no order of time. It is fetched once, ",
			"and people decide.")],
	"plain");
	page.part("filters", [profile, known], () => el("form", { class: "filters", role: "search", onsubmit: (ev) => {
		ev.preventDefault();
		page.go("/sightings" + query({ profile: new FormData(ev.target).get("profile") }));
	} }, field("Profile", el("select", { name: "profile", id: "profile", "data-mine": "" }, el("option", { value: "" }, "any"),
		known.map((name) => el("option", { value: name, selected: name === profile }, name)))),
	el("button", { type: "submit" }, "Find")));
	page.part("list", got.sightings, () => [el("h2", { class: "quiet" }, "All of them"), table("What modules asked for",
		["Version", "Address", "Asked#", "First", "Last", "Became"], got.sightings.map((s) => [
			[el("strong", {}, `${s.product} ${s.target}`), el("small", {}, s.profile,
				`, from ${s.from === "*" ? "any version" : s.from}`)],
			el("code", {}, s.url), num(s.count), time(s.first), time(s.last),
			[state(s.state), s.review ? el("small", {}, el("a", { href: `/reviews/${s.review}` }, s.review)) : null]]),
		after || profile ? "No more of them." : "No module has asked for anything that a profile knows.")]);
	page.part("more", got.next || after ? [got.next, after] : null, () => el("p", { class: "buttons" },
		after ? el("a", { class: "button", href: at(null) }, "From the first") : null,
		got.next ? el("a", { class: "button", href: at(got.next) }, "Next") : null), "plain");
}
