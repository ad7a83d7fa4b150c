package mounttest

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"clawfs/txn/txntest"
)

// The MCP memory server keeps an entity a line in a file that is often named memory.json,
// and that is not there at first. It works from its first start, alone and beside another
// one. A bare directory loses entities when two write at once. When calls of one server overlap
// before there is a second line, one line is the file; the next one brings the others back.
func TestMemoryServerOnAFreshDirectory(t *testing.T) {
	t.Parallel()
	need(t, "node")
	server := filepath.Join(txntest.NPM(t, "@modelcontextprotocol/server-memory@2026.8.31"),
		"node_modules", "@modelcontextprotocol", "server-memory", "dist", "index.js")
	type entities struct {
		Asked, There, Mixed int
		Failed              []string
	}
	create := func(dir string, rounds ...string) (e entities) {
		t.Helper()
		out := succeed(t, dir, append(program(t, "programs/memory-server.mjs", server, filepath.Join(dir, "memory.json")), rounds...))
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	mounted := func(rounds ...string) entities {
		t.Helper()
		m := newMount(t)
		m.leavesDialects = true
		e := create(m.dir, rounds...)
		if e.Mixed > 0 || len(e.Failed) > 0 {
			t.Errorf("%v: %d entities are mixed, calls failed: %q", rounds, e.Mixed, e.Failed)
		}
		return e
	}
	if e := mounted("1x3", "1x1"); e.There != e.Asked {
		t.Errorf("of one server %d of %d entities are there", e.There, e.Asked)
	}
	lost := 0
	for range setting(t, "CLAWFS_ROUNDS", 1) {
		bare := create(newDir(t), "2x6")
		lost += bare.Asked - bare.There
		if e := mounted("2x6"); e.There != e.Asked {
			t.Errorf("P4: of two servers %d of %d entities are there", e.There, e.Asked)
		}
	}
	if lost == 0 {
		t.Error("nothing was lost in a bare directory: this shows nothing")
	}
	if e := mounted("1x12!", "1x1"); e.There <= e.Asked/2 {
		t.Errorf("of calls that overlap, and one after them, %d of %d entities are there", e.There, e.Asked)
	}
}
