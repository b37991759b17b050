#!/usr/bin/env bash
# Deploys keyturn's templates with the AWS CLI. infra/RUNBOOK.md says in which order.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: infra/deploy.sh TARGET [--params FILE] [--config FILE] [--templates FOLDER] [--bucket NAME] [--stack NAME] [--dry-run]

targets
  main      the functions, the table and all that belongs to them, in the central account (keyturn.yaml)
  accounts  the role that lists the accounts, in the management account (list-accounts-role.yaml)
  members   the roles in every account below organizational units, from the management account or a delegated
            administrator's (stackset.yaml with member-role.yaml)
  member    the same roles in the account at hand: for the management account, which a StackSet leaves out

options
  --params     file of lines Parameter=Value, one for all targets (keyturn.params; infra/params.example is one to begin with)
  --config     keyturn's configuration, for main (keyturn.yaml)
  --templates  folder of mail templates, for main, which the configuration calls email.templates: /var/task/templates
  --bucket     bucket in this account and region for the zip or the template (the parameter CodeBucket)
  --stack      name of the stack (made of the parameter Prefix)
  --dry-run    check and build, and print what would be called on AWS

AWS_REGION must be set. AWS_ENDPOINT_URL is honoured, as the AWS CLI does.
TEXT
}

say() { echo "== $*" >&2; }

fail() {
	echo "deploy: $*" >&2
	exit 1
}

# run performs a command on AWS, or prints it in a dry run.
run() {
	if [ "$dry" = yes ]; then
		printf '+' && printf ' %q' "$@" && printf '\n'
	else
		"$@"
	fi
}

# declared prints the parameters of a template; with "required", only those without a default.
declared() {
	awk -v required="${2:-}" '
		function flush() { if (name != "" && !(required && has)) print name; name = ""; has = 0 }
		/^[A-Za-z]/ { flush(); on = ($1 == "Parameters:") }
		on && /^  [A-Za-z0-9]+:$/ { flush(); name = $1; sub(/:$/, "", name) }
		on && /^    Default:/ { has = 1 }
		END { flush() }' "$1"
}

checksum() {
	if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

[ $# -gt 0 ] || { usage >&2 && exit 2; }
target=$1 && shift
params=keyturn.params config=keyturn.yaml templates='' bucket='' stack='' dry=no
while [ $# -gt 0 ]; do
	case $1 in
	--dry-run) dry=yes && shift && continue ;;
	--params | --config | --templates | --bucket | --stack) [ $# -gt 1 ] || fail "$1 needs a value" ;;
	*) usage >&2 && exit 2 ;;
	esac
	case $1 in
	--params) params=$2 ;;
	--config) config=$2 ;;
	--templates) templates=$2 ;;
	--bucket) bucket=$2 ;;
	--stack) stack=$2 ;;
	esac
	shift 2
done

infra=$(cd "$(dirname "$0")" && pwd)
case $target in
main) template=keyturn.yaml computed="CodeBucket CodeKey" steps=6 ;;
accounts) template=list-accounts-role.yaml computed='' steps=3 ;;
members) template=stackset.yaml computed=TemplateUrl steps=4 ;;
member) template=member-role.yaml computed='' steps=3 ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac

step=0
next() {
	step=$((step + 1))
	say "$step/$steps $*"
}

next "tools and parameters"
[ "$dry" = yes ] || command -v aws >/dev/null || fail "the AWS CLI is not installed (command aws)"
[ "$target" != main ] || command -v "${GO:-go}" >/dev/null || fail "Go is not installed (command go)"
export AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
[ -n "$AWS_REGION" ] || fail "no region is set: export AWS_REGION=eu-central-1, or the region that you chose"
export AWS_DEFAULT_REGION=$AWS_REGION
[ -z "${AWS_ENDPOINT_URL:-}" ] || say "everything goes to $AWS_ENDPOINT_URL"
[ -f "$params" ] || fail "there is no file of parameters $params: copy infra/params.example to it and fill it in, or name another with --params"

known=" $(for t in keyturn list-accounts-role stackset member-role; do declared "$infra/$t.yaml"; done | tr '\n' ' ')"
number=0
while IFS= read -r line || [ -n "$line" ]; do
	number=$((number + 1))
	case $line in
	'' | '#'*) continue ;;
	*=*) ;;
	*) fail "$params:$number: \"$line\" is no line like Parameter=Value" ;;
	esac
	name=${line%%=*}
	case $known in
	*" $name "*) ;;
	*) fail "$params:$number: no template has a parameter \"$name\"" ;;
	esac
	case $name in
	CodeKey | TemplateUrl) fail "$params:$number: $name is computed: take the line out" ;;
	esac
done <"$params"

# given prints the value of a parameter in the file, or nothing. The last line counts.
given() { sed -n "s/^$1=//p" "$params" | tail -n 1; }

bucket=${bucket:-$(given CodeBucket)}
missing=''
for name in $(declared "$infra/$template" required); do
	case " $computed " in *" $name "*) continue ;; esac
	[ -n "$(given "$name")" ] || missing="$missing $name"
done
[ -z "$missing" ] || fail "$params lacks$missing: infra/$template says beside each what it is"
case $target in main | members) [ -n "$bucket" ] || fail "no bucket is named: give --bucket, or CodeBucket in $params" ;; esac
prefix=$(given Prefix)
prefix=${prefix:-keyturn}
management=$(given ManagementAccountId)

overrides=()
for name in $(declared "$infra/$template"); do
	case " $computed " in *" $name "*) continue ;; esac
	! grep -q "^$name=" "$params" || overrides+=("$name=$(given "$name")")
done

next "who deploys"
if [ "$dry" = yes ]; then
	run aws sts get-caller-identity --query Account --output text
else
	account=$(aws sts get-caller-identity --query Account --output text) || fail "AWS does not answer: log in first (aws sts get-caller-identity shows what is wrong)"
	say "account $account, region $AWS_REGION"
	if [ "$target" = main ] && [ "$account" = "$management" ]; then
		fail "this is the management account itself: leave ManagementAccountId empty, or better deploy into another account"
	fi
	central=$(given CentralAccountId)
	if [ "$target" = main ] && [ -n "$central" ] && [ "$account" != "$central" ]; then
		fail "main belongs into the central account, which is $central as CentralAccountId of $params says: log in there, or correct it"
	fi
	if [ "$target" = accounts ] && [ -n "$management" ] && [ "$account" != "$management" ]; then
		fail "the role that lists accounts belongs into the management account $management: log in there"
	fi
fi

# upload puts a file into the bucket under a name that its content gives, once.
upload() {
	if [ "$dry" = no ] && aws s3api head-object --bucket "$bucket" --key "$2" >/dev/null 2>&1; then
		say "s3://$bucket/$2 is there already"
		return
	fi
	run aws s3 cp --only-show-errors "$1" "s3://$bucket/$2" || fail "the upload to s3://$bucket failed: is the bucket there, in $AWS_REGION, and may you write to it?"
}

# deploy makes or changes the stack. What went wrong stands in the stack's events, so they are shown.
deploy() {
	next "stack $stack from infra/$template"
	run aws cloudformation deploy --stack-name "$stack" --template-file "$infra/$template" \
		--capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset --parameter-overrides "${overrides[@]}" && return
	echo "deploy: the stack was not deployed. What failed, the latest first:" >&2
	aws cloudformation describe-stack-events --stack-name "$stack" --output text \
		--query "StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId,ResourceStatusReason]" >&2 || true
	fail "mend that and run this again. A stack in ROLLBACK_COMPLETE must be removed first: aws cloudformation delete-stack --stack-name $stack (the runbook's section on trouble has the usual causes)"
}

# mentions makes sure that a line of the configuration and a parameter say the same thing: a difference would only show when a
# function is denied something.
mentions() {
	grep -F -- "$2:" "$config" | grep -qF -- "$3" || fail "$config does not say $2: $3, as $1 of $params does: correct one of them"
}

# here makes sure that something is in the region of the functions: they would look for it in no other.
here() {
	[ -z "$2" ] || [ "$2" = "$AWS_REGION" ] || fail "$1 of $params is in the region $2, and the functions will be in $AWS_REGION"
}

case $target in
main)
	stack=${stack:-$prefix}
	next "the configuration $config"
	[ -f "$config" ] || fail "there is no configuration $config: copy infra/config.example.yaml to it and fill it in, or name another with --config"
	config=$(cd "$(dirname "$config")" && pwd)/$(basename "$config")
	mentions SlackTokenSecretArn token "$(given SlackTokenSecretArn)"
	mentions SlackSigningSecretArn signing_secret "$(given SlackSigningSecretArn)"
	mentions EmailFrom from "$(given EmailFrom)"
	for name in SlackTokenSecretArn SlackSigningSecretArn; do
		here "$name" "$(given "$name" | cut -d: -f4)"
	done
	here SecretsRegion "$(given SecretsRegion)"
	for pair in ExternalId:external_id ExemptGroup:exempt_group SecretPrefix:name SecretsKmsKeyArn:kms_key SecretsKmsAlias:kms_key; do
		value=$(given "${pair%%:*}")
		[ -z "$value" ] || mentions "${pair%%:*}" "${pair#*:}" "$value"
	done
	mentions Prefix member_role "$prefix-member"
	mentions Prefix scan_role "$prefix-member-read"
	if [ -n "$management" ]; then
		mentions ManagementAccountId management_account "$management"
		mentions Prefix management_role "$prefix-list-accounts"
	fi
	dist=$PWD/dist
	(cd "$infra/.." && CGO_ENABLED=0 "${GO:-go}" build -trimpath -o "$dist/keyturn" ./cmd/keyturn)
	[ -n "$templates" ] || ! grep -q '^[^#]*/var/task/templates' "$config" || fail "$config names /var/task/templates: say with --templates which folder lies there"
	KEYTURN_TABLE=keyturn "$dist/keyturn" --config "$config" config check >&2 || fail "correct $config first"

	next "the zip"
	case $(given Architecture) in
	'' | arm64) goarch=arm64 ;;
	x86_64) goarch=amd64 ;;
	*) fail "Architecture is arm64 or x86_64" ;;
	esac
	packing=(-a "$goarch" -c "$config" -o "$dist")
	[ -z "$templates" ] || packing+=(-t "$templates")
	packed=$("$infra/package.sh" "${packing[@]}")
	echo "$packed" >&2
	key=keyturn/${packed##* }.zip

	next "the upload"
	upload "$dist/keyturn-$goarch.zip" "$key"
	overrides+=("CodeBucket=$bucket" "CodeKey=$key")
	deploy
	if [ "$dry" = no ]; then
		url=$(aws cloudformation describe-stacks --stack-name "$stack" --output text --query "Stacks[0].Outputs[?OutputKey=='FunctionUrl'].OutputValue")
		[ -n "$url" ] || fail "the stack $stack has no output FunctionUrl"
		sed "/^#/d; s|[$]{FUNCTION_URL}|$url|" "$infra/slack-manifest.yaml" >"$dist/slack-manifest.yaml"
		say "Function URL: $url"
		say "Slack app's manifest, also in $dist/slack-manifest.yaml:"
		cat "$dist/slack-manifest.yaml"
	fi
	;;
members)
	stack=${stack:-$prefix-stackset}
	key=keyturn/member-role-$(checksum "$infra/member-role.yaml").yaml
	case $AWS_REGION in cn-*) suffix=amazonaws.com.cn ;; *) suffix=amazonaws.com ;; esac
	next "the template for the accounts"
	upload "$infra/member-role.yaml" "$key"
	overrides+=("TemplateUrl=https://$bucket.s3.$AWS_REGION.$suffix/$key")
	deploy
	say "the accounts get their roles one after the other: aws cloudformation list-stack-instances --stack-set-name $prefix-members --call-as $(given CallAs | grep . || echo SELF)"
	;;
member)
	stack=${stack:-$prefix-member}
	deploy
	;;
accounts)
	stack=${stack:-$prefix-list-accounts}
	deploy
	;;
esac
if [ "$dry" = yes ]; then say "all in order; nothing was called on AWS"; else say "done"; fi
