/** What Proxmox refuses: an HTTP status, and a reason that stands in the status line and in the body. */
export class ApiError extends Error {
  readonly status: number;
  /** What is wrong with which parameter. */
  readonly errors: Readonly<Record<string, string>> | undefined;

  constructor(status: number, reason: string, errors?: Readonly<Record<string, string>>) {
    super(reason);
    this.status = status;
    this.errors = errors;
  }
}

/** What Proxmox says of a parameter that it does not know. */
export const unknownParameter =
  "property is not defined in schema and the schema does not allow additional properties";

/** A parameter that Proxmox does not accept. */
export function badParameter(name: string, why: string): ApiError {
  return new ApiError(400, "Parameter verification failed.", { [name]: why });
}

/** What Proxmox says of a VM that is not on that node; clients look for the words "does not exist". */
export function noSuchVm(node: string, id: number): ApiError {
  const file = `nodes/${node}/qemu-server/${id}.conf`;
  return new ApiError(500, `Configuration file '${file}' does not exist`);
}
