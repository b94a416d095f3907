"""The record as tables for analysis: in memory, or as CSV, Parquet, JSON Lines and BIDS events."""

from fechner.database.export.frames import (
    AFTER,
    BEFORE,
    FORMATS,
    long_frame,
    to_csv,
    trials_frame,
    write,
)

__all__ = ["AFTER", "BEFORE", "FORMATS", "long_frame", "to_csv", "trials_frame", "write"]
