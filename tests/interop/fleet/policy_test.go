// A policy in the field: the tables that `aclc` compiles are given to real daemons by their control
// server, and then asked back: what do they hold, and which packets pass?
package fleet

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tailscale.com/tailcfg"
)

// The policy of the test; the ports are those that listen on this machine.
const policyText = `// What the daemons of this test are given.
{
	"groups":    {"group:team": ["user-1@fake-control.example.net"]},
	"tagOwners": {"tag:db": ["group:team"], "tag:web": ["group:team"], "tag:router": ["group:team"]},
	"hosts":     {"office": "198.51.100.0/24"},
	"acls": [
		{"action": "accept", "src": ["group:team"], "dst": ["tag:web:{a},{b}", "tag:db:22,{b}"]},
		{"action": "accept", "proto": "tcp", "src": ["tag:web"], "dst": ["tag:db:{a}"]}, // of the data
		{"action": "accept", "proto": "udp", "src": ["user-3@fake-control.example.net"], "dst": ["tag:web:{u}"]},
		{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:{c}"]},
		{"action": "accept", "src": ["tag:web"], "dst": ["tag:db:22"]},
		{"action": "accept", "src": ["group:team", "tag:db"], "dst": ["office:80,8000-8080"]},
	],
	"grants": [
		{"src": ["group:team"], "dst": ["tag:db"], "ip": ["tcp:{c}"], "app": {"example.com/cap/db": [{"role": "writer"}]}},
		{"src": ["tag:web"], "dst": ["tag:db"], "app": {"example.com/cap/db": [{"role": "reader"}]}}, // of the reader
	],
	"ssh": [
		{"action": "accept", "src": ["group:team"], "dst": ["tag:db"], "users": ["root"]}, // of root
		{"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot"]},
	],
	"nodeAttrs": [{"target": ["tag:web"], "attr": ["nextdns:8ac5f0"]}],
}
`

func TestPolicyInTheField(t *testing.T) {
	f := &deployment{aclc: built(t, "ACLC"), fleet: newFleet(t)}
	step := func(name string, work func(t *testing.T)) {
		t.Helper()
		if !t.Run(name, work) {
			t.FailNow()
		}
	}
	f.control.MagicDNSDomain = "tail1.ts.net"
	// A daemon may only run its SSH server where the server has such a policy.
	f.control.SSHPolicy = &tailcfg.SSHPolicy{}
	f.control.TagOwners = map[string][]string{"tag:db": nil, "tag:web": nil, "tag:router": nil}
	ports := map[string]int{"a": listenTCP(t), "b": listenTCP(t), "c": listenTCP(t), "u": listenUDP(t)}
	text := policyText
	for name, port := range ports {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(port))
	}
	f.policy = f.write(t, "policy.hujson", text)
	office := netip.MustParsePrefix("198.51.100.0/24")
	var laptop, db, web *node
	var tables map[string]table

	step("six devices join, and a daemon's status is the inventory", func(t *testing.T) {
		laptop = f.join(t, "laptop")
		phone := f.join(t, "phone")
		f.join(t, "guest")
		db = f.join(t, "db", "--advertise-tags=tag:db", "--ssh")
		web = f.join(t, "web", "--advertise-tags=tag:web", "--ssh")
		router := f.join(t, "router", "--advertise-tags=tag:router", "--advertise-routes="+office.String())
		f.control.SetSubnetRoutes(router.status(t).NodeKey, []netip.Prefix{office})
		// Laptop and phone are of one user.
		second := f.control.Node(phone.status(t).NodeKey)
		second.User = f.control.Node(laptop.status(t).NodeKey).User
		f.control.UpdateNode(second)
		f.inventory = f.statusOf(t, laptop)
		tables = f.compiled(t, f.policy)
	})
	step("before they have their tables, they do not hold what the policy says", func(t *testing.T) {
		for _, n := range f.nodes {
			if _, said, code := f.compare(t, n); code != 1 {
				t.Errorf("exit code %d\n%s", code, said)
			}
		}
	})
	step("with their tables, they hold what the policy says", func(t *testing.T) {
		for _, n := range f.nodes {
			f.serve(t, n, tables[n.name])
		}
		f.expectSame(t)
	})
	step("packets pass where aclc says so, and nowhere else", func(t *testing.T) {
		f.tryFlows(t, tables, ports)
	})
	step("a login by SSH that the policy gives is let in, another is not", func(t *testing.T) {
		if said, err := laptop.login(t, "root", db.address(t)); err != nil {
			t.Errorf("the laptop is not let in: %v %s", err, said)
		}
		said, err := web.login(t, "root", db.address(t))
		if err == nil || !strings.Contains(said, "policy does not permit") {
			t.Errorf("the web server: %v %s", err, said)
		}
	})
	step("an older table on one device is told from the policy's, by its rule", func(t *testing.T) {
		rule, older := without(text, "// of the data")
		older = strings.Replace(older, `"tag:db:22,`, `"tag:db:9,22,`, 1)
		f.serve(t, db, f.compiled(t, f.write(t, "older.hujson", older))[db.name])
		f.expectOnly(t, db, comparison{
			Missing: []access{{Src: []string{"web"}, Dst: []string{"db"}, Protocol: "tcp", Ports: fmt.Sprint(ports["a"]), Rules: []place{{f.policy, rule}}}},
			Extra:   []access{{Src: []string{"laptop", "phone"}, Dst: []string{"db"}, Protocol: "tcp,udp", Ports: "9"}},
		})
	})
	step("so is one that lacks a capability and a login", func(t *testing.T) {
		_, older := without(text, "// of the reader")
		_, older = without(older, "// of root")
		f.serve(t, db, f.compiled(t, f.write(t, "older.hujson", older))[db.name])
		f.expectOnly(t, db, comparison{Others: []other{
			{"capability", "`web` should have the capability `example.com/cap/db`"},
			{"ssh", "it should let in `laptop` and `phone` by SSH as root"},
		}})
	})
	step("with its table again, it holds what the policy says", func(t *testing.T) {
		f.serve(t, db, tables[db.name])
		f.expectSame(t)
	})
	step("a device that does not know of a route sends nothing there", func(t *testing.T) {
		unaware := tables[laptop.name]
		unaware.Peers = maps.Clone(unaware.Peers)
		router := unaware.Peers["router"]
		router.AllowedIPs = slices.DeleteFunc(slices.Clone(router.AllowedIPs), func(it netip.Prefix) bool { return it == office })
		unaware.Peers["router"] = router
		f.serve(t, laptop, unaware)
		f.expectOnly(t, laptop, comparison{Others: []other{{"route", "it should send `198.51.100.0/24` to `router`"}}})
	})
}

// The policy without the line that ends like this, and the number of that line.
func without(text, end string) (int, string) {
	lines := strings.Split(text, "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasSuffix(line, end) })
	return at + 1, strings.Join(slices.Delete(lines, at, at+1), "\n")
}

// Writes the inventory: what a daemon says of all, once it knows of the tags and the route.
func (f *deployment) statusOf(t *testing.T, n *node) string {
	t.Helper()
	var status string
	await(t, n.name+" knows all devices", func() error {
		status = n.tailscale(t, "status", "--json")
		for _, wanted := range []string{"tag:db", "tag:web", "tag:router", "198.51.100.0/24", "user-3@"} {
			if !strings.Contains(status, wanted) {
				return fmt.Errorf("it does not know of %s", wanted)
			}
		}
		return nil
	})
	return f.write(t, "nodes.json", status)
}
