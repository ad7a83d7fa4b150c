package txn_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// A trace is the calls of some processes on one registry, one after the other, and the
// registry's expected content at the end. Lists are written [a,b]. "P R[a]" has process
// P read the registry and find the entry a; the other verbs:
//
//	W[a]   write it whole: each trace is run with writes of several ways
//	T[a]   write a temporary file on the mount, which a later M puts in place
//	M      rename the temporary file written last onto the registry
//	>[a]   write by a redirection of the process's own command
//	U      unlink
//	A      rename the registry to another name
//	B      rename it back
//	?      ask whether it is there, and hear that it is not; ?7 by thread 7
//	!      ask whether it is there, and hear that it is; !7 by thread 7
//	L      list its directory, in which it is not
//	D      ask for its directory, and hear that there is none
//	C[a]   create it, with a look-up by the same thread before; C7[a] by thread 7
//	O1            open handle 1 for reading
//	r1[a]         read by handle 1 and find the entry a
//	X1            close handle 1
//	waits         let three seconds pass
//	begins, ends  be there from now on, or no more
//	later         two minutes go by
//	again         the daemon is stopped, and started again
//	again[a]      and the files there are changed meanwhile
//
// S/jq is a child of S; a process is there from its first step, unless it begins before.
// oS is older than the daemon.
type trace struct {
	name  string
	steps string
	want  string
	ways  string // how writes go: "ipr" in place, by rename, and over the old bytes without truncating them first, unless said
}

var traces = []trace{
	// Nobody else between: as in a bare directory.
	{"1 marked and removed", `P R[a,b]; P R[a,b]; P W[a+,b]; P W[b]`, `[b]`, ""},
	{"2 own last write again after a child's", `P W[a,b]; P/C R[a,b]; P/C W[a,b,c]; P/C ends; P R[a,b,c]; P W[a,b]`, `[a,b]`, ""},
	{"3 removed, own last write again", `P W[a,b]; P/C R[a,b]; P/C W[a,b,c]; P/C ends; P R[a,b,c]; P U; P W[a,b]`, `[a,b]`, ""},
	{"3 the same without looking", `P W[a,b]; P/C R[a,b]; P/C W[a,b,c]; P/C ends; P U; P W[a,b]`, `[a,b]`, ""},
	{"4 gone is gone", `S >[a]; Q R[a]; Q W[a,x]; Q ends; S/rm U; S/rm ends; S >[a]`, `[a]`, ""},
	{"5 one command after the other", `S/cp W[a]; S/cp ends; S/sed R[a]; S/sed W[a2]; S/sed ends; S/jq R[a2]; S/jq ends; S/mv W[a2,b]; S/mv ends; S/cp2 W[a]`, `[a]`, ""},
	{"6 a shell first and last", `S >[a]; S/sed R[a]; S/sed W[a2]; S/sed ends; S/jq R[a2]; S/jq ends; S/mv W[a2,b]; S/mv ends; S >[a]`, `[a]`, ""},
	{"6a written again unread", `S >[a]; Q R[a]; Q W[a,x]; Q ends; S >[a]`, `[a]`, ""},
	{"6a written again after a look, and others since", `S >[a]; Q R[a]; Q W[a,x]; S/cat R[a,x]; S/cat ends; Q W[a,x,y]; Q ends; S >[a]`, `[a,y]`, ""},
	{"6a its own write looked at", `S >[a]; S/cat R[a]; S/cat ends; Q R[a]; Q W[a,x]; Q ends; S/cp W[a]`, `[a]`, ""},
	{"6a its own write looked at by one that lives", `S/cp W[a]; S/cp ends; S/G R[a]; Q R[a]; Q W[a,x]; Q ends; S/cp2 W[a]`, `[a]`, ""},
	{"24 written before by another command", `S/G R[a]; S/py R[a]; S/py W[a,x]; S/py ends; S/G W[a,g]; S/cp W[a,x,b]`, `[a,x,g,b]`, ""},
	{"24 written before by the shell", `S >[a]; S/G R[a]; S/G W[a,g]; S >[a,b]`, `[a,g,b]`, ""},
	{"24 written before by the shell's child", `S/cp W[a]; S/cp ends; S/G R[a]; S/G W[a,g]; S/cp2 W[a,b]`, `[a,g,b]`, ""},
	{"24 written before by the shell's child, and reset", `S/cp W[a]; S/cp ends; S/G R[a]; S/G W[a,g]; S/cp2 W[a]`, `[a]`, ""},
	{"24 written before by the shell, and by one that has ended", `S >[a]; S/G R[a]; S/G W[a,g]; S/G ends; S >[a,b]`, `[a,b]`, ""},
	{"24 gone on from what the shell's child has written", `S/cp W[a]; S/cp ends; S/G R[a]; S/sed R[a]; S/sed W[a2]; S/sed ends; S/cp2 W[a,b]`, `[a,b]`, ""},
	{"24 read before by the shell's child", `S/cp R[a]; S/cp ends; S/G R[a]; S/G W[a,g]; S/cp2 W[a,b]`, `[a,g,b]`, ""},
	{"6b nothing changed", `S/jq R[a]; S/jq ends; Q R[a]; Q W[a,x]; S/mv W[a]`, `[a,x]`, ""},
	{"7 stash and pop", `S/git W[a]; S/git ends; S/jq R[a]; S/jq ends; S/mv W[a,b]; S/mv ends; S/git2 W[a]; S/git2 ends; S/git3 W[a,b]`, `[a,b]`, ""},
	{"8 the directory anew", `S/jq R[a]; S/jq ends; Q R[a]; Q W[a,x]; Q ends; S/rm U; S/rm ends; S/cp C[a]`, `[a]`, ""},
	{"9 moved aside and back", `S/jq R[a]; S/jq W[a,b]; S/jq ends; S/mv A; S/mv ends; S/cp C[a]; S/cp ends; S/mv2 B`, `[a,b]`, ""},
	{"10 threads prove nothing", `P R[a]; P W[a,b]; P R[a,b]; P W[b]`, `[b]`, ""},
	{"10a the newest view of the family", `S/cp W[a]; S/cp ends; S/jq R[a]; S/jq ends; S/mv W[a,b]; S/mv ends; Q R[a,b]; Q W[a,b,x]; Q ends; S/cat R[a,b,x]; S/cat ends; S/cp2 W[a]`, `[a]`, ""},
	{"11 a handle kept open", `P O1; P r1[a]; P R[a]; P W[a,b]; P W[b]; P X1`, `[b]`, ""},

	{"11a looked at before the family wrote", `S/cat R[a]; S/cat ends; S/rm U; S/rm ends; S/cp W[b]; S/cp ends; S/G R[b]; S/G W[b,g]; S/G ends; S/cp2 W[a,c]`, `[a,c]`, ""},
	{"11g a backup brought back after a removal", `S/py R[a,b]; S/py W[b]; S/py T[b]; S/py W[a,b]; S/py ends; S/rm U; S/rm ends; S/mv M`, `[b]`, "ir"},
	{"11h made from memory after it was moved aside", `P W[a,b]; P/C R[a,b]; P/C W[a,b,x]; P/C ends; P A; P ?; P W[a,b,y]; P W[a,b]`, `[a,b,x]`, ""},
	{"11e put in place after a look", `S/cp W[a]; S/cp ends; S/cp2 T[b,x]; S/cp2 ends; S/tar R[a]; S/tar ends; S/mv M; S/mv ends; S/cp3 W[a,c]`, `[a,c]`, "ir"},
	{"11b another's backup brought back", `G W[a]; G T[a]; G W[g]; S/jq R[g]; S/jq W[h]; S/jq ends; S/mv M`, `[a]`, "ir"},
	{"11c a backup brought back", `S/cp W[a]; S/cp ends; Q R[a]; Q W[a,x]; S/cat R[a,x]; S/cat T[a,x]; S/cat ends; S/cp3 W[a]; S/cp3 ends; S/mv M`, `[a,x]`, "ir"},

	// Somebody else between: nothing of theirs is lost.
	{"12", `P R[]; Q R[]; Q W[q]; P W[p]`, `[q,p]`, ""},
	{"13 read as a check", `P R[]; Q R[]; Q W[q]; P R[q]; P W[p]`, `[q,p]`, ""},
	{"11c beside another", `S/cp W[a]; S/cp ends; Q R[a]; Q W[a,x]; S/cat R[a,x]; S/cat T[a,x]; S/cat ends; S/cp3 W[a]; S/cp3 ends; Q R[a]; Q W[a,z]; S/mv M`, `[a,z,x]`, "ir"},
	{"11f nothing changed, and others looked at before the rename", `S/cp W[z]; S/cp ends; Q R[z]; Q W[a]; S/jq R[a]; S/jq ends; S/sort T[a]; S/sort ends; Q R[a]; Q W[a,x]; Q ends; S/cat R[a,x]; S/cat ends; S/mv M`, `[a,x]`, "ir"},
	{"11e put in place beside a pipeline", `S/jq R[a]; S/jq2 R[a]; S/jq T[a,q]; S/jq ends; S/jq2 ends; S/mv M; S/mv ends; S/cp W[a,p]`, `[a,q,p]`, "ir"},
	{"11d two pipelines, one of which changes nothing", `S/A/jq R[a]; S/A/jq T[a]; S/A/jq ends; S/B/jq R[a]; S/B/jq ends; S/B/mv W[a,q]; S/B/mv ends; S/A/mv M`, `[a,q]`, "ir"},
	{"11d one of two that ran at once changes nothing", `S/jq R[a]; S/jq2 R[a]; S/jq2 T[a]; S/jq2 ends; S/jq W[a,q]; S/jq ends; S/mv M`, `[a,q]`, "ir"},
	{"11d the first of two changes nothing", `S/jq R[a]; S/jq T[a]; S/jq ends; S/jq2 R[a]; S/jq2 W[a,q]; S/jq2 ends; S/mv M`, `[a]`, "ir"},
	{"14 seen", `P R[]; Q W[q]; P R[q]; P W[q,p]`, `[q,p]`, ""},
	{"15 from memory", `G R[a]; G W[a,g]; Q R[a,g]; Q W[a,g,q]; G W[a,g,h]`, `[a,g,q,h]`, ""},
	{"16 read for a backup", `G R[a]; G W[a,g]; Q R[a,g]; Q W[a,g,q]; G R[a,g,q]; G W[a,g,h]`, `[a,g,q,h]`, ""},
	{"16a an older state", `G W[idle]; G W[busy]; Q R[busy]; Q W[busy,q]; G R[busy,q]; G W[idle]`, `[idle,q]`, ""},
	{"17 saved unchanged", `G W[a]; Q R[a]; Q W[a,q]; G W[a]`, `[a,q]`, ""},
	{"17 by its own child", `G W[a]; G/Q R[a]; G/Q W[a,q]; G W[a]`, `[a,q]`, ""},
	{"18 vim with a check", `V R[a]; Q R[a]; Q W[a,q]; V R[a,q]; V W[a2]`, `[a2,q]`, ""},
	{"19 vim moves aside", `V R[a]; Q R[a]; Q W[a,q]; V A; V C[a2]`, `[a2,q]`, ""},
	{"20 unlink and create", `P R[a]; Q R[a]; Q W[a,q]; P U; P C[a,p]`, `[a,q,p]`, ""},
	{"21 mv across file systems", `S/jq R[a]; S/jq ends; Q R[a]; Q W[a,q]; S/mv U; S/mv C[a,b]`, `[a,q,b]`, ""},
	{"22 the gap", `S/jq R[a]; S/jq ends; S/mv U; R ?; S/mv C[a,b]`, `[a,b]`, ""},
	{"23 a job beside", `S/add begins; S/jq R[a]; S/jq ends; S/add R[a]; S/add W[a,y]; S/add ends; S/cp W[a2]`, `[a2,y]`, ""},
	{"24 a gateway beside", `S/G begins; S/jq R[a]; S/jq ends; S/G R[a]; S/G W[a,x]; S/cp W[a,b]`, `[a,x,b]`, ""},
	{"24 started after", `S/jq R[a]; S/jq ends; S/G R[a]; S/G W[a,x]; S/cp W[a,b]`, `[a,x,b]`, ""},
	{"25 forked workers", `P R[a]; P/f1 W[a,u]; P/f1 ends; P/f2 W[a,v]; P/f2 ends; P/f3 W[a,w]`, `[a,u,v,w]`, ""},
	{"26 tasks that begin with nothing", `P ?1; P ?2; P ?3; P C1[x]; P W[y]; P W[z]`, `[x,y,z]`, "i"},
	{"27 equal defaults", `P ?; Q ?; P C[d,p]; Q W[d,q]`, `[d,p,q]`, ""},
	{"27 written before the reading, renamed after it", `P ?; P T[d,p]; Q C[d,q]; P R[d,q]; P M`, `[d,q,p]`, "i"},
	{"27 read as a check", `P ?; Q C[d,q]; P R[d,q]; P W[d,p]`, `[d,q,p]`, ""},
	{"27 read twice as a check", `P ?; Q C[d,q]; P R[d,q]; Z R[d,q]; Z W[d,q,z]; P R[d,q,z]; P W[d,p]`, `[d,q,z,p]`, ""},
	{"27 a relative has read", `P ?; Q C[d,q]; P2 R[d,q]; P W[d,p]`, `[d,q,p]`, ""},
	{"27 no directory, and read as a check", `P D; Q C[d,q]; P R[d,q]; P W[d,p]`, `[d,q,p]`, ""},
	{"27 listed, and read as a check", `P L; Q C[d,q]; P R[d,q]; P W[d,p]`, `[d,q,p]`, ""},
	{"27 no directory, and made from what was read", `P D; Q C[d,q]; P R[d,q]; Z R[d,q]; Z W[d,q,z]; P R[d,q,z]; P W[d,q,p]`, `[d,q,z,p]`, ""},
	{"27 relatives beside each other", `S/P ?; S/Q C[d,q]; S/R R[d,q]; S/P W[d,p]`, `[d,q,p]`, ""},
	{"27 made from what was read", `P ?; Q C[d,q]; P R[d,q]; Z R[d,q]; Z W[d,q,z]; P R[d,q,z]; P W[d,q,p]`, `[d,q,z,p]`, ""},
	{"told of nothing, a worker takes the last entry", `P ?; Q C[q]; P R[q]; P W[]`, `[]`, ""},
	{"written before a reading, which does not bring nothing back", `P ?; P C[a]; P T[b]; P R[a]; Q R[a]; Q W[a,q]; P M`, `[b,q]`, "i"},
	{"told of nothing, its child creates", `P ?; P/Q C[d,q]; P/Q ends; P R[d,q]; P W[d,p]`, `[d,p]`, ""},
	{"27 looked up and read as a check", `P ?; Q C[d,q]; P !; P R[d,q]; P W[d,p]`, `[d,q,p]`, ""},
	{"27 moved aside by one that was told of nothing", `P ?; Q C[d,q]; P A; P C[d,p]`, `[d,q,p]`, ""},
	{"27 looked at, and moved aside later", `P ?; Q C[d,q]; P !; P waits; P A; P C[d,p]`, `[d,p]`, ""},
	{"27 another's temporary file of one name", `P ?; Q C[d,q]; Q A; P C[d,p]`, `[d,p]`, ""},
	{"27 moved aside by another", `P ?; Q C[d,q]; V A; P C[d,p]`, `[d,p]`, ""},
	{"27 told of nothing, its child's moved aside", `P ?; P/Q C[d,q]; P/Q ends; P A; P C[d,p]`, `[d,p]`, ""},
	{"27 looked at and moved aside in one go", `P ?; Q C[d,q]; P !; P A; P C[d,p]`, `[d,q,p]`, ""},
	{"27 seen, and taken", `P ?; Q C[d,q]; P R[d,q]; P W[d]`, `[d]`, ""},
	{"27 seen, and changed", `P ?; Q C[d,q]; P R[d,q]; P W[d,q2]`, `[d,q2]`, ""},
	{"27 its second write", `P ?; Q C[d,q]; P R[d,q]; P W[d,q,p]; P W[d,r]`, `[d,r]`, ""},
	{"27 read as a check, with more defaults", `P ?; Q C[d,e,f,q]; P R[d,e,f,q]; P W[d,e,f,p]`, `[d,e,f,q,p]`, ""},
	{"29 moved aside under a memory that was told so", `G W[a]; Q R[a]; Q W[a,q]; Q A; G ?; G W[a]`, `[a,q]`, "ip"},
	{"29 moved aside under a memory", `G R[a]; G W[a,g]; Q R[a,g]; Q W[a,g,q]; V R[a,g,q]; V A; G C[a,g,h]`, `[a,g,q,h]`, ""},
	{"30 another pid namespace", `c R[a]; d R[a]; d W[a,d]; c W[a,c]`, `[a,d,c]`, ""},

	// A reading of a living process is its own.
	{"a gateway that has read the defaults", `S/G R[a]; S/sed R[a]; S/sed W[a2]; S/sed ends; S/cp W[a,c]`, `[a,c]`, ""},
	{"a gateway that has read twice", `S/G R[a]; Q R[a]; Q W[a,q]; S/G R[a,q]; S/cp W[a,b]`, `[a,q,b]`, ""},
	{"a gateway that has read twice, and written", `S/G R[a]; S/G R[a]; S/G W[a,g]; S/cp W[a,b]`, `[a,b]`, ""},
	{"read after the temporary file was written", `S/jq R[a]; S/jq ends; S/sh T[a,b]; Q R[a]; Q W[a,q]; S/cat R[a,q]; S/cat ends; S/mv M`, `[a,q,b]`, "i"},
	{"a shell waits for its commands", `S >[a]; S/jq R[a]; S/jq ends; S >[b]; S/cp W[a,c]`, `[a,c]`, ""},
	{"a command knows what its shell has seen before", `S R[a]; S/sed R[a]; S/sed W[b]; S/sed ends; S/cp W[a,c]`, `[a,c]`, ""},
	{"a family that read long ago", `S/jq R[a]; S/jq ends; later; Q R[a]; Q W[a,q]; S/mv W[a,b]`, `[a,b]`, ""},
	{"a family that was told of nothing long ago", `S/cat ?; S/cat ends; later; Q C[q]; Q ends; S/tee W[a]`, `[a]`, ""},
	{"a slow pipe beside a command", `S/py R[a]; S/tee begins; S/sed R[a]; S/sed W[a,b]; S/sed ends; S/tee W[a,c]`, `[a,b,c]`, ""},

	// A family knows that there was nothing, if one of it was told.
	{"a script asks, another program creates", `S ?; Q C[q]; Q ends; S/tee W[a]`, `[q,a]`, ""},
	{"a child that has ended was told", `S/cat ?; S/cat ends; Q C[q]; Q ends; S/tee W[a]`, `[q,a]`, ""},
	{"two scripts ask, others create", `S ?; Z ?; S/tee C[a]; S/tee ends; Z/tee W[b]`, `[a,b]`, ""},
	{"told of nothing, and alone", `S/cat ?; S/cat ends; S/cp C[a]; S/cp ends; S/jq R[a]; S/jq ends; S/mv W[a,b]; S/mv ends; S/cp2 W[a]`, `[a]`, ""},
	{"told of nothing, then read", `S ?; Q C[q]; Q ends; S/jq R[q]; S/jq ends; S/cp W[a]`, `[a]`, ""},
	{"told of nothing by the nearest", `S/jq R[a]; S/jq ends; S/sh ?; Q R[a]; Q W[a,q]; S/sh/tee W[b]`, `[a,q,b]`, ""},

	{"mv asks in the gap of another mv", `S/jq R[a]; S/jq ends; Z/jq R[a]; Z/jq ends; Z/mv U; Z/mv C[a,z]; Y/mv U; S/mv ?; S/mv C[a,b]`, `[a,z,b]`, ""},

	// A restart forgets the dead, and the views of the living stay as they were.
	{"a shell's own command is no memory after a restart, either", `S >[a,b]; again; S/jq R[a,b]; S/jq ends; S/mv W[a]; S/mv ends; S/f1 >[a,b]`, `[a,b]`, ""},
	{"a memory outlives a restart", `P R[a]; P W[a,p]; again; Q R[a,p]; Q W[a,p,q]; P W[a,p,r]`, `[a,p,q,r]`, ""},
	{"nothing outlives a restart", `P ?; Z ?; again; Q C[q]; P W[p]; Z/tee W[z]`, `[q,p,z]`, ""},

	{"nothing outlives a restart, others create before it", `P ?; Z ?; Q C[q]; again; P W[p]; Z/tee W[z]`, `[q,p,z]`, ""},
	{"read, and others save before a restart", `P R[a]; Q R[a]; Q W[a,q]; again; P W[a,p]`, `[a,q,p]`, ""},
	{"alone over a restart", `P R[a]; P W[a,b]; again; P W[c]`, `[c]`, ""},
	{"a script alone over a restart", `S >[a]; S/jq R[a]; S/jq ends; S/mv W[a,b]; S/mv ends; again; S >[c]`, `[c]`, ""},
	{"created before a restart", `P ?; P C[a,b]; again; P W[a]`, `[a]`, ""},
	{"created before a restart, and made anew", `P ?; P C[a,b]; again; P U; P C[a,b]; P W[a]`, `[a]`, ""},
	{"what a command of a script has written outlives a restart", `S >[a]; Q R[a]; Q W[a,x]; Q ends; S/sed R[a,x]; S/sed W[a2,x]; S/sed ends; again; S/dd W[c]`, `[c]`, ""},
	{"what was made from a command's write", `S/A >[a]; S/A ends; S/B >[a,b]; S/cp W[c]`, `[c]`, ""},
	{"what was made from a command's write outlives a restart", `S/A >[a]; S/A ends; S/B >[a,b]; again; S/cp W[c]`, `[c]`, ""},
	{"what a command of a script has read outlives a restart", `S >[a]; S/jq R[a]; S/jq ends; Q R[a]; Q W[a,x]; again; S/mv W[a,b]`, `[a,x,b]`, ""},
	{"what a command of a script has read long ago does not", `S/jq R[a]; S/jq ends; later; Q R[a]; Q W[a,x]; again; S/mv W[a,b]`, `[a,b]`, ""},
	{"removed before a restart, and created since", `S/jq R[a]; S/jq ends; S/rm U; S/rm ends; again; Q C[q]; Q ends; S/cp W[a]`, `[q,a]`, ""},
	{"removed and written again over a restart", `P W[a]; Q R[a]; Q W[a,x]; P R[a,x]; P U; again; P W[a]`, `[a]`, ""},
	{"changed while unmounted", `P R[a]; P W[a,b]; again[a,b,x]; P W[a,b,c]`, `[a,b,x,c]`, ""},
	{"changed while unmounted, and nothing written yet", `P R[a]; again[a,x]; P W[a,c]`, `[a,x,c]`, ""},
	{"no directory outlives a restart", `P D; again; Q C[q]; P W[p]`, `[q,p]`, ""},
	{"no directory outlives a restart, others create before it", `P D; Q C[q]; again; P W[p]`, `[q,p]`, ""},
	{"a listing is its process's own", `P L; Q C[q]; P W[p]`, `[q,p]`, ""},
	{"a listing outlives that another registry takes the name", `Q C[q]; Q A; P L; Q B; P W[p]`, `[q,p]`, ""},
	{"no directory outlives that another registry takes the name", `Q C[q]; Q A; P D; Q B; P W[p]`, `[q,p]`, ""},
	{"a listing is not its family's", `S/ls L; S/ls ends; Q C[q]; Q ends; S/tee W[a]`, `[a]`, ""},
	{"a family that found no directory", `S/cat D; S/cat ends; Q C[q]; S/tee W[a]`, `[q,a]`, ""},

	// A process's views from before the daemon are not known; its later ones are.
	{"a shell older than the daemon, alone", `oS >[a,b,c]; oS >[a2,b2,c2]; oS >[a,b,c+]`, `[a,b,c+]`, ""},
	{"a shell older than the daemon, told of nothing", `oS ?; Q C[d,q]; Q ends; oS >[d,a]`, `[d,q,a]`, ""},
	{"a shell older than the daemon, beside others", `oS >[a]; Q R[a]; Q W[a,q]; Q ends; oS >[a,b]`, `[a,q,b]`, ""},
	{"a program older than the daemon, told of nothing", `oP ?; Q C[d,q]; Q R[d,q]; Q W[d,q,r]; Q ends; oP W[d,a]`, `[d,q,r,a]`, ""},
	{"a program older than the daemon, from memory", `Q R[a]; Q W[a,q]; Q ends; oP W[a,p]`, `[a,q,p]`, ""},

	// Nobody can know: as in a bare directory.
	{"two that change their mind", `P R[a]; P R[a]; P W[a,v]; P W[a,w]`, `[a,w]`, ""},

	// Consequences of the rules.
	{"two handles at once are two tasks", `P O1; P O2; P r1[a]; P r2[a]; P X1; P X2; P W[a,v]; P W[a,w]`, `[a,v,w]`, ""},
	{"opened before a merged write of the family, read after it", `S/jq1 R[a]; S/jq1 ends; S/jq O1; Q R[a]; Q W[a,q]; Q ends; S/mv W[a,b]; S/mv ends; S/jq r1[a]; S/jq X1; S/jq ends; S/cp W[a,c]`, `[a,q,b,c]`, "i"},
	{"26 with equal defaults", `P ?1; P ?2; P C1[d,x]; P W[d,y]`, `[d,x,y]`, "i"},
	{"30 told of nothing", `c ?; Q C[q]; c W[p]`, `[q,p]`, ""},
	{"30 found no directory", `c D; Q C[q]; c W[p]`, `[q,p]`, ""},
	{"30 listed", `c L; Q C[q]; c W[p]`, `[q,p]`, ""},
	{"30 from memory", `c W[a]; d R[a]; d W[a,d]; c W[a,c]`, `[a,d,c]`, ""},
	{"a temporary file put in place after another save", `P R[a]; P T[a,p]; Q R[a]; Q W[a,q]; P W[a,r]; P M`, `[a,q,r,p]`, "ir"},
	{"a family's temporary file put in place after another save", `S/jq R[a]; S/jq ends; S/sh T[a,p]; Q R[a]; Q W[a,q]; Q ends; S/cp W[a,r]; S/cp ends; S/mv M`, `[a,q,r,p]`, "ir"},
	{"told that it is there, before another commit", `P ?; Q C[q]; P !; Q R[q]; Q W[q,r]; P W[p]`, `[p]`, "i"},
	{"another's file is put in place of one's own", `Q ?; Q T[q]; P C[p]; P M`, `[q]`, "i"},
	{"a child's file is put in place of one's own", `P/Q ?; P/Q T[q]; P C[p]; P M`, `[p,q]`, "i"},
	{"another's file is put in place of what others have changed", `Q ?; Q T[q]; P C[p]; Z R[p]; Z W[p,z]; P M`, `[p,z,q]`, "i"},
	{"opened before a commit, read after it", `P O1; Q R[a]; Q W[a,q]; P r1[a]; P X1; P W[a,p]`, `[a,q,p]`, ""},
	{"opened before a commit, read after it, by a family", `S/jq O1; Q R[a]; Q W[a,q]; S/jq r1[a]; S/jq X1; S/jq ends; S/cp W[a,p]`, `[a,q,p]`, ""},
	{"a merged write was not all of it", `P R[a]; Q R[a]; Q W[a,q]; P W[a,p]; P W[a,p,r]`, `[a,q,p,r]`, ""},
	{"told that it is there", `P ?; Q C[q]; P !; P W[p]`, `[p]`, "i"},
	{"found no directory, and told that it is there", `P D; P ?; Q C[q]; P !; P W[p]`, `[p]`, "i"},
	{"told that it is there, and replaced later", `P ?; Q C[q]; P !; P waits; P W[p]`, `[p]`, ""},
	{"looked at for its mode as it is replaced", `P ?; Q C[q]; P !1; P !2; P T[p]; P !3; P M`, `[q,p]`, "p"},
	{"read, and looked at for its mode as it is replaced", `P ?; Q C[q]; P R[q]; P !; P T[q,p]; P M`, `[q,p]`, "p"},
	{"created since it was removed", `S/rm U; S/rm ends; Q C[q]; S >[a]`, `[q,a]`, ""},
	{"a reader saves after a removal", `P R[a]; Q R[a]; Q W[a,q]; S/rm U; P C[a,p]`, `[a,q,p]`, ""},
	{"a reader saves less after a removal", `P R[a,b]; Q R[a,b]; Q W[a,b,q]; S/rm U; P C[b,p]`, `[b,q,p]`, ""},
	{"removed, asked for, and made anew", `P W[a]; P U; P ?; P C[p]`, `[p]`, ""},
	{"a parent that had it removed", `P R[a]; Q R[a]; Q W[a,q]; P/rm U; P/rm ends; P C[a,p]`, `[a,p]`, ""},
}

func TestTraces(t *testing.T) {
	for _, tr := range traces {
		ways := tr.ways
		if ways == "" {
			ways = "ipr"
		}
		for _, way := range ways {
			t.Run(tr.name+" "+string(way), func(t *testing.T) {
				r := newTraceRun(t, way)
				r.begin(tr.steps)
				for step := range strings.SplitSeq(tr.steps, ";") {
					r.step(strings.TrimSpace(step))
				}
				r.find(tr.want)
			})
		}
	}
}

type traceRun struct {
	*bench
	way    rune
	actors map[string]txn.Caller
	open   map[string]*txn.Snapshot
	temp   txn.Replacement
	pids   int
}

// mountedAt is the Start of the first process that can't be older than the daemon.
const mountedAt = 1000

func newTraceRun(t *testing.T, way rune) *traceRun {
	return &traceRun{bench: newBench(t, "", func(c *txn.Config) { c.Boot, c.Began = "boot", mountedAt }), way: way, actors: map[string]txn.Caller{}, open: map[string]*txn.Snapshot{}}
}

func (r *traceRun) actor(name string) txn.Caller {
	if name == "c" || name == "d" {
		return txn.Caller{UID: 1000}
	}
	c, ok := r.actors[name]
	if ok {
		return c
	}
	if at := strings.LastIndex(name, "/"); at >= 0 {
		up := r.actor(name[:at])
		c.Ancestors = append([]txn.Actor{up.Actor}, up.Ancestors...)
	}
	r.pids++
	c.Actor = txn.Actor{PID: r.pids, Start: mountedAt + uint64(r.pids)}
	if strings.HasPrefix(name, "o") {
		c.Start -= mountedAt
	}
	c.Program = name
	c.Forked = strings.Contains(name, "/f")
	r.actors[name] = c
	return c
}

// list turns [a,b2] into a document: an entry a, and an entry b whose content is 2.
func list(text string) string {
	var entries []string
	for e := range strings.SplitSeq(strings.Trim(text, "[]"), ",") {
		if id := strings.TrimRight(e, "2+"); id != "" && id != e {
			entries = append(entries, fmt.Sprintf(`{"id":%q,"is":%q}`, id, e[len(id):]))
		} else if e != "" {
			entries = append(entries, fmt.Sprintf(`{"id":%q}`, e))
		}
	}
	return "[" + strings.Join(entries, ",") + "]"
}

func (r *traceRun) step(step string) {
	r.Helper()
	if content, ok := strings.CutPrefix(step, "again"); ok {
		r.restart(content)
		return
	}
	if step == "later" {
		r.pass(2 * time.Minute)
		return
	}
	name, verb, _ := strings.Cut(step, " ")
	c := r.actor(name)
	verb, content, _ := strings.Cut(verb, "[")
	content = list(content)
	number, _ := strconv.Atoi(strings.TrimLeft(verb, "?!COX"))
	switch verb[0] {
	case 'R':
		r.same(step, r.read(c), content)
	case 'O':
		s, err := r.store.Open(file)
		r.ok(err)
		r.open[verb[1:]] = s
	case 'r':
		s := r.open[verb[1:]]
		p := make([]byte, s.Size())
		_, err := s.ReadAt(c, p, 0)
		r.ok(err)
		r.same(step, string(p), content)
	case 'X':
		r.open[verb[1:]].Release()
	case 'W':
		r.write(c, content)
	case 'C':
		r.create(c, content, number+1)
	case '>':
		r.redirect(c, content)
	case 'T':
		r.stageTemp(c, content)
	case 'M':
		r.ok(r.store.Replace(file, c, r.temp))
	case 'U':
		r.unlink(c)
	case 'A':
		r.ok(r.rename(file, "aside.json", c))
	case 'B':
		r.ok(r.rename("aside.json", file, c))
	case '?':
		r.store.Missed(file, c, number+1, r.store.Now())
	case 'L':
		r.store.Listed("", c, r.store.Now())
	case 'D':
		r.store.MissedBelow("", c, number+1, r.store.Now())
	case '!':
		r.store.Found(file, number+1, func() txn.Caller { return c })
	case 'b':
	case 'w':
		r.pass(3 * time.Second)
	case 'e':
		r.kill(c)
	}
}

// write writes the registry in the way of the run.
func (r *traceRun) write(c txn.Caller, content string) {
	r.Helper()
	switch {
	case r.way == 'p':
		r.stageTemp(c, content)
		r.ok(r.store.Replace(file, c, r.temp))
	case r.way == 'r' && r.exists():
		tx, err := r.store.Begin(file, c, txn.BeginOptions{})
		r.ok(err)
		_, err = tx.WriteAt(c, []byte(content), 0)
		r.ok(err)
		r.ok(tx.Truncate(c, int64(len(content))))
		r.ok(tx.Flush(c, txn.Death{}))
		tx.Release()
	default:
		r.save(c, content)
	}
}

// restart has another store go on with the first one's storage, or with other
// content, if there is some.
func (r *traceRun) restart(content string) {
	r.Helper()
	r.ok(r.store.SaveViews())
	r.ok(r.store.Close())
	if content != "" {
		r.storage.Storage.(*txntest.Memory).Foreign(file, []byte(list(content)))
	}
	r.store = txn.New(r.storage, r.config)
}

// begin makes the registry that the first step that tells of one finds.
func (r *traceRun) begin(steps string) {
	i := strings.IndexAny(steps, "[U?O")
	if steps[i] == 'O' {
		i += strings.IndexByte(steps[i:], '[')
	}
	switch before := steps[:i]; {
	case steps[i] == 'U' && !strings.Contains(before, "O1"):
		r.save(program(9000), `[{"id":"was"}]`)
	case steps[i] == '[' && strings.ContainsAny(before[strings.LastIndex(before, " "):], "Rr"):
		content, _, _ := strings.Cut(steps[i:], "]")
		r.save(program(9000), list(content))
	}
}

func (r *traceRun) exists() bool {
	s, err := r.store.Open(file)
	if err != nil {
		return false
	}
	s.Release()
	return true
}

// stageTemp writes a temporary file.
func (r *traceRun) stageTemp(c txn.Caller, content string) {
	o := txn.Origin{Caller: c, Event: r.store.Now(), At: r.config.Now(), Opened: r.store.Now()}
	r.temp = txn.Replacement{Content: []byte(content), Via: txn.ViaRename, Lineage: txn.Lineage{Writers: []txn.Origin{o}}}
}

// create writes the registry by a call that looks it up first.
func (r *traceRun) create(c txn.Caller, content string, thread int) {
	r.Helper()
	if r.exists() {
		r.store.Found(file, thread, func() txn.Caller { return c })
	} else {
		r.store.Missed(file, c, thread, r.store.Now())
	}
	tx, err := r.store.Begin(file, c, txn.BeginOptions{Truncate: true, Create: true, Thread: thread})
	r.ok(err)
	r.put(tx, c, content)
}

// redirect writes as a shell does by a redirection of its own command.
func (b *bench) redirect(c txn.Caller, content string) {
	b.Helper()
	tx := b.open(c)
	_ = tx.Flush(c, txn.Death{}) // of the descriptor that was duplicated; nothing is there yet
	b.put(tx, c, content)
}

func (r *traceRun) unlink(c txn.Caller) {
	r.Helper()
	r.ok(r.store.Unlink(file, c))
}

// same compares documents by their values.
func (r *traceRun) same(step, got, want string) {
	r.Helper()
	var a, b any
	r.ok(json.Unmarshal([]byte(got), &a))
	r.ok(json.Unmarshal([]byte(want), &b))
	if fmt.Sprint(a) != fmt.Sprint(b) {
		r.Errorf("%s: the registry holds %s, want %s", step, got, want)
	}
}

func (r *traceRun) find(want string) {
	r.Helper()
	if s, err := r.store.Open(file); errors.Is(err, fs.ErrNotExist) {
		r.Errorf("there is no registry")
		return
	} else if err == nil {
		s.Release()
	}
	r.same("at the end", r.head(), list(want))
	if r.Failed() {
		e := r.last()
		r.Logf("base: %s, %s", e.Base.Kind, e.Base.Why)
		for _, c := range e.Base.Candidates {
			r.Logf("  candidate: write %v, %d leaves, struck: %s", c.Write, c.Leaves, c.Struck)
		}
	}
}
