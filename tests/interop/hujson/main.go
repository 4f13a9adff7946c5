// What Tailscale's own HuJSON parser says of a text. Reads lines {"text": "<base64>"} and answers
// each with a JSON string: the error, or an empty one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/tailscale/hujson"
)

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var question struct{ Text []byte }
		if err := in.Decode(&question); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		message := ""
		if _, err := hujson.Parse(question.Text); err != nil {
			message = err.Error()
		}
		answer, _ := json.Marshal(message)
		out.Write(append(answer, '\n'))
	}
}
