"""What analysts ask of enriched events, without a warehouse."""
