// Package token reads and writes k3s's tokens: K10<SHA-256 of the CA>::<user>:<password>, or only the password.
// Source: https://docs.k3s.io/cli/token
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const prefix = "K10"

// Token is one in its parts.
type Token struct {
	// CAHash is empty in a short token, and then nothing protects against a false server.
	CAHash   string
	User     string
	Password string
}

// Parse takes a token in either form. Bootstrap tokens (id.secret) are taken for passwords.
func Parse(text string) (Token, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Token{}, errors.New("token must not be empty")
	}
	if !strings.HasPrefix(text, prefix) {
		return Token{Password: text}, nil
	}
	hash, credentials, found := strings.Cut(strings.TrimPrefix(text, prefix), "::")
	if !found {
		hash, credentials = "", hash
	}
	if hash != "" && len(hash) != sha256.Size*2 {
		return Token{}, errors.New("invalid token CA hash length")
	}
	user, password, found := strings.Cut(credentials, ":")
	if !found || password == "" {
		return Token{}, errors.New("invalid token format")
	}
	return Token{CAHash: hash, User: user, Password: password}, nil
}

// Full is the long form of a password for a cluster whose CA file is given.
func Full(ca []byte, user, password string) string {
	return prefix + Hash(ca) + "::" + user + ":" + password
}

// Hash is that of a CA file with one certificate: of its bytes as they lie on the disk.
func Hash(ca []byte) string {
	sum := sha256.Sum256(ca)
	return hex.EncodeToString(sum[:])
}

// CheckCA compares the CA that a server shows with the one that the token was made for.
func (t Token) CheckCA(ca []byte) error {
	if found := Hash(ca); t.CAHash != "" && t.CAHash != found {
		return fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", t.CAHash, found)
	}
	return nil
}

// Random is a new password.
func Random() string {
	text := make([]byte, 16)
	_, _ = rand.Read(text)
	return hex.EncodeToString(text)
}
