package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
	"go4.org/mem"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
	"tailscale.com/types/tkatype"
)

const (
	leastAge = 14 * 24 * time.Hour
	longAgo  = 30 * 24 * time.Hour
)

// Where scenarios take place.
type engine struct {
	folder string
	keys   []ed25519.PrivateKey
	places map[int]*place
}

// An authority and where it is kept.
type place struct {
	authority *tka.Authority
	storage   tka.CompactableChonk
	folder    string        // missing for one in memory
	old       *agedInMemory // missing for one in a folder
}

// The package's own store in memory, except that some updates were committed long ago.
type agedInMemory struct {
	*tka.Mem
	old map[tka.AUMHash]bool
}

func (c *agedInMemory) CommitTime(hash tka.AUMHash) (time.Time, error) {
	at, err := c.Mem.CommitTime(hash)
	if c.old[hash] {
		at = at.Add(-longAgo)
	}
	return at, err
}

func (c *agedInMemory) PurgeAUMs(hashes []tka.AUMHash) error {
	for _, hash := range hashes {
		delete(c.old, hash)
	}
	return c.Mem.PurgeAUMs(hashes)
}

func (asked scenario) run() []seen {
	e := engine{folder: asked.Folder, places: map[int]*place{}}
	for _, seed := range asked.Seeds {
		e.keys = append(e.keys, ed25519.NewKeyFromSeed(seed))
	}
	all := make([]seen, 0, len(asked.Steps))
	for _, step := range asked.Steps {
		all = append(all, e.guarded(step))
	}
	return all
}

func lockKey(secret ed25519.PrivateKey) (private key.NLPrivate) {
	if err := private.UnmarshalText([]byte("nlpriv:" + hex.EncodeToString(secret))); err != nil {
		fail(err)
	}
	return private
}

// A step that stops the package is seen as refused, with the reason.
func (e *engine) guarded(step step) (result seen) {
	defer func() {
		if reason := recover(); reason != nil {
			result = seen{Why: fmt.Sprintf("panic: %v", reason)}
		}
	}()
	var err error
	if result, err = e.do(step); err != nil {
		result.Why = err.Error()
	} else {
		result.OK = true
	}
	if step.Do == "reopen" && !result.OK {
		return result // what is kept cannot be read
	}
	for _, at := range step.about() {
		if place := e.places[at]; place != nil && place.authority != nil {
			result.Stands = append(result.Stands, place.stand())
		}
	}
	return result
}

// The authorities whose standing a step may change.
func (s step) about() []int {
	switch s.Do {
	case "create", "bootstrap", "inform", "compact", "reopen", "adopt":
		return []int{s.At}
	case "sync":
		return []int{s.At, s.With}
	}
	return nil
}

func (e *engine) do(step step) (seen, error) {
	switch step.Do {
	case "create", "bootstrap":
		return e.start(step)
	case "build":
		return e.build(step)
	case "make", "cosign":
		return e.makeAUM(step)
	case "revoke":
		return e.revoke(step)
	case "inform":
		return seen{}, e.places[step.At].inform(step.All)
	case "sync":
		return e.sync(step)
	case "age":
		return seen{}, e.places[step.At].age(step.Old)
	case "compact":
		place := e.places[step.At]
		options := tka.CompactionOptions{MinChain: step.Chain, MinAge: leastAge}
		return seen{}, place.authority.Compact(place.storage, options)
	case "reopen":
		return seen{}, e.places[step.At].reopen()
	case "adopt":
		return seen{}, e.adopt(step)
	case "litter":
		return seen{}, e.places[step.At].litter(step.Text, step.Bytes)
	case "show":
		return showAUM(step.Bytes)
	case "sign", "rotate", "wrapped":
		return e.sign(step)
	case "look":
		return showNKS(step.Bytes)
	case "judge":
		return e.judge(step)
	case "filter":
		return e.filter(step)
	case "disable":
		if !e.places[step.At].authority.ValidDisablement(step.Bytes) {
			return seen{}, errors.New("no such secret")
		}
		return seen{}, nil
	case "authkey":
		return takeApart(step.Text)
	case "link":
		text, err := e.places[step.At].authority.NewDeeplink(*step.Link)
		if err != nil {
			return seen{}, err
		}
		return seen{Parts: []string{text}}, nil
	case "follow":
		return e.follow(step)
	}
	return seen{}, fmt.Errorf("no such step: %s", step.Do)
}

// Starts an authority, with a checkpoint of its own or one that is given.
func (e *engine) start(step step) (seen, error) {
	var made [][]byte
	given := step.Bytes
	if step.Do == "create" {
		genesis := *step.AUM
		if err := e.signAUM(&genesis, step.Signers); err != nil {
			return seen{}, err
		}
		made = [][]byte{genesis.Serialize()}
		given = chosen(made, step.Made)[0]
	}
	result := seen{Made: made}
	var first tka.AUM
	if err := first.Unserialize(given); err != nil {
		return result, err
	}
	place := new(place)
	e.places[step.At] = place
	if step.Kept == "folder" {
		place.folder = filepath.Join(e.folder, "ours-"+strconv.Itoa(step.At))
	} else {
		place.old = &agedInMemory{tka.ChonkMem(), map[tka.AUMHash]bool{}}
	}
	var err error
	if place.storage, err = place.open(); err != nil {
		return result, err
	}
	place.authority, err = tka.Bootstrap(place.storage, first)
	return result, err
}

// The store of a place, with nothing remembered of it.
func (p *place) open() (tka.CompactableChonk, error) {
	if p.folder != "" {
		return tka.ChonkDir(p.folder)
	}
	return p.old, nil
}

func (p *place) reopen() error {
	storage, err := p.open()
	if err != nil {
		return err
	}
	authority, err := tka.Open(storage)
	if err != nil {
		return err
	}
	p.storage, p.authority = storage, authority
	return nil
}

// Leaves a copy of the folder for the asker, and goes on with the one that it left.
func (e *engine) adopt(step step) error {
	place := e.places[step.At]
	left := filepath.Join(e.folder, fmt.Sprintf("told-%d", step.Copy))
	if err := os.CopyFS(left, os.DirFS(place.folder)); err != nil {
		return err
	}
	place.folder = filepath.Join(e.folder, fmt.Sprintf("asked-%d", step.Copy))
	return place.reopen()
}

// Writes or removes a file of the folder, as a broken program or a person might.
func (p *place) litter(name string, content []byte) error {
	path := filepath.Join(p.folder, name)
	if content == nil {
		return os.Remove(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// Makes these updates a month old, and all others new.
func (p *place) age(old [][]byte) error {
	all := map[tka.AUMHash]bool{}
	for _, hash := range old {
		all[tka.AUMHash(hash)] = true
	}
	if p.folder == "" {
		p.old.old = all
		return nil
	}
	stored, err := p.storage.AllAUMs()
	if err != nil {
		return err
	}
	for _, hash := range stored {
		at := time.Now()
		if all[hash] {
			at = at.Add(-longAgo)
		}
		if err := rewrite(p.folder, hash, at.Unix()); err != nil {
			return err
		}
	}
	return nil
}

// Writes the record of an update anew, with another time of its commit.
func rewrite(folder string, hash tka.AUMHash, created int64) error {
	name := hash.String()
	path := filepath.Join(folder, name[:2], name)
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var record struct {
		AUM     cbor.RawMessage `cbor:"2,keyasint"`
		Created int64           `cbor:"3,keyasint,omitempty"`
		Purged  int64           `cbor:"4,keyasint,omitempty"`
	}
	// Like the package, with no eye for what follows the record.
	if err := cbor.NewDecoder(bytes.NewReader(content)).Decode(&record); err != nil {
		return err
	}
	record.Created = created
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		return err
	}
	if content, err = mode.Marshal(record); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

func (e *engine) signAUM(aum *tka.AUM, signers []int) error {
	for _, signer := range signers {
		signatures, err := lockKey(e.keys[signer]).SignAUM(aum.SigHash())
		if err != nil {
			return err
		}
		aum.Signatures = append(aum.Signatures, signatures...)
	}
	return nil
}

// What the asker made, where it made something.
func chosen(ours, theirs [][]byte) [][]byte {
	if theirs != nil {
		return theirs
	}
	return ours
}

func (e *engine) build(step step) (seen, error) {
	place := e.places[step.At]
	var signer tka.Signer
	if len(step.Signers) > 0 {
		signer = lockKey(e.keys[step.Signers[0]])
	}
	builder := place.authority.NewUpdater(signer)
	var result seen
	for _, change := range step.Changes {
		var err error
		switch {
		case change.Add != nil:
			err = builder.AddKey(*change.Add)
		case change.Remove != nil:
			err = builder.RemoveKey(change.Remove)
		case change.Votes != nil:
			err = builder.SetKeyVote(change.Of, *change.Votes)
		default:
			err = builder.SetKeyMeta(change.Of, change.Meta)
		}
		result.Each = append(result.Each, err == nil)
	}
	updates, err := builder.Finalize(place.storage)
	if err != nil {
		return result, err
	}
	for _, update := range updates {
		result.Made = append(result.Made, update.Serialize())
	}
	return result, nil
}

func (e *engine) makeAUM(step step) (seen, error) {
	var aum tka.AUM
	if step.Do == "make" {
		aum = *step.AUM
	} else if err := aum.Unserialize(step.Bytes); err != nil {
		return seen{}, err
	}
	err := e.signAUM(&aum, step.Signers)
	return made(aum.Serialize(), err)
}

func (e *engine) revoke(step step) (seen, error) {
	place := e.places[step.At]
	keys := make([]tkatype.KeyID, len(step.Keys))
	for i, id := range step.Keys {
		keys[i] = id
	}
	var fork tka.AUMHash
	copy(fork[:], step.Fork)
	aum, err := place.authority.MakeRetroactiveRevocation(place.storage, keys, lockKey(e.keys[step.Ours]).KeyID(), fork)
	if err != nil {
		return seen{}, err
	}
	err = e.signAUM(aum, step.Signers)
	return made(aum.Serialize(), err)
}

func (p *place) inform(all [][]byte) error {
	updates := make([]tka.AUM, len(all))
	for i, bytes := range all {
		if err := updates[i].Unserialize(bytes); err != nil {
			return fmt.Errorf("decoding %d: %w", i, err)
		}
	}
	return p.authority.Inform(p.storage, updates)
}

// Both sides take what the asker's two sides gave for each other's offers. What is seen besides: our
// own offers, and what ours give for the asker's.
func (e *engine) sync(step step) (seen, error) {
	var result seen
	places := []*place{e.places[step.At], e.places[step.With]}
	for i, place := range places {
		own, err := place.authority.SyncOffer(place.storage)
		if err != nil {
			return result, err
		}
		ancestors := make([][]byte, len(own.Ancestors))
		for i := range own.Ancestors {
			ancestors[i] = own.Ancestors[i][:]
		}
		result.Offers = append(result.Offers, offer{own.Head[:], ancestors})

		of := step.Offers[1-i]
		asked := tka.SyncOffer{Head: tka.AUMHash(of.Head)}
		for _, hash := range of.Ancestors {
			asked.Ancestors = append(asked.Ancestors, tka.AUMHash(hash))
		}
		missing, err := place.authority.MissingAUMs(place.storage, asked)
		if err != nil {
			return result, err
		}
		gave := make([][]byte, len(missing))
		for i := range missing {
			gave[i] = missing[i].Serialize()
		}
		result.Gave = append(result.Gave, gave)
	}
	for i, place := range places {
		if given := step.Gave[1-i]; len(given) > 0 {
			if err := place.inform(given); err != nil {
				return result, err
			}
		}
	}
	return result, nil
}

func (p *place) stand() stand {
	own, err := p.authority.SyncOffer(p.storage)
	if err != nil {
		panic(err)
	}
	last, err := p.storage.LastActiveAncestor()
	if err != nil {
		panic(err)
	}
	var stand stand
	stand.Head = own.Head[:]
	oldest := own.Ancestors[len(own.Ancestors)-1]
	stand.Oldest = oldest[:]
	if last != nil {
		stand.Last = last[:]
	}
	stand.Keys = p.authority.Keys()
	stand.ID1, stand.ID2 = p.authority.StateIDs()
	all, err := p.storage.AllAUMs()
	if err != nil {
		panic(err)
	}
	for _, hash := range all {
		stand.Stored = append(stand.Stored, hash[:])
	}
	heads, err := p.storage.Heads()
	if err != nil {
		panic(err)
	}
	for _, aum := range heads {
		hash := aum.Hash()
		stand.Heads = append(stand.Heads, hash[:])
	}
	slices.SortFunc(stand.Stored, bytes.Compare)
	slices.SortFunc(stand.Heads, bytes.Compare)
	return stand
}

func showAUM(given []byte) (seen, error) {
	var aum tka.AUM
	if err := aum.Unserialize(given); err != nil {
		return seen{}, err
	}
	hash, sigHash := aum.Hash(), aum.SigHash()
	out := &shown{Canonical: aum.Serialize(), Hash: hash[:], SigHash: sigHash[:]}
	err := aum.StaticValidate()
	out.Valid = err == nil
	if parent, ok := aum.Parent(); ok {
		out.Parent = parent[:]
	}
	result := seen{Shown: out}
	if err != nil {
		result.Why = err.Error()
	}
	return result, nil
}

func nodeKey(raw []byte) key.NodePublic {
	return key.NodePublicFromRaw32(mem.B(raw))
}

func (e *engine) sign(step step) (seen, error) {
	private := e.keys[step.Signers[0]]
	switch step.Do {
	case "rotate":
		return made(tka.ResignNKS(lockKey(private), nodeKey(step.Node), step.Bytes))
	case "wrapped":
		var credential tka.NodeKeySignature
		if err := credential.Unserialize(step.Bytes); err != nil {
			return seen{}, err
		}
		return made(tka.SignByCredential(private, &credential, nodeKey(step.Node)))
	}
	signature := *step.NKS
	var err error
	signature.Signature, err = lockKey(private).SignNKS(signature.SigHash())
	return made(signature.Serialize(), err)
}

// What is seen of something that was made, or of why it was not.
func made(bytes []byte, err error) (seen, error) {
	if err != nil {
		return seen{}, err
	}
	return seen{Made: [][]byte{bytes}}, nil
}

func showNKS(given []byte) (seen, error) {
	var signature tka.NodeKeySignature
	if err := signature.Unserialize(given); err != nil {
		return seen{}, err
	}
	sigHash := signature.SigHash()
	out := &shown{Canonical: signature.Serialize(), SigHash: sigHash[:]}
	if id, err := signature.UnverifiedAuthorizingKeyID(); err == nil {
		out.KeyID = id
	}
	if wrapping, ok := signature.UnverifiedWrappingPublic(); ok {
		out.Wrapping = wrapping
	}
	return seen{Shown: out}, nil
}

func (e *engine) judge(step step) (seen, error) {
	details, err := e.places[step.At].authority.NodeKeyAuthorizedWithDetails(nodeKey(step.Node), step.Bytes)
	var result seen
	if details != nil {
		for _, before := range details.PrevNodeKeys {
			raw := before.Raw32()
			result.Before = append(result.Before, raw[:])
		}
	}
	return result, err
}

func takeApart(text string) (seen, error) {
	authKey, wrapped, signature, private := tka.DecodeWrappedAuthkey(text, logger.Discard)
	if !wrapped {
		return seen{}, errors.New("not a wrapped auth key")
	}
	parts := []string{authKey, hex.EncodeToString(signature.Serialize()), hex.EncodeToString(private)}
	return seen{Parts: parts}, nil
}

func (e *engine) follow(step step) (seen, error) {
	checked := e.places[step.At].authority.ValidateDeeplink(step.Text)
	if !checked.IsValid {
		return seen{}, errors.New(checked.Error)
	}
	parts := []string{checked.NodeKey, checked.TLPub, checked.DeviceName, checked.OSName, checked.EmailAddress}
	return seen{Parts: parts}, nil
}
