"""What a site sees of itself: metrics, logs, traces, dashboards and alerts."""
