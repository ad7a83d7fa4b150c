// Command clawfs makes the JSON files of a directory transactional by mounting
// a file system on it, in place.
//
// Each command has a file of its own, by its name. mount.go reads flags and sends
// the daemon to the background (background.go); serve.go is the daemon itself,
// the place where the directory (backing), the store (txn) and the file system
// (fs) meet. The commands that look into a directory, mounted or not, do so by package
// versions; engine.go gives it the means to commit.
//
// What always holds here:
//
//   - Facts go to standard output, talk to standard error.
//   - An error is one sentence without a full stop, then, where it helps, a hint
//     with the command to type. It starts with "error:", the hint with "hint:".
//   - A wrong command line prints its error and how to get help, never the
//     whole usage text.
//   - Every exit code has one meaning; exit.go has the table.
//   - Colour only on a terminal, and never under NO_COLOR.
//   - Nothing that is printed or logged holds a value out of a document.
package main

import (
	"context"
	"errors"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args, standardStreams()))
}

// run executes one command line, that begins with the program's name, and returns
// its exit code.
func run(ctx context.Context, args []string, out streams) int {
	program, args := args[0], args[1:]
	var err error
	if isHelper(program) {
		var verbose bool
		args, verbose, err = helperArgs(args)
		out.quiet = !verbose
	}
	if err == nil {
		root := newRootCommand(out)
		root.SetArgs(args)
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return exitDone
	}
	if v := (*verdict)(nil); errors.As(err, &v) {
		return v.code
	}
	f := classify(err)
	out.fail(f)
	return f.Code
}
