/** A request as a client made it, without what differs from run to run. */
export interface RecordedRequest {
  readonly method: string;
  /** With names in the place of values: `/nodes/:node/qemu/:vmid/config`; as asked, where the double knows no such path. */
  readonly path: string;
  /** Names of its parameters, sorted, with `*` for numbers: `net*`. What `delete` lists stands as `delete=net*`. */
  readonly keys: readonly string[];
  readonly status: number;
}

/** The names of a request's parameters. */
export function keysOf(parameters: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.entries(parameters).flatMap(([key, value]) =>
    key === "delete" && /[a-z]/.test(value)
      ? value.split(",").map((one) => `delete=${general(one)}`)
      : [general(key)],
  );
  return [...new Set(names)].sort();
}

/**
 * What requests ask for, as a sorted list without repetition: a line for each path, and one for each parameter. Made
 * for comparing with a list that is kept.
 */
export function namesOf(requests: readonly RecordedRequest[]): readonly string[] {
  const names = requests.flatMap(({ method, path, keys }) => {
    const name = `${method} ${path}`;
    return [name, ...keys.map((key) => `${name} ${key}`)];
  });
  return [...new Set(names)].sort();
}

function general(key: string): string {
  return key.replace(/\d+$/, "*");
}
