"""The proving ground: a real engine, a real control plane, and stand-ins for what this machine can't have."""
