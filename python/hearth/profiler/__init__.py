"""torch.profiler: what a program's operations cost, as a table and as a Chrome trace."""
from .recorder import (ProfilerAction, ProfilerActivity, profile, record_function, schedule, supported_activities,
                      tensorboard_trace_handler)

__all__ = ["ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule", "supported_activities",
           "tensorboard_trace_handler"]
