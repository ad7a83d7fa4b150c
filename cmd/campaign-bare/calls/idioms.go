package calls

// idioms are the ways in which programs use files: each returns the calls of
// one process, or nothing if it does not fit now.
func idioms() []func(g *generator, a int) []step {
	return []func(g *generator, a int) []step{
		(*generator).replace, (*generator).replace, (*generator).rewrite, (*generator).rewrite, (*generator).inPlace, (*generator).inPlace,
		(*generator).create, (*generator).create, (*generator).placeholder, (*generator).readOnce, (*generator).readKept, (*generator).readKept,
		(*generator).locked, (*generator).locked, (*generator).appendMore, (*generator).remove, (*generator).claim, (*generator).hardLink,
		(*generator).publish, (*generator).moves, (*generator).exchange, (*generator).nameless, (*generator).syncInvalid,
		(*generator).copies, (*generator).duplicates, (*generator).inherits, (*generator).timesSet, (*generator).onUnlinked,
		(*generator).directories, (*generator).updateKept, (*generator).tryLock, (*generator).tryLock, (*generator).replaceHandle, (*generator).assemble,
	}
}

// writes are the calls that put a text into a file by a handle.
func (g *generator) writes(a, h int, text func() string) []step {
	var parts []string
	made := false
	next := func() *Call {
		if !made {
			parts, made = g.pieces(text()), true
		}
		if len(parts) == 0 {
			return nil
		}
		c := &Call{By: a, Op: "write", H: h, Data: parts[0]}
		parts = parts[1:]
		return c
	}
	return []step{next, next, next}
}

// sometimes makes a call once in n times.
func (g *generator) sometimes(n int, c Call) step {
	if !g.chance(n) {
		return func() *Call { return nil }
	}
	return call(c)
}

func join(parts ...[]step) []step {
	var all []step
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// openFlags adds flags that change nothing here.
func (g *generator) openFlags(flags string) string {
	for _, f := range []string{"O_CLOEXEC", "O_NOFOLLOW", "O_SYNC", "O_DSYNC", "O_NONBLOCK"} {
		if g.chance(8) {
			flags += "|" + f
		}
	}
	return flags
}

var modes = []uint32{0o644, 0o600, 0o664, 0o640}

// replace writes a temporary file and renames it onto a registry.
func (g *generator) replace(a int) []step {
	p, tmp := pick(g, registries), pick(g, temporary)
	if !g.reserve(a, p, tmp) {
		return nil
	}
	h := g.handle()
	flags := pick(g, []string{"O_WRONLY|O_CREAT|O_EXCL", "O_WRONLY|O_CREAT|O_TRUNC", "O_RDWR|O_CREAT|O_TRUNC"})
	how := pick(g, []string{"", "", "", "RENAME_NOREPLACE"})
	early := g.chance(8) // the rename before the close
	rename := call(Call{By: a, Op: "rename", Path: tmp, Path2: p, Flags: how})
	end := []step{call(Call{By: a, Op: "close", H: h}), rename}
	if early {
		end[0], end[1] = end[1], end[0]
	}
	return join(g.known(a, p), g.gone(a, tmp), []step{func() *Call {
		if g.m.exists(tmp) {
			return &Call{By: a, Op: "unlink", Path: tmp}
		}
		return nil
	}, call(Call{By: a, Op: "open", H: h, Path: tmp, Flags: g.openFlags(flags), Mode: pick(g, modes)})},
		g.writes(a, h, func() string { return g.document(g.contentOf(p)) }),
		[]step{
			g.sometimes(3, Call{By: a, Op: "fsync", H: h}),
			g.sometimes(5, Call{By: a, Op: "fchmod", H: h, Mode: pick(g, modes)}),
			g.sometimes(4, Call{By: a, Op: "futimens", H: h, Off: 1_000_000_000 + g.Int64N(1000), Len: 1_100_000_000 + g.Int64N(1000)}),
			g.sometimes(6, Call{By: a, Op: "fchown", H: h, Off: 1000 + g.Int64N(2), Len: 1000}),
		}, end,
		[]step{
			g.sometimes(3, Call{By: a, Op: "stat", Path: p}),
			func() *Call { // the temporary file that a refused rename leaves
				if how != "" && g.m.exists(tmp) {
					return &Call{By: a, Op: "unlink", Path: tmp}
				}
				return nil
			}})
}

// rewrite truncates a registry and writes it anew.
func (g *generator) rewrite(a int) []step {
	p := pick(g, registries)
	if !g.reserve(a, p) {
		return nil
	}
	h, text := g.handle(), ""
	return join(g.known(a, p), []step{func() *Call {
		text = g.document(g.contentOf(p))
		return &Call{By: a, Op: "open", H: h, Path: p, Flags: g.openFlags("O_WRONLY|O_CREAT|O_TRUNC"), Mode: pick(g, modes)}
	}}, g.writes(a, h, func() string { return text }), []step{
		g.sometimes(4, Call{By: a, Op: "fsync", H: h}),
		g.sometimes(4, Call{By: a, Op: "fstat", H: h}),
		g.sometimes(12, Call{By: a, Op: "stat", Path: p}),
		g.sometimes(6, Call{By: a, Op: "futimens", H: h, Off: 1_000_000_000 + g.Int64N(1000), Len: 1_100_000_000 + g.Int64N(1000)}),
		call(Call{By: a, Op: "close", H: h}),
		g.sometimes(4, Call{By: a, Op: "statx", Path: p}),
	})
}

// anew are the calls that replace the content of an open handle.
func (g *generator) anew(a, h int, path string) []step {
	text := ""
	first := call(Call{By: a, Op: "lseek", H: h, Flags: "SEEK_SET"})
	cut := func() *Call { return &Call{By: a, Op: "ftruncate", H: h, Off: int64(len(text))} }
	whole := func() *Call {
		text = g.document(g.contentOf(path))
		return &Call{By: a, Op: "pwrite", H: h, Data: text}
	}
	switch g.IntN(3) {
	case 0:
		return []step{whole, cut}
	case 1:
		return []step{func() *Call {
			text = g.document(g.contentOf(path))
			return &Call{By: a, Op: "ftruncate", H: h}
		}, func() *Call { return &Call{By: a, Op: "pwrite", H: h, Data: text} }}
	}
	return join([]step{first}, g.writes(a, h, func() string {
		text = g.document(g.contentOf(path))
		return text
	}), []step{cut})
}

// inPlace opens a registry for both, reads it, and writes it by the same handle.
func (g *generator) inPlace(a int) []step {
	p := pick(g, registries)
	if !g.reserve(a, p) || g.m.file(p) == nil {
		return nil
	}
	h := g.handle()
	return join([]step{
		call(Call{By: a, Op: "open", H: h, Path: p, Flags: g.openFlags("O_RDWR")}),
		call(Call{By: a, Op: pick(g, []string{"read", "pread"}), H: h, Len: 10000}),
	}, g.anew(a, h, p), []step{
		g.sometimes(3, Call{By: a, Op: "pread", H: h, Len: 10000}),
		g.sometimes(3, Call{By: a, Op: "fstat", H: h}),
		g.sometimes(4, Call{By: a, Op: "fdatasync", H: h}),
		g.sometimes(8, Call{By: a, Op: "fallocate", H: h, Flags: "KEEP_SIZE", Len: 8192}),
		g.sometimes(30, Call{By: a, Op: "mmap", H: h, Flags: "MAP_SHARED", Data: "{", Len: 20}),
		call(Call{By: a, Op: "close", H: h}),
	})
}

// updateKept is inPlace by a handle that stays open for several updates.
func (g *generator) updateKept(a int) []step {
	p := pick(g, registries)
	if g.m.file(p) == nil || !g.free(p) {
		return nil
	}
	h := g.handle()
	steps := []step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDWR"})}
	for range 2 + g.IntN(2) {
		mine := false
		only := func(s step) step {
			return func() *Call {
				if !mine {
					return nil
				}
				return s()
			}
		}
		steps = append(steps, call(Call{By: a, Op: "pread", H: h, Len: 10000}), func() *Call {
			d := g.m.handle(a, h)
			mine = d != nil && d.f.named && d.f == g.m.file(p) && g.reserve(a, p)
			if !mine {
				return nil
			}
			return &Call{By: a, Op: "pread", H: h, Len: 10000}
		})
		for _, s := range g.anew(a, h, p) {
			steps = append(steps, only(s))
		}
		steps = append(steps, only(call(Call{By: a, Op: "fsync", H: h})), func() *Call {
			if mine {
				delete(g.reserved, p)
			}
			return nil
		}, g.sometimes(2, Call{By: a, Op: "stat", Path: p}))
	}
	return append(steps, call(Call{By: a, Op: "close", H: h}))
}

// create makes a registry that is not there, exclusively.
func (g *generator) create(a int) []step {
	p := pick(g, registries)
	h, text := g.handle(), ""
	if g.m.exists(p) {
		if !g.free(p) || g.m.handle(a, h) != nil {
			return nil
		}
		return []step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_WRONLY|O_CREAT|O_EXCL", Mode: 0o644})}
	}
	if !g.reserve(a, p) {
		return nil
	}
	lockIt := pick(g, []string{"flock", "lock", ""})
	steps := append(g.known(a, p), func() *Call {
		text = g.document("")
		return &Call{By: a, Op: "open", H: h, Path: p, Flags: g.openFlags("O_RDWR|O_CREAT|O_EXCL"), Mode: pick(g, modes)}
	})
	if lockIt == "flock" {
		steps = append(steps, call(Call{By: a, Op: "flock", H: h, Flags: "LOCK_EX"}))
	} else if lockIt == "lock" && g.chance(2) {
		steps = append(steps, call(Call{By: a, Op: "lock", H: h, Flags: "F_WRLCK"}))
	}
	return join(steps, g.writes(a, h, func() string { return text }), []step{
		g.sometimes(3, Call{By: a, Op: "stat", Path: p}),
		g.sometimes(4, Call{By: a, Op: "fstat", H: h}),
		g.sometimes(4, Call{By: a, Op: "readdir", Path: "."}),
		g.sometimes(4, Call{By: a, Op: "fsync", H: h}),
		call(Call{By: a, Op: "close", H: h}),
	})
}

// placeholder creates an empty registry, for somebody to fill later.
func (g *generator) placeholder(a int) []step {
	p := pick(g, registries)
	if g.m.exists(p) || g.avoids("close created-empty") || !g.reserve(a, p) {
		return nil
	}
	h := g.handle()
	steps := append(g.known(a, p), []step{
		call(Call{By: a, Op: "open", H: h, Path: p, Flags: pick(g, []string{"O_WRONLY|O_CREAT", "O_WRONLY|O_CREAT|O_EXCL", "O_RDWR|O_CREAT", "O_WRONLY|O_CREAT|O_TRUNC"}), Mode: pick(g, modes)}),
		g.sometimes(3, Call{By: a, Op: "utimens", Path: p, Off: 1_000_000_000, Len: 1_100_000_000}),
		call(Call{By: a, Op: "close", H: h}),
		g.sometimes(2, Call{By: a, Op: "stat", Path: p}),
	}...)
	if g.chance(2) {
		text, h := g.document(""), g.handle()
		steps = append(steps, call(Call{By: a, Op: "open", H: h, Path: p, Flags: pick(g, []string{"O_WRONLY", "O_WRONLY|O_TRUNC", "O_WRONLY|O_APPEND"})}))
		steps = append(steps, g.writes(a, h, func() string { return text })...)
		steps = append(steps, call(Call{By: a, Op: "close", H: h}))
	}
	return steps
}

// readOnce reads a registry in one or several calls.
func (g *generator) readOnce(a int) []step {
	p := pick(g, registries)
	if !g.settled(p) {
		return nil
	}
	h := g.handle()
	steps := []step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: g.openFlags(pick(g, []string{"O_RDONLY", "O_RDONLY|O_NOATIME"}))})}
	opened := func(s step) step {
		return func() *Call {
			if g.m.handle(a, h) == nil {
				return nil
			}
			return s()
		}
	}
	for range 1 + g.IntN(3) {
		steps = append(steps, opened(call(pick(g, []Call{
			{By: a, Op: "read", H: h, Len: 10000}, {By: a, Op: "read", H: h, Len: 30}, {By: a, Op: "fstat", H: h},
			{By: a, Op: "pread", H: h, Off: 20, Len: 100}, {By: a, Op: "mmap", H: h, Len: 200, Flags: "MAP_PRIVATE"},
			{By: a, Op: "mmap", H: h, Len: 200, Flags: "MAP_SHARED"}, {By: a, Op: "lseek", H: h, Flags: "SEEK_END"},
			{By: a, Op: "lseek", H: h, Flags: "SEEK_HOLE"}, {By: a, Op: "lseek", H: h, Flags: "SEEK_DATA"},
		}))))
	}
	return append(steps, opened(call(Call{By: a, Op: "close", H: h})))
}

// readKept reads a registry from its start several times by one handle.
func (g *generator) readKept(a int) []step {
	p := pick(g, registries)
	if g.m.file(p) == nil {
		return nil
	}
	if !g.settled(p) {
		return nil
	}
	h := g.handle()
	steps := []step{call(Call{By: a, Op: "open", H: h, Path: p, Flags: "O_RDONLY"})}
	opened := func(s step) step {
		return func() *Call {
			if g.m.handle(a, h) == nil {
				return nil
			}
			return s()
		}
	}
	for range 2 + g.IntN(3) {
		steps = append(steps, opened(call(Call{By: a, Op: "lseek", H: h, Flags: "SEEK_SET"})), opened(call(Call{By: a, Op: "read", H: h, Len: 10000})),
			opened(g.sometimes(3, Call{By: a, Op: "fstat", H: h})), g.sometimes(3, Call{By: a, Op: "stat", Path: p}))
	}
	return append(steps, opened(call(Call{By: a, Op: "close", H: h})))
}
