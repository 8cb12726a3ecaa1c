import type { SshConnection } from "../../ssh/connection.ts";
import type { Progress } from "../act.ts";
import { runLocked } from "../machineLock.ts";
import type { InitialiseRequest } from "../request.ts";
import { refuseElsewhere, refuseOverruled } from "./configDifferences.ts";
import { readConfig } from "./foundConfig.ts";
import { renderServerConfig } from "./serverConfig.ts";

/** A new cluster on the initial server, on etcd from the start: it need not be converted later. */
export async function initialiseK3s(
  connection: SshConnection,
  { initialServer, endpoint, flags, version }: InitialiseRequest,
  progress: Progress,
): Promise<void> {
  const found = await readConfig(connection);
  refuseElsewhere(found, initialServer.name);
  const way = { clusterInit: true } as const;
  const config = renderServerConfig({ machine: initialServer, endpoint, flags, way }, found);
  refuseOverruled(found, config, flags, initialServer.name);
  await runLocked(
    connection,
    {
      act: `create the cluster on ${initialServer.name}`,
      script: "k3s-init.sh",
      variables: { CONFIG: config, VERSION: version, AUDIT_POLICY: "" },
      limit: 600,
    },
    progress,
  );
}
