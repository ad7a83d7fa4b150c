package seen

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"
)

// Content has the digest of its bytes, whichever content it is like.
func TestContentLikeOtherHasItsOwnDigest(t *testing.T) {
	text := bytes.Repeat([]byte("a text of some length, again and again\n"), 10_000)
	rapid.Check(t, func(t *rapid.T) {
		var like *Content
		for range rapid.IntRange(1, 4).Draw(t, "versions") {
			b := bytes.Clone(text[:rapid.SampledFrom([]int{0, 1, block - 1, block, 2 * block, 2*block + 1, 3*block - 1, 3 * block, len(text)}).Draw(t, "length")])
			if len(b) > 0 {
				at := rapid.SampledFrom([]int{0, block - 1, block, block + 1, 2*block - 1, 3 * block, len(b) - 1}).Draw(t, "change")
				b[min(at, len(b)-1)] = rapid.Byte().Draw(t, "byte")
			}
			c := NewContentLike(b, like)
			if c.Digest != sha256.Sum256(b) || !bytes.Equal(c.Bytes, b) {
				t.Fatalf("%d bytes have another digest", len(b))
			}
			like = c
		}
	})
}

// Equal bytes at the beginning are not digested again.
func TestContentLikeOtherTakesItsMarks(t *testing.T) {
	b := make([]byte, 5*block+7)
	was := NewContentLike(b, nil)
	b = bytes.Clone(b)
	b[3*block+1] = 1
	is := NewContentLike(b, was)
	for i := range 5 {
		if same := is.marks[i] == was.marks[i]; same != (i < 3) {
			t.Errorf("mark %d is taken: %v", i, same)
		}
	}
}
