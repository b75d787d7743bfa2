"""The parts of ``skrull_runtime.profile`` and ``skrull_runtime.report``: measuring and fitting the cost model."""
