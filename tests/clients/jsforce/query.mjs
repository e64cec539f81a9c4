// Say all records that a query finds, however many pages it takes.
import { connection, given, say } from './connection.mjs';

const records = await connection.query(given.soql, { autoFetch: true, maxFetch: 100_000, scanAll: given.all });
say({ total: records.totalSize, done: records.done, records: records.records });
