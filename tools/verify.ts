/** `node tools/verify.ts STACK`: a read-only look at a stack's cluster, without the engine and the stack's secrets. */
import { findLiveCluster } from "../acts/liveCluster.ts";
import { lookAtCluster } from "../acts/lookAtCluster.ts";
import { serversGate } from "../acts/serversGate.ts";
import { verificationOf } from "../components/verificationOf.ts";
import { textFor } from "../observe/judgeEndpoint.ts";
import { judgeWorld } from "../observe/observe.ts";
import { planOfStack } from "./planOfStack.ts";

const quiet = (): void => undefined;

const [stack = ""] = process.argv.slice(2);
try {
  const plan = planOfStack(stack);
  const { faults, warnings } = await judgeWorld(plan);
  for (const warning of [...plan.warnings, ...warnings]) console.log(`warning: ${warning}`);
  for (const fault of faults) console.log(`fault: ${fault}`);
  const request = verificationOf(plan);
  const cluster = await findLiveCluster(request, quiet);
  await serversGate(cluster, request.servers, quiet);
  const found = await lookAtCluster(cluster, request, quiet);
  const through = found.throughEndpoint?.faults ?? [];
  for (const fault of through) console.log(`fault: ${fault}`);
  if (through.length > 0) console.log(textFor(plan));
  console.log(JSON.stringify(found, undefined, 2));
  process.exit(faults.length + through.length === 0 ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
