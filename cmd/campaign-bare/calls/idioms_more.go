package calls

import "slices"

// locked opens a registry, locks it, reads it, and writes it; it gives the lock
// back before it closes, and may go on with the same handle.
func (g *generator) locked(a int) []step {
	p := pick(g, registries)
	if g.m.file(p) == nil {
		return nil
	}
	h := g.handle()
	op := pick(g, []string{"flock", "flock", "lock", "ofdlock"})
	on, off := "LOCK_EX", "LOCK_UN"
	if op != "flock" {
		on, off = "F_WRLCK", "F_UNLCK"
	}
	steps := []step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDWR"})}
	for range 1 + g.IntN(2) {
		mine := false
		only := func(s step) step {
			return func() *Call {
				if !mine {
					return nil
				}
				return s()
			}
		}
		steps = append(steps,
			func() *Call {
				d := g.m.handle(a, h)
				mine = d != nil && d.f.named && d.f == g.m.file(p) && g.reserve(a, p)
				if d == nil {
					return nil
				}
				return &Call{By: a, Op: op, H: h, Flags: on}
			},
			only(g.sometimes(2, Call{By: a, Op: "fstat", H: h})), only(call(Call{By: a, Op: "pread", H: h, Len: 10000})))
		for _, s := range g.anew(a, h, p) {
			steps = append(steps, only(s))
		}
		steps = append(steps, func() *Call {
			if g.m.handle(a, h) == nil {
				return nil
			}
			return &Call{By: a, Op: op, H: h, Flags: off}
		}, func() *Call {
			if mine {
				delete(g.reserved, p)
			}
			return nil
		})
	}
	return append(steps, func() *Call {
		if g.m.handle(a, h) == nil {
			return nil
		}
		return &Call{By: a, Op: "close", H: h}
	})
}

// appendMore appends to a registry so that it stays a document.
func (g *generator) appendMore(a int) []step {
	p := pick(g, registries)
	if g.m.file(p) == nil || !g.reserve(a, p) {
		return nil
	}
	h := g.handle()
	text := func() string {
		if g.contentOf(p) == "" {
			return g.document("")
		}
		return "\n"
	}
	return join([]step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: pick(g, []string{"O_WRONLY|O_APPEND", "O_RDWR|O_APPEND", "O_WRONLY|O_APPEND|O_CREAT"}), Mode: 0o644})},
		g.writes(a, h, text), []step{
			g.sometimes(3, Call{By: a, Op: "fstat", H: h}),
			g.sometimes(3, Call{By: a, Op: "pwrite", H: h, Data: " "}), // Linux appends here, too
			call(Call{By: a, Op: "close", H: h}),
		})
}

// assemble builds a new registry in pieces. Each is appended by a handle of its own, as >>
// does. The second piece is a document by itself.
func (g *generator) assemble(a int) []step {
	p := pick(g, registries)
	if !g.chance(3) || g.m.exists(p) || !g.reserve(a, p) {
		return nil
	}
	steps := g.known(a, p)
	text := g.document("")
	for _, piece := range []string{"[\n", "17\n", ", " + text + "]\n"} {
		h := g.handle()
		steps = append(steps, call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_WRONLY|O_CREAT|O_APPEND", Mode: 0o644}),
			call(Call{By: a, Op: "write", H: h, Data: piece}), call(Call{By: a, Op: "close", H: h}))
	}
	return steps
}

// remove unlinks a registry, and looks.
func (g *generator) remove(a int) []step {
	p := pick(g, registries)
	if !g.reserve(a, p) {
		return nil
	}
	steps := []step{call(Call{By: a, Op: "unlink", Path: p}), call(pick(g, []Call{
		{By: a, Op: "stat", Path: p}, {By: a, Op: "access", Path: p}, {By: a, Op: "readdir", Path: "."}, {By: a, Op: "unlink", Path: p},
		{By: a, Op: "open", H: g.handle(), Path: p, Flags: "O_RDONLY"},
	}))}
	if g.chance(2) { // unlink and create, as mv does it
		h, text := g.handle(), ""
		steps = append(steps, func() *Call {
			if g.m.exists(p) {
				return nil
			}
			text = g.document("")
			return &Call{By: a, Op: "open", H: h, Path: p, Flags: "O_WRONLY|O_CREAT|O_EXCL", Mode: pick(g, modes)}
		}, func() *Call {
			if g.m.handle(a, h) == nil {
				return nil
			}
			return &Call{By: a, Op: "write", H: h, Data: text}
		}, func() *Call {
			if g.m.handle(a, h) == nil {
				return nil
			}
			return &Call{By: a, Op: "close", H: h}
		})
	}
	return steps
}

// claim unlinks a name that another process is about to unlink or rename away, too.
func (g *generator) claim(a int) []step {
	p := pick(g, registries)
	if !g.free(p) || g.m.file(p) == nil {
		return nil
	}
	other := pick(g, g.actors)
	second := Call{By: other, Op: "unlink", Path: p}
	if g.chance(3) {
		second = Call{By: other, Op: "rename", Path: p, Path2: "t1"}
	}
	return []step{func() *Call {
		if !g.reserve(a, p) {
			return nil
		}
		return &Call{By: a, Op: "unlink", Path: p}
	}, func() *Call {
		if g.reserved[p] != a || g.m.exists(p) || !g.free("t1") {
			return nil
		}
		return &second
	}}
}

// hardLink gives a registry another name, and changes it by one of them.
func (g *generator) hardLink(a int) []step {
	p, to := pick(g, registries), pick(g, []string{"b.json", "x.json", "sub/c.json", "t1", "l.json"})
	if p == to || g.m.file(p) == nil || !g.reserve(a, p, to) {
		return nil
	}
	h := g.handle()
	steps := append(g.known(a, to), []step{call(Call{By: a, Op: "link", Path: p, Path2: to}), g.sometimes(2, Call{By: a, Op: "stat", Path: to}),
		g.sometimes(3, Call{By: a, Op: "stat", Path: p})}...)
	if g.chance(2) {
		steps = join(steps, []step{func() *Call {
			if g.m.file(to) == nil || g.m.file(to) != g.m.file(p) {
				return nil
			}
			return &Call{By: a, Op: "open", H: h, Path: pick(g, []string{p, to}), Flags: "O_RDWR"}
		}}, when(func() bool { return g.m.handle(a, h) != nil },
			join([]step{call(Call{By: a, Op: "pread", H: h, Len: 10000})}, g.anew(a, h, p), []step{call(Call{By: a, Op: "close", H: h})})))
	}
	return append(steps, g.sometimes(3, Call{By: a, Op: "unlink", Path: to}))
}

// when makes calls only as long as something holds.
func when(holds func() bool, steps []step) []step {
	var all []step
	for _, s := range steps {
		all = append(all, func() *Call {
			if !holds() {
				return nil
			}
			return s()
		})
	}
	return all
}

// publish writes a temporary file and links it to a name that must be free.
func (g *generator) publish(a int) []step {
	p, tmp := pick(g, registries), pick(g, temporary)
	if g.m.exists(tmp) || !g.reserve(a, p, tmp) {
		return nil
	}
	h := g.handle()
	return join(g.known(a, p), g.gone(a, tmp), []step{call(Call{By: a, Op: "open", H: h, Path: tmp, Flags: "O_WRONLY|O_CREAT|O_EXCL", Mode: pick(g, modes)})},
		g.writes(a, h, func() string { return g.document("") }), []step{
			call(Call{By: a, Op: "close", H: h}),
			call(Call{By: a, Op: "link", Path: tmp, Path2: p}),
			call(Call{By: a, Op: "unlink", Path: tmp}),
		})
}

// moves renames a registry away, or onto another one, and perhaps back.
func (g *generator) moves(a int) []step {
	p, to := pick(g, registries), pick(g, append([]string{"l.json", "d/c.json", "t1"}, registries...))
	if p == to || g.m.file(p) == nil || !g.alone(a, to) || !g.reserve(a, p, to) {
		return nil
	}
	steps := []step{call(Call{By: a, Op: "rename", Path: p, Path2: to, Flags: pick(g, []string{"", "", "RENAME_NOREPLACE"})}),
		g.sometimes(2, Call{By: a, Op: "stat", Path: to}), g.sometimes(2, Call{By: a, Op: "stat", Path: p})}
	if g.chance(2) {
		steps = append(steps, func() *Call {
			if f := g.m.file(to); f == nil || !valid(f.current) {
				return nil
			}
			return &Call{By: a, Op: "rename", Path: to, Path2: p}
		})
	}
	return steps
}

// exchange swaps two names.
func (g *generator) exchange(a int) []step {
	p, q := pick(g, registries), pick(g, append([]string{"x.json", "t1"}, registries...))
	if p == q || g.m.file(p) == nil || g.m.file(q) != nil && !valid(g.contentOf(q)) || !g.reserve(a, p, q) {
		return nil
	}
	return []step{call(Call{By: a, Op: "rename", Path: p, Path2: q, Flags: "RENAME_EXCHANGE"}), g.sometimes(2, Call{By: a, Op: "stat", Path: q})}
}

// nameless makes a file without a name and links it.
func (g *generator) nameless(a int) []step {
	p := pick(g, registries)
	if !g.reserve(a, p) {
		return nil
	}
	h := g.handle()
	return join(g.known(a, p), []step{call(Call{By: a, Op: "open", H: h, Path: ".", Flags: "O_RDWR|O_TMPFILE", Mode: 0o644})},
		g.writes(a, h, func() string { return g.document("") }), []step{
			call(Call{By: a, Op: "linkh", H: h, Path: p}),
			g.sometimes(2, Call{By: a, Op: "fstat", H: h}),
			call(Call{By: a, Op: "close", H: h}),
		})
}

// syncInvalid syncs half a document, then writes the rest.
func (g *generator) syncInvalid(a int) []step {
	p := pick(g, registries)
	if !g.chance(3) || g.m.file(p) == nil || !g.reserve(a, p) {
		return nil
	}
	h, text := g.handle(), ""
	return join(g.known(a, p), []step{
		func() *Call {
			text = g.document(g.contentOf(p))
			return &Call{By: a, Op: "open", H: h, Path: p, Flags: "O_WRONLY"}
		},
		call(Call{By: a, Op: "ftruncate", H: h}),
		func() *Call { return &Call{By: a, Op: "write", H: h, Data: text[:20]} },
		call(Call{By: a, Op: pick(g, []string{"fsync", "fdatasync"}), H: h}),
		func() *Call { return &Call{By: a, Op: "write", H: h, Data: text[20:]} },
		call(Call{By: a, Op: "fsync", H: h}),
		call(Call{By: a, Op: "close", H: h}),
	})
}

// copies has the kernel copy one file to another.
func (g *generator) copies(a int) []step {
	p, to := pick(g, registries), pick(g, append([]string{"t1", "x.json"}, registries...))
	if p == to || g.contentOf(p) == "" || !g.free(p) || !g.alone(a, to) || !g.reserve(a, p, to) {
		return nil
	}
	h, h2 := g.handle(), g.handle()
	return []step{
		call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDONLY"}),
		call(Call{By: a, Op: "open", H: h2, Path: to, Flags: "O_WRONLY|O_CREAT|O_TRUNC", Mode: 0o644}),
		call(Call{By: a, Op: pick(g, []string{"copy", "sendfile"}), H: h, H2: h2, Len: 10000}),
		call(Call{By: a, Op: "close", H: h2}), call(Call{By: a, Op: "close", H: h}),
	}
}

// duplicates writes by a copy of a descriptor.
func (g *generator) duplicates(a int) []step {
	p := pick(g, registries)
	if g.m.file(p) == nil || !g.reserve(a, p) {
		return nil
	}
	h, h2 := g.handle(), g.handle()
	first, second := h, h2
	if g.chance(2) {
		first, second = h2, h
	}
	return join([]step{
		call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDWR"}), call(Call{By: a, Op: "dup", H: h, H2: h2}),
		call(Call{By: a, Op: "pread", H: h, Len: 10000}),
	}, g.anew(a, first, p), []step{call(Call{By: a, Op: "close", H: first}), g.sometimes(2, Call{By: a, Op: "pread", H: second, Len: 10000})},
		g.anew(a, second, p), []step{call(Call{By: a, Op: "close", H: second})})
}

// inherits makes a child that has its parent's open handles, and ends.
func (g *generator) inherits(a int) []step {
	p, child := pick(g, registries), 4+g.forks
	if child >= channels || g.m.child[a] || g.m.file(p) == nil || !g.reserve(a, p) {
		return nil
	}
	g.forks++
	h := g.handle()
	writer := pick(g, []int{a, child})
	closes := []step{call(Call{By: a, Op: "close", H: h}), call(Call{By: child, Op: "exit"})}
	if g.chance(2) {
		closes[0], closes[1] = closes[1], closes[0]
	}
	return join([]step{
		call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDWR"}), call(Call{By: a, Op: "fork", H: child}),
		call(Call{By: writer, Op: "pread", H: h, Len: 10000}),
	}, g.anew(writer, h, p), []step{g.sometimes(2, Call{By: a, Op: "pread", H: h, Len: 10000})}, closes)
}

// timesSet sets times, by name or by handle.
func (g *generator) timesSet(a int) []step {
	p := pick(g, registries)
	if g.m.file(p) == nil || !g.reserve(a, p) {
		return nil
	}
	h := g.handle()
	omit := pick(g, []string{"", "", "OMIT_ATIME", "OMIT_MTIME", "NOW_MTIME"})
	c := Call{By: a, Op: "utimens", Path: p, Flags: omit, Off: 1_000_000_000 + g.Int64N(1000), Len: 1_100_000_000 + g.Int64N(1000)}
	if g.chance(2) {
		return []step{call(c), call(Call{By: a, Op: "stat", Path: p})}
	}
	c.Op, c.Path, c.H = "futimens", "", h
	return []step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: pick(g, []string{"O_RDONLY", "O_WRONLY"})}), call(c),
		call(Call{By: a, Op: "fstat", H: h}), call(Call{By: a, Op: "close", H: h})}
}

// onUnlinked goes on with a handle whose name the process has removed.
func (g *generator) onUnlinked(a int) []step {
	p := pick(g, registries)
	if g.m.file(p) == nil || !g.reserve(a, p) {
		return nil
	}
	h, flags, text := g.handle(), "O_RDONLY", ""
	if g.chance(3) {
		flags, text = "O_RDWR", g.document(g.contentOf(p))
	}
	return []step{
		call(Call{By: a, Op: "open", H: h, Path: p, Flags: flags}), call(Call{By: a, Op: "unlink", Path: p}),
		call(Call{By: a, Op: "fstat", H: h}),
		func() *Call {
			if text == "" {
				return nil
			}
			return &Call{By: a, Op: "pwrite", H: h, Data: text}
		},
		call(Call{By: a, Op: "pread", H: h, Len: 10000}),
		func() *Call {
			if text == "" {
				return nil
			}
			return &Call{By: a, Op: "ftruncate", H: h, Off: int64(len(text))}
		},
		call(Call{By: a, Op: "close", H: h}), g.sometimes(2, Call{By: a, Op: "stat", Path: p}),
	}
}

// tryLock asks for locks on a registry in any state, and gives them back.
func (g *generator) tryLock(a int) []step {
	p, h := pick(g, registries), g.handle()
	if !g.settled(p) {
		return nil
	}
	op := pick(g, []string{"flock", "lock", "ofdlock"})
	on, off := pick(g, []string{"LOCK_SH", "LOCK_EX"}), "LOCK_UN"
	c := Call{By: a, Op: op, H: h}
	if op != "flock" {
		on, off = pick(g, []string{"F_RDLCK", "F_WRLCK"}), "F_UNLCK"
		c.Off, c.Len = g.Int64N(3)*10, g.Int64N(2)*10
	}
	lock, unlock := c, c
	lock.Flags, unlock.Flags = on, off
	return append([]step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDWR"})}, when(func() bool { return g.m.handle(a, h) != nil }, []step{
		call(lock), call(pick(g, []Call{{By: a, Op: "fstat", H: h}, {By: a, Op: "pread", H: h, Len: 10000}, lock})), call(unlock),
		call(Call{By: a, Op: "close", H: h}),
	})...)
}

// replaceHandle has dup2 put a handle in the place of another one, and so close that one.
func (g *generator) replaceHandle(a int) []step {
	p, q := pick(g, registries), pick(g, registries)
	if p == q || g.m.file(p) == nil || g.m.file(q) == nil || !g.reserve(a, p, q) {
		return nil
	}
	h, h2 := g.handle(), g.handle()
	return join([]step{
		call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDWR"}), call(Call{By: a, Op: "pread", H: h, Len: 10000}),
		call(Call{By: a, Op: "open", H: h2, Path: q, Flags: "O_RDONLY"}),
	}, g.anew(a, h, p), []step{
		call(Call{By: a, Op: "dup2", H: h2, H2: h}), call(Call{By: a, Op: "pread", H: h, Len: 10000}),
		call(Call{By: a, Op: "close", H: h}), call(Call{By: a, Op: "close", H: h2}),
	})
}

// directories makes, moves and removes directories.
func (g *generator) directories(a int) []step {
	if !g.reserve(a, "sub", "d", "sub/c.json", "sub/t2.json", "d/c.json") {
		return nil
	}
	return []step{call(pick(g, []Call{
		{By: a, Op: "mkdir", Path: "sub", Mode: 0o755}, {By: a, Op: "mkdir", Path: "sub", Mode: 0o755}, {By: a, Op: "mkdir", Path: "d", Mode: 0o700},
		{By: a, Op: "rmdir", Path: "d"}, {By: a, Op: "rmdir", Path: "sub"}, {By: a, Op: "rename", Path: "sub", Path2: "d"},
		{By: a, Op: "rename", Path: "d", Path2: "sub"}, {By: a, Op: "rename", Path: "sub", Path2: "d", Flags: "RENAME_EXCHANGE"},
	})), call(pick(g, []Call{{By: a, Op: "readdir", Path: "."}, {By: a, Op: "stat", Path: "sub"}, {By: a, Op: "stat", Path: "sub/c.json"}}))}
}

// settled reports whether nobody is writing or creating a file. Seldom it says
// so all the same: differences seen then are excused.
func (g *generator) settled(path string) bool {
	f := g.m.file(path)
	return f == nil || f.creator == nil && !f.refused && len(g.m.dirtyBy(f)) == 0 || g.chance(6)
}

// single is one call, or an attempt at one, on any name.
func (g *generator) single(a int) []step {
	p := pick(g, append([]string{"l.json", "t1", "x.json", "sub", "d"}, append(registries, registries...)...))
	if !g.settled(p) {
		return nil
	}
	asks := []Call{
		{Op: "stat"}, {Op: "lstat"}, {Op: "statx"}, {Op: "access"}, {Op: "access", Mode: 6}, {Op: "readlink"}, {Op: "getxattr", Path2: "user.k"}, {Op: "listxattr"},
		{Op: "readdir", Path: "."}, {Op: "readdir", Path: "sub"}, {Op: "statx", Flags: "AT_SYMLINK_NOFOLLOW"},
		{Op: "open", H: -1, Flags: "O_WRONLY|O_CREAT|O_EXCL", Mode: 0o644}, {Op: "open", H: -1, Flags: "O_RDONLY|O_DIRECTORY"},
		{Op: "open", H: -1, Flags: "O_PATH"}, {Op: "open", H: -1, Flags: "O_RDONLY|O_NOFOLLOW"},
		{Op: "mkdir", Mode: 0o755}, {Op: "symlink", Path: "a.json", Path2: "="}, {Op: "rmdir"},
	}
	changes := []Call{
		{Op: "chmod", Mode: pick(g, modes)}, {Op: "chown", Off: 1000 + g.Int64N(2), Len: 1000}, {Op: "setxattr", Path2: "user.k", Data: "v"},
		{Op: "removexattr", Path2: "user.k"}, {Op: "truncate"}, {Op: "symlink", Path: pick(g, registries), Path2: "l.json"}, {Op: "unlink", Path: "l.json"},
		{Op: "unlink", Path: pick(g, temporary)}, {Op: "mkdir", Path: "sub", Mode: 0o755},
	}
	if g.chance(3) {
		return g.change(a, p, pick(g, changes))
	}
	c := pick(g, asks)
	c.By = a
	if c.Path == "" {
		c.Path = p
	}
	if c.Path2 == "=" {
		c.Path2 = p
	}
	if c.H < 0 {
		c.H = g.handle()
	}
	if c.Op == "readdir" && !g.chance(5) && slices.ContainsFunc(everything, func(p string) bool { f := g.m.file(p); return f != nil && f.creator != nil }) {
		return nil
	}
	made := c.Op == "mkdir" || c.Op == "symlink" || c.Op == "rmdir" || c.has("O_EXCL")
	if made && (!g.m.exists(p) || c.Op == "rmdir" && g.m.file(p) == nil) {
		return nil // only as a call that must fail
	}
	return []step{call(c), func() *Call {
		if c.Op != "open" || g.m.handle(a, c.H) == nil {
			return nil
		}
		return &Call{By: a, Op: "close", H: c.H}
	}}
}

// change is one call that changes the file of a name.
func (g *generator) change(a int, p string, c Call) []step {
	c.By = a
	if c.Path == "" {
		c.Path = p
	}
	target := c.Path
	if c.Op == "symlink" {
		target = c.Path2
	}
	if !g.reserve(a, target) {
		return nil
	}
	if c.Op == "truncate" { // to the same size, or without the blanks at the end
		text := g.contentOf(p)
		if !valid(text) {
			return nil
		}
		n := len(text)
		for n > 0 && valid(text[:n-1]) && g.chance(2) {
			n--
		}
		c.Off = int64(n)
	}
	return []step{call(c)}
}
