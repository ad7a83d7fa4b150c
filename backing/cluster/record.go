package cluster

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// record describes a version of a registry. Its encoding, one line of JSON and the
// packed content behind it, is the value of the registry's key.
type record struct {
	Format    int       `json:"format"`
	Seq       uint64    `json:"seq"` // ascending along the versions of a registry, with gaps
	State     state     `json:"state"`
	Digest    digest    `json:"digest"`        // SHA-256 of the content
	Size      int       `json:"size"`          // bytes of the content
	Time      time.Time `json:"time"`          // modification time
	Nonce     nonce     `json:"nonce"`         // no other version has it
	Root      nonce     `json:"root,omitzero"` // nonce of the first version, which all go on from; zero: it is not known
	Host      string    `json:"host"`          // that committed it
	Ancestors ancestors `json:"ancestors,omitempty"`
	Chunks    []chunk   `json:"chunks,omitempty"` // of the content, if that is not packed behind

	packed []byte
}

// These are the numbers of the encoding. A host that does not know one goes no further.
const (
	format       = 1
	formatChunks = 2 // it lists chunks
)

// state is the state of a registry at a version.
type state string

const (
	live  state = "live"
	blank state = "blank" // somebody has created it; it has no version yet
	gone  state = "gone"  // there is none; no key is ever deleted, so nothing is ever missed
)

// digest is a SHA-256, hexadecimal as text.
type digest [32]byte

// MarshalText implements encoding.TextMarshaler.
func (d digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *digest) UnmarshalText(text []byte) error { return unhex(d[:], text) }

func unhex(to, text []byte) error {
	if hex.DecodedLen(len(text)) != len(to) {
		return errors.New("wrong length")
	}
	_, err := hex.Decode(to, text)
	return err
}

// nonce identifies one commit, whatever the fate of the requests that were made for it.
type nonce [8]byte

func newNonce() (n nonce) {
	_, _ = rand.Read(n[:]) // never fails
	return n
}

// MarshalText implements encoding.TextMarshaler.
func (n nonce) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, n[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *nonce) UnmarshalText(text []byte) error { return unhex(n[:], text) }

// ancestor is a version that another one goes on from.
type ancestor struct {
	nonce  nonce
	digest [8]byte // the first bytes
}

// ancestors are the last versions before a version, oldest first.
type ancestors []ancestor

// manyAncestors is how many ancestors a version knows.
const manyAncestors = 64

// MarshalText implements encoding.TextMarshaler: 32 hexadecimal digits for each.
func (a ancestors) MarshalText() ([]byte, error) {
	var text []byte
	for i := range a {
		text = hex.AppendEncode(hex.AppendEncode(text, a[i].nonce[:]), a[i].digest[:])
	}
	return text, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *ancestors) UnmarshalText(text []byte) error {
	const each = 32
	if len(text)%each != 0 || len(text) > each*manyAncestors {
		return errors.New("wrong length")
	}
	*a = make(ancestors, 0, len(text)/each)
	for part := range slices.Chunk(text, each) {
		var one ancestor
		if err := errors.Join(unhex(one.nonce[:], part[:each/2]), unhex(one.digest[:], part[each/2:])); err != nil {
			return err
		}
		*a = append(*a, one)
	}
	return nil
}

// has reports whether content is that of one of these versions.
func (a ancestors) has(d digest) bool {
	return slices.ContainsFunc(a, func(o ancestor) bool { return o.digest == [8]byte(d[:8]) })
}

// root returns the Root of the version that goes on from r and has that nonce.
func (r *record) root(of nonce) nonce {
	if r.Format == 0 {
		return of // there was none
	}
	return r.Root
}

// lineage returns the ancestors of the version that goes on from r.
func (r *record) lineage() ancestors {
	if r.Format == 0 {
		return nil // there was none
	}
	a := append(slices.Clone(r.Ancestors), ancestor{r.Nonce, [8]byte(r.Digest[:8])})
	return a[max(0, len(a)-manyAncestors):]
}

// after returns the nonce of the version that came right after one that r goes on from;
// known is false where that is too long ago, or r does not go on from it.
func (r *record) after(from *record) (next nonce, known bool) {
	chain, i := append(slices.Clone(r.Ancestors), ancestor{nonce: r.Nonce}), 0
	switch {
	case from.Format != 0:
		i = 1 + slices.IndexFunc(chain, func(a ancestor) bool { return a.nonce == from.Nonce })
		known = i > 0 && i < len(chain)
	default: // it came first
		known = len(r.Ancestors) < manyAncestors
	}
	if !known {
		return next, false
	}
	return chain[i].nonce, true
}

// encode returns the value of a record.
func (r *record) encode() ([]byte, error) {
	head, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return slices.Concat(head, []byte{'\n'}, r.packed), nil
}

// decode reads a value.
func decode(value []byte) (*record, error) {
	head, packed, ok := bytes.Cut(value, []byte{'\n'})
	r := &record{packed: packed}
	if !ok {
		return nil, errors.New("it is no record of clawfs")
	}
	if err := json.Unmarshal(head, r); err != nil {
		return nil, fmt.Errorf("it is no record of clawfs: %w", err)
	}
	if r.Format != format && r.Format != formatChunks {
		return nil, fmt.Errorf("its format is %d, this clawfs knows none after %d", r.Format, formatChunks)
	}
	return r, nil
}

// version is a record with the revision at which the engine has it.
type version struct {
	*record
	rev int64
}

// light returns the version without its content.
func (v version) light() version {
	r := *v.record
	r.packed = nil
	return version{&r, v.rev}
}

// nothing is the version before the first one.
func nothing() version { return version{record: &record{State: gone}} }

// keys are the prefixes of the engine's keys for one cluster.
type keys struct{ heads, chunks, secret string }

func newKeys(cluster string) keys {
	return keys{heads: cluster + "/head/", chunks: cluster + "/chunk/", secret: cluster + "/secret"}
}

func (k keys) head(name string) string { return k.heads + name }

func (k keys) name(key string) string { return strings.TrimPrefix(key, k.heads) }
