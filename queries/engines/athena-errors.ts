import { NoSuchTable, QueryError } from './engine.js'

/** Where statements run in Athena. */
export interface AthenaPlace {
  readonly workgroup: string
  readonly database: string
  /** @default - Glue's own, `AwsDataCatalog` */
  readonly catalog?: string | undefined
}

/** What to do about words of AWS, the first that fits. They are matched against an error's name and message. */
const HINTS: readonly (readonly [RegExp, (place: AthenaPlace) => string])[] = [
  [
    /no output location/i,
    ({ workgroup }) =>
      `workgroup ${workgroup} neither manages results nor has a place for them: set one of both, or give an output location (s3://bucket/prefix/)`,
  ],
  [/workgroup.*not found/i, () => 'look at the name of the workgroup and at the region; the deployed stack names both'],
  [
    /(TABLE|SCHEMA|DATABASE|CATALOG)_NOT_FOUND|(table|schema|database|catalog) .*does not exist/i,
    ({ database, catalog = DEFAULT_CATALOG }) =>
      `the statement ran in database ${database} of catalog ${catalog}: look at both and at the region; "show tables" lists what is there`,
  ],
  [
    /COLUMN_NOT_FOUND|column .*cannot be resolved/i,
    () =>
      '"show columns from <table>" lists them; a column added to the configuration is there after the next deployment',
  ],
  [/lake ?formation/i, () => 'Lake Formation guards this table: have SELECT granted on it to the caller'],
  [
    /\bkms\b.*(not authorized|denied|cipher|disabled)|not authorized to perform: kms:/is,
    () => "the caller needs kms:Decrypt on the archive's key, and kms:GenerateDataKey on the key of the results",
  ],
  [
    /not authorized to perform: glue:|insufficient permissions to execute the query/i,
    ({ database }) => `the caller needs glue:GetDatabase, glue:GetTable and glue:GetPartitions on database ${database}`,
  ],
  [
    /not authorized to perform: athena:/i,
    ({ workgroup }) =>
      `the caller needs athena:StartQueryExecution, GetQueryExecution, GetQueryResults, StopQueryExecution and GetWorkGroup on workgroup ${workgroup}`,
  ],
  [
    /denied when writing output|unable to verify\/create output bucket/i,
    () =>
      'the caller needs s3:PutObject, s3:GetObject and s3:GetBucketLocation where the results go, and kms:GenerateDataKey on its key',
  ],
  [
    /access ?denied|permission_?denied|not authorized|forbidden|status code: 403/i,
    () =>
      "the caller needs s3:GetObject and s3:ListBucket on the archive's bucket and kms:Decrypt on its key; bucket and key policies count too",
  ],
  [
    /projection|projected/i,
    () => 'look at the projection.* properties of the table in Glue; deploying the stack again puts them right',
  ],
  [
    /SYNTAX_ERROR|mismatched input|extraneous input|no viable alternative|MALFORMED_QUERY|queries of this type/i,
    () => "Athena speaks Trino's SQL: names in double quotes, strings in single ones; line and column count from 1",
  ],
  [
    /resources? exhausted|exhausted resources|EXCEEDED_.*LIMIT|query timeout|timed out/i,
    () => 'ask about a shorter period or fewer columns: partitions are days, images are the widest columns',
  ],
  [
    /TooManyRequests|Throttl|rate exceeded|SlowDown|reduce your request rate/i,
    () => 'others use the same quota: try again in a while, or have the quota of active DML queries raised',
  ],
  [
    /could not load credentials|ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|security token|SSO session/i,
    () => 'sign in to AWS again: aws sso login, or AWS_PROFILE, or the usual environment variables',
  ],
  [/region is missing/i, () => 'set AWS_REGION, or a region in the profile'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|TimeoutError|socket/i,
    () => 'Athena could not be reached: look at the region and the network',
  ],
]

/** The catalog that Glue's databases are in. */
export const DEFAULT_CATALOG = 'AwsDataCatalog'

/** Words of AWS as an error, with what to do about them. */
export function athenaError(subject: string, words: string, place: AthenaPlace, cause?: unknown): QueryError {
  const name = cause instanceof Error ? cause.name : ''
  const hint = HINTS.find(([pattern]) => pattern.test(`${name}: ${words}`))?.[1](place)
  const Kind = words.includes('TABLE_NOT_FOUND') ? NoSuchTable : QueryError
  return new Kind(`${subject}: ${words}`, { cause, hint })
}
