import threads = require("node:worker_threads");

/**
 * What a worker thread runs: the default export of the module that `workerData` names. The pool would load that module
 * by `require`, and Node ends the whole process where a thread is ended while it links a module of that kind.
 */
export = async (task: unknown): Promise<unknown> => {
  const { default: work } = await import(threads.workerData as string);
  return work(task);
};
