// Package release unpacks the programs that are appended to this file, as the real k3s does on its first start.
package release

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Version is what the double calls itself; Kubernetes inside it is the stock one of that number.
const Version = "v1.34.2+k3s1"

// A release is this program, then a tar.gz, then the length of the tar.gz (8 bytes, big endian), then these 8 bytes.
var magic = [8]byte{'K', '3', 'S', 'L', 'A', 'B', 0, 1}

// CNI plugins and containerd are Debian's, of the machine itself.
var debianPlugins = "/usr/lib/cni"

// BinFolder is where the programs of the release that was unpacked last lie.
func BinFolder(dataDir string) string { return filepath.Join(dataDir, "data", "current", "bin") }

// Unpack makes <data-dir>/data/<hash>/bin and points <data-dir>/data/current to it.
func Unpack(dataDir string) error { return unpack("/proc/self/exe", dataDir) }

func unpack(file, dataDir string) error {
	archive, hash, err := open(file)
	if err != nil {
		return err
	}
	defer archive.Close()
	data := filepath.Join(dataDir, "data")
	folder := filepath.Join(data, hash)
	if _, err := os.Stat(folder); os.IsNotExist(err) {
		making := folder + ".making"
		if err := os.RemoveAll(making); err != nil {
			return err
		}
		if err := extract(archive, making); err != nil {
			return fmt.Errorf("unpacking %s: %w", file, err)
		}
		if err := linkPlugins(filepath.Join(making, "bin")); err != nil {
			return err
		}
		if err := os.Rename(making, folder); err != nil && !os.IsExist(err) {
			return err
		}
	}
	current := filepath.Join(data, "current")
	if target, _ := os.Readlink(current); target == folder {
		return nil
	}
	fresh := fmt.Sprintf("%s.%d", current, os.Getpid())
	if err := os.Symlink(folder, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, current)
}

type section struct {
	io.Reader
	file *os.File
}

func (s section) Close() error { return s.file.Close() }

func open(path string) (io.ReadCloser, string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	var trailer struct {
		Length uint64
		Magic  [8]byte
	}
	end, err := file.Seek(-16, io.SeekEnd)
	if err == nil {
		err = binary.Read(file, binary.BigEndian, &trailer)
	}
	if err != nil || trailer.Magic != magic {
		return nil, "", fmt.Errorf("no programs are appended to %s", path)
	}
	start := end - int64(trailer.Length)
	// The length and the first 4 MiB tell releases of the lab apart, and the hash of 100 MB would cost every start half a second.
	sum := sha256.New()
	_ = binary.Write(sum, binary.BigEndian, uint64(end))
	if _, err := io.Copy(sum, io.NewSectionReader(file, start, min(int64(trailer.Length), 4<<20))); err != nil {
		return nil, "", err
	}
	return section{io.NewSectionReader(file, start, int64(trailer.Length)), file}, hex.EncodeToString(sum.Sum(nil)), nil
}

func extract(archive io.Reader, folder string) error {
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	reader := tar.NewReader(unzipped)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%s leads out of the release", header.Name)
		}
		path := filepath.Join(folder, header.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		switch header.Typeflag {
		case tar.TypeSymlink:
			err = os.Symlink(header.Linkname, path)
		case tar.TypeReg:
			err = writeFile(path, reader)
		}
		if err != nil {
			return err
		}
	}
}

func writeFile(path string, content io.Reader) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, content); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func linkPlugins(bin string) error {
	plugins, err := os.ReadDir(debianPlugins)
	if err != nil {
		return fmt.Errorf("the CNI plugins of Debian (containernetworking-plugins) are not there: %w", err)
	}
	for _, plugin := range plugins {
		err := os.Symlink(filepath.Join(debianPlugins, plugin.Name()), filepath.Join(bin, plugin.Name()))
		if err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}
