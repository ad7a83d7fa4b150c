package quick

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// first is the document that a program begins with: edit.py's FIRST.
const first = `{"entries":[{"id":"e0"},{"id":"e1"}],"jobs":{"j1":{"cmd":"x"},"j2":{"cmd":"y"}},"debug":false,"port":80}`

// program is edit.py, or edit.mjs: a program that keeps its registry in memory.
type program struct {
	disk     disk
	spelling spelling
	home     string
	child    []string // the command that does a line in a process of its own
	doc      value
	kept     []string
}

// errNoDocument says that the memory holds nothing of the kind that an operation needs.
var errNoDocument = errors.New("the memory does not hold that")

// answer does the operations of a line.
func (p *program) answer(line string) string {
	said := &list{}
	for operation := range strings.SplitSeq(line, "; ") {
		words := strings.Fields(operation)
		told, err := p.do(words[0], append(words[1:], "", ""))
		var errno syscall.Errno
		switch {
		case errors.As(err, &errno):
			return "failed " + unix.ErrnoName(errno)
		case err != nil:
			return "failed " + err.Error()
		case told != "":
			said.elements = append(said.elements, strings.TrimSpace(told))
		}
	}
	return p.spelling.text(said)
}

// do does one operation. Of its words there are two at least.
func (p *program) do(name string, words []string) (string, error) {
	path, to := p.path(words[0]), p.path(words[1])
	switch name {
	case "load":
		text, err := p.disk.read(path)
		if err == nil {
			p.doc, err = parse(text)
		}
		return text, err
	case "peek":
		return p.disk.read(path)
	case "exists":
		is, err := p.exists(path)
		return map[bool]string{true: "True", false: "False"}[is], err
	case "size":
		n, err := p.disk.size(path)
		return fmt.Sprint(n), err
	case "list":
		names, err := p.disk.list(p.home)
		return strings.Join(slices.DeleteFunc(names, func(n string) bool { return n == ".git" }), ","), err
	case "save":
		return "", p.save(path, words[1])
	case "unlink":
		return "", p.disk.unlink(path)
	case "move":
		return "", p.disk.rename(path, to)
	case "copy":
		return "", p.disk.copy(path, to)
	case "child":
		line := strings.ReplaceAll(strings.TrimSpace(strings.Join(words, " ")), ",", ";")
		out, err := exec.Command(p.child[0], append(slices.Clip(p.child[1:]), line)...).Output()
		if e := (*exec.ExitError)(nil); errors.As(err, &e) {
			err = nil
		}
		return strings.TrimSpace(string(out)), err
	}
	return "", p.change(name, words)
}

func (p *program) path(name string) string { return filepath.Join(p.home, name) }

func (p *program) exists(path string) (bool, error) {
	_, err := p.disk.size(path)
	if errors.Is(err, syscall.ENOENT) {
		return false, nil
	}
	return err == nil, err
}

// change changes the document in memory.
func (p *program) change(name string, words []string) (err error) {
	switch name {
	case "reset":
		p.doc, err = parse(first)
		return err
	case "keep":
		p.kept = append(p.kept, p.spelling.text(p.doc))
		return nil
	case "back":
		if n := len(p.kept); n > 0 {
			p.doc, err = parse(p.kept[n-1])
			p.kept = p.kept[:n-1]
		}
		return err
	}
	doc, ok := p.doc.(*object)
	if !ok {
		return errNoDocument
	}
	switch name {
	case "set":
		v, err := parse(words[1])
		doc.set(words[0], v)
		return err
	case "unset":
		doc.remove(words[0])
	case "bump":
		number, _ := doc.members["rev"].(json.Number)
		n, _ := strconv.Atoi(number.String())
		doc.set("rev", json.Number(strconv.Itoa(n+1)))
	case "add", "drop", "pop", "clear":
		return p.changeEntries(doc, name, words[0])
	case "mark", "unmark", "done":
		return p.changeJob(doc, name, words)
	default:
		return fmt.Errorf("no operation is named %q", name)
	}
	return nil
}

func (p *program) changeEntries(doc *object, name, id string) error {
	entries, ok := doc.members["entries"].(*list)
	if !ok && doc.members["entries"] != nil {
		return errNoDocument
	}
	if !ok {
		entries = &list{}
	}
	switch name {
	case "add":
		o := newObject()
		o.set("id", id)
		entries.elements = append(entries.elements, o)
	case "drop":
		entries = &list{slices.DeleteFunc(slices.Clone(entries.elements), func(v value) bool {
			o, ok := v.(*object)
			return ok && o.members["id"] == id
		})}
	case "pop":
		if len(entries.elements) == 0 {
			return nil
		}
		entries.elements = slices.Clone(entries.elements[1:])
	case "clear":
		entries = &list{}
	}
	doc.set("entries", entries)
	return nil
}

func (p *program) changeJob(doc *object, name string, words []string) error {
	jobs, ok := doc.members["jobs"].(*object)
	if !ok && name != "mark" {
		return nil
	}
	if !ok {
		jobs = newObject()
		doc.set("jobs", jobs)
	}
	job, ok := jobs.members[words[0]].(*object)
	switch {
	case name == "done":
		jobs.remove(words[0])
	case name == "unmark" && ok:
		job.remove("state")
	case name == "mark":
		if !ok {
			job = newObject()
			jobs.set(words[0], job)
		}
		state := words[1]
		if state == "" {
			state = "running"
		}
		job.set("state", state)
	}
	return nil
}

// save writes the memory, in one of the ways in which programs write.
func (p *program) save(path, how string) error {
	text := p.spelling.text(p.doc)
	there := false
	if slices.Contains([]string{"rplus", "unlink", "backup"}, how) {
		var err error
		if there, err = p.exists(path); err != nil {
			return err
		}
	}
	var err error
	switch {
	case how == "rename":
		if err = p.disk.write(path+".tmp", text); err == nil {
			err = p.disk.rename(path+".tmp", path)
		}
		return err
	case how == "rplus" && there:
		return p.disk.overwrite(path, text)
	case how == "unlink" && there:
		err = p.disk.unlink(path)
	case how == "backup" && there:
		err = p.disk.copy(path, path+".bak")
	}
	if err != nil {
		return err
	}
	return p.disk.write(path, text)
}
