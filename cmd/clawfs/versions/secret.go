package versions

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// Mask stands for a value that is not shown.
const Mask = "•••••"

// Span is a part of a text, from a byte to the one behind its end.
type Span struct{ Start, End int }

// Secrets returns where the values of a document are written that let their holder in, in
// order. They are told by the name of their member or of one around it, as merging tells them,
// by a few names more, and by their shape. It is a guess: a secret that looks like none is not
// found.
func Secrets(doc *jsondoc.Doc) []Span {
	var f secretFinder
	f.look(doc.Root(), "", false)
	return f.found
}

// secretFinder finds the secrets of a document.
type secretFinder struct {
	found []Span
	names map[string]bool // those looked at already: whether they name a secret
}

// named is namesSecret, which most documents ask for few names again and again.
func (f *secretFinder) named(name string) bool {
	is, known := f.names[name]
	if !known {
		if f.names == nil {
			f.names = make(map[string]bool)
		}
		is = namesSecret(name)
		if len(f.names) < 1000 {
			f.names[strings.Clone(name)] = is
		}
	}
	return is
}

// look looks into the value of a member of some name; in says that it is one of a
// credential.
func (f *secretFinder) look(v jsondoc.Value, name string, in bool) {
	in = in || f.named(name)
	if !v.IsContainer() {
		if in && (v.Kind() == jsondoc.String && v.Text() != "" || v.Kind() == jsondoc.Number && namesPassword(name)) ||
			v.Kind() == jsondoc.String && looksSecret(v.Text()) {
			start, end := v.Span()
			f.found = append(f.found, Span{start, end})
		}
		return
	}
	credential := merge.IsCredential(v)
	for _, e := range v.Elements() {
		f.look(e, "", in)
	}
	for m := range v.Members() {
		name := m.Name()
		f.look(m.Value, name, in || credential && isKeyOfCredential(name))
	}
}

func isKeyOfCredential(name string) bool {
	switch name {
	case "access", "refresh", "key", "auth":
		return true
	}
	return false
}

// namesSecret reports whether a member of this name is not to be shown. Merging has to
// believe a deletion; here a name too many does no harm.
func namesSecret(name string) bool {
	if merge.NamesCredential(name) || namesPassword(name) {
		return true
	}
	n := plainName(name)
	for _, suffix := range []string{"authorization", "cookie", "cookies", "accesskey", "accesskeyid", "signingkey", "encryptionkey", "bearer", "secretkey", "webhookurl", "connectionstring"} {
		if strings.HasSuffix(n, suffix) {
			return true
		}
	}
	return false
}

func namesPassword(name string) bool {
	n := plainName(name)
	for _, suffix := range []string{"password", "passwd", "passphrase", "pwd", "pincode"} {
		if strings.HasSuffix(n, suffix) {
			return true
		}
	}
	return false
}

var withoutMarks = strings.NewReplacer("_", "", "-", "", " ", "", ".", "")

func plainName(name string) string { return strings.ToLower(withoutMarks.Replace(name)) }

// secretShapes matches keys and tokens of well-known services, and texts that
// hold one.
var secretShapes = regexp.MustCompile(strings.Join([]string{
	`\b[spr]k[-_][A-Za-z0-9_-]{16,}`, // OpenAI, Anthropic, Stripe
	`\bgh[opusr]_\w{20,}`, `\bgithub_pat_\w{20,}`,
	`\bglpat-[\w-]{16,}`, `\bnpm_\w{20,}`, `\bhf_\w{20,}`,
	`\bxox[abeoprs]-[\w-]{10,}`, `\bxapp-[\w-]{10,}`, // Slack
	`\bA(KIA|SIA)[0-9A-Z]{16}\b`, `\bAIza[\w-]{30,}`, // Amazon, Google
	`\bSG\.[\w-]{16,}\.`, `\b\d{6,12}:[\w-]{30,}`, // SendGrid, Telegram
	`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`, // JSON web tokens
	`(?i:\b(bearer|basic) [A-Za-z0-9+/=._~-]{8,})`,
	`-----BEGIN [A-Z ]*PRIVATE KEY-----`, `\bAGE-SECRET-KEY-`,
	`://[^/\s:@]*:[^/\s@]+@`,                            // passwords in addresses
	`(?i:--?(token|secret|password|api[-_]?key)[= ]\S)`, // command lines
}, "|"))

// looksSecret reports whether a text has the shape of a secret, or holds one.
func looksSecret(text string) bool {
	return len(text) >= 8 && mayHaveShape(text) && secretShapes.MatchString(text)
}

// SecretShapes returns the parts of a text, of any kind, that have the shape of a secret, in
// order.
func SecretShapes(text []byte) (found []Span) {
	for _, m := range secretShapes.FindAllIndex(text, -1) {
		start, end := m[0], m[1]
		for end < len(text) && isOfToken(text[end]) {
			end++
		}
		if !bytes.ContainsAny(text[start:end], `"'`) { // else it is made of two strings
			found = append(found, Span{start, end})
		}
	}
	return found
}

// isOfToken reports whether a byte may be one of a token.
func isOfToken(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || strings.IndexByte("_-.+/=~", c) >= 0
}

// mayHaveShape reports whether a text has a character that all shapes have, or the beginning
// of one of the few that have none.
func mayHaveShape(text string) bool {
	return strings.ContainsAny(text, "-_.:= ") || strings.Contains(text, "AKIA") || strings.Contains(text, "ASIA") || strings.Contains(text, "AIza")
}

// secrets are where the secrets of two documents begin that are compared. They are looked
// for when they are first asked for.
type secrets struct {
	once   sync.Once
	docs   [2]*jsondoc.Doc
	starts map[*jsondoc.Doc]map[int]bool
}

// has reports whether a value is a secret.
func (s *secrets) has(v jsondoc.Value) bool {
	s.once.Do(func() {
		s.starts = make(map[*jsondoc.Doc]map[int]bool)
		for _, d := range s.docs {
			starts := make(map[int]bool)
			for _, span := range Secrets(d) {
				starts[span.Start] = true
			}
			s.starts[d] = starts
		}
	})
	start, _ := v.Span()
	return !v.IsContainer() && s.starts[v.Doc()][start]
}

// Masked returns the difference with Mask in place of each secret, and whether there was
// one.
func (d Difference) Masked() (Difference, bool) {
	m := masker{secrets: d.secrets}
	if d.Old != nil {
		d.Old = m.append(nil, d.from)
	}
	if d.New != nil {
		d.New = m.append(nil, d.to)
	}
	return d, m.some
}

// masker writes values as strict JSON without their secrets.
type masker struct {
	*secrets
	some bool
}

func (m *masker) append(dst []byte, v jsondoc.Value) []byte {
	switch {
	case !v.IsContainer() && m.has(v):
		m.some = true
		return append(dst, `"`+Mask+`"`...)
	case v.Kind() == jsondoc.Array:
		dst = append(dst, '[')
		for i, e := range v.Elements() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = m.append(dst, e)
		}
		return append(dst, ']')
	case v.Kind() == jsondoc.Object:
		dst = append(dst, '{')
		first := true
		for member := range v.Members() {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(jsondoc.AppendQuoted(dst, []byte(member.Name())), ':')
			dst = m.append(dst, member.Value)
		}
		return append(dst, '}')
	}
	return v.AppendJSON(dst)
}
