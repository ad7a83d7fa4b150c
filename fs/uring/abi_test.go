package uring

import (
	"testing"
	"unsafe"
)

func TestStructuresAreTheKernels(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"struct io_uring_params", unsafe.Sizeof(params{}), 120},
		{"sq_off", unsafe.Offsetof(params{}.sq), 40},
		{"cq_off", unsafe.Offsetof(params{}.cq), 80},
		{"struct io_uring_sqe", unsafe.Sizeof(submission{}), 128},
		{"cmd_op", unsafe.Offsetof(submission{}.cmdOp), 8},
		{"addr", unsafe.Offsetof(submission{}.addr), 16},
		{"user_data", unsafe.Offsetof(submission{}.userData), 32},
		{"cmd", unsafe.Offsetof(submission{}.reqFlags), 48},
		{"commit_id", unsafe.Offsetof(submission{}.commitID), 56},
		{"qid", unsafe.Offsetof(submission{}.qid), 64},
		{"struct io_uring_cqe", unsafe.Sizeof(completion{}), 16},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
}
