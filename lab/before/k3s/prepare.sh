#!/bin/bash
# What the owner of the home once did by hand before k3s was installed, following
# https://docs.k3s.io/installation/airgap : program and images from the mirror, which other images come from too.
# prepare.sh VERSION MIRROR_URL
set -euo pipefail
version=${1/+/%2B}
mirror=$2
arch=amd64

fetch() { curl --fail --silent --show-error --output "$2" "$mirror/k3s/$version/$1"; }

cd "$(mktemp -d)"
images=k3s-airgap-images-$arch.tar.gz
for file in k3s "$images" "sha256sum-$arch.txt"; do fetch "$file" "$file"; done
grep -E "  (k3s|$images)\$" "sha256sum-$arch.txt" | sha256sum --check --quiet --strict
install -m 0755 k3s /usr/local/bin/k3s
install -D -m 0644 "$images" "/var/lib/rancher/k3s/agent/images/$images"
rm -r "$PWD"

install -d -m 0755 /etc/rancher/k3s
cat >/etc/rancher/k3s/registries.yaml <<END
mirrors:
  docker.io:
    endpoint: ["$mirror"]
END
curl --fail --silent --show-error --output /root/install-k3s.sh "$mirror/k3s/$version/install.sh"
