"""The production companion: engines by role, pools, routing, health, and one service that starts and stops it all."""
