package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tailscale.com/types/key"
)

// How long anything may take; what is awaited comes within milliseconds.
const patience = 20 * time.Second

// A real daemon and the command that speaks with it.
type node struct {
	fleet  *fleet
	name   string
	folder string
	daemon *exec.Cmd
	log    bytes.Buffer
}

// Starts a daemon and joins it to the tailnet; from now on it counts among the fleet's nodes.
func (f *fleet) join(t *testing.T, name string, up ...string) *node {
	t.Helper()
	n := &node{fleet: f, name: name, folder: filepath.Join(f.folder, name)}
	if err := os.MkdirAll(n.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	f.t.Cleanup(func() {
		n.stop()
		if f.t.Failed() {
			f.t.Logf("the last words of %s:\n%s", name, last(n.log.String(), 40))
		}
	})
	n.start(t)
	n.up(t, up...)
	f.nodes = append(f.nodes, n)
	return n
}

// Starts the daemon, and waits until it listens.
func (n *node) start(t *testing.T) {
	t.Helper()
	n.daemon = exec.Command(n.fleet.program("tailscaled"), "--tun=userspace-networking", "--port=0",
		"--statedir="+n.folder, "--socket="+n.socket())
	n.daemon.Env = n.fleet.environment
	n.daemon.Stdout, n.daemon.Stderr = &n.log, &n.log
	if err := n.daemon.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the socket of "+n.name, func() error {
		connection, err := net.Dial("unix", n.socket())
		if err == nil {
			connection.Close()
		}
		return err
	})
}

// Ends the daemon, which has no time to say goodbye.
func (n *node) stop() {
	if n.daemon != nil && n.daemon.Process != nil {
		n.daemon.Process.Kill()
		n.daemon.Wait()
	}
}

func (n *node) up(t *testing.T, more ...string) {
	t.Helper()
	arguments := []string{"up", "--login-server=" + n.fleet.control.url, "--hostname=" + n.name, "--timeout=20s"}
	n.tailscale(t, append(arguments, more...)...)
}

func (n *node) socket() string {
	return filepath.Join(n.folder, "s")
}

// Where the daemon keeps its chain.
func (n *node) store(t *testing.T) string {
	t.Helper()
	var found []string
	await(t, "the store of "+n.name, func() error {
		found, _ = filepath.Glob(filepath.Join(n.folder, "tka-profiles", "*", "last_active_ancestor"))
		if len(found) != 1 {
			return fmt.Errorf("%d stores", len(found))
		}
		return nil
	})
	return filepath.Dir(found[0])
}

// What the real command prints.
func (n *node) tailscale(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := n.fleet.ran(n.fleet.program("tailscale"), nil, append([]string{"--socket=" + n.socket()}, arguments...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What `tailscale lock status` says, as far as this test asks.
type lockStatus struct {
	Enabled       bool
	PublicKey     string
	NodeKey       key.NodePublic
	Head          string
	NodeKeySigned bool
	TrustedKeys   []struct {
		Kind   string
		Votes  int
		Public string
	}
	VisiblePeers  []lockPeer
	FilteredPeers []lockPeer
}

type lockPeer struct {
	DNSName          string
	NodeKey          key.NodePublic
	NodeKeySignature *struct{ SigKind string }
}

func (n *node) status(t *testing.T) lockStatus {
	t.Helper()
	var status lockStatus
	if err := json.Unmarshal([]byte(n.tailscale(t, "lock", "status", "--json")), &status); err != nil {
		t.Fatal(err)
	}
	return status
}

// The votes of each trusted key.
func (n *node) votes(t *testing.T) map[string]int {
	t.Helper()
	votes := map[string]int{}
	for _, key := range n.status(t).TrustedKeys {
		votes[key.Public] = key.Votes
	}
	return votes
}

// Whether a node sees another, and how the other is signed.
func (n *node) sees(t *testing.T, other *node) (bool, string) {
	t.Helper()
	status := n.status(t)
	for _, peer := range status.VisiblePeers {
		if strings.HasPrefix(peer.DNSName, other.name) && peer.NodeKeySignature != nil {
			return true, peer.NodeKeySignature.SigKind
		}
	}
	return false, ""
}

func (n *node) filters(t *testing.T, other *node) bool {
	t.Helper()
	for _, peer := range n.status(t).FilteredPeers {
		if strings.HasPrefix(peer.DNSName, other.name) {
			return true
		}
	}
	return false
}

// Asks until the other is dropped by this node, which tells both of it.
func (n *node) awaitFiltered(t *testing.T, other *node) {
	t.Helper()
	await(t, fmt.Sprintf("%s drops %s", n.name, other.name), func() error {
		if !n.filters(t, other) {
			return fmt.Errorf("it does not")
		}
		if other.status(t).NodeKeySigned {
			return fmt.Errorf("%s thinks it is signed", other.name)
		}
		return nil
	})
}

// Asks until both see each other, the other signed in this way, and lets packets pass.
func (n *node) awaitVisible(t *testing.T, other *node, kind string) {
	t.Helper()
	await(t, fmt.Sprintf("%s sees %s", n.name, other.name), func() error {
		if visible, signed := n.sees(t, other); !visible || signed != kind {
			return fmt.Errorf("visible: %t, signed: %q", visible, signed)
		}
		if visible, _ := other.sees(t, n); !visible || !other.status(t).NodeKeySigned {
			return fmt.Errorf("%s does not see it", other.name)
		}
		return nil
	})
	await(t, fmt.Sprintf("%s reaches %s", n.name, other.name), func() error {
		_, err := n.fleet.ran(n.fleet.program("tailscale"), nil, "--socket="+n.socket(), "ping", "--timeout=2s", "--c=1", "--until-direct=false", other.address(t))
		return err
	})
}

func (n *node) address(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(n.tailscale(t, "ip", "-4"))
}

// Runs a program to its end.
func (f *fleet) ran(program string, input []byte, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Env = f.environment
	command.Stdin = bytes.NewReader(input)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(program), strings.Join(arguments, " "), err, out.String(), errors.String())
	}
	return out.String(), nil
}

func await(t *testing.T, what string, done func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func last(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
