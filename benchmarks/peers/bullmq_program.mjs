// BullMQ's worker and client for the benchmarks: `bullmq_program.mjs schema|worker|client`.

import { openSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const environment = process.env;
const require = createRequire(`${environment.UPSHOT_BENCH_MODULES}/`);
const { Queue, Worker, createPostgresBackend } = require("bullmq");

const JOBS_AT_ONCE = 50;
const BATCH = 100;
const NAME = "bench";
const file = openSync(`${environment.UPSHOT_BENCH_TRACE}/${process.pid}-${process.hrtime.bigint()}.trace`, "a");
const note = (key, step) => writeSync(file, `${key} ${step} ${process.hrtime.bigint()}\n`);

const onPostgres = environment.UPSHOT_BENCH_POSTGRES !== "";
const options = onPostgres
  ? { connection: { connectionString: environment.UPSHOT_BENCH_POSTGRES, migrate: process.argv[2] === "schema" } }
  : { connection: { host: "127.0.0.1", port: Number(environment.UPSHOT_BENCH_REDIS), maxRetriesPerRequest: null } };
const backend = onPostgres ? [createPostgresBackend] : [];
const queue = new Queue(NAME, options, ...backend);
queue.on("error", (error) => console.error(error.message));

async function perform(job) {
  const { key, sleep } = job.data;
  switch (job.name) {
    case "note":
      note(key, "1");
      if (sleep) {
        note(key, "s");
        await queue.add("remind", { key }, { delay: sleep * 1000 });
      } else {
        await queue.add("remind", { key });
      }
      return { noted: key };
    case "remind":
      note(key, "2");
      await queue.add("report", { key });
      return { reminded: key };
    default:
      note(key, "3");
      return { reported: key };
  }
}

async function submit({ first, count, sleep }) {
  const began = process.hrtime.bigint();
  for (let start = first; start < first + count; start += BATCH) {
    const keys = [];
    for (let number = start; number < Math.min(start + BATCH, first + count); number += 1) keys.push(String(number));
    if (keys.length === 1) await queue.add("note", { key: keys[0], sleep });
    else await queue.addBulk(keys.map((key) => ({ name: "note", data: { key, sleep } })));
    for (const key of keys) note(key, "a");
  }
  console.log(`{"began": ${began}}`);
}

await queue.waitUntilReady();
if (process.argv[2] === "schema") {
  await queue.close();
} else if (process.argv[2] === "worker") {
  const worker = new Worker(NAME, perform, { ...options, concurrency: JOBS_AT_ONCE }, ...backend);
  worker.on("error", (error) => console.error(error.message));
} else {
  for await (const line of createInterface({ input: process.stdin })) await submit(JSON.parse(line));
}
