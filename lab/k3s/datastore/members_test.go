package datastore

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func members(t *testing.T, d *Datastore) []*etcdserverpb.Member {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	list, err := d.client.MemberList(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return list.Members
}

func voters(t *testing.T, d *Datastore) (count int) {
	for _, member := range members(t, d) {
		if !member.IsLearner {
			count++
		}
	}
	return count
}

// k3s pkg/etcd/etcd.go join, manageLearners; issue #7000: one learner at a time, the others wait.
// Then the ways in and out of a cluster of three.
func TestThreeServers(t *testing.T) {
	t.Parallel()
	first, _ := server(t, 1)
	first.ClusterInit, first.tick = true, time.Second // the learner stays one until the other has come
	d1 := start(t, first)
	write(t, d1, "/registry/a")

	second, _ := server(t, 2)
	third, log3 := server(t, 3)
	started := make(chan *Datastore, 2)
	for i, o := range []Options{second, third} {
		// Not in the same moment: raft drops a change of members that comes before the last one is
		// applied, etcd never answers it, and k3s dies of that after 20 s and is started again.
		eventually(t, "the other's learner", func() bool { return len(members(t, d1)) == i+1 })
		go func() {
			d, _, err := Start(t.Context(), joining(o, d1))
			if err != nil {
				t.Error(err)
			}
			started <- d
		}()
	}
	d2, d3 := <-started, <-started
	if d2 == nil || d3 == nil {
		t.FailNow()
	}
	if d2.options.NodeIP != second.NodeIP {
		d2, d3 = d3, d2
	}
	t.Cleanup(func() { d2.Stop() })
	t.Cleanup(func() { d3.Stop() })
	if voters(t, d1) != 3 || read(t, d3, "/registry/a") != "value of /registry/a" {
		t.Fatal("no cluster of three")
	}
	waiting := "Waiting for other members to finish joining etcd cluster: "
	if !log3.has(waiting + "etcdserver: too many learner members in cluster") {
		t.Error("the third did not wait for the second")
	}

	{ // HTTP on 2382 only.
		// k3s pkg/etcd/etcd.go listenClientHTTPURLs; etcd issue #15402.
		pair, err := tls.LoadX509KeyPair(d1.backend.CertFile, d1.backend.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true}}}
		path := "/v3/cluster/member/list"
		answer, err := client.Post(first.local("https", 2382)+path, "application/json", strings.NewReader(`{"linearizable":true}`))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != http.StatusOK || bytes.Count(body, []byte("peerURLs")) != 3 {
			t.Error(answer.Status, string(body))
		}
		if answer, err = client.Post(d1.backend.Endpoint+path, "application/json", nil); err == nil && answer.StatusCode == http.StatusOK {
			t.Error("2379 speaks HTTP, too")
		}
		if answer, err = http.Get(first.local("http", 2381) + "/metrics"); err != nil || answer.StatusCode != http.StatusOK {
			t.Error("no metrics", err)
		}
	}

	{ // A node's name can be used once.
		// k3s pkg/etcd/etcd.go join; issue #10408.
		twin, _ := server(t, 4)
		twin.NodeName = third.NodeName
		_, _, err := Start(t.Context(), joining(twin, d1))
		if err == nil || !strings.Contains(err.Error(), "duplicate node name found, please use a unique name for this node") {
			t.Error(err)
		}
	}

	{ // A member restarts without the server that it joined.
		// k3s pkg/cluster/bootstrap.go: join-URL errors are ignored once initialised.
		d2.Stop()
		o := joining(second, d1)
		o.Get = func(context.Context, string) ([]byte, error) { return nil, errors.New("unreachable") }
		d2 = start(t, o)
		if read(t, d2, "/registry/a") == "" {
			t.Error("it does not serve")
		}
	}

	{ // Removal needs name and address, and a removed server that restarts joins again.
		// k3s pkg/etcd/etcd.go RemovePeer, Register; executor/etcd.go; issue #3513.
		old := d3.name
		if err := d1.removePeer(t.Context(), old, second.NodeIP); err != nil || voters(t, d1) != 3 {
			t.Fatal("removed by name alone", err)
		}
		eventually(t, "removal", func() bool { return d1.removePeer(t.Context(), old, third.NodeIP) == nil })
		select {
		case <-d3.Exited():
		case <-time.After(20 * time.Second):
			t.Fatal("the removed server goes on")
		}
		d3.Stop()
		d3 = restart(t, joining(third, d1))
		if !log3.has("This node has been removed from the cluster") {
			t.Error("it did not notice")
		}
		if d3.name == old || voters(t, d1) != 3 || !log3.has("tombstone file has been detected") {
			t.Error("it did not join anew:", old, d3.name, members(t, d1))
		}
		entries, _ := os.ReadDir(third.server("db"))
		if len(entries) != 2 || !strings.HasPrefix(entries[1].Name(), "etcd-backup-") {
			t.Error("the old data is not aside:", entries)
		}
	}

	{ // Leadership is handed over at a stop.
		// k3s #12913: since September 2025 k3s stops etcd in order, which transfers its leadership.
		leader, other := d1, d2
		if leads, _ := d1.leads(t.Context()); !leads {
			leader, other = d2, d1
			if leads, _ = d2.leads(t.Context()); !leads {
				leader = d3
			}
		}
		leader.Stop()
		before := time.Now()
		if read(t, other, "/registry/a") == "" || time.Since(before) > 800*time.Millisecond {
			t.Error("a read took", time.Since(before))
		}
	}
}

// k3s pkg/etcd/etcd.go trackLearnerProgress: a learner that never starts blocks the others for 5 min.
func TestALearnerThatStandsStillIsThrownOut(t *testing.T) {
	t.Parallel()
	o, log := server(t, 1)
	o.ClusterInit, o.tick = true, time.Hour
	d := start(t, o)
	if _, err := d.client.MemberAddAsLearner(t.Context(), []string{"https://127.0.9.1:2380"}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, passed := range []time.Duration{0, 4 * time.Minute, 5 * time.Minute} {
		if err := d.careOnce(t.Context(), now.Add(passed)); err != nil {
			t.Fatal(err)
		}
		if len(members(t, d)) != 2 {
			t.Fatal("thrown out after", passed)
		}
	}
	if err := d.careOnce(t.Context(), now.Add(5*time.Minute+15*time.Second)); err != nil {
		t.Fatal(err)
	}
	if len(members(t, d)) != 1 || !log.has("Removed learner") {
		t.Fatal("it is still there")
	}
}

// k3s pkg/cluster/storage.go getBootstrapKeyFromStorage; issues #3888, #4640.
func TestBootstrapDataAndTheWrongToken(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{SQLite, Etcd} {
		t.Run(string(kind), func(t *testing.T) {
			o, _ := server(t, 1)
			o.ClusterInit = kind == Etcd
			d := start(t, o)
			for _, data := range []string{"the CA's keys", "and anew"} {
				if err := d.SaveBootstrap(t.Context(), []byte(data)); err != nil {
					t.Fatal(err)
				}
				// The password alone is the same token.
				d.options.Token = "secret"
				found, ok, err := d.LoadBootstrap(t.Context())
				if err != nil || !ok || string(found) != data {
					t.Fatal(string(found), ok, err)
				}
			}
			raw, err := d.client.Get(t.Context(), "/bootstrap/2bb80d537b1d", clientv3.WithPrefix())
			if err != nil || len(raw.Kvs) != 1 || bytes.Contains(raw.Kvs[0].Value, []byte("anew")) {
				t.Error("not below the hash of the password, or not encrypted", err)
			}
			d.options.Token = "another"
			_, _, err = d.LoadBootstrap(t.Context())
			if err == nil || err.Error() != "bootstrap data already found and encrypted with different token" {
				t.Error(err)
			}
		})
	}
}
