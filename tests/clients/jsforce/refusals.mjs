// Do what is refused, and say how each refusal reaches the caller.
import jsforce from 'jsforce';
import { connection, given, refusal, say } from './connection.mjs';

const { bulk2 } = connection;

const aborted = bulk2.createJob({ object: 'Account', operation: 'insert' });
await aborted.open();
await aborted.abort();

const deleted = bulk2.createJob({ object: 'Account', operation: 'insert' });
await deleted.open();
await deleted.abort();
await deleted.delete();

const stranger = new jsforce.Connection({ instanceUrl: given.url, accessToken: 'nonsense', version: '63.0' });

say({
  unknownObject: await refusal(bulk2.createJob({ object: 'Nothing', operation: 'insert' }).open()),
  unknownColumn: await refusal(
    bulk2.loadAndWaitForResults({ object: 'Account', operation: 'insert', input: 'Nmae\nx\n' }),
  ),
  closedAfterAbort: await refusal(aborted.close()),
  polledAfterAbort: await refusal(aborted.poll()),
  checkedAfterDelete: await refusal(deleted.check()),
  badToken: await refusal(stranger.bulk2.createJob({ object: 'Account', operation: 'insert' }).open()),
});
