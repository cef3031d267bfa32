// SPDX-License-Identifier: Apache-2.0
// log - the audit log as this browser reads and reckons it: tiles and checkpoints (c2sp.org/tlog-tiles,
// tlog-checkpoint, signed-note), hashes of RFC 6962 by WebCrypto. No word of the server is taken for a hash.
import { file } from "/api.js";

const WIDTH = 256;
const text = new TextDecoder();
const utf8 = new TextEncoder();

export function hex(b) {
	return Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
}

function unbase64(s) {
	return Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
}

export async function sha256(...pieces) {
	const all = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const p of pieces) {
		all.set(p, at);
		at += p.length;
	}
	return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

// Of a text, as digits.
export async function hashed(words) {
	return hex(await sha256(utf8.encode(words)));
}

const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1);

export function leaf(entry) {
	return sha256(LEAF, entry);
}

function same(a, b) {
	return a.length === b.length && a.every((x, i) => x === b[i]);
}

// ---- checkpoints ----

// { note, text, origin, size, root, signatures: [{ name, id, bytes }] }; throws what is wrong with it.
function checkpoint(note) {
	const blank = note.lastIndexOf("\n\n");
	const body = note.slice(0, blank + 1);
	const [origin, size, root, ...rest] = body.split("\n");
	if (blank < 0 || !origin || !/^(0|[1-9][0-9]{0,14})$/.test(size) || rest.some((l) => l && l.length > 1000))
		throw new Error("The checkpoint is malformed.");
	const signatures = note.slice(blank + 2).split("\n").filter(Boolean).map((line) => {
		const m = /^\u2014 (\S+) (\S+)$/u.exec(line);
		const bytes = m && unbase64(m[2]);
		if (!bytes || bytes.length < 5)
			throw new Error("A signature line of the checkpoint is malformed.");
		return { name: m[1], id: hex(bytes.slice(0, 4)), bytes: bytes.slice(4) };
	});
	const hash = unbase64(root || "");
	if (hash.length !== 32)
		throw new Error("The checkpoint is malformed.");
	return { note, text: body, origin, size: Number(size), root: hash, signatures };
}

export async function head() {
	const bytes = await file("/audit/files/checkpoint");
	if (!bytes)
		throw new Error("The log has no checkpoint yet.");
	return checkpoint(text.decode(bytes));
}

// Whether a verifier key (name+id+base64) signed it: true, false, or null where this browser cannot tell.
async function signedBy(cp, vkey) {
	const m = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(vkey.trim());
	const key = m && unbase64(m[3]);
	if (!key || key.length !== 33 || key[0] !== 1)
		throw new Error("That is no verifier key: name+8 digits+base64.");
	const id = hex((await sha256(utf8.encode(m[1] + "\n"), key)).slice(0, 4));
	if (id !== m[2])
		throw new Error("The verifier key's number does not fit its key.");
	const line = cp.signatures.find((s) => s.name === m[1] && s.id === id);
	if (!line)
		return false;
	try {
		const pub = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
		return await crypto.subtle.verify({ name: "Ed25519" }, pub, line.bytes, utf8.encode(cp.text));
	} catch {
		return null;
	}
}

// ---- tiles ----

export function digits(n) {
	const groups = [];
	do {
		groups.unshift(String(n % 1000).padStart(3, "0"));
		n = Math.floor(n / 1000);
	} while (n > 0);
	return groups.map((g, i) => (i < groups.length - 1 ? "x" + g : g)).join("/");
}

const whole = new Map(); // full bundles never change

// Entries of a bundle as bytes, or null where the log has grown past it.
async function bundle(index, size) {
	const width = Math.min(WIDTH, size - index * WIDTH);
	if (whole.has(index))
		return whole.get(index).slice(0, width);
	const bytes = await file(`/audit/files/tile/entries/${digits(index)}${width < WIDTH ? `.p/${width}` : ""}`);
	if (!bytes)
		return null;
	const all = [];
	for (let at = 0; at < bytes.length;) {
		const n = bytes[at] * 256 + bytes[at + 1];
		if (!(at + 2 + n <= bytes.length))
			throw new Error(`Entry bundle ${index} is cut off.`);
		all.push(bytes.slice(at + 2, at + 2 + n));
		at += 2 + n;
	}
	if (all.length !== width)
		throw new Error(`Entry bundle ${index} has ${all.length} entries, not ${width}.`);
	if (width === WIDTH && whole.size < 64)
		whole.set(index, all);
	return all;
}

function read(bytes, seq) {
	try {
		const e = JSON.parse(text.decode(bytes));
		return { ...e, seq, raw: text.decode(bytes) };
	} catch {
		return { seq, ev: "unreadable", raw: text.decode(bytes), out: "", t: "" };
	}
}

// The latest entries first, below `before` or from the end. take(entry): true to keep it. Stops at `want` kept ones,
// after `bundles` bundles, or where stop(entry). { entries, next (where it stopped; 0: all was seen), size }
export async function back({ before = null, want = 100, bundles = 16, take = () => true, stop = () => false }) {
	for (let tries = 0; tries < 5; tries++) {
		const size = (await head()).size;
		let at = before === null ? size : Math.min(before, size), seen = 0, moved = false;
		const entries = [];
		while (at > 0 && entries.length < want && seen++ < bundles) {
			const index = Math.floor((at - 1) / WIDTH);
			const all = await bundle(index, size);
			if (!all) {
				moved = true;
				break;
			}
			for (let i = at - 1 - index * WIDTH; i >= 0 && entries.length < want; i--) {
				const e = read(all[i], index * WIDTH + i);
				at = e.seq;
				if (stop(e))
					return { entries, next: 0, size };
				if (take(e))
					entries.push(e);
			}
		}
		if (!moved)
			return { entries, next: at, size };
	}
	throw new Error("The log grows faster than this page can read it; try again.");
}

// ---- the tree ----

// The root of 2^k hashes.
export async function fold(hashes) {
	while (hashes.length > 1) {
		const up = [];
		for (let i = 0; i < hashes.length; i += 2)
			up.push(sha256(NODE, hashes[i], hashes[i + 1]));
		hashes = await Promise.all(up);
	}
	return hashes[0];
}

// Complete subtrees from the left, each larger than the next: what an append-only tree is known by.
class Range {
	constructor(peaks = []) {
		this.peaks = peaks;
	}

	copy() {
		return new Range([...this.peaks]);
	}

	async add(hashes) {
		for (let at = 0; at < hashes.length;) {
			let size = 1;
			while (size * 2 <= hashes.length - at)
				size *= 2;
			let node = { size, hash: await fold(hashes.slice(at, at + size)) };
			at += size;
			while (this.peaks.length && this.peaks.at(-1).size === node.size) {
				const left = this.peaks.pop();
				node = { size: 2 * node.size, hash: await sha256(NODE, left.hash, node.hash) };
			}
			this.peaks.push(node);
		}
	}

	async root() {
		if (!this.peaks.length)
			return sha256();
		let hash = this.peaks.at(-1).hash;
		for (let i = this.peaks.length - 2; i >= 0; i--)
			hash = await sha256(NODE, this.peaks[i].hash, hash);
		return hash;
	}
}

// Reads every entry and reckons the root. before: { size, root hex } that was seen earlier, or null.
// { cp, root, fits, before: true, false or null, odd: entries that do not say their own place, vkey, signed }
// each(entries, their hashes, number of the bundle), from the first again where the log was growing too fast.
export async function verify(before, vkey, progress, each = () => {}) {
	for (let tries = 0; tries < 5; tries++) {
		const cp = await head();
		const range = new Range();
		let held = null, odd = 0, own = "", moved = false;
		for (let index = 0; index * WIDTH < cp.size; index++) {
			const all = await bundle(index, cp.size);
			if (!all) {
				moved = true;
				break;
			}
			const hashes = await Promise.all(all.map(leaf));
			const first = index * WIDTH;
			if (before && before.size > first && before.size <= first + all.length) {
				const then = range.copy();
				await then.add(hashes.slice(0, before.size - first));
				held = hex(await then.root()) === before.root;
			}
			await range.add(hashes);
			all.forEach((bytes, i) => {
				const e = read(bytes, first + i);
				if (!e.raw.includes(`"seq":${e.seq},`))
					odd++;
				if (e.seq === 0 && e.doc)
					own = genesisKey(e.doc);
			});
			await each(all, hashes, index);
			progress(first + all.length, cp.size);
		}
		if (moved)
			continue;
		const root = await range.root();
		const key = vkey || own;
		return { cp, root, fits: same(root, cp.root), before: before ? (before.size > cp.size ? false : held) : null, odd,
			vkey: key,
			signed: key ? await signedBy(cp, key) : false };
	}
	throw new Error("The log grows faster than this page can read it; try again.");
}

function genesisKey(doc) {
	try {
		return JSON.parse(doc).predicate.log || "";
	} catch {
		return "";
	}
}

// ---- proofs ----

// Whether a receipt (c2sp.org/tlog-proof) leads from the entry to the root in its own checkpoint: RFC 9162, 2.1.3.2.
export async function included(entry, receipt) {
	const lines = receipt.split("\n");
	const blank = lines.indexOf("");
	const at = lines.findIndex((l) => l.startsWith("index "));
	const cp = checkpoint(lines.slice(blank + 1).join("\n"));
	const proof = lines.slice(at + 1, blank).map(unbase64);
	const index = Number(lines[at].slice(6));
	let fn = BigInt(index), sn = BigInt(cp.size) - 1n, r = await leaf(utf8.encode(entry));
	if (lines[0] !== "c2sp.org/tlog-proof@v1" || fn > sn)
		return { cp, index, good: false };
	for (const p of proof) {
		if (sn === 0n)
			return { cp, index, good: false };
		if (fn & 1n || fn === sn) {
			r = await sha256(NODE, p, r);
			while (fn !== 0n && !(fn & 1n)) {
				fn >>= 1n;
				sn >>= 1n;
			}
		} else {
			r = await sha256(NODE, r, p);
		}
		fn >>= 1n;
		sn >>= 1n;
	}
	return { cp, index, good: sn === 0n && same(r, cp.root) };
}
