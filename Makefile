# make test is the one command: it installs what is missing and runs everything.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
GO ?= go
PKGS := ./...

.PHONY: test tools fmt vet staticcheck build unit demo messages bench fuzz properties golden

test: tools fmt vet staticcheck build unit
	@echo "== all of it passed: formatting, vet, staticcheck, import rules, unit, property, conformance, golden, end-to-end and kill tests"

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

build:
	@echo "== go build"
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/...

# Property tests draw the same cases in every run; make properties draws others, and many more.
unit:
	@echo "== go test -race"
	@RAPID_SEED=20260601 $(GO) test -race -count=1 -timeout 15m $(PKGS)

demo:
	@$(GO) run ./cmd/demo -tour

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
	@$(GO) test ./templates/... ./internal/store/record/... ./internal/sandbox/slackemu/... -update
