// Which process the session has on the worker that took this job.
export default session => session.pid
