import type { ProxmoxAccess } from "../../proxmox/api.ts";
import { described, findGuest } from "../../proxmox/guest.ts";
import type { Progress } from "../act.ts";
import { Guard } from "../checkpoint/guard.ts";
import type { Checkpoint } from "../checkpoint/naming.ts";
import { chooseCheckpoint, refuseUnfit } from "./choose.ts";
import { emptied } from "./emptied.ts";
import { goOnAlone } from "./goOnAlone.ts";
import type { Consent, RollbackRequest, Standing } from "./request.ts";
import { standingOf } from "./standing.ts";
import { stopAlone } from "./stopAlone.ts";
import { takeOut } from "./takeOut.ts";
import { turnBack } from "./turnBack.ts";

/** How the server is while its disk has not gone back. */
const stopped = {
  peers: "it is stopped, and no member of etcd any more",
  alone: "it is stopped; started by hand it goes on as it was",
} as const;

/** What was done. */
export interface RolledBack {
  readonly checkpoint: Checkpoint;
  readonly standing: Standing;
}

/**
 * A server's disk goes back to a checkpoint. With living peers it leaves etcd before that, and afterwards is an empty
 * machine that joins again; alone, the whole cluster goes back, and whoever watches its API is told. It looks first, asks,
 * and refuses what would not end well. Run again after any end it begins anew.
 *
 * @throws ActError, ProxmoxError, ScriptError, SshError
 */
export async function rollBack(
  request: RollbackRequest,
  access: ProxmoxAccess,
  consent: Consent,
  progress: Progress,
): Promise<RolledBack> {
  const { membership } = request;
  const guest = await findGuest(access, request.vmId);
  const checkpoint = await chooseCheckpoint(guest, request);
  const standing = await standingOf(request, progress);
  refuseUnfit(checkpoint, standing);
  await consent({ guest: described(guest), checkpoint, standing });
  if (standing.kind === "peers") await takeOut(membership, guest, progress);
  else await stopAlone(request, guest, progress);
  const connection = await turnBack(
    membership,
    guest,
    checkpoint,
    stopped[standing.kind],
    progress,
  );
  try {
    if (standing.kind === "peers") {
      await emptied(membership, guest, connection, progress);
    } else {
      const guard = new Guard(connection, membership.distribution, progress);
      await goOnAlone(request, checkpoint, guard, progress);
    }
  } finally {
    connection.close();
  }
  return { checkpoint, standing };
}
