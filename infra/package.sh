#!/usr/bin/env bash
# Builds keyturn for AWS Lambda and packs it with its configuration. Two runs give the same bytes.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: infra/package.sh [-a arm64|amd64|all] [-c CONFIG] [-t TEMPLATES] [-o FOLDER]

  -a  architecture of the functions (all)
  -c  configuration that lies beside the binary (keyturn.yaml)
  -t  folder of mail templates that lies beside the binary, as /var/task/templates (none)
  -o  folder for the archives keyturn-arm64.zip and keyturn-amd64.zip (dist)
TEXT
}

fail() {
	echo "package: $*" >&2
	exit 1
}

arch=all config=keyturn.yaml templates='' out=dist
while getopts ":a:c:t:o:h" flag; do
	case $flag in
	a) arch=$OPTARG ;;
	c) config=$OPTARG ;;
	t) templates=$OPTARG ;;
	o) out=$OPTARG ;;
	h) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
done
case $arch in
arm64 | amd64) archs=("$arch") ;;
all) archs=(arm64 amd64) ;;
*) fail "there is no architecture $arch: write arm64, amd64 or all" ;;
esac
[ -f "$config" ] || fail "there is no configuration $config: copy infra/config.example.yaml to it and fill it in, or name another with -c"

# Names given to us are relative to where we were called; go wants to be called from the module.
absolute() {
	case $1 in
	/*) echo "$1" ;;
	*) echo "$PWD/$1" ;;
	esac
}
config=$(absolute "$config") out=$(absolute "$out")
with=(-config "$config")
[ -z "$templates" ] || with+=(-templates "$(absolute "$templates")")
cd "$(dirname "$0")/.."
go=${GO:-go}

for a in "${archs[@]}"; do
	echo "== building for linux/$a" >&2
	CGO_ENABLED=0 GOOS=linux GOARCH=$a GOFLAGS='' "$go" build -trimpath -buildvcs=false -tags lambda.norpc,functions \
		-ldflags "-s -w -buildid=" -o "$out/$a/bootstrap" ./cmd/keyturn
	"$go" run ./infra/zip -o "$out/keyturn-$a.zip" "${with[@]}" "$out/$a/bootstrap"
done
