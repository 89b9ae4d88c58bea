#!/usr/bin/env bash
# What only an account of AWS can show, checked there within an hour: rows of docs/limits.md, "Not proven without an AWS
# account". It makes two tables and an archive of them, writes, waits, asks, has an alarm go off, prints what it found and
# what was expected, and removes what can be removed.
#
#   usage: scripts/first-hour.sh [--yes] [--keep]      in a clone after `npm ci`, with credentials of a sandbox account
#     --yes   does not ask before it begins            --keep   removes nothing at the end
#   needs node, jq and aws (1 or 2); `npx cdk bootstrap` was done once for the account and region
set -euo pipefail
cd "$(dirname "$0")/.."

yes='' keep=''
for argument in "$@"; do
  case $argument in
    --yes) yes=1 ;;
    --keep) keep=1 ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 2 ;;
  esac
done
for tool in node jq aws; do
  command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 3; }
done
[ -f dist/cli/itemtrail.js ] || { echo 'dist/ is missing: npm ci makes it' >&2; exit 3; }

here=$PWD
work=$(mktemp -d -t itemtrail-first-hour-XXXXXX)
trap 'rm -rf "$work"' EXIT
export AWS_PAGER='' CDK_DISABLE_CLI_TELEMETRY=true
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}
account=$(aws sts get-caller-identity --query Account --output text)
stack=Itemtrail-first-hour
orders=FirstHour-Orders carts=FirstHour-Carts
minutes=${FIRST_HOUR_MINUTES:-15}

cat <<EOF
account $account, region $region: makes tables $orders and $carts and the stack $stack (capture streams and kinesis, locks of
one day, sealed, compacted, with who called, some 100 alarms), and removes them within the hour. It costs about 1 USD: an hour of a Kinesis
stream on demand (0.04), of 100 alarms (0.01) and of two keys of KMS (0.01), some hundred queries of Athena's smallest size,
10 MB (0.05); the rest is in the free tiers or less than a cent. What stays: the archive's bucket for a day, as it is locked,
and its keys until they are deleted (1 USD a month each), with the commands for both at the end.
EOF
if [ -z "$yes" ]; then
  read -r -p 'go on? [y/N] ' reply
  [ "$reply" = y ] || exit 2
fi

passed=0 failed=0
# what row of docs/limits.md it settles, what was found, and a pattern (extended regular expression) of what was expected
check() {
  if grep -qE -- "^($3)$" <<<"$2"; then
    passed=$((passed + 1)) && echo "ok     $1: $2"
  else
    failed=$((failed + 1)) && echo "OTHER  $1: found '$2', expected $3"
  fi
}
told() { echo "note   $1: $2"; }
itemtrail() { (cd "$work" && node "$here/dist/cli/itemtrail.js" "$@"); }
cdk() { "$here/node_modules/.bin/cdk" "$@" --no-notices -c config="$work/itemtrail.config.json"; }
output() { aws cloudformation describe-stacks --stack-name $stack --query "Stacks[0].Outputs[?contains(OutputKey,'$1')]|[0].OutputValue" --output text; }
keys() { aws s3api list-objects-v2 --bucket "$1" --prefix "$2" --query 'Contents[].Key' --output text | tr '\t' '\n' | grep -vx None || true; }
# the first of several; a query is made of each page of an answer, so it cannot choose for itself
first() { tr '\t' '\n' | { grep -vx None || true; } | sed -n 1p; }
# the functions of all nested stacks, by what they are called in the stack
function_of() {
  local part
  for part in $stack $(aws cloudformation list-stack-resources --stack-name $stack --query "StackResourceSummaries[?ResourceType=='AWS::CloudFormation::Stack'&&contains(LogicalResourceId,'$1')].PhysicalResourceId" --output text); do
    aws cloudformation list-stack-resources --stack-name "$part" --query "StackResourceSummaries[?ResourceType=='AWS::Lambda::Function'&&contains(LogicalResourceId,'$2')].PhysicalResourceId" --output text
  done | first
}
# asks until there is an answer, for so many minutes
await() {
  local until=$((SECONDS + $1 * 60)) answer=''
  shift
  while [ $SECONDS -lt $until ]; do
    answer=$("$@" 2>/dev/null) && [ -n "$answer" ] && break
    sleep 10
  done
  echo "$answer"
}

echo '── tables'
aws dynamodb create-table --table-name $orders --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=id,AttributeType=S \
  --key-schema AttributeName=id,KeyType=HASH --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES >/dev/null
aws dynamodb create-table --table-name $carts --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=id,AttributeType=S \
  --key-schema AttributeName=id,KeyType=HASH >/dev/null
for table in $orders $carts; do aws dynamodb wait table-exists --table-name "$table"; done
stream=$(aws dynamodb describe-table --table-name $orders --query Table.LatestStreamArn --output text)
since=$(date -u +%Y-%m-%d)
jq -n --arg stream "$stream" --arg since "$since" --arg orders $orders --arg carts $carts '{
  environment: "first-hour", lock: {mode: "governance", days: 1}, compact: true, seal: true, callers: true,
  tables: {
    ($orders): {since: $since, keys: ["id"], streamArn: $stream, columns: {total: "decimal(12,2)", note: "string"}, buffer: {mb: 64, seconds: 60}},
    ($carts): {since: $since, keys: ["id"], capture: "kinesis", buffer: {mb: 64, seconds: 60}}}}' >"$work/itemtrail.config.json"

echo '── deploying, twice'
cdk deploy --require-approval never >"$work/deploy.log" 2>&1 || { tail -20 "$work/deploy.log" && exit 1; }
check 'Firehose sends the external id that its role asks for; the stack is deployed' "$(aws cloudformation describe-stacks --stack-name $stack --query 'Stacks[0].StackStatus' --output text)" '(CREATE|UPDATE)_COMPLETE'
again=0 && cdk deploy --require-approval never --force >"$work/again.log" 2>&1 || again=$?
check 'a second deployment does not fail on the configuration that is kept' "$again" 0
archive=$(output ArchiveBucket) workgroup=$(output WorkgroupName) database=$(output DatabaseName)
check 'an imported table is attached to Kinesis by the custom resource' "$(aws dynamodb describe-kinesis-streaming-destination --table-name $carts --query 'KinesisDataStreamDestinations[0].[DestinationStatus,ApproximateCreationDateTimePrecision]' --output text | tr '\t' ' ')" 'ACTIVE MICROSECOND'
check 'Athena takes the prepared statements' "$(aws athena list-prepared-statements --work-group "$workgroup" --query 'length(PreparedStatements)' --output text)" '[1-9][0-9]*'
told "the table's stream has as many open shards as the table has partitions" "$(aws dynamodbstreams describe-stream --stream-arn "$stream" --query 'length(StreamDescription.Shards)' --output text) shards"

echo "── writing, and waiting up to $minutes minutes for the archive"
for table in $orders $carts; do
  for total in 1.50 2.50; do
    aws dynamodb put-item --table-name "$table" --item "{\"id\":{\"S\":\"A1\"},\"total\":{\"N\":\"$total\"},\"note\":{\"NULL\":true}}"
  done
done
written=$SECONDS
for table in $orders $carts; do
  key=$(await "$minutes" keys "$archive" "data/$table/" | first)
  told "$table: first object after" "$((SECONDS - written)) s"
  check "$table: prefixes have no hour appended; a key condition on the bucket's ARN fits bucket keys" "$key" "data/$table/event_date=[0-9-]{10}/[^/]+"
done
mode() { aws s3api get-object-retention --bucket "$archive" --key "$1" --query Retention.Mode --output text; }
check 'EventBridge may write into the encrypted queue of the lock function: rows are locked' "$(await 6 mode "$key")" GOVERNANCE
check 'a configuration is locked as it is written' "$(await 1 mode "$(keys "$archive" config/ | first)")" GOVERNANCE
check 'nothing was refused' "$(keys "$archive" refused/ | wc -l | tr -d ' ')" 0

echo '── asking'
for table in $orders $carts; do
  code=0 && itemtrail history "$table" A1 --stack $stack --format json >"$work/history.json" 2>"$work/history.err" || code=$?
  check "$table: Firehose's Parquet has the types that Athena expects, NULL and decimals among them" "$code $(grep -c '"total"' "$work/history.json" || true)" '0 [1-9][0-9]*'
  tail -1 "$work/history.err" | sed 's/^/note   /'
done
view=$(aws glue get-tables --database-name "$database" --query "TableList[?TableType=='VIRTUAL_VIEW'].Name" --output text | first)
query=$(aws athena start-query-execution --work-group "$workgroup" --query-execution-context Database="$database" --query-string "select count(*) from $view where event_date = '$since'" --query QueryExecutionId --output text)
state() { aws athena get-query-execution --query-execution-id "$query" --query QueryExecution.Status.State --output text | grep -vE 'QUEUED|RUNNING'; }
check 'Athena takes the view that CloudFormation makes in Glue as one of its own' "$(await 3 state)" SUCCEEDED

echo "── who called, waiting up to $minutes minutes twice: for the archive, and for CloudTrail"
caller=$(aws sts get-caller-identity --query Arn --output text)
aws dynamodb update-item --table-name $orders --key '{"id":{"S":"B1"}}' --update-expression 'SET #total = :n' --expression-attribute-names '{"#total":"total"}' --expression-attribute-values '{":n":{"N":"3"}}'
aws dynamodb batch-write-item --request-items "{\"$orders\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"B2\"}}}}]}" >/dev/null
aws dynamodb transact-write-items --transact-items "[{\"Put\":{\"TableName\":\"$orders\",\"Item\":{\"id\":{\"S\":\"B3\"}}}}]"
aws dynamodb execute-statement --statement "insert into \"$orders\" value {'id': 'B4'}" >/dev/null
# the verdicts about the changes of an item, once there is one that does not wait
who_of() {
  itemtrail who $orders "$1" --stack $stack --format json >"$work/who.json" 2>"$work/who.err" || true
  jq -er '[.changes[].verdict] | select(all(. != "pending" and . != "not covered")) | unique | join(" ")' "$work/who.json"
}
check 'CloudTrail delivers within 15 minutes, a write is within 3 s of its event, and Athena reads its files' "$(await $((2 * minutes)) who_of B1)" certain
for key in B2 B3 B4; do told "who called for $key" "$(await 1 who_of $key)"; done
grep -qF "${caller%%/*}" "$work/who.json" || told 'the callers found are not of this account' "$(jq -c '[.changes[].near[].caller]' "$work/who.json")"
trail=$(aws cloudformation list-stack-resources --stack-name $stack --query "StackResourceSummaries[?ResourceType=='AWS::CloudTrail::Trail'].PhysicalResourceId" --output text | first)
check 'CloudTrail writes into the bucket that denies everybody else, under the key' "$(aws cloudtrail get-trail-status --name "$trail" --query '[IsLogging,LatestDeliveryError]' --output text | tr '\t' ' ')" 'True (None)?'
events=$(output CallersBucket)
for file in $(keys "$events" "AWSLogs/$account/CloudTrail/" | sed -n '1,20p'); do aws s3 cp "s3://$events/$file" - | gunzip; done |
  jq -c '.Records[]? | {eventName, readOnly, requestParameters}' | sort -u >"$work/calls.ndjson" || true
while read -r call; do told 'as CloudTrail keeps a write' "$call"; done <"$work/calls.ndjson"

echo '── an alarm, the journal, a baseline'
queue=$(aws sqs create-queue --queue-name itemtrail-first-hour --query QueueUrl --output text)
arn=$(aws sqs get-queue-attributes --queue-url "$queue" --attribute-names QueueArn --query Attributes.QueueArn --output text)
jq -n --arg arn "$arn" '{Policy: ({Version: "2012-10-17", Statement: [{Effect: "Allow", Principal: {Service: "sns.amazonaws.com"}, Action: "sqs:SendMessage", Resource: $arn}]} | tojson)}' >"$work/policy.json"
aws sqs set-queue-attributes --queue-url "$queue" --attributes "file://$work/policy.json"
aws sns subscribe --topic-arn "$(output AlarmTopicArn)" --protocol sqs --notification-endpoint "$arn" >/dev/null
alarm=$(aws cloudwatch describe-alarms --query "MetricAlarms[?contains(AlarmDescription,'$orders: ')&&contains(AlarmDescription,'record-refused')].AlarmName" --output text | first)
aws cloudwatch set-alarm-state --alarm-name "$alarm" --state-value ALARM --state-reason 'first hour'
message() { aws sqs receive-message --queue-url "$queue" --wait-time-seconds 10 --query 'Messages[0].Body' --output text | grep -o 'record-refused' | first; }
check 'CloudWatch may publish to the encrypted topic' "$(await 2 message)" record-refused
sealer=$(function_of Journal JournalSealer)
for number in 1 2; do aws lambda invoke --function-name "$sealer" --cli-read-timeout 900 "$work/sealed.$number" >"$work/seal.$number" 2>&1 & done
wait
check 'KMS signs what Node verifies; of two sealings at once one is throttled or waits' "$(grep -c FunctionError "$work"/seal.* | grep -c ':0')" '[12]'
check 'there is a checkpoint' "$(keys "$archive" log/checkpoint)" log/checkpoint
check 'a lock is told to the sealer' "$(aws s3 cp "s3://$archive/$(keys "$archive" log/tile/entries | first)" - | grep -ac retain_until)" '[1-9][0-9]*'
credentials=$(aws sts assume-role --role-arn "$(output BaselineRole)" --role-session-name first-hour --query Credentials --output json)
replay=$(output "${carts//[^A-Za-z]/}ReplayStream")
code=0
(
  AWS_ACCESS_KEY_ID=$(jq -r .AccessKeyId <<<"$credentials") AWS_SECRET_ACCESS_KEY=$(jq -r .SecretAccessKey <<<"$credentials") AWS_SESSION_TOKEN=$(jq -r .SessionToken <<<"$credentials")
  export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  unset AWS_PROFILE
  itemtrail baseline $carts --scan --delivery-stream "$replay" --bucket "$archive"
) >"$work/baseline.log" 2>&1 || code=$?
check "a baseline's rows go through the replay stream, and its fact is kept" "$code $(keys "$archive" "facts/$carts/" | wc -l | tr -d ' ')" '0 1'
itemtrail doctor --stack $stack >"$work/doctor.log" 2>"$work/doctor.err" || true
check 'doctor finds nothing wrong' "$(tail -1 "$work/doctor.err")" '[0-9]+ ok, 0 wrong.*'
grep -E '^(WRONG|could not)' "$work/doctor.log" | sed 's/^/note   /' || true
check 'our functions count in the namespace Itemtrail' "$(aws cloudwatch list-metrics --namespace Itemtrail --query 'length(Metrics)' --output text)" '[1-9][0-9]*'
for name in Forwarder Transform; do
  log=$(aws logs describe-log-groups --query "logGroups[?starts_with(logGroupName,'$stack')&&contains(logGroupName,'$name')].logGroupName" --output text | first)
  told "a call of the $name takes 0.1 s and less" "$(aws logs filter-log-events --log-group-name "$log" --filter-pattern REPORT --query 'events[].message' --output text 2>/dev/null | grep -oE '	Duration: [0-9.]+' | grep -oE '[0-9.]+' | sort -n | tr '\n' ' ') ms"
done

echo '── what is not settled here: the daily check (look after a day), mails, bills by usage type (a day), S3 forgetting what is staged (91 days), compaction (tomorrow)'
if [ -z "$keep" ]; then
  echo '── removing'
  aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name $stack >/dev/null
  cdk destroy --force >"$work/destroy.log" 2>&1 || tail -5 "$work/destroy.log"
  aws sqs delete-queue --queue-url "$queue"
  for table in $orders $carts; do aws dynamodb delete-table --table-name "$table" >/dev/null; done
  for name in $(aws kinesis list-streams --query 'StreamNames[]' --output text | tr '\t' '\n' | grep -i first-hour || true); do aws kinesis delete-stream --stream-name "$name"; done
  echo "stays until tomorrow, when it can be emptied (all versions) and deleted, the keys last:"
  aws s3api list-buckets --query "Buckets[?starts_with(Name,'itemtrail-first-hour')].Name" --output text | tr '\t' '\n' | sed 's/^/  bucket /'
  echo "  keys: aws kms schedule-key-deletion --key-id ... (tag environment=first-hour)"
fi
echo "$passed as expected, $failed otherwise"
[ "$failed" -eq 0 ]
