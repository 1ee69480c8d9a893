/**
 * Keeps Node alive until the function that it gives is called. For starts and ends under way, which do not keep Node
 * alive themselves.
 */
export function holdNode(): () => void {
  const hold = setInterval(() => {}, 1 << 30)
  return () => clearInterval(hold)
}
