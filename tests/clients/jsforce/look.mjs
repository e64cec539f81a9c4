// Ask what is around the jobs: objects, a record, limits, who is signed in.
import { connection, given, say } from './connection.mjs';

const described = await connection.describe('Account');
const record = await connection.sobject('Account').retrieve(given.id);
const found = await connection.sobject('Account').find({ Name: record.Name }, ['Id', 'Name']).limit(1);
const objects = await connection.describeGlobal();
const limits = await connection.limits();

say({
  keyPrefix: described.keyPrefix,
  externalIds: described.fields.filter((field) => field.externalId).map((field) => field.name),
  record: record.Name,
  found: found.map((each) => each.Id),
  objects: objects.sobjects.map((each) => each.name),
  requests: limits.DailyApiRequests.Max,
  usage: connection.limitInfo.apiUsage.limit,
});
