package fs

import "sync"

// zeroing is a range of a plain file that is being made zero (fallocate). The kernel
// makes its pages zero when that is done, and does not write them. It may have begun to
// write a page before, because somebody stored to another byte of it: that would bring
// the old bytes back. So writes that arrive meanwhile are made zero in that range.
type zeroing struct {
	mu       sync.RWMutex // guards from and to; held for reading while something is written
	from, to int64        // the range; empty: none. The kernel has one at a time
}

// begin waits for writes that are under way.
func (z *zeroing) begin(from, to int64) { z.set(from, to) }

func (z *zeroing) end() { z.set(0, 0) }

func (z *zeroing) set(from, to int64) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.from, z.to = from, to
}

// writing makes those bytes of data zero that are in the range. The caller writes data, and
// then calls the function that is returned.
func (z *zeroing) writing(data []byte, off int64) (written func()) {
	z.mu.RLock()
	from, to := max(z.from, off), min(z.to, off+int64(len(data)))
	if from < to {
		clear(data[from-off : to-off])
	}
	return z.mu.RUnlock
}
