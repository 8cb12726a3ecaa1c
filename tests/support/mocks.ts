import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";

export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** Resources of the types that Triad registers; anything else is a mistake of the program. */
const outputs: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>> = {
  "command:local:Command": (inputs) => ({ ...inputs, stdout: "{}", stderr: "" }),
  "command:remote:Command": (inputs) => ({ ...inputs, stdout: "{}", stderr: "" }),
  "random:index/randomPassword:RandomPassword": (inputs) => ({
    ...inputs,
    result: pulumi.secret("s3cr3t"),
  }),
  "pulumi:providers:proxmoxve": (inputs) => inputs,
  "proxmoxve:index/fileLegacy:FileLegacy": (inputs) => inputs,
  "proxmoxve:index/vmLegacy:VmLegacy": (inputs) => ({
    ...inputs,
    networkDevices: [{ macAddress: `MAC of ${String(inputs["vmId"])}` }],
  }),
};

/**
 * Runs a program without an engine and tells what it registers, in order.
 * @param creating is awaited for each, as long as a provider would take
 */
export async function registeredBy(
  program: () => void,
  creating: (registered: Registered) => Promise<void> = () => Promise.resolve(),
): Promise<Registered[]> {
  const registered: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs }) => {
        registered.push({ type, name, inputs });
        await creating({ type, name, inputs });
        if (type.startsWith("triad:index:")) return { id: "", state: inputs };
        const mock = outputs[type];
        if (mock === undefined) throw new Error(`nothing is known of the type ${type} (${name})`);
        return { id: name, state: mock(inputs) };
      },
      call: ({ token }) => {
        throw new Error(`nothing is known of the function ${token}`);
      },
    },
    "triad",
    "test",
  );
  program();
  await settled(registered);
  return registered;
}

/** Resources register one after the other as their dependencies resolve: the end is when no more come. */
async function settled(registered: readonly Registered[]): Promise<void> {
  let before = -1;
  while (before !== registered.length) {
    before = registered.length;
    await sleep(100);
  }
}
