// Package certs makes the certificates of a cluster, in the files where k3s has them.
package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	day         = 24 * time.Hour
	leafLife    = 365 * day
	renewBefore = 120 * day
	caLife      = 3650 * day
)

// Pair are the files of a certificate and its key.
type Pair struct{ Cert, Key string }

// Leaf says what a certificate is for.
type Leaf struct {
	Name   string
	Groups []string
	// Hosts are DNS names and addresses; a certificate with any is a server's, else a client's.
	Hosts []string
	// Both makes a server's certificate a client's too, as etcd's have to be.
	Both bool
}

// EnsureCA makes a certificate authority if there is none.
func EnsureCA(files Pair, name string) error {
	if _, err := os.Stat(files.Cert); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: fmt.Sprintf("%s@%d", name, now.Unix())},
		NotBefore:    now.Add(-time.Minute), NotAfter: now.Add(caLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		IsCA:     true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	if err := writeKey(files.Key, key); err != nil {
		return err
	}
	return Write(files.Cert, encode("CERTIFICATE", der), 0o644)
}

// Ensure makes a certificate if there is none that fits: of this CA, for these hosts, with 120 days to go.
func Ensure(ca, files Pair, leaf Leaf) error {
	if fits(ca, files, leaf) {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	text, err := Issue(ca, leaf, key.Public())
	if err != nil {
		return err
	}
	if err := writeKey(files.Key, key); err != nil {
		return err
	}
	return Write(files.Cert, text, 0o644)
}

// Issue signs a certificate for a public key; the CA's own certificate follows it.
func Issue(ca Pair, leaf Leaf, public crypto.PublicKey) ([]byte, error) {
	authority, err := Read(ca.Cert)
	if err != nil {
		return nil, err
	}
	signer, err := ReadKey(ca.Key)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: leaf.Name, Organization: leaf.Groups},
		NotBefore:    authority.NotBefore, NotAfter: now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(leaf.Hosts) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if leaf.Both {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, host := range leaf.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, public, signer)
	if err != nil {
		return nil, err
	}
	return append(encode("CERTIFICATE", der), encode("CERTIFICATE", authority.Raw)...), nil
}

func fits(ca, files Pair, leaf Leaf) bool {
	authority, err := Read(ca.Cert)
	if err != nil {
		return false
	}
	found, err := Read(files.Cert)
	if err != nil || found.CheckSignatureFrom(authority) != nil || time.Until(found.NotAfter) < renewBefore {
		return false
	}
	if _, err := ReadKey(files.Key); err != nil {
		return false
	}
	hosts := slices.Clone(found.DNSNames)
	for _, ip := range found.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return slices.Equal(sorted(hosts), sorted(leaf.Hosts))
}

func sorted(hosts []string) []string { return slices.Compact(slices.Sorted(slices.Values(hosts))) }

// Read is the first certificate of a file.
func Read(path string) (*x509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no certificate in it", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

// ReadKey is the private key of a file.
func ReadKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no key in it", path)
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

// EnsureKey makes a key that signs service accounts' tokens, if there is none.
func EnsureKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return writeKey(path, key)
}

// NewRequest is a fresh key in a file, and a request to have it signed.
func NewRequest(keyFile string) ([]byte, error) {
	key, err := ReadKey(keyFile)
	if err != nil {
		if err := EnsureKey(keyFile); err != nil {
			return nil, err
		}
		if key, err = ReadKey(keyFile); err != nil {
			return nil, err
		}
	}
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return Write(path, encode("EC PRIVATE KEY", der), 0o600)
}

// Write replaces a file as a whole.
func Write(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	fresh := path + ".fresh"
	if err := os.WriteFile(fresh, content, mode); err != nil {
		return err
	}
	if err := os.Chmod(fresh, mode); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func serial() *big.Int {
	number, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	return number
}
