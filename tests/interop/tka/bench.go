package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/hdevalence/ed25519consensus"
	"tailscale.com/tka"
	"tailscale.com/types/key"
)

// `go run . bench` measures the package for the benchmark of `lock`. It reads a chain, each update in
// base64 on a line of its own, a checkpoint signed by the key of seed 01… first; and prints lines of a
// name and a number of nanoseconds:
//
//	sign     a bare Ed25519 signature over 32 bytes
//	verify   a bare check of it, by the function that the package uses
//	endorse  a direct signature by the key of seed 01… for the node key 03…, which the key of seed 02… may
//	         rotate; with its encoding
//	judge    whether the authority of the first update lets that node in, with the decoding
//	chain    the whole chain decoded and taken in by an authority that has the first update
//
// Each is the best of several runs, because other work on the machine only ever adds time.
func bench(in io.Reader, out io.Writer) {
	var chain [][]byte
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		update, err := base64.StdEncoding.DecodeString(lines.Text())
		must(err)
		chain = append(chain, update)
	}
	must(lines.Err())
	report := func(name string, runs int, work func()) {
		fmt.Fprintln(out, name, best(runs, work))
	}

	secret := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	public := secret.Public().(ed25519.PublicKey)
	digest := bytes.Repeat([]byte{0x5a}, 32)
	var signature []byte
	report("sign", 6000, func() { signature = ed25519.Sign(secret, digest) })
	report("verify", 6000, func() {
		if !ed25519consensus.Verify(public, digest, signature) {
			panic("refused")
		}
	})

	private := lockKey(secret)
	node := nodeKey(bytes.Repeat([]byte{3}, 32))
	rotation := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public().(ed25519.PublicKey)
	var endorsement []byte
	report("endorse", 6000, func() { endorsement = endorse(private, node, rotation) })
	authority, _ := begun(chain[0])
	report("judge", 6000, func() { must(authority.NodeKeyAuthorized(node, endorsement)) })

	report("chain", 30, func() {
		authority, storage := begun(chain[0])
		updates := make([]tka.AUM, len(chain)-1)
		for i, update := range chain[1:] {
			must(updates[i].Unserialize(update))
		}
		must(authority.Inform(storage, updates))
	})
}

// An authority that has its first update.
func begun(first []byte) (*tka.Authority, *tka.Mem) {
	var genesis tka.AUM
	must(genesis.Unserialize(first))
	storage := tka.ChonkMem()
	authority, err := tka.Bootstrap(storage, genesis)
	must(err)
	return authority, storage
}

// A direct signature, as the daemon makes it (signNodeKey of ipn/ipnlocal).
func endorse(private key.NLPrivate, node key.NodePublic, rotation ed25519.PublicKey) []byte {
	binary, err := node.MarshalBinary()
	must(err)
	signature := tka.NodeKeySignature{
		SigKind:        tka.SigDirect,
		KeyID:          private.KeyID(),
		Pubkey:         binary,
		WrappingPubkey: rotation,
	}
	signature.Signature, err = private.SignNKS(signature.SigHash())
	must(err)
	return signature.Serialize()
}

// The shortest of so many runs, in nanoseconds.
func best(runs int, work func()) int64 {
	shortest := int64(1) << 62
	for range runs {
		start := time.Now()
		work()
		shortest = min(shortest, time.Since(start).Nanoseconds())
	}
	return shortest
}

func must(err error) {
	if err != nil {
		fail(err)
	}
}
