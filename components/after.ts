import * as pulumi from "@pulumi/pulumi";

/**
 * The value, once the engine is done with the resources (of a component only its own registration counts, not its
 * children): whoever has it as an input is registered after them, yet does
 * not depend on them. An edge to a server's membership would take more than that server along when it is destroyed alone;
 * a wait inside a running command would, with `--parallel 1`, keep the memberships from ever starting.
 */
export function after<Value extends object>(
  resources: readonly pulumi.Resource[],
  value: Value,
): pulumi.Output<pulumi.Unwrap<Value>> {
  const done = Promise.all(
    resources.map(
      (resource) => new Promise<void>((resolve) => void resource.urn.apply(() => resolve())),
    ),
  );
  return pulumi.output(done.then(() => value));
}
