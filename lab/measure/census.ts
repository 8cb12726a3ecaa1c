/**
 * The census: counts the ConfigMaps of the home again and again, straight at the initial server, so that nothing which
 * that one serves goes unseen. An answer's `value` is how many it listed. Runs beside the probe.
 */
import { z } from "zod";
import { workload } from "../before/workload/workload.ts";
import { readArguments } from "./arguments.ts";
import { attempt } from "./attempt.ts";
import { pace, untilParentEnds } from "./pace.ts";
import { probeIntervalMs, timeoutMs } from "./pacing.ts";
import { appendSample } from "./sample.ts";

const list = z.object({ items: z.array(z.unknown()) });

const { way, out } = readArguments();
await pace(probeIntervalMs, untilParentEnds(), async () => {
  let count = "";
  const sample = await attempt(way, 200, async () => {
    const path = `/api/v1/namespaces/${workload.namespace}/configmaps`;
    const answer = await way.ask(timeoutMs, path);
    if (answer.status === 200) count = String(list.parse(JSON.parse(answer.body)).items.length);
    return answer;
  });
  appendSample(out, { ...sample, value: count });
});
