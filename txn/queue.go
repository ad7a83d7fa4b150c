package txn

import (
	"io/fs"
	"runtime/debug"

	"clawfs/txn/jsondoc"
)

// A request is one transaction's content on its way into a registry, or a piece
// of work that must be alone with the registry.
type request struct {
	*staged
	doc     *jsondoc.Doc
	tx      *Tx      // nil where the content comes from a finished file
	writers []Caller // those who wrote the content; the first one is logged
	opened  uint64   // place of the open in the store-wide order of events, 0 if that is not known
	ended   uint64   // of a finished file: the place behind its first write
	like    fs.File
	via     Via
	alone   func() // not a commit: run this while nothing else touches the registry

	event   Event
	err     error
	chosen  *candidate
	tasks   bool         // it shows that its author has several tasks at work
	absorbs []absorption // the transactions in flight that the content was made from
	made    *Version     // the version that this request made, nil where none
	left    *Version     // the head that it left: made, or the one before

	answered bool      // it is done, whatever becomes of the rest of its batch
	turn     chan bool // true: lead; false: done
}

// reset makes the request as if it had not been applied.
func (q *request) reset(name string) {
	for _, a := range q.absorbs {
		a.tx.absorbed.Store(nil)
	}
	q.committed.Store(false)
	q.err, q.made, q.left, q.chosen, q.tasks, q.absorbs = nil, nil, nil, nil, false, nil
	q.event = Event{Name: name, Via: q.via, Writer: q.logged()}
}

// applied notes, for the requests behind this one, that its content is in the
// registry, and that of the transaction which it was made from with it.
func (q *request) applied() {
	q.committed.Store(true)
	for _, a := range q.absorbs {
		a.tx.absorbed.Store(a.content)
	}
}

// An absorption is content of a transaction in flight that another one has in it.
type absorption struct {
	tx      *Tx
	content *content
}

func (q *request) logged() Caller {
	if len(q.writers) > 0 {
		return q.writers[0]
	}
	return Caller{}
}

// submit puts the request in the registry's queue and returns when it has been
// carried out: committed durably, found to change nothing, or refused.
//
// Commits are grouped. Whoever finds nobody leading leads: it takes all that is
// queued, merges it in memory in the order of arrival, and writes the result
// once. What arrives meanwhile gathers for the next batch, whose first request
// leads it. So one pair of syncs serves a whole batch, and a batch is as large as
// the disk is slow.
//
//	leader:  batch := queue
//	         refresh head                         (adopt what changed behind us)
//	         for each request: apply              (choose base, merge; in memory)
//	         Storage.Commit(last version)         (the commit point)
//	         publish head, record views, log      (readers see it from here)
//	         observe; wake the batch; hand over
//
// What always holds: one leader a registry; head and the live file differ only
// while placing is set; a request is answered only after its version, or a
// later one that contains it, is on disk.
func (r *Registry) submit(q *request) {
	q.turn = make(chan bool, 1)
	r.mu.Lock()
	r.queue = append(r.queue, q)
	if r.leading {
		r.mu.Unlock()
		if lead := <-q.turn; !lead {
			return
		}
	} else {
		r.leading = true
		r.mu.Unlock()
	}
	r.lead(q)
}

// lead carries out batches until the leader's own request is done, then hands
// the lead to whoever waits first.
func (r *Registry) lead(own *request) {
	r.mu.Lock()
	batch := r.queue
	r.queue = nil
	if r.store.cfg.Single {
		batch, r.queue = batch[:1:1], batch[1:]
	}
	r.mu.Unlock()
	r.carryOutSafely(batch)
	r.mu.Lock()
	var next *request
	if len(r.queue) > 0 {
		next = r.queue[0]
	} else {
		r.leading = false
	}
	r.mu.Unlock()
	for _, q := range batch {
		if q != own {
			q.turn <- false
		}
	}
	if next != nil {
		next.turn <- true
	}
}

// carryOutSafely turns a panic, which is a fault of ours, into the failure of
// what the batch had left to do, so that the registry stays usable and nobody
// waits for ever.
func (r *Registry) carryOutSafely(batch []*request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		r.mu.Lock()
		r.placing, r.stamp = false, stampUnknown
		r.mu.Unlock()
		fault := &FaultError{Name: r.name, Stack: string(debug.Stack())}
		for _, q := range batch {
			if !q.answered {
				q.reset(r.name)
				q.err = fault
			}
		}
	}()
	r.carryOut(batch)
}

// carryOut does the batch in order; work that must be alone parts it.
func (r *Registry) carryOut(batch []*request) {
	start := 0
	for i, q := range batch {
		if q.alone == nil {
			continue
		}
		r.commitBatch(batch[start:i])
		q.alone()
		q.answered = true
		start = i + 1
	}
	r.commitBatch(batch[start:])
}

// maxAttempts bounds how often a commit is made anew because the live file
// changed behind the store between refresh and Storage.Commit.
const maxAttempts = 16

func (r *Registry) commitBatch(batch []*request) {
	if len(batch) == 0 {
		return
	}
	for range maxAttempts {
		done, err := r.tryBatch(batch)
		if err != nil {
			r.fail(batch, err)
		}
		if done || err != nil {
			r.conclude(batch)
			return
		}
	}
	r.fail(batch, ErrBeaten)
	r.conclude(batch)
}

func (r *Registry) fail(batch []*request, err error) {
	for _, q := range batch {
		if q.err == nil {
			q.reset(r.name)
			q.err = err
		}
	}
}
