package txn

import "time"

// A modification time is either given by the store or set by a program. The store gives
// each version a time of its own, so that a program that compares times notices it. A
// program sets any time that it likes: of a handle's content before that is saved, or of
// a finished file before it becomes the registry. Such a time is the version's if the
// version holds just those bytes. A merged version gets a time from the store.

// noteTime notes that the staged content was changed, or that a time was set for it. The
// caller holds mu.
func (t *Tx) noteTime(set time.Time) { t.changed, t.setTime = t.reg().store.cfg.Now(), set }

// SetTime sets the modification time of staged content. It returns false where nothing is
// staged: the time is the registry's then.
func (t *Tx) SetTime(to time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.unsaved.Load() || t.aborted != nil {
		return false
	}
	t.noteTime(to)
	return true
}

// Time returns the modification time that the handle shows of staged content, and when it
// was set; ok is false where nothing is staged.
func (t *Tx) Time() (modified, since time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if modified = t.setTime; modified.IsZero() {
		modified = t.changed
	}
	return modified, t.changed, t.unsaved.Load()
}

// Touch has the effect of a write of the same bytes: it makes the present time the
// modification time. The error is the storage's.
func (t *Tx) Touch(c Caller) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.touch(c, time.Time{})
}

// touch makes to the modification time; zero: the present time. The caller holds mu.
func (t *Tx) touch(c Caller, to time.Time) error {
	if t.unsaved.Load() {
		t.noteTime(to)
		return nil
	}
	t.reg().mu.Lock()
	gone := t.outlived.Load()
	t.reg().mu.Unlock()
	if gone {
		return nil
	}
	return t.reg().touch(c, to)
}

// touch gives the live file another time, with the same content; zero: the present one.
func (r *Registry) touch(c Caller, to time.Time) error {
	e := Event{Outcome: Unchanged, Via: ViaTruncate, Writer: c}
	var err error
	fault := r.exclusively(func() {
		r.mu.Lock()
		var found *Event
		if found, err = r.refresh(); err == nil && r.exists() {
			if to.IsZero() {
				to = r.nextTime()
			}
			r.setTime(to, &e)
		}
		if e.Name = r.name; r.head != nil {
			e.Seq, e.Parent, e.Size, e.Time = r.head.Seq, r.head.Seq, r.head.Size, r.head.Time
		}
		r.mu.Unlock()
		r.store.observe(found)
	})
	if fault != nil {
		return fault
	}
	if !e.Was.IsZero() {
		r.store.observe(&e)
	}
	return err
}

// setTime gives the live file, and its version or its blank, another modification time. The
// event gets the time before. A time that can't be set is no failure: the content is right.
// Only the leader calls it, with mu held, which is given up meanwhile.
func (r *Registry) setTime(to time.Time, e *Event) {
	name, stamp := r.name, r.stamp
	r.replacingLive = true
	r.mu.Unlock()
	now, ok, err := r.store.storage.SetTime(name, stamp, to)
	r.mu.Lock()
	r.replacingLive = false
	switch {
	case !ok || err != nil:
		r.stamp = stampUnknown
		return
	case r.head != nil:
		e.Was, r.head = r.head.Time, r.head.withTime(to)
	case r.blank != nil:
		e.Was, r.blank = r.blank.Time, r.blank.withTime(to)
	}
	r.stamp = now
}

// nextTime returns the modification time that the store gives next: now, but later than
// every one that it has given, and another one than the head's, by more than the quarter
// of a microsecond that JavaScript can't tell in times of our century.
func (r *Registry) nextTime() time.Time {
	const apart = time.Microsecond
	next := r.store.cfg.Now()
	if least := r.lastTime.Add(apart); next.Before(least) {
		next = least
	}
	if r.head != nil {
		if d := next.Sub(r.head.Time); -apart < d && d < apart {
			next = r.head.Time.Add(apart)
		}
	}
	r.lastTime = next
	return next
}
