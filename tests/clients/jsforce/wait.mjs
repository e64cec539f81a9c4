// Load a file step by step, and wait for the end with the pauses that jsforce takes by itself.
import { createReadStream } from 'node:fs';
import { connection, given, say } from './connection.mjs';

const job = connection.bulk2.createJob(given.job);
await job.open();
await job.uploadData(createReadStream(given.file));
await job.close();
await job.poll(1000, 120_000);
say(job.getInfo());
