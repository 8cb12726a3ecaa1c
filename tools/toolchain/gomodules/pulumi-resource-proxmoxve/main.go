// pulumi-resource-proxmoxve is Pulumi's plugin for Proxmox where the released one cannot be downloaded: the same
// Terraform provider behind the same bridge, for the resources that Triad uses.
package main

import (
	"fmt"

	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// version is that of the npm package, which asks for its plugin by it. The linker sets it.
var version = "0.0.0"

// resources names Terraform's resources as the npm package does.
var resources = map[string]*tfbridge.ResourceInfo{
	"proxmox_virtual_environment_vm":   {Tok: "proxmoxve:index/vmLegacy:VmLegacy"},
	"proxmox_virtual_environment_file": {Tok: "proxmoxve:index/fileLegacy:FileLegacy"},
	"proxmox_virtual_environment_pool": {Tok: "proxmoxve:index/poolLegacy:PoolLegacy"},
}

func main() {
	bridged := shimv2.NewProvider(provider.ProxmoxVirtualEnvironment())
	info := tfbridge.ProviderInfo{
		P:              bridged,
		Name:           "proxmox",
		Version:        version,
		Resources:      resources,
		IgnoreMappings: unnamed(bridged),
	}
	// As the released plugin does it: what has no name gets its resource's, up to 255 letters.
	info.SetAutonaming(255, "-")
	schema := fmt.Sprintf(`{"name":"proxmoxve","version":%q}`, version)
	tfbridge.Main("proxmoxve", version, info, []byte(schema))
}

// unnamed lists what is not bridged.
func unnamed(bridged shim.Provider) []string {
	var names []string
	bridged.ResourcesMap().Range(func(name string, _ shim.Resource) bool {
		names = append(names, name)
		return true
	})
	bridged.DataSourcesMap().Range(func(name string, _ shim.Resource) bool {
		names = append(names, name)
		return true
	})
	return names
}
