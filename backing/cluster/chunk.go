package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A content that is larger than largestInline is cut into chunks, which the engine has under
// keys of their own; the record lists them. It is cut where its bytes say so, so that a change
// moves the cuts next to it only: a commit puts the changed chunks.
//
//	CLUSTER/chunk/NAME/REV.NONCE.N    the Nth new chunk of a commit in place of the version at REV
//
// A chunk is put before the swap. A record lists no other chunks than those that were put for
// it, and those of the very version that it replaces. So where the head is another version than
// the one at REV, and does not list a chunk, no version ever will: it may be dropped (Collect).
const (
	largestInline = 64 << 10
	smallestChunk = 16 << 10
	largestChunk  = 256 << 10
	chunkBits     = 16 // zeros in the hash where content is cut: every 64 KiB or so
)

// chunk is a piece of a content.
type chunk struct {
	key  string // below the registry's prefix
	sum  [16]byte
	size int
}

// MarshalText implements encoding.TextMarshaler.
func (c chunk) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s %x %d", c.key, c.sum, c.size), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *chunk) UnmarshalText(text []byte) error {
	parts := bytes.Split(text, []byte{' '})
	if len(parts) != 3 {
		return errors.New("it is no chunk")
	}
	var err error
	c.key = string(parts[0])
	c.size, err = strconv.Atoi(string(parts[2]))
	if c.size < 0 || c.size > largestChunk {
		return errors.New("wrong size of a chunk")
	}
	return errors.Join(err, unhex(c.sum[:], parts[1]))
}

func sumOf(piece []byte) [16]byte {
	sum := sha256.Sum256(piece)
	return [16]byte(sum[:16])
}

// gear has a random number for each byte: always the same ones, so that all hosts cut alike.
var gear = sync.OnceValue(func() *[256]uint64 {
	r, table := rand.New(rand.NewPCG(0x636c, 0x6177)), new([256]uint64)
	for i := range table {
		table[i] = r.Uint64()
	}
	return table
})

// cut returns the pieces of a content.
func cut(content []byte) (pieces [][]byte) {
	table := gear()
	for len(content) > 0 {
		end := min(len(content), largestChunk)
		var hash uint64
		for i := min(len(content), smallestChunk); i < end; i++ {
			if hash = hash<<1 + table[content[i]]; hash>>(64-chunkBits) == 0 {
				end = i + 1
			}
		}
		pieces, content = append(pieces, content[:end]), content[end:]
	}
	return pieces
}

// chunkPrefix is the beginning of the keys of a registry's chunks.
func (k keys) chunkPrefix(name string) string { return k.chunks + name + "/" }

// fill puts a content into the record of a version that is to replace the one that the live
// file is. The chunks that it returns were put for it. Errors are those of Commit.
func (s *Storage) fill(name string, r *registry, rec *record, content []byte) (made []chunk, err error) {
	if len(content) <= largestInline {
		rec.packed, err = s.packer.pack(content)
		return nil, err
	}
	known := make(map[[16]byte]chunk)
	for _, c := range r.at.Chunks {
		known[c.sum] = c
	}
	rec.Format = formatChunks
	var pieces [][]byte
	nonce := newNonce()
	for _, piece := range cut(content) {
		sum := sumOf(piece)
		c, there := known[sum]
		if !there {
			c = chunk{key: fmt.Sprintf("%d.%x.%d", r.at.rev, nonce, len(made)), sum: sum, size: len(piece)}
			known[sum] = c
			made, pieces = append(made, c), append(pieces, piece)
		}
		rec.Chunks = append(rec.Chunks, c)
	}
	err = each(made, func(i int, c chunk) error { return s.putChunk(name, c, pieces[i]) })
	if err != nil {
		s.drop(name, made)
	}
	return made, err
}

// manyChunks is how many chunks are under way at a time.
const manyChunks = 8

// each calls do for all chunks, several at a time. The error is one of do's.
func each(all []chunk, do func(i int, c chunk) error) error {
	var failed atomic.Pointer[error]
	room := make(chan struct{}, manyChunks)
	var under sync.WaitGroup
	for i, c := range all {
		room <- struct{}{}
		if failed.Load() != nil {
			break
		}
		under.Go(func() {
			if err := do(i, c); err != nil {
				failed.Store(&err)
			}
			<-room
		})
	}
	under.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// putChunk puts a chunk, which nobody else does. A request without an answer is made again.
func (s *Storage) putChunk(name string, c chunk, piece []byte) error {
	key := s.keys.chunkPrefix(name) + c.key
	packed, err := s.packer.pack(piece)
	if err == nil {
		packed, err = s.sealer.seal(key, packed)
	}
	if err != nil {
		return err
	}
	err = s.insist(func(ctx context.Context) error {
		_, _, err := s.engine.Swap(ctx, key, 0, packed)
		return err
	})
	return refusal(name, err)
}

// insist asks the engine until it answers, refuses for good, or the time of a commit is over.
func (s *Storage) insist(ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.commit)
	defer cancel()
	for {
		limited, cancel := context.WithTimeout(ctx, s.limits.answer)
		err := ask(limited)
		cancel()
		var refused *RefusedError
		if err == nil || errors.As(err, &refused) && !refused.Again {
			return err
		}
		if down := s.isDown(); down != nil {
			return down
		}
		if !wait(ctx, rand.N(s.limits.pause)) {
			return err
		}
	}
}

// refusal turns an error of the engine into that of a commit that was not done.
func refusal(name string, err error) error {
	var refused *RefusedError
	switch errors.As(err, &refused); {
	case err == nil, unavailable(err):
		return err
	case refused != nil && refused.Large:
		return &TooLargeError{Name: name, Err: err}
	}
	return &UnavailableError{Err: err, Full: refused != nil && refused.Full}
}

func unavailable(err error) bool {
	var u *UnavailableError
	return errors.As(err, &u)
}

// errNoChunk says that a chunk is not there: its version has been replaced, and the chunk dropped.
var errNoChunk = errors.New("a chunk of the newest version is not there")

// contentOf returns the content of a version. Chunks that the live file has are not asked
// for.
func (s *Storage) contentOf(name string, v version) ([]byte, error) {
	if len(v.Chunks) == 0 {
		return s.packer.unpack(v.record)
	}
	live, _, _, err := s.Local.Load(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	have := make(map[[16]byte][]byte)
	for _, piece := range cut(live) {
		have[sumOf(piece)] = piece
	}
	var lacking []chunk
	for _, c := range v.Chunks {
		if _, ok := have[c.sum]; !ok {
			lacking, have[c.sum] = append(lacking, c), nil
		}
	}
	var mu sync.Mutex
	err = each(lacking, func(_ int, c chunk) error {
		piece, err := s.getChunk(name, c)
		mu.Lock()
		defer mu.Unlock()
		have[c.sum] = piece
		return err
	})
	if err != nil {
		return nil, err
	}
	content := make([]byte, 0, min(max(v.Size, 0), largestContent))
	for _, c := range v.Chunks {
		content = append(content, have[c.sum]...)
	}
	if sha256.Sum256(content) != v.Digest {
		return nil, errors.New("a record lists other content than it says")
	}
	return content, nil
}

func (s *Storage) getChunk(name string, c chunk) (piece []byte, err error) {
	err = s.insist(func(ctx context.Context) error {
		e, err := s.engine.Get(ctx, s.keys.chunkPrefix(name)+c.key)
		if err == nil && e.Rev == 0 {
			return &RefusedError{Err: errNoChunk}
		}
		var packed []byte
		if err == nil {
			packed, err = s.sealer.open(e)
		}
		if err == nil {
			piece, err = s.packer.unpackChunk(packed, c)
		}
		return err
	})
	return piece, err
}

// retire drops the chunks that have left the head before, and notes those that leave it now: a
// host may be about to ask for them. The caller holds doing.
func (s *Storage) retire(name string, r *registry, was, is []chunk) {
	old := r.retired
	if r.retired = without(was, is); len(old) > 0 {
		s.dropping.Go(func() { s.drop(name, old) })
	}
}

// drop drops chunks that no version lists, nor ever will. Collect finds the others.
func (s *Storage) drop(name string, chunks []chunk) {
	if len(chunks) == 0 {
		return
	}
	all := make([]string, len(chunks))
	for i, c := range chunks {
		all[i] = s.keys.chunkPrefix(name) + c.key
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.answer)
	defer cancel()
	_ = s.engine.Drop(ctx, all...)
}

// without returns the chunks that are not among others.
func without(chunks, others []chunk) []chunk {
	kept := make(map[string]bool, len(others))
	for _, c := range others {
		kept[c.key] = true
	}
	return slices.DeleteFunc(slices.Clone(chunks), func(c chunk) bool { return kept[c.key] })
}

// Collected is the result of Collect.
type Collected struct {
	Chunks  int // that are there
	Dropped int // and were, since no version lists them, nor will
	Busy    int // that a commit under way may have put
}

// Collect drops chunks that no version refers to: those of commits that have failed, or
// whose host has died.
func (s *Storage) Collect(ctx context.Context) (c Collected, err error) {
	of := make(map[string][]string) // keys of chunks by registry
	err = s.engine.Keys(ctx, s.keys.chunks, func(key string) {
		rest := strings.TrimPrefix(key, s.keys.chunks)
		if i := strings.LastIndexByte(rest, '/'); i >= 0 {
			of[rest[:i]] = append(of[rest[:i]], rest[i+1:])
		}
	})
	for name, chunks := range of {
		if err == nil {
			err = s.collect(ctx, name, chunks, &c)
		}
	}
	return c, err
}

func (s *Storage) collect(ctx context.Context, name string, chunks []string, c *Collected) error {
	head, err := s.newest(name) // after the chunks were listed
	if err != nil {
		return err
	}
	var unused []string
	for _, key := range chunks {
		base, _, _ := strings.Cut(key, ".")
		switch rev, err := strconv.ParseInt(base, 10, 64); {
		case err != nil, slices.ContainsFunc(head.Chunks, func(c chunk) bool { return c.key == key }):
			c.Chunks++
		case rev == head.rev:
			c.Chunks++
			c.Busy++
		default:
			unused = append(unused, s.keys.chunkPrefix(name)+key)
		}
	}
	if len(unused) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.engine.Drop(ctx, unused...); err != nil {
		return &UnavailableError{Err: err}
	}
	c.Dropped += len(unused)
	return nil
}
