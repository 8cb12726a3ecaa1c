import { hostname } from "node:os";
import { z } from "zod";
import { askEtcd } from "../measure/askEtcd.ts";
import { kubectl } from "../measure/inside.ts";
import { initial, topology } from "./support.ts";

const added = z.object({ member: z.object({ ID: z.string() }) });

/** Where nobody is: a join that was begun there never ends. */
const nobody = topology.operatorAddress.replace(/\d+$/, "250");

/** Adds a learner that nobody runs, as a join that is under way does, while `act` is done. */
export async function whileJoining(act: () => Promise<void>): Promise<void> {
  const body = JSON.stringify({ peerURLs: [`https://${nobody}:2380`], isLearner: true });
  const answer = await askEtcd(topology, initial.name, "cluster/member/add", body);
  const { ID } = added.parse(JSON.parse(answer)).member;
  try {
    await act();
  } finally {
    await askEtcd(topology, initial.name, "cluster/member/remove", JSON.stringify({ ID }));
  }
}

/** Holds the Lease as another operator would whose act goes on while `act` is done. */
export async function whileHeld(holder: string, act: () => Promise<void>): Promise<void> {
  const hold = async (who: string | null): Promise<void> => {
    // With microseconds, as the API wants them.
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    const spec = { holderIdentity: who, renewTime, leaseDurationSeconds: 30 };
    const annotations = { "triad.dev/act": who === null ? null : `join ${hostname()}` };
    const patch = JSON.stringify({ metadata: { annotations }, spec });
    const lease = ["patch", "lease", "triad", "--namespace=kube-system", "--type=merge"];
    await kubectl(topology, [...lease, `--patch=${patch}`]);
  };
  await hold(holder);
  const renewal = setInterval(() => void hold(holder).catch(() => undefined), 5_000);
  try {
    await act();
  } finally {
    clearInterval(renewal);
    await hold(null);
  }
}
