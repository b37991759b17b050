package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/keyturn/keyturn/"

type pkg struct {
	ImportPath string
	Name       string
	Imports    []string
	Deps       []string
	Standard   bool
	Doc        string
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Imports,Deps,Standard,Doc", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]pkg{}
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// adapters know a foreign system; only the wiring may know them.
var adapters = []string{"internal/aws", "internal/slackapi", "internal/store/sqlite", "internal/store/dynamo"}

// only lists all that a package may import of this module and beyond the standard library. A package that is not listed
// may import what no other rule forbids.
var only = []struct {
	pkg, reason string
	may         []string
}{
	{"internal/rotation", "the core is pure: the standard library alone", nil},
	{"internal/approval", "who may decide is pure: the standard library and the core", []string{"internal/rotation"}},
	{"internal/kmsabac", "reading policies is pure: the standard library alone", nil},
	{"templates", "rendering knows what it renders and Slack's block types, and nothing that sends or stores",
		[]string{"internal/rotation", "internal/approval", "internal/report", "github.com/slack-go/slack"}},
	{"internal/circle", "finding people knows rules and whom it asks through its own interface", []string{"internal/rotation", "internal/approval"}},
	{"internal/audit", "audit knows what is stored, and no store", []string{"internal/rotation", "internal/store"}},
	{"internal/calendar", "the calendar is pure: the standard library alone", nil},
	{"internal/report", "figures are pure", []string{"internal/rotation", "internal/approval"}},
	{"rotator", "the rotator declares the ports it needs", []string{"internal/rotation", "internal/approval", "internal/store", "internal/pause"}},
	{"scheduler", "the scheduler declares the ports it needs", []string{"internal/rotation", "internal/approval", "internal/store", "internal/pause", "internal/report"}},
	{"bot", "the bot declares the ports it needs; it has no way to IAM",
		[]string{"internal/rotation", "internal/approval", "internal/circle", "internal/report", "internal/store", "templates", "github.com/slack-go/slack"}},
	{"internal/notify", "notify reaches Slack and mail through its own interfaces",
		[]string{"internal/rotation", "internal/approval", "internal/circle", "internal/pause", "internal/store", "scheduler", "templates", "github.com/slack-go/slack"}},
	{"internal/pause", "waiting knows nothing but time", nil},
	{"internal/metric", "figures know nothing of what they count", nil},
	{"internal/store/dynamo", "a store knows what it stores, and nobody who uses it",
		[]string{"internal/rotation", "internal/store", "internal/store/record", "internal/pause", "github.com/aws/aws-sdk-go-v2/aws",
			"github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/aws/aws-sdk-go-v2/service/dynamodb/types", "github.com/aws/aws-sdk-go-v2/aws/transport/http", "github.com/aws/smithy-go"}},
	{"internal/sandbox/iampolicy", "judging policies is pure: the standard library alone", nil},
	{"internal/sandbox/blockjson", "reading Block Kit is pure: the standard library alone", nil},
	{"internal/sandbox/blockkit", "rendering Block Kit is pure", []string{"internal/sandbox/blockjson"}},
	{"internal/sandbox/lambdaemu", "Lambda knows nothing of what it runs", nil},
	{"internal/store", "what every store shares knows no store", []string{"internal/rotation"}},
}

// never lists single imports that are forbidden even through others.
var never = []struct{ pkg, forbidden, reason string }{
	{"cmd/keyturn", "internal/sandbox", "the sandbox is in no production binary"},
	{"cmd/demo", "github.com/chromedp", "the demo needs Go alone; only tests drive a browser"},
	{"internal/app", "internal/sandbox", "the product has no idea that emulators exist"},
	{"bot", "github.com/aws", "the bot touches no AWS"},
	{"internal/app", "github.com/aws/aws-lambda-go", "the application does not know that it runs in functions; internal/app/function does"},
	{"templates", "net/http", "rendering asks nobody"},
	{"internal/rotation", "os", "the core reads no environment"},
	{"internal/rotation", "context", "the core waits for nothing"},
	{"internal/approval", "os", "who may decide is pure"},
}

func TestImports(t *testing.T) {
	all := packages(t)
	if len(all) < 10 {
		t.Fatalf("only %d packages were listed", len(all))
	}
	for _, rule := range only {
		p, ok := all[module+rule.pkg]
		if !ok {
			continue
		}
		for _, imp := range p.Imports {
			if all[imp].Standard || slices.Contains(rule.may, strings.TrimPrefix(imp, module)) {
				continue
			}
			t.Errorf("%s imports %s: %s", rule.pkg, imp, rule.reason)
		}
	}
	for path, p := range all {
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		wiring := name == "internal/app" || strings.HasPrefix(name, "internal/app/") || slices.Contains(adapters, name)
		for _, imp := range p.Imports {
			if dep, ours := strings.CutPrefix(imp, module); ours && slices.Contains(adapters, dep) && !wiring {
				t.Errorf("%s imports the adapter %s: only internal/app knows adapters", name, dep)
			}
			if strings.HasPrefix(imp, module+"internal/sandbox") && name != "cmd/demo" && !strings.HasPrefix(name, "internal/sandbox") {
				t.Errorf("%s imports %s: only cmd/demo and tests know the sandbox", name, imp)
			}
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment that says what it owns", name)
		}
	}
	for _, rule := range never {
		p, ok := all[module+rule.pkg]
		if !ok {
			continue
		}
		deps := p.Deps
		if all[rule.forbidden].Standard {
			deps = p.Imports // nearly everything of the standard library is reached through fmt
		}
		for _, dep := range deps {
			if dep == rule.forbidden || strings.HasPrefix(strings.TrimPrefix(dep, module), rule.forbidden+"/") || strings.TrimPrefix(dep, module) == rule.forbidden {
				t.Errorf("%s needs %s: %s", rule.pkg, dep, rule.reason)
			}
		}
	}
}
