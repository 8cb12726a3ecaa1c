import assert from "node:assert/strict";
import { seedOf } from "../../../lab/proxmox/cloudInit.ts";
import type { VmConfig } from "../../../lab/proxmox/vmConfig.ts";

const resolver = { search: "node.test", servers: ["198.51.100.53"] };
const seed = (config: VmConfig) => seedOf(100, config, resolver, (volume) => `from ${volume}\n`);

describe("the seed that the double of Proxmox makes", () => {
  it("has names, a user, keys and no upgrade as they are configured", () => {
    const { userData } = seed({
      name: "server-1",
      searchdomain: "home.test",
      ciuser: "ops",
      cipassword: "$5$salt$hash",
      sshkeys: encodeURIComponent("ssh-ed25519 AA+/ a@b\nssh-rsa BB c@d\n"),
      ciupgrade: 0,
    });
    assert.equal(
      userData,
      `#cloud-config
hostname: server-1
manage_etc_hosts: true
fqdn: server-1.home.test
user: ops
password: $5$salt$hash
ssh_authorized_keys:
  - ssh-ed25519 AA+/ a@b
  - ssh-rsa BB c@d
chpasswd:
  expire: False
users:
  - default
`,
    );
  });

  it("upgrades packages unless told not to", () => {
    assert.match(seed({ name: "a.b" }).userData, /^package_upgrade: true$/m);
    assert.match(seed({ name: "a.b" }).userData, /^hostname: a\n.*\nfqdn: a\.b$/m);
  });

  it("has the addresses of every device, and the VM's own resolver", () => {
    const { networkConfig } = seed({
      net0: "virtio=BC:24:11:00:00:01,bridge=vmbr0",
      net1: "virtio=BC:24:11:00:00:02,bridge=vmbr1",
      ipconfig0: "gw=192.0.2.1,ip=192.0.2.21/20",
      ipconfig1: "ip=dhcp,ip6=2001:db8::2/64,gw6=2001:db8::1",
      nameserver: "192.0.2.53 192.0.2.54",
      searchdomain: "home.test",
    });
    assert.equal(
      networkConfig,
      `version: 1
config:
    - type: physical
      name: eth0
      mac_address: 'bc:24:11:00:00:01'
      subnets:
      - type: static
        address: '192.0.2.21'
        netmask: '255.255.240.0'
        gateway: '192.0.2.1'
    - type: physical
      name: eth1
      mac_address: 'bc:24:11:00:00:02'
      subnets:
      - type: dhcp4
      - type: static6
        address: '2001:db8::2/64'
        gateway: '2001:db8::1'
    - type: nameserver
      address:
      - '192.0.2.53'
      - '192.0.2.54'
      search:
      - 'home.test'
`,
    );
  });

  it("has the node's resolver where the VM has none", () => {
    assert.match(seed({}).networkConfig, /198\.51\.100\.53/);
    assert.match(seed({}).networkConfig, /node\.test/);
  });

  it("has the files that stand in the place of what is made", () => {
    const cicustom = "user=local:snippets/u.yaml,vendor=local:snippets/v.yaml";
    const { userData, vendorData, networkConfig } = seed({ cicustom });
    assert.equal(userData, "from local:snippets/u.yaml\n");
    assert.equal(vendorData, "from local:snippets/v.yaml\n");
    assert.match(networkConfig, /^version: 1$/m);
  });

  it("is another instance as soon as anything in it changes, and only then", () => {
    const config = { name: "server-1", ipconfig0: "ip=dhcp" };
    assert.equal(seed(config).metaData, seed({ ...config, cores: 4 }).metaData);
    assert.notEqual(seed(config).metaData, seed({ ...config, name: "server-2" }).metaData);
  });
});
