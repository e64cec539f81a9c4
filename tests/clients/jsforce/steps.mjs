// Take a job through its steps one by one; a file goes up as a stream. Say what each step left behind.
import { createReadStream } from 'node:fs';
import { connection, given, say } from './connection.mjs';

const events = [];
const job = connection.bulk2.createJob(given.job);
for (const name of ['open', 'close', 'inProgress', 'jobComplete', 'error']) job.on(name, () => events.push(name));

const opened = await job.open();
await job.uploadData(createReadStream(given.file));
await job.close();
const closed = job.getInfo();
await job.poll();
const done = await job.check();
const successes = await job.getSuccessfulResults(true);
const failures = await job.getFailedResults(true);
const unprocessed = await job.getUnprocessedRecords(true);

say({ opened, closed, done, successes, failures, unprocessed, events: [...new Set(events)] });
