// Package view is a local web page on the state that clawfs keeps: the registries, their
// changes with writers and times, and the writes that were refused.
//
// # What always holds
//
//   - Nothing is answered but to a browser that has brought the token, which a file of mode
//     0600 and the terminal have and which works once; from then on it has a cookie. So another user
//     of the machine gets nothing.
//   - The host is a name below localhost that nobody can guess. A cookie is sent to all ports of a
//     host: other servers on this machine never get ours. It also keeps away other sites' names
//     for the loopback (DNS rebinding). A request that changes anything must come from our own
//     page.
//   - The page shows the content that the user of the process may read, and no more.
//   - Values of documents are text in the page, never markup. None is in an address, a title, a
//     header or a log; credentials are masked until they are asked for.
//   - The page runs no script and loads no style but its own two files, and is framed by nobody.
//   - An answer is bounded, however long a history and however large a document is; the rest
//     comes when it is asked for.
//   - How many connections are held is bounded. A client that has not brought the token holds
//     none for long.
//   - No descriptor of a directory outlives the request that has opened it: the page keeps no
//     mount busy.
//
// # The parts
//
//	server.go     the addresses; from the first request to the end
//	door.go       … token, cookie, and the file that leads to them
//	guard.go      … the checks of every request, and the headers of every answer
//	sources.go    the sources of its facts
//	pages.go      templates, and how errors are told; words.go: words and signs
//	state.go      mounts and their work, registries as a list; plot.go: over time
//	index.go      the registries of a directory
//	live.go       changes, as server-sent events
//	history.go    a registry's versions; version.go: one of them; explain.go: how it came about
//	diff.go       two versions side by side
//	quarantine.go refused copies; repair.go: an editor for them
//	plan.go       deeds, shown first; then done
//	code.go       parts of texts; mask.go: without their credentials
//
// templates and static hold the page itself. Script adds the one thing that a page can't do
// without it: live.js puts the newest state in place of the one on the page. Everything else works
// without.
package view
