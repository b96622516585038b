"""What tests share: servers, faults, tiny models and data."""
