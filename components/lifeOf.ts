import * as pulumi from "@pulumi/pulumi";
import type { MachineConfig } from "../config/clusterConfig.ts";

/**
 * Which life of a machine this is; with another one all is done anew on it. A machine that is created has one for each time
 * that it is, and any machine another one when its disk went back to a checkpoint.
 *
 * @param born which machine this is, of one that is created
 * @returns undefined for a machine of one life, so that nothing is said of it
 */
export function lifeOf(
  { rolledBack }: Pick<MachineConfig, "rolledBack">,
  born: pulumi.Input<string> | undefined,
): pulumi.Output<string> | undefined {
  if (born === undefined && rolledBack === undefined) return undefined;
  const words = rolledBack === undefined ? [] : [rolledBack];
  return pulumi.output(born ?? "").apply((one) => [one, ...words].filter(Boolean).join(" "));
}
