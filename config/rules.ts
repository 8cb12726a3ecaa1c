import { cidrs } from "./rules/cidrs.ts";
import { dns } from "./rules/dns.ts";
import { endpoint } from "./rules/endpoint.ts";
import { files } from "./rules/files.ts";
import { flags } from "./rules/flags.ts";
import { machines } from "./rules/machines.ts";
import { roles } from "./rules/roles.ts";
import type { Rule } from "./rules/rule.ts";

/** The rules between keys, in the order in which their faults are shown. */
export const rules: readonly Rule[] = [machines, roles, endpoint, cidrs, dns, files, flags];
