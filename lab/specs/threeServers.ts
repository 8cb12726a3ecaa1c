import { currentLab } from "../currentLab.ts";
import { writeKubeconfig } from "../kubeconfig.ts";
import { upBeforeState } from "../lab.ts";
import { eventually } from "../measure/eventually.ts";
import { editStack, listServers } from "../measure/serverList.ts";
import { up } from "../measure/up.ts";
import { missingToWhole } from "../measure/whole.ts";
import { initial, servers, topology } from "./support.ts";

/**
 * Begins with three servers that the stack knows: as earlier specs left them, made up where one is missing, or, where
 * these left anything else, in a new lab.
 */
export async function beginWithThree(): Promise<void> {
  const why = await makeUp().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (why === undefined) return;
  console.log(`    begins anew, for the lab can't be gone on with: ${why}`);
  await beginAnew();
}

async function beginAnew(): Promise<void> {
  await upBeforeState(topology);
  await growToThree();
}

/** The cluster of a new lab is adopted, and grows. */
export async function growToThree(): Promise<void> {
  listServers(topology, [initial.name]);
  await up(topology, "begin-adopt", () => undefined);
  listServers(topology, servers);
  await up(topology, "begin-grow", () => undefined);
  await untilThree();
}

/** Waits until the cluster is whole: three voters, every Node and pod Ready. */
export async function untilThree(): Promise<void> {
  await eventually(180, () => missingToWhole(topology));
}

async function makeUp(): Promise<void> {
  const { topology: found } = await currentLab();
  if (found.stack !== topology.stack) throw new Error(`it is ${found.stack}`);
  await writeKubeconfig(topology);
  listServers(topology, servers);
  editStack(topology, ["triad:pauseAfter"], undefined);
  await up(topology, "begin-up", () => undefined);
  await untilThree();
}
