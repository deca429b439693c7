package schemaregistry_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestUsesNothingNewerThanGo119 compares the standard library's functions and types that are used with those that later releases added;
// go.mod stops newer syntax, not newer calls.
func TestUsesNothingNewerThanGo119(t *testing.T) {
	newer := newerSymbols(t)
	for _, pattern := range []string{"*.go", "internal/engine/*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for symbol, position := range usedSymbols(t, file) {
				if release, ok := newer[symbol]; ok {
					t.Errorf("%s uses %s, which is of %s", position, symbol, release)
				}
			}
		}
	}
	if !strings.Contains(newer["slices.Sort"], "go1.21") {
		t.Error("the list of newer symbols lacks slices.Sort")
	}
}

var addition = regexp.MustCompile(`^pkg ([^ ,]+), (?:func|type|var|const) ([A-Z]\w*)`)

func newerSymbols(t *testing.T) map[string]string {
	newer := map[string]string{}
	files, _ := filepath.Glob(filepath.Join(runtime.GOROOT(), "api", "go1.*.txt"))
	if len(files) == 0 {
		t.Skip("this Go has no list of its API")
	}
	for _, file := range files {
		minor, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "go1."), ".txt"))
		if err != nil || minor <= 19 {
			continue
		}
		text, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		scanner := bufio.NewScanner(text)
		for scanner.Scan() {
			// A struct that gained a field, or an interface that gained a method, is not new itself.
			isMember := strings.Contains(scanner.Text(), " struct, ") || strings.Contains(scanner.Text(), " interface, ")
			if found := addition.FindStringSubmatch(scanner.Text()); found != nil && !isMember {
				newer[found[1]+"."+found[2]] = filepath.Base(file)
			}
		}
		_ = text.Close()
	}
	return newer
}

func usedSymbols(t *testing.T, file string) map[string]string {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]string{}
	for _, imported := range parsed.Imports {
		path, _ := strconv.Unquote(imported.Path.Value)
		packages[path[strings.LastIndex(path, "/")+1:]] = path
	}
	used := map[string]string{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok && packages[name.Name] != "" {
				used[packages[name.Name]+"."+selector.Sel.Name] = set.Position(selector.Pos()).String()
			}
		}
		return true
	})
	return used
}
