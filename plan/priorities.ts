/**
 * The first load balancer's. VRRP allows 1 to 254 (255 is for the owner of the address); from here
 * down there is room for every load balancer and none gets near keepalived's default of 100.
 */
const HIGHEST = 200;

/**
 * VRRP priority of the load balancer at a position of the list. By position from the top, so that
 * one appended to the list changes nothing on those before it.
 */
export function priorityAt(position: number): number {
  return HIGHEST - position;
}
