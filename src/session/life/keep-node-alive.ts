/**
 * Keeps Node alive until the function that it returns is called: while a session starts or ends, which does not keep
 * Node alive by itself.
 */
export function keepNodeAlive(): () => void {
  const timer = setInterval(() => {}, 1 << 30)
  return () => clearInterval(timer)
}
