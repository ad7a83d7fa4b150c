package quick

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Names are the names by which a process is started as a stand-in for a program.
var Names = []string{"python3", "node", "jq"}

// Main does the work of the program of that name with these arguments, and returns its
// exit code.
func Main(argv []string) int {
	runtime.LockOSThread() // calls that are not awaited are made by one thread
	args := argv[1:]
	switch filepath.Base(argv[0]) {
	case "jq":
		return jq(args)
	case "python3":
		for len(args) > 0 && strings.HasPrefix(args[0], "-") {
			args = args[1:]
		}
		if len(args) < 2 {
			return usage(argv)
		}
		return programMain(&program{disk: python{}, spelling: pythonText, home: args[1], child: []string{argv[0], args[0], args[1]}}, args[2:])
	}
	if len(args) < 3 {
		return usage(argv)
	}
	p := &program{disk: nodeSync{}, spelling: nodeText, home: args[2], child: []string{"/bin/sh", "-c", `$PY "$K/edit.py" "$0" "$1"`, args[2]}}
	if args[1] == "async" {
		p.disk = newAwaited()
	}
	return programMain(p, args[3:])
}

func usage(argv []string) int {
	fmt.Fprintf(os.Stderr, "%s: this stands in for the tester's own programs only\n", argv[0])
	return 2
}

// programMain has a program do one line, or live for all that it is told.
func programMain(p *program, once []string) int {
	if len(once) > 0 {
		said := p.answer(once[0])
		fmt.Println(said)
		if strings.HasPrefix(said, "failed") {
			return 1
		}
		return 0
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(p.answer(strings.TrimSpace(lines.Text())))
	}
	return 0
}
