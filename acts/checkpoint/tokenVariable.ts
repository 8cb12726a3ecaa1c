/** By which variable Proxmox's token comes: it is a secret, and a request is none. The provider has the same. */
export const tokenVariable = "PROXMOX_VE_API_TOKEN";
