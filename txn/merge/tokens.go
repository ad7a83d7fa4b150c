package merge

import "clawfs/txn/jsondoc"

// tokens decides the rows of an object's token groups that both sides have
// renewed: all of a group comes from one side, since an access token of one
// login and a refresh token of another open nothing.
func (m *merger) tokens(v *members3, tb *table, o jsondoc.Value, r *rules) {
	for g := range tokenGroups {
		group := m.groupRows(g, v, tb)
		if group == nil {
			continue
		}
		if winner, ok := m.renewed(g, v, tb, group, r); ok {
			m.apply(ruleTokens)
			tb.takeAll(v, group, winner)
		}
		return
	}
}

// groupRows returns the rows of a token group, nil if the object has none.
func (m *merger) groupRows(g int, v *members3, tb *table) []int32 {
	var rows []int32
	tokens := 0
	for i := range tb.rows {
		key := v.key(tb.rows[i])
		switch {
		case isOneOf(key, tokenGroups[g].tokens):
			tokens++
		case !isOneOf(key, tokenGroups[g].rest):
			continue
		}
		rows = append(rows, int32(i))
	}
	if tokens == 0 || len(rows) < 2 {
		return nil
	}
	return rows
}

func isOneOf(key jsondoc.Value, names []string) bool {
	raw := key.Raw()
	for _, name := range names {
		if len(raw) >= len(name) && len(raw) <= 6*len(name)+2 && key.Text() == name {
			return true
		}
	}
	return false
}

// renewed reports whether both sides have changed the group, to different
// tokens, and records the winner. A side that has no more tokens, where the base
// had some, has logged out, which holds.
func (m *merger) renewed(g int, v *members3, tb *table, group []int32, r *rules) (winner Side, ok bool) {
	var head, theirs, different bool
	var inBase, inHead, inTheirs bool // some token
	for _, i := range group {
		b, o, t := v.pick(tb.rows[i])
		head = head || !sameSlot(b, o)
		theirs = theirs || !sameSlot(b, t)
		different = different || !(o.Exists() == t.Exists() && (!o.Exists() || jsondoc.Equal(o, t)))
		if isOneOf(v.key(tb.rows[i]), tokenGroups[g].tokens) {
			inBase, inHead, inTheirs = inBase || isToken(b), inHead || isToken(o), inTheirs || isToken(t)
		}
	}
	switch {
	case !head || !theirs || !different:
		return Neither, false
	case r.onConflict == Reject, m.exact:
		return m.settle(TokensRotated, r), true
	case inBase && !inHead:
		m.record(Deleted, Head)
		return Head, true
	case inBase && !inTheirs:
		m.record(Deleted, Theirs)
		return Theirs, true
	}
	return m.settle(TokensRotated, r), true
}

// isToken reports whether there is a token in its place, rather than nothing, null or an
// empty text.
func isToken(v jsondoc.Value) bool {
	return v.Exists() && v.Kind() != jsondoc.Null && (v.Kind() != jsondoc.String || v.Text() != "")
}

// sameSlot reports whether a version has the same value as the base, or neither has one.
func sameSlot(base, x jsondoc.Value) bool {
	if !base.Exists() || !x.Exists() {
		return base.Exists() == x.Exists()
	}
	return respelled(base, x)
}

// takeAll decides all rows of a group for one side.
func (tb *table) takeAll(v *members3, group []int32, winner Side) {
	for _, i := range group {
		_, o, t := v.pick(tb.rows[i])
		tb.rows[i].decided = true
		switch {
		case winner == Head && o.Exists(), o.Exists() && t.Exists() && jsondoc.Equal(o, t):
			tb.outs[i] = keep(o)
		case winner != Head && t.Exists():
			tb.outs[i] = take(t)
		}
	}
}
