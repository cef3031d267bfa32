// SPDX-License-Identifier: Apache-2.0

// tlogcheck judges a fotagate log with code that is not fotagate's: Debian's
// golang.org/x/mod/sumdb/{note,tlog} (package golang-golang-x-mod-dev).
//
//	GO111MODULE=off GOFLAGS= GOPATH=/usr/share/gocode go run tlogcheck.go ...
//
//	tlogcheck VKEY checkpoint FILE       signature and form of a checkpoint
//	tlogcheck VKEY receipt FILE [ENTRY]  a .tlog-proof; without ENTRY the entry it carries
//	tlogcheck VKEY export DIR            entries.jsonl and, if there, tile/ against checkpoint
//
// Prints one line starting with "ok" and exits 0, or says why not and exits 1.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "tlogcheck: "+format+"\n", args...)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err)
	return data
}

func hash(text string) tlog.Hash {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		fail("not a hash: %q", text)
	}
	var h tlog.Hash
	copy(h[:], raw)
	return h
}

// openCheckpoint returns size and root of a checkpoint that the key signed
// under its own name.
func openCheckpoint(vkey string, data []byte) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	n, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		fail("checkpoint of %d lines", len(lines)-1)
	}
	if lines[0] != verifier.Name() {
		fail("origin %q is not %q", lines[0], verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		fail("size %q", lines[1])
	}
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

func checkReceipt(vkey string, data, entry []byte) {
	parts := strings.SplitN(string(data), "\n\n", 2)
	if len(parts) != 2 {
		fail("receipt without an empty line")
	}
	lines := strings.Split(parts[0], "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("not a tlog-proof: %q", lines[0])
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		extra, err := base64.StdEncoding.DecodeString(lines[0][len("extra "):])
		check(err)
		if entry == nil {
			entry = extra
		}
		lines = lines[1:]
	}
	if !strings.HasPrefix(lines[0], "index ") {
		fail("no index: %q", lines[0])
	}
	index, err := strconv.ParseInt(lines[0][len("index "):], 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		proof = append(proof, hash(line))
	}
	tree := openCheckpoint(vkey, []byte(parts[1]))
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
	fmt.Printf("ok: entry %d is in the tree of %d\n", index, tree.N)
}

// stored holds the hashes of a growing tree in tlog's own order.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", at)
		}
		out[i] = s[at]
	}
	return out, nil
}

// path is where tlog-tiles puts a tile: as tlog does, without the height.
func path(dir string, t tlog.Tile, entries bool) string {
	rest := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if entries {
		rest = "entries" + rest[strings.Index(rest, "/"):]
	}
	return filepath.Join(dir, "tile", rest)
}

func checkTiles(dir string, size int64, hashes stored, entries [][]byte) int {
	seen := 0
	for _, t := range tlog.NewTiles(tileHeight, 0, size) {
		left := size>>(uint(tileHeight*t.L)) - t.N<<tileHeight
		if left > 1<<tileHeight {
			left = 1 << tileHeight
		}
		if int64(t.W) != left {
			continue // a narrower form of the same tile, from an earlier size
		}
		want, err := tlog.ReadTileData(t, hashes)
		check(err)
		if !bytes.Equal(read(path(dir, t, false)), want) {
			fail("%s differs", path(dir, t, false))
		}
		seen++
		if t.L != 0 {
			continue
		}
		var bundle []byte
		for i := t.N << tileHeight; i < t.N<<tileHeight+int64(t.W); i++ {
			var n [2]byte
			binary.BigEndian.PutUint16(n[:], uint16(len(entries[i])))
			bundle = append(append(bundle, n[:]...), entries[i]...)
		}
		if !bytes.Equal(read(path(dir, t, true)), bundle) {
			fail("%s differs", path(dir, t, true))
		}
		seen++
	}
	return seen
}

func checkExport(vkey, dir string) {
	tree := openCheckpoint(vkey, read(filepath.Join(dir, "checkpoint")))
	entries := bytes.Split(read(filepath.Join(dir, "entries.jsonl")), []byte("\n"))
	if len(entries[len(entries)-1]) != 0 {
		fail("entries.jsonl does not end in a line end")
	}
	entries = entries[:len(entries)-1]
	if int64(len(entries)) != tree.N {
		fail("%d entries, the checkpoint says %d", len(entries), tree.N)
	}
	var hashes stored
	for i, entry := range entries {
		more, err := tlog.StoredHashes(int64(i), entry, hashes)
		check(err)
		hashes = append(hashes, more...)
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	check(err)
	if root != tree.Hash {
		fail("the entries hash to %v, the checkpoint says %v", root, tree.Hash)
	}
	tiles := 0
	if _, err := os.Stat(filepath.Join(dir, "tile")); err == nil {
		tiles = checkTiles(dir, tree.N, hashes, entries)
	}
	fmt.Printf("ok: %d entries and %d tile files hash to the signed root\n", tree.N, tiles)
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 3 && args[1] == "checkpoint":
		tree := openCheckpoint(args[0], read(args[2]))
		fmt.Printf("ok: tree of %d, root %v\n", tree.N, tree.Hash)
	case len(args) == 3 && args[1] == "receipt":
		checkReceipt(args[0], read(args[2]), nil)
	case len(args) == 4 && args[1] == "receipt":
		checkReceipt(args[0], read(args[2]), read(args[3]))
	case len(args) == 3 && args[1] == "export":
		checkExport(args[0], args[2])
	default:
		fail("usage: tlogcheck VKEY checkpoint|receipt|export ...")
	}
}
