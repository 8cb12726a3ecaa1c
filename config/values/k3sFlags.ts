/**
 * Flags of `k3s server` that the servers may share, to tell slips by. A newer k3s may have more.
 * @see https://docs.k3s.io/cli/server
 */
export const sharedFlags: readonly string[] = `
  airgap-extra-registry alsologtostderr cluster-dns cluster-domain container-runtime-endpoint debug
  default-local-storage-path default-runtime disable disable-apiserver-lb disable-cloud-controller
  disable-controller-manager disable-default-registry-endpoint disable-helm-controller
  disable-kube-proxy disable-network-policy disable-scheduler docker egress-selector-mode
  embedded-registry enable-pprof etcd-expose-metrics etcd-s3 etcd-s3-bucket etcd-s3-config-secret
  etcd-s3-endpoint etcd-s3-endpoint-ca etcd-s3-folder etcd-s3-insecure etcd-s3-proxy etcd-s3-region
  etcd-s3-retention etcd-s3-skip-ssl-verify etcd-s3-timeout flannel-backend flannel-cni-conf
  flannel-conf flannel-external-ip flannel-ipv6-masq helm-job-image image-credential-provider-bin-dir
  image-credential-provider-config image-service-endpoint kube-cloud-controller-manager-arg
  kube-controller-manager-arg kube-proxy-arg kube-scheduler-arg kubelet-arg lb-server-port log
  nonroot-devices pause-image prefer-bundled-bin private-registry protect-kernel-defaults resolv-conf
  secrets-encryption secrets-encryption-provider selinux service-node-port-range servicelb-namespace
  snapshotter supervisor-metrics system-default-registry tls-san-security vmodule vpn-auth-file
  write-kubeconfig-group write-kubeconfig-mode
`
  .trim()
  .split(/\s+/);
