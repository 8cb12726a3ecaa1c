import { ApiError } from "./apiError.ts";
import type { Faults } from "./faults.ts";
import type { NodeOptions, StorageOptions } from "./options.ts";

/** Something that lies on a storage: a disk, an image, a snippet. */
export interface Volume {
  bytes: number;
  readonly content: "images" | "iso" | "snippets" | "import" | "vztmpl";
  readonly format: string;
  /** The VM that owns it. */
  readonly vmid?: number;
  /** What is in it, of files alone. */
  readonly data?: Uint8Array;
}

/** A storage: volumes by their name, which is what follows `storage:` in their id. */
export class Storage {
  readonly options: StorageOptions;
  readonly volumes = new Map<string, Volume>();
  readonly #faults: Faults;

  constructor(options: StorageOptions, faults: Faults) {
    this.options = options;
    this.#faults = faults;
    for (const [name, text] of Object.entries(options.files ?? {})) this.putFile(name, text);
  }

  get usedBytes(): number {
    const taken = [...this.volumes.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const used = (this.options.usedBytes ?? 0) + taken;
    return this.#faults.isFull(this.options.name) ? this.options.totalBytes : used;
  }

  /** What a VM's volume is called here: `vm-100-disk-0`, or a file in a folder. */
  volumeName(vm: number, what: string): string {
    const name = `vm-${vm}-${what}`;
    return this.#isFolder ? `${vm}/${name}.${this.format}` : name;
  }

  /** How disks lie here. */
  get format(): string {
    return this.#isFolder ? "qcow2" : "raw";
  }

  /** The first disk of a VM that is not there yet, such as `disk-0`. */
  freeDisk(vm: number): string {
    for (let number = 0; ; number += 1) {
      const disk = `disk-${number}`;
      if (!this.volumes.has(this.volumeName(vm, disk))) return disk;
    }
  }

  /**
   * Makes a volume of a VM.
   * @returns its name
   * @throws ApiError 500 where there is one, no space, or none may be.
   */
  allocate(vm: number, what: string, bytes: number): string {
    const name = this.volumeName(vm, what);
    if (!this.options.content.includes("images")) {
      throw new ApiError(500, `storage '${this.options.name}' does not support vm images`);
    }
    if (this.volumes.has(name)) throw new ApiError(500, `disk image '${name}' already exists`);
    this.#claim(bytes, name);
    this.volumes.set(name, { bytes, content: "images", format: this.format, vmid: vm });
    return name;
  }

  /** @throws ApiError 500 where there is no space. */
  grow(name: string, bytes: number): void {
    const volume = this.get(name);
    this.#claim(bytes - volume.bytes, name);
    volume.bytes = bytes;
  }

  /** @throws ApiError 500 where there is none of this name. */
  get(name: string): Volume {
    const volume = this.volumes.get(name);
    if (volume === undefined) {
      throw new ApiError(500, `volume '${this.options.name}:${name}' does not exist`);
    }
    return volume;
  }

  /** Puts a file, whose folder says what it is. */
  putFile(name: string, data: string | Uint8Array): void {
    const content = name.split("/")[0];
    if (content !== "iso" && content !== "snippets" && content !== "import") {
      throw new ApiError(400, `unable to parse volume filename '${name}'`);
    }
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.#claim(bytes.length, name);
    const format = content === "snippets" ? "snippet" : (name.split(".").at(-1) ?? "");
    this.volumes.set(name, { bytes: bytes.length, content, format, data: bytes });
  }

  /** Removes everything that belongs to a VM. */
  forget(vm: number): void {
    for (const [name, volume] of this.volumes) if (volume.vmid === vm) this.volumes.delete(name);
  }

  get #isFolder(): boolean {
    return this.options.type === "dir" || this.options.type === "nfs";
  }

  #claim(bytes: number, name: string): void {
    if (this.usedBytes + bytes <= this.options.totalBytes) return;
    throw new ApiError(500, noSpace(this.options.type, name));
  }
}

/** All storages: a shared one is the same on every node. */
export class Storages {
  readonly #byNode = new Map<string, Map<string, Storage>>();

  constructor(nodes: readonly NodeOptions[], faults: Faults) {
    const shared = new Map<string, Storage>();
    for (const node of nodes) {
      const own = node.storages.map((options) => {
        const known = options.shared ? shared.get(options.name) : undefined;
        const storage = known ?? new Storage(options, faults);
        if (options.shared) shared.set(options.name, storage);
        return [options.name, storage] as const;
      });
      this.#byNode.set(node.name, new Map(own));
    }
  }

  /** @throws ApiError 500 where the node has no such storage. */
  get(node: string, name: string): Storage {
    const storage = this.#byNode.get(node)?.get(name);
    if (storage === undefined) throw new ApiError(500, `storage '${name}' does not exist`);
    return storage;
  }

  /** Those of a node. */
  of(node: string): readonly Storage[] {
    return [...(this.#byNode.get(node)?.values() ?? [])];
  }

  /** A volume by its id, such as `local-lvm:vm-100-disk-0`. */
  volume(node: string, id: string): { storage: Storage; name: string; volume: Volume } {
    const [, storageName = "", name = ""] = /^([^:]+):(.+)$/.exec(id) ?? [];
    const storage = this.get(node, storageName);
    return { storage, name, volume: storage.get(name) };
  }
}

function noSpace(type: StorageOptions["type"], name: string): string {
  switch (type) {
    case "lvmthin":
      return `lvcreate 'pve/${name}' error: Free space in the thin pool is not enough`;
    case "zfspool":
      return `zfs error: cannot create 'rpool/data/${name}': out of space`;
    case "rbd":
      return `rbd create '${name}' error: rbd: create error: (28) No space left on device`;
    case "dir":
    case "nfs":
      return `unable to create image: write failed for '${name}': No space left on device`;
  }
}
