package fleet

import (
	"encoding/json"
	"fmt"
	"testing"
)

// What `aclc compare` finds on a node.
type comparison struct {
	Node           string
	Same           bool
	Missing, Extra []access
	Others         []other
}

type access struct {
	Src, Dst        []string
	Protocol, Ports string
	Rules           []place
}

type place struct {
	File string
	Line int
}

type other struct{ Kind, Sentence string }

// Writes what nodes hold into files and compares that with the policy.
func (f *deployment) compare(t *testing.T, nodes ...*node) ([]comparison, string, int) {
	t.Helper()
	arguments := []string{"compare", f.policy, "--nodes", f.inventory}
	for _, n := range nodes {
		held := f.write(t, n.name+".netmap.json", n.tailscale(t, "debug", "netmap"))
		arguments = append(arguments, "--netmap", held)
	}
	text, code := f.ask(t, arguments...)
	out, again := f.ask(t, append(arguments, "--format", "json")...)
	var document struct{ Nodes []comparison }
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if again != code {
		t.Fatalf("exit code %d for people, %d for programs", code, again)
	}
	return document.Nodes, text, code
}

// Fails unless all nodes hold what the policy says, in the words of the control plane and in their own.
func (f *deployment) expectSame(t *testing.T) {
	t.Helper()
	if _, said, code := f.compare(t, f.nodes...); code != 0 {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	for _, n := range f.nodes {
		var held map[string]any
		if err := json.Unmarshal([]byte(n.tailscale(t, "debug", "netmap")), &held); err != nil {
			t.Fatal(err)
		}
		delete(held, "PacketFilterRules")
		file := f.write(t, n.name+".kept.json", written(held))
		if said, code := f.ask(t, "compare", f.policy, "--nodes", f.inventory, "--netmap", file); code != 0 {
			t.Fatalf("exit code %d\n%s", code, said)
		}
	}
}

// Fails unless this node holds something else in just this way, and all others hold what the policy says.
func (f *deployment) expectOnly(t *testing.T, n *node, expected comparison) {
	t.Helper()
	found, said, code := f.compare(t, f.nodes...)
	if code != 1 || len(found) != len(f.nodes) {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	for i, it := range found {
		wanted := comparison{Node: f.nodes[i].name, Same: true}
		if f.nodes[i] == n {
			wanted = expected
			wanted.Node = n.name
		}
		if fmt.Sprint(it) != fmt.Sprint(wanted) {
			t.Errorf("%+v\nis expected; found is\n%+v\n%s", wanted, it, said)
		}
	}
	t.Logf("%s", said)
}
