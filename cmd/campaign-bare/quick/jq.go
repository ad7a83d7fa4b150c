package quick

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// jq does `jq [-c] FILTER FILE`, with the exit codes of jq.
func jq(args []string) int {
	how := jqText
	if len(args) > 0 && args[0] == "-c" {
		how, args = nodeText, args[1:]
	}
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "jq: want a filter and a file")
		return 2
	}
	text, err := python{}.read(args[1])
	if err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		fmt.Fprintf(os.Stderr, "jq: error: Could not open %s: %s\n", args[1], message(errno))
		return 2
	}
	all, bad := parseAll(text)
	var out strings.Builder
	code := 0
	for _, v := range all {
		if v, err = filtered(v, args[0]); err != nil {
			fmt.Fprintln(os.Stderr, "jq: error:", err)
			code = 5
			continue
		}
		out.WriteString(how.text(v) + "\n")
	}
	if out.Len() > 0 {
		if _, err := os.Stdout.WriteString(out.String()); err != nil {
			fmt.Fprintln(os.Stderr, "jq: error: writing output failed")
			return 2
		}
	}
	if bad != nil {
		fmt.Fprintln(os.Stderr, "parse error:", bad)
		return 4
	}
	return code
}

// message is a system error as C programs print it.
func message(e syscall.Errno) string {
	text := e.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// filtered applies a filter: a path, PATH=VALUE, PATH += VALUE or del(PATH).
func filtered(v value, filter string) (value, error) {
	if inner, ok := strings.CutPrefix(filter, "del("); ok {
		return change(v, pathOf(strings.TrimSuffix(inner, ")")), nil)
	}
	path, operand, ok := strings.Cut(filter, "=")
	if !ok {
		return get(v, pathOf(path))
	}
	given, err := parse(operand)
	if err != nil {
		return nil, err
	}
	path, adds := strings.CutSuffix(strings.TrimSpace(path), "+")
	return change(v, pathOf(strings.TrimSpace(path)), func(old value) (value, error) {
		if !adds || old == nil {
			return given, nil
		}
		return sum(old, given)
	})
}

// sum is the result of `+` for two values.
func sum(a, b value) (value, error) {
	switch a := a.(type) {
	case *list:
		if b, ok := b.(*list); ok {
			return &list{append(append([]value(nil), a.elements...), b.elements...)}, nil
		}
	case json.Number:
		if b, ok := b.(json.Number); ok {
			x, errX := strconv.Atoi(a.String())
			y, errY := strconv.Atoi(b.String())
			return json.Number(strconv.Itoa(x + y)), errors.Join(errX, errY)
		}
	}
	return nil, errors.New("cannot be added")
}

// pathOf takes .a.b[0] apart.
func pathOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".[]", r) })
}

func get(v value, path []string) (value, error) {
	for _, name := range path {
		switch at := v.(type) {
		case *object:
			v = at.members[name]
		case nil:
		default:
			return nil, fmt.Errorf("cannot index with %q", name)
		}
	}
	return v, nil
}

// change sets the value at a path, or removes it where there is no function to make one.
func change(v value, path []string, to func(value) (value, error)) (value, error) {
	if len(path) == 0 {
		return to(v)
	}
	name := path[0]
	if v == nil {
		if to == nil {
			return nil, nil
		}
		v = newObject()
	}
	switch at := v.(type) {
	case *object:
		if to == nil && len(path) == 1 {
			at.remove(name)
			return at, nil
		}
		old, there := at.members[name]
		if to == nil && !there {
			return at, nil
		}
		now, err := change(old, path[1:], to)
		if err == nil {
			at.set(name, now)
		}
		return at, err
	case *list:
		i, err := strconv.Atoi(name)
		if err != nil || to != nil || len(path) > 1 {
			return nil, fmt.Errorf("cannot index a list with %q", name)
		}
		if i < len(at.elements) {
			at.elements = append(append([]value(nil), at.elements[:i]...), at.elements[i+1:]...)
		}
		return at, nil
	}
	return nil, fmt.Errorf("cannot index with %q", name)
}
