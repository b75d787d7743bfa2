"""What ``skrull_runtime.profile`` and ``skrull_runtime.report`` are made of: measuring and fitting the cost model."""
