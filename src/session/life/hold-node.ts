/** Keeps Node alive until the function it gives is called: nothing of a start or an end that is under way does so by itself. */
export function holdNode(): () => void {
  const hold = setInterval(() => {}, 1 << 30)
  return () => clearInterval(hold)
}
