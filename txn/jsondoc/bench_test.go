package jsondoc_test

import (
	"bytes"
	"fmt"
	"testing"

	"clawfs/txn/jsondoc"
)

// BenchmarkParse parses a registry of 10 MB as programs spell them. The budget is
// 300 MB/s.
func BenchmarkParse(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("{\n  \"entries\": [")
	for n := 0; text.Len() < 10<<20; n++ {
		if n > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "\n    {\n      \"id\": \"e%d\",\n      \"enabled\": true,\n      \"text\": \"an entry of ordinary length\",\n      \"cost\": %d.25\n    }", n, n%97)
	}
	text.WriteString("\n  ]\n}\n")
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsondoc.Parse(text.Bytes(), jsondoc.JSON, jsondoc.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
