"""
What AWS writes into buckets by itself and ministack does not: files of a trail of CloudTrail's data events, and
incremental exports of a table. Both as AWS documents them, but that they are there at once.
"""

import base64
import datetime
import gzip
import hashlib
import json
import time
import uuid

import ministack.core.iam_evaluator as iam
import ministack.services.cloudtrail as cloudtrail
import ministack.services.dynamodb as dynamodb
import ministack.services.firehose as firehose
import ministack.services.glue as glue
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id


def put(bucket, key, body):
    # its own way into a bucket, which no policy judges
    firehose._put_s3_object(bucket, key, body)


def instant(seconds, form="%Y-%m-%dT%H:%M:%SZ"):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime(form)


# --- AWS::CloudTrail::Trail

TRAIL = "AWS::CloudTrail::Trail"


def trail_handler(answered):
    def select(name, properties):
        selectors = {"TrailName": name, "AdvancedEventSelectors": properties["AdvancedEventSelectors"]}
        answered(cloudtrail._put_event_selectors, selectors, TRAIL)

    def create(logical_id, properties, stack_name):
        name = properties["TrailName"]
        request = {**properties, "Name": name, "KmsKeyId": properties.get("KMSKeyId", "")}
        arn = answered(cloudtrail._create_trail, request, TRAIL)["TrailARN"]
        select(name, properties)
        if properties["IsLogging"]:
            answered(cloudtrail._start_logging, {"Name": name}, TRAIL)
        return name, {"Arn": arn}

    def update(physical_id, old, new, stack_name, logical_id=None):
        select(physical_id, new)
        return physical_id, {"Arn": cloudtrail._trail_arn(physical_id)}

    def delete(physical_id, properties):
        answered(cloudtrail._delete_trail, {"Name": physical_id}, TRAIL)

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


# --- what a trail keeps: calls that write an item of a table that it selects

NAMES = {"PutItem": "Item", "UpdateItem": None, "DeleteItem": None}
TOLD = ("updateExpression", "conditionExpression", "expressionAttributeNames", "returnValues")


def caller_of(headers):
    found = iam.resolve_credential(extract_access_key_id(headers, {}), get_account_id())
    who = {"type": found.principal_type, "principalId": found.principal_id, "arn": found.principal_arn}
    who.update(accountId=found.account_id, accessKeyId=found.access_key_id)
    if found.principal_type == "AssumedRole":
        role = found.principal_arn.split("/")[1]
        issuer = {"type": "Role", "arn": f"arn:aws:iam::{found.account_id}:role/{role}", "userName": role}
        who["sessionContext"] = {"sessionIssuer": {**issuer, "accountId": found.account_id}}
    return who


def told_of(name, request):
    """Keys without their types, and no value of any other attribute."""
    table = dynamodb._tables[request["TableName"]]
    item = request.get("Key") or request["Item"]
    keys = [key for key in (table["pk_name"], table["sk_name"]) if key]
    parameters = {"tableName": request["TableName"]}
    parameters["key"] = {key: next(iter(item[key].values())) for key in keys}
    if NAMES[name]:
        parameters["item"] = sorted(request["Item"])
    given = {key[0].lower() + key[1:]: value for key, value in request.items()}
    return {**parameters, **{key: given[key] for key in TOLD if key in given}}, table["TableArn"]


def record_of(name, request, headers, status, answer):
    parameters, arn = told_of(name, request)
    error = json.loads(answer or b"{}") if status >= 400 else {}
    failed = {"errorCode": error["__type"].split("#")[-1], "errorMessage": error.get("message")} if error else {}
    return arn, {
        "eventVersion": "1.11", "userIdentity": caller_of(headers), "eventTime": instant(time.time()),
        "eventSource": "dynamodb.amazonaws.com", "eventName": name, "awsRegion": get_region(),
        "sourceIPAddress": "127.0.0.1", "userAgent": headers.get("user-agent", ""), **failed,
        "requestParameters": parameters, "responseElements": None, "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()), "readOnly": False, "eventType": "AwsApiCall", "apiVersion": "2012-08-10",
        "resources": [{"accountId": get_account_id(), "type": "AWS::DynamoDB::Table", "ARN": arn}],
        "managementEvent": False, "recipientAccountId": get_account_id(), "eventCategory": "Data",
    }


def selects(selectors, event, arn):
    of = {
        "eventCategory": "Data", "resources.type": "AWS::DynamoDB::Table", "resources.ARN": arn,
        "readOnly": str(event["readOnly"]).lower(),
    }
    fields = [selector.get("FieldSelectors", []) for selector in selectors]
    return any(each and all(of[one["Field"]] in one["Equals"] for one in each) for each in fields)


def deliver(event, arn):
    for name, _, trail in [cloudtrail._find_visible_trail(name) for name in list(cloudtrail._trails)]:
        selectors = cloudtrail._event_selectors.get_scoped(get_account_id(), get_region(), name, [])
        if not trail["IsLogging"] or not selects(selectors, event, arn):
            continue
        folder = f"AWSLogs/{get_account_id()}/CloudTrail/{get_region()}/{instant(time.time(), '%Y/%m/%d')}"
        at = instant(time.time(), "%Y%m%dT%H%MZ")
        file = f"{get_account_id()}_CloudTrail_{get_region()}_{at}_{uuid.uuid4().hex[:16]}.json.gz"
        # a record a line, for Trino has no CloudTrailInputFormat, which takes records out of {"Records":[...]}
        put(trail["S3BucketName"], f"{folder}/{file}", gzip.compress(json.dumps(event).encode()))


plain_dynamodb = dynamodb.handle_request


async def handle_dynamodb(method, path, headers, body, query):
    out = await plain_dynamodb(method, path, headers, body, query)
    name = headers.get("x-amz-target", "").split(".")[-1]
    request = json.loads(body) if name in NAMES else {}
    if request.get("TableName") in dynamodb._tables:
        arn, event = record_of(name, request, headers, out[0], out[2])
        deliver(event, arn)
    return out


# the classes of Athena's table of events in the words of Trino, whose Glue client is AWS's for Java
FORMATS = {
    b"com.amazon.emr.cloudtrail.CloudTrailInputFormat": b"org.apache.hadoop.mapred.TextInputFormat",
    b"org.apache.hive.hcatalog.data.JsonSerDe": b"org.openx.data.jsonserde.JsonSerDe",
}
plain_glue = glue.handle_request


async def handle_glue(method, path, headers, body, query):
    status, about, answer = await plain_glue(method, path, headers, body, query)
    if "aws-sdk-java" in headers.get("user-agent", ""):
        for theirs, ours in FORMATS.items():
            answer = answer.replace(theirs, ours)
    return status, about, answer


# --- incremental exports: what the table's own stream says of a window, by item

plain_export = dynamodb._export_table_to_point_in_time


def net_changes(table, begin, end):
    items = {}
    for record in dynamodb._stream_records.get(table) or []:
        change = record["dynamodb"]
        if not begin <= change["ApproximateCreationDateTime"] < end:
            continue
        key = json.dumps(change["Keys"], sort_keys=True)
        first = items.get(key, {"OldImage": change.get("OldImage")})
        items[key] = {**first, "Keys": change["Keys"], "NewImage": change.get("NewImage")}
    return [{name: image for name, image in item.items() if image} for item in items.values()]


def write_export(request, described):
    bucket, arn = request["S3Bucket"], described["ExportArn"]
    prefix = f"{request['S3Prefix']}/AWSDynamoDB"
    folder = f"{prefix}/{arn.split('/')[-1]}"
    window = request["IncrementalExportSpecification"]
    begin, end = window["ExportFromTime"], window["ExportToTime"]
    lines = net_changes(arn.split("/")[1], begin, end)
    data = gzip.compress("".join(json.dumps({"Metadata": {}, **line}) + "\n" for line in lines).encode())
    checksum = hashlib.md5(data)
    file = {
        "itemCount": len(lines), "md5Checksum": base64.b64encode(checksum.digest()).decode(),
        "etag": f"{hashlib.md5(checksum.digest()).hexdigest()}-1", "dataFileS3Key": f"{prefix}/data/{uuid.uuid4().hex}.json.gz",
    }
    form = "%Y-%m-%dT%H:%M:%S.000Z"
    summary = {
        "version": "2023-08-01", "exportArn": arn, "startTime": instant(time.time(), form),
        "endTime": instant(time.time(), form), "tableArn": request["TableArn"], "tableId": described["TableId"],
        "exportFromTime": instant(begin, form), "exportToTime": instant(end, form), "s3Bucket": bucket,
        "s3Prefix": request["S3Prefix"], "s3SseAlgorithm": request["S3SseAlgorithm"],
        "s3SseKmsKeyId": request["S3SseKmsKeyId"], "manifestFilesS3Key": f"{folder}/manifest-files.json",
        "billedSizeBytes": 0, "itemCount": len(lines), "outputFormat": "DYNAMODB_JSON",
        "outputView": window["ExportViewType"], "exportType": "INCREMENTAL_EXPORT",
    }
    put(bucket, file["dataFileS3Key"], data)
    for name, text in (("manifest-files", json.dumps(file) + "\n"), ("manifest-summary", json.dumps(summary))):
        put(bucket, f"{folder}/{name}.json", text.encode())
        put(bucket, f"{folder}/{name}.md5", base64.b64encode(hashlib.md5(text.encode()).digest()))


def export(request):
    out = plain_export(request)
    if out[0] == 200 and request.get("ExportType") == "INCREMENTAL_EXPORT":
        write_export(request, json.loads(out[2])["ExportDescription"])
    return out


def install(handlers, answered):
    """Adds it to the emulator; `handlers` are CloudFormation's, by type of a resource."""
    handlers[TRAIL] = trail_handler(answered)
    dynamodb.handle_request, glue.handle_request = handle_dynamodb, handle_glue
    dynamodb._export_table_to_point_in_time = export
