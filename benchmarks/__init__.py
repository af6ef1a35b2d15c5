"""Speed, always as ratios measured side by side in one run. Results stand in RESULTS.md."""
