#!/bin/bash
# balance.sh ADDRESS/PREFIX PORT SERVER...: HAProxy before the servers, and the endpoint's address on this machine.
set -euo pipefail
address=$1 port=$2
shift 2
{
  printf 'defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 1h\n  timeout server 1h\n'
  printf 'frontend api\n  bind :%s\n  default_backend servers\n' "$port"
  printf 'backend servers\n  option httpchk GET /readyz\n'
  printf '  default-server check check-ssl verify none inter 500ms fall 2 rise 2\n'
  for server in "$@"; do printf '  server %s %s:6443\n' "$server" "$server"; done
} >/etc/haproxy/haproxy.cfg
systemctl reload-or-restart haproxy
ip address replace "$address" dev eth0
