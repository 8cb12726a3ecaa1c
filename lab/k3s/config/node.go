package config

import (
	"errors"
	"net"
	"os"
	"strings"
)

// NodeName is the name of this node: its host name, in lower case, if nothing else is said.
func (c *Config) NodeName() (string, error) {
	if name := c.String("node-name"); name != "" {
		return strings.ToLower(name), nil
	}
	name, err := os.Hostname()
	return strings.ToLower(name), err
}

// NodeIP is the address that this node is known by: told, that of a network card, or that of the default route.
func (c *Config) NodeIP() (string, error) {
	if told := c.List("node-ip"); len(told) > 0 {
		return told[0], nil
	}
	if name := c.String("flannel-iface"); name != "" {
		return addressOf(name)
	}
	// Nothing is sent: the kernel only says from which address it would.
	connection, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return "", errors.New("no default routes found in \"/proc/net/route\" or \"/proc/net/ipv6_route\"")
	}
	defer connection.Close()
	return connection.LocalAddr().(*net.UDPAddr).IP.String(), nil
}

func addressOf(name string) (string, error) {
	card, err := net.InterfaceByName(name)
	if err != nil {
		return "", err
	}
	addresses, err := card.Addrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil {
			return network.IP.String(), nil
		}
	}
	return "", errors.New(name + " has no IPv4 address")
}
