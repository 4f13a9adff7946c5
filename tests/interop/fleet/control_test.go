package fleet

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"sync"
	"testing"
	"unsafe"

	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/tstest/integration"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/tstest/tkatest"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
	"tailscale.com/types/tkatype"
)

// Tailscale's own test server, with what it lacks of Tailnet Lock: it takes updates, hands a node's
// signature on when its key rotates, and keeps a signature that a registration brings.
type control struct {
	*testcontrol.Server
	t        *testing.T
	url      string
	register http.Handler // the server's own
}

func startControl(t *testing.T) *control {
	// The server tells of every request.
	log.SetOutput(io.Discard)
	server := &testcontrol.Server{
		DERPMap: integration.RunDERPAndSTUN(t, logger.Discard, "127.0.0.1"),
		DefaultNodeCapabilities: &tailcfg.NodeCapMap{
			tailcfg.CapabilityTailnetLock: []tailcfg.RawMessage{},
		},
		Logf: logger.Discard,
	}
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	server.HTTPTestServer = front
	c := &control{Server: server, t: t, url: front.URL}
	// The server makes its table of paths when it is first asked.
	answer, err := http.Get(front.URL + "/generate_204")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	paths := *field[*http.ServeMux](server, "mux")
	c.register, _ = paths.Handler(&http.Request{Method: "POST", URL: &url.URL{Path: "/machine/register"}})
	paths.HandleFunc("/machine/register", c.serveRegister)
	paths.HandleFunc("/machine/tka/sync/send", c.serveSyncSend)
	return c
}

// A field of the server that is not exported.
func field[T any](server *testcontrol.Server, name string) *T {
	field := reflect.ValueOf(server).Elem().FieldByName(name)
	return (*T)(unsafe.Pointer(field.UnsafeAddr()))
}

func (c *control) locked(work func()) {
	mu := field[sync.Mutex](c.Server, "mu")
	mu.Lock()
	defer mu.Unlock()
	work()
}

// Lets all nodes know that something changed.
func (c *control) nudge() {
	for _, node := range c.AllNodes() {
		c.UpdateNode(node)
	}
}

func (c *control) serveRegister(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var asked tailcfg.RegisterRequest
	if err := json.Unmarshal(body, &asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if old := c.Node(asked.OldNodeKey); old != nil && len(old.KeySignature) > 0 && len(asked.NodeKeySignature) == 0 {
		json.NewEncoder(w).Encode(tailcfg.RegisterResponse{
			MachineAuthorized: true,
			NodeKeySignature:  old.KeySignature,
		})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.register.ServeHTTP(w, r)
	node := c.Node(asked.NodeKey)
	if len(asked.NodeKeySignature) == 0 || node == nil {
		return
	}
	node.KeySignature = asked.NodeKeySignature
	c.locked(func() {
		nodes := *field[map[key.NodePublic]*tailcfg.Node](c.Server, "nodes")
		for key, other := range nodes {
			if other.StableID == node.StableID && key != node.Key {
				delete(nodes, key)
			}
		}
	})
	c.UpdateNode(node)
	c.nudge()
}

// Takes updates, and keeps the active chain alone: with two heads the server tells nodes of none.
func (c *control) serveSyncSend(w http.ResponseWriter, r *http.Request) {
	var failed error
	c.locked(func() {
		storage := *field[tka.CompactableChonk](c.Server, "tkaStorage")
		authority, err := tka.Open(storage)
		if err != nil {
			failed = err
			return
		}
		if failed = tkatest.HandleTKASyncSend(w, r, authority, storage); failed == nil {
			failed = keepActive(authority, storage)
		}
	})
	if failed != nil {
		c.t.Errorf("/machine/tka/sync/send: %v", failed)
	}
	c.nudge()
}

func keepActive(authority *tka.Authority, storage tka.CompactableChonk) error {
	active := map[tka.AUMHash]bool{}
	for at := authority.Head(); ; {
		aum, err := storage.AUM(at)
		if err != nil {
			return err
		}
		active[at] = true
		parent, ok := aum.Parent()
		if !ok {
			break
		}
		at = parent
	}
	all, err := storage.AllAUMs()
	if err != nil {
		return err
	}
	var others []tka.AUMHash
	for _, hash := range all {
		if !active[hash] {
			others = append(others, hash)
		}
	}
	return storage.PurgeAUMs(others)
}

// Gives the server a signature made outside of every node, as a node's daemon would.
func (c *control) submit(from key.NodePublic, signature tkatype.MarshaledSignature) error {
	body := fmt.Sprintf(`{"Version":%d,"NodeKey":%q,"Signature":%q}`,
		tailcfg.CurrentCapabilityVersion, from, base64.StdEncoding.EncodeToString(signature))
	request, err := http.NewRequest("GET", c.url+"/machine/tka/sign", bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return nil
}

// The head that the server tells of.
func (c *control) head() string {
	var head string
	c.locked(func() {
		storage := *field[tka.CompactableChonk](c.Server, "tkaStorage")
		authority, err := tka.Open(storage)
		if err != nil {
			c.t.Fatal(err)
		}
		head = authority.Head().String()
	})
	return head
}
