package merge

import (
	"bytes"
	"encoding/base64"
	"strings"

	"clawfs/txn/jsondoc"
)

// credentialName reports whether a member of this name holds something that
// lets its holder in, so that its removal has to be believed.
func credentialName(name string) bool {
	n := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	switch n {
	case "tokens", "credential", "credentials", "apikeys", "secrets", "passwords", "authprofiles", "oauth", "auths":
		return true
	}
	for _, suffix := range []string{"token", "secret", "password", "passphrase", "apikey", "privatekey"} {
		if strings.HasSuffix(n, suffix) {
			return true
		}
	}
	return false
}

// NamesCredential reports whether a member of this name, or all below it, is taken for a
// credential.
func NamesCredential(name string) bool { return credentialName(name) }

// IsCredential reports whether an object is a credential by its members: then access, refresh,
// key and auth among them let their holder in.
func IsCredential(v jsondoc.Value) bool { return v.Kind() == jsondoc.Object && isCredential(v) }

// holdsCredential reports whether an object is a credential, or has a member whose name
// says that it is one.
func holdsCredential(v jsondoc.Value) bool {
	for m := range v.Members() {
		if m.Value.Kind() == jsondoc.String && credentialName(m.Name()) {
			return true
		}
	}
	return isCredential(v)
}

// isCredential reports whether an object is a credential by its members: the tokens of a login,
// a key of a provider, the login at a container registry.
func isCredential(v jsondoc.Value) bool {
	hasKey, hasProvider := false, false
	for m := range v.Members() {
		if m.Value.Kind() != jsondoc.String {
			continue
		}
		switch m.Name() {
		case "access", "refresh":
			return true
		case "auth":
			if isLogin(m.Value) {
				return true
			}
		case "key":
			hasKey = true
		case "provider":
			hasProvider = true
		}
	}
	return hasKey && hasProvider
}

// isLogin reports whether a string is a user and a password as the clients of
// container registries keep them: "user:password" in base 64. Elsewhere auth names
// a way to log in.
func isLogin(v jsondoc.Value) bool {
	login, err := base64.StdEncoding.DecodeString(v.Text())
	return err == nil && bytes.IndexByte(login, ':') > 0
}
