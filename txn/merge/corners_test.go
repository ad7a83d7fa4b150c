package merge_test

// corners are further small merges. Each fails without some branch that the others do without.
var corners = []struct{ rule, base, head, theirs, want string }{
	// Two elements that both sides add under one guessed identity are one thing if nothing in
	// them contradicts.
	{"one key, an object that holds less", ``, `[{"key":"q","set":{"a":1}}]`, `[{"key":"q","set":{}}]`, `[{"key":"q","set":{"a":1}}] | kept head | by (root) identity key`},
	{"one key, a list and more", ``, `[{"key":"q","l":["a"]}]`, `[{"key":"q","l":["a"],"n":1}]`, `[{"key":"q","l":["a"],"n":1}] | took theirs | by (root) identity key`},
	{"one key, a list and a text", ``, `[{"key":"q","l":["a"]}]`, `[{"key":"q","l":"a"}]`, `[{"key":"q","l":["a"]},{"key":"q","l":"a"}] | merged | warning (root) repeated-identity 1/2 | by /0 two-things | by (root) identity key | kept 1`},
	{"one key, one point", ``, `[{"key":"q","at":[1,2],"h":1}]`, `[{"key":"q","at":[1,2],"t":1}]`, `[{"key":"q","at":[1,2],"h":1,"t":1}] | merged | by (root) identity key | kept 1`},
	{"one key, a command line and another", ``, `[{"key":"q","args":["a"]}]`, `[{"key":"q","args":["b"]}]`, `[{"key":"q","args":["a"]},{"key":"q","args":["b"]}] | merged | warning (root) repeated-identity 1/2 | by /0 two-things | by (root) identity key | kept 1`},
	{"one key, a time and a later one", ``, `[{"key":"q","updatedAt":1700000000000}]`, `[{"key":"q","updatedAt":1700000001000}]`, `[{"key":"q","updatedAt":1700000001000}] | took theirs | by /0/updatedAt later | by (root) identity key`},
	{"one key, another value within an object", ``, `[{"key":"q","o":{"a":1}}]`, `[{"key":"q","o":{"a":2}}]`, `[{"key":"q","o":{"a":1}},{"key":"q","o":{"a":2}}] | merged | warning (root) repeated-identity 1/2 | by /0 two-things | by (root) identity key | kept 1`},
	{"one pattern, two things", `[]`, `[{"pattern":"p","x":1}]`, `[{"pattern":"p","x":2}]`, `[{"pattern":"p","x":1},{"pattern":"p","x":2}] | merged | warning (root) repeated-identity 1/2 | by /0 two-things | by (root) identity pattern | kept 1`},
	{"one path, two things", `[]`, `[{"path":"p","x":1}]`, `[{"path":"p","x":2}]`, `[{"path":"p","x":1},{"path":"p","x":2}] | merged | warning (root) repeated-identity 1/2 | by /0 two-things | by (root) identity path | kept 1`},
	{"a number as a name is drawn", `[]`, `[{"name":1,"x":"h"}]`, `[{"name":1,"x":"t"}]`, `[{"name":1,"x":"t"}] | took theirs | /0 same-number theirs | by (root) identity name`},
	{"a number below the others is drawn by nobody", `[{"id":5}]`, `[{"id":5},{"id":2,"h":1}]`, `[{"id":5},{"id":2,"t":1}]`, `[{"id":5},{"id":2,"h":1,"t":1}] | merged | by (root) identity id | kept 1`},
	{"one number in jobs", `{"jobs":[]}`, `{"jobs":[{"id":1}]}`, `{"jobs":[{"id":1,"x":1}]}`, `{"jobs":[{"id":1},{"id":1,"x":1}]} | merged | by /jobs/0 two-things | by /jobs identity id | kept 1`},
	{"an element without the identity", `[{"id":4}]`, `[{"id":2},{"id":3},{}]`, `[{"id":5}]`, `[{"id":2},{"id":3},{},{"id":5}] | merged | /3 deleted theirs | by (root) sequence | kept 3`},

	// Times and counters.
	{"a time and a small number", `{}`, `{"updatedAt":1700000000001}`, `{"updatedAt":4}`, `{"updatedAt":1700000000001} | kept head | by /updatedAt later`},
	{"a number that is too large for a time", `{}`, `{"updatedAt":12345678901234567890}`, `{"updatedAt":1700000000000}`, `{"updatedAt":12345678901234567890} | kept head | by /updatedAt later`},
	{"a text that is too short for a time", `{"updatedAt":""}`, `{"updatedAt":"2026-01-03T00:00:00Z"}`, `{"updatedAt":"x"}`, `{"updatedAt":"x"} | took theirs | /updatedAt changed theirs`},
	{"a time and a list, added by both", `{}`, `{"updatedAt":[]}`, `{"updatedAt":5}`, `{"updatedAt":5} | took theirs | /updatedAt added theirs`},
	{"no letter follows At", `{"At{":1}`, `{"At{":1700000000000}`, `{"At{":1700000001000}`, `{"At{":1700000001000} | took theirs | by /At{ later`},
	{"who touched it last", `{"lastTouchedBy":"a"}`, `{"lastTouchedBy":"b"}`, `{"lastTouchedBy":"c"}`, `{"lastTouchedBy":"c"} | took theirs | by /lastTouchedBy later`},
	{"theirs replaces an object of which the head has only counted", `{"o":{"rev":1}}`, `{"o":{"rev":2}}`, `{"o":[]}`, `{"o":[]} | took theirs`},
	{"the head replaces an object of which theirs has only told the time", `{"o":{"updatedAt":1700000000000}}`, `{"o":[]}`, `{"o":{"updatedAt":1700000001000}}`, `{"o":[]} | kept head`},

	// The same value, spelled otherwise.
	{"a writer that makes lists of empty objects, and the head", `{}`, `[]`, "{}\n", "{}\n | took theirs | warning (root) respelled 1/2"},
	{"null for a number that is too large", `[1e400]`, `[]`, `[null]`, `[] | kept head | warning (root) respelled 1/2`},
	{"two fractions change places, of which one rounds to the other", `[0.10000000000000001,0.1]`, `[]`, `[0.1,0.10000000000000001]`, `[0.10000000000000001] | merged | /0 deleted theirs | by (root) sequence`},
	{"a fraction is rounded within a list", `[[0.10000000000000001]]`, `[]`, `[[0.1],0.10000000000000001]`, `[0.10000000000000001] | merged | by (root) sequence`},
	{"a large number and the rounded one, added by both", ``, `[9007199254740993]`, `[9007199254740992]`, `[9007199254740993,9007199254740992] | merged | by (root) sequence | kept 1`},
	{"a line that was a number which is too large", `1e400`, ``, "\"w\"\nnull", `"w" | merged | by (root) log`},
	{"the order of members only", `{"a":{"x":1,"y":2},"n":1}`, `{"a":{"y":2,"x":1},"n":1}`, `{"n":1}`, `{"n":1} | took theirs`},
	{"an element whose members have changed places", `[1,{"id":"q","n":1}]`, `[{"n":1,"id":"q"}]`, `[]`, `[] | took theirs`},
	{"only blanks are other ones", `{}`, "{\r\n}", "{\n  \"a\": 1\n}", "{\n  \"a\": 1\n} | took theirs"},

	// Lists without identities.
	{"theirs exchanges two, the head the first one", `[0,4,4]`, `[0,4,"z"]`, `[4,0,4]`, `[4,0,"z"] | merged | by (root) positions`},
	{"lines change places in a log", "4\n1", "1\n1", "1\n4", "1\n1 | merged | by (root) log | by (root) moved"},
	{"one line goes and two come before and behind it", `2`, ``, "1\n3\n2\n1", "1\n3\n1 | merged | by (root) log"},
	{"one of three goes, another moves", `[4,4,5]`, `[4,5]`, `[1,4,5,4]`, `[1,4,5] | merged | by (root) sequence`},
	{"one that the head has put in the place of two", `["r",{}]`, `[1]`, `[{},{}]`, `[{},1] | merged | by (root) sequence | kept 1`},
	{"theirs edits the second of those that the head has replaced", `["x","p",1]`, `[null]`, `["x",1,1]`, `[null,1] | merged | /1 deleted theirs | by (root) sequence | kept 1`},
	{"theirs moves what the head has edited", `[1,[],["x"]]`, `[1,[],"v"]`, `[1,["x"],1]`, `[1,"v",1] | merged | by (root) sequence | kept 1`},
	{"both add one behind what the head has removed and theirs edited", `[{"t":"x"}]`, `[1,1]`, `[{"t":"x","m":1},1]`, `[{"t":"x","m":1},1,1] | merged | /0 deleted theirs | by (root) equal-once | by (root) sequence | kept 1`},
	{"both add one in front, the head another one", `[1]`, `[2,[]]`, `[2,1,1]`, `[2,1,[]] | merged | by (root) equal-once | by (root) sequence | kept 1`},
	{"a member that theirs leaves out and the head changes, and one more", `[{"l":1,"id":1}]`, `[{"l":"x","id":1},"w"]`, `[{"id":1}]`, `[{"l":"x","id":1},{"id":1},"w"] | merged | /0 edited-twice both | by (root) sequence | kept 2`},
	{"both change one of four words", `[["a","b","c","d"],["z"]]`, `[["a","b","h","d"],["z"]]`, `[["a","b",1,"d"],["z"]]`, `[["a","b","h","d"],["a","b",1,"d"],["z"]] | merged | /0 edited-twice both | by (root) sequence | kept 1`},
	{"both change what was a time", `[{"updatedAt":"x"}]`, `[{"updatedAt":1}]`, `[{"updatedAt":""}]`, `[{"updatedAt":1},{"updatedAt":""}] | merged | /0 edited-twice both | by (root) sequence | kept 1`},
	{"the empty text is one of a set", `[]`, `["w"]`, `[""]`, `["w",""] | merged | by (root) set | kept 1`},
	{"an identity that is repeated within an edited element", `[[{"id":4}]]`, `[[{"id":3}]]`, `[[{"id":3},{"id":3},{"id":5}]]`, `[[{"id":3},{"id":3},{"id":5}]] | took theirs | warning /0 repeated-identity 1/1 | by /0 equal-once | by /0 sequence | by (root) sequence`},
	{"an object that the head has removed and theirs emptied", `[{"r":{"access":"z"}}]`, `[]`, `["x",{"r":{}}]`, `["x",{"r":{}}] | took theirs`},

	// All of the head is kept where theirs is the base.
	{"in front of a line of a text", `{"text":["y"],"n":1}`, `{"text":["x","y"],"n":1}`, `{"text":["y"],"n":2}`, `{"text":["x","y"],"n":2} | merged | kept 1`},
	{"a member that has another name", `{"o":{"a":false},"n":1}`, `{"o":{"b":false},"n":1}`, `{"o":{"a":false},"n":2}`, `{"o":{"b":false},"n":2} | merged | kept 1`},
	{"in an object within a list", `{"l":[[1,{"x":1}]],"n":1}`, `{"l":[[1,{"x":1,"h":1}]],"n":1}`, `{"l":[[1,{"x":1}]],"n":2}`, `{"l":[[1,{"x":1,"h":1}]],"n":2} | merged | kept 1`},
	{"another scalar in its place", `[["a",0.5]]`, `[["b",0.5]]`, `[["a",0.5],1]`, `[["b",0.5],1] | merged | by (root) sequence`},
	{"another element in its place in a log", `{"log":[1,{"id":2}]}`, `{"log":[1,{"id":1}]}`, `{"log":[1,{"id":2}],"path":1}`, `{"log":[1,{"id":1}],"path":1} | merged | kept 1`},

	// Comments.
	{"behind the bracket of what was empty", ``, `{}`, "{ // t\n\"a\":1}", "{ // t\n  \"a\":1\n} | merged"},
	{"in what stays empty", `{}`, "{}\n", "{ // t\n}", "{ // t\n}\n | merged"},
	{"before an element that the head has removed", `[1,"y"]`, `[]`, `[1,/*t*/ "y"]`, `[] | kept head | /1 comment head`},
	{"within an element that the head has removed", `[[false]]`, `[]`, "[[false // t\n]]", "[[false // t\n  ]] | merged | /0 deleted theirs | by (root) sequence"},
	{"of the head within an element that theirs empties", `[["x"]]`, "[[\"x\" // h\n]]", `[[]]`, `[[]] | took theirs | /0/0 comment theirs | by (root) sequence`},
	{"the base's before an element of which two are kept", `[/*b*/ {"m":"u"}]`, `[{"m":1}]`, `[/*b*/ {"m":"z"}]`, `[{"m":1},{"m":"z"}] | merged | /0 edited-twice both | by (root) sequence | kept 1`},
	{"the head's before what goes, theirs' before what comes", `["x"]`, `[/*h*/ "x",{}]`, `[/*t*/ {}]`, `[/*h*//*t*/ {}] | merged | by (root) equal-once | by /0 comment | by (root) sequence`},
	{"behind a list that both have added", ``, `{"auths":[1]}`, "{\"auths\":[1], // t\n\"l\":-1}", "{\"auths\":[1], // t\n\"l\":-1} | took theirs | by /auths sequence | by /auths comment"},
	{"before a conflict behind a list that both have added", ``, `{"o":[],"name":1}`, `{"o":[],"j": /*t*/ 2,"name":[]}`, `{"o":[],"j": /*t*/ 2,"name":[]} | took theirs | /name added theirs`},
	{"beside one of two equal elements that both have added", `[]`, `["v","v"]`, `["v",/*t*/ "v"]`, `["v",/*t*/ "v"] | took theirs | by /1 comment | by (root) sequence`},
	{"in what the head has changed and theirs replaces", `{"o":{"a":1}}`, "{\"o\":{\"a\":1 // h\n}}", `{"o":false}`, `{"o":false} | took theirs | /o comment theirs`},
	{"in what theirs has changed and the head replaces", `{"u":{}}`, `{"u":true}`, "{\"u\":{ // t\n}}", `{"u":true} | kept head | /u comment head`},
	{"in a root of another kind", `{}`, `[1]`, "{\"j\":\"x\" // t\n}", "{\"j\":\"x\" // t\n} | took theirs | (root) type-changed theirs"},
	{"in a command line that both have added", `{}`, "{\"args\":[ // h\n]}", `{"x":"s","args":[]}`, "{\"x\":\"s\",\"args\":[ // h\n]} | merged"},
	{"that a writer has only moved with its member", "{\"key\":true, // b\n\"id\":0.7}", `[]`, "{\"id\":0.7,\"key\":true // b\n}", `[] | kept head`},
	{"that the head has moved out of what theirs removes", "{\"l\":{ // b\n}}", "{\"l\":{} // h\n}", `{}`, `{} | took theirs | /l comment theirs`},
	{"that theirs has lost in what the head removes", "[[ // b\n]]", `[]`, `[[],/*t*/ "x"]`, `[/*t*/ "x"] | merged | by (root) sequence`},
	{"that the head has lost in what theirs removes", "[/*a*/ 1,{\"id\":2 // b\n}]", `[/*a*/ 1,{"id":2}]`, `[]`, `[/*a*/{"id":2}] | merged | /0 deleted head | by (root) sequence | kept 1`},
	{"deep within what is added", ``, `[]`, "[{\"t\":{\"a\":null // t\n}}]", "[{\"t\":{\"a\":null // t\n    }}] | merged"},
	{"behind a string, before the comment of the next one", `[]`, `["s",/*h*/ "p"]`, "[\"s\" // t\n]", "[\"s\", // t\n/*h*/ \"p\"] | merged | by /0 comment | by (root) set | kept 1"},
	{"indented otherwise", "{a: 1, /* one\n   two */ x: 9}", "{a: 1, /* one\n   two */ x: 8}", "{a: 2, /* one\n two */ x: 9}", "{a: 2, /* one\n   two */ x: 8} | merged"},
	{"at the end of what both have added", "{a: 1, // k\n}", "{a: 1, // k\nb: 2, // h\n}", "{a: 1, // k\nc: 3, // t\n}", "{a: 1, // k\nb: 2, // h\nc: 3, // t\n} | merged | kept 1"},
	{"in an object that is emptied, by a writer without comments", "{o: {// one\na: 1}, x: 9}", "{o: {// one\na: 1}, x: 8}", `{o: {}, x: 9}`, "{o: {// one\n}, x: 8} | merged"},

	// Layouts.
	{"a string that goes on in the next line", "{\n  a: 1,\n  x: 9\n}", "{\n  a: 1,\n  x: 8\n}", "{\n  a: 1,\n  x: 9,\n  o: {\n      b: \"x\\\n         y\"\n  }\n}", "{\n  a: 1,\n  x: 8,\n  o: {\n    b: \"x\\\n         y\"\n  }\n} | merged"},
	{"line breaks of an empty head", `{"o":{}}`, "{\r\n}", "{\n  \"o\": {\"a\": 1},\n  \"b\": {\n    \"c\": 1\n  }\n}", "{\r\n  \"o\": {\"a\": 1},\r\n  \"b\": {\r\n    \"c\": 1\r\n  }\r\n} | merged | /o deleted theirs"},
	{"blanks within the first line", `{"id":1}`, "{\"id\": 1}\n1", `{"id":1,"rev":1}`, "{\"id\": 1,\"rev\": 1}\n1 | merged | by (root) log | kept 1"},
	{"only the first line tells the style", `[]`, "1\n{\"id\": 7}\n[]", `[{"name":"p"}]`, "1\n{\"id\": 7}\n[{\"name\":\"p\"}] | merged | by (root) log | kept 2"},

	// Logins and deletions.
	{"null among the logins", `{"auths":null}`, `{"auths":1}`, `{}`, `{"auths":1} | kept head | /auths deleted head`},
	{"a token alone that is no text any more", `{"token":"z"}`, `{"token":false}`, `{}`, `{} | took theirs | /token deleted theirs | by /token credential`},
	{"an element within a credential", `{"auths":[{"u":1}]}`, `{"auths":[]}`, `{"auths":[{"u":2}]}`, `{"auths":[]} | kept head | /auths/0 deleted head | by /auths/0 credential | by /auths sequence`},
	{"what stood where the head has put a login", `{"a":1}`, `{"refresh":"1"}`, `{"a":2}`, `{"refresh":"1"} | kept head | /a deleted head | by /a credential`},

	// One line, or two.
	{"a line with a member more", ``, `{"key":0}`, `{"key":1,"name":3}`, `{"key":1,"name":3} | took theirs | /key added theirs`},
	{"a line whose identity is none", ``, `{"key":{}}`, `{"key":2}`, `{"key":2} | took theirs | /key added theirs`},
	{"a line whose identity is none any more", ``, `{"path":0.5}`, `{"path":[]}`, `{"path":[]} | took theirs | /path added theirs`},

	// Alike or not.
	{"one member, of another name", `[{"id":1}]`, `[{"key":1}]`, `[]`, `[{"key":1}] | kept head`},
	{"half of an object that stands elsewhere", `[1,{"id":null,"key":"s"}]`, `[{"key":"s"},{}]`, `[]`, `[{"key":"s"},{}] | kept head`},
	{"one of two members is new, the other one changed", `[{"token":1}]`, `[{"token":false,"key":"s"}]`, `[]`, `[{"token":false,"key":"s"}] | kept head`},
	{"a member of two is the same object", `[{"key":{"t":"1"},"id":3}]`, `[{"key":{"t":"1"}}]`, `[]`, `[{"key":{"t":"1"}}] | kept head | /0 deleted head | by (root) sequence`},
	{"half of an object within", `[{"b":{"args":0,"key":0.7},"name":"s"}]`, `[{"b":{"key":0.7},"at":5,"name":"s"}]`, `[1]`, `[1,{"b":{"key":0.7},"at":5,"name":"s"}] | merged | /1 deleted head | by (root) sequence | kept 1`},
	{"another identity and none", `[{"jobs":3,"id":3}]`, `[{"jobs":3}]`, `[{"jobs":3,"id":4}]`, `[{"jobs":3},{"jobs":3,"id":4}] | merged | /0 edited-twice both | by (root) sequence | kept 1`},
	{"a list and an object", `[[]]`, `[]`, `[{"name":"q"}]`, `[{"name":"q"}] | took theirs`},
	{"two of one number, of which one comes first", `[2,4]`, `[]`, `[4,2,2]`, `[2] | merged | by (root) sequence`},
	{"a line that the head has put in front, and theirs the last first", "\"u\"\n\"x\"", "\"h\"\n\"u\"\n\"x\"", "\"x\"\n\"u\"", "\"h\"\n\"x\"\n\"u\" | merged | by (root) log | by (root) moved | kept 1"},
	{"strings of which one becomes a number", `["s","v"]`, `[4,"v"]`, `["s","q"]`, `[4,"q"] | merged | by (root) positions`},

	// Numbers that are one value.
	{"a pair for nothing, and another thing", `[]`, `[2,6]`, `[5,{}]`, `[2,6,5,{}] | merged | by (root) sequence | kept 2`},
	{"three in another order, and two", `[0,6,1]`, `[6,0,1]`, `[5,6]`, `[5,6] | took theirs | (root) changed theirs | by (root) tuple`},
	{"a pair that goes and is set", `[1,[0,0]]`, `[[0,0]]`, `["x",[0,3]]`, `["x",[0,3]] | took theirs | /0 deleted theirs | by (root) sequence`},
	{"a pair with a comment", `{"text":[2,6]}`, `{"text":[2,6],"b":"y"}`, "{\"text\":[2, // t\n6]}", "{\"text\":[2, // t\n  6],\"b\":\"y\"} | merged | kept 1"},

	// Values that are the same, and their places.
	{"types of both, and of nothing", `{}`, `{"key":1}`, `[5]`, `[5] | took theirs | (root) type-changed theirs`},
	{"empty lists as objects, in another order", `{"updatedAt":[],"o":[]}`, `{}`, `{"o":{},"updatedAt":{}}`, `{} | kept head | warning (root) respelled 2/3`},
	{"a number within an object within a list", `[[{"m":[[0.7],[0.7,false]]}],1]`, `[]`, `[[{"m":[[0.7],[0.69999999999999996,false]]}]]`, `[] | kept head | warning (root) respelled 1/4`},
	{"an object that is the same in both", ``, `[{"jobs":{"l":0.1},"name":"s"}]`, `[{"jobs":{"l":0.1},"name":"s","messages":1}]`, `[{"jobs":{"l":0.1},"name":"s","messages":1}] | took theirs | by (root) identity name`},
	{"an element that is the base's, of lists that both have changed", "[\n  [\n    {\n      \"id\": 3\n    }\n  ],\n  1\n]", `[[],1]`, `[[{"id":3}]]`, `[[]] | merged | by (root) sequence`},
	{"a comment within the head, and a removal", "[[2 // b1\n]]", "[2 // b1\n]", `[1,[2]]`, "[1,2 // b1\n] | merged | by (root) sequence | kept 1"},
	{"what stands behind the second element is no style", `[]`, `["x", "z", {"key": "p"}]`, `[{"b":null}]`, `["x", "z", {"key": "p"}, {"b":null}] | merged | by (root) sequence | kept 3`},

	// PHP makes lists of objects with the keys 0, 1, …
	{"an object that has become a list", `{"l":{"0":"a","1":"b"},"e":{},"n":1}`, `{"l":{"0":"a","1":"b"},"e":{},"n":1,"h":1}`, `{"l":["a","b"],"e":[],"n":2}`, `{"l":{"0":"a","1":"b"},"e":{},"n":2,"h":1} | merged | warning (root) respelled 2/9 | kept 1`},
	{"an object that has become a list, with one more", `{"l":{"0":"a","1":"b"},"e":{},"n":1}`, `{"l":{"0":"a","1":"h"},"e":{},"n":1}`, `{"l":["a","b","t"],"e":[],"n":1}`, `{"l":{"0":"a","1":"h","2":"t"},"e":{},"n":1} | merged | warning (root) respelled 2/9`},
	{"members that are null, between others", `{"a":1,"n1":null,"n2":null,"b":1,"n3":null,"c":1}`, `{"a":1,"n1":null,"n2":null,"b":1,"n3":null,"c":2}`, `{"a":3,"b":1,"c":1}`, `{"a":3,"n1":null,"n2":null,"b":1,"n3":null,"c":2} | merged | warning (root) respelled 3/9`},

	// Beside each other.
	{"an edit that the head has beside, before another one", `[{"a":1,"b":1,"c":"x"},{"z":1}]`, `[{"a":1,"b":1,"c":"h"},{"a":1,"b":1,"c":"t"},{"q":1},{"z":1}]`, `[{"a":1,"b":1,"c":"t"},{"z":1}]`, `[{"a":1,"b":1,"c":"h"},{"a":1,"b":1,"c":"t"},{"q":1},{"z":1}] | kept head | /0 edited-twice both | by (root) sequence`},
	{"an edit that the head has in front", `[{"z":1},{"a":1,"b":1,"c":"x"}]`, `[{"z":1},{"q":1},{"a":1,"b":1,"c":"t"},{"a":1,"b":1,"c":"h"}]`, `[{"z":1},{"a":1,"b":1,"c":"t"}]`, `[{"z":1},{"q":1},{"a":1,"b":1,"c":"t"},{"a":1,"b":1,"c":"h"}] | kept head | by (root) sequence`},
	{"an edit that the head has beside, of another case", `[{"a":1,"b":1,"c":"x"},{"z":1}]`, `[{"a":1,"b":1,"c":"h"},{"a":1,"b":1,"c":"T"},{"q":1},{"z":1}]`, `[{"a":1,"b":1,"c":"t"},{"z":1}]`, `[{"a":1,"b":1,"c":"h"},{"a":1,"b":1,"c":"t"},{"a":1,"b":1,"c":"T"},{"q":1},{"z":1}] | merged | /0 edited-twice both | by (root) sequence | kept 3`},

	// Numbers of JSON5.
	{"an identity in another spelling", `[{id: 0x1, a: 1}, {id: 2}]`, `[{id: 0x1, a: 1, h: 1}, {id: 2}]`, `[{id: 1, a: 2}, {id: 2}]`, `[{id: 0x1, a: 2, h: 1}, {id: 2}] | merged | by (root) identity id | kept 1`},
	{"an identity that is no number", `[{id: NaN, a: 1}]`, `[{id: NaN, a: 2}]`, `[{id: NaN, a: 1}, {id: Infinity}]`, `[{id: NaN, a: 2}, {id: Infinity}] | merged | by (root) sequence`},
	{"a time that is none", `{updatedAt: NaN}`, `{updatedAt: 1700000000000}`, `{updatedAt: NaN, x: 1}`, `{updatedAt: 1700000000000,x: 1} | merged`},
	{"a counter with a hexadecimal number", `{rev: 0x1}`, `{rev: 2}`, `{rev: 3}`, `{rev: 3} | took theirs | /rev changed theirs`},

	// Indentation.
	{"another one for the second member", "{\n    \"a\": 1,\n  \"b\": 2,\n  \"x\": 9\n}", "{\n    \"a\": 1,\n  \"b\": 2,\n  \"x\": 8\n}", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 1\n  },\n  \"x\": 9\n}", "{\n    \"a\": 1,\n  \"b\": {\n      \"c\": 1\n  },\n  \"x\": 8\n} | merged"},
	{"within one line of a document of lines", "{\n  a: {b: 1},\n  x: 9\n}", "{\n  a: {b: 1},\n  x: 8\n}", "{\n  a: {b: {c: 1 // t\n}},\n  x: 9\n}", "{\n  a: {b: {c: 1 // t\n  }},\n  x: 8\n} | merged"},
	{"tabs before the brace", "\t{\n\t\t\"a\": 1,\n\t\t\"x\": 9\n\t}", "\t{\n\t\t\"a\": 1,\n\t\t\"x\": 8\n\t}", `{"a":1,"x":9,"b":{"c":1}}`, "\t{\n\t\t\"a\": 1,\n\t\t\"x\": 8,\n\t\t\"b\": {\n\t\t\t\"c\": 1\n\t\t}\n\t} | merged"},
	{"blanks before the brace", "  {\n    \"a\": 1,\n    \"x\": 9\n  }", "  {\n    \"a\": 1,\n    \"x\": 8\n  }", `{"a":1,"x":9,"b":{"c":1}}`, "  {\n    \"a\": 1,\n    \"x\": 8,\n    \"b\": {\n      \"c\": 1\n    }\n  } | merged"},
	{"the first comma tells how others are written", `{"a":[1, 2], "b":[1,2], "x":9}`, `{"a":[1, 2], "b":[1,2], "x":8}`, `{"a":[1,2],"b":[1,2],"x":9,"c":[["d",1],2]}`, `{"a":[1, 2], "b":[1,2], "x":8, "c":[["d", 1], 2]} | merged`},

	// Orders.
	{"theirs moves, the head drops one and adds one", `["a","b","c","d"]`, `["a","c","h","d"]`, `["d","a","b","c"]`, `["d","a","c","h"] | merged | by (root) set | by (root) moved | kept 1`},
	{"both drop, in different places", `["a","b","c","d","e"]`, `["a","c","d","e"]`, `["a","b","c","t","e"]`, `["a","c","t","e"] | merged | by (root) set`},
	{"a log of words that is edited", `{"log":["a","b"]}`, `{"log":["a","b","c"]}`, `{"log":["a","x","c"]}`, `{"log":["a","x","c"]} | took theirs | by /log set`},
	{"an edit that the head has made of another one, which theirs has removed", `[{"a":1,"b":1,"c":1,"e":"x","rev":2},{"a":1,"b":1,"c":1,"e":"t","rev":1},{"z":1}]`, `[{"a":1,"b":1,"c":1,"e":"h","rev":2},{"a":1,"b":1,"c":1,"e":"t","rev":2},{"w":1},{"z":1}]`, `[{"a":1,"b":1,"c":1,"e":"t","rev":2},{"z":1}]`, `[{"a":1,"b":1,"c":1,"e":"h","rev":2},{"a":1,"b":1,"c":1,"e":"t","rev":2},{"w":1},{"z":1}] | merged | /0 edited-twice both | by /1 untouched | by (root) sequence | kept 2`},
}
