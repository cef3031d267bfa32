// SPDX-License-Identifier: Apache-2.0
// setup - the first account, by the one-time code that only the gateway's terminal shows.
import { el, field, problem, command } from "/dom.js";
import { post } from "/api.js";

export function load(page) {
	page.title("Set up");
	page.part("setup", 1, () => {
		const code = el("input", { id: "setup-code", required: true, autocomplete: "off", spellcheck: "false",
			maxlength: "64" });
		const user = el("input", { id: "user", required: true, autocomplete: "username", maxlength: "64",
			spellcheck: "false" });
		const password = el("input", { id: "password", type: "password", required: true, autocomplete: "new-password",
			minlength: "12",
			maxlength: "128" });
		const again = el("input", { id: "again", type: "password", required: true, autocomplete: "new-password",
			maxlength: "128" });
		const wrong = el("div", { id: "wrong" });
		const go = el("button", { type: "submit", class: "primary" }, "Create the first account");
		async function submit(ev) {
			ev.preventDefault();
			wrong.replaceChildren();
			if (password.value !== again.value) {
				wrong.replaceChildren(problem({ id: "PASSWORD", detail: "The two passwords differ.",
					cure: "type both again" }));
				again.select();
				return;
			}
			go.disabled = true;
			try {
				await page.signedIn(await post("/setup", { code: code.value.trim(), user: user.value,
					password: password.value }));
			} catch (err) {
				wrong.replaceChildren(problem(err));
			} finally {
				go.disabled = false;
			}
		}
		return [el("h1", {}, "Set up this console"),
			el("p", {}, "There is no default account. On the gateway's own terminal, this prints a code that works once:"),
			command("fotagate console setup-code"),
			el("form", { class: "stack", onsubmit: submit }, field("One-time code", code), field("User", user),
				field("Password", password,
					"12 characters at least, 15 or more are better; any characters, paste is fine."),
				field("Password again", again), wrong, el("p", { class: "buttons" }, go)),
			el("p", {}, el("a", { href: "/sign-in" }, "To the sign-in"))];
	}, "stack");
}
