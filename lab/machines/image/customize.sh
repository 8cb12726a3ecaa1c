#!/bin/sh
# Turns a minimal Debian into the one disk image that every machine of the lab starts from.
# mmdebstrap runs this outside the image with its folder as the only argument.
set -eu
root=$1

# The operator's account, as cloud images have one: a key, no password, sudo without asking.
chroot "$root" useradd --create-home --shell /bin/bash ops
printf 'ops ALL=(ALL) NOPASSWD:ALL\n' >"$root/etc/sudoers.d/ops"
chmod 0440 "$root/etc/sudoers.d/ops"
install -d -m 0700 -o 0 -g 0 "$root/root/.ssh"
chroot "$root" install -d -m 0700 -o ops -g ops /home/ops/.ssh

# Every machine gets keys of its own.
rm -f "$root"/etc/ssh/ssh_host_*
cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<'EOF'
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
UseDNS no
MaxStartups 100
MaxSessions 100
EOF

# Machines exist already and were set up by hand; cloud-init is there and says "disabled".
touch "$root/etc/cloud/cloud-init.disabled"

# Timers that would fetch or scrub in the middle of a rehearsal.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
  dpkg-db-backup.timer fstrim.timer logrotate.timer; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# Which of these run is a matter of the machine's role.
for unit in haproxy.service keepalived.service named.service containerd.service; do
  chroot "$root" systemctl disable --quiet "$unit" || true
done

# journald must not read the log of the computer that the lab runs on.
install -d "$root/etc/systemd/journald.conf.d" "$root/var/log/journal"
printf '[Journal]\nStorage=persistent\nReadKMsg=no\nSystemMaxUse=300M\nRateLimitIntervalSec=0\n' \
  >"$root/etc/systemd/journald.conf.d/lab.conf"

# On a computer with cgroup version 1 a container sees the controllers read-only. They are this
# machine's own part of the tree, so it may write them: kubelet and runc have to.
cat >"$root/etc/systemd/system/lab-cgroups.service" <<'EOF'
[Unit]
Description=Controllers of this machine's own cgroups can be written
DefaultDependencies=no
Before=basic.target containerd.service kubelet.service
ConditionPathIsMountPoint=/sys/fs/cgroup/systemd

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for controller in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$controller"; done'

[Install]
WantedBy=basic.target
EOF
chroot "$root" systemctl enable --quiet lab-cgroups.service

rm -f "$root/etc/machine-id" "$root/etc/resolv.conf" "$root/etc/hostname"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/apt "$root"/usr/share/doc \
  "$root"/usr/share/man "$root"/usr/share/locale
