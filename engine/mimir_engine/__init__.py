"""Body measurements with honest uncertainty from neck-to-knee Dixon MRI."""

__version__ = "0.1.0"
