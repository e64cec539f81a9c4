// What jsforce's own live test of Bulk API 2.0 expects of an org, step by step; say what each step came to.
import { createReadStream } from 'node:fs';
import jsforce from 'jsforce';
import { connection, given, refusal, say } from './connection.mjs';

const { bulk2 } = connection;
const load = (operation, input, through = connection) =>
  through.bulk2.loadAndWaitForResults({ object: 'Account', operation, input });
const counts = ({ successfulResults, failedResults, unprocessedRecords }) => ({
  created: successfulResults.filter((row) => row.sf__Created === 'true' && typeof row.sf__Id === 'string').length,
  changed: successfulResults.filter((row) => row.sf__Created === 'false' && typeof row.sf__Id === 'string').length,
  failed: failedResults.length,
  unprocessed: unprocessedRecords.length,
});
const accounts = (kind, many) =>
  Array.from({ length: many }, (_, index) => ({
    Name: `${kind} #${index + 1}`,
    BillingState: 'CA',
    NumberOfEmployees: 300 * (index + 1),
  }));
const found = (kind, ...fields) => connection.sobject('Account').find({ Name: { $like: `${kind} %` } }, ...fields);
const nothing = () => connection.sobject('Account').find({ CreatedDate: { $lt: new jsforce.Date('1970-01-01T00:00:00Z') } });
const changes = { Name: '${Name} (Updated)', BillingState: null };
const outcome = (answers) => ({ answers: answers.length, good: answers.filter((each) => each.success && each.id).length });

const said = { version: connection.version, apiVersion: (await bulk2.createJob({ object: 'Account', operation: 'insert' }).open()).apiVersion };

const mixed = await load('insert', [...accounts('mixed', 200), { BillingState: 'CA' }]);
said.mixed = { ...counts(mixed), reasons: mixed.failedResults.map(({ sf__Id, sf__Error }) => [sf__Id, sf__Error]) };

await load('insert', accounts('updated', 20));
const records = await found('updated', ['Id', 'Name']).execute();
said.updated = counts(await load('update', records.map((record) => ({ ...record, Name: `${record.Name} again` }))));

said.nothingInserted = counts(await load('insert', []));
said.nothingDeleted = counts(await load('delete', []));

await load('insert', accounts('deleted', 20));
said.deleted = counts(await load('delete', await found('deleted').execute()));
said.fromFile = counts(await load('insert', createReadStream(given.file)));
said.deletedFromFile = counts(await load('delete', createReadStream(given.ids)));

const inserted = await load('insert', accounts('session', 100));
const ids = inserted.successfulResults.map((row) => ({ Id: row.sf__Id }));
const stranger = { instanceUrl: given.url, accessToken: 'invalid_token', logLevel: 'FATAL' };
let renewed = 0;
const refreshFn = (_, done) => done(null, given.token, ++renewed && undefined);
const renewing = new jsforce.Connection({ ...stranger, refreshFn });
renewing.bulk2.pollInterval = 20;
said.afterRenewal = { ...counts(await load('delete', ids, renewing)), renewed: renewed > 0 };
said.withoutRenewal = (await refusal(load('insert', [{ Name: 'one' }], new jsforce.Connection(stranger)))).name;

for (const [kind, many, options] of [['many', 250, {}], ['few', 20, { bulkThreshold: 0 }]]) {
  await load('insert', accounts(kind, many));
  const updated = await found(kind).update(changes, { bulkApiVersion: 2, ...options });
  const after = await found(kind, 'Id, Name, BillingState');
  const complete = after.filter(({ Name, BillingState }) => Name.endsWith(' (Updated)') && BillingState === null).length;
  const destroyed = await found(kind).destroy({ bulkApiVersion: 2, ...options });
  said[kind] = { updated: outcome(updated), complete, destroyed: outcome(destroyed) };
}
said.noneUpdated = await nothing().update(changes, { bulkApiVersion: 2 });
said.noneDestroyed = await nothing().destroy({ bulkApiVersion: 2 });
said.queryJob = await refusal(bulk2.query('SELECT Id FROM Account'));
said.singleRecord = await refusal(connection.sobject('Account').create({ Name: 'one' }));
said.bulk1 = await refusal(connection.bulk.createJob('Account', 'insert').open());
said.username = (await connection.identity()).username;

say(said);
