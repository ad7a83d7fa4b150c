package seen

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// CheckInvariants compares a table with the rules below. It returns all contradictions,
// joined, nil where there is none. It is for tests: it reads all contents of views.
//
// It holds this: each process has views, in the order of events, none of them later than
// now, and no more than maxViews of them and one. A view that is not of nothing has content, and
// that has its digest. Processes are found by their ancestors as long as they have
// views. Contents are counted, and so bounded.
func (v *Views) CheckInvariants() error {
	now := v.cfg.Next()
	var errs []error
	living, descending := make(map[*actorViews]bool), make(map[*actorViews]bool)
	for _, a := range v.living {
		living[a] = true
	}
	for _, known := range v.descendants {
		for _, a := range known {
			descending[a] = true
		}
	}
	for key, a := range v.actors {
		if err := a.check(now); err != nil {
			errs = append(errs, fmt.Errorf("process %d: %w", key.PID, err))
		}
		switch {
		case a.caller.author() != key:
			errs = append(errs, fmt.Errorf("process %d is in the table as %d", a.caller.PID, key.PID))
		case a.dead == 0 && !living[a]:
			errs = append(errs, fmt.Errorf("process %d is neither dead nor living", key.PID))
		}
		delete(descending, a)
	}
	if len(descending) > 0 {
		errs = append(errs, fmt.Errorf("%d processes are found by ancestors only", len(descending)))
	}
	return errors.Join(append(errs, v.checkBounds())...)
}

// checkBounds checks the bounded tables: contents, changes, answers.
func (v *Views) checkBounds() error {
	if held := v.Bytes(); held > v.bytes {
		return fmt.Errorf("views hold %d bytes, %d are counted", held, v.bytes)
	}
	if limit := max(2*v.keptBytes, maxViewBytes); v.bytes > limit {
		return fmt.Errorf("views hold %d bytes, %d are allowed", v.bytes, limit)
	}
	if len(v.changes.marks) > maxChanges {
		return fmt.Errorf("%d changes are remembered, %d may be", len(v.changes.marks), maxChanges)
	}
	for i, m := range v.changes.marks {
		if i > 0 && m.at < v.changes.marks[i-1].at || m.at < v.changes.lost {
			return errors.New("changes are not in order")
		}
	}
	if len(v.absences.looks) > maxLookers {
		return fmt.Errorf("%d processes were told of nothing, %d may be", len(v.absences.looks), maxLookers)
	}
	for _, of := range v.absences.looks {
		if len(of.answers) > maxLooks {
			return fmt.Errorf("%d answers of one process are remembered, %d may be", len(of.answers), maxLooks)
		}
	}
	return nil
}

// check checks one process's views.
func (a *actorViews) check(now Tick) error {
	if len(a.views) == 0 || len(a.views) > maxViews+1 {
		return fmt.Errorf("it has %d views", len(a.views))
	}
	for i, one := range a.views {
		switch {
		case one.first > one.last || one.last > now || one.usedUp > now || one.ended > now || one.pinned > one.first:
			return fmt.Errorf("view %d is of %d to %d, pinned at %d, ended at %d, used up at %d, and now is %d",
				i, one.first, one.last, one.pinned, one.ended, one.usedUp, now)
		case i > 0 && one.first < a.views[i-1].first:
			return fmt.Errorf("view %d is older than the one before", i)
		case one.unused < 0 || one.unused > 0 && one.kind != read:
			return fmt.Errorf("view %d has %d readings that were not used up", i, one.unused)
		case (one.content == nil) != (one.kind == removed):
			return fmt.Errorf("view %d, of kind %d, has content: %t", i, one.kind, one.content != nil)
		case one.content != nil && sha256.Sum256(one.content.Bytes) != one.content.Digest:
			return fmt.Errorf("the content of view %d has changed", i)
		case a.dead != 0 && a.dead > now:
			return fmt.Errorf("it ended at %d, and now is %d", a.dead, now)
		}
	}
	return nil
}
