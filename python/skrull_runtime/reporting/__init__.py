"""What a run reports about itself: metrics, and trackers beside them."""
