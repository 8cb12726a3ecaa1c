#!/bin/bash
# Uploads the certificates and prints the command by which another server joins. On a server, as root.
set -euo pipefail
key=$(kubeadm certs certificate-key)
cat >/root/mint.yaml <<END
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
certificateKey: $key
---
$(cat /root/by-hand.yaml)
END
kubeadm init phase upload-certs --upload-certs --config /root/mint.yaml >/dev/null
kubeadm token create --print-join-command --certificate-key "$key"
