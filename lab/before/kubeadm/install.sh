#!/bin/bash
# What the owner of the home once did by hand on a machine that was to be a Kubernetes node, following
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/ :
# install.sh VERSION MIRROR_URL
set -euo pipefail
version=$1
mirror=$2

cat >/etc/modules-load.d/k8s.conf <<'EOF'
overlay
br_netfilter
EOF
cat >/etc/sysctl.d/k8s.conf <<'EOF'
net.bridge.bridge-nf-call-iptables  = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward                 = 1
EOF
sysctl --quiet --load=/etc/sysctl.d/k8s.conf

# cgroupfs: the driver that works on computers of either cgroup version inside a container.
# restrict_oom_score_adj: the lab's computer may not let machines lower that score.
mkdir -p /etc/containerd/certs.d
cat >/etc/containerd/config.toml <<'EOF'
version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10.1"
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
EOF
for registry in registry.k8s.io docker.io ghcr.io; do
  mkdir -p "/etc/containerd/certs.d/$registry"
  printf '[host."%s"]\n  capabilities = ["pull", "resolve"]\n' "$mirror" \
    >"/etc/containerd/certs.d/$registry/hosts.toml"
done
systemctl restart containerd

mkdir -p /opt/cni/bin /etc/cni/net.d /etc/kubernetes/manifests
cp /usr/lib/cni/* /opt/cni/bin/
for program in kubeadm kubelet kubectl; do
  url="$mirror/release/$version/bin/linux/amd64/$program"
  curl --fail --silent --show-error --output "/tmp/$program" "$url"
  echo "$(curl --fail --silent --show-error "$url.sha256")  /tmp/$program" | sha256sum --check --quiet
  install -m 0755 "/tmp/$program" "/usr/bin/$program"
  rm "/tmp/$program"
done

# The units of the official Debian package.
cat >/usr/lib/systemd/system/kubelet.service <<'EOF'
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
EOF
mkdir -p /usr/lib/systemd/system/kubelet.service.d
cat >/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf <<'EOF'
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
EOF
# A kubelet that is there before containerd ends at once, and systemd starts it again only after 10 s.
cat >/usr/lib/systemd/system/kubelet.service.d/20-containerd.conf <<'EOF'
[Unit]
After=containerd.service
EOF
systemctl daemon-reload
systemctl enable --quiet kubelet
