package versions_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"clawfs/cmd/clawfs/versions"
)

// A document that is spread over lines stays as it is, and one that would become hundreds
// of times as large stays on its line.
func TestIndentIsBounded(t *testing.T) {
	var want bytes.Buffer
	text := []byte(`{"a":[1,"]}\\\",",{}],"b":{"c":[]}}`)
	if err := json.Indent(&want, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	if got := versions.Indent(text); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("it is laid out as\n%s", got)
	}
	deep := []byte(strings.Repeat("[", 400) + strings.Repeat("1,", 1<<19) + "1" + strings.Repeat("]", 400))
	if got := versions.Indent(deep); len(got) != len(deep) {
		t.Errorf("%d bytes become %d", len(deep), len(got))
	}
}
