package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"testing"

	"tailscale.com/tailcfg"
)

// A policy in the field: the devices as a daemon tells of them, and how often tables were given out.
type deployment struct {
	*fleet
	aclc      string
	policy    string // the file
	inventory string
	round     int
}

// What `aclc compile` gives a node, in the words of the control plane.
type table struct {
	FilterRules []tailcfg.FilterRule `json:"filterRules"`
	SSHRules    []*tailcfg.SSHRule   `json:"sshRules"`
	CapMap      tailcfg.NodeCapMap   `json:"capMap"`
	Peers       map[string]peerTable `json:"peers"`
}

// How a node shows itself to another.
type peerTable struct {
	AllowedIPs    []netip.Prefix     `json:"allowedIPs"`
	PrimaryRoutes []netip.Prefix     `json:"primaryRoutes"`
	CapMap        tailcfg.NodeCapMap `json:"capMap"`
}

// What `aclc` prints, and its exit code.
func (f *deployment) ask(t *testing.T, arguments ...string) (string, int) {
	t.Helper()
	out, err := f.ran(f.aclc, nil, arguments...)
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if ended == nil {
		return out, 0
	}
	if ended.ExitCode() > 1 {
		t.Fatal(err)
	}
	return out, ended.ExitCode()
}

// The tables of all nodes by a policy. A member that Tailscale's own types do not have is an error.
func (f *deployment) compiled(t *testing.T, policy string) map[string]table {
	t.Helper()
	out, code := f.ask(t, "compile", policy, "--nodes", f.inventory)
	if code != 0 {
		t.Fatal(out)
	}
	var document struct {
		Version int              `json:"version"`
		Nodes   map[string]table `json:"nodes"`
	}
	decoder := json.NewDecoder(bytes.NewBufferString(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return document.Nodes
}

// Lets the control server give a node this table and nothing else, and waits until the node has it.
// The name of the domain says which answer it is that the node has.
func (f *deployment) serve(t *testing.T, n *node, given table) {
	t.Helper()
	f.round++
	key := n.status(t).NodeKey
	answer, err := f.control.MapResponse(&tailcfg.MapRequest{NodeKey: key})
	if err != nil || answer == nil {
		t.Fatalf("the server has no answer for %s: %v", n.name, err)
	}
	answer.Domain = fmt.Sprintf("round-%d.example.com", f.round)
	answer.Node.CapMap = given.CapMap
	answer.SSHPolicy = &tailcfg.SSHPolicy{Rules: given.SSHRules}
	// The older way, which cannot say that there is no rule.
	answer.PacketFilter = given.FilterRules
	if answer.Node.ID%2 == 0 || len(given.FilterRules) == 0 {
		// The newer way, in named parts; a star forgets those of before.
		half := len(given.FilterRules) / 2
		answer.PacketFilter = nil
		answer.PacketFilters = map[string][]tailcfg.FilterRule{
			"*": nil, "1": given.FilterRules[:half], "2": given.FilterRules[half:],
		}
	}
	answer.Peers = slices.DeleteFunc(answer.Peers, func(peer *tailcfg.Node) bool {
		shown, seen := given.Peers[peer.Hostinfo.Hostname()]
		peer.AllowedIPs, peer.PrimaryRoutes, peer.CapMap = shown.AllowedIPs, shown.PrimaryRoutes, shown.CapMap
		return !seen
	})
	if len(answer.Peers) != len(given.Peers) || len(answer.Peers) == 0 {
		t.Fatalf("%s is to see %d devices, and sees %d", n.name, len(given.Peers), len(answer.Peers))
	}
	if !f.control.AddRawMapResponse(key, answer) {
		t.Fatalf("%s is not connected to the control server", n.name)
	}
	await(t, n.name+" takes its table", func() error {
		var held struct{ Domain string }
		if err := json.Unmarshal([]byte(n.tailscale(t, "debug", "netmap")), &held); err != nil {
			return err
		}
		if held.Domain != answer.Domain {
			return fmt.Errorf("it is at %s", held.Domain)
		}
		return nil
	})
}
