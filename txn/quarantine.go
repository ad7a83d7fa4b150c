package txn

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"sync"
)

// keptCopies are the newest copies in quarantine. A program that was refused tries again,
// many times perhaps: the same bytes of the same writer are there once.
type keptCopies struct {
	mu   sync.Mutex // guards list
	list []*keptCopy
}

type keptCopy struct {
	name   string
	writer Actor
	digest [32]byte
	id     string
	users  int // how many refusals it stands for
}

// manyCopies is how many copies are remembered.
const manyCopies = 256

// quarantine keeps refused content with the facts about its writer, and returns the id of the
// copy.
func (s *Store) quarantine(e *Event, content []byte) (string, error) {
	c := &keptCopy{name: e.Name, writer: e.Writer.Actor, digest: sha256.Sum256(content), users: 1}
	if id, ok := s.copies.again(c, s.storage.IsKept); ok {
		return id, nil
	}
	meta, err := json.Marshal(struct {
		Name string `json:"name"`
		Record
	}{e.Name, NewRecord(e, s.cfg.Now())})
	if err != nil {
		return "", err
	}
	if c.id, err = s.storage.Quarantine(e.Name, content, meta); err == nil && c.writer.Known() {
		s.copies.add(c)
	}
	return c.id, err
}

// discard removes a copy that a later commit made moot, unless it stands for another
// refusal, too.
func (s *Store) discard(id string) {
	if s.copies.drop(id) {
		_ = s.storage.Discard(id)
	}
}

// again returns the id of the copy that is there already, if it still is.
func (k *keptCopies) again(c *keptCopy, isKept func(id string) bool) (id string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.list, func(o *keptCopy) bool { return o.writer == c.writer && o.digest == c.digest && o.name == c.name })
	if i < 0 {
		return "", false
	}
	if !isKept(k.list[i].id) {
		k.list = slices.Delete(k.list, i, i+1)
		return "", false
	}
	k.list[i].users++
	return k.list[i].id, true
}

func (k *keptCopies) add(c *keptCopy) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.list) == manyCopies {
		k.list = slices.Delete(k.list, 0, 1)
	}
	k.list = append(k.list, c)
}

// drop takes back one refusal of a copy. It reports whether that was the last one.
func (k *keptCopies) drop(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.list, func(o *keptCopy) bool { return o.id == id })
	if i < 0 {
		return true
	}
	if k.list[i].users--; k.list[i].users > 0 {
		return false
	}
	k.list = slices.Delete(k.list, i, i+1)
	return true
}
