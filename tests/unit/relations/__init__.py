"""Relations between parties."""
