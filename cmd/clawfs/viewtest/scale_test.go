package viewtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// The page must keep to these limits with any content. The times are those of a machine that
// does nothing else; a busy one has several times as much.
const (
	firstContent = 1000 // ms until something is to be seen
	longestTask  = 100  // ms that the page may not react
	mostMemory   = 100  // MB of clawfs view
	busy         = 5    // times as long it may take in a test
	late         = 20   // MB more where garbage is collected late, as on a busy machine
)

// scale is how many registries, and versions of one, the test has.
func scale(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("CLAWFS_SCALE"))
	if err != nil {
		return 1000
	}
	t.Logf("%d registries and versions", n)
	return n
}

func TestLargeDirectoriesHistoriesAndDocuments(t *testing.T) {
	n := scale(t)
	dir := newMount(t, "--durability", "interval", "--keep-versions", strconv.Itoa(n), "--keep-size", "1GiB")
	sh(t, dir, fmt.Sprintf(`python3 -c '
import json, os
n = %d
for i in range(n):
    if i %% 100 == 0:
        os.mkdir("d%%03d" %% (i // 100))
    with open("d%%03d/r%%05d.json" %% (i // 100, i), "w") as f:
        f.write("[%%d]" %% i)
for i in range(n):
    with open("many.json", "w") as f:
        f.write(json.dumps({"n": i}))
large = [{"id": "entry%%06d" %% i, "text": "x" * 60, "list": [i, i + 1]} for i in range(100000)]
for change in (1, 2, 3):
    for i in range(0, 100000, 1000):
        large[i]["changed"] = change
    with open("large.json", "w") as f:
        json.dump(large, f)
'`, n))
	info, err := os.Stat(filepath.Join(dir, "large.json"))
	if err != nil || info.Size() < 10e6 {
		t.Fatalf("%v, %v", info, err)
	}
	s := serve(t, dir)
	b := s.enter(t)
	for _, page := range []string{"/", b.at("/registries", "", "sort", "name"), b.at("/registries", "", "q", "r00042"), b.at("/history", "many.json"), b.at("/history", "many.json", "page", "3"),
		b.at("/history", "large.json"), b.at("/version", "large.json"), b.at("/version", "large.json", "as", "spread"), b.at("/diff", "large.json", "a", "1", "b", "3"),
		b.at("/diff", "large.json", "a", "1", "b", "3", "as", "text")} {
		b.open(page)
		b.await("document.readyState == 'complete' && performance.getEntriesByName('first-contentful-paint').length > 0")
		first := eval[float64](b, "performance.getEntriesByName('first-contentful-paint')[0].startTime")
		task := eval[float64](b, `new Promise((found) => {
			new PerformanceObserver((l) => found(Math.max(...l.getEntries().map((e) => e.duration)))).observe({type: "longtask", buffered: true});
			setTimeout(() => found(0), 200); })`)
		size := eval[float64](b, "performance.getEntriesByType('navigation')[0].decodedBodySize")
		t.Logf("%4.0f ms until something is seen, %3.0f ms the longest task, %4.0f kB, %3d MB at most: %s", first, task, size/1000, s.memory(t), page[:min(len(page), 60)])
		if first > busy*firstContent {
			t.Errorf("%s shows nothing for %v ms", page, first)
		}
		if task > busy*longestTask {
			t.Errorf("%s does not react for %v ms", page, task)
		}
		if size > 1e6 {
			t.Errorf("%s has %v bytes", page, size)
		}
	}
	if is := s.memory(t); is > mostMemory+late {
		t.Errorf("clawfs view took %d MB", is)
	}
}

// memory returns the most that the server ever had in memory, in MB.
func (s *server) memory(t testing.TB) int {
	t.Helper()
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(read(t, fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid)))
	kb, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return kb * 1024 / 1e6
}
