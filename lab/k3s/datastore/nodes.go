package datastore

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	etcdLabel         = "node-role.kubernetes.io/etcd"
	nameAnnotation    = "etcd.k3s.cattle.io/node-name"
	addressAnnotation = "etcd.k3s.cattle.io/node-address"
	voterCondition    = corev1.NodeConditionType("EtcdIsVoter")
)

// RunControllers does what needs the API until ctx ends: label, annotations and the condition
// EtcdIsVoter of Nodes, removal of members by deletion and by annotation. It returns at once.
func (d *Datastore) RunControllers(ctx context.Context, kubeconfig string) error {
	if d.Kind != Etcd {
		return nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := corev1client.NewForConfig(config)
	if err != nil {
		return err
	}
	go d.control(ctx, client.Nodes())
	return nil
}

// control looks every second where k3s would be woken by a watch.
func (d *Datastore) control(ctx context.Context, nodes corev1client.NodeInterface) {
	d.nodes.Store(&nodes)
	told := ""
	for {
		err := d.controlOnce(ctx, nodes)
		if err != nil && err.Error() != told {
			d.options.Log("error syncing nodes: %v", err)
			told = err.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func (d *Datastore) controlOnce(ctx context.Context, nodes corev1client.NodeInterface) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := d.forgetRemovals(ctx, nodes); err != nil {
		return err
	}
	if err := d.markOwnNode(ctx, nodes); err != nil {
		return err
	}
	// k3s elects one server by a Lease; that etcd's leader is elected already serves as well here.
	if leads, err := d.leads(ctx); err != nil || !leads {
		return err
	}
	return d.removeMembers(ctx, nodes)
}

// markOwnNode shows on this server's Node that it is an etcd member, and which.
//
// @see k3s pkg/etcd/metadata_controller.go handleSelf
func (d *Datastore) markOwnNode(ctx context.Context, nodes corev1client.NodeInterface) error {
	node, err := nodes.Get(ctx, d.options.NodeName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil || node.DeletionTimestamp != nil {
		return err
	}
	if node.Labels[etcdLabel] == "true" && node.Annotations[nameAnnotation] == d.name &&
		node.Annotations[addressAnnotation] == d.options.NodeIP {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"labels":      map[string]string{etcdLabel: "true"},
		"annotations": map[string]string{nameAnnotation: d.name, addressAnnotation: d.options.NodeIP},
	}})
	if err != nil {
		return err
	}
	_, err = nodes.Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// forgetRemovals clears, after a cluster-reset, the annotations that asked for removals before it.
//
// @see k3s pkg/etcd/metadata_controller.go checkReset; https://github.com/k3s-io/k3s/issues/8359
func (d *Datastore) forgetRemovals(ctx context.Context, nodes corev1client.NodeInterface) error {
	if _, err := os.Stat(d.options.resetFlag()); err != nil {
		return nil
	}
	list, err := nodes.List(ctx, metav1.ListOptions{LabelSelector: etcdLabel + "=true"})
	if err != nil {
		return err
	}
	patch := `{"metadata":{"annotations":{"` + removeAnnotation + `":null,"` + removedAnnotation + `":null}}}`
	for _, node := range list.Items {
		_, err := nodes.Patch(ctx, node.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		if err != nil {
			return err
		}
	}
	return os.Remove(d.options.resetFlag())
}

// setVoterConditions tells on each etcd Node what its member is; nothing before RunControllers.
func (d *Datastore) setVoterConditions(ctx context.Context, members []*etcdserverpb.Member) {
	nodes := d.nodes.Load()
	if nodes == nil {
		return
	}
	list, err := (*nodes).List(ctx, metav1.ListOptions{LabelSelector: etcdLabel + "=true"})
	if err != nil {
		d.options.Log("Failed to list nodes with etcd role: %v", err)
		return
	}
	for _, node := range list.Items {
		at := slices.IndexFunc(members, func(m *etcdserverpb.Member) bool {
			return m.Name != "" && m.Name == node.Annotations[nameAnnotation]
		})
		condition := corev1.NodeCondition{Status: "False", Reason: "NotAMember",
			Message: "Node is not a member of the etcd cluster"}
		if at >= 0 {
			condition = d.memberCondition(ctx, members[at])
		}
		if err := setCondition(ctx, *nodes, &node, condition); err != nil {
			d.options.Log("Unable to set etcd status condition %s: %v", node.Name, err)
		}
	}
}

func (d *Datastore) memberCondition(ctx context.Context, member *etcdserverpb.Member) corev1.NodeCondition {
	if _, err := d.memberStatus(ctx, member); err != nil {
		return corev1.NodeCondition{Status: "False", Reason: "Unhealthy", Message: err.Error()}
	}
	if member.IsLearner {
		return corev1.NodeCondition{Status: "False", Reason: "MemberIsLearner",
			Message: "Node has not been promoted to voting member of the etcd cluster"}
	}
	return corev1.NodeCondition{Status: "True", Reason: "MemberNotLearner",
		Message: "Node is a voting member of the etcd cluster"}
}

// setCondition writes a condition when it changed, and its heartbeat every five minutes.
func setCondition(ctx context.Context, nodes corev1client.NodeInterface, node *corev1.Node, condition corev1.NodeCondition) error {
	condition.Type = voterCondition
	condition.LastHeartbeatTime, condition.LastTransitionTime = metav1.Now(), metav1.Now()
	for _, old := range node.Status.Conditions {
		if old.Type != voterCondition || old.Status != condition.Status ||
			old.Reason != condition.Reason || old.Message != condition.Message {
			continue
		}
		if time.Since(old.LastHeartbeatTime.Time) < 5*time.Minute {
			return nil
		}
		condition.LastTransitionTime = old.LastTransitionTime
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []corev1.NodeCondition{condition}}})
	if err != nil {
		return err
	}
	_, err = nodes.Patch(ctx, node.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}
