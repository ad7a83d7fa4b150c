package cluster_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn/txntest"
)

func openSealed(t *testing.T, engine *enginetest.Memory, name, secret string) (*host, error) {
	t.Helper()
	var key []byte
	if secret != "" {
		key = []byte(secret)
	}
	h, err := openWith(engine, name, txntest.NewMemory(), cluster.Options{Secret: key})
	if err == nil {
		t.Cleanup(h.close)
	}
	return h, err
}

func twoSealed(t *testing.T) (engine *enginetest.Memory, a, b *host) {
	t.Helper()
	engine = enginetest.NewMemory()
	a, err := openSealed(t, engine, "alice", "secret")
	if err == nil {
		b, err = openSealed(t, engine, "bob", "secret")
	}
	if err != nil {
		t.Fatal(err)
	}
	return engine, a, b
}

// With a secret the engine learns nothing but names and sizes, of small contents and of large ones, and hosts
// with the secret read them.
func TestASecret(t *testing.T) {
	for name, content := range map[string]string{
		"small": `{"token":"tok-1234567890"}`, "large": large(4000, -1),
	} {
		t.Run(name, func(t *testing.T) {
			engine, a, b := twoSealed(t)
			a.mustWrite(t, 1, content)
			agree(t, is(content), a, b)
			n := 0
			for key, e := range engine.Backup() {
				n++
				for _, open := range []string{"tok-1234567890", "alice", "digest", "\x28\xb5\x2f\xfd" /* zstd */} {
					if bytes.Contains(e.Value, []byte(open)) {
						t.Errorf("%s: the engine has %q", key, open)
					}
				}
			}
			if n < 2 || name == "large" && n < 20 {
				t.Errorf("%d values", n)
			}
		})
	}
}

// A host with another secret, without one, or with one that the cluster has not, does not join.
func TestAWrongSecret(t *testing.T) {
	for name, test := range map[string]struct{ theirs, mine, want string }{
		"another": {"secret", "other", "with another secret"},
		"none":    {"secret", "", "no secret was given"},
		"one":     {"", "secret", "it is not encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			engine := enginetest.NewMemory()
			a, err := openSealed(t, engine, "a", test.theirs)
			if err != nil {
				t.Fatal(err)
			}
			a.mustWrite(t, 1, `{"n":1}`)
			before := engine.Rev()
			_, err = openSealed(t, engine, "b", test.mine)
			var wrong *cluster.SecretError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
			if engine.Rev() != before {
				t.Error("it has changed the cluster")
			}
		})
	}
}

// A value that was changed, or moved from another registry, is no version, and nothing is committed over it.
func TestAValueThatWasTamperedWith(t *testing.T) {
	for name, tamper := range map[string]func(value, other []byte) []byte{
		"changed":    func(value, _ []byte) []byte { return append(bytes.Clone(value[:len(value)-1]), value[len(value)-1]^1) },
		"moved":      func(_, other []byte) []byte { return other },
		"cut":        func(value, _ []byte) []byte { return value[:20] },
		"clear text": func([]byte, []byte) []byte { return []byte("{\"format\":1}\n") },
	} {
		t.Run(name, func(t *testing.T) {
			engine, a, b := twoSealed(t)
			a.mustWrite(t, 1, `{"n":1}`)
			agree(t, is(`{"n":1}`), a, b)
			if err := a.writeTo("other.json", program(1), `{"other":1}`); err != nil {
				t.Fatal(err)
			}
			key := "test/head/" + registry
			all, c := engine.Backup(), engine.Client()
			if _, ok, err := c.Swap(t.Context(), key, all[key].Rev, tamper(all[key].Value, all["test/head/other.json"].Value)); !ok || err != nil {
				t.Fatal(ok, err)
			}
			await(t, "the host to hear of it", func() bool { return b.storage.Status().Rev == engine.Rev() })
			if text := b.read(t); text != `{"n":1}` {
				t.Errorf("%s", text)
			}
			if err := b.write(program(2), `{"n":2}`); err == nil {
				t.Error("a value that can't be read was replaced")
			}
		})
	}
}

// One content is another value each time.
func TestNoValueComesTwice(t *testing.T) {
	engine, a, _ := twoSealed(t)
	seen := map[string]bool{}
	for range 3 {
		for _, content := range []string{`{"n":1}`, `{"n":2}`} {
			a.mustWrite(t, 1, content)
			value := string(engine.Backup()["test/head/"+registry].Value)
			if seen[value] || seen[value[:21]] {
				t.Error("a value, or a nonce, comes twice")
			}
			seen[value], seen[value[:21]] = true, true
		}
	}
}
