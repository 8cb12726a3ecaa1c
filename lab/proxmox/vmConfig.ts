import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { badParameter } from "./apiError.ts";

/** A VM's configuration in the form in which Proxmox keeps it: booleans are 0 and 1. */
export type VmConfig = Record<string, string | number>;

const integers = "cores sockets vcpus cpuunits balloon shares".split(" ");
const booleans =
  "onboot numa kvm acpi tablet protection template autostart freeze localtime tdf ciupgrade".split(
    " ",
  );
const texts = (
  "name description tags agent boot bootdisk cpu cpulimit bios machine ostype scsihw vga keyboard hotplug smbios1 " +
  "vmgenid startup hookscript args affinity arch memory ciuser cipassword sshkeys citype cicustom nameserver " +
  "searchdomain watchdog rng0 meta"
).split(" ");
const numbered =
  /^(net|ipconfig|scsi|ide|sata|virtio|unused|serial|usb|hostpci|parallel|numa|virtiofs)\d+$/;

/** Is this a key that a configuration may have? */
export function isConfigKey(key: string): boolean {
  return (
    integers.includes(key) || booleans.includes(key) || texts.includes(key) || numbered.test(key)
  );
}

/**
 * The form in which a plain value is kept; drives and network devices have their own.
 * @throws ApiError 400 for a number or a boolean that is none.
 */
export function plainValue(key: string, value: string): string | number {
  if (integers.includes(key)) {
    if (!/^-?\d+$/.test(value)) throw badParameter(key, `type check ('integer') failed`);
    return Number(value);
  }
  if (booleans.includes(key)) {
    if (/^(1|on|yes|true)$/i.test(value)) return 1;
    if (/^(0|off|no|false)$/i.test(value)) return 0;
    throw badParameter(key, `type check ('boolean') failed - got '${value}'`);
  }
  if (key === "name" && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)) {
    throw badParameter(key, "invalid format - value does not look like a valid DNS name");
  }
  if (key === "tags") return tagsOf(value);
  if (key === "cipassword") return crypted(value);
  return value;
}

/** As a configuration is shown: with its digest, and without the password. */
export function shown(config: VmConfig): VmConfig {
  const masked = config["cipassword"] === undefined ? {} : { cipassword: "**********" };
  return { ...config, ...masked, digest: digestOf(config) };
}

/** Changes with every change. */
export function digestOf(config: VmConfig): string {
  const sorted = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha1").update(JSON.stringify(sorted)).digest("hex");
}

/** Which privilege a change of this key asks for; undefined where only root may. */
export function privilegeFor(key: string, value = ""): string | undefined {
  if (["args", "hookscript", "affinity", "arch"].includes(key)) return undefined;
  if (/^(net|ipconfig)\d+$/.test(key) || /^(nameserver|searchdomain)$/.test(key)) {
    return "VM.Config.Network";
  }
  if (/^(ci|sshkeys$)/.test(key)) return "VM.Config.Cloudinit";
  if (/^(scsi|ide|sata|virtio|unused)\d+$/.test(key)) {
    return value.includes("media=cdrom") ? "VM.Config.CDROM" : "VM.Config.Disk";
  }
  if (/^(memory|balloon|shares)$/.test(key)) return "VM.Config.Memory";
  if (/^(cores|sockets|vcpus|cpu|cpulimit|cpuunits|numa\d*)$/.test(key)) return "VM.Config.CPU";
  if (/^(name|description|tags|onboot|startup|boot|agent|ostype|protection|template)$/.test(key)) {
    return "VM.Config.Options";
  }
  return "VM.Config.HWType";
}

/** Keys that take effect in a running VM at once; the others wait for its next start. */
export function isHot(key: string): boolean {
  return (
    /^(name|description|tags|onboot|startup|protection|shares|ci\w+|sshkeys|nameserver|searchdomain)$/.test(
      key,
    ) || /^(net|ipconfig|scsi|ide|sata|virtio|unused)\d+$/.test(key)
  );
}

function tagsOf(value: string): string {
  const tags = value.split(/[;,\s]+/).filter((tag) => tag !== "");
  return [...new Set(tags)].sort().join(";");
}

/** A password is kept crypted (SHA-256), one that is so already as it is. */
function crypted(password: string): string {
  if (/^\$(?:[156]|2[ay])(\$.+){2}/.test(password)) return password;
  const salted = execFileSync("openssl", ["passwd", "-5", "-stdin"], { input: password });
  return salted.toString().trim();
}
