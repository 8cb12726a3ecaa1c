package datastore

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"

	"triad.invalid/k3s/token"
)

const bootstrapPrefix = "/bootstrap"

// errOtherToken is what k3s dies with when it was given another token than the cluster's.
var errOtherToken = errors.New("bootstrap data already found and encrypted with different token")

// LoadBootstrap reads and decrypts the files that all servers share; false if none were saved yet.
func (d *Datastore) LoadBootstrap(ctx context.Context) ([]byte, bool, error) {
	password, err := d.password()
	if err != nil {
		return nil, false, err
	}
	found, err := d.client.Get(ctx, bootstrapPrefix, clientv3.WithPrefix())
	if err != nil || len(found.Kvs) == 0 {
		return nil, false, err
	}
	for _, pair := range found.Kvs {
		if string(pair.Key) == bootstrapKey(password) {
			data, err := decrypt(password, pair.Value)
			return data, err == nil, err
		}
	}
	return nil, false, errOtherToken
}

// SaveBootstrap encrypts and writes the shared files, over what was there.
func (d *Datastore) SaveBootstrap(ctx context.Context, data []byte) error {
	if _, _, err := d.LoadBootstrap(ctx); err != nil {
		return err
	}
	password, err := d.password()
	if err != nil {
		return err
	}
	sealed, err := encrypt(password, data)
	if err != nil {
		return err
	}
	return put(ctx, d.client, bootstrapKey(password), string(sealed))
}

// put writes a key in the one way that kine knows as well: the transaction that Kubernetes uses.
func put(ctx context.Context, client *clientv3.Client, key, value string) error {
	for {
		now, err := client.Get(ctx, key)
		if err != nil {
			return err
		}
		revision := int64(0)
		if len(now.Kvs) > 0 {
			revision = now.Kvs[0].ModRevision
		}
		done, err := client.Txn(ctx).
			If(clientv3.Compare(clientv3.ModRevision(key), "=", revision)).
			Then(clientv3.OpPut(key, value)).
			Else(clientv3.OpGet(key)).Commit()
		if err != nil || done.Succeeded {
			return err
		}
	}
}

func (d *Datastore) password() (string, error) {
	parsed, err := token.Parse(d.options.Token)
	return parsed.Password, err
}

func bootstrapKey(password string) string {
	sum := sha256.Sum256([]byte(password))
	return bootstrapPrefix + "/" + hex.EncodeToString(sum[:])[:12]
}

// encrypt in k3s's form: <salt in hex>:<base64 of nonce and ciphertext>.
//
// @see k3s pkg/cluster/encrypt.go
func encrypt(password string, plain []byte) ([]byte, error) {
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	salt := hex.EncodeToString(random)
	sealer, err := sealerOf(password, salt)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, sealer.NonceSize())
	_, _ = rand.Read(nonce)
	sealed := base64.StdEncoding.EncodeToString(sealer.Seal(nonce, nonce, plain, nil))
	return []byte(salt + ":" + sealed), nil
}

func decrypt(password string, text []byte) ([]byte, error) {
	salt, encoded, found := bytes.Cut(text, []byte(":"))
	if !found {
		return nil, errors.New("invalid cipher text, not : delimited")
	}
	sealed, err := base64.StdEncoding.DecodeString(string(encoded))
	if err != nil {
		return nil, err
	}
	sealer, err := sealerOf(password, string(salt))
	if err != nil {
		return nil, err
	}
	if len(sealed) < sealer.NonceSize() {
		return nil, errors.New("invalid cipher text, too short")
	}
	return sealer.Open(nil, sealed[:sealer.NonceSize()], sealed[sealer.NonceSize():], nil)
}

func sealerOf(password, salt string) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha1.New, password, []byte(salt), 4096, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
