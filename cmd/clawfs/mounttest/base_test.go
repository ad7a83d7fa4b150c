package mounttest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A story is the steps of several programs on one registry, one after the other: each has
// the name of an actor and a command (testdata/programs/actor.mjs). At first the
// registry has the entries a and b, and no other member.
type story struct {
	name  string
	steps string
	want  contents
	// On a bare directory it ends otherwise, since somebody loses something.
	// Where it does not, the story is about a thing that a merge could break.
	bareLoses bool
	only      string // the one language that can tell it
}

func yes(v bool) *bool { return &v }

// Stories that clawfs must get right by choosing the base of each write (§4).
func stories() []story {
	return []story{
		{
			name: "memory never re-read, others add",
			steps: `
				gateway read, cli1 read, cli1 add c, cli1 save
				gateway add d, gateway save
				cli2 read, cli2 add e, cli2 save
				gateway add f, gateway save`,
			want:      contents{IDs: ids("a b c d e f")},
			bareLoses: true,
		},
		{
			name: "memory never re-read, others remove",
			steps: `
				gateway read, gateway add c, gateway save
				cli1 read, cli1 remove a, cli1 save
				gateway add d, gateway save
				cli2 read, cli2 remove c, cli2 save
				gateway add e, gateway save, gateway save`,
			want:      contents{IDs: ids("b d e")},
			bareLoses: true,
		},
		{
			name: "memory never re-read, removes its own and the first ones",
			steps: `
				gateway read, gateway add c, gateway save
				cli1 read, cli1 add x, cli1 save
				gateway remove c, gateway save
				cli2 read, cli2 add y, cli2 save
				gateway remove a, gateway save`,
			want:      contents{IDs: ids("b x y")},
			bareLoses: true,
		},
		{
			name: "add then remove, one process alone, from memory",
			steps: `
				gateway read, gateway add c, gateway save, gateway remove c, gateway save`,
			want: contents{IDs: ids("a b")},
		},
		{
			name: "add then remove, one process alone, read each time",
			steps: `
				gateway read, gateway add c, gateway save, gateway read, gateway remove c, gateway save`,
			want: contents{IDs: ids("a b")},
		},
		{
			name: "add then remove, beside another",
			steps: `
				gateway read, gateway add c, gateway save
				cli read, cli add x, cli save
				gateway remove c, gateway save`,
			want:      contents{IDs: ids("a b x")},
			bareLoses: true,
		},
		{
			name: "on, off, on by a process that looks after each save",
			steps: `
				gateway read, gateway set flag false, gateway save, gateway look
				gateway set flag true, gateway save, gateway look
				gateway set flag false, gateway save, gateway look
				gateway set flag true, gateway save, gateway look`,
			want: contents{IDs: ids("a b"), Flag: yes(true)},
		},
		{
			name: "on, off, on by a process that adopts after each save, beside another",
			steps: `
				gateway read, gateway set flag false, gateway save, gateway read
				cli1 read, cli1 add x, cli1 save
				gateway set flag true, gateway save, gateway read
				gateway set flag false, gateway save, gateway read
				cli2 read
				gateway set flag true, gateway save, gateway read
				cli2 add y, cli2 save`,
			want:      contents{IDs: ids("a b x y"), Flag: yes(true)},
			bareLoses: true,
		},
		{
			name: "on, off, on by a process whose fs.watch watcher adopts",
			steps: `
				gateway read, gateway set flag false, gateway save, gateway watch
				gateway set flag true, gateway save, gateway wait
				cli read
				gateway set flag false, gateway save, gateway wait
				cli add x, cli save, gateway wait
				gateway set flag true, gateway save, gateway wait`,
			want: contents{IDs: ids("a b x"), Flag: yes(true)},
			only: "mjs",
		},
		{
			name: "removes what it saw only by polling",
			steps: `
				gateway read, gateway add c, gateway save
				cli1 read, cli1 add x, cli1 save
				gateway read
				cli2 read, cli2 add y, cli2 save
				gateway read, gateway remove x
				cli3 read, cli3 add z, cli3 save
				gateway save`,
			want:      contents{IDs: ids("a b c y z")},
			bareLoses: true,
		},
		{
			name: "polls, never wrote, removes an entry that was there before the last poll",
			steps: `
				gateway read
				cli1 read, cli1 add x, cli1 save
				gateway read
				cli2 read, cli2 add y, cli2 save
				gateway read, gateway remove x
				cli3 read, cli3 add z, cli3 save
				gateway save`,
			want:      contents{IDs: ids("a b y z")},
			bareLoses: true,
		},
		{
			name: "reads, is overtaken, checks, writes from the first read",
			steps: `
				one read
				other read, other add x, other save
				one look, one add c, one save`,
			want:      contents{IDs: ids("a b c x")},
			bareLoses: true,
		},
		{
			name: "six reads before the write, overtaken twice",
			steps: `
				one look, one look, one read, one look
				other read, other add x, other save
				one look
				third read, third add y, third save
				one look, one add c, one save`,
			want:      contents{IDs: ids("a b c x y")},
			bareLoses: true,
		},
		{
			name: "memory never re-read, copied to .bak after each save",
			steps: `
				gateway read, gateway add c, gateway save, gateway backup
				cli1 read, cli1 add x, cli1 save
				gateway backup
				gateway add d, gateway save, gateway backup
				cli2 read, cli2 add y, cli2 save
				gateway remove c, gateway save, gateway backup`,
			want:      contents{IDs: ids("a b d x y")},
			bareLoses: true,
		},
		{
			name: "memory never re-read, with a watcher that looks and forgets",
			steps: `
				gateway read, gateway add c, gateway save, gateway look
				cli1 read, cli1 add x, cli1 save, gateway look
				gateway add d, gateway save, gateway look
				cli2 read, cli2 add y, cli2 save, gateway look
				gateway remove c, gateway save, gateway look`,
			want:      contents{IDs: ids("a b d x y")},
			bareLoses: true,
		},
		{
			name: "two memories that never re-read",
			steps: `
				first read, second read
				first add c, first save, second add d, second save
				first add e, first save, second remove d, second save
				first remove a, first save, second add f, second save`,
			want:      contents{IDs: ids("b c e f")},
			bareLoses: true,
		},
		{
			name: "two programs that adopt before each change",
			steps: `
				first read, second read, first add c, first save
				second add d, second save, first read, first remove d, first save
				second read, second add e, second save`,
			want:      contents{IDs: ids("a b c e")},
			bareLoses: true,
		},
		{
			name: "unchanged memory saved again with a new stamp",
			steps: `
				gateway read, gateway set lastTouchedAt "2026-01-01T00:00:00Z", gateway save
				cli read, cli add x, cli save
				gateway set lastTouchedAt "2026-01-02T00:00:00Z", gateway save
				gateway set lastTouchedAt "2026-01-03T00:00:00Z", gateway save`,
			want:      contents{IDs: ids("a b x"), At: "2026-01-03T00:00:00Z"},
			bareLoses: true,
		},
		{
			name: "an old state written again is a revert",
			steps: `
				one read, one add c, one save, one add d, one save, one revert, one save`,
			want: contents{IDs: ids("a b")},
		},
		{
			name: "refused once, mended, while another adds",
			steps: `
				one read, one add c, one break=EINVAL
				other read, other add x, other save
				one save`,
			want:      contents{IDs: ids("a b c x")},
			bareLoses: true,
		},
		{
			name: "deleted by another, modified here",
			steps: `
				one read, other unlink, one add c, one save`,
			want: contents{IDs: ids("a b c")},
		},
		{
			name: "a program that begins anew, over what it has seen",
			steps: `
				one read, one new, one add c, one save`,
			want: contents{IDs: ids("c")},
		},
	}
}

func ids(list string) []string { return strings.Fields(list) }

// P4, the choice of the base (§4): each story is told in node and in python, saving in place
// and by rename. What a bare directory makes of it does not depend on the way of saving.
func TestStories(t *testing.T) {
	t.Parallel()
	need(t, "node")
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			for _, language := range []string{"mjs", "py"} {
				if s.only != "" && s.only != language {
					continue
				}
				for _, how := range []string{"in-place", "rename"} {
					t.Run(language+" "+how, func(t *testing.T) { s.tell(t, language, how) })
				}
			}
		})
	}
}

func (s story) tell(t *testing.T, language, how string) {
	t.Run("bare", func(t *testing.T) {
		if how != "in-place" {
			t.Skip("told in place")
		}
		got, err := s.end(t, newDir(t), language, how, false)
		if same := err == nil && cmp.Equal(s.want, got); same == s.bareLoses {
			t.Errorf("in a bare directory: %v, %v", got, err)
		}
	})
	t.Run("mount", func(t *testing.T) {
		m := newMount(t)
		got, err := s.end(t, m.dir, language, how, true)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.want, got); diff != "" {
			t.Errorf("P4 (-want +got):\n%s", diff)
		}
	})
}

// end tells the story and returns the content of the registry then. A step that ends
// in =ERRNO fails with that on a mount.
func (s story) end(t *testing.T, dir, language, how string, onMount bool) (contents, error) {
	t.Helper()
	write(t, dir, "models.json", "{\n  \"models\": [\n    {\n      \"id\": \"a\"\n    },\n    {\n      \"id\": \"b\"\n    }\n  ]\n}\n")
	file := filepath.Join(dir, "models.json")
	actors := make(map[string]*actor)
	for _, step := range strings.FieldsFunc(s.steps, func(r rune) bool { return r == ',' || r == '\n' }) {
		who, what, ok := strings.Cut(strings.TrimSpace(step), " ")
		if !ok {
			continue
		}
		if actors[who] == nil {
			actors[who] = startActor(t, dir, language, file, how)
		}
		what, want, fails := strings.Cut(what, "=")
		if !fails {
			want = "ok"
		} else if how == "rename" {
			want = strings.ReplaceAll(want, "EINVAL", "EILSEQ")
		}
		if got := actors[who].do(t, what); onMount && got != want {
			return contents{}, fmt.Errorf("%s %s: %s, want %s", who, what, got, want)
		}
	}
	return document(file)
}

// P4: a real watcher, in the order and at the times that the kernel makes, while
// others add and remove.
func TestTogglesWithWatcher(t *testing.T) {
	t.Parallel()
	need(t, "node", "jq")
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	file := filepath.Join(m.dir, "models.json")
	toggle := start(t, m.dir, program(t, "programs/toggle.mjs", file, "25"))
	want := []string{"claude"}
	for i := range 10 {
		id := fmt.Sprintf("cli-%d", i)
		want = append(want, id)
		succeed(t, m.dir, program(t, shell, "jq-mv", file, id))
	}
	r := toggle.wait()
	if r.code != 0 {
		t.Fatalf("%v", r)
	}
	var wanted struct {
		Flag bool
		Own  []string
	}
	if err := json.Unmarshal([]byte(r.stdout), &wanted); err != nil {
		t.Fatal(err)
	}
	got, err := document(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.Flag == nil {
		t.Error("P4: the flag is gone")
	}
	// Nobody's entry may be lost. The program reads each version several times, as a
	// watcher does, so that its removals of its own may be taken for those of a task
	// that has read before: SEMANTICS.md says how often.
	own := slices.DeleteFunc(slices.Clone(got.IDs), func(id string) bool {
		return !strings.HasPrefix(id, "toggle-") || slices.Contains(wanted.Own, id)
	})
	others := slices.DeleteFunc(slices.Clone(got.IDs), func(id string) bool { return slices.Contains(own, id) })
	for _, lost := range missing(slices.Concat(want, wanted.Own), others) {
		t.Errorf("P4: %s", lost)
	}
	t.Logf("%d of the program's own removals were not honoured", len(own))
}
