package datastore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

const (
	removeAnnotation  = "etcd.k3s.cattle.io/remove"
	removedAnnotation = "etcd.k3s.cattle.io/removed-node-name"
)

// finalizers keep a deleted Node until its member has been removed.
var finalizers = []string{"wrangler.cattle.io/node", "wrangler.cattle.io/managed-etcd-controller"}

// removeMembers removes the members of Nodes that are being deleted or are annotated so.
//
// @see k3s pkg/etcd/member_controller.go
func (d *Datastore) removeMembers(ctx context.Context, nodes corev1client.NodeInterface) error {
	list, err := nodes.List(ctx, metav1.ListOptions{LabelSelector: etcdLabel})
	if err != nil {
		return err
	}
	var failures []error
	for _, node := range list.Items {
		var changed bool
		if node.DeletionTimestamp != nil {
			changed, err = d.removeOfDeleted(ctx, &node)
		} else {
			changed, err = d.removeOfAnnotated(ctx, &node)
		}
		if err == nil && changed {
			_, err = nodes.Update(ctx, &node, metav1.UpdateOptions{})
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("error syncing '%s': handler managed-etcd-controller: %w", node.Name, err))
		}
	}
	return errors.Join(failures...)
}

// removeOfDeleted removes the member and drops the finalizers. A Node without the annotations hangs,
// as with k3s.
func (d *Datastore) removeOfDeleted(ctx context.Context, node *corev1.Node) (changed bool, err error) {
	held := len(node.Finalizers)
	removed := strings.EqualFold(node.Annotations[removeAnnotation], "true") && node.Annotations[removedAnnotation] != ""
	if !removed && held > 0 {
		d.options.Log("Removing etcd member %s from cluster", node.Name)
		if err := d.removeMemberOf(ctx, node); err != nil {
			return false, err
		}
	}
	node.Finalizers = slices.DeleteFunc(node.Finalizers, func(f string) bool { return slices.Contains(finalizers, f) })
	return len(node.Finalizers) != held, nil
}

// removeOfAnnotated removes the member if that is asked for, and keeps the Node; a Node whose host
// joined anew under another member name is no longer asked for.
func (d *Datastore) removeOfAnnotated(ctx context.Context, node *corev1.Node) (changed bool, err error) {
	for _, finalizer := range finalizers {
		if !slices.Contains(node.Finalizers, finalizer) {
			node.Finalizers = append(node.Finalizers, finalizer)
			changed = true
		}
	}
	removed, done := node.Annotations[removedAnnotation]
	name := node.Annotations[nameAnnotation]
	switch {
	case done && name != "" && name != removed:
		d.options.Log("Resetting removed node flag as removed node name did not match current node name")
		delete(node.Annotations, removedAnnotation)
		node.Annotations[removeAnnotation] = "false"
	case !done && strings.EqualFold(node.Annotations[removeAnnotation], "true"):
		if err := d.removeMemberOf(ctx, node); err != nil {
			return false, err
		}
		node.Annotations[removedAnnotation] = name
		delete(node.Annotations, nameAnnotation)
		delete(node.Annotations, addressAnnotation)
	default:
		return changed, nil
	}
	return true, nil
}

// removeMemberOf removes the member that a Node's annotations name.
func (d *Datastore) removeMemberOf(ctx context.Context, node *corev1.Node) error {
	name, address := node.Annotations[nameAnnotation], node.Annotations[addressAnnotation]
	if name == "" {
		return fmt.Errorf("node name annotation for node %s not found", node.Name)
	}
	if address == "" {
		return fmt.Errorf("node address annotation for node %s not found", node.Name)
	}
	return d.removePeer(ctx, name, address)
}

// removePeer removes the member with this name and this address; that there is none is no error.
//
// @see k3s pkg/etcd/etcd.go RemovePeer
func (d *Datastore) removePeer(ctx context.Context, name, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	list, err := d.client.MemberList(ctx)
	if err != nil {
		return err
	}
	for _, member := range list.Members {
		if member.Name != name || !hasHost(member.PeerURLs, address) {
			continue
		}
		d.options.Log("Removing name=%s id=%d address=%s from etcd", member.Name, member.ID, address)
		if _, err := d.client.MemberRemove(ctx, member.ID); err != nil && !errors.Is(err, rpctypes.ErrMemberNotFound) {
			return err
		}
	}
	return nil
}
