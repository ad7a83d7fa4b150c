package merge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// small are merges; each shows one rule. The result is followed by the outcome, the
// conflicts, the warnings, the rules that were applied and the values kept. In JSON5 are those with
// a comment in them, or an unquoted key.
var small = []struct{ rule, base, head, theirs, want string }{
	// The result is laid out as the head is.
	{"behind the opening bracket", `{ "a": 1 }`, `{ "a": 1 }`, `{ "z": 0, "a": 1 }`, `{ "z": 0, "a": 1 } | took theirs`},
	{"before the closing bracket", `{ "a": 1, "x": 9 }`, `{ "a": 1, "x": 8 }`, `{ "a": 1, "x": 9, "b": 2 }`, `{ "a": 1, "x": 8, "b": 2 } | merged`},
	{"first on one line", `{ "a": 1, "x": 9 }`, `{ "a": 1, "x": 8 }`, `{ "b": 2, "a": 1, "x": 9 }`, `{ "b": 2, "a": 1, "x": 8 } | merged`},
	{"wide commas", `["a",  "b"]`, `["a",  "b",  "h"]`, `["a",  "b",  "t"]`, `["a",  "b",  "h",  "t"] | merged | by (root) set | kept 1`},
	{"wide commas in front", `["a",  "b"]`, `["a",  "c"]`, `["t",  "a",  "b"]`, `["t",  "a",  "c"] | merged | by (root) set | kept 1`},
	{"a line each", "{\n\t\"a\": 1,\n\t\"x\": 9\n}", "{\n\t\"a\": 1,\n\t\"x\": 8\n}", `{"a":1,"x":9,"b":{"c":[1,2]}}`, "{\n\t\"a\": 1,\n\t\"x\": 8,\n\t\"b\": {\n\t\t\"c\": [\n\t\t\t1,\n\t\t\t2\n\t\t]\n\t}\n} | merged"},
	{"one line in a document of lines", "{\n  \"a\": {\"b\": 1},\n  \"x\": 9\n}", "{\n  \"a\": {\"b\": 1},\n  \"x\": 8\n}", `{"a":{"b":1,"c":2},"x":9}`, "{\n  \"a\": {\"b\": 1, \"c\": 2},\n  \"x\": 8\n} | merged"},
	{"lines inside one line", `{"a":{"b":1},"x":9}`, `{"a":{"b":1},"x":8}`, "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": {\n      \"d\": 1\n    }\n  },\n  \"x\": 9\n}", `{"a":{"b":1,"c":{"d":1}},"x":8} | merged`},
	{"an empty object is filled", "{\n  \"a\": {},\n  \"x\": 9\n}", "{\n  \"a\": {},\n  \"x\": 8\n}", `{"a":{"c":2},"x":9}`, "{\n  \"a\": {\n    \"c\": 2\n  },\n  \"x\": 8\n} | merged"},
	{"an object is emptied", "{\n  \"a\": {\n    \"c\": 2\n  },\n  \"x\": 9\n}", "{\n  \"a\": {\n    \"c\": 2\n  },\n  \"x\": 8\n}", `{"a":{},"x":9}`, "{\n  \"a\": {},\n  \"x\": 8\n} | merged"},
	{"own indentation of a member", "{\"a\":\n      {\"b\":\n         1},\n\"x\":9}", "{\"a\":\n      {\"b\":\n         1},\n\"x\":8}", "{\"a\":\n      {\"b\":\n         1,\"c\":2},\n\"x\":9}", "{\"a\":\n      {\"b\":\n         1,\n\"c\":\n      2},\n\"x\":8} | merged"},
	{"windows lines", "{\r\n  \"a\": 1,\r\n  \"x\": 9\r\n}", "{\r\n  \"a\": 1,\r\n  \"x\": 8\r\n}", "{\"a\":1,\"x\":9,\"b\":2}", "{\r\n  \"a\": 1,\r\n  \"x\": 8,\r\n  \"b\": 2\r\n} | merged"},
	{"an empty head", `{}`, `{ }`, `{"a":1}`, `{"a":1} | took theirs`},
	{"a spaced colon", `{"a" : 1, "x" : 9}`, `{"a" : 1, "x" : 8}`, `{"a":1,"x":9,"b":2}`, `{"a" : 1, "x" : 8, "b" : 2} | merged`},
	{"tabs", "{\n\t\"o\": {\n\t\t\"a\": 1\n\t},\n\t\"x\": 9\n}", "{\n\t\"o\": {\n\t\t\"a\": 1\n\t},\n\t\"x\": 8\n}", "{\n  \"o\": {\n    \"a\": 1,\n    \"b\": 2\n  },\n  \"x\": 9\n}", "{\n\t\"o\": {\n\t\t\"a\": 1,\n\t\t\"b\": 2\n\t},\n\t\"x\": 8\n} | merged"},

	// Comments belong to the value that they stand beside.
	{"a comment before a member that goes", "{// one\na: 1,\n// two\nb: 2, x: 9}", "{// one\na: 1,\n// two\nb: 2, x: 8}", "{// one\na: 1, x: 9}", "{// one\na: 1, x: 8} | merged"},
	{"theirs cannot write comments", "{// one\na: 1,\n// two\nb: 2, x: 9}", "{// one\na: 1,\n// two\nb: 2, x: 8}", "{a: 1, x: 9}", "{// one\na: 1,\n// two\n x: 8} | merged"},
	{"a comment behind", "{a: 1, // one\nx: 9}", "{a: 1, // one\nx: 8}", "{a: 1, // uno\nx: 9}", "{a: 1, // uno\nx: 8} | merged | by /a comment"},
	{"a comment at the colon", "{a: /*i*/ 1, x: 9}", "{a: /*i*/ 1, x: 8}", "{a: /*j*/ 1, x: 9}", `{a: /*j*/ 1, x: 8} | merged | by /a comment`},
	{"both change a comment", "{a: 1, /*b*/ x: 9}", "{a: 1, /*h*/ x: 9}", "{a: 1, /*t*/ x: 9, c: 1}", `{a: 1, /*t*/ x: 9,c: 1} | merged | /x comment theirs | by /x comment`},
	{"a changed comment of a member that goes", "{/*b*/ a: 1, x: 9}", "{/*h*/ a: 1, x: 9, /*k*/ y: 1}", "{x: 9, /*k*/ y: 1}", `{/*h*/x: 9, /*k*/ y: 1} | merged`},
	{"the head has dropped what theirs comments on", "{/*b*/ a: 1, /*k*/ x: 9}", "{/*k*/ x: 9}", "{/*t*/ a: 1, /*k*/ x: 8}", `{/*k*/ x: 8} | merged | /a comment head`},
	{"a comment behind the opening bracket", "{ // o\na: 1, x: 9}", "{ // o\na: 1, x: 8}", "{ // p\na: 1, x: 9}", "{ // p\na: 1, x: 8} | merged"},
	{"a comment before the closing bracket", "{a: 1, x: 9 /*o*/}", "{a: 1, x: 8 /*o*/}", "{a: 1, x: 9 /*p*/}", `{a: 1, x: 8 /*p*/} | merged`},
	{"an emptied object with a comment", "{o: {a: 1 /*k*/}, x: 9}", "{o: {a: 1 /*k*/}, x: 8}", "{o: {/*k*/}, x: 9}", `{o: { /*k*/}, x: 8} | merged`},
	{"comments around", "// top\n{a: 1, x: 9}\n// end", "// top\n{a: 1, x: 8}\n// end", "// top!\n{a: 1, x: 9}\n// end!", "// top!\n{a: 1, x: 8}\n// end! | merged"},
	{"a new commented member", "{a: 1, x: 9}", "{a: 1, x: 8 /*k*/}", "{a: 1, x: 9, // new\nb: 2}", "{a: 1, x: 8, // new\n b: 2 /*k*/} | merged | by /x comment"},
	{"a comment in a value that is replaced", "{o: {a: 1 /*k*/}, x: 9}", "{o: {a: 1 /*h*/}, x: 9}", "{o: [2], x: 9}", `{o: [2], x: 9} | took theirs | /o comment theirs`},

	// Stamps: the later one counts; counters are added up.
	{"stamps", `{"updatedAt":"2026-01-01T00:00:00Z"}`, `{"updatedAt":"2026-01-03T00:00:00Z"}`, `{"updatedAt":"2026-01-02T00:00:00Z"}`, `{"updatedAt":"2026-01-03T00:00:00Z"} | kept head | by /updatedAt later`},
	{"stamps of both kinds", `{"updatedAt":1767225600}`, `{"updatedAt":"2026-01-03T00:00:00Z"}`, `{"updatedAt":1767312000000}`, `{"updatedAt":"2026-01-03T00:00:00Z"} | kept head | by /updatedAt later`},
	{"a stamp that is no time", `{"updatedAt":1}`, `{"updatedAt":5}`, `{"updatedAt":3}`, `{"updatedAt":5} | kept head | by /updatedAt later`},
	{"a stamp that is null", `{"updatedAt":1}`, `{"updatedAt":5}`, `{"updatedAt":null}`, `{"updatedAt":null} | took theirs | by /updatedAt later`},
	{"a stamp with a time and no time", `{"lastUsed":"x"}`, `{"lastUsed":"2026-01-03T00:00:00Z"}`, `{"lastUsed":"never"}`, `{"lastUsed":"never"} | took theirs | by /lastUsed later`},
	{"counters", `{"rev":3}`, `{"rev":5}`, `{"rev":4}`, `{"rev":6} | merged | by /rev sum`},
	{"a counter that is reset", `{"rev":3}`, `{"rev":5}`, `{"rev":0}`, `{"rev":0} | took theirs | /rev changed theirs`},
	{"a counter with a fraction", `{"rev":3}`, `{"rev":5}`, `{"rev":4.5}`, `{"rev":4.5} | took theirs | /rev changed theirs`},

	// Lists.
	{"an element is changed by one, its neighbour by the other", `[{"n":"a","v":1},{"n":"b","v":1}]`, `[{"n":"a","v":2},{"n":"b","v":1}]`, `[{"n":"a","v":1},{"n":"b","v":3}]`, `[{"n":"a","v":2},{"n":"b","v":3}] | merged | by (root) sequence`},
	{"an element goes here and one comes there", `["a","b","c"]`, `["a","c"]`, `["a","b","c","d"]`, `["a","c","d"] | merged | by (root) set`},
	{"one moves", `["a","b","c","d"]`, `["d","a","b","c"]`, `["a","b","c","d","e"]`, `["d","e","a","b","c"] | merged`},
	{"moved and removed", `[{"id":"1"},{"id":"2"},{"id":"3"}]`, `[{"id":"3"},{"id":"1"},{"id":"2"}]`, `[{"id":"1"},{"id":"3"}]`, `[{"id":"3"},{"id":"1"}] | merged`},
	{"both add the same number", `[{"id":1,"t":"a"}]`, `[{"id":1,"t":"a"},{"id":2,"t":"h"}]`, `[{"id":1,"t":"a"},{"id":2,"t":"t"}]`, `[{"id":1,"t":"a"},{"id":2,"t":"t"}] | took theirs | /1 same-number theirs | by (root) identity id`},
	{"both add the same entry", `{"l":[]}`, `{"l":[{"t":"x","u":"y"}],"h":1}`, `{"l":[{"t":"x","u":"y"}],"t":1}`, `{"l":[{"t":"x","u":"y"}],"h":1,"t":1} | merged | by /l equal-once | by /l sequence | kept 1`},
	{"both edit one element without identity", `[["a","b","c","d"],["z"]]`, `[["a","b","c","h"],["z"]]`, `[["a","b","c","t"],["z"]]`, `[["a","b","c","h","t"],["z"]] | merged | by /0 set | by (root) sequence | kept 1`},
	{"an edit that the head has beside", `[["a","b","c","d"],["z"]]`, `[["a","b","c","h"],["a","b","c","t"],["z"]]`, `[["a","b","c","t"],["z"]]`, `[["a","b","c","h"],["a","b","c","t"],["z"]] | kept head | by (root) equal-once | by (root) sequence`},
	{"repeated elements", `["a","a","b"]`, `["a","b"]`, `["a","a","b","c"]`, `["a","b","c"] | merged | by (root) sequence`},
	{"a list is replaced and added to", `[1,2,3]`, `[7,8,9]`, `[1,2,3,4]`, `[1,2,3,4] | took theirs | (root) changed theirs | by (root) tuple`},
	{"a list becomes an object", `{"l":[1]}`, `{"l":{"a":1}}`, `{"l":[1,2]}`, `{"l":[1,2]} | took theirs | /l type-changed theirs`},
	{"a removed entry that was changed", `{"o":{"a":{"v":1}}}`, `{"o":{}}`, `{"o":{"a":{"v":2}}}`, `{"o":{"a":{"v":2}}} | took theirs | /o/a deleted theirs`},
	{"removed by both", `{"a":1,"b":2,"c":3}`, `{"a":1,"c":4}`, `{"a":1,"c":3,"d":5}`, `{"a":1,"c":4,"d":5} | merged`},
	{"numbers spelled by JavaScript", `{"n":1.0,"big":9007199254740993,"x":9}`, `{"n":1.0,"big":9007199254740993,"x":8}`, `{"n":1,"big":9007199254740992,"x":9,"y":1}`, `{"n":1.0,"big":9007199254740993,"x":8,"y":1} | merged | warning (root) respelled 1/7`},
	{"too large a number", `{"n":1e999,"x":9}`, `{"n":1e999,"x":8}`, `{"n":null,"x":9,"y":1}`, `{"n":1e999,"x":8,"y":1} | merged | warning (root) respelled 1/5`},
	{"an emptied head takes on the style of theirs", "{\n  \"a\": 1\n}", "{}", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 1\n  }\n}", "{\n  \"b\": {\n    \"c\": 1\n  }\n} | merged"},
	{"an empty object on one line is filled", "{\n  \"a\": {\"o\": {}},\n  \"x\": 9\n}", "{\n  \"a\": {\"o\": {}},\n  \"x\": 8\n}", `{"a":{"o":{"k":1}},"x":9}`, "{\n  \"a\": {\"o\": {\"k\": 1}},\n  \"x\": 8\n} | merged"},
	{"lines in a member of one line", "{\"a\": {\n    \"b\": 1\n}, \"x\": 9}", "{\"a\": {\n    \"b\": 1\n}, \"x\": 8}", `{"a":{"b":1,"c":[1,{"d":2}]},"x":9}`, "{\"a\": {\n    \"b\": 1,\n    \"c\": [\n      1,\n      {\n        \"d\": 2\n      }\n    ]\n}, \"x\": 8} | merged"},
	{"an empty container with a space", `{"a":1,"x":9}`, `{"a":1,"x":8}`, `{"a":1,"x":9,"e":{ },"l":[ ]}`, `{"a":1,"x":8,"e":{ },"l":[ ]} | merged`},
	{"a value with a comment in it", "{\n  a: 1,\n  x: 9 // k\n}", "{\n  a: 1,\n  x: 8 // k\n}", "{a: 1, x: 9, /*k*/ n: {b: 1 /*c*/, d: {e: 2}}}", "{\n  a: 1,\n  x: 8, // k\n  /*k*/ n: {b: 1 /*c*/, d: {e: 2}}\n} | merged"},
	{"a value with a comment at a colon", "{\n  a: 1,\n  x: 9 // k\n}", "{\n  a: 1,\n  x: 8 // k\n}", "{a: 1, x: 9, n: {b: /*c*/ 1}}", "{\n  a: 1,\n  x: 8, // k\n  n: {b: /*c*/ 1}\n} | merged"},
	{"a value with a comment deep in it", "{\n  a: 1,\n  x: 9 // k\n}", "{\n  a: 1,\n  x: 8 // k\n}", "{a: 1, x: 9, n: [[{b: 1 /*c*/}]]}", "{\n  a: 1,\n  x: 8, // k\n  n: [[{b: 1 /*c*/}]]\n} | merged"},
	{"a comment after the last member goes with it", "{\n  a: 1,\n  // k\n  b: 2,\n  x: 9\n}", "{\n  a: 1,\n  // k\n  b: 2,\n  x: 8\n}", "{\n  a: 1,\n  x: 9\n}", "{\n  a: 1,\n  // k\n  x: 8\n} | merged"},
	{"the last member goes, and its comment has nowhere to go", "{\n  x: 9,\n  // k\n  b: 2\n}", "{\n  x: 8,\n  // k\n  b: 2\n}", "{\n  x: 9\n}", "{\n  x: 8\n  // k\n} | merged"},
	{"all go, and a comment is left", "{\n  o: {\n    // k\n    b: 2\n  },\n  x: 9\n}", "{\n  o: {\n    // k\n    b: 2\n  },\n  x: 8\n}", "{o: {}, x: 9}", "{\n  o: {\n    // k\n  },\n  x: 8\n} | merged"},
	{"a new closing comment in lines", "{\n  a: 1,\n  x: 9\n}", "{\n  a: 1,\n  x: 8\n}", "{\n  a: 1,\n  x: 9\n  // end\n}", "{\n  a: 1,\n  x: 8\n  // end\n} | merged"},
	{"a new opening comment", "{\n  a: 1,\n  x: 9\n}", "{\n  a: 1,\n  x: 8\n}", "{ // begin\n  a: 1,\n  x: 9\n}", "{ // begin\n  a: 1,\n  x: 8\n} | merged"},
	{"a new comment before a member", "{\n  a: 1,\n  x: 9\n}", "{\n  a: 1,\n  x: 8\n}", "{\n  // first\n  a: 1,\n  x: 9\n}", "{\n  // first\n  a: 1,\n  x: 8\n} | merged | by /a comment"},
	{"a comment behind an element that the head follows with one of its own", "[\n  'a', // k\n  'x'\n]", "[\n  'a', // k\n  'h',\n  'x'\n]", "[\n  'a', // t\n  'x'\n]", "[\n  'a', // t\n  'h',\n  'x'\n] | merged | by /0 comment | kept 1"},
	{"a line comment before what stands on one line", "{a: 1, // k\n x: 9}", "{a: 1, // k\n x: 8}", "{a: 1, // k\n b: 2, x: 9}", "{a: 1, // k\nb: 2,\n x: 8} | merged"},
	{"an object with an opening comment is filled", "{o: {// k\n}, x: 9}", "{o: {// k\n}, x: 8}", "{o: {// k\nb: 1}, x: 9}", "{o: {// k\nb: 1}, x: 8} | merged"},
	{"an empty object is filled, and commented", "{o: {}, x: 9}", "{o: {}, x: 8}", "{o: { // new\nb: 1}, x: 9}", "{o: { // new\nb: 1}, x: 8} | merged"},
	{"an empty object with a comment is filled, and the comment changed", "{o: {// k\n}, x: 9}", "{o: {// k\n}, x: 8}", "{o: {// p\nb: 1}, x: 9}", "{o: {// p\nb: 1}, x: 8} | merged"},
	{"an empty object with a comment is filled by who writes none", "{o: {// k\n}, x: 9}", "{o: {// k\n}, x: 8}", "{o: {b: 1}, x: 9}", "{o: {// k\nb: 1}, x: 8} | merged"},
	{"an empty object with a comment is filled before it", "{o: {/*k*/}, x: 9}", "{o: {/*k*/}, x: 8}", "{o: {b: 1 /*k*/}, x: 9 /*l*/}", `{o: {/*k*/b: 1}, x: 8 /*l*/} | merged`},
	{"what the head has emptied is added to", "{o: {// k\na: 1}, x: 9}", "{o: {// k\n}, x: 9}", "{o: {// k\na: 1, b: 2}, x: 9}", "{o: {// k\nb: 2}, x: 9} | merged"},
	{"theirs in another spelling", `{"a":1,"x":9}`, `{"a":1,"x":8}`, "{a: 1, x: 9, 'b': 0x10, c: [+1, .5,]}", `{"a":1,"x":8,'b':0x10,c:[+1,.5]} | merged`},
	{"both edit prose elements", `["one two three four five","z"]`, `["one two three four six","z"]`, `["one two three four seven","z"]`, `["one two three four six","one two three four seven","z"] | merged | by (root) set | kept 1`},
	{"a removed element that the other has edited", `[{"k":"one","a":"two","b":"three","v":1},"z"]`, `["z"]`, `[{"k":"one","a":"two","b":"three","v":2},"z"]`, `[{"k":"one","a":"two","b":"three","v":2},"z"] | took theirs | /0 deleted theirs | by (root) sequence`},
	{"many rows move and one is new", `["a","b","c","d","e","f"]`, `["f","e","a","b","c","d"]`, `["a","b","n","c","d","e","f"]`, `["f","e","a","b","n","c","d"] | merged`},
	{"front and back", `["a","b"]`, `["h","a","b"]`, `["a","b","t"]`, `["h","a","b","t"] | merged | by (root) set | kept 1`},
	{"both at the front", `["a","b"]`, `["h","a","b"]`, `["t","a","b"]`, `["h","t","a","b"] | merged | by (root) set | kept 1`},
	{"an element with an identity is renamed", `[{"id":"a","v":1},{"id":"b","v":2}]`, `[{"id":"c","v":1},{"id":"b","v":2}]`, `[{"id":"a","v":1},{"id":"b","v":3}]`, `[{"id":"c","v":1},{"id":"b","v":3}] | merged | by (root) identity id | kept 1`},
	{"a repeated identity", `[{"id":"a","v":1}]`, `[{"id":"a","v":1},{"id":"a","v":2}]`, `[{"id":"a","v":1},{"id":"b","v":3}]`, `[{"id":"a","v":1},{"id":"a","v":2},{"id":"b","v":3}] | merged | by (root) sequence | kept 1`},
	{"text that grows on both sides", `["l1\n","l2\n","l3\n"]`, `["l0\n","l1\n","l2\n","l3\n"]`, `["l1\n","l2\n","l3\n","l4\n"]`, `["l0\n","l1\n","l2\n","l3\n","l4\n"] | merged | by (root) sequence | kept 1`},
	{"a renewed login", `{"a":{"access":"1","refresh":"1","expires":1}}`, `{"a":{"access":"2","refresh":"2","expires":2}}`, `{"a":{"access":"3","refresh":"3","expires":3}}`, `{"a":{"access":"3","refresh":"3","expires":3}} | took theirs | /a tokens-rotated theirs | by /a tokens`},
	{"all entries but one go", `{"m":{"a":{"v":1},"b":{"v":1},"c":{"v":1},"d":{"v":1}},"x":9}`, `{"m":{"a":{"v":1},"b":{"v":1},"c":{"v":1},"d":{"v":1}},"x":8}`, `{"m":{"a":{"v":1}},"x":9}`, `{"m":{"a":{"v":1}},"x":8} | merged`},
	{"both set a value to the same", `{"a":1,"x":9}`, `{"a":2,"x":8}`, `{"a":2,"x":9,"y":1}`, `{"a":2,"x":8,"y":1} | merged`},
	{"both set a value", `{"a":1,"x":9}`, `{"a":2,"x":8}`, `{"a":3,"x":9}`, `{"a":3,"x":8} | merged | /a changed theirs`},
	{"an object that both create", `{}`, `{"o":{"a":1,"h":1}}`, `{"o":{"a":1,"t":1}}`, `{"o":{"a":1,"h":1,"t":1}} | merged | kept 1`},
	{"a list that both create", `{}`, `{"o":["a","h"]}`, `{"o":["a","t"]}`, `{"o":["a","h","t"]} | merged | by /o set | kept 1`},
	// These are one value, or one thing.
	{"a command line", `{"argv":["git","-a","x"]}`, `{"argv":["git","-b","x"]}`, `{"argv":["git","-a","y"]}`, `{"argv":["git","-a","y"]} | took theirs | /argv changed theirs | by /argv whole`},
	{"a command", `{"command":["git","-a","x"]}`, `{"command":["git","-b","x"]}`, `{"command":["git","-a","y"]}`, `{"command":["git","-a","y"]} | took theirs | /command changed theirs | by /command whole`},
	{"a string that is named command", `{"command":"a","x":9}`, `{"command":"b","x":9}`, `{"command":"a","x":8}`, `{"command":"b","x":8} | merged`},
	{"a pair of numbers", `{"pos":[1,2],"x":9}`, `{"pos":[1,3],"x":9}`, `{"pos":[2,2],"x":9}`, `{"pos":[2,2],"x":9} | took theirs | /pos changed theirs | by /pos tuple`},
	{"a pair of numbers of which one side makes three", `{"pos":[1,2],"x":9}`, `{"pos":[1,2,3],"x":9}`, `{"pos":[0,2],"x":9}`, `{"pos":[0,2],"x":9} | took theirs | /pos changed theirs | by /pos tuple`},
	{"a pair with null", `{"pos":[1,null],"x":9}`, `{"pos":[1,3],"x":9}`, `{"pos":[2,null],"x":9}`, `{"pos":[2,null],"x":9} | took theirs | /pos changed theirs | by /pos tuple`},
	{"a single number", `{"sizes":[1],"x":9}`, `{"sizes":[1,2],"x":9}`, `{"sizes":[1,3],"x":9}`, `{"sizes":[1,2,3],"x":9} | merged | by /sizes sequence | kept 1`},
	{"numbers far from the last one are names", `[{"id":1,"t":"a"}]`, `[{"id":1,"t":"a"},{"id":100,"t":"h","x":1}]`, `[{"id":1,"t":"a"},{"id":100,"t":"t","x":1}]`, `[{"id":1,"t":"a"},{"id":100,"t":"t","x":1}] | took theirs | /1/t added theirs | by (root) identity id`},
	{"both add the same number and mean the same", `[{"id":1,"t":"a"}]`, `[{"id":1,"t":"a"},{"id":2,"t":"n"}]`, `[{"id":1,"t":"a"},{"id":2,"t":"n"},{"id":3,"t":"t"}]`, `[{"id":1,"t":"a"},{"id":2,"t":"n"},{"id":3,"t":"t"}] | took theirs | by (root) identity id`},
	{"both renew a login to the same", `{"a":{"access":"1","refresh":"1","n":1}}`, `{"a":{"access":"2","refresh":"2","n":2}}`, `{"a":{"access":"2","refresh":"2","n":3}}`, `{"a":{"access":"2","refresh":"2","n":3}} | took theirs | /a/n changed theirs`},
	{"one renews, the other adds", `{"a":{"access":"1","refresh":"1"}}`, `{"a":{"access":"2","refresh":"2"}}`, `{"a":{"access":"1","refresh":"1","n":3}}`, `{"a":{"access":"2","refresh":"2","n":3}} | merged`},

	// Where conflicts are.
	{"in an element that has moved up", `[{"id":"a","v":1},{"id":"b","v":1}]`, `[{"id":"b","v":2}]`, `[{"id":"a","v":1},{"id":"b","v":3}]`, `[{"id":"b","v":3}] | merged | /0/v changed theirs | by (root) identity id`},
	{"in an element that only theirs keeps", `[{"id":"a","v":1},{"id":"b","v":1}]`, `[{"id":"b","v":1},{"id":"c","v":1}]`, `[{"id":"a","v":2},{"id":"b","v":1}]`, `[{"id":"a","v":2},{"id":"b","v":1},{"id":"c","v":1}] | merged | /0 deleted theirs | by (root) identity id | kept 1`},
	{"behind an element of which both are kept", `[["a","b"],{"id":"z","v":1}]`, `[["a","c"],{"id":"z","v":2}]`, `[["a","d"],{"id":"z","v":3}]`, `[["a","c","d"],{"id":"z","v":2},{"id":"z","v":3}] | merged | /1 edited-twice both | by /0 set | by (root) sequence | kept 2`},
	{"deep", `{"o":{"p":[{"id":"a","q":{"r":1}}]}}`, `{"o":{"p":[{"id":"a","q":{"r":2}}]}}`, `{"o":{"p":[{"id":"a","q":{"r":3}}]}}`, `{"o":{"p":[{"id":"a","q":{"r":3}}]}} | took theirs | /o/p/0/q/r changed theirs | by /o/p identity id`},

	// Stamps that can't be compared are theirs; a number is compared with a time that it is.
	{"a time and a small number", `{"updatedAt":1}`, `{"updatedAt":"2026-01-03T00:00:00Z"}`, `{"updatedAt":5}`, `{"updatedAt":5} | took theirs | by /updatedAt later`},
	{"a small number and a time", `{"updatedAt":1}`, `{"updatedAt":5}`, `{"updatedAt":"2026-01-03T00:00:00Z"}`, `{"updatedAt":"2026-01-03T00:00:00Z"} | took theirs | by /updatedAt later`},
	{"an earlier number and a later time", `{"updatedAt":1}`, `{"updatedAt":"2026-01-03T00:00:00Z"}`, `{"updatedAt":1767225600}`, `{"updatedAt":"2026-01-03T00:00:00Z"} | kept head | by /updatedAt later`},
	{"a counter that is named by its key", `{"seq":1}`, `{"seq":"2"}`, `{"seq":3}`, `{"seq":3} | took theirs | /seq type-changed theirs`},

	// Layout that is learned from deeper levels.
	{"colons below", `{"a":{"b" : 1},"x":9}`, `{"a":{"b" : 1},"x":8}`, `{"a":{"b":1,"c":2},"x":9}`, `{"a":{"b" : 1,"c":2},"x":8} | merged`},
	{"commas below", `[["a" , "b"]]`, `[["a" , "b"],["h"]]`, `[["a","b"],["t","u"]]`, `[["a" , "b"],["h"],["t","u"]] | merged | by (root) sequence | kept 1`},
	{"colons with comments", "{a:/*k*/ 1, x: 9}", "{a:/*k*/ 1, x: 8}", "{a:/*k*/ 1, x: 9, n: 2}", `{a:/*k*/ 1, x: 8, n: 2} | merged`},
	{"a comment for the indentation", "{\n  /* k\n   */ a: 1,\n  x: 9\n}", "{\n  /* k\n   */ a: 1,\n  x: 8\n}", "{\n  /* k\n   */ a: 1,\n  n: 2,\n  x: 9\n}", "{\n  /* k\n   */ a: 1,\n  n: 2,\n  x: 8\n} | merged"},
	{"a comment that both have changed alike", "{/*b*/ a: 1, x: 9}", "{/*n*/ a: 1, x: 8}", "{/*n*/ a: 1, x: 9}", `{/*n*/ a: 1, x: 8} | kept head`},
	{"a comment of a list that is replaced", "{l: ['a' /*k*/], x: 9}", "{l: ['a' /*k*/], x: 8}", "{l: ['a' /*t*/], x: 9}", `{l: ['a' /*t*/], x: 8} | merged`},
	// Further places of comments, and containers that are laid out in their own way.
	{"a counter that was none", `{"rev":"a"}`, `{"rev":2}`, `{"rev":3}`, `{"rev":3} | took theirs | /rev type-changed theirs`},
	{"a comment inside a value that only the head has changed", "{argv: ['a' /*k*/], x: 9}", "{argv: ['b' /*k*/], x: 9}", "{argv: ['a' /*t*/], x: 8}", `{argv: ['b' /*k*/], x: 8} | merged | /argv comment head`},
	{"a comment inside a value that nobody has changed", "{argv: ['a' /*k*/], x: 9}", "{argv: ['a' /*k*/], x: 8}", "{argv: ['a' /*t*/], x: 9}", `{argv: ['a' /*t*/], x: 8} | merged`},
	{"a comment inside a value that both have changed alike", "{argv: ['a' /*k*/], x: 9}", "{argv: ['b' /*k*/], x: 8}", "{argv: ['b' /*t*/], x: 9}", `{argv: ['b' /*t*/], x: 8} | merged`},
	{"a comment at the colon of what the head has dropped", "{a:/*b*/ 1, /*k*/ x: 9}", "{/*k*/ x: 9}", "{a:/*t*/ 1, /*k*/ x: 8}", `{/*k*/ x: 8} | merged | /a comment head`},
	{"a comment behind what the head has dropped", "{a: 1 /*b*/, /*k*/ x: 9}", "{/*k*/ x: 9}", "{a: 1 /*t*/, /*k*/ x: 8}", `{/*k*/ x: 8} | merged | /a comment head`},
	{"a comment at the colon of what theirs has dropped", "{a:/*b*/ 1, /*k*/ x: 9}", "{a:/*h*/ 1, /*k*/ x: 9}", "{/*k*/ x: 8}", `{ /*k*/ x: 8} | merged | /a comment theirs`},
	{"comments of an element of which both are kept", "[['a'], {id: 'z', v: 1} /*b*/]", "[['a'], {id: 'z', v: 2} /*b*/]", "[['a'], {id: 'z', v: 3} /*b*/]", `[['a'], {id: 'z', v: 2}, {id: 'z', v: 3} /*b*/] | merged | /1 edited-twice both | by (root) sequence | kept 1`},
	{"changed comments of an element of which both are kept", "[['a'], /*a*/ {id: 'z', v: 1} /*b*/]", "[['a'], /*a*/ {id: 'z', v: 2} /*b*/]", "[['a'], /*c*/ {id: 'z', v: 3} /*d*/]", `[['a'], /*a*/ {id: 'z', v: 2}, /*c*/ {id: 'z', v: 3} /*d*/] | merged | /1 edited-twice both | by /1 comment | by (root) sequence | kept 1`},
	{"an emptied list whose comment theirs has changed", "{l: ['a', /*k*/], x: 9}", "{l: [/*k*/], x: 9}", "{l: ['a', /*t*/], x: 8}", `{l: [ /*t*/], x: 8} | merged`},
	{"a list that theirs empties with its comment", "{l: ['a' /*k*/], x: 9 /*y*/}", "{l: ['a' /*k*/], x: 8 /*y*/}", "{l: [], x: 9 /*y*/}", `{l: [], x: 8 /*y*/} | merged`},
	{"commas of its own", `{"a":["p","q"],"l":["x",  "y"]}`, `{"a":["p","h"],"l":["x",  "y"]}`, `{"a":["p","q"],"l":["x","y","t"]}`, `{"a":["p","h"],"l":["x",  "y",  "t"]} | merged | kept 1`},
	{"colons of its own", `{"a":{"p":1},"l":{"x" :1}}`, `{"a":{"p":2},"l":{"x" :1}}`, `{"a":{"p":1},"l":{"x":1,"t":2}}`, `{"a":{"p":2},"l":{"x" :1,"t":2}} | merged`},
	{"lines of its own", "{\"a\":1,\"l\":{\n\t\t\"x\":1\n\t}}", "{\"a\":2,\"l\":{\n\t\t\"x\":1\n\t}}", `{"a":1,"l":{"x":1,"t":{"u":2}}}`, "{\"a\":2,\"l\":{\n\t\t\"x\":1,\n\t\t\"t\":{\n\t\t  \"u\":2\n\t\t}\n\t}} | merged"},
	{"orphans before what is new", "{\n  // k\n  a: 1,\n  // l\n  b: 2,\n  c: 3\n}", "{\n  // k\n  a: 1,\n  // l\n  b: 2,\n  c: 4\n}", "{\n  n: 5,\n  c: 3\n}", "{\n  n: 5,\n  // k\n  // l\n  c: 4\n} | merged"},
	{"a trailing comma", "{\n  a: 1,\n  x: 9,\n}", "{\n  a: 1,\n  x: 8,\n}", "{\n  a: 1,\n  x: 9,\n  n: 2\n}", "{\n  a: 1,\n  x: 8,\n  n: 2,\n} | merged"},
	{"a trailing comma of theirs", "{\n  a: 1,\n  x: 9\n}", "{\n  a: 1,\n  x: 8\n}", "{\n  a: 1,\n  x: 9,\n  n: 2,\n}", "{\n  a: 1,\n  x: 8,\n  n: 2\n} | merged"},
	// Elements that are one, and the messages about them.
	{"behind what theirs has put in front", `[{"id":"b","v":1}]`, `[{"id":"b","v":2}]`, `[{"id":"a","v":0},{"id":"b","v":3}]`, `[{"id":"a","v":0},{"id":"b","v":3}] | took theirs | /1/v changed theirs | by (root) identity id`},
	{"behind what the head has put in front", `[{"id":"b","v":1}]`, `[{"id":"a","v":0},{"id":"b","v":2}]`, `[{"id":"b","v":3}]`, `[{"id":"a","v":0},{"id":"b","v":3}] | merged | /1/v changed theirs | by (root) identity id | kept 1`},
	{"a base of another kind", `{"o":[1]}`, `{"o":{"a":1}}`, `{"o":{"b":2}}`, `{"o":{"a":1,"b":2}} | merged | kept 1`},
	{"kept inside an element", `{"l":[{"id":"a","o":{}}],"x":9}`, `{"l":[{"id":"a","o":{"h":1}}],"x":9}`, `{"l":[{"id":"a","o":{}}],"x":8}`, `{"l":[{"id":"a","o":{"h":1}}],"x":8} | merged | kept 1`},
	{"kept inside an element without an identity", `{"l":[{"t":"q","u":"r","o":{}}],"x":9}`, `{"l":[{"t":"q","u":"r","o":{"h":1}}],"x":9}`, `{"l":[{"t":"q","u":"r","o":{}}],"x":8}`, `{"l":[{"t":"q","u":"r","o":{"h":1}}],"x":8} | merged | kept 1`},
	{"a text whose beginning has changed", `[{"t":"alpha beta gamma delta","k":"1","m":"2"},["z"]]`, `[{"t":"alpha beta gamma delta","k":"7","m":"2"},["z"]]`, `[{"t":"omega beta gamma delta","k":"1","m":"9"},["z"]]`, `[{"t":"omega beta gamma delta","k":"7","m":"9"},["z"]] | merged | by (root) sequence`},
	{"members that come and go", `[{"a":"1","c":"2","e":"3"},["z"]]`, `[{"a":"1","c":"2","e":"4"},["z"]]`, `[{"a":"1","b":"5","c":"2"},["z"]]`, `[{"a":"1","c":"2","e":"4"},{"a":"1","b":"5","c":"2"},["z"]] | merged | /0 edited-twice both | by (root) sequence | kept 1`},
	{"both add one with a name, one says no more", `{"l":[]}`, `{"l":[{"name":"a","v":1}]}`, `{"l":[{"name":"a"}]}`, `{"l":[{"name":"a","v":1}]} | kept head | by /l identity name`},
	{"both add one with a name, the other says no more", `{"l":[]}`, `{"l":[{"name":"a"}]}`, `{"l":[{"name":"a","v":1}]}`, `{"l":[{"name":"a","v":1}]} | took theirs | by /l identity name`},
	{"both add one with a name and unlike contents", `{"l":[]}`, `{"l":[{"name":"a","v":1}]}`, `{"l":[{"name":"a","v":2}]}`, `{"l":[{"name":"a","v":1},{"name":"a","v":2}]} | merged | warning /l repeated-identity 1/2 | by /l/0 two-things | by /l identity name | kept 1`},
	{"a single element without an identity", `[[1,2,3]]`, `[[1,2,3],[4,5,6]]`, `[[1,2,3],[7,8,9]]`, `[[1,2,3],[4,5,6],[7,8,9]] | merged | by (root) sequence | kept 1`},
	{"elements that go from between others", `[["a"],["b"],["c"],["d"],["e"],["f"],["g"]]`, `[["a"],["b"],["c"],["d"],["e"],["f"],["g"],["h"]]`, `[["b"],["c"],["e"],["f"],["g"]]`, `[["b"],["c"],["e"],["f"],["g"],["h"]] | merged | by (root) sequence | kept 1`},
	{"elements that go and come", `[["a"],["b"],["c"],["d"],["e"],["f"],["g"]]`, `[["a"],["b"],["c"],["d"],["e"],["f"],["g"],["h"]]`, `[["t"],["a"],["c"],["u"],["d"],["e"],["g"]]`, `[["t"],["a"],["c"],["u"],["d"],["e"],["g"],["h"]] | merged | by (root) sequence | kept 1`},
	{"elements that go on both sides", `[["a"],["b"],["c"],["d"],["e"],["f"],["g"]]`, `[["a"],["c"],["d"],["e"],["g"]]`, `[["b"],["c"],["e"],["f"],["g"]]`, `[["c"],["e"],["g"]] | merged | by (root) sequence`},
	{"behind an element of which two are kept", `[{"t":"alpha","v":1,"w":1},{"t":"beta","v":1,"w":1}]`, `[{"t":"alpha","v":2,"w":1},{"t":"beta","v":2,"w":1}]`, `[{"t":"alpha","v":3,"w":1},{"t":"beta","v":3,"w":1}]`, `[{"t":"alpha","v":2,"w":1},{"t":"alpha","v":3,"w":1},{"t":"beta","v":2,"w":1},{"t":"beta","v":3,"w":1}] | merged | /0 edited-twice both | /2 edited-twice both | by (root) sequence | kept 2`},
	{"a pair of which one goes", `{"pos":[1,2],"x":9}`, `{"pos":[1,3],"x":9}`, `{"pos":[1],"x":9}`, `{"pos":[1,3],"x":9} | kept head | /pos/1 deleted head | by /pos sequence`},
	{"theirs empties what the head has added to", "{o: { // k\na: 1}, x: 9 /*y*/}", "{o: { // k\na: 1, b: 2}, x: 9 /*y*/}", "{o: {}, x: 9 /*y*/}", "{o: { // k\nb: 2}, x: 9 /*y*/} | merged | kept 1"},
	{"a comment before the elements that go", "[ // o\n'a', /*p*/ 'b', 'c' /*q*/]", "[ // o\n'a', /*p*/ 'b', 'c' /*q*/, 'h']", "[ // o\n'c' /*q*/]", "[ // o\n'c' /*q*/, 'h'] | merged | by (root) set | kept 1"},

	// Only both together show these.
	{"tokens renewed twice that end at the same time", `{"access":"a","refresh":"r","expires":1}`, `{"access":"b","refresh":"s","expires":2}`, `{"access":"c","refresh":"t","expires":2}`, `{"access":"c","refresh":"t","expires":2} | took theirs | (root) tokens-rotated theirs | by (root) tokens`},
	{"tokens of which the head has dropped one", `{"access":"a","refresh":"r"}`, `{"access":"b"}`, `{"access":"c","refresh":"t"}`, `{"access":"c","refresh":"t"} | took theirs | (root) tokens-rotated theirs | by (root) tokens`},
	{"the head logs out and leaves the time", `{"access":"a","refresh":"r","expires":1}`, `{"expires":1}`, `{"access":"b","refresh":"s","expires":2}`, `{"expires":1} | kept head | (root) deleted head | by (root) tokens`},
	{"the head logs out with null", `{"access":"a","refresh":"r"}`, `{"access":null,"refresh":null}`, `{"access":"b","refresh":"s"}`, `{"access":null,"refresh":null} | kept head | (root) deleted head | by (root) tokens`},
	{"theirs logs out with empty texts", `{"access":"a","refresh":"r","x":1}`, `{"access":"b","refresh":"s","x":1}`, `{"access":"","refresh":"","x":1}`, `{"access":"","refresh":"","x":1} | took theirs | (root) deleted theirs | by (root) tokens`},
	{"a login where a time was that the head has removed", `{"expires":7}`, `{}`, `{"refresh":"r","expires":7}`, `{"refresh":"r","expires":7} | took theirs | (root) tokens-rotated theirs | by (root) tokens`},
	{"numbers beside another kind of identity are drawn by nobody", `[{"id":1},{"id":"x"}]`, `[{"id":1},{"id":"x"},{"id":2,"a":1}]`, `[{"id":1},{"id":"x"},{"id":2,"b":1}]`, `[{"id":1},{"id":"x"},{"id":2,"a":1,"b":1}] | merged | by (root) identity id | kept 1`},
	{"a number goes and two come, another one comes", `{"p":[1,2]}`, `{"p":[1,2,3]}`, `{"p":[2,5,6]}`, `{"p":[2,3,5,6]} | merged | by /p sequence | kept 1`},
	{"the place of what is told is the head's where it is gone", `[{"id":"a"},{"id":"b","updatedAt":1700000000000},{"id":"c"}]`, `[{"id":"a"},{"id":"b","updatedAt":1700000001000},{"id":"c"}]`, `[{"id":"a"},{"id":"c"},{"id":"t"}]`, `[{"id":"a"},{"id":"c"},{"id":"t"}] | took theirs | by /1 untouched | by (root) identity id`},
	{"behind what the head has removed behind what both have added", `[{"id":"a"},{"id":"b"},{"id":"c"}]`, `[{"id":"a"},{"id":"s"},{"id":"c"}]`, `[{"id":"a"},{"id":"s"},{"id":"b"},{"id":"t"},{"id":"c"}]`, `[{"id":"a"},{"id":"s"},{"id":"t"},{"id":"c"}] | merged | by (root) identity id`},
	{"behind each of two that the head has removed", `[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}]`, `[{"id":"a"},{"id":"s"},{"id":"d"}]`, `[{"id":"a"},{"id":"s"},{"id":"b"},{"id":"t"},{"id":"c"},{"id":"u"},{"id":"d"}]`, `[{"id":"a"},{"id":"s"},{"id":"t"},{"id":"u"},{"id":"d"}] | merged | by (root) identity id`},
	{"a log holds an edit that the head has beside once more", `{"log":[{"a":1,"b":1,"c":"x"},{"z":1}]}`, `{"log":[{"a":1,"b":1,"c":"h"},{"a":1,"b":1,"c":"t"},{"z":1}]}`, `{"log":[{"a":1,"b":1,"c":"t"},{"z":1}]}`, `{"log":[{"a":1,"b":1,"c":"h"},{"a":1,"b":1,"c":"t"},{"a":1,"b":1,"c":"t"},{"z":1}]} | merged | /log/0 edited-twice both | by /log log | kept 2`},
	{"the comment behind an element of which two are kept", "[{r: 'u', t: 'hi'}, // k\n{r: 'b'}]", "[{r: 'u', t: 'hi!'}, // k\n{r: 'b'}]", "[{r: 'u', t: 'hi?'}, // k\n{r: 'b'}]", "[{r: 'u', t: 'hi!'}, // k\n{r: 'u',t: 'hi?'},\n{r: 'b'}] | merged | /0 edited-twice both | by (root) sequence | kept 1"},
	{"a comment that a carriage return ends", "{a: 1, /*k*/\rb: 2, x: 9}", "{a: 1, /*k*/\rb: 2, x: 8}", "{b: 2, x: 9}", "{b: 2, x: 8} | merged"},
	{"the head has only spelled the numbers anew", `{"a":0.7,"b":0.1,"c":0.3,"x":1}`, `{"a":0.69999999999999996,"b":0.10000000000000001,"c":0.29999999999999999,"x":1}`, `{"a":0.7,"b":0.1,"c":0.3,"x":2}`, `{"a":0.7,"b":0.1,"c":0.3,"x":2} | took theirs | warning (root) respelled 3/8`},
	{"one null of four is set, by a writer that leaves the others out", `{"a":null,"b":null,"c":null,"d":null,"x":1}`, `{"a":null,"b":null,"c":null,"d":null,"x":2}`, `{"a":5,"x":1}`, `{"a":5,"b":null,"c":null,"d":null,"x":2} | merged | warning (root) respelled 3/7`},
	{"nulls that a writer has left out of all there was", `{"o":{"a":null,"b":null,"c":null},"x":1}`, `{"o":{"a":null,"b":null,"c":null},"x":1,"h":1}`, `{"o":{},"x":2}`, `{"o":{"a":null,"b":null,"c":null},"x":2,"h":1} | merged | warning (root) respelled 3/7 | kept 1`},
}

func TestSmallMerges(t *testing.T) {
	for _, c := range slices.Concat(small, corners) {
		docs, err := parseAlike(c.base, c.head, c.theirs)
		if err != nil {
			t.Fatalf("%s: %v", c.rule, err)
		}
		res, err := merge.Merge(docs[0], docs[1], docs[2], nil)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		said := []string{string(res.Text), res.Outcome.String()}
		for _, one := range res.Conflicts {
			said = append(said, one.String())
		}
		for _, one := range res.Warnings {
			said = append(said, "warning "+one.String())
		}
		for _, one := range res.Applied {
			said = append(said, "by "+one.String())
		}
		if res.More != 0 {
			said = append(said, fmt.Sprint("and ", res.More))
		}
		if res.Kept > 0 {
			said = append(said, fmt.Sprint("kept ", res.Kept))
		}
		if got := strings.Join(said, " | "); got != c.want {
			t.Errorf("%s:\n%q\nwant\n%q", c.rule, got, c.want)
		}
	}
}

// parseAlike parses three versions in one grammar, the strictest one that they are all
// in. An empty base is none.
func parseAlike(texts ...string) (docs [3]*jsondoc.Doc, err error) {
	for _, grammar := range []jsondoc.Grammar{jsondoc.JSON, jsondoc.JSON5, jsondoc.Lines} {
		for i, text := range texts {
			if docs[i], err = jsondoc.Parse([]byte(text), grammar, jsondoc.Limits{}); err != nil && (i > 0 || text != "") {
				break
			}
			err = nil
		}
		if err == nil {
			break
		}
	}
	if texts[0] == "" {
		docs[0] = nil
	}
	return docs, err
}

// In a long list of things that nothing tells apart, each that both sides have edited gets
// both edits, also where one side has dropped some.
func TestLongListsOfEditedThings(t *testing.T) {
	const n = 24
	list := func(edit func(i int) (y, z int, there bool)) string {
		var things []string
		for i := range n {
			y, z, there := edit(i)
			if there {
				things = append(things, fmt.Sprintf(`{"t":"w%d x%d","s":[%d,%d,%d,%d,"q"],"y":%d,"z":%d}`, i, i*7, i, i*3, i*5, i*11, y, z))
			}
		}
		return "[" + strings.Join(things, ",") + "]"
	}
	parse := func(text string) *jsondoc.Doc {
		d, err := jsondoc.Parse([]byte(text), jsondoc.JSON, jsondoc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for name, dropped := range map[string]func(i int) bool{
		"none": func(int) bool { return false },
		"some": func(i int) bool { return i == 0 || i == 7 || i == 8 },
		"last": func(i int) bool { return i >= n-2 },
	} {
		base := list(func(i int) (int, int, bool) { return -1, -1, true })
		head := list(func(i int) (int, int, bool) { return i, -1, true })
		theirs := list(func(i int) (int, int, bool) { return -1, i, !dropped(i) })
		want := list(func(i int) (int, int, bool) { return i, i, !dropped(i) })
		if name != "none" { // an element that the head has edited stays where theirs has dropped it
			want = list(func(i int) (int, int, bool) {
				if dropped(i) {
					return i, -1, true
				}
				return i, i, true
			})
		}
		res, err := merge.Merge(parse(base), parse(head), parse(theirs), nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(res.Text) != want {
			t.Errorf("%s dropped: %s\nwant %s\nconflicts %v", name, res.Text, want, res.Conflicts)
		}
	}
}

// In a long list of strings with repetitions, which is lined up by those that occur once,
// a string that occurs often stays with its neighbour.
func TestLongListsOfRepeatedStrings(t *testing.T) {
	pairs := func(name string, n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint(name, i), "often")
		}
		return list
	}
	without := func(list []string, gone func(i int) bool) []string {
		var out []string
		for i, s := range list {
			if !gone(i) {
				out = append(out, s)
			}
		}
		return out
	}
	many, most := pairs("base", 100), pairs("base", 200)
	turned := append([]string{"often"}, most[:399]...)
	seldom := func(list []string, i int) []string {
		list = slices.Clone(list)
		list[i] = "seldom"
		return list
	}
	// everySecond replaces every second pair by a new string.
	everySecond := func(list []string) []string {
		var out []string
		for i := 0; i < len(list); i += 4 {
			out = append(out, list[i], list[i+1], fmt.Sprint("new", i))
		}
		return out
	}
	framed := slices.Concat(pairs("before", 75), many, pairs("behind", 75))
	for name, c := range map[string]struct{ base, head, theirs, want []string }{
		"theirs adds at both ends, the head drops a pair":               {many, without(many, func(i int) bool { return i == 100 || i == 101 }), framed, without(framed, func(i int) bool { return i == 250 || i == 251 })},
		"theirs replaces every second pair, the head one repetition":    {most, seldom(most, 101), everySecond(most), seldom(everySecond(most), 76)},
		"theirs replaces every second pair, and repetitions come first": {turned, seldom(turned, 100), everySecond(turned), seldom(everySecond(turned), 75)},
		"theirs drops all repetitions but one, the head the last pair": {most, most[:398],
			without(most, func(i int) bool { return i%2 == 1 && i != 21 }), without(most[:398], func(i int) bool { return i%2 == 1 && i != 21 })},
	} {
		doc := func(list []string) *jsondoc.Doc {
			text, err := json.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			return parse(string(text))
		}
		res, err := merge.Merge(doc(c.base), doc(c.head), doc(c.theirs), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := string(doc(c.want).Source()); string(res.Text) != want {
			t.Errorf("%s: %s\nwant %s", name, res.Text, want)
		}
	}
}
