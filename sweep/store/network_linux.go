package store

import (
	"path/filepath"
	"slices"
	"syscall"
)

// networkMagic are the statfs types of file systems whose files several machines may open (linux/magic.h, and their own headers).
func networkMagic() []int64 {
	return []int64{
		0x6969,     // NFS
		0x517b,     // SMB
		0xff534d42, // CIFS
		0xfe534d42, // SMB 2
		0x0bd00bd0, // Lustre
		0x47504653, // GPFS
		0x19830326, // BeeGFS
		0x00c36400, // Ceph
		0x5346414f, // AFS
		0x01021997, // 9p
	}
}

// OnNetworkFileSystem reports whether a file, which need not exist yet, lies on a file system of the network. SQLite relies on file
// locks that such systems often fake or lose: a study there belongs on PostgreSQL, or to the workers of one machine.
func OnNetworkFileSystem(path string) bool {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		if err := syscall.Statfs(filepath.Dir(path), &s); err != nil {
			return false
		}
	}
	return slices.Contains(networkMagic(), int64(uint32(s.Type)))
}
