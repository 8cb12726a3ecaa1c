import * as pulumi from "@pulumi/pulumi";
import type { Server } from "./server.ts";

/** What the stack tells of a server. */
export interface ServerOutput {
  /** IPv4 address. */
  readonly address: string;
  /** Its component's, exactly: a pattern such as `**::k8s-master*` matches its neighbours too. */
  readonly urn: string;
  /** For a shell: this server leaves, and the list brings it back. */
  readonly leave: string;
}

/** How each server is let go alone, by name. */
export function leaving(
  servers: readonly Server[],
): pulumi.Output<Record<string, pulumi.Unwrap<ServerOutput>>> {
  return pulumi
    .all(servers.map(({ address, name, urn }) => ({ address, name, urn })))
    .apply((known) =>
      Object.fromEntries(
        known.map(({ address, name, urn }) => [name, { address, urn, leave: destroyOf(urn) }]),
      ),
    );
}

/** The engine refuses a component without its children, and nothing outside a server depends on them. */
function destroyOf(urn: string): string {
  return `pulumi destroy --target '${urn}' --target-dependents`;
}
