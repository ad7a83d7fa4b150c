package cluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	window         = 256 << 10 // bytes back that the encoder looks for repeats; its memory goes by that
	largestContent = 1 << 30   // bytes that a record may unpack to
)

// packer compresses contents. Both halves are made when they are used first.
type packer struct {
	enc func() (*zstd.Encoder, error)
	dec func() (*zstd.Decoder, error)
}

func newPacker() *packer {
	return &packer{
		enc: sync.OnceValues(func() (*zstd.Encoder, error) {
			return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(window))
		}),
		dec: sync.OnceValues(func() (*zstd.Decoder, error) {
			return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(largestContent))
		}),
	}
}

// pack returns the content, smaller. The error is the encoder's.
func (p *packer) pack(content []byte) ([]byte, error) {
	if len(content) == 0 {
		return nil, nil
	}
	enc, err := p.enc()
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(content, nil), nil
}

// unpack returns the content of a record. The error says that it is damaged.
func (p *packer) unpack(r *record) ([]byte, error) {
	dec, err := p.dec()
	switch {
	case err != nil:
		return nil, err
	case r.Size < 0 || r.Size > largestContent:
		return nil, fmt.Errorf("a record says that it holds %d bytes", r.Size)
	}
	content, err := dec.DecodeAll(r.packed, make([]byte, 0, r.Size))
	if err != nil {
		return nil, fmt.Errorf("cannot unpack a record: %w", err)
	}
	if sha256.Sum256(content) != r.Digest {
		return nil, errors.New("a record holds other content than it says")
	}
	return content, nil
}

// unpackChunk returns the piece that a chunk is. The error says that it is damaged.
func (p *packer) unpackChunk(packed []byte, c chunk) ([]byte, error) {
	dec, err := p.dec()
	if err != nil {
		return nil, err
	}
	piece, err := dec.DecodeAll(packed, make([]byte, 0, c.size))
	if err != nil {
		return nil, fmt.Errorf("cannot unpack a chunk: %w", err)
	}
	if sumOf(piece) != c.sum {
		return nil, errors.New("a chunk holds other content than its record says")
	}
	return piece, nil
}
