package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"tailscale.com/client/local"
	"tailscale.com/tailcfg"
)

// How long a packet that is dropped is waited for. What is let through is waited for much longer, and
// what is dropped must have been counted where it came.
const dropped = time.Second

const greeting = "passed\n"

// Listens on a port of this machine, to which every daemon hands connections for its own address.
func listenTCP(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(connection, greeting)
			connection.Close()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// The same for UDP, where whoever sends something is answered.
func listenUDP(t *testing.T) int {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	go func() {
		for buffer := make([]byte, 100); ; {
			_, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			socket.WriteTo([]byte(greeting), from)
		}
	}()
	return socket.LocalAddr().(*net.UDPAddr).Port
}

func (n *node) client() *local.Client {
	return &local.Client{Socket: n.socket(), UseSocketOnly: true}
}

// Sends something through the tailnet and waits for the answer; an error says that none came.
func (it flow) try(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := it.from.client().UserDial(ctx, it.network, it.address.String(), uint16(it.port))
	if err != nil {
		return err
	}
	defer connection.Close()
	defer time.AfterFunc(patience, func() { connection.Close() }).Stop()
	if it.network == "udp" {
		if _, err := io.WriteString(connection, "?"); err != nil {
			return err
		}
	}
	heard := make([]byte, len(greeting))
	if _, err := io.ReadFull(connection, heard); err != nil {
		return err
	}
	if string(heard) != greeting {
		return fmt.Errorf("it said %q", heard)
	}
	return nil
}

// Waits until there is a way between the two: no filter drops this kind of ping.
func (it flow) ping(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := it.from.client().Ping(ctx, it.address, tailcfg.PingTSMP)
	if err == nil && answer.Err != "" {
		err = errors.New(answer.Err)
	}
	return err
}

// Asks a node for a login as a user of this machine, which is not used; the text is what the node says
// when it refuses.
func (n *node) login(t *testing.T, user, address string) (refusal string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := n.client().DialTCP(ctx, address, 22)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	defer time.AfterFunc(patience, func() { connection.Close() }).Stop()
	session, _, _, err := ssh.NewClientConn(connection, address, &ssh.ClientConfig{
		User:            user,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		BannerCallback:  func(said string) error { refusal += said; return nil },
	})
	if err != nil {
		return refusal, err
	}
	session.Close()
	return "", nil
}

var droppedByFilter = regexp.MustCompile(`(?m)^tailscaled_inbound_dropped_packets_total\{reason="acl"\} (\d+)$`)

// How many packets a node's filter has dropped since it started.
func (n *node) dropped(t *testing.T) int {
	t.Helper()
	found := droppedByFilter.FindStringSubmatch(n.tailscale(t, "metrics", "print"))
	if found == nil {
		return 0
	}
	count, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return count
}
