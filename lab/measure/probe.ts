/**
 * The probe: asks `/readyz` as an administrator, ten times a second, each time over a new connection, until
 * its standard input ends. Runs inside the lab's network namespace. Where it asks while the endpoint does not
 * exist yet is told in way.ts.
 */
import { readArguments } from "./arguments.ts";
import { attempt } from "./attempt.ts";
import { pace, untilParentEnds } from "./pace.ts";
import { probeIntervalMs, timeoutMs } from "./pacing.ts";
import { appendSample } from "./sample.ts";

const { way, out } = readArguments();
const ended = untilParentEnds();
// Where there is an endpoint already, the server may be off.
await way.lookAhead(timeoutMs);
await Promise.all([
  pace(probeIntervalMs, ended, async () => {
    appendSample(out, await attempt(way, 200, () => way.ask(timeoutMs, "/readyz")));
  }),
  pace(probeIntervalMs, ended, () => way.lookAhead(timeoutMs)),
]);
