import { Socket } from "node:net";
import type { VirtualMachinePlan } from "./virtualMachinesOf.ts";

const dialLimitMs = 2_000;
/** Beside SSH: what nearly every machine, printer or router has open. A port that is closed is an answer too. */
const knownPorts = [80, 443];

/** Addresses at which somebody answers though the machine that is to have them is not there yet. */
export async function strangers(machines: readonly VirtualMachinePlan[]): Promise<string[]> {
  const answers = await Promise.all(
    machines.map(async (machine) => ({ machine, port: await answering(machine) })),
  );
  return answers.flatMap(({ machine: { name, address }, port }) =>
    port === undefined
      ? []
      : [
          `${name}: somebody answers at ${address} (port ${port}), and it is not created yet: two machines would share the address; give it a free one, or find out who has it by \`ip neighbour\``,
        ],
  );
}

async function answering({ address, ssh }: VirtualMachinePlan): Promise<number | undefined> {
  const ports = [ssh.port, ...knownPorts];
  const answers = await Promise.all(
    ports.map(async (port) => ((await isThere(address, port)) ? port : undefined)),
  );
  return answers.find((port) => port !== undefined);
}

function isThere(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket().setTimeout(dialLimitMs);
    const end = (there: boolean): void => {
      socket.destroy();
      resolve(there);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", (error) => end(Reflect.get(error, "code") === "ECONNREFUSED"));
    socket.connect(port, host);
  });
}
