package datastore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	progressKey = "k3s/etcd/learnerProgress"
	// A learner that stands still for longer is thrown out.
	longestStall = 5 * time.Minute
)

// progress is what the leader remembers, in etcd, of the learner that it waits for.
type progress struct {
	ID               uint64    `json:"id,omitempty"`
	Name             string    `json:"name,omitempty"`
	RaftAppliedIndex uint64    `json:"raftAppliedIndex,omitempty"`
	LastProgress     time.Time `json:"lastProgress,omitempty"`
}

// careForLearners promotes and throws out learners, and tells each Node whether it is a voter; only
// on the member that leads.
//
// @see k3s pkg/etcd/etcd.go manageLearners
func (d *Datastore) careForLearners(ctx context.Context) {
	tick := time.NewTicker(d.options.tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		round, cancel := context.WithTimeout(ctx, 15*time.Second)
		if leads, err := d.leads(round); err != nil {
			d.options.Log("Failed to check local etcd status for learner management: %v", err)
		} else if leads {
			if err := d.careOnce(round, time.Now()); err != nil {
				d.options.Log("Failed to track learner progress towards promotion: %v", err)
			}
		}
		cancel()
	}
}

// leads is false, and asks no further, on a member that was removed: see test.
func (d *Datastore) leads(ctx context.Context) (bool, error) {
	list, err := d.client.MemberList(ctx, clientv3.WithSerializable())
	if err != nil || !slices.ContainsFunc(list.Members, func(m *etcdserverpb.Member) bool { return m.Name == d.name }) {
		return false, err
	}
	status, err := d.client.Status(ctx, d.backend.Endpoint)
	return err == nil && status.Header.MemberId == status.Leader, err
}

func (d *Datastore) careOnce(ctx context.Context, now time.Time) error {
	list, err := d.client.MemberList(ctx)
	if err != nil {
		return err
	}
	for _, member := range list.Members {
		if member.IsLearner {
			// etcd allows one learner at a time.
			err = d.trackLearner(ctx, member, now)
		}
	}
	d.setVoterConditions(ctx, list.Members)
	return err
}

// trackLearner promotes a learner that is in sync; else it notes how far that one has come.
func (d *Datastore) trackLearner(ctx context.Context, member *etcdserverpb.Member, now time.Time) error {
	if _, err := d.client.MemberPromote(ctx, member.ID); err == nil {
		d.options.Log("Promoted learner %s", member.Name)
		return nil
	}
	known, err := d.loadProgress(ctx)
	if err != nil {
		return err
	}
	if known.ID != member.ID || known.Name != member.Name {
		known = progress{ID: member.ID, Name: member.Name, LastProgress: now}
	}
	if status, err := d.memberStatus(ctx, member); err == nil && status.RaftAppliedIndex > known.RaftAppliedIndex {
		known.RaftAppliedIndex, known.LastProgress = status.RaftAppliedIndex, now
	}
	stalled := now.Sub(known.LastProgress)
	if stalled > 0 {
		d.options.Log("Learner %s stalled at RaftAppliedIndex=%d for %s", known.Name, known.RaftAppliedIndex, stalled)
	}
	if stalled > longestStall {
		_, err := d.client.MemberRemove(ctx, member.ID)
		if err == nil {
			d.options.Log("Removed learner %s from etcd cluster", member.Name)
		}
		return err
	}
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	return put(ctx, d.client, progressKey, string(text))
}

func (d *Datastore) loadProgress(ctx context.Context) (known progress, err error) {
	found, err := d.client.Get(ctx, progressKey)
	if err == nil && len(found.Kvs) > 0 {
		err = json.Unmarshal(found.Kvs[0].Value, &known)
	}
	return known, err
}

func (d *Datastore) memberStatus(ctx context.Context, member *etcdserverpb.Member) (*clientv3.StatusResponse, error) {
	if len(member.ClientURLs) == 0 {
		return nil, fmt.Errorf("etcd member %x has not started", member.ID)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	status, err := d.client.Status(ctx, member.ClientURLs[0])
	if err == nil && len(status.Errors) > 0 {
		return nil, fmt.Errorf("etcd member has status errors: %v", status.Errors)
	}
	return status, err
}
