"""
ministack with what the template of Itemtrail needs besides, so that the real template is deployed unchanged. Each part
says what ministack 1.5.33 lacks, or does otherwise than AWS. What a template may not say is refused here as AWS
documents it, so that a fault of ours is not let through.
"""

import base64
import copy
import datetime
import json
import re
import threading
import time
from xml.sax.saxutils import escape

import ministack.app as app
import ministack.core.iam_actions as actions
import ministack.core.iam_evaluator as iam
import ministack.services.athena as athena
import ministack.services.cloudformation as cloudformation
import ministack.services.cloudformation.provisioners as provisioners
import ministack.services.cloudwatch as cloudwatch
import ministack.services.cloudwatch_logs as logs
import ministack.services.dynamodb as dynamodb
import ministack.services.eventbridge as eventbridge
import ministack.services.firehose as firehose
import ministack.services.kinesis as kinesis
import ministack.services.kms as kms
import ministack.services.lambda_svc as lambdas
import ministack.services.s3 as s3
import ministack.services.sqs as sqs
import written_by_aws

HANDLERS = provisioners._RESOURCE_HANDLERS


def answered(function, request, what):
    """What one of ministack's own APIs says; its refusal fails the resource."""
    status, _, body = function(request)
    if status >= 300:
        raise ValueError(f"{what}: {body}")
    return json.loads(body or b"{}")


# --- resources that it lacks: saved queries and prepared statements, within the lengths that Athena's reference gives


def need_text(properties, name, least, most, kind):
    value = properties.get(name)
    if value is None and least == 0:
        return
    if not isinstance(value, str) or not least <= len(value.encode()) <= most:
        raise ValueError(f"{kind}: {name} is {str(value)[:80]!r}, expected text of {least} to {most} bytes")


def need_workgroup(properties, kind):
    if properties.get("WorkGroup") not in athena._workgroups:
        raise ValueError(f"{kind}: no workgroup {properties.get('WorkGroup')}")


def create_named(logical_id, properties, stack_name):
    kind = "AWS::Athena::NamedQuery"
    for name, most in (("Name", 128), ("Database", 255), ("QueryString", 262144), ("Description", 1024)):
        need_text(properties, name, 1, most, kind)
    need_workgroup(properties, kind)
    made = answered(athena._create_named_query, properties, kind)["NamedQueryId"]
    return made, {"NamedQueryId": made}


def delete_named(physical_id, properties):
    athena._delete_named_query({"NamedQueryId": physical_id})


def create_prepared(logical_id, properties, stack_name):
    kind = "AWS::Athena::PreparedStatement"
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_@:]{1,256}", properties.get("StatementName", "")):
        raise ValueError(f"{kind}: StatementName {properties.get('StatementName')}")
    for name, most in (("QueryStatement", 262144), ("Description", 1024)):
        need_text(properties, name, 1, most, kind)
    need_workgroup(properties, kind)
    answered(athena._create_prepared_statement, properties, kind)
    return properties["StatementName"], {}


def delete_prepared(physical_id, properties):
    athena._delete_prepared_statement({"StatementName": physical_id, "WorkGroup": properties.get("WorkGroup")})


def handler(create, delete):
    def update(physical_id, old, new, stack_name, logical_id=None):
        delete(physical_id, old)
        return create(logical_id or physical_id, new, stack_name)

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


HANDLERS["AWS::Athena::NamedQuery"] = handler(create_named, delete_named)
HANDLERS["AWS::Athena::PreparedStatement"] = handler(create_prepared, delete_prepared)

# --- alarms: ministack refuses metric math, passes over dimensions, and judges all periods as one

plain_alarm = provisioners._cw_metric_alarm_record


def alarm_record(name, properties):
    metrics = properties.get("Metrics")
    if not metrics:
        return plain_alarm(name, properties)
    ids = [metric.get("Id", "") for metric in metrics]
    if len(metrics) > 10 or len(set(ids)) != len(ids) or any(not re.fullmatch(r"[a-z]\w*", one) for one in ids):
        raise ValueError(f"Metrics: ids {ids}")
    if sum(metric.get("ReturnData", True) for metric in metrics) != 1:
        raise ValueError("Metrics: exactly one returns data")
    plain = {key: value for key, value in properties.items() if key != "Metrics"}
    record = plain_alarm(name, {**plain, "MetricName": "math", "Namespace": "math"})
    record.update(MetricName=None, Namespace=None, Metrics=copy.deepcopy(metrics))
    return record


def value_of(name, namespace, dimensions, statistic, begin, end):
    key = (namespace, name, cloudwatch._dims_key(cloudwatch._dims_from_list(dimensions or [])))
    points = [point for point in cloudwatch._metrics.get(key) or [] if begin <= point["Timestamp"] < end]
    return cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points) if points else None


def math_value(metrics, begin, end):
    """The three expressions that the stack has, in Python's words; one by a query over metrics stays without data."""
    names, expression = {}, None
    for metric in metrics:
        if "MetricStat" in metric:
            of = metric["MetricStat"]
            names[metric["Id"]] = value_of(
                of["Metric"]["MetricName"], of["Metric"]["Namespace"], of["Metric"].get("Dimensions"),
                of["Stat"], begin, end,
            )
        else:
            expression = metric["Expression"]
    if expression is None or expression.startswith("SELECT"):
        return None
    filled = "FILL" in expression
    if not filled and None in names.values():
        return None
    python = {
        "IF": lambda test, then, otherwise: then if test else otherwise,
        "FILL": lambda value, instead: instead if value is None else value,
    }
    try:
        return float(eval(expression, {"__builtins__": {}}, {**python, **names}))
    except ZeroDivisionError:
        return None


def alarm_period(alarm):
    if not alarm.get("Metrics"):
        return alarm.get("Period", 60)
    stats = [metric["MetricStat"]["Period"] for metric in alarm["Metrics"] if "MetricStat" in metric]
    return max([60, *[metric.get("Period") or 0 for metric in alarm["Metrics"]], *stats])


COMPARE = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def evaluate(alarm):
    """M of the last N periods, what is missing treated as the alarm says (CloudWatch user guide, "alarm evaluation")."""
    period, count = alarm_period(alarm), int(alarm.get("EvaluationPeriods", 1))
    wanted = int(alarm.get("DatapointsToAlarm") or count)
    end = time.time() + 1
    breaching = 0
    for number in range(count):
        until = end - number * period
        if alarm.get("Metrics"):
            value = math_value(alarm["Metrics"], until - period, until)
        else:
            statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
            name, space = alarm["MetricName"], alarm["Namespace"]
            value = value_of(name, space, alarm.get("Dimensions"), statistic, until - period, until)
        if value is None:
            breaching += alarm.get("TreatMissingData") == "breaching"
        else:
            breaching += COMPARE[alarm["ComparisonOperator"]](value, alarm["Threshold"])
    before, after = alarm["StateValue"], "ALARM" if breaching >= wanted else "OK"
    if before == after:
        return
    reason = f"{breaching} of {count} periods breach"
    alarm.update(StateValue=after, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], before, after, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, after, reason)


provisioners._cw_metric_alarm_record = alarm_record
cloudwatch._evaluate_alarm = evaluate

# --- metrics in a function's log (embedded metric format, metric filters), which ministack leaves in the log


def count_from_log(log):
    for line in log.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line[line.index("{"):])
        except ValueError:
            continue
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: document[name] for name in names}
                for metric in directive["Metrics"]:
                    space, name = directive["Namespace"], metric["Name"]
                    cloudwatch.record_metric(space, name, document[name], metric["Unit"], dimensions)
    cloudwatch._evaluate_all_alarms()


def count_by_filters(function, log):
    """Metric filters of the kind that the stack has: one field of a line in JSON, one dimension of another."""
    group = ((function.get("config") or function).get("LoggingConfig") or {}).get("LogGroup")
    for found in list(logs._metric_filters.values()):
        match = re.fullmatch(r'\{ \$\.(\w+) = "(.*)" \}', found["filterPattern"])
        if found["logGroupName"] != group or not match:
            continue
        for line in log.splitlines():
            try:
                document = json.loads(line[line.index("{"):])
            except ValueError:
                continue
            if document.get(match.group(1)) != match.group(2):
                continue
            for one in found["metricTransformations"]:
                dimensions = {name: document[path[2:]] for name, path in one["dimensions"].items()}
                cloudwatch.record_metric(
                    one["metricNamespace"], one["metricName"], float(one["metricValue"]), "None", dimensions
                )


plain_publish = lambdas._emit_lambda_metrics


def publish_metrics(*given, **named):
    """What a call of a function counts is looked at by alarms at once; ministack waits for the next call."""
    plain_publish(*given, **named)
    cloudwatch._evaluate_all_alarms()


lambdas._emit_lambda_metrics = publish_metrics


# --- a bucket's lock, encryption, lifecycle and log, which its CloudFormation drops: by its own S3 API


def xml(tag, inner):
    return f"<{tag}>{inner}</{tag}>"


def put(result, what):
    if result[0] >= 400:
        raise ValueError(f"AWS::S3::Bucket {what}: {result[2]!r}")


def lock_of(properties):
    configuration = properties.get("ObjectLockConfiguration") or {}
    kept = (configuration.get("Rule") or {}).get("DefaultRetention")
    inner = "".join(xml(name, kept[name]) for name in ("Mode", "Days", "Years") if name in kept) if kept else ""
    rule = xml("Rule", xml("DefaultRetention", inner)) if kept else ""
    return xml("ObjectLockConfiguration", xml("ObjectLockEnabled", "Enabled") + rule)


def encryption_rule(rule):
    default = rule.get("ServerSideEncryptionByDefault") or {}
    applied = "".join(xml(name, escape(str(value))) for name, value in default.items())
    bucket_key = xml("BucketKeyEnabled", str(rule.get("BucketKeyEnabled", False)).lower())
    return xml("Rule", xml("ApplyServerSideEncryptionByDefault", applied) + bucket_key)


def lifecycle_rule(rule):
    out = xml("ID", rule.get("Id", "")) + xml("Filter", xml("Prefix", rule.get("Prefix", "")))
    out += xml("Status", rule["Status"])
    for move in rule.get("Transitions", []):
        out += xml("Transition", xml("Days", move["TransitionInDays"]) + xml("StorageClass", move["StorageClass"]))
    ends = xml("Days", rule["ExpirationInDays"]) if "ExpirationInDays" in rule else ""
    ends += xml("ExpiredObjectDeleteMarker", "true") if rule.get("ExpiredObjectDeleteMarker") else ""
    out += xml("Expiration", ends) if ends else ""
    if "NoncurrentVersionExpiration" in rule:
        days = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        out += xml("NoncurrentVersionExpiration", xml("NoncurrentDays", days))
    if "AbortIncompleteMultipartUpload" in rule:
        days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        out += xml("AbortIncompleteMultipartUpload", xml("DaysAfterInitiation", days))
    return xml("Rule", out)


def finish_bucket(name, properties):
    if properties.get("ObjectLockEnabled"):
        put(s3._put_object_lock_configuration(name, lock_of(properties).encode()), "ObjectLock")
    encryption = (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or []
    if encryption and all((rule.get("ServerSideEncryptionByDefault") or {}).get("KMSMasterKeyID") for rule in encryption):
        rules = "".join(map(encryption_rule, encryption))
        put(s3._put_bucket_encryption(name, xml("ServerSideEncryptionConfiguration", rules).encode()), "Encryption")
    rules = (properties.get("LifecycleConfiguration") or {}).get("Rules") or []
    if rules:
        lifecycle = xml("LifecycleConfiguration", "".join(map(lifecycle_rule, rules)))
        put(s3._put_bucket_lifecycle(name, lifecycle.encode()), "Lifecycle")
    log = properties.get("LoggingConfiguration")
    if log:
        target = xml("TargetBucket", log["DestinationBucketName"]) + xml("TargetPrefix", log.get("LogFilePrefix", ""))
        s3._put_bucket_logging(name, xml("BucketLoggingStatus", xml("LoggingEnabled", target)).encode())


plain_bucket, plain_bucket_update = provisioners._s3_create, provisioners._s3_update


def create_bucket(logical_id, properties, stack_name):
    made = plain_bucket(logical_id, properties, stack_name)
    finish_bucket(made[0], properties)
    return made


def update_bucket(physical_id, old, new, stack_name):
    made = plain_bucket_update(physical_id, old, new, stack_name)
    finish_bucket(made[0], new)
    return made


HANDLERS["AWS::S3::Bucket"].update(create=create_bucket, update=update_bucket)

# --- a table's backups, policy and Kinesis destination from its template, and records in the shape that DynamoDB writes


def enable_destination(table, specification):
    precision = specification.get("ApproximateCreationDateTimePrecision", "MILLISECOND")
    request = {
        "TableName": table,
        "StreamArn": specification["StreamArn"],
        "EnableKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": precision},
    }
    answered(dynamodb._enable_kinesis_streaming_destination, request, table)


def protect_table(table, properties):
    backups = properties.get("PointInTimeRecoverySpecification")
    if backups:
        answered(dynamodb._update_continuous_backups, {"TableName": table, "PointInTimeRecoverySpecification": backups}, table)
        recovery_days[table] = backups.get("RecoveryPeriodInDays", 35)
    policy = (properties.get("ResourcePolicy") or {}).get("PolicyDocument")
    if policy:
        arn = dynamodb._tables[table]["TableArn"]
        answered(dynamodb._put_resource_policy, {"ResourceArn": arn, "Policy": json.dumps(policy)}, table)


recovery_days = {}
plain_backups = dynamodb._describe_continuous_backups


def describe_backups(request):
    out = plain_backups(request)
    if out[0] != 200:
        return out
    described = json.loads(out[2])
    recovery = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    recovery["RecoveryPeriodInDays"] = recovery_days.get(request.get("TableName").split("/")[-1], 35)
    return dynamodb.json_response(described)


dynamodb._describe_continuous_backups = describe_backups


def with_destination(kind, specification_of):
    plain = HANDLERS[kind]
    create = plain["create"]
    update = plain.get("update")

    def create_table(logical_id, properties, stack_name):
        made = create(logical_id, properties, stack_name)
        protect_table(made[0], properties)
        specification = specification_of(properties)
        if specification:
            enable_destination(made[0], specification)
        return made

    def update_table(physical_id, old, new, stack_name, *more, **named):
        made = update(physical_id, old, new, stack_name, *more, **named)
        before, after = specification_of(old), specification_of(new)
        if before and not after:
            request = {"TableName": physical_id, "StreamArn": before["StreamArn"]}
            answered(dynamodb._disable_kinesis_streaming_destination, request, physical_id)
        if after and not before:
            enable_destination(physical_id, after)
        return made

    plain["create"] = create_table
    if update:
        plain["update"] = update_table


def of_replica(properties):
    named = [replica.get("KinesisStreamSpecification") for replica in properties.get("Replicas", [])]
    return next((specification for specification in named if specification), None)


with_destination("AWS::DynamoDB::Table", lambda properties: properties.get("KinesisStreamSpecification"))
with_destination("AWS::DynamoDB::GlobalTable", of_replica)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def binary_twice(value):
    """Kinesis documents have binary in base64 twice (awslabs/amazon-kinesis-client issue 959, a record from AWS)."""
    if isinstance(value, list):
        return [binary_twice(one) for one in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for name, inner in value.items():
        if name == "B" and isinstance(inner, str):
            out[name] = encoded(inner)
        elif name == "BS" and isinstance(inner, list) and all(isinstance(one, str) for one in inner):
            out[name] = [encoded(one) for one in inner]
        else:
            out[name] = binary_twice(inner)
    return out


def fan_out(table, record):
    images = record["dynamodb"]
    if images.get("OldImage") == images.get("NewImage"):
        return
    for destination in dynamodb._kinesis_destinations.get(table, []):
        if destination.get("DestinationStatus") != "ACTIVE":
            continue
        micro = destination.get("ApproximateCreationDateTimePrecision") == "MICROSECOND"
        written = binary_twice({name: images[name] for name in ("Keys", "NewImage", "OldImage") if name in images})
        document = {
            "awsRegion": record["awsRegion"],
            "eventID": record["eventID"],
            "eventName": record["eventName"],
            "userIdentity": None,
            "recordFormat": "application/json",
            "tableName": table,
            "dynamodb": {
                "ApproximateCreationDateTime": time.time_ns() // (1_000 if micro else 1_000_000),
                **written,
                "SizeBytes": len(json.dumps(written)),
                "ApproximateCreationDateTimePrecision": "MICROSECOND" if micro else "MILLISECOND",
            },
            "eventSource": "aws:dynamodb",
        }
        arn = destination["StreamArn"]
        kinesis._put_record({
            "StreamARN": arn,
            "StreamName": arn.split("/")[-1],
            "PartitionKey": record["eventID"],
            "Data": encoded(json.dumps(document)),
        })


dynamodb._fan_out_to_kinesis = fan_out

# --- a prefix with any expression gets nothing appended, as was observed on AWS (floci-io/floci pull request 1858)

plain_prefix = firehose._evaluate_prefix


def evaluate_prefix(template, at, query_keys=None, lambda_keys=None, error_type=None):
    out = plain_prefix(template, at, query_keys, lambda_keys, error_type)
    hour = firehose._java_time("yyyy/MM/dd/HH/", at)
    ours = "!{" in (template or "") and "!{timestamp:" not in template
    return out[: -len(hour)] if ours and out.endswith(hour) else out


firehose._evaluate_prefix = evaluate_prefix

# --- S3's event in EventBridge names the version, which ministack leaves out

current = threading.local()
plain_fire, plain_dispatch = s3._fire_s3_event, eventbridge._dispatch_event


def fire(bucket, key, event_name, *more, **named):
    stored = ((s3._buckets.get(bucket) or {}).get("objects", {}).get(key) or {}).get("version_id")
    current.version = named.get("version_id") or stored
    try:
        return plain_fire(bucket, key, event_name, *more, **named)
    finally:
        current.version = None


def dispatch(event, *more, **named):
    if event.get("Source") == "aws.s3" and getattr(current, "version", None):
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = current.version
        event = {**event, "Detail": json.dumps(detail)}
    return plain_dispatch(event, *more, **named)


s3._fire_s3_event, eventbridge._dispatch_event = fire, dispatch

# --- objects of a day that is over count as delivered at its end, so that its day is settled for the compaction; and
# what was refused on a day, by its name, as kept since then

plain_handle = s3.handle_request
DELIVERED = re.compile(r"^/([^/]+)/(data/[^/]+/event_date=(\d{4}-\d\d-\d\d)/.*)$")
REFUSED = re.compile(r"^/([^/]+)/(refused/.*-1-(\d{4}-\d\d-\d\d)-\d\d-\d\d-\d\d-.*)$")


async def handle(method, path, *more, **named):
    out = await plain_handle(method, path, *more, **named)
    match = DELIVERED.match(path) if named.get("internal") else REFUSED.match(path)
    if method == "PUT" and match and match.group(3) < datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"):
        s3._buckets[match.group(1)]["objects"][match.group(2)]["last_modified"] = match.group(3) + "T23:59:59.000Z"
    return out


s3.handle_request = handle

# --- loopback counts as TLS, which the bucket policies ask for

plain_pin = iam.pin_request_origin
app.pin_request_origin = lambda address, secure: plain_pin(address, True)

# --- aws:PrincipalArn of a role's session is the role's ARN (IAM user guide), not the session's

plain_key = iam._resolve_condition_key
SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d+):assumed-role/([^/]+)/.*")


def condition_key(key, context):
    value = plain_key(key, context)
    match = SESSION.fullmatch(str(value)) if key.lower() == "aws:principalarn" else None
    return f"arn:{match.group(1)}:iam::{match.group(2)}:role/{match.group(3)}" if match else value


iam._resolve_condition_key = condition_key

# --- what a policy may ask of a request besides: the encryption context of a key's use, and what a table's policy or
# export is of

plain_context, plain_arn = actions.request_tag_context, actions.extract_resource_arn


def request_context(service, action, body, parameters):
    given = json.loads(body or b"{}").get("EncryptionContext") or {} if service == "kms" else {}
    named = {f"kms:EncryptionContext:{name}": value for name, value in given.items()}
    return {**plain_context(service, action, body, parameters), **named}


def resource_arn(service, method, path, headers, body, *more):
    named = json.loads(body) if service == "dynamodb" and b'Arn":' in body else {}
    for name in ("ResourceArn", "TableArn", "ExportArn"):
        if name in named:
            return named[name]
    # "not authorized to perform: cloudwatch:DescribeAlarms on resource: arn:aws:cloudwatch:..:alarm:*", says AWS
    named = f"{path} {headers.get('x-amz-target', '')}".encode() + body
    if service in ("cloudwatch", "monitoring") and b"DescribeAlarms" in named:
        return f"arn:aws:cloudwatch:{logs.get_region()}:{logs.get_account_id()}:alarm:*"
    return plain_arn(service, method, path, headers, body, *more)


actions.request_tag_context, actions.extract_resource_arn = request_context, resource_arn

# --- what a transform refuses AWS keeps below the error prefix; ministack drops it

plain_execute, plain_apply = lambdas._execute_function, firehose._apply_lambda_processors
processing = threading.local()


def execute(function, event, *more, **named):
    out = plain_execute(function, event, *more, **named)
    if isinstance(out, dict):
        log = out.get("log") or ""
        count_by_filters(function, log)
        count_from_log(log)
        if getattr(processing, "on", False):
            processing.body = out.get("body")
    return out


def refused_line(data):
    now = int(time.time() * 1000)
    return json.dumps({
        "attemptsMade": 1,
        "arrivalTimestamp": now,
        "errorCode": "Lambda.ProcessingFailedStatus",
        "errorMessage": "ProcessingFailed status set for record",
        "attemptEndingTimestamp": now,
        "rawData": base64.b64encode(data).decode(),
        "lambdaArn": "arn:aws:lambda",
    })


def apply_processors(stream, destination, records, **named):
    processing.on, processing.body = True, None
    try:
        out = plain_apply(stream, destination, records, **named)
    finally:
        processing.on = False
    body = processing.body
    body = json.loads(body) if isinstance(body, (str, bytes)) else body or {}
    failed = {one.get("recordId") for one in body.get("records", []) if one.get("result") == "ProcessingFailed"}
    lines = "".join(refused_line(data) + "\n" for identifier, data in records if identifier in failed)
    if lines:
        configuration, at = destination["config"], time.gmtime()
        prefix = firehose._evaluate_prefix(configuration["ErrorOutputPrefix"], at, error_type="processing-failed")
        name = f"{stream['name']}-1-{firehose._java_time('yyyy-MM-dd-HH-mm-ss', at)}-{firehose.new_uuid()}"
        bucket = firehose._s3_bucket_from_arn(configuration["BucketARN"])
        firehose._put_s3_object(bucket, prefix + name, lines.encode())
    return out


lambdas._execute_function, firehose._apply_lambda_processors = execute, apply_processors

# --- the last use of a key, which ministack does not tell

plain_sign, plain_kms = kms._sign, kms.handle_request
last_signed = {}


def sign(request):
    out = plain_sign(request)
    if out[0] == 200:
        last_signed[json.loads(out[2])["KeyId"].split("/")[-1]] = time.time()
    return out


async def handle_kms(method, path, headers, body, query):
    if not headers.get("x-amz-target", "").endswith(".GetKeyLastUsage"):
        return await plain_kms(method, path, headers, body, query)
    key = json.loads(body)["KeyId"]
    at = last_signed.get(key.split("/")[-1])
    return kms.json_response({"KeyId": key, "KeyLastUsage": {"Operation": "Sign", "Timestamp": at} if at else {}})


kms._sign, kms.handle_request = sign, handle_kms

# --- dead letters that are sent again, which ministack does not do: to the queue that they are of, as without a target


def move_task(request, url):
    source = request["SourceArn"]
    for queue in list(sqs._queues.values()):
        attributes = queue["attributes"]
        if attributes.get("QueueArn") == source:
            letters = queue
        if json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn") == source:
            target = queue
    target["messages"].extend(letters["messages"])
    letters["messages"].clear()
    return {"TaskHandle": "moved"}


sqs._HANDLERS["StartMessageMoveTask"] = move_task

# --- what an update of a nested stack leaves as it is keeps its attributes, which ministack forgets

plain_update = provisioners._update_resource


def update_resource(resource_type, physical_id, old, new, stack_name, logical_id=None, old_attributes=None):
    if old_attributes is None:
        resources = (cloudformation._stacks.get(stack_name) or {}).get("_resources") or {}
        old_attributes = (resources.get(logical_id) or {}).get("Attributes")
    return plain_update(resource_type, physical_id, old, new, stack_name, logical_id, old_attributes)


provisioners._update_resource = update_resource

# --- what a nested stack retains stays when it is deleted

plain_nested_delete = provisioners._cfn_nested_stack_delete


def delete_nested(physical_id, properties):
    child = cloudformation._stacks.get(provisioners._nested_stack_lookup_name(physical_id)) or {}
    declared = (child.get("_template") or {}).get("Resources", {})
    kept = [name for name, resource in declared.items() if resource.get("DeletionPolicy") == "Retain"]
    for name in kept:
        (child.get("_resources") or {}).pop(name, None)
    return plain_nested_delete(physical_id, properties)


HANDLERS["AWS::CloudFormation::Stack"]["delete"] = delete_nested

written_by_aws.install(HANDLERS, answered)
app.main()
