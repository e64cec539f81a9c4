// Load records or CSV text in one call, and say what all three reports hold.
import { connection, given, say } from './connection.mjs';

say(await connection.bulk2.loadAndWaitForResults({ ...given.job, input: given.input }));
