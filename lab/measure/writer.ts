/**
 * The writer: creates ConfigMaps, one at a time, each under a name and with a value of its own, and notes which
 * of them the API acknowledged, until its standard input ends. Runs beside the probe and goes the same way.
 * A write that got no answer may or may not exist: it has failed, its name is never used again.
 */
import { randomBytes } from "node:crypto";
import { readArguments } from "./arguments.ts";
import { attempt } from "./attempt.ts";
import { pace, untilParentEnds } from "./pace.ts";
import { probeIntervalMs, timeoutMs, writeIntervalMs } from "./pacing.ts";
import { appendSample } from "./sample.ts";
import { writerNamespace } from "./writes.ts";

const { way, out } = readArguments();
const ended = untilParentEnds();
const run = randomBytes(4).toString("hex");
let count = 0;

// Where there is an endpoint already, the server may be off.
await way.lookAhead(timeoutMs);
const namespace = await way.ask(10_000, "/api/v1/namespaces", {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: writerNamespace },
});
if (![201, 409].includes(namespace.status)) throw new Error(namespace.body);

await Promise.all([
  pace(writeIntervalMs, ended, async () => {
    const name = `${run}-${String(count++).padStart(6, "0")}`;
    const value = randomBytes(16).toString("hex");
    const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { value } };
    const path = `/api/v1/namespaces/${writerNamespace}/configmaps`;
    const sample = await attempt(way, 201, () => way.ask(timeoutMs, path, configMap));
    appendSample(out, { ...sample, name, value });
  }),
  pace(probeIntervalMs, ended, () => way.lookAhead(timeoutMs)),
]);
