// Wait less than a load takes, and say how that reaches the caller.
import { connection, given, refusal, say } from './connection.mjs';

const job = { object: 'Account', operation: 'insert', input: given.input, pollTimeout: 1000 };
say(await refusal(connection.bulk2.loadAndWaitForResults(job)));
