# make test is the one command: it installs what is missing and runs everything.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
GO ?= go
PKGS := ./...

.PHONY: test tools fmt vet staticcheck lint build unit package deploy demo tour pictures messages bench fuzz properties year golden

test: tools fmt vet staticcheck lint build unit
	@echo "== all of it passed: formatting, vet, staticcheck, import rules, templates, unit, property, conformance of both stores, golden, end-to-end, least privilege and kill tests in both shapes"

# The race detector needs a C compiler; the stores and the emulators need nothing.
tools:
	@./scripts/tools

fmt:
	@echo "== gofmt"
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi

vet:
	@echo "== go vet"
	@$(GO) vet $(PKGS)

staticcheck:
	@echo "== staticcheck"
	@$(GO) tool staticcheck $(PKGS)

# The templates are checked by Go tests in any case; these two say more where they are installed.
lint:
	@if command -v shellcheck >/dev/null; then echo "== shellcheck"; shellcheck infra/*.sh scripts/* .ci/run; fi
	@if command -v cfn-lint >/dev/null; then echo "== cfn-lint"; cfn-lint -c I -r us-east-1 eu-central-1 cn-north-1 -t infra/keyturn.yaml infra/member-role.yaml infra/stackset.yaml infra/list-accounts-role.yaml; fi

build:
	@echo "== go build"
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/...
	@$(GO) vet -tags functions ./internal/app/... ./cmd/keyturn

# What takes long under the race detector runs in full without it, and of what is not there for its numbers a part under it.
UNRACED := ^(TestOneMorning|TestManyWeeks|TestYear|TestKill|TestStall|TestHostile.*)$$

# Property tests draw the same cases in every run; make properties draws others, and many more.
unit:
	@echo "== go test -race"
	@RAPID_SEED=20260601 $(GO) test -race -count=1 -timeout 15m $(PKGS)
	@echo "== go test: one morning, many weeks, a year, a kill and a stall at every call, and hostile texts"
	@$(GO) test -count=1 -timeout 15m -run '$(UNRACED)' -v ./internal/e2e ./internal/fleet ./templates | grep -vE '^=== |^ +--- PASS: (.*/points/|TestHostile)'

# A year of 1,000 users: minutes.
year:
	@KEYTURN_YEAR_USERS=1000 $(GO) test -count=1 -timeout 60m -run TestYear -v ./internal/e2e

# Reproducible zips for Lambda, with your keyturn.yaml in them. make deploy ARGS='main --dry-run' says what it would do.
package:
	@./infra/package.sh $(ARGS)

deploy:
	@./infra/deploy.sh $(ARGS)

# The world of the tour as a page. make demo ARGS='-data DIR' keeps it. Under go run, Ctrl-C would read as an error.
demo:
	@mkdir -p bin && $(GO) build -o bin/demo ./cmd/demo && exec bin/demo $(ARGS)

tour:
	@$(GO) run ./cmd/demo -tour

# The pictures of the README, as the browser's tests see the page.
pictures: tools
	@$(GO) test -count=1 -run '^TestTourInTheBrowser$$' ./internal/sandbox/page
	@mkdir -p docs/pictures && cp bin/screenshots/page.png bin/screenshots/notice.png docs/pictures/

messages:
	@$(GO) run ./cmd/keyturn messages

bench:
	@./scripts/bench

fuzz:
	@./scripts/fuzz

properties:
	@./scripts/properties

# Rewrites every golden file: read the difference before you commit it.
golden:
	@$(GO) test ./templates/... ./internal/store/record/... ./internal/sandbox/slackemu/... ./internal/sandbox/blockkit ./cmd/keyturn/... ./internal/e2e -update
