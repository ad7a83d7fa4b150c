package mounttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/etcd"
	"clawfs/backing/cluster/etcd/etcdtest"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes one with the certificate ca.pem in a directory of its own.
func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key = a.sign("ca", a.cert, nil, nil)
	return a
}

// sign makes NAME.pem and NAME.key.
func (a *authority) sign(name string, c, by *x509.Certificate, with *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by, with = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, with)
	if err != nil {
		a.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(a.file(name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return made, key
}

// certify makes a certificate for 127.0.0.1 that the authority has signed.
func (a *authority) certify(name string, expires time.Time) {
	a.t.Helper()
	a.sign(name, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: expires,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.cert, a.key)
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// flags are those by which a mount shows a certificate, and trusts the authority.
func (a *authority) flags(name string) []string {
	return []string{"--cluster-ca", a.file("ca.pem"), "--cluster-cert", a.file(name + ".pem"), "--cluster-key", a.file(name + ".key")}
}

// An etcd that wants certificates is used with the right ones, and with a secret it holds no content. With wrong ones, and
// without encryption off this machine, the mount is refused at once, in one sentence with a hint.
func TestAClusterThatIsSecured(t *testing.T) {
	if os.Getenv(takeoverVariable) != "" {
		t.Skip("a daemon of a cluster is not taken over")
	}
	ours, others := newAuthority(t), newAuthority(t)
	ours.certify("member", time.Now().Add(time.Hour))
	ours.certify("host", time.Now().Add(time.Hour))
	ours.certify("expired", time.Now().Add(-time.Hour))
	others.certify("host", time.Now().Add(time.Hour))
	members := etcdtest.Start(t, 1, "MEMBERS_TLS="+ours.dir)
	secret := func(name, text string) string {
		file := filepath.Join(ours.dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const right = "0123456789012345678901234567890123456789"
	with := func(certificates, secret string, i int) []string {
		return append(append(hostFlags(members, i), "--cluster-secret", secret), ours.flags(certificates)...)
	}
	all := []*mount{
		newMount(t, with("host", secret("secret", right+"\n"), 0)...), newMount(t, with("host", secret("same", right), 1)...),
	}
	write(t, all[0].dir, "auth.json", `{"token":"tok-1234567890"}`)
	same(t, "auth.json", all, as(`{"token":"tok-1234567890"}`))
	values := valuesOf(t, members, ours)
	if !strings.Contains(values, "state/head/auth.json") || strings.Contains(values, "tok-") || strings.Contains(values, "host0") {
		t.Errorf("the etcd holds %q", values)
	}

	open := etcdtest.Start(t, 1)
	elsewhere := func(m *etcdtest.Members) []string {
		return []string{"--cluster", "etcd://0.0.0.0:" + m.Port(0) + "/state"}
	}
	for name, test := range map[string]struct {
		flags      []string
		want, hint string
	}{
		"another authority": {append(hostFlags(members, 2), others.flags("host")...), "the certificate of 127.0.0.1", "--cluster-ca"},
		"no certificate":    {append(hostFlags(members, 2), "--cluster-ca", ours.file("ca.pem")), "refuses this host's certificate", "--cluster-cert"},
		"another one's certificate": {
			append(hostFlags(members, 2), "--cluster-ca", ours.file("ca.pem"), "--cluster-cert", others.file("host.pem"), "--cluster-key", others.file("host.key")),
			"refuses this host's certificate", "--cluster-cert",
		},
		"one that has expired":   {append(hostFlags(members, 2), ours.flags("expired")...), "refuses this host's certificate", "--cluster-cert"},
		"in the clear, off here": {elsewhere(open), "does not encrypt its connections", "--cert-file"},
		"another secret":         {with("host", secret("other", strings.Repeat("x", 40)), 2), "it is encrypted with another secret", "--cluster-secret FILE must hold the same"},
		"no secret":              {append(hostFlags(members, 2), ours.flags("host")...), "no secret was given", "--cluster-secret FILE"},
		"a short secret":         {with("host", secret("short", "password"), 2), "is too short", "openssl rand"},
	} {
		t.Run(name, func(t *testing.T) {
			clawfs, err := build()
			if err != nil {
				t.Fatal(err)
			}
			dir := newDir(t)
			r := run(t, "/", append([]string{clawfs, "mount", "--log-file", filepath.Join(filepath.Dir(dir), "log")}, append(test.flags, dir)...))
			lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
			if r.code != 1 || len(lines) != 2 || !strings.Contains(lines[0], test.want) || !strings.HasPrefix(lines[1], "hint: ") || !strings.Contains(lines[1], test.hint) {
				t.Errorf("%v", r)
			}
		})
	}
}

// valuesOf returns all that an etcd holds, keys and values.
func valuesOf(t *testing.T, m *etcdtest.Members, a *authority) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.file("host.pem"), a.file("host.key"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	e, err := etcd.Open(etcd.Config{Endpoints: m.Endpoints(), TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all strings.Builder
	if _, err := e.List(ctx, "state/", func(e cluster.Entry) { all.WriteString(e.Key + "=" + string(e.Value) + "\n") }); err != nil {
		t.Fatal(err)
	}
	return all.String()
}
