// Verifies a registry's log with Go's own verifiers of signed notes and Merkle trees: the checkpoint's signature, that an
// older tree is its beginning, and every entry against the tree, through the tiles and through the proofs of the API.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proof struct {
	RootHash string   `json:"root_hash"`
	Hashes   []string `json:"hashes"`
}

func main() {
	base, key, older := os.Args[1], os.Args[2], parse(strconv.ParseInt(os.Args[3], 10, 64))
	verifier := parse(note.NewVerifier(key))
	opened := parse(note.Open(get(base+"/audit/checkpoint"), note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		fail("the origin is %q and the key's name %q", lines[0], verifier.Name())
	}
	size := parse(strconv.ParseInt(lines[1], 10, 64))
	tree := tlog.Tree{N: size, Hash: hashOf(parse(base64.StdEncoding.DecodeString(lines[2])))}

	consistency := readProof(fmt.Sprintf("%s/audit/proofs/consistency?from=%d&to=%d", base, older, size))
	olderRoot := readProof(fmt.Sprintf("%s/audit/proofs/consistency?from=0&to=%d", base, older)).RootHash
	check(tlog.CheckTree(hashesOf(consistency), size, tree.Hash, older, hashOf(parse(hex.DecodeString(olderRoot)))))

	reader := tlog.TileHashReader(tree, tileReader{base})
	var indexes []int64
	for n := int64(0); n < size; n++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, n))
	}
	leaves := parse(reader.ReadHashes(indexes))
	for n := int64(0); n < size; n += 256 {
		width := min(256, size-n)
		path := tlog.Tile{H: 8, L: 0, N: n / 256, W: int(width)}.Path()
		bundle := get(base + "/audit/tile/entries/" + strings.TrimPrefix(path, "tile/8/0/"))
		for at := n; at < n+width; at++ {
			length := int(bundle[0])<<8 | int(bundle[1])
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			if tlog.RecordHash(entry) != leaves[at] {
				fail("entry %d is not the one of the tree", at+1)
			}
		}
	}
	inclusion := readProof(fmt.Sprintf("%s/audit/proofs/inclusion?seq=%d&size=%d", base, older, size))
	check(tlog.CheckRecord(hashesOf(inclusion), size, tree.Hash, older-1, leaves[older-1]))
	fmt.Printf("verified %d entries\n", size)
}

type tileReader struct{ base string }

func (r tileReader) Height() int { return 8 }

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		data = append(data, get(r.base+"/audit/tile/"+strings.TrimPrefix(tile.Path(), "tile/8/")))
	}
	return data, nil
}

func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func readProof(url string) proof {
	var p proof
	check(json.Unmarshal(get(url), &p))
	return p
}

func hashesOf(p proof) []tlog.Hash {
	var hashes []tlog.Hash
	for _, text := range p.Hashes {
		hashes = append(hashes, hashOf(parse(hex.DecodeString(text))))
	}
	return hashes
}

func hashOf(bytes []byte) tlog.Hash {
	var hash tlog.Hash
	copy(hash[:], bytes)
	return hash
}

func get(url string) []byte {
	response := parse(http.Get(url))
	defer response.Body.Close()
	body := parse(io.ReadAll(response.Body))
	if response.StatusCode != 200 {
		fail("%s answers %d: %s", url, response.StatusCode, body)
	}
	return body
}

func parse[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
