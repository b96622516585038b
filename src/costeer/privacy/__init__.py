"""What left the device."""
