package txn_test

import (
	"testing"

	"clawfs/txn"
)

// A program that keeps its registry in memory goes on from there though clawfs was
// started anew beside it, in the same boot of the system and as long as it lives.
func TestViewsOutliveTheStore(t *testing.T) {
	for _, test := range []struct {
		name, boot string
		dies       bool
		want       string
	}{
		{"same boot", "boot", false, `{"a":1,"gateway":3,"cli":2}`},
		{"another boot", "other", false, `{"a":1,"gateway":3}`},
		{"another process", "boot", true, `{"a":1,"gateway":3}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, `{"a":1}`, func(c *txn.Config) { c.Boot = "boot" })
			gateway, cli := program(1), program(2)
			b.read(gateway)
			b.save(gateway, `{"a":1,"gateway":2}`)
			b.ok(b.store.SaveViews())

			b.config.Boot = test.boot
			b.store = txn.New(b.storage, b.config)
			if test.dies {
				b.kill(gateway)
			}
			b.read(cli)
			b.save(cli, `{"a":1,"gateway":2,"cli":2}`)
			b.save(gateway, `{"a":1,"gateway":3}`)
			b.want(test.want)
		})
	}
}
