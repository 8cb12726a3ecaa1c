#!/bin/bash
# retrofit.sh NAME ADDRESS PORT: gives a kubeadm cluster an endpoint, as a person with the documents at hand would.
# On the only server, as root. Nothing restarts.
set -euo pipefail
name=$1 address=$2 port=$3
export KUBECONFIG=/etc/kubernetes/admin.conf
pki=/etc/kubernetes/pki
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kubectl -n kube-system get configmap kubeadm-config -o jsonpath='{.data.ClusterConfiguration}' |
  sed "s/^apiServer: *{}\$/apiServer:/; /^controlPlaneEndpoint:/d" >"$work/kubeadm.yaml"
grep -q '^apiServer:' "$work/kubeadm.yaml" || echo 'apiServer:' >>"$work/kubeadm.yaml"
sed -i "s/^apiServer:\$/&\n  certSANs: [\"$name\", \"$address\"]/" "$work/kubeadm.yaml"
echo "controlPlaneEndpoint: $name:$port" >>"$work/kubeadm.yaml"

mkdir "$work/pki"
cp -p $pki/ca.crt $pki/ca.key "$work/pki/"
sed "s#^certificatesDir:.*#certificatesDir: $work/pki#" "$work/kubeadm.yaml" >"$work/aside.yaml"
kubeadm init phase certs apiserver --config "$work/aside.yaml"
for file in apiserver.key apiserver.crt; do
  cp "$work/pki/$file" "$pki/$file.new"
  mv "$pki/$file.new" "$pki/$file"
done

kubeadm init phase upload-config kubeadm --config "$work/kubeadm.yaml"
sed -i "s#^\( *server:\) .*#\1 https://$name:$port#" /etc/kubernetes/admin.conf
own=$(hostname -I | cut -d' ' -f1)
kubectl --server "https://$own:6443" -n kube-public get configmap cluster-info -o yaml |
  sed "s#^\( *server:\) .*#\1 https://$name:$port#" |
  kubectl --server "https://$own:6443" replace -f -
cp "$work/kubeadm.yaml" /root/by-hand.yaml
