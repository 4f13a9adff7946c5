package fleet

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// A connection that is tried.
type flow struct {
	from, to *node
	network  string
	address  netip.Addr
	port     int
}

func (it flow) String() string {
	return fmt.Sprintf("%s > %s %s %s", it.from.name, it.to.name, it.network, netip.AddrPortFrom(it.address, uint16(it.port)))
}

// Tries every port of every device from every other that sees it, by both families of addresses, and
// compares with what `aclc can` says.
func (f *deployment) tryFlows(t *testing.T, tables map[string]table, ports map[string]int) {
	var allowed, refused []flow
	for _, to := range f.nodes {
		addresses := to.addresses(t)
		for _, from := range f.nodes {
			if _, seen := tables[from.name].Peers[to.name]; !seen {
				continue
			}
			for name, port := range ports {
				network := "tcp"
				if name == "u" {
					network = "udp"
				}
				asked := fmt.Sprintf("%s:%s:%d", to.name, network, port)
				_, code := f.ask(t, "can", from.name, asked, "--policy", f.policy, "--nodes", f.inventory)
				for _, address := range addresses {
					one := flow{from, to, network, address, port}
					if code == 0 {
						allowed = append(allowed, one)
					} else {
						refused = append(refused, one)
					}
				}
			}
		}
	}
	if len(allowed) < 12 || len(refused) < 12 {
		t.Errorf("%d flows are to pass and %d to be dropped: too few to mean something", len(allowed), len(refused))
	}
	for _, it := range allowed {
		if err := it.try(patience); err != nil {
			t.Errorf("does not pass: %s: %v", it, err)
		}
	}
	before, sent := map[*node]int{}, map[*node]int{}
	for _, n := range f.nodes {
		before[n] = n.dropped(t)
	}
	var all sync.WaitGroup
	for _, it := range refused {
		sent[it.to]++
		all.Go(func() {
			if err := it.ping(patience); err != nil {
				t.Errorf("there is no way: %s: %v", it, err)
			}
			if err := it.try(dropped); err == nil {
				t.Errorf("passes: %s", it)
			}
		})
	}
	all.Wait()
	for n, count := range sent {
		if more := n.dropped(t) - before[n]; more < count {
			t.Errorf("%s was sent %d packets to be dropped, and dropped %d", n.name, count, more)
		}
	}
	t.Logf("%d flows pass, %d are dropped", len(allowed), len(refused))
}

func (n *node) addresses(t *testing.T) []netip.Addr {
	t.Helper()
	var all []netip.Addr
	for text := range strings.FieldsSeq(n.tailscale(t, "ip")) {
		address, err := netip.ParseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, address)
	}
	return all
}
