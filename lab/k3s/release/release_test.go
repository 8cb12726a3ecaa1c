package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

func packed(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	var archive bytes.Buffer
	zipper := gzip.NewWriter(&archive)
	writer := tar.NewWriter(zipper)
	for _, entry := range entries {
		if entry.Typeflag == tar.TypeReg {
			entry.Size = int64(len(entry.Name))
		}
		if err := writer.WriteHeader(&entry); err != nil {
			t.Fatal(err)
		}
		if entry.Typeflag == tar.TypeReg {
			_, _ = writer.Write([]byte(entry.Name))
		}
	}
	writer.Close()
	zipper.Close()
	content := append([]byte("the program itself"), archive.Bytes()...)
	content = binary.BigEndian.AppendUint64(content, uint64(archive.Len()))
	file := filepath.Join(t.TempDir(), "k3s")
	if err := os.WriteFile(file, append(content, magic[:]...), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestUnpack(t *testing.T) {
	data := t.TempDir()
	debianPlugins = t.TempDir()
	_ = os.WriteFile(filepath.Join(debianPlugins, "bridge"), nil, 0o755)
	file := packed(t, tar.Header{Typeflag: tar.TypeReg, Name: "bin/kubernetes"},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/kubectl", Linkname: "kubernetes"})
	for range 2 {
		if err := unpack(file, data); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"kubernetes", "kubectl", "bridge"} {
		if _, err := os.Stat(filepath.Join(BinFolder(data), name)); err != nil {
			t.Error(err)
		}
	}
	// Another release takes the place of the first, which stays on the disk as with the real k3s.
	if err := unpack(packed(t, tar.Header{Typeflag: tar.TypeReg, Name: "bin/other"}), data); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(BinFolder(data), "other")); err != nil {
		t.Error(err)
	}
	if found, _ := os.ReadDir(filepath.Join(data, "data")); len(found) != 3 {
		t.Error(found)
	}
}

func TestUnpackRefuses(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "k3s")
	_ = os.WriteFile(plain, []byte("a program to which nothing is appended"), 0o755)
	if err := unpack(plain, t.TempDir()); err == nil {
		t.Error("nothing is appended")
	}
	if err := unpack(packed(t, tar.Header{Typeflag: tar.TypeReg, Name: "../evil"}), t.TempDir()); err == nil {
		t.Error("an entry leads out")
	}
}
