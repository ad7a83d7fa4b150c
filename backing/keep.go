package backing

// keepCopy is keep for a file that has other names. A program that writes to it by one of
// them must not change a version, so the version is a copy.
func (r *replacement) keepCopy() error {
	content, err := readFileAt(r.hist, r.entry, r.d.o.MaxLoad)
	if err != nil {
		return err
	}
	like, err := attributesAt(r.hist, r.entry, r.was)
	if err != nil {
		return err
	}
	if err := r.d.keepContent(r.hist, r.oldSeq, content, like); err != nil {
		return err
	}
	return unlink(r.hist, r.entry)
}
