#!/bin/sh
# Turns the lab's machine image into what a template on Proxmox is: a disk that is nobody's yet and lets cloud-init set it up
# at its first boot. Run outside with the disk's folder as the only argument.
set -eu
root=$1

# cloud-init makes the account that logs in.
chroot "$root" userdel --remove ops
rm -f "$root/etc/sudoers.d/ops"

# Empty, not absent: systemd makes one at the first boot, and does not enable every unit that there is.
: >"$root/etc/machine-id"
printf 'LANG=C.UTF-8\n' >"$root/etc/default/locale"

# What a server needs is there; networkd takes the address from cloud-init.
rm -f "$root/etc/cloud/cloud-init.disabled"
for unit in systemd-networkd.service systemd-networkd-wait-online.service containerd.service; do
  chroot "$root" systemctl enable --quiet "$unit"
done

# There is no router that speaks IPv6: waiting for one would take 12 s of every boot.
folder="$root/etc/systemd/network/10-cloud-init-eth0.network.d"
mkdir -p "$folder"
printf '[Network]\nIPv6AcceptRA=no\n' >"$folder/lab.conf"

# Nor is there systemd-resolved: the name servers that networkd is told are written where programs look for them.
cat >"$root/usr/local/sbin/lab-resolver" <<'END'
#!/bin/sh
set -eu
cd /etc/systemd/network
told() { sed -n "s/^$1=//p" 10-cloud-init-*.network | tr ' ' '\n' | sort -u | sed '/^$/d'; }
search=$(told Domains | paste -sd ' ')
{
  told DNS | sed 's/^/nameserver /'
  [ -z "$search" ] || echo "search $search"
  echo 'options timeout:1 attempts:2'
} >/etc/resolv.conf
END
chmod 0755 "$root/usr/local/sbin/lab-resolver"
mkdir -p "$root/etc/cloud/cloud.cfg.d"
printf 'bootcmd:\n  - [/usr/local/sbin/lab-resolver]\n' >"$root/etc/cloud/cloud.cfg.d/90-lab.cfg"
