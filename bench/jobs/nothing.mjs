/** A job that does nothing. */
export default () => 0
