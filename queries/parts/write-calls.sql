eventsource = 'dynamodb.amazonaws.com'
    and eventname in (
      'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems', 'ExecuteStatement',
      'BatchExecuteStatement', 'ExecuteTransaction'
    )
