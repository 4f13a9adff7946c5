// What Tailscale's own package of Tailnet Lock does with scenarios. Reads a scenario in JSON, one a
// line, does its steps, and answers each with a list of what was seen, one for each step.
//
// A step that builds something is given what the asker built. The package builds its own, tells it,
// and goes on with the asker's: so each side judges what the other made. See scenario.go for the
// steps and what is seen of them.
//
// With the argument `bench` it measures the package instead; see bench.go.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
)

func main() {
	// The package tells of files it does not know; so many scenarios would bury what matters.
	log.SetOutput(io.Discard)
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		bench(os.Stdin, os.Stdout)
		return
	}
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var asked scenario
		if err := in.Decode(&asked); err == io.EOF {
			return
		} else if err != nil {
			fail(err)
		}
		answer, err := json.Marshal(asked.run())
		if err != nil {
			fail(err)
		}
		out.Write(append(answer, '\n'))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
