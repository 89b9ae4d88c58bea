// Judges a proof, whose extra data is the entry, by a policy file, with filippo.io/torchwood.
// Exit 0: accepted; 1: refused, with the reason.
//
//	torchwood <policy file> <proof file> <entry file>
package main

import (
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("accepted")
}

func run(policyFile, proofFile, entryFile string) error {
	text, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	policy, err := torchwood.ParsePolicy(text)
	if err != nil {
		return err
	}
	proof, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return err
	}
	extra, err := torchwood.ProofExtraData(proof)
	if err != nil {
		return err
	}
	if string(extra) != string(entry) {
		return fmt.Errorf("extra is another entry")
	}
	return torchwood.VerifyProof(policy, tlog.RecordHash(entry), proof)
}
