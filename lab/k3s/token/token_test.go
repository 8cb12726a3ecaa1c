package token

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	ca := []byte("certificate")
	full := Full(ca, "server", "secret")
	for text, want := range map[string]Token{
		"secret":               {Password: "secret"},
		" secret\n":            {Password: "secret"},
		full:                   {CAHash: Hash(ca), User: "server", Password: "secret"},
		"K10::node:with:colon": {User: "node", Password: "with:colon"},
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "K10abc::server:secret", "K10::server", "K10" + Hash(ca) + "::server:"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q was taken for %+v", text, got)
		}
	}
}

// Source: pkg/clientaccess/token.go of k3s.
func TestCheckCA(t *testing.T) {
	parsed, _ := Parse(Full([]byte("ours"), "server", "secret"))
	if err := parsed.CheckCA([]byte("ours")); err != nil {
		t.Error(err)
	}
	err := parsed.CheckCA([]byte("theirs"))
	if err == nil || !strings.HasPrefix(err.Error(), "token CA hash does not match the Cluster CA certificate hash: ") {
		t.Error(err)
	}
	short, _ := Parse("secret")
	if err := short.CheckCA([]byte("any")); err != nil {
		t.Error(err)
	}
}
