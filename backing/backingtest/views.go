package backingtest

import (
	"errors"
	"io"
)

func testViews(s *suite) {
	s.wantViews("")
	s.must(s.Storage.AppendViews(line("{\"n\":1}\n")))
	s.must(s.Storage.AppendViews(line("{\"n\":2}\n")))
	s.wantViews("{\"n\":1}\n{\"n\":2}\n")
	s.wantViews("")
	s.must(s.Storage.AppendViews(line("{\"n\":3}\n")))
	broken := errors.New("broken")
	if err := s.Storage.AppendViews(func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		s.Errorf("the error of lines is %v", err)
	}
	s.wantViews("{\"n\":3}\n")
}

// line returns a function that writes a line.
func line(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// wantViews takes the record; "" is none.
func (s *suite) wantViews(want string) {
	s.Helper()
	record, err := s.Storage.TakeViews()
	s.must(err)
	if record == nil {
		if want != "" {
			s.Errorf("there are no views, want %q", want)
		}
		return
	}
	b, err := io.ReadAll(record)
	if err = errors.Join(err, record.Close()); err != nil || string(b) != want {
		s.Errorf("the views are %q, %v, want %q", b, err, want)
	}
}
