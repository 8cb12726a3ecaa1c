import { reasonOf } from "../reasonOf.ts";
import type { Endpoint, Machine } from "../request.ts";
import { type Answer, askReadyz } from "./askReadyz.ts";

/** What a machine says when it is asked directly. */
export interface DirectLook {
  readonly name: string;
  /** Absent where no API answers there. */
  readonly answer?: Answer;
}

/** What came through an endpoint, of which nothing is known but what answers there. */
export interface Sight {
  /** How many new connections were made to the endpoint. */
  readonly asked: number;
  /** How many of them each machine answered, by its name; who answered none is left out. */
  readonly reached: Readonly<Record<string, number>>;
  /** Machines that answered through the endpoint while they were not ready, with the status, each once. */
  readonly unready: Readonly<Record<string, number>>;
  /** Why connections ended without an answer, one entry each. */
  readonly failures: readonly string[];
  /** Who signed certificates that no machine shows, each once. */
  readonly strangers: readonly string[];
  readonly direct: readonly DirectLook[];
}

export interface LookThroughOptions {
  readonly endpoint: Pick<Endpoint, "address" | "port">;
  /** Who may stand behind it. */
  readonly machines: readonly Pick<Machine, "address" | "name">[];
  /** Of the API on the machines themselves. @default 6443 */
  readonly apiPort?: number;
}

/** For each that answers directly, and for two at least: with any fair balancing each is reached several times. */
const answersEach = 6;
/** More of them say nothing new, and each may take 3 s. */
const failuresEnough = 6;
/** The same where nobody has answered yet. */
const failuresOfDead = 3;

/**
 * Asks an endpoint over and over, and tells by the certificates who answered. Reads only, sends no credential, and takes a
 * second or two; half a minute where half of the connections hang. That a machine was reached is proved by it; that
 * another one was not is no proof that the balancer does not know it: it may be ill, or the balancer may send one client
 * to one server only.
 */
export async function lookThrough(options: LookThroughOptions): Promise<Sight> {
  const { endpoint } = options;
  let direct = await lookDirectly(options);
  const answering = direct.filter(({ answer }) => answer !== undefined).length;
  const answers: Answer[] = [];
  const failures: string[] = [];
  const wanted = answersEach * Math.max(2, answering);
  const enough = (): number => (answers.length === 0 ? failuresOfDead : failuresEnough);
  while (answers.length < wanted && failures.length < enough()) {
    try {
      answers.push(await askReadyz(endpoint.address, endpoint.port));
    } catch (error) {
      failures.push(reasonOf(error));
    }
  }
  // A certificate may have been renewed meanwhile.
  if (answers.some((answer) => nameOf(answer, direct) === undefined)) {
    direct = [...direct, ...(await lookDirectly(options))];
  }
  return { ...sorted(answers, direct), asked: answers.length + failures.length, failures };
}

/**
 * Asks an endpoint once.
 * @returns the name of the machine that answered, or undefined where it is none of those looked at
 * @throws Error when nobody answers
 */
export async function whoAnswers(
  { address, port }: Pick<Endpoint, "address" | "port">,
  direct: readonly DirectLook[],
): Promise<string | undefined> {
  return nameOf(await askReadyz(address, port), direct);
}

/** Asks every machine itself, all at once. */
export async function lookDirectly({
  machines,
  apiPort = 6443,
}: Pick<LookThroughOptions, "apiPort" | "machines">): Promise<DirectLook[]> {
  return await Promise.all(
    machines.map(async ({ address, name }) => {
      const answer = await askReadyz(address, apiPort).catch(() => undefined);
      return { name, ...(answer === undefined ? {} : { answer }) };
    }),
  );
}

function nameOf({ fingerprint }: Answer, direct: readonly DirectLook[]): string | undefined {
  return direct.find(({ answer }) => answer?.fingerprint === fingerprint)?.name;
}

function sorted(
  answers: readonly Answer[],
  direct: readonly DirectLook[],
): Pick<Sight, "direct" | "reached" | "strangers" | "unready"> {
  const reached: Record<string, number> = {};
  const unready: Record<string, number> = {};
  const strangers = new Set<string>();
  for (const answer of answers) {
    const name = nameOf(answer, direct);
    if (name === undefined) {
      strangers.add(answer.issuer);
      continue;
    }
    reached[name] = (reached[name] ?? 0) + 1;
    if (answer.status !== 200) unready[name] = answer.status;
  }
  // The last look at a machine counts.
  const last = new Map(direct.map((one) => [one.name, one]));
  return { reached, unready, strangers: [...strangers], direct: [...last.values()] };
}
