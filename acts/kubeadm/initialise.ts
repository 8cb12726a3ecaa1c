import type { SshConnection } from "../../ssh/connection.ts";
import type { Progress } from "../act.ts";
import { runLocked } from "../machineLock.ts";
import type { InitialiseRequest } from "../request.ts";
import { initConfiguration } from "./initConfiguration.ts";

/** A new cluster on the initial server, by `kubeadm init`. */
export async function initialiseKubeadm(
  connection: SshConnection,
  request: InitialiseRequest,
  progress: Progress,
): Promise<void> {
  await runLocked(
    connection,
    {
      act: `create the cluster on ${request.initialServer.name}`,
      script: "kubeadm-init.sh",
      variables: { INIT_CONFIGURATION: initConfiguration(request), VERSION: request.version },
      limit: 600,
    },
    progress,
  );
}
