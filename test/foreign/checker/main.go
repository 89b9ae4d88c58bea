// Judges what Itemtrail writes, with libraries that are not its own. Exit 0: accepted; 1: refused, with the reason.
//
//	checker fsck <log folder> <vkey>                          Tessera derives every tile and the root again
//	checker inclusion <checkpoint> <vkey> <index> <entry> <hash>...    x/mod opens the note and checks the path
//	checker consistency <checkpoint> <vkey> <size> <root> <hash>...    x/mod checks that the log began with another
package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("accepted")
}

func run(command string, args []string) error {
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	if command == "fsck" {
		fetcher := &client.FileFetcher{Root: args[0]}
		return fsck.New(verifier.Name(), verifier, fetcher, leafHashes, fsck.Opts{N: 2}).Check(context.Background())
	}
	tree, err := openCheckpoint(args[0], verifier)
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	path, err := hashes(args[4:])
	if err != nil {
		return err
	}
	switch command {
	case "inclusion":
		return tlog.CheckRecord(path, tree.N, tree.Hash, number, tlog.RecordHash([]byte(args[3])))
	case "consistency":
		root, err := hashes(args[3:4])
		if err != nil {
			return err
		}
		return tlog.CheckTree(path, tree.N, tree.Hash, number, root[0])
	}
	return errors.New("command is unknown: " + command)
}

func leafHashes(bundle []byte) ([][]byte, error) {
	entries := &api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var leaves [][]byte
	for _, entry := range entries.Entries {
		leaves = append(leaves, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return leaves, nil
}

func openCheckpoint(file string, verifier note.Verifier) (tlog.Tree, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	var size int64
	var origin, root string
	if _, err := fmt.Sscan(opened.Text, &origin, &size, &root); err != nil {
		return tlog.Tree{}, err
	}
	hash, err := hashes([]string{root})
	if err != nil {
		return tlog.Tree{}, err
	}
	return tlog.Tree{N: size, Hash: hash[0]}, nil
}

func hashes(texts []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, text := range texts {
		bytes, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(bytes) != tlog.HashSize {
			return nil, errors.New("hash is not of 32 bytes in base64: " + text)
		}
		all = append(all, tlog.Hash(bytes))
	}
	return all, nil
}
