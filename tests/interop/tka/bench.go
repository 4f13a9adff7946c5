package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"time"

	"github.com/hdevalence/ed25519consensus"
	"tailscale.com/tka"
	"tailscale.com/types/key"
)

// `go run . bench` prints one line of JSON for the benchmark of `lock`, all times in nanoseconds:
//
//	{"Sign": …, "Verify": …,      a bare Ed25519 signature of 32 bytes, and the check that the package uses
//	 "Endorse": …, "Judge": …,    a direct node-key signature with a rotation key: made, and asked about
//	 "Chain": …, "Head": "…"}     1,938 updates offered to an authority at their genesis; their head
//
// The chain: a genesis with one key (seed 01…, one vote, one disablement value of bytes a5, state IDs 1
// and 2), then 1,900 times the builder's update with that key: a key (seed 02…, one vote) added
// and removed in turn. The builder puts a checkpoint behind every fiftieth. Who makes the same chain
// arrives at the same head.
//
// Each time is the best of several runs, because other work on the machine only ever adds.
func bench(out io.Writer) {
	secret := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	public := secret.Public().(ed25519.PublicKey)
	authority, storage, genesis := benchGenesis(secret)
	var figures struct {
		Sign, Verify, Endorse, Judge, Chain int64
		Head                                string
	}

	digest := bytes.Repeat([]byte{0x5a}, 32)
	var signature []byte
	figures.Sign = best(2000, func() { signature = ed25519.Sign(secret, digest) })
	figures.Verify = best(2000, func() {
		if !ed25519consensus.Verify(public, digest, signature) {
			panic("refused")
		}
	})

	node := nodeKey(bytes.Repeat([]byte{0xa1}, 32))
	rotation := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32)).Public().(ed25519.PublicKey)
	private := lockKey(secret)
	var endorsement []byte
	figures.Endorse = best(2000, func() { endorsement = endorse(private, node, rotation) })
	figures.Judge = best(2000, func() {
		if err := authority.NodeKeyAuthorized(node, endorsement); err != nil {
			panic(err)
		}
	})

	other := tka.Key{Kind: tka.Key25519, Votes: 1, Public: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public().(ed25519.PublicKey)}
	var chain []tka.AUM
	for i := range 1900 {
		builder := authority.NewUpdater(private)
		var err error
		if i%2 == 0 {
			err = builder.AddKey(other)
		} else {
			err = builder.RemoveKey(other.MustID())
		}
		must(err)
		updates, err := builder.Finalize(storage)
		must(err)
		must(authority.Inform(storage, updates))
		chain = append(chain, updates...)
	}
	figures.Head = authority.Head().String()
	if len(chain) != 1938 {
		panic("the builder has other rules")
	}
	figures.Chain = best(5, func() {
		storage := tka.ChonkMem()
		authority, err := tka.Bootstrap(storage, genesis)
		must(err)
		must(authority.Inform(storage, chain))
		if authority.Head().String() != figures.Head {
			panic("another head")
		}
	})
	must(json.NewEncoder(out).Encode(figures))
}

func benchGenesis(secret ed25519.PrivateKey) (*tka.Authority, *tka.Mem, tka.AUM) {
	storage := tka.ChonkMem()
	state := tka.State{
		DisablementValues: [][]byte{bytes.Repeat([]byte{0xa5}, 32)},
		Keys:              []tka.Key{{Kind: tka.Key25519, Votes: 1, Public: secret.Public().(ed25519.PublicKey)}},
		StateID1:          1,
		StateID2:          2,
	}
	authority, genesis, err := tka.Create(storage, state, lockKey(secret))
	must(err)
	return authority, storage, genesis
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
