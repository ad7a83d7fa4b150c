package view

import (
	"encoding/json"

	"clawfs/cmd/clawfs/versions"
)

// rowsOfSide is how many changes of each side of a merge are shown.
const rowsOfSide = 50

// explained is how a merged version came about.
type explained struct {
	BaseSeq, BeforeSeq uint64
	MineIs             string
	Others, Mine       side // the changes of each side since the base
	Decided            []decided
	Rules              []ruled
	MoreRules          int
	secret             bool // credentials are in it
}

// side holds the changes of one side of a merge.
type side struct {
	Known   bool
	Changes []changed
	More    int
}

// decided is a conflict with the values of both sides.
type decided struct {
	Path, Kind, Won string
	Others, Mine    value
}

// ruled is a rule of merging and where it decided.
type ruled struct{ Path, Rule string }

// explain tells how a version came about.
func (s *Server) explain(t versions.Target, shown bool) (*explained, error) {
	x, err := s.o.Engine.Explain(t)
	if err != nil {
		return nil, err
	}
	e := &explained{MineIs: x.MineIs}
	if x.Base != nil {
		e.BaseSeq = x.Base.Seq
	}
	if x.Before != nil {
		e.BeforeSeq = x.Before.Seq
	}
	e.Others = e.side(x.Base, x.Before, shown)
	e.Mine = e.side(x.Base, x.Mine, shown)
	for _, c := range x.Conflicts {
		e.Decided = append(e.Decided, decided{Path: orRoot(c.Path), Kind: c.Kind, Won: c.Won, Others: e.value(c.Path, c.Head, shown), Mine: e.value(c.Path, c.Mine, shown)})
	}
	if x.Record != nil {
		for _, r := range x.Record.Rules {
			e.Rules = append(e.Rules, ruled{orRoot(r.Path), r.Rule})
		}
		e.MoreRules = x.Record.MoreRules
	}
	return e, nil
}

// side compares the content of a side with the base.
func (e *explained) side(base, now *versions.Content, shown bool) (out side) {
	if base == nil || now == nil {
		return out
	}
	a, errA := base.Document()
	b, errB := now.Document()
	if errA != nil || errB != nil {
		return out
	}
	all := versions.Compare(a, b, nil)
	out.Known, out.More = true, max(len(all)-rowsOfSide, 0)
	var secret bool
	out.Changes, secret = newChanges(all[:len(all)-out.More], shown)
	e.secret = e.secret || secret
	return out
}

// value shows the value of a side at a conflict.
func (e *explained) value(path string, raw json.RawMessage, shown bool) value {
	if raw == nil {
		return value{}
	}
	if isSecretAt(path, raw) {
		e.secret = true
		if !shown {
			return value{There: true, Text: versions.Mask}
		}
	}
	return newValue(&path, raw)
}
