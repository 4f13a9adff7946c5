// What Tailscale's own packet filter does with packets. Reads lines
//
//	{"rules": [...], "local": ["10.0.0.0/8", ...], "sent": [[69, ...], ...], "packets": [[69, ...], ...]}
//
// and answers each with a list of booleans: whether the packet of those bytes is let in. The rules
// are `filterRules` as a node is sent them; what was sent is what the node sent before all of it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"

	"go4.org/netipx"
	"tailscale.com/net/packet"
	"tailscale.com/tailcfg"
	"tailscale.com/types/logger"
	"tailscale.com/wgengine/filter"
)

type question struct {
	Rules   []tailcfg.FilterRule
	Local   []netip.Prefix
	Sent    [][]uint16 // of bytes: those alone would be read as base64
	Packets [][]uint16
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var asked question
		if err := in.Decode(&asked); err == io.EOF {
			return
		} else if err != nil {
			fail(err)
		}
		answer, err := json.Marshal(verdicts(asked))
		if err != nil {
			fail(err)
		}
		out.Write(append(answer, '\n'))
	}
}

func verdicts(asked question) []bool {
	matches, err := filter.MatchesFromFilterRules(asked.Rules)
	if err != nil {
		fail(err)
	}
	var local netipx.IPSetBuilder
	for _, prefix := range asked.Local {
		local.AddPrefix(prefix)
	}
	nets, err := local.IPSet()
	if err != nil {
		fail(err)
	}
	engine := filter.New(matches, nil, nets, nets, nil, logger.Discard)
	passed := make([]bool, len(asked.Packets))
	for _, numbers := range asked.Sent {
		engine.RunOut(decoded(numbers), 0)
	}
	for i, numbers := range asked.Packets {
		passed[i] = engine.RunIn(decoded(numbers), 0) == filter.Accept
	}
	return passed
}

func decoded(numbers []uint16) *packet.Parsed {
	bytes := make([]byte, len(numbers))
	for i, number := range numbers {
		bytes[i] = byte(number)
	}
	var parsed packet.Parsed
	parsed.Decode(bytes)
	return &parsed
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
