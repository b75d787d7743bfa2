"""One rank of the agreement test: rank 1 has another plan."""

from __future__ import annotations

import sys

import torch
import torch.distributed as dist

from skrull_runtime.errors import UserError
from skrull_runtime.process.agreement import digest_of, require_agreement

dist.init_process_group("gloo")
device = torch.device("cpu")
require_agreement("plan", digest_of({"same": 1}, b"everywhere"), device)
try:
    require_agreement("plan", digest_of({"rank": dist.get_rank() == 1}), device)
except UserError as error:
    print(error)
    sys.exit(3)
