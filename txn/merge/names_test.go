package merge_test

import (
	"fmt"
	"strings"
	"testing"

	"clawfs/txn/merge"
)

// mergedText merges three texts by the defaults.
func mergedText(t *testing.T, base, head, theirs string) string {
	t.Helper()
	res, err := merge.Merge(document(t, base), document(t, head), document(t, theirs), nil)
	if err != nil {
		t.Fatal(err)
	}
	switch res.Outcome {
	case merge.KeptHead:
		return head
	case merge.TookTheirs:
		return theirs
	}
	return string(res.Text)
}

// Lists of these names are logs: an element that both sides have added is there
// twice.
func TestNamesOfLogs(t *testing.T) {
	for name, want := range map[string]string{
		"messages": "twice", "history": "twice", "log": "twice", "events": "twice", "turns": "twice", "transcript": "twice",
		"entries": "twice", "queue": "twice", "jobs": "twice", "samples": "twice", "transactions": "twice",
		"things": "once", "logs": "once", "": "once",
	} {
		list := func(added string) string { return fmt.Sprintf(`{%q:[{"t":"a"}%s}`, name, added) }
		got := mergedText(t, list(`]`), list(`,{"t":"b"}],"head":1`), list(`,{"t":"b"}],"theirs":1`))
		if is := map[int]string{1: "once", 2: "twice"}[strings.Count(got, `"b"`)]; is != want {
			t.Errorf("%s: %s, want it %s", name, got, want)
		}
	}
}

// A credential that one side has revoked stays revoked, with any change of the other in
// it. Anything else is kept.
func TestNamesOfCredentials(t *testing.T) {
	for name, revoked := range map[string]bool{
		"tokens": true, "credential": true, "credentials": true, "apikeys": true, "secrets": true, "passwords": true,
		"authprofiles": true, "oauth": true, "auths": true, "auth_profiles": true, "API-Keys": true,
		"token": true, "botToken": true, "bot_token": true, "client_secret": true, "dbPassword": true, "passphrase": true, "API_KEY": true, "privateKey": true,
		"tokenizer": false, "keys": false, "auth": false, "secretary": false,
	} {
		base, head := fmt.Sprintf(`{%q:{"x":"1"},"n":1}`, name), fmt.Sprintf(`{%q:{"x":"2"},"n":1}`, name)
		want := `{"n":1}`
		if !revoked {
			want = head
		}
		if got := mergedText(t, base, head, `{"n":1}`); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for held, revoked := range map[string]bool{
		`"access":"a"`: true, `"refresh":"a"`: true, `"key":"a","provider":"b"`: true, `"key":"a"`: false, `"provider":"b"`: false,
		`"auth":"dXNlcjpwYXNz"`: true, `"auth":"oauth2"`: false, `"auth":"OnBhc3M="`: false, `"access":1`: false, `"token":"a"`: true, `"other":"a"`: false,
	} {
		base, head := fmt.Sprintf(`{"it":{%s},"n":1}`, held), fmt.Sprintf(`{"it":{%s,"more":"x"},"n":1}`, held)
		want := `{"n":1}`
		if !revoked {
			want = head
		}
		if got := mergedText(t, base, head, `{"n":1}`); got != want {
			t.Errorf("%s: %s, want %s", held, got, want)
		}
	}
}

// rulesOf merges three texts and returns the rules that decided, with the warnings.
func rulesOf(t *testing.T, base, head, theirs string, p *merge.Policy) string {
	t.Helper()
	res, err := merge.Merge(document(t, base), document(t, head), document(t, theirs), p)
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, a := range res.Applied {
		out = append(out, a.Path+" "+a.Rule)
	}
	for _, w := range res.Warnings {
		out = append(out, w.String())
	}
	for _, c := range res.Conflicts {
		out = append(out, fmt.Sprint(c.Kind, " ", c.Won))
	}
	return strings.Join(out, ", ")
}

// Lists of strings of these names, or with such lines, are text: each line has its place.
func TestNamesOfTexts(t *testing.T) {
	for name, want := range map[string]string{
		"source": "sequence", "text": "sequence", "lines": "sequence", "body": "sequence", "steps": "sequence", "script": "sequence",
		"before_script": "sequence", "after_script": "sequence", "commands": "sequence", "cmds": "sequence", "instructions": "sequence",
		"tags": "set", "sources": "set",
	} {
		list := func(more string) string { return fmt.Sprintf(`{%q:["a"%s]}`, name, more) }
		if got := rulesOf(t, list(``), list(`,"b"`), list(`,"c"`), nil); got != "/"+name+" "+want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for line, want := range map[string]string{`" a"`: "sequence", `"\ta"`: "sequence", `"a\nb"`: "sequence", `"a b"`: "set", `""`: "set", `" "`: "sequence", `"a"`: "set"} {
		list := func(more string) string { return fmt.Sprintf(`{"l":[%s%s]}`, line, more) }
		if got := rulesOf(t, list(``), list(`,"b"`), list(`,"c"`), nil); got != "/l "+want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// The log names the rule that believed a deletion, and tells that it was large.
func TestWhatIsToldOfDeletions(t *testing.T) {
	many := `"l":[1,2,3,4,5,6,7,8,9,10,11,12]`
	things := func(of string) string {
		var list []string
		for i := range 12 {
			list = append(list, fmt.Sprintf(`"%d":%s`, i, of))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	words := func(end string) string { return `["a","b","c","d","e","f","g","h","i","j","k","` + end + `"]` }
	ours := &merge.Policy{OnConflict: merge.TakeOurs}
	for _, c := range []struct {
		name, base, head, theirs string
		policy                   *merge.Policy
		want                     string
	}{
		{"a counter only", `{"a":{"x":1,"rev":1},"n":1}`, `{"a":{"x":1,"rev":2},"n":1}`, `{"n":1}`, nil, "/a untouched"},
		{"untouched", `{"a":{"x":1},"n":1}`, `{"a":{"x":1},"n":2}`, `{"n":1}`, nil, ""},
		{"modified", `{"a":{"x":1},"n":1}`, `{"a":{"x":2},"n":1}`, `{"n":1}`, nil, "deleted head"},
		{"a credential", `{"a":{"token":"1"},"n":1}`, `{"a":{"token":"2"},"n":1}`, `{"n":1}`, nil, "/a credential, deleted theirs"},
		{"a credential of the head's", `{"a":{"token":"1"},"n":1}`, `{"n":1}`, `{"a":{"token":"2"},"n":1}`, nil, "/a credential, deleted head"},
		{"beside a token", `{"token":"s","a":{"x":1},"n":1}`, `{"token":"s","a":{"x":2},"n":1}`, `{"token":"s","n":1}`, nil, "deleted head"},
		{"within a login", `{"p":{"access":"s","a":{"b":{"x":1}}},"n":1}`, `{"p":{"access":"s","a":{"b":{"x":2}}},"n":1}`, `{"p":{"access":"s","a":{}},"n":1}`, nil, "/p/a/b credential, deleted theirs"},
		{"below a name", `{"tokens":{"a":{"b":{"x":1}}},"n":1}`, `{"tokens":{"a":{"b":{"x":2}}},"n":1}`, `{"tokens":{"a":{}},"n":1}`, nil, "/tokens/a/b credential, deleted theirs"},
		{"a number of that name", `{"token":1,"n":1}`, `{"token":2,"n":1}`, `{"n":1}`, nil, "deleted head"},
		{"a login that is no text", `{"auth":["dXNlcjpwYXNz"],"n":1}`, `{"auth":["dXNlcjpwYXN6"],"n":1}`, `{"n":1}`, nil, "deleted head"},
		{"a login alone", `{"auth":"dXNlcjpwYXNz","n":1}`, `{"auth":"dXNlcjpwYXN6","n":1}`, `{"n":1}`, nil, "/auth credential, deleted theirs"},
		{"with ours", `{"a":{"x":1},"n":1}`, `{"n":1}`, `{"a":{"x":2},"n":1}`, ours, "deleted head"},
		{"with ours, by theirs", `{"a":{"x":1},"n":1}`, `{"a":{"x":2},"n":1}`, `{"n":1}`, ours, "deleted head"},
		{"many by theirs", `{` + many + `,"n":1}`, `{` + many + `,"n":2}`, `{"n":1}`, nil, "/l mass-deletion 12/12"},
		{"many by the head", `{` + many + `,"n":1}`, `{"n":1}`, `{` + many + `,"n":2}`, nil, ""},
		{"many replaced", `{` + many + `,"n":1}`, `{` + many + `,"n":2}`, `{"l":"none","n":1}`, nil, "/l mass-deletion 12/12"},
		{"many replaced that the head has added to", `{` + many + `,"n":1}`, `{"l":[1,2,3,4,5,6,7,8,9,10,11,12,13],"n":1}`, `{"l":"none","n":1}`, nil, "/l mass-deletion 12/12, type-changed theirs"},
		{"many replaced that the head has counted", `{"o":` + things(`{"rev":1}`) + `}`, `{"o":` + things(`{"rev":2}`) + `}`, `{"o":"none"}`, nil, "/o mass-deletion 12/12"},
		{"many things", `{"o":` + things(`{}`) + `,"n":1}`, `{"o":` + things(`{}`) + `,"n":2}`, `{"o":{},"n":1}`, nil, "/o mass-deletion 12/12"},
		{"many members of one thing", `{"o":` + things(`1`) + `,"n":1}`, `{"o":` + things(`1`) + `,"n":2}`, `{"n":1}`, nil, ""},
		{"many credentials", `{"tokens":` + things(`{"x":1}`) + `}`, `{"tokens":` + things(`{"x":2}`) + `}`, `{}`, nil, "/tokens credential, /tokens mass-deletion 12/12, deleted theirs"},
		{"another command line", `{"args":` + words("l") + `,"n":1}`, `{"args":` + words("l") + `,"n":2}`, `{"args":` + words("m") + `,"n":1}`, nil, ""},
		{"ten", `{"l":[1,2,3,4,5,6,7,8,9,10],"n":1}`, `{"l":[1,2,3,4,5,6,7,8,9,10],"n":2}`, `{"n":1}`, nil, ""},
		{"half", `{"l":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22],"n":1}`, `{"l":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22],"n":2}`, `{"l":[1,2,3,4,5,6,7,8,9,10,11],"n":1}`, nil, ""},
	} {
		if got := rulesOf(t, c.base, c.head, c.theirs, c.policy); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
