// What Tailscale's own packet filter does with packets. Reads lines
//
//	{"rules": [...], "local": ["10.0.0.0/8", ...], "packets": ["<base64>", ...]}
//
// and answers each with a list of booleans: whether the packet of those bytes is let in. The rules
// are `filterRules` as a node is sent them.
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
	Packets [][]byte
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
	for i, bytes := range asked.Packets {
		var parsed packet.Parsed
		parsed.Decode(bytes)
		passed[i] = engine.RunIn(&parsed, 0) == filter.Accept
	}
	return passed
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
