package main

import (
	"slices"
	_ "unsafe" // for go:linkname

	_ "tailscale.com/ipn/ipnlocal"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
	"tailscale.com/util/set"
)

// The daemon's own tracker of rotated and cloned node keys. It is not exported: the fields are
// those of the daemon's type, in its order, and the two functions are the daemon's.
type rotationTracker struct {
	obsolete      set.Set[key.NodePublic]
	byWrappingKey map[string][]struct {
		np          key.NodePublic
		numPrevKeys int
	}
	logf logger.Logf
}

//go:linkname addRotationDetails tailscale.com/ipn/ipnlocal.(*rotationTracker).addRotationDetails
func addRotationDetails(r *rotationTracker, np key.NodePublic, d *tka.RotationDetails)

//go:linkname obsoleteKeys tailscale.com/ipn/ipnlocal.(*rotationTracker).obsoleteKeys
func obsoleteKeys(r *rotationTracker) set.Set[key.NodePublic]

// Which peers of a map are kept, as the daemon's tkaFilterNetmapLocked decides it.
func (e *engine) filter(step step) (seen, error) {
	authority := e.places[step.At].authority
	tracker := rotationTracker{logf: logger.Discard}
	kept := make([]bool, len(step.Peers))
	for i, peer := range step.Peers {
		if peer.APIOnly {
			kept[i] = true
			continue
		}
		if len(peer.Signature) == 0 {
			continue
		}
		details, err := authority.NodeKeyAuthorizedWithDetails(nodeKey(peer.Node), peer.Signature)
		kept[i] = err == nil
		if err == nil && details != nil {
			addRotationDetails(&tracker, nodeKey(peer.Node), details)
		}
	}
	obsolete := obsoleteKeys(&tracker)
	for i, peer := range step.Peers {
		kept[i] = kept[i] && !obsolete.Contains(nodeKey(peer.Node))
	}
	return seen{Each: slices.Clip(kept)}, nil
}
