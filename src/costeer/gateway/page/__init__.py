"""The page: where the person writes, sees what steering did, and sees what left the device."""
