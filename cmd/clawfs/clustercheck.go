package main

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// checkPatience is how long a member may take to show its certificate.
const checkPatience = 2 * time.Second

// http2Greeting is what a client of HTTP/2 says first, with no settings. A server answers at once, or ends
// the connection if it refuses the client's certificate.
const http2Greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// checkCertificates asks the first member that can be reached whether it and this host accept each
// other's certificates: the client of the etcd would ask again and again, and say nothing. A
// member that can't be reached is no error here. The error is a *clusterError.
func checkCertificates(a clusterAddress, c *tls.Config) error {
	if c == nil {
		return nil
	}
	var last error
	for _, endpoint := range a.endpoints {
		asked, err := greet(endpoint, c)
		if asked {
			return err
		}
		last = cmp.Or(last, err)
	}
	return last
}

// greet begins to talk with a member; asked is false where that does not answer.
func greet(endpoint string, c *tls.Config) (asked bool, err error) {
	plain, err := net.DialTimeout("tcp", endpoint, checkPatience)
	if err != nil {
		return false, nil
	}
	defer plain.Close()
	if err := plain.SetDeadline(time.Now().Add(checkPatience)); err != nil {
		return false, nil
	}
	c = c.Clone()
	c.NextProtos = []string{"h2"}
	c.ServerName, _, _ = net.SplitHostPort(endpoint) // it was split before
	conn := tls.Client(plain, c)
	err = conn.Handshake()
	ended := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	if err == nil {
		_, err = conn.Write([]byte(http2Greeting))
	}
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	var unsigned *tls.CertificateVerificationError
	var refused *net.OpError
	switch {
	case errors.As(err, &unsigned):
		return true, &clusterError{
			Problem: "the certificate of " + endpoint + " is refused", Err: unsigned.Err,
			Hint: "--cluster-ca FILE must hold the certificates of those who have signed it",
		}
	case ended:
		return false, &clusterError{
			Problem: endpoint + " does not encrypt its connections",
			Hint:    "off this machine they always are: give the etcd --cert-file and --key-file",
		}
	case errors.As(err, &refused) && refused.Op == "remote error":
		return true, &clusterError{
			Problem: endpoint + " refuses this host's certificate", Err: refused.Err,
			Hint: "give --cluster-cert and --cluster-key that the etcd's --trusted-ca-file has signed",
		}
	}
	return err == nil, nil
}

// fewestSecret is how many bytes a secret has at least: keys are derived from it without effort, so it
// must not be guessed.
const fewestSecret = 32

// readSecret reads the file of --cluster-secret; nil: there is none. Space at its end does not count. The
// error is a *usageError or a *clusterError.
func (o *clusterOptions) readSecret() ([]byte, error) {
	if o.secret == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.secret)
	if err != nil {
		return nil, clusterUsage("cannot read --cluster-secret: %w", err)
	}
	text = bytes.TrimRight(text, " \t\r\n")
	if len(text) < fewestSecret {
		return nil, &clusterError{
			Problem: fmt.Sprintf("--cluster-secret %s is too short: it holds %d bytes, and at least %d are wanted", o.secret, len(text), fewestSecret),
			Hint:    "openssl rand -base64 32 > FILE, once, and give all hosts the same",
		}
	}
	return text, nil
}
