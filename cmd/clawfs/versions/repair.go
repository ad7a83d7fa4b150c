package versions

import (
	"errors"

	"github.com/kaptinlin/jsonrepair"

	"clawfs/txn"
	"clawfs/txn/jsondoc"
)

// ErrValid says that a text is a document, so that there is nothing to repair.
var ErrValid = errors.New("it is a valid document, there is nothing to repair")

// ErrBeyondRepair says that no repair is known for a text.
var ErrBeyondRepair = errors.New("no repair is known for it")

// Repair proposes a strict document in place of content that is none. The proposal is
// checked as a commit would be. The error is ErrValid or ErrBeyondRepair.
func Repair(content string) ([]byte, error) {
	valid := func(text string) bool {
		_, err := jsondoc.Parse([]byte(text), jsondoc.JSON, jsondoc.Limits{})
		return err == nil
	}
	if valid(content) {
		return nil, ErrValid
	}
	text, err := jsonrepair.Repair(content)
	if err != nil || !valid(text) {
		return nil, ErrBeyondRepair
	}
	return []byte(text), nil
}

// Check tells where a text stops being content that the registry of that place may hold: the error
// is a *jsondoc.SyntaxError with line and column. It is a look ahead for a user that edits a text:
// the commit decides.
func (e *Engine) Check(p Place, text []byte) error {
	pl, err := e.plan(p)
	if err != nil {
		return err
	}
	defer pl.dir.Close()
	d := pl.dialect()
	if d == txn.Plain {
		return nil
	}
	_, err = d.Read(text)
	return err
}
