"""What operators see: counters, faults without quotations, logs."""
