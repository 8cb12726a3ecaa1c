package datastore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// memberList is the body of /db/info.
type memberList struct {
	Members []*etcdserverpb.Member `json:"members"`
}

var errMemberList = errors.New("failed to get member list from server")

// join adds this member to the cluster of ServerURL and starts it. It waits as long as another one is
// joining or a voter is down.
//
// @see k3s pkg/etcd/etcd.go Start, join; https://github.com/k3s-io/k3s/issues/7000
func (d *Datastore) join(ctx context.Context) error {
	for {
		cluster, err := d.addMember(ctx)
		switch {
		case err == nil:
			d.options.Log("Starting etcd to join cluster with members [%s]", strings.Join(cluster, " "))
			return d.runEtcd(etcdStart{state: "existing", cluster: strings.Join(cluster, ",")})
		case errors.Is(err, rpctypes.ErrTooManyLearners), errors.Is(err, rpctypes.ErrUnhealthy):
			d.options.Log("Waiting for other members to finish joining etcd cluster: %v", err)
		case errors.Is(err, errMemberList):
			d.options.Log("Waiting to retrieve etcd cluster member list: %v", err)
		default:
			return fmt.Errorf("etcd cluster join failed: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// addMember makes this member a learner of the cluster, unless an earlier attempt already did.
// It returns all members as etcd's initial-cluster wants them.
func (d *Datastore) addMember(ctx context.Context) ([]string, error) {
	o := d.options
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	body, err := o.Get(ctx, "/db/info")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMemberList, err)
	}
	var list memberList
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	var cluster, endpoints []string
	add := true
	for _, member := range list.Members {
		own := hasHost(member.PeerURLs, o.NodeIP)
		if own && (member.Name == "" || member.Name == d.name) {
			// It has no name as long as it has not yet started.
			member.Name, add = d.name, false
		} else if nodeOf(member.Name) == o.NodeName {
			// So that the name is made anew when the node's name was mended.
			_ = os.Remove(filepath.Join(o.etcdDir(), "name"))
			return nil, errors.New("duplicate node name found, please use a unique name for this node")
		}
		for _, peer := range member.PeerURLs {
			cluster = append(cluster, member.Name+"="+peer)
		}
		if !member.IsLearner && !own {
			endpoints = append(endpoints, member.ClientURLs...)
		}
	}
	if !add {
		return cluster, nil
	}
	client, err := connect(ctx, d.backend, endpoints...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	o.Log("Adding member %s=%s to etcd cluster [%s]", d.name, o.peerURL(), strings.Join(cluster, " "))
	if _, err := client.MemberAddAsLearner(ctx, []string{o.peerURL()}); err != nil {
		return nil, err
	}
	return append(cluster, d.name+"="+o.peerURL()), nil
}

// nodeOf takes the eight hex digits off a member's name.
func nodeOf(member string) string {
	if hyphen := strings.LastIndex(member, "-"); hyphen > 1 {
		return member[:hyphen]
	}
	return member
}

func hasHost(urls []string, host string) bool {
	for _, text := range urls {
		if parsed, err := url.Parse(text); err == nil && parsed.Hostname() == host {
			return true
		}
	}
	return false
}
