package main

import (
	"tailscale.com/tka"
	"tailscale.com/types/tkatype"
)

// A scenario: a few places that each keep an authority, and steps on them.
type scenario struct {
	Seeds  [][]byte // of Ed25519 keys, which steps name by their number
	Folder string   // where authorities that are kept in a folder lie
	Steps  []step
}

// A step. Which fields it has depends on what it does:
//
//	create    At, Kept, AUM, Signers     makes the checkpoint AUM.State and starts an authority with it
//	bootstrap At, Kept, Bytes            starts an authority with an update made elsewhere
//	build     At, Signers (none or one), Changes     what the package's builder makes of changes
//	make      AUM, Signers               an update of just these fields
//	cosign    Bytes, Signers             more signatures under an update
//	revoke    At, Keys, Ours, Fork, Signers          a retroactive revocation
//	inform    At, All                    offers updates, decoded from bytes
//	sync      At, With                   both exchange what the other lacks
//	age       At, Old                    these updates were committed a month ago, all others now
//	compact   At, Chain                  with a least age of two weeks
//	reopen    At                         opens the authority again from where it is kept
//	adopt     At, Copy                   goes on with the asker's folder of the authority, a copy of which it
//	                                     left as asked-COPY; our own is left as told-COPY
//	litter    At, Text, Bytes            writes a file into the folder of the authority, removes it without Bytes
//	show      Bytes                      decodes an update
//	sign      NKS, Signer                a node-key signature of just these fields
//	rotate    Bytes, Node, Signers       signs a new node key with what an old signature allows
//	wrapped   Bytes, Node, Signers       signs a node key by a credential
//	look      Bytes                      decodes a node-key signature
//	judge     At, Node, Bytes            whether a signature lets a node in
//	filter    At, Peers                  which peers are dropped
//	disable   At, Bytes                  whether a secret is one that switches the lock off
//	authkey   Text                       takes a wrapped auth key apart
//	link      At, Link                   makes a device-signing link
//	follow    At, Text                   checks one
type step struct {
	Do      string
	At      int
	With    int
	Kept    string // "memory" or "folder"
	AUM     *tka.AUM
	Signers []int
	Bytes   []byte
	All     [][]byte
	Changes []change
	Keys    [][]byte
	Ours    int
	Fork    []byte
	Old     [][]byte
	Chain   int
	Copy    int
	NKS     *tka.NodeKeySignature
	Node    []byte
	Peers   []peer
	Text    string
	Link    *tka.NewDeeplinkParams

	// What the asker made, missing where it made nothing.
	Made [][]byte
	// Of a sync: what each side of the asker offered, and what it gave for the offer of the other.
	Offers []offer
	Gave   [][][]byte
}

// One change for the builder; the first field that is there counts.
type change struct {
	Add    *tka.Key
	Remove []byte
	Of     []byte // the key that Votes or Meta are for
	Votes  *uint
	Meta   map[string]string
}

type peer struct {
	Node      []byte
	Signature []byte
	APIOnly   bool // UnsignedPeerAPIOnly
}

type offer struct {
	Head      []byte
	Ancestors [][]byte
}

// What is seen of a step. `Why` is for people; all else is to be the same on both sides, except of
// what an offer names besides its head.
type seen struct {
	OK     bool
	Why    string `json:",omitempty"`
	Each   []bool `json:",omitempty"` // for each of several, whether it went
	Made   [][]byte
	Stands []stand    // the authorities the step is about, after it
	Offers []offer    `json:",omitempty"`
	Gave   [][][]byte `json:",omitempty"` // for the asker's offers
	Shown  *shown     `json:",omitempty"`
	Parts  []string   `json:",omitempty"`
	Before [][]byte   `json:",omitempty"` // of a judged rotation: the node keys before, newest first
}

// How an authority stands.
type stand struct {
	Head   []byte
	Oldest []byte
	Last   []byte // the stored last active ancestor
	Keys   []tka.Key
	ID1    uint64
	ID2    uint64
	Stored [][]byte // in order
	Heads  [][]byte // in order
}

// What is read out of bytes.
type shown struct {
	Canonical []byte
	Hash      []byte `json:",omitempty"`
	SigHash   []byte
	Valid     bool          // of an update: whether it is one by itself
	Parent    []byte        `json:",omitempty"`
	KeyID     tkatype.KeyID `json:",omitempty"` // of a node-key signature: whose it is
	Wrapping  []byte        `json:",omitempty"`
}
