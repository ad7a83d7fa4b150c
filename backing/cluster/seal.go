package cluster

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
)

// With a secret (Options.Secret) the engine has all values encrypted: records and chunks.
//
//	"sealed 1\n", a random nonce of 12 bytes, and what AES-256-GCM makes of the value
//
// Each key of the engine has an encryption key of its own (HKDF-SHA-256), so a value that somebody has
// moved to another key is refused. Random nonces are safe for 2^32 versions of a registry; a chunk is
// written once. CLUSTER/secret has a known text, by which a host that joins can tell that its secret is the
// cluster's.
const (
	sealedMark  = "sealed 1\n"
	sealedCheck = "the hosts of this cluster have one secret"
)

// sealer encrypts values; without a secret it leaves them as they are.
type sealer struct{ secret []byte }

// aead returns the cipher for the value of a key.
func (s sealer) aead(key string) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, s.secret, nil, "clawfs cluster value "+key, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal returns the value as the engine is to have it under a key.
func (s sealer) seal(key string, value []byte) ([]byte, error) {
	if s.secret == nil {
		return value, nil
	}
	aead, err := s.aead(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal([]byte(sealedMark), nil, value, nil), nil
}

// open returns the value that the engine has under a key. The error is a *SecretError.
func (s sealer) open(e Entry) ([]byte, error) {
	sealed, is := bytes.CutPrefix(e.Value, []byte(sealedMark))
	switch {
	case !is && s.secret == nil:
		return e.Value, nil
	case !is:
		return nil, &SecretError{"it is not encrypted, and a secret was given"}
	case s.secret == nil:
		return nil, &SecretError{"it is encrypted, and no secret was given"}
	}
	aead, err := s.aead(e.Key)
	if err != nil {
		return nil, err
	}
	value, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, &SecretError{"it is encrypted with another secret, or damaged"}
	}
	return value, nil
}

// SecretError says that values of the cluster can't be read with the secret of this host.
type SecretError struct{ Problem string }

// Error returns the problem.
func (e *SecretError) Error() string { return e.Problem }

// decode reads the record of an entry.
func (s *Storage) decode(e Entry) (*record, error) {
	value, err := s.sealer.open(e)
	if err != nil {
		return nil, err
	}
	return decode(value)
}

// checkSecret finds out whether the secret is the cluster's, which has one if it has the key. The error is a
// *SecretError or an *UnavailableError.
func (s *Storage) checkSecret(ctx context.Context) (has bool, err error) {
	e, err := s.engine.Get(ctx, s.keys.secret)
	if err != nil || e.Rev == 0 {
		return false, unavailableIf(err)
	}
	_, err = s.sealer.open(e)
	return true, err
}

// giveSecret makes the secret that of a cluster that has no records yet. Errors are those of
// checkSecret.
func (s *Storage) giveSecret(ctx context.Context, records int) error {
	if records > 0 {
		return &SecretError{"it is not encrypted, and a secret was given"}
	}
	value, err := s.sealer.seal(s.keys.secret, []byte(sealedCheck))
	if err != nil {
		return err
	}
	e, ok, err := s.engine.Swap(ctx, s.keys.secret, 0, value)
	if err != nil || ok {
		return unavailableIf(err)
	}
	_, err = s.sealer.open(e) // another host was faster
	return err
}

func unavailableIf(err error) error {
	var known *UnavailableError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &UnavailableError{Err: err}
}
