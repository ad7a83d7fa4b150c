package txn

import (
	"io/fs"
	"runtime/debug"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// A request is one transaction's content on its way into a registry, or a piece
// of work that must be alone with the registry.
type request struct {
	*draft
	doc     *jsondoc.Doc
	adds    bool     // whole lines to JSON lines, which it is known to be; doc may be nil
	writers []Caller // the writers of the content; the first one is logged
	begun   Tick     // when the first of it was staged, 0 if that is not known
	ended   Tick     // of a finished file: the place behind its first write
	like    fs.File
	changes bool   // it is a change though the content stays: see Replacement
	parts   bool   // see Replacement
	mark    uint64 // its name in a journal; 0: it has none
	part    uint64 // the mark of the call that it is a part of; 0: there is none
	via     Via
	yields  bool // the head wins where both have changed the same, unless the policy refuses that

	noReplace bool     // fs.ErrExist where there is a file
	replaces  *removal // the version that the process had removed before it created the file
	during    func()   // not a commit: run this while nothing else touches the registry

	event      Event
	err        error
	alone      bool            // nobody else has changed the head since the version that its author had seen
	choice     seen.Choice     // of the merge base
	takes      []*draft        // those in flight that have become a part of the content
	made       *Version        // the version that this request made, nil where none
	left       *Version        // the head that it left: made, or the one before
	firstLines []*seen.Content // see Version

	answered bool      // it is done, even if the rest of its batch fails
	turn     chan bool // true: lead; false: done
}

// reset makes the request as if it had not been applied.
func (q *request) reset(name string) {
	for _, d := range q.takes {
		d.tx.takenInto.Store(nil)
	}
	q.committed.Store(false)
	q.err, q.made, q.left, q.choice, q.takes, q.firstLines = nil, nil, nil, seen.Choice{}, nil, nil
	q.event = Event{Name: name, Via: q.via, Writer: q.logged(), Note: q.intent.Note}
}

// applied notes, for the requests behind this one, that its content is in the
// registry, and that of the transaction that it was made from with it.
func (q *request) applied() {
	q.committed.Store(true)
	for _, d := range q.takes {
		d.tx.takenInto.Store(d.content)
	}
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
// Commits are grouped. A request that finds no leader leads: it takes all that is
// queued, merges it in memory in the order of arrival, and writes the result
// once. Requests that arrive meanwhile gather for the next batch, and the first of them
// leads it. So one pair of syncs serves a whole batch, and a batch is as large as
// the disk is slow.
//
//	leader:  batch := queue
//	         refresh head                         (adopt changes made behind us)
//	         for each request: apply              (choose base, merge; in memory)
//	         Storage.Commit(last version)         (the commit point)
//	         publish head, record views, log      (readers see it from here)
//	         observe; wake the batch; hand over
//
// It always holds that there is one leader a registry; that head and the live file
// differ only while replacingLive is set; and that a request is answered only after its
// version, or a later one that contains it, is on disk.
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

// lead carries out one batch, the leader's own request among it, and hands the lead to
// the request that waits first.
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

// carryOutSafely turns a panic, which is a fault of ours, into the failure of those
// requests of the batch that have no answer yet. So the registry stays usable, and
// nobody waits for ever.
func (r *Registry) carryOutSafely(batch []*request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		r.mu.Lock()
		r.replacingLive, r.stamp = false, stampUnknown
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
		if q.during == nil {
			continue
		}
		r.commitBatch(batch[start:i])
		q.during()
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
	for p := (patience{store: r.store}); p.next(); {
		done, err := r.tryBatch(batch)
		if err != nil {
			r.fail(batch, err)
		}
		if done || err != nil {
			r.conclude(batch)
			r.tellPlaced()
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
