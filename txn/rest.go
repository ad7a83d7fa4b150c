package txn

import "crypto/sha256"

// Rest is the file of a registry whose name its writer has removed, for the other names and
// the open descriptors that it has. Content written by a handle from then on is no registry's: it is the file's.
type Rest interface {
	// Save has the file hold content, a document or not, durably.
	Save(content []byte) error
	// Close gives the file up.
	Close() error
}

// restFile is the rest of a transaction's file.
type restFile struct {
	Rest
	saved [sha256.Size]byte // digest of the content last saved. Guarded by Tx.mu
}

// setRest notes where the transaction saves its content once it is forsaken; nil: nowhere.
func (t *Tx) setRest(rest Rest) {
	var file *restFile
	if rest != nil {
		file = &restFile{Rest: rest}
	}
	if old := t.rest.Swap(file); old != nil {
		_ = old.Close()
	}
}

// saveRest saves the content of a forsaken transaction, if somebody can read its file and it
// has written something. The caller holds mu.
func (t *Tx) saveRest() error {
	file := t.rest.Load()
	if file == nil || len(t.data) == 0 && t.headAtOpen == nil {
		return t.refused
	}
	if t.overflow != nil {
		return t.overflow
	}
	digest := sha256.Sum256(t.data)
	if digest == file.saved {
		return nil
	}
	if err := file.Save(t.data); err != nil {
		return err
	}
	file.saved = digest
	return nil
}
