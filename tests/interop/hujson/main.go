// What Tailscale's own HuJSON library makes of a text. Reads lines {"text": BYTES, "format": BOOL}
// and answers each: to a text that is to be formatted, the result or null where it is refused; to any
// other, the error as a string, or an empty one.
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
		var question struct {
			Text   []byte
			Format bool
		}
		if err := in.Decode(&question); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answer, _ := json.Marshal(ask(question.Text, question.Format))
		out.Write(append(answer, '\n'))
	}
}

func ask(text []byte, format bool) any {
	if format {
		formatted, err := hujson.Format(text)
		if err != nil {
			return nil
		}
		return string(formatted)
	}
	if _, err := hujson.Parse(text); err != nil {
		return err.Error()
	}
	return ""
}
